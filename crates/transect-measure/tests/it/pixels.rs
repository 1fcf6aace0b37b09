//! Single pixels in whole runs: what is kept of them, of which rows, under which models.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use transect_core::{Context, LabelImage, Request, Role, Selection, Stage, Stream, Task, View};
use transect_measure::{Job, MaskRule, Source, find_abilities};
use transect_model::{EngineChoice, Model, Options};
use transect_table::{FolderTables, Tables};

use crate::fixture::{hashes, run};

const SIDE: usize = 64;

/// A job of the demo's model on four reference and six target images, each a bright square on noise.
fn job() -> (TempDir, Job) {
    let folder = TempDir::new().unwrap();
    let mut manifest = String::from("image,label,role\n");
    for index in 0..10_usize {
        let mut stream = Stream::new(index as u64, "pixels", &[]);
        let labels: Vec<u32> = (0..SIDE * SIDE)
            .map(|i| u32::from((i / SIDE).abs_diff(20 + index) < 9 && (i % SIDE).abs_diff(30) < 7))
            .collect();
        let grey: Vec<u8> = labels
            .iter()
            .map(|&l| {
                (60.0 + 100.0 * f64::from(l) + 12.0 * stream.normal()).clamp(0.0, 255.0) as u8
            })
            .collect();
        let rgb: Vec<f32> = grey.iter().map(|&v| f32::from(v)).collect();
        let image = transect_core::Image::new([1, 1, SIDE, SIDE], rgb, transect_core::Dtype::Uint8)
            .unwrap();
        let labels = LabelImage::new(SIDE, SIDE, labels).unwrap();
        let put = |name: String, bytes: Vec<u8>| {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        };
        put(
            format!("{index}.png"),
            transect_image::encode_png(&image).unwrap(),
        );
        put(
            format!("{index}_label.png"),
            transect_image::encode_labels(&labels),
        );
        let role = if index < 4 { "reference" } else { "target" };
        writeln!(manifest, "{index}.png,{index}_label.png,{role}").unwrap();
    }
    let data = folder.path().join("manifest.csv");
    std::fs::write(&data, manifest).unwrap();
    let dataset = transect_manifest::load(&transect_manifest::Request {
        data,
        truth: Some("label".to_owned()),
        ..transect_manifest::Request::default()
    })
    .unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../transect/demo/rdf.yaml");
    let model = Model::load(&Options {
        engine: EngineChoice::Embedded,
        ..Options::new(demo)
    })
    .unwrap();
    let identity = || vec![View::identity()];
    let some = Selection::Sample(Role::Target, 4);
    let copy =
        |rows, name: &str| Request::new("test", Stage::Partner, rows, identity()).of_model(name);
    let mut job = Job {
        dataset,
        context: Context {
            score_columns: transect_score::columns(Task::Instance, &[]),
            has_reference: true,
            has_truth: true,
            seed: 3,
            ..Context::bare(Task::Instance, Vec::new())
        },
        requests: vec![
            Request::new("test", Stage::Own, Selection::All, identity()),
            copy(some, "reinit:0").with_pixels(),
            copy(Selection::Role(Role::Target), "reinit:1"),
            copy(some, "builtin:otsu"),
        ],
        mask: MaskRule::default(),
        limits: transect_image::Limits::default(),
        model_sha256: Some(model.sha256()),
        fingerprint: model.fingerprint(),
        model_name: model.name().to_owned(),
        engine: model.engine().to_owned(),
        model_test: String::new(),
        notes: Vec::new(),
        source: Source::Model(Arc::new(model)),
    };
    find_abilities(&mut job);
    (folder, job)
}

/// Values by row.
fn values(tables: &FolderTables, model: &str, layer: &str) -> BTreeMap<u32, Vec<f32>> {
    let mut all = BTreeMap::new();
    tables
        .scan_embeddings(model, layer, &mut |e| {
            assert_eq!(e.view_id, "identity");
            assert!(all.insert(e.row, e.values.clone()).is_none());
            Ok(())
        })
        .unwrap();
    all
}

#[test]
fn pixels_are_kept_of_the_rows_that_are_asked_for_and_of_no_others() {
    let (_data, job) = job();
    assert_eq!(job.context.dense_layer.as_deref(), Some("join0.relu1"));
    let (out, _) = run(&job, 1, 2);
    let tables = FolderTables::open(&out.path().join("whole")).unwrap();
    let truth = values(&tables, "features", "pixel_truth");
    assert_eq!(truth.len(), 4);
    let layer = job.context.pixel_layer().unwrap();
    for row in truth.values() {
        assert_eq!(row[0], 64.0);
        assert_eq!(row[1..], [0.0, 1.0].repeat(32));
    }
    // Two numbers, seven, and ten channels of the decoder, 64 times.
    for (model, layer, width) in [
        ("features", "pixel_intensity", 2),
        ("features", "pixel_surroundings", 7),
        ("given", layer.as_str(), 10),
        ("reinit:0", layer.as_str(), 10),
        ("reinit:1", layer.as_str(), 10),
    ] {
        let all = values(&tables, model, layer);
        assert!(all.keys().eq(truth.keys()), "{model} {layer}");
        assert!(
            all.values()
                .all(|v| v[0] == 64.0 && v.len() == 1 + 64 * width),
            "{model} {layer}"
        );
    }
    assert!(values(&tables, "builtin:otsu", &layer).is_empty());
    assert!(tables.embedding_layers("given").iter().all(|l| *l != layer));
    assert_ne!(
        values(&tables, "given", &layer),
        values(&tables, "reinit:0", &layer)
    );
    // The square is brighter than what is around it.
    for row in values(&tables, "features", "pixel_intensity").values() {
        for pair in row[1..].chunks(4) {
            assert!(pair[2] > pair[0], "{pair:?}");
        }
    }
}

#[test]
fn pixels_are_the_same_bytes_on_any_threads_and_shards() {
    let (_data, job) = job();
    let (one, _) = run(&job, 1, 1);
    let (other, _) = run(&job, 2, 2);
    let hashes = |out: &TempDir| hashes(&out.path().join("whole"));
    assert_eq!(hashes(&one), hashes(&other));
    assert!(
        hashes(&one)
            .iter()
            .any(|(name, _)| name.contains("pixels%3a"))
    );
}
