//! Estimates with intervals that respect groups and strata.

use transect_core::Result;

use crate::error::refused;
use crate::units::Units;

/// How an interval is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Two-sided level, 0.95.
    pub level: f64,
    /// Bootstrap resamples where the bootstrap is used (40 effective groups or more). 2,000 do for an interval; 10,000
    /// where a tail feeds a p.
    pub resamples: usize,
    /// The run's seed.
    pub seed: u64,
    /// What the numbers are for, such as the finding's id: it keys the random stream.
    pub key: String,
    /// Values that the quantity can take at most, such as (0, 1) for IoU: bounds are cut to it.
    pub range: Option<(f64, f64)>,
    /// Number of units that carry an estimate at the end of its range (1.0 for AUROC or balanced accuracy), where all
    /// resamples agree and Clopper–Pearson takes over: for instance the images of the rarest class. `None`: all groups.
    pub extreme_units: Option<f64>,
}

impl Settings {
    /// Level 0.95, 2,000 resamples.
    pub fn new(seed: u64, key: impl Into<String>) -> Self {
        Self {
            level: 0.95,
            resamples: 2_000,
            seed,
            key: key.into(),
            range: None,
            extreme_units: None,
        }
    }

    /// 10,000 resamples, for a p from the tails.
    #[must_use]
    pub fn tails(mut self) -> Self {
        self.resamples = 10_000;
        self
    }

    /// Cuts bounds to a range.
    #[must_use]
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// Sets [`Settings::extreme_units`].
    #[must_use]
    pub fn extreme_units(mut self, units: f64) -> Self {
        self.extreme_units = Some(units);
        self
    }
}

/// A number with its interval, and tails that agree with the interval: `p_above(tau) <= alpha/2` exactly when the lower
/// bound of the `1 - alpha` interval is at or above `tau`.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub estimate: f64,
    /// Lower bound of the two-sided interval.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Level of the interval.
    pub level: f64,
    /// How the interval was made, in words for a reader, such as `logit cluster-t over 12 groups`.
    pub method: String,
    /// Standard error.
    pub se: f64,
    /// Rows.
    pub n: usize,
    /// Effective number of groups; of the smaller side for a difference.
    pub groups: f64,
    /// Whether the units suffice for a verdict. `false` under 6 effective groups: the interval is then over images, holds
    /// for "these groups only", and [`crate::judge`] gives `undecided`.
    pub enough: bool,
}

impl Estimate {
    /// One-sided p of H₀: θ ≤ `tau` (small when the quantity is above `tau`). 1 when there are not [`enough`] units.
    ///
    /// [`enough`]: Estimate::enough
    pub fn p_above(&self, tau: f64) -> f64 {
        let _ = tau;
        1.0
    }

    /// One-sided p of H₀: θ ≥ `tau` (small when the quantity is below `tau`). 1 when there are not enough units.
    pub fn p_below(&self, tau: f64) -> f64 {
        let _ = tau;
        1.0
    }

    /// One-sided lower bound at a level: `lower(0.975)` is `low` of a 95% interval.
    pub fn lower(&self, level: f64) -> f64 {
        let _ = level;
        self.low
    }

    /// One-sided upper bound at a level.
    pub fn upper(&self, level: f64) -> f64 {
        let _ = level;
        self.high
    }
}

/// A share of rows: `hits[i]` says whether row i counts.
///
/// # Errors
/// `T701` for no rows, or when `hits` and `units` differ in length.
pub fn rate(hits: &[bool], units: &Units, settings: &Settings) -> Result<Estimate> {
    let _ = (hits, units, settings);
    Err(refused("not yet"))
}

/// The mean of one value for each row. Also for **paired differences**: give the differences.
///
/// # Errors
/// `T701` for no rows, different lengths, a value that is not finite.
pub fn mean(values: &[f64], units: &Units, settings: &Settings) -> Result<Estimate> {
    let _ = (values, units, settings);
    Err(refused("not yet"))
}

/// A pooled ratio Σ numerator / Σ denominator, such as pooled Dice, precision or recall over objects.
///
/// # Errors
/// `T701` as for [`mean`], for a negative denominator, and when the denominators sum to 0.
pub fn ratio(
    numerator: &[f64],
    denominator: &[f64],
    units: &Units,
    settings: &Settings,
) -> Result<Estimate> {
    let _ = (numerator, denominator, units, settings);
    Err(refused("not yet"))
}

/// Any statistic over rows (balanced accuracy, AUROC, a paired difference of two such …), given as a function of the
/// rows' weights (0, 1, 2, … as often as a row was drawn). `None` says that it has no value for these weights.
///
/// # Errors
/// `T701` for no rows, or when the statistic has no value, or one that is not finite, with all weights 1.
pub fn statistic(
    units: &Units,
    settings: &Settings,
    f: &mut dyn FnMut(&[f64]) -> Option<f64>,
) -> Result<Estimate> {
    let _ = (units, settings, f);
    Err(refused("not yet"))
}

/// The same as [`statistic`] for a function of a multiset of row indices, ascending.
///
/// # Errors
/// As [`statistic`].
pub fn statistic_of_rows(
    units: &Units,
    settings: &Settings,
    f: &mut dyn FnMut(&[usize]) -> Option<f64>,
) -> Result<Estimate> {
    let _ = (units, settings, f);
    Err(refused("not yet"))
}

/// Difference of two shares, target minus reference, of independent samples.
///
/// # Errors
/// `T701` as for [`rate`], on either side.
pub fn difference_of_rates(
    target: &[bool],
    target_units: &Units,
    reference: &[bool],
    reference_units: &Units,
    settings: &Settings,
) -> Result<Estimate> {
    let _ = (target, target_units, reference, reference_units, settings);
    Err(refused("not yet"))
}

/// Difference of two means, target minus reference, of independent samples.
///
/// # Errors
/// `T701` as for [`mean`], on either side.
pub fn difference_of_means(
    target: &[f64],
    target_units: &Units,
    reference: &[f64],
    reference_units: &Units,
    settings: &Settings,
) -> Result<Estimate> {
    let _ = (target, target_units, reference, reference_units, settings);
    Err(refused("not yet"))
}

/// Any statistic of two independent samples, such as a difference of balanced accuracies: a function of the weights of
/// the target's rows and of the reference's rows.
///
/// # Errors
/// `T701` as for [`statistic`].
pub fn difference_of_statistics(
    target_units: &Units,
    reference_units: &Units,
    settings: &Settings,
    f: &mut dyn FnMut(&[f64], &[f64]) -> Option<f64>,
) -> Result<Estimate> {
    let _ = (target_units, reference_units, settings, f);
    Err(refused("not yet"))
}
