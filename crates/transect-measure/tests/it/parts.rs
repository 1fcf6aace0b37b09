//! Rows whose image is a store, or a part of a file.

use std::path::{Path, PathBuf};

use transect_core::{Digest, Item, Task, TruthRef};
use transect_measure::{Job, Loaded, load};
use transect_score::Truth;

use crate::fixture::job;

/// Files of other programs.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../golden/formats/files")
        .join(name)
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            copy(&path, &to.join(path.file_name().unwrap()));
        }
    } else {
        std::fs::copy(from, to).unwrap();
    }
}

fn row(job: &Job, image: &str, cells: &[(&str, &str)]) -> Item {
    let mut item = job.dataset.items[0].clone();
    image.clone_into(&mut item.image);
    for (name, text) in cells {
        item.columns.insert((*name).to_owned(), (*text).to_owned());
    }
    item
}

fn read(job: &Job, image: &str, cells: &[(&str, &str)]) -> Loaded {
    load(job, &row(job, image, cells)).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_store_is_hashed_by_what_was_read_of_it_wherever_it_lies() {
    let (folder, job) = job(Vec::new());
    for name in ["a.zarr", "b.zarr", "c.zarr"] {
        copy(&golden("ome_zyx.zarr"), &folder.path().join(name));
    }
    let whole = read(&job, "a.zarr", &[]);
    assert_eq!(whole.image.shape(), [1, 3, 6, 7]);
    assert!(whole.file.files > 2, "{:?}", whole.file);
    assert_eq!(read(&job, "b.zarr", &[]).sha256, whole.sha256);
    let plane = read(&job, "a.zarr", &[("image_plane", "1")]);
    assert_eq!(plane.image.shape(), [1, 1, 6, 7]);
    assert_eq!(plane.image.plane(0, 0), whole.image.plane(0, 1));
    assert_ne!(plane.sha256, whole.sha256);
    // Metadata that say another size of a pixel are another content.
    let meta = folder.path().join("c.zarr/.zattrs");
    let text = std::fs::read_to_string(&meta).unwrap();
    std::fs::write(&meta, text.replace("0.5", "0.25")).unwrap();
    assert_ne!(read(&job, "c.zarr", &[]).sha256, whole.sha256);
}

#[test]
fn a_single_file_keeps_the_hash_of_its_bytes() {
    let (folder, job) = job(Vec::new());
    let item = job.dataset.items[0].clone();
    let bytes = std::fs::read(folder.path().join(&item.image)).unwrap();
    let loaded = load(&job, &item).unwrap();
    assert_eq!(loaded.sha256, Digest::of(&bytes));
    assert_eq!(loaded.file.files, 1);
    assert_eq!(loaded.file.bytes, bytes.len() as u64);
}

#[test]
fn a_region_is_cut_out_of_the_image_and_of_its_outlines() {
    let (folder, mut job) = job(Vec::new());
    copy(&golden("lzw_uint8.tif"), &folder.path().join("a.tif"));
    job.context.task = Task::Instance;
    let region = [("image_region", "2 3 5 7")];
    let mut item = row(&job, "a.tif", &region);
    item.truth = TruthRef::Path("a.tif".to_owned());
    let loaded = load(&job, &item).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(loaded.image.shape(), [1, 1, 5, 7]);
    let Some(Truth::Labels(labels)) = loaded.truth else {
        panic!("no outlines")
    };
    let values: Vec<f32> = labels.labels().iter().map(|l| *l as f32).collect();
    assert_eq!(values, loaded.image.samples());
    let error = load(&job, &row(&job, "a.tif", &[("image_region", "left")])).unwrap_err();
    assert_eq!(error.code.id, "T114");
    assert_eq!(error.location.image.as_deref(), Some("a.tif"));
}

#[cfg(unix)]
#[test]
fn a_link_within_a_store_does_not_lead_out_of_the_dataset() {
    let (folder, job) = job(Vec::new());
    let outside = tempfile::tempdir().unwrap();
    copy(&golden("ome_zyx.zarr"), &folder.path().join("a.zarr"));
    let chunks = folder.path().join("a.zarr/0");
    copy(&chunks, &outside.path().join("0"));
    std::fs::remove_dir_all(&chunks).unwrap();
    std::os::unix::fs::symlink(outside.path().join("0"), &chunks).unwrap();
    let error = load(&job, &row(&job, "a.zarr", &[])).unwrap_err();
    assert!(error.to_string().contains("leads out"), "{error}");
}
