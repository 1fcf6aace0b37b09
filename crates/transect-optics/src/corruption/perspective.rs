//! Perspective: a camera that looks at the field from one side.

use transect_core::{Image, LabelImage, Modality, Result, View};

use super::warp::{Path, warp};
use super::{Corruption, as_declared};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "perspective",
    words: "perspective",
    parameter: "narrowing",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.05, 0.1, 0.2, 0.3, 0.4],
    range: (0.0, 0.9),
    modalities: &[Modality::Photo, Modality::Brightfield, Modality::Unknown],
    standard: &[],
    random: false,
    moves_geometry: true,
    note: "the upper edge is farther away and stays as it is; the lower edge shows the middle of its width less this fraction, so nothing from outside the field is needed; no angle, because the camera's focal length is not declared",
    in_units: as_declared,
    run,
};

/// The homography that keeps the upper edge and brings the middle 1 − v of the lower edge to its whole width.
fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _: &MakeContext<'_>,
) -> Result<Made> {
    let (rows, columns) = (image.rows(), image.columns());
    let (height, width) = (rows as f64, columns as f64);
    let k = view.value / (1.0 - view.value);
    warp(image, truth, rows, columns, |row| {
        let t = (row as f64 + 0.5) / height;
        let shrink = 1.0 / (1.0 + k * t);
        Path {
            row: height * t * (1.0 + k) * shrink - 0.5,
            column: 0.5 * (width - 1.0) + 0.5 * (1.0 - width) * shrink,
            row_step: 0.0,
            column_step: shrink,
        }
    })
}
