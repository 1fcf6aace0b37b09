//! Finds out when, how and why a deep vision model fails on scientific images.
