//! The dip: how far a sample is from having one mode.

use transect_core::Stream;

/// Largest sample that the null is simulated at; √n·dip has a limit, so larger ones are scaled.
const NULL_ROWS: usize = 1000;

/// Corners of the greatest convex minorant (`sign` 1) or least concave majorant (`sign` −1) of the points (x_i, i) from `low` to
/// `high`, ascending.
fn hull(x: &[f64], low: usize, high: usize, sign: f64) -> Vec<usize> {
    let mut out: Vec<usize> = Vec::new();
    for i in low..=high {
        while let [.., a, b] = out[..] {
            // b stays when the slope grows there (times the sign); cross-multiplied, so that ties need no division.
            let rise = (b - a) as f64 * (x[i] - x[b]) - (i - b) as f64 * (x[b] - x[a]);
            if sign * rise >= 0.0 {
                out.pop();
            } else {
                break;
            }
        }
        out.push(i);
    }
    out
}

/// Height of the line through corners a and b at x.
fn height(x: &[f64], a: usize, b: usize, at: f64) -> f64 {
    a as f64 + (b - a) as f64 * (at - x[a]) / (x[b] - x[a])
}

/// Hartigan's dip of a strictly ascending sample (Hartigan and Hartigan 1985): the least sup-distance of its distribution function to any with
/// one mode, at least 1/(2n). The modal interval is narrowed to where minorant and majorant are farthest apart, until what is
/// gained outside it is no less than what is left inside.
pub(crate) fn dip(x: &[f64]) -> f64 {
    let n = x.len();
    let unit = 0.5 / n.max(1) as f64;
    if n < 4 {
        return unit;
    }
    let (mut low, mut high) = (0, n - 1);
    let mut largest = 1.0_f64;
    loop {
        let (minorant, majorant) = (hull(x, low, high, 1.0), hull(x, low, high, -1.0));
        // The largest gap between the two, and the corners that bound the modal interval there.
        let (mut gap, mut next) = (0.0, (low, high));
        let mut segment = 0;
        for &v in &majorant {
            while segment + 2 < minorant.len() && x[minorant[segment + 1]] < x[v] {
                segment += 1;
            }
            let (a, b) = (minorant[segment], minorant[segment + 1]);
            let apart = v as f64 - height(x, a, b, x[v]) + 1.0;
            if apart > gap {
                (gap, next) = (apart, (a, v));
            }
        }
        let mut segment = 0;
        for &g in &minorant {
            while segment + 2 < majorant.len() && x[majorant[segment + 1]] < x[g] {
                segment += 1;
            }
            let (a, b) = (majorant[segment], majorant[segment + 1]);
            let apart = height(x, a, b, x[g]) - g as f64 + 1.0;
            if apart > gap {
                (gap, next) = (apart, (g, b));
            }
        }
        if gap <= largest {
            break;
        }
        // What the parts outside the new modal interval are off their own convex or concave fit.
        for pair in minorant.windows(2).filter(|pair| pair[1] <= next.0) {
            for i in pair[0]..=pair[1] {
                largest = largest.max(i as f64 - height(x, pair[0], pair[1], x[i]) + 1.0);
            }
        }
        for pair in majorant.windows(2).filter(|pair| pair[0] >= next.1) {
            for i in pair[0]..=pair[1] {
                largest = largest.max(height(x, pair[0], pair[1], x[i]) - i as f64 + 1.0);
            }
        }
        if next == (low, high) || next.0 >= next.1 {
            break;
        }
        (low, high) = next;
    }
    largest * unit
}

/// √n·dip of samples of the uniform distribution, ascending: the least favourable case of one mode for large n.
pub(crate) fn null(n: usize, samples: usize, seed: u64) -> Vec<f64> {
    let rows = n.min(NULL_ROWS);
    let mut stream = Stream::new(seed, "stats/dip", &[&(rows as u64).to_le_bytes()]);
    let mut x = vec![0.0; rows];
    let mut out: Vec<f64> = (0..samples)
        .map(|_| {
            // Sums of exponentials are sorted uniforms, up to their scale, which the dip does not see.
            let mut sum = 0.0;
            for v in &mut x {
                sum -= (1.0 - stream.uniform()).ln();
                *v = sum;
            }
            dip(&x) * (rows as f64).sqrt()
        })
        .collect();
    out.sort_unstable_by(f64::total_cmp);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_spacing_has_the_least_dip_and_two_points_the_largest() {
        let even: Vec<f64> = (0..50).map(f64::from).collect();
        assert!((dip(&even) - 0.01).abs() < 1e-12);
        // Two far clusters of 25: the dip tends to 1/4.
        let mut two: Vec<f64> = (0..25).map(|i| f64::from(i) * 1e-6).collect();
        two.extend((0..25).map(|i| 1.0 + f64::from(i) * 1e-6));
        assert!((dip(&two) - 0.25).abs() < 0.02, "{}", dip(&two));
    }
}
