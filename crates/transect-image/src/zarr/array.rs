//! An array of a store: its metadata, and the chunks of a box of it.

use serde_json::Value;
use transect_core::codes::image as codes;
use transect_core::{Error, Result};

use super::codec::{Codec, Pipeline};
use super::{Axis, Role, ome};
use crate::files::{Files, below};
use crate::raw::Values;
use crate::{Limits, damaged, limits_exceeded, unsupported};

/// Most axes.
const MOST_AXES: usize = 8;

/// Most chunks that one image may touch.
const MOST_CHUNKS: u64 = 1 << 22;

/// After so many missing chunks a store is given up, where they are not to be filled.
const MOST_MISSING: u64 = 1 << 12;

/// What a sample is: `b`, `u`, `i`, `f`, and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    letter: u8,
    pub(super) size: usize,
}

/// What is read along an axis, and how far a step along it leads in the result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) step: u64,
}

pub(super) struct Array {
    folder: String,
    pub(super) shape: Vec<u64>,
    chunk: Vec<u64>,
    kind: Kind,
    /// Little-endian bytes, where one is stated.
    fill: Option<Vec<u8>>,
    pipeline: Pipeline,
    /// What a chunk's name begins with, and what stands between its numbers.
    prefix: &'static str,
    separator: char,
    names: Vec<String>,
}

/// Whole numbers of a list.
fn lengths(meta: &Value, what: &str) -> Result<Vec<u64>> {
    meta.as_array()
        .map(|l| l.iter().filter_map(Value::as_u64).collect::<Vec<_>>())
        .filter(|l| Some(l.len()) == meta.as_array().map(Vec::len))
        .ok_or_else(|| {
            damaged(format!(
                "the Zarr array has no {what} that is a list of whole numbers"
            ))
        })
}

fn separator(text: Option<&str>, default: char) -> Result<char> {
    match text {
        None => Ok(default),
        Some("/") => Ok('/'),
        Some(".") => Ok('.'),
        Some(other) => Err(damaged(format!("the Zarr array separates by {other:?}"))),
    }
}

impl Kind {
    /// From NumPy's notation, with whether the low byte comes first.
    fn v2(text: &Value) -> Result<(Self, bool)> {
        let refuse = || {
            unsupported(format!("a Zarr array of the type {text}"))
                .help("save plain numbers, for example with array.astype('float32')")
        };
        let text = text.as_str().ok_or_else(refuse)?;
        let order = text.chars().next().filter(|c| matches!(c, '<' | '>' | '|'));
        let number = &text[order.map_or(0, char::len_utf8)..];
        let letter = number.bytes().next().ok_or_else(refuse)?;
        let size = number
            .get(1..)
            .and_then(|s| s.parse().ok())
            .ok_or_else(refuse)?;
        let kind = Self { letter, size };
        kind.known()
            .then_some((kind, order != Some('>')))
            .ok_or_else(refuse)
    }

    fn v3(text: &Value) -> Result<Self> {
        let name = text.as_str().unwrap_or_default();
        let kind = match name {
            "bool" => Some(Self {
                letter: b'b',
                size: 1,
            }),
            _ => ["uint", "int", "float"].iter().find_map(|prefix| {
                let bits: usize = name.strip_prefix(prefix)?.parse().ok()?;
                Some(Self {
                    letter: prefix.as_bytes()[0],
                    size: bits / 8,
                })
            }),
        };
        kind.filter(|k| k.known()).ok_or_else(|| {
            unsupported(format!("a Zarr array of the type {text}"))
                .help("save plain numbers, for example with array.astype('float32')")
        })
    }

    fn known(self) -> bool {
        matches!(
            (self.letter, self.size),
            (b'b', 1) | (b'u' | b'i', 1 | 2 | 4 | 8) | (b'f', 2 | 4 | 8)
        )
    }

    /// The value that absent chunks hold, in little-endian bytes.
    fn fill(self, value: Option<&Value>) -> Result<Option<Vec<u8>>> {
        let wrong = |v: &Value| damaged(format!("the Zarr array has the fill value {v}"));
        let value = match value {
            None | Some(Value::Null) => return Ok(None),
            Some(value) => value,
        };
        let bytes = match (self.letter, value) {
            (b'b', Value::Bool(b)) => vec![u8::from(*b)],
            (b'f', Value::String(text)) => {
                let number = match text.as_str() {
                    "NaN" => f64::NAN,
                    "Infinity" => f64::INFINITY,
                    "-Infinity" => f64::NEG_INFINITY,
                    hex => {
                        let digits = hex.strip_prefix("0x").ok_or_else(|| wrong(value))?;
                        let bits = u64::from_str_radix(digits, 16).map_err(|_| wrong(value))?;
                        return Ok(Some(bits.to_le_bytes()[..self.size].to_vec()));
                    }
                };
                self.float(number)
            }
            (b'f', _) => self.float(value.as_f64().ok_or_else(|| wrong(value))?),
            (b'u' | b'b', _) => {
                let number = value
                    .as_u64()
                    .or_else(|| whole(value))
                    .ok_or_else(|| wrong(value))?;
                number.to_le_bytes()[..self.size].to_vec()
            }
            _ => {
                let number = value
                    .as_i64()
                    .or_else(|| whole(value).map(u64::cast_signed))
                    .ok_or_else(|| wrong(value))?;
                number.to_le_bytes()[..self.size].to_vec()
            }
        };
        Ok(Some(bytes))
    }

    fn float(self, number: f64) -> Vec<u8> {
        match self.size {
            8 => number.to_le_bytes().to_vec(),
            4 => (number as f32).to_le_bytes().to_vec(),
            // The halves that are used to fill: 0, NaN, infinities; any other is written out as bits by its writer.
            _ => {
                let bits: u16 = if number == 0.0 {
                    0
                } else if number.is_nan() {
                    0x7e00
                } else if number > 0.0 {
                    0x7c00
                } else {
                    0xfc00
                };
                bits.to_le_bytes().to_vec()
            }
        }
    }
}

fn whole(value: &Value) -> Option<u64> {
    let number = value.as_f64()?;
    (number.fract() == 0.0 && (0.0..1e18).contains(&number)).then_some(number as u64)
}

impl Array {
    fn checked(mut self) -> Result<Self> {
        let rank = self.shape.len();
        if rank > MOST_AXES || self.chunk.len() != rank || self.chunk.contains(&0) {
            return Err(damaged(format!(
                "the Zarr array has the shape {:?} in chunks of {:?}",
                self.shape, self.chunk
            )));
        }
        // Chunks may reach beyond the array, but not without bound.
        if self.kind.letter == b'f' && self.kind.size == 2 && self.fill.is_some() {
            let known = [0_u16, 0x7e00, 0x7c00, 0xfc00];
            let bits = self
                .fill
                .as_deref()
                .map(|b| u16::from(b[0]) | u16::from(b[1]) << 8);
            if bits.is_some_and(|b| !known.contains(&b)) {
                self.fill = None;
            }
        }
        self.pipeline.check(rank)?;
        Ok(self)
    }

    pub(super) fn v2(folder: &str, meta: &Value) -> Result<Self> {
        let get = |key: &str| meta.get(key).unwrap_or(&Value::Null);
        let (kind, little) = Kind::v2(get("dtype"))?;
        let shape = lengths(get("shape"), "shape")?;
        if let Some(filter) = get("filters").as_array().and_then(|f| f.first()) {
            return Err(unsupported(format!(
                "a Zarr array with the filter {}",
                filter.get("id").unwrap_or(filter)
            ))
            .help("write the store again without filters"));
        }
        let mut codecs = Vec::new();
        match get("order").as_str() {
            Some("F") => codecs.push(Codec::Transpose((0..shape.len()).rev().collect())),
            Some("C") | None => {}
            Some(other) => return Err(damaged(format!("the Zarr array has the order {other:?}"))),
        }
        codecs.push(Codec::Bytes { little });
        if !get("compressor").is_null() {
            let id = get("compressor").get("id").and_then(Value::as_str);
            codecs.push(Codec::compressor(id.unwrap_or_default())?);
        }
        Self {
            folder: folder.to_owned(),
            chunk: lengths(get("chunks"), "chunks")?,
            fill: kind.fill(meta.get("fill_value"))?,
            kind,
            pipeline: Pipeline(codecs),
            prefix: "",
            separator: separator(get("dimension_separator").as_str(), '.')?,
            names: Vec::new(),
            shape,
        }
        .checked()
    }

    pub(super) fn v3(folder: &str, meta: &Value) -> Result<Self> {
        let get = |key: &str| meta.get(key).unwrap_or(&Value::Null);
        let kind = Kind::v3(get("data_type"))?;
        if get("storage_transformers")
            .as_array()
            .is_some_and(|t| !t.is_empty())
        {
            return Err(unsupported("a Zarr array with storage transformers")
                .help("write the store again without them"));
        }
        let grid = get("chunk_grid");
        if grid.get("name").and_then(Value::as_str) != Some("regular") {
            return Err(
                unsupported("a Zarr array whose chunks are not a regular grid")
                    .help("write the store again with chunks of one shape"),
            );
        }
        let chunk = grid
            .pointer("/configuration/chunk_shape")
            .unwrap_or(&Value::Null);
        let keys = get("chunk_key_encoding");
        let between = keys
            .pointer("/configuration/separator")
            .and_then(Value::as_str);
        let (prefix, separator) = match keys.get("name").and_then(Value::as_str) {
            Some("default") => ("c", separator(between, '/')?),
            Some("v2") => ("", separator(between, '.')?),
            _ => {
                return Err(
                    unsupported("a Zarr array whose chunks are named in another way")
                        .help("write the store again with the default names of chunks"),
                );
            }
        };
        Self {
            folder: folder.to_owned(),
            shape: lengths(get("shape"), "shape")?,
            chunk: lengths(chunk, "chunks")?,
            fill: kind.fill(meta.get("fill_value"))?,
            kind,
            pipeline: Pipeline::parse(get("codecs"))?,
            prefix,
            separator,
            names: get("dimension_names")
                .as_array()
                .map(|n| {
                    n.iter()
                        .map(|n| n.as_str().unwrap_or_default().to_owned())
                        .collect()
                })
                .unwrap_or_default(),
        }
        .checked()
    }

    /// The axes by their names, where all are known, or else by their number as for NPY.
    pub(super) fn axes(&self) -> Result<Vec<Axis>> {
        let named: Option<Vec<Axis>> = self
            .names
            .iter()
            .map(|n| ome::role(n).map(Axis::plain))
            .collect();
        if let Some(named) = named.filter(|n| n.len() == self.shape.len() && !n.is_empty()) {
            return Ok(named);
        }
        let roles: &[Role] = match self.shape.len() {
            2 => &[Role::Row, Role::Column],
            3 => &[Role::Channel, Role::Row, Role::Column],
            4 => &[Role::Channel, Role::Plane, Role::Row, Role::Column],
            rank => {
                return Err(unsupported(format!("a Zarr array of {rank} axes without OME-Zarr's names for them"))
                    .help("save it as OME-Zarr, or as (row, column), (channel, row, column) or (channel, plane, row, column)"));
            }
        };
        Ok(roles.iter().copied().map(Axis::plain).collect())
    }

    fn key(&self, index: &[u64]) -> Option<String> {
        let numbers: Vec<String> = index.iter().map(ToString::to_string).collect();
        let mut name = numbers.join(&self.separator.to_string());
        if !self.prefix.is_empty() {
            name = if name.is_empty() {
                self.prefix.to_owned()
            } else {
                format!("{}{}{name}", self.prefix, self.separator)
            };
        } else if name.is_empty() {
            name.push('0');
        }
        below(&self.folder, &name)
    }

    /// The samples of a box, and the bits of each.
    pub(super) fn read(
        &self,
        files: &dyn Files,
        parts: &[Window],
        count: usize,
        absent_is_fill: bool,
        limits: &Limits,
    ) -> Result<(Values, u32)> {
        let size = self.kind.size;
        let grid: Vec<[u64; 2]> = parts
            .iter()
            .zip(&self.chunk)
            .map(|(p, c)| [p.start / c, (p.start + p.length - 1) / c])
            .collect();
        let chunks = grid
            .iter()
            .try_fold(1_u64, |n, [a, b]| n.checked_mul(b - a + 1))
            .filter(|n| *n <= MOST_CHUNKS)
            .ok_or_else(|| {
                limits_exceeded(format!("the image lies in more than {MOST_CHUNKS} chunks"))
            })?;
        // A chunk may be larger than what is read of it; a whole chunk is unpacked.
        let stored = self
            .chunk
            .iter()
            .try_fold(size as u64, |n, c| n.checked_mul(*c))
            .filter(|n| *n <= limits.max_decoded_bytes.saturating_mul(2))
            .ok_or_else(|| {
                limits_exceeded(format!(
                    "a chunk of the shape {:?} would take more than {} bytes",
                    self.chunk,
                    limits.max_decoded_bytes.saturating_mul(2)
                ))
            })?;
        let mut out = vec![0; count * size];
        let mut missing = 0_u64;
        let fill = self.fill.as_deref();
        let mut index: Vec<u64> = grid.iter().map(|g| g[0]).collect();
        for _ in 0..chunks {
            let key = self
                .key(&index)
                .ok_or_else(|| damaged("a chunk has no path"))?;
            let found = files.read(&key)?;
            let wanted: Vec<[u64; 2]> = parts
                .iter()
                .zip(&self.chunk)
                .zip(&index)
                .map(|((p, c), i)| {
                    [p.start, p.start + p.length].map(|w| w.saturating_sub(i * c).min(*c))
                })
                .collect();
            let bytes = match &found {
                None => None,
                Some(bytes) => {
                    let chunk = self
                        .pipeline
                        .decode(bytes, &self.chunk, size, fill, stored as usize, &wanted)
                        .map_err(|e| e.note(format!("in the chunk {key}")))?;
                    missing += chunk.missing;
                    Some(chunk.bytes)
                }
            };
            missing += u64::from(bytes.is_none());
            if missing > 0 && (!absent_is_fill || fill.is_none()) {
                if missing >= MOST_MISSING {
                    break;
                }
            } else {
                self.place(parts, &index, bytes.as_deref(), &mut out);
            }
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                if index[axis] <= grid[axis][1] {
                    break;
                }
                index[axis] = grid[axis][0];
            }
        }
        if missing > 0 && (!absent_is_fill || fill.is_none()) {
            let how = if missing >= MOST_MISSING {
                "at least "
            } else {
                ""
            };
            let error = Error::new(
                &codes::IMAGE_CHUNKS_MISSING,
                format!("{how}{missing} chunks of the image are not in the store"),
            );
            return Err(if fill.is_none() {
                error.help("the store states no fill value for them: copy it again")
            } else {
                error.help("copy the store again; if it is whole and its writer leaves out chunks that hold only the fill value, say `fill` in a column `image_absent`")
            });
        }
        Ok((self.values(&out)?, self.bits()))
    }

    /// Copies what a chunk and the box have in common; without bytes, the fill value.
    fn place(&self, parts: &[Window], index: &[u64], bytes: Option<&[u8]>, out: &mut [u8]) {
        let size = self.kind.size;
        let rank = parts.len();
        // First and one behind the last, in the array.
        let span: Vec<[u64; 2]> = (0..rank)
            .map(|d| {
                let start = index[d] * self.chunk[d];
                let low = start.max(parts[d].start);
                let high = (start + self.chunk[d]).min(parts[d].start + parts[d].length);
                [low, high]
            })
            .collect();
        if span.iter().any(|s| s[0] >= s[1]) {
            return;
        }
        let mut strides = vec![1_u64; rank];
        for d in (0..rank.saturating_sub(1)).rev() {
            strides[d] = strides[d + 1] * self.chunk[d + 1];
        }
        let mut at: Vec<u64> = span.iter().map(|s| s[0]).collect();
        let last = rank - 1;
        let fill = self.fill.as_deref().unwrap_or_default();
        loop {
            let from: u64 = (0..rank)
                .map(|d| (at[d] - index[d] * self.chunk[d]) * strides[d])
                .sum();
            let to: u64 = (0..rank)
                .map(|d| (at[d] - parts[d].start) * parts[d].step)
                .sum();
            for i in 0..span[last][1] - span[last][0] {
                let to = (to + i * parts[last].step) as usize * size;
                let target = &mut out[to..to + size];
                match bytes {
                    Some(bytes) => {
                        let from = (from + i) as usize * size;
                        target.copy_from_slice(&bytes[from..from + size]);
                    }
                    None => target.copy_from_slice(fill),
                }
            }
            let mut axis = last;
            loop {
                if axis == 0 {
                    return;
                }
                axis -= 1;
                at[axis] += 1;
                if at[axis] < span[axis][1] {
                    break;
                }
                at[axis] = span[axis][0];
            }
        }
    }

    fn bits(&self) -> u32 {
        if self.kind.letter == b'b' {
            1
        } else {
            self.kind.size as u32 * 8
        }
    }

    /// Little-endian bytes as numbers.
    fn values(&self, bytes: &[u8]) -> Result<Values> {
        macro_rules! all {
            ($type:ty) => {
                bytes
                    .chunks_exact(size_of::<$type>())
                    .map(|chunk| {
                        let mut b = [0; size_of::<$type>()];
                        b.copy_from_slice(chunk);
                        <$type>::from_le_bytes(b)
                    })
                    .collect()
            };
        }
        Ok(match (self.kind.letter, self.kind.size) {
            (b'b', _) => Values::U8(bytes.iter().map(|b| u8::from(*b != 0)).collect()),
            (b'u', 1) => Values::U8(bytes.to_vec()),
            (b'u', 2) => Values::U16(all!(u16)),
            (b'u', 4) => Values::U32(all!(u32)),
            (b'u', _) => Values::U64(all!(u64)),
            (b'i', 1) => Values::I8(all!(i8)),
            (b'i', 2) => Values::I16(all!(i16)),
            (b'i', 4) => Values::I32(all!(i32)),
            (b'i', _) => Values::I64(all!(i64)),
            (_, 2) => {
                let halves: Vec<u16> = all!(u16);
                Values::F16(halves.into_iter().map(crate::npy::half).collect())
            }
            (_, 4) => Values::F32(all!(f32)),
            (_, 8) => Values::F64(all!(f64)),
            _ => return Err(damaged("a type that is not known")),
        })
    }
}
