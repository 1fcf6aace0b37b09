//! How failure modes read a run.

use transect_core::{Digest, ItemRecord, Measurement, ModelId, Result, RunRecord, ViewKind};

/// Which measurements a scan gives. Empty means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this model.
    pub model: Option<ModelId>,
    /// Only this sort of view.
    pub kind: Option<ViewKind>,
    /// Only views of this name (corruption or trait).
    pub name: Option<String>,
}

impl Filter {
    /// The images themselves.
    pub fn identity() -> Self {
        Self {
            kind: Some(ViewKind::Identity),
            ..Self::default()
        }
    }

    /// Whether a measurement passes.
    pub fn admits(&self, m: &Measurement) -> bool {
        self.model.as_ref().is_none_or(|model| *model == m.model_id)
            && self.kind.is_none_or(|kind| kind == m.view.kind)
            && self.name.as_ref().is_none_or(|name| *name == m.view.name)
    }
}

/// One row of an embedding table.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingRow {
    /// Manifest row.
    pub row: u32,
    /// Content.
    pub image_sha256: Digest,
    /// View, by its id.
    pub view_id: String,
    /// The embedding, pooled over positions for spatial layers.
    pub values: Vec<f32>,
}

/// What an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementKind {
    /// An object of the prediction, of the truth, or of both where they match at IoU 0.5.
    Object,
    /// A sampled pixel.
    Pixel,
}

/// One row of `elements.parquet`: a part of an image that can be right or wrong by itself, so that a handful of images is
/// not starved. Intervals still resample groups.
#[derive(Debug, Clone, PartialEq)]
pub struct ElementRow {
    /// Manifest row.
    pub row: u32,
    /// Content.
    pub image_sha256: Digest,
    /// Model.
    pub model_id: ModelId,
    /// View, by its id.
    pub view_id: String,
    /// What it is.
    pub kind: ElementKind,
    /// Objects: label in the truth, `None` where no object of the truth matches. Pixels: the true class, `None` where it is
    /// ignored or not known.
    pub truth: Option<u32>,
    /// Objects: label in the prediction, `None` for a missed object. Pixels: the predicted class.
    pub pred: Option<u32>,
    /// Confidence of the prediction: an object's, or the predicted class's probability at the pixel.
    pub confidence: Option<f32>,
    /// Objects: IoU with the match; `None` without one.
    pub iou: Option<f32>,
    /// Objects: area in px, of the prediction where there is one; 1 for pixels.
    pub area_px: f32,
    /// Objects: centroid; pixels: place. Row, then column.
    pub place_px: [f32; 2],
}

/// One row of `traces.parquet`: a step of a search, kept where it found something worse, and at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceRow {
    /// Manifest row.
    pub row: u32,
    /// Content.
    pub image_sha256: Digest,
    /// Model.
    pub model_id: ModelId,
    /// View, by its id.
    pub view_id: String,
    /// Forward passes made so far.
    pub query: u32,
    /// What the search makes small: a margin for classes, a score for the rest.
    pub objective: f64,
    /// Score of the image there, 0 to 1.
    pub score: Option<f64>,
    /// Predicted class there.
    pub pred_class: Option<u32>,
    /// Predicted number of objects there.
    pub pred_count: Option<f64>,
    /// How far it went: the largest share of the reach that any parameter used.
    pub distance: f64,
    /// What makes it again: the search's parameters, in the order that its page says.
    pub parameters: Vec<f64>,
}

/// How long one measurement took, or what is done once for a row. Outside the contract: never the same twice.
///
/// Of the model `features` the "views" are the parts of stage 0: `read` (the row's files), `attributes`, `features`. Of any other
/// model `read` is the reading of the row for its measurements. Only `total_s` of such a row is over 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// Manifest row.
    pub row: u32,
    /// Model.
    pub model_id: ModelId,
    /// View, by its id.
    pub view_id: String,
    /// Seconds to make the view.
    pub view_s: f64,
    /// Seconds in the engine.
    pub inference_s: f64,
    /// Seconds for everything of this measurement, pre- and post-processing and score included.
    pub total_s: f64,
}

/// A run's tables. Items are held in memory; thumbnails, measurements and embeddings are scanned, the last two in the
/// canonical order: stage, row, view.
pub trait Tables {
    /// What was run.
    fn run(&self) -> &RunRecord;

    /// Every item, at the index of its row. Thumbnails are empty where the tables are not in memory:
    /// [`Tables::scan_thumbnails`] gives them.
    fn items(&self) -> &[ItemRecord];

    /// Gives the row and the thumbnail (64 × 64 × 3 bytes, red, green, blue) of every item that has one, by row.
    ///
    /// # Errors
    /// What `each` returns, or that a table cannot be read.
    fn scan_thumbnails(&self, each: &mut dyn FnMut(u32, &[u8]) -> Result<()>) -> Result<()>;

    /// Gives every measurement that the filter admits, in canonical order.
    ///
    /// # Errors
    /// What `each` returns, or that a table cannot be read.
    fn scan(&self, filter: &Filter, each: &mut dyn FnMut(&Measurement) -> Result<()>)
    -> Result<()>;

    /// Names of the layers with embeddings of this model; those of single pixels ([`transect_core::PIXEL_LAYERS`]) are not
    /// among them.
    fn embedding_layers(&self, model: &str) -> Vec<String>;

    /// Gives every embedding of a model's layer, in canonical order.
    ///
    /// # Errors
    /// What `each` returns, or that a table cannot be read.
    fn scan_embeddings(
        &self,
        model: &str,
        layer: &str,
        each: &mut dyn FnMut(&EmbeddingRow) -> Result<()>,
    ) -> Result<()>;

    /// Gives every element of a model, in canonical order.
    ///
    /// # Errors
    /// What `each` returns, or that a table cannot be read.
    fn scan_elements(
        &self,
        model: &str,
        each: &mut dyn FnMut(&ElementRow) -> Result<()>,
    ) -> Result<()>;

    /// Gives every step that searches kept, in canonical order.
    ///
    /// # Errors
    /// What `each` returns, or that a table cannot be read.
    fn scan_traces(&self, each: &mut dyn FnMut(&TraceRow) -> Result<()>) -> Result<()>;

    /// Gives every timing, in no stated order. Only the mode `cost` reads them.
    ///
    /// # Errors
    /// What `each` returns, or that a table cannot be read.
    fn scan_timings(&self, each: &mut dyn FnMut(&Timing) -> Result<()>) -> Result<()>;
}
