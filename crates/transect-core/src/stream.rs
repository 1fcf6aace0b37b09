//! Random streams, keyed by what they are for and never by thread or position.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::digest::Digest;

/// A stream of random numbers. The same key gives the same numbers on every machine and any number of threads.
#[derive(Debug, Clone)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of a purpose (`"optics/shot_noise"`, `"stats/bca"`) under a run's seed and further key parts, such as
    /// the image's hash, the view's id and the replicate.
    pub fn new(seed: u64, purpose: &str, key: &[&[u8]]) -> Self {
        let seed = seed.to_le_bytes();
        let digest = Digest::of_parts(
            [&seed[..], purpose.as_bytes()]
                .into_iter()
                .chain(key.iter().copied()),
        );
        Self(ChaCha8Rng::from_seed(digest.0))
    }

    /// Sixty-four random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// The numbers of as many calls of [`Stream::bits`], in less time.
    pub fn fill(&mut self, words: &mut [u64]) {
        let mut bytes = [0; 512];
        for chunk in words.chunks_mut(bytes.len() / 8) {
            let bytes = &mut bytes[..8 * chunk.len()];
            self.0.fill_bytes(bytes);
            for (word, bytes) in chunk.iter_mut().zip(bytes.as_chunks().0) {
                *word = u64::from_le_bytes(*bytes);
            }
        }
    }

    /// Uniform on [0, 1), with 53 random bits.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform on `0..n`, without bias (Lemire's multiply and reject).
    ///
    /// # Panics
    /// When `n` is 0.
    #[inline]
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "there is no number below 0");
        let n = n as u64;
        let reject_under = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(n);
            if (product as u64) >= reject_under {
                return (product >> 64) as usize;
            }
        }
    }

    /// Standard normal (Marsaglia's polar method; one of each pair is dropped, so that a draw has no hidden state).
    pub fn normal(&mut self) -> f64 {
        loop {
            let u = 2.0 * self.uniform() - 1.0;
            let v = 2.0 * self.uniform() - 1.0;
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                return u * (-2.0 * s.ln() / s).sqrt();
            }
        }
    }

    /// Poisson with the given mean: by inversion below 30, by Hörmann's transformed rejection (PTRS, 1993) from there.
    /// A mean that is not positive gives 0.
    pub fn poisson(&mut self, mean: f64) -> f64 {
        if mean.is_nan() || mean <= 0.0 {
            return 0.0;
        }
        if mean < 30.0 {
            let mut k = 0.0;
            let mut p = (-mean).exp();
            let mut u = self.uniform();
            while u > p {
                u -= p;
                k += 1.0;
                p *= mean / k;
                if k > 1000.0 {
                    break;
                }
            }
            return k;
        }
        let b = 0.931 + 2.53 * mean.sqrt();
        let a = -0.059 + 0.02483 * b;
        let inv_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let v_r = 0.9277 - 3.6224 / (b - 2.0);
        let log_mean = mean.ln();
        loop {
            let u = self.uniform() - 0.5;
            let v = self.uniform();
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + mean + 0.43).floor();
            if us >= 0.07 && v <= v_r {
                return k;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            if (v * inv_alpha / (a / (us * us) + b)).ln() <= k * log_mean - mean - ln_factorial(k) {
                return k;
            }
        }
    }

    /// Puts a slice into random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// ln k! by Stirling's series, exact sums below 10.
fn ln_factorial(k: f64) -> f64 {
    if k < 10.0 {
        return (2..=k as u32).map(|i| f64::from(i).ln()).sum();
    }
    let x = k + 1.0;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + 1.0 / (12.0 * x)
        - 1.0 / (360.0 * x.powi(3))
        + 1.0 / (1260.0 * x.powi(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_run_into_one_another() {
        let a = Stream::new(1, "x", &[b"ab", b"c"]).bits();
        let b = Stream::new(1, "x", &[b"a", b"bc"]).bits();
        assert_ne!(a, b);
        assert_eq!(a, Stream::new(1, "x", &[b"ab", b"c"]).bits());
    }

    #[test]
    fn many_words_at_once_are_those_of_one_at_a_time() {
        let (mut one, mut many) = (Stream::new(3, "x", &[]), Stream::new(3, "x", &[]));
        for n in [1, 7, 64, 65, 300] {
            let mut words = vec![0; n];
            many.fill(&mut words);
            assert!(words.iter().all(|&w| w == one.bits()));
        }
    }

    #[test]
    fn draws_have_their_means_and_variances() {
        let mut stream = Stream::new(7, "test", &[]);
        let n = 200_000;
        for mean in [0.5, 5.0, 29.0, 31.0, 400.0] {
            let draws: Vec<f64> = (0..n).map(|_| stream.poisson(mean)).collect();
            let m = draws.iter().sum::<f64>() / f64::from(n);
            let v = draws.iter().map(|x| (x - m).powi(2)).sum::<f64>() / f64::from(n);
            // Five standard errors of the mean and of the variance of a Poisson.
            assert!(
                (m - mean).abs() < 5.0 * (mean / f64::from(n)).sqrt(),
                "mean {mean}: {m}"
            );
            assert!(
                (v - mean).abs() < 5.0 * ((mean + 2.0 * mean * mean) / f64::from(n)).sqrt(),
                "variance {mean}: {v}"
            );
        }
        let draws: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let m = draws.iter().sum::<f64>() / f64::from(n);
        let v = draws.iter().map(|x| x * x).sum::<f64>() / f64::from(n);
        assert!(
            m.abs() < 5.0 / f64::from(n).sqrt()
                && (v - 1.0).abs() < 5.0 * (2.0 / f64::from(n)).sqrt(),
            "{m} {v}"
        );
    }

    #[test]
    fn below_is_uniform() {
        let mut stream = Stream::new(7, "below", &[]);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[stream.below(7)] += 1;
        }
        let chi2: f64 = counts
            .iter()
            .map(|&c| (f64::from(c) - 10_000.0).powi(2) / 10_000.0)
            .sum();
        assert!(
            chi2 < 22.46,
            "chi-squared of 6 degrees of freedom at p = 0.001: {chi2}"
        );
    }
}
