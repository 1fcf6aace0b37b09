//! Detector noise of a spectrometer: even in the light, so worst where little of it is left.

use transect_core::{Image, LabelImage, Result, View};

use super::{Corruption, SPECTRA, as_declared, changed};
use crate::density::exp;
use crate::draw::{Words, add_normal};
use crate::view::{Made, MakeContext, stream, unsupported};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "detector_noise",
    words: "noise of the detector",
    parameter: "noise over the empty beam",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.001, 0.003, 0.01, 0.03, 0.1],
    range: (0.0, 1.0),
    modalities: SPECTRA,
    standard: &[],
    random: true,
    moves_geometry: false,
    note: "samples are taken to be absorbance to the base 10: the noise is even in the transmitted light, as a fraction of the empty beam, and so grows with absorbance; light is never under 0.0001 of the beam (absorbance 4, or what the image has where that is more); needs samples in floating point",
    in_units: as_declared,
    run,
};

/// Least transmitted light.
const DARKEST: f32 = 1e-4;

/// A → −log₁₀(max(10^−A + N(0, v), least)), least the smaller of 10⁻⁴ and 10^−A.
fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    if image.dtype.range().is_some() {
        return Err(unsupported(format!(
            "`detector_noise` needs absorbance in floating point, got {}",
            image.dtype.name()
        )));
    }
    let mut words = Words::of(stream(CORRUPTION.name, view, context));
    let mut noise = vec![0.0_f32; image.rows() * image.columns()];
    Ok(changed(image, truth, |_, samples| {
        for plane in samples.chunks_exact_mut(noise.len()) {
            noise.fill(0.0);
            add_normal(&mut noise, view.value, &mut words);
            for (sample, noise) in plane.iter_mut().zip(&noise) {
                let light = exp(-f64::from(*sample) * std::f64::consts::LN_10) as f32;
                let least = DARKEST.min(light);
                if light.is_finite() && light > 0.0 {
                    *sample = -(light + noise).max(least).log10();
                }
            }
        }
    }))
}
