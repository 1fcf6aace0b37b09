//! `transect predict`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use transect_core::{Context, Error, Item, LabelImage, Prediction, Stage, Task, TruthRef, codes};
use transect_measure::{Job, MaskRule, Progress, Source, load, write_atomically};
use transect_model::{Model, Session};

use crate::Outcome;
use crate::args::PredictArgs;
use crate::console::{self, Bars};
use crate::setup;

pub(crate) fn run(args: &PredictArgs) -> Outcome {
    let Some(path) = &args.model.model else {
        return Err(Error::new(&codes::program::BAD_OPTION, "predict needs --model").into());
    };
    console::stop_politely();
    let dataset = setup::dataset(&args.images)?;
    let model = std::sync::Arc::new(setup::model(&args.model, path, args.fed)?);
    let classes = model.classes().to_vec();
    let task = model.task();
    let job = Job {
        dataset,
        source: Source::Model(model.clone()),
        context: Context::bare(task, classes.clone()),
        requests: Vec::new(),
        mask: MaskRule::default(),
        limits: setup::limits(&args.images),
        model_sha256: Some(model.sha256()),
        model_name: model.name().to_owned(),
        engine: model.engine().to_owned(),
        fingerprint: model.fingerprint(),
        model_test: String::new(),
        notes: Vec::new(),
    };
    std::fs::create_dir_all(&args.out).map_err(|e| {
        Error::new(
            &codes::measure::TABLE_UNWRITTEN,
            format!("cannot make the folder: {e}"),
        )
        .at(&args.out)
    })?;
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
    let wide = header.len();
    let csv_error = |e: csv::Error| {
        Error::new(
            &codes::measure::TABLE_UNWRITTEN,
            format!("cannot write the predictions: {e}"),
        )
        .at(&args.out)
    };
    table.write_record(&header).map_err(csv_error)?;
    let rows = all(&job, &model, args, wide)?;
    let failed = rows.iter().filter(|row| row[1] == "failed").count();
    for row in rows {
        table.write_record(&row).map_err(csv_error)?;
    }
    let bytes = table.into_inner().map_err(|e| {
        Error::new(
            &codes::measure::TABLE_UNWRITTEN,
            format!("cannot write the predictions: {e}"),
        )
        .at(&args.out)
    })?;
    let file = args.out.join("predictions.csv");
    write_atomically(&file, &bytes)?;
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

/// Every image, on all cores; rows in the order of the manifest.
fn all(
    job: &Job,
    model: &Model,
    args: &PredictArgs,
    wide: usize,
) -> Result<Vec<Vec<String>>, Error> {
    let items = &job.dataset.items;
    let next = AtomicUsize::new(0);
    let rows: Mutex<Vec<Option<Vec<String>>>> = Mutex::new(vec![None; items.len()]);
    let failure: Mutex<Option<Error>> = Mutex::new(None);
    let bars = Bars::new();
    bars.begin(Stage::Own, items.len(), 0);
    let work = || -> Result<(), Error> {
        let mut session = model.session()?;
        while let Some((index, item)) = {
            let index = next.fetch_add(1, Ordering::SeqCst);
            items.get(index).map(|item| (index, item))
        } {
            if console::STOP.load(Ordering::SeqCst) {
                return Err(Error::new(
                    &codes::measure::INTERRUPTED,
                    "stopped before all images were predicted",
                )
                .at(&args.out));
            }
            let row = one(job, item, &mut session, args, wide)?;
            if let Ok(mut rows) = rows.lock() {
                rows[index] = Some(row);
            }
            bars.advance(1);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        for _ in 0..super::audit::cores().min(items.len()).max(1) {
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
    let name = Path::new(image).with_extension(if large { "tif" } else { "png" });
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
        std::fs::create_dir_all(parent).map_err(|e| {
            Error::new(
                &codes::measure::TABLE_UNWRITTEN,
                format!("cannot make the folder: {e}"),
            )
            .at(parent)
        })?;
    }
    write_atomically(&path, bytes)
}
