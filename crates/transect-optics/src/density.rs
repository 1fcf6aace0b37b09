//! Optical density: what a stain adds up in.

use transect_core::Image;

use crate::quantile::quantile;

/// The intensity of clear glass: full scale for integer types; the 99.9th percentile of all samples for floating types
/// (`None` where that is not positive).
pub(crate) fn white(image: &Image) -> Option<f64> {
    match image.dtype.range() {
        Some((_, high)) => Some(f64::from(high)),
        None => quantile(image.samples(), 0.999).filter(|&w| w > 0.0),
    }
}

/// From intensity to optical density and back: `D = −ln((I + ε)/(I₀ + ε))` with ε = I₀/510, half a level of eight bits, so
/// that black has a finite density (6.24) and the way back is exact.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Density {
    white: f64,
    floor: f64,
}

impl Density {
    /// With the intensity of clear glass.
    pub(crate) fn new(white: f64) -> Self {
        Self {
            white,
            floor: white / 510.0,
        }
    }

    /// Optical density (natural logarithm) of an intensity. Intensities below 0 count as 0.
    pub(crate) fn of(self, intensity: f32) -> f64 {
        -((f64::from(intensity).max(0.0) + self.floor) / (self.white + self.floor)).ln()
    }

    /// Intensity of an optical density.
    #[expect(clippy::inline_always, reason = "compiled for what `wide` finds")]
    #[inline(always)]
    pub(crate) fn intensity(self, density: f64) -> f32 {
        ((self.white + self.floor) * exp(-density) - self.floor) as f32
    }

    /// The same, for many samples.
    pub(crate) fn table(self) -> Table {
        Table {
            density: self,
            levels: std::array::from_fn(|level| self.of(level as f32)),
        }
    }
}

/// Optical densities with those of whole numbers of eight bits looked up.
pub(crate) struct Table {
    density: Density,
    levels: [f64; 256],
}

impl Table {
    /// As [`Density::of`].
    #[inline]
    pub(crate) fn of(&self, intensity: f32) -> f64 {
        let level = intensity as i32;
        match self.levels.get(level as usize) {
            Some(&density) if level as f32 == intensity => density,
            _ => self.density.of(intensity),
        }
    }
}

/// e to the power of `x` to the last bit or the one before it, computed so that neighbouring values can be computed side by
/// side: 2ⁿ times the series for the rest within ±½ ln 2. Beyond ±700 it is that of ±700.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    /// Added, it leaves whole numbers in the lowest bits.
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    /// ln 2 in two parts, the first short enough that its multiples are exact.
    const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
    /// 1/k! from 13 to 2.
    const SERIES: [f64; 12] = [
        1.605_904_383_682_161_3e-10,
        2.087_675_698_786_81e-9,
        2.505_210_838_544_172e-8,
        2.755_731_922_398_589e-7,
        2.755_731_922_398_589_3e-6,
        2.480_158_730_158_73e-5,
        1.984_126_984_126_984e-4,
        1.388_888_888_888_889e-3,
        8.333_333_333_333_333e-3,
        4.166_666_666_666_666_4e-2,
        1.666_666_666_666_666_6e-1,
        0.5,
    ];
    let x = x.clamp(-700.0, 700.0);
    let shifted = x * std::f64::consts::LOG2_E + WHOLE;
    let n = shifted - WHOLE;
    let rest = (x - n * LN_2[0]) - n * LN_2[1];
    let mut sum = SERIES[0];
    for term in &SERIES[1..] {
        sum = sum * rest + term;
    }
    let value = sum * (rest * rest) + rest + 1.0;
    if x.is_nan() {
        x
    } else {
        f64::from_bits(value.to_bits().wrapping_add(shifted.to_bits() << 52))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_right_to_two_units_in_the_last_place() {
        let mut worst = 0.0_f64;
        for i in -140_000..=140_000 {
            let x = f64::from(i) * 0.004_999_3;
            let expected = x.exp();
            worst = worst.max((exp(x) - expected).abs() / (expected * f64::EPSILON));
        }
        assert!(worst < 2.0, "{worst}");
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f64::NAN).is_nan());
        assert_eq!(exp(f64::INFINITY) as f32, f32::INFINITY);
        assert_eq!(exp(f64::NEG_INFINITY) as f32, 0.0);
    }

    #[test]
    fn densities_of_many_are_those_of_each() {
        let density = Density::new(255.0);
        let table = density.table();
        let samples = (0..2000).map(|i| i as f32 * 0.25 - 20.0);
        assert!(samples.into_iter().all(|s| table.of(s) == density.of(s)));
    }
}
