//! Bit depth: fewer grey levels.

use transect_core::{Image, LabelImage, Result, View};

use super::{ALL, Corruption, as_declared, contrasts, mapped};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "bit_depth",
    words: "fewer grey levels",
    parameter: "bit depth",
    unit: "bits",
    identity: f64::INFINITY,
    ladder: [6.0, 5.0, 4.0, 3.0, 2.0],
    range: (1.0, f64::INFINITY),
    modalities: ALL,
    standard: &[],
    random: false,
    moves_geometry: false,
    note: "2^bits levels at equal steps from the black level 0 (from the 0.1th percentile where that is lower) to the channel's 99.9th percentile; what lies beyond is rounded with the same step",
    in_units: as_declared,
    run,
};

/// x → l + s·round((x − l)/s), s = (q − l)/(2^bits − 1), ties to even.
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
    let contrasts = contrasts(image);
    let steps = view.value.exp2() - 1.0;
    Ok(mapped(image, truth, |channel, value| {
        match contrasts[channel] {
            Some((low, high)) => {
                let low = low.min(0.0);
                let step = (high - low) / steps;
                if step > 0.0 {
                    low + step * ((value - low) / step).round_ties_even()
                } else {
                    value
                }
            }
            None => value,
        }
    }))
}
