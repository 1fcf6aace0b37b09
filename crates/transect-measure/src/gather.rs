//! Parts to tables: concatenated in order, never sorted.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use transect_core::{Error, Fits, ItemRecord, Result, RunRecord, Stage, codes};
use transect_table::{
    ElementTable, EmbeddingTable, FolderTables, ItemTable, MaskTable, MeasurementTable, Table,
    TimingTable, TraceTable, Writer, read, read_items,
};

use crate::fits::{Sources, fit_all};
use crate::folder::{parts, unwritten, write_atomically};
use crate::job::Job;
use crate::parts::{embedding_layer, part, write_table};
use crate::plan::Plan;

/// How far a run is.
#[derive(Debug)]
pub enum Gathered {
    /// Stages 0 and 1 are there; stage 2 needs these fits.
    NeedsPartner(Fits),
    /// Everything is there and the tables are written.
    Whole,
}

/// The plan that a run's folder is of.
///
/// # Errors
/// `T603` when the folder holds no plan, `T605` when it is damaged.
pub fn plan_of(folder: &Path) -> Result<Plan> {
    let path = folder.join("plan.json");
    let bytes = fs::read(&path).map_err(|e| {
        Error::new(
            &codes::measure::TABLE_UNREADABLE,
            format!("this is not the folder of a run: {e}"),
        )
        .at(&path)
    })?;
    Plan::from_json(&bytes).map_err(|e| e.at(path))
}

fn find(folders: &[PathBuf], stage: Stage, block: usize) -> Option<PathBuf> {
    folders
        .iter()
        .map(|folder| part(&parts(folder, stage), block))
        .find(|path| path.is_dir())
}

fn all(
    folders: &[PathBuf],
    plan: &Plan,
    stage: Stage,
) -> std::result::Result<Vec<PathBuf>, Vec<usize>> {
    let found: Vec<Option<PathBuf>> = (0..plan.blocks(stage))
        .map(|block| find(folders, stage, block))
        .collect();
    let missing: Vec<usize> = found
        .iter()
        .enumerate()
        .filter(|(_, p)| p.is_none())
        .map(|(b, _)| b)
        .collect();
    if missing.is_empty() {
        Ok(found.into_iter().flatten().collect())
    } else {
        Err(missing)
    }
}

fn missing(stage: Stage, blocks: &[usize]) -> Error {
    let list = blocks
        .iter()
        .take(10)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    Error::new(
        &codes::measure::SHARD_OTHER,
        format!(
            "{} blocks of stage {stage:?} are missing: {list}{}",
            blocks.len(),
            if blocks.len() > 10 { ", …" } else { "" }
        ),
    )
    .help("run the shards that hold these blocks again with the same options, then gather")
}

/// Puts the parts in some folders together into the tables of one folder, and makes the fits that stage 2 of the job needs.
///
/// # Errors
/// `T607` when a folder holds another plan or a block is missing, `T604` when a table cannot be written.
pub fn gather(job: &Job, folders: &[PathBuf], out: &Path, plan: &Plan) -> Result<Gathered> {
    for folder in folders {
        let there = plan_of(folder)?.record().plan_sha256;
        if there != plan.record().plan_sha256 {
            return Err(Error::new(
                &codes::measure::SHARD_OTHER,
                "this folder is not a shard of the same plan",
            )
            .at(folder)
            .note(format!(
                "plan expected: {}",
                &plan.record().plan_sha256.hex()[..12]
            ))
            .note(format!("plan there:    {}", &there.hex()[..12])));
        }
    }
    let items_parts = all(folders, plan, Stage::Items).map_err(|b| missing(Stage::Items, &b))?;
    let own = all(folders, plan, Stage::Own).map_err(|b| missing(Stage::Own, &b))?;
    // Two passes, so that no thumbnail is held.
    let mut items: Vec<ItemRecord> = Vec::new();
    for path in &items_parts {
        read_items(&path.join("items.parquet"), &mut |rows| {
            items.append(rows);
            Ok(())
        })?;
    }
    let mut fits = Fits::default();
    if plan.blocks(Stage::Partner) > 0 {
        fits = fit_all(&Sources {
            job,
            plan,
            items: &items,
            own: &own,
            out,
        })?;
    }
    let table = ItemTable::new(items.iter().map(|r| &r.item));
    drop(items);
    concatenate(
        &items_parts,
        "items.parquet",
        &out.join("items.parquet"),
        table,
    )?;
    if plan.blocks(Stage::Partner) > 0 {
        let bytes = serde_json::to_vec(&fits).unwrap_or_default();
        for folder in folders.iter().map(PathBuf::as_path).chain([out]) {
            freeze(folder, &bytes)?;
        }
        // What a shard reads from its folder, to the last digit.
        fits = serde_json::from_slice(&bytes).unwrap_or(fits);
    }
    let Ok(partner) = all(folders, plan, Stage::Partner) else {
        return Ok(Gathered::NeedsPartner(fits));
    };
    let paths: Vec<PathBuf> = own.into_iter().chain(partner).collect();
    let scores = plan
        .record()
        .context
        .score_columns
        .iter()
        .map(|c| c.name.clone());
    concatenate(
        &paths,
        "measurements.parquet",
        &out.join("measurements.parquet"),
        MeasurementTable::new(scores),
    )?;
    concatenate(
        &paths,
        "masks.parquet",
        &out.join("masks.parquet"),
        MaskTable,
    )?;
    concatenate(
        &paths,
        "elements.parquet",
        &out.join("elements.parquet"),
        ElementTable,
    )?;
    concatenate(
        &paths,
        "traces.parquet",
        &out.join("traces.parquet"),
        TraceTable,
    )?;
    let sources: Vec<PathBuf> = items_parts.into_iter().chain(paths).collect();
    concatenate(
        &sources,
        "timings.parquet",
        &out.join("timings.parquet"),
        TimingTable,
    )?;
    let mut layers = BTreeSet::new();
    for path in &sources {
        let entries = fs::read_dir(path).map_err(|e| unwritten(path, &e))?;
        layers.extend(
            entries
                .flatten()
                .filter_map(|e| e.file_name().into_string().ok())
                .filter(|n| embedding_layer(n).is_some()),
        );
    }
    for file in layers {
        let Some((model, layer)) = embedding_layer(&file) else {
            continue;
        };
        let target = FolderTables::embedding_path(out, &model, &layer);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(|e| unwritten(folder, &e))?;
        }
        concatenate(&sources, &file, &target, EmbeddingTable)?;
    }
    let record = RunRecord {
        fits_sha256: (plan.blocks(Stage::Partner) > 0).then(|| fits.digest()),
        ..plan.record().clone()
    };
    let mut json = serde_json::to_vec_pretty(&record).unwrap_or_default();
    json.push(b'\n');
    write_atomically(&out.join("run.json"), &json)?;
    Ok(Gathered::Whole)
}

/// Writes the fits into a run's folder. What was measured with other fits, before a file could be read that now can, is
/// given up.
fn freeze(folder: &Path, fits: &[u8]) -> Result<()> {
    let path = folder.join("fits.json");
    match fs::read(&path) {
        Ok(there) if there == fits => return Ok(()),
        Ok(_) => {
            let stale = parts(folder, Stage::Partner);
            if stale.is_dir() {
                fs::remove_dir_all(&stale).map_err(|e| unwritten(&stale, &e))?;
            }
        }
        Err(_) => {}
    }
    write_atomically(&path, fits)
}

/// Writes a table under a temporary name and renames it.
fn write<T: Table>(
    path: &Path,
    table: T,
    fill: impl FnOnce(&mut Writer<T, std::io::BufWriter<fs::File>>) -> Result<()>,
) -> Result<()> {
    let temporary = path.with_extension("parquet.tmp");
    write_table(&temporary, table, fill)?;
    fs::rename(&temporary, path).map_err(|e| unwritten(path, &e))
}

fn concatenate<T: Table>(paths: &[PathBuf], file: &str, target: &Path, table: T) -> Result<()> {
    let sources: Vec<PathBuf> = paths
        .iter()
        .map(|p| p.join(file))
        .filter(|p| p.is_file())
        .collect();
    if sources.is_empty() && file != "measurements.parquet" {
        return Ok(());
    }
    write(target, table, |writer| {
        for source in &sources {
            read::<T>(source, &mut |rows| {
                rows.drain(..).try_for_each(|row| writer.push(row))
            })?;
        }
        Ok(())
    })
}
