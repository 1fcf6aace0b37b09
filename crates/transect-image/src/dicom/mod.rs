//! DICOM images: uncompressed, deflated, RLE and baseline JPEG. Frames are planes.
//!
//! Only what pixels need is read: sizes, types, rescaling and spacing. Names of people, dates and identifiers are passed over.

mod dataset;
mod frames;

use transect_core::{PixelSize, Result};

use self::dataset::{Dataset, Syntax};
use crate::raw::{Colour, Raw, Values};
use crate::{Limits, damaged, unpack, unsupported};

/// How the pixels are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Rle,
    Jpeg,
}

/// What a transfer syntax says: how elements are written, whether the data set is deflated, how pixels are packed.
fn transfer(uid: &str) -> Result<(Syntax, bool, Packing)> {
    let plain = Syntax {
        explicit: true,
        little: true,
    };
    Ok(match uid {
        "1.2.840.10008.1.2" => (
            Syntax {
                explicit: false,
                ..plain
            },
            false,
            Packing::Plain,
        ),
        "1.2.840.10008.1.2.1" => (plain, false, Packing::Plain),
        "1.2.840.10008.1.2.1.99" => (plain, true, Packing::Plain),
        "1.2.840.10008.1.2.2" => (
            Syntax {
                little: false,
                ..plain
            },
            false,
            Packing::Plain,
        ),
        "1.2.840.10008.1.2.4.50" => (plain, false, Packing::Jpeg),
        "1.2.840.10008.1.2.5" => (plain, false, Packing::Rle),
        other => {
            let number = other
                .strip_prefix("1.2.840.10008.1.2.4.")
                .and_then(|n| n.parse::<u32>().ok());
            let name = match number {
                Some(51) => "JPEG of 12 bits",
                Some(57 | 70) => "lossless JPEG",
                Some(80 | 81) => "JPEG-LS",
                Some(90..=93 | 201..=203) => "JPEG 2000",
                Some(100..=109) => "video",
                Some(110..=112) => "JPEG XL",
                _ => "an unknown sort of",
            };
            return Err(
                unsupported(format!("a DICOM file with {name} compression ({other})"))
                    .help("unpack it with dcmtk or gdcm: gdcmconv --raw IN OUT"),
            );
        }
    })
}

pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Raw> {
    let body = bytes
        .get(132..)
        .ok_or_else(|| damaged("the DICOM file ends within its preamble"))?;
    let (uid, start) = dataset::meta(body)?;
    let (syntax, deflated, packing) = transfer(&uid)?;
    let rest = &body[start..];
    let unpacked;
    let rest = if deflated {
        let most = limits
            .max_decoded_bytes
            .saturating_mul(2)
            .saturating_add(1 << 20);
        unpacked = unpack::inflate_all(rest, usize::try_from(most).unwrap_or(usize::MAX))
            .ok_or_else(|| {
                damaged(format!(
                    "the deflated DICOM data set is damaged or passes {most} bytes"
                ))
            })?;
        &unpacked[..]
    } else {
        rest
    };
    let data = Dataset::parse(rest, syntax)?;
    image(&data, syntax, packing, limits)
}

/// The sample type, by bits and sign.
#[derive(Debug, Clone, Copy)]
struct Stored {
    allocated: usize,
    bits: u32,
    signed: bool,
}

impl Stored {
    /// The number in the low bits of a sample.
    fn number(self, sample: u32) -> i64 {
        let kept = i64::from(sample) & ((1_i64 << self.bits) - 1);
        if self.signed && kept >> (self.bits - 1) & 1 == 1 {
            kept - (1_i64 << self.bits)
        } else {
            kept
        }
    }

    /// The smallest and the largest number.
    fn range(self) -> (i64, i64) {
        if self.signed {
            (-(1_i64 << (self.bits - 1)), (1_i64 << (self.bits - 1)) - 1)
        } else {
            (0, (1_i64 << self.bits) - 1)
        }
    }
}

fn image(data: &Dataset, syntax: Syntax, packing: Packing, limits: &Limits) -> Result<Raw> {
    let Some(pixels) = &data.pixels else {
        return Err(damaged(
            "the DICOM file holds no pixel data: it may be a plan, a report or a structure, or cut short",
        ));
    };
    let need = |value: Option<u32>, what: &str| {
        value.ok_or_else(|| damaged(format!("the DICOM file does not state {what}")))
    };
    let (rows, columns) = (need(data.rows, "Rows")?, need(data.columns, "Columns")?);
    let samples = data.samples.unwrap_or(1);
    let frames = data.frames.unwrap_or(1);
    if data.tiled && frames > 1 {
        return Err(
            unsupported("a DICOM whole-slide image, whose frames are tiles")
                .help("convert it to OME-TIFF with Bio-Formats: bfconvert IN out.ome.tif"),
        );
    }
    let shape = [samples, frames, rows, columns].map(u64::from);
    let count = limits.check(shape)?;
    let shape = shape.map(|s| s as usize);
    let pixel_size = data.spacing.map(|[row, column]| PixelSize {
        row_um: row * 1000.0,
        column_um: column * 1000.0,
        plane_um: None,
    });
    let plain = |values, bits| Raw {
        pixel_size,
        ..Raw::plain(shape, values, bits)
    };
    let (colour, photometric) = colour(data, samples, packing)?;

    if pixels.floats > 0 {
        if packing != Packing::Plain || samples != 1 || data.rescale()?.is_some() {
            return Err(unsupported(
                "floating DICOM pixels with compression, colours or rescaling",
            ));
        }
        return frames::floats(pixels, syntax, count).map(|v| plain(v, pixels.floats * 8));
    }
    let stored = stored(data)?;
    if !syntax.little && stored.allocated < 16 {
        // Bytes may lie in swapped pairs there, and not every writer did so.
        return Err(unsupported("big-endian DICOM pixels of fewer than 16 bits")
            .help("write it again with dcmtk: dcmconv +te IN OUT"));
    }
    let bytes = match packing {
        Packing::Plain => frames::plain(pixels, count, stored.allocated)?,
        Packing::Rle => frames::rle(pixels, shape, stored.allocated)?,
        Packing::Jpeg => {
            if stored.allocated != 8 {
                return Err(
                    unsupported("a DICOM file with JPEG compression of more than 8 bits")
                        .help("unpack it with dcmtk or gdcm: gdcmconv --raw IN OUT"),
                );
            }
            frames::jpeg(pixels, shape, photometric == "RGB", limits)?
        }
    };
    // RLE comes out sample by sample and with the low byte first; JPEG pixel by pixel.
    let planar = match packing {
        Packing::Plain => data.planar == Some(1),
        Packing::Rle => true,
        Packing::Jpeg => false,
    };
    let little = packing != Packing::Plain || syntax.little;
    let numbers = frames::numbers(&bytes, shape, stored, planar, little);
    let Some((slope, intercept)) = data.rescale()? else {
        let values = match (stored.signed, stored.allocated) {
            (false, ..=8) => Values::U8(numbers.map(|n| n as u8).collect()),
            (false, 16) => Values::U16(numbers.map(|n| n as u16).collect()),
            (false, _) => Values::U32(numbers.map(|n| n as u32).collect()),
            (true, ..=8) => Values::I8(numbers.map(|n| n as i8).collect()),
            (true, 16) => Values::I16(numbers.map(|n| n as i16).collect()),
            (true, _) => Values::I32(numbers.map(|n| n as i32).collect()),
        };
        let bits = match (stored.allocated, &colour) {
            (1, _) => 1,
            (_, Colour::WhiteIsZero) => stored.bits,
            (allocated, _) => allocated as u32,
        };
        return Ok(Raw {
            colour,
            ..plain(values, bits)
        });
    };
    if colour != Colour::Plain {
        return Err(
            unsupported(format!("rescaled DICOM pixels of the sort {photometric}"))
                .help("apply the rescaling and save the image as NPY or TIFF"),
        );
    }
    // Whole numbers stay whole, in the smallest type that holds whatever could have been stored.
    let ends = [stored.range().0, stored.range().1].map(|v| v as f64 * slope + intercept);
    let (low, high) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
    let whole = slope.fract() == 0.0 && intercept.fract() == 0.0;
    let scaled = |n: i64| n as f64 * slope + intercept;
    macro_rules! kinds {
        ($($kind:ident $type:ty),*) => {
            $(if whole && low >= f64::from(<$type>::MIN) && high <= f64::from(<$type>::MAX) {
                let values = numbers.map(|n| scaled(n) as $type).collect();
                return Ok(plain(Values::$kind(values), size_of::<$type>() as u32 * 8));
            })*
        };
    }
    kinds!(U8 u8, I8 i8, U16 u16, I16 i16, I32 i32);
    let values = numbers.map(|n| scaled(n) as f32).collect();
    Ok(plain(Values::F32(values), 32))
}

fn stored(data: &Dataset) -> Result<Stored> {
    let allocated = data
        .allocated
        .ok_or_else(|| damaged("the DICOM file does not state BitsAllocated"))?;
    if !matches!(allocated, 1 | 8 | 16 | 32) {
        return Err(unsupported(format!("DICOM pixels of {allocated} bits"))
            .help("save them with 8 or 16 bits"));
    }
    let bits = data.stored.unwrap_or(allocated);
    if bits == 0 || bits > allocated || data.high.is_some_and(|h| h + 1 != bits) {
        return Err(unsupported(format!(
            "DICOM pixels with {bits} of {allocated} bits, the highest at {:?}",
            data.high
        ))
        .help("save them again with whole bytes"));
    }
    Ok(Stored {
        allocated: allocated as usize,
        bits,
        signed: data.representation == Some(1),
    })
}

fn colour<'a>(data: &'a Dataset<'_>, samples: u32, packing: Packing) -> Result<(Colour, &'a str)> {
    let photometric = data.photometric.as_deref().unwrap_or_default();
    let colour = match (photometric, samples) {
        ("MONOCHROME2", 1) => Colour::Plain,
        ("MONOCHROME1", 1) => Colour::WhiteIsZero,
        ("RGB", 3) => Colour::Rgb,
        ("YBR_FULL" | "YBR_FULL_422", 3) if packing == Packing::Jpeg => Colour::Rgb,
        ("MONOCHROME1" | "MONOCHROME2" | "RGB", n) => {
            return Err(damaged(format!(
                "the DICOM file is {photometric} with {n} samples for each pixel"
            )));
        }
        ("", _) => {
            return Err(damaged(
                "the DICOM file does not state PhotometricInterpretation",
            ));
        }
        (other, _) => {
            return Err(unsupported(format!("DICOM pixels of the sort {other}"))
                .help("save them as RGB, MONOCHROME2 or PNG"));
        }
    };
    Ok((colour, photometric))
}
