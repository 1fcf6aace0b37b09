//! Prior: what the data offer a lazy learner, before any model.
//!
//! Primary: `prior.lazy_learner` (share of the way from chance to all right that the format of the files alone goes, warns above
//! 0.2, fails above 0.5) and `prior.leakage` (share of tested images that are on the other side of the split too, warns above
//! 0.02, fails above 0.05).

mod duplicates;
mod headline;
mod labels;
mod lazy;
mod near;
mod question;
mod separable;
mod strata;

use transect_core::{Context, Request, Result};

use crate::Mode;
use crate::opinion::{Opinion, not_assessable};
use crate::study::Study;

pub use duplicates::LEAKAGE;
pub(crate) use headline::headline;
pub use lazy::LAZY_LEARNER;
pub use separable::LEAD;
pub use strata::LABEL_ASSOCIATION;

pub(crate) const MODE: Mode = Mode {
    name: "prior",
    question: "What do these data offer a lazy learner, before any model?",
    primaries: &["prior.lazy_learner", "prior.leakage"],
    plan,
    judge,
};

/// What needs truth, where there is none that can be used.
const UNANSWERED: [(&str, &str); 3] = [
    (
        "prior.lazy_learner",
        "Whether the truth can be told without looking at any object",
    ),
    ("prior.best", "What a lazy learner reaches"),
    ("prior.suspicious_labels", "Whether labels are doubtful"),
];

/// Nothing: what it reads is made of the images alone, in stage 0.
pub fn plan(_context: &Context) -> Vec<Request> {
    Vec::new()
}

/// What can be reached without looking at any object, and what is wrong with the data themselves.
///
/// # Errors
/// When a table cannot be read.
pub fn judge(study: &Study<'_>) -> Result<Opinion> {
    let mut opinion = Opinion::default();
    match question::question(study)? {
        Ok(question) => {
            lazy::judge(study, &question, &mut opinion)?;
            separable::judge(study, &question, &mut opinion)?;
            labels::judge(study, &question, &mut opinion)?;
        }
        Err(refused) => {
            for (id, what) in UNANSWERED {
                let mut finding = not_assessable(
                    id,
                    format!("{what} was not assessed: {}.", refused.why),
                    &refused.missing,
                );
                finding.primary = id == "prior.lazy_learner";
                opinion.drafts.push(finding.into());
            }
        }
    }
    strata::judge(study, &mut opinion)?;
    duplicates::judge(study, &mut opinion)?;
    Ok(opinion)
}
