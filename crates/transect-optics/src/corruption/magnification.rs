//! Magnification: fewer or more pixels for the same field.

use transect_core::{Image, LabelImage, Result, View};

use super::{ALL, Corruption, as_declared};
use crate::resample;
use crate::view::{Made, MakeContext, unchanged};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "magnification",
    words: "lower magnification",
    parameter: "magnification",
    unit: "factor",
    identity: 1.0,
    ladder: [0.8, 0.65, 0.5, 0.4, 0.3],
    range: (1e-3, 64.0),
    modalities: ALL,
    standard: ALL,
    random: false,
    moves_geometry: true,
    note: "the canvas changes size with it: the same field on fewer pixels; labels follow by nearest neighbour",
    in_units: as_declared,
    run,
};

fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _: &MakeContext<'_>,
) -> Result<Made> {
    scaled(image, truth, view.value)
}

/// The same field on round(factor × size) pixels, at least one; the pixel size follows.
pub(crate) fn scaled(image: &Image, truth: Option<&LabelImage>, factor: f64) -> Result<Made> {
    let [channels, planes, rows, columns] = image.shape();
    let to = |size: usize| ((size as f64 * factor).round() as usize).max(1);
    let (to_rows, to_columns) = (to(rows), to(columns));
    if (to_rows, to_columns) == (rows, columns) {
        return Ok(unchanged(image, truth));
    }
    let wanted = (channels * planes) as f64 * to_rows as f64 * to_columns as f64;
    if wanted > f64::from(1 << 28) {
        return Err(transect_core::Error::new(
            &transect_core::codes::optics::VIEW_TOO_LARGE,
            format!(
                "magnified by {factor} the image would have {to_rows} × {to_columns} pixels and {wanted} samples"
            ),
        ));
    }
    let mut samples = Vec::with_capacity(channels * planes * to_rows * to_columns);
    for plane in image.samples().chunks_exact(rows * columns) {
        samples.extend(resample::linear(plane, rows, columns, to_rows, to_columns));
    }
    let mut result = image.with([channels, planes, to_rows, to_columns], samples)?;
    if let Some(size) = &mut result.pixel_size {
        size.row_um *= rows as f64 / to_rows as f64;
        size.column_um *= columns as f64 / to_columns as f64;
    }
    result.quantise();
    let truth = truth
        .map(|t| {
            LabelImage::new(
                to_rows,
                to_columns,
                resample::nearest(t.labels(), rows, columns, to_rows, to_columns),
            )
        })
        .transpose()?;
    Ok(Made {
        image: result,
        truth,
        donor_row: None,
    })
}
