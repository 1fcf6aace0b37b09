//! The tables of measurements: schema, Arrow, Parquet.
//!
//! [`Tables`] is how failure modes read a run: items are held, measurements are scanned. [`MemoryTables`] holds both in
//! memory, for simulation and for the browser; behind the feature `parquet` a folder of Parquet files does the same.

mod memory;
mod tables;

pub use memory::MemoryTables;
pub use tables::{EmbeddingRow, Filter, Tables, Timing};
