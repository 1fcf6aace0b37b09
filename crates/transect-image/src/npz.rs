//! NPZ: a ZIP archive of NPY arrays, stored or deflated.

use transect_core::codes::image as codes;
use transect_core::{Error, Result};

use crate::raw::Raw;
use crate::{Limits, damaged, limits_exceeded, npy, unpack, unsupported};

/// One file in the archive.
struct Member {
    name: String,
    method: u64,
    encrypted: bool,
    crc: u64,
    packed: u64,
    size: u64,
    /// Where its own header lies.
    header: u64,
}

/// Most files that an archive may list.
const MOST_MEMBERS: usize = 1 << 16;

fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
}

/// The files that the directory at the end lists.
fn members(bytes: &[u8]) -> Result<Vec<Member>> {
    let cut = || damaged("the ZIP archive has no directory at its end: it is cut short");
    let from = bytes.len().saturating_sub(22 + 65_535);
    let end = bytes[from..]
        .windows(4)
        .rposition(|w| w == b"PK\x05\x06")
        .map(|at| from + at)
        .ok_or_else(cut)?;
    let mut at = number(bytes, end + 16, 4).ok_or_else(cut)?;
    if at == 0xffff_ffff {
        // The long form says where its own end record is, right before this one.
        let record = end
            .checked_sub(20)
            .filter(|r| bytes[*r..].starts_with(b"PK\x06\x07"))
            .and_then(|r| number(bytes, r + 8, 8))
            .and_then(|r| usize::try_from(r).ok())
            .ok_or_else(cut)?;
        at = record
            .checked_add(48)
            .and_then(|r| number(bytes, r, 8))
            .ok_or_else(cut)?;
    }
    let mut at = usize::try_from(at).map_err(|_| cut())?;
    let mut members = Vec::new();
    while bytes
        .get(at..)
        .is_some_and(|rest| rest.starts_with(b"PK\x01\x02"))
    {
        let field = |offset: usize, size: usize| number(bytes, at + offset, size).ok_or_else(cut);
        let (name, extra, comment) = (field(28, 2)?, field(30, 2)?, field(32, 2)?);
        let (name, extra) = (name as usize, extra as usize);
        let mut member = Member {
            name: String::from_utf8_lossy(bytes.get(at + 46..at + 46 + name).ok_or_else(cut)?)
                .into_owned(),
            encrypted: field(8, 2)? & 1 != 0,
            method: field(10, 2)?,
            crc: field(16, 4)?,
            packed: field(20, 4)?,
            size: field(24, 4)?,
            header: field(42, 4)?,
        };
        // Sizes that do not fit in four bytes follow in a field of their own, in this order.
        let mut rest = bytes
            .get(at + 46 + name..at + 46 + name + extra)
            .ok_or_else(cut)?;
        while let (Some(id), Some(length)) = (number(rest, 0, 2), number(rest, 2, 2)) {
            let Some(body) = rest.get(4..4 + length as usize) else {
                break;
            };
            if id == 1 {
                let mut next = 0;
                for value in [&mut member.size, &mut member.packed, &mut member.header] {
                    if *value == 0xffff_ffff {
                        *value = number(body, next, 8).ok_or_else(cut)?;
                        next += 8;
                    }
                }
            }
            rest = &rest[4 + length as usize..];
        }
        members.push(member);
        if members.len() > MOST_MEMBERS {
            return Err(limits_exceeded(format!(
                "the ZIP archive lists more than {MOST_MEMBERS} files"
            )));
        }
        at += 46 + name + extra + comment as usize;
    }
    Ok(members)
}

fn unpacked(bytes: &[u8], member: &Member, limits: &Limits) -> Result<Vec<u8>> {
    let what = &member.name;
    if member.encrypted {
        return Err(
            unsupported(format!("the encrypted array {what}")).help("save it without a password")
        );
    }
    // An array may have eight bytes where an image counts four, and a header.
    let most = limits
        .max_decoded_bytes
        .saturating_mul(2)
        .saturating_add(1 << 16);
    if member.size > most {
        return Err(limits_exceeded(format!(
            "the array {what} has {} bytes; at most {most} are read",
            member.size
        )));
    }
    let outside = || damaged(format!("the array {what} lies outside of the archive"));
    let header = usize::try_from(member.header).map_err(|_| outside())?;
    if !bytes
        .get(header..)
        .is_some_and(|b| b.starts_with(b"PK\x03\x04"))
    {
        return Err(outside());
    }
    let name = number(bytes, header + 26, 2).ok_or_else(outside)?;
    let extra = number(bytes, header + 28, 2).ok_or_else(outside)?;
    let source = bytes
        .get(header + 30 + (name + extra) as usize..)
        .and_then(|b| b.get(..usize::try_from(member.packed).ok()?))
        .ok_or_else(outside)?;
    let need = member.size as usize;
    let data = match member.method {
        0 => source.to_vec(),
        8 if member.size / 1100 > member.packed => Vec::new(),
        8 => unpack::inflate(source, false, need),
        other => {
            return Err(
                unsupported(format!("the array {what}, packed by ZIP's method {other}"))
                    .help("save it with numpy.savez or numpy.savez_compressed"),
            );
        }
    };
    let mut crc = flate2::Crc::new();
    crc.update(&data);
    if data.len() != need || u64::from(crc.sum()) != member.crc {
        return Err(damaged(format!(
            "the array {what} does not unpack to the {need} bytes and the checksum that the archive states"
        )));
    }
    Ok(data)
}

/// The array that is named, or the only one.
pub(crate) fn read(bytes: &[u8], member: Option<&str>, limits: &Limits) -> Result<Raw> {
    let all = members(bytes)?;
    let arrays: Vec<(&Member, &str)> = all
        .iter()
        .filter_map(|m| Some((m, m.name.strip_suffix(".npy")?)))
        .collect();
    let shown = || {
        let names: Vec<&str> = arrays.iter().take(12).map(|a| a.1).collect();
        names.join(", ")
    };
    let chosen = match (member, arrays.as_slice()) {
        (_, []) => {
            return Err(Error::new(
                &codes::IMAGE_UNKNOWN_FORMAT,
                "the file is a ZIP archive without NPY arrays",
            )
            .help("unpack it and name the images in it"));
        }
        (None, [only]) => only.0,
        (None, several) => {
            return Err(Error::new(
                &codes::IMAGE_SEVERAL,
                format!("the file holds {} arrays: {}", several.len(), shown()),
            )
            .help("say which in a column `image_member`"));
        }
        (Some(wanted), _) => {
            arrays
                .iter()
                .find(|a| a.1 == wanted || a.0.name == wanted)
                .ok_or_else(|| {
                    Error::new(
                        &codes::IMAGE_SELECTION,
                        format!("the member {wanted:?} is selected; there are {}", shown()),
                    )
                })?
                .0
        }
    };
    npy::read_raw(&unpacked(bytes, chosen, limits)?, limits)
}
