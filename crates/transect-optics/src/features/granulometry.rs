//! Sizes of what is bright and of what is dark, by openings and closings of growing size.

use crate::describe::{Plane, mean_sd};

/// Sides of the squares, px.
const SIDES: [usize; 5] = [3, 5, 9, 17, 33];

/// The pattern spectrum (Maragos 1989): the mean grey that an opening by a square of 3, 5, 9, 17, 33 px takes away beyond the one
/// before, then the same for what closings add, each over the grey's standard deviation; 0 for a constant image. Edges are
/// continued by the outermost samples.
pub(super) fn of(grey: &Plane) -> Vec<f32> {
    let n = grey.samples.len() as f64;
    let mean = |samples: &[f32]| samples.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let samples = grey.samples.iter().map(|&v| f64::from(v));
    let (_, sd) = mean_sd(samples).unwrap_or_default();
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

/// The extreme over a square, along each axis in turn.
fn extreme(
    source: &[f32],
    rows: usize,
    columns: usize,
    radius: usize,
    pick: impl Fn(f32, f32) -> f32 + Copy,
) -> Vec<f32> {
    let across = down(&turned(source, rows, columns), columns, rows, radius, pick);
    down(&turned(&across, columns, rows), rows, columns, radius, pick)
}

/// A plane with rows and columns exchanged, in tiles, so that both sides stay in the cache.
fn turned(source: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const TILE: usize = 16;
    let mut out = vec![0.0; source.len()];
    for r0 in (0..rows).step_by(TILE) {
        for c0 in (0..columns).step_by(TILE) {
            for r in r0..(r0 + TILE).min(rows) {
                for c in c0..(c0 + TILE).min(columns) {
                    out[c * rows + r] = source[r * columns + c];
                }
            }
        }
    }
    out
}

/// The extreme over a window of 2·radius + 1 rows (van Herk 1992, Gil and Werman 1993), all columns side by side.
fn down(
    source: &[f32],
    rows: usize,
    columns: usize,
    radius: usize,
    pick: impl Fn(f32, f32) -> f32 + Copy,
) -> Vec<f32> {
    let width = 2 * radius + 1;
    let length = (rows + 2 * radius).next_multiple_of(width);
    let line = |at: usize| at * columns..(at + 1) * columns;
    let mut forward = Vec::with_capacity(length * columns);
    for i in 0..length {
        forward.extend_from_slice(&source[line(i.saturating_sub(radius).min(rows - 1))]);
    }
    let mut back = forward.clone();
    let join = |here: &mut [f32], other: &[f32]| {
        for (value, other) in here.iter_mut().zip(other) {
            *value = pick(*value, *other);
        }
    };
    for block in forward.chunks_exact_mut(width * columns) {
        for i in 1..width {
            let (before, here) = block.split_at_mut(i * columns);
            join(&mut here[..columns], &before[line(i - 1)]);
        }
    }
    for block in back.chunks_exact_mut(width * columns) {
        for i in (0..width - 1).rev() {
            let (here, after) = block.split_at_mut((i + 1) * columns);
            join(&mut here[line(i)], &after[..columns]);
        }
    }
    for r in 0..rows {
        join(&mut back[line(r)], &forward[line(r + width - 1)]);
    }
    back.truncate(rows * columns);
    back
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extreme_is_that_of_every_window() {
        let (rows, columns) = (13, 21);
        let mut stream = transect_core::Stream::new(1, "granulometry", &[]);
        let source: Vec<f32> = (0..rows * columns)
            .map(|_| stream.normal() as f32)
            .collect();
        for radius in [1, 4, 16] {
            let found = extreme(&source, rows, columns, radius, f32::max);
            for (at, value) in found.into_iter().enumerate() {
                let near =
                    |at: usize, n: usize| at.saturating_sub(radius)..(at + radius + 1).min(n);
                let expected = near(at / columns, rows)
                    .flat_map(|r| near(at % columns, columns).map(move |c| (r, c)))
                    .map(|(r, c)| source[r * columns + c])
                    .fold(f32::NEG_INFINITY, f32::max);
                assert_eq!(value, expected, "{at} at radius {radius}");
            }
        }
    }
}
