//! What crosses the rooms of the core, and what is compared with documents outside of it.

mod facts;
mod foreign;
mod scenarios;
mod shared;
mod vectors;
