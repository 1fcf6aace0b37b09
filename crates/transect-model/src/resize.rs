//! Resizing of planes.

use std::cell::RefCell;
use std::rc::Rc;

use transect_core::wide;

use crate::spec::{AntiAlias, Resize, ResizeMethod};
use crate::tensor::Block;

/// Resizes every plane of a block. A plane that already has the size is left as it is.
pub fn resize(block: &Block, how: &Resize) -> Block {
    let [channels, planes, rows, columns] = block.shape;
    let [new_rows, new_columns] = how.size;
    if [rows, columns] == how.size {
        return block.clone();
    }
    let size = new_rows * new_columns;
    let mut data = Vec::with_capacity(channels * planes * size);
    if how.method == ResizeMethod::Nearest {
        let from = [rows, columns];
        let index = |i: usize, axis: usize| {
            (((i as f64 + 0.5) * from[axis] as f64 / how.size[axis] as f64) as usize)
                .min(from[axis] - 1)
        };
        let from_columns: Vec<usize> = (0..new_columns).map(|c| index(c, 1)).collect();
        for plane in block.data.chunks(rows * columns) {
            for row in 0..new_rows {
                let line = &plane[index(row, 0) * columns..][..columns];
                data.extend(from_columns.iter().map(|&c| line[c]));
            }
        }
    } else {
        let (down, across) = (
            Sums::kept(rows, new_rows, how),
            Sums::kept(columns, new_columns, how),
        );
        for plane in block.data.chunks(rows * columns) {
            smaller(plane, columns, &down, &across, &mut data);
        }
    }
    Block {
        shape: [channels, planes, new_rows, new_columns],
        data,
    }
}

/// What one axis of a resize does, smoothing included: both are linear, so only what is kept is ever smoothed.
fn taps(from: usize, to: usize, how: &Resize) -> Taps {
    if how.method == ResizeMethod::Area {
        return area(from, to);
    }
    let linear = linear(from, to);
    let sigma = ((from as f64 / to as f64) - 1.0) / 2.0;
    if how.anti_alias == AntiAlias::None || sigma <= 0.0 {
        return linear;
    }
    let smooth = gaussian(from, sigma);
    let mut sums = vec![0.0; from];
    linear
        .into_iter()
        .map(|pair| {
            let mut touched = Vec::new();
            for (middle, share) in pair {
                for &(position, weight) in &smooth[middle] {
                    sums[position] += share * weight;
                    touched.push(position);
                }
            }
            touched.sort_unstable();
            touched.dedup();
            touched
                .into_iter()
                .map(|position| (position, std::mem::take(&mut sums[position])))
                .collect()
        })
        .collect()
}

/// For every output position, the input positions that it is a weighted sum of.
type Taps = Vec<Vec<(usize, f64)>>;

/// Taps as they are used: neighbouring input positions with a weight each.
struct Sums {
    /// For every output position the first input position, and where its weights begin; then where the last ones end.
    begin: Vec<(usize, usize)>,
    weights: Vec<f64>,
}

impl Sums {
    /// Those of an axis, kept for each thread: most images of a run are of one size.
    fn kept(from: usize, to: usize, how: &Resize) -> Rc<Self> {
        type Kept = ((usize, usize, ResizeMethod, AntiAlias), Rc<Sums>);
        const MOST: usize = 8;
        thread_local! {
            static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
        }
        let key = (from, to, how.method, how.anti_alias);
        KEPT.with_borrow_mut(|kept| {
            if let Some((_, sums)) = kept.iter().find(|(k, _)| *k == key) {
                return Rc::clone(sums);
            }
            if kept.len() == MOST {
                kept.remove(0);
            }
            let sums = Rc::new(Self::of(&taps(from, to, how)));
            kept.push((key, Rc::clone(&sums)));
            sums
        })
    }

    fn of(taps: &Taps) -> Self {
        let (mut begin, mut weights) = (Vec::with_capacity(taps.len() + 1), Vec::new());
        for positions in taps {
            let first = positions.first().map_or(0, |p| p.0);
            begin.push((first, weights.len()));
            for &(position, weight) in positions {
                // The positions are neighbours in ascending order; what would be left out has no weight.
                weights.resize(begin[begin.len() - 1].1 + position - first, 0.0);
                weights.push(weight);
            }
        }
        begin.push((0, weights.len()));
        Self { begin, weights }
    }

    /// Output positions: the first input position and the weights from there.
    fn iter(&self) -> impl Iterator<Item = (usize, &[f64])> {
        self.begin
            .windows(2)
            .map(|pair| (pair[0].0, &self.weights[pair[0].1..pair[1].1]))
    }
}

/// Samples that are summed side by side.
const SIDE_BY_SIDE: usize = 8;

/// Resizes a plane by `down` and `across`, onto the end of `out`.
fn smaller(plane: &[f32], columns: usize, down: &Sums, across: &Sums, out: &mut Vec<f32>) {
    let width = across.begin.len() - 1;
    let padded = columns.next_multiple_of(SIDE_BY_SIDE);
    // A few rows of the new height and the old width, column by column.
    let mut rows = vec![0.0_f64; padded * SIDE_BY_SIDE];
    let mut row = vec![0.0_f64; padded];
    let mut sums = vec![0.0_f32; width * SIDE_BY_SIDE];
    let (row, rows, sums) = (row.as_mut_slice(), rows.as_mut_slice(), sums.as_mut_slice());
    let every: Vec<(usize, &[f64])> = down.iter().collect();
    for some in every.chunks(SIDE_BY_SIDE) {
        for (place, &(first, weights)) in some.iter().enumerate() {
            let (row, rows) = (&mut *row, &mut *rows);
            let lines = &plane[first * columns..(first + weights.len()) * columns];
            wide!(|lines: &'a [f32],
                   columns: usize,
                   weights: &'a [f64],
                   row: &'a mut [f64],
                   rows: &'a mut [f64],
                   place: usize| {
                add_rows(lines, columns, weights, row);
                for (column, value) in rows.chunks_exact_mut(SIDE_BY_SIDE).zip(&*row) {
                    column[place] = *value;
                }
            });
        }
        let (rows, sums) = (&*rows, &mut *sums);
        wide!(|rows: &'a [f64], across: &'a Sums, sums: &'a mut [f32]| {
            for ((first, weights), out) in across.iter().zip(sums.chunks_exact_mut(SIDE_BY_SIDE)) {
                let mut total = [0.0; SIDE_BY_SIDE];
                let columns = &rows[first * SIDE_BY_SIDE..];
                for (weight, column) in weights.iter().zip(columns.chunks_exact(SIDE_BY_SIDE)) {
                    for (sum, value) in total.iter_mut().zip(column) {
                        *sum += weight * value;
                    }
                }
                for (out, sum) in out.iter_mut().zip(total) {
                    *out = sum as f32;
                }
            }
        });
        for place in 0..some.len() {
            out.extend(sums.iter().skip(place).step_by(SIDE_BY_SIDE));
        }
    }
}

/// The weighted sum of neighbouring rows of a plane.
#[inline(always)]
fn add_rows(lines: &[f32], columns: usize, weights: &[f64], out: &mut [f64]) {
    const AT_ONCE: usize = 16;
    let whole = columns - columns % AT_ONCE;
    for from in (0..whole).step_by(AT_ONCE) {
        let mut sums = [0.0_f64; AT_ONCE];
        for (line, weight) in lines.chunks_exact(columns).zip(weights) {
            for (sum, value) in sums.iter_mut().zip(&line[from..from + AT_ONCE]) {
                *sum += weight * f64::from(*value);
            }
        }
        out[from..from + AT_ONCE].copy_from_slice(&sums);
    }
    for (column, out) in out[..columns].iter_mut().enumerate().skip(whole) {
        *out = lines
            .chunks_exact(columns)
            .zip(weights)
            .map(|(line, weight)| weight * f64::from(line[column]))
            .sum();
    }
}

/// Position −1 is 1 and position n is n − 2: reflection about the centre of the outermost pixel.
fn mirror(position: i64, n: usize) -> usize {
    if n == 1 {
        return 0;
    }
    let period = 2 * (n as i64 - 1);
    let p = position.rem_euclid(period);
    (if p < n as i64 { p } else { period - p }) as usize
}

fn gaussian(n: usize, sigma: f64) -> Taps {
    let radius = (4.0 * sigma + 0.5) as i64;
    let weights: Vec<f64> = (-radius..=radius)
        .map(|d| (-0.5 * (d as f64 / sigma).powi(2)).exp())
        .collect();
    let sum: f64 = weights.iter().sum();
    (0..n as i64)
        .map(|i| {
            (-radius..=radius)
                .zip(&weights)
                .map(|(d, w)| (mirror(i + d, n), w / sum))
                .collect()
        })
        .collect()
}

/// Linear interpolation between pixel centres; beyond the outermost centre, mirrored about it.
fn linear(from: usize, to: usize) -> Taps {
    let ratio = from as f64 / to as f64;
    (0..to)
        .map(|i| {
            let mut x = (i as f64 + 0.5) * ratio - 0.5;
            let last = from as f64 - 1.0;
            if x < 0.0 {
                x = -x;
            }
            if x > last {
                x = 2.0 * last - x;
            }
            let x = x.clamp(0.0, last);
            let below = x.floor() as usize;
            let share = x - below as f64;
            if share == 0.0 {
                vec![(below, 1.0)]
            } else {
                vec![(below, 1.0 - share), (below + 1, share)]
            }
        })
        .collect()
}

/// Mean over the footprint of each new pixel.
fn area(from: usize, to: usize) -> Taps {
    let ratio = from as f64 / to as f64;
    (0..to)
        .map(|i| {
            let (start, end) = (i as f64 * ratio, (i as f64 + 1.0) * ratio);
            let first = start.floor() as usize;
            let last = (end.ceil() as usize).min(from).max(first + 1);
            (first..last.min(from))
                .filter_map(|p| {
                    let overlap = (end.min(p as f64 + 1.0) - start.max(p as f64)).max(0.0);
                    (overlap > 1e-12).then_some((p, overlap / ratio))
                })
                .collect()
        })
        .collect()
}
