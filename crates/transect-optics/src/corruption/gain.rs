//! Gain: a shorter exposure, bleaching, a weaker lamp.

use transect_core::{Image, LabelImage, Result, View};

use super::{ALL, Corruption, as_declared, changed};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "gain",
    words: "less light or gain",
    parameter: "gain",
    unit: "factor",
    identity: 1.0,
    ladder: [0.8, 0.6, 0.4, 0.2, 0.1],
    range: (0.0, 1000.0),
    modalities: ALL,
    standard: ALL,
    random: false,
    moves_geometry: false,
    note: "factor on the signal above the black level 0; over 1 it saturates; integer types are rounded again, so a small gain loses levels",
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
    Ok(changed(image, truth, |_, samples| {
        for sample in samples {
            *sample = (f64::from(*sample) * view.value) as f32;
        }
    }))
}
