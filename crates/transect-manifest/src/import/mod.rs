//! Annotations in the formats of others, made into a manifest.
//!
//! Polygons and masks of runs become label images in a folder beside the manifest, boxes become tables there; both by the
//! rules of [`crate::outline`]. Names of persons, addresses and places are never copied.

mod bioimageio;
mod camera_traps;
mod camtrap_dp;
mod coco;
mod ctc;
mod hugging_face;
mod megadetector;
mod objects;
mod place;
mod size;
mod tables;
mod yolo;

use std::path::{Path, PathBuf};

use transect_core::{Error, Errors};
use transect_image::Limits;

use crate::rows::count;
use crate::sheet::Sheet;

/// A format of annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// COCO: a JSON file with boxes, polygons, masks of runs.
    Coco,
    /// YOLO: a folder with `data.yaml` or `classes.txt`, images, and a text file of boxes or polygons for each.
    Yolo,
    /// Cell Tracking Challenge: a folder with `01`, `01_GT/SEG`, `01_GT/TRA`.
    Ctc,
    /// COCO Camera Traps: a JSON file with species, places and sequences.
    CameraTraps,
    /// MegaDetector: a JSON file of a detector's boxes, which are no truth.
    Megadetector,
    /// Camtrap DP: a folder with `deployments.csv`, `media.csv`, `observations.csv`.
    CamtrapDp,
    /// Hugging Face: a folder with `metadata.csv` or `metadata.jsonl`, or with folders of splits and classes.
    HuggingFace,
    /// bioimage.io: a folder with `rdf.yaml` of a data set or a model.
    Bioimageio,
}

/// What the numbers of the label images mean that are drawn from outlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Draw {
    /// Each object has a number of its own.
    #[default]
    Objects,
    /// The place of the class in the list of classes, from 1.
    Classes,
}

/// How annotations are read.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Format of the annotations.
    pub format: Format,
    /// Folder that names of images start from, where it is not what the format says.
    pub images: Option<PathBuf>,
    /// Folder of the manifest to be; images lie in it or below.
    pub root: PathBuf,
    /// Name of the manifest without extension: folders of label images and boxes are `NAME_labels`, `NAME_boxes`.
    pub name: String,
    /// Which classes are drawn and kept; empty for all.
    pub classes: Vec<String>,
    /// What the numbers of label images mean.
    pub draw: Draw,
    /// Limits for files of images and of annotations.
    pub limits: Limits,
}

/// A manifest made from annotations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The manifest, as CSV.
    pub csv: String,
    /// What was found, left out, and is to be known.
    pub notes: Vec<String>,
    /// Options that `audit` takes then, such as `--truth labels`.
    pub audit: Vec<String>,
}

/// Takes a file that belongs beside the manifest: its path from there, and its bytes.
pub type Sink<'a> = dyn FnMut(&str, &[u8]) -> Result<(), Error> + 'a;

/// Makes a manifest from annotations. Nothing is given to `sink` before all annotations were read and found sound.
///
/// # Errors
/// Every error found: `T022` to `T026` for annotations, `T007` for paths that leave the folder, image errors where the size
/// of an image is needed, and what `sink` says.
pub fn import(source: &Path, options: &ImportOptions, sink: &mut Sink) -> Result<Imported, Errors> {
    match options.format {
        Format::Coco => coco::import(source, options, sink),
        Format::Yolo => yolo::import(source, options, sink),
        Format::Ctc => ctc::import(source, options),
        Format::CameraTraps => camera_traps::import(source, options, sink),
        Format::Megadetector => megadetector::import(source, options, sink),
        Format::CamtrapDp => camtrap_dp::import(source, options, sink),
        Format::HuggingFace => hugging_face::import(source, options, sink),
        Format::Bioimageio => bioimageio::import(source, options),
    }
}

/// A note that names the first of several.
fn some(notes: &mut Vec<String>, what: &str, all: &[String]) {
    if !all.is_empty() {
        let more = if all.len() > 5 { ", …" } else { "" };
        let shown = all[..all.len().min(5)].join(", ");
        notes.push(format!("{what}: {} ({shown}{more})", all.len()));
    }
}

/// `3 images, 12 objects`.
fn counts(parts: &[(usize, &str)]) -> String {
    let parts: Vec<String> = parts.iter().map(|(n, one)| count(*n, one)).collect();
    parts.join(", ")
}
