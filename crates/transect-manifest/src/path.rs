//! Paths that stay inside the folder of their manifest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What became of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// There is such a file; the text is the same for two paths to one file.
    File(String),
    /// There is such a folder, and it is no store of an image.
    Folder(String),
    /// There is none.
    Missing,
    /// It leads out of the folder.
    Outside,
}

/// Why a path is refused whatever there is on the disk; `None` where it is not.
pub(crate) fn refusal(path: &str) -> Option<&'static str> {
    let bytes = path.as_bytes();
    if path.contains("://") || path.starts_with("data:") {
        return Some("is a URL");
    }
    let drive = bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
    if path.starts_with(['/', '\\', '~']) || drive {
        return Some("is not relative to the manifest");
    }
    if path.split(['/', '\\']).any(|part| part == "..") {
        return Some("leads upwards with `..`");
    }
    if path.chars().any(char::is_control) {
        return Some("holds a control character");
    }
    None
}

/// Looks files up.
pub(crate) trait Files {
    /// What a path that was not refused leads to.
    fn find(&mut self, path: &str) -> Found;
}

/// Files below a folder on the disk. Folders are resolved once each, so that a million images cost a million look-ups and
/// no more.
pub(crate) struct OnDisk {
    root: PathBuf,
    canonical: PathBuf,
    folders: BTreeMap<PathBuf, Option<PathBuf>>,
}

impl OnDisk {
    pub(crate) fn new(root: &Path) -> std::io::Result<Self> {
        let root = if root.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            root.to_owned()
        };
        let canonical = root.canonicalize()?;
        Ok(Self {
            root,
            canonical,
            folders: BTreeMap::new(),
        })
    }

    fn inside(&self, path: &Path) -> Found {
        if path.starts_with(&self.canonical) {
            Found::File(path.to_string_lossy().into_owned())
        } else {
            Found::Outside
        }
    }
}

impl Files for OnDisk {
    fn find(&mut self, path: &str) -> Found {
        let full = self.root.join(path);
        let (Some(folder), Some(name)) = (full.parent(), full.file_name()) else {
            return Found::Missing;
        };
        if !self.folders.contains_key(folder) {
            self.folders
                .insert(folder.to_owned(), folder.canonicalize().ok());
        }
        let folder = self.folders.get(folder).cloned().flatten();
        let Some(folder) = folder else {
            return Found::Missing;
        };
        let file = folder.join(name);
        let Ok(meta) = std::fs::symlink_metadata(&file) else {
            return Found::Missing;
        };
        if meta.is_symlink() {
            let Ok(target) = file.canonicalize() else {
                return Found::Missing;
            };
            return sort(self.inside(&target), &target);
        }
        // Where the folder is a link to the outside, so is its file, whether or not it is there.
        sort(self.inside(&file), &file)
    }
}

/// What of the kind of file that is there is an image: a file, or a folder that is a Zarr store.
fn sort(found: Found, file: &Path) -> Found {
    let Found::File(identity) = found else {
        return found;
    };
    if file.is_file() {
        return Found::File(identity);
    }
    if !file.is_dir() {
        return Found::Missing;
    }
    let store = [".zattrs", ".zgroup", ".zarray", "zarr.json"];
    if store.iter().any(|name| file.join(name).is_file()) {
        Found::File(identity)
    } else {
        Found::Folder(identity)
    }
}

/// Files that a caller knows of, where there is no disk.
pub(crate) struct Known<'a>(pub(crate) &'a dyn Fn(&str) -> bool);

impl Files for Known<'_> {
    fn find(&mut self, path: &str) -> Found {
        if !(self.0)(path) {
            return Found::Missing;
        }
        let parts: Vec<&str> = path
            .split('/')
            .filter(|p| !p.is_empty() && *p != ".")
            .collect();
        Found::File(parts.join("/"))
    }
}

/// Extensions of images that are read.
pub(crate) fn is_image(path: &str) -> bool {
    extension(path).is_some_and(|e| {
        matches!(
            e.as_str(),
            "png" | "jpg" | "jpeg" | "tif" | "tiff" | "npy" | "npz" | "dcm" | "hdr" | "zarr"
        )
    })
}

/// Whether a cell of truth is a path: of a label image, of outlines (a `.roi`, a ZIP archive of them, GeoJSON), or of a
/// folder with a mask for each object, with `/` at its end.
pub(crate) fn is_truth(path: &str) -> bool {
    is_image(path)
        || path.ends_with('/')
        || extension(path).is_some_and(|e| matches!(e.as_str(), "roi" | "zip" | "geojson"))
}

/// The extension in lower case.
pub(crate) fn extension(path: &str) -> Option<String> {
    let name = path.rsplit(['/', '\\']).next()?;
    let (stem, extension) = name.rsplit_once('.')?;
    (!stem.is_empty()).then(|| extension.to_ascii_lowercase())
}
