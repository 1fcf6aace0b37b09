//! The JSON of MegaDetector: what a detector found in images of camera traps. It is no truth.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use transect_core::codes::manifest as codes;
use transect_core::{Error, Errors};

use super::objects::{Boxed, Picture, Pictures, write};
use super::place::Place;
use super::size::size;
use super::{ImportOptions, Imported, Sink, some};
use crate::bounded;
use crate::rows::Lines;

#[derive(Deserialize)]
struct File {
    images: Vec<Image>,
    detection_categories: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Image {
    file: String,
    #[serde(default)]
    detections: Option<Vec<Detection>>,
    #[serde(default)]
    failure: Option<String>,
}

#[derive(Deserialize)]
struct Detection {
    category: String,
    conf: f64,
    bbox: [f64; 4],
}

pub(super) fn import(
    source: &Path,
    options: &ImportOptions,
    sink: &mut Sink,
) -> Result<Imported, Errors> {
    let file: File = bounded::json(
        source,
        options.limits.max_file_bytes,
        "MegaDetector's JSON (an object with `images` and `detection_categories`)",
    )?;
    let folder = options.images.clone().unwrap_or_else(|| {
        source
            .parent()
            .map_or_else(Default::default, Path::to_owned)
    });
    let mut place = Place::new(&options.root, &folder)?;
    let mut pictures = Vec::new();
    let mut notes = vec![
        "boxes and scores are a detector's, not truth: they choose images (--where \"max_score >= 0.8\"), and no --truth is named".to_owned(),
    ];
    let mut errors = Errors::new();
    let mut bad = Lines::default();
    let mut failed = Vec::new();
    for image in file.images {
        if image.failure.is_some() || image.detections.is_none() {
            failed.push(image.file.escape_debug().to_string());
            continue;
        }
        let Some(path) = place.find(&image.file) else {
            continue;
        };
        let size = match size(&place.file(&path), &options.limits) {
            Ok(size) => size,
            Err(e) => {
                errors.push(e);
                continue;
            }
        };
        let [rows, columns] = size.map(|s| s as f64);
        let mut boxes = Vec::new();
        let mut most: f64 = 0.0;
        for detection in image.detections.unwrap_or_default() {
            let [x, y, width, height] = detection.bbox;
            let sound = detection.bbox.iter().all(|v| (-0.5..=1.5).contains(v))
                && width >= 0.0
                && height >= 0.0
                && (0.0..=1.0).contains(&detection.conf);
            let Some(class) = file
                .detection_categories
                .get(&detection.category)
                .filter(|_| sound)
            else {
                bad.push(
                    1_usize,
                    format!(
                        "{}: category {}, score {}, box {:?}",
                        image.file.escape_debug(),
                        detection.category.escape_debug(),
                        detection.conf,
                        detection.bbox
                    ),
                );
                continue;
            };
            if options.classes.is_empty() || options.classes.contains(class) {
                most = most.max(detection.conf);
            }
            boxes.push(Boxed {
                class: class.clone(),
                edges: [
                    y * rows,
                    x * columns,
                    (y + height) * rows,
                    (x + width) * columns,
                ],
                score: Some(detection.conf),
            });
        }
        pictures.push(Picture {
            objects: boxes.iter().map(|b: &Boxed| b.class.clone()).collect(),
            boxes,
            cells: vec![most.to_string()],
            ..Picture::empty(path, size)
        });
    }
    place.close(source, pictures.len(), &mut notes)?;
    if !bad.is_empty() {
        let message = format!(
            "{} cannot be understood",
            crate::rows::count(bad.count(), "detection")
        );
        let mut error = bad.into_error(&codes::ANNOTATIONS, message).at(source);
        error.location.line = None;
        errors.push(error.help(
            "boxes are x, y, width, height in parts of the image, scores lie between 0 and 1, categories stand in `detection_categories`",
        ));
    }
    errors.or(())?;
    if pictures.is_empty() {
        return Err(Error::new(
            &codes::IMPORT_LAYOUT,
            "the file has no image with detections",
        )
        .at(source)
        .into());
    }
    some(
        &mut notes,
        "images that the detector could not read, left out",
        &failed,
    );
    write(
        source,
        Pictures {
            all: pictures,
            classes: file.detection_categories.into_values().collect(),
            columns: vec!["max_score"],
            is_truth: false,
            notes,
        },
        options,
        sink,
    )
}
