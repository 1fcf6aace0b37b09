//! Bad input ends in an error or a row that says what, where, and how to mend it.

use std::fs;
use std::path::Path;

use crate::fixture::{audit, classed, demo, refused, run, spoilt};

/// Words of a quick audit of spoilt data.
fn quick<'a>(model: &'a str, data: &'a str, out: &'a str) -> Vec<&'a str> {
    vec![
        "audit",
        "--model",
        model,
        "--data",
        data,
        "--truth",
        "label",
        "--plan",
        "quick",
        "--out",
        out,
        "--modality",
        "fluorescence",
    ]
}

struct Spoilt {
    folder: tempfile::TempDir,
}

impl Spoilt {
    fn new() -> Self {
        Self { folder: spoilt() }
    }
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
    fn manifest(&self) -> String {
        fs::read_to_string(self.path("data/manifest.csv")).unwrap()
    }
    fn set_manifest(&self, text: &str) {
        fs::write(self.path("data/manifest.csv"), text).unwrap();
    }
    /// Error text of an audit that must be refused.
    fn refused(&self, further: &[&str]) -> String {
        let (model, data, out) = (
            self.path("model"),
            self.path("data/manifest.csv"),
            self.path("out"),
        );
        let mut words = quick(&model, &data, &out);
        words.extend(further);
        let text = refused(&words);
        assert!(!Path::new(&out).join("findings.json").exists());
        text
    }
    /// A finished audit: its findings and what it said.
    fn audited(&self, further: &[&str]) -> (serde_json::Value, String) {
        let (model, data, out) = (
            self.path("model"),
            self.path("data/manifest.csv"),
            self.path("out"),
        );
        let mut words = quick(&model, &data, &out);
        words.extend(further);
        let output = run(&words);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{text}");
        let json = fs::read(Path::new(&out).join("findings.json")).unwrap();
        (serde_json::from_slice(&json).unwrap(), text)
    }
}

#[test]
fn every_missing_file_is_named_at_once_and_unknown_columns_before_them() {
    let s = Spoilt::new();
    fs::remove_file(s.path("data/images/A_000.png")).unwrap();
    fs::remove_file(s.path("data/images/B_001.png")).unwrap();
    let text = s.refused(&[]);
    assert!(
        text.contains("A_000.png") && text.contains("B_001.png"),
        "{text}"
    );
    let text = s.refused(&["--domain", "laboratry", "--group", "side"]);
    assert!(
        text.contains("T012") && text.contains("did you mean `laboratory`"),
        "{text}"
    );
    assert!(text.contains("`side`"), "{text}");
}

#[test]
fn a_manifest_that_is_not_there_is_named() {
    let s = Spoilt::new();
    fs::remove_file(s.path("data/manifest.csv")).unwrap();
    let text = s.refused(&[]);
    assert!(
        text.contains("T001") && text.contains("manifest.csv"),
        "{text}"
    );
}

#[test]
fn a_duplicated_row_is_refused_with_both_lines() {
    let s = Spoilt::new();
    let text = s.manifest();
    let first = text.lines().nth(1).unwrap().to_owned();
    s.set_manifest(&format!("{}\n{first}\n", text.trim_end()));
    let error = s.refused(&[]);
    assert!(error.contains("line 2") || error.contains(":2"), "{error}");
    assert!(error.contains("10"), "{error}");
}

#[test]
fn a_corrupt_image_among_good_ones_becomes_a_row_and_stays_in_the_report() {
    let s = Spoilt::new();
    fs::write(
        s.path("data/images/B_002.png"),
        b"\x89PNG\r\n\x1a\n and then nothing",
    )
    .unwrap();
    let (json, _) = s.audited(&[]);
    assert_eq!(json["data"]["failed"], 1, "{}", json["data"]);
    assert_eq!(json["data"]["measured"], 7);
    let page = fs::read_to_string(s.path("out/report.html")).unwrap();
    assert!(
        page.contains("B_002.png"),
        "the failed image is on the page"
    );
}

#[test]
fn one_image_is_audited_and_nothing_is_claimed_of_it() {
    let s = Spoilt::new();
    let (json, _) = s.audited(&["--where", "image = 'images/A_000.png'"]);
    assert_eq!(json["data"]["images"], 1);
    for finding in json["findings"].as_array().unwrap() {
        let verdict = finding["verdict"].as_str().unwrap();
        assert!(verdict != "pass" && verdict != "fail", "{finding}");
    }
}

#[test]
fn an_empty_selection_is_refused() {
    let s = Spoilt::new();
    let text = s.refused(&["--where", "laboratory = 'C'"]);
    assert!(
        text.contains("laboratory = 'C'") || text.contains("no image") || text.contains("no row"),
        "{text}"
    );
}

#[test]
fn a_typo_in_an_expression_is_pointed_at() {
    let s = Spoilt::new();
    let text = s.refused(&["--where", "laboratory = 'A' adn image != 'x'"]);
    assert!(text.contains("adn"), "{text}");
}

#[test]
fn labels_of_another_size_fail_their_row_only() {
    let s = Spoilt::new();
    fs::copy(
        s.path("data/labels/A_001.png"),
        s.path("data/labels/keep.png"),
    )
    .unwrap();
    let small = transect::core::LabelImage::new(3, 3, vec![0; 9]).unwrap();
    fs::write(
        s.path("data/labels/A_001.png"),
        transect::image::encode_labels(&small),
    )
    .unwrap();
    let (json, _) = s.audited(&[]);
    assert_eq!(json["data"]["failed"], 1);
    let page = fs::read_to_string(s.path("out/report.html")).unwrap();
    assert!(page.contains("T201"), "the code is on the page");
}

#[test]
fn a_colour_image_for_a_grey_model_says_how_to_map_channels() {
    let s = Spoilt::new();
    let image = transect::core::Image::new(
        [3, 1, 192, 192],
        vec![7.0; 3 * 192 * 192],
        transect::core::Dtype::Uint8,
    );
    let mut image = image.unwrap();
    image.rgb = true;
    fs::write(
        s.path("data/images/A_001.png"),
        transect::image::encode_png(&image).unwrap(),
    )
    .unwrap();
    let out = s.path("out");
    let (model, data) = (s.path("model"), s.path("data/manifest.csv"));
    let output = run(&quick(&model, &data, &out));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let page = fs::read_to_string(Path::new(&out).join("report.html")).unwrap_or_default();
    assert!(
        text.contains("--channels") || page.contains("--channels"),
        "{text}"
    );
}

#[test]
fn nan_pixels_fail_their_row_and_say_so() {
    let s = Spoilt::new();
    let tensor = transect::image::npy::Tensor {
        shape: vec![64, 64],
        data: vec![f32::NAN; 64 * 64],
    };
    fs::write(
        s.path("data/images/nan.npy"),
        transect::image::npy::write(&tensor),
    )
    .unwrap();
    let label = transect::core::LabelImage::new(64, 64, vec![0; 64 * 64]).unwrap();
    fs::write(
        s.path("data/labels/nan.png"),
        transect::image::encode_labels(&label),
    )
    .unwrap();
    s.set_manifest(&format!(
        "{}images/nan.npy,labels/nan.png,A\n",
        s.manifest()
    ));
    let (json, _) = s.audited(&[]);
    assert_eq!(json["data"]["failed"], 1);
    assert!(
        fs::read_to_string(s.path("out/report.html"))
            .unwrap()
            .contains("T113")
    );
}

#[test]
fn a_file_that_is_not_onnx_is_refused() {
    let s = Spoilt::new();
    fs::write(s.path("model/weights.onnx"), b"#!/bin/sh\necho no model\n").unwrap();
    let text = s.refused(&[]);
    assert!(text.contains("weights.onnx"), "{text}");
    assert!(text.contains("error[T3"), "{text}");
}

#[test]
fn a_model_that_does_not_reproduce_its_own_test_is_refused() {
    let s = Spoilt::new();
    let mut bytes = fs::read(s.path("model/test_output.npy")).unwrap();
    for byte in bytes.iter_mut().rev().take(4000) {
        *byte = 0;
    }
    fs::write(s.path("model/test_output.npy"), bytes).unwrap();
    let text = s.refused(&[]);
    assert!(
        text.contains("T621") && text.contains("--skip-model-test"),
        "{text}"
    );
}

#[test]
fn another_run_in_the_same_folder_is_refused_and_the_first_one_kept() {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("run");
    let quick = |seed: &str| {
        let mut words = audit(&folder, &[]);
        for (option, value) in [("--plan", "quick"), ("--seed", seed)] {
            let place = words.iter().position(|w| w == option).unwrap();
            words[place + 1] = value.to_owned();
        }
        words
    };
    let first = quick("1");
    assert!(
        run(&first.iter().map(String::as_str).collect::<Vec<_>>())
            .status
            .success()
    );
    let before = fs::read(folder.join("findings.json")).unwrap();
    let second = quick("2");
    let text = refused(&second.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(text.contains("T602") && text.contains("--out"), "{text}");
    assert_eq!(fs::read(folder.join("findings.json")).unwrap(), before);
}

#[test]
fn a_folder_locked_by_another_process_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let lock = fs::File::create(out.path().join(".lock")).unwrap();
    lock.lock().unwrap();
    let words = audit(out.path(), &[]);
    let text = refused(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(text.contains("T601"), "{text}");
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_measuring() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("file");
    fs::write(&file, b"in the way").unwrap();
    let words = audit(&file.join("run"), &[]);
    let text = refused(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(text.contains("T604"), "{text}");
}

#[test]
fn options_that_make_no_sense_are_refused_together() {
    let demo = demo();
    let (model, data) = (demo.join("model"), demo.join("data/manifest.csv"));
    let text = refused(&[
        "audit",
        "--model",
        model.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
        "--truth",
        "label",
        "--claim",
        "acuracy=0.9",
        "--na",
        "-1",
        "--out",
        "never",
    ]);
    assert!(
        text.contains("acuracy") && text.contains("average_precision_50"),
        "{text}"
    );
    assert!(text.contains("--na"), "{text}");
    assert!(!Path::new("never").exists());
}

#[test]
fn neither_model_nor_predictions_is_an_error() {
    let data = demo().join("data/manifest.csv");
    let text = refused(&["audit", "--data", data.to_str().unwrap(), "--out", "never"]);
    assert!(text.contains("--model or --predictions"), "{text}");
}

#[test]
fn class_names_for_a_segmentation_model_are_refused() {
    let demo = demo();
    let (model, data) = (demo.join("model"), demo.join("data/manifest.csv"));
    let text = refused(&[
        "audit",
        "--model",
        model.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
        "--truth",
        "laboratory",
        "--out",
        "never",
    ]);
    assert!(text.contains("label image"), "{text}");
}

#[test]
fn an_unknown_code_says_where_to_look() {
    let text = refused(&["explain", "T999"]);
    assert!(text.contains("explain codes"), "{text}");
    assert!(run(&["explain", "t012"]).status.success());
}

#[test]
fn classes_without_probabilities_are_never_called_too_sure() {
    let (folder, data) = classed();
    let predictions = folder.path().join("p.csv");
    let text = fs::read_to_string(&data)
        .unwrap()
        .replace("class_name", "class");
    fs::write(&predictions, text.replacen("long", "round", 1)).unwrap();
    let out = folder.path().join("out");
    let output = run(&[
        "audit",
        "--predictions",
        predictions.to_str().unwrap(),
        "--task",
        "classification",
        "--data",
        &data,
        "--truth",
        "class_name",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("findings.json")).unwrap()).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let accuracy = findings
        .iter()
        .find(|f| f["id"] == "performance.accuracy")
        .unwrap();
    assert_eq!(accuracy["estimate"], 0.875);
    for finding in findings.iter().filter(|f| f["mode"] == "calibration") {
        assert_eq!(finding["verdict"], "not_assessable", "{finding}");
    }
}

#[test]
fn predictions_of_other_images_and_empty_classes_are_refused() {
    let (folder, data) = classed();
    let predictions = folder.path().join("p.csv");
    for (text, told) in [
        (
            "image,class\nfoo.png,round\n",
            "no prediction is of an image",
        ),
        ("image,class\nimages/A_000.png,\n", "`class` is empty"),
    ] {
        fs::write(&predictions, text).unwrap();
        let error = refused(&[
            "audit",
            "--predictions",
            predictions.to_str().unwrap(),
            "--task",
            "classification",
            "--data",
            &data,
            "--truth",
            "class_name",
            "--out",
            "never",
        ]);
        assert!(error.contains("T609") && error.contains(told), "{error}");
    }
}

#[test]
fn a_claim_outside_of_its_metric_is_refused() {
    let s = Spoilt::new();
    let text = s.refused(&["--claim", "average_precision_50=96"]);
    assert!(text.contains("0.96"), "{text}");
}
