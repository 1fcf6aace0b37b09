//! Options that would do nothing are refused; nothing of the user's is written over.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::fixture::{audit, classed, demo, refused, run, spoilt};

fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn options_of_a_model_are_refused_with_predictions() {
    let (folder, data) = classed();
    let predictions = folder.path().join("p.csv");
    fs::write(&predictions, "image,class\nimages/A_000.png,round\n").unwrap();
    let base = [
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
    ];
    let mut all = base.to_vec();
    all.extend([
        "--decode",
        "argmax",
        "--engine",
        "auto",
        "--channels",
        "a=b",
        "--threshold",
        "foreground=0.5",
        "--classes",
        "a,b",
        "--na",
        "0.5",
    ]);
    let text = refused(&all);
    for option in [
        "--decode",
        "--engine",
        "--channels",
        "--threshold",
        "--classes",
        "--na",
    ] {
        assert!(text.contains(option), "{option}: {text}");
    }
    let mut mask = base.to_vec();
    mask.extend(["--mask-values", "nonzero"]);
    let text = refused(&mask);
    assert!(text.contains("--mask-values is for semantic"), "{text}");
}

#[test]
fn options_that_would_do_nothing_or_mean_nothing_are_refused() {
    for (further, told) in [
        (
            &["--shard", "0/2", "--json"][..],
            "give them to `transect gather`",
        ),
        (
            &["--shard", "0/2", "--fail-on", "fail"],
            "give them to `transect gather`",
        ),
        (&["--jobs", "0"], "leave --jobs out"),
        (&["--budget", "5"], "write `90s`, `5m` or `2h`"),
        (&["--onnxruntime", "lib"], "--engine onnxruntime"),
        (&["--mask-values", "nonzero"], "--mask-values is for"),
    ] {
        let all = audit(Path::new("never"), further);
        let text = refused(&words(&all));
        assert!(text.contains(told), "{further:?}: {text}");
    }
    assert!(!Path::new("never").exists());
}

#[test]
fn a_folder_with_other_files_is_not_written_to() {
    let folder = spoilt();
    let path = folder.path().join("data");
    let before = fs::read(path.join("images/A_000.png")).unwrap();
    let text = refused(&words(&audit(&path, &[])));
    assert!(
        text.contains("T622") && text.contains("manifest.csv"),
        "{text}"
    );
    let file = path.join("manifest.csv");
    let text = refused(&words(&audit(&file, &[])));
    assert!(text.contains("is a file, not a folder"), "{text}");
    let text = refused(&["demo", "--out", path.to_str().unwrap()]);
    assert!(text.contains("T622"), "{text}");
    let text = refused(&[
        "predict",
        "--model",
        folder.path().join("model").to_str().unwrap(),
        "--data",
        file.to_str().unwrap(),
        "--out",
        path.to_str().unwrap(),
    ]);
    assert!(
        text.contains("T622") && text.contains("A_000.png"),
        "{text}"
    );
    assert_eq!(fs::read(path.join("images/A_000.png")).unwrap(), before);
}

#[test]
fn a_manifest_that_was_added_to_is_not_written_over() {
    let folder = spoilt();
    let data = folder.path().join("data");
    let target = data.join("manifest.csv");
    let words = [
        "manifest",
        data.to_str().unwrap(),
        "--out",
        target.to_str().unwrap(),
    ];
    let text = refused(&words);
    assert!(text.contains("already"), "{text}");
    fs::remove_file(&target).unwrap();
    assert!(run(&words).status.success());
    assert!(run(&words).status.success(), "the same manifest again");
}

#[test]
fn classes_that_are_only_spelled_otherwise_are_pointed_out() {
    let (folder, data) = classed();
    let predictions = folder.path().join("p.csv");
    let mut text = String::from("image,p_Big Cell,p_small_cell\n");
    let mut manifest = String::from("image,class_name\n");
    for index in 0..4 {
        for name in ["A", "B"] {
            let _ = writeln!(text, "images/{name}_{index:03}.png,0.75,0.25");
            let class = if name == "A" {
                "big_cell"
            } else {
                "small_cell"
            };
            let _ = writeln!(manifest, "images/{name}_{index:03}.png,{class}");
        }
    }
    fs::write(&predictions, text).unwrap();
    fs::write(&data, manifest).unwrap();
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
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("`big_cell,Big Cell`") && text.contains("--class-map"),
        "{text}"
    );
}

#[test]
fn names_are_explained() {
    for (name, told) in [
        ("shift.harm", "primary: yes"),
        ("shift.carries[noise]", "transect explain shift"),
        ("robustness.defocus.tolerance", "defocus"),
        ("performance.mcc", "--claim"),
        ("defocus", "Gaussian"),
        ("noise", "Trait noise"),
        ("shift", "Classifier two-sample test"),
        ("modes", "differ from the reference"),
        ("T602", "--claim, --group"),
    ] {
        let output = run(&["explain", name]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{name}");
        assert!(text.contains(told), "{name}: {text}");
    }
    let text = refused(&["explain", "defocsu"]);
    assert!(text.contains("did you mean `defocus`"), "{text}");
}

#[test]
fn predict_goes_on_where_it_was_killed() {
    let demo = demo();
    let folder = tempfile::tempdir().unwrap();
    let (model, data) = (demo.join("model"), demo.join("data/manifest.csv"));
    let words = |out: &Path| -> Vec<String> {
        [
            "predict",
            "--model",
            model.to_str().unwrap(),
            "--data",
            data.to_str().unwrap(),
            "--jobs",
            "1",
            "--out",
            out.to_str().unwrap(),
        ]
        .map(str::to_owned)
        .to_vec()
    };
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    assert!(run(&self::words(&words(&whole))).status.success());
    let mut child = crate::fixture::transect()
        .args(words(&broken))
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let journal = broken.join("predictions.part");
    let rows = || {
        fs::read_to_string(&journal)
            .unwrap_or_default()
            .lines()
            .count()
    };
    while rows() < 3 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // A line that was cut by the kill.
    if journal.exists() {
        let mut text = fs::read_to_string(&journal).unwrap();
        text.push_str("images/A_0");
        fs::write(&journal, text).unwrap();
        let output = run(&self::words(&words(&broken)));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{told}");
        assert!(told.contains("of 8 were finished before"), "{told}");
    }
    assert!(!journal.exists());
    for name in ["predictions.csv", "images/A_000.png", "images/B_003.png"] {
        assert_eq!(
            fs::read(whole.join(name)).unwrap(),
            fs::read(broken.join(name)).unwrap(),
            "{name}"
        );
    }
}
