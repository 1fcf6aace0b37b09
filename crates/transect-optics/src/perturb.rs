//! What searches for the worst case move: physical parameters, a mark, or every sample by a little.

use transect_core::{Image, Stream, Variation};

use crate::blur::gaussian;
use crate::draw::{Normal, Words};
use crate::quantile::quantile;

/// Parameters of a natural change, in the order of [`Natural::apply`].
pub const NATURAL: [&str; 5] = ["gain", "offset", "blur", "noise", "colour"];

/// Physical changes of one image, in units of the reference's own variation. The noise is drawn once, so that the same
/// parameters give the same image.
#[derive(Debug, Clone)]
pub struct Natural<'a> {
    image: &'a Image,
    variation: Variation,
    scale: f64,
    noise: Vec<f32>,
}

impl<'a> Natural<'a> {
    /// Changes of this image; `stream` draws the noise.
    pub fn new(image: &'a Image, variation: Variation, stream: Stream) -> Self {
        let mut words = Words::of(stream);
        let normal = Normal::new();
        Self {
            image,
            variation,
            scale: full_scale(image),
            noise: (0..image.samples().len())
                .map(|_| normal.draw(&mut words) as f32)
                .collect(),
        }
    }

    /// Which parameters move anything here: those whose variation is above 0; colour with two channels or more.
    pub fn active(&self) -> [bool; 5] {
        let v = &self.variation;
        [
            v.log_gain > 0.0,
            v.offset > 0.0,
            v.blur_px > 0.0,
            v.noise > 0.0,
            v.log_colour > 0.0 && self.image.channels() > 1,
        ]
    }

    /// The image changed by `p` standard deviations of each: intensities times `exp(p₀·log_gain)`, plus `p₁·offset` of full
    /// scale, blurred by a Gaussian of `|p₂|·blur_px`, with Gaussian noise of `|p₃|·noise` of full scale, and the channels times
    /// `exp(p₄·log_colour·w)` with `w` falling evenly from ½ for the first to −½ for the last. An image is never sharpened or
    /// freed of noise. Rounded and clipped to the sample type. All 0: the image itself to the bit.
    pub fn apply(&self, p: &[f64; 5]) -> Image {
        let mut image = self.image.clone();
        let v = &self.variation;
        let (rows, columns, channels) = (image.rows(), image.columns(), image.channels());
        let size = image.samples().len() / channels;
        let (gain, offset) = ((p[0] * v.log_gain).exp(), p[1] * v.offset * self.scale);
        let sigma = p[2].abs() * v.blur_px;
        let noise = p[3].abs() * v.noise * self.scale;
        for (c, samples) in image.samples_mut().chunks_exact_mut(size).enumerate() {
            let tilt = if channels > 1 {
                0.5 - c as f64 / (channels - 1) as f64
            } else {
                0.0
            };
            if sigma > 0.0 {
                for plane in samples.chunks_exact_mut(rows * columns) {
                    gaussian(plane, rows, columns, sigma, sigma);
                }
            }
            let factor = gain * (p[4] * v.log_colour * tilt).exp();
            let drawn = &self.noise[c * size..(c + 1) * size];
            for (sample, n) in samples.iter_mut().zip(drawn) {
                *sample = (f64::from(*sample) * factor + offset + noise * f64::from(*n)) as f32;
            }
        }
        image.quantise();
        image
    }
}

/// The largest value of an integer type; the span from the 0.1th to the 99.9th percentile for floating types, at least the
/// smallest positive number.
pub fn full_scale(image: &Image) -> f64 {
    image.dtype.range().map_or_else(
        || {
            let high = quantile(image.samples(), 0.999).unwrap_or(0.0);
            let low = quantile(image.samples(), 0.001).unwrap_or(0.0);
            (high - low).max(f64::MIN_POSITIVE)
        },
        |(_, high)| f64::from(high),
    )
}

/// A mark: a filled rectangle of one colour.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// First row.
    pub row: usize,
    /// First column.
    pub column: usize,
    /// Height, px.
    pub height: usize,
    /// Width, px.
    pub width: usize,
    /// Value of each channel, from the image's darkest (0) to its brightest (1).
    pub colour: Vec<f64>,
}

/// The image with a mark on it, rounded and clipped to the sample type; parts beyond the edge are left out.
pub fn marked(image: &Image, mark: &Mark) -> Image {
    let mut result = image.clone();
    let (rows, columns) = (image.rows(), image.columns());
    let size = image.samples().len() / image.channels();
    let extreme = |pick: fn(f32, f32) -> f32, start: f32| {
        f64::from(image.samples().iter().copied().fold(start, pick))
    };
    let (low, high) = (
        extreme(f32::min, f32::INFINITY),
        extreme(f32::max, f32::NEG_INFINITY),
    );
    for (samples, share) in result
        .samples_mut()
        .chunks_exact_mut(size)
        .zip(&mark.colour)
    {
        let value = (low + share * (high - low)) as f32;
        for plane in samples.chunks_exact_mut(rows * columns) {
            for line in plane
                .chunks_exact_mut(columns)
                .skip(mark.row)
                .take(mark.height)
            {
                let end = (mark.column + mark.width).min(columns);
                line[mark.column.min(end)..end].fill(value);
            }
        }
    }
    result.quantise();
    result
}

/// The image plus a change of each sample in [−1, 1] times `reach` of full scale, rounded and clipped to the sample type.
/// Samples of integer types move by at most ⌊reach · full scale⌋ levels, so that rounding never goes beyond.
pub fn shifted(image: &Image, change: &[f32], reach: f64) -> Image {
    let mut step = reach * full_scale(image);
    if image.dtype.range().is_some() {
        step = (step + 1e-9).floor();
    }
    let mut result = image.clone();
    for (sample, change) in result.samples_mut().iter_mut().zip(change) {
        *sample = (f64::from(*sample) + step * f64::from(*change)) as f32;
    }
    result.quantise();
    result
}
