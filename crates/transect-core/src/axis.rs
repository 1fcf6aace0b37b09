//! Axes and physical units.

use serde::{Deserialize, Serialize};

/// Size of a pixel in micrometres; row first. `None` where it is not known: it is never guessed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PixelSize {
    /// Height of a pixel, micrometres.
    pub row_um: f64,
    /// Width of a pixel, micrometres.
    pub column_um: f64,
    /// Distance between planes, micrometres.
    pub plane_um: Option<f64>,
}

impl PixelSize {
    /// Square pixels in one plane.
    pub fn square(um: f64) -> Self {
        Self {
            row_um: um,
            column_um: um,
            plane_um: None,
        }
    }
}

/// What the numbers of a spectral axis are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpectralUnit {
    /// Wavelengths in nanometres.
    Nanometre,
    /// Wavelengths in micrometres.
    Micrometre,
    /// Wavenumbers in reciprocal centimetres.
    Wavenumber,
    /// The file gives numbers and no unit: it is never guessed.
    Unknown,
}

/// Where the channels of a spectrum lie, in the order of the channels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wavelengths {
    /// One finite value for each channel.
    pub values: Vec<f64>,
    /// Their unit.
    pub unit: SpectralUnit,
}
