//! `crevasse serve`: the reference server, right or wrong on demand.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, bail};
use crevasse::execute::credentials;
use crevasse::exit;
use crevasse_core::nearest::nearest;
use crevasse_reference::fault::{self, Fault};
use crevasse_reference::{Options, ServerHandle, Service, serve};

use super::list::print_faults;
use crate::args::Serve;

pub(crate) fn run(args: &Serve) -> anyhow::Result<u8> {
    if args.fault.iter().any(|id| id == "list") {
        print_faults();
        return Ok(exit::AS_EXPECTED);
    }
    let options = options(args)?;
    let runtime = super::runtime(0)?;
    runtime.block_on(async {
        let server = listen(options, args.port).await?;
        putln!("http://{}", server.address);
        tokio::signal::ctrl_c()
            .await
            .context("failed to wait for Ctrl-C")?;
        server.stop().await;
        Ok(exit::AS_EXPECTED)
    })
}

fn options(args: &Serve) -> anyhow::Result<Options> {
    let faults = faults(&args.fault)?;
    if args.time_scale < 0.0 || !args.time_scale.is_finite() {
        bail!("--time-scale takes a number from 0 on");
    }
    Ok(Options {
        job_delay: args.job_delay.0,
        time_scale: args.time_scale,
        max_store: args.max_store.0,
        require_auth: if args.require_auth {
            credentials(true)
        } else {
            None
        },
        faults,
        ..Options::default()
    })
}

/// The faults of these names.
pub(crate) fn faults(ids: &[String]) -> anyhow::Result<Vec<&'static Fault>> {
    ids.iter().map(|id| find(id)).collect()
}

fn find(id: &str) -> anyhow::Result<&'static Fault> {
    let names = fault::all().iter().map(|fault| fault.id);
    fault::find(id).with_context(|| {
        let near = nearest(id, names)
            .map(|near| format!("; did you mean {near}?"))
            .unwrap_or_else(|| ".".to_owned());
        format!("no fault is called `{id}`{near} `crevasse serve --fault list` names them all")
    })
}

/// A server on a loopback port; 0 takes a free one.
async fn listen(options: Options, port: u16) -> anyhow::Result<ServerHandle> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    serve(Service::new(options), address)
        .await
        .with_context(|| format!("failed to listen on {address}"))
}

/// A server with these faults on a free loopback port, for commands without an endpoint.
pub(crate) async fn embedded(ids: &[String]) -> anyhow::Result<ServerHandle> {
    let options = Options {
        faults: faults(ids)?,
        ..Options::default()
    };
    listen(options, 0).await
}
