//! Read noise: the camera's own.

use transect_core::{Image, LabelImage, Result, View};

use super::{ALL, Corruption, as_declared, bright_levels, changed};
use crate::draw::{Words, add_normal};
use crate::view::{Made, MakeContext, stream};

/// Electrons that the brightest signal is taken to be.
pub(super) const BRIGHT_ELECTRONS: f64 = 1000.0;

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "read_noise",
    words: "read noise of the camera",
    parameter: "read noise",
    unit: "electrons",
    identity: 0.0,
    ladder: [10.0, 20.0, 40.0, 80.0, 160.0],
    range: (0.0, 1e6),
    modalities: ALL,
    standard: ALL,
    random: true,
    moves_geometry: false,
    note: "electrons rms, where the 99.9th percentile of the signal (above the black level 0) is taken to be 1000 electrons",
    in_units: as_declared,
    run,
};

/// x → x + N(0, σ) with σ = electrons/1000 of the 99.9th percentile.
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
    Ok(changed(image, truth, |channel, samples| {
        let Some(bright) = levels[channel] else {
            return;
        };
        let sd = view.value / BRIGHT_ELECTRONS * bright;
        add_normal(samples, sd, &mut words);
    }))
}
