//! Pictures for the report: named views, made again.

use transect_core::{
    AUDITED, Error, Fits, Image, LabelImage, Prediction, Result, View, ViewKind, codes,
};
use transect_score::Truth;

use crate::describe::Known;
use crate::job::{Job, Source};
use crate::load::load;
use crate::predictor::{Predictor, Shown};

/// Longest side of a picture, pixels.
const SIDE: usize = 360;

/// Colour of the truth's outline: blue of Okabe and Ito.
const TRUTH: [u8; 3] = [86, 180, 233];
/// Colour of the prediction's outline: orange of Okabe and Ito.
const PREDICTION: [u8; 3] = [230, 159, 0];
/// Where both run: white.
const BOTH: [u8; 3] = [255, 255, 255];

/// A picture of one view of one row.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Manifest row.
    pub row: u32,
    /// PNG bytes.
    pub png: Vec<u8>,
    /// What the model said, in words.
    pub said: String,
}

/// Makes a view of a row again, predicts on it, and draws it: truth outlined in blue, prediction in orange, both in white. Of
/// images alone the image itself with its truth.
///
/// # Errors
/// Whatever keeps the row from being read or predicted.
pub fn render(job: &Job, row: u32, view: &View, fits: &Fits) -> Result<Picture> {
    let item = job.dataset.items.get(row as usize).ok_or_else(|| {
        Error::new(
            &codes::measure::NOTHING_TO_MEASURE,
            format!("there is no row {row}"),
        )
    })?;
    let loaded = load(job, item)?;
    let known = (view.kind == ViewKind::Swap).then(|| Known::of(job, &loaded));
    let labels = match &loaded.truth {
        Some(Truth::Labels(labels) | Truth::Mask { mask: labels, .. }) => Some(labels.clone()),
        _ => None,
    };
    if matches!(job.source, Source::None) {
        return Ok(Picture {
            row,
            png: outline(&loaded.image, labels.as_ref(), None),
            said: String::new(),
        });
    }
    let mut predictor = Predictor::new(job, AUDITED, fits)?;
    let made = transect_optics::make_view(
        &loaded.image,
        labels.as_ref(),
        view,
        &transect_optics::MakeContext {
            modality: job.context.modality,
            optics: job.context.optics,
            seed: job.context.seed,
            image_sha256: loaded.sha256,
            fits,
            profile: known.as_ref().map(|k| &k.profile),
            cameras: None,
        },
    )?;
    let prediction = predictor
        .predict(&Shown {
            item,
            view,
            image: &made.image,
            second: None,
        })?
        .prediction;
    let said = match &prediction {
        Prediction::Classes(classes) => {
            let class = classes.class();
            let name = job.context.classes.get(class).map_or("—", String::as_str);
            format!(
                "predicted {name} at {:.0}% confidence",
                100.0 * classes.probabilities[class]
            )
        }
        Prediction::Semantic(_) => "predicted outline".to_owned(),
        Prediction::Instances(instances) => {
            format!(
                "{} objects predicted",
                instances.labels.labels().iter().max().unwrap_or(&0)
            )
        }
    };
    let mask = match &prediction {
        Prediction::Classes(_) => None,
        Prediction::Semantic(semantic) => Some(&semantic.mask),
        Prediction::Instances(instances) => Some(&instances.labels),
    };
    Ok(Picture {
        row,
        png: outline(&made.image, made.truth.as_ref().or(labels.as_ref()), mask),
        said,
    })
}

/// An image as a PNG of at most 360 pixels a side, with the outlines of truth and prediction.
pub fn outline(
    image: &Image,
    truth: Option<&LabelImage>,
    prediction: Option<&LabelImage>,
) -> Vec<u8> {
    let (rows, columns) = (image.rows(), image.columns());
    // Small images are enlarged by whole steps so that pixels stay pixels; large ones are sampled.
    let longest = rows.max(columns);
    let enlarge = (SIDE / longest).clamp(1, 3);
    let shrink = longest.div_ceil(SIDE).max(1);
    let (out_rows, out_columns) = (
        (rows * enlarge).div_ceil(shrink),
        (columns * enlarge).div_ceil(shrink),
    );
    let scale = |plane: &[f32]| -> (f32, f32) {
        if image.rgb && image.dtype.range() == Some((0.0, 255.0)) {
            return (0.0, 255.0);
        }
        let mut sorted: Vec<f32> = plane.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let at = |q: f64| {
            sorted
                .get(((sorted.len().saturating_sub(1)) as f64 * q) as usize)
                .copied()
                .unwrap_or(0.0)
        };
        (at(0.002), at(0.998))
    };
    let channels: [usize; 3] = if image.channels() >= 3 {
        [0, 1, 2]
    } else {
        [0, 0, 0]
    };
    let planes = channels.map(|c| image.plane(c, 0));
    let scales = planes.map(scale);
    let edge = |labels: &LabelImage, r: usize, c: usize| -> bool {
        if (labels.rows(), labels.columns()) != (rows, columns) {
            return false;
        }
        let here = labels.labels()[r * columns + c];
        here != 0
            && [(-1, 0), (1, 0), (0, -1), (0, 1)].iter().any(|&(dr, dc)| {
                match (r.checked_add_signed(dr), c.checked_add_signed(dc)) {
                    (Some(r), Some(c)) if r < rows && c < columns => {
                        labels.labels()[r * columns + c] != here
                    }
                    _ => false,
                }
            })
    };
    let mut bytes = Vec::with_capacity(out_rows * out_columns * 3);
    for out_r in 0..out_rows {
        for out_c in 0..out_columns {
            let (r, c) = (
                (out_r * shrink / enlarge).min(rows - 1),
                (out_c * shrink / enlarge).min(columns - 1),
            );
            // A sampled picture must not lose a line: any edge within the step counts.
            let near = |labels: &LabelImage| {
                (r..(r + shrink).min(rows))
                    .any(|r| (c..(c + shrink).min(columns)).any(|c| edge(labels, r, c)))
            };
            match (truth.is_some_and(near), prediction.is_some_and(near)) {
                (true, true) => bytes.extend(BOTH),
                (true, false) => bytes.extend(TRUTH),
                (false, true) => bytes.extend(PREDICTION),
                (false, false) => {
                    for (plane, (low, high)) in planes.iter().zip(scales) {
                        let value = plane[r * columns + c];
                        let share = if high > low {
                            (value - low) / (high - low)
                        } else {
                            0.0
                        };
                        bytes.push((share.clamp(0.0, 1.0) * 255.0).round() as u8);
                    }
                }
            }
        }
    }
    transect_image::encode_png_rgb(out_rows, out_columns, &bytes)
}
