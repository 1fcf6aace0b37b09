//! Rows and columns of an image file.

use std::io::Read;
use std::path::Path;

use transect_core::Error;
use transect_core::codes::image as codes;
use transect_image::Limits;

use crate::bounded;

/// Rows and columns: from the header of a PNG or JPEG, else by decoding.
pub(super) fn size(path: &Path, limits: &Limits) -> Result<[usize; 2], Error> {
    let unreadable = |e: std::io::Error| {
        Error::new(
            &codes::IMAGE_UNREADABLE,
            format!("cannot read the file: {e}"),
        )
        .at(path)
    };
    let mut head = Vec::new();
    std::fs::File::open(path)
        .map_err(unreadable)?
        .take(1 << 18)
        .read_to_end(&mut head)
        .map_err(unreadable)?;
    if let Some(size) = png(&head).or_else(|| jpeg(&head)) {
        return Ok(size);
    }
    let bytes = bounded::read(path, limits.max_file_bytes)?;
    let name = path.to_string_lossy();
    let image = transect_image::decode(&bytes, &name, None, limits).map_err(|e| e.at(path))?;
    Ok([image.rows(), image.columns()])
}

fn png(head: &[u8]) -> Option<[usize; 2]> {
    if !head.starts_with(b"\x89PNG\r\n\x1a\n") || head.get(12..16)? != b"IHDR" {
        return None;
    }
    let side = |at: usize| {
        let side = u32::from_be_bytes(head.get(at..at + 4)?.try_into().ok()?);
        (side > 0).then_some(side as usize)
    };
    Some([side(20)?, side(16)?])
}

fn jpeg(head: &[u8]) -> Option<[usize; 2]> {
    if !head.starts_with(b"\xff\xd8") {
        return None;
    }
    let mut at = 2;
    loop {
        let [mark, kind] = *head.get(at..at + 2)? else {
            return None;
        };
        if mark != 0xff {
            return None;
        }
        // A marker may be led by any number of fill bytes.
        if kind == 0xff {
            at += 1;
            continue;
        }
        let word = |at: usize| {
            Some(usize::from(u16::from_be_bytes(
                head.get(at..at + 2)?.try_into().ok()?,
            )))
        };
        let frame = (0xc0..=0xcf).contains(&kind) && !matches!(kind, 0xc4 | 0xc8 | 0xcc);
        if frame {
            let (rows, columns) = (word(at + 5)?, word(at + 7)?);
            // Rows may be told later in the file: then the whole is read.
            return (rows > 0 && columns > 0).then_some([rows, columns]);
        }
        if kind == 0xda || kind == 0xd9 {
            return None;
        }
        at += 2 + if (0xd0..=0xd8).contains(&kind) || kind == 1 {
            0
        } else {
            word(at + 2)?
        };
    }
}
