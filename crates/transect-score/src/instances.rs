//! Label images against label images.

use transect_core::{LabelImage, Result};

use crate::aggregated::{aji, aji_plus};
use crate::columns::instance;
use crate::division::merges_and_splits;
use crate::matching::{Matching, Overlaps, THRESHOLDS};
use crate::semantic::{dice, iou};
use crate::surface::{Outline, compare};

/// The columns of instance segmentation, in their order.
pub(crate) fn score(
    truth: &LabelImage,
    pred: &LabelImage,
    tolerance_px: Option<f64>,
) -> Result<Vec<Option<f64>>> {
    let overlaps = Overlaps::count(truth, pred)?;
    let matchings: Vec<Matching> = THRESHOLDS
        .iter()
        .map(|&thresh| overlaps.matching(thresh))
        .collect();
    let (at_50, at_75) = (&matchings[0], &matchings[5]);
    let mean = matchings
        .iter()
        .map(Matching::average_precision)
        .sum::<f64>()
        / matchings.len() as f64;
    let (shared, union) = (overlaps.intersection() as f64, overlaps.union() as f64);
    let [merges, splits] = merges_and_splits(&overlaps);
    let shape = [truth.rows(), truth.columns()];
    let outline = |of: &LabelImage| Outline::of(shape[0], shape[1], |at| of.labels()[at] > 0);
    let [hd95, surface_dice] = compare(&outline(truth), &outline(pred), shape, tolerance_px);
    let mut scores = vec![Some(0.0); instance::COUNT];
    for (place, matching) in matchings.iter().enumerate() {
        scores[instance::TP + place] = Some(matching.tp() as f64);
    }
    for (place, value) in [
        (instance::N_TRUE, overlaps.n_true() as f64),
        (instance::N_PRED, overlaps.n_pred() as f64),
        (instance::SUM_IOU_50, at_50.sum_iou),
        (instance::AP_50, at_50.average_precision()),
        (instance::AP_75, at_75.average_precision()),
        (instance::AP, mean),
        (instance::F1_50, at_50.f1()),
        (instance::PQ, at_50.panoptic_quality()),
        (
            instance::COUNT_ERROR,
            overlaps.n_pred() as f64 - overlaps.n_true() as f64,
        ),
        (instance::IOU, iou(shared, union)),
        (instance::DICE, dice(shared, union)),
        (instance::INTERSECTION, shared),
        (instance::UNION, union),
        (instance::N_TRUE_PX, overlaps.n_true_px() as f64),
        (instance::N_PIXELS, overlaps.n_pixels() as f64),
        (instance::AJI, aji(&overlaps)),
        (instance::AJI_PLUS, aji_plus(&overlaps)),
        (instance::MERGES, merges as f64),
        (instance::SPLITS, splits as f64),
    ] {
        scores[place] = Some(value);
    }
    scores[instance::HD95] = hd95;
    scores[instance::SURFACE_DICE] = surface_dice;
    Ok(scores)
}
