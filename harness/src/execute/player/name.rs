//! Names of vaults: under our prefix, or, where they are too short for one, only such as nobody has.

use crevasse_core::scenario::{Action, Naming, Ref, Tweak, is_legal_vault_name};
use crevasse_core::treehash::sha256;

use super::Player;
use crate::execute::symbols::Obstacle;

/// One-character names, in the order they are tried. A lone dot is a path segment of its own kind and left out.
const SINGLE: &str = "qzjxkvwyfbghmpcudlnrtosiaeQZJXKVWYFBGHMPCUDLNRTOSIAE9876543210_-";
/// Names of a few characters that are tried before giving up.
const TRIES: u32 = 16;

impl Player<'_> {
    /// Binds the handle of a vault that is about to be made to its name; one that has a name keeps it.
    pub(super) async fn name(
        &mut self,
        vault: &Ref,
        naming: Option<&Naming>,
    ) -> Result<(), Obstacle> {
        let Some(handle) = vault.handle() else {
            return Ok(());
        };
        if self.symbols.bound("vault", handle).is_some() {
            return Ok(());
        }
        let stem = self.symbols.stem();
        let name = match naming {
            None => format!("{stem}{handle}"),
            Some(Naming::Suffix(suffix)) => format!("{stem}{suffix}"),
            Some(Naming::Lead(lead)) => format!("{lead}{stem}{handle}"),
            Some(Naming::Length(length)) if *length > stem.len() + handle.len() => {
                // By hand: the formatter pads to 65,535 characters at most.
                format!(
                    "{stem}{handle}{}",
                    "x".repeat(length - stem.len() - handle.len())
                )
            }
            Some(Naming::Length(length)) => self.free_name(*length).await?,
            Some(Naming::Raw(name)) if is_legal_vault_name(name) => {
                return Err(format!("the name `{name}` is legal and may be somebody's"));
            }
            Some(Naming::Raw(name)) => name.clone(),
        };
        self.symbols.bind("vault", handle, &name, None);
        Ok(())
    }

    /// A name too short for our prefix that no vault of the account has.
    async fn free_name(&mut self, length: usize) -> Result<String, Obstacle> {
        for name in candidates(self.symbols.stem(), length) {
            if self.session.claim(&name) {
                let free = self.is_free(&name).await;
                if free == Ok(true) {
                    self.claimed.push(name.clone());
                    return Ok(name);
                }
                self.session.unclaim(&name);
                free?;
            }
        }
        Err(format!(
            "every name of {length} characters that was tried is taken"
        ))
    }

    /// Lets other cases take the names whose vaults this one left no trace of. The others come back when their vaults are removed.
    pub(super) fn give_names_back(&self) {
        let is_left = |name: &&String| self.made.iter().any(|resource| resource.vault == **name);
        for name in self.claimed.iter().filter(|name| !is_left(name)) {
            self.session.unclaim(name);
        }
    }

    async fn is_free(&mut self, name: &str) -> Result<bool, Obstacle> {
        let describe = Action::DescribeVault {
            vault: Ref::Literal(name.to_owned()),
        };
        let request = self
            .session
            .compose(&describe, &Tweak::default(), &mut self.symbols)?;
        let exchange = self.session.exchange(&request).await?;
        match exchange.reply.response().map(|response| response.status) {
            Some(404) => Ok(true),
            Some(200..300) => Ok(false),
            _ => Err(format!(
                "the target does not say whether a vault `{name}` exists"
            )),
        }
    }
}

fn candidates(stem: &str, length: usize) -> Vec<String> {
    if length == 1 {
        return SINGLE.chars().map(String::from).collect();
    }
    let candidate = |number: u32| {
        sha256(format!("{stem}{number}").as_bytes())
            .to_string()
            .repeat(4)
    };
    (0..TRIES)
        .map(|number| candidate(number)[..length.min(255)].to_owned())
        .collect()
}
