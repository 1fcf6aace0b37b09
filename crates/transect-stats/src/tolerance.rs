//! How far a corruption bends the score.

use transect_core::Result;

use crate::error::refused;
use crate::interval::{Estimate, Settings};
use crate::units::Units;

/// The value of a corruption at which the score above chance has lost a share of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerance {
    /// The value on the physical axis; `None`: not reached, "> largest tested".
    pub value: Option<f64>,
    /// Bound nearer to the identity; `None`: beyond the largest tested (then the whole interval is).
    pub near: Option<f64>,
    /// Bound farther from the identity; `None`: beyond the largest tested (censored).
    pub far: Option<f64>,
    /// Score at severity 0 minus chance.
    pub baseline: Estimate,
    /// Whether the baseline is above chance (its lower bound); if not, `not_assessable`, and the rest means nothing.
    pub assessable: bool,
    /// Score at each severity, 0 first, with intervals.
    pub scores: Vec<Estimate>,
    /// Relative loss at each severity as measured, 0 first; before the isotonic fit.
    pub losses: Vec<f64>,
    /// Interval method, in words.
    pub method: String,
    /// Whether there are units enough for the interval.
    pub enough: bool,
}

/// Tolerance of any score. `identity` and `values`: the physical axis (`identity` may be infinite, such as photons: then
/// the axis is 1/x). `f(severity, weights)` gives the score of severity 0 … values.len() over rows with these weights, so
/// that all severities are paired. `loss` is 0.1 for "lost 10%". The score must be better when higher.
///
/// # Errors
/// `T701` when the axis is not strictly monotone away from `identity`, or a score has no value with all weights 1.
pub fn tolerance(
    identity: f64,
    values: &[f64],
    chance: f64,
    loss: f64,
    units: &Units,
    settings: &Settings,
    f: &mut dyn FnMut(usize, &[f64]) -> Option<f64>,
) -> Result<Tolerance> {
    let _ = (identity, values, chance, loss, units, settings, f);
    Err(refused("not yet"))
}

/// The same for a score that is a mean over rows (accuracy, mean IoU): `scores[severity][row]`, severity 0 first. Faster.
///
/// # Errors
/// As [`tolerance`], and for lengths that differ.
pub fn tolerance_of_means(
    identity: f64,
    values: &[f64],
    chance: f64,
    loss: f64,
    scores: &[Vec<f64>],
    units: &Units,
    settings: &Settings,
) -> Result<Tolerance> {
    let _ = (identity, values, chance, loss, scores, units, settings);
    Err(refused("not yet"))
}
