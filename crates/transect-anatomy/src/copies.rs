//! Re-initialised copies of the model: the same graph, weights drawn anew. What they reach, the architecture reaches without
//! having learned anything.

use transect_core::context::PlanLevel;
use transect_core::{Context, Request, Role, Selection, Stage, View};

/// Most copies that there are.
pub(crate) const MOST: u32 = 5;

/// Copies that are run, by how much is measured; 0 where weights cannot be drawn anew.
pub(crate) fn count(context: &Context) -> u32 {
    match context.plan {
        _ if context.predictions_only || !context.can_reinitialise => 0,
        PlanLevel::Quick => 3,
        PlanLevel::Standard | PlanLevel::Full => MOST,
    }
}

/// Name of a copy in the tables.
pub(crate) fn name(copy: u32) -> String {
    format!("reinit:{copy}")
}

/// Target images that the copies see, at most.
pub(crate) fn most(context: &Context) -> u32 {
    match context.plan {
        PlanLevel::Quick => 100,
        PlanLevel::Standard => 300,
        PlanLevel::Full => 2_000,
    }
}

/// The images themselves under every copy. Copies with normalisation layers need what `gather` re-estimates, so they are run in
/// stage 2.
pub(crate) fn requests(context: &Context, mode: &str) -> Vec<Request> {
    (0..count(context))
        .map(|copy| {
            Request::new(
                mode,
                Stage::Partner,
                Selection::Sample(Role::Target, most(context)),
                vec![View::identity()],
            )
            .of_model(name(copy))
        })
        .collect()
}
