//! Folders as `imagefolder` of Hugging Face reads them: a folder for each split, `metadata.csv` or `metadata.jsonl` beside the
//! images, or a folder for each class.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use transect_core::codes::manifest as codes;
use transect_core::{Error, Errors};

use super::objects::{Boxed, Picture, Pictures, write};
use super::place::{Place, files, files_named};
use super::size::size;
use super::tables::Known;
use super::{ImportOptions, Imported, Sheet, Sink, counts, some};
use crate::bounded;
use crate::path::extension;
use crate::rows::Lines;

/// What folders of a split are called.
const SPLITS: [(&str, &[&str]); 3] = [
    ("train", &["train", "training"]),
    ("val", &["validation", "valid", "val", "dev"]),
    ("test", &["test", "testing", "eval", "evaluation"]),
];

/// Columns that a manifest gives a meaning to.
const RESERVED: [&str; 6] = ["image", "page", "role", "pixel_size_um", "split", "boxes"];

/// The split that a folder is of.
fn split(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    SPLITS
        .iter()
        .find(|(_, names)| names.contains(&lower.as_str()))
        .map(|(split, _)| *split)
}

/// The split of a path below the folder: of its first folder, or of the first in `data`.
fn split_of(path: &str) -> &'static str {
    let mut parts = path.split('/');
    let first = parts.next().unwrap_or_default();
    let first = if first == "data" {
        parts.next().unwrap_or_default()
    } else {
        first
    };
    split(first).unwrap_or_default()
}

/// A row of metadata.
struct Record {
    cells: BTreeMap<String, String>,
    boxes: Option<Vec<Boxed>>,
}

pub(super) fn import(
    source: &Path,
    options: &ImportOptions,
    sink: &mut Sink,
) -> Result<Imported, Errors> {
    if !source.is_dir() {
        return Err(Error::new(&codes::IMPORT_LAYOUT, "this is not a folder")
            .at(source)
            .help("give the folder that holds the images and metadata.csv or metadata.jsonl")
            .into());
    }
    let tables = files_named(source, &["metadata.csv", "metadata.jsonl"])?;
    let mut place = Place::new(&options.root, source)?;
    let mut notes = Vec::new();
    if tables.is_empty() {
        if let Some(parquet) = files_named(source, &["metadata.parquet"])?.first() {
            return Err(Error::new(&codes::IMPORT_LAYOUT, "metadata in Parquet is not read")
                .at(source.join(parquet))
                .help("save it as metadata.csv: python -c \"import pandas; pandas.read_parquet('metadata.parquet').to_csv('metadata.csv', index=False)\"")
                .into());
        }
        return by_folder(source, &mut place);
    }
    let mut columns: Vec<String> = Vec::new();
    let mut records: Vec<(String, &str, Record)> = Vec::new();
    let mut nested: BTreeSet<String> = BTreeSet::new();
    let mut errors = Errors::new();
    for table in &tables {
        let folder = table.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = source.join(table);
        let rows = if extension(table).as_deref() == Some("csv") {
            of_csv(&path, options, &mut columns)
        } else {
            of_lines(&path, options, &mut columns, &mut nested)
        };
        match rows {
            Ok(rows) => records.extend(
                rows.into_iter()
                    .map(|r| (folder.to_owned(), split_of(table), r)),
            ),
            Err(e) => errors.0.extend(e.0),
        }
    }
    errors.or(())?;
    columns.retain(|c| c != "file_name");
    let names: Vec<String> = columns
        .iter()
        .map(|c| match c.strip_suffix("_file_name") {
            Some(bare) => bare.to_owned(),
            None if RESERVED.contains(&c.as_str()) => format!("metadata_{c}"),
            None => c.clone(),
        })
        .collect();
    let boxed = records.iter().any(|r| r.2.boxes.is_some());
    let mut pictures = Vec::new();
    let mut errors = Errors::new();
    for (folder, split, record) in records {
        let from = |name: &str| {
            if folder.is_empty() || name.is_empty() {
                name.to_owned()
            } else {
                format!("{folder}/{name}")
            }
        };
        let name = from(record.cells.get("file_name").map_or("", String::as_str));
        let Some(image) = place.find(&name) else {
            continue;
        };
        let split = if split.is_empty() {
            split_of(&name)
        } else {
            split
        };
        let mut cells: Vec<String> = columns
            .iter()
            .map(|c| {
                let cell = record.cells.get(c).cloned().unwrap_or_default();
                if c.ends_with("_file_name") && !cell.is_empty() {
                    place.find(&from(&cell)).unwrap_or_default()
                } else {
                    cell
                }
            })
            .collect();
        cells.push(split.to_owned());
        // Boxes are in pixels: the size is asked for only where there are some.
        let size = if boxed {
            match size(&place.file(&image), &options.limits) {
                Ok(size) => size,
                Err(e) => {
                    errors.push(e);
                    continue;
                }
            }
        } else {
            [1, 1]
        };
        let boxes = record.boxes.unwrap_or_default();
        pictures.push(Picture {
            objects: boxes.iter().map(|b| b.class.clone()).collect(),
            boxes,
            cells,
            ..Picture::empty(image, size)
        });
    }
    errors.or(())?;
    place.close(source, pictures.len(), &mut notes)?;
    let nested: Vec<String> = nested
        .into_iter()
        .map(|n| n.escape_debug().to_string())
        .collect();
    some(
        &mut notes,
        "columns of lists and objects, left out",
        &nested,
    );
    let truth = ["label", "labels", "class", "class_name", "category", "mask"]
        .into_iter()
        .find(|n| names.iter().any(|c| c == n))
        .map(|n| format!("--truth {n}"));
    if boxed {
        let classes: BTreeSet<String> = pictures
            .iter()
            .flat_map(|p| p.boxes.iter().map(|b| b.class.clone()))
            .collect();
        let mut all = names.iter().map(String::as_str).collect::<Vec<_>>();
        all.push("split");
        return write(
            source,
            Pictures {
                all: pictures,
                classes: classes.into_iter().collect(),
                columns: all,
                is_truth: true,
                notes,
            },
            options,
            sink,
        );
    }
    let mut sheet = Sheet::new(
        std::iter::once("image")
            .chain(names.iter().map(String::as_str))
            .chain(["split"]),
    );
    for picture in pictures {
        let mut row = vec![picture.image];
        row.extend(picture.cells);
        sheet.rows.push(row);
    }
    sheet.without_empty(&["split"]);
    notes.insert(
        0,
        format!(
            "{}; tables of metadata: {}",
            counts(&[(sheet.rows.len(), "image")]),
            tables.len()
        ),
    );
    if truth.is_none() {
        notes.push(format!(
            "which column is the truth is not told by its name: {}",
            names.join(", ")
        ));
    }
    Ok(Imported {
        csv: sheet.csv(),
        notes,
        audit: truth.into_iter().collect(),
    })
}

/// Folders of classes, perhaps in folders of splits.
fn by_folder(source: &Path, place: &mut Place) -> Result<Imported, Errors> {
    let mut sheet = Sheet::new(["image", "class_name", "split"]);
    for name in files(source)? {
        let parent = name.rsplit_once('/').map_or("", |(folder, _)| {
            folder.rsplit('/').next().unwrap_or_default()
        });
        let class = if split(parent).is_some() || parent == "data" {
            ""
        } else {
            parent
        };
        if let Some(image) = place.find(&name) {
            sheet
                .rows
                .push(vec![image, class.to_owned(), split_of(&name).to_owned()]);
        }
    }
    if sheet.rows.is_empty() {
        return Err(Error::new(
            &codes::IMPORT_LAYOUT,
            "there is neither metadata.csv, metadata.jsonl nor an image",
        )
        .at(source)
        .into());
    }
    sheet.without_empty(&["class_name", "split"]);
    let truth = sheet.headers.iter().any(|h| h == "class_name");
    Ok(Imported {
        notes: vec![counts(&[(sheet.rows.len(), "image")])],
        csv: sheet.csv(),
        audit: truth
            .then(|| "--truth class_name".to_owned())
            .into_iter()
            .collect(),
    })
}

fn of_csv(
    path: &Path,
    options: &ImportOptions,
    columns: &mut Vec<String>,
) -> Result<Vec<Record>, Errors> {
    let table = Known::read(path, &["file_name"], options.limits.max_file_bytes)?;
    for header in table.headers() {
        if !columns.contains(header) {
            columns.push(header.clone());
        }
    }
    Ok(table
        .rows()
        .map(|row| Record {
            cells: table
                .headers()
                .iter()
                .map(|h| (h.clone(), row.get(h).to_owned()))
                .collect(),
            boxes: None,
        })
        .collect())
}

fn of_lines(
    path: &Path,
    options: &ImportOptions,
    columns: &mut Vec<String>,
    nested: &mut BTreeSet<String>,
) -> Result<Vec<Record>, Errors> {
    let bytes = bounded::read(path, options.limits.max_file_bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut bad = Lines::default();
    let mut records = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        if line.trim().is_empty() {
            continue;
        }
        let object: serde_json::Map<String, Value> =
            match bounded::parse(line.as_bytes(), "an object") {
                Ok(object) => object,
                Err(e) => {
                    bad.push(number, format!("line {number}: {}", e.message));
                    continue;
                }
            };
        let mut record = Record {
            cells: BTreeMap::new(),
            boxes: None,
        };
        for (key, value) in object {
            let text = match value {
                Value::Null => String::new(),
                Value::String(text) => text.trim().to_owned(),
                Value::Bool(value) => value.to_string(),
                Value::Number(value) => value.to_string(),
                Value::Object(objects) if key == "objects" => {
                    match boxes(&objects) {
                        Some(boxes) => record.boxes = Some(boxes),
                        None => bad.push(
                            number,
                            format!("line {number}: `objects` is not boxes x, y, width, height with one category each"),
                        ),
                    }
                    continue;
                }
                Value::Array(_) | Value::Object(_) => {
                    nested.insert(key);
                    continue;
                }
            };
            if !columns.contains(&key) {
                columns.push(key.clone());
            }
            record.cells.insert(key, text);
        }
        if record.cells.get("file_name").is_none_or(String::is_empty) {
            bad.push(number, format!("line {number}: no `file_name`"));
        }
        records.push(record);
    }
    if !bad.is_empty() {
        let message = format!(
            "{} cannot be understood",
            crate::rows::count(bad.count(), "line")
        );
        return Err(bad.into_error(&codes::ANNOTATIONS, message).at(path).into());
    }
    Ok(records)
}

/// `{"bbox": [[x, y, width, height], …], "categories": […]}`.
fn boxes(objects: &serde_json::Map<String, Value>) -> Option<Vec<Boxed>> {
    let list = objects.get("bbox")?.as_array()?;
    let classes = ["categories", "category", "labels", "label"]
        .iter()
        .find_map(|name| objects.get(*name))
        .and_then(Value::as_array);
    if classes.is_some_and(|c| c.len() != list.len()) {
        return None;
    }
    list.iter()
        .enumerate()
        .map(|(index, edges)| {
            let edges: Option<Vec<f64>> = edges.as_array()?.iter().map(Value::as_f64).collect();
            let &[x, y, width, height] = edges.as_deref()? else {
                return None;
            };
            let class = match classes.map(|c| &c[index]) {
                None => "object".to_owned(),
                Some(Value::String(name)) => name.clone(),
                Some(Value::Number(number)) => number.to_string(),
                Some(_) => return None,
            };
            (width >= 0.0 && height >= 0.0).then_some(Boxed {
                class,
                edges: [y, x, y + height, x + width],
                score: None,
            })
        })
        .collect()
}
