//! Output against truth: per image to scores and sufficient statistics, and from many images to the value of a metric.
//!
//! [`columns`] names what [`score`] makes of one truth and one prediction, in the same order; the numbers are stored with
//! each measurement. [`metric`] turns the stored numbers of many images, and any multiset of them, into the value of a
//! metric, so that intervals can resample without a pixel.
//!
//! Definitions, ties, empties and differences from other tools stand at each item and in `docs/src/metrics.md`.

mod aggregated;
mod assignment;
mod classification;
mod columns;
mod division;
mod instances;
pub mod matching;
pub mod metric;
mod rules;
mod score;
mod semantic;
mod surface;
mod truth;

pub use columns::columns;
pub use matching::{Matching, Overlaps, THRESHOLDS};
pub use rules::Rules;
pub use score::score;
pub use truth::{Truth, class_index};
