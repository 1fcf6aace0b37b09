//! Distances between two samples.

use transect_core::Result;

use crate::error::refused;
use crate::matrix::Matrix;

/// Fréchet distance of the Gaussians fitted to two samples: |μ₁−μ₂|² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½), covariances over n − 1.
/// Never negative; 0 for equal moments. Biased upwards at small n: described, never judged.
///
/// # Errors
/// `T701` when a sample has fewer than two rows or the columns differ.
pub fn frechet_distance(a: &Matrix, b: &Matrix) -> Result<f64> {
    let _ = (a, b);
    Err(refused("not yet"))
}

/// Kolmogorov–Smirnov statistic sup|F₁ − F₂|, in [0, 1]; ties are handled exactly.
///
/// # Errors
/// `T701` for an empty sample or a value that is not finite.
pub fn kolmogorov_smirnov(a: &[f64], b: &[f64]) -> Result<f64> {
    let _ = (a, b);
    Err(refused("not yet"))
}

/// (median of target − median of reference) / robust scale of the reference ([`crate::robust_scale`]). When the reference
/// does not vary: 0 for equal medians, else ±∞.
///
/// # Errors
/// `T701` for an empty sample or a value that is not finite.
pub fn standardised_difference(target: &[f64], reference: &[f64]) -> Result<f64> {
    let _ = (target, reference);
    Err(refused("not yet"))
}
