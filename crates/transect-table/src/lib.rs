//! The tables of measurements: schema, Arrow, Parquet.
//!
//! [`Tables`] is how failure modes read a run: items are held, measurements are scanned. [`MemoryTables`] holds both in
//! memory, for simulation and for the browser; behind the feature `parquet`, `FolderTables` reads a run's folder.
//!
//! Files of a run, all Parquet with Zstandard: `measurements.parquet`, `items.parquet`, `elements.parquet`,
//! `masks.parquet`, `traces.parquet`, `embeddings/<model>/<layer>.parquet`, and, outside the contract, `timings.parquet`. The same rows give the same bytes.

mod mask;
mod memory;
mod names;
#[cfg(feature = "parquet")]
mod parquet;
mod tables;

pub use mask::MaskRow;
pub use memory::MemoryTables;
pub use names::{embedding_file, layer_file, layer_of_file};
#[cfg(feature = "parquet")]
pub use parquet::{
    ElementTable, EmbeddingTable, FolderTables, ItemTable, MaskTable, MeasurementTable, Table,
    TimingTable, TraceTable, Writer, read, read_all, read_items,
};
pub use tables::{ElementKind, ElementRow, EmbeddingRow, Filter, Tables, Timing, TraceRow};
