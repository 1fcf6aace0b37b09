//! `run.json`: what was run, without clock, host or path.

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::digest::Digest;
use crate::request::Request;

/// What was run. Timings, host and clock are in `timings.parquet` and `log.jsonl`, outside the contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// `transect/run/1`.
    pub schema: String,
    /// Version of transect.
    pub version: String,
    /// Engine and its version, such as `embedded rten 0.27.0`.
    pub engine: String,
    /// SHA-256 of the model file; `None` for predictions.
    pub model_sha256: Option<Digest>,
    /// Name of the model, as its specification says.
    pub model_name: String,
    /// SHA-256 of the manifests.
    pub data_sha256: Digest,
    /// SHA-256 of the plan: shards with another one are refused.
    pub plan_sha256: Digest,
    /// SHA-256 of the fits of stage 2; `None` before they are made.
    pub fits_sha256: Option<Digest>,
    /// Everything known beforehand.
    pub context: Context,
    /// What was asked for, by stage.
    pub requests: Vec<Request>,
    /// Forward passes that the plan makes.
    pub forward_passes: u64,
    /// What the model's own test tensors said, in words.
    pub model_test: String,
    /// Facts that a reader must know, such as how images were resized, or that groups were not given.
    pub notes: Vec<String>,
}
