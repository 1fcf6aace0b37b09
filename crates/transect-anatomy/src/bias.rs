//! Bias: for whom, and on what, is it worse than on the rest?
//!
//! Primaries: `bias.worst_subgroup`, the largest difference in risk between a subgroup that was named beforehand (by a column of
//! the manifest or thirds of an attribute) and the rest, with bounds that hold over all subgroups together; and
//! `bias.worst_slice`, the same of slices that were found on one half of the images and confirmed on the other. Bad is high:
//! both warn above 0.05 and fail above 0.10.

mod classes;
mod parts;
mod slices;
mod subgroups;

use transect_core::{Context, Request, Result, Role, Threshold};

use crate::opinion::{Opinion, not_assessable};
use crate::study::Study;
use crate::{Mode, plan as merging, words};

pub use parts::{FEWEST_ROWS, MOST_VALUES};

/// Additional risk of a subgroup over the rest, above which the finding warns and fails.
pub const GAP: Threshold = Threshold {
    warn: 0.05,
    fail: 0.10,
};
/// Fewest scored images for anything about subgroups.
const FEWEST: usize = 40;

pub(crate) const MODE: Mode = Mode {
    name: "bias",
    question: "For whom, and on what, is it worse than on the rest?",
    primaries: &["bias.worst_subgroup", "bias.worst_slice"],
    plan,
    judge,
};

/// The images themselves.
pub fn plan(_: &Context) -> Vec<Request> {
    vec![merging::identity("bias")]
}

/// Where it is worse than on the rest.
///
/// # Errors
/// When a table cannot be read.
pub fn judge(study: &Study<'_>) -> Result<Opinion> {
    let mut opinion = Opinion::default();
    let rows = study.scored(Role::Target);
    if rows.len() < FEWEST {
        for id in ["bias.worst_subgroup", "bias.worst_slice"] {
            let mut finding = not_assessable(
                id,
                format!(
                    "Whether it is worse on some images than on the rest was not assessed: {} with a score are too few.",
                    words::images(rows.len())
                ),
                format!("at least {FEWEST} target images with truth"),
            );
            finding.primary = true;
            opinion.drafts.push(finding.into());
        }
        return Ok(opinion);
    }
    subgroups::judge(study, &rows, &mut opinion)?;
    classes::judge(study, &rows, &mut opinion)?;
    slices::judge(study, &rows, &mut opinion)?;
    Ok(opinion)
}

/// Risks of scored rows.
fn risks(study: &Study<'_>, rows: &[usize]) -> Vec<f64> {
    rows.iter()
        .map(|&i| study.rows[i].risk().unwrap_or(1.0))
        .collect()
}
