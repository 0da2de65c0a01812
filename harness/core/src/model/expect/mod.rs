//! What the documents allow as the next answer, area by area.

mod account;
mod archives;
mod disputed;
mod jobs;
mod resources;
mod uploads;
mod vaults;

use serde_json::Value;

pub(super) use archives::described;
pub use disputed::is_disputed;

use super::policy::{Asked, Denial};
use super::{Expectation, Life, LockState, Model, Refusal, Vault};
use crate::amz_date::Timestamp;
use crate::range::{is_all_digits, whole_number};
use crate::scenario::{
    AccountForm, Action, JsonBody, Marker, Ref, Signing, Tweak, is_legal_vault_name,
};
use crate::wire::Framing;

/// A day, after which a lock that was not completed, or an idle upload, is gone.
pub(super) const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// Reasons gathered for one request, in the order a server meets them.
#[derive(Default)]
pub(super) struct Reasons {
    must: Vec<Refusal>,
    may: Vec<Refusal>,
    silent: bool,
    blocked: Option<String>,
}

impl Reasons {
    /// It must be refused for this.
    pub(super) fn must(&mut self, refusal: Refusal) {
        if !self.must.contains(&refusal) {
            self.must.push(refusal);
        }
    }

    /// It must be refused for this, if `when`.
    pub(super) fn must_when(&mut self, when: bool, refusal: Refusal) {
        if when {
            self.must(refusal);
        }
    }

    /// It may be refused for this.
    pub(super) fn may(&mut self, refusal: Refusal) {
        if !self.may.contains(&refusal) {
            self.may.push(refusal);
        }
    }

    /// It must be refused because what it names was never made. Of a literal nobody knows what it is shaped like, nor so how it is refused.
    pub(super) fn must_name_something(&mut self, named: &Ref, refusal: Refusal) {
        match named {
            Ref::Literal(_) => self.silent(),
            Ref::Handle(_) | Ref::UnknownLike(_) => self.must(refusal),
        }
    }

    /// It may be refused because what it names was never made.
    pub(super) fn may_name_nothing(&mut self, named: &Ref, refusal: Refusal) {
        match named {
            Ref::Literal(_) => self.silent(),
            Ref::Handle(_) | Ref::UnknownLike(_) => self.may(refusal),
        }
    }

    /// The documents are silent.
    pub(super) fn silent(&mut self) {
        self.silent = true;
    }

    /// Nothing can be said.
    pub(super) fn block(&mut self, why: impl Into<String>) {
        self.blocked.get_or_insert_with(|| why.into());
    }

    /// A vault that does not exist holds nothing: that what a request names is not in it is no second reason.
    fn drop_what_follows_from_no_vault(&mut self) {
        use Refusal as R;
        const IN_VAULTS: [Refusal; 10] = [
            R::ArchiveUnknown,
            R::ArchiveForeign,
            R::ArchiveDeleted,
            R::UploadUnknown,
            R::UploadForeign,
            R::UploadAborted,
            R::UploadCompleted,
            R::JobUnknown,
            R::JobForeign,
            R::InventoryAbsent,
        ];
        if self.must.contains(&Refusal::VaultUnknown) {
            self.must.retain(|refusal| !IN_VAULTS.contains(refusal));
            self.may.retain(|refusal| !IN_VAULTS.contains(refusal));
        }
    }

    fn conclude(self) -> Expectation {
        match self {
            Self {
                blocked: Some(why), ..
            } => Expectation::Blocked(why),
            Self { must, may, .. } if !must.is_empty() => {
                Expectation::Refuse(must.into_iter().chain(may).collect())
            }
            Self { silent: true, .. } => Expectation::Silent,
            Self { may, .. } if !may.is_empty() => Expectation::Either(may),
            _ => Expectation::Accept,
        }
    }
}

impl Model {
    /// What the documents allow as the answer to `action`, sent now.
    pub fn expect(&self, action: &Action, tweak: &Tweak, now: Timestamp) -> Expectation {
        if unknowable(tweak) || self.is_elsewhere(tweak) || action.operation().is_none() {
            return Expectation::Silent;
        }
        let mut reasons = Reasons::default();
        self.before_any_operation(tweak, &mut reasons);
        if let Some(vault) = action.vault() {
            self.vault_is_there(action, vault, &mut reasons);
            self.policies_allow(action, vault, now, &mut reasons);
        }
        if is_disputed(action) {
            reasons.silent();
            return reasons.conclude();
        }
        self.of_operation(action, tweak, now, &mut reasons);
        reasons.drop_what_follows_from_no_vault();
        if tweak.body.is_some() {
            reasons.silent();
        }
        reasons.conclude()
    }

    /// Version, authentication and account come before everything else.
    fn before_any_operation(&self, tweak: &Tweak, reasons: &mut Reasons) {
        match header(tweak, "x-amz-glacier-version") {
            Given::Removed => reasons.must(Refusal::VersionMissing),
            Given::Set(version) if version != "2012-06-01" => reasons.may(Refusal::VersionUnknown),
            _ => {}
        }
        if self.enforces_signatures {
            reasons.must.extend(signature_refusal(tweak.signing));
        } else if tweak.signing != Signing::Right
            && !matches!(tweak.signing, Signing::WrongDate | Signing::DateOnly)
        {
            reasons.silent();
        }
        match tweak.account {
            AccountForm::Foreign if self.enforces_signatures => {
                reasons.must(Refusal::AccountForeign);
            }
            AccountForm::Foreign => reasons.silent(),
            AccountForm::Hyphenated => reasons.may(Refusal::AccountMalformed),
            AccountForm::Hyphen | AccountForm::Numeric => {}
        }
    }

    /// The vault an action goes through must exist, and be known to.
    fn vault_is_there(&self, action: &Action, vault: &Ref, reasons: &mut Reasons) {
        if matches!(
            action,
            Action::CreateVault { .. } | Action::DeleteVault { .. }
        ) {
            return;
        }
        match self.vault(vault).map(|vault| vault.life) {
            None | Some(Life::Gone) => self.vault_is_unknown(vault, Reasons::must, reasons),
            Some(Life::Doubtful) => reasons.block("the vault is in doubt"),
            Some(Life::Live) => {}
        }
    }

    /// What speaks against a vault that does not exist. A name that none can have may be refused as such (AMB-09).
    fn vault_is_unknown(
        &self,
        vault: &Ref,
        firmly: fn(&mut Reasons, Refusal),
        reasons: &mut Reasons,
    ) {
        firmly(reasons, Refusal::VaultUnknown);
        let name = match (self.vault(vault), vault) {
            (Some(known), _) => Some(known.name.as_str()),
            (None, Ref::Literal(text)) if !text.contains("${") => Some(text.as_str()),
            _ => None,
        };
        if name.is_some_and(|name| !is_legal_vault_name(name)) {
            firmly(reasons, Refusal::VaultNameInvalid);
        }
    }

    /// What the policies of a vault deny (AMB-55). Whether they bind whoever manages them depends on who that is.
    fn policies_allow(&self, action: &Action, vault: &Ref, now: Timestamp, reasons: &mut Reasons) {
        let Some((operation, handle)) = action.operation().zip(self.home(vault)) else {
            return;
        };
        let vault = &self.vaults[handle];
        let asked = Asked {
            action: &format!("glacier:{operation}"),
            handle,
            vault,
            account: self.account.as_deref(),
            days: self.archive_age(action, now),
        };
        match asked.denied_at(now) {
            _ if vault.life == Life::Gone => {}
            Denial::No => {}
            Denial::Yes if !manages_policies(action) => reasons.may(Refusal::DeniedByPolicy),
            Denial::Yes | Denial::Perhaps => {
                // Where something else speaks against it, this may be what it is refused for.
                reasons.silent();
                reasons.may(Refusal::DeniedByPolicy);
            }
        }
    }

    /// How old the archive is that a deletion names, in days.
    fn archive_age(&self, action: &Action, now: Timestamp) -> Option<f64> {
        let Action::DeleteArchive { vault, archive } = action else {
            return None;
        };
        let (_, known) = self.archive(vault, self.handle_of::<super::Archive>(archive)?)?;
        Some((now.0 - known.created.0.0) as f64 / DAY_MILLIS as f64)
    }

    /// Whether a request goes to another region, of which nothing is remembered here.
    pub(super) fn is_elsewhere(&self, tweak: &Tweak) -> bool {
        tweak.region.is_some() && tweak.region != self.region
    }

    fn of_operation(&self, action: &Action, tweak: &Tweak, now: Timestamp, reasons: &mut Reasons) {
        match action {
            Action::CreateVault { .. }
            | Action::DescribeVault { .. }
            | Action::DeleteVault { .. }
            | Action::ListVaults { .. } => {
                self.expect_vaults(action, tweak, reasons);
            }
            Action::UploadArchive { .. } | Action::DeleteArchive { .. } => {
                self.expect_archives(action, tweak, reasons);
            }
            Action::InitiateMultipartUpload { .. }
            | Action::UploadMultipartPart { .. }
            | Action::CompleteMultipartUpload { .. }
            | Action::AbortMultipartUpload { .. }
            | Action::ListParts { .. }
            | Action::ListMultipartUploads { .. } => {
                self.expect_uploads(action, tweak, now, reasons)
            }
            Action::InitiateJob { .. }
            | Action::DescribeJob { .. }
            | Action::ListJobs { .. }
            | Action::GetJobOutput { .. } => {
                self.expect_jobs(action, tweak, now, reasons);
            }
            Action::SetDataRetrievalPolicy { .. }
            | Action::GetDataRetrievalPolicy {}
            | Action::ListProvisionedCapacity {}
            | Action::PurchaseProvisionedCapacity { .. } => {
                self.expect_account(action, now, reasons);
            }
            _ => self.expect_resources(action, tweak, now, reasons),
        }
    }
}

impl Vault {
    /// The lock that counts now: one that was not completed within 24 hours is gone.
    pub fn lock_at(&self, now: Timestamp) -> Option<&super::Lock> {
        let expired = |lock: &&super::Lock| {
            lock.state == LockState::InProgress && now.0 - lock.created.1.0 > DAY_MILLIS
        };
        self.lock.as_ref().filter(|lock| !expired(lock))
    }
}

/// Operations that read or change the policies of a vault.
fn manages_policies(action: &Action) -> bool {
    matches!(
        action,
        Action::SetVaultAccessPolicy { .. }
            | Action::GetVaultAccessPolicy { .. }
            | Action::DeleteVaultAccessPolicy { .. }
            | Action::InitiateVaultLock { .. }
            | Action::GetVaultLock { .. }
            | Action::AbortVaultLock { .. }
            | Action::CompleteVaultLock { .. }
    )
}

/// Requests whose answer nobody can foretell from documents.
fn unknowable(tweak: &Tweak) -> bool {
    tweak.method.is_some()
        || matches!(tweak.framing, Framing::Half | Framing::Garbled(_))
        || tweak.path == Some(crate::scenario::PathForm::TrailingSlash)
}

fn signature_refusal(signing: Signing) -> Option<Refusal> {
    match signing {
        Signing::Right | Signing::WrongDate | Signing::DateOnly => None,
        Signing::Absent => Some(Refusal::AuthenticationMissing),
        Signing::Flipped | Signing::WrongService => Some(Refusal::SignatureInvalid),
        Signing::UnknownKey => Some(Refusal::KeyUnknown),
        Signing::Skewed(seconds) => {
            (seconds.unsigned_abs() > 300).then_some(Refusal::SignatureExpired)
        }
        Signing::ExpiredToken => Some(Refusal::TokenExpired),
    }
}

/// What a tweak does to a header or query parameter.
pub(super) enum Given<'a> {
    /// Nothing: what the action implies is sent.
    AsImplied,
    /// It is not sent.
    Removed,
    /// This is sent.
    Set(&'a str),
}

/// What a tweak does to a header.
pub(super) fn header<'a>(tweak: &'a Tweak, name: &str) -> Given<'a> {
    given(
        tweak
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value),
    )
}

/// What a tweak does to a query parameter.
pub(super) fn query<'a>(tweak: &'a Tweak, name: &str) -> Given<'a> {
    given(tweak.query.get(name))
}

fn given(value: Option<&Option<String>>) -> Given<'_> {
    match value {
        None => Given::AsImplied,
        Some(None) => Given::Removed,
        Some(Some(text)) => Given::Set(text),
    }
}

/// What a text is that should be a whole number.
pub(super) enum Number {
    /// Digits: the number, if it fits.
    Whole(Option<u64>),
    /// Digits after a plus sign, which one parser reads and another refuses.
    Plus,
    /// Digits after a minus sign.
    Minus,
    /// Anything else.
    Not,
}

impl Number {
    /// Reads a text that should be a whole number.
    pub(super) fn read(text: &str) -> Self {
        match text.split_at_checked(1) {
            _ if is_all_digits(text) => Self::Whole(whole_number(text)),
            Some(("+", digits)) if is_all_digits(digits) => Self::Plus,
            Some(("-", digits)) if is_all_digits(digits) => Self::Minus,
            _ => Self::Not,
        }
    }
}

/// Paging parameters of a list with this largest page.
pub(super) fn expect_page(
    page: &crate::scenario::Page,
    tweak: &Tweak,
    max: u64,
    reasons: &mut Reasons,
) {
    let limit = match query(tweak, "limit") {
        Given::AsImplied => page.limit.as_deref(),
        Given::Removed => None,
        Given::Set(text) => Some(text),
    };
    match limit.map(Number::read) {
        Some(Number::Not | Number::Minus | Number::Whole(Some(0))) => {
            reasons.must(Refusal::LimitInvalid);
        }
        Some(Number::Plus) => reasons.silent(),
        Some(Number::Whole(limit)) if limit.is_none_or(|limit| limit > max) => {
            reasons.may(Refusal::LimitTooLarge);
        }
        Some(Number::Whole(_)) | None => {}
    }
    let marker = match (query(tweak, "marker"), &page.marker) {
        (Given::Set(text), _) => Some(text),
        (Given::AsImplied, Some(Marker::Literal(text))) => Some(text.as_str()),
        (Given::AsImplied, Some(Marker::Previous)) => Some("previous"),
        (Given::AsImplied, None) | (Given::Removed, _) => None,
    };
    // A marker is whatever a target gave for this very list; that of another, or of an item that is gone, it may refuse.
    if marker.is_some_and(|marker| !marker.is_empty()) {
        reasons.may(Refusal::MarkerInvalid);
    }
}

/// The document of a JSON body, or the reason why there is none.
pub(super) fn document(body: &JsonBody, missing: Refusal) -> Result<Value, Refusal> {
    match body {
        JsonBody::Absent => Err(missing),
        JsonBody::Text(text) if text.trim().is_empty() => Err(missing),
        body => match body.document() {
            None => Err(Refusal::JsonMalformed),
            Some(value) if !value.is_object() => Err(Refusal::MemberOfWrongType),
            Some(value) => Ok(value),
        },
    }
}

/// A member that is there and not null.
pub(super) fn member<'a>(document: &'a Value, name: &str) -> Option<&'a Value> {
    document.get(name).filter(|value| !value.is_null())
}

/// A member that must be a string, if it is there.
pub(super) fn text<'a>(document: &'a Value, name: &str, reasons: &mut Reasons) -> Option<&'a str> {
    let value = member(document, name)?;
    reasons.must_when(!value.is_string(), Refusal::MemberOfWrongType);
    value.as_str()
}

/// Up to 1,024 characters of 0x20-0x7E, without the white space around a header's value that no server sees (RFC 9110, 5.5).
pub(super) fn expect_description(description: Option<&str>, reasons: &mut Reasons) {
    let text = description.unwrap_or_default().trim_matches([' ', '\t']);
    reasons.must_when(text.chars().count() > 1024, Refusal::DescriptionTooLong);
    reasons.must_when(
        !text.chars().all(|c| (' '..='~').contains(&c)),
        Refusal::DescriptionIllegal,
    );
}
