//! Output against truth: per item, sufficient statistics, value.
