//! Findings and verdicts.

use serde::{Deserialize, Serialize};

use crate::score_column::Better;

/// What a finding comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The upper bound of what is bad is below the threshold to warn.
    Pass,
    /// The lower bound of what is bad is above the threshold to warn.
    Warn,
    /// The adjusted p of "no worse than the threshold to fail" is at most 0.05.
    Fail,
    /// The data do not settle it; `n_needed` would.
    Undecided,
    /// The data cannot answer; `missing` says what would have to be supplied.
    NotAssessable,
    /// Stated without a threshold: an estimate, not a judgement.
    Described,
}

/// Thresholds between the verdicts, in the finding's unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Beyond it, warn.
    pub warn: f64,
    /// Beyond it, fail.
    pub fail: f64,
}

/// The rows that a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Evidence {
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// View or prefix of views, such as `identity`, `defocus`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// Predicate on rows, in the words of `--where`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<String>,
    /// The query in SQL over the run's tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
}

/// A claim, what it rests on, and what it comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// `mode.metric`, such as `shift.classifier_auc`; with what it is about behind a bracket where there are several:
    /// `performance.accuracy[domain=D2]`.
    pub id: String,
    /// The failure mode.
    pub mode: String,
    /// What it comes to.
    pub verdict: Verdict,
    /// One sentence with the numbers in it.
    pub claim: String,
    /// The estimate.
    pub estimate: Option<f64>,
    /// Interval at `level`.
    pub interval: Option<[f64; 2]>,
    /// Level of the interval, 0.95.
    pub level: f64,
    /// How the interval was made, such as `logit cluster-t over 12 groups`.
    pub interval_method: Option<String>,
    /// Unit, such as `fraction`, `um`.
    pub unit: String,
    /// Images that the estimate rests on.
    pub n: u64,
    /// Effective number of groups, (Σm)²/Σm².
    pub groups: Option<f64>,
    /// Which way is better.
    pub better: Better,
    /// Thresholds.
    pub threshold: Option<Threshold>,
    /// Whether it was declared primary before the run: only these may fail.
    pub primary: bool,
    /// One-sided p of "no worse than the threshold to fail".
    pub p: Option<f64>,
    /// The same, adjusted over all primaries of the run (Holm).
    pub p_adjusted: Option<f64>,
    /// Number of primaries adjusted over.
    pub family_size: Option<u32>,
    /// What it rests on.
    pub evidence: Evidence,
    /// Images that show it best, worst first.
    pub images: Vec<String>,
    /// What to bear in mind: assumptions, labels such as "images assumed independent".
    pub caveats: Vec<String>,
    /// Independent images (or groups) that would settle an undecided finding.
    pub n_needed: Option<u64>,
    /// What would have to be supplied, for `not_assessable`.
    pub missing: Option<String>,
    /// What to do next.
    pub remedy: Option<String>,
}

impl Finding {
    /// A finding with an id and nothing else said: described, no number.
    pub fn new(id: impl Into<String>) -> Self {
        let id = id.into();
        let mode = id.split('.').next().unwrap_or_default().to_owned();
        Self {
            id,
            mode,
            verdict: Verdict::Described,
            claim: String::new(),
            estimate: None,
            interval: None,
            level: 0.95,
            interval_method: None,
            unit: String::new(),
            n: 0,
            groups: None,
            better: Better::Neither,
            threshold: None,
            primary: false,
            p: None,
            p_adjusted: None,
            family_size: None,
            evidence: Evidence::default(),
            images: Vec::new(),
            caveats: Vec::new(),
            n_needed: None,
            missing: None,
            remedy: None,
        }
    }
}
