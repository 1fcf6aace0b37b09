//! A manifest from a folder of files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use transect_core::codes::manifest as codes;
use transect_core::{Error, Errors};

use crate::path::is_image;
use crate::reason;
use crate::rows::{Lines, count};

/// How a folder is read.
#[derive(Debug, Clone, Default)]
pub struct FolderOptions {
    /// A regular expression with named captures on the path below the folder, its parts joined by `/`.
    pub pattern: Option<String>,
}

/// A manifest and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The manifest, as CSV. It belongs into the folder that was read.
    pub csv: String,
    /// What was found, and what was left out.
    pub notes: Vec<String>,
}

/// The manifest of a folder, as CSV. See [`list`], which also says what was left out.
///
/// # Errors
/// As [`list`].
pub fn folder(dir: &Path, options: &FolderOptions) -> Result<String, Errors> {
    list(dir, options).map(|listing| listing.csv)
}

/// Names of folders that hold images, and of those that hold label images.
const IMAGE_FOLDERS: &[&str] = &["images", "image", "imgs", "img"];
const LABEL_FOLDERS: &[&str] = &["labels", "label", "masks", "mask", "truth", "gt"];
/// Ends of names of label images that lie next to their images.
const SUFFIXES: &[&str] = &["_mask", "_masks", "_label", "_labels", "_seg"];

/// Manifests that an earlier run may have left in the folder: they are no files of the data.
const MANIFESTS: &[&str] = &["manifest.csv", "manifest.tsv", "manifest.jsonl"];

/// Writes the manifest of a folder. Understood are:
/// - a folder for each class: columns `image`, `class_name`;
/// - `images` and beside it `labels`, `masks` or `truth`, with the same file names but for the extension: columns `image`,
///   `truth`;
/// - label images next to their images, with `_mask`, `_label`, `_labels` or `_seg` behind the name: `image`, `truth`;
/// - a folder for each image, in it `images` with one file and `masks` with one for each object: `image`, `truth` (the folder
///   of masks);
/// - images only: `image`;
/// - with a pattern, any: the named captures become columns; files that differ in the capture `channel` alone become one
///   row with a column `image:NAME` for each channel, and fields in which a channel is missing are left out and noted.
///
/// Files are in the order of their names. Hidden files, links and files that are not images are passed over and counted.
///
/// # Errors
/// `T001` an unreadable folder, `T020` a folder whose layout is not clear, `T021` a pattern that cannot be used.
pub fn list(dir: &Path, options: &FolderOptions) -> Result<Listing, Errors> {
    let hint = of_others(dir);
    match (list_without(dir, options, &[]), hint) {
        (Ok(mut listing), Some(hint)) => {
            listing.notes.push(hint);
            Ok(listing)
        }
        (Err(errors), Some(hint)) => Err(Errors(
            errors.0.into_iter().map(|e| e.note(hint.clone())).collect(),
        )),
        (other, None) => other,
    }
}

/// What says that the folder has annotations in a format of others.
fn of_others(dir: &Path) -> Option<String> {
    let known = [
        ("data.yaml", "yolo"),
        ("classes.txt", "yolo"),
        ("01_GT", "ctc"),
        ("02_GT", "ctc"),
        ("media.csv", "camtrap-dp"),
        ("metadata.csv", "hugging-face"),
        ("metadata.jsonl", "hugging-face"),
        ("rdf.yaml", "bioimageio"),
    ];
    let (name, format) = known
        .into_iter()
        .find(|(name, _)| dir.join(name).exists())?;
    Some(format!(
        "the folder has {name}: --format {format} reads its annotations"
    ))
}

/// As [`list`], without the files at these paths below the folder.
pub(crate) fn list_without(
    dir: &Path,
    options: &FolderOptions,
    without: &[&str],
) -> Result<Listing, Errors> {
    let mut walk = Walk::default();
    walk.folder(dir, "", 0)?;
    walk.images.retain(|path| !without.contains(&path.as_str()));
    let mut notes = Vec::new();
    if walk.links > 0 {
        notes.push(format!("{} passed over", count(walk.links, "link")));
    }
    if walk.others > 0 {
        notes.push(format!(
            "{} not an image that is read, passed over",
            if walk.others == 1 {
                "1 file is".to_owned()
            } else {
                format!("{} files are", walk.others)
            }
        ));
    }
    if walk.images.is_empty() {
        return Err(
            Error::new(&codes::FOLDER_LAYOUT, "there is no image in the folder")
                .at(dir)
                .help("read are PNG, JPEG, TIFF, NPY, NPZ, DICOM, ENVI (its .hdr) and Zarr (its .zarr)")
                .into(),
        );
    }
    let rows = match &options.pattern {
        Some(pattern) => by_pattern(dir, pattern, &walk.images, &mut notes)?,
        None => by_layout(dir, &walk, &mut notes)?,
    };
    let write = |rows: &[Vec<String>]| -> Option<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in rows {
            writer.write_record(row).ok()?;
        }
        String::from_utf8(writer.into_inner().ok()?).ok()
    };
    let csv = write(&rows).ok_or_else(|| {
        Error::new(
            &codes::FOLDER_LAYOUT,
            "the manifest cannot be written as text",
        )
        .at(dir)
    })?;
    Ok(Listing { csv, notes })
}

/// What is below a folder.
#[derive(Default)]
struct Walk {
    /// Paths below the folder, in order.
    images: Vec<String>,
    /// Folders without any file or folder that counts.
    empty: Vec<String>,
    links: usize,
    others: usize,
}

impl Walk {
    fn folder(&mut self, dir: &Path, below: &str, depth: usize) -> Result<usize, Errors> {
        let unreadable = |e: &std::io::Error| {
            Error::new(
                &codes::MANIFEST_UNREADABLE,
                format!("the folder cannot be read: {}", reason(e)),
            )
            .at(dir)
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(|e| unreadable(&e))? {
            let entry = entry.map_err(|e| unreadable(&e))?;
            let kind = entry.file_type().map_err(|e| unreadable(&e))?;
            match entry.file_name().into_string() {
                Ok(name) => names.push((name, kind)),
                Err(_) => self.others += 1,
            }
        }
        names.sort_by(|a, b| a.0.cmp(&b.0));
        let mut found = 0;
        for (name, kind) in names {
            if name.starts_with('.') {
                continue;
            }
            let path = if below.is_empty() {
                name.clone()
            } else {
                format!("{below}/{name}")
            };
            if kind.is_symlink() {
                self.links += 1;
            } else if kind.is_dir() && is_image(&name) {
                // A Zarr store is a folder.
                self.images.push(path);
                found += 1;
            } else if kind.is_dir() {
                if depth >= 32 {
                    return Err(Error::new(
                        &codes::FOLDER_LAYOUT,
                        "folders are nested deeper than 32",
                    )
                    .at(dir)
                    .into());
                }
                let inside = self.folder(&dir.join(&name), &path, depth + 1)?;
                if inside == 0 {
                    self.empty.push(path);
                }
                found += inside;
            } else if is_image(&name) {
                self.images.push(path);
                found += 1;
            } else if !(below.is_empty() && MANIFESTS.contains(&name.as_str())) {
                self.others += 1;
            }
        }
        Ok(found)
    }
}

/// Name without folder and extension.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// A path without its extension.
fn bare(path: &str) -> &str {
    let end = path.len() - path.rsplit('/').next().map_or(0, str::len) + stem(path).len();
    &path[..end]
}

/// The stem of the image that a label image belongs to, by its suffix.
fn labelled(stem: &str) -> Option<&str> {
    SUFFIXES
        .iter()
        .find_map(|s| stem.strip_suffix(s))
        .filter(|s| !s.is_empty())
}

fn by_layout(dir: &Path, walk: &Walk, notes: &mut Vec<String>) -> Result<Vec<Vec<String>>, Errors> {
    if let Some(rows) = masks_each(walk, notes) {
        return Ok(rows);
    }
    let mut parts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut top = 0;
    for path in &walk.images {
        match path.split_once('/') {
            Some((first, _)) => *parts.entry(first).or_default() += 1,
            None => top += 1,
        }
    }
    let is = |names: &[&str], folder: &str| names.iter().any(|n| folder.eq_ignore_ascii_case(n));
    let images: Vec<&str> = parts
        .keys()
        .copied()
        .filter(|f| is(IMAGE_FOLDERS, f))
        .collect();
    let labels: Vec<&str> = parts
        .keys()
        .copied()
        .filter(|f| is(LABEL_FOLDERS, f))
        .collect();
    let others: Vec<&str> = parts
        .keys()
        .copied()
        .filter(|f| !is(IMAGE_FOLDERS, f) && !is(LABEL_FOLDERS, f))
        .collect();
    let unclear = |what: &str| {
        let mut error = Error::new(&codes::FOLDER_LAYOUT, what).at(dir);
        if top > 0 {
            error = error.note(format!("{} in the folder itself", count(top, "image")));
        }
        for (folder, n) in parts.iter().take(20) {
            error = error.note(format!("{} in {folder}/", count(*n, "image")));
        }
        if parts.len() > 20 {
            error = error.note(format!("and {} more folders", parts.len() - 20));
        }
        Errors::from(error.help("give --pattern with named captures, or sort the files"))
    };
    let suffixed = walk
        .images
        .iter()
        .filter(|p| labelled(stem(p)).is_some())
        .count();
    match (&images[..], &labels[..], &others[..], top) {
        ([image], [label], [], 0) => beside(walk, image, label, notes),
        ([_, ..], _, _, _) | (_, [_, ..], _, _)
            if !(labels.is_empty() && others.is_empty() && top == 0 && images.len() == 1) =>
        {
            Err(unclear(
                "the folder has images or labels in folders of their own, and something else beside them",
            ))
        }
        ([_], [], [], 0) | ([], [], [], _) => Ok(flat(walk, suffixed, notes)),
        ([], [], [_, ..], 0) if suffixed == 0 => {
            let empty: Vec<&str> = walk
                .empty
                .iter()
                .map(String::as_str)
                .filter(|p| !p.contains('/'))
                .collect();
            if !empty.is_empty() {
                notes.push(format!(
                    "class folders without images: {}",
                    empty.join(", ")
                ));
            }
            notes.push(format!(
                "a folder for each of {}: {}",
                if others.len() == 1 {
                    "1 class".to_owned()
                } else {
                    format!("{} classes", others.len())
                },
                parts
                    .iter()
                    .map(|(f, n)| format!("{f} ({n})"))
                    .collect::<Vec<_>>()
                    .join(", ")
            ));
            let mut rows = vec![vec!["image".to_owned(), "class_name".to_owned()]];
            rows.extend(walk.images.iter().map(|path| {
                vec![
                    path.clone(),
                    path.split('/').next().unwrap_or_default().to_owned(),
                ]
            }));
            Ok(rows)
        }
        ([], [], [_, ..], 0) => Err(unclear(
            "the folder has folders as for classes, and in them label images",
        )),
        _ => Err(unclear(
            "the folder has images of its own, and folders with images as for classes",
        )),
    }
}

/// A folder for each image, with one file in `images` and a mask for each object in `masks`.
fn masks_each(walk: &Walk, notes: &mut Vec<String>) -> Option<Vec<Vec<String>>> {
    let mut folders: BTreeMap<&str, (Option<&str>, usize)> = BTreeMap::new();
    for path in &walk.images {
        let (inside, _) = path.rsplit_once('/')?;
        let (folder, kind) = inside.rsplit_once('/')?;
        let (image, masks) = folders.entry(folder).or_default();
        match kind {
            "images" | "image" if image.is_none() => *image = Some(path),
            "masks" => *masks += 1,
            _ => return None,
        }
    }
    let mut rows = vec![vec!["image".to_owned(), "truth".to_owned()]];
    let (mut all, mut without) = (0, Vec::new());
    for (folder, (image, masks)) in folders {
        let image = image?;
        let mut truth = format!("{folder}/masks/");
        if masks == 0 {
            without.push(image);
            truth.clear();
        }
        rows.push(vec![image.to_owned(), truth]);
        all += masks;
    }
    if all == 0 {
        return None;
    }
    notes.push(format!(
        "{}, {} of one object each",
        count(rows.len() - 1, "image"),
        count(all, "mask")
    ));
    some(notes, "images without a mask", &without);
    Some(rows)
}

/// `images` and `labels` side by side.
fn beside(
    walk: &Walk,
    image: &str,
    label: &str,
    notes: &mut Vec<String>,
) -> Result<Vec<Vec<String>>, Errors> {
    let below = |path: &str, folder: &str| {
        path.strip_prefix(folder)
            .and_then(|p| p.strip_prefix('/'))
            .map(str::to_owned)
    };
    let mut truths: BTreeMap<String, &str> = BTreeMap::new();
    let mut twice = Lines::default();
    for path in &walk.images {
        if let Some(rest) = below(path, label) {
            let key = bare(&rest);
            // `a_mask` in a folder of masks belongs to `a`.
            let key = labelled(key).unwrap_or(key).to_owned();
            if let Some(other) = truths.insert(key, path) {
                twice.push(1_usize, format!("{other} and {path}"));
            }
        }
    }
    if !twice.is_empty() {
        let mut error = twice.into_error(&codes::FOLDER_LAYOUT, "label images of the same name");
        error.location.line = None;
        return Err(error.help("keep one label image for each image").into());
    }
    let mut rows = vec![vec!["image".to_owned(), "truth".to_owned()]];
    let (mut without, mut used) = (Vec::new(), BTreeSet::new());
    for path in &walk.images {
        if let Some(rest) = below(path, image) {
            let truth = truths.get(bare(&rest)).copied();
            match truth {
                Some(truth) => drop(used.insert(truth)),
                None => without.push(path.as_str()),
            }
            rows.push(vec![path.clone(), truth.unwrap_or_default().to_owned()]);
        }
    }
    notes.push(format!(
        "{} in {image}/, {} in {label}/",
        count(rows.len() - 1, "image"),
        count(truths.len(), "label image")
    ));
    some(notes, "images without a label image", &without);
    let unused: Vec<&str> = truths
        .values()
        .copied()
        .filter(|t| !used.contains(t))
        .collect();
    some(notes, "label images without an image, left out", &unused);
    Ok(rows)
}

/// A note that names the first of several.
fn some(notes: &mut Vec<String>, what: &str, all: &[&str]) {
    if all.is_empty() {
        return;
    }
    let shown = all.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    let more = if all.len() > 5 { ", …" } else { "" };
    notes.push(format!("{what}: {} ({shown}{more})", all.len()));
}

/// Images in one folder, label images perhaps among them.
fn flat(walk: &Walk, suffixed: usize, notes: &mut Vec<String>) -> Vec<Vec<String>> {
    if suffixed == 0 {
        notes.push(format!("{}, no truth", count(walk.images.len(), "image")));
        let mut rows = vec![vec!["image".to_owned()]];
        rows.extend(walk.images.iter().map(|p| vec![p.clone()]));
        return rows;
    }
    let mut truths: BTreeMap<&str, &str> = BTreeMap::new();
    for path in &walk.images {
        if let Some(image) = labelled(bare(path)) {
            truths.entry(image).or_insert(path);
        }
    }
    let mut rows = vec![vec!["image".to_owned(), "truth".to_owned()]];
    let (mut without, mut used) = (Vec::new(), BTreeSet::new());
    for path in walk.images.iter().filter(|p| labelled(stem(p)).is_none()) {
        let truth = truths.get(bare(path)).copied();
        match truth {
            Some(truth) => drop(used.insert(truth)),
            None => without.push(path.as_str()),
        }
        rows.push(vec![path.clone(), truth.unwrap_or_default().to_owned()]);
    }
    notes.push(format!(
        "{} with label images beside them",
        count(rows.len() - 1, "image")
    ));
    some(notes, "images without a label image", &without);
    let unused: Vec<&str> = walk
        .images
        .iter()
        .map(String::as_str)
        .filter(|p| labelled(stem(p)).is_some() && !used.contains(p))
        .collect();
    some(notes, "label images without an image, left out", &unused);
    rows
}

fn by_pattern(
    dir: &Path,
    pattern: &str,
    images: &[String],
    notes: &mut Vec<String>,
) -> Result<Vec<Vec<String>>, Errors> {
    let wrong = |what: String| {
        Error::new(&codes::PATTERN, what)
            .field("--pattern")
            .note(pattern.to_owned())
    };
    let regex = regex::RegexBuilder::new(pattern)
        .size_limit(1 << 22)
        .build()
        .map_err(|e| {
            let last = e
                .to_string()
                .lines()
                .last()
                .unwrap_or_default()
                .trim()
                .to_owned();
            wrong(format!(
                "the pattern is not a regular expression: {}",
                last.trim_start_matches("error: ")
            ))
        })?;
    let names: Vec<&str> = regex.capture_names().flatten().collect();
    if names.is_empty() {
        return Err(wrong("the pattern has no named capture".to_owned())
            .help("name what becomes a column: (?P<well>[A-H][0-9]{2})")
            .into());
    }
    if let Some(name) = names.iter().find(|n| **n == "image") {
        return Err(wrong(format!(
            "a capture is named `{name}`, which is the column of the path"
        ))
        .help("choose another name")
        .into());
    }
    let matched: Vec<(&String, BTreeMap<&str, String>)> = images
        .iter()
        .filter_map(|path| {
            let captures = regex.captures(path)?;
            let values = names.iter().map(|n| {
                (
                    *n,
                    captures
                        .name(n)
                        .map_or_else(String::new, |m| m.as_str().to_owned()),
                )
            });
            Some((path, values.collect()))
        })
        .collect();
    if matched.is_empty() {
        let mut error = wrong(format!(
            "the pattern fits none of {}",
            count(images.len(), "image")
        ))
        .at(dir);
        for path in images.iter().take(3) {
            error = error.note(format!("such as {path}"));
        }
        return Err(error
            .help("the pattern is matched against the path below the folder")
            .into());
    }
    let over: Vec<&str> = {
        let fits: BTreeSet<&str> = matched.iter().map(|m| m.0.as_str()).collect();
        images
            .iter()
            .map(String::as_str)
            .filter(|p| !fits.contains(p))
            .collect()
    };
    some(notes, "images that do not fit the pattern, left out", &over);
    let plain: Vec<&str> = names.iter().copied().filter(|n| *n != "channel").collect();
    if plain.len() == names.len() {
        let mut rows = vec![
            std::iter::once("image")
                .chain(plain.iter().copied())
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        ];
        rows.extend(matched.iter().map(|(path, values)| {
            std::iter::once((*path).clone())
                .chain(plain.iter().map(|n| values[n].clone()))
                .collect()
        }));
        return Ok(rows);
    }
    let mut fields: BTreeMap<Vec<String>, BTreeMap<String, &str>> = BTreeMap::new();
    let mut twice = Lines::default();
    for (path, values) in &matched {
        let key: Vec<String> = plain.iter().map(|n| values[n].clone()).collect();
        let channel = values["channel"].clone();
        if channel.is_empty() {
            twice.push(1_usize, format!("{path} has no channel"));
        } else if let Some(other) = fields.entry(key).or_default().insert(channel, path) {
            twice.push(
                1_usize,
                format!("{other} and {path} are the same channel of the same field"),
            );
        }
    }
    if !twice.is_empty() {
        let mut error = twice
            .into_error(&codes::PATTERN, "the pattern does not tell files apart")
            .field("--pattern");
        error.location.line = None;
        return Err(error
            .note(pattern.to_owned())
            .help("capture what differs between them, such as field or time")
            .into());
    }
    let channels: BTreeSet<&String> = fields.values().flat_map(BTreeMap::keys).collect();
    let mut rows = vec![
        channels
            .iter()
            .map(|c| format!("image:{c}"))
            .chain(plain.iter().map(|n| (*n).to_owned()))
            .collect::<Vec<_>>(),
    ];
    let mut incomplete = 0;
    for (key, files) in &fields {
        let missing: Vec<&str> = channels
            .iter()
            .filter(|c| !files.contains_key(**c))
            .map(|c| c.as_str())
            .collect();
        if missing.is_empty() {
            rows.push(
                files
                    .values()
                    .map(|p| (*p).to_owned())
                    .chain(key.iter().cloned())
                    .collect(),
            );
            continue;
        }
        incomplete += 1;
        if incomplete <= 20 {
            let field: Vec<String> = plain
                .iter()
                .zip(key)
                .map(|(n, v)| format!("{n} = {v}"))
                .collect();
            let have = files.values().next().copied().unwrap_or_default();
            let field = if field.is_empty() {
                have.to_owned()
            } else {
                field.join(", ")
            };
            notes.push(format!(
                "left out: {field} lacks channel {}",
                missing.join(", ")
            ));
        }
    }
    if incomplete > 20 {
        notes.push(format!(
            "left out for a missing channel: {} more",
            incomplete - 20
        ));
    }
    if rows.len() == 1 {
        return Err(wrong(format!(
            "no field has all of the channels {}",
            channels
                .iter()
                .map(|c| c.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        ))
        .help("check what the pattern takes for a channel")
        .into());
    }
    notes.push(format!(
        "{} of {} channels: {}",
        count(rows.len() - 1, "field"),
        channels.len(),
        channels
            .iter()
            .map(|c| c.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    ));
    Ok(rows)
}
