//! Strips and tiles to samples.

use transect_core::Result;

use super::directory::{Directory, File};
use super::{SampleKind, tag, zeros};
use crate::raw::Values;
use crate::{Limits, damaged, unpack, unsupported};

/// More bytes than this cannot come out of one compressed byte: a byte of LZW can stand for at most some 2,600, of Deflate
/// for 1,032, of PackBits for 64.
const MOST_PER_BYTE: u64 = 4096;

/// The same for Zstandard, in which three bytes stand for a block of one value.
const MOST_PER_BYTE_ZSTD: u64 = 1 << 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Lzw,
    Deflate,
    PackBits,
    Zstd,
    Jpeg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Predictor {
    None,
    Horizontal,
    Float,
}

/// Where the samples of a page lie and how they are packed.
pub(super) struct Layout {
    kind: SampleKind,
    bits: u32,
    shape: [usize; 3],
    compression: Compression,
    predictor: Predictor,
    /// Whether each channel has chunks of its own.
    planar: bool,
    tiled: bool,
    chunk_rows: usize,
    chunk_columns: usize,
    offsets: Vec<u64>,
    counts: Vec<u64>,
    /// What every JPEG stream of the page needs and does not repeat, without its end marker.
    tables: Vec<u8>,
    /// Whether the colours within a JPEG stay as they are stored.
    as_stored: bool,
}

/// Rows and columns of a page that are read: first row, first column, rows, columns.
pub(super) type Window = [usize; 4];

impl Layout {
    pub(super) fn new(
        file: &File,
        directory: &Directory,
        kind: SampleKind,
        bits: u32,
        shape: [usize; 3],
        ycbcr: bool,
    ) -> Result<Self> {
        let [channels, rows, columns] = shape;
        let compression = match directory.one(file, tag::COMPRESSION)?.unwrap_or(1) {
            1 => Compression::None,
            5 => Compression::Lzw,
            8 | 32_946 => Compression::Deflate,
            32_773 => Compression::PackBits,
            50_000 | 34_926 => Compression::Zstd,
            7 if kind == SampleKind::Unsigned && bits == 8 => Compression::Jpeg,
            7 => {
                return Err(
                    unsupported(format!("a TIFF with JPEG compression of {bits} bits"))
                        .help("save it without compression, or with LZW or Deflate"),
                );
            }
            other => {
                let name = match other {
                    2..=4 => "fax",
                    6 => "old-style JPEG",
                    34_676 | 34_677 => "LogLuv",
                    34_712 | 33_003 | 33_004 | 33_005 => "JPEG 2000",
                    34_887 => "LERC",
                    34_925 => "LZMA",
                    50_001 => "WebP",
                    50_002 => "JPEG XL",
                    _ => "unknown",
                };
                return Err(unsupported(format!(
                    "a TIFF with {name} compression (number {other})"
                ))
                .help("save it without compression, or with LZW or Deflate"));
            }
        };
        let predictor = match directory.one(file, tag::PREDICTOR)?.unwrap_or(1) {
            1 => Predictor::None,
            // A predictor belongs to LZW, Deflate and Zstandard; other writers leave the tag behind.
            2 | 3
                if !matches!(
                    compression,
                    Compression::Lzw | Compression::Deflate | Compression::Zstd
                ) =>
            {
                Predictor::None
            }
            2 if matches!(bits, 8 | 16 | 32 | 64) => Predictor::Horizontal,
            2 => {
                return Err(unsupported(format!(
                    "a TIFF with horizontal differencing of {bits} bits"
                )));
            }
            3 if kind == SampleKind::Float => Predictor::Float,
            3 => return Err(damaged("the TIFF has the predictor for floats on integers")),
            other => return Err(unsupported(format!("a TIFF with the predictor {other}"))),
        };
        let planar = match directory.one(file, tag::PLANAR)?.unwrap_or(1) {
            1 => false,
            2 => channels > 1,
            other => {
                return Err(damaged(format!(
                    "the TIFF has the planar configuration {other}"
                )));
            }
        };
        let tiled = directory.has(tag::TILE_OFFSETS) || directory.has(tag::TILE_WIDTH);
        let (chunk_rows, chunk_columns, offsets, counts) = if tiled {
            let side = |t| {
                directory
                    .one(file, t)?
                    .filter(|v| *v > 0)
                    .ok_or_else(|| damaged("the TIFF's tiles have no size"))
            };
            let (length, width) = (side(tag::TILE_LENGTH)?, side(tag::TILE_WIDTH)?);
            (length, width, tag::TILE_OFFSETS, tag::TILE_COUNTS)
        } else {
            let most = rows as u64;
            let length = directory
                .one(file, tag::ROWS_PER_STRIP)?
                .unwrap_or(most)
                .min(most);
            if length == 0 {
                return Err(damaged("the TIFF's strips have no rows"));
            }
            (
                length,
                columns as u64,
                tag::STRIP_OFFSETS,
                tag::STRIP_COUNTS,
            )
        };
        // Tiles may be larger than the image, but not without bound.
        if chunk_rows > 1 << 20 || chunk_columns > 1 << 20 {
            return Err(damaged(format!(
                "the TIFF has tiles of {chunk_columns} × {chunk_rows} pixels"
            )));
        }
        let (chunk_rows, chunk_columns) = (chunk_rows as usize, chunk_columns as usize);
        let offsets = directory
            .many(file, offsets)?
            .ok_or_else(|| damaged("the TIFF does not say where its pixels are"))?;
        let mut layout = Self {
            kind,
            bits,
            shape,
            compression,
            predictor,
            planar,
            tiled,
            chunk_rows,
            chunk_columns,
            offsets,
            counts: Vec::new(),
            tables: Vec::new(),
            as_stored: !ycbcr,
        };
        if compression == Compression::Jpeg {
            let tables = directory.bytes(file, tag::JPEG_TABLES).unwrap_or_default();
            if let Some(tables) = tables.strip_suffix(&[0xff, 0xd9]) {
                tables.clone_into(&mut layout.tables);
            } else if !tables.is_empty() {
                return Err(damaged("the TIFF's JPEG tables have no end"));
            }
        }
        let per_plane = rows.div_ceil(chunk_rows) * columns.div_ceil(chunk_columns);
        let chunks = per_plane * if planar { channels } else { 1 };
        layout.counts = match directory.many(file, counts)? {
            Some(counts) => counts,
            None if compression == Compression::None => (0..layout.offsets.len().min(chunks))
                .map(|i| layout.chunk_bytes(i % per_plane) as u64)
                .collect(),
            None => {
                return Err(damaged(
                    "the TIFF does not say how long its pixels' bytes are",
                ));
            }
        };
        if layout.offsets.len() < chunks || layout.counts.len() < chunks {
            return Err(damaged(format!(
                "the TIFF needs {chunks} strips or tiles and lists {} offsets and {} lengths",
                layout.offsets.len(),
                layout.counts.len()
            )));
        }
        Ok(layout)
    }

    fn chunks_across(&self) -> usize {
        self.shape[2].div_ceil(self.chunk_columns)
    }

    /// Samples of one pixel within a chunk.
    fn interleaved(&self) -> usize {
        if self.planar { 1 } else { self.shape[0] }
    }

    /// Bytes of one row of a chunk: rows begin on whole bytes.
    fn row_bytes(&self) -> usize {
        (self.chunk_columns * self.interleaved() * self.bits as usize).div_ceil(8)
    }

    /// Rows that are stored in a chunk: a last strip may be short, tiles never are.
    fn stored_rows(&self, index: usize) -> usize {
        if self.tiled {
            self.chunk_rows
        } else {
            self.chunk_rows.min(self.shape[1] - index * self.chunk_rows)
        }
    }

    /// Decoded bytes of a chunk, by its index within its plane.
    fn chunk_bytes(&self, index: usize) -> usize {
        self.row_bytes() * self.stored_rows(index)
    }

    /// The samples of a window, in the order (channel, row, column), `shift` bytes further on than the directory says.
    pub(super) fn values(
        &self,
        file: &File,
        window: Window,
        shift: u64,
        limits: &Limits,
    ) -> Result<Values> {
        let [channels, rows, _] = self.shape;
        let wide = self.row_bytes().checked_mul(self.chunk_rows);
        if wide.is_none_or(|bytes| bytes as u64 > limits.max_decoded_bytes.saturating_mul(2)) {
            return Err(transect_core::Error::new(
                &transect_core::codes::image::IMAGE_LIMITS,
                format!(
                    "a strip or tile of the TIFF would take more than {} bytes",
                    limits.max_decoded_bytes
                ),
            ));
        }
        let per_plane = rows.div_ceil(self.chunk_rows) * self.chunks_across();
        let planes = if self.planar { channels } else { 1 };
        let [top, left, height, width] = window;
        let chunk_rows = top / self.chunk_rows..=(top + height - 1) / self.chunk_rows;
        let chunk_columns = left / self.chunk_columns..=(left + width - 1) / self.chunk_columns;
        let chunks: Vec<(usize, usize)> = (0..planes)
            .flat_map(|plane| {
                let columns = chunk_columns.clone();
                chunk_rows.clone().flat_map(move |r| {
                    columns
                        .clone()
                        .map(move |c| (plane, r * self.chunks_across() + c))
                })
            })
            .collect();
        // What the chunks can hold at most is known before memory is taken for the image.
        for &(plane, index) in &chunks {
            self.source(file, plane * per_plane + index, per_plane, shift)?;
        }
        let mut values = zeros(self.kind, self.bits, channels * height * width);
        let mut buffer = Vec::new();
        for (plane, index) in chunks {
            let source = self.source(file, plane * per_plane + index, per_plane, shift)?;
            let chunk = plane * per_plane + index;
            self.decode(file, source, [chunk, index], limits, &mut buffer)?;
            self.scatter(file.little, plane, index, window, &buffer, &mut values);
        }
        Ok(values)
    }

    /// Whether the page lies in one piece without compression, so that further pages may follow it without directories.
    pub(super) fn in_one_piece(&self) -> bool {
        let mut next = self.offsets.first().copied().unwrap_or(0);
        self.compression == Compression::None
            && !self.tiled
            && self.offsets.iter().enumerate().all(|(i, &offset)| {
                let here = offset == next;
                next = offset.saturating_add(
                    self.chunk_bytes(i % self.shape[1].div_ceil(self.chunk_rows)) as u64,
                );
                here
            })
    }

    /// Bytes of the whole page without compression.
    pub(super) fn page_bytes(&self) -> u64 {
        let planes = if self.planar { self.shape[0] } else { 1 };
        (self.row_bytes() * self.shape[1] * planes) as u64
    }

    fn source<'a>(
        &self,
        file: &File<'a>,
        chunk: usize,
        per_plane: usize,
        shift: u64,
    ) -> Result<&'a [u8]> {
        let (offset, length) = (
            self.offsets[chunk].saturating_add(shift),
            self.counts[chunk],
        );
        if length == 0 {
            return Err(damaged(format!(
                "strip or tile {chunk} of the TIFF is empty"
            )));
        }
        let need = self.chunk_bytes(chunk % per_plane) as u64;
        // Writers state at times more than there is; what counts is what the pixels need.
        let length = if self.compression == Compression::None {
            need
        } else {
            length
        };
        let source = file.slice(offset, length).ok_or_else(|| {
            damaged(format!(
                "strip or tile {chunk} of the TIFF lies outside of the file: {length} bytes at {offset}"
            ))
        })?;
        let most = if self.compression == Compression::Zstd {
            MOST_PER_BYTE_ZSTD
        } else {
            MOST_PER_BYTE
        };
        if need / most > length {
            return Err(damaged(format!(
                "strip or tile {chunk} of the TIFF has {length} bytes, too few for the {need} of its pixels"
            )));
        }
        Ok(source)
    }

    /// The decoded bytes of a chunk, in the byte order of the file, differences undone, packed samples widened.
    fn decode(
        &self,
        file: &File,
        source: &[u8],
        [chunk, index]: [usize; 2],
        limits: &Limits,
        buffer: &mut Vec<u8>,
    ) -> Result<()> {
        let need = self.chunk_bytes(index);
        buffer.clear();
        match self.compression {
            Compression::None => buffer.extend_from_slice(source),
            Compression::Lzw => lzw(source, need, buffer),
            Compression::Deflate => *buffer = unpack::inflate(source, true, need),
            Compression::PackBits => unpack::packbits(source, need, buffer),
            Compression::Zstd => *buffer = unpack::zstd(source, need),
            Compression::Jpeg => {
                *buffer = self
                    .jpeg(source, index, limits)
                    .map_err(|e| e.note(format!("in strip or tile {chunk} of the TIFF")))?;
            }
        }
        if buffer.len() < need {
            return Err(damaged(format!(
                "strip or tile {chunk} of the TIFF holds {} bytes, {need} are needed",
                buffer.len()
            )));
        }
        let samples = self.interleaved();
        match self.predictor {
            Predictor::None => {}
            Predictor::Horizontal => {
                for row in buffer.chunks_exact_mut(self.row_bytes()) {
                    undo_differences(row, self.bits, samples, file.little);
                }
            }
            Predictor::Float => {
                let mut row = vec![0; self.row_bytes()];
                for stored in buffer.chunks_exact_mut(self.row_bytes()) {
                    undo_float(
                        stored,
                        &mut row,
                        self.bits as usize / 8,
                        samples,
                        file.little,
                    );
                }
            }
        }
        if !matches!(self.bits, 8 | 16 | 32 | 64) {
            *buffer = self.widen(buffer, file.little);
        }
        Ok(())
    }

    /// A JPEG stream as the bytes of a chunk.
    fn jpeg(&self, source: &[u8], index: usize, limits: &Limits) -> Result<Vec<u8>> {
        let mut stream = self.tables.clone();
        if stream.is_empty() {
            stream.extend_from_slice(source);
        } else {
            let body = source
                .strip_prefix(&[0xff, 0xd8])
                .ok_or_else(|| damaged("a strip or tile does not begin as a JPEG"))?;
            stream.extend_from_slice(body);
        }
        let decoded = crate::jpeg::decode(&stream, self.as_stored, limits)?;
        let rows = self.stored_rows(index);
        if decoded.channels != self.interleaved()
            || decoded.columns != self.chunk_columns
            || decoded.rows < rows
        {
            return Err(damaged(format!(
                "the JPEG in a strip or tile has {} × {} × {} samples (rows, columns, channels), {rows} × {} × {} are needed",
                decoded.rows,
                decoded.columns,
                decoded.channels,
                self.chunk_columns,
                self.interleaved()
            )));
        }
        let mut bytes = decoded.bytes;
        bytes.truncate(self.chunk_bytes(index));
        Ok(bytes)
    }

    /// Packed samples of a whole chunk in 1, 2 or 4 bytes each, in the byte order of the file.
    fn widen(&self, packed: &[u8], little: bool) -> Vec<u8> {
        let bits = self.bits as usize;
        let size = self.sample_bytes();
        let per_row = self.chunk_columns * self.interleaved();
        let mut wide = Vec::with_capacity(packed.len() / self.row_bytes() * per_row * size);
        for row in packed.chunks_exact(self.row_bytes()) {
            for sample in 0..per_row {
                let mut value = 0_u32;
                for bit in sample * bits..(sample + 1) * bits {
                    value = value << 1 | u32::from(row[bit / 8] >> (7 - bit % 8) & 1);
                }
                let bytes = value.to_be_bytes();
                if little {
                    wide.extend(bytes.iter().rev().take(size));
                } else {
                    wide.extend_from_slice(&bytes[4 - size..]);
                }
            }
        }
        wide
    }

    /// Bytes of one sample after widening.
    fn sample_bytes(&self) -> usize {
        match self.bits {
            ..=8 => 1,
            9..=16 => 2,
            17..=32 => 4,
            _ => 8,
        }
    }

    /// Puts the samples of a chunk where they belong.
    fn scatter(
        &self,
        little: bool,
        plane: usize,
        index: usize,
        window: Window,
        buffer: &[u8],
        values: &mut Values,
    ) {
        let place = Place {
            window,
            top: index / self.chunks_across() * self.chunk_rows,
            left: index % self.chunks_across() * self.chunk_columns,
            layout: self,
            plane,
            buffer,
        };
        macro_rules! put {
            ($values:expr, $type:ty) => {
                if little {
                    place.put($values, |b| <$type>::from_le_bytes(b))
                } else {
                    place.put($values, |b| <$type>::from_be_bytes(b))
                }
            };
        }
        match values {
            Values::U8(v) => put!(v, u8),
            Values::U16(v) => put!(v, u16),
            Values::U32(v) => put!(v, u32),
            Values::U64(v) => put!(v, u64),
            Values::I8(v) => put!(v, i8),
            Values::I16(v) => put!(v, i16),
            Values::I32(v) => put!(v, i32),
            Values::I64(v) => put!(v, i64),
            Values::F16(v) => {
                place.put(v, |b| {
                    crate::npy::half(if little {
                        u16::from_le_bytes(b)
                    } else {
                        u16::from_be_bytes(b)
                    })
                });
            }
            Values::F32(v) => put!(v, f32),
            Values::F64(v) => put!(v, f64),
        }
    }
}

/// Where a chunk goes.
struct Place<'a> {
    layout: &'a Layout,
    plane: usize,
    window: Window,
    top: usize,
    left: usize,
    buffer: &'a [u8],
}

impl Place<'_> {
    fn put<T, const N: usize>(&self, values: &mut [T], read: impl Fn([u8; N]) -> T) {
        let [first_row, first_column, rows, columns] = self.window;
        let samples = self.layout.interleaved();
        let stride = self.layout.chunk_columns * samples * N;
        // What the chunk and the window have in common, counted in the page.
        let left = self.left.max(first_column);
        let right = (self.left + self.layout.chunk_columns).min(first_column + columns);
        for (y, row) in self.buffer.chunks_exact(stride).enumerate() {
            let y = self.top + y;
            if y < first_row || y >= first_row + rows {
                continue;
            }
            for sample in 0..samples {
                let start =
                    ((self.plane + sample) * rows + y - first_row) * columns + left - first_column;
                let pixels = row[((left - self.left) * samples + sample) * N..].chunks(samples * N);
                for (value, pixel) in values[start..start + right - left].iter_mut().zip(pixels) {
                    let mut bytes = [0; N];
                    bytes.copy_from_slice(&pixel[..N]);
                    *value = read(bytes);
                }
            }
        }
    }
}

/// LZW as TIFF has it, up to `need` bytes. What cannot be decoded is left out, and the caller sees that bytes are missing.
fn lzw(source: &[u8], need: usize, out: &mut Vec<u8>) {
    out.resize(need, 0);
    let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
    let (mut read, mut written) = (0, 0);
    while written < need {
        let step = decoder.decode_bytes(&source[read..], &mut out[written..]);
        read += step.consumed_in;
        written += step.consumed_out;
        let ended = !matches!(step.status, Ok(weezl::LzwStatus::Ok));
        if ended || (step.consumed_in == 0 && step.consumed_out == 0) {
            break;
        }
    }
    out.truncate(written);
}

/// Each sample is stored as the difference to the one left of it, in wrapping integers.
fn undo_differences(row: &mut [u8], bits: u32, samples: usize, little: bool) {
    macro_rules! undo {
        ($type:ty) => {{
            const SIZE: usize = size_of::<$type>();
            let at = |row: &[u8], i: usize| {
                let mut bytes = [0; SIZE];
                bytes.copy_from_slice(&row[i * SIZE..(i + 1) * SIZE]);
                if little {
                    <$type>::from_le_bytes(bytes)
                } else {
                    <$type>::from_be_bytes(bytes)
                }
            };
            for i in samples..row.len() / SIZE {
                let value = at(row, i).wrapping_add(at(row, i - samples));
                let bytes = if little {
                    value.to_le_bytes()
                } else {
                    value.to_be_bytes()
                };
                row[i * SIZE..(i + 1) * SIZE].copy_from_slice(&bytes);
            }
        }};
    }
    match bits {
        8 => undo!(u8),
        16 => undo!(u16),
        32 => undo!(u32),
        _ => undo!(u64),
    }
}

/// Floats are stored as their bytes, most significant first, sorted into planes, then byte differences over the row.
fn undo_float(stored: &mut [u8], row: &mut [u8], size: usize, samples: usize, little: bool) {
    for i in samples..stored.len() {
        stored[i] = stored[i].wrapping_add(stored[i - samples]);
    }
    let count = stored.len() / size;
    for i in 0..count {
        for byte in 0..size {
            let to = if little { size - 1 - byte } else { byte };
            row[i * size + to] = stored[byte * count + i];
        }
    }
    stored.copy_from_slice(row);
}
