//! A manifest row becomes pixels and truth.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use transect_core::error::Kind;
use transect_core::{Digest, Error, Image, Item, LabelImage, Result, Task, TruthRef, codes};
use transect_image::{Files, Region, Selector};
use transect_score::{Truth, class_index};

use crate::job::{Job, MaskRule};
use crate::outlines::from_outlines;

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

/// The file that a row names, and what lies beside it or in it: the header of an ENVI file, the chunks of a Zarr store.
/// Keeps the hash of each file that was read.
struct Beside<'a> {
    job: &'a Job,
    item: &'a Item,
    path: &'a str,
    seen: RefCell<BTreeMap<String, (Digest, u64)>>,
    /// Of the file that the row names.
    format: RefCell<u8>,
}

impl<'a> Beside<'a> {
    fn new(job: &'a Job, item: &'a Item, path: &'a str) -> Self {
        Self {
            job,
            item,
            path,
            seen: RefCell::default(),
            format: RefCell::default(),
        }
    }

    /// The content hash of all that was read: of the file where there is one, otherwise of every file with its name relative
    /// to what the row names, so that a dataset can be moved.
    fn digest(&self) -> Digest {
        let seen = self.seen.borrow();
        if let (1, Some((one, _))) = (seen.len(), seen.get(self.path)) {
            return *one;
        }
        let stem = self.path.rsplit_once('.').map_or(self.path, |s| s.0);
        let relative = |path: &str| {
            let rest = path
                .strip_prefix(self.path)
                .or_else(|| path.strip_prefix(stem));
            rest.unwrap_or(path).as_bytes().to_vec()
        };
        let parts: Vec<Vec<u8>> = seen
            .iter()
            .flat_map(|(path, (digest, _))| [relative(path), digest.0.to_vec()])
            .collect();
        Digest::of_parts(parts.iter().map(Vec::as_slice))
    }
}

impl Files for Beside<'_> {
    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>> {
        let root = &self.job.dataset.roots[self.item.manifest as usize];
        let full = root.join(path);
        if full.is_dir() || (path != self.path && !full.is_file()) {
            return Ok(None);
        }
        // The manifest has seen to what the row names; a link within a store may still lead elsewhere.
        if path != self.path {
            let inside = root
                .canonicalize()
                .and_then(|root| Ok(full.canonicalize()?.starts_with(root)));
            if !inside.unwrap_or(false) {
                return Err(Error::new(
                    &codes::image::IMAGE_UNREADABLE,
                    format!("{path} leads out of the folder of the manifest"),
                )
                .image(&self.item.image));
            }
        }
        let bytes = read(self.job, self.item, path)?;
        if path == self.path {
            self.format.replace(format_of(&bytes));
        }
        let fact = (Digest::of(&bytes), bytes.len() as u64);
        self.seen.borrow_mut().insert(path.to_owned(), fact);
        Ok(Some(Cow::Owned(bytes)))
    }
}

/// Which part of its file a row means: its page, and the columns that [`transect_image::COLUMNS`] names.
///
/// # Errors
/// `T114` for a cell that does not say what its column asks for.
pub(crate) fn selector(item: &Item) -> Result<Selector> {
    Selector::from_columns(item.page, |name| item.columns.get(name).map(String::as_str))
        .map_err(|e| e.image(&item.image))
}

/// Bytes of one of a row's files, within the limit.
pub(crate) fn read(job: &Job, item: &Item, path: &str) -> Result<Vec<u8>> {
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
    let part = selector(item)?;
    for path in std::iter::once(&item.image).chain(&item.channels) {
        let files = Beside::new(job, item, path);
        images.push(
            transect_image::decode_at(&files, path, &part, &job.limits)
                .map_err(|e| e.at(path).image(&item.image))?,
        );
        hashes.push(files.digest());
        let seen = files.seen.borrow();
        file.bytes += seen.values().map(|f| f.1).sum::<u64>();
        file.files += seen.len() as u32;
        file.format = *files.format.borrow();
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
    let said = part.text();
    let sha256 = if let ([one], None, true) = (hashes.as_slice(), item.page, said.is_empty()) {
        *one
    } else {
        let page = item.page.unwrap_or(0).to_le_bytes();
        let said = (!said.is_empty()).then_some(said.as_bytes());
        Digest::of_parts(
            hashes
                .iter()
                .map(|h| &h.0[..])
                .chain([&page[..]])
                .chain(said),
        )
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
                    mask: labels,
                    ignore: job.mask.ignore.map(|_| IGNORED),
                },
                _ => Truth::Labels(labels),
            })
        }
    };
    let second = match &item.second_truth {
        TruthRef::Path(path) => Some(outlines(job, item, path, &image)?),
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

/// Labels of objects, or classes for a semantic task, at the size of the image.
fn outlines(job: &Job, item: &Item, path: &str, image: &Image) -> Result<LabelImage> {
    let region = selector(item)?.region;
    let place = |e: Error| e.at(path).image(&item.image);
    let drawn = from_outlines(job, item, path, image, region).map_err(place)?;
    let (labels, of_classes) = match drawn {
        Some(drawn) => (drawn.labels, drawn.of_classes),
        None => (label_image(job, item, path, image, region)?, false),
    };
    if job.context.task == Task::Semantic && !of_classes {
        return classes_of(labels, &job.mask, job.context.classes.len()).map_err(place);
    }
    Ok(labels)
}

/// A label image or mask, at the size of its image.
fn label_image(
    job: &Job,
    item: &Item,
    path: &str,
    image: &Image,
    region: Option<Region>,
) -> Result<LabelImage> {
    // A region is cut out of the image and of what is true of it alike; pages, series and times are the image's own.
    let part = Selector {
        region,
        ..Selector::default()
    };
    let files = Beside::new(job, item, path);
    let labels = transect_image::decode_labels_at(&files, path, &part, &job.limits)
        .map_err(|e| {
            // Cellpose keeps its masks in a pickle, which runs whatever its writer wanted: it is never opened.
            match path.strip_suffix("_seg.npy") {
                Some(stem) if e.kind() == Kind::Unsupported => e.help(format!(
                    "write the masks as a plain array: python -c \"import numpy as n; n.save('{stem}_masks.npy', n.load('{stem}_seg.npy', allow_pickle=True).item()['masks'])\""
                )),
                _ => e,
            }
        })
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
