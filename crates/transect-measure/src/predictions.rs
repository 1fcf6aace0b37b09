//! Predictions made elsewhere, read as if a model had made them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use transect_core::{
    Classes, Digest, Error, Errors, Image, Instances, Item, LabelImage, Prediction, Result,
    Semantic, Task, codes,
};
use transect_image::Limits;

/// Predictions by image.
#[derive(Debug, Clone)]
pub struct Predictions {
    task: Task,
    classes: Vec<String>,
    given: Given,
    sha256: Digest,
    probabilities: bool,
}

#[derive(Debug, Clone)]
enum Given {
    /// Class probabilities.
    Classes(Probabilities),
    /// Label images in a folder.
    Folder(PathBuf),
}

const EXTENSIONS: [&str; 4] = ["png", "tif", "tiff", "npy"];

fn wrong(path: &Path, message: impl Into<String>) -> Error {
    Error::new(&codes::measure::PREDICTIONS, message).at(path)
}

impl Predictions {
    /// Reads `--predictions`: a folder of label images, or a CSV or JSON file of classes.
    ///
    /// For classification the classes are those of the columns `p_<class>`, in alphabetical order; with a single column
    /// `class`, those of the manifest's truth and of the file, sorted, each predicted with probability 1.
    ///
    /// # Errors
    /// `T609`, all of them.
    pub fn read(
        path: &Path,
        task: Task,
        truth_classes: &[String],
        classes: &[String],
    ) -> Result<Self, Errors> {
        if path.is_dir() {
            if task == Task::Classification {
                return Err(wrong(
                    path,
                    "a folder holds label images, but the task is classification",
                )
                .help("give a CSV with a column `image` and one column `p_<class>` for each class")
                .into());
            }
            let mut names: Vec<PathBuf> = Vec::new();
            walk(path, path, &mut names, 0)?;
            names.sort();
            let hashes: Vec<String> = names
                .iter()
                .map(|n| n.to_string_lossy().into_owned())
                .collect();
            // The content of every file is part of the data's hash, so that other predictions are another run.
            let mut parts: Vec<Vec<u8>> = Vec::new();
            for (name, text) in names.iter().zip(&hashes) {
                parts.push(text.clone().into_bytes());
                let bytes = std::fs::read(path.join(name))
                    .map_err(|e| wrong(&path.join(name), format!("cannot be read: {e}")))?;
                parts.push(Digest::of(&bytes).0.to_vec());
            }
            return Ok(Self {
                task,
                classes: classes.to_vec(),
                given: Given::Folder(path.to_owned()),
                sha256: Digest::of_parts(parts.iter().map(Vec::as_slice)),
                probabilities: false,
            });
        }
        let bytes = std::fs::read(path).map_err(|e| wrong(path, format!("cannot be read: {e}")))?;
        if task != Task::Classification {
            return Err(wrong(
                path,
                "a table holds classes of images, but the task needs label images",
            )
            .help("give a folder with one label image for each image")
            .into());
        }
        let text = std::str::from_utf8(&bytes)
            .map_err(|e| wrong(path, format!("is not UTF-8 text: {e}")))?;
        let records = if path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("json"))
        {
            from_json(path, text)?
        } else {
            from_csv(path, text)?
        };
        let probabilities = records
            .first()
            .is_some_and(|(_, r)| r.keys().any(|k| k.starts_with("p_")));
        let (classes, by_image) = classes_of(path, records, truth_classes)?;
        Ok(Self {
            task,
            classes,
            given: Given::Classes(by_image),
            sha256: Digest::of(&bytes),
            probabilities,
        })
    }

    /// Names of the classes, in the order of the outputs.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Hash of everything given.
    pub fn sha256(&self) -> Digest {
        self.sha256
    }

    /// Whether probabilities were given, and not only classes: confidence is known only then.
    pub fn has_probabilities(&self) -> bool {
        self.probabilities
    }

    /// Whether there is a prediction for an image.
    pub fn covers(&self, item: &Item) -> bool {
        match &self.given {
            Given::Classes(by_image) => by_image.contains_key(&item.image),
            Given::Folder(folder) => candidates(folder, &item.image).iter().any(|p| p.is_file()),
        }
    }

    /// The prediction for an image.
    ///
    /// # Errors
    /// `T609` when there is none or it does not fit the image.
    pub fn predict(&self, item: &Item, image: &Image, limits: &Limits) -> Result<Prediction> {
        match &self.given {
            Given::Classes(by_image) => match by_image.get(&item.image) {
                Some(probabilities) => Ok(Prediction::Classes(Classes {
                    probabilities: probabilities.clone(),
                })),
                None => Err(Error::new(
                    &codes::measure::PREDICTIONS,
                    "there is no prediction for this image",
                )
                .image(&item.image)),
            },
            Given::Folder(folder) => {
                let labels = find(folder, &item.image, limits)?;
                if (labels.rows(), labels.columns()) != (image.rows(), image.columns()) {
                    return Err(Error::new(
                        &codes::measure::PREDICTIONS,
                        format!(
                            "the prediction has {} rows and {} columns, the image {} and {}",
                            labels.rows(),
                            labels.columns(),
                            image.rows(),
                            image.columns()
                        ),
                    )
                    .image(&item.image));
                }
                Ok(match self.task {
                    Task::Semantic => Prediction::Semantic(Semantic {
                        mask: labels,
                        confidence: None,
                        confidences: Vec::new(),
                    }),
                    _ => Prediction::Instances(Instances {
                        labels: consecutive(labels),
                        confidences: Vec::new(),
                    }),
                })
            }
        }
    }
}

/// Labels 1..n in the order of their values.
fn consecutive(mut labels: LabelImage) -> LabelImage {
    let mut values: Vec<u32> = labels
        .labels()
        .iter()
        .copied()
        .filter(|&l| l != 0)
        .collect();
    values.sort_unstable();
    values.dedup();
    for label in labels.labels_mut() {
        if *label != 0 {
            *label = values.partition_point(|v| v < label) as u32 + 1;
        }
    }
    labels
}

fn walk(root: &Path, folder: &Path, names: &mut Vec<PathBuf>, depth: usize) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).map_err(|e| wrong(folder, format!("cannot be read: {e}")))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let kind = entry
            .file_type()
            .map_err(|e| wrong(&path, format!("cannot be read: {e}")))?;
        if kind.is_dir() && depth < 16 {
            walk(root, &path, names, depth + 1)?;
        } else if kind.is_file()
            && path
                .extension()
                .and_then(|e| e.to_str())
                .is_some_and(|e| EXTENSIONS.contains(&e.to_ascii_lowercase().as_str()))
            && let Ok(relative) = path.strip_prefix(root)
        {
            names.push(relative.to_owned());
        }
    }
    Ok(())
}

/// Where the prediction for an image may lie: its own name, or its stem with another extension.
fn candidates(folder: &Path, image: &str) -> Vec<PathBuf> {
    let relative = Path::new(image);
    let mut paths = vec![folder.join(relative)];
    for name in [
        Some(relative.to_owned()),
        relative.file_name().map(PathBuf::from),
    ]
    .into_iter()
    .flatten()
    {
        paths.extend(
            EXTENSIONS
                .iter()
                .map(|e| folder.join(name.with_extension(e))),
        );
    }
    paths
}

fn find(folder: &Path, image: &str, limits: &Limits) -> Result<LabelImage> {
    // The manifest has proven that the name leads nowhere upwards; links are refused below.
    let tried = candidates(folder, image);
    let Some(path) = tried.iter().find(|p| p.is_file()) else {
        return Err(Error::new(
            &codes::measure::PREDICTIONS,
            "there is no prediction for this image",
        )
        .image(image)
        .note(format!(
            "looked for: {}",
            tried
                .iter()
                .take(3)
                .map(|p| p.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ))
        .help("name predictions as their images, with .png, .tif, .tiff or .npy"));
    };
    let unread = |e: std::io::Error| wrong(path, format!("cannot be read: {e}")).image(image);
    // Links are not part of the predictions' hash, and may lead anywhere.
    let real = path.canonicalize().map_err(unread)?;
    let root = folder.canonicalize().map_err(unread)?;
    if path.strip_prefix(folder).ok() != real.strip_prefix(&root).ok() {
        return Err(wrong(path, "is a link, or lies behind one")
            .image(image)
            .help("put the files themselves into the folder"));
    }
    let size = std::fs::metadata(path).map_err(unread)?.len();
    if size > limits.max_file_bytes {
        return Err(Error::new(
            &codes::image::IMAGE_LIMITS,
            format!(
                "the prediction's file has {size} bytes, the limit is {}",
                limits.max_file_bytes
            ),
        )
        .at(path)
        .image(image));
    }
    let bytes = std::fs::read(path).map_err(unread)?;
    transect_image::decode_labels(&bytes, &path.to_string_lossy(), None, limits)
        .map_err(|e| e.at(path).image(image))
}

/// Class probabilities by the image's name.
type Probabilities = BTreeMap<String, Vec<f32>>;

/// Cells by column, with the line that they came from.
type Records = Vec<(usize, BTreeMap<String, String>)>;

fn from_csv(path: &Path, text: &str) -> Result<Records> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(false)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header = reader
        .headers()
        .map_err(|e| wrong(path, e.to_string()))?
        .clone();
    let mut records = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|e| wrong(path, e.to_string()).line(index + 2))?;
        records.push((
            index + 2,
            header
                .iter()
                .map(str::to_owned)
                .zip(record.iter().map(str::to_owned))
                .collect(),
        ));
    }
    Ok(records)
}

fn from_json(path: &Path, text: &str) -> Result<Records> {
    let value: Value = serde_json::from_str(text)
        .map_err(|e| wrong(path, format!("is not JSON: {e}")).line(e.line()))?;
    let Value::Array(rows) = value else {
        return Err(wrong(
            path,
            "the JSON is not a list of objects, such as [{\"image\": \"a.png\", \"p_cat\": 0.9, \"p_dog\": 0.1}]",
        ));
    };
    rows.into_iter()
        .enumerate()
        .map(|(index, row)| match row {
            Value::Object(fields) => Ok((
                index + 1,
                fields
                    .into_iter()
                    .map(|(k, v)| {
                        (
                            k,
                            if let Value::String(s) = v {
                                s
                            } else {
                                v.to_string()
                            },
                        )
                    })
                    .collect(),
            )),
            _ => Err(wrong(
                path,
                format!("entry {} of the list is not an object", index + 1),
            )),
        })
        .collect()
}

fn classes_of(
    path: &Path,
    records: Records,
    truth_classes: &[String],
) -> Result<(Vec<String>, Probabilities), Errors> {
    let mut errors = Errors::new();
    let Some((_, first)) = records.first() else {
        return Err(wrong(path, "holds no prediction").into());
    };
    let columns: Vec<String> = first
        .keys()
        .filter_map(|c| c.strip_prefix("p_").map(str::to_owned))
        .collect();
    if !first.contains_key("image") || (columns.is_empty() && !first.contains_key("class")) {
        return Err(wrong(
            path,
            "needs a column `image` and either `class` or one column `p_<class>` for each class",
        )
        .note(format!(
            "columns here: {}",
            first.keys().cloned().collect::<Vec<_>>().join(", ")
        ))
        .into());
    }
    let columns_none = columns.is_empty();
    let classes = if columns_none {
        let mut all: Vec<String> = truth_classes.to_vec();
        all.extend(records.iter().filter_map(|(_, r)| r.get("class").cloned()));
        all.sort();
        all.dedup();
        all
    } else {
        columns
    };
    let mut by_image = BTreeMap::new();
    for (line, record) in records {
        let image = record.get("image").cloned().unwrap_or_default();
        // `transect predict` keeps a row for an image that it could not read; it is no prediction.
        if record.get("status").is_some_and(|s| s == "failed") {
            continue;
        }
        if columns_none && record.get("class").is_none_or(|c| c.trim().is_empty()) {
            errors.push(
                wrong(path, "the column `class` is empty")
                    .line(line)
                    .image(image),
            );
            continue;
        }
        let probabilities: Vec<f32> =
            if record.contains_key("class") && !record.keys().any(|k| k.starts_with("p_")) {
                classes
                    .iter()
                    .map(|c| f32::from(u8::from(record.get("class") == Some(c))))
                    .collect()
            } else {
                let mut row = Vec::with_capacity(classes.len());
                for class in &classes {
                    match record
                        .get(&format!("p_{class}"))
                        .and_then(|t| t.trim().parse::<f32>().ok())
                    {
                        Some(p) if (0.0..=1.0).contains(&p) => row.push(p),
                        _ => {
                            errors.push(
                                wrong(
                                    path,
                                    format!("`p_{class}` is not a probability between 0 and 1"),
                                )
                                .line(line),
                            );
                            row.push(0.0);
                        }
                    }
                }
                row
            };
        let sum: f32 = probabilities.iter().sum();
        if (sum - 1.0).abs() > 1e-3 {
            errors.push(
                wrong(path, format!("the probabilities sum to {sum}, not to 1"))
                    .line(line)
                    .image(&image),
            );
        }
        if by_image.insert(image.clone(), probabilities).is_some() {
            errors.push(
                wrong(path, "a second prediction for the same image")
                    .line(line)
                    .image(image),
            );
        }
    }
    errors.or((classes, by_image))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn predictions_behind_links_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let outer = tempfile::tempdir().unwrap();
        let labels = LabelImage::new(1, 2, vec![0, 3]).unwrap();
        let png = transect_image::encode_labels(&labels);
        std::fs::write(outer.path().join("a.png"), &png).unwrap();
        std::fs::write(folder.path().join("b.png"), &png).unwrap();
        std::os::unix::fs::symlink(outer.path().join("a.png"), folder.path().join("a.png"))
            .unwrap();
        std::os::unix::fs::symlink(outer.path(), folder.path().join("c")).unwrap();
        let limits = Limits::default();
        for linked in ["a.jpg", "c/a.png"] {
            let error = find(folder.path(), linked, &limits).unwrap_err();
            assert!(error.to_string().contains("is a link"), "{error}");
        }
        assert_eq!(find(folder.path(), "b.jpg", &limits).unwrap(), labels);
    }
}
