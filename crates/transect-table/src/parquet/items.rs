//! `items.parquet`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, Float64Array, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow_schema::{DataType, Schema, SchemaRef};
use transect_core::attribute::ATTRIBUTES;
use transect_core::{Item, ItemRecord, PixelSize, Result, Role, TruthRef};

use super::fields::{
    binaries, digest, field, list_of, lists, number, numbers, status, status_name, strings, text,
};
use super::{Table, damaged, open, read_columns};

/// One row for each manifest row: its columns (`col_<name>`), attributes (`attr_<name>`), profile, thumbnail.
#[derive(Debug, Clone)]
pub struct ItemTable {
    columns: Vec<String>,
}

impl ItemTable {
    /// A table for items with these further columns.
    pub fn new<'a>(items: impl IntoIterator<Item = &'a Item>) -> Self {
        let names: BTreeSet<&String> = items.into_iter().flat_map(|i| i.columns.keys()).collect();
        Self {
            columns: names.into_iter().cloned().collect(),
        }
    }
}

/// Column of the thumbnails: most of the table's bytes.
const THUMBNAIL: &str = "thumbnail";

/// Gives the items of a file, in order, a batch at a time, without their thumbnails, which stay on the disk.
///
/// # Errors
/// What `each` returns; `T605` when the file is not a table of items.
pub fn read_items(
    path: &Path,
    each: &mut dyn FnMut(&mut Vec<ItemRecord>) -> Result<()>,
) -> Result<()> {
    read_columns::<ItemTable>(path, &|name| name != THUMBNAIL, each)
}

/// Gives the row and the thumbnail of every item of a file that has one, in order; no other column is read.
pub(super) fn scan_thumbnails(
    path: &Path,
    each: &mut dyn FnMut(u32, &[u8]) -> Result<()>,
) -> Result<()> {
    let wanted = |name: &str| name == "row" || name == THUMBNAIL;
    let (_, reader) = open(path, &wanted, ItemTable::ROW_GROUP)?;
    for batch in reader {
        let batch = batch.map_err(|e| damaged(e).at(path))?;
        let row = numbers::<UInt32Type>(&batch, "row").map_err(|e| e.at(path))?;
        let thumbnail = binaries(&batch, THUMBNAIL).map_err(|e| e.at(path))?;
        for i in 0..batch.num_rows() {
            if !thumbnail.value(i).is_empty() {
                each(row.value(i), thumbnail.value(i))?;
            }
        }
    }
    Ok(())
}

impl Table for ItemTable {
    type Row = ItemRecord;

    const ROW_GROUP: usize = 256;

    fn schema(&self) -> SchemaRef {
        let mut fields = vec![
            field("row", DataType::UInt32, false),
            field("role", DataType::Utf8, false),
            field("manifest", DataType::UInt32, false),
            field("line", DataType::UInt32, false),
            field("image", DataType::Utf8, false),
            field("channels", list_of(DataType::Utf8), false),
            field("page", DataType::UInt32, true),
            field("truth_kind", DataType::Utf8, false),
            field("truth", DataType::Utf8, true),
            field("second_truth", DataType::Utf8, true),
            field("truth_class", DataType::UInt32, true),
            field("domain", DataType::Utf8, true),
            field("group_id", DataType::Utf8, true),
            field("stratum", DataType::Utf8, true),
            field("pair_id", DataType::Utf8, true),
            field("pixel_row_um", DataType::Float64, true),
            field("pixel_column_um", DataType::Float64, true),
            field("pixel_plane_um", DataType::Float64, true),
            field("image_sha256", DataType::Utf8, false),
            field("status", DataType::Utf8, false),
            field("error_code", DataType::Utf8, true),
            field("error", DataType::Utf8, true),
            field("perceptual_hash", DataType::UInt64, true),
            field("profile", DataType::Utf8, true),
            field(THUMBNAIL, DataType::Binary, false),
        ];
        fields.extend(
            ATTRIBUTES
                .iter()
                .map(|a| field(&format!("attr_{}", a.name), DataType::Float64, true)),
        );
        fields.extend(
            self.columns
                .iter()
                .map(|c| field(&format!("col_{c}"), DataType::Utf8, true)),
        );
        Arc::new(Schema::new(fields))
    }

    fn encode(&self, rows: &[ItemRecord]) -> Result<RecordBatch> {
        fn texts<'a>(
            rows: &'a [ItemRecord],
            of: impl Fn(&'a ItemRecord) -> Option<&'a str>,
        ) -> ArrayRef {
            Arc::new(rows.iter().map(of).collect::<StringArray>())
        }
        let pixel = |of: fn(&PixelSize) -> Option<f64>| -> ArrayRef {
            Arc::new(
                rows.iter()
                    .map(|r| r.item.pixel_size.as_ref().and_then(of))
                    .collect::<Float64Array>(),
            )
        };
        let mut channels = ListBuilder::new(StringBuilder::new());
        for r in rows {
            for channel in &r.item.channels {
                channels.values().append_value(channel);
            }
            channels.append(true);
        }
        let profiles: Vec<Option<String>> = rows
            .iter()
            .map(|r| {
                r.profile
                    .as_ref()
                    .and_then(|p| serde_json::to_string(p).ok())
            })
            .collect();
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from_iter_values(
                rows.iter().map(|r| r.item.row),
            )),
            texts(rows, |r| {
                Some(match r.item.role {
                    Role::Reference => "reference",
                    Role::Target => "target",
                })
            }),
            Arc::new(UInt32Array::from_iter_values(
                rows.iter().map(|r| r.item.manifest),
            )),
            Arc::new(UInt32Array::from_iter_values(
                rows.iter().map(|r| r.item.line),
            )),
            texts(rows, |r| Some(&r.item.image)),
            Arc::new(channels.finish()),
            Arc::new(rows.iter().map(|r| r.item.page).collect::<UInt32Array>()),
            texts(rows, |r| {
                Some(match r.item.truth {
                    TruthRef::None => "none",
                    TruthRef::Class(_) => "class",
                    TruthRef::Path(_) => "path",
                })
            }),
            texts(rows, |r| match &r.item.truth {
                TruthRef::None => None,
                TruthRef::Class(text) | TruthRef::Path(text) => Some(text),
            }),
            texts(rows, |r| match &r.item.second_truth {
                TruthRef::None => None,
                TruthRef::Class(text) | TruthRef::Path(text) => Some(text),
            }),
            Arc::new(rows.iter().map(|r| r.truth_class).collect::<UInt32Array>()),
            texts(rows, |r| r.item.domain.as_deref()),
            texts(rows, |r| r.item.group.as_deref()),
            texts(rows, |r| r.item.stratum.as_deref()),
            texts(rows, |r| r.item.pair_id.as_deref()),
            pixel(|p| Some(p.row_um)),
            pixel(|p| Some(p.column_um)),
            pixel(|p| p.plane_um),
            Arc::new(StringArray::from_iter_values(
                rows.iter().map(|r| r.image_sha256.hex()),
            )),
            texts(rows, |r| Some(status_name(r.status))),
            texts(rows, |r| r.error_code.as_deref()),
            texts(rows, |r| r.error.as_deref()),
            Arc::new(
                rows.iter()
                    .map(|r| r.perceptual_hash)
                    .collect::<UInt64Array>(),
            ),
            Arc::new(
                profiles
                    .iter()
                    .map(Option::as_deref)
                    .collect::<StringArray>(),
            ),
            Arc::new(BinaryArray::from_iter_values(
                rows.iter().map(|r| &r.thumbnail),
            )),
        ];
        for index in 0..ATTRIBUTES.len() {
            columns.push(Arc::new(
                rows.iter()
                    .map(|r| r.attributes.get(index).copied().flatten())
                    .collect::<Float64Array>(),
            ));
        }
        for name in &self.columns {
            columns.push(texts(rows, |r| {
                r.item.columns.get(name).map(String::as_str)
            }));
        }
        RecordBatch::try_new(self.schema(), columns).map_err(damaged)
    }

    fn of(schema: &SchemaRef) -> Result<Self> {
        let columns = schema
            .fields()
            .iter()
            .filter_map(|f| f.name().strip_prefix("col_").map(str::to_owned));
        Ok(Self {
            columns: columns.collect(),
        })
    }

    fn decode(&self, batch: &RecordBatch, rows: &mut Vec<ItemRecord>) -> Result<()> {
        let row = numbers::<UInt32Type>(batch, "row")?;
        let role = strings(batch, "role")?;
        let manifest = numbers::<UInt32Type>(batch, "manifest")?;
        let line = numbers::<UInt32Type>(batch, "line")?;
        let image = strings(batch, "image")?;
        let channels = lists(batch, "channels")?;
        let page = numbers::<UInt32Type>(batch, "page")?;
        let truth_kind = strings(batch, "truth_kind")?;
        let truth = strings(batch, "truth")?;
        let second_truth = strings(batch, "second_truth")?;
        let truth_class = numbers::<UInt32Type>(batch, "truth_class")?;
        let domain = strings(batch, "domain")?;
        let group = strings(batch, "group_id")?;
        let stratum = strings(batch, "stratum")?;
        let pair = strings(batch, "pair_id")?;
        let row_um = numbers::<Float64Type>(batch, "pixel_row_um")?;
        let column_um = numbers::<Float64Type>(batch, "pixel_column_um")?;
        let plane_um = numbers::<Float64Type>(batch, "pixel_plane_um")?;
        let sha = strings(batch, "image_sha256")?;
        let state = strings(batch, "status")?;
        let code = strings(batch, "error_code")?;
        let error = strings(batch, "error")?;
        let hash = numbers::<UInt64Type>(batch, "perceptual_hash")?;
        let profile = strings(batch, "profile")?;
        let thumbnail = match batch.column_by_name(THUMBNAIL) {
            Some(_) => Some(binaries(batch, THUMBNAIL)?),
            None => None,
        };
        let attributes = ATTRIBUTES
            .iter()
            .map(|a| numbers::<Float64Type>(batch, &format!("attr_{}", a.name)))
            .collect::<Result<Vec<_>>>()?;
        let further = self
            .columns
            .iter()
            .map(|c| Ok((c, strings(batch, &format!("col_{c}"))?)))
            .collect::<Result<Vec<_>>>()?;
        for i in 0..batch.num_rows() {
            let stacked = channels.value(i);
            let stacked = stacked
                .as_string_opt::<i32>()
                .ok_or_else(|| damaged("channels are not text"))?;
            let item = Item {
                row: row.value(i),
                role: match role.value(i) {
                    "reference" => Role::Reference,
                    "target" => Role::Target,
                    other => return Err(damaged(format!("role `{other}`"))),
                },
                manifest: manifest.value(i),
                line: line.value(i),
                image: image.value(i).to_owned(),
                channels: (0..stacked.len())
                    .map(|c| stacked.value(c).to_owned())
                    .collect(),
                page: number(page, i),
                truth: match (truth_kind.value(i), text(truth, i)) {
                    ("class", Some(text)) => TruthRef::Class(text),
                    ("path", Some(text)) => TruthRef::Path(text),
                    _ => TruthRef::None,
                },
                second_truth: match (truth_kind.value(i), text(second_truth, i)) {
                    ("class", Some(text)) => TruthRef::Class(text),
                    (_, Some(text)) => TruthRef::Path(text),
                    _ => TruthRef::None,
                },
                domain: text(domain, i),
                group: text(group, i),
                stratum: text(stratum, i),
                pair_id: text(pair, i),
                pixel_size: match (number(row_um, i), number(column_um, i)) {
                    (Some(row_um), Some(column_um)) => Some(PixelSize {
                        row_um,
                        column_um,
                        plane_um: number(plane_um, i),
                    }),
                    _ => None,
                },
                columns: further
                    .iter()
                    .filter_map(|(name, column)| Some(((*name).clone(), text(column, i)?)))
                    .collect::<BTreeMap<_, _>>(),
            };
            rows.push(ItemRecord {
                item,
                image_sha256: digest(sha, i)?,
                status: status(state, i)?,
                error_code: text(code, i),
                error: text(error, i),
                truth_class: number(truth_class, i),
                attributes: attributes.iter().map(|a| number(a, i)).collect(),
                profile: match text(profile, i) {
                    Some(json) => Some(serde_json::from_str(&json).map_err(damaged)?),
                    None => None,
                },
                perceptual_hash: number(hash, i),
                thumbnail: thumbnail.map_or_else(Vec::new, |t| t.value(i).to_vec()),
            });
        }
        Ok(())
    }
}
