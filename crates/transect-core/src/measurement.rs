//! One image under one model and one view.

use serde::{Deserialize, Serialize};

use crate::ModelId;
use crate::digest::Digest;
use crate::view::View;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Measured.
    Ok,
    /// Could not be measured; the code says why.
    Failed,
    /// Not tried, and the code says why (no truth, no donor, not in the shard's predictions).
    Skipped,
}

/// One row of `measurements.parquet`.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Manifest row.
    pub row: u32,
    /// Content.
    pub image_sha256: Digest,
    /// Model.
    pub model_id: ModelId,
    /// View.
    pub view: View,
    /// The donor's row, for swaps.
    pub donor_row: Option<u32>,
    /// What became of it.
    pub status: Status,
    /// Code of the error.
    pub error_code: Option<String>,
    /// The error in words.
    pub error: Option<String>,
    /// Predicted class.
    pub pred_class: Option<u32>,
    /// Predicted number of objects.
    pub pred_count: Option<f64>,
    /// Confidence: the largest class probability, or the mean of objects' or pixels' confidences.
    pub confidence: Option<f64>,
    /// Class probabilities, to 64 classes; empty above that, and for other tasks.
    pub outputs: Vec<f32>,
    /// Scores in the order of the plan's score columns; `None` where one does not apply.
    pub scores: Vec<Option<f64>>,
}
