//! Objects and sampled pixels of one view: what can be right or wrong by itself.

use transect_core::{LabelImage, Measurement, Prediction, Result, Stream};
use transect_score::{Overlaps, Truth};
use transect_table::{ElementKind, ElementRow};

/// Objects of one view that are kept: all up to this many, chosen at random beyond.
const OBJECTS: usize = 256;

/// Pixels of one view that are kept.
const PIXELS: usize = 64;

/// IoU from which on an object of the prediction is one of the truth.
const MATCHED: f64 = 0.5;

/// The elements of a view, sampled by a stream that hangs on the run's seed, the image and the view.
///
/// Instances: every predicted object, with the object of the truth that it matches one to one at IoU 0.5, and every missed
/// object. Without truth, predicted objects alone. Semantic: pixels drawn at random, without those to be ignored. Classes:
/// none.
///
/// # Errors
/// When truth and prediction are not of one size.
pub(crate) fn elements(
    prediction: &Prediction,
    truth: Option<&Truth>,
    of: &Measurement,
    seed: u64,
) -> Result<Vec<ElementRow>> {
    let mut stream = Stream::new(
        seed,
        "measure/elements",
        &[&of.image_sha256.0, of.view.id().as_bytes()],
    );
    let blank = |kind: ElementKind| ElementRow {
        row: of.row,
        image_sha256: of.image_sha256,
        model_id: of.model_id.clone(),
        view_id: of.view.id(),
        kind,
        truth: None,
        pred: None,
        confidence: None,
        iou: None,
        area_px: 1.0,
        place_px: [0.0, 0.0],
    };
    match prediction {
        Prediction::Classes(_) => Ok(Vec::new()),
        Prediction::Semantic(semantic) => {
            let classes = semantic.mask.labels();
            let (known, ignore) = match truth {
                Some(Truth::Mask { mask, ignore }) if mask.labels().len() == classes.len() => {
                    (Some(mask.labels()), *ignore)
                }
                _ => (None, None),
            };
            let columns = semantic.mask.columns().max(1);
            let mut rows = Vec::with_capacity(PIXELS);
            for _ in 0..PIXELS.min(classes.len()) {
                let at = stream.below(classes.len());
                let class = known.map(|k| k[at]).filter(|c| Some(*c) != ignore);
                if known.is_some() && class.is_none() {
                    continue;
                }
                rows.push(ElementRow {
                    truth: class,
                    pred: Some(classes[at]),
                    confidence: semantic.confidences.get(at).copied(),
                    place_px: [(at / columns) as f32, (at % columns) as f32],
                    ..blank(ElementKind::Pixel)
                });
            }
            Ok(rows)
        }
        Prediction::Instances(instances) => {
            let pred = places(&instances.labels);
            let mut rows: Vec<ElementRow> = pred
                .iter()
                .map(|p| ElementRow {
                    pred: Some(p.label),
                    confidence: instances
                        .confidences
                        .get((p.label as usize).wrapping_sub(1))
                        .copied(),
                    area_px: p.area as f32,
                    place_px: p.centre,
                    ..blank(ElementKind::Object)
                })
                .collect();
            if let Some(Truth::Labels(labels)) = truth {
                let overlaps = Overlaps::count(labels, &instances.labels)?;
                let matching = overlaps.matching(MATCHED);
                let mut found = Vec::new();
                for pair in &matching.pairs {
                    let (t, p) = (overlaps.truth()[pair.truth].0, overlaps.pred()[pair.pred].0);
                    found.push(t);
                    if let Some(row) = rows.iter_mut().find(|r| r.pred == Some(p)) {
                        row.truth = Some(t);
                        row.iou = Some(pair.iou as f32);
                    }
                }
                found.sort_unstable();
                rows.extend(
                    places(labels)
                        .iter()
                        .filter(|t| found.binary_search(&t.label).is_err())
                        .map(|t| ElementRow {
                            truth: Some(t.label),
                            area_px: t.area as f32,
                            place_px: t.centre,
                            ..blank(ElementKind::Object)
                        }),
                );
            }
            if rows.len() > OBJECTS {
                let mut order: Vec<usize> = (0..rows.len()).collect();
                stream.shuffle(&mut order);
                order.truncate(OBJECTS);
                order.sort_unstable();
                rows = order.into_iter().map(|i| rows[i].clone()).collect();
            }
            Ok(rows)
        }
    }
}

struct Place {
    label: u32,
    area: u64,
    centre: [f32; 2],
}

/// Area and centroid of every label but 0, in the order of the labels.
fn places(labels: &LabelImage) -> Vec<Place> {
    let mut sums: std::collections::BTreeMap<u32, (u64, f64, f64)> =
        std::collections::BTreeMap::new();
    let columns = labels.columns().max(1);
    for (at, &label) in labels.labels().iter().enumerate() {
        if label != 0 {
            let sum = sums.entry(label).or_default();
            sum.0 += 1;
            sum.1 += (at / columns) as f64;
            sum.2 += (at % columns) as f64;
        }
    }
    sums.into_iter()
        .map(|(label, (area, r, c))| Place {
            label,
            area,
            centre: [(r / area as f64) as f32, (c / area as f64) as f32],
        })
        .collect()
}
