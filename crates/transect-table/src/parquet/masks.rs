//! `masks.parquet`.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, UInt32Builder};
use arrow_array::types::UInt32Type;
use arrow_array::{RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Schema, SchemaRef};
use transect_core::Result;

use super::fields::{digest, field, integers, list_of, lists, numbers, strings};
use super::{Table, damaged};
use crate::mask::MaskRow;

/// One row for each predicted mask.
#[derive(Debug, Clone, Copy, Default)]
pub struct MaskTable;

impl Table for MaskTable {
    type Row = MaskRow;

    const ROW_GROUP: usize = 256;

    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            field("row", DataType::UInt32, false),
            field("image_sha256", DataType::Utf8, false),
            field("model_id", DataType::Utf8, false),
            field("view_id", DataType::Utf8, false),
            field("rows", DataType::UInt32, false),
            field("columns", DataType::UInt32, false),
            field("runs", list_of(DataType::UInt32), false),
        ]))
    }

    fn encode(&self, rows: &[MaskRow]) -> Result<RecordBatch> {
        let mut runs = ListBuilder::new(UInt32Builder::new());
        for r in rows {
            runs.values().append_slice(&r.runs);
            runs.append(true);
        }
        RecordBatch::try_new(
            self.schema(),
            vec![
                Arc::new(UInt32Array::from_iter_values(rows.iter().map(|r| r.row))),
                Arc::new(StringArray::from_iter_values(
                    rows.iter().map(|r| r.image_sha256.hex()),
                )),
                Arc::new(StringArray::from_iter_values(
                    rows.iter().map(|r| &r.model_id),
                )),
                Arc::new(StringArray::from_iter_values(
                    rows.iter().map(|r| &r.view_id),
                )),
                Arc::new(UInt32Array::from_iter_values(rows.iter().map(|r| r.rows))),
                Arc::new(UInt32Array::from_iter_values(
                    rows.iter().map(|r| r.columns),
                )),
                Arc::new(runs.finish()),
            ],
        )
        .map_err(damaged)
    }

    fn of(_: &SchemaRef) -> Result<Self> {
        Ok(Self)
    }

    fn decode(&self, batch: &RecordBatch, rows: &mut Vec<MaskRow>) -> Result<()> {
        let row = numbers::<UInt32Type>(batch, "row")?;
        let sha = strings(batch, "image_sha256")?;
        let model = strings(batch, "model_id")?;
        let view = strings(batch, "view_id")?;
        let height = numbers::<UInt32Type>(batch, "rows")?;
        let width = numbers::<UInt32Type>(batch, "columns")?;
        let runs = lists(batch, "runs")?;
        for i in 0..batch.num_rows() {
            rows.push(MaskRow {
                row: row.value(i),
                image_sha256: digest(sha, i)?,
                model_id: model.value(i).to_owned(),
                view_id: view.value(i).to_owned(),
                rows: height.value(i),
                columns: width.value(i),
                runs: integers(runs, i)?,
            });
        }
        Ok(())
    }
}
