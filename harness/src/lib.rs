//! Crevasse.

pub mod exit;
pub mod generate;
pub mod report;
pub mod shrink;
