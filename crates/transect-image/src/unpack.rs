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
