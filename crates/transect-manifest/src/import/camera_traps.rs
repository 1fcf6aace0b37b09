//! COCO Camera Traps: COCO with a place, a sequence and a time for each image, and species for images as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use transect_core::Errors;
use transect_core::codes::manifest as codes;

use super::coco::{Category, Id, names};
use super::objects::{Boxed, check_classes, keep_boxes};
use super::place::Place;
use super::{ImportOptions, Imported, Sheet, Sink};
use crate::bounded;
use crate::rows::{Lines, count};

#[derive(Deserialize)]
struct File {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Image {
    id: Id,
    file_name: String,
    #[serde(default)]
    location: Option<Id>,
    #[serde(default)]
    seq_id: Option<Id>,
    #[serde(default)]
    frame_num: Option<Id>,
    #[serde(default)]
    datetime: Option<String>,
    #[serde(default)]
    corrupt: Option<bool>,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: Id,
    category_id: Id,
    #[serde(default, rename = "sequence_level_annotation")]
    of_sequence: Option<bool>,
    #[serde(default)]
    bbox: Option<Vec<f64>>,
}

/// What the annotations say of an image.
#[derive(Default)]
struct Said {
    classes: BTreeSet<usize>,
    of_sequence: bool,
    boxes: Vec<Boxed>,
}

/// Cells of an image that shows these classes: one of them, or all, joined by `|`.
pub(super) fn one_or_all(classes: &[&str]) -> [String; 2] {
    let one = match classes {
        [one] => (*one).to_owned(),
        _ => String::new(),
    };
    [one, classes.join("|")]
}

pub(super) fn import(
    source: &Path,
    options: &ImportOptions,
    sink: &mut Sink,
) -> Result<Imported, Errors> {
    let file: File = bounded::json(
        source,
        options.limits.max_file_bytes,
        "COCO Camera Traps (an object with the lists `images`, `annotations` and `categories`)",
    )?;
    let category = names(source, &file.categories)?;
    let classes: Vec<String> = file.categories.iter().map(|c| c.name.clone()).collect();
    check_classes(source, &options.classes, &classes)?;
    let mut said: BTreeMap<&Id, Said> = BTreeMap::new();
    let ids: BTreeSet<&Id> = file.images.iter().map(|i| &i.id).collect();
    let mut unknown = Lines::default();
    for annotation in &file.annotations {
        let class = category.get(&annotation.category_id);
        let (Some(&class), true) = (class, ids.contains(&annotation.image_id)) else {
            unknown.push(
                1_usize,
                format!(
                    "image_id {}, category_id {}",
                    annotation.image_id, annotation.category_id
                ),
            );
            continue;
        };
        let said = said.entry(&annotation.image_id).or_default();
        said.classes.insert(class);
        said.of_sequence |= annotation.of_sequence == Some(true);
        if let Some(&[x, y, width, height]) = annotation.bbox.as_deref() {
            said.boxes.push(Boxed {
                class: classes[class].clone(),
                edges: [y, x, y + height, x + width],
                score: None,
            });
        }
    }
    if !unknown.is_empty() {
        let message = format!(
            "{} of an image or a category that is not there",
            count(unknown.count(), "annotation")
        );
        let mut error = unknown.into_error(&codes::ANNOTATIONS, message).at(source);
        error.location.line = None;
        return Err(error.into());
    }
    let folder = options.images.clone().unwrap_or_else(|| {
        source
            .parent()
            .map_or_else(Default::default, Path::to_owned)
    });
    let mut place = Place::new(&options.root, &folder)?;
    let mut sheet = Sheet::new([
        "image",
        "class_name",
        "classes",
        "boxes",
        "location",
        "sequence",
        "frame",
        "datetime",
        "label_of",
    ]);
    let mut notes = Vec::new();
    let (mut corrupt, mut several, mut silent, mut of_sequence) = (0, 0, 0, 0);
    let nothing = Said::default();
    let mut boxes: Vec<&[Boxed]> = Vec::new();
    for image in &file.images {
        if image.corrupt == Some(true) {
            corrupt += 1;
            continue;
        }
        let Some(path) = place.find(&image.file_name) else {
            continue;
        };
        let said = said.get(&image.id).unwrap_or(&nothing);
        let names: Vec<&str> = said
            .classes
            .iter()
            .map(|c| classes[*c].as_str())
            .filter(|c| options.classes.is_empty() || options.classes.iter().any(|o| o == c))
            .collect();
        if names.is_empty() && !options.classes.is_empty() {
            continue;
        }
        several += usize::from(names.len() > 1);
        silent += usize::from(names.is_empty());
        of_sequence += usize::from(said.of_sequence);
        let [one, all] = one_or_all(&names);
        let text = |id: &Option<Id>| id.as_ref().map_or_else(String::new, Id::to_string);
        let level = match (names.is_empty(), said.of_sequence) {
            (true, _) => "",
            (false, true) => "sequence",
            (false, false) => "image",
        };
        boxes.push(&said.boxes);
        sheet.rows.push(vec![
            path,
            one,
            all,
            String::new(),
            text(&image.location),
            text(&image.seq_id),
            text(&image.frame_num),
            image.datetime.clone().unwrap_or_default(),
            level.to_owned(),
        ]);
    }
    place.close(source, sheet.rows.len(), &mut notes)?;
    for (row, boxes) in sheet.rows.iter_mut().zip(boxes) {
        if !boxes.is_empty() {
            row[3] = keep_boxes(options, &row[0], boxes, true, sink)?;
        }
    }
    notes.insert(0, count(sheet.rows.len(), "image"));
    tell(
        &mut notes,
        &[
            (corrupt, "images that the file calls corrupt, left out"),
            (silent, "images without a class, empty in `class_name`"),
            (
                several,
                "images of several classes, empty in `class_name`, all in `classes`",
            ),
            (
                of_sequence,
                "images labelled with their sequence as a whole (the animal need not be in each; leave them out with --where \"label_of = 'image'\")",
            ),
        ],
    );
    sheet.without_empty(&[
        "boxes", "location", "sequence", "frame", "datetime", "classes",
    ]);
    Ok(Imported {
        audit: audit(&sheet, &mut notes),
        csv: sheet.csv(),
        notes,
    })
}

/// Notes on how many there are of what.
pub(super) fn tell(notes: &mut Vec<String>, counts: &[(usize, &str)]) {
    let some = counts.iter().filter(|(n, _)| *n > 0);
    notes.extend(some.map(|(n, what)| format!("{what}: {n}")));
}

/// Options for images of camera traps: what a model has not seen is the place; images of one burst are one sighting.
pub(super) fn audit(sheet: &Sheet, notes: &mut Vec<String>) -> Vec<String> {
    let mut audit = vec!["--truth class_name".to_owned()];
    let has = |name: &str| sheet.headers.iter().any(|h| h == name);
    if has("location") {
        audit.push("--domain location".to_owned());
    } else {
        notes.push("no image has a location: there is no --domain".to_owned());
    }
    if has("sequence") {
        audit.push("--group sequence".to_owned());
    } else {
        notes.push("no image has a sequence: images of one burst would count as independent; group them by place and time by hand".to_owned());
    }
    audit
}
