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
