//! Crevasse.
