//! What the failure modes ask to be measured, merged.

use std::collections::{BTreeMap, BTreeSet};

use transect_core::{AUDITED, Context, Request, Role, Selection, Stage, View};

/// Order of the stages, models and rows in which requests are merged: the audited model first.
fn place(request: &Request) -> (Stage, bool, String, u8, u32) {
    let (rows, most) = match request.rows {
        Selection::All => (0, 0),
        Selection::Role(Role::Reference) => (1, 0),
        Selection::Role(Role::Target) => (2, 0),
        Selection::Sample(Role::Reference, most) => (3, most),
        Selection::Sample(Role::Target, most) => (4, most),
    };
    (
        request.stage,
        request.model != AUDITED,
        request.model.clone(),
        rows,
        most,
    )
}

/// Merges the requests of all modes: one for each stage, model and choice of rows, naming every mode that asks, each view
/// once. A view that is asked for all rows is not asked again for some of them.
pub(crate) fn merge(requests: Vec<Request>) -> Vec<Request> {
    let mut merged: Vec<Request> = Vec::new();
    for request in requests {
        if request.views.is_empty() {
            continue;
        }
        if let Some(known) = merged.iter_mut().find(|m| {
            m.stage == request.stage && m.model == request.model && m.rows == request.rows
        }) {
            if !known.mode.split(", ").any(|m| m == request.mode) {
                known.mode = format!("{}, {}", known.mode, request.mode);
            }
            known.views.extend(request.views);
            known.pixels |= request.pixels;
        } else {
            merged.push(request);
        }
    }
    merged.sort_by_key(place);
    let mut for_all: BTreeMap<(Stage, String), BTreeSet<String>> = BTreeMap::new();
    for request in &mut merged {
        let of_all = for_all
            .entry((request.stage, request.model.clone()))
            .or_default();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        request.views.retain(|v| {
            let id = v.id();
            !of_all.contains(&id) && seen.insert(id)
        });
        if request.rows == Selection::All {
            of_all.extend(seen);
        }
    }
    merged.retain(|r| !r.views.is_empty());
    merged
}

/// The image itself, of every row.
pub(crate) fn identity(mode: &str) -> Request {
    Request::new(mode, Stage::Own, Selection::All, vec![View::identity()])
}

/// Number of repetitions of what is random, by how much is measured.
pub(crate) fn replicates(context: &Context) -> u32 {
    if context.plan == transect_core::context::PlanLevel::Full {
        3
    } else {
        1
    }
}
