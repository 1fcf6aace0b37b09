//! Hot pixels: places of the sensor that are always bright.

use transect_core::{Image, LabelImage, Result, View};

use super::{Corruption, PICTURES, as_declared, changed, places};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "hot_pixels",
    words: "hot pixels",
    parameter: "hot pixels in a million",
    unit: "ppm",
    identity: 0.0,
    ladder: [100.0, 300.0, 1000.0, 3000.0, 10_000.0],
    range: (0.0, 1e6),
    modalities: PICTURES,
    standard: &[],
    random: true,
    moves_geometry: false,
    note: "as bright as the channel's brightest sample; at the same places of every channel and plane, but for colour images, where each belongs to one of the three; at least one; places are drawn for each image",
    in_units: as_declared,
    run,
};

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
    let size = image.rows() * image.columns();
    let count = ((view.value * 1e-6 * size as f64).round() as usize).clamp(1, size);
    let mut stream = places(CORRUPTION.name, view, context);
    let mut hot = vec![false; size];
    let mut sites = Vec::with_capacity(count);
    while sites.len() < count {
        let place = stream.below(size);
        if !hot[place] {
            hot[place] = true;
            sites.push((place, stream.below(3)));
        }
    }
    Ok(changed(image, truth, |channel, samples| {
        let brightest = samples
            .iter()
            .copied()
            .filter(|v| v.is_finite())
            .max_by(f32::total_cmp);
        let Some(brightest) = brightest else {
            return;
        };
        for plane in samples.chunks_exact_mut(size) {
            for &(place, colour) in &sites {
                if !image.rgb || colour == channel {
                    plane[place] = brightest;
                }
            }
        }
    }))
}
