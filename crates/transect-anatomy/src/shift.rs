//! Shift: do these images differ from those that the claim was made on, in what, and does it harm?
//!
//! Primary: `shift.classifier_auc` (bad is high: warns above 0.60, fails above 0.70) and `shift.harm` (harmful above the
//! margin 0.05, benign under it).

mod appearance;
mod carries;
mod harm;

use transect_core::context::PlanLevel;
use transect_core::{Context, Request, Result, Role, Selection, Stage, Status, View};

use crate::opinion::{Opinion, not_assessable};
use crate::study::Study;
use crate::{Mode, plan as merging};

pub use appearance::{ATTRIBUTE_EFFECT, CLASSIFIER_AUC};
pub use carries::CARRIES;
pub use harm::HARM;

/// Pool of donors that the harm is looked for in.
pub const POOL: &str = "target";
/// Pool of the control: the same change within the reference.
pub const CONTROL: &str = "reference";

pub(crate) const MODE: Mode = Mode {
    name: "shift",
    question: "Do these images differ from the reference, in what, and does it harm?",
    primaries: &["shift.classifier_auc", "shift.harm"],
    plan,
    judge,
};

/// Traits that are moved, by how much is measured.
pub fn traits(context: &Context) -> &'static [&'static str] {
    match context.plan {
        PlanLevel::Quick => &["style", "magnification", "all"],
        PlanLevel::Standard | PlanLevel::Full => &[
            "style",
            "focus",
            "noise",
            "illumination",
            "magnification",
            "all",
        ],
    }
}

/// The images themselves; and, where there are reference images and truth, reference images with their traits moved to those
/// of target images, and to those of other reference images as the control.
pub fn plan(context: &Context) -> Vec<Request> {
    let mut requests = vec![merging::identity("shift")];
    if context.has_reference && context.has_truth && !context.predictions_only {
        let donors = merging::replicates(context);
        let mut views = Vec::new();
        for name in traits(context) {
            for pool in [POOL, CONTROL] {
                views.extend((0..donors).map(|replicate| View::swap(name, pool, replicate)));
            }
        }
        requests.push(Request::new(
            "shift",
            Stage::Partner,
            Selection::Role(Role::Reference),
            views,
        ));
    }
    requests
}

/// Whether the images differ, in what, and whether it harms.
///
/// # Errors
/// When a table cannot be read.
pub fn judge(study: &Study<'_>) -> Result<Opinion> {
    let mut opinion = Opinion::default();
    let (target, reference) = (
        readable(study, Role::Target),
        readable(study, Role::Reference),
    );
    if reference.is_empty() || target.is_empty() {
        let (side, missing) = if reference.is_empty() {
            (
                "reference",
                "images that the claim was made on: --reference or --reference-where",
            )
        } else {
            ("target", "target images that can be read: --data")
        };
        for (id, question) in [
            (
                "shift.classifier_auc",
                "Whether the images differ from the reference",
            ),
            (
                "shift.outside_envelope",
                "How many images lie outside of what the reference spans",
            ),
            (
                "shift.class_mix",
                "Whether the classes are mixed as in the reference",
            ),
            ("shift.harm", "Whether a difference harms"),
            (
                "shift.harm_conditional",
                "How much of a harm comes from appearance and how much from the class mix",
            ),
            ("shift.carries", "What carries a harm"),
        ] {
            let mut finding = not_assessable(
                id,
                format!("{question} was not assessed: there are no {side} images."),
                missing,
            );
            finding.primary = matches!(id, "shift.classifier_auc" | "shift.harm");
            opinion.drafts.push(finding.into());
        }
        return Ok(opinion);
    }
    let shifted = appearance::judge(study, &target, &reference, &mut opinion)?;
    let harm = harm::judge(study, &shifted, &mut opinion)?;
    carries::judge(study, harm.as_ref(), &mut opinion)?;
    Ok(opinion)
}

/// Rows of a side whose image could be read.
fn readable(study: &Study<'_>, role: Role) -> Vec<usize> {
    study
        .side(role)
        .into_iter()
        .filter(|&i| study.tables.items()[i].status == Status::Ok)
        .collect()
}

/// The target images that could be read, and where each lies of the reference's joint envelope; `None` where there is nothing
/// to compare.
pub(crate) fn joint_envelope(
    study: &Study<'_>,
) -> Result<Option<(Vec<usize>, transect_stats::Envelope)>> {
    let (target, reference) = (
        readable(study, Role::Target),
        readable(study, Role::Reference),
    );
    let found = appearance::joint_envelope(study, &target, &reference)?;
    Ok(found.map(|envelope| (target, envelope)))
}

/// The side's name in a sentence, with its domains where there are any.
pub(crate) fn side_words(study: &Study<'_>, rows: &[usize], side: &str) -> String {
    study.domain_words(rows).map_or_else(
        || format!("the {side}"),
        |domains| format!("the {side} ({domains})"),
    )
}
