//! The objects of the truth, gone or alone.

use transect_core::{Image, LabelImage, Result, View};

use super::mean;
use crate::blur::gaussian;
use crate::corruption::changed;
use crate::draw::{Normal, Words};
use crate::view::{Made, MakeContext, stream, unsupported};

/// Pixels around an object that belong to it as light does not end at its outline.
const RIM: usize = 2;

/// Pixels of objects and within [`RIM`] of them.
fn covered(truth: &LabelImage) -> Vec<bool> {
    let (rows, columns) = (truth.rows(), truth.columns());
    let labels = truth.labels();
    let mut covered = vec![false; labels.len()];
    for (at, _) in labels.iter().enumerate().filter(|(_, l)| **l != 0) {
        let (r, c) = (at / columns, at % columns);
        for row in r.saturating_sub(RIM)..(r + RIM + 1).min(rows) {
            covered
                [row * columns + c.saturating_sub(RIM)..row * columns + (c + RIM + 1).min(columns)]
                .fill(true);
        }
    }
    covered
}

fn outlines(truth: Option<&LabelImage>) -> Result<&LabelImage> {
    truth.ok_or_else(|| unsupported("the truth has no outlines to leave the object out by"))
}

/// Objects filled from their surroundings, with the image's own noise; the truth is that there is nothing left.
pub(super) fn fill(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let truth = outlines(truth)?;
    let mut result = image.clone();
    filled(&mut result, truth, view, context)?;
    result.quantise();
    Ok(Made {
        image: result,
        truth: Some(truth.clone()),
        donor_row: None,
    })
}

/// Fills the objects and two pixels around them: each pixel takes the Gaussian-weighted mean of the pixels outside, with the
/// smallest standard deviation of 2, 4, 8, … px at which at least a twentieth of the weight is outside; then the image's noise
/// is added, as estimated, so that a filled place is not told by its smoothness.
///
/// # Errors
/// `T503` where objects cover everything.
fn filled(
    image: &mut Image,
    truth: &LabelImage,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<()> {
    let covered = covered(truth);
    if covered.iter().all(|c| *c) {
        return Err(unsupported("objects cover the whole image"));
    }
    if !covered.contains(&true) {
        return Ok(());
    }
    let (rows, columns) = (image.rows(), image.columns());
    let scale = image.dtype.range().map_or(1.0, |(_, high)| f64::from(high));
    let sd = context
        .profile
        .and_then(|p| p.noise_sd)
        .or_else(|| crate::describe::profile(image, Some(truth), context.modality).noise_sd)
        .unwrap_or(0.0)
        * scale;
    let mut words = Words::of(stream("object_filled", view, context));
    let normal = Normal::new();
    // The steps of the blur are the same for every plane.
    let mut weights = Vec::new();
    let mut sigma = 2.0;
    let mut open: Vec<usize> = (0..covered.len()).filter(|&i| covered[i]).collect();
    let mut step_of = vec![0_usize; covered.len()];
    while !open.is_empty() {
        let mut weight: Vec<f32> = covered.iter().map(|c| f32::from(u8::from(!c))).collect();
        gaussian(&mut weight, rows, columns, sigma, sigma);
        let last = sigma > 4.0 * rows.max(columns) as f64;
        open.retain(|&i| {
            let reached = weight[i] >= 0.05 || (last && weight[i] > 0.0);
            if reached {
                step_of[i] = weights.len();
            }
            !reached
        });
        weights.push((sigma, weight));
        sigma *= 2.0;
        if last {
            break;
        }
    }
    for plane in image.samples_mut().chunks_exact_mut(rows * columns) {
        let outside: Vec<f32> = plane
            .iter()
            .zip(&covered)
            .map(|(v, c)| if *c { 0.0 } else { *v })
            .collect();
        let rest = mean(
            plane
                .iter()
                .zip(&covered)
                .filter(|(_, c)| !**c)
                .map(|(v, _)| *v),
        );
        for (step, (sigma, weight)) in weights.iter().enumerate() {
            let mut sum = outside.clone();
            gaussian(&mut sum, rows, columns, *sigma, *sigma);
            for (i, sample) in plane.iter_mut().enumerate() {
                if covered[i] && step_of[i] == step {
                    let level = if weight[i] > 0.0 {
                        sum[i] / weight[i]
                    } else {
                        rest
                    };
                    *sample = (f64::from(level) + sd * normal.draw(&mut words)) as f32;
                }
            }
        }
    }
    Ok(())
}

/// Everything but the objects set to the mean of the pixels outside them.
pub(super) fn only(image: &Image, truth: Option<&LabelImage>) -> Result<Made> {
    let truth = outlines(truth)?;
    let labels = truth.labels();
    if !labels.contains(&0) {
        return Err(unsupported("objects cover the whole image"));
    }
    Ok(changed(image, Some(truth), |_, samples| {
        for plane in samples.chunks_exact_mut(labels.len()) {
            let level = mean(
                plane
                    .iter()
                    .zip(labels)
                    .filter(|(_, l)| **l == 0)
                    .map(|(v, _)| *v),
            );
            for (sample, &label) in plane.iter_mut().zip(labels) {
                if label == 0 {
                    *sample = level;
                }
            }
        }
    }))
}
