//! `timings.parquet`, outside the contract: never the same twice.

use std::sync::Arc;

use arrow_array::types::Float64Type;
use arrow_array::{Float64Array, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef};
use transect_core::Result;

use super::fields::{field, numbers};
use super::key::{Key, Keys, Of, keyed_columns, keyed_fields};
use super::{Table, damaged};
use crate::tables::Timing;

/// One row for each measurement.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimingTable;

impl Table for TimingTable {
    type Row = Timing;

    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(keyed_fields(
            Of::WithoutContent,
            vec![
                field("view_s", DataType::Float64, false),
                field("inference_s", DataType::Float64, false),
                field("total_s", DataType::Float64, false),
            ],
        )))
    }

    fn encode(&self, rows: &[Timing]) -> Result<RecordBatch> {
        RecordBatch::try_new(
            self.schema(),
            keyed_columns(
                Of::WithoutContent,
                rows,
                |r| Key {
                    row: r.row,
                    image_sha256: None,
                    model_id: Some(&r.model_id),
                    view_id: &r.view_id,
                },
                vec![
                    Arc::new(Float64Array::from_iter_values(
                        rows.iter().map(|r| r.view_s),
                    )),
                    Arc::new(Float64Array::from_iter_values(
                        rows.iter().map(|r| r.inference_s),
                    )),
                    Arc::new(Float64Array::from_iter_values(
                        rows.iter().map(|r| r.total_s),
                    )),
                ],
            ),
        )
        .map_err(damaged)
    }

    fn of(_: &SchemaRef) -> Result<Self> {
        Ok(Self)
    }

    fn decode(&self, batch: &RecordBatch, rows: &mut Vec<Timing>) -> Result<()> {
        let keys = Keys::of(batch, Of::WithoutContent)?;
        let view_s = numbers::<Float64Type>(batch, "view_s")?;
        let inference_s = numbers::<Float64Type>(batch, "inference_s")?;
        let total_s = numbers::<Float64Type>(batch, "total_s")?;
        for i in 0..batch.num_rows() {
            rows.push(Timing {
                row: keys.row(i),
                model_id: keys.model_id(i),
                view_id: keys.view_id(i),
                view_s: view_s.value(i),
                inference_s: inference_s.value(i),
                total_s: total_s.value(i),
            });
        }
        Ok(())
    }
}
