//! YOLO: `data.yaml` or `classes.txt`, folders of images, and beside each a folder of texts with boxes or polygons.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use transect_core::codes::manifest as codes;
use transect_core::{Error, Errors};

use super::objects::{Boxed, Picture, Pictures, write};
use super::place::{Place, files};
use super::size::size;
use super::{ImportOptions, Imported, Sink};
use crate::bounded;
use crate::outline::{Outline, Shape};
use crate::path::extension;
use crate::rows::{Lines, count};

/// Largest `data.yaml` and largest list, bytes.
const MOST_YAML: u64 = 1 << 20;

#[derive(Deserialize)]
struct Yaml {
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    train: Option<OneOrMore>,
    #[serde(default)]
    val: Option<OneOrMore>,
    #[serde(default)]
    test: Option<OneOrMore>,
    #[serde(default)]
    names: Option<Names>,
    #[serde(default)]
    kpt_shape: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    List(Vec<String>),
    Map(BTreeMap<u32, String>),
}

/// A folder of images.
struct Folder {
    split: &'static str,
    images: PathBuf,
}

fn wrong(at: &Path, what: impl Into<String>) -> Error {
    Error::new(&codes::IMPORT_LAYOUT, what).at(at)
}

pub(super) fn import(
    source: &Path,
    options: &ImportOptions,
    sink: &mut Sink,
) -> Result<Imported, Errors> {
    let (folder, classes, folders) = layout(source)?;
    let mut place = Place::new(&options.root, &folder)?;
    let below = super::place::below(&options.root, &folder)?;
    let mut pictures = Vec::new();
    let mut notes = Vec::new();
    let (mut bad, mut without) = (Lines::default(), 0_usize);
    let mut errors = Errors::new();
    for part in &folders {
        let images = super::place::below(&folder, &part.images).map_err(|_| {
            wrong(
                &part.images,
                "the images of a split are not in the folder of the annotations",
            )
        })?;
        for name in files(&part.images)? {
            let Some(path) = place.find(&format!("{images}{name}")) else {
                continue;
            };
            let size = match size(&place.file(&path), &options.limits) {
                Ok(size) => size,
                Err(e) => {
                    errors.push(e);
                    continue;
                }
            };
            let mut picture = Picture {
                cells: vec![part.split.to_owned()],
                ..Picture::empty(path.clone(), size)
            };
            let labels = labels_of(&path[below.len()..]);
            let labels = folder.join(&labels);
            if labels.is_file() {
                let text = bounded::read(&labels, options.limits.max_file_bytes)?;
                lines(&labels, &text, &classes, &mut picture, &mut bad);
            } else {
                without += 1;
            }
            pictures.push(picture);
        }
    }
    if without > 0 {
        notes.push(format!(
            "{} without a text of labels: YOLO takes such images for empty",
            count(without, "image")
        ));
    }
    place.close(source, pictures.len(), &mut notes)?;
    if !bad.is_empty() {
        let message = format!("{} cannot be understood", count(bad.count(), "line"));
        let mut error = bad.into_error(&codes::ANNOTATIONS, message).at(source);
        error.location.line = None;
        errors.push(error.help(
            "a line is `class cx cy width height` or `class x y x y x y …`, in parts of the image's width and height",
        ));
    }
    errors.or(())?;
    if pictures.is_empty() {
        return Err(wrong(source, "there is no image in the folders of images").into());
    }
    let all = Pictures {
        all: pictures,
        classes,
        columns: vec!["split"],
        is_truth: true,
        notes,
    };
    write(source, all, options, sink)
}

/// The folder of the data set, its classes, its folders of images.
fn layout(source: &Path) -> Result<(PathBuf, Vec<String>, Vec<Folder>), Errors> {
    let named = source
        .extension()
        .is_some_and(|e| e == "yaml" || e == "yml");
    let yaml = if named {
        Some(source.to_owned())
    } else {
        ["data.yaml", "data.yml", "dataset.yaml"]
            .iter()
            .map(|name| source.join(name))
            .find(|path| path.is_file())
    };
    match yaml {
        Some(yaml) => of_yaml(&yaml),
        None => of_folder(source),
    }
}

fn of_yaml(yaml: &Path) -> Result<(PathBuf, Vec<String>, Vec<Folder>), Errors> {
    let folder = match yaml.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let bytes = bounded::read(yaml, MOST_YAML)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::new(&codes::ANNOTATIONS, "the file is not UTF-8 text").at(yaml))?;
    let data: Yaml = serde_saphyr::from_str(&text).map_err(|e| {
        let text = e.to_string();
        let first = text.lines().next().unwrap_or_default();
        Error::new(
            &codes::ANNOTATIONS,
            format!("this is not the YAML of a YOLO data set: {first}"),
        )
        .at(yaml)
    })?;
    let classes = match data.names {
        Some(Names::List(names)) => names,
        Some(Names::Map(map)) => {
            let most = map.keys().copied().max().map_or(0, |m| m as usize + 1);
            if most > 1 << 16 {
                return Err(
                    Error::new(&codes::ANNOTATION_LIMITS, "more than 65,536 classes")
                        .at(yaml)
                        .into(),
                );
            }
            (0..most as u32)
                .map(|i| map.get(&i).cloned().unwrap_or_else(|| i.to_string()))
                .collect()
        }
        None => {
            return Err(wrong(yaml, "there is no list of classes (`names`)").into());
        }
    };
    if data.kpt_shape.is_some() {
        return Err(wrong(
            yaml,
            "the labels are key points (`kpt_shape`), which are not read",
        )
        .into());
    }
    // Paths in such files are often those of the machine that made them; its own folder is tried then.
    let base = data
        .path
        .as_deref()
        .map(|p| folder.join(p))
        .filter(|p| p.is_dir())
        .unwrap_or_else(|| folder.clone());
    let mut folders = Vec::new();
    for (split, value) in [
        ("train", data.train),
        ("val", data.val),
        ("test", data.test),
    ] {
        let paths = match value {
            None => Vec::new(),
            Some(OneOrMore::One(path)) => vec![path],
            Some(OneOrMore::More(paths)) => paths,
        };
        for path in paths.iter().filter(|p| !p.is_empty()) {
            if extension(path).as_deref() == Some("txt") {
                return Err(wrong(
                    yaml,
                    format!("`{split}` names a list of files, which is not read"),
                )
                .help("name the folder of the images")
                .into());
            }
            // Some exports write `../train/images` for a folder beside the file.
            let inside = path.trim_start_matches("../");
            let images = [path.as_str(), inside]
                .iter()
                .map(|p| base.join(p))
                .find(|p| p.is_dir())
                .ok_or_else(|| {
                    wrong(
                        yaml,
                        format!(
                            "the folder `{}` of `{split}` is not there",
                            path.escape_debug()
                        ),
                    )
                })?;
            folders.push(Folder { split, images });
        }
    }
    if folders.is_empty() {
        return Err(wrong(yaml, "none of `train`, `val`, `test` names a folder").into());
    }
    Ok((base, classes, folders))
}

fn of_folder(folder: &Path) -> Result<(PathBuf, Vec<String>, Vec<Folder>), Errors> {
    let list = ["classes.txt", "labels/classes.txt", "obj.names"]
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            wrong(folder, "there is neither data.yaml nor classes.txt")
                .help("give the folder that holds data.yaml, or write the names of the classes, one on each line, into classes.txt")
        })?;
    let bytes = bounded::read(&list, MOST_YAML)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::new(&codes::ANNOTATIONS, "the file is not UTF-8 text").at(&list))?;
    let classes = text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(|l| l.trim().to_owned())
        .filter(|l| !l.is_empty())
        .collect();
    let images = folder.join("images");
    if !images.is_dir() {
        return Err(wrong(folder, "there is no folder `images`").into());
    }
    let splits: Vec<Folder> = ["train", "val", "test"]
        .into_iter()
        .map(|split| Folder {
            split,
            images: images.join(split),
        })
        .filter(|f| f.images.is_dir())
        .collect();
    let folders = if splits.is_empty() {
        vec![Folder { split: "", images }]
    } else {
        splits
    };
    Ok((folder.to_owned(), classes, folders))
}

/// The text of an image: the last folder `images` of its path becomes `labels`; without one it lies beside the image.
fn labels_of(image: &str) -> String {
    let stem = image.rsplit_once('.').map_or(image, |(stem, _)| stem);
    let path = format!("/{stem}");
    let path = match path.rfind("/images/") {
        Some(at) => format!("{}/labels/{}", &path[..at], &path[at + "/images/".len()..]),
        None => path,
    };
    format!("{}.txt", &path[1..])
}

fn lines(file: &Path, text: &[u8], classes: &[String], picture: &mut Picture, bad: &mut Lines) {
    let [rows, columns] = picture.size;
    let (rows, columns) = (rows as f64, columns as f64);
    let text = String::from_utf8_lossy(text);
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let mut wrong = |what: String| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            bad.push(1_usize, format!("{name}:{}: {what}", number + 1));
        };
        let cells: Option<Vec<f64>> = line
            .split_whitespace()
            .map(|cell| cell.parse().ok().filter(|v: &f64| v.is_finite()))
            .collect();
        let Some((&class, values)) = cells.as_deref().and_then(<[f64]>::split_first) else {
            wrong("a cell is not a number".to_owned());
            continue;
        };
        let Some(name) = (class.fract() == 0.0 && class >= 0.0)
            .then(|| classes.get(class as usize))
            .flatten()
        else {
            wrong(format!(
                "class {class}; there are {} (0 to {})",
                classes.len(),
                classes.len().saturating_sub(1)
            ));
            continue;
        };
        // A hair beyond the border is rounding; twice the image is another unit.
        if values.iter().any(|v| !(-0.5..=1.5).contains(v)) {
            wrong("a value is not a part of the image (0 to 1)".to_owned());
            continue;
        }
        match values {
            &[x, y, width, height] | &[x, y, width, height, _] if width >= 0.0 && height >= 0.0 => {
                picture.objects.push(name.clone());
                picture.without_outline.push(name.clone());
                picture.boxes.push(Boxed {
                    class: name.clone(),
                    edges: [
                        (y - height / 2.0) * rows,
                        (x - width / 2.0) * columns,
                        (y + height / 2.0) * rows,
                        (x + width / 2.0) * columns,
                    ],
                    score: values.get(4).copied(),
                });
            }
            [_, _, _, _, _, _, ..] if values.len() % 2 == 0 => {
                let ring = values
                    .chunks_exact(2)
                    .map(|p| [p[1] * rows, p[0] * columns])
                    .collect();
                picture.objects.push(name.clone());
                picture.outlines.push(Outline {
                    name: format!("line {}", number + 1),
                    class: Some(name.clone()),
                    shape: Shape::Rings(vec![vec![ring]]),
                });
            }
            _ => wrong(format!("{} numbers behind the class", values.len())),
        }
    }
}
