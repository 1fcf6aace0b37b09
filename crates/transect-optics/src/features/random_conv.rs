//! Random convolutional features: an untrained network of one layer.

use transect_core::Stream;

use super::reduced;
use crate::describe::mean_sd;

/// Filters at each scale.
const FILTERS: usize = 32;
/// Side of a filter, px.
const KERNEL: usize = 5;
/// Longest sides that the image is reduced to.
const SCALES: [usize; 2] = [64, 32];

/// Responses of 32 random filters of 5 × 5 px over all channels, at two scales (longest side 64 and 32 px, by area means), each
/// channel brought to mean 0 and standard deviation 1 within the image: for each filter the share of positive responses and the
/// mean of the positive part (as a layer of an untrained network with rectifiers and average pooling gives it). Weights are
/// normal with mean 0, less their mean, of length 1; biases uniform on [−½, ½]; drawn by the run's seed and the number of
/// channels, the same for every image. Beside them the channels' means and standard deviations, which bringing to one scale takes
/// away. Images of under 5 px a side have no response: 0.
pub(super) fn of(channels: &[Vec<f32>], rows: usize, columns: usize, seed: u64) -> Vec<f32> {
    let mut stream = Stream::new(
        seed,
        "optics/random_conv",
        &[&(channels.len() as u64).to_le_bytes()],
    );
    let taps = KERNEL * KERNEL * channels.len();
    let mut values = Vec::with_capacity(SCALES.len() * FILTERS * 2 + 2 * channels.len());
    for side in SCALES {
        let planes: Vec<_> = channels
            .iter()
            .map(|c| reduced(c, rows, columns, side))
            .map(|mut plane| {
                let (mean, sd) = moments(&plane.samples);
                for v in &mut plane.samples {
                    *v = if sd > 0.0 {
                        ((f64::from(*v) - mean) / sd) as f32
                    } else {
                        0.0
                    };
                }
                plane
            })
            .collect();
        let (height, width) = (planes[0].rows, planes[0].columns);
        for _ in 0..FILTERS {
            let mut weights: Vec<f64> = (0..taps).map(|_| stream.normal()).collect();
            let bias = (stream.uniform() - 0.5) as f32;
            let mean = weights.iter().sum::<f64>() / taps as f64;
            for w in &mut weights {
                *w -= mean;
            }
            let length = weights.iter().map(|w| w * w).sum::<f64>().sqrt();
            let weights: Vec<f32> = weights.iter().map(|w| (w / length) as f32).collect();
            if height < KERNEL || width < KERNEL {
                values.extend([0.0, 0.0]);
                continue;
            }
            let (out_rows, out_columns) = (height - KERNEL + 1, width - KERNEL + 1);
            let mut sums = vec![bias; out_rows * out_columns];
            for (tap, &weight) in weights.iter().enumerate() {
                let plane = &planes[tap / (KERNEL * KERNEL)];
                let (down, across) = (tap / KERNEL % KERNEL, tap % KERNEL);
                for (r, line) in sums.chunks_exact_mut(out_columns).enumerate() {
                    let from = (r + down) * width + across;
                    let source = &plane.samples[from..from + out_columns];
                    for (sum, v) in line.iter_mut().zip(source) {
                        *sum += weight * v;
                    }
                }
            }
            let (mut positive, mut total) = (0_u32, 0.0);
            for &v in &sums {
                if v > 0.0 {
                    positive += 1;
                    total += f64::from(v);
                }
            }
            let n = sums.len() as f64;
            values.extend([(f64::from(positive) / n) as f32, (total / n) as f32]);
        }
    }
    for channel in channels {
        let (mean, sd) = moments(channel);
        values.extend([mean as f32, sd as f32]);
    }
    values
}

fn moments(samples: &[f32]) -> (f64, f64) {
    mean_sd(samples.iter().map(|&v| f64::from(v))).unwrap_or_default()
}
