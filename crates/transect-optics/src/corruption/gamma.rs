//! Gamma: another curve from light to level.

use transect_core::{Image, LabelImage, Result, View};

use super::{Corruption, PICTURES, as_declared, bright_levels, mapped};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "gamma",
    words: "tone curve (gamma)",
    parameter: "gamma",
    unit: "exponent",
    identity: 1.0,
    ladder: [1.2, 1.5, 2.0, 2.7, 3.5],
    range: (0.01, 100.0),
    modalities: PICTURES,
    standard: &[],
    random: false,
    moves_geometry: false,
    note: "the 99.9th percentile stays, what lies below it gets darker; under 1 it gets brighter; samples at or below the black level 0 stay",
    in_units: as_declared,
    run,
};

/// x → q·(x/q)^γ.
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
    Ok(mapped(image, truth, |channel, value| {
        match levels[channel] {
            Some(bright) if value > 0.0 => bright * (value / bright).powf(view.value),
            _ => value,
        }
    }))
}
