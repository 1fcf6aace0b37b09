//! Gaussian noise: measured against the image's contrast, so that it has a meaning where black is not 0.

use transect_core::{Image, LabelImage, Result, View};

use super::{ALL, Corruption, as_declared, changed, contrasts};
use crate::draw::{Words, add_normal};
use crate::view::{Made, MakeContext, stream};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "gaussian_noise",
    words: "Gaussian noise",
    parameter: "noise over contrast",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.02, 0.05, 0.1, 0.2, 0.4],
    range: (0.0, 1000.0),
    modalities: ALL,
    standard: &[],
    random: true,
    moves_geometry: false,
    note: "standard deviation as a fraction of the channel's contrast, from its 0.1th to its 99.9th percentile; unlike read noise it does not depend on where black is",
    in_units: as_declared,
    run,
};

/// x → x + N(0, σ), σ the value times the contrast. A flat channel stays.
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
    let contrasts = contrasts(image);
    let mut words = Words::of(stream(CORRUPTION.name, view, context));
    Ok(changed(image, truth, |channel, samples| {
        if let Some((low, high)) = contrasts[channel] {
            add_normal(samples, view.value * (high - low), &mut words);
        }
    }))
}
