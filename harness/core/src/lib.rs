//! The pure half of Crevasse.

pub mod amz_date;
pub mod baseline;
pub mod check;
pub mod filter;
pub mod finding;
pub mod glob;
pub mod inventory;
pub mod model;
pub mod nearest;
pub mod payload;
pub mod prices;
#[cfg(any(test, feature = "properties"))]
pub mod properties;
pub mod range;
pub mod requirement;
pub mod scenario;
pub mod sigv4;
pub mod spec;
pub mod treehash;
pub mod verdict;
pub mod wire;
mod yaml;

pub use yaml::YamlError;
