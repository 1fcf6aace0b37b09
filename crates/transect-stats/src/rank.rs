//! Ranks and AUROC.

use transect_core::Result;

use crate::error::refused;

/// Ranks from 1, ties at their mean.
///
/// # Errors
/// `T701` for no values or one that is not finite.
pub fn ranks(values: &[f64]) -> Result<Vec<f64>> {
    let _ = values;
    Err(refused("not yet"))
}

/// Probability that a positive scores above a negative, ties half (Mann–Whitney), in [0, 1]. `None` without a positive
/// or without a negative.
///
/// # Errors
/// `T701` for no rows, lengths that differ, scores that are not finite.
pub fn auroc(scores: &[f64], positive: &[bool]) -> Result<Option<f64>> {
    let _ = (scores, positive);
    Err(refused("not yet"))
}

/// The same with weights of the rows, given the rows in ascending order of score (`order`), for resampling: sort once,
/// then O(n). `None` when the positives or the negatives weigh nothing.
pub fn auroc_weighted(
    scores: &[f64],
    positive: &[bool],
    order: &[usize],
    weights: &[f64],
) -> Option<f64> {
    let _ = (scores, positive, order, weights);
    None
}
