//! Parts: what a finished block leaves behind, whole or not at all.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use transect_core::{Kind, Measurement, Result, codes};
use transect_table::{
    ElementRow, ElementTable, EmbeddingRow, EmbeddingTable, ItemTable, MaskRow, MaskTable,
    MeasurementTable, Table, Timing, TimingTable, TraceRow, TraceTable, Writer, layer_file,
    layer_of_file,
};

use crate::describe::{FEATURES, ItemMade};
use crate::folder::unwritten;
use crate::measure_one::Measured;

/// Folder of a block's part.
pub(crate) fn part(parts: &Path, block: usize) -> PathBuf {
    parts.join(format!("{block:06}"))
}

/// Empty file in a part that holds a failure that may pass: such a block is measured again when the run goes on.
const PASSING: &str = "passing";

/// Whether a block is finished and nothing in it failed by reading a file, which may work the next time.
pub(crate) fn settled(parts: &Path, block: usize) -> bool {
    let part = part(parts, block);
    part.is_dir() && !part.join(PASSING).exists()
}

/// Whether this is the code of a failure that may pass: the operating system refused to read or write.
fn passing(code: Option<&String>) -> bool {
    code.and_then(|id| codes::find(id))
        .is_some_and(|code| code.kind == Kind::Io)
}

/// Marks a part that is to be measured again.
fn mark(folder: &Path, passing: bool) -> Result<()> {
    if passing {
        let path = folder.join(PASSING);
        File::create(&path).map_err(|e| unwritten(&path, &e))?;
    }
    Ok(())
}

/// File of the embeddings of a model's layer inside a part.
pub(crate) fn embedding_file(model: &str, layer: &str) -> String {
    format!("embeddings@{}@{}", layer_file(model), layer_file(layer))
}

/// The model and the layer that a file of embeddings is of.
pub(crate) fn embedding_layer(file: &str) -> Option<(String, String)> {
    let (model, layer) = file.strip_prefix("embeddings@")?.split_once('@')?;
    Some((layer_of_file(model)?, layer_of_file(layer)?))
}

/// Writes a table and syncs it.
pub(crate) fn write_table<T: Table>(
    path: &Path,
    table: T,
    fill: impl FnOnce(&mut Writer<T, BufWriter<File>>) -> Result<()>,
) -> Result<()> {
    let file = File::create(path).map_err(|e| unwritten(path, &e))?;
    let mut writer = Writer::new(table, BufWriter::new(file)).map_err(|e| e.at(path))?;
    fill(&mut writer).map_err(|e| e.at(path))?;
    let sink = writer.finish().map_err(|e| e.at(path))?;
    let file = sink.into_inner().map_err(|e| unwritten(path, &e))?;
    file.sync_all().map_err(|e| unwritten(path, &e))
}

/// Writes the rows of a table and syncs it.
fn write_rows<T: Table>(
    path: &Path,
    table: T,
    rows: impl IntoIterator<Item = T::Row>,
) -> Result<()> {
    write_table(path, table, |writer| {
        rows.into_iter().try_for_each(|row| writer.push(row))
    })
}

/// Writes a part under a temporary name and renames it when it is whole.
fn commit(parts: &Path, block: usize, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let temporary = parts.join(format!("{block:06}.tmp"));
    let _ = fs::remove_dir_all(&temporary);
    fs::create_dir_all(&temporary).map_err(|e| unwritten(&temporary, &e))?;
    let done = fill(&temporary).and_then(|()| {
        let target = part(parts, block);
        let before = parts.join(format!("{block:06}.old"));
        let _ = fs::remove_dir_all(&before);
        if target.is_dir() {
            fs::rename(&target, &before).map_err(|e| unwritten(&target, &e))?;
        }
        fs::rename(&temporary, &target).map_err(|e| unwritten(&target, &e))?;
        let _ = fs::remove_dir_all(&before);
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

/// Embeddings of a part by the model and layer that they are of.
type Embeddings = BTreeMap<(String, String), Vec<EmbeddingRow>>;

fn write_embeddings(folder: &Path, embeddings: Embeddings) -> Result<()> {
    for ((model, layer), rows) in embeddings {
        write_rows(
            &folder.join(embedding_file(&model, &layer)),
            EmbeddingTable,
            rows,
        )?;
    }
    Ok(())
}

/// Writes the part of a block of stage 0.
pub(crate) fn write_items(parts: &Path, block: usize, made: Vec<ItemMade>) -> Result<()> {
    commit(parts, block, |folder| {
        let mut items = Vec::with_capacity(made.len());
        let mut timings: Vec<Timing> = Vec::new();
        let mut embeddings = Embeddings::new();
        for one in made {
            items.push(one.record);
            timings.extend(one.timings);
            for (family, row) in one.features {
                let key = (FEATURES.to_owned(), family);
                embeddings.entry(key).or_default().push(row);
            }
        }
        mark(folder, items.iter().any(|i| passing(i.error_code.as_ref())))?;
        let table = ItemTable::new(items.iter().map(|r| &r.item));
        write_rows(&folder.join("items.parquet"), table, items)?;
        write_rows(&folder.join("timings.parquet"), TimingTable, timings)?;
        write_embeddings(folder, embeddings)
    })
}

/// Writes the part of a block of measurements, with how long its rows took to be read.
pub(crate) fn write_measured(
    parts: &Path,
    block: usize,
    scores: &[String],
    read: Vec<Timing>,
    measured: Vec<Measured>,
) -> Result<()> {
    commit(parts, block, |folder| {
        let mut rows: Vec<Measurement> = Vec::with_capacity(measured.len());
        let mut masks: Vec<MaskRow> = Vec::new();
        let mut elements: Vec<ElementRow> = Vec::new();
        let mut traces: Vec<TraceRow> = Vec::new();
        let mut timings = read;
        let mut embeddings = Embeddings::new();
        for m in measured {
            // What was not measured took no time that means anything.
            if m.measurement.status == transect_core::Status::Ok {
                timings.push(m.timing);
            }
            for (layer, row) in m.embeddings {
                let key = (m.measurement.model_id.clone(), layer);
                embeddings.entry(key).or_default().push(row);
            }
            rows.push(m.measurement);
            masks.extend(m.mask);
            elements.extend(m.elements);
            traces.extend(m.traces);
        }
        mark(folder, rows.iter().any(|m| passing(m.error_code.as_ref())))?;
        write_rows(
            &folder.join("measurements.parquet"),
            MeasurementTable::new(scores.iter().cloned()),
            rows,
        )?;
        write_rows(&folder.join("timings.parquet"), TimingTable, timings)?;
        if !masks.is_empty() {
            write_rows(&folder.join("masks.parquet"), MaskTable, masks)?;
        }
        if !elements.is_empty() {
            write_rows(&folder.join("elements.parquet"), ElementTable, elements)?;
        }
        if !traces.is_empty() {
            write_rows(&folder.join("traces.parquet"), TraceTable, traces)?;
        }
        write_embeddings(folder, embeddings)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_with_any_name_come_back_from_their_file() {
        for layer in ["features.3", "../../etc/passwd", "größe", ""] {
            let file = embedding_file("reinit:1", layer);
            assert!(!file.contains('/'));
            assert_eq!(
                embedding_layer(&file),
                Some(("reinit:1".to_owned(), layer.to_owned()))
            );
        }
    }
}
