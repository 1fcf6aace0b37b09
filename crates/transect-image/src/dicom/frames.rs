//! Bytes of pixels, unpacked, and the numbers in them.

use transect_core::Result;

use super::Stored;
use super::dataset::{Pixels, Syntax};
use crate::raw::Values;
use crate::{Limits, damaged, unpack};

fn short(need: usize, have: usize) -> transect_core::Error {
    damaged(format!(
        "the DICOM pixels have {have} bytes, {need} are needed"
    ))
}

/// Uncompressed bytes of all samples.
pub(super) fn plain(pixels: &Pixels, count: usize, allocated: usize) -> Result<Vec<u8>> {
    if !pixels.fragments.is_empty() {
        return Err(damaged(
            "the DICOM file states no compression, and its pixels lie in fragments",
        ));
    }
    let need = (count * allocated).div_ceil(8);
    pixels
        .whole
        .get(..need)
        .map(<[u8]>::to_vec)
        .ok_or_else(|| short(need, pixels.whole.len()))
}

/// Floating samples.
pub(super) fn floats(pixels: &Pixels, syntax: Syntax, count: usize) -> Result<Values> {
    let need = count * pixels.floats as usize;
    let bytes = pixels
        .whole
        .get(..need)
        .ok_or_else(|| short(need, pixels.whole.len()))?;
    macro_rules! all {
        ($type:ty) => {
            bytes
                .chunks_exact(size_of::<$type>())
                .map(|chunk| {
                    let mut b = [0; size_of::<$type>()];
                    b.copy_from_slice(chunk);
                    if syntax.little {
                        <$type>::from_le_bytes(b)
                    } else {
                        <$type>::from_be_bytes(b)
                    }
                })
                .collect()
        };
    }
    Ok(if pixels.floats == 4 {
        Values::F32(all!(f32))
    } else {
        Values::F64(all!(f64))
    })
}

/// The bytes of each frame, from one fragment or several.
fn by_frame(pixels: &Pixels, frames: usize) -> Result<Vec<Vec<u8>>> {
    let all = &pixels.fragments;
    if all.len() == frames {
        return Ok(all.iter().map(|f| f.1.to_vec()).collect());
    }
    if frames == 1 {
        return Ok(vec![all.iter().flat_map(|f| f.1.iter().copied()).collect()]);
    }
    if pixels.offsets.len() != frames || !pixels.offsets.is_sorted() {
        return Err(damaged(format!(
            "the {frames} frames of the DICOM file lie in {} fragments, and its table does not say which belong together",
            all.len()
        )));
    }
    Ok((0..frames)
        .map(|frame| {
            let start = pixels.offsets[frame];
            let end = pixels.offsets.get(frame + 1).copied().unwrap_or(u64::MAX);
            all.iter()
                .filter(|f| f.0 >= start && f.0 < end)
                .flat_map(|f| f.1.iter().copied())
                .collect()
        })
        .collect())
}

/// RLE: for each frame, the bytes of each sample in segments of their own, the highest first. Comes out frame by frame and
/// sample by sample, the low byte first.
pub(super) fn rle(pixels: &Pixels, shape: [usize; 4], allocated: usize) -> Result<Vec<u8>> {
    let [samples, frames, rows, columns] = shape;
    let size = rows * columns;
    let width = allocated / 8;
    if width == 0 {
        return Err(
            crate::unsupported("DICOM pixels of one bit with RLE compression")
                .help("unpack it with dcmtk: dcmdrle IN OUT"),
        );
    }
    let parts = by_frame(pixels, frames)?;
    let word = |bytes: &[u8], i: usize| -> Option<usize> {
        let b = bytes.get(4 * i..4 * i + 4)?;
        Some(u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize)
    };
    // A byte of PackBits stands for at most 64.
    for part in &parts {
        if samples * size * width / 64 > part.len() {
            return Err(short(samples * size * width / 64, part.len()));
        }
    }
    let mut out = vec![0; frames * samples * size * width];
    let mut segment = Vec::new();
    for (frame, part) in parts.iter().enumerate() {
        if word(part, 0) != Some(samples * width) {
            return Err(damaged(format!(
                "a frame of the DICOM file has {:?} segments, {} are needed",
                word(part, 0),
                samples * width
            )));
        }
        for i in 0..samples * width {
            let start = word(part, 1 + i).unwrap_or(usize::MAX);
            let end = if i + 1 < samples * width {
                word(part, 2 + i).unwrap_or(0)
            } else {
                part.len()
            };
            let source = part.get(start..end).ok_or_else(|| {
                damaged("a segment of the DICOM pixels lies outside of its frame")
            })?;
            segment.clear();
            unpack::packbits(source, size, &mut segment);
            if segment.len() < size {
                return Err(short(size, segment.len()));
            }
            let (sample, byte) = (i / width, width - 1 - i % width);
            let place = (frame * samples + sample) * size;
            for (at, value) in segment.iter().enumerate() {
                out[(place + at) * width + byte] = *value;
            }
        }
    }
    Ok(out)
}

/// Baseline JPEG, frame by frame and pixel by pixel.
pub(super) fn jpeg(
    pixels: &Pixels,
    shape: [usize; 4],
    as_stored: bool,
    limits: &Limits,
) -> Result<Vec<u8>> {
    let [samples, frames, rows, columns] = shape;
    let parts = by_frame(pixels, frames)?;
    let mut out = Vec::new();
    for part in parts {
        let decoded = crate::jpeg::decode(&part, as_stored, limits)?;
        if (decoded.rows, decoded.columns, decoded.channels) != (rows, columns, samples) {
            return Err(damaged(format!(
                "a JPEG within the DICOM file has {} × {} × {} samples (rows, columns, channels); the file states {rows} × {columns} × {samples}",
                decoded.rows, decoded.columns, decoded.channels
            )));
        }
        out.extend(decoded.bytes);
    }
    Ok(out)
}

/// The numbers in the order (sample, frame, row, column).
pub(super) fn numbers(
    bytes: &[u8],
    shape: [usize; 4],
    stored: Stored,
    planar: bool,
    little: bool,
) -> impl Iterator<Item = i64> + '_ {
    let [samples, frames, rows, columns] = shape;
    let size = rows * columns;
    let width = stored.allocated / 8;
    let number = move |index: usize| {
        let value = if width == 0 {
            u32::from(bytes[index / 8] >> (index % 8) & 1)
        } else {
            let bytes = &bytes[index * width..(index + 1) * width];
            let add = |n: u32, b: &u8| n << 8 | u32::from(*b);
            if little {
                bytes.iter().rev().fold(0, add)
            } else {
                bytes.iter().fold(0, add)
            }
        };
        stored.number(value)
    };
    (0..samples).flat_map(move |sample| {
        (0..frames).flat_map(move |frame| {
            (0..size).map(move |at| {
                number(if planar {
                    (frame * samples + sample) * size + at
                } else {
                    (frame * size + at) * samples + sample
                })
            })
        })
    })
}
