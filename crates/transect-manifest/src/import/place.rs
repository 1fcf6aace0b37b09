//! Where images lie, seen from the manifest to be.

use std::path::{Path, PathBuf};

use transect_core::codes::manifest as codes;
use transect_core::{Error, Errors};

use crate::path::{Files, Found, OnDisk, is_image, refusal};
use crate::reason;
use crate::rows::Lines;

/// A folder of images within the folder of the manifest.
pub(super) struct Place {
    files: OnDisk,
    root: PathBuf,
    /// Path from the manifest to the images, with `/` at its end where it is not empty.
    prefix: String,
    refused: Lines,
    missing: Vec<String>,
}

/// Path from one folder to another below it, its parts joined by `/`; none where it is not below.
pub(super) fn below(root: &Path, folder: &Path) -> Result<String, Error> {
    let real = |path: &Path| {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        path.canonicalize().map_err(|e| {
            Error::new(
                &codes::IMPORT_LAYOUT,
                format!("the folder cannot be read: {}", reason(&e)),
            )
            .at(path)
        })
    };
    let (root_real, folder_real) = (real(root)?, real(folder)?);
    let outside = || {
        Error::new(
            &codes::IMPORT_LAYOUT,
            "the images are not below the folder of the manifest",
        )
        .at(folder)
        .help(format!(
            "write the manifest into {} or a folder above it, or say with --images where the images are",
            folder.display()
        ))
    };
    let path = folder_real
        .strip_prefix(&root_real)
        .map_err(|_| outside())?;
    let parts: Option<Vec<&str>> = path.iter().map(|p| p.to_str()).collect();
    let parts = parts.ok_or_else(|| {
        Error::new(
            &codes::IMPORT_LAYOUT,
            "the name of the folder of the images is not UTF-8",
        )
        .at(folder)
    })?;
    Ok(parts.into_iter().flat_map(|p| [p, "/"]).collect())
}

impl Place {
    /// The folder `images`, for a manifest in `root`.
    pub(super) fn new(root: &Path, images: &Path) -> Result<Self, Error> {
        let prefix = below(root, images)?;
        let files = OnDisk::new(root).map_err(|e| {
            Error::new(
                &codes::IMPORT_LAYOUT,
                format!("the folder of the manifest cannot be read: {}", reason(&e)),
            )
            .at(root)
        })?;
        Ok(Self {
            files,
            root: root.to_owned(),
            prefix,
            refused: Lines::default(),
            missing: Vec::new(),
        })
    }

    /// Path from the manifest of the image that annotations call `name`; none, and kept in mind, where it is not there.
    pub(super) fn find(&mut self, name: &str) -> Option<String> {
        // Windows programs write their own separator.
        let name = name.replace('\\', "/");
        let name = name.strip_prefix("./").unwrap_or(&name);
        let refused = refusal(name).or_else(|| name.is_empty().then_some("is empty"));
        if let Some(why) = refused {
            self.refused
                .push(1_usize, format!("`{}` {why}", name.escape_debug()));
            return None;
        }
        let path = format!("{}{name}", self.prefix);
        match self.files.find(&path) {
            Found::File(_) => Some(path),
            Found::Missing | Found::Folder(_) => {
                self.missing.push(name.to_owned());
                None
            }
            Found::Outside => {
                self.refused
                    .push(1_usize, format!("`{name}` leads outside by a link"));
                None
            }
        }
    }

    /// The file that a path from the manifest leads to.
    pub(super) fn file(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// What became of the names: an error where one is not allowed or where no image is there, else a note on those that are
    /// not there.
    pub(super) fn close(
        self,
        source: &Path,
        found: usize,
        notes: &mut Vec<String>,
    ) -> Result<(), Errors> {
        let mut errors = Errors::new();
        if !self.refused.is_empty() {
            let message = format!(
                "{} of images are not allowed in a manifest",
                crate::rows::count(self.refused.count(), "path")
            );
            let mut error = self.refused.into_error(&codes::PATH_REFUSED, message);
            error.location.line = None;
            errors.push(
                error
                    .at(source)
                    .help("write names relative to the folder of the images, and give that folder by --images"),
            );
        }
        if found == 0 && !self.missing.is_empty() {
            let mut error = Error::new(
                &codes::MISSING_FILES,
                format!(
                    "none of {} is there",
                    crate::rows::count(self.missing.len(), "image")
                ),
            )
            .at(source);
            for name in self.missing.iter().take(3) {
                error = error.note(format!("such as {}{name}", self.prefix));
            }
            errors.push(error.help("say with --images in which folder they are"));
        }
        super::some(notes, "images that are not there, left out", &self.missing);
        errors.or(())
    }
}

/// Names of the images in a folder, and of those in folders in it, in order.
pub(super) fn files(folder: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    walk(folder, "", 0, &is_image, &mut names)?;
    names.sort();
    Ok(names)
}

/// Paths below a folder of files with one of these names, in order.
pub(super) fn files_named(folder: &Path, wanted: &[&str]) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    walk(
        folder,
        "",
        0,
        &|name: &str| wanted.contains(&name),
        &mut names,
    )?;
    names.sort();
    Ok(names)
}

/// Hidden files and links are passed over.
fn walk(
    dir: &Path,
    below: &str,
    depth: usize,
    wanted: &dyn Fn(&str) -> bool,
    names: &mut Vec<String>,
) -> Result<(), Error> {
    let wrong = |what: String| Error::new(&codes::IMPORT_LAYOUT, what).at(dir);
    if depth > 32 {
        return Err(wrong("folders are nested deeper than 32".to_owned()));
    }
    let entries = std::fs::read_dir(dir)
        .map_err(|e| wrong(format!("the folder cannot be read: {}", reason(&e))))?;
    for entry in entries.flatten() {
        let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            walk(
                &entry.path(),
                &format!("{below}{name}/"),
                depth + 1,
                wanted,
                names,
            )?;
        } else if kind.is_file() && wanted(&name) {
            names.push(format!("{below}{name}"));
        }
    }
    Ok(())
}
