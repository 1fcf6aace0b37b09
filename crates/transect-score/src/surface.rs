//! Outlines against outlines.

use crate::semantic::iou;

/// The pixels of a mask that touch its outside, row by row.
#[derive(Debug, Clone)]
pub(crate) struct Outline {
    /// Rows that hold some, ascending, each with its columns, ascending.
    rows: Vec<(usize, Vec<usize>)>,
    length: usize,
}

impl Outline {
    /// The outline of the pixels where `inside` holds: those with one of their four neighbours outside, the outside of the
    /// image included.
    pub(crate) fn of(rows: usize, columns: usize, inside: impl Fn(usize) -> bool) -> Self {
        let mut found = Vec::new();
        let mut length = 0;
        for r in 0..rows {
            let line: Vec<usize> = (0..columns)
                .filter(|&c| {
                    let at = r * columns + c;
                    inside(at)
                        && (r == 0
                            || c == 0
                            || r + 1 == rows
                            || c + 1 == columns
                            || !inside(at - 1)
                            || !inside(at + 1)
                            || !inside(at - columns)
                            || !inside(at + columns))
                })
                .collect();
            if !line.is_empty() {
                length += line.len();
                found.push((r, line));
            }
        }
        Self {
            rows: found,
            length,
        }
    }

    /// Squared distance, in pixels between centres, from each pixel of this outline to the nearest of another, ascending.
    /// Infinite where the other is empty.
    fn to(&self, other: &Self) -> Vec<f64> {
        let mut distances: Vec<f64> = Vec::with_capacity(self.length);
        for (r, line) in &self.rows {
            let start = other.rows.partition_point(|(row, _)| row < r);
            for &c in line {
                distances.push(nearest(&other.rows, start, *r, c));
            }
        }
        distances.sort_unstable_by(f64::total_cmp);
        distances
    }
}

/// Squared distance from (r, c) to the nearest pixel; `start` is the first of the rows that is not above r.
fn nearest(rows: &[(usize, Vec<usize>)], start: usize, r: usize, c: usize) -> f64 {
    let square = |a: usize, b: usize| (a.abs_diff(b) as f64).powi(2);
    let mut best = f64::INFINITY;
    let (mut below, mut above) = (start, start);
    loop {
        // The nearer of the next row downwards and the next row upwards.
        let down = rows.get(below).map(|(row, _)| square(*row, r));
        let up = above.checked_sub(1).map(|at| square(rows[at].0, r));
        let (at, away) = match (down, up) {
            (Some(d), Some(u)) if u < d => (above - 1, u),
            (Some(d), _) => (below, d),
            (None, Some(u)) => (above - 1, u),
            (None, None) => return best,
        };
        if away >= best {
            return best;
        }
        if at < start {
            above = at;
        } else {
            below = at + 1;
        }
        let line = &rows[at].1;
        let place = line.partition_point(|&column| column < c);
        for candidate in [place.checked_sub(1), Some(place)] {
            if let Some(&column) = candidate.and_then(|i| line.get(i)) {
                best = best.min(away + square(column, c));
            }
        }
    }
}

/// Quantile of ascending values, linear between neighbours.
fn quantile(ascending: &[f64], q: f64) -> f64 {
    let position = q * (ascending.len() - 1) as f64;
    let below = position.floor() as usize;
    let low = ascending[below];
    let high = ascending[(below + 1).min(ascending.len() - 1)];
    low + (position - below as f64) * (high - low)
}

/// `hd95` and `surface_dice` of one foreground.
///
/// - `hd95`: the larger of the two 95th percentiles of the distances from the pixels of one outline to the nearest of the
///   other, in pixels; both empty is 0, one empty is the image's diagonal, the largest distance that there is.
/// - `surface_dice` (normalised surface distance): the share of the pixels of both outlines that are within `tolerance_px` of the
///   other; both empty is 1, one empty 0. `None` where the tolerance is not known in pixels.
pub(crate) fn compare(
    truth: &Outline,
    pred: &Outline,
    shape: [usize; 2],
    tolerance_px: Option<f64>,
) -> [Option<f64>; 2] {
    let both = (truth.length + pred.length) as f64;
    if truth.length == 0 || pred.length == 0 {
        let diagonal = (shape[0] as f64 - 1.0).hypot(shape[1] as f64 - 1.0);
        return [
            Some(if both == 0.0 { 0.0 } else { diagonal }),
            tolerance_px.map(|_| iou(0.0, both)),
        ];
    }
    let sides = [truth.to(pred), pred.to(truth)];
    // Squares grow with distances, but quantiles lie between values: roots first.
    let hd95 = sides
        .iter()
        .map(|squares| {
            let roots: Vec<f64> = squares.iter().map(|d| d.sqrt()).collect();
            quantile(&roots, 0.95)
        })
        .fold(0.0, f64::max);
    let near = |tolerance: f64| {
        sides
            .iter()
            .map(|squares| squares.partition_point(|&d| d.sqrt() <= tolerance))
            .sum::<usize>() as f64
    };
    [Some(hd95), tolerance_px.map(|t| near(t) / both)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(from: usize, to: usize) -> Outline {
        Outline::of(20, 20, |at| {
            (from..to).contains(&(at / 20)) && (from..to).contains(&(at % 20))
        })
    }

    #[test]
    fn the_outline_of_a_square_is_its_rim_and_the_image_has_an_outside() {
        assert_eq!(square(5, 10).length, 16);
        assert_eq!(square(0, 20).length, 76);
        assert_eq!(square(3, 3).length, 0);
    }

    #[test]
    fn nested_squares_are_as_far_apart_as_their_rims() {
        // Rims at 5..=14 and 7..=12: sides 2 apart, corners √8.
        let [hd95, dice] = compare(&square(5, 15), &square(7, 13), [20, 20], Some(2.0));
        // Outer rim of 36: four corners at √8, the next to a corner at √5, and 24 at 2.
        assert!((hd95.unwrap() - 8.0_f64.sqrt()).abs() < 1e-12);
        // Inner rim: all 20 within 2. Outer: 24 within 2 (the corners and their neighbours are farther).
        assert_eq!(dice, Some((20.0 + 24.0) / 56.0));
    }

    #[test]
    fn empties_are_as_declared() {
        let (none, some) = (square(3, 3), square(5, 10));
        let diagonal = Some(19.0_f64.hypot(19.0));
        assert_eq!(
            compare(&none, &none, [20, 20], Some(1.0)),
            [Some(0.0), Some(1.0)]
        );
        for (a, b) in [(&none, &some), (&some, &none)] {
            assert_eq!(compare(a, b, [20, 20], Some(1.0)), [diagonal, Some(0.0)]);
            assert_eq!(compare(a, b, [20, 20], None), [diagonal, None]);
        }
    }

    #[test]
    fn the_nearest_is_that_of_trying_all() {
        let mut stream = transect_core::Stream::new(3, "surface", &[]);
        for density in [0.01, 0.1, 0.5] {
            let mut mask =
                || -> Vec<bool> { (0..400).map(|_| stream.uniform() < density).collect() };
            let (a, b) = (mask(), mask());
            let places = |of: &Outline| -> Vec<(usize, usize)> {
                of.rows
                    .iter()
                    .flat_map(|(r, line)| line.iter().map(move |&c| (*r, c)))
                    .collect()
            };
            let (a, b) = (
                Outline::of(20, 20, |at| a[at]),
                Outline::of(20, 20, |at| b[at]),
            );
            let mut all: Vec<f64> = places(&a)
                .iter()
                .map(|p| {
                    places(&b)
                        .iter()
                        .map(|q| (p.0.abs_diff(q.0).pow(2) + p.1.abs_diff(q.1).pow(2)) as f64)
                        .fold(f64::INFINITY, f64::min)
                })
                .collect();
            all.sort_unstable_by(f64::total_cmp);
            assert_eq!(a.to(&b), all);
        }
    }
}
