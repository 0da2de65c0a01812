//! The reference server as a test target, one test per requirement; with CREVASSE_ENDPOINT, the server there.

use crevasse::conformance::{Running, Suite};
use crevasse_reference::{Options, Service, serve};

fn main() -> std::process::ExitCode {
    Suite::at_async(server).main()
}

async fn server() -> Running {
    if let Ok(endpoint) = std::env::var("CREVASSE_ENDPOINT") {
        return endpoint.into();
    }
    let free = ([127, 0, 0, 1], 0).into();
    let server = serve(Service::new(Options::default()), free)
        .await
        .expect("loopback has a free port");
    (server.address, server).into()
}
