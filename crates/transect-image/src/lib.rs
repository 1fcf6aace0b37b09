//! Untrusted bytes to pixels with axes, units and limits.
//!
//! Formats are told by their first bytes, never by the name: PNG, JPEG, TIFF and BigTIFF, NPY. Every decoder checks the
//! [`Limits`] before it takes memory, ends in an image or an [`Error`], and reads nothing but the
//! bytes it is given, so the crate builds for `wasm32-unknown-unknown`.
//!
//! What the numbers of an [`Image`] are:
//! - Integers of 8 bits and more are the file's own: a 16-bit file gives 0 to 65,535, also where its camera used 12 bits.
//! - Integers of fewer than 8 bits and booleans are spread over 0 to 255 (1 bit: 0 and 255; 4 bits: multiples of 17).
//! - TIFF files in which 0 is white are turned round, so that a large number is bright; only where they hold unsigned
//!   integers, others are refused.
//! - Palettes become red, green, blue. Alpha is dropped where every pixel is opaque, otherwise it is an error.
//! - No gamma, no colour profile, no orientation tag is applied: pixels lie as they are stored.
//! - NaN and infinite samples are kept; see [`non_finite`].

mod encode;
mod format;
mod jpeg;
pub mod npy;
mod png;
mod raw;
mod tiff;

use transect_core::codes::image as codes;
use transect_core::{Error, Image, LabelImage, Result};

pub use encode::{encode_labels, encode_png, encode_png_rgb};
pub use format::{Format, name_note};

/// Bounds on what a decoder may take in and give out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, bytes.
    pub max_file_bytes: u64,
    /// Largest decoded image, bytes, at four bytes for each sample of each channel.
    pub max_decoded_bytes: u64,
    /// Most rows and most columns.
    pub max_side: u32,
}

impl Default for Limits {
    /// Files of 1 GiB, 2 GiB decoded, 65,536 rows or columns.
    fn default() -> Self {
        Self {
            max_file_bytes: 1 << 30,
            max_decoded_bytes: 1 << 31,
            max_side: 1 << 16,
        }
    }
}

impl Limits {
    /// Checks the shape (channel, plane, row, column) of an image that is about to be decoded and gives the number of
    /// its samples.
    pub(crate) fn check(&self, shape: [u64; 4]) -> Result<usize> {
        let [_, _, rows, columns] = shape;
        if shape.contains(&0) {
            return Err(Error::new(
                &codes::IMAGE_DAMAGED,
                format!(
                    "the image has the size {columns} × {rows} (columns × rows): there is no pixel in it"
                ),
            ));
        }
        let side = rows.max(columns);
        if side > u64::from(self.max_side) {
            return Err(Error::new(
                &codes::IMAGE_LIMITS,
                format!(
                    "the image is {columns} × {rows} pixels (columns × rows); a side may have at most {}",
                    self.max_side
                ),
            )
            .help("cut the image into fields"));
        }
        let count = shape.iter().try_fold(1_u64, |n, &s| n.checked_mul(s));
        match count.and_then(|n| n.checked_mul(4)) {
            Some(bytes) if bytes <= self.max_decoded_bytes => {
                usize::try_from(bytes / 4).map_err(|_| too_much(shape, self))
            }
            _ => Err(too_much(shape, self)),
        }
    }
}

fn too_much(shape: [u64; 4], limits: &Limits) -> Error {
    Error::new(
        &codes::IMAGE_LIMITS,
        format!(
            "the image of shape (channel, plane, row, column) = {shape:?} would take more than {} bytes in memory",
            limits.max_decoded_bytes
        ),
    )
    .help("cut the image into fields, or give fewer channels")
}

/// Decodes an image.
///
/// `name` is used in errors only; the format is told by the bytes. `page` counts from 0 and means the directory of a
/// TIFF; without it the first is read. The image is (channel, plane, row, column); a TIFF's samples per pixel are
/// channels, an NPY array is (row, column), (channel, row, column) or (channel, plane, row, column).
///
/// # Errors
/// `T103` damaged bytes, `T104` a feature that is not supported, `T105` a limit, `T106` no such page, `T107` an unknown
/// format, `T108` transparent pixels, `T109` integers beyond ±2²⁴.
pub fn decode(bytes: &[u8], name: &str, page: Option<u32>, limits: &Limits) -> Result<Image> {
    read(bytes, name, page, limits)
        .and_then(raw::Raw::into_image)
        .map_err(|e| locate(e, bytes, name))
}

/// Decodes a label image: one whole number for each pixel, exactly as stored, up to 2³² − 1. A palette's indices are the
/// labels. Whole numbers in a floating type are accepted.
///
/// # Errors
/// As [`decode`], and `T110` where the file does not hold labels (colours, fractions, negative numbers, JPEG).
pub fn decode_labels(
    bytes: &[u8],
    name: &str,
    page: Option<u32>,
    limits: &Limits,
) -> Result<LabelImage> {
    let labels = || {
        if Format::of(bytes) == Some(Format::Jpeg) {
            return Err(Error::new(
                &codes::LABELS_UNSUPPORTED,
                "a JPEG cannot hold labels: its compression changes values",
            )
            .help("save the labels as PNG or TIFF from the program that made them"));
        }
        read(bytes, name, page, limits)?.into_labels()
    };
    labels().map_err(|e| locate(e, bytes, name))
}

/// How many pages a file has: the directories of a TIFF, 1 for every other format.
///
/// # Errors
/// `T107` an unknown format, `T103` damaged directories.
pub fn pages(bytes: &[u8], name: &str) -> Result<u32> {
    let count = || match known(bytes)? {
        Format::Tiff => tiff::pages(bytes),
        Format::Png | Format::Jpeg | Format::Npy => Ok(1),
    };
    count().map_err(|e| locate(e, bytes, name))
}

/// Stacks images into one along the channels, in the order given. A name of a channel is kept where every image has one
/// for each of its channels; the pixel size is that of the first image that states one. The result is not `rgb`.
///
/// # Errors
/// `T111` when there is no image, or when rows, columns, planes, sample types or stated pixel sizes differ.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the images are used up: a stack of many channels should not be in memory twice for longer than it must"
)]
pub fn stack(images: Vec<Image>) -> Result<Image> {
    let Some(first) = images.first() else {
        return Err(Error::new(
            &codes::IMAGE_STACK,
            "there is no image to stack",
        ));
    };
    let [_, planes, rows, columns] = first.shape();
    let dtype = first.dtype;
    let pixel_size = images.iter().find_map(|i| i.pixel_size);
    let mut channels = 0;
    for (index, image) in images.iter().enumerate() {
        let [c, p, r, k] = image.shape();
        channels += c;
        if [p, r, k] != [planes, rows, columns] {
            return Err(Error::new(
                &codes::IMAGE_STACK,
                format!(
                    "file {} has (plane, row, column) = {:?}, file 1 has {:?}",
                    index + 1,
                    [p, r, k],
                    [planes, rows, columns]
                ),
            ));
        }
        if image.dtype != dtype {
            return Err(Error::new(
                &codes::IMAGE_STACK,
                format!(
                    "file {} holds {}, file 1 holds {}",
                    index + 1,
                    image.dtype.name(),
                    dtype.name()
                ),
            ));
        }
        if image.pixel_size.is_some() && image.pixel_size != pixel_size {
            return Err(Error::new(
                &codes::IMAGE_STACK,
                format!(
                    "file {} states another pixel size than a file before it",
                    index + 1
                ),
            ));
        }
    }
    let mut names = Vec::new();
    if images.iter().all(|i| i.channel_names.len() == i.channels()) {
        names = images
            .iter()
            .flat_map(|i| i.channel_names.iter().cloned())
            .collect();
    }
    let mut samples = Vec::with_capacity(channels * planes * rows * columns);
    for image in &images {
        samples.extend_from_slice(image.samples());
    }
    let mut image = Image::new([channels, planes, rows, columns], samples, dtype)?;
    image.pixel_size = pixel_size;
    image.channel_names = names;
    Ok(image)
}

/// How many samples are NaN or infinite. [`decode`] keeps them; who uses the image must refuse or mask them.
pub fn non_finite(image: &Image) -> usize {
    image.samples().iter().filter(|s| !s.is_finite()).count()
}

fn known(bytes: &[u8]) -> Result<Format> {
    let other_inside = |format: &Format| {
        *format == Format::Tiff && format::other(bytes).is_some() && !tiff::opens(bytes)
    };
    Format::of(bytes)
        .filter(|format| !other_inside(format))
        .ok_or_else(|| {
            let what = format::other(bytes).map_or_else(
                || "the first bytes are of no format that is known here".to_owned(),
                |what| format!("the file looks like {what}"),
            );
            Error::new(&codes::IMAGE_UNKNOWN_FORMAT, what)
                .help("convert it to PNG, TIFF or NPY; JPEG is read too")
        })
}

fn read(bytes: &[u8], name: &str, page: Option<u32>, limits: &Limits) -> Result<raw::Raw> {
    if bytes.len() as u64 > limits.max_file_bytes {
        return Err(Error::new(
            &codes::IMAGE_LIMITS,
            format!(
                "the file has {} bytes; at most {} are read",
                bytes.len(),
                limits.max_file_bytes
            ),
        ));
    }
    let format = known(bytes)?;
    if format != Format::Tiff && page.is_some_and(|p| p > 0) {
        return Err(no_page(page.unwrap_or(0), 1));
    }
    match format {
        Format::Png => png::read(bytes, limits),
        Format::Jpeg => jpeg::read(bytes, limits),
        Format::Tiff => tiff::read(bytes, page.unwrap_or(0), limits),
        Format::Npy => npy::read_raw(bytes, limits),
    }
    .map_err(|e| e.image(name))
}

pub(crate) fn no_page(page: u32, pages: u32) -> Error {
    Error::new(
        &codes::IMAGE_PAGE,
        format!("page {page} was asked for; the file has {pages}, counted from 0"),
    )
}

pub(crate) fn damaged(what: impl Into<String>) -> Error {
    Error::new(&codes::IMAGE_DAMAGED, what)
}

pub(crate) fn unsupported(what: impl Into<String>) -> Error {
    Error::new(&codes::IMAGE_UNSUPPORTED, what)
}

/// Names the image, and says where its name misleads.
fn locate(error: Error, bytes: &[u8], name: &str) -> Error {
    let error = error.image(name);
    match name_note(bytes, name) {
        Some(note) => error.note(note),
        None => error,
    }
}
