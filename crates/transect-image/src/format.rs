//! Formats, told by their first bytes.

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Portable Network Graphics.
    Png,
    /// JPEG, baseline and progressive.
    Jpeg,
    /// TIFF and BigTIFF.
    Tiff,
    /// NumPy's array format.
    Npy,
}

impl Format {
    /// The format that these bytes begin with.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let starts = |magic: &[u8]| bytes.starts_with(magic);
        if starts(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if starts(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if starts(b"II*\0") || starts(b"MM\0*") || starts(b"II+\0") || starts(b"MM\0+") {
            Some(Self::Tiff)
        } else if starts(b"\x93NUMPY") {
            Some(Self::Npy)
        } else {
            None
        }
    }

    /// The format that a name claims by its extension, whatever its case.
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "png" => Some(Self::Png),
            "jpg" | "jpeg" | "jpe" | "jfif" => Some(Self::Jpeg),
            "tif" | "tiff" | "btf" | "tf2" | "tf8" | "svs" => Some(Self::Tiff),
            "npy" => Some(Self::Npy),
            _ => None,
        }
    }

    /// Its usual name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Tiff => "TIFF",
            Self::Npy => "NPY",
        }
    }
}

/// A sentence where the name of a file and its first bytes claim different formats. The bytes are believed.
pub fn name_note(bytes: &[u8], name: &str) -> Option<String> {
    let claimed = Format::of_name(name)?;
    let found = Format::of(bytes)?;
    (claimed != found).then(|| {
        format!(
            "{name} is named as {} but is {}; it is read as what it is",
            claimed.name(),
            found.name()
        )
    })
}

/// What bytes that are not read look like.
pub(crate) fn other(bytes: &[u8]) -> Option<&'static str> {
    let at = |offset: usize, magic: &[u8]| {
        bytes
            .get(offset..)
            .is_some_and(|rest| rest.starts_with(magic))
    };
    if bytes.is_empty() {
        return Some("an empty file");
    }
    let known: &[(usize, &[u8], &'static str)] = &[
        (0, b"BM", "BMP"),
        (0, b"GIF8", "GIF"),
        (8, b"WEBP", "WebP"),
        (128, b"DICM", "DICOM"),
        (0, b"\x89HDF\r\n\x1a\n", "HDF5"),
        (0, b"PK\x03\x04", "a ZIP archive (such as NPZ)"),
        (0, b"\x1f\x8b", "a gzip file (such as NIfTI)"),
        (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
        (4, b"jP  \r\n\x87\n", "JPEG 2000"),
        (0, b"ZISRAWFILE", "CZI"),
        (0, b"SIMPLE  =", "FITS"),
        (0, b"MATLAB 5.0", "a MATLAB file"),
        (0, b"%PDF", "PDF"),
        (0, b"<svg", "SVG"),
    ];
    known
        .iter()
        .find(|(offset, magic, _)| at(*offset, magic))
        .map(|k| k.2)
}
