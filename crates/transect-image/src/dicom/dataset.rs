//! Elements of a DICOM data set: those that pixels need, and a way around all others.

use transect_core::Result;

use crate::{damaged, unsupported};

/// How elements are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syntax {
    /// Whether each says its own type.
    pub(super) explicit: bool,
    pub(super) little: bool,
}

/// The bytes of the pixels: in one piece, or in fragments with a table of offsets before them.
#[derive(Debug, Default)]
pub(super) struct Pixels<'a> {
    pub(super) whole: &'a [u8],
    pub(super) offsets: Vec<u64>,
    /// With the offset of each behind the table.
    pub(super) fragments: Vec<(u64, &'a [u8])>,
    /// Bytes of a floating sample, 0 for whole numbers.
    pub(super) floats: u32,
}

/// What pixels need.
#[derive(Debug, Default)]
pub(super) struct Dataset<'a> {
    pub(super) samples: Option<u32>,
    pub(super) photometric: Option<String>,
    pub(super) planar: Option<u32>,
    pub(super) frames: Option<u32>,
    pub(super) rows: Option<u32>,
    pub(super) columns: Option<u32>,
    pub(super) allocated: Option<u32>,
    pub(super) stored: Option<u32>,
    pub(super) high: Option<u32>,
    pub(super) representation: Option<u32>,
    /// Millimetres between rows and between columns.
    pub(super) spacing: Option<[f64; 2]>,
    /// Whether frames are tiles of a larger matrix.
    pub(super) tiled: bool,
    pub(super) pixels: Option<Pixels<'a>>,
    /// Slopes and intercepts that were met, of all frames or of single ones.
    slopes: Vec<f64>,
    intercepts: Vec<f64>,
    table: bool,
}

/// Sequences within sequences are followed this deep.
const DEEPEST: usize = 24;

const UNDEFINED: u32 = u32::MAX;

const ITEM: u32 = 0xfffe_e000;
const ITEM_END: u32 = 0xfffe_e00d;
const SEQUENCE_END: u32 = 0xfffe_e0dd;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    syntax: Syntax,
}

struct Element {
    tag: u32,
    /// `None` where the syntax does not tell types.
    kind: Option<[u8; 2]>,
    length: u32,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(bytes)
    }

    fn number(&mut self, size: usize) -> Option<u32> {
        self.take(size).map(|b| number(b, self.syntax.little))
    }

    fn tag(&mut self) -> Option<u32> {
        Some(self.number(2)? << 16 | self.number(2)?)
    }

    /// The next element's head, or `None` at the end.
    fn element(&mut self) -> Result<Option<Element>> {
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let cut = || damaged("the DICOM data set is cut short");
        let tag = self.tag().ok_or_else(cut)?;
        if tag >> 16 == 0xfffe || !self.syntax.explicit {
            let length = self.number(4).ok_or_else(cut)?;
            return Ok(Some(Element {
                tag,
                kind: None,
                length,
            }));
        }
        let kind = self.take(2).ok_or_else(cut)?;
        let kind = [kind[0], kind[1]];
        if !kind.iter().all(u8::is_ascii_uppercase) {
            return Err(damaged(format!(
                "the DICOM element {tag:08x} has no type that is known"
            )));
        }
        let long = matches!(
            &kind,
            b"OB"
                | b"OW"
                | b"OF"
                | b"OD"
                | b"OL"
                | b"OV"
                | b"SQ"
                | b"UC"
                | b"UN"
                | b"UR"
                | b"UT"
                | b"SV"
                | b"UV"
        );
        let length = if long {
            self.take(2).ok_or_else(cut)?;
            self.number(4).ok_or_else(cut)?
        } else {
            self.number(2).ok_or_else(cut)?
        };
        Ok(Some(Element {
            tag,
            kind: Some(kind),
            length,
        }))
    }
}

fn number(bytes: &[u8], little: bool) -> u32 {
    let add = |n: u32, b: &u8| n << 8 | u32::from(*b);
    if little {
        bytes.iter().rev().fold(0, add)
    } else {
        bytes.iter().fold(0, add)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .trim_matches([' ', '\0'])
        .to_owned()
}

/// Decimal numbers in words, `\` between them.
fn decimals(bytes: &[u8]) -> Option<Vec<f64>> {
    text(bytes)
        .split('\\')
        .map(|t| t.trim().parse().ok().filter(|v: &f64| v.is_finite()))
        .collect()
}

/// The transfer syntax, from the group before the data set, and where the data set begins.
pub(super) fn meta(bytes: &[u8]) -> Result<(String, usize)> {
    let mut reader = Reader {
        bytes,
        at: 0,
        syntax: Syntax {
            explicit: true,
            little: true,
        },
    };
    let mut uid = None;
    loop {
        let start = reader.at;
        let head = reader.bytes.get(start..start + 2);
        if head.is_none_or(|g| g != [2, 0]) {
            let uid = uid.ok_or_else(|| {
                damaged("the DICOM file does not state its transfer syntax: how it is written is not known")
            })?;
            return Ok((uid, start));
        }
        let Some(element) = reader.element()? else {
            continue;
        };
        let value = reader
            .take(element.length as usize)
            .ok_or_else(|| damaged("the DICOM file ends within its head"))?;
        if element.tag == 0x0002_0010 {
            uid = Some(text(value));
        }
    }
}

impl<'a> Dataset<'a> {
    pub(super) fn parse(bytes: &'a [u8], syntax: Syntax) -> Result<Self> {
        let mut data = Self::default();
        let mut reader = Reader {
            bytes,
            at: 0,
            syntax,
        };
        data.walk(&mut reader, &mut Vec::new())?;
        Ok(data)
    }

    /// The rescaling of all frames, where there is one that changes something.
    pub(super) fn rescale(&self) -> Result<Option<(f64, f64)>> {
        if self.table {
            return Err(
                unsupported("DICOM pixels with a table of values (Modality LUT)")
                    .help("apply the table and save the image as NPY or TIFF"),
            );
        }
        let one = |values: &[f64], default: f64| match values {
            [] => Some(default),
            [first, rest @ ..] => rest.iter().all(|v| v == first).then_some(*first),
        };
        match (one(&self.slopes, 1.0), one(&self.intercepts, 0.0)) {
            (Some(slope), Some(intercept)) if (slope, intercept) == (1.0, 0.0) => Ok(None),
            (Some(slope), Some(intercept)) if slope != 0.0 => Ok(Some((slope, intercept))),
            (Some(_), Some(_)) => Err(damaged("the DICOM pixels are rescaled by 0")),
            _ => Err(unsupported("DICOM frames that are rescaled differently")
                .help("apply the rescaling and save the frames as NPY or TIFF")),
        }
    }

    /// Goes over elements until the end, or until the end of an item of undefined length. `path` holds the sequences around.
    fn walk(&mut self, reader: &mut Reader<'a>, path: &mut Vec<u32>) -> Result<()> {
        let cut = || damaged("the DICOM data set is cut short");
        if path.len() > DEEPEST {
            return Err(damaged(format!(
                "the DICOM data set has sequences {DEEPEST} deep"
            )));
        }
        while let Some(element) = reader.element()? {
            let Element { tag, kind, length } = element;
            if matches!(tag, ITEM_END | SEQUENCE_END) {
                return Ok(());
            }
            if tag == 0x7fe0_0010 && length == UNDEFINED && path.is_empty() {
                self.pixels = Some(fragments(reader)?);
                continue;
            }
            // Without types, known sequences and everything of undefined length are followed.
            let followed = matches!(tag, 0x5200_9229 | 0x5200_9230 | 0x0028_9110 | 0x0028_9145);
            if length == UNDEFINED || kind == Some(*b"SQ") || followed && kind.is_none() {
                if tag == 0x0028_3000 {
                    self.table = true;
                }
                path.push(tag);
                self.sequence(reader, path, length, kind == Some(*b"UN"))?;
                path.pop();
                continue;
            }
            if tag == 0x0028_3000 {
                self.table = true;
            }
            let value = reader.take(length as usize).ok_or_else(|| {
                if tag >> 16 == 0x7fe0 {
                    damaged(format!(
                        "the DICOM pixels are cut short: {length} bytes are stated"
                    ))
                } else {
                    cut()
                }
            })?;
            self.keep(tag, value, path, reader.syntax.little)?;
        }
        Ok(())
    }

    fn sequence(
        &mut self,
        reader: &mut Reader<'a>,
        path: &mut Vec<u32>,
        length: u32,
        unknown: bool,
    ) -> Result<()> {
        let cut = || damaged("a DICOM sequence is cut short");
        // What has no known type is written without types.
        let syntax = Syntax {
            explicit: reader.syntax.explicit && !unknown,
            ..reader.syntax
        };
        let end = if length == UNDEFINED {
            reader.bytes.len()
        } else {
            let end = reader.at.checked_add(length as usize);
            end.filter(|e| *e <= reader.bytes.len()).ok_or_else(cut)?
        };
        let mut inner = Reader {
            bytes: &reader.bytes[..end],
            at: reader.at,
            syntax,
        };
        while inner.at < end {
            let tag = inner.tag().ok_or_else(cut)?;
            let size = inner.number(4).ok_or_else(cut)?;
            match tag {
                ITEM if size == UNDEFINED => self.walk(&mut inner, path)?,
                ITEM => {
                    let stop = inner.at.checked_add(size as usize);
                    let stop = stop.filter(|s| *s <= end).ok_or_else(cut)?;
                    let mut item = Reader {
                        bytes: &inner.bytes[..stop],
                        at: inner.at,
                        syntax,
                    };
                    self.walk(&mut item, path)?;
                    inner.at = stop;
                }
                SEQUENCE_END => break,
                _ => return Err(damaged("a DICOM sequence holds something that is no item")),
            }
        }
        reader.at = inner.at;
        Ok(())
    }

    fn keep(&mut self, tag: u32, value: &'a [u8], path: &[u32], little: bool) -> Result<()> {
        // Values of frames stand in groups of functions; anything else within a sequence belongs to something else.
        let of_frames =
            |group: u32| matches!(path, [0x5200_9229 | 0x5200_9230, inner] if *inner == group);
        let top = path.is_empty();
        let short = |bytes: &[u8]| (bytes.len() >= 2).then(|| number(&bytes[..2], little));
        let decimal = || {
            decimals(value)
                .and_then(|v| v.first().copied())
                .ok_or_else(|| damaged(format!("the DICOM element {tag:08x} is not a number")))
        };
        match tag {
            0x0028_0030 if top || of_frames(0x0028_9110) => {
                self.spacing = match decimals(value).as_deref() {
                    Some(&[row, column]) if row > 0.0 && column > 0.0 => Some([row, column]),
                    _ => None,
                };
            }
            0x0028_1052 if top || of_frames(0x0028_9145) => self.intercepts.push(decimal()?),
            0x0028_1053 if top || of_frames(0x0028_9145) => self.slopes.push(decimal()?),
            _ if !top => {}
            0x0028_0002 => self.samples = short(value),
            0x0028_0004 => self.photometric = Some(text(value)),
            0x0028_0006 => self.planar = short(value),
            0x0028_0008 => {
                let frames = decimal()?;
                if !(1.0..=1e6).contains(&frames) || frames.fract() != 0.0 {
                    return Err(damaged(format!("the DICOM file states {frames} frames")));
                }
                self.frames = Some(frames as u32);
            }
            0x0028_0010 => self.rows = short(value),
            0x0028_0011 => self.columns = short(value),
            0x0028_0100 => self.allocated = short(value),
            0x0028_0101 => self.stored = short(value),
            0x0028_0102 => self.high = short(value),
            0x0028_0103 => self.representation = short(value),
            0x0048_0006 => self.tiled = true,
            0x7fe0_0008 | 0x7fe0_0009 | 0x7fe0_0010 => {
                self.pixels = Some(Pixels {
                    whole: value,
                    floats: match tag {
                        0x7fe0_0008 => 4,
                        0x7fe0_0009 => 8,
                        _ => 0,
                    },
                    ..Pixels::default()
                });
            }
            _ => {}
        }
        Ok(())
    }
}

/// Pixels in fragments: the first item is the table of offsets, perhaps empty.
fn fragments<'a>(reader: &mut Reader<'a>) -> Result<Pixels<'a>> {
    let cut = || damaged("the DICOM pixels are cut short");
    let mut pixels = Pixels::default();
    let mut start = None;
    loop {
        let at = reader.at;
        let tag = reader.tag().ok_or_else(cut)?;
        let length = reader.number(4).ok_or_else(cut)?;
        match tag {
            SEQUENCE_END => return Ok(pixels),
            ITEM => {
                let value = reader.take(length as usize).ok_or_else(cut)?;
                if let Some(start) = start {
                    pixels.fragments.push(((at - start) as u64, value));
                } else {
                    pixels.offsets = value
                        .chunks_exact(4)
                        .map(|b| u64::from(number(b, true)))
                        .collect();
                    start = Some(reader.at);
                }
            }
            _ => {
                return Err(damaged(
                    "the DICOM pixels hold something that is no fragment",
                ));
            }
        }
    }
}
