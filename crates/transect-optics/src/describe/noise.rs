//! Noise and background.

use transect_core::Modality;

use super::Plane;
use crate::blur::gaussian;
use crate::quantile::{Ranks, median, quantile_in_place};

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
    let mut r = response(plane)?;
    median_absolute(&mut r, level).map(|m| MAD * m / KERNEL)
}

/// Noise gain (variance per unit of signal) and read noise (standard deviation at zero signal), by photon transfer: the
/// robust noise variance of the pixels whose local mean falls into each of 24 bins, on the half with the smaller gradient,
/// against that mean; weighted least squares, neither below 0. Pixels next to a saturated or zero sample are left out.
/// `None` where fewer than four bins hold 100 pixels or where variance does not rise with signal.
pub(super) fn photon_transfer(plane: &Plane, level: f64) -> Option<(f64, f64)> {
    const BINS: usize = 24;
    let (rows, columns) = (plane.rows, plane.columns);
    let r = response(plane)?;
    let mut smooth = plane.samples.clone();
    gaussian(&mut smooth, rows, columns, 2.0, 2.0);
    let ranks = Ranks::of(&smooth);
    let (low, high) = (ranks.quantile(0.001)?, ranks.quantile(0.999)?);
    if low >= high || (level > 0.0 && high - low < 8.0 * level) {
        return None;
    }
    let mut bins: Vec<Vec<(f32, f32, f32)>> = vec![Vec::new(); BINS];
    let scale = BINS as f64 / (high - low);
    let clipped = near_clipped(plane, level);
    for row in 1..rows - 1 {
        for column in 1..columns - 1 {
            let at = row * columns + column;
            let bin = (f64::from(smooth[at]) - low) * scale;
            if bin < 0.0 || bin >= BINS as f64 || clipped.get(at).is_some_and(|&c| c) {
                continue;
            }
            let (across, down) = (
                smooth[at + 1] - smooth[at - 1],
                smooth[at + columns] - smooth[at - columns],
            );
            // Squared: only its order matters.
            let slope = across * across + down * down;
            bins[bin as usize].push((slope, r[(row - 1) * (columns - 2) + column - 1], smooth[at]));
        }
    }
    let mut points = Vec::new();
    for bin in &mut bins {
        if bin.len() < 200 {
            continue;
        }
        let half = bin.len() / 2;
        bin.select_nth_unstable_by(half, |a, b| a.0.total_cmp(&b.0));
        let flat = &bin[..half];
        let mean = flat.iter().map(|p| f64::from(p.2)).sum::<f64>() / half as f64;
        let sd = MAD * median_absolute(&mut flat.iter().map(|p| p.1).collect(), level)? / KERNEL;
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

/// Background level: the highest peak of the smoothed histogram of grey; among the darker half of the range for
/// fluorescence, the brighter half for bright field, anywhere otherwise. A constant image is its own background.
pub(super) fn background(grey: &Plane, level: f64, modality: Modality) -> Option<f64> {
    const BINS: f64 = 256.0;
    let ranks = Ranks::of(&grey.samples);
    let (low, high) = (ranks.quantile(0.001)?, ranks.quantile(0.999)?);
    if low >= high {
        return ranks.quantile(0.5);
    }
    let width = ((high - low) / BINS).max(level);
    let n = ((high - low) / width).floor() as usize + 1;
    let mut counts = vec![0.0_f32; n + 16];
    for &v in &grey.samples {
        // Bins are centred on low + i·width.
        let at = ((f64::from(v) - low) / width).round();
        if v.is_finite() && at >= 0.0 && (at as usize) < n {
            counts[at as usize + 8] += 1.0;
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
