//! Quantiles, robust location and scale.

use transect_core::Result;

use crate::error::{finite, refused};

/// Quantile of sorted values by linear interpolation at position q(n − 1).
pub(crate) fn of_sorted(sorted: &[f64], q: f64) -> f64 {
    let position = q * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let part = position - below as f64;
    let low = sorted[below];
    let high = sorted[(below + 1).min(sorted.len() - 1)];
    if part == 0.0 || low == high {
        low
    } else {
        low + part * (high - low)
    }
}

/// Values in ascending order.
pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut out = values.to_vec();
    out.sort_unstable_by(f64::total_cmp);
    out
}

/// Quantile with linear interpolation between order statistics: position q(n − 1), type 7 of Hyndman and Fan (1996), the
/// default of NumPy and R.
///
/// # Errors
/// `T701` for no values, one that is not finite, or q outside [0, 1].
pub fn quantile(values: &[f64], q: f64) -> Result<f64> {
    Ok(quantiles(values, &[q])?[0])
}

/// Several quantiles at once, in the order of `q`; sorts once.
///
/// # Errors
/// As [`quantile`].
pub fn quantiles(values: &[f64], q: &[f64]) -> Result<Vec<f64>> {
    finite("values", values)?;
    if let Some(q) = q.iter().find(|q| !(0.0..=1.0).contains(*q)) {
        return Err(refused(format!("there is no quantile at {q}")));
    }
    let values = sorted(values);
    Ok(q.iter().map(|&q| of_sorted(&values, q)).collect())
}

/// Median; the mean of the two middle values for an even number.
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

/// Median and robust scale: 1.4826 · median|x − median|, which is the standard deviation for normal values. When more than
/// half of the values are equal that is 0, and the standard deviation over n − 1 stands in; it is 0 only when no value
/// differs.
///
/// # Errors
/// As [`quantile`].
pub fn robust_scale(values: &[f64]) -> Result<RobustScale> {
    let centre = median(values)?;
    let deviations: Vec<f64> = values.iter().map(|v| (v - centre).abs()).collect();
    let mad = 1.4826 * median(&deviations)?;
    if mad > 0.0 {
        return Ok(RobustScale { centre, scale: mad });
    }
    if values.iter().all(|&v| v == values[0]) {
        return Ok(RobustScale { centre, scale: 0.0 });
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Ok(RobustScale {
        centre,
        scale: variance.sqrt(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_linearly() {
        assert_eq!(
            quantiles(&[4.0, 1.0, 2.0, 3.0], &[0.0, 0.25, 0.5, 1.0]).unwrap(),
            vec![1.0, 1.75, 2.5, 4.0]
        );
        assert_eq!(quantile(&[7.0], 0.3).unwrap(), 7.0);
    }

    #[test]
    fn zero_mad_falls_back_to_the_standard_deviation() {
        let scale = robust_scale(&[1.0, 1.0, 1.0, 1.0, 6.0]).unwrap();
        assert_eq!(scale.centre, 1.0);
        assert!((scale.scale - 5.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(robust_scale(&[2.0, 2.0]).unwrap().scale, 0.0);
        assert_eq!(robust_scale(&[2.0]).unwrap().scale, 0.0);
        assert!((robust_scale(&[1.0, 2.0, 3.0]).unwrap().scale - 1.4826).abs() < 1e-12);
    }

    #[test]
    fn nan_and_nothing_are_refused() {
        assert_eq!(median(&[]).unwrap_err().code.id, "T701");
        assert_eq!(median(&[1.0, f64::NAN]).unwrap_err().code.id, "T701");
        assert_eq!(quantile(&[1.0], 1.5).unwrap_err().code.id, "T701");
    }
}
