//! Small files of independent programs, read as those programs read them (golden/formats).

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use transect_core::{Error, Image, Result};
use transect_image::{Files, Limits, Selector, decode_at};

/// Files of a folder on disk.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Option<Cow<'_, [u8]>>> {
        assert!(
            !path.split('/').any(|name| name == ".."),
            "{path} leads out of the folder"
        );
        let path = self.0.join(path);
        if !path.is_file() {
            return Ok(None);
        }
        std::fs::read(&path).map(|b| Some(b.into())).map_err(|e| {
            Error::new(
                &transect_core::codes::image::IMAGE_UNREADABLE,
                e.to_string(),
            )
        })
    }
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/formats")
}

/// Cases of files that lie here, or `shared` ones.
pub(crate) fn cases(which: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder().join("values.json")).expect("golden values");
    let values: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    values[which].as_array().expect("a list").clone()
}

pub(crate) fn selector(case: &serde_json::Value) -> Selector {
    let select = case["select"].as_object().expect("an object");
    let text: Vec<(String, String)> = select
        .iter()
        .map(|(k, v)| {
            let value = v.as_str().map_or_else(|| v.to_string(), str::to_owned);
            (format!("image_{k}"), value)
        })
        .collect();
    let page = select
        .get("page")
        .map(|p| p.as_u64().expect("a page") as u32);
    Selector::from_columns(page, |name| {
        text.iter()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.as_str())
    })
    .expect("a selection")
}

pub(crate) fn check(case: &serde_json::Value, image: &Image, what: &str) {
    let shape: Vec<u64> = image.shape().iter().map(|s| *s as u64).collect();
    assert_eq!(serde_json::json!(shape), case["shape"], "{what}");
    assert_eq!(
        serde_json::json!(image.dtype.name()),
        case["dtype"],
        "{what}"
    );
    if let Some(limit) = case["tolerance"].as_f64() {
        let expected = case["samples"].as_array().expect("samples");
        for (at, (got, want)) in image.samples().iter().zip(expected).enumerate() {
            let want = want.as_f64().expect("a number");
            assert!(
                (f64::from(*got) - want).abs() <= limit,
                "{what}: sample {at} is {got}, the peer has {want}"
            );
        }
    } else {
        let bytes: Vec<u8> = image
            .samples()
            .iter()
            .flat_map(|s| s.to_le_bytes())
            .collect();
        let hash = Sha256::digest(&bytes)
            .iter()
            .fold(String::new(), |t, b| t + &format!("{b:02x}"));
        assert_eq!(
            hash,
            case["sha256"],
            "{what}: {:?}",
            &image.samples()[..8.min(image.samples().len())]
        );
    }
    let names: Vec<&str> = case["names"]
        .as_array()
        .map(|n| n.iter().filter_map(|n| n.as_str()).collect())
        .unwrap_or_default();
    assert_eq!(image.channel_names, names, "{what}");
    assert_eq!(image.rgb, case["rgb"].as_bool().unwrap_or(false), "{what}");
    let size = image
        .pixel_size
        .map(|s| serde_json::json!([s.row_um, s.column_um, s.plane_um]));
    let near = |a: &serde_json::Value, b: &serde_json::Value| match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * b.abs(),
        _ => a == b,
    };
    match (&size, case["pixel_size_um"].as_array()) {
        (None, None) => {}
        (Some(got), Some(want)) => assert!(
            (0..3).all(|i| near(&got[i], &want[i])),
            "{what}: {got} against {want:?}"
        ),
        (got, want) => panic!("{what}: a pixel of {got:?} against {want:?}"),
    }
    let waves = image
        .wavelengths
        .as_ref()
        .map(|w| serde_json::json!(w.values));
    assert_eq!(
        waves.unwrap_or_default(),
        case["wavelengths"]
            .as_array()
            .map_or(serde_json::Value::Null, |w| {
                w.iter()
                    .map(serde_json::Value::as_f64)
                    .collect::<Vec<_>>()
                    .into()
            }),
        "{what}"
    );
}

fn all(files: &Folder, cases: &[serde_json::Value]) {
    let mut failures = Vec::new();
    for case in cases {
        let name = case["file"].as_str().expect("a name");
        let selector = selector(case);
        let what = format!("{name} ({})", selector.text());
        let outcome = std::panic::catch_unwind(|| {
            match decode_at(files, name, &selector, &Limits::default()) {
                Ok(image) => check(case, &image, &what),
                Err(e) => panic!("{what}: {e}"),
            }
        });
        if let Err(e) = outcome {
            failures.push(e.downcast_ref::<String>().cloned().unwrap_or(what));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {}: {}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

#[test]
fn files_of_other_programs_are_read_as_those_read_them() {
    all(&Folder(folder().join("files")), &cases("cases"));
}

#[test]
fn real_cubes_and_stores_are_read_as_other_programs_read_them() {
    if let Some(root) = crate::shared("data") {
        all(&Folder(root), &cases("shared"));
    }
}
