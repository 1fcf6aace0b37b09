//! Tables in, findings out: one file per failure mode.
