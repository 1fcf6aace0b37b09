//! Rotation: the specimen lies turned.

use transect_core::{Image, LabelImage, Result, View};

use super::warp::{Path, warp};
use super::{ALL, Corruption, as_declared};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "rotation",
    words: "rotation",
    parameter: "angle",
    unit: "deg",
    identity: 0.0,
    ladder: [2.0, 5.0, 10.0, 20.0, 45.0],
    range: (-180.0, 180.0),
    modalities: ALL,
    standard: &[],
    random: false,
    moves_geometry: true,
    note: "counter-clockwise about the centre, linear interpolation. An image with labels is cut to the largest centred rectangle of its shape that the turned field fills, so that no truth is made up (down to 0.7 of the side of a square); one without keeps its size, and the field is continued by reflection",
    in_units: as_declared,
    run,
};

fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _: &MakeContext<'_>,
) -> Result<Made> {
    let (rows, columns) = (image.rows(), image.columns());
    let (sin, cos) = view.value.to_radians().sin_cos();
    let (to_rows, to_columns) = if truth.is_some() {
        let (height, width) = (rows as f64, columns as f64);
        let share = (width / (width * cos.abs() + height * sin.abs()))
            .min(height / (width * sin.abs() + height * cos.abs()));
        let to = |n: f64| ((n * share + 1e-9).floor() as usize).max(1);
        (to(height), to(width))
    } else {
        (rows, columns)
    };
    let middle = |n: usize| 0.5 * (n as f64 - 1.0);
    let (centre_row, centre_column) = (middle(rows), middle(columns));
    // Where a pixel of the turned image comes from: rows point down, so counter-clockwise is from columns to −rows.
    warp(image, truth, to_rows, to_columns, |row| {
        let v = row as f64 - middle(to_rows);
        let u = -middle(to_columns);
        Path {
            row: centre_row + v * cos + u * sin,
            column: centre_column + u * cos - v * sin,
            row_step: sin,
            column_step: cos,
        }
    })
}
