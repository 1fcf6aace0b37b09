//! Prior: what the data offer a lazy learner, before any model.
//!
//! Primary: `prior.leakage` (share of tested images that are on the other side of the split too).

mod duplicates;
mod near;

use transect_core::{Context, Request, Result};

use crate::Mode;
use crate::opinion::Opinion;
use crate::study::Study;

pub use duplicates::LEAKAGE;

pub(crate) const MODE: Mode = Mode {
    name: "prior",
    question: "What do these data offer a lazy learner, before any model?",
    primaries: &["prior.lazy_learner", "prior.leakage"],
    plan,
    judge,
};

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
    duplicates::judge(study, &mut opinion)?;
    Ok(opinion)
}
