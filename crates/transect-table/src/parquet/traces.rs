//! `traces.parquet`.

use std::sync::Arc;

use arrow_array::builder::{Float64Builder, ListBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use arrow_array::{Float64Array, RecordBatch, UInt32Array};
use arrow_schema::{DataType, Schema, SchemaRef};
use transect_core::Result;

use super::fields::{field, list_of, lists, number, numbers};
use super::key::{Key, Keys, Of, keyed_columns, keyed_fields};
use super::{Table, damaged};
use crate::tables::TraceRow;

/// One row for each step that a search kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct TraceTable;

impl Table for TraceTable {
    type Row = TraceRow;

    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(keyed_fields(
            Of::Whole,
            vec![
                field("query", DataType::UInt32, false),
                field("objective", DataType::Float64, false),
                field("score", DataType::Float64, true),
                field("pred_class", DataType::UInt32, true),
                field("pred_count", DataType::Float64, true),
                field("distance", DataType::Float64, false),
                field("parameters", list_of(DataType::Float64), false),
            ],
        )))
    }

    fn encode(&self, rows: &[TraceRow]) -> Result<RecordBatch> {
        let mut parameters = ListBuilder::new(Float64Builder::new());
        for r in rows {
            parameters.values().append_slice(&r.parameters);
            parameters.append(true);
        }
        RecordBatch::try_new(
            self.schema(),
            keyed_columns(
                Of::Whole,
                rows,
                |r| Key {
                    row: r.row,
                    image_sha256: Some(r.image_sha256),
                    model_id: Some(&r.model_id),
                    view_id: &r.view_id,
                },
                vec![
                    Arc::new(UInt32Array::from_iter_values(rows.iter().map(|r| r.query))),
                    Arc::new(Float64Array::from_iter_values(
                        rows.iter().map(|r| r.objective),
                    )),
                    Arc::new(rows.iter().map(|r| r.score).collect::<Float64Array>()),
                    Arc::new(rows.iter().map(|r| r.pred_class).collect::<UInt32Array>()),
                    Arc::new(rows.iter().map(|r| r.pred_count).collect::<Float64Array>()),
                    Arc::new(Float64Array::from_iter_values(
                        rows.iter().map(|r| r.distance),
                    )),
                    Arc::new(parameters.finish()),
                ],
            ),
        )
        .map_err(damaged)
    }

    fn of(_: &SchemaRef) -> Result<Self> {
        Ok(Self)
    }

    fn decode(&self, batch: &RecordBatch, rows: &mut Vec<TraceRow>) -> Result<()> {
        let keys = Keys::of(batch, Of::Whole)?;
        let query = numbers::<UInt32Type>(batch, "query")?;
        let objective = numbers::<Float64Type>(batch, "objective")?;
        let score = numbers::<Float64Type>(batch, "score")?;
        let pred_class = numbers::<UInt32Type>(batch, "pred_class")?;
        let pred_count = numbers::<Float64Type>(batch, "pred_count")?;
        let distance = numbers::<Float64Type>(batch, "distance")?;
        let parameters = lists(batch, "parameters")?;
        for i in 0..batch.num_rows() {
            let values = parameters.value(i);
            let values = values
                .as_primitive_opt::<Float64Type>()
                .ok_or_else(|| damaged("no column `parameters` of the expected type"))?;
            rows.push(TraceRow {
                row: keys.row(i),
                image_sha256: keys.image_sha256(i)?,
                model_id: keys.model_id(i),
                view_id: keys.view_id(i),
                query: query.value(i),
                objective: objective.value(i),
                score: number(score, i),
                pred_class: number(pred_class, i),
                pred_count: number(pred_count, i),
                distance: distance.value(i),
                parameters: values.values().to_vec(),
            });
        }
        Ok(())
    }
}
