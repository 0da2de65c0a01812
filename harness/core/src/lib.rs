//! The pure half of Crevasse.

pub mod requirement;
pub mod spec;
mod yaml;

pub use yaml::YamlError;
