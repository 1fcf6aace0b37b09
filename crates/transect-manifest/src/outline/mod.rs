//! Outlines of objects, and the label images that they make.
//!
//! Coordinates are (row, column) in pixels. The pixel in row `r` and column `c` is the square from `(r, c)` to
//! `(r + 1, c + 1)`; the image begins at `(0, 0)`.
//!
//! **The pixel rule**: a pixel belongs to an outline where its centre `(r + ½, c + ½)` lies inside; a centre on the line
//! belongs to the side of larger rows and columns, so that outlines that share an edge share no pixel.

mod coco;
mod draw;
mod geojson;
mod mask;
mod roi;
mod zip;

use transect_core::Error;
use transect_core::codes::manifest as codes;

pub use coco::{Runs, runs_from_counts, runs_from_text};
pub use draw::{Drawn, draw};
pub use geojson::geojson;
pub use mask::{of_mask, within};
pub use roi::{roi, roi_zip};

/// A closed line through these points; the last is joined to the first.
pub type Ring = Vec<[f64; 2]>;

/// What is inside of an outline.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Of each list of rings, where an odd number of them holds the pixel; the lists are united.
    Rings(Vec<Vec<Ring>>),
    /// The ellipse within these bounds.
    Ellipse {
        /// Upper bound.
        row0: f64,
        /// Left bound.
        column0: f64,
        /// Lower bound.
        row1: f64,
        /// Right bound.
        column1: f64,
    },
    /// Pixels by name.
    Runs(Runs),
}

/// An object.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// What errors call it.
    pub name: String,
    /// Its class, where it has one.
    pub class: Option<String>,
    /// What is inside.
    pub shape: Shape,
}

/// Most objects of one image.
pub(crate) const MOST_OUTLINES: usize = 1 << 22;

/// Whether a path ends like a file of outlines: `.roi`, `.zip`, `.geojson`.
pub fn is_outlines(path: &str) -> bool {
    crate::path::extension(path).is_some_and(|e| matches!(e.as_str(), "roi" | "zip" | "geojson"))
}

/// The outlines of a file, by the end of its name.
///
/// # Errors
/// As [`roi`], [`roi_zip`] and [`geojson`]; `T022` for another name.
pub fn read(bytes: &[u8], path: &str) -> Result<Vec<Outline>, Error> {
    match crate::path::extension(path).as_deref() {
        Some("roi") => {
            let name = path.rsplit('/').next().unwrap_or(path);
            roi(bytes, &name[..name.len() - 4]).map(|outline| vec![outline])
        }
        Some("zip") => roi_zip(bytes),
        Some("geojson") => geojson(bytes),
        _ => Err(Error::new(
            &codes::ANNOTATIONS,
            "the file is not named like one of outlines",
        )),
    }
}

/// An outline that cannot be drawn.
pub(crate) fn broken(what: impl Into<String>) -> Error {
    Error::new(&codes::OUTLINE, what)
}

/// A ring from `x, y, x, y, …` as COCO and YOLO write it.
///
/// # Errors
/// `T024` for an odd number of coordinates, fewer than three points, or a coordinate that is not a finite number.
pub fn ring_of_pairs(pairs: &[f64]) -> Result<Ring, Error> {
    if !pairs.len().is_multiple_of(2) {
        return Err(broken(format!(
            "a polygon of {} coordinates: they come in pairs x, y",
            pairs.len()
        )));
    }
    let ring: Ring = pairs.chunks_exact(2).map(|p| [p[1], p[0]]).collect();
    check_ring(&ring)?;
    Ok(ring)
}

/// Three points at least, all finite.
pub(crate) fn check_ring(ring: &Ring) -> Result<(), Error> {
    if ring.len() < 3 {
        return Err(broken(format!(
            "a polygon of {} points: it takes three",
            ring.len()
        )));
    }
    if ring.iter().flatten().any(|v| !v.is_finite()) {
        return Err(broken("a coordinate is not a finite number"));
    }
    Ok(())
}
