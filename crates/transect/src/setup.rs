//! Arguments to a checked job: every error is found before the first image is measured.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Instant;

use transect_core::context::{Optics, PlanLevel, SurfaceTolerance};
use transect_core::{Context, Digest, Error, Errors, Modality, Role, Task, TruthRef, codes};
use transect_image::Limits;
use transect_manifest::Dataset;
use transect_measure::{Job, MaskRule, Note, Predictions, Source};
use transect_model::{
    Decode, EngineChoice, Model, Normalise, Options, RdfMeaning, TestOutcome, Thresholds,
};

use crate::args::{DataArgs, DecodeArg, EngineArg, JobArgs, ModalityArg, ModelArgs, TaskArg};

/// Seconds since the program began, for the engine's timings.
pub(crate) fn clock() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(&codes::program::BAD_OPTION, message)
}

/// Limits that the arguments ask for.
pub(crate) fn limits(max_file_mb: u64) -> Limits {
    Limits {
        max_file_bytes: max_file_mb.saturating_mul(1_000_000),
        ..Limits::default()
    }
}

/// `--jobs`: threads, all cores where not said.
pub(crate) fn jobs(given: Option<usize>) -> Result<usize, Error> {
    match given {
        Some(0) => Err(bad("--jobs 0: at least one thread is needed")
            .help("leave --jobs out to use all cores")),
        Some(jobs) => Ok(jobs),
        None => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
    }
}

/// The manifest's rows.
pub(crate) fn dataset(images: &DataArgs) -> Result<Dataset, Errors> {
    transect_manifest::load(&transect_manifest::Request {
        data: images.data.clone(),
        reference: images.reference.clone(),
        where_expr: images.where_expr.clone(),
        reference_where: images.reference_where.clone(),
        truth: images.truth.clone(),
        domain: images.domain.clone(),
        group: images.group.clone(),
        stratum: images.stratum.clone(),
        pair: images.pair.clone(),
        class_map: images.class_map.clone(),
        second_truth: images.second_truth.clone(),
        ..transect_manifest::Request::default()
    })
}

/// The model, read and checked.
pub(crate) fn model(args: &ModelArgs, path: &Path, keep_fed: bool) -> Result<Model, Errors> {
    let mut errors = Errors::new();
    let mut thresholds = Thresholds::default();
    for text in &args.threshold {
        match text
            .split_once('=')
            .map(|(name, value)| (name, value.trim().parse::<f32>()))
        {
            Some(("interior", Ok(value))) => thresholds.interior = Some(value),
            Some(("foreground", Ok(value))) => thresholds.foreground = Some(value),
            Some(("probability", Ok(value))) => thresholds.probability = Some(value),
            _ => errors.push(
                bad(format!("--threshold {text} cannot be used"))
                    .help("write `interior=0.5`, `foreground=0.5` or `probability=0.5`"),
            ),
        }
    }
    let mut channels = Vec::new();
    for text in &args.channels {
        match text.split_once('=') {
            Some((model, image)) if !model.is_empty() && !image.is_empty() => {
                channels.push((model.trim().to_owned(), image.trim().to_owned()));
            }
            _ => errors.push(
                bad(format!("--channels {text} cannot be used"))
                    .help("write `model=image`, such as `intensity=luma` or `r=0`"),
            ),
        }
    }
    if args.onnxruntime.is_some() && matches!(args.engine, None | Some(EngineArg::Embedded)) {
        errors.push(
            bad("--onnxruntime names a library that the embedded engine does not use")
                .help("add `--engine onnxruntime`, or leave --onnxruntime out"),
        );
    }
    errors.or(())?;
    Model::load(&Options {
        engine: match args.engine {
            None | Some(EngineArg::Embedded) => EngineChoice::Embedded,
            Some(EngineArg::Onnxruntime) => EngineChoice::OnnxRuntime,
            Some(EngineArg::Auto) => EngineChoice::Auto,
        },
        onnxruntime: args.onnxruntime.clone(),
        task: args.task.map(Task::from),
        decode: args.decode.map(|d| match d {
            DecodeArg::Argmax => Decode::Argmax,
            DecodeArg::Foreground => Decode::Foreground,
            DecodeArg::InteriorBoundary => Decode::InteriorBoundary,
            DecodeArg::Labels => Decode::Labels,
        }),
        thresholds,
        classes: args.classes.clone(),
        channels,
        normalise: args.normalise.as_deref().map(|n| {
            if n == "tile" {
                Normalise::Tile
            } else {
                Normalise::Whole
            }
        }),
        rdf_meaning: match args.rdf_meaning.as_deref() {
            Some("core-compatible") => RdfMeaning::CoreCompatible,
            _ => RdfMeaning::Specification,
        },
        tile: args.tile,
        halo: args.halo,
        embeddings: args.embedding.clone(),
        keep_fed,
        clock,
        ..Options::new(path)
    })
}

/// `--mask-values`, where classes may be named.
fn mask_rule(text: Option<&str>, classes: &[String]) -> Result<MaskRule, Error> {
    let mut rule = MaskRule::default();
    let Some(text) = text else { return Ok(rule) };
    if text.trim() == "nonzero" {
        rule.nonzero = true;
        return Ok(rule);
    }
    for pair in text.split(',') {
        let parsed = pair
            .split_once('=')
            .and_then(|(v, c)| Some((v.trim().parse::<u32>().ok()?, c.trim())));
        let Some((value, class)) = parsed else {
            return Err(bad(format!("--mask-values: `{pair}` is not VALUE=CLASS"))
                .help("write `nonzero`, or pairs such as `0=background,255=nucleus,128=ignore`"));
        };
        if class == "ignore" {
            rule.ignore = Some(value);
            continue;
        }
        let index = transect_score::class_index(class, classes)
            .or_else(|| {
                class
                    .parse::<u32>()
                    .ok()
                    .filter(|&i| (i as usize) < classes.len())
            })
            .ok_or_else(|| {
                bad(format!("--mask-values: the model has no class `{class}`"))
                    .note(format!("classes: {}", classes.join(", ")))
            })?;
        rule.values.insert(value, index);
    }
    Ok(rule)
}

/// `--surface-tolerance`: `2px`, `1um`, `1µm`.
fn surface_tolerance(text: Option<&str>, task: Task) -> Result<SurfaceTolerance, Error> {
    let Some(text) = text else {
        return Ok(SurfaceTolerance::default());
    };
    if task == Task::Classification {
        return Err(bad(format!(
            "--surface-tolerance {text}: a classifier draws no outlines"
        ))
        .help("leave it out"));
    }
    let length = |unit: &str| -> Option<f64> {
        let value: f64 = text.trim().strip_suffix(unit)?.trim().parse().ok()?;
        (value.is_finite() && value >= 0.0).then_some(value)
    };
    let px = length("px").map(SurfaceTolerance::Px);
    let um = || ["um", "µm", "μm"].iter().find_map(|unit| length(unit));
    px.or_else(|| um().map(SurfaceTolerance::Um))
        .ok_or_else(|| {
            bad(format!("--surface-tolerance {text} is no length"))
                .help("give pixels or micrometres, such as 2px or 1um")
        })
}

/// `--claim`, by metric.
fn claims(texts: &[String], task: Task) -> Result<BTreeMap<String, f64>, Errors> {
    let mut errors = Errors::new();
    let mut claims = BTreeMap::new();
    let known: Vec<&str> = transect_score::metric::metrics(task)
        .iter()
        .map(|m| m.name)
        .collect();
    for text in texts {
        match text
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim().parse::<f64>()))
        {
            Some((name, Ok(value))) if known.contains(&name) => {
                let (low, high) =
                    transect_score::metric::metric(task, name).map_or((0.0, 1.0), |m| m.range);
                if (low..=high).contains(&value) {
                    claims.insert(name.to_owned(), value);
                } else {
                    errors.push(
                        bad(format!(
                            "--claim {text}: `{name}` lies between {low} and {high}"
                        ))
                        .help("a claim of 96% is written 0.96"),
                    );
                }
            }
            Some((name, Ok(_))) => errors.push(
                bad(format!(
                    "--claim {text}: there is no metric `{name}` for this task"
                ))
                .note(format!("metrics: {}", known.join(", "))),
            ),
            _ => errors
                .push(bad(format!("--claim {text} cannot be used")).help("write `accuracy=0.97`")),
        }
    }
    errors.or(claims)
}

fn modality(arg: Option<ModalityArg>) -> Modality {
    match arg {
        None => Modality::Unknown,
        Some(ModalityArg::Fluorescence) => Modality::Fluorescence,
        Some(ModalityArg::Brightfield) => Modality::Brightfield,
        Some(ModalityArg::Phase) => Modality::Phase,
        Some(ModalityArg::Spectral) => Modality::Spectral,
        Some(ModalityArg::Photo) => Modality::Photo,
    }
}

/// What a time budget was resolved into: kept with the run, so that going on resolves nothing anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Cut {
    /// The level of the plan.
    pub(crate) level: PlanLevel,
    /// At most this many rows of each role.
    pub(crate) rows: Option<usize>,
}

/// Reads manifest and model once; jobs of any plan can be made of them.
pub(crate) struct Inputs {
    args: JobArgs,
    dataset: Dataset,
    source: Source,
    task: Task,
    classes: Vec<String>,
    model_test: String,
    warnings: Vec<String>,
}

impl Inputs {
    /// Reads and checks everything that the arguments name. All errors of manifest and model together.
    pub(crate) fn read(args: &JobArgs) -> Result<Self, Errors> {
        let mut errors = Errors::new();
        if !args.images_alone && args.model.model.is_some() == args.predictions.is_some() {
            errors.push(bad("give either --model or --predictions").help(
                "--model runs an ONNX model; --predictions reads what a model said elsewhere",
            ));
        }
        let dataset = dataset(&args.images).map_err(|e| errors.0.extend(e.0)).ok();
        let loaded = match &args.model.model {
            Some(path) => model(&args.model, path, false)
                .map_err(|e| errors.0.extend(e.0))
                .ok()
                .map(Arc::new),
            None => None,
        };
        if !args.images_alone && args.model.model.is_none() && args.model.task.is_none() {
            errors.push(
                bad("--predictions needs --task")
                    .help("add `--task classification`, `semantic` or `instance`"),
            );
        }
        if args.predictions.is_some() {
            let idle = of_a_model(args);
            if !idle.is_empty() {
                errors.push(
                    bad(format!(
                        "--predictions runs no model, so {} would do nothing",
                        idle.join(", ")
                    ))
                    .help("leave it out, or give --model in place of --predictions"),
                );
            }
        }
        let (Some(dataset), true) = (dataset, errors.0.is_empty()) else {
            return Err(errors);
        };
        let mut warnings = Vec::new();
        let (source, task, classes, model_test) = match (loaded, &args.predictions) {
            (Some(model), _) => {
                let test = model.test()?;
                let words = tested(&test);
                if matches!(test, TestOutcome::Run { passed: false, .. })
                    && !args.model.skip_model_test
                {
                    return Err(Error::new(&codes::measure::MODEL_TEST_FAILED, words)
                        .at(args.model.model.clone().unwrap_or_default())
                        .help("try --engine onnxruntime, check the download, or pass --skip-model-test and say why")
                        .into());
                }
                (
                    Source::Model(model.clone()),
                    model.task(),
                    model.classes().to_vec(),
                    words,
                )
            }
            (None, Some(path)) => {
                let task = args.model.task.map_or(Task::Classification, Task::from);
                let mut truth: Vec<String> = dataset
                    .items
                    .iter()
                    .filter_map(|i| {
                        if let TruthRef::Class(c) = &i.truth {
                            Some(c.clone())
                        } else {
                            None
                        }
                    })
                    .collect();
                truth.sort();
                truth.dedup();
                let given = Predictions::read(path, task, &truth, &args.model.classes)?;
                let covered = dataset.items.iter().filter(|i| given.covers(i)).count();
                if covered == 0 {
                    return Err(Error::new(
                        &codes::measure::PREDICTIONS,
                        "no prediction is of an image of the manifest",
                    )
                    .at(path)
                    .note(format!(
                        "the manifest names, for example, {}",
                        dataset.items[0].image
                    ))
                    .help("predictions go by the image's name as the manifest has it")
                    .into());
                }
                if covered < dataset.items.len() {
                    warnings.push(format!(
                        "{} of {} images have no prediction and are skipped",
                        dataset.items.len() - covered,
                        dataset.items.len()
                    ));
                }
                let classes = given.classes().to_vec();
                let strange: Vec<&str> = classes
                    .iter()
                    .filter(|c| !truth.contains(c))
                    .map(String::as_str)
                    .collect();
                if task == Task::Classification && !truth.is_empty() && !strange.is_empty() {
                    warnings.push(format!(
                        "predicted classes that the truth never names: {}; if they are other names, give --class-map",
                        strange.join(", ")
                    ));
                }
                (
                    Source::Predictions(Arc::new(given)),
                    task,
                    classes,
                    "predictions made elsewhere: no test".to_owned(),
                )
            }
            (None, None) => {
                let (task, classes) = of_truth(&dataset, args.images.mask_values.as_deref());
                (
                    Source::None,
                    task,
                    classes,
                    "no model: images and truth alone".to_owned(),
                )
            }
        };
        errors.0.extend(
            of_another_task(args, task)
                .into_iter()
                .map(|(option, tasks)| {
                    bad(format!(
                        "{option} is for {tasks} and would do nothing: the task is {}",
                        word(task)
                    ))
                    .help(format!("leave {option} out, or say another --task"))
                }),
        );
        if task == Task::Classification {
            warnings.extend(outside(&dataset, &classes));
        }
        let fits = |item: &transect_core::Item| match (&item.truth, task) {
            (TruthRef::None, _) | (TruthRef::Class(_), Task::Classification) => true,
            (TruthRef::Path(_), task) => task != Task::Classification,
            (TruthRef::Class(_), _) => false,
        };
        if let Some(item) = dataset.items.iter().find(|i| !fits(i)) {
            let (holds, needs) = match task {
                Task::Classification => ("paths of images", "a class name in each row"),
                _ => ("class names", "the path of a label image in each row"),
            };
            errors.push(
                bad(format!(
                    "the truth column holds {holds}, but the task is {}",
                    word(task)
                ))
                .line(item.line as usize)
                .at(args.images.data.clone())
                .help(format!(
                    "{} needs {needs}: give another --truth or another --task",
                    word(task)
                )),
            );
        }
        errors.or(Self {
            args: args.clone(),
            dataset,
            source,
            task,
            classes,
            model_test,
            warnings,
        })
    }

    /// The job of a plan.
    pub(crate) fn job(&self, cut: Cut) -> Result<Job, Errors> {
        let args = &self.args;
        let mut errors = Errors::new();
        let claims = claims(&args.claim, self.task).unwrap_or_else(|e| {
            errors.0.extend(e.0);
            BTreeMap::new()
        });
        let mask =
            mask_rule(args.images.mask_values.as_deref(), &self.classes).unwrap_or_else(|e| {
                errors.push(e);
                MaskRule::default()
            });
        let surface_tolerance = surface_tolerance(args.surface_tolerance.as_deref(), self.task)
            .unwrap_or_else(|e| {
                errors.push(e);
                SurfaceTolerance::default()
            });
        let optics = Optics {
            numerical_aperture: args.images.na,
            wavelength_um: args.images.wavelength_um,
            refractive_index: args.images.refractive_index,
            pixel_size_um: args
                .images
                .pixel_size_um
                .or_else(|| shared_pixel_size(&self.dataset)),
        };
        for (name, value) in [
            ("--na", optics.numerical_aperture),
            ("--wavelength-um", optics.wavelength_um),
            ("--refractive-index", optics.refractive_index),
            ("--pixel-size-um", optics.pixel_size_um),
            ("--throughput", args.throughput),
        ] {
            if value.is_some_and(|v| !v.is_finite() || v <= 0.0) {
                errors.push(bad(format!("{name} must be a number above 0")));
            }
        }
        errors.or(())?;
        let modality = modality(args.images.modality);
        let mut dataset = self.dataset.clone();
        let mut notes: Vec<Note> = dataset.notes.iter().cloned().map(Note::Fact).collect();
        notes.extend(self.warnings.iter().cloned().map(Note::Warning));
        if let Some(rows) = cut.rows {
            notes.push(Note::Warning(cap(&mut dataset, rows, args.seed)));
        }
        if cut.level != PlanLevel::from(args.plan) {
            notes.push(Note::Warning(format!(
                "the time budget {} cut the plan to `quick`",
                args.budget.as_deref().unwrap_or("")
            )));
        }
        if args.images.group.is_none() {
            notes.push(Note::Fact(
                "images assumed independent: no --group was given".to_owned(),
            ));
        }
        if modality == Modality::Unknown && !args.images_alone {
            notes.push(Note::Fact(
                "no --modality was given: only corruptions that apply to every image were run"
                    .to_owned(),
            ));
        }
        let predictions_only = matches!(self.source, Source::Predictions(_));
        let (model_sha256, model_name, engine, fingerprint) = match &self.source {
            Source::Model(model) => {
                notes.extend(model.notes().iter().cloned().map(Note::Fact));
                (
                    Some(model.sha256()),
                    model.name().to_owned(),
                    model.engine().to_owned(),
                    model.fingerprint(),
                )
            }
            Source::Predictions(given) => {
                let name = args
                    .predictions
                    .as_deref()
                    .and_then(Path::file_name)
                    .unwrap_or_default();
                notes.push(Note::Fact(format!(
                    "predictions: SHA-256 {}",
                    given.sha256()
                )));
                (
                    None,
                    name.to_string_lossy().into_owned(),
                    "none".to_owned(),
                    given.sha256(),
                )
            }
            Source::None => (
                None,
                "images alone".to_owned(),
                "none".to_owned(),
                Digest::of(b"images alone"),
            ),
        };
        let context = Context {
            task: self.task,
            modality,
            plan: cut.level,
            seed: args.seed,
            classes: self.classes.clone(),
            score_columns: transect_score::columns(self.task, &self.classes),
            claims,
            domain: args.images.domain.clone(),
            domains: {
                let named: std::collections::BTreeSet<&String> = dataset
                    .items
                    .iter()
                    .filter_map(|i| i.domain.as_ref())
                    .collect();
                named.into_iter().cloned().collect()
            },
            group: args.images.group.clone(),
            stratum: args.images.stratum.clone(),
            has_reference: dataset.items.iter().any(|i| i.role == Role::Reference),
            has_truth: dataset
                .items
                .iter()
                .any(|i| i.role == Role::Target && i.truth != TruthRef::None),
            optics,
            ladders: if predictions_only || args.images_alone {
                Vec::new()
            } else {
                transect_optics::ladders(&modality, &optics, cut.level)
            },
            throughput_per_day: args.throughput,
            surface_tolerance,
            predictions_only,
            images_alone: args.images_alone,
            ..Context::bare(self.task, Vec::new())
        };
        let mut job = Job {
            dataset,
            source: self.source.clone(),
            context,
            requests: Vec::new(),
            mask,
            limits: limits(args.images.max_file_mb),
            model_sha256,
            model_name,
            engine,
            fingerprint,
            model_test: self.model_test.clone(),
            notes,
        };
        transect_measure::find_abilities(&mut job);
        job.requests = transect_anatomy::plan(&job.context);
        // Where the reference runner reads the description otherwise, how far that goes on these images.
        job.notes
            .extend(transect_measure::runner_note(&job).map(Note::Fact));
        Ok(job)
    }

    /// The largest number of rows of a role.
    pub(crate) fn rows(&self) -> usize {
        let targets = self
            .dataset
            .items
            .iter()
            .filter(|i| i.role == Role::Target)
            .count();
        targets.max(self.dataset.items.len() - targets)
    }
}

/// What images alone are looked at as: classes where the truth names some; areas of classes where `--mask-values` says what the
/// values of masks mean; else objects. With the names of the classes: those of the truth in the order of the alphabet, or of
/// the masks in the order given.
fn of_truth(dataset: &Dataset, mask_values: Option<&str>) -> (Task, Vec<String>) {
    let named: std::collections::BTreeSet<&String> = dataset
        .items
        .iter()
        .filter_map(|i| match &i.truth {
            TruthRef::Class(name) => Some(name),
            _ => None,
        })
        .collect();
    let outlined = dataset
        .items
        .iter()
        .any(|i| matches!(i.truth, TruthRef::Path(_)));
    match mask_values {
        _ if !named.is_empty() || !outlined => {
            (Task::Classification, named.into_iter().cloned().collect())
        }
        None => (Task::Instance, Vec::new()),
        Some("nonzero") => (
            Task::Semantic,
            vec!["background".to_owned(), "foreground".to_owned()],
        ),
        Some(text) => {
            let mut classes: Vec<String> = Vec::new();
            for (_, name) in text.split(',').filter_map(|pair| pair.split_once('=')) {
                let name = name.trim().to_owned();
                if name != "ignore" && !classes.contains(&name) {
                    classes.push(name);
                }
            }
            (Task::Semantic, classes)
        }
    }
}

/// Options that were given and that only a model that is run can follow.
fn of_a_model(args: &JobArgs) -> Vec<&'static str> {
    let (model, images) = (&args.model, &args.images);
    let classified = args.model.task.is_none_or(|t| t == TaskArg::Classification);
    [
        ("--decode", model.decode.is_some()),
        ("--threshold", !model.threshold.is_empty()),
        ("--classes", classified && !model.classes.is_empty()),
        ("--channels", !model.channels.is_empty()),
        ("--normalise", model.normalise.is_some()),
        ("--rdf-meaning", model.rdf_meaning.is_some()),
        ("--tile", model.tile.is_some()),
        ("--halo", model.halo.is_some()),
        ("--embedding", !model.embedding.is_empty()),
        ("--engine", model.engine.is_some()),
        ("--onnxruntime", model.onnxruntime.is_some()),
        ("--skip-model-test", model.skip_model_test),
        ("--throughput", args.throughput.is_some()),
        ("--na", images.na.is_some()),
        ("--wavelength-um", images.wavelength_um.is_some()),
        ("--refractive-index", images.refractive_index.is_some()),
    ]
    .into_iter()
    .filter_map(|(option, given)| given.then_some(option))
    .collect()
}

/// Options that were given and that the task has no use for, with the tasks that have.
fn of_another_task(args: &JobArgs, task: Task) -> Vec<(&'static str, &'static str)> {
    let segments = task != Task::Classification;
    [
        (
            "--decode",
            "segmentation",
            args.model.decode.is_some() && !segments,
        ),
        (
            "--threshold",
            "segmentation",
            !args.model.threshold.is_empty() && !segments,
        ),
        (
            "--mask-values",
            "semantic segmentation",
            args.images.mask_values.is_some() && task != Task::Semantic,
        ),
    ]
    .into_iter()
    .filter_map(|(option, tasks, given)| given.then_some((option, tasks)))
    .collect()
}

/// A class's name without case, spaces, hyphens and underscores.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && !['_', '-'].contains(c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Truth of classes that the model does not have, in words: those that it has under another spelling first.
fn outside(dataset: &Dataset, classes: &[String]) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for item in &dataset.items {
        if let TruthRef::Class(name) = &item.truth
            && transect_score::class_index(name, classes).is_none()
        {
            *counts.entry(name).or_default() += 1;
        }
    }
    let (mut spelled, mut others) = (Vec::new(), Vec::new());
    for (name, n) in counts {
        match classes.iter().find(|c| plain(c) == plain(name)) {
            Some(class) => spelled.push(format!("`{name},{class}` ({n} images)")),
            None => others.push(format!("`{name}` ({n})")),
        }
    }
    let mut warnings = Vec::new();
    if !spelled.is_empty() {
        warnings.push(format!(
            "classes that the model has under another spelling are not scored; give --class-map with the lines `from,to`, {}, `*,*`",
            spelled.join(", ")
        ));
    }
    if !others.is_empty() {
        warnings.push(format!(
            "images of classes that the model does not have are counted and not scored: {}",
            others.join(", ")
        ));
    }
    warnings
}

/// What came of the model's own test, in words.
fn tested(outcome: &TestOutcome) -> String {
    match outcome {
        TestOutcome::Absent => "the specification brings no test tensors: whether this is the author's model is not known".to_owned(),
        TestOutcome::Run { passed: true, largest, values, .. } => {
            format!("reproduced: largest difference {largest:.1e} over {values} values")
        }
        TestOutcome::Run { passed: false, largest, mismatches, values } => {
            format!("NOT reproduced: {mismatches} of {values} values differ, by up to {largest:.1e}")
        }
    }
}

/// A word for a task, as `--task` takes it.
fn word(task: Task) -> &'static str {
    match task {
        Task::Classification => "classification",
        Task::Semantic => "semantic",
        Task::Instance => "instance",
    }
}

/// The pixel size that the manifest says of every row, where it is one and the pixels are square.
fn shared_pixel_size(dataset: &Dataset) -> Option<f64> {
    let first = dataset.items.first()?.pixel_size?;
    let all = dataset.items.iter().all(|i| i.pixel_size == Some(first));
    (all && first.row_um == first.column_um).then_some(first.row_um)
}

/// Keeps at most this many rows of each role, chosen by hash, in their order. Says so.
fn cap(dataset: &mut Dataset, rows: usize, seed: u64) -> String {
    let before = dataset.items.len();
    let mut kept = Vec::with_capacity(before);
    for role in [Role::Reference, Role::Target] {
        let mut of: Vec<_> = dataset
            .items
            .iter()
            .filter(|i| i.role == role)
            .cloned()
            .collect();
        of.sort_by_key(|i| {
            Digest::of_parts([
                &seed.to_le_bytes()[..],
                i.image.as_bytes(),
                &i.line.to_le_bytes(),
            ])
        });
        of.truncate(rows);
        kept.append(&mut of);
    }
    kept.sort_by_key(|i| i.row);
    for (row, item) in kept.iter_mut().enumerate() {
        item.row = row as u32;
    }
    dataset.sha256 = Digest::of_parts([
        &dataset.sha256.0[..],
        &(rows as u64).to_le_bytes(),
        &seed.to_le_bytes(),
    ]);
    dataset.items = kept;
    format!(
        "the time budget cut {before} images to {}, chosen at random by hash",
        dataset.items.len()
    )
}

/// `--budget`, in seconds.
pub(crate) fn seconds(text: &str) -> Result<f64, Error> {
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => f64::NAN,
    };
    match number.trim().parse::<f64>() {
        Ok(value) if value > 0.0 && (value * factor).is_finite() => Ok(value * factor),
        _ => Err(bad(format!("--budget {text} is not a time")).help("write `90s`, `5m` or `2h`")),
    }
}

/// `--shard`, such as `0/4`.
pub(crate) fn shard(text: &str) -> Result<transect_measure::Shard, Error> {
    text.split_once('/')
        .and_then(|(i, n)| Some((i.parse::<usize>().ok()?, n.parse::<usize>().ok()?)))
        .filter(|(i, n)| i < n)
        .map(|(index, of)| transect_measure::Shard { index, of })
        .ok_or_else(|| {
            bad(format!("--shard {text} is not I/N"))
                .help("write `0/4`, `1/4`, `2/4`, `3/4`: from 0")
        })
}

/// Makes every path absolute, so that the run can be gathered from another folder.
pub(crate) fn absolute(args: &JobArgs) -> JobArgs {
    let mut args = args.clone();
    let fix = |path: &mut PathBuf| {
        if let Ok(full) = std::path::absolute(&*path) {
            *path = full;
        }
    };
    fix(&mut args.images.data);
    for path in [
        &mut args.images.reference,
        &mut args.images.class_map,
        &mut args.model.model,
        &mut args.model.onnxruntime,
        &mut args.predictions,
    ]
    .into_iter()
    .flatten()
    {
        fix(path);
    }
    args
}
