//! Truth that is no label image.

use std::path::Path;

use tempfile::TempDir;
use transect_core::{Context, Digest, Task};
use transect_measure::{Job, Loaded, MaskRule, Source, load};
use transect_score::Truth;

const ROWS: usize = 6;
const COLUMNS: usize = 8;

const GEOJSON: &str = r#"{"type": "FeatureCollection", "features": [
  {"geometry": {"type": "Polygon", "coordinates": [[[1, 1], [4, 1], [4, 3], [1, 3], [1, 1]]]}, "properties": {"classification": {"name": "tumour"}}},
  {"geometry": {"type": "Polygon", "coordinates": [[[5, 4], [8, 4], [8, 6], [5, 6], [5, 4]]]}, "properties": {"classification": {"name": "stroma"}}}]}"#;

/// A job on one image with this truth; the folder holds its files.
fn job(folder: &Path, row: &str, task: Task, classes: &[&str]) -> Job {
    let image = transect_image::encode_png_rgb(ROWS, COLUMNS, &[7; ROWS * COLUMNS * 3]);
    std::fs::write(folder.join("a.png"), image).unwrap();
    let data = folder.join("manifest.csv");
    std::fs::write(&data, format!("image,truth,image_region\na.png,{row}\n")).unwrap();
    let dataset = transect_manifest::load(&transect_manifest::Request {
        data,
        truth: Some("truth".to_owned()),
        ..transect_manifest::Request::default()
    })
    .unwrap();
    Job {
        dataset,
        source: Source::None,
        context: Context::bare(task, classes.iter().map(|c| (*c).to_owned()).collect()),
        requests: Vec::new(),
        mask: MaskRule::default(),
        limits: transect_image::Limits::default(),
        model_sha256: None,
        fingerprint: Digest::of(b""),
        model_name: String::new(),
        engine: String::new(),
        model_test: String::new(),
        notes: Vec::new(),
    }
}

fn labels(loaded: Loaded) -> Vec<u32> {
    match loaded.truth.unwrap() {
        Truth::Labels(labels) | Truth::Mask { mask: labels, .. } => labels.labels().to_vec(),
        Truth::Class(_) => panic!("outlines are no class"),
    }
}

fn place(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

#[test]
fn outlines_are_drawn_as_objects_or_as_classes() {
    let folder = place(&[("a.geojson", GEOJSON.as_bytes())]);
    let of = |row: &str, task: Task, classes: &[&str]| {
        let job = job(folder.path(), row, task, classes);
        load(&job, &job.dataset.items[0])
    };
    let count = |labels: &[u32], value: u32| labels.iter().filter(|l| **l == value).count();
    let objects = labels(of("a.geojson,", Task::Instance, &[]).unwrap());
    assert_eq!((count(&objects, 1), count(&objects, 2)), (6, 6));
    assert_eq!(objects[COLUMNS + 1], 1);
    let classes = ["background", "stroma", "tumour"];
    let mask = labels(of("a.geojson,", Task::Semantic, &classes).unwrap());
    assert_eq!(mask[COLUMNS + 1], 2, "the model's second class");
    assert_eq!(
        (count(&mask, 0), count(&mask, 1), count(&mask, 2)),
        (36, 6, 6)
    );
    let part = labels(of("a.geojson,4 4 2 4", Task::Instance, &[]).unwrap());
    assert_eq!(
        part,
        [0, 1, 1, 1, 0, 1, 1, 1],
        "outlines are cut with the image"
    );
    let error = of("a.geojson,", Task::Semantic, &["background", "tumour"]).unwrap_err();
    assert_eq!(error.code.id, "T202");
    assert!(error.message.contains("`stroma`"), "{error}");
}

#[test]
fn a_folder_of_masks_is_an_object_for_each() {
    let mask = |inside: &[usize]| {
        let mut labels = vec![0; ROWS * COLUMNS];
        for i in inside {
            labels[*i] = 255;
        }
        let labels = transect_core::LabelImage::new(ROWS, COLUMNS, labels).unwrap();
        transect_image::encode_labels(&labels)
    };
    let (first, second) = (mask(&[0, 1, 2]), mask(&[2]));
    let folder = place(&[
        ("masks/1.png", &first),
        ("masks/2.png", &second),
        ("masks/notes.txt", b""),
    ]);
    let job = self::job(folder.path(), "masks/,", Task::Instance, &[]);
    let drawn = labels(load(&job, &job.dataset.items[0]).unwrap());
    assert_eq!(
        &drawn[..4],
        [1, 1, 2, 0],
        "the smaller object lies on the larger"
    );
}

#[test]
fn outlines_that_miss_their_image_and_pickles_say_what_to_do() {
    let far = GEOJSON.replace(
        "[[[5, 4], [8, 4], [8, 6], [5, 6], [5, 4]]]",
        "[[[500, 4], [800, 4], [800, 6]]]",
    );
    let header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }";
    let mut pickle = b"\x93NUMPY\x01\x00".to_vec();
    pickle.extend((header.len() as u16).to_le_bytes());
    pickle.extend(header.as_bytes());
    pickle.extend(b"\x80\x04.");
    let folder = place(&[("a.geojson", far.as_bytes()), ("a_seg.npy", &pickle)]);
    let of = |row: &str| {
        let job = job(folder.path(), row, Task::Instance, &[]);
        load(&job, &job.dataset.items[0]).unwrap_err()
    };
    let error = of("a.geojson,");
    assert_eq!(error.code.id, "T025");
    assert!(
        error.notes[0].starts_with("feature 2: rows 4.0 to 6.0, columns 500.0 to 800.0"),
        "{error}"
    );
    let error = of("a_seg.npy,");
    assert!(
        error
            .help
            .as_ref()
            .unwrap()
            .contains("n.save('a_masks.npy'"),
        "{error}"
    );
}
