//! Wavenumber shift: a spectrometer out of calibration.

use transect_core::{Image, LabelImage, Result, View, wide};

use super::bands::wavenumbers;
use super::cubic::weights;
use super::{Corruption, SPECTRA, as_declared};
use crate::view::{Made, MakeContext, unsupported};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "wavenumber_shift",
    words: "shifted wavenumbers",
    parameter: "shift",
    unit: "bands",
    identity: 0.0,
    ladder: [0.1, 0.25, 0.5, 1.0, 2.0],
    range: (-1e5, 1e5),
    modalities: SPECTRA,
    standard: SPECTRA,
    random: false,
    moves_geometry: false,
    note: "spectra moved by this many bands towards the last, by cubic convolution, because the file declares neither wavenumbers nor wavelengths; the outermost band stands for what lies beyond",
    in_units: as_declared,
    run,
};

/// The spectrum at ν is that which was at ν − shift.
fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _: &MakeContext<'_>,
) -> Result<Made> {
    let bands = image.channels();
    if bands < 2 {
        return Err(unsupported(
            "`wavenumber_shift` needs at least two bands, got 1",
        ));
    }
    // Where each band's value comes from, in the order of the file.
    let sources: Vec<f64> = match view.unit.as_str() {
        "bands" => (0..bands).map(|b| b as f64 - view.value).collect(),
        "cm-1" => {
            let known = wavenumbers(image).ok_or_else(|| {
                unsupported("`wavenumber_shift` in cm⁻¹ needs declared wavenumbers or wavelengths")
            })?;
            known
                .iter()
                .map(|w| position(&known, w - view.value))
                .collect()
        }
        other => {
            return Err(unsupported(format!(
                "`wavenumber_shift` is in `cm-1` or `bands`, got `{other}`"
            )));
        }
    };
    let size = image.samples().len() / bands;
    let mut result = image.clone();
    for (out, source) in result.samples_mut().chunks_exact_mut(size).zip(sources) {
        let source = source.clamp(0.0, (bands - 1) as f64);
        let first = source.floor();
        let share = weights(source - first);
        let band = |step: isize| {
            let at = (first as usize).saturating_add_signed(step).min(bands - 1);
            &image.samples()[at * size..][..size]
        };
        let (a, b, c, d) = (band(-1), band(0), band(1), band(2));
        wide!(|out: &'a mut [f32],
               a: &'a [f32],
               b: &'a [f32],
               c: &'a [f32],
               d: &'a [f32],
               share: [f32; 4]| {
            for ((((out, a), b), c), d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *out = share[0] * a + share[1] * b + share[2] * c + share[3] * d;
            }
        });
    }
    result.quantise();
    Ok(Made {
        image: result,
        truth: truth.cloned(),
        donor_row: None,
    })
}

/// The place of a wavenumber among bands that rise or fall, by linear interpolation; beyond them as far as the outermost two
/// are apart.
fn position(known: &[f64], at: f64) -> f64 {
    let last = known.len() - 2;
    let rises = known[0] < known[1];
    let behind = known.partition_point(|&w| if rises { w <= at } else { w >= at });
    let low = behind.saturating_sub(1).min(last);
    low as f64 + (at - known[low]) / (known[low + 1] - known[low])
}
