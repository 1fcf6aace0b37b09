//! Offset: background light.

use transect_core::{Image, LabelImage, Result, View};

use super::{ALL, Corruption, as_declared, bright_levels, changed};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "offset",
    words: "background light (offset)",
    parameter: "offset",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.02, 0.05, 0.1, 0.2, 0.4],
    range: (-1.0, 100.0),
    modalities: ALL,
    standard: ALL,
    random: false,
    moves_geometry: false,
    note: "added to every sample, as a fraction of the channel's 99.9th percentile; integer types clip at full scale",
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
    _: &MakeContext<'_>,
) -> Result<Made> {
    let levels = bright_levels(image);
    Ok(changed(image, truth, |channel, samples| {
        let Some(bright) = levels[channel] else {
            return;
        };
        let offset = view.value * bright;
        for sample in samples {
            *sample = (f64::from(*sample) + offset) as f32;
        }
    }))
}
