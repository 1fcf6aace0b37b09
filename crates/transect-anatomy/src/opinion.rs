//! What one failure mode thinks, before the verdicts of all are settled together.

use transect_core::{Better, Figure, Finding, Threshold, Verdict};
use transect_stats::{Estimate, judge, n_needed, p_of_failure};

use crate::study::Study;
use crate::words;

/// What a verdict is made from, once the p values of all primary findings of the run are adjusted together.
#[derive(Debug, Clone)]
pub enum Ground {
    /// The verdict stands: described, not assessable.
    Settled,
    /// An estimate against the finding's thresholds.
    Estimate(Box<Estimate>),
    /// Bounds against the finding's threshold to warn, where they do not come from an estimate (tolerances, effects without
    /// a sign); infinite where censored. The finding's `p` is given by the mode.
    Bounds {
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
        /// Whether there are units enough for a verdict.
        enough: bool,
        /// Whether a warning may be given at all, such as only where an adjusted p is small.
        may_warn: bool,
    },
    /// What was shown of several quantities at once, where one threshold does not say it (better than all of them, no better
    /// than one). Both may be shown: good, but by too little; that warns, and the mode gives a `p` of 1. The finding's `p` is
    /// given by the mode.
    Shown {
        /// Whether what is wanted was shown.
        good: bool,
        /// Whether the contrary was shown.
        bad: bool,
        /// Whether there are units enough for a verdict.
        enough: bool,
    },
}

/// A finding whose verdict is still open.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The finding.
    pub finding: Finding,
    /// What its verdict is made from.
    pub ground: Ground,
}

impl From<Finding> for Draft {
    fn from(finding: Finding) -> Self {
        Self {
            finding,
            ground: Ground::Settled,
        }
    }
}

/// What one failure mode found.
#[derive(Debug, Clone, Default)]
pub struct Opinion {
    /// Findings.
    pub drafts: Vec<Draft>,
    /// Figures.
    pub figures: Vec<Figure>,
    /// Findings that stay outside the contract, because they rest on the clock.
    pub outside: Vec<Draft>,
}

/// Puts an estimate into a finding: number, interval, method, n, effective groups, and what to bear in mind.
pub(crate) fn with_estimate(
    mut finding: Finding,
    estimate: &Estimate,
    study: &Study<'_>,
) -> Finding {
    finding.estimate = Some(estimate.estimate);
    finding.interval = (estimate.low.is_finite() && estimate.high.is_finite())
        .then_some([estimate.low, estimate.high]);
    finding.level = estimate.level;
    finding.interval_method = Some(estimate.method.clone());
    finding.n = estimate.n as u64;
    finding.groups = Some(estimate.groups);
    if study.context.group.is_none() {
        finding
            .caveats
            .push("images assumed independent: no group was named".to_owned());
    }
    if estimate.is_open() {
        finding.interval_method = None;
        finding.caveats.push(
            "one image: there is no interval, and nothing is claimed about others".to_owned(),
        );
    } else if !estimate.enough && estimate.groups < 6.0 {
        finding.caveats.push(format!(
            "these groups only: {} effective groups are fewer than 6, so the interval is over images and nothing is claimed about further groups",
            words::number(estimate.groups)
        ));
    } else if !estimate.enough {
        finding
            .caveats
            .push("every image gives the same value, so an interval says nothing".to_owned());
        finding.interval = finding.interval.filter(|[low, high]| low < high);
    }
    finding
}

/// A finding that is judged by an estimate against thresholds.
pub(crate) fn judged(
    mut finding: Finding,
    estimate: Estimate,
    threshold: Threshold,
    better: Better,
    primary: bool,
    study: &Study<'_>,
) -> Draft {
    finding = with_estimate(finding, &estimate, study);
    finding.threshold = Some(threshold);
    finding.better = better;
    finding.primary = primary;
    if primary {
        finding.p = Some(p_of_failure(&estimate, &threshold, better));
    }
    Draft {
        finding,
        ground: Ground::Estimate(Box::new(estimate)),
    }
}

/// A finding that cannot be answered, with what would have to be supplied.
pub(crate) fn not_assessable(
    id: impl Into<String>,
    claim: impl Into<String>,
    missing: impl Into<String>,
) -> Finding {
    let mut finding = Finding::new(id);
    finding.verdict = Verdict::NotAssessable;
    finding.claim = claim.into();
    finding.missing = Some(missing.into());
    finding
}

/// Settles the verdict of one draft. `family_size` is the number of primary findings that were tested in this run; `grouped`
/// says that groups were named: too few of them are settled by no number of further images.
pub(crate) fn settle(
    draft: Draft,
    p_adjusted: Option<f64>,
    family_size: u32,
    grouped: bool,
) -> Finding {
    let Draft {
        mut finding,
        ground,
    } = draft;
    if p_adjusted.is_some() {
        finding.p_adjusted = p_adjusted;
        finding.family_size = Some(family_size);
    }
    if let Ground::Shown { good, bad, enough } = ground {
        finding.verdict = if !enough {
            Verdict::Undecided
        } else if finding.primary && p_adjusted.is_some_and(|p| p <= 0.05) {
            Verdict::Fail
        } else if bad {
            Verdict::Warn
        } else if good {
            Verdict::Pass
        } else {
            Verdict::Undecided
        };
        return open_only(finding);
    }
    let Some(threshold) = finding.threshold else {
        return finding;
    };
    match ground {
        Ground::Settled | Ground::Shown { .. } => {}
        Ground::Estimate(estimate) => {
            finding.verdict = judge(&estimate, &threshold, finding.better, p_adjusted);
            if finding.verdict == Verdict::Undecided && (estimate.enough || !grouped) {
                finding.n_needed = needed(&estimate, &threshold);
            }
        }
        Ground::Bounds {
            low,
            high,
            enough,
            may_warn,
        } => {
            let (bad_low, bad_high, warn) = match finding.better {
                Better::Lower => (low, high, threshold.warn),
                Better::Higher => (-high, -low, -threshold.warn),
                Better::Neither => return finding,
            };
            finding.verdict = if !enough {
                Verdict::Undecided
            } else if finding.primary && p_adjusted.is_some_and(|p| p <= 0.05) {
                Verdict::Fail
            } else if bad_low > warn && may_warn {
                Verdict::Warn
            } else if bad_high < warn {
                Verdict::Pass
            } else {
                Verdict::Undecided
            };
            if finding.verdict != Verdict::Undecided {
                finding.n_needed = None;
            }
        }
    }
    open_only(finding)
}

/// What would settle a finding is said of undecided ones only.
fn open_only(mut finding: Finding) -> Finding {
    if finding.verdict != Verdict::Undecided {
        finding.n_needed = None;
    }
    finding
}

/// A tolerance is relative to the score as it is. Where that score itself falls short of its claim or of the reference, a
/// small loss says little: what passed is described, and every tolerance says so.
pub(crate) fn temper_tolerances(findings: &mut [Finding], score: &str) {
    let failing: Vec<String> = findings
        .iter()
        .filter(|f| f.id == score || f.id == "shift.harm")
        .filter(|f| matches!(f.verdict, Verdict::Fail | Verdict::Warn))
        .map(|f| format!("`{}`", f.id))
        .collect();
    if failing.is_empty() {
        return;
    }
    let targets = findings.iter_mut().filter(|f| {
        f.id.starts_with("robustness.")
            && f.id.ends_with(".tolerance")
            && f.verdict != Verdict::NotAssessable
    });
    for f in targets {
        f.caveats.insert(
            0,
            format!(
                "relative to a score that itself falls short (see {}): little may be left to lose, so it says nothing good of the model",
                words::list(&failing)
            ),
        );
        if f.verdict == Verdict::Pass {
            f.verdict = Verdict::Described;
        }
    }
}

/// Images that would settle on which side of the threshold to warn the estimate is, never fewer than there are.
fn needed(estimate: &Estimate, threshold: &Threshold) -> Option<u64> {
    n_needed(estimate, threshold.warn).map(|n| n.images.max(estimate.n as u64))
}
