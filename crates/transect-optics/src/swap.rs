//! Swaps: traits of an image moved to those of a donor from a pool.

use transect_core::view::{CONTROLS, TRAITS, channel_group};
use transect_core::{Error, Image, LabelImage, Modality, Profile, Result, View, codes, wide};

use crate::blur::gaussian;
use crate::corruption::scaled;
use crate::density::{Density, white};
use crate::describe::profile;
use crate::draw::{Normal, Words};
use crate::surface::{Surface, field};
use crate::view::{Made, MakeContext, stream, unchanged, unknown_name, unsupported};

/// Makes the swap that the view names, with the donor that the image's hash chooses.
pub(crate) fn make(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let known = TRAITS.iter().chain(CONTROLS).map(|(name, _)| *name);
    if !known.clone().any(|name| name == view.name) {
        return Err(unknown_name("trait", &view.name, known));
    }
    let pool_name = view.pool.as_deref().unwrap_or_default();
    let donor = context
        .fits
        .pools
        .get(pool_name)
        .and_then(|pool| pool.donor(context.seed, context.image_sha256, view.replicate))
        .ok_or_else(|| {
            Error::new(
                &codes::optics::NO_DONOR,
                format!("pool `{pool_name}` has no donor for this image"),
            )
        })?;
    let estimated;
    let own = if let Some(own) = context.profile {
        own
    } else {
        estimated = profile(image, truth, context.modality);
        &estimated
    };
    let target = &donor.profile;
    let mut made = match view.name.as_str() {
        "style" => style(image, truth, own, target)?,
        "style_random" => style_random(image, truth, own, target, view, context)?,
        "channels" => channels(image, truth, own, target, view)?,
        "focus" => focus(image, truth, own, target)?,
        "noise" => noise(image, truth, own, target, view, context)?,
        "illumination" => illumination(image, truth, own, target)?,
        "magnification" => magnification(image, truth, own, target)?,
        _ => all(image, truth, own, target, view, context)?,
    };
    made.donor_row = Some(donor.row);
    Ok(made)
}

fn unknown(what: &str) -> Error {
    Error::new(
        &codes::optics::TRAIT_UNKNOWN,
        format!("{what} could not be estimated on the image or on its donor"),
    )
}

/// Samples that are changed at once.
const AT_ONCE: usize = 1024;

/// Largest value of an integer type; 1 for floating types, whose profile is in the file's numbers.
fn full_scale(image: &Image) -> f64 {
    image.dtype.range().map_or(1.0, |(_, high)| f64::from(high))
}

/// Mean and spread of each channel to those of the donor (Reinhard et al. 2001, without their change of colour space; in
/// optical density for bright-field colour). A channel without spread is only moved.
fn style(
    image: &Image,
    truth: Option<&LabelImage>,
    own: &Profile,
    donor: &Profile,
) -> Result<Made> {
    let channels = image.channels();
    if donor.mean.len() != channels || own.mean.len() != channels {
        return Err(unsupported(format!(
            "a style swap needs as many channels on both sides, got {channels} and {}",
            donor.mean.len()
        )));
    }
    if own.optical_density != donor.optical_density {
        return Err(unsupported(
            "a style swap between optical density and intensity has no meaning",
        ));
    }
    if own.mean == donor.mean && own.sd == donor.sd {
        return Ok(unchanged(image, truth));
    }
    let density = if own.optical_density {
        Some(Density::new(
            white(image).ok_or_else(|| unknown("the white level"))?,
        ))
    } else {
        None
    };
    let table = density.map(Density::table);
    let scale = full_scale(image);
    Ok(crate::corruption::changed(
        image,
        truth,
        |channel, samples| {
            let (from, to) = (own.mean[channel], donor.mean[channel]);
            let ratio = if own.sd[channel] > 0.0 {
                donor.sd[channel] / own.sd[channel]
            } else {
                1.0
            };
            let (Some(density), Some(table)) = (density, &table) else {
                for sample in samples {
                    *sample = ((f64::from(*sample) - from * scale) * ratio + to * scale) as f32;
                }
                return;
            };
            let mut densities = [0.0; AT_ONCE];
            for some in samples.chunks_mut(AT_ONCE) {
                for (d, &sample) in densities.iter_mut().zip(some.iter()) {
                    *d = table.of(sample);
                }
                let densities = densities.as_slice();
                wide!(|some: &'a mut [f32],
                       densities: &'a [f64],
                       density: Density,
                       from: f64,
                       ratio: f64,
                       to: f64| {
                    for (sample, d) in some.iter_mut().zip(densities) {
                        *sample = density.intensity((d - from) * ratio + to);
                    }
                });
            }
        },
    ))
}

/// Mean and spread of each channel moved as far as the donor would move them, in a random direction: the vector of the
/// channels' changes of mean keeps its length and so does that of the changes of the logarithm of the spread; their directions
/// are uniform on the sphere. With one channel only the sign is drawn.
fn style_random(
    image: &Image,
    truth: Option<&LabelImage>,
    own: &Profile,
    donor: &Profile,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let channels = own.mean.len().min(donor.mean.len());
    let mut stream = stream("swap/style_random", view, context);
    let mut turned = |change: &[f64]| -> Vec<f64> {
        let length = change.iter().map(|c| c * c).sum::<f64>().sqrt();
        let direction: Vec<f64> = change.iter().map(|_| stream.normal()).collect();
        let norm = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
        direction
            .iter()
            .map(|d| if norm > 0.0 { d / norm * length } else { 0.0 })
            .collect()
    };
    let moves: Vec<f64> = (0..channels).map(|c| donor.mean[c] - own.mean[c]).collect();
    let spreads: Vec<f64> = (0..channels)
        .map(|c| {
            if own.sd[c] > 0.0 && donor.sd[c] > 0.0 {
                (donor.sd[c] / own.sd[c]).ln()
            } else {
                0.0
            }
        })
        .collect();
    let (moves, spreads) = (turned(&moves), turned(&spreads));
    let mut target = donor.clone();
    for c in 0..channels {
        target.mean[c] = own.mean[c] + moves[c];
        target.sd[c] = own.sd[c] * spreads[c].exp();
    }
    style(image, truth, own, &target)
}

/// Mean and spread of the channels of one group to those of the donor; the other channels stay.
fn channels(
    image: &Image,
    truth: Option<&LabelImage>,
    own: &Profile,
    donor: &Profile,
    view: &View,
) -> Result<Made> {
    let group = channel_group(image.channels() as u32, view.value as u32);
    if view.value < 0.0 || view.value.fract() != 0.0 || group.is_empty() {
        return Err(Error::new(
            &codes::optics::VIEW_VALUE,
            format!(
                "`channels` takes the number of a group of channels, got {}",
                view.value
            ),
        ));
    }
    let mut target = own.clone();
    for c in group {
        let c = c as usize;
        if let (Some(mean), Some(sd)) = (donor.mean.get(c), donor.sd.get(c)) {
            target.mean[c] = *mean;
            target.sd[c] = *sd;
        }
    }
    target.optical_density = donor.optical_density;
    style(image, truth, own, &target)
}

/// Blur up to the donor's; an image that is as blurred already stays.
fn focus(
    image: &Image,
    truth: Option<&LabelImage>,
    own: &Profile,
    donor: &Profile,
) -> Result<Made> {
    let (Some(own), Some(donor)) = (own.psf_sigma_px, donor.psf_sigma_px) else {
        return Err(unknown("the blur"));
    };
    if donor <= own {
        return Ok(unchanged(image, truth));
    }
    let sigma = (donor * donor - own * own).sqrt();
    let (rows, columns) = (image.rows(), image.columns());
    Ok(crate::corruption::changed(image, truth, |_, samples| {
        for plane in samples.chunks_exact_mut(rows * columns) {
            gaussian(plane, rows, columns, sigma, sigma);
        }
    }))
}

/// Gaussian noise up to the donor's; an image that is as noisy already stays.
fn noise(
    image: &Image,
    truth: Option<&LabelImage>,
    own: &Profile,
    donor: &Profile,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let (Some(own), Some(donor)) = (own.noise_sd, donor.noise_sd) else {
        return Err(unknown("the noise"));
    };
    if donor <= own {
        return Ok(unchanged(image, truth));
    }
    let sd = (donor * donor - own * own).sqrt() * full_scale(image);
    let mut words = Words::of(stream("swap/noise", view, context));
    let normal = Normal::new();
    Ok(crate::corruption::changed(image, truth, |_, samples| {
        for sample in samples {
            *sample = (f64::from(*sample) + sd * normal.draw(&mut words)) as f32;
        }
    }))
}

/// Divides by the image's own field and multiplies by the donor's, both of mean 1.
fn illumination(
    image: &Image,
    truth: Option<&LabelImage>,
    own: &Profile,
    donor: &Profile,
) -> Result<Made> {
    let surface = |profile: &Profile| -> Result<Surface> {
        profile
            .illumination
            .as_slice()
            .try_into()
            .map_err(|_| unknown("the illumination"))
    };
    let (own, donor) = (surface(own)?, surface(donor)?);
    if own == donor {
        return Ok(unchanged(image, truth));
    }
    let (rows, columns) = (image.rows(), image.columns());
    let factor: Vec<f64> = field(&donor, rows, columns)
        .iter()
        .zip(field(&own, rows, columns))
        .map(|(d, o)| d / o)
        .collect();
    Ok(crate::corruption::changed(image, truth, |_, samples| {
        for plane in samples.chunks_exact_mut(rows * columns) {
            for (sample, f) in plane.iter_mut().zip(&factor) {
                *sample = (f64::from(*sample) * f) as f32;
            }
        }
    }))
}

/// The factor that takes the image's scale to the donor's.
fn scale_factor(own: &Profile, donor: &Profile) -> Result<f64> {
    match (own.scale_px, donor.scale_px) {
        (Some(o), Some(d))
            if o > 0.0 && d > 0.0 && own.scale_of_objects == donor.scale_of_objects =>
        {
            Ok(d / o)
        }
        _ => Err(unknown("the scale, from the same sort of measure,")),
    }
}

/// Resamples so that the image's scale becomes the donor's; labels follow.
fn magnification(
    image: &Image,
    truth: Option<&LabelImage>,
    own: &Profile,
    donor: &Profile,
) -> Result<Made> {
    scaled(image, truth, scale_factor(own, donor)?)
}

/// One step of [`all`].
type Step<'a> = &'a dyn Fn(&Made, &Profile) -> Result<Made>;

/// Every trait that both sides have, in the order magnification, focus, illumination, style, noise. What a step changes is
/// estimated again before the next one needs it.
fn all(
    image: &Image,
    truth: Option<&LabelImage>,
    own: &Profile,
    donor: &Profile,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let mut profile_now = own.clone();
    let mut made = unchanged(image, truth);
    let again =
        |made: &Made| -> Profile { profile(&made.image, made.truth.as_ref(), context.modality) };
    let mut fresh = true;
    if let Ok(factor) = scale_factor(own, donor) {
        let next = scaled(&made.image, made.truth.as_ref(), factor)?;
        if next.image != made.image {
            made = next;
            fresh = false;
        }
    }
    if !fresh {
        profile_now = again(&made);
        fresh = true;
    }
    let steps: [Step<'_>; 4] = [
        &|m, p| focus(&m.image, m.truth.as_ref(), p, donor),
        &|m, p| illumination(&m.image, m.truth.as_ref(), p, donor),
        &|m, p| style(&m.image, m.truth.as_ref(), p, donor),
        &|m, p| noise(&m.image, m.truth.as_ref(), p, donor, view, context),
    ];
    for step in steps {
        if !fresh {
            profile_now = again(&made);
            fresh = true;
        }
        match step(&made, &profile_now) {
            Ok(next) => {
                fresh = next.image == made.image;
                made = next;
            }
            Err(error) if error.code == &codes::optics::TRAIT_UNKNOWN => {}
            Err(error) => return Err(error),
        }
    }
    Ok(made)
}

/// Whether statistics of an image are taken in optical density.
pub(crate) fn in_density(image: &Image, modality: Modality) -> bool {
    modality == Modality::Brightfield && image.rgb && image.channels() == 3
}
