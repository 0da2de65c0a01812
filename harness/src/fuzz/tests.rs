use super::*;
use crate::execute::transport::Arm;
use crate::execute::{Pace, Patience, Target, credentials};
use crate::journal::Journal;
use crevasse_reference::{Options, Service, fault};

fn hand(faults: &[&str]) -> Hand {
    let faults = faults.iter().map(|id| fault::find(id).unwrap()).collect();
    let service = Service::new(Options {
        faults,
        seed: Some(1),
        ..Options::default()
    });
    let mut target = Target::new("http://127.0.0.1:1").unwrap();
    target.credentials = credentials(true);
    let short = Duration::from_secs(2);
    target.patience = Patience {
        expedited: short,
        standard: short,
        bulk: short,
    };
    let arm = Arm::in_process(move |request| service.exchange(request));
    let spec = Arc::new(Spec::builtin().clone());
    let prefix = "crevasse-fuzz".to_owned();
    Hand::new(
        target,
        arm,
        spec,
        Pace::new(8, None),
        Journal::discarding(),
        prefix,
    )
}

fn plan(seed: u64, cases: u64) -> Plan {
    Plan {
        seed,
        spec: Arc::new(Spec::builtin().clone()),
        seeds: Vec::new(),
        in_flight: 8,
        max_time: Duration::from_secs(600),
        max_cases: Some(cases),
        shard: Shard::WHOLE,
        baseline: Baseline::default(),
        today: "2026-11-26".to_owned(),
    }
}

async fn night(faults: &[&str], plan: &Plan, folder: &Path) -> (Night, Vec<String>) {
    let mut told = Vec::new();
    let mut tell = |tidings: Tidings<'_>| {
        if let Tidings::New(finding, path) = tidings {
            assert!(path.exists());
            told.push(finding.fingerprint.clone());
        }
    };
    let stop = Stop::default();
    let night = fuzz(hand(faults), plan, folder, &stop, &mut tell).await;
    (night.unwrap(), told)
}

fn entries(folder: &Path) -> BTreeSet<String> {
    let files = std::fs::read_dir(folder.join("entries")).unwrap();
    files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_is_told_once_and_the_next_night_has_no_news_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let faults = ["archive-hash-linear"];
    let (first, told) = night(&faults, &plan(1, 40), folder.path()).await;
    assert!(!told.is_empty());
    assert_eq!(told.len(), first.news.len());
    let (second, again) = night(&faults, &plan(1, 20), folder.path()).await;
    assert!(again.iter().all(|print| !told.contains(print)));
    assert_eq!(second.status.known, first.news.len() + first.siblings);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clean_server_has_no_news_and_grows_a_corpus() {
    let folder = tempfile::tempdir().unwrap();
    let (night, told) = night(&[], &plan(2, 60), folder.path()).await;
    assert_eq!(told, Vec::<String>::new(), "{:#?}", night.news);
    assert!(night.verified && night.found.faults.is_empty());
    assert!(entries(folder.path()).len() > 10);
}

/// What a night keeps depends on how its target answered, and when; what it tries next does not.
#[test]
fn a_candidate_follows_from_seed_night_number_and_corpus() {
    let entry = |number| {
        let scenario = generate::case(5, number);
        Entry {
            id: corpus::id(&scenario),
            scenario,
            features: BTreeSet::new(),
        }
    };
    let candidates = |seed, night, entries: u64| {
        let mut corpus = Corpus::default();
        (0..entries).for_each(|number| corpus.keep(entry(number)));
        let campaign = campaign_plan(&plan(seed, 0));
        let seeds: Vec<Scenario> = corpus.scenarios().cloned().collect();
        let source = Source {
            seed,
            night,
            corpus: &corpus,
            dictionary: &Dictionary::of(&seeds),
            campaign: &campaign,
        };
        let ids = (0..40).map(|number| corpus::id(&source.candidate(number)));
        ids.collect::<Vec<_>>()
    };
    assert_eq!(candidates(1, 1, 20), candidates(1, 1, 20));
    assert_eq!(candidates(1, 1, 0), candidates(1, 1, 0));
    let one = candidates(1, 1, 20);
    for other in [
        candidates(2, 1, 20),
        candidates(1, 2, 20),
        candidates(1, 1, 19),
    ] {
        assert_ne!(one, other);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_night_found_is_told_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let faults = ["archive-hash-linear"];
    let seen = {
        let (plan, stop) = (plan(1, 1000), Stop::default());
        let mut told = BTreeSet::new();
        let (send, receive) = tokio::sync::oneshot::channel();
        let mut send = Some(send);
        let mut tell = |tidings: Tidings<'_>| {
            if let Tidings::New(finding, _) = tidings {
                told.insert(finding.fingerprint.clone());
                send.take().map(|send| send.send(()));
            }
        };
        let killed = fuzz(hand(&faults), &plan, folder.path(), &stop, &mut tell);
        // What is dropped in the middle writes nothing any more, as if it were killed.
        tokio::select! {
            _ = killed => unreachable!("a thousand cases take longer than the first finding"),
            _ = receive => {}
        }
        told
    };
    let (state, _) = State::open(folder.path()).unwrap();
    let at = |stage| {
        state
            .at(stage)
            .into_iter()
            .map(|finding| finding.fingerprint)
    };
    let left: Vec<String> = at(Stage::Found).chain(at(Stage::Confirmed)).collect();
    let all: Vec<String> = left.iter().cloned().chain(at(Stage::Told)).collect();
    drop(state);
    let (second, told) = night(&faults, &plan(1, 1), folder.path()).await;
    let told: BTreeSet<String> = told.into_iter().collect();
    assert!(told.is_disjoint(&seen));
    assert_eq!((second.waiting, second.unconfirmed), (0, 0));
    assert_eq!(second.status.known, all.len() - left.len());
    let (state, _) = State::open(folder.path()).unwrap();
    assert!(
        all.iter()
            .all(|print| state.stage(print) == Some(Stage::Told))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_try_different_candidates() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (folder, shard) in [(&one, "1/2"), (&two, "2/2")] {
        let plan = Plan {
            shard: shard.parse().unwrap(),
            ..plan(3, 10)
        };
        night(&[], &plan, folder.path()).await;
    }
    assert!(entries(one.path()).is_disjoint(&entries(two.path())));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_deviation_is_no_news() {
    let folder = tempfile::tempdir().unwrap();
    let faults = ["archive-hash-linear"];
    let (first, told) = night(&faults, &plan(1, 40), folder.path()).await;
    let entries: String = told
        .iter()
        .map(|print| format!("- fingerprint: {print}\n  reason: known\n"))
        .collect();
    let plan = Plan {
        baseline: Baseline::parse(&entries).unwrap(),
        ..plan(1, 40)
    };
    let other = tempfile::tempdir().unwrap();
    let (second, again) = night(&faults, &plan, other.path()).await;
    assert!(!first.news.is_empty());
    assert!(again.iter().all(|print| !told.contains(print)));
    assert_eq!(second.status.cases, 40);
}

#[test]
fn candidates_made_afresh_are_of_every_family() {
    let families: BTreeSet<String> = (0..600)
        .filter(|number| Draw::new(PURPOSE, 1, *number).once_in(FRESH))
        .map(|number| generate::case(1, number).id)
        .filter_map(|id| Some(id.splitn(3, '-').nth(2)?.to_owned()))
        .collect();
    assert_eq!(families.len(), 7, "{families:?}");
}
