//! Rows go into Parquet and come back; the same rows give the same bytes.
#![cfg(feature = "parquet")]
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use transect_core::attribute::ATTRIBUTES;
use transect_core::{
    Context, Digest, Item, ItemRecord, Measurement, PixelSize, Profile, Role, RunRecord, Severity,
    Status, Task, TruthRef, View,
};
use transect_table::{
    EmbeddingRow, EmbeddingTable, FolderTables, ItemTable, MaskRow, MaskTable, MeasurementTable,
    Table, Tables, Timing, TimingTable, Writer, read_all,
};

fn written<T: Table>(table: T, rows: Vec<T::Row>) -> Vec<u8> {
    let mut writer = Writer::new(table, Vec::new()).unwrap();
    for row in rows {
        writer.push(row).unwrap();
    }
    writer.finish().unwrap()
}

fn round_trip<T: Table>(table: T, rows: Vec<T::Row>) -> Vec<T::Row> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    std::fs::write(&path, written(table, rows)).unwrap();
    read_all::<T>(&path).unwrap()
}

fn view() -> impl Strategy<Value = View> {
    prop_oneof![
        Just(View::identity()),
        (0_u8..=5, -1e6..1e6_f64).prop_map(|(s, v)| View::corruption(
            "defocus",
            Severity::new(s).unwrap(),
            "defocus",
            v,
            "um"
        )),
        ("[a-z]{1,5}", any::<u32>()).prop_map(|(pool, r)| View::swap("style", &pool, r)),
    ]
}

fn measurement() -> impl Strategy<Value = Measurement> {
    (
        any::<u32>(),
        view(),
        proptest::option::of(any::<u32>()),
        prop_oneof![
            Just(Status::Ok),
            Just(Status::Failed),
            Just(Status::Skipped)
        ],
        proptest::option::of(".{0,12}"),
        proptest::option::of(any::<u32>()),
        proptest::option::of(-1e9..1e9_f64),
        proptest::collection::vec(0.0..1.0_f32, 0..5),
        proptest::collection::vec(proptest::option::of(-1e9..1e9_f64), 3),
    )
        .prop_map(
            |(row, view, donor_row, status, error, pred_class, confidence, outputs, scores)| {
                Measurement {
                    row,
                    image_sha256: Digest::of(&row.to_le_bytes()),
                    model_id: "given".into(),
                    view,
                    donor_row,
                    status,
                    error_code: error.as_ref().map(|_| "T101".into()),
                    error,
                    pred_class,
                    pred_count: confidence.map(f64::abs),
                    confidence,
                    outputs,
                    scores,
                }
            },
        )
}

fn scores() -> MeasurementTable {
    MeasurementTable::new(["correct", "log_loss", "tp_50"].map(str::to_owned))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn measurements_come_back(rows in proptest::collection::vec(measurement(), 0..40)) {
        prop_assert_eq!(round_trip(scores(), rows.clone()), rows);
    }

    #[test]
    fn masks_come_back(labels in proptest::collection::vec(0_u32..4, 12), row in any::<u32>()) {
        let mask = transect_core::LabelImage::new(3, 4, labels).unwrap();
        let row = MaskRow {
            row,
            image_sha256: Digest::of(b"x"),
            model_id: "given".into(),
            view_id: "identity".into(),
            rows: 3,
            columns: 4,
            runs: MaskRow::runs_of(&mask),
        };
        let back = round_trip(MaskTable, vec![row.clone()]);
        prop_assert_eq!(&back, &[row]);
        prop_assert_eq!(back[0].to_labels().unwrap(), mask);
    }
}

fn item(row: u32) -> ItemRecord {
    ItemRecord {
        item: Item {
            row,
            role: if row.is_multiple_of(2) {
                Role::Reference
            } else {
                Role::Target
            },
            manifest: 1,
            line: row + 2,
            image: format!("images/größe {row}.png"),
            channels: if row == 3 {
                vec!["b.tif".into(), "c.tif".into()]
            } else {
                Vec::new()
            },
            page: (row == 2).then_some(4),
            truth: match row % 3 {
                0 => TruthRef::None,
                1 => TruthRef::Class("cell, \"odd\"".into()),
                _ => TruthRef::Path("labels/x.png".into()),
            },
            second_truth: if row == 4 {
                TruthRef::Class("another, said \"so\"".into())
            } else {
                TruthRef::None
            },
            domain: Some("D1".into()),
            group: None,
            stratum: Some(String::new()),
            pair_id: None,
            pixel_size: (row == 1).then_some(PixelSize {
                row_um: 0.25,
                column_um: 0.5,
                plane_um: Some(2.0),
            }),
            columns: BTreeMap::from([("plate".to_owned(), format!("P{row}"))]),
        },
        image_sha256: Digest::of(&row.to_le_bytes()),
        status: Status::Ok,
        error_code: None,
        error: None,
        truth_class: (row == 1).then_some(0),
        attributes: (0..ATTRIBUTES.len())
            .map(|a| (a % 3 != 0).then_some(a as f64 + f64::from(row)))
            .collect(),
        profile: (row != 0).then(|| Profile {
            mean: vec![1.5, 2.25],
            ..Profile::default()
        }),
        perceptual_hash: Some(u64::MAX - u64::from(row)),
        thumbnail: vec![row as u8; 7],
    }
}

#[test]
fn items_come_back_with_their_further_columns() {
    let rows: Vec<ItemRecord> = (0..5).map(item).collect();
    let table = ItemTable::new(rows.iter().map(|r| &r.item));
    assert_eq!(round_trip(table, rows.clone()), rows);
}

fn record() -> RunRecord {
    RunRecord {
        schema: "transect/run/1".into(),
        version: "0".into(),
        engine: "none".into(),
        model_sha256: None,
        model_name: "m".into(),
        data_sha256: Digest::of(b"d"),
        plan_sha256: Digest::of(b"p"),
        fits_sha256: None,
        context: Context::bare(Task::Classification, Vec::new()),
        requests: Vec::new(),
        forward_passes: 0,
        model_test: String::new(),
        notes: Vec::new(),
    }
}

#[test]
fn thumbnails_are_scanned_and_not_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items.parquet");
    let mut rows: Vec<ItemRecord> = (0..600).map(item).collect();
    rows[3].thumbnail.clear();
    let table = ItemTable::new(rows.iter().map(|r| &r.item));
    std::fs::write(&path, written(table, rows.clone())).unwrap();
    std::fs::write(
        folder.path().join("run.json"),
        serde_json::to_vec(&record()).unwrap(),
    )
    .unwrap();
    let tables = FolderTables::open(folder.path()).unwrap();
    let mut seen = Vec::new();
    tables
        .scan_thumbnails(&mut |row, bytes| {
            seen.push((row, bytes.to_vec()));
            Ok(())
        })
        .unwrap();
    let expected: Vec<(u32, Vec<u8>)> = rows
        .iter()
        .filter(|r| !r.thumbnail.is_empty())
        .map(|r| (r.item.row, r.thumbnail.clone()))
        .collect();
    assert_eq!(seen.len(), 599);
    assert_eq!(seen, expected);
    for (held, row) in tables.items().iter().zip(&rows) {
        assert!(held.thumbnail.is_empty());
        assert_eq!(
            *held,
            ItemRecord {
                thumbnail: Vec::new(),
                ..row.clone()
            }
        );
    }
}

#[test]
fn embeddings_and_timings_come_back() {
    let rows: Vec<EmbeddingRow> = (0..3)
        .map(|row| EmbeddingRow {
            row,
            image_sha256: Digest::of(b"x"),
            view_id: "identity".into(),
            values: vec![row as f32; row as usize],
        })
        .collect();
    assert_eq!(round_trip(EmbeddingTable, rows.clone()), rows);
    let rows = vec![Timing {
        model_id: "given".to_owned(),
        row: 1,
        view_id: "defocus:3".into(),
        view_s: 0.5,
        inference_s: 0.25,
        total_s: 1.0,
    }];
    assert_eq!(round_trip(TimingTable, rows.clone()), rows);
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let rows: Vec<ItemRecord> = (0..5000).map(item).collect();
    let table = || ItemTable::new(rows.iter().map(|r| &r.item));
    assert_eq!(
        written(table(), rows.clone()),
        written(table(), rows.clone())
    );
}

#[test]
fn a_damaged_file_is_an_error_and_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let good = written(scores(), Vec::new());
    for bytes in [&b"no table"[..], &good[..good.len() / 2], &[]] {
        std::fs::write(&path, bytes).unwrap();
        let error = read_all::<MeasurementTable>(&path).unwrap_err();
        assert_eq!(error.code.id, "T605", "{error}");
    }
    std::fs::write(&path, written(TimingTable, Vec::new())).unwrap();
    // A table of another kind has other columns.
    let empty = read_all::<MeasurementTable>(&path);
    assert!(empty.is_err() || empty.unwrap().is_empty());
}
