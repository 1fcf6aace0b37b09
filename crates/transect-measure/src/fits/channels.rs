//! Groups of channels by how much the prediction changes without them.

use std::collections::BTreeMap;

use transect_core::view::channel_group;
use transect_core::{AUDITED, Better, Measurement, Result, Status, ViewKind};
use transect_table::{MeasurementTable, read};

use super::Sources;

/// Groups of channels, the most used first: by the mean over rows of how far the prediction changes when the group is set to its
/// mean (`ablation:channels_mean=<group>` of stage 1). Of equal ones, and of those that were not measured, the lower first.
///
/// The change is, for classes, half the sum of |Δ probability| (or whether the class changes, where there are no
/// probabilities); otherwise |Δ| of the first score that is better when higher; without truth |Δ count| / max(count, 1), or
/// |Δ confidence|. Empty where nothing was measured.
pub(super) fn order(sources: &Sources<'_>) -> Result<Vec<u32>> {
    let columns = &sources.job.context.score_columns;
    let score = columns.iter().position(|c| c.better == Better::Higher);
    let model = sources.job.source.model_id(AUDITED);
    let mut whole: BTreeMap<u32, Measurement> = BTreeMap::new();
    let mut without: BTreeMap<(u32, u32), Measurement> = BTreeMap::new();
    for part in sources.own {
        let path = part.join("measurements.parquet");
        if !path.is_file() {
            continue;
        }
        read::<MeasurementTable>(&path, &mut |rows| {
            for m in rows.drain(..) {
                if m.model_id != model || m.status != Status::Ok {
                    continue;
                }
                match m.view.kind {
                    ViewKind::Identity => {
                        whole.insert(m.row, m);
                    }
                    ViewKind::Ablation if m.view.name == "channels_mean" => {
                        without.insert((m.view.value as u32, m.row), m);
                    }
                    _ => {}
                }
            }
            Ok(())
        })?;
    }
    if without.is_empty() {
        return Ok(Vec::new());
    }
    let channels = sources.job.context.channels;
    let groups = (0..u32::MAX)
        .take_while(|&g| !channel_group(channels, g).is_empty())
        .count() as u32;
    let mut changes: Vec<(f64, u32)> = (0..groups)
        .map(|group| {
            let all: Vec<f64> = without
                .range((group, 0)..=(group, u32::MAX))
                .filter_map(|((_, row), m)| change(whole.get(row)?, m, score))
                .collect();
            let mean = all.iter().sum::<f64>() / all.len().max(1) as f64;
            (if all.is_empty() { -1.0 } else { mean }, group)
        })
        .collect();
    changes.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    Ok(changes.into_iter().map(|(_, group)| group).collect())
}

/// How far one prediction is from another of the same row.
fn change(a: &Measurement, b: &Measurement, score: Option<usize>) -> Option<f64> {
    if let (Some(one), Some(other)) = (a.pred_class, b.pred_class) {
        if a.outputs.is_empty() || a.outputs.len() != b.outputs.len() {
            return Some(f64::from(u8::from(one != other)));
        }
        let sum: f64 = a
            .outputs
            .iter()
            .zip(&b.outputs)
            .map(|(p, q)| f64::from((p - q).abs()))
            .sum();
        return Some(sum / 2.0);
    }
    let of = |m: &Measurement| score.and_then(|i| m.scores.get(i).copied().flatten());
    if let (Some(one), Some(other)) = (of(a), of(b)) {
        return Some((one - other).abs());
    }
    if let (Some(one), Some(other)) = (a.pred_count, b.pred_count) {
        return Some((one - other).abs() / one.max(1.0));
    }
    Some((a.confidence? - b.confidence?).abs())
}
