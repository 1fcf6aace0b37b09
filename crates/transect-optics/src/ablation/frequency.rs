//! Coarse or fine structure alone, or all of it in random phase.

use transect_core::{Image, LabelImage, Result, View};

use super::{bad_value, mean};
use crate::blur::gaussian;
use crate::corruption::changed;
use crate::draw::{Normal, Words};
use crate::fourier::Plans;
use crate::view::{Made, MakeContext, stream};

/// The blur's standard deviation in px: the view's value, or a sixteenth of the shorter side where it is 0.
fn sigma(image: &Image, view: &View) -> Result<f64> {
    let side = image.rows().min(image.columns()) as f64;
    match view.value {
        0.0 => Ok(side / 16.0),
        value if value > 0.0 && value <= side => Ok(value),
        _ => Err(bad_value(view, "a blur in px from 0 to the shorter side")),
    }
}

/// Fine structure blurred away.
pub(super) fn low_pass(image: &Image, truth: Option<&LabelImage>, view: &View) -> Result<Made> {
    let sigma = sigma(image, view)?;
    let (rows, columns) = (image.rows(), image.columns());
    Ok(changed(image, truth, |_, samples| {
        for plane in samples.chunks_exact_mut(rows * columns) {
            gaussian(plane, rows, columns, sigma, sigma);
        }
    }))
}

/// Coarse structure taken away: the image less its blurred self, plus the mean.
pub(super) fn high_pass(image: &Image, truth: Option<&LabelImage>, view: &View) -> Result<Made> {
    let sigma = sigma(image, view)?;
    let (rows, columns) = (image.rows(), image.columns());
    Ok(changed(image, truth, |_, samples| {
        for plane in samples.chunks_exact_mut(rows * columns) {
            let level = mean(plane.iter().copied());
            let mut coarse = plane.to_vec();
            gaussian(&mut coarse, rows, columns, sigma, sigma);
            for (sample, coarse) in plane.iter_mut().zip(coarse) {
                *sample += level - coarse;
            }
        }
    }))
}

/// The image with random phases; see [`scrambled`].
pub(super) fn phase_scrambled(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Made {
    let mut result = image.clone();
    scrambled(&mut result, view, context);
    result.quantise();
    Made {
        image: result,
        truth: truth.cloned(),
        donor_row: None,
    }
}

/// Adds the phases of the spectrum of white noise to those of each channel (the same noise for all, so that channels keep
/// their relation); the mean and the power spectrum stay, but for what rounding and clipping to the sample type take.
pub(crate) fn scrambled(image: &mut Image, view: &View, context: &MakeContext<'_>) {
    let (rows, columns) = (image.rows(), image.columns());
    let plans = Plans::new(rows, columns);
    let mut words = Words::of(stream("phase_scrambled", view, context));
    let normal = Normal::new();
    let mut noise: Vec<f32> = (0..rows * columns)
        .map(|_| normal.draw(&mut words) as f32)
        .collect();
    let turns: Vec<_> = plans
        .spectrum(&mut noise)
        .into_iter()
        .map(|c| {
            let size = c.norm();
            if size > 0.0 { c / size } else { 1.0.into() }
        })
        .collect();
    let scale = 1.0 / (rows * columns) as f32;
    for plane in image.samples_mut().chunks_exact_mut(rows * columns) {
        let mut spectrum = plans.spectrum(plane);
        // The first is the mean.
        for (value, turn) in spectrum.iter_mut().zip(&turns).skip(1) {
            *value *= *turn;
        }
        for (sample, value) in plane.iter_mut().zip(plans.plane(spectrum)) {
            *sample = value * scale;
        }
    }
}
