//! Models that are sure of what they get wrong, and that see what is not there.

use transect_core::{AUDITED, Role, Status, Stream, Task, TruthRef, ViewKind};
use transect_table::MemoryTables;

/// What is planted. The default plants nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Flaw {
    /// Classification: the confidence of every answer to an image; `None` leaves them.
    pub sure: Option<f64>,
    /// Share of images without objects on which one to five are seen.
    pub phantoms: f64,
    /// Classification: share of images without objects of which it is as sure as can be; it is unsure of the others.
    pub sure_of_nothing: f64,
    /// Classification: share of target images that are of a class that the model does not have.
    pub unknown: f64,
    /// Share of those of which it is as sure as can be.
    pub sure_of_unknown: f64,
}

/// Plants a flaw in the tables of a run.
pub fn plant(tables: &mut MemoryTables, flaw: &Flaw) {
    let seed = tables.run.context.seed;
    let stream = |row: u32, what: &str| {
        Stream::new(
            seed,
            "anatomy/simulate/hallucination",
            &[&row.to_le_bytes(), what.as_bytes()],
        )
    };
    let classes = tables.run.context.task == Task::Classification;
    let mut unknown = vec![false; tables.items.len()];
    for record in &mut tables.items {
        if classes
            && record.item.role == Role::Target
            && stream(record.item.row, "unknown").uniform() < flaw.unknown
        {
            unknown[record.item.row as usize] = true;
            record.truth_class = None;
            record.item.truth = TruthRef::Class("something else".to_owned());
        }
    }
    for m in &mut tables.measurements {
        if m.model_id != AUDITED || m.status != Status::Ok {
            continue;
        }
        let mut draw = stream(m.row, &m.view.id());
        let row = m.row as usize;
        let confidence = match m.view.kind {
            ViewKind::Surrogate => {
                if !classes {
                    let seen = draw.uniform() < flaw.phantoms;
                    m.pred_count = Some(if seen {
                        (1 + draw.below(5)) as f64
                    } else {
                        0.0
                    });
                    continue;
                }
                Some(if draw.uniform() < flaw.sure_of_nothing {
                    1.0
                } else {
                    1.0 / m.outputs.len().max(1) as f64
                })
            }
            ViewKind::Identity if unknown[row] => {
                m.scores.fill(None);
                Some(if draw.uniform() < flaw.sure_of_unknown {
                    1.0
                } else {
                    1.0 / m.outputs.len().max(1) as f64
                })
            }
            ViewKind::Identity => flaw.sure,
            _ => None,
        };
        let (Some(confidence), Some(class), true) = (confidence, m.pred_class, classes) else {
            continue;
        };
        let rest = (1.0 - confidence) / (m.outputs.len().max(2) - 1) as f64;
        for (k, p) in m.outputs.iter_mut().enumerate() {
            *p = if k == class as usize {
                confidence
            } else {
                rest
            } as f32;
        }
        m.confidence = Some(confidence);
    }
}
