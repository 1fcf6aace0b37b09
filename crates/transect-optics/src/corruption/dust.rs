//! Dust: shadows of specks near the sensor.

use transect_core::{Image, LabelImage, Result, View};

use super::spots::{spots, within};
use super::{Corruption, PICTURES, as_declared, changed, places};
use crate::density::exp;
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "dust",
    words: "dust on the optics",
    parameter: "shaded share of the area",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.005, 0.01, 0.03, 0.08, 0.2],
    range: (0.0, 1.0),
    modalities: PICTURES,
    standard: &[],
    random: true,
    moves_geometry: false,
    note: "soft round shadows of 1.5 to 4% of the shorter side that take up to 60% of the light, at places drawn for each image; the areas of the spots add up to the value; their size in µm is of the optics and not declared",
    in_units: as_declared,
    run,
};

/// Light that the middle of a spot takes.
const TAKEN: f64 = 0.6;

/// x → x·Π(1 − 0.6·exp(−(distance/radius)⁴)).
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
    let (rows, columns) = (image.rows(), image.columns());
    let mut stream = places(CORRUPTION.name, view, context);
    let mut light = vec![1.0_f32; rows * columns];
    for spot in spots(rows, columns, view.value, (0.015, 0.04), &mut stream) {
        within(&spot, 1.6, rows, columns, |at, square| {
            light[at] *= (1.0 - TAKEN * exp(-square * square)) as f32;
        });
    }
    Ok(changed(image, truth, |_, samples| {
        for plane in samples.chunks_exact_mut(rows * columns) {
            for (sample, light) in plane.iter_mut().zip(&light) {
                *sample *= light;
            }
        }
    }))
}
