//! Fast exact draws for whole images.

use std::sync::LazyLock;

use transect_core::Stream;

/// The words of a stream, taken from it in bulk, so that it is used for nothing else afterwards.
pub(crate) struct Words {
    stream: Stream,
    halves: [u32; 2 * Self::BULK],
    used: usize,
}

impl Words {
    const BULK: usize = 64;

    pub(crate) fn of(stream: Stream) -> Self {
        Self {
            stream,
            halves: [0; 2 * Self::BULK],
            used: 2 * Self::BULK,
        }
    }

    /// The lower, then the upper half of each word.
    #[inline]
    fn half(&mut self) -> u32 {
        if self.used >= self.halves.len() {
            self.refill();
        }
        let half = self.halves[self.used];
        self.used += 1;
        half
    }

    /// A word; halves are taken in pairs where words are.
    #[inline]
    fn bits(&mut self) -> u64 {
        u64::from(self.half()) | u64::from(self.half()) << 32
    }

    /// Uniform on [0, 1), with 53 random bits.
    #[inline]
    fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    #[cold]
    fn refill(&mut self) {
        let mut halves = self.halves;
        self.fill(&mut halves);
        self.halves = halves;
        self.used = 0;
    }

    /// The halves of the stream's next words, past those that were taken from it before.
    fn fill(&mut self, halves: &mut [u32; 2 * Self::BULK]) {
        let mut words = [0; Self::BULK];
        self.stream.fill(&mut words);
        for (pair, word) in halves.as_chunks_mut().0.iter_mut().zip(words) {
            *pair = [word as u32, (word >> 32) as u32];
        }
    }
}

/// Adds normal noise of this standard deviation to each sample.
pub(crate) fn add_normal(samples: &mut [f32], sd: f64, words: &mut Words) {
    let normal = Normal::new();
    let mut block = [0; Words::BULK];
    for some in samples.chunks_mut(block.len()) {
        words.stream.fill(&mut block);
        for (sample, &bits) in some.iter_mut().zip(&block) {
            *sample = (f64::from(*sample) + sd * normal.of(bits, words)) as f32;
        }
    }
}

/// Gives each sample 32 random bits, and the words for those that need more.
pub(crate) fn with_bits(
    samples: &mut [f32],
    words: &mut Words,
    mut change: impl FnMut(&mut f32, u32, &mut Words),
) {
    let mut halves = [0; 2 * Words::BULK];
    for some in samples.chunks_mut(halves.len()) {
        words.fill(&mut halves);
        for (sample, &bits) in some.iter_mut().zip(&halves) {
            change(sample, bits, words);
        }
    }
}

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

/// Standard normal draws, by the ziggurat method with 256 layers: one word for nearly every draw.
pub(crate) struct Normal {
    table: &'static Ziggurat,
}

impl Normal {
    pub(crate) fn new() -> Self {
        Self { table: &ZIGGURAT }
    }

    #[inline]
    pub(crate) fn draw(&self, words: &mut Words) -> f64 {
        let bits = words.bits();
        self.of(bits, words)
    }

    /// From a word, and more words for the few draws that need them.
    #[inline]
    fn of(&self, bits: u64, words: &mut Words) -> f64 {
        let (layer, u) = Self::place(bits);
        let x = u * self.table.x[layer];
        if x.abs() < self.table.x[layer + 1] {
            return x;
        }
        self.edge(bits, words)
    }

    /// The layer, and 53 other bits of the word as a number on [−1, 1).
    #[inline]
    fn place(bits: u64) -> (usize, f64) {
        (
            (bits & 0xff) as usize,
            (bits >> 11) as f64 * (2.0 / (1_u64 << 53) as f64) - 1.0,
        )
    }

    /// The draw where the word leads to the edge of its layer.
    #[cold]
    fn edge(&self, mut bits: u64, words: &mut Words) -> f64 {
        loop {
            let (layer, u) = Self::place(bits);
            let x = u * self.table.x[layer];
            if x.abs() < self.table.x[layer + 1] {
                return x;
            }
            if layer == 0 {
                // The tail (Marsaglia 1964).
                loop {
                    let a = -(1.0 - words.uniform()).ln() / TAIL;
                    let b = -(1.0 - words.uniform()).ln();
                    if b + b > a * a {
                        return if u < 0.0 { -(TAIL + a) } else { TAIL + a };
                    }
                }
            }
            let (low, high) = (self.table.y[layer], self.table.y[layer + 1]);
            if low + words.uniform() * (high - low) < density(x) {
                return x;
            }
            bits = words.bits();
        }
    }
}

/// Poisson draws of one mean, by inversion of a table of its distribution.
pub(crate) struct Poisson {
    /// The count of the first entry.
    first: f64,
    /// The distribution function from there, times 2⁶⁴: the upper halves.
    upper: Vec<u32>,
    /// The lower halves.
    lower: Vec<u32>,
    /// For each of equal steps of probability the entry to begin at, and whether it is that entry for the whole step.
    guide: Vec<u16>,
}

impl Poisson {
    /// Steps of the guide, as a power of 2.
    const STEPS: u32 = 10;

    /// Marks a step of the guide that lies in one entry.
    const SETTLED: u16 = 0x8000;

    /// Largest mean that a table is made for.
    pub(crate) const LARGEST: f64 = 1e6;

    /// The table of a mean over 0 and at most [`Self::LARGEST`]. What it leaves out on either side has a probability below
    /// 1e-13.
    pub(crate) fn new(mean: f64) -> Self {
        let reach = 8.5 * mean.sqrt() + 25.0;
        let first = (mean - reach).floor().max(0.0);
        let count = (mean + reach - first).ceil() as usize + 1;
        // Outwards from the mode, so that nothing underflows before it is small.
        let mode = ((mean.floor() - first).max(0.0) as usize).min(count - 1);
        let per_mean = 1.0 / mean;
        let ratio: Vec<f64> = (0..count).map(|i| mean / (first + i as f64)).collect();
        let mut mass = vec![0.0; count];
        mass[mode] = 1.0;
        let mut here = 1.0;
        for i in (0..mode).rev() {
            here *= (first + (i + 1) as f64) * per_mean;
            mass[i] = here;
        }
        here = 1.0;
        for i in mode + 1..count {
            here *= ratio[i];
            mass[i] = here;
        }
        let scale = 2.0_f64.powi(64) / mass.iter().sum::<f64>();
        let mut sum = 0.0;
        let (mut upper, mut lower) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut guide = Vec::with_capacity(1 << Self::STEPS);
        for (i, m) in mass.iter().enumerate() {
            sum += m * scale;
            // The last entry takes what rounding leaves.
            let bound = if i + 1 < count { sum as u64 } else { u64::MAX };
            upper.push((bound >> 32) as u32);
            lower.push(bound as u32);
            // Steps that end before the bound are settled; the one that holds it begins here.
            let steps = (bound >> (64 - Self::STEPS)) as usize;
            let settled = i as u16 | Self::SETTLED;
            while guide.len() < steps {
                guide.push(settled);
            }
            if guide.len() == steps && steps < 1 << Self::STEPS {
                guide.push(i as u16);
            }
        }
        Self {
            first,
            upper,
            lower,
            guide,
        }
    }

    /// By 32 random bits, and 32 more where those lie on the bound of an entry.
    #[inline]
    pub(crate) fn draw(&self, u: u32, words: &mut Words) -> f64 {
        let guide = self.guide[(u >> (32 - Self::STEPS)) as usize];
        let at = if guide & Self::SETTLED == 0 {
            i32::from(self.search(u, guide, words))
        } else {
            i32::from(guide & !Self::SETTLED)
        };
        self.first + f64::from(at)
    }

    /// The first entry from `at` whose bound lies above.
    fn search(&self, u: u32, from: u16, words: &mut Words) -> u16 {
        let mut at = usize::from(from);
        let mut rest = None;
        while at + 1 < self.upper.len() {
            let above = match self.upper[at].cmp(&u) {
                std::cmp::Ordering::Greater => true,
                std::cmp::Ordering::Less => false,
                std::cmp::Ordering::Equal => {
                    self.lower[at] > *rest.get_or_insert_with(|| words.half())
                }
            };
            if above {
                break;
            }
            at += 1;
        }
        at as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Share of draws in each of the bins between the edges against the normal distribution.
    #[test]
    fn ziggurat_draws_are_normal() {
        let mut words = Words::of(Stream::new(1, "normal", &[]));
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
            let x = normal.draw(&mut words);
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
        for mean in [0.01, 0.5, 4.0, 35.0, 900.0, 2e5] {
            let table = Poisson::new(mean);
            let mut words = Words::of(Stream::new(2, "poisson", &[]));
            let n = 400_000;
            let draws: Vec<f64> = (0..n)
                .map(|_| {
                    let bits = words.half();
                    table.draw(bits, &mut words)
                })
                .collect();
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
        }
    }

    /// The probability that a table gives to each of its entries.
    fn shares(table: &Poisson) -> Vec<f64> {
        let bounds = table.upper.iter().zip(&table.lower);
        let mut before = 0;
        bounds
            .map(|(&upper, &lower)| {
                let bound = u64::from(upper) << 32 | u64::from(lower);
                let share = (bound - before) as f64 / 2.0_f64.powi(64);
                before = bound;
                share
            })
            .collect()
    }

    #[test]
    fn probabilities_of_poisson_are_those_of_its_formula() {
        for mean in [0.01, 0.5, 4.0, 35.0, 900.0, 1e4] {
            let table = Poisson::new(mean);
            let mut log = -mean;
            let mut k = 0.0;
            for (i, share) in shares(&table).into_iter().enumerate() {
                let count = table.first + i as f64;
                while k < count {
                    k += 1.0;
                    log += (mean / k).ln();
                }
                let expected = log.exp();
                assert!(
                    (share - expected).abs() < 1e-13 + 1e-9 * expected,
                    "P({count}) at mean {mean}: {share}, not {expected}"
                );
            }
        }
    }

    #[test]
    fn the_guide_leads_to_the_entry_that_a_search_of_all_finds() {
        for mean in [1e-3, 0.7, 12.0, 300.0, 5e3] {
            let table = Poisson::new(mean);
            let mut words = Words::of(Stream::new(3, "guide", &[]));
            let mut other = Words::of(Stream::new(3, "guide", &[]));
            for _ in 0..20_000 {
                let u = words.half();
                assert_eq!(other.half(), u);
                let at = table.search(u, 0, &mut other);
                assert_eq!(table.draw(u, &mut words), table.first + f64::from(at));
            }
        }
    }

    #[test]
    fn words_in_bulk_are_those_of_the_stream() {
        let mut stream = Stream::new(4, "words", &[]);
        let mut words = Words::of(stream.clone());
        assert!((0..500).all(|_| words.bits() == stream.bits()));
    }

    #[test]
    fn every_sample_has_bits_of_its_own() {
        let mut stream = Stream::new(5, "bits", &[]);
        let mut words = Words::of(stream.clone());
        let mut samples = vec![0.0; 333];
        let mut given = Vec::new();
        with_bits(&mut samples, &mut words, |_, bits, _| given.push(bits));
        let expected = (0..167).flat_map(|_| {
            let word = stream.bits();
            [word as u32, (word >> 32) as u32]
        });
        assert!(given.into_iter().eq(expected.take(333)));
    }

    #[test]
    fn added_noise_is_normal_beyond_the_ziggurat_too() {
        let mut words = Words::of(Stream::new(6, "added", &[]));
        let mut samples = vec![10.0; 1_000_000];
        add_normal(&mut samples, 2.0, &mut words);
        let z: Vec<f64> = samples
            .iter()
            .map(|&s| (f64::from(s) - 10.0) / 2.0)
            .collect();
        let n = z.len() as f64;
        let moment = |k: i32| z.iter().map(|z| z.powi(k)).sum::<f64>() / n;
        // Standard errors of the moments are 1, √2, √15, √96 and √10170 over √n.
        for (k, expected, variance) in [
            (1, 0.0, 1.0_f64),
            (2, 1.0, 2.0),
            (3, 0.0, 15.0),
            (4, 3.0, 96.0),
            (6, 15.0, 10_170.0),
        ] {
            let off = (moment(k) - expected) / (variance / n).sqrt();
            assert!(off.abs() < 4.0, "moment {k} is {off} standard errors off");
        }
        let beyond = z.iter().filter(|z| z.abs() > TAIL).count() as f64;
        assert!((beyond - 258.0).abs() < 4.0 * 258.0_f64.sqrt(), "{beyond}");
    }
}
