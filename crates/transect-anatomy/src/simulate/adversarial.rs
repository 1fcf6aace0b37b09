//! Searches that break a set share of predictions.

use transect_core::{Digest, Status, Stream, Task, ViewKind};
use transect_table::{MemoryTables, TraceRow};

/// Class, number of objects, and whether it was right.
type Said = (Option<u32>, Option<f64>, bool);

/// Gives every search of the run an outcome: `broken` of the predictions that were right at first break, somewhere along the
/// budget and at some distance within the reach; under the controls (`…_random`) a fifth as many. Images that were wrong at
/// first are skipped, as a run skips them.
pub fn plant(tables: &mut MemoryTables, broken: f64) {
    let classes = tables.run.context.task == Task::Classification;
    let seed = tables.run.context.seed;
    let clean: Vec<Option<Said>> = tables
        .items
        .iter()
        .map(|item| {
            let m = tables.measurements.iter().find(|m| {
                m.row == item.item.row && m.view.kind == ViewKind::Identity && m.model_id == "given"
            })?;
            let right = if classes {
                m.pred_class == item.truth_class
            } else {
                true
            };
            (m.status == Status::Ok).then_some((m.pred_class, m.pred_count, right))
        })
        .collect();
    let mut traces = Vec::new();
    for m in &mut tables.measurements {
        if m.view.kind != ViewKind::Search || m.status != Status::Ok {
            continue;
        }
        let Some((class, count, true)) = clean[m.row as usize] else {
            m.status = Status::Skipped;
            m.error_code = Some("T612".to_owned());
            continue;
        };
        let mut stream = Stream::new(
            seed,
            "anatomy/simulate/search",
            &[&m.row.to_le_bytes(), m.view.id().as_bytes()],
        );
        let chance = if m.view.name.ends_with("_random") {
            broken / 5.0
        } else {
            broken
        };
        let step = |query: u32, broke: bool, distance: f64| TraceRow {
            row: m.row,
            image_sha256: Digest::default(),
            model_id: m.model_id.clone(),
            view_id: m.view.id(),
            query,
            objective: if broke { -1.0 } else { 1.0 },
            score: Some(f64::from(u8::from(!broke))),
            pred_class: class.map(|c| if broke { c + 1 } else { c }),
            pred_count: count.map(|c| if broke { 2.0 * c + 1.0 } else { c }),
            distance,
            parameters: Vec::new(),
        };
        traces.push(step(0, false, 0.0));
        if stream.uniform() < chance {
            let query = 1 + stream.below(m.view.budget as usize - 1) as u32;
            traces.push(step(query, true, m.view.value * stream.uniform()));
        } else {
            traces.push(step(m.view.budget, false, m.view.value));
        }
    }
    tables.traces = traces;
}
