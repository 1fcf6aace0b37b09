//! The bands of a spectrum: where they lie, where that is declared.

use transect_core::axis::SpectralUnit;
use transect_core::context::Ladder;
use transect_core::{Image, Result};

use super::pupil::two_digits;
use super::{BRIGHT, water_vapour, wavenumber_shift};
use crate::quantile::quantile;
use crate::view::unsupported;

/// Wavenumbers of the channels in cm⁻¹, where the file declares them, or wavelengths, with their unit. `None` unless they are
/// positive and rise or fall throughout.
pub(super) fn wavenumbers(image: &Image) -> Option<Vec<f64>> {
    let declared = image.wavelengths.as_ref()?;
    let all: Vec<f64> = declared
        .values
        .iter()
        .map(|&value| match declared.unit {
            SpectralUnit::Nanometre => Some(1e7 / value),
            SpectralUnit::Micrometre => Some(1e4 / value),
            SpectralUnit::Wavenumber => Some(value),
            SpectralUnit::Unknown => None,
        })
        .collect::<Option<_>>()?;
    let positive = all.iter().all(|w| w.is_finite() && *w > 0.0);
    let rises = all.windows(2).all(|w| w[0] < w[1]);
    let falls = all.windows(2).all(|w| w[0] > w[1]);
    (all.len() == image.channels() && all.len() > 1 && positive && (rises || falls)).then_some(all)
}

/// Distance of neighbouring bands, cm⁻¹, on average.
pub(super) fn spacing(wavenumbers: &[f64]) -> f64 {
    let (first, last) = (
        wavenumbers[0],
        wavenumbers[wavenumbers.len().saturating_sub(1)],
    );
    (last - first).abs() / (wavenumbers.len() - 1) as f64
}

/// Where each band lies between the lowest (0) and the highest (1) wavenumber; evenly in the order of the file where they are
/// not declared.
pub(super) fn places(name: &str, image: &Image) -> Result<Vec<f64>> {
    let n = image.channels();
    if n < 2 {
        return Err(unsupported(format!(
            "`{name}` needs at least two bands, got 1"
        )));
    }
    Ok(match wavenumbers(image) {
        Some(all) => {
            let low = all[0].min(all[n - 1]);
            let range = (all[n - 1] - all[0]).abs();
            all.iter().map(|w| (w - low) / range).collect()
        }
        None => (0..n).map(|i| i as f64 / (n - 1) as f64).collect(),
    })
}

/// The level of the brightest signal of all bands together: the 99.9th percentile. `None` where it is not positive.
pub(super) fn bright_of_all(image: &Image) -> Option<f64> {
    quantile(image.samples(), BRIGHT).filter(|&q| q > 0.0)
}

/// Fits ladders to an image of the run: leaves out those that cannot apply to images like it, and puts what needs the wavenumbers of the
/// bands in its units.
///
/// Left out are `cross_talk`, `chromatic_shift` and what changes spectra where there is one channel, `stain_balance` where it is
/// not in red, green and blue, `detector_noise` where samples are integers, and `water_vapour` where no band is known to lie
/// where water absorbs. `wavenumber_shift` is in cm⁻¹ where wavenumbers or wavelengths are declared, and in bands where not.
pub fn fit_ladders(ladders: &mut Vec<Ladder>, image: &Image) {
    let known = wavenumbers(image);
    ladders.retain(|l| match l.name.as_str() {
        "cross_talk" | "chromatic_shift" | "baseline_tilt" | "baseline_curvature"
        | "wavenumber_shift" | "band_loss" | "scatter" => image.channels() > 1,
        "stain_balance" => image.rgb,
        "detector_noise" => image.dtype.range().is_none(),
        "water_vapour" => known
            .as_ref()
            .is_some_and(|w| water_vapour::spectrum(w).is_some()),
        _ => true,
    });
    if let Some(known) = known {
        let spacing = spacing(&known);
        for ladder in ladders
            .iter_mut()
            .filter(|l| l.name == wavenumber_shift::CORRUPTION.name && l.unit == "bands")
        {
            "cm-1".clone_into(&mut ladder.unit);
            ladder.values = ladder.values.map(|v| two_digits(v * spacing));
            ladder.note = format!(
                "spectra moved to higher wavenumbers, by cubic convolution; neighbouring bands lie {} cm⁻¹ apart",
                two_digits(spacing)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use transect_core::Dtype;
    use transect_core::axis::Wavelengths;

    #[test]
    fn only_declared_units_give_wavenumbers() {
        let of = |values: &[f64], unit| {
            let mut image = Image::new(
                [values.len(), 1, 1, 1],
                vec![0.0; values.len()],
                Dtype::Float32,
            )
            .unwrap_or_else(|e| panic!("{e}"));
            image.wavelengths = Some(Wavelengths {
                values: values.to_vec(),
                unit,
            });
            wavenumbers(&image)
        };
        let up = [1000.0, 1250.0];
        assert_eq!(of(&up, SpectralUnit::Wavenumber), Some(up.to_vec()));
        assert_eq!(
            of(&up, SpectralUnit::Nanometre),
            Some(vec![10_000.0, 8000.0])
        );
        assert_eq!(
            of(&[5.0, 8.0], SpectralUnit::Micrometre),
            Some(vec![2000.0, 1250.0])
        );
        assert_eq!(of(&up, SpectralUnit::Unknown), None);
        assert_eq!(of(&[1.0, 2.0, 1.5], SpectralUnit::Wavenumber), None);
        assert_eq!(of(&[0.0, 1.0], SpectralUnit::Wavenumber), None);
    }
}
