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
    pub(crate) fn intensity(self, density: f64) -> f32 {
        ((self.white + self.floor) * (-density).exp() - self.floor) as f32
    }
}
