//! Tests of the whole program.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bad_input;
mod fixture;
mod layers;
mod same_bytes;
