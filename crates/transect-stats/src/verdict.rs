//! From an estimate to a verdict.

use transect_core::{Better, Threshold, Verdict};

use crate::interval::{Estimate, Tail};
use crate::tails::normal_quantile;

/// One-sided p of H₀: no worse than the threshold to fail. With `Better::Higher` bad is low, H₀: θ ≥ fail; with
/// `Better::Lower` bad is high, H₀: θ ≤ fail. 1 for `Better::Neither`, and when there are not enough units.
pub fn p_of_failure(estimate: &Estimate, threshold: &Threshold, better: Better) -> f64 {
    match better {
        Better::Lower => estimate.p_above(threshold.fail),
        Better::Higher => estimate.p_below(threshold.fail),
        Better::Neither => 1.0,
    }
}

/// The verdict of STATISTICS.md. `p_adjusted` is [`p_of_failure`] after [`crate::holm`] over all primary findings of the
/// run; `None` for a finding that is not primary, which never fails.
///
/// In this order, with bad high (mirrored for `Better::Higher`): not enough units → `undecided`; p_adjusted ≤ 0.05 →
/// `fail`; the interval's lower bound above `warn` → `warn`; its upper bound below `warn` → `pass`; else `undecided`.
/// `Better::Neither` → `described`.
///
/// The bounds are those of the two-sided interval that the report shows, so a `pass` with the truth at `warn` happens in
/// at most (1 − level)/2 of runs.
pub fn judge(
    estimate: &Estimate,
    threshold: &Threshold,
    better: Better,
    p_adjusted: Option<f64>,
) -> Verdict {
    let (low, high, warn) = match better {
        Better::Neither => return Verdict::Described,
        Better::Lower => (estimate.low, estimate.high, threshold.warn),
        Better::Higher => (-estimate.high, -estimate.low, -threshold.warn),
    };
    if !estimate.enough {
        Verdict::Undecided
    } else if p_adjusted.is_some_and(|p| p <= 0.05) {
        Verdict::Fail
    } else if low > warn {
        Verdict::Warn
    } else if high < warn {
        Verdict::Pass
    } else {
        Verdict::Undecided
    }
}

/// What would settle an undecided verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed {
    /// Images, at the present number of images a group.
    pub images: u64,
    /// Groups (equal to `images` where images are independent).
    pub groups: u64,
}

/// How many images and groups would settle on which side of `tau` the quantity lies, if the truth were the present
/// estimate: n′ = n · ((z₀.₉₇₅ + z₀.₈) · se / |θ − τ|)², so that the 95% interval excludes `tau` in four of five
/// repetitions (z₀.₉₇₅ for the estimate's own level). Where no variation was seen, the n at which Clopper–Pearson excludes
/// `tau`: ln(0.025) / ln(1 − |θ − τ|/room), room being the distance to the end of the range on that side. At least one
/// more than there are, and at least 6 groups. For a difference both sides grow in proportion.
///
/// `None` when the estimate equals `tau`, nothing is known of the spread, or more than a billion images would be needed.
pub fn n_needed(estimate: &Estimate, tau: f64) -> Option<Needed> {
    let distance = (estimate.estimate - tau).abs();
    if estimate.n == 0
        || estimate.groups.is_nan()
        || estimate.groups <= 0.0
        || distance.is_nan()
        || distance <= 0.0
    {
        return None;
    }
    let tail = 0.5 - 0.5 * estimate.level;
    let factor = if let Tail::Constant {
        value,
        low,
        high,
        units,
    } = &estimate.tail
    {
        let room = if tau < *value {
            value - low
        } else {
            high - value
        };
        if room <= 0.0 || units.is_nan() || *units <= 0.0 {
            return None;
        }
        let share = (distance / room).min(1.0 - 1e-9);
        tail.ln() / (-share).ln_1p() / units
    } else {
        ((normal_quantile(1.0 - tail) + normal_quantile(0.8)) * estimate.se / distance).powi(2)
    };
    let n = estimate.n as f64;
    let factor = factor.max((n + 1.0) / n).max(6.0 / estimate.groups);
    let (images, groups) = ((n * factor).ceil(), (estimate.groups * factor).ceil());
    (images.is_finite() && images <= 1e9).then_some(Needed {
        images: images as u64,
        groups: groups as u64,
    })
}
