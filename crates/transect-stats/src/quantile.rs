//! Quantiles, robust location and scale.

use transect_core::Result;

use crate::error::refused;

/// Quantile with linear interpolation between order statistics (type 7: position q(n − 1)).
///
/// # Errors
/// `T701` for no values, one that is not finite, or q outside [0, 1].
pub fn quantile(values: &[f64], q: f64) -> Result<f64> {
    let _ = (values, q);
    Err(refused("not yet"))
}

/// Several quantiles at once; sorts once.
///
/// # Errors
/// As [`quantile`].
pub fn quantiles(values: &[f64], q: &[f64]) -> Result<Vec<f64>> {
    let _ = (values, q);
    Err(refused("not yet"))
}

/// Median.
///
/// # Errors
/// As [`quantile`].
pub fn median(values: &[f64]) -> Result<f64> {
    quantile(values, 0.5)
}

/// Robust centre and spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RobustScale {
    /// Median.
    pub centre: f64,
    /// 1.4826 × the median absolute deviation; where that is 0 the standard deviation (n − 1); 0 when no value differs.
    pub scale: f64,
}

/// Median and robust scale.
///
/// # Errors
/// As [`quantile`].
pub fn robust_scale(values: &[f64]) -> Result<RobustScale> {
    let _ = values;
    Err(refused("not yet"))
}
