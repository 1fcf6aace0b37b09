//! Intervals, tests, distances, ranks and probes: pure mathematics on arrays.
