//! Noise and background.

use transect_core::{Modality, wide};

use super::Plane;
use crate::blur::gaussian;
use crate::quantile::{Ranks, key, median, quantile_in_place};

/// Standard deviation of a normal variable over the median of its absolute value.
const MAD: f64 = 1.482_602_218_505_602;

/// Sum of squares of Immerkær's kernel [1 −2 1; −2 4 −2; 1 −2 1], square root of.
const KERNEL: f64 = 6.0;

/// The response of Immerkær's kernel, which annihilates every surface of second order without row²·column², on all pixels
/// but the border. `None` for a plane of under 3 × 3.
fn response(plane: &Plane) -> Option<Vec<f32>> {
    let (rows, columns) = (plane.rows, plane.columns);
    if rows < 3 || columns < 3 {
        return None;
    }
    let mut result = Vec::with_capacity((rows - 2) * (columns - 2));
    let mut second = vec![0.0_f32; columns];
    for r in 1..rows - 1 {
        let (above, rest) = plane.samples[(r - 1) * columns..].split_at(columns);
        let (here, below) = rest.split_at(columns);
        for (((s, a), h), b) in second.iter_mut().zip(above).zip(here).zip(below) {
            *s = a - 2.0 * h + b;
        }
        result.extend(second.windows(3).map(|w| w[0] - 2.0 * w[1] + w[2]));
    }
    Some(result)
}

/// The median of |r|, where the values are multiples of `level` (if that is not 0): each multiple is spread evenly over its
/// bin, so that noise of a level or less is not counted in whole levels.
fn median_absolute(values: &mut Vec<f32>, level: f64) -> Option<f64> {
    for v in values.iter_mut() {
        *v = v.abs();
    }
    let plain = quantile_in_place(values, 0.5)?;
    if level <= 0.0 {
        return Some(plain);
    }
    let bin = (plain / level).round();
    let (low, high) = (((bin - 0.5) * level).max(0.0), (bin + 0.5) * level);
    let below = values.iter().filter(|&&v| f64::from(v) < low).count() as f64;
    let inside = values
        .iter()
        .filter(|&&v| f64::from(v) >= low && f64::from(v) < high)
        .count() as f64;
    if inside == 0.0 || inside == values.len() as f64 {
        return Some(plain);
    }
    Some(low + (high - low) * ((0.5 * values.len() as f64 - below) / inside).clamp(0.0, 1.0))
}

/// Standard deviation of the noise at the typical pixel: 1.4826 times the median absolute response of Immerkær's kernel
/// (1996), over 6. `level` is the step of the samples, 0 where they are continuous. `None` under 3 × 3 pixels.
pub(super) fn sd(plane: &Plane, level: f64) -> Option<f64> {
    sd_of(response(plane)?, level)
}

/// The same of the kernel's response.
fn sd_of(mut response: Vec<f32>, level: f64) -> Option<f64> {
    median_absolute(&mut response, level).map(|m| MAD * m / KERNEL)
}

/// The noise of one channel.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Noise {
    /// Standard deviation at the typical pixel.
    pub(super) sd: Option<f64>,
    /// Gain and read noise, by photon transfer.
    pub(super) transfer: Option<(f64, f64)>,
}

impl Noise {
    /// See [`sd`] and [`photon_transfer`].
    pub(super) fn of(plane: &Plane, level: f64) -> Self {
        let Some(response) = response(plane) else {
            return Self::default();
        };
        Self {
            transfer: photon_transfer(plane, &response, level),
            sd: sd_of(response, level),
        }
    }
}

/// Noise gain (variance per unit of signal) and read noise (standard deviation at zero signal), by photon transfer: the
/// robust noise variance of the pixels whose local mean falls into each of 24 bins, on the half with the smaller gradient,
/// against that mean; weighted least squares, neither below 0. Pixels next to a saturated or zero sample are left out.
/// `None` where fewer than four bins hold 100 pixels or where variance does not rise with signal.
fn photon_transfer(plane: &Plane, response: &[f32], level: f64) -> Option<(f64, f64)> {
    const BINS: usize = 24;
    let (rows, columns) = (plane.rows, plane.columns);
    let mut smooth = plane.samples.clone();
    gaussian(&mut smooth, rows, columns, 2.0, 2.0);
    let [low, high] = Ranks::of(&smooth).quantiles([0.001, 0.999])?;
    if low >= high || (level > 0.0 && high - low < 8.0 * level) {
        return None;
    }
    let scale = BINS as f64 / (high - low);
    let clipped = near_clipped(plane, level);
    // Pixels of each bin: the key of the squared slope (only its order matters) above the pixel's place in the response.
    let mut bins: Vec<Vec<u64>> = vec![Vec::new(); BINS];
    let inner = columns - 2;
    let mut slopes = vec![0.0_f32; inner];
    let mut places = vec![0_u8; inner];
    for row in 1..rows - 1 {
        let line = |row: usize| &smooth[row * columns..(row + 1) * columns];
        let (above, here, below) = (line(row - 1), line(row), line(row + 1));
        let (slopes, places) = (slopes.as_mut_slice(), places.as_mut_slice());
        wide!(|slopes: &'a mut [f32],
               places: &'a mut [u8],
               above: &'a [f32],
               here: &'a [f32],
               below: &'a [f32],
               low: f64,
               scale: f64| {
            let n = slopes.len();
            let (left, right) = (&here[..n], &here[2..]);
            let (above, below) = (&above[1..=n], &below[1..=n]);
            for ((((slope, l), r), a), b) in
                slopes.iter_mut().zip(left).zip(right).zip(above).zip(below)
            {
                let (across, down) = (r - l, b - a);
                *slope = across * across + down * down;
            }
            for (place, &value) in places.iter_mut().zip(&here[1..]) {
                let bin = (f64::from(value) - low) * scale;
                *place = if bin < 0.0 || bin >= BINS as f64 {
                    u8::MAX
                } else {
                    bin as u8
                };
            }
        });
        let at = row * columns + 1;
        if let Some(clipped) = clipped.get(at..at + inner) {
            for (place, &clipped) in places.iter_mut().zip(clipped) {
                if clipped {
                    *place = u8::MAX;
                }
            }
        }
        let first = (row - 1) * inner;
        for (i, (&place, slope)) in places.iter().zip(slopes.iter()).enumerate() {
            if let Some(bin) = bins.get_mut(usize::from(place)) {
                bin.push(u64::from(key(*slope)) << 32 | (first + i) as u64);
            }
        }
    }
    let mut points = Vec::new();
    let mut flat_response = Vec::new();
    for bin in &mut bins {
        if bin.len() < 200 {
            continue;
        }
        let half = bin.len() / 2;
        bin.select_nth_unstable_by(half, |a, b| (a >> 32).cmp(&(b >> 32)));
        let flat = bin[..half].iter().map(|&p| (p & 0xffff_ffff) as usize);
        let mean = flat
            .clone()
            .map(|i| f64::from(smooth[(i / inner + 1) * columns + i % inner + 1]))
            .sum::<f64>()
            / half as f64;
        flat_response.clear();
        flat_response.extend(flat.map(|i| response[i]));
        let sd = MAD * median_absolute(&mut flat_response, level)? / KERNEL;
        // Rounding to levels adds a variance of 1/12.
        let variance = (sd * sd - level * level / 12.0).max(0.0);
        points.push((mean, variance, half as f64));
    }
    if points.len() < 4 {
        return None;
    }
    let floor = median(&mut points.iter().map(|p| p.1).collect())?.max(level * level / 12.0) * 0.1;
    let mut line = (0.0, 0.0);
    for round in 0..4 {
        // The standard error of a variance is proportional to it.
        let weight = |p: &(f64, f64, f64)| {
            let expected = if round == 0 {
                p.1
            } else {
                line.0 * p.0 + line.1
            };
            p.2 / expected.max(floor).max(1e-30).powi(2)
        };
        line = fit_line(&points, weight)?;
    }
    let (gain, intercept) = line;
    (gain > 0.0).then_some((gain, intercept.max(0.0).sqrt()))
}

/// Weighted line; the slope through 0 where the intercept would be negative.
fn fit_line(
    points: &[(f64, f64, f64)],
    weight: impl Fn(&(f64, f64, f64)) -> f64,
) -> Option<(f64, f64)> {
    let (mut w, mut x, mut y, mut xx, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for p in points {
        let k = weight(p);
        w += k;
        x += k * p.0;
        y += k * p.1;
        xx += k * p.0 * p.0;
        xy += k * p.0 * p.1;
    }
    let determinant = w * xx - x * x;
    if determinant.is_nan() || determinant <= 0.0 || xx <= 0.0 {
        return None;
    }
    let slope = (w * xy - x * y) / determinant;
    let intercept = (y - slope * x) / w;
    Some((slope, intercept))
}

/// The pixels that are, or are next to, a saturated or zero sample; empty where there are none. `level` is 0 where samples
/// are continuous: those never clip.
fn near_clipped(plane: &Plane, level: f64) -> Vec<bool> {
    let hit = |v: f32| v <= 0.0 || v >= 1.0;
    if level <= 0.0 || !plane.samples.iter().fold(false, |any, &v| any | hit(v)) {
        return Vec::new();
    }
    let columns = plane.columns;
    let mut near = vec![false; plane.samples.len()];
    for at in 0..plane.samples.len() {
        if hit(plane.samples[at]) {
            let (row, column) = (at / columns, at % columns);
            for r in row.saturating_sub(1)..(row + 2).min(plane.rows) {
                for c in column.saturating_sub(1)..(column + 2).min(columns) {
                    near[r * columns + c] = true;
                }
            }
        }
    }
    near
}

/// Background level, given the quantiles 0.001, 0.5 and 0.999 of the plane: the highest peak of the smoothed histogram of grey; among the darker half of the range for
/// fluorescence, the brighter half for bright field, anywhere otherwise. A constant image is its own background.
pub(super) fn background(
    grey: &Plane,
    [low, median, high]: [f64; 3],
    level: f64,
    modality: Modality,
) -> Option<f64> {
    const BINS: f64 = 256.0;
    if low >= high {
        return Some(median);
    }
    let width = ((high - low) / BINS).max(level);
    let n = ((high - low) / width).floor() as usize + 1;
    let mut counts = vec![0.0_f32; n + 16];
    let mut places = [0_i32; 1024];
    for some in grey.samples.chunks(places.len()) {
        let places = &mut places[..some.len()];
        wide!(
            |places: &'a mut [i32], some: &'a [f32], low: f64, width: f64| {
                for (place, &v) in places.iter_mut().zip(some) {
                    // Bins are centred on low + i·width; what is not finite, or outside, lies in none.
                    let at = ((f64::from(v) - low) / width).round();
                    *place = if at >= 0.0 { at as i32 } else { -1 };
                }
            }
        );
        for &place in places.iter() {
            if place >= 0 && (place as usize) < n {
                counts[place as usize + 8] += 1.0;
            }
        }
    }
    let n = counts.len();
    smooth_counts(&mut counts, n);
    let position = |i: usize| low + (i as f64 - 8.0) * width;
    let middle = 0.5 * (low + high);
    let peak = (0..n)
        .filter(|&i| match modality {
            Modality::Fluorescence => position(i) <= middle,
            Modality::Brightfield => position(i) >= middle,
            _ => true,
        })
        .max_by(|&a, &b| counts[a].total_cmp(&counts[b]).then(b.cmp(&a)))?;
    // The top of the parabola through the peak and its neighbours.
    let shift = if peak > 0 && peak + 1 < n {
        let (a, b, c) = (
            f64::from(counts[peak - 1]),
            f64::from(counts[peak]),
            f64::from(counts[peak + 1]),
        );
        let curve = a - 2.0 * b + c;
        if curve < 0.0 {
            (0.5 * (a - c) / curve).clamp(-0.5, 0.5)
        } else {
            0.0
        }
    } else {
        0.0
    };
    Some(position(peak) + shift * width)
}

fn smooth_counts(counts: &mut [f32], n: usize) {
    gaussian(counts, 1, n, 0.0, 2.0);
}
