//! Image file directories.

use std::collections::{BTreeMap, BTreeSet};

use transect_core::Result;

use crate::damaged;

/// A TIFF's bytes with what its header says.
pub(super) struct File<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) little: bool,
    big: bool,
    first: u64,
}

/// Field type and number of values, and where they lie.
#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: u16,
    count: u64,
    offset: u64,
}

/// One directory: one page.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    entries: BTreeMap<u16, Entry>,
    next: u64,
}

/// Most values that a list of numbers may have: more strips than this has no image within the limits.
const MOST_VALUES: u64 = 1 << 24;

impl<'a> File<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self> {
        let little = bytes.starts_with(b"II");
        let mut file = Self {
            bytes,
            little,
            big: false,
            first: 0,
        };
        let short = || damaged("the TIFF ends within its header");
        match file.unsigned(2, 2) {
            Some(42) => file.first = file.unsigned(4, 4).ok_or_else(short)?,
            Some(43) => {
                if file.unsigned(4, 2) != Some(8) {
                    return Err(damaged(
                        "the BigTIFF has offsets of another size than 8 bytes",
                    ));
                }
                file.big = true;
                file.first = file.unsigned(8, 8).ok_or_else(short)?;
            }
            _ => return Err(short()),
        }
        Ok(file)
    }

    /// An unsigned integer of 1, 2, 4 or 8 bytes.
    fn unsigned(&self, offset: u64, size: u64) -> Option<u64> {
        let bytes = self.slice(offset, size)?;
        let mut value = 0;
        for i in 0..bytes.len() {
            let byte = if self.little {
                bytes[bytes.len() - 1 - i]
            } else {
                bytes[i]
            };
            value = value << 8 | u64::from(byte);
        }
        Some(value)
    }

    /// Bytes that lie within the file.
    pub(super) fn slice(&self, offset: u64, size: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(size).ok()?)?;
        self.bytes.get(start..end)
    }

    /// The main chain of directories. Ends after the first error.
    pub(super) fn directories(&self) -> impl Iterator<Item = Result<Directory>> + '_ {
        let mut next = self.first;
        let mut seen = BTreeSet::new();
        let mut started = false;
        std::iter::from_fn(move || {
            if next == 0 {
                if started {
                    return None;
                }
                started = true;
                return Some(Err(damaged("the TIFF has no directory")));
            }
            started = true;
            if !seen.insert(next) {
                next = 0;
                return Some(Err(damaged("the TIFF's directories run in a circle")));
            }
            let directory = self.directory(next);
            next = directory.as_ref().map_or(0, |d| d.next);
            Some(directory)
        })
    }

    /// The directory at a place of the file.
    pub(super) fn directory(&self, offset: u64) -> Result<Directory> {
        let outside = || {
            damaged(format!(
                "the TIFF directory at byte {offset} lies outside of the file or is cut short"
            ))
        };
        let (head, size, word) = if self.big { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.unsigned(offset, head).ok_or_else(outside)?;
        let start = offset.checked_add(head).ok_or_else(outside)?;
        let length = count.checked_mul(size).ok_or_else(outside)?;
        if self.slice(start, length).is_none() {
            return Err(outside());
        }
        let mut entries = BTreeMap::new();
        for i in 0..count {
            let at = start + i * size;
            let read = |offset, size| self.unsigned(offset, size).ok_or_else(outside);
            let (tag, kind, values) = (
                read(at, 2)? as u16,
                read(at + 2, 2)? as u16,
                read(at + 4, word)?,
            );
            // Values that fit stand in the entry itself.
            let here = at + 4 + word;
            let inline = width(kind)
                .and_then(|w| values.checked_mul(w))
                .is_some_and(|bytes| bytes <= word);
            let offset = if inline { here } else { read(here, word)? };
            entries.entry(tag).or_insert(Entry {
                kind,
                count: values,
                offset,
            });
        }
        // A file cut right behind its last entry has no next directory; many writers' last ones are such.
        let next = self.unsigned(start + length, word).unwrap_or(0);
        Ok(Directory { entries, next })
    }
}

/// Bytes of one value of a field type.
fn width(kind: u16) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16 | 17 | 18 => Some(8),
        _ => None,
    }
}

impl Directory {
    /// The unsigned integers of a tag; `None` where the directory does not have it.
    pub(super) fn many(&self, file: &File, tag: u16) -> Result<Option<Vec<u64>>> {
        let Some(entry) = self.entries.get(&tag) else {
            return Ok(None);
        };
        let size = match entry.kind {
            1 | 7 => 1,
            3 => 2,
            4 | 13 => 4,
            16 | 18 => 8,
            _ => {
                return Err(damaged(format!(
                    "the TIFF tag {tag} has the field type {}, not an unsigned integer",
                    entry.kind
                )));
            }
        };
        if entry.count > MOST_VALUES
            || entry
                .count
                .checked_mul(size)
                .and_then(|n| file.slice(entry.offset, n))
                .is_none()
        {
            return Err(damaged(format!(
                "the {} values of the TIFF tag {tag} lie outside of the file",
                entry.count
            )));
        }
        Ok((0..entry.count)
            .map(|i| file.unsigned(entry.offset + i * size, size))
            .collect())
    }

    /// The first unsigned integer of a tag.
    pub(super) fn one(&self, file: &File, tag: u16) -> Result<Option<u64>> {
        match self.many(file, tag)? {
            None => Ok(None),
            Some(values) => values
                .first()
                .copied()
                .map(Some)
                .ok_or_else(|| damaged(format!("the TIFF tag {tag} has no value"))),
        }
    }

    /// A rational number.
    pub(super) fn rational(&self, file: &File, tag: u16) -> Option<f64> {
        let entry = self
            .entries
            .get(&tag)
            .filter(|e| e.kind == 5 && e.count >= 1)?;
        let above = file.unsigned(entry.offset, 4)?;
        let below = file.unsigned(entry.offset + 4, 4)?;
        (below > 0).then(|| above as f64 / below as f64)
    }

    /// Text, up to its first zero byte.
    pub(super) fn text(&self, file: &File, tag: u16) -> Option<String> {
        let bytes = self.bytes(file, tag)?;
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
        Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }

    /// The bytes of a tag whose values are single bytes.
    pub(super) fn bytes<'a>(&self, file: &File<'a>, tag: u16) -> Option<&'a [u8]> {
        let entry = self
            .entries
            .get(&tag)
            .filter(|e| matches!(e.kind, 1 | 2 | 7))?;
        file.slice(entry.offset, entry.count)
    }

    pub(super) fn has(&self, tag: u16) -> bool {
        self.entries.contains_key(&tag)
    }
}
