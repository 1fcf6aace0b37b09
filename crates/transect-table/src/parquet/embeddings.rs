//! `embeddings/<model>/<layer>.parquet`.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::builder::{Float32Builder, ListBuilder};
use arrow_schema::{DataType, Schema, SchemaRef};
use transect_core::Result;

use super::fields::{field, floats, list_of, lists};
use super::key::{Key, Keys, Of, keyed_columns, keyed_fields};
use super::{Table, damaged};
use crate::tables::EmbeddingRow;

/// One row for each embedded (row, view).
#[derive(Debug, Clone, Copy, Default)]
pub struct EmbeddingTable;

impl Table for EmbeddingTable {
    type Row = EmbeddingRow;

    const ROW_GROUP: usize = 256;

    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(keyed_fields(
            Of::WithoutModel,
            vec![field("embedding", list_of(DataType::Float32), false)],
        )))
    }

    fn encode(&self, rows: &[EmbeddingRow]) -> Result<RecordBatch> {
        let mut values = ListBuilder::new(Float32Builder::new());
        for r in rows {
            values.values().append_slice(&r.values);
            values.append(true);
        }
        RecordBatch::try_new(
            self.schema(),
            keyed_columns(
                Of::WithoutModel,
                rows,
                |r| Key {
                    row: r.row,
                    image_sha256: Some(r.image_sha256),
                    model_id: None,
                    view_id: &r.view_id,
                },
                vec![Arc::new(values.finish())],
            ),
        )
        .map_err(damaged)
    }

    fn of(_: &SchemaRef) -> Result<Self> {
        Ok(Self)
    }

    fn decode(&self, batch: &RecordBatch, rows: &mut Vec<EmbeddingRow>) -> Result<()> {
        let keys = Keys::of(batch, Of::WithoutModel)?;
        let values = lists(batch, "embedding")?;
        for i in 0..batch.num_rows() {
            rows.push(EmbeddingRow {
                row: keys.row(i),
                image_sha256: keys.image_sha256(i)?,
                view_id: keys.view_id(i),
                values: floats(values, i)?,
            });
        }
        Ok(())
    }
}
