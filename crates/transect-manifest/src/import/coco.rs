//! COCO: `images`, `annotations`, `categories` in one JSON file.

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
use crate::outline::{Outline, Shape, ring_of_pairs, runs_from_counts, runs_from_text};
use crate::rows::{Lines, count};

/// A name that is a number in some files and a text in others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Number(i64),
    Text(String),
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{}", text.escape_debug()),
        }
    }
}

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
    width: Option<f64>,
    #[serde(default)]
    height: Option<f64>,
}

#[derive(Deserialize)]
pub(super) struct Category {
    pub(super) id: Id,
    pub(super) name: String,
}

#[derive(Deserialize)]
struct Annotation {
    #[serde(default)]
    id: Option<Id>,
    image_id: Id,
    category_id: Id,
    #[serde(default)]
    bbox: Option<Vec<f64>>,
    #[serde(default)]
    segmentation: Option<Segmentation>,
    #[serde(default)]
    iscrowd: Option<Flag>,
    #[serde(default)]
    keypoints: Option<serde::de::IgnoredAny>,
}

/// 0 or 1, or a truth value.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Number(f64),
    Truth(bool),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Segmentation {
    Polygons(Vec<Vec<f64>>),
    /// One polygon, not in a list.
    Polygon(Vec<f64>),
    Runs {
        counts: Counts,
        size: [u32; 2],
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Counts {
    Lengths(Vec<u32>),
    Text(String),
}

pub(super) fn import(
    source: &Path,
    options: &ImportOptions,
    sink: &mut Sink,
) -> Result<Imported, Errors> {
    let file: File = bounded::json(
        source,
        options.limits.max_file_bytes,
        "COCO (an object with the lists `images`, `annotations` and `categories`)",
    )?;
    let pictures = read(source, file, options)?;
    write(source, pictures, options, sink)
}

/// The names of categories by id.
pub(super) fn names(source: &Path, categories: &[Category]) -> Result<BTreeMap<Id, usize>, Errors> {
    let mut index = BTreeMap::new();
    for (place, category) in categories.iter().enumerate() {
        if index.insert(category.id.clone(), place).is_some() {
            return Err(Error::new(
                &codes::ANNOTATIONS,
                format!("two categories have the id {}", category.id),
            )
            .at(source)
            .into());
        }
    }
    Ok(index)
}

/// Error of what many annotations do wrong.
fn tell(source: &Path, lines: Lines, what: &str, errors: &mut Errors) {
    if !lines.is_empty() {
        let message = format!("{} {what}", count(lines.count(), "annotation"));
        let mut error = lines.into_error(&codes::ANNOTATIONS, message).at(source);
        error.location.line = None;
        errors.push(error);
    }
}

fn read<'a>(source: &Path, file: File, options: &ImportOptions) -> Result<Pictures<'a>, Errors> {
    let category = names(source, &file.categories)?;
    let folder = options.images.clone().unwrap_or_else(|| {
        source
            .parent()
            .map_or_else(Default::default, Path::to_owned)
    });
    let mut place = Place::new(&options.root, &folder)?;
    let mut notes = Vec::new();
    let mut errors = Errors::new();
    let mut pictures: Vec<Picture> = Vec::new();
    let mut of_image: BTreeMap<Id, Option<usize>> = BTreeMap::new();
    for image in file.images {
        let found = place.find(&image.file_name);
        let at = match found {
            None => None,
            Some(path) => {
                let side = |side: Option<f64>| {
                    side.filter(|s| *s >= 1.0 && *s <= f64::from(options.limits.max_side))
                        .map(|s| s as usize)
                };
                let stated = side(image.height).zip(side(image.width));
                let size = match stated {
                    Some((rows, columns)) => Ok([rows, columns]),
                    None => size(&place.file(&path), &options.limits),
                };
                match size {
                    Ok(size) => {
                        pictures.push(Picture::empty(path, size));
                        Some(pictures.len() - 1)
                    }
                    Err(e) => {
                        errors.push(e);
                        None
                    }
                }
            }
        };
        if of_image.insert(image.id.clone(), at).is_some() {
            errors.push(
                Error::new(
                    &codes::ANNOTATIONS,
                    format!("two images have the id {}", image.id),
                )
                .at(source),
            );
        }
    }
    place.close(source, pictures.len(), &mut notes)?;
    let (mut no_image, mut no_category, mut bad_box, mut bad_outline) = (
        Lines::default(),
        Lines::default(),
        Lines::default(),
        Lines::default(),
    );
    let (mut keypoints, mut empty) = (0_usize, Vec::new());
    for (index, annotation) in file.annotations.into_iter().enumerate() {
        let name = annotation.id.as_ref().map_or_else(
            || format!("annotation {} of the list", index + 1),
            |id| format!("annotation {id}"),
        );
        keypoints += usize::from(annotation.keypoints.is_some());
        let Some(&class) = category.get(&annotation.category_id) else {
            no_category.push(
                1_usize,
                format!("{name}: category_id {}", annotation.category_id),
            );
            continue;
        };
        let class = file.categories[class].name.clone();
        let Some(&at) = of_image.get(&annotation.image_id) else {
            no_image.push(1_usize, format!("{name}: image_id {}", annotation.image_id));
            continue;
        };
        let crowd = match annotation.iscrowd {
            Some(Flag::Number(value)) => value != 0.0,
            Some(Flag::Truth(value)) => value,
            None => false,
        };
        let shape = match shape(annotation.segmentation) {
            Ok(shape) => shape,
            Err(e) => {
                bad_outline.push(1_usize, format!("{name}: {}", e.message));
                continue;
            }
        };
        let edges = match annotation.bbox.as_deref() {
            None | Some([]) => None,
            Some(&[x, y, width, height])
                if [x, y, width, height].iter().all(|v| v.is_finite())
                    && width >= 0.0
                    && height >= 0.0 =>
            {
                Some([y, x, y + height, x + width])
            }
            Some(_) => {
                bad_box.push(1_usize, name);
                continue;
            }
        };
        let Some(picture) = at.map(|at| &mut pictures[at]) else {
            continue;
        };
        if shape.is_none() && edges.is_none() {
            empty.push(name);
            continue;
        }
        if !crowd {
            picture.objects.push(class.clone());
            if shape.is_none() {
                picture.without_outline.push(class.clone());
            }
        }
        if let Some(shape) = shape {
            let outline = Outline {
                name,
                class: Some(class.clone()),
                shape,
            };
            if crowd {
                picture.crowds.push(outline);
            } else {
                picture.outlines.push(outline);
            }
        }
        if let (Some(edges), false) = (edges, crowd) {
            picture.boxes.push(Boxed {
                class,
                edges,
                score: None,
            });
        }
    }
    tell(
        source,
        no_image,
        "of images that are not in `images`",
        &mut errors,
    );
    tell(
        source,
        no_category,
        "of categories that are not in `categories`",
        &mut errors,
    );
    tell(
        source,
        bad_box,
        "whose `bbox` is not x, y, width, height",
        &mut errors,
    );
    tell(
        source,
        bad_outline,
        "whose `segmentation` cannot be drawn",
        &mut errors,
    );
    if keypoints > 0 {
        notes.push(format!(
            "key points of {} are not read",
            count(keypoints, "annotation")
        ));
    }
    some(
        &mut notes,
        "annotations without a box and an outline, left out",
        &empty,
    );
    errors.or(Pictures {
        all: pictures,
        classes: file.categories.into_iter().map(|c| c.name).collect(),
        columns: Vec::new(),
        is_truth: true,
        notes,
    })
}

fn shape(segmentation: Option<Segmentation>) -> Result<Option<Shape>, Error> {
    let rings = |polygons: &[Vec<f64>]| {
        polygons
            .iter()
            .map(|p| ring_of_pairs(p).map(|ring| vec![ring]))
            .collect::<Result<Vec<_>, _>>()
            .map(|groups| Some(Shape::Rings(groups)))
    };
    match segmentation {
        None => Ok(None),
        Some(Segmentation::Polygons(polygons)) if polygons.is_empty() => Ok(None),
        Some(Segmentation::Polygons(polygons)) => rings(&polygons),
        Some(Segmentation::Polygon(polygon)) => rings(&[polygon]),
        Some(Segmentation::Runs { counts, size }) => match counts {
            Counts::Lengths(counts) => runs_from_counts(size, counts),
            Counts::Text(text) => runs_from_text(size, &text),
        }
        .map(|runs| Some(Shape::Runs(runs))),
    }
}
