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

/// How long one measurement took. Outside the contract: never the same twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// Manifest row.
    pub row: u32,
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

    /// Names of the layers with embeddings of this model.
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

    /// Gives every timing, in no stated order. Only the mode `cost` reads them.
    ///
    /// # Errors
    /// What `each` returns, or that a table cannot be read.
    fn scan_timings(&self, each: &mut dyn FnMut(&Timing) -> Result<()>) -> Result<()>;
}
