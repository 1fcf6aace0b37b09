//! Tables as Parquet files: the same rows give the same bytes.

mod elements;
mod embeddings;
mod fields;
mod folder;
mod items;
mod key;
mod masks;
mod measurements;
mod timings;
mod traces;

use std::fs::File;
use std::io::Write;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use transect_core::{Error, Result, codes};

pub use elements::ElementTable;
pub use embeddings::EmbeddingTable;
pub use folder::FolderTables;
pub use items::{ItemTable, read_items};
pub use masks::MaskTable;
pub use measurements::MeasurementTable;
pub use timings::TimingTable;
pub use traces::TraceTable;

/// A kind of table: its columns, and how a row becomes values in them and back.
pub trait Table: Sized {
    /// What one row holds.
    type Row;

    /// Rows in a row group: fixed, so that the bytes do not depend on how the rows came; few where a row is large, since a
    /// group is in memory at a time.
    const ROW_GROUP: usize = 4096;

    /// The columns.
    fn schema(&self) -> SchemaRef;

    /// Rows to columns.
    ///
    /// # Errors
    /// `T605` when the values do not fit the columns.
    fn encode(&self, rows: &[Self::Row]) -> Result<RecordBatch>;

    /// The kind of table that a file with these columns is.
    ///
    /// # Errors
    /// `T605` when a column is missing.
    fn of(schema: &SchemaRef) -> Result<Self>;

    /// Columns to rows.
    ///
    /// # Errors
    /// `T605` when a column is missing or of another type.
    fn decode(&self, batch: &RecordBatch, rows: &mut Vec<Self::Row>) -> Result<()>;
}

/// Writes a table row by row.
pub struct Writer<T: Table, W: Write + Send> {
    table: T,
    inner: ArrowWriter<W>,
    pending: Vec<T::Row>,
}

impl<T: Table, W: Write + Send> Writer<T, W> {
    /// Begins a file.
    ///
    /// # Errors
    /// `T604` when nothing can be written.
    pub fn new(table: T, sink: W) -> Result<Self> {
        let level = ZstdLevel::try_new(3).map_err(damaged)?;
        let properties = WriterProperties::builder()
            .set_created_by("transect".to_owned())
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(T::ROW_GROUP))
            .build();
        let inner =
            ArrowWriter::try_new(sink, table.schema(), Some(properties)).map_err(unwritten)?;
        Ok(Self {
            table,
            inner,
            pending: Vec::new(),
        })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// `T604` when it cannot be written.
    pub fn push(&mut self, row: T::Row) -> Result<()> {
        self.pending.push(row);
        if self.pending.len() == T::ROW_GROUP {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if !self.pending.is_empty() {
            let batch = self.table.encode(&self.pending)?;
            self.inner.write(&batch).map_err(unwritten)?;
            self.inner.flush().map_err(unwritten)?;
            self.pending.clear();
        }
        Ok(())
    }

    /// Ends the file and gives back what it was written to.
    ///
    /// # Errors
    /// `T604` when it cannot be written.
    pub fn finish(mut self) -> Result<W> {
        self.flush()?;
        self.inner.into_inner().map_err(unwritten)
    }
}

/// Gives the rows of a file, in order, a batch at a time.
///
/// # Errors
/// What `each` returns; `T605` when the file is not such a table.
pub fn read<T: Table>(
    path: &Path,
    each: &mut dyn FnMut(&mut Vec<T::Row>) -> Result<()>,
) -> Result<()> {
    read_columns::<T>(path, &|_| true, each)
}

/// The same with only the columns whose names pass; the others are not read from the disk.
fn read_columns<T: Table>(
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
    each: &mut dyn FnMut(&mut Vec<T::Row>) -> Result<()>,
) -> Result<()> {
    let (schema, reader) = open(path, wanted, T::ROW_GROUP)?;
    let table = T::of(&schema).map_err(|e| e.at(path))?;
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|e| damaged(e).at(path))?;
        rows.clear();
        table.decode(&batch, &mut rows).map_err(|e| e.at(path))?;
        each(&mut rows)?;
    }
    Ok(())
}

/// All columns of a file, and batches of the columns whose names pass.
fn open(
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
    batch: usize,
) -> Result<(SchemaRef, ParquetRecordBatchReader)> {
    let file = File::open(path).map_err(|e| {
        Error::new(
            &codes::measure::TABLE_UNREADABLE,
            format!("a table of the run cannot be opened: {e}"),
        )
        .at(path)
    })?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged(e).at(path))?;
    let schema = builder.schema().clone();
    let roots = (0..schema.fields().len()).filter(|&i| wanted(schema.field(i).name()));
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(batch)
        .build()
        .map_err(|e| damaged(e).at(path))?;
    Ok((schema, reader))
}

/// All rows of a file.
///
/// # Errors
/// `T605` when the file is not such a table.
pub fn read_all<T: Table>(path: &Path) -> Result<Vec<T::Row>> {
    let mut all = Vec::new();
    read::<T>(path, &mut |rows| {
        all.append(rows);
        Ok(())
    })?;
    Ok(all)
}

fn damaged(cause: impl std::fmt::Display) -> Error {
    Error::new(
        &codes::measure::TABLE_DAMAGED,
        format!("a table of the run is damaged or of another version: {cause}"),
    )
}

fn unwritten(cause: impl std::fmt::Display) -> Error {
    Error::new(
        &codes::measure::TABLE_UNWRITTEN,
        format!("a table of the run cannot be written: {cause}"),
    )
    .help("free some space or make the folder writable, then run the same command again: what was finished is kept")
}
