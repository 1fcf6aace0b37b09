//! `elements.parquet`.

use std::sync::Arc;

use arrow_array::types::{Float32Type, UInt32Type};
use arrow_array::{Float32Array, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Schema, SchemaRef};
use transect_core::Result;

use super::fields::{field, number, numbers, strings};
use super::key::{Key, Keys, Of, keyed_columns, keyed_fields};
use super::{Table, damaged};
use crate::tables::{ElementKind, ElementRow};

/// One row for each element.
#[derive(Debug, Clone, Copy, Default)]
pub struct ElementTable;

impl ElementKind {
    fn word(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Pixel => "pixel",
        }
    }
}

impl Table for ElementTable {
    type Row = ElementRow;

    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(keyed_fields(
            Of::Whole,
            vec![
                field("kind", DataType::Utf8, false),
                field("truth", DataType::UInt32, true),
                field("pred", DataType::UInt32, true),
                field("confidence", DataType::Float32, true),
                field("iou", DataType::Float32, true),
                field("area_px", DataType::Float32, false),
                field("row_px", DataType::Float32, false),
                field("column_px", DataType::Float32, false),
            ],
        )))
    }

    fn encode(&self, rows: &[ElementRow]) -> Result<RecordBatch> {
        fn text<'a>(
            rows: &'a [ElementRow],
            of: impl Fn(&'a ElementRow) -> &'a str,
        ) -> Arc<StringArray> {
            Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
        }
        fn float(rows: &[ElementRow], of: impl Fn(&ElementRow) -> f32) -> Arc<Float32Array> {
            Arc::new(Float32Array::from_iter_values(rows.iter().map(of)))
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
                    text(rows, |r| r.kind.word()),
                    Arc::new(rows.iter().map(|r| r.truth).collect::<UInt32Array>()),
                    Arc::new(rows.iter().map(|r| r.pred).collect::<UInt32Array>()),
                    Arc::new(rows.iter().map(|r| r.confidence).collect::<Float32Array>()),
                    Arc::new(rows.iter().map(|r| r.iou).collect::<Float32Array>()),
                    float(rows, |r| r.area_px),
                    float(rows, |r| r.place_px[0]),
                    float(rows, |r| r.place_px[1]),
                ],
            ),
        )
        .map_err(damaged)
    }

    fn of(_: &SchemaRef) -> Result<Self> {
        Ok(Self)
    }

    fn decode(&self, batch: &RecordBatch, rows: &mut Vec<ElementRow>) -> Result<()> {
        let keys = Keys::of(batch, Of::Whole)?;
        let kind = strings(batch, "kind")?;
        let truth = numbers::<UInt32Type>(batch, "truth")?;
        let pred = numbers::<UInt32Type>(batch, "pred")?;
        let confidence = numbers::<Float32Type>(batch, "confidence")?;
        let iou = numbers::<Float32Type>(batch, "iou")?;
        let area = numbers::<Float32Type>(batch, "area_px")?;
        let row_px = numbers::<Float32Type>(batch, "row_px")?;
        let column_px = numbers::<Float32Type>(batch, "column_px")?;
        for i in 0..batch.num_rows() {
            rows.push(ElementRow {
                row: keys.row(i),
                image_sha256: keys.image_sha256(i)?,
                model_id: keys.model_id(i),
                view_id: keys.view_id(i),
                kind: match kind.value(i) {
                    "object" => ElementKind::Object,
                    "pixel" => ElementKind::Pixel,
                    other => return Err(damaged(format!("kind `{other}`"))),
                },
                truth: number(truth, i),
                pred: number(pred, i),
                confidence: number(confidence, i),
                iou: number(iou, i),
                area_px: area.value(i),
                place_px: [row_px.value(i), column_px.value(i)],
            });
        }
        Ok(())
    }
}
