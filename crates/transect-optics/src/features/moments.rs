//! Moments of the intensities of each channel.

/// Mean, standard deviation (of the population), skewness and excess kurtosis of each channel over the pixels where `mask` says
/// so, or over all. Skewness and kurtosis of constant values are 0; of no pixels all four are 0.
pub(super) fn of(channels: &[Vec<f32>], mask: Option<&[bool]>) -> Vec<f32> {
    let mut values = Vec::with_capacity(4 * channels.len());
    for samples in channels {
        let (mut n, mut sum) = (0_u64, 0.0);
        let each = |f: &mut dyn FnMut(f64)| match mask {
            None => samples.iter().for_each(|&v| f(f64::from(v))),
            Some(mask) => samples
                .iter()
                .zip(mask)
                .filter(|(_, m)| **m)
                .for_each(|(&v, _)| f(f64::from(v))),
        };
        each(&mut |v| {
            n += 1;
            sum += v;
        });
        let n = n.max(1) as f64;
        let mean = sum / n;
        let (mut m2, mut m3, mut m4) = (0.0, 0.0, 0.0);
        each(&mut |v| {
            let d = v - mean;
            let square = d * d;
            m2 += square;
            m3 += square * d;
            m4 += square * square;
        });
        let sd = (m2 / n).sqrt();
        let (skewness, kurtosis) = if sd > 1e-9 * mean.abs().max(f64::MIN_POSITIVE) {
            (m3 / n / sd.powi(3), m4 / n / sd.powi(4) - 3.0)
        } else {
            (0.0, 0.0)
        };
        values.extend([mean, sd, skewness, kurtosis].map(|v| v as f32));
    }
    values
}

/// Mean of each channel.
pub(super) fn means(channels: &[Vec<f32>]) -> Vec<f64> {
    channels
        .iter()
        .map(|c| c.iter().map(|&v| f64::from(v)).sum::<f64>() / c.len().max(1) as f64)
        .collect()
}

/// Means, and the natural logarithm of the ratio of each to the first, both raised by 1/510 so that black has a ratio.
pub(super) fn colour(means: &[f64]) -> Vec<f32> {
    let raised = |m: f64| m.max(0.0) + 1.0 / 510.0;
    means
        .iter()
        .copied()
        .chain(
            means[1..]
                .iter()
                .map(|&m| (raised(m) / raised(means[0])).ln()),
        )
        .map(|v| v as f32)
        .collect()
}

/// The outer frame, a twentieth of the shorter side wide and at least one pixel.
pub(super) fn frame(rows: usize, columns: usize) -> Vec<bool> {
    let width = (rows.min(columns) / 20).max(1);
    let mut mask = Vec::with_capacity(rows * columns);
    for r in 0..rows {
        let edge = r < width || r + width >= rows;
        mask.extend((0..columns).map(|c| edge || c < width || c + width >= columns));
    }
    mask
}
