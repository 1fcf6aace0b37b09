//! Sizes of what is bright and of what is dark, by openings and closings of growing size.

use crate::describe::Plane;

/// Sides of the squares, px.
const SIDES: [usize; 5] = [3, 5, 9, 17, 33];

/// The pattern spectrum (Maragos 1989): the mean grey that an opening by a square of 3, 5, 9, 17, 33 px takes away beyond the one
/// before, then the same for what closings add, each over the grey's standard deviation; 0 for a constant image. Edges are
/// continued by the outermost samples.
pub(super) fn of(grey: &Plane) -> Vec<f32> {
    let n = grey.samples.len() as f64;
    let mean = |samples: &[f32]| samples.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let level = mean(&grey.samples);
    let sd = (grey
        .samples
        .iter()
        .map(|&v| (f64::from(v) - level).powi(2))
        .sum::<f64>()
        / n)
        .sqrt();
    let mut values = Vec::with_capacity(2 * SIDES.len());
    for sign in [1.0_f32, -1.0] {
        let source: Vec<f32> = grey.samples.iter().map(|v| sign * v).collect();
        let mut before = mean(&source);
        for side in SIDES {
            let opened = opening(&source, grey.rows, grey.columns, side / 2);
            let now = mean(&opened);
            values.push(if sd > 0.0 {
                ((before - now) / sd) as f32
            } else {
                0.0
            });
            before = now;
        }
    }
    values
}

/// Minimum, then maximum over a square of side 2·radius + 1.
fn opening(source: &[f32], rows: usize, columns: usize, radius: usize) -> Vec<f32> {
    let eroded = extreme(source, rows, columns, radius, f32::min);
    extreme(&eroded, rows, columns, radius, f32::max)
}

/// The extreme over a square, by doubling windows along each axis.
fn extreme(
    source: &[f32],
    rows: usize,
    columns: usize,
    radius: usize,
    pick: impl Fn(f32, f32) -> f32 + Copy,
) -> Vec<f32> {
    let mut out = Vec::with_capacity(source.len());
    for row in source.chunks_exact(columns) {
        out.extend(line(row, radius, pick));
    }
    let mut result = vec![0.0; source.len()];
    let mut column = vec![0.0; rows];
    for c in 0..columns {
        for (r, value) in column.iter_mut().enumerate() {
            *value = out[r * columns + c];
        }
        for (r, value) in line(&column, radius, pick).into_iter().enumerate() {
            result[r * columns + c] = value;
        }
    }
    result
}

/// The extreme over a window of 2·radius + 1 samples (van Herk 1992, Gil and Werman 1993).
fn line(samples: &[f32], radius: usize, pick: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    let n = samples.len();
    let width = 2 * radius + 1;
    let length = (n + 2 * radius).next_multiple_of(width);
    let at = |i: usize| samples[i.saturating_sub(radius).min(n - 1)];
    let mut forward: Vec<f32> = (0..length).map(at).collect();
    let mut back = forward.clone();
    for block in forward.chunks_exact_mut(width) {
        for i in 1..width {
            block[i] = pick(block[i], block[i - 1]);
        }
    }
    for block in back.chunks_exact_mut(width) {
        for i in (0..width - 1).rev() {
            block[i] = pick(block[i], block[i + 1]);
        }
    }
    (0..n)
        .map(|i| pick(back[i], forward[i + width - 1]))
        .collect()
}
