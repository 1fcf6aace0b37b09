//! Whole runs on planted models and images.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod fixture;
mod parts;
mod pixels;
mod truth;
mod variants;
