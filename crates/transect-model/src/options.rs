//! What the user decides when a model is loaded.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use transect_core::Task;

/// Which engine runs the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// The engine that is built in (rten): needs nothing.
    Embedded,
    /// ONNX Runtime, from a library on this machine.
    OnnxRuntime,
    /// ONNX Runtime where its library is given or named by `ORT_DYLIB_PATH`, otherwise the embedded engine.
    #[default]
    Auto,
}

/// How the output becomes a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decode {
    /// Classification: one probability for each class.
    Probabilities,
    /// Semantic: the channel with the highest value at each pixel; the first of equals.
    Argmax,
    /// Semantic or instance: one map, above a threshold. For instances, connected components of that.
    Foreground,
    /// Instance: components of the interior map, grown by watershed into the foreground.
    InteriorBoundary,
    /// Semantic or instance: the output is already a label image.
    Labels,
}

impl Decode {
    /// The word that a specification uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Probabilities => "probabilities",
            Self::Argmax => "argmax",
            Self::Foreground => "foreground",
            Self::InteriorBoundary => "interior-boundary",
            Self::Labels => "labels",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Probabilities,
            Self::Argmax,
            Self::Foreground,
            Self::InteriorBoundary,
            Self::Labels,
        ]
        .into_iter()
        .find(|decode| decode.name() == text)
    }
}

/// Thresholds on maps; a map is "on" where its value is *greater* than the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Thresholds {
    /// Of the interior map (decode `interior-boundary`).
    pub interior: Option<f32>,
    /// Of the foreground map (decode `foreground` and `interior-boundary`).
    pub foreground: Option<f32>,
    /// Smallest mean foreground probability of an object that is kept; nothing is dropped where it is not declared.
    pub probability: Option<f32>,
}

/// What the statistics of preprocessing are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalise {
    /// The whole image, before it is cut into tiles: what the specification of bioimage.io means.
    #[default]
    Whole,
    /// Each tile with its padding by itself: what many scripts do. Predictions then depend on the tiling.
    Tile,
}

/// Whose reading of a bioimage.io description is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RdfMeaning {
    /// What the specification says: operations one after the other, each statistic of what the operation is given, `eps` as
    /// declared.
    #[default]
    Specification,
    /// What bioimageio.core 0.11.0 does to one image where that is another thing. What makes its predictions depend on other
    /// images is refused.
    CoreCompatible,
}

/// How a model is loaded. What is `None` or empty here is taken from the specification.
#[derive(Debug, Clone)]
pub struct Options {
    /// An ONNX file, a bioimage.io description, or a folder that holds one of them.
    pub path: PathBuf,
    /// Which engine.
    pub engine: EngineChoice,
    /// The library of ONNX Runtime, or a folder in which to look for it.
    pub onnxruntime: Option<PathBuf>,
    /// What the model does.
    pub task: Option<Task>,
    /// How the output becomes a prediction.
    pub decode: Option<Decode>,
    /// Thresholds; each overrides the specification's.
    pub thresholds: Thresholds,
    /// Names of the classes, in the order of the output's channels.
    pub classes: Vec<String>,
    /// (channel of the model, channel of the image): names or indices from 0; for the image also `luma` and `mean`.
    pub channels: Vec<(String, String)>,
    /// What statistics are taken over.
    pub normalise: Option<Normalise>,
    /// Whose reading of a bioimage.io description.
    pub rdf_meaning: RdfMeaning,
    /// Pixels that are cropped from each side of every tile's output, in place of the specification's halo.
    pub halo: Option<usize>,
    /// Largest tile side, in pixels of the model's input, where the model takes more than one size. Default 1,024.
    pub tile: Option<usize>,
    /// Graph tensors to give as embeddings; empty: the default one.
    pub embeddings: Vec<String>,
    /// Whether [`crate::Output::fed`] holds the tensor that was fed to the engine (the first tile's).
    pub keep_fed: bool,
    /// Seconds since some fixed moment, to time the engine: this crate reads no clock.
    pub clock: fn() -> f64,
}

impl Options {
    /// The defaults: automatic engine, everything else from the specification, no clock (times are 0).
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            engine: EngineChoice::Auto,
            onnxruntime: None,
            task: None,
            decode: None,
            thresholds: Thresholds::default(),
            classes: Vec::new(),
            channels: Vec::new(),
            normalise: None,
            rdf_meaning: RdfMeaning::Specification,
            halo: None,
            tile: None,
            embeddings: Vec::new(),
            keep_fed: false,
            clock: || 0.0,
        }
    }
}
