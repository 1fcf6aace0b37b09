//! Dusk: little light, a camera that makes up for half of it, and a bluer sky.

use transect_core::{Image, LabelImage, Modality, Result, View, wide};

use super::{Corruption, as_declared, bright_levels, changed};
use crate::draw::{Words, add_normal};
use crate::view::{Made, MakeContext, stream};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "dusk",
    words: "dusk",
    parameter: "light lost",
    unit: "stops",
    identity: 0.0,
    ladder: [1.0, 2.0, 3.0, 4.0, 5.0],
    range: (0.0, 16.0),
    modalities: &[Modality::Photo],
    standard: &[Modality::Photo],
    random: true,
    moves_geometry: false,
    note: "the camera makes up for half of the stops by its gain, so the picture gets darker and noisier; by day the 99.9th percentile is taken to be 2000 photons, the read noise 3 electrons; in colour images red loses and blue gains a tenth of a stop for each",
    in_units: as_declared,
    run,
};

/// Photons at the brightest signal by day.
const DAY: f64 = 2000.0;
/// Electrons rms.
const READ: f64 = 3.0;

/// x → 2^(−v/2)·c·(x + N(0, √(n + 9))·q/p), p = 2000·2^−v photons at q, n = p·x/q of them at x, c the colour's factor.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every corruption has this signature"
)]
fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let levels = bright_levels(image);
    let mut words = Words::of(stream(CORRUPTION.name, view, context));
    let mut noise = vec![0.0_f32; image.rows() * image.columns()];
    let photons = DAY * (-view.value).exp2();
    let tint = if image.rgb {
        [(-0.1 * view.value).exp2(), 1.0, (0.1 * view.value).exp2()]
    } else {
        [1.0; 3]
    };
    Ok(changed(image, truth, |channel, samples| {
        let Some(bright) = levels[channel] else {
            return;
        };
        let level = bright / photons;
        let gain = (-0.5 * view.value).exp2() * tint.get(channel).copied().unwrap_or(1.0);
        for plane in samples.chunks_exact_mut(noise.len()) {
            noise.fill(0.0);
            add_normal(&mut noise, 1.0, &mut words);
            let noise = noise.as_slice();
            wide!(
                |plane: &'a mut [f32], noise: &'a [f32], level: f64, gain: f64| {
                    for (sample, noise) in plane.iter_mut().zip(noise) {
                        let value = f64::from(*sample);
                        let sd = (value.max(0.0) / level + READ * READ).sqrt();
                        *sample = (gain * (value + level * sd * f64::from(*noise))) as f32;
                    }
                }
            );
        }
    }))
}
