//! Hallucination: is it sure and wrong, and does it see what is not there?
//!
//! Primary: `hallucination.confident_errors`, the share of wrong answers among those given with a confidence of 0.9 or more (bad
//! is high: it warns above 0.05 and fails above 0.10, which a calibrated model never goes beyond), and, where the model
//! outlines objects, `hallucination.phantom_objects`, the share of images without an object on which it sees one (warns above
//! 0.05, fails above 0.10).

mod errors;
mod outside;
mod phantoms;
mod unknown;

use transect_core::context::PlanLevel;
use transect_core::figure::Drawing;
use transect_core::view::SURROGATES;
use transect_core::{
    Context, Figure, Request, Result, Role, Selection, Stage, Status, Task, Threshold, View,
    ViewKind,
};

use crate::answers::Answers;
use crate::opinion::Opinion;
use crate::study::Study;
use crate::{Mode, plan as merging};

pub use phantoms::{FOREGROUND, PHANTOMS};

/// Confidence from which on an answer is a confident one.
pub const CONFIDENT: f64 = 0.9;
/// Share of wrong answers among the confident ones above which the finding warns and fails. A calibrated model has at most 0.10.
pub const CONFIDENT_ERRORS: Threshold = Threshold {
    warn: 0.05,
    fail: 0.10,
};
/// Share of images about which nothing can be said, but is, with a confidence at or above the median of right answers, above
/// which it warns. Never worse than a warning. A confidence that tells nothing gives one half.
pub const AS_SURE: Threshold = Threshold {
    warn: 0.10,
    fail: 0.25,
};
/// Fewest images of a sort.
const FEWEST: usize = 20;

pub(crate) const MODE: Mode = Mode {
    name: "hallucination",
    question: "Is it sure and wrong, and does it see what is not there?",
    primaries: &[
        "hallucination.confident_errors",
        "hallucination.phantom_objects",
    ],
    plan,
    judge,
};

/// The images themselves; but for the quick plan, up to 100 of the target (300 in full) turned into images without objects.
pub fn plan(context: &Context) -> Vec<Request> {
    let mut requests = vec![merging::identity("hallucination")];
    if context.predictions_only || context.plan == PlanLevel::Quick {
        return requests;
    }
    let most = if context.plan == PlanLevel::Full {
        300
    } else {
        100
    };
    requests.push(Request::new(
        "hallucination",
        Stage::Own,
        Selection::Sample(Role::Target, most),
        SURROGATES
            .iter()
            .map(|(name, _)| View::of(ViewKind::Surrogate, name))
            .collect(),
    ));
    requests
}

/// Where it is sure without reason.
///
/// # Errors
/// When a table cannot be read.
pub fn judge(study: &Study<'_>) -> Result<Opinion> {
    let mut opinion = Opinion::default();
    let answers = Answers::of(study, Role::Target)?;
    let mut sure = Sure::of(study, answers.as_ref());
    errors::judge(study, answers.as_ref(), &mut opinion)?;
    phantoms::judge(study, &mut sure, &mut opinion)?;
    unknown::judge(study, &mut sure, &mut opinion)?;
    outside::judge(study, &mut sure, &mut opinion)?;
    sure.figure(study, &mut opinion)?;
    Ok(opinion)
}

/// How sure the model is of what: the yardstick that other confidences are held against, and what the figure draws.
struct Sure {
    /// Median confidence of right answers on target images; `None` where there are too few.
    median_of_right: Option<f64>,
    /// Name and confidences.
    drawn: Vec<(String, Vec<f64>)>,
}

impl Sure {
    fn of(study: &Study<'_>, answers: Option<&Answers>) -> Self {
        let mut made = Self {
            median_of_right: None,
            drawn: Vec::new(),
        };
        let Some(answers) = answers else { return made };
        let (mut right, mut wrong) = (Vec::new(), Vec::new());
        for (c, &r) in answers.confidence.iter().zip(&answers.right) {
            if r { &mut right } else { &mut wrong }.push(*c);
        }
        if right.len() >= FEWEST && study.context.task == Task::Classification {
            made.median_of_right = transect_stats::median(&right).ok();
        }
        made.drawn = vec![("right".to_owned(), right), ("wrong".to_owned(), wrong)];
        made
    }

    fn draw(&mut self, name: &str, confidences: &[f64]) {
        self.drawn.push((name.to_owned(), confidences.to_vec()));
    }

    fn figure(self, study: &Study<'_>, opinion: &mut Opinion) -> Result<()> {
        let percents: Vec<f64> = (0..=100).map(|q| f64::from(q) / 100.0).collect();
        let series = self
            .drawn
            .into_iter()
            .filter(|(_, c)| c.len() >= 5)
            .map(|(name, c)| {
                let label = format!("{name} ({})", c.len());
                Ok((label, transect_stats::quantiles(&c, &percents)?))
            })
            .collect::<Result<Vec<_>>>()?;
        if series.is_empty() {
            return Ok(());
        }
        let part = crate::answers::Part::of(study.context.task).many();
        opinion.figures.push(Figure {
            id: "hallucination.confidence".to_owned(),
            mode: "hallucination".to_owned(),
            title: "How sure is it, of what?".to_owned(),
            caption: format!(
                "Confidence of the model as quantiles, over {part} for right and wrong answers. A model that knows what it does not know is less sure of everything but the right answers."
            ),
            drawing: Drawing::Distribution {
                x: "confidence".to_owned(),
                series,
            },
        });
        Ok(())
    }
}

/// Confidence of a row's answer, where it was measured.
fn confidence(study: &Study<'_>, row: usize) -> Option<f64> {
    let seen = study.rows[row].seen.as_ref()?;
    seen.confidence
        .filter(|c| seen.status == Status::Ok && (0.0..=1.001).contains(c))
}
