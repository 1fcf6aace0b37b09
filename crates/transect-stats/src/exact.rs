//! Intervals for a share of independent trials.

use transect_core::Result;

use crate::error::refused;

/// Clopper–Pearson interval of a binomial share: never covers less than `level`. Trials may be a fraction (an effective
/// number).
///
/// # Errors
/// `T701` for no trials, more successes than trials, or a level outside (0, 1).
pub fn clopper_pearson(successes: f64, trials: f64, level: f64) -> Result<(f64, f64)> {
    let _ = (successes, trials, level);
    Err(refused("not yet"))
}

/// Wilson's score interval of a binomial share.
///
/// # Errors
/// As [`clopper_pearson`].
pub fn wilson(successes: f64, trials: f64, level: f64) -> Result<(f64, f64)> {
    let _ = (successes, trials, level);
    Err(refused("not yet"))
}
