//! Blur and illumination.

use transect_core::Modality;

use super::Plane;
use crate::blur::gaussian;
use crate::quantile::{median, quantile_in_place};
use crate::surface::{self, Surface};

/// Gradient of a plane by central differences: (along rows, along columns) on all pixels; 0 on the border.
fn gradient(samples: &[f32], rows: usize, columns: usize) -> (Vec<f32>, Vec<f32>) {
    let mut down = vec![0.0; samples.len()];
    let mut across = vec![0.0; samples.len()];
    for r in 1..rows - 1 {
        let here = r * columns;
        let inner = here + 1..here + columns - 1;
        let above = &samples[here + 1 - columns..];
        let below = &samples[here + 1 + columns..];
        for ((out, a), b) in down[inner.clone()].iter_mut().zip(above).zip(below) {
            *out = 0.5 * (b - a);
        }
        let (left, right) = (&samples[here..], &samples[here + 2..]);
        for ((out, a), b) in across[inner].iter_mut().zip(left).zip(right) {
            *out = 0.5 * (b - a);
        }
    }
    (down, across)
}

/// Standard deviation of the blur in pixels, from how much a known further blur lowers the gradient at edges (after Zhuo
/// and Sim 2011): an edge blurred by σ and then by s has a gradient ∝ 1/√(σ² + s²), so the gradients after s₁ = 1 and
/// s₂ = 2 give σ. Edges are the local maxima of the coarse gradient along its own direction that reach 0.4 of its 99.5th
/// percentile and 8 times its noise: outlines of objects rather than their texture. The median of σ² over them is taken.
/// The softness of the specimen's own edges is part of it. `None` under 16 × 16 pixels or with fewer than 20 edge pixels.
pub(super) fn psf_sigma(grey: &Plane, noise: f64) -> Option<f64> {
    const FINE: f64 = 1.0;
    const COARSE: f64 = 2.0;
    const SHARE: f64 = 0.4;
    /// Variance that a central difference adds: it is the derivative of the mean over two pixels.
    const DIFFERENCE: f64 = 1.0 / 3.0;
    let (rows, columns) = (grey.rows, grey.columns);
    if rows < 16 || columns < 16 {
        return None;
    }
    let blurred = |sigma: f64| {
        let mut plane = grey.samples.clone();
        gaussian(&mut plane, rows, columns, sigma, sigma);
        gradient(&plane, rows, columns)
    };
    let (down1, across1) = blurred(FINE);
    let (down, across) = blurred(COARSE);
    let strength: Vec<f32> = down
        .iter()
        .zip(&across)
        .map(|(d, a)| (d * d + a * a).sqrt())
        .collect();
    // White noise of standard deviation n has, after a Gaussian of s, a gradient of n/(√8·√π·s²) in each direction.
    let gradient_noise = noise / (8.0_f64.sqrt() * std::f64::consts::PI.sqrt() * COARSE * COARSE);
    let border = 8.min(rows / 4).min(columns / 4).max(2);
    let mut inner: Vec<f32> = Vec::with_capacity(strength.len());
    for r in border..rows - border {
        inner.extend_from_slice(&strength[r * columns + border..(r + 1) * columns - border]);
    }
    let strongest = quantile_in_place(&mut inner, 0.995)?;
    let threshold = (8.0 * gradient_noise).max(SHARE * strongest).max(1e-12);
    let mut squares = Vec::new();
    for r in border..rows - border {
        for c in border..columns - border {
            let at = r * columns + c;
            let s = strength[at];
            if f64::from(s) <= threshold {
                continue;
            }
            // Neighbours along the gradient, by linear interpolation.
            let (ur, uc) = (f64::from(down[at] / s), f64::from(across[at] / s));
            let along = |sign: f64| -> f64 {
                let (y, x) = (r as f64 + sign * ur, c as f64 + sign * uc);
                // Both are positive: cutting off is rounding down.
                let (y0, x0) = (y as usize, x as usize);
                let (fy, fx) = (y - y0 as f64, x - x0 as f64);
                let v = |y: usize, x: usize| f64::from(strength[y * columns + x]);
                (1.0 - fy) * ((1.0 - fx) * v(y0, x0) + fx * v(y0, x0 + 1))
                    + fy * ((1.0 - fx) * v(y0 + 1, x0) + fx * v(y0 + 1, x0 + 1))
            };
            if f64::from(s) < along(1.0) || f64::from(s) < along(-1.0) {
                continue;
            }
            // The finer gradient in the same direction.
            let fine = f64::from(down1[at]) * ur + f64::from(across1[at]) * uc;
            let ratio2 = (fine / f64::from(s)).powi(2);
            if fine <= 0.0 {
                continue;
            }
            squares.push(if ratio2 <= 1.0 {
                f32::MAX
            } else {
                ((COARSE * COARSE - ratio2 * FINE * FINE) / (ratio2 - 1.0) - DIFFERENCE) as f32
            });
        }
    }
    if squares.len() < 20 {
        return None;
    }
    Some(quantile_in_place(&mut squares, 0.5)?.max(0.0).sqrt())
}

/// Second-order surface of the log of the background over the field: in each of 8 × 8 tiles the 10th percentile of grey
/// (blurred by two pixels) for fluorescence, the 90th for bright field, the median otherwise; fitted by least squares,
/// reweighted four times with Tukey's biweight against tiles full of objects. `None` where the field has fewer than
/// 16 × 16 pixels or a tile is not positive.
pub(super) fn illumination(grey: &Plane, modality: Modality) -> Option<Surface> {
    const TILES: usize = 8;
    let (rows, columns) = (grey.rows, grey.columns);
    if rows < 16 || columns < 16 {
        return None;
    }
    let q = match modality {
        Modality::Fluorescence => 0.1,
        Modality::Brightfield => 0.9,
        _ => 0.5,
    };
    let mut smooth = grey.samples.clone();
    gaussian(&mut smooth, rows, columns, 2.0, 2.0);
    let mut points = Vec::with_capacity(TILES * TILES);
    let mut tile = Vec::new();
    let centre = |from: usize, to: usize, n: usize| (from + to - 1) as f64 / (n - 1) as f64 - 1.0;
    for i in 0..TILES {
        let (top, bottom) = (i * rows / TILES, (i + 1) * rows / TILES);
        for j in 0..TILES {
            let (left, right) = (j * columns / TILES, (j + 1) * columns / TILES);
            tile.clear();
            for r in top..bottom {
                tile.extend_from_slice(&smooth[r * columns + left..r * columns + right]);
            }
            let v = quantile_in_place(&mut tile, q)?;
            if v <= 0.0 {
                return None;
            }
            points.push((
                centre(top, bottom, rows),
                centre(left, right, columns),
                v.ln(),
                1.0,
            ));
        }
    }
    let mut fitted = surface::fit(&points)?;
    for _ in 0..4 {
        let residual =
            |p: &(f64, f64, f64, f64)| p.2 - fitted.0 - surface::value(&fitted.1, p.0, p.1);
        let spread = 1.4826 * median(&mut points.iter().map(|p| residual(p).abs()).collect())?;
        if spread <= 1e-9 {
            break;
        }
        let weights: Vec<f64> = points
            .iter()
            .map(|p| {
                let u = residual(p) / (4.685 * spread);
                if u.abs() < 1.0 {
                    (1.0 - u * u).powi(2)
                } else {
                    0.0
                }
            })
            .collect();
        for (p, w) in points.iter_mut().zip(weights) {
            p.3 = w;
        }
        fitted = surface::fit(&points)?;
    }
    Some(fitted.1)
}

/// 1 − darkest/brightest of the fitted field, in [0, 1).
pub(super) fn unevenness(surface: &Surface) -> f64 {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for r in surface::positions(33) {
        for c in surface::positions(33) {
            let v = surface::value(surface, r, c);
            low = low.min(v);
            high = high.max(v);
        }
    }
    1.0 - (low - high).exp()
}
