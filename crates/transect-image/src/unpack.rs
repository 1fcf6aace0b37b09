//! Compressed bytes to at most as many as are needed: nothing that is packed can ask for more memory than its reader
//! foresaw. What cannot be decoded is left out, and the caller sees that bytes are missing.

use flate2::{Decompress, FlushDecompress, Status};

/// Smallest window that every reader of Zstandard grants, bytes.
const ZSTD_WINDOW: u64 = 8 << 20;

/// Deflate, in a zlib wrapper or bare, up to `need` bytes.
pub(crate) fn inflate(source: &[u8], wrapped: bool, need: usize) -> Vec<u8> {
    let mut out = vec![0; need];
    let mut decoder = Decompress::new(wrapped);
    let mut written = 0;
    while written < need {
        let read = decoder.total_in() as usize;
        let before = (read, written);
        let status =
            decoder.decompress(&source[read..], &mut out[written..], FlushDecompress::None);
        written = decoder.total_out() as usize;
        let stuck = (decoder.total_in() as usize, written) == before;
        if stuck || !matches!(status, Ok(Status::Ok)) {
            break;
        }
    }
    out.truncate(written);
    out
}

/// Bare Deflate of unknown length, or `None` where it is damaged or gives more than `most` bytes.
pub(crate) fn inflate_all(source: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut decoder = Decompress::new(false);
    loop {
        let read = decoder.total_in() as usize;
        if out.len() >= most {
            return None;
        }
        out.reserve((out.len().max(1 << 16)).min(most - out.len()));
        let before = (read, out.len());
        let status = decoder
            .decompress_vec(&source[read..], &mut out, FlushDecompress::None)
            .ok()?;
        if status == Status::StreamEnd {
            return (out.len() <= most).then_some(out);
        }
        if (decoder.total_in() as usize, out.len()) == before {
            return None;
        }
    }
}

/// A gzip member's bytes, up to `need`.
pub(crate) fn gunzip(source: &[u8], need: usize) -> Vec<u8> {
    let body = || {
        let flags = *source.get(3)?;
        if !source.starts_with(&[0x1f, 0x8b, 8]) {
            return None;
        }
        let mut at = 10;
        if flags & 4 != 0 {
            let length = usize::from(*source.get(at)?) | usize::from(*source.get(at + 1)?) << 8;
            at += 2 + length;
        }
        for bit in [8, 16] {
            if flags & bit != 0 {
                at += source.get(at..)?.iter().position(|b| *b == 0)? + 1;
            }
        }
        if flags & 2 != 0 {
            at += 2;
        }
        source.get(at..)
    };
    body().map_or_else(Vec::new, |body| inflate(body, false, need))
}

/// PackBits, up to `need` bytes.
pub(crate) fn packbits(source: &[u8], need: usize, out: &mut Vec<u8>) {
    let mut rest = source;
    while let [head, tail @ ..] = rest {
        if out.len() >= need {
            break;
        }
        let n = head.cast_signed();
        if n >= 0 {
            let length = (usize::from(*head) + 1).min(tail.len());
            out.extend_from_slice(&tail[..length]);
            rest = &tail[length..];
        } else if n == -128 {
            rest = tail;
        } else {
            let Some((value, tail)) = tail.split_first() else {
                break;
            };
            out.resize(out.len() + 1 + usize::from(n.unsigned_abs()), *value);
            rest = tail;
        }
    }
    out.truncate(need);
}

/// Zstandard frames, up to `need` bytes; nothing where they are damaged or hold more.
pub(crate) fn zstd(source: &[u8], need: usize) -> Vec<u8> {
    let mut out = vec![0; need];
    let mut decoder = ruzstd::decoding::FrameDecoder::new();
    decoder.set_max_window_size(ZSTD_WINDOW.max((need as u64).next_power_of_two()));
    let written = decoder.decode_all(source, &mut out).unwrap_or(0);
    out.truncate(written);
    out
}

/// A block of LZ4 without a frame, up to `need` bytes.
pub(crate) fn lz4(source: &[u8], need: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(need);
    let mut at = 0;
    // A length of 15 goes on in further bytes, until one is not 255.
    let length = |at: &mut usize, short: usize| -> Option<usize> {
        let mut length = short;
        if short == 15 {
            loop {
                let byte = *source.get(*at)?;
                *at += 1;
                length += usize::from(byte);
                if byte != 255 || length > need + 15 {
                    break;
                }
            }
        }
        Some(length)
    };
    while let Some(&token) = source.get(at) {
        at += 1;
        let Some(literals) = length(&mut at, usize::from(token >> 4)) else {
            break;
        };
        let Some(bytes) = source.get(at..).and_then(|rest| rest.get(..literals)) else {
            break;
        };
        if out.len() + literals > need {
            break;
        }
        out.extend_from_slice(bytes);
        at += literals;
        let (Some(&low), Some(&high)) = (source.get(at), source.get(at + 1)) else {
            break;
        };
        at += 2;
        let distance = usize::from(low) | usize::from(high) << 8;
        let Some(count) = length(&mut at, usize::from(token & 15)) else {
            break;
        };
        if !copy_back(&mut out, distance, count + 4, need) {
            break;
        }
    }
    out
}

/// Repeats `count` bytes from `distance` before the end. `false` where they are not there or would be too many.
pub(crate) fn copy_back(out: &mut Vec<u8>, distance: usize, count: usize, need: usize) -> bool {
    if distance == 0 || distance > out.len() || out.len() + count > need {
        return false;
    }
    let start = out.len() - distance;
    for i in 0..count {
        out.push(out[start + i]);
    }
    true
}
