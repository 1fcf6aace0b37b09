//! The auditor, audited on a few whole runs.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod pixels;
