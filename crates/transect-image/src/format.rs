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
    /// A ZIP archive of NumPy arrays.
    Npz,
    /// The header of an ENVI file.
    Envi,
    /// DICOM with its preamble.
    Dicom,
}

impl Format {
    /// The format that these bytes begin with.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let starts = |magic: &[u8]| bytes.starts_with(magic);
        if bytes.get(128..132) == Some(b"DICM") && !starts(b"\x89PNG") {
            // The 128 bytes before may be anything, also the beginning of a TIFF.
            Some(Self::Dicom)
        } else if starts(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if starts(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if starts(b"II*\0") || starts(b"MM\0*") || starts(b"II+\0") || starts(b"MM\0+") {
            Some(Self::Tiff)
        } else if starts(b"\x93NUMPY") {
            Some(Self::Npy)
        } else if starts(b"PK\x03\x04") {
            Some(Self::Npz)
        } else if crate::envi::is(bytes) {
            Some(Self::Envi)
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
            "npz" => Some(Self::Npz),
            "dcm" | "dicom" => Some(Self::Dicom),
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
            Self::Npz => "NPZ",
            Self::Envi => "ENVI",
            Self::Dicom => "DICOM",
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
