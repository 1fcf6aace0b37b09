//! ENVI: a header in words beside a file of bare samples, in the order of bands (BSQ), of lines (BIL) or of pixels (BIP).

use std::collections::BTreeMap;

use transect_core::axis::{SpectralUnit, Wavelengths};
use transect_core::{PixelSize, Result};

use crate::files::Files;
use crate::raw::{Raw, Values};
use crate::selector::{Region, Selector};
use crate::{Limits, damaged, limits_exceeded, unsupported};

/// Endings of data files, after the name of the header without its own.
const ENDINGS: [&str; 12] = [
    "", ".dat", ".img", ".raw", ".bin", ".bsq", ".bil", ".bip", ".cube", ".DAT", ".IMG", ".RAW",
];

/// Longest header, bytes.
const LONGEST: usize = 16 << 20;

/// Whether a file is an ENVI header.
pub(crate) fn is(bytes: &[u8]) -> bool {
    bytes
        .strip_prefix(b"ENVI")
        .is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
}

/// The header that lies beside a file of samples, if any.
pub(crate) fn header_beside(files: &dyn Files, path: &str) -> Result<Option<Vec<u8>>> {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(f, n)| (f, n));
    let (stem, ending) = name
        .rsplit_once('.')
        .map_or((None, ""), |(s, _)| (Some(s), &name[s.len()..]));
    // A header says nothing of whatever else lies beside it.
    if !ENDINGS.iter().any(|e| e.eq_ignore_ascii_case(ending)) {
        return Ok(None);
    }
    for stem in [Some(name), stem].into_iter().flatten() {
        for ending in ["hdr", "HDR"] {
            let Some(header) = crate::files::below(folder, &format!("{stem}.{ending}")) else {
                continue;
            };
            if let Some(bytes) = files.read(&header)?
                && is(&bytes)
            {
                return Ok(Some(bytes.into_owned()));
            }
        }
    }
    Ok(None)
}

/// Reads the cube that a header describes, from the file beside it.
pub(crate) fn read_header(
    files: &dyn Files,
    path: &str,
    header: &[u8],
    selector: &Selector,
    limits: &Limits,
) -> Result<Raw> {
    let header = Header::parse(header)?;
    let stem = path
        .rsplit_once('.')
        .filter(|(_, ending)| ending.eq_ignore_ascii_case("hdr"))
        .map_or(path, |s| s.0);
    let mut short = None;
    for ending in ENDINGS {
        let candidate = format!("{stem}{ending}");
        if candidate == path {
            continue;
        }
        let Some(data) = files.read(&candidate)? else {
            continue;
        };
        match header.read(&data, selector, limits) {
            Err(e) if header.need() != Some(data.len() as u64) => {
                short.get_or_insert(e);
            }
            done => return done,
        }
    }
    Err(short.unwrap_or_else(|| {
        damaged(format!(
            "there is no file of samples beside the ENVI header: neither {stem} nor that name with .dat, .img, .raw, .bsq, .bil or .bip"
        ))
    }))
}

/// Reads a file of samples by the header beside it.
pub(crate) fn read_data(
    data: &[u8],
    header: &[u8],
    selector: &Selector,
    limits: &Limits,
) -> Result<Raw> {
    Header::parse(header)?.read(data, selector, limits)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interleave {
    Bsq,
    Bil,
    Bip,
}

#[derive(Debug, Clone, Copy)]
enum Type {
    U8,
    I16,
    I32,
    F32,
    F64,
    U16,
    U32,
    I64,
    U64,
}

struct Header {
    rows: u64,
    columns: u64,
    bands: u64,
    offset: u64,
    kind: Type,
    interleave: Interleave,
    little: bool,
    ignored: Option<f64>,
    names: Vec<String>,
    wavelengths: Option<Wavelengths>,
    pixel_size: Option<PixelSize>,
}

/// `key = value`, where a value in braces may go over lines.
fn fields(text: &str) -> Result<BTreeMap<String, String>> {
    let mut fields = BTreeMap::new();
    let mut lines = text.lines().skip(1);
    while let Some(line) = lines.next() {
        let line = line.trim();
        let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with(';')) else {
            continue;
        };
        let mut value = value.trim().to_owned();
        if value.starts_with('{') {
            while !value.ends_with('}') {
                let next = lines.next().ok_or_else(|| {
                    damaged(format!(
                        "the ENVI header ends within the braces of `{}`",
                        key.trim()
                    ))
                })?;
                value.push(' ');
                value.push_str(next.trim());
            }
            let inside = value[1..value.len() - 1].trim();
            value = String::from(inside);
        }
        let key = key.split_whitespace().collect::<Vec<_>>().join(" ");
        fields.entry(key.to_ascii_lowercase()).or_insert(value);
    }
    Ok(fields)
}

fn list(text: &str) -> Vec<&str> {
    text.split(',')
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .collect()
}

/// Micrometres of a unit of length on the ground or under the microscope.
fn micrometres(unit: &str) -> Option<f64> {
    match unit.to_ascii_lowercase().as_str() {
        "meters" | "meter" | "metres" | "m" => Some(1e6),
        "millimeters" | "mm" => Some(1e3),
        "micrometers" | "microns" | "um" | "µm" => Some(1.0),
        "nanometers" | "nm" => Some(1e-3),
        _ => None,
    }
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > LONGEST {
            return Err(limits_exceeded(format!(
                "the ENVI header has {} bytes; at most {LONGEST} are read",
                bytes.len()
            )));
        }
        let text = String::from_utf8_lossy(bytes);
        let fields = fields(&text)?;
        let text = |key: &str| {
            fields
                .get(key)
                .map(String::as_str)
                .filter(|v| !v.is_empty())
        };
        let number = |key: &str, default: Option<u64>| -> Result<u64> {
            match (text(key), default) {
                (Some(v), _) => v.parse().map_err(|_| {
                    damaged(format!(
                        "the ENVI header has `{key} = {v}`, not a whole number"
                    ))
                }),
                (None, Some(v)) => Ok(v),
                (None, None) => Err(damaged(format!("the ENVI header does not have `{key}`"))),
            }
        };
        if number("file compression", Some(0))? != 0 {
            return Err(unsupported("an ENVI file with compression").help("save it without"));
        }
        let kind = match number("data type", None)? {
            1 => Type::U8,
            2 => Type::I16,
            3 => Type::I32,
            4 => Type::F32,
            5 => Type::F64,
            12 => Type::U16,
            13 => Type::U32,
            14 => Type::I64,
            15 => Type::U64,
            6 | 9 => {
                return Err(unsupported("an ENVI file of complex numbers")
                    .help("save magnitude and phase as separate files"));
            }
            other => {
                return Err(damaged(format!(
                    "the ENVI header has the data type {other}"
                )));
            }
        };
        if text("file type").is_some_and(|t| t.to_ascii_lowercase().contains("library")) {
            return Err(
                unsupported("an ENVI spectral library, which holds spectra and no image")
                    .help("give images"),
            );
        }
        let bands = number("bands", Some(1))?;
        let interleave = match text("interleave").map(str::to_ascii_lowercase).as_deref() {
            Some("bsq") => Interleave::Bsq,
            Some("bil") => Interleave::Bil,
            Some("bip") => Interleave::Bip,
            None if bands == 1 => Interleave::Bsq,
            None => return Err(damaged("the ENVI header does not have `interleave`")),
            Some(other) => {
                return Err(damaged(format!(
                    "the ENVI header has `interleave = {other}`; it is bsq, bil or bip"
                )));
            }
        };
        let default = matches!(kind, Type::U8).then_some(0);
        let little = match number("byte order", default)? {
            0 => true,
            1 => false,
            other => {
                return Err(damaged(format!(
                    "the ENVI header has `byte order = {other}`"
                )));
            }
        };
        let ignored = text("data ignore value")
            .map(|v| {
                v.parse::<f64>()
                    .map_err(|_| damaged(format!("the ENVI header has `data ignore value = {v}`")))
            })
            .transpose()?;
        let wavelengths = text("wavelength")
            .map(|v| wavelengths(v, text("wavelength units"), bands))
            .transpose()?;
        let mut names: Vec<String> = match &wavelengths {
            Some(w) => w.values.iter().map(ToString::to_string).collect(),
            None => list(text("band names").unwrap_or_default())
                .into_iter()
                .map(str::to_owned)
                .collect(),
        };
        let mut unique = names.clone();
        unique.sort();
        unique.dedup();
        if names.len() as u64 != bands || unique.len() != names.len() {
            names.clear();
        }
        Ok(Self {
            rows: number("lines", None)?,
            columns: number("samples", None)?,
            bands,
            offset: number("header offset", Some(0))?,
            kind,
            interleave,
            little,
            ignored,
            names,
            wavelengths,
            pixel_size: pixel_size(text("pixel size"), text("map info")),
        })
    }

    fn size(&self) -> u64 {
        match self.kind {
            Type::U8 => 1,
            Type::I16 | Type::U16 => 2,
            Type::I32 | Type::U32 | Type::F32 => 4,
            Type::F64 | Type::I64 | Type::U64 => 8,
        }
    }

    /// Bytes that the file of samples must have.
    fn need(&self) -> Option<u64> {
        [self.rows, self.columns, self.bands, self.size()]
            .iter()
            .try_fold(1_u64, |n, s| n.checked_mul(*s))
            .and_then(|n| n.checked_add(self.offset))
    }

    fn read(&self, data: &[u8], selector: &Selector, limits: &Limits) -> Result<Raw> {
        if self.rows == 0 || self.columns == 0 || self.bands == 0 {
            return Err(damaged("the ENVI image has no pixel"));
        }
        let region = Region::within(selector.region, self.rows, self.columns)?;
        let [_, _, rows, columns] = region;
        let count = limits.check([self.bands, 1, rows, columns])?;
        let need = self.need().unwrap_or(u64::MAX);
        if data.len() as u64 != need {
            return Err(damaged(format!(
                "the file of samples has {} bytes; its ENVI header speaks of {need}",
                data.len()
            )));
        }
        let samples = &data[self.offset as usize..];
        let [top, left, rows, columns] = region.map(|v| v as usize);
        let (all_rows, all_columns, bands) = (
            self.rows as usize,
            self.columns as usize,
            self.bands as usize,
        );
        // Where a sample lies, counted in samples.
        let place = |band: usize, row: usize, column: usize| match self.interleave {
            Interleave::Bsq => (band * all_rows + row) * all_columns + column,
            Interleave::Bil => (row * bands + band) * all_columns + column,
            Interleave::Bip => (row * all_columns + column) * bands + band,
        };
        macro_rules! all {
            ($kind:ident, $type:ty) => {{
                const SIZE: usize = size_of::<$type>();
                let mut values: Vec<$type> = Vec::with_capacity(count);
                for band in 0..bands {
                    for row in top..top + rows {
                        for column in left..left + columns {
                            let at = place(band, row, column) * SIZE;
                            let mut b = [0; SIZE];
                            b.copy_from_slice(&samples[at..at + SIZE]);
                            values.push(if self.little {
                                <$type>::from_le_bytes(b)
                            } else {
                                <$type>::from_be_bytes(b)
                            });
                        }
                    }
                }
                let ignored = self.ignored.map_or(0, |ignored| {
                    values.iter().filter(|v| **v as f64 == ignored).count()
                });
                (Values::$kind(values), ignored)
            }};
        }
        let (values, ignored) = match self.kind {
            Type::U8 => all!(U8, u8),
            Type::I16 => all!(I16, i16),
            Type::I32 => all!(I32, i32),
            Type::F32 => all!(F32, f32),
            Type::F64 => all!(F64, f64),
            Type::U16 => all!(U16, u16),
            Type::U32 => all!(U32, u32),
            Type::I64 => all!(I64, i64),
            Type::U64 => all!(U64, u64),
        };
        if ignored > 0 {
            return Err(unsupported(format!(
                "{ignored} of {count} samples hold the `data ignore value` of the ENVI header: they say nothing"
            ))
            .help("choose a region without them, or fill them and take the line out of the header"));
        }
        Ok(Raw {
            pixel_size: self.pixel_size,
            channel_names: self.names.clone(),
            wavelengths: self.wavelengths.clone(),
            ..Raw::plain([bands, 1, rows, columns], values, self.size() as u32 * 8)
        })
    }
}

fn wavelengths(text: &str, unit: Option<&str>, bands: u64) -> Result<Wavelengths> {
    let values: Option<Vec<f64>> = list(text)
        .into_iter()
        .map(|t| t.parse().ok().filter(|v: &f64| v.is_finite()))
        .collect();
    let values =
        values.ok_or_else(|| damaged("the ENVI header has a wavelength that is not a number"))?;
    if values.len() as u64 != bands {
        return Err(damaged(format!(
            "the ENVI header has {} wavelengths for {bands} bands",
            values.len()
        )));
    }
    let unit = match unit.unwrap_or_default().to_ascii_lowercase().as_str() {
        "nanometers" | "nanometer" | "nm" => SpectralUnit::Nanometre,
        "micrometers" | "micrometer" | "microns" | "um" | "µm" => SpectralUnit::Micrometre,
        "wavenumber" | "wavenumbers" | "cm-1" | "1/cm" | "wavenumber (cm-1)" => {
            SpectralUnit::Wavenumber
        }
        _ => SpectralUnit::Unknown,
    };
    Ok(Wavelengths { values, unit })
}

/// From `pixel size = {x, y, units=…}`, or the sixth and seventh entry of `map info`; where on Earth it lies is not read.
fn pixel_size(size: Option<&str>, map: Option<&str>) -> Option<PixelSize> {
    let (text, skip) = size.map(|s| (s, 0)).or(map.map(|m| (m, 5)))?;
    let entries = list(text);
    let unit = entries.iter().find_map(|e| {
        e.to_ascii_lowercase()
            .strip_prefix("units")
            .map(str::to_owned)
    })?;
    let unit = micrometres(unit.trim_start_matches([' ', '=']))?;
    let length = |i: usize| {
        let value: f64 = entries.get(skip + i)?.parse().ok()?;
        Some(value * unit).filter(|v| v.is_finite() && *v > 0.0)
    };
    Some(PixelSize {
        row_um: length(1)?,
        column_um: length(0)?,
        plane_um: None,
    })
}
