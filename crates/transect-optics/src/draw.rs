//! Fast exact draws for whole images.

use std::sync::LazyLock;

use transect_core::Stream;

/// Layers of the ziggurat.
const LAYERS: usize = 256;

/// Where the tail begins, and the area of each layer, for 256 layers (Marsaglia and Tsang 2000).
const TAIL: f64 = 3.654_152_885_361_009;
const AREA: f64 = 0.004_928_673_233_992_336;

/// Right edges of the layers, widest first, and the density there.
struct Ziggurat {
    x: [f64; LAYERS + 1],
    y: [f64; LAYERS + 1],
}

fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp()
}

static ZIGGURAT: LazyLock<Ziggurat> = LazyLock::new(|| {
    let (mut x, mut y) = ([0.0; LAYERS + 1], [0.0; LAYERS + 1]);
    // The lowest layer is a rectangle of the same area that stands for the rest of the layer and the tail.
    x[0] = AREA / density(TAIL);
    x[1] = TAIL;
    for i in 2..LAYERS {
        x[i] = (-2.0 * (AREA / x[i - 1] + density(x[i - 1])).ln()).sqrt();
    }
    for i in 0..=LAYERS {
        y[i] = density(x[i]);
    }
    Ziggurat { x, y }
});

/// Standard normal draws from a stream, by the ziggurat method with 256 layers: one word for nearly every draw.
pub(crate) struct Normal {
    table: &'static Ziggurat,
}

impl Normal {
    pub(crate) fn new() -> Self {
        Self { table: &ZIGGURAT }
    }

    pub(crate) fn draw(&self, stream: &mut Stream) -> f64 {
        loop {
            let bits = stream.bits();
            let layer = (bits & 0xff) as usize;
            // The upper 53 bits, apart from those of the layer: uniform on [−1, 1).
            let u = (bits >> 11) as f64 * (2.0 / (1_u64 << 53) as f64) - 1.0;
            let x = u * self.table.x[layer];
            if x.abs() < self.table.x[layer + 1] {
                return x;
            }
            if layer == 0 {
                // The tail (Marsaglia 1964).
                loop {
                    let a = -(1.0 - stream.uniform()).ln() / TAIL;
                    let b = -(1.0 - stream.uniform()).ln();
                    if b + b > a * a {
                        return if u < 0.0 { -(TAIL + a) } else { TAIL + a };
                    }
                }
            }
            let (low, high) = (self.table.y[layer], self.table.y[layer + 1]);
            if low + stream.uniform() * (high - low) < density(x) {
                return x;
            }
        }
    }
}

/// Poisson draws of one mean, by inversion of a table of its distribution.
pub(crate) struct Poisson {
    /// The count of the first entry.
    first: f64,
    /// Distribution function from there.
    cumulative: Vec<f64>,
    /// For each of equal steps of probability the entry to begin at.
    guide: Vec<u16>,
}

impl Poisson {
    /// Steps of the guide.
    const STEPS: usize = 256;

    /// Largest mean that a table is made for.
    pub(crate) const LARGEST: f64 = 1e6;

    /// The table of a mean over 0 and at most [`Self::LARGEST`]. What it leaves out on either side has a probability below
    /// 1e-13.
    pub(crate) fn new(mean: f64) -> Self {
        let reach = 8.5 * mean.sqrt() + 25.0;
        let first = (mean - reach).floor().max(0.0);
        let count = (mean + reach - first).ceil() as usize + 1;
        // Outwards from the mode, so that nothing underflows before it is small.
        let mode = (mean.floor() - first).max(0.0) as usize;
        let mut mass = vec![0.0; count];
        mass[mode.min(count - 1)] = 1.0;
        for i in (0..mode).rev() {
            mass[i] = mass[i + 1] * (first + (i + 1) as f64) / mean;
        }
        for i in mode + 1..count {
            mass[i] = mass[i - 1] * mean / (first + i as f64);
        }
        let total: f64 = mass.iter().sum();
        let mut sum = 0.0;
        let cumulative: Vec<f64> = mass
            .iter()
            .map(|m| {
                sum += m / total;
                sum
            })
            .collect();
        let guide = (0..Self::STEPS)
            .map(|s| {
                cumulative
                    .partition_point(|&c| c <= s as f64 / Self::STEPS as f64)
                    .min(count - 1) as u16
            })
            .collect();
        Self {
            first,
            cumulative,
            guide,
        }
    }

    pub(crate) fn draw(&self, stream: &mut Stream) -> f64 {
        let u = stream.uniform();
        let mut at = self.guide[(u * Self::STEPS as f64) as usize] as usize;
        while at + 1 < self.cumulative.len() && self.cumulative[at] <= u {
            at += 1;
        }
        self.first + at as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Share of draws in each of the bins between the edges against the normal distribution.
    #[test]
    fn ziggurat_draws_are_normal() {
        let mut stream = Stream::new(1, "normal", &[]);
        let normal = Normal::new();
        let n = 2_000_000;
        // Standard normal probabilities of (−∞, −3.7], (−3.7, −2], (−2, −1], (−1, 0].
        let expected = [
            1.077_997_334_773_8e-4,
            0.022_642_332_214_703_6,
            0.135_905_121_983_278,
            0.341_344_746_068_543,
        ];
        let mut counts = [0.0_f64; 8];
        for _ in 0..n {
            let x = normal.draw(&mut stream);
            let bin = match x.abs() {
                a if a >= 3.7 => 0,
                a if a >= 2.0 => 1,
                a if a >= 1.0 => 2,
                _ => 3,
            };
            counts[if x < 0.0 { bin } else { 7 - bin }] += 1.0;
        }
        let chi2: f64 = counts
            .iter()
            .enumerate()
            .map(|(i, &c)| {
                let e = f64::from(n) * expected[if i < 4 { i } else { 7 - i }];
                (c - e).powi(2) / e
            })
            .sum();
        assert!(
            chi2 < 24.32,
            "chi-squared of 7 degrees of freedom at p = 0.001: {chi2} of {counts:?}"
        );
    }

    #[test]
    fn the_ziggurat_closes() {
        // The uppermost layer ends where the density is 1.
        let z = &*ZIGGURAT;
        let last = AREA / z.x[LAYERS - 1] + z.y[LAYERS - 1];
        assert!((last - 1.0).abs() < 1e-9, "{last}");
        assert!(z.x.windows(2).all(|w| w[0] > w[1]));
    }

    #[test]
    fn tables_of_poisson_have_its_probabilities() {
        for mean in [0.01, 0.5, 4.0, 35.0, 900.0] {
            let table = Poisson::new(mean);
            let mut stream = Stream::new(2, "poisson", &[]);
            let n = 400_000;
            let draws: Vec<f64> = (0..n).map(|_| table.draw(&mut stream)).collect();
            let m = draws.iter().sum::<f64>() / f64::from(n);
            let v = draws.iter().map(|d| (d - m).powi(2)).sum::<f64>() / f64::from(n);
            assert!(
                (m - mean).abs() < 5.0 * (mean / f64::from(n)).sqrt(),
                "mean {mean}: {m}"
            );
            assert!(
                (v - mean).abs() < 5.0 * ((mean + 2.0 * mean * mean) / f64::from(n)).sqrt(),
                "variance {mean}: {v}"
            );
            // The probability of nothing, exactly.
            if mean < 10.0 {
                assert!(
                    (table.cumulative[0] - (-mean).exp()).abs() < 1e-12,
                    "{mean}"
                );
            }
        }
    }
}
