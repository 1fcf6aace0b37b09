//! Colour shift: another white balance.

use transect_core::{Image, LabelImage, Modality, Result, View};

use super::{Corruption, as_declared, changed};
use crate::view::{Made, MakeContext, unsupported};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "colour_shift",
    words: "colour cast (white balance)",
    parameter: "red against blue",
    unit: "stops",
    identity: 0.0,
    ladder: [0.2, 0.4, 0.7, 1.0, 1.5],
    range: (-8.0, 8.0),
    modalities: &[Modality::Photo],
    standard: &[Modality::Photo],
    random: false,
    moves_geometry: false,
    note: "red times 2^(v/2), blue times 2^(−v/2), on the file's values; positive is warmer",
    in_units: as_declared,
    run,
};

fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _: &MakeContext<'_>,
) -> Result<Made> {
    if !image.rgb || image.channels() != 3 {
        return Err(unsupported(format!(
            "`colour_shift` needs a red-green-blue image, got {} channels that are not declared as colour",
            image.channels()
        )));
    }
    let gains = [(0.5 * view.value).exp2(), 1.0, (-0.5 * view.value).exp2()];
    Ok(changed(image, truth, |channel, samples| {
        for sample in samples {
            *sample = (f64::from(*sample) * gains[channel]) as f32;
        }
    }))
}
