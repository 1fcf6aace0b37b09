//! A manifest row becomes pixels and truth.

use std::path::Path;

use transect_core::{Digest, Error, Image, Item, LabelImage, Result, Task, TruthRef, codes};
use transect_score::{Truth, class_index};

use crate::job::{Job, MaskRule};

/// A row, read.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Pixels.
    pub image: Image,
    /// Content hash of the files and the page.
    pub sha256: Digest,
    /// Truth, where the row has some and it could be read.
    pub truth: Option<Truth>,
    /// A second annotator's outlines.
    pub second: Option<LabelImage>,
    /// The files that the image came from.
    pub file: FileFacts,
}

/// What the files say without their pixels: what a lazy learner could read a label from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// Bytes of all files of the row.
    pub bytes: u64,
    /// Number of files.
    pub files: u32,
    /// Format by its first bytes: 1 PNG, 2 JPEG, 3 TIFF, 4 NPY, 0 any other.
    pub format: u8,
}

impl FileFacts {
    /// As features: log₂ of the bytes, bytes for each sample, log₂ of rows and of columns, channels, bits for each sample,
    /// files, and one indicator for each format.
    pub(crate) fn features(&self, image: &Image) -> Vec<f32> {
        let samples = image.samples().len().max(1) as f64;
        let log = |x: f64| x.max(1.0).log2();
        let bits = image.dtype.bits();
        let mut values = vec![
            log(self.bytes as f64),
            self.bytes as f64 / samples,
            log(image.rows() as f64),
            log(image.columns() as f64),
            image.channels() as f64,
            f64::from(bits),
            f64::from(self.files),
        ];
        values.extend((1..=4).map(|format| f64::from(u8::from(self.format == format))));
        values.into_iter().map(|v| v as f32).collect()
    }
}

/// The format that the first bytes tell.
fn format_of(bytes: &[u8]) -> u8 {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => 1,
        [0xff, 0xd8, ..] => 2,
        [b'I', b'I', ..] | [b'M', b'M', ..] => 3,
        [0x93, b'N', b'U', b'M', ..] => 4,
        _ => 0,
    }
}

/// Bytes of one of a row's files, within the limit.
fn read(job: &Job, item: &Item, path: &str) -> Result<Vec<u8>> {
    let full = job.dataset.roots[item.manifest as usize].join(path);
    let limit = job.limits.max_file_bytes;
    let io = |e: std::io::Error| {
        Error::new(
            &codes::image::IMAGE_UNREADABLE,
            format!("cannot read the file: {e}"),
        )
        .at(&full)
        .image(&item.image)
    };
    let size = std::fs::metadata(&full).map_err(io)?.len();
    if size > limit {
        return Err(Error::new(
            &codes::image::IMAGE_LIMITS,
            format!("the file has {size} bytes, the limit is {limit}"),
        )
        .at(&full)
        .image(&item.image));
    }
    std::fs::read(&full).map_err(io)
}

/// Reads the pixels and the truth of a row.
///
/// # Errors
/// Whatever keeps the image or its truth from being read, with the image named.
pub fn load(job: &Job, item: &Item) -> Result<Loaded> {
    let mut images = Vec::with_capacity(1 + item.channels.len());
    let mut hashes: Vec<Digest> = Vec::new();
    let mut file = FileFacts::default();
    for path in std::iter::once(&item.image).chain(&item.channels) {
        let bytes = read(job, item, path)?;
        hashes.push(Digest::of(&bytes));
        file.bytes += bytes.len() as u64;
        file.files += 1;
        file.format = format_of(&bytes);
        let name = Path::new(path).to_string_lossy();
        images.push(
            transect_image::decode(&bytes, &name, item.page, &job.limits)
                .map_err(|e| e.at(path).image(&item.image))?,
        );
    }
    let mut image = if images.len() == 1 {
        images.swap_remove(0)
    } else {
        let mut stacked = transect_image::stack(images).map_err(|e| e.image(&item.image))?;
        if let Some(names) = job.dataset.channel_names.get(item.manifest as usize)
            && names.len() == stacked.channels()
        {
            stacked.channel_names.clone_from(names);
        }
        stacked
    };
    if item.pixel_size.is_some() {
        image.pixel_size = item.pixel_size;
    }
    let sha256 = if let ([one], None) = (hashes.as_slice(), item.page) {
        *one
    } else {
        let page = item.page.unwrap_or(0).to_le_bytes();
        Digest::of_parts(hashes.iter().map(|h| &h.0[..]).chain([&page[..]]))
    };
    let bad = transect_image::non_finite(&image);
    if bad > 0 {
        return Err(Error::new(
            &codes::image::IMAGE_NOT_FINITE,
            format!(
                "{bad} of {} samples are NaN or infinite",
                image.samples().len()
            ),
        )
        .image(&item.image)
        .help("replace them by a value that means something for your data"));
    }
    let truth = match &item.truth {
        TruthRef::None => None,
        TruthRef::Class(name) => class_index(name, &job.context.classes).map(Truth::Class),
        TruthRef::Path(path) => {
            let labels = outlines(job, item, path, &image)?;
            Some(match job.context.task {
                Task::Semantic => Truth::Mask {
                    mask: classes_of(labels, &job.mask, job.context.classes.len())
                        .map_err(|e| e.at(path).image(&item.image))?,
                    ignore: job.mask.ignore.map(|_| IGNORED),
                },
                _ => Truth::Labels(labels),
            })
        }
    };
    let second = match &item.second_truth {
        TruthRef::Path(path) => {
            let labels = outlines(job, item, path, &image)?;
            Some(match job.context.task {
                Task::Semantic => classes_of(labels, &job.mask, job.context.classes.len())
                    .map_err(|e| e.at(path).image(&item.image))?,
                _ => labels,
            })
        }
        _ => None,
    };
    Ok(Loaded {
        image,
        sha256,
        truth,
        second,
        file,
    })
}

/// A label image or mask, at the size of its image.
fn outlines(job: &Job, item: &Item, path: &str, image: &Image) -> Result<LabelImage> {
    let bytes = read(job, item, path)?;
    let labels = transect_image::decode_labels(&bytes, path, None, &job.limits)
        .map_err(|e| e.at(path).image(&item.image))?;
    if (labels.rows(), labels.columns()) != (image.rows(), image.columns()) {
        return Err(Error::new(
            &codes::truth::TRUTH_SHAPE,
            format!(
                "the truth has {} rows and {} columns, the image {} and {}",
                labels.rows(),
                labels.columns(),
                image.rows(),
                image.columns()
            ),
        )
        .at(path)
        .image(&item.image)
        .help("give the label image that belongs to this image, at its size"));
    }
    Ok(labels)
}

/// Class that marks pixels that are left out; the rule's own value may be a class of another mask.
const IGNORED: u32 = u32::MAX;

/// A mask's values as classes; those to be ignored as [`IGNORED`].
fn classes_of(labels: LabelImage, rule: &MaskRule, classes: usize) -> Result<LabelImage> {
    let mut mask = labels;
    for label in mask.labels_mut() {
        if Some(*label) == rule.ignore {
            *label = IGNORED;
        } else if rule.nonzero {
            *label = u32::from(*label != 0);
        } else if !rule.values.is_empty() {
            let Some(&class) = rule.values.get(label) else {
                return Err(Error::new(
                    &codes::truth::TRUTH_CLASS,
                    format!("the mask holds the value {label}, which --mask-values does not name"),
                )
                .help(format!(
                    "add `{label}=CLASS` to --mask-values, or `{label}=ignore`"
                )));
            };
            *label = class;
        } else if *label as usize >= classes {
            return Err(Error::new(
                &codes::truth::TRUTH_CLASS,
                format!("the mask holds the value {label}, the model has {classes} classes (0 to {})", classes.saturating_sub(1)),
            )
            .help("say what the values mean: --mask-values 0=background,128=cytoplasm,255=nucleus, or --mask-values nonzero for one foreground"));
        }
    }
    Ok(mask)
}
