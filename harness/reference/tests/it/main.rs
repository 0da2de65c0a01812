//! The reference server against the documents.

mod client;
mod faults;
mod flows;
mod socket;
