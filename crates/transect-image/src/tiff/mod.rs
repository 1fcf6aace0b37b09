//! TIFF and BigTIFF: directories, strips and tiles, plain, LZW, Deflate and PackBits.
//!
//! Read by hand and not through a general decoder, because here the exact meaning of extra samples, of packed 12 and 24
//! bit samples and of sizes before memory is taken decides whether a number is right.

mod chunk;
mod directory;
mod meta;

use transect_core::Result;

use self::chunk::Layout;
use self::directory::{Directory, File};
use crate::raw::{Colour, Raw, Values};
use crate::{Limits, damaged, no_page, unsupported};

/// Tags by number, as in the specification.
mod tag {
    pub(super) const WIDTH: u16 = 256;
    pub(super) const LENGTH: u16 = 257;
    pub(super) const BITS: u16 = 258;
    pub(super) const COMPRESSION: u16 = 259;
    pub(super) const PHOTOMETRIC: u16 = 262;
    pub(super) const FILL_ORDER: u16 = 266;
    pub(super) const DESCRIPTION: u16 = 270;
    pub(super) const STRIP_OFFSETS: u16 = 273;
    pub(super) const SAMPLES: u16 = 277;
    pub(super) const ROWS_PER_STRIP: u16 = 278;
    pub(super) const STRIP_COUNTS: u16 = 279;
    pub(super) const X_RESOLUTION: u16 = 282;
    pub(super) const Y_RESOLUTION: u16 = 283;
    pub(super) const PLANAR: u16 = 284;
    pub(super) const RESOLUTION_UNIT: u16 = 296;
    pub(super) const PREDICTOR: u16 = 317;
    pub(super) const COLOR_MAP: u16 = 320;
    pub(super) const TILE_WIDTH: u16 = 322;
    pub(super) const TILE_LENGTH: u16 = 323;
    pub(super) const TILE_OFFSETS: u16 = 324;
    pub(super) const TILE_COUNTS: u16 = 325;
    pub(super) const EXTRA_SAMPLES: u16 = 338;
    pub(super) const SAMPLE_FORMAT: u16 = 339;
}

/// Whether the first directory can be read: some DICOM files begin like a TIFF and are none.
pub(crate) fn opens(bytes: &[u8]) -> bool {
    File::new(bytes).is_ok_and(|file| file.directories().next().is_some_and(|first| first.is_ok()))
}

/// The number of directories in the main chain.
pub(crate) fn pages(bytes: &[u8]) -> Result<u32> {
    let file = File::new(bytes)?;
    let mut count = 0;
    for directory in file.directories() {
        directory?;
        count += 1;
    }
    Ok(count)
}

pub(crate) fn read(bytes: &[u8], page: u32, limits: &Limits) -> Result<Raw> {
    let file = File::new(bytes)?;
    let mut first: Option<Directory> = None;
    let mut count = 0;
    for directory in file.directories() {
        let directory = directory?;
        if count == page {
            return image(
                &file,
                &directory,
                first.as_ref().unwrap_or(&directory),
                limits,
            );
        }
        count += 1;
        first.get_or_insert(directory);
    }
    Err(no_page(page, count))
}

/// What is stored as one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SampleKind {
    Unsigned,
    Signed,
    Float,
}

fn image(file: &File, directory: &Directory, first: &Directory, limits: &Limits) -> Result<Raw> {
    let columns = directory
        .one(file, tag::WIDTH)?
        .ok_or_else(|| damaged("the TIFF directory has no width"))?;
    let rows = directory
        .one(file, tag::LENGTH)?
        .ok_or_else(|| damaged("the TIFF directory has no height"))?;
    let channels = directory.one(file, tag::SAMPLES)?.unwrap_or(1);
    if channels > 65_535 {
        return Err(damaged(format!(
            "the TIFF says {channels} samples per pixel"
        )));
    }
    let count = limits.check([channels, 1, rows, columns])?;
    let (rows, columns, channels) = (rows as usize, columns as usize, channels as usize);

    let bits = same(file, directory, tag::BITS, channels, 1, "bits per sample")?;
    let kind = match same(
        file,
        directory,
        tag::SAMPLE_FORMAT,
        channels,
        1,
        "sample format",
    )? {
        // 4 is "undefined", which the specification reads as unsigned.
        1 | 4 => SampleKind::Unsigned,
        2 => SampleKind::Signed,
        3 => SampleKind::Float,
        5 | 6 => {
            return Err(unsupported("a TIFF of complex numbers")
                .help("save magnitude and phase as separate files"));
        }
        other => {
            return Err(damaged(format!(
                "the TIFF has the unknown sample format {other}"
            )));
        }
    };
    let fits = match kind {
        // Writers disagree on the order of the three bytes of 24-bit samples, and no tag settles it.
        SampleKind::Unsigned => ((1..=32).contains(&bits) && bits != 24) || bits == 64,
        SampleKind::Signed => matches!(bits, 8 | 16 | 32 | 64),
        SampleKind::Float => matches!(bits, 16 | 32 | 64),
    };
    if !fits {
        let what = match kind {
            SampleKind::Unsigned => "unsigned integers",
            SampleKind::Signed => "signed integers",
            SampleKind::Float => "floats",
        };
        return Err(unsupported(format!("a TIFF of {what} with {bits} bits"))
            .help("save it with 8, 16 or 32 bits per sample"));
    }
    if directory.one(file, tag::FILL_ORDER)?.unwrap_or(1) != 1 {
        return Err(unsupported("a TIFF with reversed bits (FillOrder 2)")
            .help("save it again with FillOrder 1"));
    }

    let (colour, own) = photometric(file, directory, bits, channels)?;
    let extra = directory
        .many(file, tag::EXTRA_SAMPLES)?
        .unwrap_or_default();
    if extra.len() > channels {
        return Err(damaged(format!(
            "the TIFF declares {} extra samples among {channels}",
            extra.len()
        )));
    }
    let beyond = channels - extra.len();
    let mut alphas = extra
        .iter()
        .enumerate()
        .filter(|(_, e)| matches!(**e, 1 | 2))
        .map(|(i, _)| beyond + i);
    let alpha = alphas.next();
    if alphas.next().is_some() {
        return Err(unsupported("a TIFF with two alpha channels"));
    }
    let left = channels - usize::from(alpha.is_some());
    if alpha.is_some_and(|a| a < own) {
        return Err(damaged(format!(
            "the TIFF declares {} of {channels} samples as extra, but its colours need {own}",
            extra.len()
        )));
    }
    let colour = match colour {
        // More channels than colours: they are channels, and none is called red.
        Colour::Rgb if left != 3 => Colour::Plain,
        other => other,
    };

    let layout = Layout::new(
        file,
        directory,
        kind,
        bits as u32,
        [channels, rows, columns],
    )?;
    let values = layout.values(file, count, limits)?;
    Ok(Raw {
        shape: [channels, 1, rows, columns],
        values,
        bits: bits as u32,
        colour,
        alpha,
        pixel_size: meta::pixel_size(file, directory, first),
    })
}

/// A tag with one value for each channel, all of which must agree; a single value stands for all.
fn same(
    file: &File,
    directory: &Directory,
    tag: u16,
    channels: usize,
    default: u64,
    what: &str,
) -> Result<u64> {
    let Some(values) = directory.many(file, tag)? else {
        return Ok(default);
    };
    let Some(&value) = values.first() else {
        return Err(damaged(format!("the TIFF has an empty list of {what}")));
    };
    if values.len() != 1 && values.len() < channels {
        return Err(damaged(format!(
            "the TIFF gives {what} for {} of {channels} channels",
            values.len()
        )));
    }
    if values.iter().take(channels).any(|v| *v != value) {
        return Err(unsupported(format!(
            "a TIFF in which {what} differs between channels: {:?}",
            &values[..channels.min(8)]
        ))
        .help("save all channels with one sample type"));
    }
    Ok(value)
}

/// The meaning of the samples, and how many of them belong to it.
fn photometric(
    file: &File,
    directory: &Directory,
    bits: u64,
    channels: usize,
) -> Result<(Colour, usize)> {
    let value = directory.one(file, tag::PHOTOMETRIC)?;
    match value {
        Some(0) => {
            if channels > 1 {
                return Err(
                    unsupported("a TIFF of several channels in which 0 is white")
                        .help("save it with 0 as black (PhotometricInterpretation = 1)"),
                );
            }
            Ok((Colour::WhiteIsZero, 1))
        }
        Some(1) => Ok((Colour::Plain, 1)),
        Some(2) if channels < 3 => Err(damaged(format!(
            "the TIFF is RGB with {channels} samples per pixel"
        ))),
        Some(2) => Ok((Colour::Rgb, 3)),
        Some(3) => {
            let map = directory
                .many(file, tag::COLOR_MAP)?
                .ok_or_else(|| damaged("the TIFF has indices but no colour map"))?;
            let colours = map.len() / 3;
            if bits > 16 || colours != 1 << bits {
                return Err(damaged(format!(
                    "the TIFF has a colour map of {colours} colours for {bits} bits"
                )));
            }
            // Most writers store 8-bit colours times 257, some times 256; the high byte is right for both.
            let byte = |i: usize| (map[i] >> 8) as u8;
            Ok((
                Colour::Palette(
                    (0..colours)
                        .map(|i| [byte(i), byte(colours + i), byte(2 * colours + i), 255])
                        .collect(),
                ),
                1,
            ))
        }
        Some(4) => Err(unsupported(
            "a TIFF that is the transparency mask of another image",
        )),
        Some(5) => Err(unsupported("a TIFF with CMYK colours").help("save it as RGB")),
        Some(6) => Err(unsupported("a TIFF with YCbCr colours").help("save it as RGB")),
        Some(8..=10) => Err(unsupported("a TIFF with CIE L*a*b* colours").help("save it as RGB")),
        Some(32_844 | 32_845) => {
            Err(unsupported("a TIFF with LogL or LogLuv pixels").help("save it as 32-bit floats"))
        }
        Some(32_803) => {
            Err(unsupported("a TIFF with raw sensor mosaic pixels").help("develop it to RGB first"))
        }
        Some(other) => Err(unsupported(format!(
            "a TIFF with the photometric interpretation {other}"
        ))),
        // Without the tag a single channel is read as it stands, as other readers do.
        None if channels == 1 => Ok((Colour::Plain, 1)),
        None => Err(damaged(format!(
            "the TIFF does not say what its {channels} samples per pixel mean (PhotometricInterpretation is missing)"
        ))
        .help("save it again from a program that writes the tag")),
    }
}

/// An empty array of a sample type.
fn zeros(kind: SampleKind, bits: u32, count: usize) -> Values {
    match (kind, bits) {
        (SampleKind::Unsigned, ..=8) => Values::U8(vec![0; count]),
        (SampleKind::Unsigned, 9..=16) => Values::U16(vec![0; count]),
        (SampleKind::Unsigned, 17..=32) => Values::U32(vec![0; count]),
        (SampleKind::Unsigned, _) => Values::U64(vec![0; count]),
        (SampleKind::Signed, ..=8) => Values::I8(vec![0; count]),
        (SampleKind::Signed, 9..=16) => Values::I16(vec![0; count]),
        (SampleKind::Signed, 17..=32) => Values::I32(vec![0; count]),
        (SampleKind::Signed, _) => Values::I64(vec![0; count]),
        (SampleKind::Float, ..=16) => Values::F16(vec![0.0; count]),
        (SampleKind::Float, 17..=32) => Values::F32(vec![0.0; count]),
        (SampleKind::Float, _) => Values::F64(vec![0.0; count]),
    }
}
