//! Bleaching: dyes that no longer shine, on a background that stays.

use transect_core::{Image, LabelImage, Modality, Result, View};

use super::{Corruption, as_declared, changed};
use crate::quantile::quantile;
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "bleaching",
    words: "bleaching",
    parameter: "bleached share",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.2, 0.4, 0.6, 0.75, 0.9],
    range: (0.0, 1.0),
    modalities: &[Modality::Fluorescence],
    standard: &[],
    random: false,
    moves_geometry: false,
    note: "signal above the background (the channel's 5th percentile) fades, the background stays, which is what tells it from a lower gain; the planes of a stack are exposed one after the other: the first is bleached for one plane's time, the last has lost this fraction",
    in_units: as_declared,
    run,
};

/// The background is this quantile of a channel.
const BACKGROUND: f64 = 0.05;

/// x → b + (x − b)·(1 − v)^((p + 1)/P) for x > b in plane p of P.
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
    let (size, planes) = (image.rows() * image.columns(), image.planes());
    Ok(changed(image, truth, |_, samples| {
        let Some(background) = quantile(samples, BACKGROUND) else {
            return;
        };
        let background = background as f32;
        for (p, plane) in samples.chunks_exact_mut(size).enumerate() {
            let left = (1.0 - view.value).powf((p + 1) as f64 / planes as f64) as f32;
            for sample in plane {
                let above = *sample - background;
                if above > 0.0 {
                    *sample = background + above * left;
                }
            }
        }
    }))
}
