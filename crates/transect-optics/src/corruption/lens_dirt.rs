//! Lens dirt: smears and drops on the front of the camera, far out of focus.

use transect_core::{Image, LabelImage, Modality, Result, View};

use super::spots::{spots, within};
use super::{Corruption, as_declared, bright_levels, changed, places};
use crate::blur::boxes;
use crate::density::exp;
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "lens_dirt",
    words: "dirt and drops on the lens",
    parameter: "covered share of the area",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.02, 0.05, 0.1, 0.2, 0.4],
    range: (0.0, 1.0),
    modalities: &[Modality::Photo],
    standard: &[],
    random: true,
    moves_geometry: false,
    note: "round soft patches of 4 to 12% of the shorter side through which the scene is blurred and half hidden by grey or brown at a fifth to half of the 99.9th percentile; their areas add up to the value, places are drawn for each image; the truth stays",
    in_units: as_declared,
    run,
};

/// Share of a patch's middle that is dirt or blur, and of that which is dirt.
const OPAQUE: f64 = 0.95;
const DIRT: f32 = 0.5;

/// x → (1 − m)·x + m·(½·B(x) + ½·d·q), B a wide mean, d the dirt's own brightness, m = 0.95·exp(−(distance/radius)⁸).
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
    let levels = bright_levels(image);
    let mut stream = places(CORRUPTION.name, view, context);
    // How much of the scene comes through, and the brightness of the dirt in what does not.
    let mut cover = vec![0.0_f32; rows * columns];
    let mut dirt = vec![0.0_f32; rows * columns];
    for spot in spots(rows, columns, view.value, (0.04, 0.12), &mut stream) {
        let brightness = (0.2 + 0.3 * spot.own) as f32;
        within(&spot, 1.3, rows, columns, |at, square| {
            let quartic = square * square;
            let m = (OPAQUE * exp(-quartic * quartic)) as f32;
            if m > cover[at] {
                cover[at] = m;
                dirt[at] = brightness;
            }
        });
    }
    let radius = (rows.min(columns) / 24).max(1);
    Ok(changed(image, truth, |channel, samples| {
        // Dirt is a little brown.
        let brown = if image.rgb {
            [1.15, 1.0, 0.8]
        } else {
            [1.0; 3]
        };
        let bright = levels[channel].unwrap_or(0.0) as f32 * brown.get(channel).unwrap_or(&1.0);
        for plane in samples.chunks_exact_mut(rows * columns) {
            let mut spread = plane.to_vec();
            boxes(&mut spread, rows, columns, radius);
            for (((sample, spread), cover), dirt) in
                plane.iter_mut().zip(&spread).zip(&cover).zip(&dirt)
            {
                if *cover > 0.0 {
                    let seen = spread + DIRT * (dirt * bright - spread);
                    *sample += cover * (seen - *sample);
                }
            }
        }
    }))
}
