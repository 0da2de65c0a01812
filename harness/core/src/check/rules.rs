//! Two tables and the checks that read them: what must be refused and how, and what must be accepted.
//! The families bring the rows; what the rows mean stands here once.

use serde_json::Value;

use super::shape::shorten;
use super::{Evidence, Judgements, Observation, Symptom};
use crate::model::{Expectation, Refusal};
use crate::requirement::Level;
use crate::scenario::{AccountForm, PathForm, Signing, Tweak};
use crate::spec::OperationName;
use crate::wire::{Framing, Reply};

/// A row: a request refused for one of `refusals` keeps `requirement` when its answer meets `demand`.
#[derive(Clone, Copy)]
pub struct RefusalRule {
    /// The requirement.
    pub requirement: &'static str,
    /// The operations it holds for; empty for all.
    pub operations: &'static [OperationName],
    /// The reasons it is about.
    pub refusals: &'static [Refusal],
    /// What the answer must be.
    pub demand: Demand,
}

/// What the answer to a request that must be refused has to be.
#[derive(Clone, Copy)]
pub enum Demand {
    /// Any 4xx.
    Refused,
    /// One of these statuses.
    Status(&'static [u16]),
    /// One of these pairs of status and error code.
    Answer(&'static [(u16, &'static str)]),
    /// One of these error codes, judged only on 4xx answers (that it is refused at all is another rule's business).
    CodeIfRefused(&'static [&'static str]),
}

/// The answer where what a request names is not there.
pub(super) const NOT_FOUND: Demand = Demand::Answer(&[(404, "ResourceNotFoundException")]);

/// The answer to a request that is wrong in itself, where no document fixes the code.
pub(super) const BAD_REQUEST: Demand = Demand::Status(&[400]);

/// A row: a request that must succeed, and for which `applies` says yes, keeps `requirement` when it does.
#[derive(Clone, Copy)]
pub struct AcceptanceRule {
    /// The requirement.
    pub requirement: &'static str,
    /// The operation.
    pub operation: OperationName,
    /// Whether this request is an example of it. General rules (`|_| true`) are judged only where no specific one applies.
    pub applies: Option<fn(&Observation) -> bool>,
}

/// A refusal row that stands only where the function says yes.
pub type RefusalCase = (fn(&Observation) -> bool, RefusalRule);

impl AcceptanceRule {
    /// A row that is judged where no specific one applies.
    pub const fn general(requirement: &'static str, operation: OperationName) -> Self {
        Self {
            requirement,
            operation,
            applies: None,
        }
    }

    /// A row for the requests that `applies` picks.
    pub const fn example(
        requirement: &'static str,
        operation: OperationName,
        applies: fn(&Observation) -> bool,
    ) -> Self {
        Self {
            requirement,
            operation,
            applies: Some(applies),
        }
    }
}

/// Judges one exchange by every refusal row that is about it.
pub fn judge_refusal(rules: &[RefusalRule], evidence: &Evidence<'_>, out: &mut Judgements) {
    judge_rows(rules, None, evidence, out);
}

/// Judges one exchange by the rows whose condition it meets.
pub fn judge_refusal_cases(cases: &[RefusalCase], evidence: &Evidence<'_>, out: &mut Judgements) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    let rules: Vec<_> = cases
        .iter()
        .filter(|(applies, _)| applies(now))
        .map(|(_, rule)| *rule)
        .collect();
    judge_refusal(&rules, evidence, out);
}

/// Judges one exchange by rows that state only a part of their requirement, graded as said here.
pub fn judge_refusal_graded(
    grade: Level,
    rules: &[RefusalRule],
    evidence: &Evidence<'_>,
    out: &mut Judgements,
) {
    judge_rows(rules, Some(grade), evidence, out);
}

fn judge_rows(
    rules: &[RefusalRule],
    grade: Option<Level>,
    evidence: &Evidence<'_>,
    out: &mut Judgements,
) {
    let Some(now) = evidence.exchange() else {
        return;
    };
    let [first, others @ ..] = now.expectation.refusals() else {
        return;
    };
    let refused = now.is_refused();
    if matches!(now.expectation, Expectation::Either(_))
        && (now.succeeded() || !others.is_empty() && !refused)
    {
        return;
    }
    for rule in rules.iter().filter(|rule| rule.is_about(now, *first)) {
        // Of several reasons a target may give any: only that it refuses can be demanded.
        if others.is_empty() || !refused || rule.demand.is_met_by(now) {
            rule.judge(now, *first, others.is_empty(), grade, out);
        }
    }
}

impl RefusalRule {
    /// Makes a row.
    pub const fn new(
        requirement: &'static str,
        operations: &'static [OperationName],
        refusals: &'static [Refusal],
        demand: Demand,
    ) -> Self {
        Self {
            requirement,
            operations,
            refusals,
            demand,
        }
    }

    fn is_about(&self, now: &Observation, refusal: Refusal) -> bool {
        self.refusals.contains(&refusal)
            && (self.operations.is_empty()
                || now
                    .operation
                    .is_some_and(|name| self.operations.contains(&name)))
    }

    fn judge(
        &self,
        now: &Observation,
        refusal: Refusal,
        only: bool,
        grade: Option<Level>,
        out: &mut Judgements,
    ) {
        let symptom = match &now.exchange().reply {
            Reply::Response(response) if (400..500).contains(&response.status) => {
                let code = now.error_code().unwrap_or_default();
                if self.demand.met(response.status, code) {
                    return out.held(self.requirement);
                }
                super::errors::common_fault(now).unwrap_or_else(|| refused_otherwise(refusal))
            }
            _ if matches!(self.demand, Demand::CodeIfRefused(_)) => return,
            // Over which of several reasons it failed nobody can say.
            Reply::Response(response) if response.status >= 500 && !only => crashed(now),
            _ => not_refused(now, refusal),
        };
        let expected = format!("{} because {}", self.demand.words(), refusal.phrase());
        match grade {
            Some(grade) => out.graded(self.requirement, grade, symptom, expected, answer(now)),
            None => out.violated(self.requirement, symptom, expected, answer(now)),
        }
    }
}

/// The symptom of a refusal that is not the documented one.
pub fn refused_otherwise(refusal: Refusal) -> Symptom {
    let title = format!(
        "answer to a request where {} is not the documented one",
        refusal.phrase()
    );
    Symptom::new("refused-otherwise", title).about(refusal.word())
}

/// The symptom of an answer that is no refusal although it must be one.
pub fn not_refused(now: &Observation, refusal: Refusal) -> Symptom {
    match now.status() {
        // 100 asks for the body: a refusal would have come before.
        Some(100..300) => Symptom::new(
            "accepted",
            format!("accepted although {}", refusal.phrase()),
        )
        .about(refusal.word()),
        Some(_) => Symptom::new(
            "crashed-refusing",
            format!(
                "server error instead of a refusal where {}",
                refusal.phrase()
            ),
        )
        .about(refusal.word()),
        None => Symptom::new(
            "no-answer",
            format!("no complete answer where {}", refusal.phrase()),
        )
        .about(refusal.word()),
    }
}

impl Demand {
    fn is_met_by(self, now: &Observation) -> bool {
        now.response()
            .is_some_and(|response| self.met(response.status, now.error_code().unwrap_or_default()))
    }

    fn met(self, status: u16, code: &str) -> bool {
        match self {
            Self::Refused => true,
            Self::Status(statuses) => statuses.contains(&status),
            Self::Answer(pairs) => pairs.contains(&(status, code)),
            Self::CodeIfRefused(codes) => codes.contains(&code),
        }
    }

    fn words(self) -> String {
        match self {
            Self::Refused => "a 4xx refusal".to_owned(),
            Self::Status(statuses) => statuses
                .iter()
                .map(u16::to_string)
                .collect::<Vec<_>>()
                .join(" or "),
            Self::Answer(pairs) => pairs
                .iter()
                .map(|(status, code)| format!("{status} {code}"))
                .collect::<Vec<_>>()
                .join(" or "),
            Self::CodeIfRefused(codes) => format!("code {}", codes.join(" or ")),
        }
    }
}

/// Whether a deviation of an earlier exchange, judged by a rule of its own, accounts for this refusal.
fn explained(evidence: &Evidence<'_>) -> bool {
    let Evidence::Exchange { now, earlier, .. } = evidence else {
        return false;
    };
    super::vaults::is_lost_by_reset(now, earlier)
        || super::completion::is_lost_by_failure(now, earlier)
}

/// Judges one exchange by the acceptance rows of its operation: specific ones first, the general one where none applies.
pub fn judge_acceptance(rules: &[AcceptanceRule], evidence: &Evidence<'_>, out: &mut Judgements) {
    let Evidence::Exchange {
        now,
        definition: Some(definition),
        ..
    } = evidence
    else {
        return;
    };
    if now.expectation != Expectation::Accept {
        return;
    }
    let of_this = || {
        rules
            .iter()
            .filter(|rule| now.operation == Some(rule.operation))
    };
    let specific: Vec<_> = of_this()
        .filter(|rule| rule.applies.is_some_and(|applies| applies(now)))
        .collect();
    // What a twist of the request does is for the rule about that twist: a plain request may still be accepted.
    let general =
        || of_this().filter(|rule| rule.applies.is_none() && !is_twisted(&now.record.tweak));
    let kept = now.status() == Some(definition.success_status)
        || (now.succeeded() && accepts_any_success(now));
    if !kept && explained(evidence) {
        return;
    }
    if !kept && is_disguised(&now.record.tweak) {
        return;
    }
    let about: Vec<_> = if specific.is_empty() || now.succeeded() {
        specific.into_iter().chain(general()).collect()
    } else {
        specific
    };
    for rule in about {
        let expected = format!("{} for a valid request", definition.success_status);
        out.judge(
            rule.requirement,
            kept,
            || not_accepted(now),
            expected,
            || answer(now),
        );
    }
}

/// Get Job Output answers 200 or 206, Describe Job 200 or (the guide's syntax block) 201; families judge which.
fn accepts_any_success(now: &Observation) -> bool {
    matches!(
        now.operation,
        Some(OperationName::GetJobOutput | OperationName::DescribeJob)
    )
}

/// Whether a request is written in a way that has a rule of its own.
fn is_twisted(tweak: &Tweak) -> bool {
    is_disguised(tweak) || tweak.query.values().any(Option::is_some)
}

/// Whether a request that means the same as another is written otherwise.
pub(super) fn is_disguised(tweak: &Tweak) -> bool {
    tweak.framing == Framing::UpperCaseNames
        || tweak.account != AccountForm::Hyphen
        || matches!(
            tweak.path,
            Some(PathForm::Encoded | PathForm::TrailingSlash)
        )
        || tweak.signing != Signing::Right
}

/// Whether a request is written in a way that some rule is about that is none of its operation's own.
pub(super) fn is_odd(tweak: &Tweak) -> bool {
    let media_type = |name: &String| name.eq_ignore_ascii_case("content-type");
    is_twisted(tweak) || tweak.headers.keys().any(media_type)
}

/// The symptom of an answer that is no success although it must be one.
pub fn not_accepted(now: &Observation) -> Symptom {
    if let Some(common) = super::errors::capability_fault(now) {
        return common;
    }
    if now.record.tweak.path == Some(PathForm::Location) && now.status() == Some(404) {
        return location_dead();
    }
    let name = now
        .operation
        .map_or_else(String::new, |name| name.to_string());
    match now.status() {
        Some(status @ 200..300) => Symptom::new(
            "success-status",
            format!("{name} succeeds with status {status}"),
        )
        .about(name),
        Some(400..500) => Symptom::new(
            "refused-valid",
            format!("a valid {name} request is refused"),
        )
        .about(name),
        Some(_) => {
            Symptom::new("crashed", format!("server error on a valid {name} request")).about(name)
        }
        None => Symptom::new(
            "no-answer-valid",
            format!("no complete answer to a valid {name} request"),
        )
        .about(name),
    }
}

/// The symptom of a failure of the server.
pub(super) fn crashed(now: &Observation) -> Symptom {
    let name = now.operation.map_or("", OperationName::as_str);
    Symptom::new("crashed", format!("{name} fails in the server")).about(name)
}

/// The symptom of a Location under which there is nothing.
pub fn location_dead() -> Symptom {
    Symptom::new(
        "location-dead",
        "the Location of what was made does not lead to it",
    )
}

/// How it is told that no whole answer came.
pub const NO_ANSWER: &str = "no complete response";

/// The answer in a few words: status, error code and message, or what kept it from coming.
pub fn answer(now: &Observation) -> String {
    let response = match &now.exchange().reply {
        Reply::Fault(fault) => return format!("{NO_ANSWER}: {}", fault.detail),
        Reply::Response(response) => response,
    };
    let told = now.member("/message").and_then(Value::as_str);
    let told = told.map(|message| format!(": {}", shorten(message)));
    let told = told.unwrap_or_default();
    match now.error_code() {
        Some(code) => format!("{} {code}{told}", response.status),
        None => format!("{}{told}", response.status),
    }
}
