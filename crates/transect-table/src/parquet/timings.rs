//! `timings.parquet`, outside the contract: never the same twice.

use std::sync::Arc;

use arrow_array::types::{Float64Type, UInt32Type};
use arrow_array::{Float64Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Schema, SchemaRef};
use transect_core::Result;

use super::fields::{field, numbers, strings};
use super::{Table, damaged};
use crate::tables::Timing;

/// One row for each measurement.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimingTable;

impl Table for TimingTable {
    type Row = Timing;

    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            field("row", DataType::UInt32, false),
            field("model_id", DataType::Utf8, false),
            field("view_id", DataType::Utf8, false),
            field("view_s", DataType::Float64, false),
            field("inference_s", DataType::Float64, false),
            field("total_s", DataType::Float64, false),
        ]))
    }

    fn encode(&self, rows: &[Timing]) -> Result<RecordBatch> {
        RecordBatch::try_new(
            self.schema(),
            vec![
                Arc::new(UInt32Array::from_iter_values(rows.iter().map(|r| r.row))),
                Arc::new(StringArray::from_iter_values(
                    rows.iter().map(|r| &r.model_id),
                )),
                Arc::new(StringArray::from_iter_values(
                    rows.iter().map(|r| &r.view_id),
                )),
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
        )
        .map_err(damaged)
    }

    fn of(_: &SchemaRef) -> Result<Self> {
        Ok(Self)
    }

    fn decode(&self, batch: &RecordBatch, rows: &mut Vec<Timing>) -> Result<()> {
        let row = numbers::<UInt32Type>(batch, "row")?;
        let model = strings(batch, "model_id")?;
        let view = strings(batch, "view_id")?;
        let view_s = numbers::<Float64Type>(batch, "view_s")?;
        let inference_s = numbers::<Float64Type>(batch, "inference_s")?;
        let total_s = numbers::<Float64Type>(batch, "total_s")?;
        for i in 0..batch.num_rows() {
            rows.push(Timing {
                row: row.value(i),
                model_id: model.value(i).to_owned(),
                view_id: view.value(i).to_owned(),
                view_s: view_s.value(i),
                inference_s: inference_s.value(i),
                total_s: total_s.value(i),
            });
        }
        Ok(())
    }
}
