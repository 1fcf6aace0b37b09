//! Models that are worse on a subgroup that a column names, or on a slice that nobody named.

use transect_core::{AUDITED, Status, Stream, Task, ViewKind};
use transect_table::MemoryTables;

/// What is planted in a run of classification. The default plants a column that has nothing to say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flaw {
    /// Share of images whose column `instrument` is `c`; the others are `a` or `b`.
    pub size: f64,
    /// Whether whole groups have one instrument.
    pub by_group: bool,
    /// Additional risk where the instrument is `c`.
    pub column: f64,
    /// Additional risk where the background is above its median and the signal-to-noise ratio at most at its own.
    pub slice: f64,
}

impl Default for Flaw {
    fn default() -> Self {
        Self {
            size: 0.25,
            by_group: false,
            column: 0.0,
            slice: 0.0,
        }
    }
}

/// Plants a flaw in the tables of a run of classification.
pub fn plant(tables: &mut MemoryTables, flaw: &Flaw) {
    if tables.run.context.task != Task::Classification {
        return;
    }
    let seed = tables.run.context.seed;
    let stream = |key: &[u8], what: &str| {
        Stream::new(seed, "anatomy/simulate/bias", &[key, what.as_bytes()])
    };
    let median = |name: &str| {
        let mut values: Vec<f64> = tables
            .items
            .iter()
            .filter_map(|i| i.attribute(name))
            .collect();
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    let (background, snr) = (median("background"), median("snr"));
    let mut additional = vec![0.0; tables.items.len()];
    for record in &mut tables.items {
        let row = record.item.row;
        let key = match (&record.item.group, flaw.by_group) {
            (Some(group), true) => group.as_bytes().to_vec(),
            _ => row.to_le_bytes().to_vec(),
        };
        let draw = stream(&key, "instrument").uniform();
        let instrument = if draw < flaw.size {
            "c"
        } else if draw < flaw.size + 0.5 * (1.0 - flaw.size) {
            "a"
        } else {
            "b"
        };
        record
            .item
            .columns
            .insert("instrument".to_owned(), instrument.to_owned());
        let in_slice = record
            .attribute("background")
            .is_some_and(|v| v > background)
            && record.attribute("snr").is_some_and(|v| v <= snr);
        additional[row as usize] = f64::from(u8::from(instrument == "c")) * flaw.column
            + f64::from(u8::from(in_slice)) * flaw.slice;
    }
    let k = tables.run.context.classes.len() as u32;
    let truth: Vec<Option<u32>> = tables.items.iter().map(|i| i.truth_class).collect();
    let identity = |m: &&mut transect_core::Measurement| {
        m.view.kind == ViewKind::Identity && m.model_id == AUDITED && m.status == Status::Ok
    };
    let right: Vec<f64> = tables
        .measurements
        .iter_mut()
        .filter(identity)
        .filter_map(|m| m.scores.first().copied().flatten())
        .collect();
    let base = right.iter().sum::<f64>() / right.len().max(1) as f64;
    for m in tables.measurements.iter_mut().filter(identity) {
        let row = m.row as usize;
        let turned =
            stream(&m.row.to_le_bytes(), "turn").uniform() < additional[row] / base.max(1e-9);
        if let (true, Some(score), Some(class)) = (turned, m.scores.first_mut(), truth[row]) {
            *score = Some(0.0);
            m.pred_class = Some((class + 1) % k.max(2));
        }
    }
}
