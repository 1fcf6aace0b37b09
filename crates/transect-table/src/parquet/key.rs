//! The columns that say what a row is of: manifest row, content, model, view.

use std::sync::Arc;

use arrow_array::types::UInt32Type;
use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field};
use transect_core::{Digest, Result};

use super::fields::{digest, field, numbers, strings};

/// Which columns of the key a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// All four.
    Whole,
    /// Tables of one model.
    WithoutModel,
    /// Tables that say nothing of the content.
    WithoutContent,
}

/// What a row is of; content and model only in tables that have their columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'a> {
    pub(super) row: u32,
    pub(super) image_sha256: Option<Digest>,
    pub(super) model_id: Option<&'a str>,
    pub(super) view_id: &'a str,
}

/// The columns of the key that a table has, and those that follow.
pub(super) fn keyed_fields(of: Of, rest: Vec<Field>) -> Vec<Field> {
    let mut fields = vec![field("row", DataType::UInt32, false)];
    if of != Of::WithoutContent {
        fields.push(field("image_sha256", DataType::Utf8, false));
    }
    if of != Of::WithoutModel {
        fields.push(field("model_id", DataType::Utf8, false));
    }
    fields.push(field("view_id", DataType::Utf8, false));
    fields.extend(rest);
    fields
}

/// The values of the key's columns, and those that follow.
pub(super) fn keyed_columns<'a, R>(
    of: Of,
    rows: &'a [R],
    key: impl Fn(&'a R) -> Key<'a>,
    rest: Vec<ArrayRef>,
) -> Vec<ArrayRef> {
    let keys: Vec<Key<'a>> = rows.iter().map(key).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(UInt32Array::from_iter_values(
        keys.iter().map(|k| k.row),
    ))];
    if of != Of::WithoutContent {
        columns.push(Arc::new(StringArray::from_iter_values(
            keys.iter().filter_map(|k| k.image_sha256).map(|d| d.hex()),
        )));
    }
    if of != Of::WithoutModel {
        columns.push(Arc::new(StringArray::from_iter_values(
            keys.iter().filter_map(|k| k.model_id),
        )));
    }
    columns.push(Arc::new(StringArray::from_iter_values(
        keys.iter().map(|k| k.view_id),
    )));
    columns.extend(rest);
    columns
}

/// The key's columns of a file.
pub(super) struct Keys<'a> {
    row: &'a UInt32Array,
    image_sha256: Option<&'a StringArray>,
    model_id: Option<&'a StringArray>,
    view_id: &'a StringArray,
}

impl<'a> Keys<'a> {
    /// Those that the table has.
    pub(super) fn of(batch: &'a RecordBatch, of: Of) -> Result<Self> {
        let text = |has: bool, name: &str| has.then(|| strings(batch, name)).transpose();
        Ok(Self {
            row: numbers::<UInt32Type>(batch, "row")?,
            image_sha256: text(of != Of::WithoutContent, "image_sha256")?,
            model_id: text(of != Of::WithoutModel, "model_id")?,
            view_id: strings(batch, "view_id")?,
        })
    }

    /// The manifest row.
    pub(super) fn row(&self, i: usize) -> u32 {
        self.row.value(i)
    }

    /// The content; the empty one's where there is no such column.
    pub(super) fn image_sha256(&self, i: usize) -> Result<Digest> {
        self.image_sha256
            .map_or(Ok(Digest::default()), |column| digest(column, i))
    }

    /// The model; empty where there is no such column.
    pub(super) fn model_id(&self, i: usize) -> String {
        self.model_id
            .map_or_else(String::new, |column| column.value(i).to_owned())
    }

    /// The view's id.
    pub(super) fn view_id(&self, i: usize) -> String {
        self.view_id.value(i).to_owned()
    }
}
