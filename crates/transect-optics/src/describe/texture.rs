//! Power spectrum and texture.

use super::Plane;
use crate::fourier::{Plans, frequency};

/// Largest side that a spectrum is taken of; larger planes give their middle.
const LARGEST: usize = 1024;

/// Power of the middle of a plane, its mean removed.
pub(super) struct Spectrum {
    /// For each column frequency (half of them) the power at each row frequency.
    power: Vec<f32>,
    /// The same of the plane without window, for the autocorrelation.
    plain: Vec<f32>,
    rows: usize,
    columns: usize,
}

/// Hann's window.
fn window(n: usize) -> Vec<f32> {
    (0..n)
        .map(|i| {
            (0.5 - 0.5 * (2.0 * std::f64::consts::PI * (i as f64 + 0.5) / n as f64).cos()) as f32
        })
        .collect()
}

impl Spectrum {
    /// `None` under 16 × 16 pixels and where nothing varies.
    pub(super) fn of(grey: &Plane) -> Option<Self> {
        if grey.rows < 16 || grey.columns < 16 {
            return None;
        }
        let (rows, columns) = (grey.rows.min(LARGEST), grey.columns.min(LARGEST));
        let (top, left) = ((grey.rows - rows) / 2, (grey.columns - columns) / 2);
        let mut middle = Vec::with_capacity(rows * columns);
        for r in top..top + rows {
            middle.extend_from_slice(
                &grey.samples[r * grey.columns + left..r * grey.columns + left + columns],
            );
        }
        let mean = middle.iter().map(|&v| f64::from(v)).sum::<f64>() / middle.len() as f64;
        for v in &mut middle {
            *v = (f64::from(*v) - mean) as f32;
        }
        let largest = middle.iter().fold(0.0_f32, |a, v| a.max(v.abs()));
        // Below this the variation is that of rounding.
        if f64::from(largest) <= 1e-7 * mean.abs() || largest == 0.0 {
            return None;
        }
        let plans = Plans::new(rows, columns);
        let squares = |mut plane: Vec<f32>| -> Vec<f32> {
            plans
                .spectrum(&mut plane)
                .iter()
                .map(realfft::num_complex::Complex::norm_sqr)
                .collect()
        };
        let (down, across) = (window(rows), window(columns));
        let mut windowed = middle.clone();
        for (row, d) in windowed.chunks_exact_mut(columns).zip(&down) {
            for (v, a) in row.iter_mut().zip(&across) {
                *v *= a * d;
            }
        }
        let (power, plain) = (squares(windowed), squares(middle));
        Some(Self {
            power,
            plain,
            rows,
            columns,
        })
    }

    /// Sums of power and counts over rings of frequency, edges given; both halves of the spectrum counted.
    fn rings(&self, edges: &[f64]) -> Vec<(f64, f64)> {
        let mut rings = vec![(0.0, 0.0); edges.len() - 1];
        let squares: Vec<f64> = edges.iter().map(|e| e * e).collect();
        for (c, line) in self.power.chunks_exact(self.rows).enumerate() {
            let column = frequency(c, self.columns).powi(2);
            let twice = if c == 0 || 2 * c == self.columns {
                1.0
            } else {
                2.0
            };
            for (r, &p) in line.iter().enumerate() {
                let f2 = frequency(r, self.rows).powi(2) + column;
                if f2 < squares[0] || f2 >= squares[squares.len() - 1] {
                    continue;
                }
                let ring = squares.partition_point(|&e| e <= f2) - 1;
                rings[ring].0 += twice * f64::from(p);
                rings[ring].1 += twice;
            }
        }
        rings
    }

    /// Lowest frequency that a window of this size tells from the mean.
    fn lowest(&self) -> f64 {
        4.0 / self.rows.min(self.columns) as f64
    }

    /// Slope of log mean power against log frequency over 16 rings, equal on the log axis, from 4/side to 0.45 cycles per
    /// pixel; least squares. More negative is softer.
    pub(super) fn slope(&self) -> Option<f64> {
        const RINGS: usize = 16;
        let (low, high) = (self.lowest(), 0.45_f64);
        if low >= 0.5 * high {
            return None;
        }
        let edges: Vec<f64> = (0..=RINGS)
            .map(|i| low * (high / low).powf(i as f64 / RINGS as f64))
            .collect();
        let points: Vec<(f64, f64)> = self
            .rings(&edges)
            .iter()
            .zip(edges.windows(2))
            .filter(|((power, n), _)| *n > 0.0 && *power > 0.0)
            .map(|((power, n), e)| ((e[0] * e[1]).sqrt().ln(), (power / n).ln()))
            .collect();
        if points.len() < 4 {
            return None;
        }
        let n = points.len() as f64;
        let (mx, my) = (
            points.iter().map(|p| p.0).sum::<f64>() / n,
            points.iter().map(|p| p.1).sum::<f64>() / n,
        );
        let xx: f64 = points.iter().map(|p| (p.0 - mx).powi(2)).sum();
        let xy: f64 = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
        (xx > 0.0).then(|| xy / xx)
    }

    /// Power above 0.25 cycles per pixel over power above 4/side.
    pub(super) fn high_share(&self) -> Option<f64> {
        let low = self.lowest();
        if low >= 0.25 {
            return None;
        }
        let rings = self.rings(&[low, 0.25, 1.0]);
        let all = rings[0].0 + rings[1].0;
        (all > 0.0).then(|| rings[1].0 / all)
    }

    /// The lag in pixels at which the autocorrelation, averaged over directions and without the noise's own peak, falls
    /// under one half. `None` where it does not within half of the smaller side.
    pub(super) fn correlation_length(self, noise: f64) -> Option<f64> {
        let Self {
            plain,
            rows,
            columns,
            ..
        } = self;
        let plans = Plans::new(rows, columns);
        let spectrum = plain
            .iter()
            .map(|&p| realfft::num_complex::Complex::new(p, 0.0))
            .collect();
        let correlation = plans.plane(spectrum);
        let pixels = (rows * columns) as f64;
        let longest = rows.min(columns) / 2;
        let mut sums = vec![(0.0, 0.0); longest + 2];
        let fold = |i: usize, n: usize| i.min(n - i) as f64;
        for (r, line) in correlation.chunks_exact(columns).enumerate() {
            let y = fold(r, rows);
            if y > (longest + 1) as f64 {
                continue;
            }
            for (c, &v) in line.iter().enumerate() {
                let x = fold(c, columns);
                let lag = (y * y + x * x).sqrt();
                let ring = lag.round() as usize;
                if ring < sums.len() {
                    sums[ring].0 += f64::from(v);
                    sums[ring].1 += 1.0;
                }
            }
        }
        // Parseval: the value at lag 0 is pixels² times the variance.
        let value = |i: usize| sums[i].0 / sums[i].1 / pixels / pixels;
        let top = (value(0) - noise * noise).max(value(1));
        if top.is_nan() || top <= 0.0 {
            return None;
        }
        let mut previous = 1.0;
        for lag in 1..=longest {
            let here = value(lag) / top;
            if here < 0.5 {
                return Some(lag as f64 - (0.5 - here) / (previous - here));
            }
            previous = here;
        }
        None
    }
}
