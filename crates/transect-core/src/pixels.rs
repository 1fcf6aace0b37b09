//! An image in memory.

use crate::axis::{PixelSize, Wavelengths};
use crate::codes;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Sample type of the file that an image came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Hash)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Dtype {
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Int8,
    Int16,
    Int32,
    Int64,
    Float16,
    Float32,
    Float64,
}

impl Dtype {
    /// The name that NumPy uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float16 => "float16",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
        }
    }

    /// Bits of a sample.
    pub fn bits(self) -> u8 {
        match self {
            Self::Uint8 | Self::Int8 => 8,
            Self::Uint16 | Self::Int16 | Self::Float16 => 16,
            Self::Uint32 | Self::Int32 | Self::Float32 => 32,
            Self::Uint64 | Self::Int64 | Self::Float64 => 64,
        }
    }

    /// Smallest and largest value of an integer type; `None` for floating types.
    pub fn range(self) -> Option<(f32, f32)> {
        match self {
            Self::Uint8 => Some((0.0, 255.0)),
            Self::Uint16 => Some((0.0, 65_535.0)),
            Self::Uint32 => Some((0.0, u32::MAX as f32)),
            Self::Uint64 => Some((0.0, u64::MAX as f32)),
            Self::Int8 => Some((-128.0, 127.0)),
            Self::Int16 => Some((-32_768.0, 32_767.0)),
            Self::Int32 => Some((i32::MIN as f32, i32::MAX as f32)),
            Self::Int64 => Some((i64::MIN as f32, i64::MAX as f32)),
            Self::Float16 | Self::Float32 | Self::Float64 => None,
        }
    }
}

/// An image: `f32` samples in the order (channel, plane, row, column), with what the file said of them.
///
/// Every 8- and 16-bit integer and every half float is exact in `f32`. Decoders refuse integers beyond ±2²⁴;
/// 64-bit floats are rounded (relative error at most 6e-8).
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    channels: usize,
    planes: usize,
    rows: usize,
    columns: usize,
    samples: Vec<f32>,
    /// Sample type of the file.
    pub dtype: Dtype,
    /// Physical size of a pixel, where known.
    pub pixel_size: Option<PixelSize>,
    /// Names of the channels, or empty.
    pub channel_names: Vec<String>,
    /// Where the channels of a spectrum lie, one value for each channel, where the file says it.
    pub wavelengths: Option<Wavelengths>,
    /// Whether the three channels are red, green and blue of a colour image.
    pub rgb: bool,
}

impl Image {
    /// An image from its samples in the order (channel, plane, row, column).
    ///
    /// # Errors
    /// `T102` when a dimension is 0 or the number of samples is not their product.
    pub fn new(shape: [usize; 4], samples: Vec<f32>, dtype: Dtype) -> Result<Self> {
        let [channels, planes, rows, columns] = shape;
        let count = shape.iter().try_fold(1_usize, |n, &s| n.checked_mul(s));
        if count != Some(samples.len()) || samples.is_empty() {
            return Err(Error::new(
                &codes::image::IMAGE_SHAPE,
                format!(
                    "shape (channel, plane, row, column) = {shape:?} needs {count:?} samples, got {}",
                    samples.len()
                ),
            ));
        }
        Ok(Self {
            channels,
            planes,
            rows,
            columns,
            samples,
            dtype,
            pixel_size: None,
            channel_names: Vec::new(),
            wavelengths: None,
            rgb: false,
        })
    }

    /// (channel, plane, row, column).
    pub fn shape(&self) -> [usize; 4] {
        [self.channels, self.planes, self.rows, self.columns]
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Number of planes.
    pub fn planes(&self) -> usize {
        self.planes
    }

    /// Height in pixels.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Width in pixels.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All samples.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// All samples, to be changed.
    pub fn samples_mut(&mut self) -> &mut [f32] {
        &mut self.samples
    }

    /// The rows × columns samples of one channel in one plane.
    ///
    /// # Panics
    /// When there is no such channel or plane.
    pub fn plane(&self, channel: usize, plane: usize) -> &[f32] {
        let size = self.rows * self.columns;
        let start = (channel * self.planes + plane) * size;
        &self.samples[start..start + size]
    }

    /// The same, to be changed.
    ///
    /// # Panics
    /// When there is no such channel or plane.
    pub fn plane_mut(&mut self, channel: usize, plane: usize) -> &mut [f32] {
        let size = self.rows * self.columns;
        let start = (channel * self.planes + plane) * size;
        &mut self.samples[start..start + size]
    }

    /// An image with other samples and perhaps another size, and everything else as here.
    ///
    /// # Errors
    /// As [`Image::new`].
    pub fn with(&self, shape: [usize; 4], samples: Vec<f32>) -> Result<Self> {
        let mut image = Self::new(shape, samples, self.dtype)?;
        image.pixel_size = self.pixel_size;
        if shape[0] == self.channels {
            image.channel_names.clone_from(&self.channel_names);
            image.wavelengths.clone_from(&self.wavelengths);
            image.rgb = self.rgb;
        }
        Ok(image)
    }

    /// Rounds to the integers of the file's type and clips to its range; leaves floating types as they are.
    /// What a camera and a file would have done to a corrupted signal.
    pub fn quantise(&mut self) {
        /// Added and taken away again, it leaves the nearest integer, ties to even, of anything within ±2²²: the sum has
        /// no bits left for fractions.
        const WHOLE: f32 = 12_582_912.0;
        if let Some((low, high)) = self.dtype.range() {
            if high <= 65_535.0 {
                for sample in &mut self.samples {
                    *sample = (sample.clamp(low, high) + WHOLE) - WHOLE;
                }
            } else {
                for sample in &mut self.samples {
                    *sample = sample.round_ties_even().clamp(low, high);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_the_nearest_with_ties_to_even_and_clipped() {
        for dtype in [
            Dtype::Uint8,
            Dtype::Int8,
            Dtype::Uint16,
            Dtype::Int16,
            Dtype::Int32,
        ] {
            let (low, high) = dtype.range().unwrap();
            let mut values = vec![0.5, 1.5, 2.5, -0.5, -1.5, 0.499_999_97, low, high, f32::NAN];
            values.extend([
                f32::INFINITY,
                f32::NEG_INFINITY,
                0.5 * high + 0.5,
                1e30,
                -1e30,
            ]);
            values.extend((0..4000).map(|i| (i as f32 - 2000.0) * 33.37));
            let mut image = Image::new([1, 1, 1, values.len()], values.clone(), dtype).unwrap();
            image.quantise();
            for (&got, value) in image.samples().iter().zip(values) {
                let expected = value.round_ties_even().clamp(low, high);
                assert!(
                    got == expected || got.is_nan() && value.is_nan(),
                    "{dtype:?}: {value} became {got}"
                );
            }
        }
    }
}
