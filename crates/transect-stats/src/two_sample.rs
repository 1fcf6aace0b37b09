//! Do two samples differ: classifier and kernel tests with whole groups permuted.

use transect_core::Result;

use crate::error::refused;
use crate::interval::{Estimate, Settings};
use crate::matrix::Matrix;
use crate::units::Units;

/// A held-out classifier's success in telling target from reference.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifierTest {
    /// Held-out AUC with interval; 0.5 is no difference.
    pub auc: Estimate,
    /// Permutation p, (1+b)/(1+m), the classifier refitted in each permutation. Evidence only: at large n every p is small.
    pub p: f64,
    /// Smallest p that these groups allow. Over 0.05 the p says nothing.
    pub smallest_p: f64,
    /// Permutations.
    pub permutations: usize,
    /// Folds.
    pub folds: usize,
    /// Features used, after reduction.
    pub dimensions: usize,
    /// Held-out score of each row, higher for "looks like target".
    pub scores: Vec<f64>,
}

/// Classifier two-sample test: grouped folds, held-out predictions, AUC over pairs within a fold; refitted in each
/// permutation of the groups' labels. `target[i]` tells the samples apart; `units` are over all rows.
///
/// # Errors
/// `T701` when lengths differ, or a side has fewer than two groups.
pub fn classifier_two_sample(
    features: &Matrix,
    target: &[bool],
    units: &Units,
    permutations: usize,
    settings: &Settings,
) -> Result<ClassifierTest> {
    let _ = (features, target, units, permutations, settings);
    Err(refused("not yet"))
}

/// Result of the aggregated kernel test.
#[derive(Debug, Clone, PartialEq)]
pub struct MmdTest {
    /// Squared maximum mean discrepancy (unbiased) at the bandwidth with the smallest p; may be a little below 0.
    pub mmd2: f64,
    /// That bandwidth, in the standardised features' unit.
    pub bandwidth: f64,
    /// Aggregated permutation p, (1+b)/(1+m).
    pub p: f64,
    /// Smallest p that these groups allow; over 0.05: not assessable.
    pub smallest_p: f64,
    /// p by bandwidth alone: 0.25, 0.5, 1, 2, 4 times the median distance.
    pub p_by_bandwidth: Vec<f64>,
    /// Permutations.
    pub permutations: usize,
    /// Rows used of the target and of the reference, after subsampling.
    pub used: (usize, usize),
}

/// Maximum mean discrepancy with Gaussian kernels, aggregated over bandwidths of 0.25 to 4 times the median distance of
/// the pooled sample; whole groups are permuted. Above 2,000 rows a seeded subsample of whole groups is used, so memory
/// is bounded.
///
/// # Errors
/// `T701` when lengths differ, or a side has fewer than two groups.
pub fn mmd_aggregated(
    features: &Matrix,
    target: &[bool],
    units: &Units,
    permutations: usize,
    settings: &Settings,
) -> Result<MmdTest> {
    let _ = (features, target, units, permutations, settings);
    Err(refused("not yet"))
}
