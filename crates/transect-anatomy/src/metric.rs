//! Metric: does the number mean what it is taken for?
//!
//! Primary: `metric.separation`, what the claimed metric (else the task's primary one) gives the model more than re-initialised
//! copies of it and answers that never change. Bad is low: passes when it tells the model from all of them, fails when the
//! difference to one of them is under the margin 0.02.

mod answers;
mod ceiling;
mod choices;
mod order;
mod separation;

use transect_core::context::PlanLevel;
use transect_core::{Better, Context, Request, Result, Role, Selection, Stage, View};
use transect_score::metric::{self, Metric};

use crate::baseline;
use crate::opinion::{Opinion, not_assessable};
use crate::study::Study;
use crate::{Mode, copies, performance, plan as merging};

pub use order::ALIKE;

/// Fewest images for anything about the metric.
pub const FEWEST: usize = 20;
/// The second truth, as a model.
pub const ANNOTATOR: &str = "annotator";
/// Target images under other thresholds of the decoder in a standard plan.
const THRESHOLD_IMAGES: u32 = 300;

pub(crate) const MODE: Mode = Mode {
    name: "metric",
    question: "Does the number mean what it is taken for?",
    primaries: &["metric.separation"],
    plan,
    judge,
};

/// Name of the model whose decoder has another threshold.
pub(crate) fn with_threshold(value: f64) -> String {
    format!("threshold:{value}")
}

/// The images themselves under the model, its re-initialised copies, Otsu's method (outlines), the second annotator, and other
/// thresholds of the decoder.
pub fn plan(context: &Context) -> Vec<Request> {
    let mut requests = vec![merging::identity("metric")];
    if !context.has_truth {
        return requests;
    }
    requests.extend(copies::requests(context, "metric"));
    if baseline::otsu_applies(context) {
        requests.push(baseline::otsu(context, "metric"));
    }
    let identity = || vec![View::identity()];
    if context.has_second_truth {
        requests.push(
            Request::new("metric", Stage::Own, Selection::All, identity()).of_model(ANNOTATOR),
        );
    }
    let rows = match context.plan {
        PlanLevel::Quick => return requests,
        PlanLevel::Standard => Selection::Sample(Role::Target, THRESHOLD_IMAGES),
        PlanLevel::Full => Selection::Role(Role::Target),
    };
    if !context.predictions_only {
        for &value in &context.other_thresholds {
            requests.push(
                Request::new("metric", Stage::Own, rows, identity())
                    .of_model(with_threshold(value)),
            );
        }
    }
    requests
}

/// The metric that is looked at: the claimed one where more (or less) of it is better, else the task's primary one.
pub(crate) fn looked_at(context: &Context) -> &'static Metric {
    let claimed = performance::primary_metric(context);
    if claimed.better == Better::Neither {
        metric::primary(context.task)
    } else {
        claimed
    }
}

/// What the metric is worth on these images.
///
/// # Errors
/// When a table cannot be read, or a measurement does not have the scores of the plan.
pub fn judge(study: &Study<'_>) -> Result<Opinion> {
    let mut opinion = Opinion::default();
    let target = study.scored(Role::Target);
    if target.len() < FEWEST {
        let mut finding = not_assessable(
            "metric.separation",
            format!(
                "Whether the metric tells the model from one that learned nothing was not assessed: {} with a score are too few.",
                crate::words::images(target.len())
            ),
            format!("at least {FEWEST} target images with truth, in the model's terms"),
        );
        finding.primary = true;
        opinion.drafts.push(finding.into());
        return Ok(opinion);
    }
    let models = answers::Models::read(study)?;
    separation::judge(study, &models, &target, &mut opinion)?;
    order::judge(study, &models, &target, &mut opinion)?;
    ceiling::judge(study, &models, &mut opinion)?;
    choices::judge(study, &models, &target, &mut opinion)?;
    Ok(opinion)
}
