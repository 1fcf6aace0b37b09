//! Untrusted bytes to pixels with axes, units and limits.
//!
//! Formats are told by their first bytes, never by the name: PNG, JPEG, TIFF and BigTIFF, NPY, NPZ, ENVI, DICOM; and Zarr, which
//! is a folder. Every decoder checks the
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

mod dicom;
mod encode;
mod envi;
mod files;
mod format;
mod jpeg;
pub mod npy;
mod npz;
mod png;
mod raw;
mod recipe;
mod selector;
mod tiff;
mod unpack;
mod zarr;

use std::borrow::Cow;

use transect_core::codes::image as codes;
use transect_core::{Error, Image, LabelImage, Result};

pub use encode::{encode_labels, encode_png, encode_png_rgb};
pub use files::Files;
pub use format::{Format, name_note};
pub use recipe::{Recipe, recipe, recipes};
pub use selector::{COLUMNS, PageAxis, Region, Selector};

use files::Lone;

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

/// Decodes an image in one file.
///
/// `name` is used in errors only; the format is told by the bytes. `page` counts from 0 and means the directory of a TIFF.
/// As [`decode_at`] with nothing else selected and no file beside this one.
///
/// # Errors
/// As [`decode_at`].
pub fn decode(bytes: &[u8], name: &str, page: Option<u32>, limits: &Limits) -> Result<Image> {
    decode_at(&Lone { name, bytes }, name, &Selector::page(page), limits)
}

/// Decodes an image: a file among `files`, with a header beside it (ENVI), or a folder of files (Zarr).
///
/// The image is (channel, plane, row, column). A TIFF's samples per pixel are channels; what OME-XML or ImageJ says of
/// channels, planes and times is followed. An array without named axes (NPY, NPZ, Zarr) is (row, column), (channel, row,
/// column) or (channel, plane, row, column). The frames of a DICOM file are planes.
///
/// # Errors
/// `T101` no such file, `T103` damaged bytes, `T104` a feature that is not supported, `T105` a limit, `T106` no such page,
/// `T107` an unknown format, `T108` transparent pixels, `T109` integers beyond ±2²⁴, `T114` no such part, `T115` several images
/// and none selected, `T116` OME-XML that disagrees with its file, `T117` missing chunks.
pub fn decode_at(
    files: &dyn Files,
    path: &str,
    selector: &Selector,
    limits: &Limits,
) -> Result<Image> {
    let (raw, bytes) = read(files, path, selector, limits);
    raw.and_then(raw::Raw::into_image)
        .map_err(|e| locate(e, &bytes, path))
}

/// Decodes a label image: one whole number for each pixel, exactly as stored, up to 2³² − 1. A palette's indices are the
/// labels. Whole numbers in a floating type are accepted.
///
/// # Errors
/// As [`decode_at`], and `T110` where the file does not hold labels (colours, fractions, negative numbers, JPEG).
pub fn decode_labels(
    bytes: &[u8],
    name: &str,
    page: Option<u32>,
    limits: &Limits,
) -> Result<LabelImage> {
    decode_labels_at(&Lone { name, bytes }, name, &Selector::page(page), limits)
}

/// Decodes a label image from where [`decode_at`] finds images.
///
/// # Errors
/// As [`decode_labels`].
pub fn decode_labels_at(
    files: &dyn Files,
    path: &str,
    selector: &Selector,
    limits: &Limits,
) -> Result<LabelImage> {
    let (raw, bytes) = read(files, path, selector, limits);
    let labels = || {
        if Format::of(&bytes) == Some(Format::Jpeg) {
            return Err(Error::new(
                &codes::LABELS_UNSUPPORTED,
                "a JPEG cannot hold labels: its compression changes values",
            )
            .help("save the labels as PNG or TIFF from the program that made them"));
        }
        raw?.into_labels()
    };
    labels().map_err(|e| locate(e, &bytes, path))
}

/// How many pages a file has: the directories of a TIFF, 1 for every other format.
///
/// # Errors
/// `T107` an unknown format, `T103` damaged directories.
pub fn pages(bytes: &[u8], name: &str) -> Result<u32> {
    let count = || match known(bytes, name)? {
        Format::Tiff => tiff::pages(bytes),
        _ => Ok(1),
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

fn known(bytes: &[u8], name: &str) -> Result<Format> {
    let tiff = || matches!(&bytes[..4], b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+");
    match Format::of(bytes) {
        // Some files are both; as a TIFF they say more of their pages.
        Some(Format::Dicom) if tiff() && tiff::opens(bytes) => Ok(Format::Tiff),
        Some(format) => Ok(format),
        None => recipe::unknown(bytes, name),
    }
}

/// What is selected, and the bytes of the file that it is in, for errors.
fn read<'a>(
    files: &'a dyn Files,
    path: &str,
    selector: &Selector,
    limits: &Limits,
) -> (Result<raw::Raw>, Cow<'a, [u8]>) {
    let bytes = match files.read(path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            let store = zarr::read(files, path, selector, limits).and_then(|found| {
                found.ok_or_else(|| {
                    Error::new(
                        &codes::IMAGE_UNREADABLE,
                        "there is no such file and no Zarr store",
                    )
                })
            });
            return (store.map_err(|e| e.image(path)), Cow::Borrowed(&[]));
        }
        Err(error) => return (Err(error), Cow::Borrowed(&[])),
    };
    let raw = read_file(files, path, &bytes, selector, limits);
    (raw.map_err(|e| e.image(path)), bytes)
}

fn read_file(
    files: &dyn Files,
    path: &str,
    bytes: &[u8],
    selector: &Selector,
    limits: &Limits,
) -> Result<raw::Raw> {
    if bytes.len() as u64 > limits.max_file_bytes {
        return Err(limits_exceeded(format!(
            "the file has {} bytes; at most {} are read",
            bytes.len(),
            limits.max_file_bytes
        )));
    }
    if Format::of(bytes).is_none()
        && let Some(header) = envi::header_beside(files, path)?
    {
        selector.only("an ENVI file", &[])?;
        return envi::read_data(bytes, &header, selector, limits);
    }
    let select = |raw: Result<raw::Raw>| raw?.select(selector.plane, selector.region);
    match known(bytes, path)? {
        Format::Png => {
            selector.only("a PNG", &[])?;
            select(png::read(bytes, limits))
        }
        Format::Jpeg => {
            selector.only("a JPEG", &[])?;
            select(jpeg::read(bytes, limits))
        }
        Format::Tiff => tiff::read(bytes, path, selector, limits),
        Format::Npy => {
            selector.only("an NPY file", &["plane"])?;
            select(npy::read_raw(bytes, limits))
        }
        Format::Npz => {
            selector.only("an NPZ file", &["plane", "member"])?;
            select(npz::read(bytes, selector.member.as_deref(), limits))
        }
        Format::Envi => {
            selector.only("an ENVI file", &[])?;
            envi::read_header(files, path, bytes, selector, limits)
        }
        Format::Dicom => {
            selector.only("a DICOM file", &["plane"])?;
            select(dicom::read(bytes, limits))
        }
    }
}

pub(crate) fn limits_exceeded(what: impl Into<String>) -> Error {
    Error::new(&codes::IMAGE_LIMITS, what)
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
    let mut error = error.image(name);
    if error.kind() == transect_core::Kind::Unsupported && error.help.is_none() {
        error = error.help("convert it to PNG, TIFF or NPY");
    }
    match name_note(bytes, name) {
        Some(note) => error.note(note),
        None => error,
    }
}
