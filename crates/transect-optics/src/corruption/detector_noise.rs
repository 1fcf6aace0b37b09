//! Detector noise of a spectrometer: even in the light, so worst where little of it is left.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, LN_10};

use transect_core::{Image, LabelImage, Result, View, wide};

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
const DARKEST: f64 = 1e-4;

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
            let noise = noise.as_slice();
            wide!(|plane: &'a mut [f32], noise: &'a [f32]| {
                for (sample, noise) in plane.iter_mut().zip(noise) {
                    let light = exp(-f64::from(*sample) * LN_10);
                    let seen = (light + f64::from(*noise)).max(light.min(DARKEST));
                    let made = (-log10(seen)) as f32;
                    *sample = if sample.is_finite() { made } else { *sample };
                }
            });
        }
    }))
}

/// The logarithm to the base 10 of a positive normal number to about 1e-10, computed so that neighbouring values can be computed side by
/// side: the power of 2, and the series of the inverse hyperbolic tangent for the rest within a factor of √2.
#[inline(always)]
fn log10(value: f64) -> f64 {
    /// A number's exponent field as the last bits of this one.
    const WHOLE: u64 = 0x4330_0000_0000_0000;
    let bits = value.to_bits();
    let power = f64::from_bits((bits >> 52) | WHOLE) - (4_503_599_627_370_496.0 + 1022.0);
    let half = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3fe0_0000_0000_0000);
    let small = half < FRAC_1_SQRT_2;
    let rest = if small { 2.0 * half } else { half };
    let power = if small { power - 1.0 } else { power };
    let f = (rest - 1.0) / (rest + 1.0);
    let f2 = f * f;
    let series = 1.0
        + f2 * (1.0 / 3.0
            + f2 * (1.0 / 5.0
                + f2 * (1.0 / 7.0 + f2 * (1.0 / 9.0 + f2 * (1.0 / 11.0 + f2 / 13.0)))));
    (power * LN_2 + 2.0 * f * series) / LN_10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_those_of_the_library() {
        for i in -4000..4000 {
            let value = (0.01 * f64::from(i)).exp();
            let expected = value.log10();
            assert!(
                (log10(value) - expected).abs() < 1e-10 * (1.0 + expected.abs()),
                "{value}"
            );
        }
    }
}
