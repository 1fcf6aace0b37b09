//! Many tests at once.

use transect_core::Result;

use crate::error::refused;
use crate::interval::Settings;
use crate::units::Units;

/// Holm's step-down adjusted p, in the order given; each in [0, 1].
///
/// # Errors
/// `T701` when a p is not within [0, 1]. An empty list gives an empty list.
pub fn holm(p: &[f64]) -> Result<Vec<f64>> {
    let _ = p;
    Err(refused("not yet"))
}

/// One attribute, tested between target and reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttributeTest {
    /// Probability that the attribute is higher in the target than in the reference (AUC, ties half); 0.5 is no shift.
    pub auc: f64,
    /// (median of target − median of reference) / robust scale of the reference; see [`crate::standardised_difference`].
    pub difference: f64,
    /// Standardised rank sum, |z|.
    pub statistic: f64,
    /// Permutation p of this attribute alone.
    pub p: f64,
    /// Permutation p adjusted over all attributes (Westfall–Young step-down max-T).
    pub p_adjusted: f64,
    /// Rows with a value in the target and in the reference.
    pub n: (usize, usize),
}

/// Westfall–Young step-down max-T over attributes: which differ between target and reference, with whole groups permuted
/// within strata. `columns[a][i]` is attribute a of row i (`None` where missing: left out for that attribute),
/// `target[i]` tells the samples apart, `units` are over all rows. `None` for an attribute without a value on one side.
///
/// # Errors
/// `T701` for lengths that differ, values that are not finite, one side empty.
pub fn max_t(
    columns: &[Vec<Option<f64>>],
    target: &[bool],
    units: &Units,
    permutations: usize,
    settings: &Settings,
) -> Result<Vec<Option<AttributeTest>>> {
    let _ = (columns, target, units, permutations, settings);
    Err(refused("not yet"))
}
