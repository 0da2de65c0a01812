//! The reference server against the documents.

mod client;
mod flows;
mod socket;
