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

/// A place between four pixels: the index of the first where all four lie in the image, and the way from it down and across.
#[derive(Clone, Copy)]
struct Between {
    first: u32,
    down: f32,
    across: f32,
}

/// Marks a place at the edge, whose pixels are found one by one.
const EDGE: u32 = u32::MAX;

/// Places are counted in parts of a pixel of this many bits.
const PARTS: u32 = 32;

/// Columns that are made at once, so that what a turned row crosses stays in the cache.
const BLOCK: usize = 128;

/// A place in parts.
fn parts(place: f64) -> i64 {
    (place * (1_i64 << PARTS) as f64).round() as i64
}

/// What of a place in parts lies behind the pixel.
#[expect(clippy::inline_always, reason = "in the innermost loop")]
#[inline(always)]
fn behind(place: i64) -> f32 {
    (place as u32 >> 8) as f32 * (1.0 / (1_u32 << 24) as f32)
}

/// An image of `to_rows` × `to_columns` whose pixels come from where `path` says, by linear interpolation; labels by nearest
/// neighbour; what lies outside by reflection. Places are rounded to 2⁻³² pixels along a row.
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
    let mut labels = truth.map(|_| vec![0_u32; to_size]);
    let nowhere = Between {
        first: EDGE,
        down: 0.0,
        across: 0.0,
    };
    let mut places = [nowhere; BLOCK];
    let (tall, broad) = (rows.cast_signed() as i64, columns.cast_signed() as i64);
    for block in (0..to_columns).step_by(BLOCK) {
        let places = &mut places[..BLOCK.min(to_columns - block)];
        for to_row in 0..to_rows {
            let path = path(to_row);
            let (row_step, column_step) = (parts(path.row_step), parts(path.column_step));
            let begin = block.cast_signed() as i64;
            let start = (
                parts(path.row) + begin * row_step,
                parts(path.column) + begin * column_step,
            );
            let (mut row, mut column) = start;
            for place in places.iter_mut() {
                let (top, left) = (row >> PARTS, column >> PARTS);
                let inside = top >= 0 && left >= 0 && top + 1 < tall && left + 1 < broad;
                *place = Between {
                    first: if inside {
                        (top * broad + left) as u32
                    } else {
                        EDGE
                    },
                    down: behind(row),
                    across: behind(column),
                };
                row += row_step;
                column += column_step;
            }
            // The four pixels around a place at the edge.
            let corners = |at: usize| {
                let row = (start.0 + at.cast_signed() as i64 * row_step) >> PARTS;
                let column = (start.1 + at.cast_signed() as i64 * column_step) >> PARTS;
                [(0, 0), (0, 1), (1, 0), (1, 1)]
                    .map(|(r, c)| mirrored(row + r, tall) * columns + mirrored(column + c, broad))
            };
            let to = to_row * to_columns + block;
            for (plane, out) in image
                .samples()
                .chunks_exact(size)
                .zip(samples.chunks_exact_mut(to_size))
            {
                let out = &mut out[to..to + places.len()];
                for (at, (out, place)) in out.iter_mut().zip(&*places).enumerate() {
                    let [a, b, c, d] = if place.first == EDGE {
                        corners(at).map(|at| plane[at])
                    } else {
                        let square = &plane[place.first as usize..][..columns + 2];
                        [square[0], square[1], square[columns], square[columns + 1]]
                    };
                    let upper = a + place.across * (b - a);
                    let lower = c + place.across * (d - c);
                    *out = upper + place.down * (lower - upper);
                }
            }
            if let (Some(labels), Some(truth)) = (&mut labels, truth) {
                let out = &mut labels[to..to + places.len()];
                for (at, (out, place)) in out.iter_mut().zip(&*places).enumerate() {
                    let (down, across) = (
                        usize::from(place.down >= 0.5),
                        usize::from(place.across >= 0.5),
                    );
                    let from = if place.first == EDGE {
                        corners(at)[2 * down + across]
                    } else {
                        place.first as usize + down * columns + across
                    };
                    *out = truth.labels()[from];
                }
            }
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
