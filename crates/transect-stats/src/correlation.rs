//! Correlation.

use transect_core::Result;

use crate::error::refused;

/// Pearson's correlation in [−1, 1]; `None` when one side does not vary or there are fewer than two rows.
///
/// # Errors
/// `T701` for no rows, lengths that differ, values that are not finite.
pub fn pearson(x: &[f64], y: &[f64]) -> Result<Option<f64>> {
    let _ = (x, y);
    Err(refused("not yet"))
}

/// Spearman's rank correlation, ties at their mean rank. For an interval use it within [`crate::statistic_of_rows`].
///
/// # Errors
/// As [`pearson`].
pub fn spearman(x: &[f64], y: &[f64]) -> Result<Option<f64>> {
    let _ = (x, y);
    Err(refused("not yet"))
}
