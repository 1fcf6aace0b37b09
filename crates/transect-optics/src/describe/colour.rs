//! Colour and stain.

use transect_core::Image;

use super::Plane;
use crate::density::Density;
use crate::quantile::{quantile, quantile_in_place};

/// Colour of a red-green-blue image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Colour {
    /// Mean of each channel.
    pub(super) means: [f64; 3],
    /// Mean of (max − min)/max over the pixels; 0 for black ones.
    pub(super) saturation: f64,
    /// Cosine and sine of the hue, means weighted by max − min; `None` for a grey image.
    pub(super) hue: Option<(f64, f64)>,
}

/// Over the pixels whose three values are finite; `None` where there are none.
pub(super) fn of(channels: &[Plane]) -> Option<Colour> {
    let [red, green, blue] = channels else {
        return None;
    };
    let (mut means, mut saturation, mut cos, mut sin, mut chroma, mut n) =
        ([0.0; 3], 0.0, 0.0, 0.0, 0.0, 0_u64);
    for ((&r, &g), &b) in red.samples.iter().zip(&green.samples).zip(&blue.samples) {
        let (r, g, b) = (f64::from(r), f64::from(g), f64::from(b));
        if !(r.is_finite() && g.is_finite() && b.is_finite()) {
            continue;
        }
        n += 1;
        means[0] += r;
        means[1] += g;
        means[2] += b;
        let (max, min) = (r.max(g).max(b), r.min(g).min(b));
        if max > 0.0 {
            saturation += (max - min) / max;
        }
        if max > min {
            // Opponent axes: their angle is the hue, red at 0, green at 120, blue at 240 degrees.
            let (x, y) = (r - 0.5 * (g + b), 0.75_f64.sqrt() * (g - b));
            let length = (x * x + y * y).sqrt();
            cos += (max - min) * x / length;
            sin += (max - min) * y / length;
            chroma += max - min;
        }
    }
    if n == 0 {
        return None;
    }
    let n = n as f64;
    Some(Colour {
        means: means.map(|m| m / n),
        saturation: saturation / n,
        hue: (chroma > 0.0).then(|| (cos / chroma, sin / chroma)),
    })
}

/// Hue angle of a colour in optical density, degrees in (−180, 180]: what absorbs red is at 0, green at 120, blue at −120.
fn angle(d: [f64; 3]) -> f64 {
    (0.75_f64.sqrt() * (d[1] - d[2]))
        .atan2(d[0] - 0.5 * (d[1] + d[2]))
        .to_degrees()
}

/// Hue angles of two stains (after Macenko et al. 2009): densities against each channel's own 99th percentile (exposure and
/// white balance are not stain; clear glass should be in view) of the pixels whose mean density is over 0.15; the
/// plane of the two largest directions of their second moments about 0; the directions at the 1st and 99th percentile of the angle
/// in it. The first is the one that absorbs more red, as haematoxylin does against eosin. `None` with fewer than 100 such
/// pixels or where they span no plane.
pub(super) fn stains(image: &Image) -> Option<(f64, f64)> {
    const ABSORBS: f64 = 0.15;
    let middle = image.planes() / 2;
    let glass = |channel: usize| {
        quantile(image.plane(channel, middle), 0.99)
            .filter(|&w| w > 0.0)
            .map(|white| Density::new(white).table())
    };
    let (red, green, blue) = (glass(0)?, glass(1)?, glass(2)?);
    let mut stained = Vec::new();
    for ((&r, &g), &b) in image
        .plane(0, middle)
        .iter()
        .zip(image.plane(1, middle))
        .zip(image.plane(2, middle))
    {
        if r.is_finite() && g.is_finite() && b.is_finite() {
            let d = [red.of(r), green.of(g), blue.of(b)];
            if d.iter().sum::<f64>() > 3.0 * ABSORBS {
                stained.push(d);
            }
        }
    }
    if stained.len() < 100 {
        return None;
    }
    let mut moments = [[0.0; 3]; 3];
    for d in &stained {
        for (row, a) in moments.iter_mut().zip(d) {
            for (cell, b) in row.iter_mut().zip(d) {
                *cell += a * b;
            }
        }
    }
    let [first, second] = principal(moments)?;
    // Towards more density.
    let first = if first.iter().sum::<f64>() < 0.0 {
        first.map(|x| -x)
    } else {
        first
    };
    let dot = |a: &[f64; 3], b: &[f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let mut angles: Vec<f32> = stained
        .iter()
        .map(|d| dot(d, &second).atan2(dot(d, &first)) as f32)
        .collect();
    let (low, high) = (
        quantile_in_place(&mut angles, 0.01)?,
        quantile_in_place(&mut angles, 0.99)?,
    );
    let direction = |phi: f64| [0, 1, 2].map(|i| phi.cos() * first[i] + phi.sin() * second[i]);
    let (a, b) = (direction(low), direction(high));
    let (h, e) = if a[0] > b[0] { (a, b) } else { (b, a) };
    Some((angle(h), angle(e)))
}

/// The two unit eigenvectors of the largest eigenvalues of a symmetric matrix, by Jacobi's rotations.
fn principal(mut m: [[f64; 3]; 3]) -> Option<[[f64; 3]; 2]> {
    let mut v = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    for _ in 0..32 {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if m[p][q].abs() < 1e-300 {
                continue;
            }
            let theta = (m[q][q] - m[p][p]) / (2.0 * m[p][q]);
            let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
            let t = if theta == 0.0 { 1.0 } else { t };
            let c = 1.0 / t.hypot(1.0);
            let s = t * c;
            for row in &mut m {
                let (x, y) = (row[p], row[q]);
                row[p] = c * x - s * y;
                row[q] = s * x + c * y;
            }
            let (upper, lower) = (m[p], m[q]);
            for (k, (x, y)) in upper.into_iter().zip(lower).enumerate() {
                m[p][k] = c * x - s * y;
                m[q][k] = s * x + c * y;
            }
            for row in &mut v {
                let (x, y) = (row[p], row[q]);
                row[p] = c * x - s * y;
                row[q] = s * x + c * y;
            }
        }
    }
    let mut order = [0, 1, 2];
    order.sort_by(|&a, &b| m[b][b].total_cmp(&m[a][a]));
    if m[order[1]][order[1]].is_nan() || m[order[1]][order[1]] <= 0.0 {
        return None;
    }
    let column = |i: usize| [v[0][i], v[1][i], v[2][i]];
    Some([column(order[0]), column(order[1])])
}
