//! Blosc 1: blocks of samples, their bytes or bits sorted by place, compressed in one or several streams.

use transect_core::Result;

use crate::unpack;
use crate::{damaged, unsupported};

const BYTE_SHUFFLE: u8 = 1;
const STORED: u8 = 2;
const BIT_SHUFFLE: u8 = 4;
const ONE_STREAM: u8 = 16;

/// Blocks with more bytes to a sample than this, or fewer samples than that, are one stream.
const MOST_STREAMS: usize = 16;
const FEWEST_SAMPLES: usize = 128;

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let b = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize)
}

/// Unpacks to at most `most` bytes.
pub(super) fn unpack(bytes: &[u8], most: usize) -> Result<Vec<u8>> {
    let cut = || damaged("a Blosc chunk is cut short");
    let &[version, _, flags, width, ..] = bytes else {
        return Err(cut());
    };
    if !(1..=2).contains(&version) {
        return Err(unsupported(format!("a chunk of Blosc's format {version}"))
            .help("write the store again with the Blosc of numcodecs, or with zstd"));
    }
    let (total, block, packed) = (
        word(bytes, 4).ok_or_else(cut)?,
        word(bytes, 8).ok_or_else(cut)?,
        word(bytes, 12).ok_or_else(cut)?,
    );
    if total > most {
        return Err(damaged(format!(
            "a Blosc chunk states {total} bytes, where {most} are needed"
        )));
    }
    let bytes = bytes.get(..packed).ok_or_else(cut)?;
    if total == 0 {
        return Ok(Vec::new());
    }
    if flags & STORED != 0 {
        return bytes
            .get(16..16 + total)
            .map(<[u8]>::to_vec)
            .ok_or_else(cut);
    }
    if block == 0 || block > total {
        return Err(damaged(format!(
            "a Blosc chunk has blocks of {block} bytes"
        )));
    }
    let width = usize::from(width).max(1);
    let mut out = Vec::with_capacity(total);
    for i in 0..total.div_ceil(block) {
        let length = block.min(total - i * block);
        let whole = length == block;
        let start = word(bytes, 16 + 4 * i).ok_or_else(cut)?;
        let streams = if flags & ONE_STREAM == 0
            && whole
            && width <= MOST_STREAMS
            && block / width >= FEWEST_SAMPLES
        {
            width
        } else {
            1
        };
        let each = length / streams;
        let mut at = start;
        let mut data = Vec::with_capacity(length);
        for _ in 0..streams {
            let size = word(bytes, at).ok_or_else(cut)?;
            let source = bytes
                .get(at + 4..)
                .and_then(|b| b.get(..size))
                .ok_or_else(cut)?;
            at += 4 + size;
            let part = if size == each {
                source.to_vec()
            } else {
                match flags >> 5 {
                    0 => blosclz(source, each),
                    1 => unpack::lz4(source, each),
                    3 => unpack::inflate(source, true, each),
                    4 => unpack::zstd(source, each),
                    other => {
                        return Err(unsupported(format!(
                            "a Blosc chunk with the compressor {other}"
                        ))
                        .help("write the store again with lz4 or zstd"));
                    }
                }
            };
            if part.len() != each {
                return Err(damaged(format!(
                    "a Blosc stream holds {} bytes, {each} are needed",
                    part.len()
                )));
            }
            data.extend(part);
        }
        // What is left over of a block that does not divide into its streams.
        if data.len() < length {
            return Err(damaged("a Blosc block does not divide into its streams"));
        }
        if flags & BIT_SHUFFLE != 0 {
            bits(&data, width, &mut out);
        } else if flags & BYTE_SHUFFLE != 0 && width > 1 {
            sorted(&data, width, &mut out);
        } else {
            out.extend(data);
        }
    }
    Ok(out)
}

/// All first bytes of samples, then all second ones, and so on; what is left over stands at the end as it was.
fn sorted(data: &[u8], width: usize, out: &mut Vec<u8>) {
    let count = data.len() / width;
    for i in 0..count {
        for byte in 0..width {
            out.push(data[byte * count + i]);
        }
    }
    out.extend_from_slice(&data[count * width..]);
}

/// All first bits, then all second ones; for whole eights of samples, otherwise as it was.
fn bits(data: &[u8], width: usize, out: &mut Vec<u8>) {
    let count = data.len() / width;
    if !count.is_multiple_of(8) {
        out.extend_from_slice(data);
        return;
    }
    for i in 0..count {
        for byte in 0..width {
            let mut value = 0;
            for bit in 0..8 {
                let row = (byte * 8 + bit) * (count / 8);
                value |= (data[row + i / 8] >> (i % 8) & 1) << bit;
            }
            out.push(value);
        }
    }
    out.extend_from_slice(&data[count * width..]);
}

/// Blosc's own compressor: runs of literals, and copies of what came before.
fn blosclz(source: &[u8], need: usize) -> Vec<u8> {
    /// Copies from further than this have a distance of their own.
    const NEAR: usize = 8191;
    let mut out = Vec::with_capacity(need);
    let mut at = 0;
    let mut first = true;
    while let Some(&head) = source.get(at) {
        at += 1;
        // The first is always a run of literals.
        let control = usize::from(if first { head & 31 } else { head });
        first = false;
        if control < 32 {
            let Some(bytes) = source.get(at..at + control + 1) else {
                break;
            };
            if out.len() + bytes.len() > need {
                break;
            }
            out.extend_from_slice(bytes);
            at += control + 1;
            continue;
        }
        let mut length = (control >> 5) + 2;
        let high = control & 31;
        if control >> 5 == 7 {
            while let Some(&more) = source.get(at) {
                at += 1;
                length += usize::from(more);
                if more != 255 || length > need {
                    break;
                }
            }
        }
        let Some(&low) = source.get(at) else {
            break;
        };
        at += 1;
        let mut distance = (high << 8) + usize::from(low);
        if low == 255 && high == 31 {
            let (Some(&a), Some(&b)) = (source.get(at), source.get(at + 1)) else {
                break;
            };
            at += 2;
            distance = NEAR + (usize::from(a) << 8) + usize::from(b);
        }
        if !unpack::copy_back(&mut out, distance + 1, length, need) {
            break;
        }
    }
    out
}
