//! Infrared flash: the camera's own light at night, without colour and from the front.

use transect_core::{Image, LabelImage, Modality, Result, View};

use super::{Corruption, as_declared};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "infrared_flash",
    words: "infrared flash",
    parameter: "share of the flash in the light",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.2, 0.4, 0.6, 0.8, 1.0],
    range: (0.0, 1.0),
    modalities: &[Modality::Photo],
    standard: &[Modality::Photo],
    random: false,
    moves_geometry: false,
    note: "the flash lights the mean of the channels, without colour, 1.25 times as bright in the middle and a third of that in the corner; how far things are from the camera is not known, so near ones do not glare",
    in_units: as_declared,
    run,
};

/// Brightness in the middle of the field.
const MIDDLE: f64 = 1.25;
/// How it falls: 1/(1 + 2·r²), r = 1 in the corner.
const FALL: f64 = 2.0;

/// x → (1 − v)·x + v·1.25·mean/(1 + 2·r²).
#[expect(
    clippy::unnecessary_wraps,
    reason = "every corruption has this signature"
)]
fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _: &MakeContext<'_>,
) -> Result<Made> {
    let (rows, columns, channels) = (image.rows(), image.columns(), image.channels());
    let size = image.samples().len() / channels;
    let mut lit = vec![0.0_f32; size];
    for channel in image.samples().chunks_exact(size) {
        for (sum, sample) in lit.iter_mut().zip(channel) {
            *sum += sample;
        }
    }
    let squares = |n: usize| -> Vec<f64> {
        (0..n)
            .map(|i| (i as f64 - 0.5 * (n as f64 - 1.0)).powi(2))
            .collect()
    };
    let (down, across) = (squares(rows), squares(columns));
    let corner = (down[0] + across[0]).max(0.25);
    let middle = view.value * MIDDLE / channels as f64;
    let flash: Vec<f32> = down
        .iter()
        .flat_map(|d| {
            across
                .iter()
                .map(move |a| (middle / (1.0 + FALL * (d + a) / corner)) as f32)
        })
        .collect();
    for plane in lit.chunks_exact_mut(rows * columns) {
        for (sum, flash) in plane.iter_mut().zip(&flash) {
            *sum *= flash;
        }
    }
    let day = (1.0 - view.value) as f32;
    let mut result = image.clone();
    for channel in result.samples_mut().chunks_exact_mut(size) {
        for (sample, lit) in channel.iter_mut().zip(&lit) {
            *sample = day * *sample + lit;
        }
    }
    result.quantise();
    Ok(Made {
        image: result,
        truth: truth.cloned(),
        donor_row: None,
    })
}
