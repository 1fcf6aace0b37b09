//! Tables in memory.

use std::collections::BTreeMap;

use transect_core::{ItemRecord, Measurement, PIXEL_LAYERS, Result, RunRecord};

use crate::tables::{ElementRow, EmbeddingRow, Filter, Tables, Timing, TraceRow};

/// A run's tables in memory.
#[derive(Debug, Clone)]
pub struct MemoryTables {
    /// What was run.
    pub run: RunRecord,
    /// Items at the index of their row.
    pub items: Vec<ItemRecord>,
    /// Measurements in canonical order.
    pub measurements: Vec<Measurement>,
    /// Embeddings by (model, layer).
    pub embeddings: BTreeMap<(String, String), Vec<EmbeddingRow>>,
    /// Elements.
    pub elements: Vec<ElementRow>,
    /// Steps of searches.
    pub traces: Vec<TraceRow>,
    /// Timings.
    pub timings: Vec<Timing>,
}

impl Tables for MemoryTables {
    fn run(&self) -> &RunRecord {
        &self.run
    }

    fn items(&self) -> &[ItemRecord] {
        &self.items
    }

    fn scan_thumbnails(&self, each: &mut dyn FnMut(u32, &[u8]) -> Result<()>) -> Result<()> {
        self.items
            .iter()
            .filter(|i| !i.thumbnail.is_empty())
            .try_for_each(|i| each(i.item.row, &i.thumbnail))
    }

    fn scan(
        &self,
        filter: &Filter,
        each: &mut dyn FnMut(&Measurement) -> Result<()>,
    ) -> Result<()> {
        self.measurements
            .iter()
            .filter(|m| filter.admits(m))
            .try_for_each(each)
    }

    fn embedding_layers(&self, model: &str) -> Vec<String> {
        self.embeddings
            .keys()
            .filter(|(m, layer)| m == model && !layer.starts_with(PIXEL_LAYERS))
            .map(|(_, layer)| layer.clone())
            .collect()
    }

    fn scan_embeddings(
        &self,
        model: &str,
        layer: &str,
        each: &mut dyn FnMut(&EmbeddingRow) -> Result<()>,
    ) -> Result<()> {
        self.embeddings
            .get(&(model.to_owned(), layer.to_owned()))
            .into_iter()
            .flatten()
            .try_for_each(each)
    }

    fn scan_elements(
        &self,
        model: &str,
        each: &mut dyn FnMut(&ElementRow) -> Result<()>,
    ) -> Result<()> {
        self.elements
            .iter()
            .filter(|e| e.model_id == model)
            .try_for_each(each)
    }

    fn scan_traces(&self, each: &mut dyn FnMut(&TraceRow) -> Result<()>) -> Result<()> {
        self.traces.iter().try_for_each(each)
    }

    fn scan_timings(&self, each: &mut dyn FnMut(&Timing) -> Result<()>) -> Result<()> {
        self.timings.iter().try_for_each(each)
    }
}
