//! Resizing of planes.

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
        let (down, across) = (taps(rows, new_rows, how), taps(columns, new_columns, how));
        let mut narrow = Vec::new();
        for plane in block.data.chunks(rows * columns) {
            along_rows(plane, columns, &down, &mut narrow);
            along_columns(&narrow, columns, &across, &mut data);
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

/// Sums whole rows of a plane into `out`.
fn along_rows(plane: &[f32], columns: usize, taps: &Taps, out: &mut Vec<f64>) {
    out.clear();
    out.resize(taps.len() * columns, 0.0);
    for (row, weights) in out.chunks_mut(columns.max(1)).zip(taps) {
        for &(from, weight) in weights {
            for (o, &v) in row
                .iter_mut()
                .zip(&plane[from * columns..(from + 1) * columns])
            {
                *o += weight * f64::from(v);
            }
        }
    }
}

/// Sums along each row, onto the end of `out`.
fn along_columns(plane: &[f64], columns: usize, taps: &Taps, out: &mut Vec<f32>) {
    for row in plane.chunks(columns.max(1)) {
        let sum = |weights: &Vec<(usize, f64)>| {
            weights
                .iter()
                .map(|&(from, weight)| weight * row[from])
                .sum::<f64>()
        };
        out.extend(taps.iter().map(|weights| sum(weights) as f32));
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
