//! A run's folder, read as [`Tables`].

use std::path::{Path, PathBuf};

use transect_core::{Error, ItemRecord, Measurement, Result, RunRecord, codes};

use super::{EmbeddingTable, ItemTable, MeasurementTable, TimingTable, read};
use crate::tables::{EmbeddingRow, Filter, Tables, Timing};

/// A run's folder. Items are read when it is opened, without their thumbnails, which nothing judges; measurements are streamed from the file at each scan.
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
        read::<ItemTable>(&folder.join("items.parquet"), &mut |rows| {
            items.extend(rows.drain(..).map(|r| ItemRecord {
                thumbnail: Vec::new(),
                ..r
            }));
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

    /// File of the embeddings of a model's layer. Characters that a file name cannot have become `_`.
    pub fn embedding_path(folder: &Path, model: &str, layer: &str) -> PathBuf {
        let safe = |name: &str| -> String {
            name.chars()
                .map(|c| {
                    if c.is_ascii_alphanumeric() || "-.".contains(c) {
                        c
                    } else {
                        '_'
                    }
                })
                .collect()
        };
        folder
            .join("embeddings")
            .join(safe(model))
            .join(format!("{}.parquet", safe(layer)))
    }
}

impl Tables for FolderTables {
    fn run(&self) -> &RunRecord {
        &self.run
    }

    fn items(&self) -> &[ItemRecord] {
        &self.items
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
            .filter_map(|e| {
                e.file_name()
                    .to_str()?
                    .strip_suffix(".parquet")
                    .map(str::to_owned)
            })
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

    fn scan_timings(&self, each: &mut dyn FnMut(&Timing) -> Result<()>) -> Result<()> {
        let path = self.folder.join("timings.parquet");
        if !path.exists() {
            return Ok(());
        }
        read::<TimingTable>(&path, &mut |rows| rows.iter().try_for_each(&mut *each))
    }
}
