//! Parts: what a finished block leaves behind, whole or not at all.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use transect_core::{ItemRecord, Measurement, Result};
use transect_table::{
    EmbeddingRow, EmbeddingTable, ItemTable, MaskRow, MaskTable, MeasurementTable, Table, Timing,
    TimingTable, Writer,
};

use crate::folder::unwritten;
use crate::measure_one::Measured;

/// Folder of a block's part.
pub(crate) fn part(parts: &Path, block: usize) -> PathBuf {
    parts.join(format!("{block:06}"))
}

/// File of a layer's embeddings inside a part. The layer's name is written in hexadecimal: it is a stranger's.
pub(crate) fn embedding_file(layer: &str) -> String {
    use std::fmt::Write as _;
    let mut name = String::from("embeddings.");
    for byte in layer.bytes() {
        let _ = write!(name, "{byte:02x}");
    }
    name + ".parquet"
}

/// The layer that a file of embeddings is of.
pub(crate) fn embedding_layer(file: &str) -> Option<String> {
    let hex = file.strip_prefix("embeddings.")?.strip_suffix(".parquet")?;
    let bytes: Option<Vec<u8>> = hex
        .as_bytes()
        .chunks(2)
        .map(|p| u8::from_str_radix(std::str::from_utf8(p).ok()?, 16).ok())
        .collect();
    String::from_utf8(bytes?).ok()
}

/// Writes a table into a folder and syncs it.
pub(crate) fn write_table<T: Table>(
    path: &Path,
    table: T,
    rows: impl IntoIterator<Item = T::Row>,
) -> Result<()> {
    let file = File::create(path).map_err(|e| unwritten(path, &e))?;
    let mut writer = Writer::new(table, std::io::BufWriter::new(file)).map_err(|e| e.at(path))?;
    for row in rows {
        writer.push(row).map_err(|e| e.at(path))?;
    }
    let mut sink = writer.finish().map_err(|e| e.at(path))?;
    sink.flush().map_err(|e| unwritten(path, &e))?;
    sink.get_ref().sync_all().map_err(|e| unwritten(path, &e))
}

/// Writes a part under a temporary name and renames it when it is whole.
fn commit(parts: &Path, block: usize, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let temporary = parts.join(format!("{block:06}.tmp"));
    let _ = fs::remove_dir_all(&temporary);
    fs::create_dir_all(&temporary).map_err(|e| unwritten(&temporary, &e))?;
    let done = fill(&temporary).and_then(|()| {
        let target = part(parts, block);
        fs::rename(&temporary, &target).map_err(|e| unwritten(&target, &e))?;
        // The rename itself must reach the disk; a system that cannot sync a folder loses at most this block.
        if let Ok(folder) = File::open(parts) {
            let _ = folder.sync_all();
        }
        Ok(())
    });
    if done.is_err() {
        let _ = fs::remove_dir_all(&temporary);
    }
    done
}

/// Writes the part of a block of stage 0.
pub(crate) fn write_items(parts: &Path, block: usize, items: Vec<ItemRecord>) -> Result<()> {
    commit(parts, block, |folder| {
        let table = ItemTable::new(items.iter().map(|r| &r.item));
        write_table(&folder.join("items.parquet"), table, items)
    })
}

/// Writes the part of a block of measurements.
pub(crate) fn write_measured(
    parts: &Path,
    block: usize,
    scores: &[String],
    measured: Vec<Measured>,
) -> Result<()> {
    commit(parts, block, |folder| {
        let mut rows: Vec<Measurement> = Vec::with_capacity(measured.len());
        let mut masks: Vec<MaskRow> = Vec::new();
        let mut timings: Vec<Timing> = Vec::with_capacity(measured.len());
        let mut embeddings: BTreeMap<String, Vec<EmbeddingRow>> = BTreeMap::new();
        for m in measured {
            // What was not measured took no time that means anything.
            if m.measurement.status == transect_core::Status::Ok {
                timings.push(m.timing);
            }
            rows.push(m.measurement);
            masks.extend(m.mask);
            for (layer, row) in m.embeddings {
                embeddings.entry(layer).or_default().push(row);
            }
        }
        write_table(
            &folder.join("measurements.parquet"),
            MeasurementTable::new(scores.iter().cloned()),
            rows,
        )?;
        write_table(&folder.join("timings.parquet"), TimingTable, timings)?;
        if !masks.is_empty() {
            write_table(&folder.join("masks.parquet"), MaskTable, masks)?;
        }
        for (layer, rows) in embeddings {
            write_table(&folder.join(embedding_file(&layer)), EmbeddingTable, rows)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_with_any_name_come_back_from_their_file() {
        for layer in ["features.3", "../../etc/passwd", "größe", ""] {
            let file = embedding_file(layer);
            assert!(!file.contains('/'));
            assert_eq!(embedding_layer(&file).as_deref(), Some(layer));
        }
    }
}
