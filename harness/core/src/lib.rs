//! The pure half of Crevasse.
