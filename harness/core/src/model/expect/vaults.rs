//! Vaults: names, existence, and when one may be deleted.

use super::{Reasons, expect_page};
use crate::amz_date::Timestamp;
use crate::model::{Life, Model, Refusal, Vault};
use crate::scenario::{Action, Naming, Ref, Tweak};

impl Model {
    pub(super) fn expect_vaults(
        &self,
        action: &Action,
        tweak: &Tweak,
        now: Timestamp,
        reasons: &mut Reasons,
    ) {
        match action {
            Action::CreateVault { vault, name } => {
                reasons.must_when(!legal(vault, name.as_ref()), Refusal::VaultNameInvalid);
            }
            Action::DeleteVault { vault } => self.expect_deletion(vault, now, reasons),
            Action::ListVaults { page } => expect_page(page, tweak, 10, reasons),
            _ => {}
        }
    }

    fn expect_deletion(&self, vault: &Ref, now: Timestamp, reasons: &mut Reasons) {
        match self.vault(vault) {
            None
            | Some(Vault {
                life: Life::Gone, ..
            }) => reasons.may(Refusal::VaultUnknown),
            Some(Vault {
                life: Life::Doubtful,
                ..
            }) => reasons.block("the vault is in doubt"),
            Some(known)
                if known
                    .archives
                    .values()
                    .any(|archive| archive.life == Life::Live) =>
            {
                reasons.must(Refusal::VaultNotEmpty)
            }
            Some(known)
                if known
                    .archives
                    .values()
                    .any(|archive| archive.life == Life::Doubtful) =>
            {
                reasons.silent()
            }
            Some(known) if known.denies("glacier:DeleteVault", None, now) => {
                reasons.may(Refusal::DeniedByPolicy)
            }
            Some(known) if known.changed_at.is_some() => reasons.may(Refusal::VaultRecentlyWritten),
            Some(known)
                if known
                    .uploads
                    .values()
                    .any(|upload| upload.life != Life::Gone) =>
            {
                reasons.silent()
            }
            Some(_) => {}
        }
    }
}

/// 1 to 255 characters of a-z A-Z 0-9 _ - . (api-vault-put). `.` and `..` are eaten on the way by URI normalisation.
pub(super) fn legal(vault: &Ref, name: Option<&Naming>) -> bool {
    let named = |text: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        (1..=255).contains(&text.chars().count()) && text.chars().all(allowed)
    };
    match (vault, name) {
        (Ref::Literal(text), None) | (_, Some(Naming::Raw(text))) => named(text),
        (_, Some(Naming::Length(length))) => (1..=255).contains(length),
        (_, Some(Naming::Suffix(text))) => named(text),
        (Ref::Handle(_) | Ref::UnknownLike(_), None) => true,
    }
}
