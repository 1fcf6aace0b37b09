//! A small classifier with normalisation layers on a few images, and runs of any plan on them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tempfile::TempDir;
use transect_core::{Context, Digest, Fits, Request, Stage, Stream, Task};
use transect_measure::{
    Folder, Gathered, Job, MaskRule, Plan, Progress, Shard, Source, find_abilities, gather,
    run_stage,
};
use transect_model::{EngineChoice, Model, Options};

const SIDE: usize = 12;

const TOML: &str = r#"
name = "planted"
task = "classification"
classes = ["a", "b", "c"]
values = "raw"
[input]
axes = "bcyx"
channels = ["red", "green", "blue"]
size = { y = 12, x = 12 }
[output]
axes = "bc"
activation = "softmax"
"#;

struct Quiet;

impl Progress for Quiet {
    fn begin(&self, _: Stage, _: usize, _: usize) {}
    fn advance(&self, _: usize) {}
    fn end(&self) {}
}

/// A job on ten images of each role, with abilities found and these requests.
pub(crate) fn job(requests: Vec<Request>) -> (TempDir, Job) {
    let folder = TempDir::new().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/normalisation/net.onnx");
    std::fs::copy(golden, folder.path().join("net.onnx")).unwrap();
    std::fs::write(folder.path().join("net.toml"), TOML).unwrap();
    let mut manifest = String::from("image,class,role\n");
    for index in 0..20_u64 {
        let mut stream = Stream::new(index, "fixture", &[]);
        let shade: Vec<f64> = (0..3).map(|_| 40.0 + 150.0 * stream.uniform()).collect();
        let rgb: Vec<u8> = (0..SIDE * SIDE * 3)
            .map(|i| (shade[i % 3] + 25.0 * stream.normal()).clamp(0.0, 255.0) as u8)
            .collect();
        let name = format!("{index}.png");
        let png = transect_image::encode_png_rgb(SIDE, SIDE, &rgb);
        std::fs::write(folder.path().join(&name), png).unwrap();
        let role = if index < 10 { "reference" } else { "target" };
        let class = ["a", "b", "c"][index as usize % 3];
        writeln!(manifest, "{name},{class},{role}").unwrap();
    }
    let data = folder.path().join("manifest.csv");
    std::fs::write(&data, manifest).unwrap();
    let dataset = transect_manifest::load(&transect_manifest::Request {
        data,
        truth: Some("class".to_owned()),
        ..transect_manifest::Request::default()
    })
    .unwrap();
    let model = Model::load(&Options {
        engine: EngineChoice::Embedded,
        ..Options::new(folder.path().join("net.onnx"))
    })
    .unwrap();
    let classes: Vec<String> = model.classes().to_vec();
    let mut job = Job {
        dataset,
        context: Context {
            score_columns: transect_score::columns(Task::Classification, &classes),
            has_reference: true,
            has_truth: true,
            seed: 3,
            ..Context::bare(Task::Classification, classes)
        },
        requests,
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

/// Runs a job in shards, each on some threads, and gathers it into a folder.
pub(crate) fn run(job: &Job, shards: usize, jobs: usize) -> (TempDir, Fits) {
    let plan = Plan::new(job, 1);
    let out = TempDir::new().unwrap();
    let whole = out.path().join("whole");
    std::fs::create_dir(&whole).unwrap();
    let stop = AtomicBool::new(false);
    let folders: Vec<Folder> = (0..shards)
        .map(|i| Folder::open(&out.path().join(format!("shard{i}")), &plan).unwrap())
        .collect();
    let paths: Vec<PathBuf> = folders.iter().map(|f| f.path().to_path_buf()).collect();
    let stage = |stage: Stage, fits: &Fits| {
        for (index, folder) in folders.iter().enumerate() {
            let shard = Shard { index, of: shards };
            run_stage(job, &plan, folder, stage, fits, shard, jobs, &Quiet, &stop).unwrap();
        }
    };
    stage(Stage::Items, &Fits::default());
    stage(Stage::Own, &Fits::default());
    let Gathered::NeedsPartner(fits) = gather(job, &paths, &whole, &plan).unwrap() else {
        panic!("stage 2 is there before it was measured")
    };
    // What a shard reads is what the whole uses.
    let read = folders[0].fits().unwrap().unwrap();
    assert_eq!(read, fits);
    stage(Stage::Partner, &read);
    assert!(matches!(
        gather(job, &paths, &whole, &plan).unwrap(),
        Gathered::Whole
    ));
    (out, fits)
}

/// Hashes of every table in a folder, by name.
pub(crate) fn hashes(folder: &Path) -> Vec<(String, Digest)> {
    let mut found = Vec::new();
    let mut queue = vec![folder.to_path_buf()];
    while let Some(next) = queue.pop() {
        for entry in std::fs::read_dir(&next).unwrap().flatten() {
            let path = entry.path();
            let name = path
                .strip_prefix(folder)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                queue.push(path);
            } else if name != "timings.parquet" {
                found.push((name, Digest::of(&std::fs::read(&path).unwrap())));
            }
        }
    }
    found.sort();
    found
}
