//! The steps from a chunk's bytes to its samples.

use serde_json::Value;
use transect_core::Result;

use super::blosc;
use crate::{damaged, unpack, unsupported};

/// One step, in the order of writing.
#[derive(Debug, Clone)]
pub(super) enum Codec {
    /// Axes exchanged: the axis of the samples that each stored axis is.
    Transpose(Vec<usize>),
    /// Samples as bytes.
    Bytes {
        little: bool,
    },
    Zlib,
    Gzip,
    Zstd,
    Blosc,
    /// A block of LZ4 behind its length.
    Lz4,
    /// A checksum at the end.
    Crc32c,
    /// Chunks within a chunk, and a table of where they are.
    Shard {
        chunk: Vec<u64>,
        inner: Box<Pipeline>,
        index: Box<Pipeline>,
        index_at_end: bool,
    },
}

/// All steps.
#[derive(Debug, Clone)]
pub(super) struct Pipeline(pub(super) Vec<Codec>);

/// A chunk's samples in little-endian bytes, and how many chunks within it were missing.
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) missing: u64,
}

/// Shards within shards are read this deep.
const DEEPEST: usize = 3;

impl Codec {
    /// A compressor by its name.
    pub(super) fn compressor(name: &str) -> Result<Self> {
        Ok(match name.strip_prefix("numcodecs.").unwrap_or(name) {
            "zlib" => Self::Zlib,
            "gzip" => Self::Gzip,
            "zstd" => Self::Zstd,
            "blosc" => Self::Blosc,
            "lz4" => Self::Lz4,
            "crc32c" if name == "crc32c" => Self::Crc32c,
            _ => {
                return Err(unsupported(format!("a Zarr array with the codec {name:?}"))
                    .help("write the store again with blosc, zstd, gzip or without compression"));
            }
        })
    }
}

impl Pipeline {
    pub(super) fn parse(list: &Value) -> Result<Self> {
        Self::parse_within(list, 0)
    }

    fn parse_within(list: &Value, depth: usize) -> Result<Self> {
        let list = list
            .as_array()
            .ok_or_else(|| damaged("the Zarr array does not list its codecs"))?;
        if depth > DEEPEST || list.len() > 16 {
            return Err(unsupported("a Zarr array with so many codecs")
                .help("write the store again with fewer codecs"));
        }
        list.iter()
            .map(|codec| {
                let name = codec
                    .get("name")
                    .and_then(Value::as_str)
                    .or_else(|| codec.as_str())
                    .unwrap_or_default();
                let none = Value::Null;
                let get = |key: &str| {
                    codec
                        .get("configuration")
                        .and_then(|c| c.get(key))
                        .unwrap_or(&none)
                };
                let numbers = |key: &str| {
                    let list: Option<Vec<u64>> =
                        get(key).as_array()?.iter().map(Value::as_u64).collect();
                    list
                };
                Ok(match name {
                    "bytes" => Codec::Bytes {
                        little: get("endian").as_str() != Some("big"),
                    },
                    "transpose" => Codec::Transpose(
                        numbers("order")
                            .ok_or_else(|| damaged("a transposition without an order"))?
                            .into_iter()
                            .map(|n| n as usize)
                            .collect(),
                    ),
                    "sharding_indexed" => Codec::Shard {
                        chunk: numbers("chunk_shape")
                            .ok_or_else(|| damaged("shards without a shape of chunks"))?,
                        inner: Box::new(Self::parse_within(get("codecs"), depth + 1)?),
                        index: Box::new(Self::parse_within(get("index_codecs"), depth + 1)?),
                        index_at_end: match get("index_location").as_str() {
                            None | Some("end") => true,
                            Some("start") => false,
                            Some(other) => {
                                return Err(damaged(format!("shards with an index at {other:?}")));
                            }
                        },
                    },
                    other => Codec::compressor(other)?,
                })
            })
            .collect::<Result<_>>()
            .map(Self)
    }

    /// Whether the steps make sense for arrays of so many axes: transpositions, then one way to bytes, then at most one
    /// compressor with checksums around it.
    pub(super) fn check(&self, rank: usize) -> Result<()> {
        let mut to_bytes = 0;
        let mut compressors = 0;
        for codec in &self.0 {
            match codec {
                Codec::Transpose(order) => {
                    let mut sorted = order.clone();
                    sorted.sort_unstable();
                    if to_bytes > 0 || !sorted.iter().copied().eq(0..rank) {
                        return Err(damaged(format!(
                            "the Zarr array is transposed by {order:?}"
                        )));
                    }
                }
                Codec::Bytes { .. } => to_bytes += 1,
                Codec::Shard {
                    chunk,
                    inner,
                    index,
                    ..
                } => {
                    to_bytes += 1;
                    if chunk.len() != rank || chunk.contains(&0) {
                        return Err(damaged(format!(
                            "the Zarr array has shards of chunks of {chunk:?}"
                        )));
                    }
                    inner.check(rank)?;
                    index.check(rank + 1)?;
                    if index
                        .0
                        .iter()
                        .any(|c| !matches!(c, Codec::Bytes { .. } | Codec::Crc32c))
                    {
                        return Err(unsupported("Zarr shards with a compressed index")
                            .help("write the store again with the default index"));
                    }
                }
                Codec::Crc32c if to_bytes > 0 => {}
                _ if to_bytes > 0 => compressors += 1,
                _ => to_bytes += 2,
            }
        }
        if to_bytes != 1 {
            return Err(damaged(
                "the codecs of the Zarr array do not lead from samples to bytes",
            ));
        }
        if compressors > 1 {
            return Err(unsupported("a Zarr array that is compressed twice")
                .help("write the store again with one compressor"));
        }
        Ok(())
    }

    /// The samples of a chunk of this shape, `size` bytes each, `need` in all. Of chunks within a shard, those are read that
    /// meet what is `wanted` along each axis, from and up to; the others stay 0.
    pub(super) fn decode(
        &self,
        bytes: &[u8],
        shape: &[u64],
        size: usize,
        fill: Option<&[u8]>,
        need: usize,
        wanted: &[[u64; 2]],
    ) -> Result<Chunk> {
        let steps = &self.0;
        let way = steps
            .iter()
            .position(|c| matches!(c, Codec::Bytes { .. } | Codec::Shard { .. }))
            .ok_or_else(|| damaged("no codec leads to bytes"))?;
        // The shape in which samples are stored, from transpositions.
        let mut stored = shape.to_vec();
        let mut wanted = wanted.to_vec();
        for codec in &steps[..way] {
            if let Codec::Transpose(order) = codec {
                stored = order.iter().map(|&axis| stored[axis]).collect();
                wanted = order.iter().map(|&axis| wanted[axis]).collect();
            }
        }
        let mut data = bytes.to_vec();
        for (at, codec) in steps.iter().enumerate().skip(way + 1).rev() {
            // Checksums that were added before this step.
            let sums = steps[way + 1..at]
                .iter()
                .filter(|c| matches!(c, Codec::Crc32c))
                .count();
            let need = match &steps[way] {
                Codec::Bytes { .. } => need + 4 * sums,
                // How long a shard is, is not known before; twice its samples and its table are more than enough.
                _ => need.saturating_mul(2) + (1 << 20),
            };
            data = match codec {
                Codec::Crc32c => {
                    let (body, sum) = data
                        .split_last_chunk::<4>()
                        .ok_or_else(|| damaged("a chunk is shorter than its checksum"))?;
                    if crc32c(body) != u32::from_le_bytes(*sum) {
                        return Err(damaged(
                            "a chunk's checksum (CRC32C) is not that of its bytes",
                        ));
                    }
                    body.to_vec()
                }
                Codec::Zlib => unpack::inflate(&data, true, need),
                Codec::Gzip => unpack::gunzip(&data, need),
                Codec::Zstd => unpack::zstd(&data, need),
                Codec::Blosc => blosc::unpack(&data, need)?,
                Codec::Lz4 => unpack::lz4(data.get(4..).unwrap_or_default(), need),
                Codec::Transpose(_) | Codec::Bytes { .. } | Codec::Shard { .. } => data,
            };
        }
        let mut chunk = match &steps[way] {
            Codec::Shard {
                chunk,
                inner,
                index,
                index_at_end,
            } => shard(
                &data,
                &stored,
                size,
                fill,
                &wanted,
                chunk,
                inner,
                index,
                *index_at_end,
            )?,
            Codec::Bytes { little } => {
                if data.len() < need {
                    return Err(damaged(format!(
                        "a chunk holds {} bytes, {need} are needed",
                        data.len()
                    )));
                }
                data.truncate(need);
                if !little && size > 1 {
                    data.chunks_exact_mut(size).for_each(<[u8]>::reverse);
                }
                Chunk {
                    bytes: data,
                    missing: 0,
                }
            }
            _ => return Err(damaged("no codec leads to bytes")),
        };
        for codec in steps[..way].iter().rev() {
            if let Codec::Transpose(order) = codec {
                // From the stored shape back to that of the samples.
                let mut before = vec![0; order.len()];
                for (axis, &from) in order.iter().enumerate() {
                    before[from] = stored[axis];
                }
                chunk.bytes = turn(&chunk.bytes, &stored, order, &before, size);
                stored = before;
            }
        }
        Ok(chunk)
    }
}

/// Puts stored samples, whose axis `i` is the axis `order[i]` of the result, into the result's order.
fn turn(bytes: &[u8], stored: &[u64], order: &[usize], shape: &[u64], size: usize) -> Vec<u8> {
    let rank = shape.len();
    let mut strides = vec![1_u64; rank];
    for d in (0..rank.saturating_sub(1)).rev() {
        strides[d] = strides[d + 1] * shape[d + 1];
    }
    let mut out = vec![0; bytes.len()];
    let mut index = vec![0_u64; rank];
    for sample in bytes.chunks_exact(size) {
        let to: u64 = (0..rank).map(|i| index[i] * strides[order[i]]).sum();
        let to = to as usize * size;
        out[to..to + size].copy_from_slice(sample);
        for axis in (0..rank).rev() {
            index[axis] += 1;
            if index[axis] < stored[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    out
}

#[expect(
    clippy::too_many_arguments,
    reason = "the fields of a shard and what is asked of it"
)]
fn shard(
    bytes: &[u8],
    shape: &[u64],
    size: usize,
    fill: Option<&[u8]>,
    wanted: &[[u64; 2]],
    chunk: &[u64],
    inner: &Pipeline,
    index: &Pipeline,
    index_at_end: bool,
) -> Result<Chunk> {
    if shape.iter().zip(chunk).any(|(s, c)| s % c != 0) {
        return Err(damaged(format!(
            "a shard of the shape {shape:?} does not divide into chunks of {chunk:?}"
        )));
    }
    let grid: Vec<u64> = shape.iter().zip(chunk).map(|(s, c)| s / c).collect();
    let count: u64 = grid.iter().product();
    let sums = index
        .0
        .iter()
        .filter(|c| matches!(c, Codec::Crc32c))
        .count();
    let table = (count as usize)
        .checked_mul(16)
        .filter(|t| t + 4 * sums <= bytes.len())
        .ok_or_else(|| damaged("a shard is shorter than its table of chunks"))?;
    let length = table + 4 * sums;
    let place = if index_at_end {
        &bytes[bytes.len() - length..]
    } else {
        &bytes[..length]
    };
    let mut rows = grid.clone();
    rows.push(2);
    let entries = index.decode(place, &rows, 8, None, table, &[])?.bytes;
    let need = chunk.iter().product::<u64>() as usize * size;
    let total = shape.iter().product::<u64>() as usize * size;
    let mut out = Chunk {
        bytes: vec![0; total],
        missing: 0,
    };
    let mut at = vec![0_u64; grid.len()];
    for entry in entries.chunks_exact(16) {
        let word = |b: &[u8]| b.iter().rev().fold(0_u64, |n, b| n << 8 | u64::from(*b));
        let (offset, length) = (word(&entry[..8]), word(&entry[8..]));
        // What is wanted, counted in this chunk.
        let within: Vec<[u64; 2]> = (0..at.len())
            .map(|d| {
                let start = at[d] * chunk[d];
                wanted[d].map(|w| w.saturating_sub(start).min(chunk[d]))
            })
            .collect();
        if within.iter().any(|w| w[0] >= w[1]) {
            step(&mut at, &grid);
            continue;
        }
        let part = if (offset, length) == (u64::MAX, u64::MAX) {
            out.missing += 1;
            None
        } else {
            let source = usize::try_from(offset)
                .ok()
                .and_then(|o| bytes.get(o..)?.get(..usize::try_from(length).ok()?))
                .ok_or_else(|| damaged("a chunk lies outside of its shard"))?;
            let part = inner.decode(source, chunk, size, fill, need, &within)?;
            out.missing += part.missing;
            Some(part.bytes)
        };
        put(
            &mut out.bytes,
            shape,
            &at,
            chunk,
            part.as_deref(),
            fill,
            size,
        );
        step(&mut at, &grid);
    }
    Ok(out)
}

/// The next place of a grid, the last axis fastest.
fn step(at: &mut [u64], grid: &[u64]) {
    for axis in (0..at.len()).rev() {
        at[axis] += 1;
        if at[axis] < grid[axis] {
            break;
        }
        at[axis] = 0;
    }
}

/// Puts a chunk into its place in a shard, row by row; without bytes, the fill value.
fn put(
    out: &mut [u8],
    shape: &[u64],
    at: &[u64],
    chunk: &[u64],
    part: Option<&[u8]>,
    fill: Option<&[u8]>,
    size: usize,
) {
    let rank = shape.len();
    let row = chunk.last().copied().unwrap_or(1) as usize;
    let rows = chunk.iter().product::<u64>() as usize / row.max(1);
    let mut index = vec![0_u64; rank];
    for r in 0..rows {
        let mut to = 0;
        for d in 0..rank {
            to = to * shape[d] + at[d] * chunk[d] + index[d];
        }
        let target = &mut out[to as usize * size..][..row * size];
        match (part, fill) {
            (Some(part), _) => target.copy_from_slice(&part[r * row * size..][..row * size]),
            (None, Some(fill)) => target
                .chunks_exact_mut(size)
                .for_each(|s| s.copy_from_slice(fill)),
            (None, None) => {}
        }
        for axis in (0..rank.saturating_sub(1)).rev() {
            index[axis] += 1;
            if index[axis] < chunk[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
}

/// The Castagnoli checksum.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            let low = sum & 1;
            sum = sum >> 1 ^ if low == 1 { 0x82f6_3b78 } else { 0 };
        }
    }
    !sum
}

#[cfg(test)]
mod tests {
    /// The check value of the polynomial, from RFC 3720.
    #[test]
    fn the_checksum_is_castagnolis() {
        assert_eq!(super::crc32c(b"123456789"), 0xe306_9283);
    }
}
