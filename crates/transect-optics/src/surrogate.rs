//! Surrogates: images without objects, made from an image; the truth is that there is nothing.

use transect_core::view::SURROGATES;
use transect_core::{Error, Image, LabelImage, Result, View, codes};

use crate::ablation;
use crate::blur::gaussian;
use crate::describe::{Cameras, backgrounds, profile};
use crate::draw::{Normal, Words};
use crate::surface::{Surface, field};
use crate::view::{Made, MakeContext, stream, unknown_name};

/// Makes the surrogate that the view names; see [`SURROGATES`]. Labels, where there are any, are all 0.
///
/// Noise is drawn as the camera makes it: of the variance `gain · level + read²`, both estimated from the image by photon
/// transfer; where that fails, of the estimated noise.
///
/// # Errors
/// `T501` for a name that there is not, `T506` where the background could not be estimated.
pub(crate) fn make(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let (rows, columns) = (image.rows(), image.columns());
    let mut result = image.clone();
    let size = image.samples().len() / image.channels();
    let noisy = |result: &mut Image| {
        let estimated;
        let cameras = if let Some(cameras) = context.cameras {
            cameras
        } else {
            estimated = Cameras::of(image);
            &estimated
        };
        let mut words = Words::of(stream("surrogate", view, context));
        let normal = Normal::new();
        for (camera, samples) in cameras
            .channels()
            .iter()
            .zip(result.samples_mut().chunks_exact_mut(size))
        {
            for sample in samples {
                let sd = camera.noise(f64::from(*sample));
                *sample = (f64::from(*sample) + sd * normal.draw(&mut words)) as f32;
            }
        }
    };
    match view.name.as_str() {
        "empty_field" => {
            let estimated;
            let own = if let Some(known) = context.profile {
                known
            } else {
                estimated = profile(image, truth, context.modality);
                &estimated
            };
            let light = own
                .illumination
                .as_slice()
                .try_into()
                .ok()
                .map(|s: Surface| field(&s, rows, columns));
            for (level, samples) in backgrounds(image, context.modality)
                .into_iter()
                .zip(result.samples_mut().chunks_exact_mut(size))
            {
                let level = level.ok_or_else(|| {
                    Error::new(
                        &codes::optics::TRAIT_UNKNOWN,
                        "the background could not be estimated on the image",
                    )
                })?;
                for (i, sample) in samples.iter_mut().enumerate() {
                    let factor = light.as_ref().map_or(1.0, |f| f[i % f.len()]);
                    *sample = (level * factor) as f32;
                }
            }
            noisy(&mut result);
        }
        "noise_only" => {
            for samples in result.samples_mut().chunks_exact_mut(size) {
                let mean = samples.iter().map(|&v| f64::from(v)).sum::<f64>() / size as f64;
                samples.fill(mean as f32);
            }
            noisy(&mut result);
        }
        "phase_scrambled" => ablation::scrambled(&mut result, view, context),
        "defocused_blank" => {
            let sigma = rows.min(columns) as f64 / 8.0;
            for plane in result.samples_mut().chunks_exact_mut(rows * columns) {
                gaussian(plane, rows, columns, sigma, sigma);
            }
            noisy(&mut result);
        }
        name => {
            let known = SURROGATES.iter().map(|(name, _)| *name);
            return Err(unknown_name("surrogate", name, known));
        }
    }
    result.quantise();
    Ok(Made {
        image: result,
        truth: truth
            .map(|t| LabelImage::new(t.rows(), t.columns(), vec![0; t.labels().len()]))
            .transpose()?,
        donor_row: None,
    })
}
