//! Integration tests of `transect-score`.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as the tests do"
)]
#![expect(
    clippy::print_stdout,
    reason = "tests say what they skip and how close they came"
)]

mod golden;
mod metrics;
mod page;
mod properties;
