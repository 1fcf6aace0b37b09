//! Scatter: light that the specimen's edges and grains throw aside.

use transect_core::{Image, LabelImage, Result, View};

use super::bands::wavenumbers;
use super::{Corruption, SPECTRA, as_declared, changed};
use crate::view::{Made, MakeContext, unsupported};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "scatter",
    words: "scatter (Mie-like slope)",
    parameter: "scatter over mean signal",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.05, 0.1, 0.2, 0.4, 0.8],
    range: (0.0, 100.0),
    modalities: SPECTRA,
    standard: SPECTRA,
    random: false,
    moves_geometry: false,
    note: "added to every spectrum: this fraction of its own mean times (ν/ν of the highest band)^1.5, so that thick places scatter more; where the file does not declare wavenumbers, the last band is taken to be the highest and twice the first",
    in_units: as_declared,
    run,
};

/// Scatter falls with the wavelength to this power: between that of grains far smaller (4) and far larger (0) than it.
const POWER: f64 = 1.5;

/// x_b → x_b + v·mean(x)·(ν_b/ν_max)^1.5, pixel by pixel; places with a mean of 0 or less stay.
fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _: &MakeContext<'_>,
) -> Result<Made> {
    let bands = image.channels();
    if bands < 2 {
        return Err(unsupported("`scatter` needs at least two bands, got 1"));
    }
    let slope: Vec<f64> = match wavenumbers(image) {
        Some(all) => {
            let highest = all.iter().copied().fold(0.0, f64::max);
            all.iter().map(|w| (w / highest).powf(POWER)).collect()
        }
        None => (0..bands)
            .map(|b| (0.5 + 0.5 * b as f64 / (bands - 1) as f64).powf(POWER))
            .collect(),
    };
    let size = image.samples().len() / bands;
    let mut means = vec![0.0_f32; size];
    for band in image.samples().chunks_exact(size) {
        for (mean, sample) in means.iter_mut().zip(band) {
            *mean += sample;
        }
    }
    for mean in &mut means {
        *mean = (*mean / bands as f32).max(0.0);
    }
    Ok(changed(image, truth, |band, samples| {
        let share = (view.value * slope[band]) as f32;
        for (sample, mean) in samples.iter_mut().zip(&means) {
            *sample += share * mean;
        }
    }))
}
