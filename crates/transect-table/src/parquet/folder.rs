//! A run's folder, read as [`Tables`].

use std::path::{Path, PathBuf};

use transect_core::{Error, ItemRecord, Measurement, PIXEL_LAYERS, Result, RunRecord, codes};

use super::items::{read_items, scan_thumbnails};
use super::{ElementTable, EmbeddingTable, MeasurementTable, TimingTable, TraceTable, read};
use crate::names::{embedding_file, layer_of_file};
use crate::tables::{ElementRow, EmbeddingRow, Filter, Tables, Timing, TraceRow};

/// A run's folder. Items are read when it is opened, without their thumbnails; thumbnails and measurements are streamed from
/// the files at each scan.
#[derive(Debug)]
pub struct FolderTables {
    folder: PathBuf,
    run: RunRecord,
    items: Vec<ItemRecord>,
}

impl FolderTables {
    /// Opens the folder that `--out` named.
    ///
    /// # Errors
    /// `T603` when `run.json` or a table is missing, `T605` when one is damaged.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("run.json");
        let text = std::fs::read(&path).map_err(|e| {
            Error::new(
                &codes::measure::TABLE_UNREADABLE,
                format!("this is not the folder of a finished run: {e}"),
            )
            .at(&path)
        })?;
        let run = serde_json::from_slice(&text).map_err(|e| super::damaged(e).at(&path))?;
        let mut items: Vec<ItemRecord> = Vec::new();
        read_items(&folder.join("items.parquet"), &mut |rows| {
            items.append(rows);
            Ok(())
        })?;
        for (index, record) in items.iter().enumerate() {
            if record.item.row as usize != index {
                return Err(super::damaged("items are not in the order of their rows")
                    .at(folder.join("items.parquet")));
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            run,
            items,
        })
    }

    /// File of the embeddings of a model's layer: [`embedding_file`] in this folder.
    pub fn embedding_path(folder: &Path, model: &str, layer: &str) -> PathBuf {
        folder.join(embedding_file(model, layer))
    }
}

impl Tables for FolderTables {
    fn run(&self) -> &RunRecord {
        &self.run
    }

    fn items(&self) -> &[ItemRecord] {
        &self.items
    }

    fn scan_thumbnails(&self, each: &mut dyn FnMut(u32, &[u8]) -> Result<()>) -> Result<()> {
        scan_thumbnails(&self.folder.join("items.parquet"), each)
    }

    fn scan(
        &self,
        filter: &Filter,
        each: &mut dyn FnMut(&Measurement) -> Result<()>,
    ) -> Result<()> {
        read::<MeasurementTable>(&self.folder.join("measurements.parquet"), &mut |rows| {
            rows.iter()
                .filter(|m| filter.admits(m))
                .try_for_each(&mut *each)
        })
    }

    fn embedding_layers(&self, model: &str) -> Vec<String> {
        let path = Self::embedding_path(&self.folder, model, "x");
        let Some(entries) = path
            .parent()
            .and_then(|folder| std::fs::read_dir(folder).ok())
        else {
            return Vec::new();
        };
        let mut layers: Vec<String> = entries
            .flatten()
            .filter_map(|e| layer_of_file(e.file_name().to_str()?))
            .filter(|layer| !layer.starts_with(PIXEL_LAYERS))
            .collect();
        layers.sort();
        layers
    }

    fn scan_embeddings(
        &self,
        model: &str,
        layer: &str,
        each: &mut dyn FnMut(&EmbeddingRow) -> Result<()>,
    ) -> Result<()> {
        let path = Self::embedding_path(&self.folder, model, layer);
        if !path.exists() {
            return Ok(());
        }
        read::<EmbeddingTable>(&path, &mut |rows| rows.iter().try_for_each(&mut *each))
    }

    fn scan_elements(
        &self,
        model: &str,
        each: &mut dyn FnMut(&ElementRow) -> Result<()>,
    ) -> Result<()> {
        let path = self.folder.join("elements.parquet");
        if !path.exists() {
            return Ok(());
        }
        read::<ElementTable>(&path, &mut |rows| {
            rows.iter()
                .filter(|e| e.model_id == model)
                .try_for_each(&mut *each)
        })
    }

    fn scan_traces(&self, each: &mut dyn FnMut(&TraceRow) -> Result<()>) -> Result<()> {
        let path = self.folder.join("traces.parquet");
        if !path.exists() {
            return Ok(());
        }
        read::<TraceTable>(&path, &mut |rows| rows.iter().try_for_each(&mut *each))
    }

    fn scan_timings(&self, each: &mut dyn FnMut(&Timing) -> Result<()>) -> Result<()> {
        let path = self.folder.join("timings.parquet");
        if !path.exists() {
            return Ok(());
        }
        read::<TimingTable>(&path, &mut |rows| rows.iter().try_for_each(&mut *each))
    }
}
