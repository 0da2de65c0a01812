//! Deviations by cause, once it is known how they came again: what fails now and then fails for one reason, whatever was asked.

use crevasse_core::check::Cause;
use crevasse_core::finding::{Deviation, weightiest_first};

use crate::found::Found;

/// Symptoms of an answer that failed, whatever it was to say.
const FAILED: [&str; 5] = [
    "crashed",
    "crashed-over",
    "crashed-refusing",
    "no-answer",
    "no-answer-valid",
];

/// The deviations that count, by cause.
pub(super) fn by_cause(found: &Found, counts: impl Fn(&Deviation) -> bool) -> Vec<Vec<&Deviation>> {
    let now_and_then = |deviation: &&Deviation| {
        let again = found.reproductions.get(&deviation.fingerprint);
        FAILED.contains(&&*deviation.symptom.id)
            && again.is_some_and(|again| again.times.is_now_and_then())
    };
    let (mut causes, mut failures) = (Vec::new(), Vec::new());
    for cause in found.ledger.causes() {
        let counting = cause.into_iter().filter(|deviation| counts(deviation));
        let (failed, others): (Vec<_>, Vec<_>) = counting.partition(now_and_then);
        causes.push(others);
        failures.extend(failed);
    }
    causes.push(failures);
    causes.retain(|cause| !cause.is_empty());
    weightiest_first(causes)
}

/// What the deviations of a cause share.
pub(super) fn shared(deviations: &[&Deviation]) -> Cause {
    let lead = deviations[0].cause();
    if deviations.iter().all(|it| it.cause().key == lead.key) {
        return lead;
    }
    Cause {
        key: "fails-now-and-then".to_owned(),
        title: "requests of several kinds fail now and then".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Sight};
    use crate::report::sample::broken;
    use crevasse_core::check::Symptom;
    use crevasse_core::requirement::Level;
    use crevasse_core::scenario::Scenario;
    use crevasse_core::spec::OperationName;

    /// Server errors on valid requests for these operations, each seen again thrice in so many tries.
    fn crashes(operations: &[(OperationName, u32)]) -> Found {
        let mut found = Found::default();
        for (operation, tried) in operations {
            let symptom = Symptom::new("crashed", "it crashes").about(operation.to_string());
            let judgement = broken(*operation, symptom);
            found.ledger.enter("a", &judgement, |_| Level::Must);
            let scenario = "id: a\ntitle: t\nsteps:\n- DescribeVault: {vault: v}\n";
            found.follow(&Event::Reproduced {
                fingerprint: judgement.fingerprint().unwrap(),
                seen: 3,
                tried: *tried,
                sight: Some(Box::new(Sight {
                    scenario: Scenario::parse(scenario).unwrap(),
                    records: Vec::new(),
                    expected: "200".to_owned(),
                    actual: "500".to_owned(),
                })),
            });
        }
        found
    }

    fn keys(operations: &[(OperationName, u32)]) -> Vec<String> {
        let found = crashes(operations);
        let causes = by_cause(&found, |_| true);
        causes.iter().map(|cause| shared(cause).key).collect()
    }

    #[test]
    fn what_fails_now_and_then_is_one_cause_and_what_always_fails_another() {
        use OperationName::{DeleteVault, DescribeVault, ListVaults};
        let told = keys(&[(DeleteVault, 9), (DescribeVault, 17), (ListVaults, 3)]);
        assert_eq!(told, ["fails-now-and-then", "crashed/ListVaults"]);
        assert_eq!(keys(&[(DeleteVault, 9)]), ["crashed/DeleteVault"]);
    }
}
