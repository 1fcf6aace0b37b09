//! The files of a ZIP archive, one by one, within limits.

use std::io::Read;

use transect_core::Error;
use transect_core::codes::manifest as codes;

/// Largest file of an archive after it is unpacked, bytes.
const MOST_UNPACKED: usize = 1 << 26;

fn damaged(what: &str) -> Error {
    Error::new(
        &codes::ANNOTATIONS,
        format!("the ZIP archive is damaged: {what}"),
    )
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(
        bytes.get(at..at.checked_add(2)?)?.try_into().ok()?,
    )))
}

fn double_word(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(
        bytes.get(at..at.checked_add(4)?)?.try_into().ok()?,
    ))
    .ok()
}

/// Takes the name and the bytes of a file.
type With<'a> = dyn FnMut(&str, &[u8]) -> Result<(), Error> + 'a;

/// Name and place of a file within an archive.
struct Entry {
    name: String,
    method: usize,
    packed: usize,
    unpacked: usize,
    crc: u32,
    header: usize,
}

/// Calls `with` for each file in the order of the archive's directory; at most `most` files.
pub(super) fn each(bytes: &[u8], most: usize, with: &mut With) -> Result<(), Error> {
    // The record at the end may be followed by a comment of up to 65,535 bytes.
    let from = bytes.len().saturating_sub(22 + 65_535);
    let end = (from..bytes.len().saturating_sub(21))
        .rev()
        .find(|&at| bytes[at..].starts_with(b"PK\x05\x06"))
        .ok_or_else(|| damaged("it has no directory"))?;
    let cut = || damaged("its directory is cut off");
    let count = word(bytes, end + 10).ok_or_else(cut)?;
    let mut at = double_word(bytes, end + 16).ok_or_else(cut)?;
    if count == 0xffff || at == 0xffff_ffff {
        return Err(Error::new(
            &codes::ANNOTATION_LIMITS,
            "the ZIP archive has 65,535 files or more",
        ));
    }
    if count > most {
        return Err(Error::new(
            &codes::ANNOTATION_LIMITS,
            format!("the ZIP archive has {count} files; at most {most} are read"),
        ));
    }
    for _ in 0..count {
        let (entry, next) = entry(bytes, at).ok_or_else(cut)?;
        at = next;
        if entry.name.ends_with('/') {
            continue;
        }
        with(&entry.name, &unpack(bytes, &entry)?)?;
    }
    Ok(())
}

fn entry(bytes: &[u8], at: usize) -> Option<(Entry, usize)> {
    if !bytes.get(at..)?.starts_with(b"PK\x01\x02") {
        return None;
    }
    let (name, extra, comment) = (
        word(bytes, at + 28)?,
        word(bytes, at + 30)?,
        word(bytes, at + 32)?,
    );
    let entry = Entry {
        name: String::from_utf8_lossy(bytes.get(at + 46..at + 46 + name)?).into_owned(),
        method: word(bytes, at + 10)?,
        crc: double_word(bytes, at + 16)? as u32,
        packed: double_word(bytes, at + 20)?,
        unpacked: double_word(bytes, at + 24)?,
        header: double_word(bytes, at + 42)?,
    };
    // An encrypted file says so in the lowest bit.
    (word(bytes, at + 8)? & 1 == 0).then_some((entry, at + 46 + name + extra + comment))
}

fn unpack(bytes: &[u8], entry: &Entry) -> Result<Vec<u8>, Error> {
    let name = entry.name.escape_debug();
    let cut = || damaged(&format!("{name} is cut off"));
    if entry.unpacked > MOST_UNPACKED {
        return Err(Error::new(
            &codes::ANNOTATION_LIMITS,
            format!(
                "{name} has {} bytes unpacked; at most {MOST_UNPACKED} are read",
                entry.unpacked
            ),
        ));
    }
    let header = entry.header;
    if !bytes
        .get(header..)
        .is_some_and(|b| b.starts_with(b"PK\x03\x04"))
    {
        return Err(cut());
    }
    let skip = word(bytes, header + 26)
        .zip(word(bytes, header + 28))
        .ok_or_else(cut)?;
    let start = header + 30 + skip.0 + skip.1;
    let packed = bytes
        .get(start..start.checked_add(entry.packed).ok_or_else(cut)?)
        .ok_or_else(cut)?;
    let unpacked = match entry.method {
        0 => packed.to_vec(),
        8 => {
            let mut unpacked = Vec::new();
            flate2::read::DeflateDecoder::new(packed)
                .take(entry.unpacked as u64 + 1)
                .read_to_end(&mut unpacked)
                .map_err(|_| damaged(&format!("{name} cannot be unpacked")))?;
            unpacked
        }
        other => {
            return Err(damaged(&format!(
                "{name} is packed by method {other}; read are 0 (stored) and 8 (deflated)"
            )));
        }
    };
    let mut crc = flate2::Crc::new();
    crc.update(&unpacked);
    if unpacked.len() != entry.unpacked || crc.sum() != entry.crc {
        return Err(damaged(&format!("{name} is not what its check sum says")));
    }
    Ok(unpacked)
}
