//! The nouns of transect: item, image, view, measurement, finding, error.
//!
//! This crate holds the types that every other crate speaks in, and no algorithm. It touches no file, no clock and no
//! operating-system randomness, so it builds for `wasm32-unknown-unknown`.
//!
//! The seam of the whole program is the pure function `(row, model, view, fits) -> measurement`; its nouns are
//! [`Item`], [`ModelId`], [`View`], [`Fits`] and [`Measurement`].

pub mod attribute;
pub mod axis;
pub mod codes;
pub mod context;
pub mod digest;
pub mod error;
pub mod figure;
pub mod finding;
pub mod fit;
pub mod headline;
pub mod item;
pub mod labels;
pub mod measurement;
pub mod number;
pub mod pixels;
pub mod prediction;
pub mod profile;
pub mod request;
pub mod run_record;
pub mod score_column;
pub mod stream;
pub mod task;
pub mod view;
mod wide;

pub use attribute::Attribute;
pub use axis::PixelSize;
pub use codes::Code;
pub use context::Context;
pub use digest::Digest;
pub use error::{Error, Errors, Kind, Location, Result};
pub use figure::Figure;
pub use finding::{Finding, Threshold, Verdict};
pub use fit::{Donor, Fits, Normalisation, Pool, Subspace, Variation};
pub use headline::{Answer, Headline};
pub use item::{Item, ItemRecord, Role, TruthRef};
pub use labels::LabelImage;
pub use measurement::{Measurement, Status};
pub use pixels::{Dtype, Image};
pub use prediction::{Classes, Instances, Prediction, Semantic};
pub use profile::Profile;
pub use request::{AUDITED, PIXEL_LAYERS, Request, Selection, Stage};
pub use run_record::RunRecord;
pub use score_column::{Better, ScoreColumn};
pub use stream::Stream;
pub use task::{Modality, Task};
pub use view::{Severity, View, ViewKind};

#[doc(hidden)]
pub use pulp;

/// The name of a model within a run: `given`, `predictions`, `reinit:3`, `builtin:otsu`, `annotator`, `threshold:0.3`; and
/// `features`, whose embeddings are what the image says without any model.
pub type ModelId = String;
