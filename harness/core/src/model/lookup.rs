//! Finding what a request names: by handle, or by the characters that went over the wire.

use indexmap::IndexMap;

use super::{Archive, Job, Model, Upload, Vault};
use crate::scenario::Ref;

/// What is kept in vaults under ids of its own.
pub(super) trait Kept: Sized + 'static {
    /// How placeholders call it, as in `${archive:a}`.
    const KIND: &'static str;
    /// Its id on the wire.
    fn id(&self) -> &str;
    /// All of its kind in a vault.
    fn of(vault: &Vault) -> &IndexMap<String, Self>;
}

macro_rules! kept {
    ($($kind:ident $word:literal $member:ident;)*) => {
        $(impl Kept for $kind {
            const KIND: &'static str = $word;

            fn id(&self) -> &str {
                &self.id
            }

            fn of(vault: &Vault) -> &IndexMap<String, Self> {
                &vault.$member
            }
        })*
    };
}

kept! {
    Archive "archive" archives;
    Upload "upload" uploads;
    Job "job" jobs;
}

impl Model {
    /// The vault a reference names, existing or not.
    pub fn vault(&self, vault: &Ref) -> Option<&Vault> {
        self.vaults.get(self.home(vault)?)
    }

    /// An archive by its handle, and the handle of the vault it is in; `through` is looked at first.
    pub fn archive(&self, through: &Ref, archive: &str) -> Option<(&str, &Archive)> {
        self.find(through, archive)
    }

    /// A multipart upload by its handle, and the handle of its vault.
    pub fn upload(&self, through: &Ref, upload: &str) -> Option<(&str, &Upload)> {
        self.find(through, upload)
    }

    /// A job by its handle, and the handle of its vault.
    pub fn job(&self, through: &Ref, job: &str) -> Option<(&str, &Job)> {
        self.find(through, job)
    }

    /// What an id in a JSON document refers to: `${archive:h}` a handle, `${archive:?h}` an id never issued, anything else an id as it stands.
    pub fn archive_ref(text: &str) -> Ref {
        placeholder(text, "archive").unwrap_or_else(|| Ref::Literal(text.to_owned()))
    }

    /// The archive that an id in a JSON document refers to: its handle, that of the vault it is in, and itself.
    pub fn archive_called(&self, through: &Ref, text: &str) -> Option<(String, &str, &Archive)> {
        let named = Self::archive_ref(text);
        let handle = self.handle_of::<Archive>(&named)?;
        let (home, archive) = self.archive(through, handle)?;
        Some((handle.to_owned(), home, archive))
    }

    /// The handle of the vault that a reference names, by handle or by name.
    pub(super) fn home(&self, vault: &Ref) -> Option<&str> {
        let known = |handle: &str| {
            self.vaults
                .get_key_value(handle)
                .map(|(known, _)| known.as_str())
        };
        match vault {
            Ref::Handle(handle) => known(handle),
            Ref::UnknownLike(_) => None,
            Ref::Literal(text) => match placeholder(text, "vault") {
                Some(inner) => known(inner.handle()?),
                None => self.called(text),
            },
        }
    }

    /// The handle of something kept in a vault that a reference names, by handle or by id.
    pub(super) fn handle_of<'a, T: Kept>(&'a self, named: &'a Ref) -> Option<&'a str> {
        match named {
            Ref::Handle(handle) => Some(handle),
            Ref::UnknownLike(_) => None,
            Ref::Literal(text) => match placeholder(text, T::KIND) {
                Some(inner) => self.same_handle::<T>(inner.handle()?),
                None => self.identified::<T>(text),
            },
        }
    }

    fn called(&self, name: &str) -> Option<&str> {
        let mut named = self.vaults.iter().filter(|(_, vault)| vault.name == name);
        named.next_back().map(|(handle, _)| handle.as_str())
    }

    fn same_handle<T: Kept>(&self, handle: &str) -> Option<&str> {
        let mut known = self
            .vaults
            .values()
            .filter_map(|vault| T::of(vault).get_key_value(handle));
        known.next().map(|(known, _)| known.as_str())
    }

    fn identified<T: Kept>(&self, id: &str) -> Option<&str> {
        let mut all = self.vaults.values().flat_map(|vault| T::of(vault));
        let found = all.find(|(_, thing)| !id.is_empty() && thing.id() == id);
        found.map(|(handle, _)| handle.as_str())
    }

    fn find<T: Kept>(&self, through: &Ref, handle: &str) -> Option<(&str, &T)> {
        let own = self
            .home(through)
            .and_then(|home| self.vaults.get_key_value(home));
        let mut all = own.into_iter().chain(&self.vaults);
        all.find_map(|(home, vault)| Some((home.as_str(), T::of(vault).get(handle)?)))
    }
}

/// What `${kind:name}` names, when a text is that and nothing else.
pub(super) fn placeholder(text: &str, kind: &str) -> Option<Ref> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    let name = inner.strip_prefix(kind)?.strip_prefix(':')?;
    Some(Ref::from(name))
}
