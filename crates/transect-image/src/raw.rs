//! Decoded samples in the type of the file, on the way to an image or to labels.

use transect_core::axis::Wavelengths;
use transect_core::codes::image as codes;
use transect_core::{Dtype, Error, Image, LabelImage, PixelSize, Result};

use crate::selector::Region;
use crate::unsupported;

/// Samples in the type of the file, in the order (channel, plane, row, column).
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    /// Half floats, already widened.
    F16(Vec<f32>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// The same for whichever type the samples have.
macro_rules! each {
    ($values:expr, $v:ident => $body:expr) => {
        match $values {
            $crate::raw::Values::U8($v) => $body,
            $crate::raw::Values::U16($v) => $body,
            $crate::raw::Values::U32($v) => $body,
            $crate::raw::Values::U64($v) => $body,
            $crate::raw::Values::I8($v) => $body,
            $crate::raw::Values::I16($v) => $body,
            $crate::raw::Values::I32($v) => $body,
            $crate::raw::Values::I64($v) => $body,
            $crate::raw::Values::F16($v) => $body,
            $crate::raw::Values::F32($v) => $body,
            $crate::raw::Values::F64($v) => $body,
        }
    };
}
pub(crate) use each;

/// How samples become colours.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Colour {
    /// Channels without a meaning that the file states.
    Plain,
    /// Unsigned integers in which 0 is white.
    WhiteIsZero,
    /// Red, green, blue.
    Rgb,
    /// Indices into red, green, blue, alpha.
    Palette(Vec<[u8; 4]>),
}

/// What a decoder gives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Raw {
    /// (channel, plane, row, column), alpha among the channels.
    pub(crate) shape: [usize; 4],
    pub(crate) values: Values,
    /// Bits that a sample has in the file.
    pub(crate) bits: u32,
    pub(crate) colour: Colour,
    /// The channel that holds alpha.
    pub(crate) alpha: Option<usize>,
    pub(crate) pixel_size: Option<PixelSize>,
    /// One for each channel, alpha among them, or empty.
    pub(crate) channel_names: Vec<String>,
    pub(crate) wavelengths: Option<Wavelengths>,
}

/// Keeps the ranges of a vector that a (channel, plane, row, column) rectangle covers.
fn cut<T: Copy>(values: &mut Vec<T>, shape: [usize; 4], planes: [usize; 2], region: [usize; 4]) {
    let [channels, depth, rows, columns] = shape;
    let [row, column, height, width] = region;
    let mut to = 0;
    for channel in 0..channels {
        for plane in planes[0]..planes[1] {
            for r in row..row + height {
                let from = ((channel * depth + plane) * rows + r) * columns + column;
                values.copy_within(from..from + width, to);
                to += width;
            }
        }
    }
    values.truncate(to);
}

/// Largest magnitude below which every integer is exact in single precision.
const EXACT: u64 = 1 << 24;

impl Raw {
    /// Samples of which nothing more is said.
    pub(crate) fn plain(shape: [usize; 4], values: Values, bits: u32) -> Self {
        Self {
            shape,
            values,
            bits,
            colour: Colour::Plain,
            alpha: None,
            pixel_size: None,
            channel_names: Vec::new(),
            wavelengths: None,
        }
    }

    /// One plane, where one is selected, and the region.
    pub(crate) fn select(mut self, plane: Option<u32>, region: Option<Region>) -> Result<Self> {
        let [_, planes, rows, columns] = self.shape;
        if plane.is_none() && region.is_none() {
            return Ok(self);
        }
        let kept = if plane.is_some() {
            let plane = crate::selector::one_of("plane", plane, planes)?;
            [plane, plane + 1]
        } else {
            [0, planes]
        };
        let region = Region::within(region, rows as u64, columns as u64)?.map(|v| v as usize);
        let shape = self.shape;
        each!(&mut self.values, v => cut(v, shape, kept, region));
        self.shape = [shape[0], kept[1] - kept[0], region[2], region[3]];
        Ok(self)
    }

    fn plane_count(&self) -> usize {
        self.shape[1] * self.shape[2] * self.shape[3]
    }

    /// Whether every sample of the alpha channel is opaque.
    fn check_alpha(&self) -> Result<()> {
        let Some(alpha) = self.alpha else {
            return Ok(());
        };
        let size = self.plane_count();
        let range = alpha * size..(alpha + 1) * size;
        let full = 1_u64.checked_shl(self.bits).map_or(u64::MAX, |v| v - 1);
        let clear = match &self.values {
            Values::U8(v) => v[range].iter().filter(|&&a| u64::from(a) != full).count(),
            Values::U16(v) => v[range].iter().filter(|&&a| u64::from(a) != full).count(),
            Values::U32(v) => v[range].iter().filter(|&&a| u64::from(a) != full).count(),
            Values::U64(v) => v[range].iter().filter(|&&a| a != full).count(),
            Values::F16(v) | Values::F32(v) => v[range].iter().filter(|&&a| a != 1.0).count(),
            Values::F64(v) => v[range].iter().filter(|&&a| a != 1.0).count(),
            Values::I8(_) | Values::I16(_) | Values::I32(_) | Values::I64(_) => {
                return Err(unsupported("an alpha channel of signed integers"));
            }
        };
        if clear == 0 {
            Ok(())
        } else {
            Err(transparent(clear, size))
        }
    }

    /// Takes the alpha channel out, once it was seen to be opaque.
    fn without_alpha(mut self) -> Result<Self> {
        self.check_alpha()?;
        let Some(alpha) = self.alpha.take() else {
            return Ok(self);
        };
        if self.shape[0] < 2 {
            return Err(unsupported("the only channel is alpha"));
        }
        let size = self.plane_count();
        let range = alpha * size..(alpha + 1) * size;
        each!(&mut self.values, v => drop(v.drain(range)));
        if self.channel_names.len() == self.shape[0] {
            self.channel_names.remove(alpha);
        }
        self.shape[0] -= 1;
        Ok(self)
    }

    /// The image.
    pub(crate) fn into_image(self) -> Result<Image> {
        let raw = self.without_alpha()?;
        if let Colour::Palette(palette) = &raw.colour {
            return raw.through_palette(palette);
        }
        let Raw {
            shape,
            values,
            bits,
            colour,
            pixel_size,
            channel_names,
            wavelengths,
            ..
        } = raw;
        // Fewer than eight bits are spread over the range of a byte; 255 is a multiple of 1, 3 and 15.
        let scale = if bits < 8 && matches!(values, Values::U8(_)) {
            255.0 / ((1_u32 << bits) - 1) as f32
        } else {
            1.0
        };
        let white = matches!(colour, Colour::WhiteIsZero);
        let full = 1_u64.checked_shl(bits).map_or(u64::MAX, |v| v - 1);
        if scale != 1.0 && 255 % full != 0 {
            return Err(unsupported(format!("{bits} bits per sample"))
                .help("save the image with 8 bits per sample"));
        }
        if white && !matches!(values, Values::U8(_) | Values::U16(_) | Values::U32(_)) {
            return Err(unsupported(
                "0 is white, in a type that has no largest value: what black is, is not said",
            )
            .help("save the image with 0 as black (PhotometricInterpretation = 1)"));
        }
        let turned = |v: u64| if white { full.saturating_sub(v) } else { v };
        let (samples, dtype): (Vec<f32>, Dtype) = match values {
            Values::U8(v) => (
                v.into_iter()
                    .map(|v| turned(u64::from(v)) as f32 * scale)
                    .collect(),
                Dtype::Uint8,
            ),
            Values::U16(v) => (
                v.into_iter().map(|v| turned(u64::from(v)) as f32).collect(),
                Dtype::Uint16,
            ),
            Values::U32(v) => {
                if let Some(&v) = v.iter().max().filter(|&&v| u64::from(v) > EXACT) {
                    return Err(too_large(v));
                }
                if white && full > EXACT {
                    return Err(too_large(full));
                }
                (
                    v.into_iter().map(|v| turned(u64::from(v)) as f32).collect(),
                    Dtype::Uint32,
                )
            }
            Values::I8(v) => (v.into_iter().map(f32::from).collect(), Dtype::Int8),
            Values::I16(v) => (v.into_iter().map(f32::from).collect(), Dtype::Int16),
            Values::I32(v) => {
                if let Some(v) = v.iter().find(|v| u64::from(v.unsigned_abs()) > EXACT) {
                    return Err(too_large(v));
                }
                (v.into_iter().map(|v| v as f32).collect(), Dtype::Int32)
            }
            Values::U64(v) => {
                if let Some(&v) = v.iter().max().filter(|&&v| v > EXACT) {
                    return Err(too_large(v));
                }
                (v.into_iter().map(|v| v as f32).collect(), Dtype::Uint64)
            }
            Values::I64(v) => {
                if let Some(v) = v.iter().find(|v| v.unsigned_abs() > EXACT) {
                    return Err(too_large(v));
                }
                (v.into_iter().map(|v| v as f32).collect(), Dtype::Int64)
            }
            Values::F16(v) => (v, Dtype::Float16),
            Values::F32(v) => (v, Dtype::Float32),
            Values::F64(v) => {
                if let Some(v) = v
                    .iter()
                    .find(|v| v.is_finite() && !(**v as f32).is_finite())
                {
                    return Err(
                        unsupported(format!("the value {v:e} is beyond single precision"))
                            .help("rescale the image"),
                    );
                }
                (v.into_iter().map(|v| v as f32).collect(), Dtype::Float64)
            }
        };
        let mut image = Image::new(shape, samples, dtype)?;
        image.pixel_size = pixel_size;
        if channel_names.len() == shape[0] {
            image.channel_names = channel_names;
        }
        image.wavelengths = wavelengths.filter(|w| w.values.len() == shape[0]);
        if colour == Colour::Rgb && shape[0] == 3 {
            image.rgb = true;
            image.channel_names = ["red", "green", "blue"].map(str::to_owned).to_vec();
        }
        Ok(image)
    }

    fn through_palette(&self, palette: &[[u8; 4]]) -> Result<Image> {
        let size = self.plane_count();
        let index = |at: usize| -> Option<usize> {
            match &self.values {
                Values::U8(v) => v.get(at).map(|&v| usize::from(v)),
                Values::U16(v) => v.get(at).map(|&v| usize::from(v)),
                _ => None,
            }
        };
        if self.shape[0] != 1 {
            return Err(unsupported("a palette for more than one channel"));
        }
        let mut samples = vec![0.0; 3 * size];
        let mut clear = 0;
        for at in 0..size {
            let Some(&[red, green, blue, alpha]) = index(at).and_then(|i| palette.get(i)) else {
                return Err(crate::damaged(format!(
                    "pixel {at} has an index beyond the palette of {} colours",
                    palette.len()
                )));
            };
            clear += usize::from(alpha != 255);
            samples[at] = f32::from(red);
            samples[size + at] = f32::from(green);
            samples[2 * size + at] = f32::from(blue);
        }
        if clear > 0 {
            return Err(transparent(clear, size));
        }
        let mut image = Image::new(
            [3, self.shape[1], self.shape[2], self.shape[3]],
            samples,
            Dtype::Uint8,
        )?;
        image.pixel_size = self.pixel_size;
        image.rgb = true;
        image.channel_names = ["red", "green", "blue"].map(str::to_owned).to_vec();
        Ok(image)
    }

    /// The labels.
    pub(crate) fn into_labels(self) -> Result<LabelImage> {
        let not = |what: String| Error::new(&codes::LABELS_UNSUPPORTED, what);
        if self.colour == Colour::Rgb {
            return Err(not("the file holds colours, not labels".to_owned()).help(
                "save one number per object or class: 0 for background, as grey PNG of 16 bits or as TIFF of integers",
            ));
        }
        let raw = self.without_alpha()?;
        let [channels, planes, rows, columns] = raw.shape;
        if channels != 1 || planes != 1 {
            return Err(not(format!(
                "labels have one channel and one plane, the file has {channels} and {planes}"
            ))
            .help("save one plane of labels in each file"));
        }
        let negative = |v: String| {
            not(format!("the label {v} is negative or above 4294967295"))
                .help("renumber the labels; declare an ignored value as a positive number")
        };
        let fraction = |v: f64| {
            not(format!(
                "the value {v} is not a whole number from 0 to 4294967295"
            ))
            .help("a probability map is not a label image: threshold and label it first")
        };
        let labels: Vec<u32> = match raw.values {
            Values::U8(v) => v.into_iter().map(u32::from).collect(),
            Values::U16(v) => v.into_iter().map(u32::from).collect(),
            Values::U32(v) => v,
            Values::U64(v) => v
                .into_iter()
                .map(|v| u32::try_from(v).map_err(|_| negative(v.to_string())))
                .collect::<Result<_>>()?,
            Values::I8(v) => v
                .into_iter()
                .map(|v| u32::try_from(v).map_err(|_| negative(v.to_string())))
                .collect::<Result<_>>()?,
            Values::I16(v) => v
                .into_iter()
                .map(|v| u32::try_from(v).map_err(|_| negative(v.to_string())))
                .collect::<Result<_>>()?,
            Values::I32(v) => v
                .into_iter()
                .map(|v| u32::try_from(v).map_err(|_| negative(v.to_string())))
                .collect::<Result<_>>()?,
            Values::I64(v) => v
                .into_iter()
                .map(|v| u32::try_from(v).map_err(|_| negative(v.to_string())))
                .collect::<Result<_>>()?,
            Values::F16(v) | Values::F32(v) => v
                .into_iter()
                .map(|v| whole(f64::from(v)).ok_or_else(|| fraction(f64::from(v))))
                .collect::<Result<_>>()?,
            Values::F64(v) => v
                .into_iter()
                .map(|v| whole(v).ok_or_else(|| fraction(v)))
                .collect::<Result<_>>()?,
        };
        LabelImage::new(rows, columns, labels)
    }
}

fn whole(v: f64) -> Option<u32> {
    (v >= 0.0 && v <= f64::from(u32::MAX) && v.fract() == 0.0).then_some(v as u32)
}

fn transparent(clear: usize, size: usize) -> Error {
    Error::new(
        &codes::IMAGE_ALPHA,
        format!("{clear} of {size} pixels are not opaque"),
    )
    .help("save the image without transparency, on the background that you mean")
}

fn too_large(value: impl std::fmt::Display) -> Error {
    Error::new(
        &codes::IMAGE_INTEGER_RANGE,
        format!(
            "the image holds the integer {value}; beyond 16777216 single precision is not exact"
        ),
    )
    .help("save it as 16 bit, or as float; if these are labels, give the file as truth")
}
