//! Haze: light from elsewhere, spread over the field.

use transect_core::{Image, LabelImage, Result, View, wide};

use super::{Corruption, PICTURES, as_declared, changed};
use crate::blur::boxes;
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "haze",
    words: "background haze",
    parameter: "share of spread light",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.1, 0.2, 0.35, 0.5, 0.7],
    range: (0.0, 1.0),
    modalities: PICTURES,
    standard: &[],
    random: false,
    moves_geometry: false,
    note: "that share of the light comes spread out (planes out of focus, scattering mounts, veiling glare); its blur has a standard deviation of about a tenth of the shorter side, because how deep the specimen is nobody declares",
    in_units: as_declared,
    run,
};

/// x → (1 − v)·x + v·B(x), B the mean over a square of 2·r + 1 pixels a side, r a tenth of the shorter side, three times over.
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
    let (rows, columns) = (image.rows(), image.columns());
    let radius = (rows.min(columns) / 10).max(1);
    let share = view.value as f32;
    Ok(changed(image, truth, |_, samples| {
        for plane in samples.chunks_exact_mut(rows * columns) {
            let mut spread = plane.to_vec();
            boxes(&mut spread, rows, columns, radius);
            let spread = spread.as_slice();
            wide!(|plane: &'a mut [f32], spread: &'a [f32], share: f32| {
                for (sample, spread) in plane.iter_mut().zip(spread) {
                    *sample += share * (spread - *sample);
                }
            });
        }
    }))
}
