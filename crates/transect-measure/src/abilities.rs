//! What can be asked of a run: told to the failure modes before they plan.

use transect_core::TruthRef;

use crate::job::{Job, Note, Source};
use crate::load::load;

/// Rows that are tried until one can be read.
const TRIED: usize = 10;

/// Looks at the rows, the first image that can be read and the model, and puts into the job's context what can be asked of
/// them: channels, ladders that fit them, outlines, a second truth, copies with other weights, the layer from
/// which on the model can be run, other thresholds. Where weights cannot be drawn anew, a note says why.
///
/// The other thresholds of a decoder are those halfway from its own to 0 and to 1: of 0.5 they are 0.25 and 0.75.
pub fn find_abilities(job: &mut Job) {
    let items = &job.dataset.items;
    let first = items
        .iter()
        .take(TRIED)
        .find_map(|item| load(job, item).ok());
    let channels = first
        .as_ref()
        .map_or(0, |loaded| loaded.image.channels() as u32);
    let has_outlines = items.iter().any(|i| matches!(i.truth, TruthRef::Path(_)));
    let has_second_truth = items.iter().any(|i| i.second_truth != TruthRef::None);
    let context = &mut job.context;
    context.channels = channels;
    if let Some(first) = &first {
        transect_optics::fit_ladders(&mut context.ladders, &first.image);
    }
    context.has_outlines = has_outlines;
    context.has_second_truth = has_second_truth;
    let Source::Model(model) = &job.source else {
        return;
    };
    match model.can_reinitialise() {
        Ok(()) => context.can_reinitialise = true,
        Err(error) => job.notes.push(Note::Fact(format!(
            "no copies of the model with random weights: {}",
            error.message
        ))),
    }
    context.head_layer = model.head_layer().map(str::to_owned);
    context.dense_layer = model.dense_layer().map(str::to_owned);
    context.other_thresholds = model
        .threshold()
        .map(|t| vec![t / 2.0, f64::midpoint(t, 1.0)])
        .unwrap_or_default();
}
