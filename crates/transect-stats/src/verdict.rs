//! From an estimate to a verdict.

use transect_core::score_column::Better;
use transect_core::{Threshold, Verdict};

use crate::interval::Estimate;

/// One-sided p of H₀: no worse than the threshold to fail. With `Better::Higher` bad is low: H₀: θ ≥ fail.
/// 1 for `Better::Neither`.
pub fn p_of_failure(estimate: &Estimate, threshold: &Threshold, better: Better) -> f64 {
    let _ = (estimate, threshold, better);
    1.0
}

/// The verdict of STATISTICS.md. `p_adjusted` is [`p_of_failure`] after [`crate::holm`] over all primary findings of the
/// run; `None` for a finding that is not primary, which never fails.
///
/// In this order, with bad high (mirrored for `Better::Higher`): not enough units → `undecided`; p_adjusted ≤ 0.05 →
/// `fail`; the interval's lower bound above `warn` → `warn`; its upper bound below `warn` → `pass`; else `undecided`.
/// `Better::Neither` → `described`.
pub fn judge(
    estimate: &Estimate,
    threshold: &Threshold,
    better: Better,
    p_adjusted: Option<f64>,
) -> Verdict {
    let _ = (estimate, threshold, better, p_adjusted);
    Verdict::Undecided
}

/// What would settle an undecided verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed {
    /// Images, at the present number of images a group.
    pub images: u64,
    /// Groups (equal to `images` where images are independent).
    pub groups: u64,
}

/// How many images and groups would settle the side of `tau`, if the truth were the present estimate:
/// n′ = n · ((z₀.₉₇₅ + z₀.₈) · se / |θ − τ|)², so that the interval excludes `tau` in four of five repetitions; at least 6
/// groups. `None` when the estimate equals `tau` or more than a billion images would be needed.
pub fn n_needed(estimate: &Estimate, tau: f64) -> Option<Needed> {
    let _ = (estimate, tau);
    None
}
