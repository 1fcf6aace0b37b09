//! Correlation.

use transect_core::Result;

use crate::error::{finite, same_length};
use crate::rank::mid_ranks;

/// Pearson's correlation Σ(x−x̄)(y−ȳ) / √(Σ(x−x̄)² Σ(y−ȳ)²), in [−1, 1]; `None` when one side does not vary.
///
/// # Errors
/// `T701` for no rows, lengths that differ, values that are not finite.
pub fn pearson(x: &[f64], y: &[f64]) -> Result<Option<f64>> {
    finite("x", x)?;
    finite("y", y)?;
    same_length("x", x.len(), "y", y.len())?;
    let varies = |v: &[f64]| v.iter().any(|&a| a != v[0]);
    if !varies(x) || !varies(y) {
        return Ok(None);
    }
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        xy += (a - mx) * (b - my);
        xx += (a - mx).powi(2);
        yy += (b - my).powi(2);
    }
    let r = xy / (xx.sqrt() * yy.sqrt());
    Ok(r.is_finite().then(|| r.clamp(-1.0, 1.0)))
}

/// Spearman's rank correlation: Pearson's of the ranks, ties at their mean rank. `None` when one side does not vary. For an
/// interval use it within [`crate::statistic_of_rows`].
///
/// # Errors
/// As [`pearson`].
pub fn spearman(x: &[f64], y: &[f64]) -> Result<Option<f64>> {
    finite("x", x)?;
    finite("y", y)?;
    pearson(&mid_ranks(x), &mid_ranks(y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monotone_is_one_and_constant_is_none() {
        let x = [1.0, 2.0, 3.0, 4.0];
        let y = [1.0, 8.0, 27.0, 64.0];
        assert!((spearman(&x, &y).unwrap().unwrap() - 1.0).abs() < 1e-15);
        assert!(pearson(&x, &y).unwrap().unwrap() < 1.0);
        assert_eq!(pearson(&x, &[1.0; 4]).unwrap(), None);
        assert_eq!(spearman(&[1.0], &[1.0]).unwrap(), None);
        assert_eq!(spearman(&x, &y[..3]).unwrap_err().code.id, "T701");
    }
}
