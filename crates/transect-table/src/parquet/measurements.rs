//! `measurements.parquet`.

use std::sync::Arc;

use arrow_array::builder::{Float32Builder, ListBuilder};
use arrow_array::types::{Float64Type, UInt8Type, UInt32Type};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt8Array, UInt32Array};
use arrow_schema::{DataType, Schema, SchemaRef};
use transect_core::{Measurement, Result, Severity, View, ViewKind};

use super::fields::{
    digest, field, floats, list_of, lists, number, numbers, status, status_name, strings, text,
};
use super::{Table, damaged};

/// One row for each (row, model, view). The scores' columns are fixed by the plan before the first part.
#[derive(Debug, Clone)]
pub struct MeasurementTable {
    scores: Vec<String>,
}

impl MeasurementTable {
    /// A table with these score columns, named without the prefix `score_`.
    pub fn new(scores: impl IntoIterator<Item = String>) -> Self {
        Self {
            scores: scores.into_iter().collect(),
        }
    }
}

impl Table for MeasurementTable {
    type Row = Measurement;

    fn schema(&self) -> SchemaRef {
        let mut fields = vec![
            field("row", DataType::UInt32, false),
            field("image_sha256", DataType::Utf8, false),
            field("model_id", DataType::Utf8, false),
            field("view_id", DataType::Utf8, false),
            field("view_kind", DataType::Utf8, false),
            field("view_name", DataType::Utf8, false),
            field("severity", DataType::UInt8, false),
            field("parameter", DataType::Utf8, false),
            field("value", DataType::Float64, false),
            field("unit", DataType::Utf8, false),
            field("pool", DataType::Utf8, true),
            field("replicate", DataType::UInt32, false),
            field("budget", DataType::UInt32, false),
            field("donor_row", DataType::UInt32, true),
            field("status", DataType::Utf8, false),
            field("error_code", DataType::Utf8, true),
            field("error", DataType::Utf8, true),
            field("pred_class", DataType::UInt32, true),
            field("pred_count", DataType::Float64, true),
            field("confidence", DataType::Float64, true),
            field("outputs", list_of(DataType::Float32), false),
        ];
        fields.extend(
            self.scores
                .iter()
                .map(|s| field(&format!("score_{s}"), DataType::Float64, true)),
        );
        Arc::new(Schema::new(fields))
    }

    fn encode(&self, rows: &[Measurement]) -> Result<RecordBatch> {
        fn column<'a>(
            rows: &'a [Measurement],
            of: impl Fn(&'a Measurement) -> &'a str,
        ) -> ArrayRef {
            Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
        }
        let mut outputs = ListBuilder::new(Float32Builder::new());
        for m in rows {
            outputs.values().append_slice(&m.outputs);
            outputs.append(true);
        }
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from_iter_values(rows.iter().map(|m| m.row))),
            Arc::new(StringArray::from_iter_values(
                rows.iter().map(|m| m.image_sha256.hex()),
            )),
            column(rows, |m| &m.model_id),
            Arc::new(StringArray::from_iter_values(
                rows.iter().map(|m| m.view.id()),
            )),
            column(rows, |m| m.view.kind.word()),
            column(rows, |m| &m.view.name),
            Arc::new(UInt8Array::from_iter_values(
                rows.iter().map(|m| m.view.severity.get()),
            )),
            column(rows, |m| &m.view.parameter),
            Arc::new(Float64Array::from_iter_values(
                rows.iter().map(|m| m.view.value),
            )),
            column(rows, |m| &m.view.unit),
            Arc::new(
                rows.iter()
                    .map(|m| m.view.pool.as_deref())
                    .collect::<StringArray>(),
            ),
            Arc::new(UInt32Array::from_iter_values(
                rows.iter().map(|m| m.view.replicate),
            )),
            Arc::new(UInt32Array::from_iter_values(
                rows.iter().map(|m| m.view.budget),
            )),
            Arc::new(rows.iter().map(|m| m.donor_row).collect::<UInt32Array>()),
            column(rows, |m| status_name(m.status)),
            Arc::new(
                rows.iter()
                    .map(|m| m.error_code.as_deref())
                    .collect::<StringArray>(),
            ),
            Arc::new(
                rows.iter()
                    .map(|m| m.error.as_deref())
                    .collect::<StringArray>(),
            ),
            Arc::new(rows.iter().map(|m| m.pred_class).collect::<UInt32Array>()),
            Arc::new(rows.iter().map(|m| m.pred_count).collect::<Float64Array>()),
            Arc::new(rows.iter().map(|m| m.confidence).collect::<Float64Array>()),
            Arc::new(outputs.finish()),
        ];
        for index in 0..self.scores.len() {
            columns.push(Arc::new(
                rows.iter()
                    .map(|m| m.scores.get(index).copied().flatten())
                    .collect::<Float64Array>(),
            ));
        }
        RecordBatch::try_new(self.schema(), columns).map_err(damaged)
    }

    fn of(schema: &SchemaRef) -> Result<Self> {
        Ok(Self::new(schema.fields().iter().filter_map(|f| {
            f.name().strip_prefix("score_").map(str::to_owned)
        })))
    }

    fn decode(&self, batch: &RecordBatch, rows: &mut Vec<Measurement>) -> Result<()> {
        let row = numbers::<UInt32Type>(batch, "row")?;
        let sha = strings(batch, "image_sha256")?;
        let model = strings(batch, "model_id")?;
        let kind = strings(batch, "view_kind")?;
        let name = strings(batch, "view_name")?;
        let severity = numbers::<UInt8Type>(batch, "severity")?;
        let parameter = strings(batch, "parameter")?;
        let value = numbers::<Float64Type>(batch, "value")?;
        let unit = strings(batch, "unit")?;
        let pool = strings(batch, "pool")?;
        let replicate = numbers::<UInt32Type>(batch, "replicate")?;
        let budget = numbers::<UInt32Type>(batch, "budget")?;
        let donor = numbers::<UInt32Type>(batch, "donor_row")?;
        let state = strings(batch, "status")?;
        let code = strings(batch, "error_code")?;
        let error = strings(batch, "error")?;
        let pred_class = numbers::<UInt32Type>(batch, "pred_class")?;
        let pred_count = numbers::<Float64Type>(batch, "pred_count")?;
        let confidence = numbers::<Float64Type>(batch, "confidence")?;
        let outputs = lists(batch, "outputs")?;
        let scores = self
            .scores
            .iter()
            .map(|s| numbers::<Float64Type>(batch, &format!("score_{s}")))
            .collect::<Result<Vec<_>>>()?;
        for i in 0..batch.num_rows() {
            rows.push(Measurement {
                row: row.value(i),
                image_sha256: digest(sha, i)?,
                model_id: model.value(i).to_owned(),
                view: View {
                    kind: ViewKind::parse(kind.value(i))
                        .ok_or_else(|| damaged(format!("view_kind `{}`", kind.value(i))))?,
                    name: name.value(i).to_owned(),
                    severity: Severity::new(severity.value(i))
                        .ok_or_else(|| damaged("severity above 5"))?,
                    parameter: parameter.value(i).to_owned(),
                    value: value.value(i),
                    unit: unit.value(i).to_owned(),
                    pool: text(pool, i),
                    replicate: replicate.value(i),
                    budget: budget.value(i),
                },
                donor_row: number(donor, i),
                status: status(state, i)?,
                error_code: text(code, i),
                error: text(error, i),
                pred_class: number(pred_class, i),
                pred_count: number(pred_count, i),
                confidence: number(confidence, i),
                outputs: floats(outputs, i)?,
                scores: scores.iter().map(|s| number(s, i)).collect(),
            });
        }
        Ok(())
    }
}
