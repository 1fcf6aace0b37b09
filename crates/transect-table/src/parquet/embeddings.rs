//! `embeddings/<model>/<layer>.parquet`.

use std::sync::Arc;

use arrow_array::builder::{Float32Builder, ListBuilder};
use arrow_array::types::UInt32Type;
use arrow_array::{RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Schema, SchemaRef};
use transect_core::Result;

use super::fields::{digest, field, floats, list_of, lists, numbers, strings};
use super::{Table, damaged};
use crate::tables::EmbeddingRow;

/// One row for each embedded (row, view).
#[derive(Debug, Clone, Copy, Default)]
pub struct EmbeddingTable;

impl Table for EmbeddingTable {
    type Row = EmbeddingRow;

    const ROW_GROUP: usize = 256;

    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            field("row", DataType::UInt32, false),
            field("image_sha256", DataType::Utf8, false),
            field("view_id", DataType::Utf8, false),
            field("embedding", list_of(DataType::Float32), false),
        ]))
    }

    fn encode(&self, rows: &[EmbeddingRow]) -> Result<RecordBatch> {
        let mut values = ListBuilder::new(Float32Builder::new());
        for r in rows {
            values.values().append_slice(&r.values);
            values.append(true);
        }
        RecordBatch::try_new(
            self.schema(),
            vec![
                Arc::new(UInt32Array::from_iter_values(rows.iter().map(|r| r.row))),
                Arc::new(StringArray::from_iter_values(
                    rows.iter().map(|r| r.image_sha256.hex()),
                )),
                Arc::new(StringArray::from_iter_values(
                    rows.iter().map(|r| &r.view_id),
                )),
                Arc::new(values.finish()),
            ],
        )
        .map_err(damaged)
    }

    fn of(_: &SchemaRef) -> Result<Self> {
        Ok(Self)
    }

    fn decode(&self, batch: &RecordBatch, rows: &mut Vec<EmbeddingRow>) -> Result<()> {
        let row = numbers::<UInt32Type>(batch, "row")?;
        let sha = strings(batch, "image_sha256")?;
        let view = strings(batch, "view_id")?;
        let values = lists(batch, "embedding")?;
        for i in 0..batch.num_rows() {
            rows.push(EmbeddingRow {
                row: row.value(i),
                image_sha256: digest(sha, i)?,
                view_id: view.value(i).to_owned(),
                values: floats(values, i)?,
            });
        }
        Ok(())
    }
}
