//! Ablations: something is taken away from the image, the truth stays.

mod channels;
mod frame;
mod frequency;
mod object;
mod order;

use transect_core::view::ABLATIONS;
use transect_core::{Error, Image, LabelImage, Result, View, codes};

pub(crate) use frequency::scrambled;

use crate::corruption::changed;
use crate::view::{Made, MakeContext, unknown_name};

/// Makes the ablation that the view names.
///
/// The result has the image's sample type: rounded to integers (ties to even) and clipped to the type's range; floats stay.
/// Where pixels or squares change places, labels go with them.
///
/// # Errors
/// `T501` for a name that there is not, `T502` for a value out of range, `T503` where it does not apply to this image.
pub(crate) fn make(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    match view.name.as_str() {
        "object_filled" => object::fill(image, truth, view, context),
        "object_only" => object::only(image, truth),
        "border_only" => Ok(frame::border_only(image, truth)),
        "centre_only" => Ok(frame::centre_only(image, truth)),
        "low_pass" => frequency::low_pass(image, truth, view),
        "high_pass" => frequency::high_pass(image, truth, view),
        "phase_scrambled" => Ok(frequency::phase_scrambled(image, truth, view, context)),
        "patch_shuffled" => order::patches(image, truth, view, context),
        "pixel_shuffled" => Ok(order::pixels(image, truth, view, context)),
        "channel_shuffled" => channels::shuffled(image, truth, context),
        "channels_mean" => channels::mean(image, truth, view),
        "channels_kept" => channels::kept(image, truth, view, context),
        "blank" => Ok(changed(image, truth, |_, samples| level(samples))),
        name => Err(unknown_name(
            "ablation",
            name,
            ABLATIONS.iter().map(|(name, _)| *name),
        )),
    }
}

/// Mean of some samples; 0 of none.
fn mean(samples: impl Iterator<Item = f32>) -> f32 {
    let (mut sum, mut n) = (0.0, 0_u64);
    for sample in samples {
        sum += f64::from(sample);
        n += 1;
    }
    (sum / n.max(1) as f64) as f32
}

/// Sets samples to their own mean.
fn level(samples: &mut [f32]) {
    let mean = mean(samples.iter().copied());
    samples.fill(mean);
}

/// That a view's value cannot be used.
fn bad_value(view: &View, expected: &str) -> Error {
    Error::new(
        &codes::optics::VIEW_VALUE,
        format!("`{}` takes {expected}, got {}", view.name, view.value),
    )
}
