//! Everything that a run needs, checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use transect_core::{AUDITED, Context, Digest, Request};
use transect_image::Limits;
use transect_manifest::Dataset;
use transect_model::Model;

use crate::predictions::Predictions;

/// Where outputs come from.
#[derive(Clone)]
pub enum Source {
    /// A model that is run.
    Model(Arc<Model>),
    /// Predictions made elsewhere.
    Predictions(Arc<Predictions>),
    /// Nowhere: the images and their truth alone are looked at.
    None,
}

impl Source {
    /// The id in every table of the model that a request names: its own name, but for the audited one, which is `given` or
    /// `predictions`.
    pub fn model_id<'a>(&self, model: &'a str) -> &'a str {
        match self {
            Self::Predictions(_) if model == AUDITED => "predictions",
            _ => model,
        }
    }
}

/// How the values of a mask become classes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskRule {
    /// Class of each value; empty where the values are the classes themselves.
    pub values: BTreeMap<u32, u32>,
    /// Every value but 0 is class 1.
    pub nonzero: bool,
    /// A value that is left out of every score.
    pub ignore: Option<u32>,
}

/// A fact that a reader must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// It stands on the page.
    Fact(String),
    /// It is also told before anything is measured: something was cut, or will probably not be what was meant.
    Warning(String),
}

impl Note {
    /// The fact in words.
    pub fn text(&self) -> &str {
        match self {
            Self::Fact(text) | Self::Warning(text) => text,
        }
    }
}

/// Everything that a run needs, checked: nothing below asks again whether it fits.
pub struct Job {
    /// Rows.
    pub dataset: Dataset,
    /// Outputs.
    pub source: Source,
    /// What is known beforehand.
    pub context: Context,
    /// What the failure modes asked for.
    pub requests: Vec<Request>,
    /// How masks are read.
    pub mask: MaskRule,
    /// Limits for decoders.
    pub limits: Limits,
    /// SHA-256 of the model file; `None` for predictions.
    pub model_sha256: Option<Digest>,
    /// Hash of everything about the model, or the predictions, that decides a number: weights, specification, options.
    pub fingerprint: Digest,
    /// Name of the model.
    pub model_name: String,
    /// Engine and its version.
    pub engine: String,
    /// What the model's own test tensors said.
    pub model_test: String,
    /// Facts that a reader must know.
    pub notes: Vec<Note>,
}
