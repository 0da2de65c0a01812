//! Removes what an interrupted run left behind and puts back what it changed, from its journal.

use std::path::Path;
use std::sync::Arc;

use crevasse_core::spec::Spec;

use crate::event::Leak;
use crate::execute::{Hand, Pace, Target, TargetError, transport::Arm};
use crate::journal::{Journal, JournalError, Left, Reader, Resource};

/// What came of a clean-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanedUp {
    /// Resources the journal knew of that were not known to be gone.
    pub left: usize,
    /// Those that are still there, and why.
    pub leaks: Vec<Leak>,
    /// Lines of the journal that are broken or cut off: what they name may still be there.
    pub unread: usize,
}

/// Why a clean-up could not be done.
#[derive(Debug, thiserror::Error)]
pub enum CleanUpError {
    /// The journal cannot be read or gone on with.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The target is not the one of the run.
    #[error("clean up at {aimed}: the run was against {ran}")]
    OtherTarget {
        /// Where the clean-up was aimed.
        aimed: String,
        /// Where the run was.
        ran: String,
    },
}

/// Removes what the run in `folder` made and did not remove, in reverse order, and journals what is gone.
///
/// # Errors
/// When the journal cannot be read or written, or the target is not the one of the run.
pub async fn clean_up(target: Target, folder: &Path) -> Result<CleanedUp, CleanUpError> {
    let arm = target.arm()?;
    clean_up_by(target, arm, folder).await
}

async fn clean_up_by(target: Target, arm: Arm, folder: &Path) -> Result<CleanedUp, CleanUpError> {
    let run = Reader::open(folder)?.run().clone();
    if run.endpoint != target.endpoint() {
        let aimed = target.endpoint().to_owned();
        return Err(CleanUpError::OtherTarget {
            aimed,
            ran: run.endpoint,
        });
    }
    let journal = Journal::reopen(folder)?;
    let (left, broken) = what_is_left(folder)?;
    let unread = broken + usize::from(journal.was_cut_off());
    let (spec, patience) = (
        Arc::new(Spec::builtin().clone()),
        target.patience.with(None),
    );
    let hand = Hand::new(target, arm, spec, Pace::new(1, None), journal, run.prefix);
    hand.clear(&left, patience).await;
    Ok(CleanedUp {
        left: left.len(),
        leaks: hand.leaks(),
        unread,
    })
}

/// What the journal in `folder` knows of that is not known to be gone, and how many of its lines are broken.
fn what_is_left(folder: &Path) -> Result<(Vec<Resource>, usize), JournalError> {
    let (mut reader, mut left, mut broken) = (Reader::open(folder)?, Left::default(), 0);
    for line in reader.by_ref() {
        match line {
            Err(JournalError::Broken { .. }) => broken += 1,
            line => left.note(&line?),
        }
    }
    broken += usize::from(reader.truncated());
    Ok((left.latest_first(), broken))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::RunStarted;
    use crate::journal::{FILE, Kind, Line};
    use crevasse_core::amz_date::Timestamp;
    use crevasse_core::scenario::{Action, JsonBody, Profile, Ref};
    use crevasse_reference::{Options, Service};
    use serde_json::json;

    const ENDPOINT: &str = "http://127.0.0.1:9";

    fn run() -> RunStarted {
        RunStarted {
            run: "x7k2p9".to_owned(),
            seed: 1,
            profile: Profile::Quick,
            endpoint: ENDPOINT.to_owned(),
            jobs: 1,
            spec: String::new(),
            spec_digest: String::new(),
            prefix: "crevasse-x7k2p9".to_owned(),
            started: Timestamp(0),
            shard: crate::shard::Shard::WHOLE,
            arguments: Vec::new(),
            options: Vec::new(),
        }
    }

    fn arm(service: &Service) -> Arm {
        let service = service.clone();
        Arm::in_process(move |request| service.exchange(request))
    }

    fn target() -> Target {
        Target::new(ENDPOINT).unwrap()
    }

    fn hand(service: &Service, journal: Journal) -> Hand {
        let spec = Arc::new(Spec::builtin().clone());
        let pace = Pace::new(1, None);
        Hand::new(target(), arm(service), spec, pace, journal, run().prefix)
    }

    /// A run that made a vault and an archive, and ended there.
    async fn interrupted(folder: &Path, service: &Service) {
        let hand = hand(service, Journal::create(folder, &run()).unwrap());
        let name = "crevasse-x7k2p9-a-v";
        let vault = Ref::Literal(name.to_owned());
        hand.tell_journal(&Line::Intent(Resource::vault(name)));
        hand.ask(&Action::CreateVault {
            vault: vault.clone(),
            name: None,
        })
        .await
        .unwrap();
        let upload = Action::UploadArchive {
            vault,
            archive: "a".to_owned(),
            content: vec![1, 2, 3].into(),
            description: None,
            tree_hash: Default::default(),
            content_sha256: Default::default(),
        };
        let id = hand
            .ask(&upload)
            .await
            .unwrap()
            .headers
            .value("x-amz-archive-id")
            .map(str::to_owned);
        hand.tell_journal(&Line::Made(Resource {
            kind: Kind::Archive,
            vault: name.to_owned(),
            id,
        }));
    }

    #[tokio::test]
    async fn an_interrupted_run_is_cleaned_up_once() {
        let (folder, service) = (
            tempfile::tempdir().unwrap(),
            Service::new(Options::default()),
        );
        interrupted(folder.path(), &service).await;
        for left in [2, 0] {
            let done = clean_up_by(target(), arm(&service), folder.path())
                .await
                .unwrap();
            assert_eq!(
                done,
                CleanedUp {
                    left,
                    leaks: Vec::new(),
                    unread: 0
                }
            );
        }
    }

    #[tokio::test]
    async fn a_retrieval_policy_is_put_back_though_the_run_was_killed_before_it_did() {
        let (folder, service) = (
            tempfile::tempdir().unwrap(),
            Service::new(Options::default()),
        );
        let policy = |strategy| json!({"Policy": {"Rules": [{"Strategy": strategy}]}});
        let set = |strategy| Action::SetDataRetrievalPolicy {
            body: JsonBody::Json(policy(strategy)),
        };
        {
            let journal = Journal::create(folder.path(), &run()).unwrap();
            let hand = hand(&service, journal);
            hand.ask(&set("None")).await.unwrap();
            hand.tell_journal(&Line::Intent(Resource::retrieval_policy(&policy("None"))));
            hand.ask(&set("FreeTier")).await.unwrap();
        }
        let done = clean_up_by(target(), arm(&service), folder.path())
            .await
            .unwrap();
        assert_eq!((done.left, done.leaks), (1, Vec::new()));
        let asked = hand(&service, Journal::discarding())
            .ask(&Action::GetDataRetrievalPolicy {})
            .await;
        assert_eq!(asked.unwrap().body.json(), Some(policy("None")));
    }

    #[tokio::test]
    async fn another_target_is_left_alone() {
        let (folder, service) = (
            tempfile::tempdir().unwrap(),
            Service::new(Options::default()),
        );
        interrupted(folder.path(), &service).await;
        let other = Target::new("http://127.0.0.1:10").unwrap();
        let error = clean_up_by(other, arm(&service), folder.path())
            .await
            .unwrap_err();
        assert!(matches!(error, CleanUpError::OtherTarget { .. }));
    }

    #[tokio::test]
    async fn a_clean_up_says_what_it_could_not_read_and_goes_by_the_rest() {
        fn cut_off(text: &str) -> String {
            text[..text.len() - 9].to_owned()
        }
        fn broken_in_the_middle(text: &str) -> String {
            let (header, rest) = text.split_once('\n').unwrap();
            format!("{header}\n{{\"made\n{rest}")
        }
        let service = Service::new(Options::default());
        let damage = [
            (cut_off as fn(&str) -> String, [(1, 1), (0, 0)]),
            (broken_in_the_middle, [(2, 1), (0, 1)]),
        ];
        for (damage, expected) in damage {
            let folder = tempfile::tempdir().unwrap();
            interrupted(folder.path(), &service).await;
            let path = folder.path().join(FILE);
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, damage(&text)).unwrap();
            for (left, unread) in expected {
                let done = clean_up_by(target(), arm(&service), folder.path())
                    .await
                    .unwrap();
                let leaks = Vec::new();
                assert_eq!(
                    done,
                    CleanedUp {
                        left,
                        leaks,
                        unread
                    }
                );
            }
        }
    }

    #[tokio::test]
    async fn a_run_that_is_still_at_work_is_not_cleaned_up() {
        let (folder, service) = (
            tempfile::tempdir().unwrap(),
            Service::new(Options::default()),
        );
        let journal = Journal::create(folder.path(), &run()).unwrap();
        let path = folder.path().join(FILE);
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        std::io::Write::write_all(&mut file, b"{\"made\"").unwrap();
        let before = file.metadata().unwrap().len();
        let error = clean_up_by(target(), arm(&service), folder.path())
            .await
            .unwrap_err();
        assert!(matches!(
            error,
            CleanUpError::Journal(JournalError::Busy { .. })
        ));
        assert_eq!(file.metadata().unwrap().len(), before);
        drop(journal);
    }
}
