//! Planted failures and the calibration of the auditor (not published).

pub mod audits;
pub mod calibrate;
pub mod pixels;
pub mod runs;
