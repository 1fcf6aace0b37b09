//! Folders of bioimage.io: a data set with its description `rdf.yaml`, or a model with its sample images.

use std::path::Path;

use serde_json::Value;
use transect_core::codes::manifest as codes;
use transect_core::{Error, Errors};

use super::place::{Place, below};
use super::{ImportOptions, Imported, Sheet};
use crate::bounded;
use crate::folder::{FolderOptions, list_without};
use crate::path::is_image;

/// Largest description, bytes.
const MOST_YAML: u64 = 1 << 22;

pub(super) fn import(source: &Path, options: &ImportOptions) -> Result<Imported, Errors> {
    let (folder, file) = if source.is_file() {
        let parent = source.parent().unwrap_or(Path::new(""));
        (parent.to_owned(), source.to_owned())
    } else {
        let file = ["rdf.yaml", "bioimageio.yaml", "dataset.yaml"]
            .iter()
            .map(|name| source.join(name))
            .find(|path| path.is_file())
            .ok_or_else(|| {
                Error::new(&codes::IMPORT_LAYOUT, "there is no rdf.yaml in the folder")
                    .at(source)
                    .help("give the folder that a package of bioimage.io was unpacked into")
            })?;
        (source.to_owned(), file)
    };
    let bytes = bounded::read(&file, MOST_YAML)?;
    let wrong = |what: String| Error::new(&codes::ANNOTATIONS, what).at(&file);
    let text =
        String::from_utf8(bytes).map_err(|_| wrong("the file is not UTF-8 text".to_owned()))?;
    let rdf: Value = serde_saphyr::from_str(&text).map_err(|e| {
        let text = e.to_string();
        wrong(format!(
            "this is not YAML: {}",
            text.lines().next().unwrap_or_default()
        ))
    })?;
    match rdf.get("type").and_then(Value::as_str) {
        Some("dataset") => data_set(&folder, &rdf, options),
        Some("model") => model(&folder, &file, &rdf, options),
        other => Err(Error::new(
            &codes::IMPORT_LAYOUT,
            format!(
                "the description is of a {}, which has no images",
                other.unwrap_or("thing without `type`").escape_debug()
            ),
        )
        .at(&file)
        .into()),
    }
}

/// The name of a file: a text, or an object with `source`.
fn name(value: &Value) -> Option<&str> {
    value
        .as_str()
        .or_else(|| value.get("source").and_then(Value::as_str))
}

fn list<'v>(rdf: &'v Value, key: &str) -> &'v [Value] {
    rdf.get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn data_set(folder: &Path, rdf: &Value, options: &ImportOptions) -> Result<Imported, Errors> {
    let prefix = below(&options.root, folder)?;
    let passed: Vec<&str> = list(rdf, "covers").iter().filter_map(name).collect();
    let listing = list_without(folder, &FolderOptions::default(), &passed)?;
    let mut reader = csv::Reader::from_reader(listing.csv.as_bytes());
    let headers: Vec<String> = reader
        .headers()
        .map(|h| h.iter().map(str::to_owned).collect())
        .unwrap_or_default();
    let mut sheet = Sheet {
        headers,
        rows: Vec::new(),
    };
    for record in reader.records().flatten() {
        sheet.rows.push(
            record
                .iter()
                .zip(&sheet.headers)
                .map(|(cell, header)| {
                    if matches!(header.as_str(), "image" | "truth") && !cell.is_empty() {
                        format!("{prefix}{cell}")
                    } else {
                        cell.to_owned()
                    }
                })
                .collect(),
        );
    }
    let mut notes = listing.notes;
    if let Some(licence) = rdf.get("license").and_then(Value::as_str) {
        notes.push(format!(
            "licence of the data set: {}",
            licence.escape_debug()
        ));
    }
    let audit = ["class_name", "truth"]
        .iter()
        .find(|c| sheet.headers.iter().any(|h| h == *c))
        .map(|c| format!("--truth {c}"));
    Ok(Imported {
        csv: sheet.csv(),
        notes,
        audit: audit.into_iter().collect(),
    })
}

fn model(
    folder: &Path,
    file: &Path,
    rdf: &Value,
    options: &ImportOptions,
) -> Result<Imported, Errors> {
    let mut place = Place::new(&options.root, folder)?;
    let inputs = list(rdf, "inputs");
    if inputs.len() > 1 {
        return Err(Error::new(
            &codes::IMPORT_LAYOUT,
            format!("the model has {} inputs; an image is one", inputs.len()),
        )
        .at(file)
        .into());
    }
    // Sample and test tensor are the same image in two files: one of them is taken.
    let first = |key: &str| {
        let names: Vec<&str> = inputs.iter().filter_map(|i| name(i.get(key)?)).collect();
        (!names.is_empty()).then_some(names)
    };
    let older = |key: &str| {
        let names: Vec<&str> = list(rdf, key).iter().filter_map(name).collect();
        (!names.is_empty()).then_some(names)
    };
    let named = first("sample_tensor")
        .or_else(|| older("sample_inputs"))
        .or_else(|| first("test_tensor"))
        .or_else(|| older("test_inputs"))
        .unwrap_or_default();
    let mut sheet = Sheet::new(["image"]);
    let mut notes = Vec::new();
    for name in named.into_iter().filter(|n| is_image(n)) {
        if let Some(image) = place.find(name) {
            sheet.rows.push(vec![image]);
        }
    }
    place.close(file, sheet.rows.len(), &mut notes)?;
    if sheet.rows.is_empty() {
        return Err(Error::new(
            &codes::IMPORT_LAYOUT,
            "the model's folder has no sample image that is read",
        )
        .at(file)
        .into());
    }
    notes.push(
        "images are the model's own samples; its sample outputs are predictions, not truth"
            .to_owned(),
    );
    Ok(Imported {
        csv: sheet.csv(),
        notes,
        audit: Vec::new(),
    })
}
