//! Crevasse.

pub mod campaign;
pub mod event;
pub mod execute;
pub mod exit;
pub mod found;
pub mod generate;
pub mod journal;
pub mod prove;
pub mod report;
pub mod scenarios;
pub mod shrink;
