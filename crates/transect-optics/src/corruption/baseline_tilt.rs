//! Baseline tilt: a straight baseline under every spectrum.

use transect_core::{Image, LabelImage, Result, View};

use super::bands::{bright_of_all, places};
use super::{Corruption, SPECTRA, as_declared, changed};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "baseline_tilt",
    words: "tilted baseline",
    parameter: "rise over the spectrum",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.02, 0.05, 0.1, 0.2, 0.4],
    range: (-10.0, 10.0),
    modalities: SPECTRA,
    standard: SPECTRA,
    random: false,
    moves_geometry: false,
    note: "a straight line added to every spectrum, from 0 at the lowest wavenumber to this fraction of the cube's 99.9th percentile at the highest; along the order of the bands where the file does not declare wavenumbers",
    in_units: as_declared,
    run,
};

/// x_b → x_b + v·q·t_b.
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
        let added = (view.value * bright * places[band]) as f32;
        for sample in samples {
            *sample += added;
        }
    }))
}
