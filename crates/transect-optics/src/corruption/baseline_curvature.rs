//! Baseline curvature: a bent baseline under every spectrum.

use transect_core::{Image, LabelImage, Result, View};

use super::bands::{bright_of_all, places};
use super::{Corruption, SPECTRA, as_declared, changed};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "baseline_curvature",
    words: "curved baseline",
    parameter: "height in the middle",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.02, 0.05, 0.1, 0.2, 0.4],
    range: (-10.0, 10.0),
    modalities: SPECTRA,
    standard: &[],
    random: false,
    moves_geometry: false,
    note: "a parabola added to every spectrum, 0 at both ends and this fraction of the cube's 99.9th percentile in the middle; along the order of the bands where the file does not declare wavenumbers",
    in_units: as_declared,
    run,
};

/// x_b → x_b + v·q·4·t_b·(1 − t_b).
fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _: &MakeContext<'_>,
) -> Result<Made> {
    let places = places(CORRUPTION.name, image)?;
    let Some(bright) = bright_of_all(image) else {
        return Ok(crate::view::unchanged(image, truth));
    };
    Ok(changed(image, truth, |band, samples| {
        let added = (view.value * bright * 4.0 * places[band] * (1.0 - places[band])) as f32;
        for sample in samples {
            *sample += added;
        }
    }))
}
