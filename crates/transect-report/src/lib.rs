//! Findings to page and JSON; computes nothing.
