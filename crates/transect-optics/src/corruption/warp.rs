//! Images moved along straight rows: rotation and perspective.

use transect_core::{Image, LabelImage, Result};

use crate::view::Made;

/// Where the pixels of one row come from, in pixel centres of the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    /// Row of the first pixel.
    pub(super) row: f64,
    /// Column of the first pixel.
    pub(super) column: f64,
    /// From one pixel to the next.
    pub(super) row_step: f64,
    /// From one pixel to the next.
    pub(super) column_step: f64,
}

/// Index of a pixel in `n`, continued by reflection about the edges of the outermost pixels.
fn mirrored(at: i64, n: i64) -> usize {
    if (0..n).contains(&at) {
        return at as usize;
    }
    let folded = at.rem_euclid(2 * n);
    (if folded < n {
        folded
    } else {
        2 * n - 1 - folded
    }) as usize
}

/// The four pixels that a place lies between, and its way from the first to the others.
#[derive(Clone, Copy)]
struct Between {
    corners: [u32; 4],
    down: f32,
    across: f32,
}

/// An image of `to_rows` × `to_columns` whose pixels come from where `path` says, by linear interpolation; labels by nearest
/// neighbour; what lies outside by reflection.
pub(super) fn warp(
    image: &Image,
    truth: Option<&LabelImage>,
    to_rows: usize,
    to_columns: usize,
    path: impl Fn(usize) -> Path,
) -> Result<Made> {
    let [channels, planes, rows, columns] = image.shape();
    let size = rows * columns;
    let to_size = to_rows * to_columns;
    let mut samples = vec![0.0_f32; channels * planes * to_size];
    let mut labels = truth.map(|_| Vec::with_capacity(to_size));
    let mut places = Vec::with_capacity(to_columns);
    let (tall, broad) = (rows.cast_signed() as i64, columns.cast_signed() as i64);
    for to_row in 0..to_rows {
        let path = path(to_row);
        places.clear();
        places.extend((0..to_columns).map(|c| {
            let row = path.row + c as f64 * path.row_step;
            let column = path.column + c as f64 * path.column_step;
            let (y, x) = (row.floor(), column.floor());
            let (top, left) = (y as i64, x as i64);
            let inside = top >= 0 && left >= 0 && top + 1 < tall && left + 1 < broad;
            let corners = if inside {
                let first = (top * broad + left) as u32;
                let below = first + columns as u32;
                [first, first + 1, below, below + 1]
            } else {
                let at = |r, c| (mirrored(r, tall) * columns + mirrored(c, broad)) as u32;
                [
                    at(top, left),
                    at(top, left + 1),
                    at(top + 1, left),
                    at(top + 1, left + 1),
                ]
            };
            Between {
                corners,
                down: (row - y) as f32,
                across: (column - x) as f32,
            }
        }));
        for (plane, out) in image
            .samples()
            .chunks_exact(size)
            .zip(samples.chunks_exact_mut(to_size))
        {
            let out = &mut out[to_row * to_columns..][..to_columns];
            for (out, place) in out.iter_mut().zip(&places) {
                let [a, b, c, d] = place.corners.map(|at| plane[at as usize]);
                let upper = a + place.across * (b - a);
                let lower = c + place.across * (d - c);
                *out = upper + place.down * (lower - upper);
            }
        }
        if let (Some(labels), Some(truth)) = (&mut labels, truth) {
            labels.extend(places.iter().map(|place| {
                let corner = 2 * usize::from(place.down >= 0.5) + usize::from(place.across >= 0.5);
                truth.labels()[place.corners[corner] as usize]
            }));
        }
    }
    let mut result = image.with([channels, planes, to_rows, to_columns], samples)?;
    result.quantise();
    Ok(Made {
        image: result,
        truth: labels
            .map(|labels| LabelImage::new(to_rows, to_columns, labels))
            .transpose()?,
        donor_row: None,
    })
}
