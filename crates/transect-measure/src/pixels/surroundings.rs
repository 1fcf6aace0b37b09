//! What an image says of a pixel without any model.

use transect_core::Image;

/// Radii of the square windows: 5, 11 and 25 pixels wide.
const RADII: [usize; 3] = [2, 5, 12];
/// Channels that are looked at one by one; of more, their mean is.
const CHANNELS: usize = 4;

/// One plane of numbers.
struct Plane<'a> {
    values: std::borrow::Cow<'a, [f32]>,
    rows: usize,
    columns: usize,
    mean: f64,
    /// Standard deviation over n; 1 for a constant.
    sd: f64,
}

impl<'a> Plane<'a> {
    fn new(values: std::borrow::Cow<'a, [f32]>, rows: usize, columns: usize) -> Self {
        let n = values.len().max(1) as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let squares: f64 = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum();
        let sd = (squares / n).sqrt();
        Self {
            values,
            rows,
            columns,
            mean,
            sd: if sd > 0.0 { sd } else { 1.0 },
        }
    }

    fn at(&self, row: usize, column: usize) -> f64 {
        f64::from(self.values[row * self.columns + column])
    }

    /// Standard deviations above the image's mean.
    fn standing(&self, value: f64) -> f32 {
        ((value - self.mean) / self.sd) as f32
    }

    /// Mean and standard deviation of the window around a pixel, as far as it lies in the image.
    fn window(&self, [row, column]: [usize; 2], radius: usize) -> (f64, f64) {
        let (top, left) = (row.saturating_sub(radius), column.saturating_sub(radius));
        let bottom = (row + radius).min(self.rows - 1);
        let right = (column + radius).min(self.columns - 1);
        let (mut sum, mut squares) = (0.0, 0.0);
        for r in top..=bottom {
            for value in &self.values[r * self.columns + left..=r * self.columns + right] {
                let value = f64::from(*value) - self.mean;
                sum += value;
                squares += value * value;
            }
        }
        let n = ((bottom - top + 1) * (right - left + 1)) as f64;
        let mean = sum / n;
        (
            mean + self.mean,
            (squares / n - mean * mean).max(0.0).sqrt(),
        )
    }

    /// Length of the gradient by differences of neighbours, a side of which is the pixel itself at the border.
    fn gradient(&self, [row, column]: [usize; 2]) -> f64 {
        let side = |low: (usize, usize), high: (usize, usize), steps: usize| {
            (self.at(high.0, high.1) - self.at(low.0, low.1)) / steps.max(1) as f64
        };
        let (up, down) = (row.saturating_sub(1), (row + 1).min(self.rows - 1));
        let (left, right) = (column.saturating_sub(1), (column + 1).min(self.columns - 1));
        side((up, column), (down, column), down - up).hypot(side(
            (row, left),
            (row, right),
            right - left,
        ))
    }
}

/// For each pixel its intensities, and what is around it.
///
/// Intensities: the value of every channel as it is; then of every channel (the mean of all where there are more than 4)
/// the standard deviations above its mean over the image. Surroundings, of the same channels in the same unit: the mean and
/// the standard deviation of the windows of 5, 11 and 25 pixels around it, cut at the border; the length of the gradient.
pub(super) fn of(image: &Image, places: &[[usize; 2]]) -> (Vec<f32>, Vec<f32>) {
    let (rows, columns) = (image.rows(), image.columns());
    let size = rows * columns;
    let channels: Vec<&[f32]> = image.samples().chunks(size).collect();
    let planes: Vec<Plane<'_>> = if channels.len() <= CHANNELS {
        channels
            .iter()
            .map(|&c| Plane::new(c.into(), rows, columns))
            .collect()
    } else {
        let n = channels.len() as f64;
        let mean: Vec<f32> = (0..size)
            .map(|i| (channels.iter().map(|c| f64::from(c[i])).sum::<f64>() / n) as f32)
            .collect();
        vec![Plane::new(mean.into(), rows, columns)]
    };
    let (mut intensity, mut around) = (Vec::new(), Vec::new());
    for &[row, column] in places {
        intensity.extend(channels.iter().map(|c| c[row * columns + column]));
        intensity.extend(planes.iter().map(|p| p.standing(p.at(row, column))));
        for plane in &planes {
            for radius in RADII {
                let (mean, sd) = plane.window([row, column], radius);
                around.extend([plane.standing(mean), (sd / plane.sd) as f32]);
            }
            around.push((plane.gradient([row, column]) / plane.sd) as f32);
        }
    }
    (intensity, around)
}

#[cfg(test)]
mod tests {
    use super::*;
    use transect_core::Dtype;

    #[test]
    fn values_windows_and_gradients_are_those_of_their_definitions() {
        // A plane that rises by 2 a row and 1 a column: mean 2·14.5 + 19.5 = 48.5.
        let values: Vec<f32> = (0..30 * 40)
            .map(|i| (2 * (i / 40) + i % 40) as f32)
            .collect();
        let image = Image::new([1, 1, 30, 40], values, Dtype::Float32).unwrap();
        // Var = 4·(30² − 1)/12 + (40² − 1)/12.
        let sd = (4.0 * 899.0 / 12.0 + 1599.0 / 12.0_f64).sqrt();
        let (intensity, around) = of(&image, &[[14, 20], [0, 0]]);
        assert_eq!(intensity[0], 48.0);
        assert!((f64::from(intensity[1]) + 0.5 / sd).abs() < 1e-6);
        for (place, radius) in RADII.iter().enumerate() {
            let width = (2 * radius + 1) as f64;
            let spread = (5.0 * (width * width - 1.0) / 12.0_f64).sqrt();
            assert!((f64::from(around[2 * place]) + 0.5 / sd).abs() < 1e-5);
            assert!((f64::from(around[2 * place + 1]) - spread / sd).abs() < 1e-5);
        }
        assert!((f64::from(around[6]) - 5.0_f64.sqrt() / sd).abs() < 1e-6);
        // In the corner the windows are a quarter: of radius 2, rows 0 to 2 and columns 0 to 2, mean 3.
        assert!((f64::from(around[7]) - (3.0 - 48.5) / sd).abs() < 1e-5);
        assert!((f64::from(around[13]) - 5.0_f64.sqrt() / sd).abs() < 1e-6);
    }

    #[test]
    fn many_channels_share_one_mean_and_a_constant_image_gives_zeros() {
        let values: Vec<f32> = (0..6 * 16).map(|i| (i / 16) as f32).collect();
        let image = Image::new([6, 1, 4, 4], values, Dtype::Float32).unwrap();
        let (intensity, around) = of(&image, &[[1, 1]]);
        assert_eq!(intensity, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 0.0]);
        assert_eq!(around, [0.0; 7]);
        let two = Image::new([2, 1, 4, 4], vec![3.0; 32], Dtype::Float32).unwrap();
        let (intensity, around) = of(&two, &[[1, 1], [3, 3]]);
        assert_eq!((intensity.len(), around.len()), (2 * 4, 2 * 14));
    }
}
