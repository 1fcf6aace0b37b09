//! Water vapour: air that was not dry.

use transect_core::{Image, LabelImage, Result, View};

use super::bands::{bright_of_all, spacing, wavenumbers};
use super::{Corruption, SPECTRA, as_declared, changed};
use crate::view::{Made, MakeContext, unsupported};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "water_vapour",
    words: "water vapour",
    parameter: "absorbance of the strongest line",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.02, 0.05, 0.1, 0.2, 0.4],
    range: (-10.0, 10.0),
    modalities: SPECTRA,
    standard: &[],
    random: false,
    moves_geometry: false,
    note: "lines of the bending vibration of water, 1370 to 1870 cm⁻¹, added to every spectrum; the highest band gets this fraction of the cube's 99.9th percentile; lines are as broad as the bands lie apart; places to about 1 cm⁻¹, heights approximate; needs declared wavenumbers or wavelengths",
    in_units: as_declared,
    run,
};

/// Strong lines of water vapour: wavenumber in cm⁻¹, height against the strongest, approximate.
const LINES: [(f64, f64); 32] = [
    (1375.1, 0.35),
    (1387.5, 0.35),
    (1396.5, 0.45),
    (1419.3, 0.6),
    (1436.7, 0.55),
    (1456.9, 0.8),
    (1472.1, 0.65),
    (1490.8, 0.55),
    (1496.3, 0.7),
    (1507.1, 0.95),
    (1521.3, 0.75),
    (1539.1, 0.8),
    (1540.3, 0.8),
    (1558.5, 1.0),
    (1569.8, 0.75),
    (1576.2, 0.8),
    (1616.7, 0.75),
    (1623.6, 0.6),
    (1635.7, 0.75),
    (1646.0, 0.8),
    (1653.3, 1.0),
    (1662.8, 0.7),
    (1670.4, 0.6),
    (1684.8, 0.9),
    (1695.9, 0.85),
    (1700.0, 0.75),
    (1717.4, 0.9),
    (1734.6, 0.8),
    (1739.8, 0.55),
    (1772.7, 0.6),
    (1792.7, 0.45),
    (1844.2, 0.35),
];

/// Lines are at least this broad, as a standard deviation in cm⁻¹.
const NARROWEST: f64 = 1.0;

/// Water's spectrum at these wavenumbers, its largest value 1. `None` where no band lies within a line.
pub(super) fn spectrum(wavenumbers: &[f64]) -> Option<Vec<f64>> {
    let width = (0.5 * spacing(wavenumbers)).max(NARROWEST);
    let mut values: Vec<f64> = wavenumbers
        .iter()
        .map(|at| {
            LINES
                .iter()
                .map(|(line, height)| height * (-0.5 * ((at - line) / width).powi(2)).exp())
                .sum()
        })
        .collect();
    let highest = values.iter().copied().fold(0.0, f64::max);
    if highest < 0.01 {
        return None;
    }
    for value in &mut values {
        *value /= highest;
    }
    Some(values)
}

/// x_b → x_b + v·q·w_b.
fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _: &MakeContext<'_>,
) -> Result<Made> {
    let water = wavenumbers(image)
        .and_then(|known| spectrum(&known))
        .ok_or_else(|| {
            unsupported(
                "`water_vapour` needs declared wavenumbers, some of them within 1370 to 1870 cm⁻¹",
            )
        })?;
    let Some(bright) = bright_of_all(image) else {
        return Ok(crate::view::unchanged(image, truth));
    };
    Ok(changed(image, truth, |band, samples| {
        let added = (view.value * bright * water[band]) as f32;
        for sample in samples {
            *sample += added;
        }
    }))
}
