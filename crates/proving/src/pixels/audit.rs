//! One audit from pixels: the program's own way from a manifest and a model to findings, in process.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use transect_anatomy::Judged;
use transect_core::context::{Optics, PlanLevel};
use transect_core::{Context, Fits, Role, Stage, Task, TruthRef};
use transect_manifest::Request;
use transect_measure::{
    Folder, Gathered, Job, MaskRule, Plan, Progress, Shard, Source, find_abilities, gather,
    run_stage,
};
use transect_model::{EngineChoice, Model, Options};
use transect_table::FolderTables;

/// What an audit is told beside the data and the model.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// `--domain`.
    pub domain: Option<String>,
    /// `--claim`.
    pub claims: BTreeMap<String, f64>,
    /// `--seed`.
    pub seed: u64,
    /// Threads.
    pub jobs: usize,
}

struct Quiet;

impl Progress for Quiet {
    fn begin(&self, _: Stage, _: usize, _: usize) {}
    fn advance(&self, _: usize) {}
    fn end(&self) {}
}

fn job(data: &Path, model: &Path, told: &Told) -> io::Result<Job> {
    let model = Model::load(&Options {
        engine: EngineChoice::Embedded,
        ..Options::new(model)
    })
    .map_err(io::Error::other)?;
    let task = model.task();
    let truth = if task == Task::Classification {
        "class"
    } else {
        "mask"
    };
    let dataset = transect_manifest::load(&Request {
        data: data.join("manifest.csv"),
        truth: Some(truth.to_owned()),
        domain: told.domain.clone(),
        ..Request::default()
    })
    .map_err(io::Error::other)?;
    let classes = model.classes().to_vec();
    let named: std::collections::BTreeSet<&String> = dataset
        .items
        .iter()
        .filter_map(|i| i.domain.as_ref())
        .collect();
    let domains = named.into_iter().cloned().collect();
    let optics = Optics::default();
    let context = Context {
        plan: PlanLevel::Standard,
        seed: told.seed,
        score_columns: transect_score::columns(task, &classes),
        claims: told.claims.clone(),
        domain: told.domain.clone(),
        domains,
        has_reference: dataset.items.iter().any(|i| i.role == Role::Reference),
        has_truth: dataset.items.iter().any(|i| i.truth != TruthRef::None),
        optics,
        ladders: transect_optics::ladders(
            &transect_core::Modality::Unknown,
            &optics,
            PlanLevel::Standard,
        ),
        ..Context::bare(task, classes)
    };
    let mut job = Job {
        dataset,
        context,
        requests: Vec::new(),
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
    job.requests = transect_anatomy::plan(&job.context);
    Ok(job)
}

/// Measures and judges all modes of the standard plan. `data` holds `manifest.csv`, `model` a model, `out` gets the tables.
///
/// # Errors
/// When a file cannot be read or written, the model cannot be run, or the tables cannot be judged.
pub fn audit(data: &Path, model: &Path, out: &Path, told: &Told) -> io::Result<Judged> {
    let job = job(data, model, told)?;
    let plan = Plan::new(&job, 1);
    let folder = Folder::open(out, &plan).map_err(io::Error::other)?;
    let stop = AtomicBool::new(false);
    let stage = |stage: Stage, fits: &Fits| {
        run_stage(
            &job,
            &plan,
            &folder,
            stage,
            fits,
            Shard::WHOLE,
            told.jobs.max(1),
            &Quiet,
            &stop,
        )
        .map_err(io::Error::other)
    };
    let together = || gather(&job, &[out.to_path_buf()], out, &plan).map_err(io::Error::other);
    stage(Stage::Items, &Fits::default())?;
    stage(Stage::Own, &Fits::default())?;
    if let Gathered::NeedsPartner(fits) = together()? {
        stage(Stage::Partner, &fits)?;
        together()?;
    }
    let tables = FolderTables::open(out).map_err(io::Error::other)?;
    transect_anatomy::judge(&tables).map_err(io::Error::other)
}
