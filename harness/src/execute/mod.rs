//! The hand: renders, signs and sends what scenarios say, and writes down what came back.
//! Only here are sockets opened, clocks read and keys held. Refuses to know what an answer should have been.

mod clock;
mod empty;
mod hand;
mod join;
mod pace;
mod patience;
mod player;
mod purse;
mod redact;
mod render;
mod room;
mod session;
mod sign;
mod stop;
mod sweep;
mod symbols;
mod target;
pub mod transport;

pub use clock::Clock;
pub use hand::{End, Hand, Played};
pub(crate) use join::join_all;
pub use pace::{Pace, Rate};
pub use patience::Patience;
pub use purse::{Beyond, Budget};
pub(crate) use room::Part;
pub use stop::Stop;
pub use target::{Target, TargetError, credentials};
