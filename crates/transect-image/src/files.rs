//! Bytes by name, given by the caller: this crate touches no file system.

use std::borrow::Cow;
use std::collections::BTreeMap;

use transect_core::Result;

/// Where the files of an image come from. Most images are one file; ENVI has a header beside its data, and a Zarr store is a
/// folder.
pub trait Files {
    /// The bytes of a file, or `None` where there is none of this name (a folder is none). Paths are relative, with `/`
    /// between names, and never hold `..`. An implementation refuses whatever leads out of its folder, and files beyond the
    /// limit on their size.
    ///
    /// # Errors
    /// `T101` where a file is there and cannot be read, `T105` where it is too large.
    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>>;
}

/// A single file, and nothing beside it.
pub(crate) struct Lone<'a> {
    pub(crate) name: &'a str,
    pub(crate) bytes: &'a [u8],
}

impl Files for Lone<'_> {
    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>> {
        Ok((path == self.name).then_some(Cow::Borrowed(self.bytes)))
    }
}

/// Files in memory.
impl Files for BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>> {
        Ok(self.get(path).map(|bytes| Cow::Borrowed(bytes.as_slice())))
    }
}

/// A path below another, where it stays below: no root, no `..`, no empty name, no backslash, no zero byte.
pub(crate) fn below(folder: &str, path: &str) -> Option<String> {
    let fits = path.split('/').all(|name| {
        !name.is_empty() && name != "." && name != ".." && !name.contains(['\\', ':', '\0'])
    });
    fits.then(|| {
        if folder.is_empty() {
            path.to_owned()
        } else {
            format!("{}/{path}", folder.trim_end_matches('/'))
        }
    })
}
