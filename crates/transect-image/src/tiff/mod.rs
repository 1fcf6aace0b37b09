//! TIFF and BigTIFF: directories, strips and tiles, plain, LZW, Deflate, PackBits, Zstandard and JPEG; OME-TIFF and ImageJ's
//! stacks.
//!
//! Read by hand and not through a general decoder, because here the exact meaning of extra samples, of packed 12 and 24
//! bit samples and of sizes before memory is taken decides whether a number is right.

mod chunk;
mod directory;
mod meta;
mod ome;
mod stack;

use std::borrow::Cow;

use transect_core::codes::image as codes;
use transect_core::{Error, PixelSize, Result};

use self::chunk::Layout;
use self::directory::{Directory, File};
use crate::raw::{Colour, Raw, Values};
use crate::selector::{Region, Selector, one_of};
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
    pub(super) const SUB_DIRECTORIES: u16 = 330;
    pub(super) const JPEG_TABLES: u16 = 347;
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

/// Reads what is selected: a page, or the image that OME-XML, ImageJ's or tifffile's description makes of the pages, or the
/// first page where nothing is said.
pub(crate) fn read(bytes: &[u8], name: &str, selector: &Selector, limits: &Limits) -> Result<Raw> {
    let file = File::new(bytes)?;
    if let Some(page) = selector.page {
        let alone = Selector {
            page: None,
            region: None,
            ..selector.clone()
        };
        if alone != Selector::default() {
            return Err(Error::new(
                &codes::IMAGE_SELECTION,
                format!("a page is selected, and also {}", alone.text()),
            )
            .help("a page is a directory as it stands: select it, or series, time and plane, not both"));
        }
        return one_page(&file, page, selector.region, limits);
    }
    let mut chain = file.directories();
    let first = chain
        .next()
        .ok_or_else(|| damaged("the TIFF has no directory"))??;
    drop(chain);
    let description = first.text(&file, tag::DESCRIPTION).unwrap_or_default();
    let all = || file.directories().collect::<Result<Vec<_>>>();
    if let Some(axis) = selector.pages {
        selector.only(
            "a TIFF whose pages are said to be one image",
            &["pages", "time", "plane", "level"],
        )?;
        let directories = all()?;
        return stack::said(axis, directories.len()).read(&file, &directories, selector, limits);
    }
    if ome::is(&description) {
        selector.only("an OME-TIFF", &["series", "time", "plane", "level"])?;
        let directories = all()?;
        let stacks = ome::stacks(&description, name, &file, &directories)?;
        let series = one_of("series", selector.series, stacks.len())?;
        return stacks[series].read(&file, &directories, selector, limits);
    }
    let found = if description.starts_with("ImageJ=") {
        let directories = all()?;
        let header = Header::of(&file, &first)?;
        let layout = header.layout(&file, &first)?;
        let piece = layout.in_one_piece().then(|| layout.page_bytes());
        stack::imagej(&description, directories.len(), piece)?.map(|s| (s, directories))
    } else if description.starts_with('{') {
        let directories = all()?;
        let facts = stack::Facts::of(&file, &first)?;
        stack::shaped(&description, &facts, directories.len())?.map(|s| (s, directories))
    } else {
        None
    };
    if let Some((stack, directories)) = found {
        selector.only("this TIFF", &["time", "plane", "level"])?;
        return stack.read(&file, &directories, selector, limits);
    }
    selector.only("this TIFF", &["level", "plane"])?;
    one_of("plane", selector.plane.or(Some(0)), 1)?;
    let directory = level(&file, &first, selector.level)?;
    let raw = image(&file, &directory, &first, selector.region, limits)?;
    if selector.level.is_none_or(|l| l == 0) {
        return Ok(raw);
    }
    // The size of a pixel is known of the full size.
    let size = meta::pixel_size(&file, &first, &first);
    Ok(Raw {
        pixel_size: scaled(size, &Header::of(&file, &directory)?, &file, &first),
        ..raw
    })
}

/// One directory as it stands.
fn one_page(file: &File, page: u32, region: Option<Region>, limits: &Limits) -> Result<Raw> {
    let mut first: Option<Directory> = None;
    let mut count = 0;
    for directory in file.directories() {
        let directory = directory?;
        if count == page {
            return image(
                file,
                &directory,
                first.as_ref().unwrap_or(&directory),
                region,
                limits,
            );
        }
        count += 1;
        first.get_or_insert(directory);
    }
    Err(no_page(page, count))
}

/// A step of the pyramid of a page: the page itself, or one of the directories below it.
fn level<'a>(
    file: &File,
    directory: &'a Directory,
    level: Option<u32>,
) -> Result<Cow<'a, Directory>> {
    let Some(level) = level.filter(|l| *l > 0) else {
        return Ok(Cow::Borrowed(directory));
    };
    let below = directory
        .many(file, tag::SUB_DIRECTORIES)?
        .unwrap_or_default();
    let offset = below.get(level as usize - 1).ok_or_else(|| {
        Error::new(
            &codes::IMAGE_SELECTION,
            format!(
                "the level {level} is selected; there are {}, counted from 0",
                below.len() + 1
            ),
        )
    })?;
    file.directory(*offset).map(Cow::Owned)
}

/// The size of a pixel of a step of the pyramid, from that of the full size.
fn scaled(
    size: Option<PixelSize>,
    head: &Header,
    file: &File,
    full: &Directory,
) -> Option<PixelSize> {
    let whole = Header::of(file, full).ok()?;
    size.map(|s| PixelSize {
        row_um: s.row_um * whole.rows as f64 / head.rows as f64,
        column_um: s.column_um * whole.columns as f64 / head.columns as f64,
        plane_um: s.plane_um,
    })
}

/// What is stored as one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SampleKind {
    Unsigned,
    Signed,
    Float,
}

/// What the tags of a directory say of its samples.
pub(crate) struct Header {
    rows: u64,
    columns: u64,
    channels: u64,
    kind: SampleKind,
    bits: u64,
    colour: Colour,
    alpha: Option<usize>,
    /// Whether colours are stored as brightness and two differences.
    ycbcr: bool,
}

fn image(
    file: &File,
    directory: &Directory,
    first: &Directory,
    region: Option<Region>,
    limits: &Limits,
) -> Result<Raw> {
    let head = Header::of(file, directory)?;
    let [_, _, rows, columns] = Region::within(region, head.rows, head.columns)?;
    limits.check([head.channels, 1, rows, columns])?;
    let values = head.values(file, directory, region, 0, limits)?;
    Ok(Raw {
        pixel_size: meta::pixel_size(file, directory, first),
        colour: head.colour,
        alpha: head.alpha,
        ..Raw::plain(
            [head.channels as usize, 1, rows as usize, columns as usize],
            values,
            head.bits as u32,
        )
    })
}

impl Header {
    /// The samples of a region, whose size the caller has checked.
    fn values(
        &self,
        file: &File,
        directory: &Directory,
        region: Option<Region>,
        shift: u64,
        limits: &Limits,
    ) -> Result<Values> {
        let window = Region::within(region, self.rows, self.columns)?;
        self.layout(file, directory)?
            .values(file, window.map(|v| v as usize), shift, limits)
    }

    fn layout(&self, file: &File, directory: &Directory) -> Result<Layout> {
        Layout::new(
            file,
            directory,
            self.kind,
            self.bits as u32,
            [self.channels, self.rows, self.columns].map(|v| v as usize),
            self.ycbcr,
        )
    }

    /// Whether two pages can be parts of one image.
    fn alike(&self, other: &Self) -> bool {
        let all = |h: &Self| (h.rows, h.columns, h.channels, h.kind, h.bits, h.alpha);
        all(self) == all(other) && self.colour == other.colour
    }

    fn of(file: &File, directory: &Directory) -> Result<Self> {
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
        if channels == 0 || rows == 0 || columns == 0 {
            return Err(damaged(format!(
                "the image has the size {columns} × {rows} (columns × rows): there is no pixel in it"
            )));
        }
        if rows > u64::from(u32::MAX) || columns > u64::from(u32::MAX) {
            return Err(crate::limits_exceeded(format!(
                "the image is {columns} × {rows} pixels (columns × rows)"
            )));
        }
        let channels = channels as usize;

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
            // Among files that begin with the low byte, writers disagree on the order of the three bytes of 24-bit samples, and no
            // tag settles it.
            SampleKind::Unsigned => {
                ((1..=32).contains(&bits) && (bits != 24 || !file.little)) || bits == 64
            }
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

        Ok(Self {
            rows,
            columns,
            channels: channels as u64,
            kind,
            bits,
            colour,
            alpha,
            ycbcr: directory.one(file, tag::PHOTOMETRIC)? == Some(6),
        })
    }
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
        // A JPEG stream says itself how its colours are made.
        Some(6) if channels == 3 && directory.one(file, tag::COMPRESSION)? == Some(7) => {
            Ok((Colour::Rgb, 3))
        }
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
