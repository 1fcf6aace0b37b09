//! Integration tests: golden values, properties, fast calibration.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod calibration;
mod golden;
mod probes;
mod properties;
