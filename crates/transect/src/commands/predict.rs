//! `transect predict`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use transect_core::{
    Context, Digest, Error, Item, LabelImage, Prediction, Stage, Task, TruthRef, codes,
};
use transect_measure::{Job, MaskRule, Progress, Source, load, make_folder, write_atomically};
use transect_model::{Model, Session};

use crate::Outcome;
use crate::args::PredictArgs;
use crate::console::{self, Bars};
use crate::setup;

/// The table that is written when every image is predicted.
const TABLE: &str = "predictions.csv";
/// Rows of images that are predicted, until the table is written: what a stopped run goes on from.
const JOURNAL: &str = "predictions.part";

pub(crate) fn run(args: &PredictArgs) -> Outcome {
    let Some(path) = &args.model.model else {
        return Err(Error::new(&codes::program::BAD_OPTION, "predict needs --model").into());
    };
    let jobs = setup::jobs(args.jobs)?;
    console::stop_politely();
    let dataset = transect_manifest::load(&transect_manifest::Request {
        data: args.data.clone(),
        where_expr: args.where_expr.clone(),
        ..transect_manifest::Request::default()
    })?;
    let model = std::sync::Arc::new(setup::model(&args.model, path, args.fed)?);
    let classes = model.classes().to_vec();
    let task = model.task();
    let job = Job {
        dataset,
        source: Source::Model(model.clone()),
        context: Context::bare(task, classes.clone()),
        requests: Vec::new(),
        mask: MaskRule::default(),
        limits: setup::limits(args.max_file_mb),
        model_sha256: Some(model.sha256()),
        model_name: model.name().to_owned(),
        engine: model.engine().to_owned(),
        fingerprint: model.fingerprint(),
        model_test: String::new(),
        notes: Vec::new(),
    };
    harmless(&job, &args.out)?;
    make_folder(&args.out)?;
    let mut table = csv::Writer::from_writer(Vec::new());
    let mut header = vec![
        "image".to_owned(),
        "status".to_owned(),
        "error".to_owned(),
        "confidence".to_owned(),
    ];
    match task {
        Task::Classification => {
            header.push("class".to_owned());
            header.extend(classes.iter().map(|c| format!("p_{c}")));
        }
        Task::Semantic => header.extend(classes.iter().map(|c| format!("px_{c}"))),
        Task::Instance => header.push("objects".to_owned()),
    }
    let key = Digest::of_parts([
        &job.fingerprint.0[..],
        &job.dataset.sha256.0[..],
        header.join("\n").as_bytes(),
        &[u8::from(args.fed)],
    ]);
    let journal = Journal::open(&args.out.join(JOURNAL), &key.hex(), header.len())?;
    table
        .write_record(&header)
        .map_err(|e| unwritten(&args.out, &e))?;
    let rows = all(&job, &model, args, header.len(), jobs, &journal)?;
    let failed = rows.iter().filter(|row| row[1] == "failed").count();
    for row in rows {
        table
            .write_record(&row)
            .map_err(|e| unwritten(&args.out, &e))?;
    }
    let bytes = table.into_inner().map_err(|e| unwritten(&args.out, &e))?;
    let file = args.out.join(TABLE);
    write_atomically(&file, &bytes)?;
    let _ = std::fs::remove_file(args.out.join(JOURNAL));
    let mut words = format!(
        "{} images, {failed} failed: {}",
        job.dataset.items.len(),
        file.display()
    );
    if failed > 0 {
        let _ = write!(words, " (the column `error` says why)");
    }
    console::result(&words);
    Ok(0)
}

fn unwritten(path: &Path, cause: &dyn std::fmt::Display) -> Error {
    Error::new(
        &codes::measure::TABLE_UNWRITTEN,
        format!("cannot write the predictions: {cause}"),
    )
    .at(path)
    .help(
        "free some space or make the folder writable, then run the same command again: it goes on",
    )
}

/// Name of an image's mask below `--out`, where its labels fit into 16 bits.
fn mask_name(image: &str) -> PathBuf {
    Path::new(image).with_extension("png")
}

/// Whether masks would be written over files that are not predictions, or over each other.
fn harmless(job: &Job, out: &Path) -> Result<(), Error> {
    let segments = job.context.task != Task::Classification;
    let mut names = BTreeSet::new();
    for item in &job.dataset.items {
        if segments && !names.insert(mask_name(&item.image)) {
            return Err(Error::new(
                &codes::program::BAD_OPTION,
                format!(
                    "two rows would write one mask, {}",
                    mask_name(&item.image).display()
                ),
            )
            .line(item.line as usize)
            .help("choose one of them with --where: masks are named after the images, without page and extension"));
        }
    }
    let begun = [TABLE, JOURNAL].iter().any(|name| out.join(name).is_file());
    let taken = names.iter().map(|name| out.join(name)).find(|path| {
        path.exists()
            && (!begun
                || job.dataset.items.iter().any(|i| {
                    same_file(path, &job.dataset.roots[i.manifest as usize].join(&i.image))
                }))
    });
    match taken {
        None => Ok(()),
        Some(path) => Err(Error::new(
            &codes::measure::FOLDER_FOREIGN,
            "a mask would be written over a file that is not a prediction",
        )
        .at(path)
        .help("name a folder that is not there yet, away from the images")),
    }
}

fn same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// Rows of images that are predicted: one is added when all files of its image are written.
struct Journal {
    file: Mutex<File>,
    path: PathBuf,
    /// Rows of an earlier, stopped run of the same model on the same manifest.
    before: BTreeMap<String, Vec<String>>,
}

impl Journal {
    /// Opens a journal; one with another key is begun anew.
    fn open(path: &Path, key: &str, wide: usize) -> Result<Self, Error> {
        let mut before = BTreeMap::new();
        let text = std::fs::read_to_string(path).unwrap_or_default();
        // A kill leaves at most a part of the last line.
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        let rest = whole.strip_prefix(key).and_then(|t| t.strip_prefix('\n'));
        if let Some(rest) = rest {
            let reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(rest.as_bytes());
            for record in reader.into_records().map_while(Result::ok) {
                if record.len() == wide {
                    let row: Vec<String> = record.iter().map(str::to_owned).collect();
                    before.insert(row[0].clone(), row);
                }
            }
        }
        // What is kept is written again, so that a broken end is not added to.
        let mut bytes = format!("{key}\n").into_bytes();
        for row in before.values() {
            bytes.extend(line(row).map_err(|e| unwritten(path, &e))?);
        }
        write_atomically(path, &bytes)?;
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(|e| unwritten(path, &e))?;
        Ok(Self {
            file: Mutex::new(file),
            path: path.to_owned(),
            before,
        })
    }

    /// Adds a row that did not fail: those that failed are tried again.
    fn add(&self, row: &[String]) -> Result<(), Error> {
        if row[1] == "failed" {
            return Ok(());
        }
        let bytes = line(row).map_err(|e| unwritten(&self.path, &e))?;
        let Ok(mut file) = self.file.lock() else {
            return Ok(());
        };
        file.write_all(&bytes)
            .map_err(|e| unwritten(&self.path, &e))
    }
}

fn line(row: &[String]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(row)?;
    writer
        .into_inner()
        .map_err(|e| csv::Error::from(std::io::Error::other(e.to_string())))
}

/// Every image that is not in the journal; rows in the order of the manifest.
fn all(
    job: &Job,
    model: &Model,
    args: &PredictArgs,
    wide: usize,
    jobs: usize,
    journal: &Journal,
) -> Result<Vec<Vec<String>>, Error> {
    let items = &job.dataset.items;
    let next = AtomicUsize::new(0);
    let known: Vec<Option<Vec<String>>> = items
        .iter()
        .map(|item| journal.before.get(&item.image).cloned())
        .collect();
    let finished = known.iter().flatten().count();
    let open: Vec<usize> = (0..items.len()).filter(|&i| known[i].is_none()).collect();
    let rows = Mutex::new(known);
    let failure: Mutex<Option<Error>> = Mutex::new(None);
    let bars = Bars::new();
    bars.begin(Stage::Own, items.len(), finished);
    let work = || -> Result<(), Error> {
        let mut session = model.session()?;
        while let Some(&index) = open.get(next.fetch_add(1, Ordering::SeqCst)) {
            if console::STOP.load(Ordering::SeqCst) {
                return Err(Error::new(
                    &codes::measure::INTERRUPTED,
                    "stopped before all images were predicted",
                )
                .at(&args.out)
                .help("run the same command again to go on"));
            }
            let row = one(job, &items[index], &mut session, args, wide)?;
            journal.add(&row)?;
            if let Ok(mut rows) = rows.lock() {
                rows[index] = Some(row);
            }
            bars.advance(1);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(open.len()) {
            scope.spawn(|| {
                if let Err(error) = work()
                    && let Ok(mut failure) = failure.lock()
                {
                    failure.get_or_insert(error);
                }
            });
        }
    });
    bars.end();
    match failure.into_inner() {
        Ok(Some(error)) => Err(error),
        _ => Ok(rows
            .into_inner()
            .unwrap_or_default()
            .into_iter()
            .flatten()
            .collect()),
    }
}

/// One image: its row of the table; masks are written on the way.
fn one(
    job: &Job,
    item: &Item,
    session: &mut Session,
    args: &PredictArgs,
    wide: usize,
) -> Result<Vec<String>, Error> {
    // Truth is not read: predicting needs none.
    let bare = Item {
        truth: TruthRef::None,
        second_truth: TruthRef::None,
        ..item.clone()
    };
    let output = match load(job, &bare).and_then(|loaded| session.predict(&loaded.image, false)) {
        Ok(output) => output,
        Err(error) => {
            let mut row = vec![item.image.clone(), "failed".to_owned(), error.sentence()];
            row.resize(wide, String::new());
            return Ok(row);
        }
    };
    let mut row = vec![item.image.clone(), "ok".to_owned(), String::new()];
    if let Some(tensor) = &output.fed {
        write_inside(
            &args.out,
            &format!("{}.fed.npy", item.image),
            &transect_image::npy::write(tensor),
        )?;
    }
    let classes = &job.context.classes;
    match &output.prediction {
        Prediction::Classes(p) => {
            let class = p.class();
            row.push(p.probabilities[class].to_string());
            row.push(classes.get(class).cloned().unwrap_or_default());
            row.extend(p.probabilities.iter().map(f32::to_string));
        }
        Prediction::Semantic(p) => {
            row.push(p.confidence.map(|c| c.to_string()).unwrap_or_default());
            for class in 0..classes.len() {
                let count = p
                    .mask
                    .labels()
                    .iter()
                    .filter(|&&l| l as usize == class)
                    .count();
                row.push(count.to_string());
            }
            write_mask(&args.out, &item.image, &p.mask)?;
        }
        Prediction::Instances(p) => {
            let n = p.confidences.len();
            let mean = p.confidences.iter().sum::<f32>() / n.max(1) as f32;
            row.push(if n > 0 {
                mean.to_string()
            } else {
                String::new()
            });
            row.push(p.labels.labels().iter().max().unwrap_or(&0).to_string());
            write_mask(&args.out, &item.image, &p.labels)?;
        }
    }
    Ok(row)
}

fn write_mask(out: &Path, image: &str, mask: &LabelImage) -> Result<(), Error> {
    let large = mask.labels().iter().any(|&l| l > u32::from(u16::MAX));
    let mut name = mask_name(image);
    if large {
        name.set_extension("tif");
    }
    write_inside(
        out,
        &name.to_string_lossy(),
        &transect_image::encode_labels(mask),
    )
}

/// Writes a file below a folder. The manifest has proven that its names stay inside their folder.
fn write_inside(out: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let path = out.join(name);
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    write_atomically(&path, bytes)
}
