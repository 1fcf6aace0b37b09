//! Intervals for a share of independent trials.

use transect_core::Result;

use crate::error::refused;
use crate::tails::{beta_quantile, normal_quantile};

fn check(successes: f64, trials: f64, level: f64) -> Result<()> {
    if !(trials > 0.0 && trials.is_finite() && (0.0..=trials).contains(&successes)) {
        return Err(refused(format!("{successes} successes of {trials} trials")));
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(refused(format!("a level of {level} is not within (0, 1)")));
    }
    Ok(())
}

/// Lower one-sided Clopper–Pearson bound with tail `alpha`: Beta quantile at α of (x, n − x + 1), 0 for x = 0.
pub(crate) fn clopper_pearson_lower(successes: f64, trials: f64, alpha: f64) -> f64 {
    if successes <= 0.0 {
        0.0
    } else {
        beta_quantile(alpha, successes, trials - successes + 1.0)
    }
}

/// Clopper–Pearson interval of a binomial share: the shares that a two-sided exact test does not reject,
/// [B(α/2; x, n−x+1), B(1−α/2; x+1, n−x)] with B the quantile of the Beta distribution. It never covers less than `level`
/// (Clopper and Pearson 1934). Trials may be a fraction (an effective number).
///
/// ```
/// let (low, high) = transect_stats::clopper_pearson(59.0, 59.0, 0.90).unwrap();
/// // Fifty-nine without error: at least 95% right, with 95% confidence on one side.
/// assert!((low - 0.05_f64.powf(1.0 / 59.0)).abs() < 1e-12 && high == 1.0);
/// ```
///
/// # Errors
/// `T701` for no trials, more successes than trials, a number that is not finite, or a level outside (0, 1).
pub fn clopper_pearson(successes: f64, trials: f64, level: f64) -> Result<(f64, f64)> {
    check(successes, trials, level)?;
    let alpha = 0.5 * (1.0 - level);
    let low = clopper_pearson_lower(successes, trials, alpha);
    let high = 1.0 - clopper_pearson_lower(trials - successes, trials, alpha);
    Ok((low, high))
}

/// Wilson's score interval of a binomial share: (p̂ + z²/2n ± z √(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n) (Wilson 1927). Close to
/// its level on average, below it at some shares.
///
/// # Errors
/// As [`clopper_pearson`].
pub fn wilson(successes: f64, trials: f64, level: f64) -> Result<(f64, f64)> {
    check(successes, trials, level)?;
    let z = normal_quantile(0.5 + 0.5 * level);
    let p = successes / trials;
    let centre = p + z * z / (2.0 * trials);
    let half = z * (p * (1.0 - p) / trials + z * z / (4.0 * trials * trials)).sqrt();
    let scale = 1.0 + z * z / trials;
    Ok((
        ((centre - half) / scale).max(0.0),
        ((centre + half) / scale).min(1.0),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_have_their_closed_forms() {
        let (low, high) = clopper_pearson(0.0, 20.0, 0.95).unwrap();
        assert_eq!(low, 0.0);
        assert!((high - (1.0 - 0.025_f64.powf(1.0 / 20.0))).abs() < 1e-12);
        let (low, high) = wilson(0.0, 20.0, 0.95).unwrap();
        let z2 = 1.959_963_984_540_054_f64.powi(2);
        assert!(low.abs() < 1e-15 && (high - z2 / (20.0 + z2)).abs() < 1e-12);
    }

    #[test]
    fn nonsense_is_refused() {
        for (x, n, level) in [
            (1.0, 0.0, 0.95),
            (3.0, 2.0, 0.95),
            (-1.0, 2.0, 0.95),
            (1.0, 2.0, 1.0),
            (f64::NAN, 2.0, 0.9),
        ] {
            assert_eq!(clopper_pearson(x, n, level).unwrap_err().code.id, "T701");
            assert_eq!(wilson(x, n, level).unwrap_err().code.id, "T701");
        }
    }
}
