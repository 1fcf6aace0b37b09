//! Simulated samples with known truth.

use transect_core::Stream;
use transect_stats::Units;

/// Gamma of unit scale (Marsaglia and Tsang 2000).
pub(super) fn gamma(stream: &mut Stream, shape: f64) -> f64 {
    if shape < 1.0 {
        let u = 1.0 - stream.uniform();
        return gamma(stream, shape + 1.0) * u.powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = stream.normal();
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 {
            let u = 1.0 - stream.uniform();
            if u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }
}

/// Beta(a, b).
pub(super) fn beta(stream: &mut Stream, a: f64, b: f64) -> f64 {
    let (x, y) = (gamma(stream, a), gamma(stream, b));
    if x + y > 0.0 { x / (x + y) } else { 0.5 }
}

/// A group's own rate with mean p and intraclass correlation icc (beta-binomial).
pub(super) fn rate_of_group(stream: &mut Stream, p: f64, icc: f64) -> f64 {
    if icc <= 0.0 {
        p
    } else {
        beta(stream, p * (1.0 - icc) / icc, (1.0 - p) * (1.0 - icc) / icc)
    }
}

/// Sizes of groups that share n rows: equal, or (for `unequal`) in proportions 1, 2, 3, 1, 2, 3 ….
pub(super) fn sizes(n: usize, groups: usize, unequal: bool) -> Vec<usize> {
    let weight = |g: usize| if unequal { 1 + g % 3 } else { 1 };
    let all: usize = (0..groups).map(weight).sum();
    let mut out: Vec<usize> = (0..groups).map(|g| (n * weight(g) / all).max(1)).collect();
    let mut g = 0;
    while out.iter().sum::<usize>() < n {
        out[g % groups] += 1;
        g += 1;
    }
    out
}

/// Units of groups with these sizes; independent when each has one row.
pub(super) fn units(sizes: &[usize]) -> Units {
    let n: usize = sizes.iter().sum();
    if sizes.iter().all(|&m| m == 1) {
        return Units::independent(n);
    }
    let labels: Vec<usize> = sizes
        .iter()
        .enumerate()
        .flat_map(|(g, &m)| std::iter::repeat_n(g, m))
        .collect();
    Units::new(n, Some(&labels), None).unwrap_or_else(|_| Units::independent(n))
}

/// Hits with a rate and an intraclass correlation within groups.
pub(super) fn hits(stream: &mut Stream, sizes: &[usize], p: f64, icc: f64) -> Vec<bool> {
    let mut out = Vec::new();
    for &m in sizes {
        let own = rate_of_group(stream, p, icc);
        out.extend((0..m).map(|_| stream.uniform() < own));
    }
    out
}

/// Values of variance 1 with an intraclass correlation; shape 0: normal, 1: exponential (mean taken off).
pub(super) fn values(stream: &mut Stream, sizes: &[usize], icc: f64, skewed: bool) -> Vec<f64> {
    let mut out = Vec::new();
    let draw = |stream: &mut Stream| {
        if skewed {
            -(1.0 - stream.uniform()).ln() - 1.0
        } else {
            stream.normal()
        }
    };
    for &m in sizes {
        let own = icc.sqrt() * draw(stream);
        out.extend((0..m).map(|_| own + (1.0 - icc).sqrt() * draw(stream)));
    }
    out
}
