//! The library and the command, from outside. One binary: link time matters on two cores.

mod architecture;
mod budget;
mod command;
mod covers;
mod hostile;
mod interrupted;
mod nights;
mod prove;
mod reports;
#[cfg(feature = "tls")]
mod tls;
