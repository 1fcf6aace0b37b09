//! Untrusted bytes to pixels with axes, units and limits.
