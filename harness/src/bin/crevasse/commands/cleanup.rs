//! `crevasse cleanup`: removes what an interrupted run left behind.

use anyhow::Context;
use crevasse::campaign::clean_up;
use crevasse::exit;

use super::resume::{earlier, folder};
use super::run::aim;
use crate::args::Cleanup;
use crevasse::report::printable;

pub(crate) fn run(args: &Cleanup) -> anyhow::Result<u8> {
    let runtime = super::runtime(0)?;
    runtime.block_on(clean(args))
}

async fn clean(args: &Cleanup) -> anyhow::Result<u8> {
    let folder = folder(&args.run, args.run_dir.as_deref());
    let run = earlier(&folder)?;
    let endpoint = args.aim.endpoint.as_deref().unwrap_or(&run.endpoint);
    let done = clean_up(aim(&args.aim, endpoint)?, &folder)
        .await
        .with_context(|| format!("failed to clean up after {}", run.run))?;
    putln!(
        "{}: {} of {} resources removed at {endpoint}",
        run.run,
        done.left.saturating_sub(done.leaks.len()),
        done.left
    );
    for leak in &done.leaks {
        putln!(
            "  {} {} is still there: {}",
            leak.kind,
            printable(&leak.name),
            printable(&leak.reason)
        );
    }
    if done.unread > 0 {
        putln!(
            "  broken lines of its journal: {}; what they name may still be there, under names that begin with {}",
            done.unread,
            run.prefix
        );
    }
    if done.leaks.is_empty() {
        return Ok(exit::AS_EXPECTED);
    }
    putln!("  the same command tries again");
    Ok(exit::INCOMPLETE)
}
