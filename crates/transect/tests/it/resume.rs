//! Failures that may pass are tried again by the same command, and the bytes are those of a run without them.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Output;

use crate::fixture::{assert_same, classed, demo, spoilt, transect};

/// Who runs the program where the tests run as root, whom no permission stops.
const NOBODY: u32 = 65534;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs an audit as somebody whom permissions stop.
fn audited(folder: &Path, words: &[&str], out: &Path) -> Output {
    let mut command = transect();
    command.arg("audit").args(words).arg("--out").arg(out);
    if fs::metadata(folder).unwrap().uid() == 0 {
        command.uid(NOBODY);
    }
    command.output().unwrap()
}

fn failed(out: &Path) -> u64 {
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("findings.json")).unwrap()).unwrap();
    json["data"]["failed"].as_u64().unwrap()
}

/// Audits with an image that cannot be read, again, and again when it can: `compare` gets the run's folder in the end.
fn read_later(folder: &Path, words: &[&str], compare: impl FnOnce(&Path)) {
    let runs = tempfile::tempdir().unwrap();
    for path in [demo().parent().unwrap(), folder, runs.path()] {
        set_mode(path, 0o777);
    }
    let out = runs.path().join("run");
    let image = folder.join("data/images/B_001.png");
    set_mode(&image, 0o000);
    let output = audited(folder, words, &out);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert_eq!(failed(&out), 1, "{told}");
    let page = fs::read(out.join("report.html")).unwrap();

    assert!(audited(folder, words, &out).status.success());
    let again = fs::read(out.join("report.html")).unwrap();
    assert!(page == again, "a failure that stays changes nothing");

    set_mode(&image, 0o644);
    let output = audited(folder, words, &out);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert_eq!(failed(&out), 0);
    compare(&out);
}

#[test]
fn a_file_that_could_not_be_read_is_read_by_the_same_command_later() {
    let (folder, data) = classed();
    let predictions = folder.path().join("p.csv");
    let text = fs::read_to_string(&data).unwrap();
    fs::write(&predictions, text.replace("class_name", "class")).unwrap();
    let predictions = predictions.to_str().unwrap().to_owned();
    let words = [
        "--predictions",
        &predictions,
        "--task",
        "classification",
        "--data",
        &data,
        "--truth",
        "class_name",
    ];
    read_later(folder.path(), &words, |out| {
        let clean = folder.path().join("clean");
        assert!(audited(folder.path(), &words, &clean).status.success());
        for name in [
            "findings.json",
            "report.html",
            "measurements.parquet",
            "items.parquet",
        ] {
            assert!(
                fs::read(out.join(name)).unwrap() == fs::read(clean.join(name)).unwrap(),
                "{name} differs"
            );
        }
    });
}

#[test]
#[ignore = "three audits with a model, some minutes without optimisation"]
fn what_other_fits_measured_is_given_up_when_a_donor_can_be_read_later() {
    let folder = spoilt();
    let data = folder.path().join("data/manifest.csv");
    let model = demo().join("model");
    let words = [
        "--truth",
        "label",
        "--domain",
        "laboratory",
        "--where",
        "laboratory = 'B'",
        "--reference-where",
        "laboratory = 'A'",
        "--modality",
        "fluorescence",
        "--claim",
        "average_precision_50=0.8",
        "--plan",
        "quick",
        "--seed",
        "0",
        "--model",
        model.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
    ];
    read_later(folder.path(), &words, |out| {
        assert_same(&demo().join("report"), out);
    });
}

#[test]
fn a_disk_that_refuses_says_what_to_do_and_loses_nothing() {
    let folder = spoilt();
    let out = folder.path().join("out");
    let demo = demo();
    // Files above 4 kB (8 blocks of 512 bytes) are refused; the signal that would end the program is ignored.
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$@\"";
    let output = std::process::Command::new("sh")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_transect"), "audit"])
        .arg("--model")
        .arg(demo.join("model"))
        .arg("--data")
        .arg(folder.path().join("data/manifest.csv"))
        .args(["--truth", "label", "--plan", "quick", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains("T604") && text.contains("run the same command again"),
        "{text}"
    );
}
