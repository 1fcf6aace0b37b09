//! `transect predict`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering;

use transect_core::{Context, Error, LabelImage, Prediction, Task, codes};
use transect_measure::{Job, MaskRule, Source, load, write_atomically};

use crate::Outcome;
use crate::args::PredictArgs;
use crate::{console, setup};

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
    let mut put = |row: Vec<String>| table.write_record(&row);
    let csv_error = |e: csv::Error| {
        Error::new(
            &codes::measure::TABLE_UNWRITTEN,
            format!("cannot write the predictions: {e}"),
        )
        .at(&args.out)
    };
    put(header).map_err(csv_error)?;
    let mut session = model.session()?;
    let mut failed = 0;
    for item in &job.dataset.items {
        if console::STOP.load(Ordering::SeqCst) {
            break;
        }
        // Truth is not read: predicting needs none.
        let bare = transect_core::Item {
            truth: transect_core::TruthRef::None,
            ..item.clone()
        };
        let made = load(&job, &bare).and_then(|loaded| session.predict(&loaded.image, false));
        let row = match made {
            Err(error) => {
                failed += 1;
                let mut row = vec![item.image.clone(), "failed".to_owned(), error.to_string()];
                row.resize(wide, String::new());
                row
            }
            Ok(output) => {
                let mut row = vec![item.image.clone(), "ok".to_owned(), String::new()];
                if let Some(tensor) = &output.fed {
                    let bytes = transect_image::npy::write(&transect_image::npy::Tensor {
                        shape: tensor.shape.clone(),
                        data: tensor.data.clone(),
                    });
                    let name = format!("{}.fed.npy", item.image);
                    write_inside(&args.out, &name, &bytes)?;
                }
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
                row
            }
        };
        put(row).map_err(csv_error)?;
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
