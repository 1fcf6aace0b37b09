//! NumPy's array format, versions 1 to 3: images, labels, and plain tensors of any rank.

use transect_core::codes::image as codes;
use transect_core::{Error, Result};

use crate::raw::{Colour, Raw, Values};
use crate::{Limits, damaged, unsupported};

/// An array of any rank in C order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Lengths of the dimensions; empty for a single number.
    pub shape: Vec<usize>,
    /// Elements, the last dimension fastest.
    pub data: Vec<f32>,
}

/// Reads an array of numbers of any rank. Integers must be within ±2²⁴, booleans become 0 and 1, 64-bit floats are
/// rounded to single precision. Fortran order is turned into C order. A dimension may be 0.
///
/// # Errors
/// `T103` damaged bytes, `T104` a type that is not a number, `T105` a limit (`max_side` does not apply), `T109` integers
/// beyond ±2²⁴.
pub fn read(bytes: &[u8], name: &str, limits: &Limits) -> Result<Tensor> {
    let parse = || {
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
        let header = Header::parse(bytes)?;
        let count = header.count(limits)?;
        let data = single(header.values(bytes, count)?)?;
        let shape: Vec<usize> = header.shape.iter().map(|&s| s as usize).collect();
        let data = if header.fortran {
            turn(&data, &shape)
        } else {
            data
        };
        Ok(Tensor { shape, data })
    };
    parse().map_err(|e| e.image(name))
}

/// Writes an array as little-endian `float32` in C order, version 1.0.
///
/// # Panics
/// Never for a tensor whose data fit its shape; the header of more than some thousand dimensions would not fit.
pub fn write(tensor: &Tensor) -> Vec<u8> {
    let lengths: Vec<String> = tensor.shape.iter().map(ToString::to_string).collect();
    let comma = if lengths.len() == 1 { "," } else { "" };
    let shape = lengths.join(", ") + comma;
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
    // Magic, version and length take ten bytes; data begin at a multiple of 64.
    let padded = (10 + header.len() + 1).div_ceil(64) * 64 - 10;
    header.extend(std::iter::repeat_n(' ', padded - header.len() - 1));
    header.push('\n');
    let length = u16::try_from(header.len())
        .unwrap_or_else(|_| panic!("an array of {} dimensions", tensor.shape.len()));
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(length.to_le_bytes());
    bytes.extend(header.as_bytes());
    for value in &tensor.data {
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

/// What the header says.
struct Header {
    /// Sort of number: `b`, `u`, `i`, `f`.
    kind: u8,
    /// Bytes of a number.
    size: usize,
    little: bool,
    fortran: bool,
    shape: Vec<u64>,
    /// Where the data begin.
    start: usize,
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self> {
        let cut = || damaged("the NPY file ends within its header");
        if !bytes.starts_with(b"\x93NUMPY") {
            return Err(damaged("the file does not begin as an NPY file"));
        }
        let byte = |i: usize| bytes.get(i).copied().ok_or_else(cut);
        let (start, length) = match byte(6)? {
            1 => (
                10_usize,
                usize::from(u16::from_le_bytes([byte(8)?, byte(9)?])),
            ),
            2 | 3 => (
                12,
                u32::from_le_bytes([byte(8)?, byte(9)?, byte(10)?, byte(11)?]) as usize,
            ),
            other => return Err(unsupported(format!("an NPY file of version {other}"))),
        };
        let end = start.checked_add(length).ok_or_else(cut)?;
        let text = std::str::from_utf8(bytes.get(start..end).ok_or_else(cut)?)
            .map_err(|_| damaged("the NPY header is not text"))?;
        let value = |key: &str| -> Result<&str> {
            [format!("'{key}'"), format!("\"{key}\"")]
                .iter()
                .find_map(|quoted| text.split_once(quoted.as_str()))
                .and_then(|(_, rest)| rest.trim_start().strip_prefix(':'))
                .map(str::trim_start)
                .ok_or_else(|| damaged(format!("the NPY header does not have `{key}`")))
        };
        let descr = value("descr")?;
        let quote = descr.chars().next().filter(|q| matches!(q, '\'' | '"'));
        let Some(quote) = quote else {
            return Err(unsupported("an NPY file with named fields")
                .help("save one array of plain numbers"));
        };
        let descr = descr[1..].split(quote).next().unwrap_or_default();
        let (order, number) = match descr.as_bytes().first() {
            Some(b'<' | b'|' | b'=') => (true, &descr[1..]),
            Some(b'>') => (false, &descr[1..]),
            _ => (true, descr),
        };
        let kind = number.bytes().next().unwrap_or(0);
        let size = number
            .get(1..)
            .and_then(|s| s.parse::<usize>().ok())
            .unwrap_or(0);
        let known = matches!(
            (kind, size),
            (b'b', 1) | (b'u' | b'i', 1 | 2 | 4 | 8) | (b'f', 2 | 4 | 8)
        );
        if !known {
            return Err(unsupported(format!("an NPY file of the type {descr:?}"))
                .help("save plain numbers, for example with array.astype('float32')"));
        }
        let fortran = match value("fortran_order")? {
            v if v.starts_with("True") => true,
            v if v.starts_with("False") => false,
            _ => {
                return Err(damaged(
                    "the NPY header does not say in which order the numbers lie",
                ));
            }
        };
        let shape = value("shape")?
            .strip_prefix('(')
            .and_then(|s| s.split_once(')'))
            .ok_or_else(|| damaged("the NPY header has no shape"))?
            .0;
        let shape: Vec<u64> = shape
            .split(',')
            .map(|s| s.trim().trim_end_matches('L'))
            .filter(|s| !s.is_empty())
            .map(|s| {
                s.parse::<u64>()
                    .map_err(|_| damaged(format!("the NPY header has the dimension {s:?}")))
            })
            .collect::<Result<_>>()?;
        if shape.len() > 64 {
            return Err(unsupported(format!(
                "an NPY array of {} dimensions",
                shape.len()
            )));
        }
        Ok(Self {
            kind,
            size,
            little: order,
            fortran,
            shape,
            start: end,
        })
    }

    /// The number of elements, within the limits.
    fn count(&self, limits: &Limits) -> Result<usize> {
        self.shape
            .iter()
            .try_fold(1_u64, |n, &s| n.checked_mul(s))
            .filter(|n| {
                n.checked_mul(4)
                    .is_some_and(|bytes| bytes <= limits.max_decoded_bytes)
            })
            .and_then(|n| usize::try_from(n).ok())
            .ok_or_else(|| {
                Error::new(
                    &codes::IMAGE_LIMITS,
                    format!(
                        "the array of shape {:?} would take more than {} bytes",
                        self.shape, limits.max_decoded_bytes
                    ),
                )
            })
    }

    fn values(&self, bytes: &[u8], count: usize) -> Result<Values> {
        let need = count.saturating_mul(self.size);
        let data = bytes
            .get(self.start..)
            .and_then(|d| d.get(..need))
            .ok_or_else(|| {
                damaged(format!(
                    "the NPY file holds {} bytes of data, {need} are needed",
                    bytes.len() - self.start
                ))
            })?;
        macro_rules! all {
            ($type:ty) => {
                data.chunks_exact(size_of::<$type>())
                    .map(|chunk| {
                        let mut b = [0; size_of::<$type>()];
                        b.copy_from_slice(chunk);
                        if self.little {
                            <$type>::from_le_bytes(b)
                        } else {
                            <$type>::from_be_bytes(b)
                        }
                    })
                    .collect()
            };
        }
        Ok(match (self.kind, self.size) {
            (b'b' | b'u', 1) => Values::U8(data.to_vec()),
            (b'u', 2) => Values::U16(all!(u16)),
            (b'u', 4) => Values::U32(all!(u32)),
            (b'u', _) => Values::U64(all!(u64)),
            (b'i', 1) => Values::I8(all!(i8)),
            (b'i', 2) => Values::I16(all!(i16)),
            (b'i', 4) => Values::I32(all!(i32)),
            (b'i', _) => Values::I64(all!(i64)),
            (b'f', 2) => {
                let halves: Vec<u16> = all!(u16);
                Values::F16(halves.into_iter().map(half).collect())
            }
            (b'f', 4) => Values::F32(all!(f32)),
            _ => Values::F64(all!(f64)),
        })
    }
}

/// Elements in single precision, exactly but for 64-bit floats.
fn single(values: Values) -> Result<Vec<f32>> {
    macro_rules! integers {
        ($values:expr) => {
            $values
                .into_iter()
                .map(|v| {
                    if i128::from(v).unsigned_abs() <= 1 << 24 {
                        Ok(v as f32)
                    } else {
                        Err(Error::new(
                            &codes::IMAGE_INTEGER_RANGE,
                            format!("the array holds the integer {v}; beyond 16777216 single precision is not exact"),
                        ))
                    }
                })
                .collect::<Result<Vec<f32>>>()?
        };
    }
    Ok(match values {
        Values::U8(v) => v.into_iter().map(f32::from).collect(),
        Values::U16(v) => v.into_iter().map(f32::from).collect(),
        Values::I8(v) => v.into_iter().map(f32::from).collect(),
        Values::I16(v) => v.into_iter().map(f32::from).collect(),
        Values::U32(v) => integers!(v),
        Values::U64(v) => integers!(v),
        Values::I32(v) => integers!(v),
        Values::I64(v) => integers!(v),
        Values::F16(v) | Values::F32(v) => v,
        Values::F64(v) => {
            if let Some(v) = v
                .iter()
                .find(|v| v.is_finite() && !(**v as f32).is_finite())
            {
                return Err(unsupported(format!(
                    "the value {v:e} is beyond single precision"
                )));
            }
            v.into_iter().map(|v| v as f32).collect()
        }
    })
}

/// Fortran order to C order.
fn turn<T: Copy>(data: &[T], shape: &[usize]) -> Vec<T> {
    let mut strides = vec![1; shape.len()];
    for i in 1..shape.len() {
        strides[i] = strides[i - 1] * shape[i - 1];
    }
    let mut index = vec![0; shape.len()];
    let mut turned = Vec::with_capacity(data.len());
    for _ in 0..data.len() {
        turned.push(
            data[index
                .iter()
                .zip(&strides)
                .map(|(i, s)| i * s)
                .sum::<usize>()],
        );
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    turned
}

/// An array as an image: (row, column), (channel, row, column) or (channel, plane, row, column).
pub(crate) fn read_raw(bytes: &[u8], limits: &Limits) -> Result<Raw> {
    let header = Header::parse(bytes)?;
    let shape = match header.shape[..] {
        [rows, columns] => [1, 1, rows, columns],
        [channels, rows, columns] => [channels, 1, rows, columns],
        [channels, planes, rows, columns] => [channels, planes, rows, columns],
        _ => {
            return Err(unsupported(format!(
                "an NPY array of shape {:?} as an image",
                header.shape
            ))
            .help(
                "save it as (row, column), (channel, row, column) or (channel, plane, row, column)",
            ));
        }
    };
    let count = limits.check(shape)?;
    let mut values = header.values(bytes, count)?;
    if header.fortran {
        let lengths: Vec<usize> = header.shape.iter().map(|&s| s as usize).collect();
        macro_rules! turned {
            ($($kind:ident),*) => {
                match &mut values { $(Values::$kind(v) => *v = turn(v, &lengths),)* }
            };
        }
        turned!(U8, U16, U32, U64, I8, I16, I32, I64, F16, F32, F64);
    }
    let boolean = header.kind == b'b';
    if let (true, Values::U8(v)) = (boolean, &mut values) {
        for value in v {
            *value = u8::from(*value != 0);
        }
    }
    Ok(Raw {
        shape: shape.map(|s| s as usize),
        values,
        bits: if boolean { 1 } else { header.size as u32 * 8 },
        colour: Colour::Plain,
        alpha: None,
        pixel_size: None,
        channel_names: Vec::new(),
        wavelengths: None,
    })
}

/// A half float in single precision, exactly.
pub(crate) fn half(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10 & 31);
    let fraction = u32::from(bits & 1023);
    match exponent {
        // Subnormal: fraction × 2⁻²⁴, exact in single precision.
        0 => f32::from_bits((fraction as f32 * 2.0_f32.powi(-24)).to_bits() | sign),
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}
