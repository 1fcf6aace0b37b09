//! Tests of the whole program.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bad_input;
mod book;
mod fixture;
mod inspect;
mod layers;
mod options;
mod resume;
mod same_bytes;
mod seeds;
