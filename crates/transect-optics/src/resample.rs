//! Change of size.

use crate::blur::gaussian;

/// For each output position: the lower source index, the upper one, and the weight of the upper one.
fn taps(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    let step = from as f64 / to as f64;
    (0..to)
        .map(|i| {
            let at = ((i as f64 + 0.5) * step - 0.5).clamp(0.0, (from - 1) as f64);
            let low = at.floor() as usize;
            (low, (low + 1).min(from - 1), (at - low as f64) as f32)
        })
        .collect()
}

/// Resamples one plane to another size by linear interpolation between pixel centres. An axis that shrinks by a factor s
/// is first blurred with a Gaussian of standard deviation (s − 1)/2 pixels against aliasing (as scikit-image's `resize` of
/// order 1 with `anti_aliasing=True, mode="symmetric"`).
pub(crate) fn linear(
    plane: &[f32],
    rows: usize,
    columns: usize,
    to_rows: usize,
    to_columns: usize,
) -> Vec<f32> {
    let sigma = |from: usize, to: usize| (0.5 * (from as f64 / to as f64 - 1.0)).max(0.0);
    let (sigma_rows, sigma_columns) = (sigma(rows, to_rows), sigma(columns, to_columns));
    let mut source = plane.to_vec();
    gaussian(&mut source, rows, columns, sigma_rows, sigma_columns);
    let across = taps(columns, to_columns);
    let mut narrow = vec![0.0_f32; rows * to_columns];
    for (out, row) in narrow
        .chunks_exact_mut(to_columns)
        .zip(source.chunks_exact(columns))
    {
        for (o, &(low, high, share)) in out.iter_mut().zip(&across) {
            *o = if share == 0.0 {
                row[low]
            } else {
                row[low] + share * (row[high] - row[low])
            };
        }
    }
    let mut result = vec![0.0_f32; to_rows * to_columns];
    for (out, (low, high, share)) in result.chunks_exact_mut(to_columns).zip(taps(rows, to_rows)) {
        let above = &narrow[low * to_columns..(low + 1) * to_columns];
        let below = &narrow[high * to_columns..(high + 1) * to_columns];
        if share == 0.0 {
            out.copy_from_slice(above);
        } else {
            for ((o, a), b) in out.iter_mut().zip(above).zip(below) {
                *o = a + share * (b - a);
            }
        }
    }
    result
}

/// Source index of each output position by nearest neighbour: the pixel that holds the output pixel's centre.
fn nearest_index(from: usize, to: usize) -> Vec<usize> {
    (0..to)
        .map(|i| ((2 * i + 1) * from / (2 * to)).min(from - 1))
        .collect()
}

/// Resamples labels to another size by nearest neighbour.
pub(crate) fn nearest(
    labels: &[u32],
    rows: usize,
    columns: usize,
    to_rows: usize,
    to_columns: usize,
) -> Vec<u32> {
    let across = nearest_index(columns, to_columns);
    let mut result = Vec::with_capacity(to_rows * to_columns);
    for row in nearest_index(rows, to_rows) {
        let line = &labels[row * columns..(row + 1) * columns];
        result.extend(across.iter().map(|&c| line[c]));
    }
    result
}

/// Means over the cells of a grid of `to_rows` × `to_columns` that covers the plane; pixels on the border of two cells are
/// shared by area. `plane` holds `rows` × `columns` samples, row after row. Values that are not finite are left out; a cell without
/// any is 0.
pub fn area(
    plane: &[f32],
    rows: usize,
    columns: usize,
    to_rows: usize,
    to_columns: usize,
) -> Vec<f32> {
    let shares = |from: usize, to: usize| -> Vec<Vec<(usize, f64)>> {
        let step = from as f64 / to as f64;
        (0..to)
            .map(|i| {
                let (start, end) = (i as f64 * step, (i + 1) as f64 * step);
                let last = (end.ceil() as usize).min(from);
                (start.floor() as usize..last)
                    .map(|p| (p, end.min((p + 1) as f64) - start.max(p as f64)))
                    .filter(|&(_, share)| share > 1e-9)
                    .collect()
            })
            .collect()
    };
    let across = shares(columns, to_columns);
    let mut result = Vec::with_capacity(to_rows * to_columns);
    for down in shares(rows, to_rows) {
        for cells in &across {
            let (mut sum, mut weight) = (0.0, 0.0);
            for &(r, share_r) in &down {
                for &(c, share_c) in cells {
                    let value = f64::from(plane[r * columns + c]);
                    if value.is_finite() {
                        sum += share_r * share_c * value;
                        weight += share_r * share_c;
                    }
                }
            }
            result.push(if weight > 0.0 {
                (sum / weight) as f32
            } else {
                0.0
            });
        }
    }
    result
}
