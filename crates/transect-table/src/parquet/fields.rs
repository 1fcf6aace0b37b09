//! Reading single columns.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, UInt32Type};
use arrow_array::{Array, BinaryArray, ListArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::{DataType, Field};
use std::sync::Arc;
use transect_core::{Digest, Error, Result, Status};

use super::damaged;

pub(super) fn field(name: &str, data_type: DataType, nullable: bool) -> Field {
    Field::new(name, data_type, nullable)
}

pub(super) fn list_of(data_type: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", data_type, true)))
}

fn missing(name: &str) -> Error {
    damaged(format!("no column `{name}` of the expected type"))
}

pub(super) fn strings<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    batch
        .column_by_name(name)
        .and_then(|c| c.as_string_opt::<i32>())
        .ok_or_else(|| missing(name))
}

pub(super) fn numbers<'a, T: ArrowPrimitiveType>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a PrimitiveArray<T>> {
    batch
        .column_by_name(name)
        .and_then(|c| c.as_primitive_opt::<T>())
        .ok_or_else(|| missing(name))
}

pub(super) fn lists<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ListArray> {
    batch
        .column_by_name(name)
        .and_then(|c| c.as_list_opt::<i32>())
        .ok_or_else(|| missing(name))
}

pub(super) fn binaries<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BinaryArray> {
    batch
        .column_by_name(name)
        .and_then(|c| c.as_binary_opt::<i32>())
        .ok_or_else(|| missing(name))
}

pub(super) fn text(column: &StringArray, i: usize) -> Option<String> {
    column.is_valid(i).then(|| column.value(i).to_owned())
}

pub(super) fn number<T: ArrowPrimitiveType>(
    column: &PrimitiveArray<T>,
    i: usize,
) -> Option<T::Native> {
    column.is_valid(i).then(|| column.value(i))
}

pub(super) fn floats(column: &ListArray, i: usize) -> Result<Vec<f32>> {
    if column.is_null(i) {
        return Ok(Vec::new());
    }
    let values = column.value(i);
    let values = values
        .as_primitive_opt::<Float32Type>()
        .ok_or_else(|| missing("item"))?;
    Ok(values.values().to_vec())
}

pub(super) fn integers(column: &ListArray, i: usize) -> Result<Vec<u32>> {
    let values = column.value(i);
    let values = values
        .as_primitive_opt::<UInt32Type>()
        .ok_or_else(|| missing("item"))?;
    Ok(values.values().to_vec())
}

pub(super) fn digest(column: &StringArray, i: usize) -> Result<Digest> {
    Digest::parse(column.value(i)).ok_or_else(|| damaged("image_sha256 is not a SHA-256 hash"))
}

pub(super) fn status_name(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Failed => "failed",
        Status::Skipped => "skipped",
    }
}

pub(super) fn status(column: &StringArray, i: usize) -> Result<Status> {
    match column.value(i) {
        "ok" => Ok(Status::Ok),
        "failed" => Ok(Status::Failed),
        "skipped" => Ok(Status::Skipped),
        other => Err(damaged(format!("status `{other}`"))),
    }
}
