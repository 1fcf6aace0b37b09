//! `masks.parquet`.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, UInt32Builder};
use arrow_array::types::UInt32Type;
use arrow_array::{RecordBatch, UInt32Array};
use arrow_schema::{DataType, Schema, SchemaRef};
use transect_core::Result;

use super::fields::{field, integers, list_of, lists, numbers};
use super::key::{Key, Keys, Of, keyed_columns, keyed_fields};
use super::{Table, damaged};
use crate::mask::MaskRow;

/// One row for each predicted mask.
#[derive(Debug, Clone, Copy, Default)]
pub struct MaskTable;

impl Table for MaskTable {
    type Row = MaskRow;

    const ROW_GROUP: usize = 256;

    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(keyed_fields(
            Of::Whole,
            vec![
                field("rows", DataType::UInt32, false),
                field("columns", DataType::UInt32, false),
                field("runs", list_of(DataType::UInt32), false),
            ],
        )))
    }

    fn encode(&self, rows: &[MaskRow]) -> Result<RecordBatch> {
        let mut runs = ListBuilder::new(UInt32Builder::new());
        for r in rows {
            runs.values().append_slice(&r.runs);
            runs.append(true);
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
                    Arc::new(UInt32Array::from_iter_values(rows.iter().map(|r| r.rows))),
                    Arc::new(UInt32Array::from_iter_values(
                        rows.iter().map(|r| r.columns),
                    )),
                    Arc::new(runs.finish()),
                ],
            ),
        )
        .map_err(damaged)
    }

    fn of(_: &SchemaRef) -> Result<Self> {
        Ok(Self)
    }

    fn decode(&self, batch: &RecordBatch, rows: &mut Vec<MaskRow>) -> Result<()> {
        let keys = Keys::of(batch, Of::Whole)?;
        let height = numbers::<UInt32Type>(batch, "rows")?;
        let width = numbers::<UInt32Type>(batch, "columns")?;
        let runs = lists(batch, "runs")?;
        for i in 0..batch.num_rows() {
            rows.push(MaskRow {
                row: keys.row(i),
                image_sha256: keys.image_sha256(i)?,
                model_id: keys.model_id(i),
                view_id: keys.view_id(i),
                rows: height.value(i),
                columns: width.value(i),
                runs: integers(runs, i)?,
            });
        }
        Ok(())
    }
}
