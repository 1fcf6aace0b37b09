//! A run's folder, read as [`Tables`].

use std::path::{Path, PathBuf};

use transect_core::{Error, ItemRecord, Measurement, Result, RunRecord, codes};

use super::items::{read_items, scan_thumbnails};
use super::{ElementTable, EmbeddingTable, MeasurementTable, TimingTable, TraceTable, read};
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

    /// File of the embeddings of a model's layer. Bytes of the names other than letters, digits, `-`, `_` and inner dots
    /// are written as `%` and two hexadecimal digits, so that two layers never share a file.
    pub fn embedding_path(folder: &Path, model: &str, layer: &str) -> PathBuf {
        folder
            .join("embeddings")
            .join(escape(model))
            .join(layer_file(layer))
    }
}

/// File name of a layer's embeddings: two layers never share one, and whatever a stranger named a layer, it is one name.
pub fn layer_file(layer: &str) -> String {
    format!("{}.parquet", escape(layer))
}

/// The layer that [`layer_file`] made a file name of; `None` for other files.
pub fn layer_of_file(name: &str) -> Option<String> {
    unescape(name.strip_suffix(".parquet")?)
}

fn escape(name: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for (place, byte) in name.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && place > 0) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02x}");
        }
    }
    text
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_with_any_name_keep_a_file_of_their_own() {
        let names = ["a/b", "a_b", "..", "features.3", "größe", "%61", ""];
        for name in names {
            let text = escape(name);
            assert!(!text.contains('/') && !text.starts_with('.'), "{text}");
            assert_eq!(unescape(&text).as_deref(), Some(name));
        }
    }
}
