//! Intervals, tests, distances, ranks and probes: pure mathematics on arrays.
//!
//! Everything a finding needs to become words: an [`Estimate`] is a number with an interval that respects what was
//! sampled ([`Units`]: groups are resampled, strata are fixed), and [`judge`] turns it into a verdict.
//!
//! Rules that hold in every function:
//! - A value that is not finite, an empty array, or arrays of different lengths are an error `T701`; nothing is dropped in
//!   silence. Where a missing value has a meaning the argument is an `Option<f64>`.
//! - Randomness comes from [`transect_core::Stream`] keyed by [`Settings::seed`] and [`Settings::key`], so the same input
//!   gives the same bytes. No threads are used inside.
//! - Ties never depend on the order of the rows.

mod agreement;
mod calibration;
mod confident;
mod correlation;
mod decodability;
mod dip;
mod distance;
mod donors;
mod effective_rank;
mod envelope;
mod error;
mod exact;
mod folds;
mod interval;
mod jackknife;
mod matrix;
mod mix;
mod multiplicity;
mod permute;
mod probe;
mod quantile;
mod rank;
mod resample;
mod selective;
mod separation;
mod shrinkage;
mod simultaneous;
mod single;
mod tails;
mod tolerance;
mod two_sample;
mod units;
mod verdict;

pub use agreement::{
    Association, adjusted_rand, cramers_v, kappa, kappa_weighted, mutual_information,
};
pub use calibration::{
    Brier, CalibrationError, PROBABILITY_FLOOR, ReliabilityBin, TemperatureGain, brier,
    calibration_error, cross_fitted_temperature, fit_temperature, log_losses, reliability,
    with_temperature,
};
pub use confident::{Doubt, LabelDoubts, label_doubts};
pub use correlation::{pearson, spearman};
pub use decodability::{Decodability, decodability};
pub use distance::{frechet_distance, kolmogorov_smirnov, standardised_difference};
pub use donors::{DonorPair, mean_over_donors};
pub use effective_rank::{
    EffectiveRank, RankEstimates, effective_rank, effective_rank_of, rank_estimates,
};
pub use envelope::{Envelope, Outside, envelope};
pub use exact::{clopper_pearson, wilson};
pub use folds::Folds;
pub use interval::{
    Estimate, RatioInterval, Settings, TwoSided, TwoSidedPair, difference_of_means,
    difference_of_rates, difference_of_statistics, mean, rate, ratio, ratio_of_statistics,
    statistic, statistic_of_rows,
};
pub use jackknife::jackknife;
pub use matrix::Matrix;
pub use mix::{MixSplit, class_mix};
pub use multiplicity::{AttributeTest, holm, max_t};
pub use probe::{ClassProbe, SHRINKAGE, ValueProbe, probe_classes, probe_value};
pub use quantile::{RobustScale, median, quantile, quantiles, robust_scale};
pub use rank::{auroc, auroc_weighted, ranks};
pub use selective::{RiskCoverage, risk_coverage};
pub use separation::{HiddenStratum, Split, hidden_strata, separation};
pub use simultaneous::{Simultaneous, simultaneous, simultaneous_means, subgroups_against_rest};
pub use single::{BINS, SingleClasses, SingleValue, best_single_classes, best_single_value};
pub use tolerance::{Tolerance, isotonic, tolerance, tolerance_of_means};
pub use two_sample::{ClassifierTest, MmdTest, classifier_two_sample, mmd_aggregated};
pub use units::{Units, effective_groups};
pub use verdict::{Needed, judge, n_needed, p_of_failure};
