//! Vaults: names, existence, and when one may be deleted.

use super::{Reasons, expect_page};
use crate::model::{Life, Model, Refusal, Vault};
use crate::scenario::{Action, Naming, Ref, Tweak, is_legal_vault_name};

impl Model {
    pub(super) fn expect_vaults(&self, action: &Action, tweak: &Tweak, reasons: &mut Reasons) {
        match action {
            Action::CreateVault { vault, name } => {
                reasons.must_when(!legal(vault, name.as_ref()), Refusal::VaultNameInvalid);
                // URIs drop these segments before any service sees them (RFC 3986, 5.2.4).
                let raw = raw_name(vault, name.as_ref());
                if matches!(raw, Some("." | "..")) {
                    reasons.silent();
                }
            }
            Action::DeleteVault { vault } => self.expect_deletion(vault, reasons),
            Action::ListVaults { page } => expect_page(page, tweak, 10, reasons),
            _ => {}
        }
    }

    fn expect_deletion(&self, vault: &Ref, reasons: &mut Reasons) {
        match self.vault(vault) {
            None
            | Some(Vault {
                life: Life::Gone, ..
            }) => self.vault_is_unknown(vault, Reasons::may, reasons),
            Some(Vault {
                life: Life::Doubtful,
                ..
            }) => reasons.block("the vault is in doubt"),
            Some(known) => known.expect_empty(reasons),
        }
    }
}

impl Vault {
    /// What speaks against deleting it: archives, and until the next inventory that it held some (DV-NONEMPTY-003). What an open upload does no page says.
    fn expect_empty(&self, reasons: &mut Reasons) {
        let holds = |life| self.archives.values().any(|archive| archive.life == life);
        let mut uploads = self.uploads.values();
        let may_be_open = uploads.any(|upload| upload.life != Life::Gone);
        if holds(Life::Live) {
            return reasons.must(Refusal::VaultNotEmpty);
        }
        if holds(Life::Doubtful) || may_be_open {
            reasons.silent();
        }
        if self.changed_at.is_some() {
            reasons.may(Refusal::VaultRecentlyWritten);
        }
    }
}

/// The name of a vault, when the action says it in full.
fn raw_name<'a>(vault: &'a Ref, name: Option<&'a Naming>) -> Option<&'a str> {
    match (vault, name) {
        (_, Some(Naming::Raw(text))) => Some(text),
        (Ref::Literal(text), None) if !text.contains("${") => Some(text),
        _ => None,
    }
}

fn legal(vault: &Ref, name: Option<&Naming>) -> bool {
    match (name, raw_name(vault, name)) {
        (_, Some(raw)) => is_legal_vault_name(raw),
        (Some(Naming::Length(length)), None) => (1..=255).contains(length),
        (Some(Naming::Suffix(text) | Naming::Lead(text)), None) => {
            text.is_empty() || is_legal_vault_name(text)
        }
        (Some(Naming::Raw(_)) | None, None) => true,
    }
}
