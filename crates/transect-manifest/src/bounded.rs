//! Files of others, read up to a limit.

use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;
use transect_core::Error;
use transect_core::codes::manifest as codes;

use crate::reason;

/// Bytes of a file that has at most `most`; nothing past the limit is read.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let unreadable = |e: &std::io::Error| {
        Error::new(
            &codes::ANNOTATIONS,
            format!("the file cannot be read: {}", reason(e)),
        )
        .at(path)
    };
    let file = std::fs::File::open(path).map_err(|e| unreadable(&e))?;
    let size = file.metadata().map_err(|e| unreadable(&e))?.len();
    let mut bytes = Vec::new();
    if size <= most {
        // The size may have grown since, and a pipe has none.
        file.take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| unreadable(&e))?;
    }
    let size = size.max(bytes.len() as u64);
    if size > most {
        return Err(too_large(size, most).at(path));
    }
    Ok(bytes)
}

/// The error for a file past the limit.
pub(crate) fn too_large(size: u64, most: u64) -> Error {
    Error::new(
        &codes::ANNOTATION_LIMITS,
        format!("the file has {size} bytes; at most {most} are read"),
    )
    .help("split it into files of fewer images, or raise --max-file-mb")
}

/// A JSON file in the form of `T`. Lists and objects may be nested 128 deep.
pub(crate) fn json<T: DeserializeOwned>(path: &Path, most: u64, what: &str) -> Result<T, Error> {
    let bytes = read(path, most)?;
    parse(&bytes, what).map_err(|e| e.at(path))
}

/// JSON in the form of `T`.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|e| {
        let (line, column) = (e.line(), e.column());
        let text = e.to_string();
        let text = text.split(" at line ").next().unwrap_or(&text);
        let error = match e.classify() {
            serde_json::error::Category::Data => {
                Error::new(&codes::ANNOTATIONS, format!("this is not {what}: {text}"))
            }
            _ if text.contains("recursion limit") => Error::new(
                &codes::ANNOTATION_LIMITS,
                "lists and objects are nested deeper than 128",
            ),
            _ => Error::new(&codes::ANNOTATIONS, format!("this is not JSON: {text}")),
        };
        if line > 0 {
            error.line(line).column(column.max(1))
        } else {
            error
        }
    })
}
