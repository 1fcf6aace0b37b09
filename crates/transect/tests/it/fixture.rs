//! A small audit, run once: images of two simulated laboratories and the demo model.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The program.
pub(crate) fn transect() -> Command {
    Command::new(env!("CARGO_BIN_EXE_transect"))
}

/// Runs the program with these words.
pub(crate) fn run(words: &[&str]) -> Output {
    transect().args(words).output().unwrap()
}

/// Standard error of a run that must end with 2.
pub(crate) fn refused(words: &[&str]) -> String {
    let output = run(words);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{words:?}\n{text}");
    assert!(output.stdout.is_empty(), "an error leaves stdout empty");
    text
}

/// Folder of the demo: `data/manifest.csv`, `model/`, and a finished audit in `report/`.
pub(crate) fn demo() -> &'static Path {
    static DEMO: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = DEMO.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo");
        let output = run(&[
            "demo",
            "--images",
            "4",
            "--jobs",
            "2",
            "--out",
            path.to_str().unwrap(),
        ]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        (folder, path)
    });
    path
}

/// The words of the demo's own audit, with another folder to write to.
pub(crate) fn audit(out: &Path, further: &[&str]) -> Vec<String> {
    let demo = demo();
    let mut words: Vec<String> = [
        "audit",
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
    ]
    .map(str::to_owned)
    .to_vec();
    for (option, path) in [
        ("--model", demo.join("model")),
        ("--data", demo.join("data/manifest.csv")),
        ("--out", out.to_owned()),
    ] {
        words.push(option.to_owned());
        words.push(path.to_str().unwrap().to_owned());
    }
    words.extend(further.iter().map(|&w| w.to_owned()));
    words
}

/// Bytes of every file of the contract in a run's folder.
pub(crate) fn contract(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for name in [
        "findings.json",
        "figures.json",
        "run.json",
        "report.html",
        "measurements.parquet",
        "items.parquet",
        "masks.parquet",
        "elements.parquet",
        "fits.json",
    ] {
        files.insert(
            name.to_owned(),
            fs::read(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}")),
        );
    }
    for model in fs::read_dir(folder.join("embeddings")).unwrap().flatten() {
        for layer in fs::read_dir(model.path()).unwrap().flatten() {
            files.insert(
                format!(
                    "embeddings/{}/{}",
                    model.file_name().to_string_lossy(),
                    layer.file_name().to_string_lossy()
                ),
                fs::read(layer.path()).unwrap(),
            );
        }
    }
    files
}

/// Two runs wrote the same bytes.
pub(crate) fn assert_same(a: &Path, b: &Path) {
    let (a, b) = (contract(a), contract(b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (name, bytes) in &a {
        assert!(bytes == &b[name], "{name} differs");
    }
}

/// A copy of the demo's data, to be spoilt.
pub(crate) fn spoilt() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&demo().join("data"), &folder.path().join("data"));
    copy(&demo().join("model"), &folder.path().join("model"));
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A manifest of the demo's images with a class, for predictions of classes.
pub(crate) fn classed() -> (tempfile::TempDir, String) {
    let folder = spoilt();
    let mut text = String::from("image,class_name\n");
    for index in 0..4 {
        for (laboratory, class) in [("A", "round"), ("B", "long")] {
            let _ = writeln!(text, "images/{laboratory}_{index:03}.png,{class}");
        }
    }
    let path = folder.path().join("data/classes.csv");
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}
