//! The same seed gives the same bytes: on any number of threads, after any kill, from any shards.

use std::fs;
use std::time::Duration;

use crate::fixture::{assert_same, audit, demo, run, transect};

fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn one_thread_and_two_write_the_same_bytes() {
    let out = tempfile::tempdir().unwrap();
    let args = audit(&out.path().join("run"), &["--jobs", "1"]);
    let output = run(&words(&args));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_same(&demo().join("report"), &out.path().join("run"));
}

#[test]
fn a_run_killed_twenty_times_writes_the_same_bytes() {
    let out = tempfile::tempdir().unwrap();
    let args = audit(&out.path().join("run"), &["--jobs", "2"]);
    for kill in 0..20_u64 {
        let mut child = transect()
            .args(&args)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Points spread over the run by a fixed irrational step; Child::kill is SIGKILL.
        std::thread::sleep(Duration::from_millis(50 + (kill * 618) % 1900));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let output = run(&words(&args));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_same(&demo().join("report"), &out.path().join("run"));
}

#[test]
fn two_shards_gathered_write_the_same_bytes() {
    let out = tempfile::tempdir().unwrap();
    let shards = [out.path().join("0"), out.path().join("1")];
    let whole = out.path().join("whole");
    for _ in 0..2 {
        for (index, shard) in shards.iter().enumerate() {
            let args = audit(shard, &["--shard", &format!("{index}/2")]);
            let output = run(&words(&args));
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let output = run(&[
            "gather",
            shards[0].to_str().unwrap(),
            shards[1].to_str().unwrap(),
            "--out",
            whole.to_str().unwrap(),
        ]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_same(&demo().join("report"), &whole);
}

#[test]
fn shards_of_two_plans_are_not_mixed() {
    let out = tempfile::tempdir().unwrap();
    let (a, b) = (out.path().join("a"), out.path().join("b"));
    for (shard, index, seed) in [(&a, "0/2", "0"), (&b, "1/2", "7")] {
        let mut args = audit(shard, &["--shard", index]);
        let place = args.iter().position(|w| w == "--seed").unwrap();
        args[place + 1] = seed.to_owned();
        assert!(run(&words(&args)).status.success());
    }
    let output = run(&[
        "gather",
        a.to_str().unwrap(),
        b.to_str().unwrap(),
        "--out",
        out.path().join("w").to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("T607"));
}

#[test]
fn masks_given_as_predictions_give_the_numbers_of_the_model() {
    let out = tempfile::tempdir().unwrap();
    let demo = demo();
    let masks = out.path().join("masks");
    let data = demo.join("data/manifest.csv");
    let output = run(&[
        "predict",
        "--model",
        demo.join("model").to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
        "--out",
        masks.to_str().unwrap(),
    ]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let given = out.path().join("given");
    let output = run(&[
        "audit",
        "--predictions",
        masks.to_str().unwrap(),
        "--task",
        "instance",
        "--data",
        data.to_str().unwrap(),
        "--truth",
        "label",
        "--where",
        "laboratory = 'B'",
        "--reference-where",
        "laboratory = 'A'",
        "--domain",
        "laboratory",
        "--out",
        given.to_str().unwrap(),
    ]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let estimates =
        |folder: &std::path::Path| -> Vec<(String, serde_json::Value, serde_json::Value)> {
            let json: serde_json::Value =
                serde_json::from_slice(&fs::read(folder.join("findings.json")).unwrap()).unwrap();
            json["findings"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|f| f["mode"] == "performance")
                .map(|f| {
                    (
                        f["id"].as_str().unwrap().to_owned(),
                        f["estimate"].clone(),
                        f["interval"].clone(),
                    )
                })
                .collect()
        };
    let (model, given) = (estimates(&demo.join("report")), estimates(&given));
    assert!(!model.is_empty());
    assert_eq!(model, given);
}
