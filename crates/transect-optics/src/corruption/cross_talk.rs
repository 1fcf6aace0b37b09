//! Cross-talk: a dye that shines into the next channel.

use transect_core::{Image, LabelImage, Modality, Result, View};

use super::{Corruption, as_declared, bright_levels};
use crate::view::{Made, MakeContext, unsupported};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "cross_talk",
    words: "channel cross-talk (bleed-through)",
    parameter: "share from the channel before",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.05, 0.1, 0.2, 0.35, 0.5],
    range: (0.0, 10.0),
    modalities: &[Modality::Fluorescence],
    standard: &[],
    random: false,
    moves_geometry: false,
    note: "added to every channel but the first: this fraction of the channel before it, where the 99.9th percentiles of the two are taken to be equally bright; channels count in the file's order; needs two channels",
    in_units: as_declared,
    run,
};

/// x_c → x_c + v·x_{c−1}·q_c/q_{c−1}, from the image as it is.
fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _: &MakeContext<'_>,
) -> Result<Made> {
    if image.channels() < 2 {
        return Err(unsupported(
            "`cross_talk` needs at least two channels, got 1",
        ));
    }
    let levels = bright_levels(image);
    let mut result = image.clone();
    let size = image.samples().len() / image.channels();
    for (channel, (samples, before)) in result.samples_mut()[size..]
        .chunks_exact_mut(size)
        .zip(image.samples().chunks_exact(size))
        .enumerate()
    {
        let (Some(from), Some(to)) = (levels[channel], levels[channel + 1]) else {
            continue;
        };
        let share = (view.value * to / from) as f32;
        for (sample, before) in samples.iter_mut().zip(before) {
            *sample += share * before;
        }
    }
    result.quantise();
    Ok(Made {
        image: result,
        truth: truth.cloned(),
        donor_row: None,
    })
}
