//! Scenes with known truth: nuclei and cells as a laboratory's microscope and camera would record them.
//!
//! A scene is a specimen, laid out in micrometres from (seed, index), seen by a [`Laboratory`]: painted at three times the
//! resolution, lit unevenly, blurred, integrated over pixels, counted as photons with read noise, and rounded to levels.
//! The truth is exact: a pixel belongs to the nucleus whose outline holds the pixel's centre; where two overlap, to the
//! one that holds it deeper.

mod camera;
mod laboratory;
mod paint;
pub mod section;
pub mod site;
mod specimen;

pub use laboratory::{Laboratory, Staining};

use transect_core::{Image, LabelImage};

/// What a laboratory recorded, and the truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// What the camera wrote: one channel, or red, green and blue.
    pub image: Image,
    /// Nuclei, labelled 1, 2, … in the order of their first pixel.
    pub labels: LabelImage,
    /// Cell bodies with their nuclei, labelled likewise (numbers do not correspond to those of the nuclei).
    pub cells: LabelImage,
    /// What the camera would have written without noise, rounding or clipping, in levels: (channel, row, column).
    pub expected: Vec<f64>,
}

/// Renders scene `index` of a laboratory. The same arguments give the same bits.
///
/// The specimen depends on (seed, index) and on how it is prepared (staining, density, diameter, touching, debris), not on
/// the microscope, so that two laboratories with a field of nearly the same size look at the same cells.
///
/// # Panics
/// When the laboratory has no pixels.
pub fn render(laboratory: &Laboratory, seed: u64, index: u64) -> Scene {
    let specimen = specimen::Specimen::new(laboratory, seed, index);
    let (labels, cells) = paint::truth(&specimen, laboratory);
    let signal = match laboratory.staining {
        Staining::Fluorescence => paint::fluorescence(&specimen, laboratory, seed, index),
        Staining::Tissue => paint::tissue(&specimen, laboratory, seed, index),
        Staining::Smear => paint::smear(&specimen, laboratory, seed, index),
    };
    let (image, expected) = camera::record(signal, laboratory, seed, index);
    Scene {
        image,
        labels,
        cells,
        expected,
    }
}
