//! `crevasse serve`: the reference server, right or wrong on demand.

use crate::args::Serve;

pub(crate) fn run(_args: &Serve) -> anyhow::Result<u8> {
    anyhow::bail!("not yet")
}

pub(crate) struct Embedded(String);

impl Embedded {
    pub(crate) fn endpoint(&self) -> &str {
        &self.0
    }
}

pub(crate) async fn embedded() -> anyhow::Result<Embedded> {
    anyhow::bail!("not yet")
}
