//! What the failure modes ask to be measured, merged.

use std::collections::BTreeSet;

use transect_core::{Context, Request, Selection, Stage, View};

/// Order of the stages and rows in which requests are merged.
fn place(request: &Request) -> (Stage, u8) {
    let rows = match request.rows {
        Selection::All => 0,
        Selection::Role(transect_core::Role::Reference) => 1,
        Selection::Role(transect_core::Role::Target) => 2,
    };
    (request.stage, rows)
}

/// Merges the requests of all modes: one for each stage and choice of rows, naming every mode that asks, each view once.
/// A view that is asked for all rows is not asked again for one side.
pub(crate) fn merge(requests: Vec<Request>) -> Vec<Request> {
    let mut merged: Vec<Request> = Vec::new();
    for request in requests {
        if request.views.is_empty() {
            continue;
        }
        if let Some(known) = merged
            .iter_mut()
            .find(|m| m.stage == request.stage && m.rows == request.rows)
        {
            if !known.mode.split(", ").any(|m| m == request.mode) {
                known.mode = format!("{}, {}", known.mode, request.mode);
            }
            known.views.extend(request.views);
        } else {
            merged.push(request);
        }
    }
    merged.sort_by_key(place);
    let mut for_all: BTreeSet<String> = BTreeSet::new();
    for request in &mut merged {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        request.views.retain(|v| {
            let id = v.id();
            !for_all.contains(&id) && seen.insert(id)
        });
        if request.rows == Selection::All {
            for_all.extend(seen);
        }
    }
    merged.retain(|r| !r.views.is_empty());
    merged
}

/// The image itself, of every row.
pub(crate) fn identity(mode: &str) -> Request {
    Request {
        mode: mode.to_owned(),
        stage: Stage::Own,
        rows: Selection::All,
        views: vec![View::identity()],
    }
}

/// Number of repetitions of what is random, by how much is measured.
pub(crate) fn replicates(context: &Context) -> u32 {
    if context.plan == transect_core::context::PlanLevel::Full {
        3
    } else {
        1
    }
}
