//! Families of features: what the image says without any model, for the baselines that a model must beat.
//!
//! | family | what |
//! |---|---|
//! | `moments` | of each channel: mean, standard deviation, skewness, excess kurtosis |

use transect_core::{Image, LabelImage};

/// The families of one image, in the order of their names' table above. Deterministic; `seed` draws what is random in a family
/// once for the whole run.
pub fn features(
    image: &Image,
    _truth: Option<&LabelImage>,
    _seed: u64,
) -> Vec<(&'static str, Vec<f32>)> {
    vec![("moments", moments(image))]
}

/// Mean, standard deviation, skewness and excess kurtosis of each channel over all planes; skewness and kurtosis of a constant
/// channel are 0.
fn moments(image: &Image) -> Vec<f32> {
    let mut values = Vec::with_capacity(4 * image.channels());
    for channel in 0..image.channels() {
        let samples = || (0..image.planes()).flat_map(|p| image.plane(channel, p).iter());
        let n = samples().count().max(1) as f64;
        let mean = samples().map(|&v| f64::from(v)).sum::<f64>() / n;
        let (mut m2, mut m3, mut m4) = (0.0, 0.0, 0.0);
        for &v in samples() {
            let d = f64::from(v) - mean;
            m2 += d * d;
            m3 += d * d * d;
            m4 += d * d * d * d;
        }
        let sd = (m2 / n).sqrt();
        let (skewness, kurtosis) = if sd > 0.0 {
            (m3 / n / sd.powi(3), m4 / n / sd.powi(4) - 3.0)
        } else {
            (0.0, 0.0)
        };
        values.extend([mean, sd, skewness, kurtosis].map(|v| v as f32));
    }
    values
}
