//! Saturation: an exposure too long for the detector.

use transect_core::{Image, LabelImage, Result, View};

use super::{ALL, Corruption, as_declared, bright_levels, mapped};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "saturation",
    words: "saturation (overexposed, clipped)",
    parameter: "overexposure",
    unit: "stops",
    identity: 0.0,
    ladder: [0.25, 0.5, 0.75, 1.0, 1.5],
    range: (0.0, 32.0),
    modalities: ALL,
    standard: &[],
    random: false,
    moves_geometry: false,
    note: "signal above the black level 0 times 2^stops, cut at the channel's 99.9th percentile, where the detector is taken to be full",
    in_units: as_declared,
    run,
};

/// x → min(2^v·x, max(x, q)): what was brighter than q already is full before and after.
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
    let exposure = view.value.exp2();
    Ok(mapped(image, truth, |channel, value| {
        match levels[channel] {
            Some(bright) if value > 0.0 => (exposure * value).min(value.max(bright)),
            _ => value,
        }
    }))
}
