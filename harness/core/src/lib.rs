//! The pure half of Crevasse.

pub mod payload;
pub mod range;
pub mod requirement;
pub mod spec;
pub mod treehash;
mod yaml;

pub use yaml::YamlError;
