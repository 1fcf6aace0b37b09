//! Manifests: which images, what is true of them, what is known of each.
//!
//! A manifest is a table (CSV, TSV, JSON lines) with one row for each image. [`load`] reads one or two, chooses rows by
//! [expressions](expr), checks everything that can be checked without reading a pixel, and gives either all [items](Item)
//! or all errors. [`parse`] does the same without a disk. [`folder`] writes a manifest from a folder of files, [`import`]
//! from annotations in the formats of others, whose [outlines](outline) become label images.
//!
//! Reserved columns: `image` (required; or `image:NAME`, one for each channel in a file of its own), `page` (counted from
//! 0), the columns of [`transect_image::COLUMNS`] (which part of the file), `role` (`reference` or `target`),
//! `pixel_size_um`. Space around names and cells is taken off.

mod bounded;
mod class_map;
mod exif_columns;
pub mod expr;
mod folder;
mod import;
mod items;
pub mod outline;
mod path;
mod plate;
mod rows;
mod sheet;
mod table;

use std::path::{Path, PathBuf};

use transect_core::codes::manifest as codes;
use transect_core::{Digest, Error, Errors, Item};

use self::class_map::ClassMap;
use self::items::Source;
use self::table::Table;

pub use exif_columns::exif;
pub use folder::{FolderOptions, Listing, folder, list};
pub use import::{Draw, Format, ImportOptions, Imported, Sink, import};
pub use plate::{Joined, join};
pub use table::Syntax;

/// What the truth column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TruthKind {
    /// Names of classes.
    Class,
    /// Paths of label images, of outlines, or of folders of masks.
    Labels,
}

/// What a user asks for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The manifest of the target images.
    pub data: PathBuf,
    /// The manifest of the reference images, where it is another one.
    pub reference: Option<PathBuf>,
    /// Which rows of `data` are used.
    pub where_expr: Option<String>,
    /// Which rows are the reference: of `reference` where that is given, else of `data`.
    pub reference_where: Option<String>,
    /// Column with the truth.
    pub truth: Option<String>,
    /// Column of a second annotator's truth, of the same kind.
    pub second_truth: Option<String>,
    /// What it holds; `None` to tell from the values.
    pub truth_kind: Option<TruthKind>,
    /// Column with the source of acquisition.
    pub domain: Option<String>,
    /// Column with what was sampled.
    pub group: Option<String>,
    /// Column with what was fixed.
    pub stratum: Option<String>,
    /// Column with the name of a field that was taken in two ways.
    pub pair: Option<String>,
    /// File that maps classes.
    pub class_map: Option<PathBuf>,
}

/// The rows of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// In the order given: the rows of `data`, then those of `reference`. `Item::row` is the index here.
    pub items: Vec<Item>,
    /// Folder of each manifest, by `Item::manifest`; `roots[m].join(path)` was seen to be a file within the folder.
    pub roots: Vec<PathBuf>,
    /// Names of the channels, by `Item::manifest`, where the manifest has `image:NAME` columns; otherwise empty.
    pub channel_names: Vec<Vec<String>>,
    /// Hash over the cells of the manifests and of the class map, wherever they lie and however they are written.
    pub sha256: Digest,
    /// What a reader should know: how the truth was read, which rows were left out.
    pub notes: Vec<String>,
}

/// Reads manifests from the disk and checks them in full.
///
/// With `reference`, its rows are the reference and those of `data` the target. With `reference_where` alone, the rows of
/// `data` that it chooses are the reference, and those that `where_expr` chooses, or all others, the target. Otherwise the
/// column `role` says it where there is one, and every other row is target.
///
/// # Errors
/// Every error found, `T001` to `T019`.
pub fn load(request: &Request) -> Result<Dataset, Errors> {
    let mut errors = Errors::new();
    let mut tables = Vec::new();
    for path in std::iter::once(&request.data).chain(&request.reference) {
        match read(path) {
            Ok(source) => tables.push(source),
            Err(e) => errors.0.extend(e.0),
        }
    }
    let map = match &request.class_map {
        None => None,
        Some(path) => {
            let read = std::fs::read(path).map_err(|e| {
                Errors::from(
                    Error::new(
                        &codes::MANIFEST_UNREADABLE,
                        format!("the class map cannot be read: {}", reason(&e)),
                    )
                    .at(path),
                )
            });
            match read.and_then(|bytes| ClassMap::parse(&bytes, &path.to_string_lossy())) {
                Ok(map) => Some(map),
                Err(e) => {
                    errors.0.extend(e.0);
                    None
                }
            }
        }
    };
    let tables = errors.or(tables)?;
    items::assemble(request, tables, map.as_ref())
}

/// Reads one manifest from text, without a disk: `exists` says which relative paths are there. The reference is told by
/// the column `role`.
///
/// # Errors
/// Every error found.
pub fn parse(text: &str, syntax: Syntax, exists: &dyn Fn(&str) -> bool) -> Result<Dataset, Errors> {
    parse_with(
        text,
        syntax,
        exists,
        &Request {
            data: PathBuf::from("manifest"),
            ..Request::default()
        },
        None,
    )
}

/// As [`parse`], with the columns and expressions of a request; its `data` is only a name for errors, its `reference` and
/// `class_map` are not read: the class map is given as text (CSV).
///
/// # Errors
/// Every error found.
pub fn parse_with(
    text: &str,
    syntax: Syntax,
    exists: &dyn Fn(&str) -> bool,
    request: &Request,
    class_map: Option<&str>,
) -> Result<Dataset, Errors> {
    let name = request.data.to_string_lossy().into_owned();
    let table = Table::parse(text.as_bytes(), syntax, &name)?;
    let map = class_map
        .map(|text| ClassMap::parse(text.as_bytes(), "class map"))
        .transpose()?;
    let source = Source {
        name,
        table,
        files: Box::new(path::Known(exists)),
        root: PathBuf::new(),
    };
    items::assemble(
        &Request {
            reference: None,
            ..request.clone()
        },
        vec![source],
        map.as_ref(),
    )
}

fn read(path: &Path) -> Result<Source<'static>, Errors> {
    let name = path.to_string_lossy().into_owned();
    let unreadable = |what: String| Error::new(&codes::MANIFEST_UNREADABLE, what).at(path);
    if path.is_dir() {
        return Err(unreadable("the manifest is a folder".to_owned())
            .help(format!(
                "write a manifest from it: transect manifest {name}"
            ))
            .into());
    }
    let bytes = std::fs::read(path)
        .map_err(|e| unreadable(format!("the manifest cannot be read: {}", reason(&e))))?;
    let spreadsheet = path.extension().is_some_and(|e| {
        ["xlsx", "xlsm", "xls", "ods"]
            .iter()
            .any(|known| e.eq_ignore_ascii_case(known))
    });
    if spreadsheet {
        return Err(Error::new(
            &codes::MANIFEST_FORMAT,
            "the manifest is a spreadsheet, not a table of text",
        )
        .at(path)
        .help("open it and save the sheet as \"CSV UTF-8\" beside it, then give the .csv")
        .into());
    }
    let table = Table::parse(&bytes, Syntax::of_name(&name), &name)?;
    let root = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    let files = path::OnDisk::new(&root).map_err(|e| {
        unreadable(format!(
            "the manifest's folder cannot be read: {}",
            reason(&e)
        ))
    })?;
    Ok(Source {
        name,
        table,
        files: Box::new(files),
        root,
    })
}

/// An error of the operating system, in words that are the same everywhere.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
