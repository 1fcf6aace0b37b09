//! Images alone: an audit without a model.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fixture::{refused, run, spoilt};

/// Inspects a manifest; the words of its standard output.
fn inspect(data: &Path, out: &Path, further: &[&str]) -> String {
    let mut words = vec![
        "inspect",
        "--data",
        data.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    words.extend(further);
    let output = run(&words);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn findings(out: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(out.join("findings.json")).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    all["findings"].as_array().unwrap().clone()
}

fn find(out: &Path, id: &str) -> serde_json::Value {
    findings(out)
        .into_iter()
        .find(|f| f["id"] == id)
        .unwrap_or_else(|| panic!("no finding {id}"))
}

/// The demo's data with a copy of one image under another name and with another image's truth.
fn with_a_copy() -> (tempfile::TempDir, PathBuf) {
    let folder = spoilt();
    let data = folder.path().join("data");
    let manifest = data.join("manifest.csv");
    let text = fs::read_to_string(&manifest).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let columns: Vec<&str> = lines[0].split(',').collect();
    let image = columns.iter().position(|c| *c == "image").unwrap();
    let label = columns.iter().position(|c| *c == "label").unwrap();
    let mut copy: Vec<String> = lines[1].split(',').map(str::to_owned).collect();
    let other = lines[2].split(',').nth(label).unwrap().to_owned();
    let from = data.join(&copy[image]);
    "copy_of_the_first.png".clone_into(&mut copy[image]);
    fs::copy(from, data.join(&copy[image])).unwrap();
    copy[label] = other;
    lines.push(copy.join(","));
    fs::write(&manifest, lines.join("\n") + "\n").unwrap();
    (folder, manifest)
}

#[test]
fn images_alone_have_findings_and_a_page_and_nothing_of_a_model() {
    let (folder, manifest) = with_a_copy();
    let out = folder.path().join("out");
    let said = inspect(
        &manifest,
        &out,
        &["--truth", "label", "--domain", "laboratory"],
    );
    assert!(said.contains("Can these images be relied on?"), "{said}");
    let modes: std::collections::BTreeSet<String> = findings(&out)
        .iter()
        .map(|f| f["mode"].as_str().unwrap().to_owned())
        .collect();
    assert!(modes.into_iter().eq(["prior", "shift"].map(str::to_owned)));
    let pair = find(&out, "prior.duplicate_labels");
    assert_eq!(pair["verdict"], "warn", "{pair}");
    assert!(
        pair["claim"]
            .as_str()
            .unwrap()
            .contains("copy_of_the_first.png"),
        "{pair}"
    );
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("Duplicates, different truth"));
    assert!(!page.contains("Does it work on my images?"));
}

#[test]
fn images_alone_give_the_same_bytes_on_any_number_of_threads() {
    let (folder, manifest) = with_a_copy();
    let [one, two] = ["1", "2"].map(|jobs| {
        let out = folder.path().join(format!("out{jobs}"));
        inspect(&manifest, &out, &["--truth", "label", "--jobs", jobs]);
        out
    });
    let mut compared = 0;
    let features = fs::read_dir(one.join("embeddings/features")).unwrap();
    let layers = features
        .flatten()
        .map(|e| Path::new("embeddings/features").join(e.file_name()));
    let tables = [
        "findings.json",
        "figures.json",
        "run.json",
        "report.html",
        "items.parquet",
    ]
    .map(PathBuf::from);
    for file in tables.into_iter().chain(layers) {
        let [a, b] = [&one, &two].map(|out| fs::read(out.join(&file)).unwrap());
        assert!(a == b, "{} differs", file.display());
        compared += 1;
    }
    assert!(compared > 10, "{compared} files");
}

#[test]
fn options_of_a_model_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let text = refused(&[
        "inspect",
        "--data",
        "manifest.csv",
        "--na",
        "0.5",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(text.contains("--na would do nothing"), "{text}");
    assert!(!out.exists());
}
