//! Tables in, findings out: one file per failure mode.
//!
//! A mode has two functions: `plan` says which views it wants measured, from what is known of the run beforehand; `judge`
//! reads the tables and gives findings and figures. No mode sees a pixel or a model. [`judge`] puts the run together as a
//! [`Study`], asks every mode, adjusts the p values of all primary findings together (Holm, 5%), settles the verdicts and
//! writes the three answers of the report's first screen.
//!
//! Only primary findings may fail, at most two of each mode: [`Mode::primaries`] names them before the run.

pub mod adversarial;
mod answers;
mod attributes;
pub mod baseline;
pub mod bias;
pub mod calibration;
pub mod collapse;
mod copies;
pub mod cost;
mod drawn;
mod embedded;
mod evidence;
mod gains;
pub mod hallucination;
mod headline;
pub mod metric;
mod opinion;
pub mod performance;
mod plan;
pub mod prior;
pub mod robustness;
pub mod shift;
pub mod shortcut;
pub mod simulate;
mod study;
mod words;

use serde::{Deserialize, Serialize};
use transect_core::{Context, Figure, Finding, Headline, Request, Result, Verdict};
use transect_table::Tables;

pub use opinion::{Draft, Ground, Opinion};
pub use study::{Counts, Row, Seen, Study, Truth, primary_score};

/// A failure mode.
#[derive(Clone, Copy)]
pub struct Mode {
    /// Its name, the first part of its findings' ids.
    pub name: &'static str,
    /// The question that it answers.
    pub question: &'static str,
    /// The findings that may fail, as far as the run assesses them; for `robustness` the names hold `<corruption>`.
    pub primaries: &'static [&'static str],
    /// What it wants measured.
    pub plan: fn(&Context) -> Vec<Request>,
    /// What it finds.
    pub judge: fn(&Study<'_>) -> Result<Opinion>,
}

impl std::fmt::Debug for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mode")
            .field("name", &self.name)
            .field("question", &self.question)
            .finish_non_exhaustive()
    }
}

/// Every failure mode, in the order of the report.
pub fn modes() -> &'static [Mode] {
    const MODES: &[Mode] = &[
        performance::MODE,
        shift::MODE,
        robustness::MODE,
        shortcut::MODE,
        bias::MODE,
        hallucination::MODE,
        calibration::MODE,
        adversarial::MODE,
        collapse::MODE,
        baseline::MODE,
        prior::MODE,
        metric::MODE,
        cost::MODE,
    ];
    MODES
}

/// The modes that read nothing of a model, where there is none.
const OF_IMAGES_ALONE: [&str; 2] = ["shift", "prior"];

/// The modes that a run is judged by.
fn modes_of(context: &Context) -> impl Iterator<Item = &'static Mode> {
    let alone = context.images_alone;
    modes()
        .iter()
        .filter(move |m| !alone || OF_IMAGES_ALONE.contains(&m.name))
}

/// What a run measures: the requests of all modes, merged, each view of a row once. Nothing of images alone.
pub fn plan(context: &Context) -> Vec<Request> {
    if context.images_alone {
        return Vec::new();
    }
    plan::merge(
        modes()
            .iter()
            .flat_map(|mode| (mode.plan)(context))
            .collect(),
    )
}

/// What a run comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Findings of all modes, in the order of [`modes`]: the contents of `findings.json`. Same tables, same bytes.
    pub findings: Vec<Finding>,
    /// Figures.
    pub figures: Vec<Figure>,
    /// Three answers in plain words.
    pub headline: Headline,
    /// Findings that rest on the clock (mode `cost`): never the same twice, so they are kept outside the contract.
    pub outside: Vec<Finding>,
}

/// Judges a run from its tables.
///
/// The p values of the primary findings that were tested (those with a p) are adjusted together by Holm's method;
/// `family_size` is their number. A primary finding that could not be assessed, or that had no claim to be held against,
/// was not tested and is not counted.
///
/// # Errors
/// When a table cannot be read, or a measurement does not have the scores that the run's record says.
pub fn judge(tables: &dyn Tables) -> Result<Judged> {
    judge_only(tables, &[])
}

/// The same with only the modes of these names, and their primary findings as the family; all modes for none.
///
/// # Errors
/// As [`judge`].
pub fn judge_only(tables: &dyn Tables, names: &[&str]) -> Result<Judged> {
    let study = Study::new(tables)?;
    let mut drafts = Vec::new();
    let mut figures = Vec::new();
    let mut outside = Vec::new();
    for mode in modes_of(study.context).filter(|m| names.is_empty() || names.contains(&m.name)) {
        let opinion = (mode.judge)(&study)?;
        drafts.extend(opinion.drafts);
        figures.extend(opinion.figures);
        outside.extend(opinion.outside);
    }
    let tested: Vec<usize> = (0..drafts.len())
        .filter(|&i| {
            let finding = &drafts[i].finding;
            finding.primary && finding.p.is_some() && finding.verdict != Verdict::NotAssessable
        })
        .collect();
    let p: Vec<f64> = tested.iter().filter_map(|&i| drafts[i].finding.p).collect();
    let adjusted = transect_stats::holm(&p)?;
    let mut p_adjusted: Vec<Option<f64>> = vec![None; drafts.len()];
    for (&i, &p) in tested.iter().zip(&adjusted) {
        p_adjusted[i] = Some(p);
    }
    let family_size = tested.len() as u32;
    let grouped = study.context.group.is_some();
    let mut findings: Vec<Finding> = drafts
        .into_iter()
        .zip(p_adjusted)
        .map(|(draft, p)| opinion::settle(draft, p, family_size, grouped))
        .collect();
    let score = format!(
        "performance.{}",
        performance::primary_metric(study.context).name
    );
    opinion::temper_tolerances(&mut findings, &score);
    let outside: Vec<Finding> = outside
        .into_iter()
        .map(|draft| opinion::settle(draft, None, 0, false))
        .collect();
    let headline = headline::answer(&study, &findings);
    Ok(Judged {
        findings,
        figures,
        headline,
        outside,
    })
}
