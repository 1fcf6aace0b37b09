//! The seam: `(row, model, view, fits) → measurement`.

use std::borrow::Cow;
use std::time::Instant;

use transect_core::{
    AUDITED, Context, Error, Fits, Item, Kind, Measurement, ModelId, Prediction, Status, TruthRef,
    View, ViewKind, codes,
};
use transect_optics::MakeContext;
use transect_score::{Rules, Truth};
use transect_table::{ElementRow, EmbeddingRow, MaskRow, Timing, TraceRow};

use crate::describe::Known;
use crate::elements::elements;
use crate::load::Loaded;
use crate::pixels;
use crate::predictor::{Predictor, Shown};
use crate::search::search;

/// Class probabilities are kept to this many classes.
const OUTPUTS: usize = 64;

/// What is the same for every measurement of a stage.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// What is known of the run.
    pub context: &'a Context,
    /// What was fitted between the stages.
    pub fits: &'a Fits,
    /// The model's id.
    pub model_id: &'a str,
    /// Whether single pixels of the row are looked at.
    pub pixels: bool,
}

/// A measurement and what comes with it.
#[derive(Debug)]
pub struct Measured {
    /// The row of `measurements.parquet`.
    pub measurement: Measurement,
    /// Embeddings, by layer; for the identity and for swaps. For the identity also what the decoder makes of single pixels, where
    /// they are looked at.
    pub embeddings: Vec<(String, EmbeddingRow)>,
    /// The predicted mask; for the identity only.
    pub mask: Option<MaskRow>,
    /// Objects or sampled pixels; for the identity and for surrogates.
    pub elements: Vec<ElementRow>,
    /// Steps of a search.
    pub traces: Vec<TraceRow>,
    /// How long it took; outside the contract.
    pub timing: Timing,
}

/// Measures one view of one row under one model. A pure function of its arguments (but for the timing): the pool calls it,
/// for a whole run as for a shard, and nothing else measures. `known` spares estimating again what stage 0 found on the image; the
/// result is the same without it. An error becomes a row with its code.
pub fn measure_one(
    item: &Item,
    loaded: &Loaded,
    known: Option<&Known>,
    view: &View,
    predictor: &mut Predictor,
    frame: &Frame<'_>,
) -> Measured {
    let start = Instant::now();
    let mut out = Measured {
        measurement: empty(item, loaded.sha256, view, frame),
        embeddings: Vec::new(),
        mask: None,
        elements: Vec::new(),
        traces: Vec::new(),
        timing: Timing {
            row: item.row,
            model_id: frame.model_id.to_owned(),
            view_id: view.id(),
            view_s: 0.0,
            inference_s: 0.0,
            total_s: 0.0,
        },
    };
    if let Err(error) = fill(item, loaded, known, view, predictor, frame, &mut out) {
        refuse(&mut out.measurement, &error);
    }
    out.timing.total_s = start.elapsed().as_secs_f64();
    out
}

/// A measurement with nothing in it yet.
pub(crate) fn empty(
    item: &Item,
    sha256: transect_core::Digest,
    view: &View,
    frame: &Frame<'_>,
) -> Measurement {
    Measurement {
        row: item.row,
        image_sha256: sha256,
        model_id: ModelId::from(frame.model_id),
        view: view.clone(),
        donor_row: None,
        status: Status::Ok,
        error_code: None,
        error: None,
        pred_class: None,
        pred_count: None,
        confidence: None,
        outputs: Vec::new(),
        scores: vec![None; frame.context.score_columns.len()],
    }
}

/// Turns a measurement into the row of an error.
pub(crate) fn refuse(measurement: &mut Measurement, error: &Error) {
    // A view that cannot be made of this image, or a prediction that was not given, is no failure of the model.
    let skipped = error.code == &codes::measure::PREDICTIONS
        || error.code == &codes::measure::VIEW_OF_MODEL
        || error.code == &codes::measure::NOTHING_TO_LOSE
        || (codes::optics::ALL.contains(&error.code)
            && matches!(error.kind(), Kind::Unsupported | Kind::Limits));
    measurement.status = if skipped {
        Status::Skipped
    } else {
        Status::Failed
    };
    measurement.error_code = Some(error.code.id.to_owned());
    measurement.error = Some(error.sentence());
    measurement.pred_class = None;
    measurement.pred_count = None;
    measurement.confidence = None;
    measurement.outputs.clear();
    measurement.scores.fill(None);
}

fn fill(
    item: &Item,
    loaded: &Loaded,
    known: Option<&Known>,
    view: &View,
    predictor: &mut Predictor,
    frame: &Frame<'_>,
    out: &mut Measured,
) -> Result<(), Error> {
    let context = frame.context;
    if view.kind == ViewKind::Search {
        return search(item, loaded, view, predictor, frame, out);
    }
    let made;
    let (image, truth) = match view.kind {
        ViewKind::Identity | ViewKind::Subspace => {
            (&loaded.image, loaded.truth.as_ref().map(Cow::Borrowed))
        }
        _ => {
            let making = Instant::now();
            made = transect_optics::make_view(
                &loaded.image,
                loaded.outlines(),
                view,
                &MakeContext {
                    modality: context.modality,
                    optics: context.optics,
                    seed: context.seed,
                    image_sha256: loaded.sha256,
                    fits: frame.fits,
                    profile: known.map(|k| &k.profile),
                    cameras: known.map(|k| &k.cameras),
                },
            )?;
            out.timing.view_s = making.elapsed().as_secs_f64();
            out.measurement.donor_row = made.donor_row;
            let truth = match (&loaded.truth, made.truth) {
                (Some(Truth::Labels(_)), Some(moved)) => Some(Cow::Owned(Truth::Labels(moved))),
                (Some(Truth::Mask { ignore, .. }), Some(moved)) => Some(Cow::Owned(Truth::Mask {
                    mask: moved,
                    ignore: *ignore,
                })),
                // What shows no object has no class that could be right.
                (Some(Truth::Class(_)), _) if view.kind == ViewKind::Surrogate => None,
                (truth, _) => truth.as_ref().map(Cow::Borrowed),
            };
            (&made.image, truth)
        }
    };
    let shown = Shown {
        item,
        view,
        image,
        second: loaded.second.as_ref(),
    };
    let predicted = if view.kind == ViewKind::Subspace {
        let (predicted, donor) = predictor.exchange(&shown, loaded.sha256, frame)?;
        out.measurement.donor_row = Some(donor);
        predicted
    } else if frame.pixels && view.kind == ViewKind::Identity {
        let drawn = pixels::draw(loaded.truth.as_ref(), context.seed, loaded.sha256);
        predictor.predict_with_pixels(&shown, &drawn)?
    } else {
        predictor.predict(&shown)?
    };
    out.timing.inference_s = predicted.inference_s;
    record(
        &mut out.measurement,
        item,
        &predicted.prediction,
        truth.as_deref(),
        predictor.has_probabilities(),
        &Rules::of(context, image.pixel_size),
        context,
    )?;
    let audited = matches!(frame.model_id, AUDITED | "predictions");
    if audited && matches!(view.kind, ViewKind::Identity | ViewKind::Surrogate) {
        out.elements = elements(
            &predicted.prediction,
            truth.as_deref(),
            &out.measurement,
            context.seed,
        )?;
    }
    if audited && view.kind == ViewKind::Identity {
        let mask = match &predicted.prediction {
            Prediction::Classes(_) => None,
            Prediction::Semantic(semantic) => Some(&semantic.mask),
            Prediction::Instances(instances) => Some(&instances.labels),
        };
        out.mask = mask.map(|mask| MaskRow {
            row: item.row,
            image_sha256: loaded.sha256,
            model_id: frame.model_id.to_owned(),
            view_id: view.id(),
            rows: mask.rows() as u32,
            columns: mask.columns() as u32,
            runs: MaskRow::runs_of(mask),
        });
    }
    out.embeddings = predicted
        .embeddings
        .into_iter()
        .map(|(layer, values)| {
            (
                layer,
                EmbeddingRow {
                    row: item.row,
                    image_sha256: loaded.sha256,
                    view_id: view.id(),
                    values,
                },
            )
        })
        .collect();
    Ok(())
}

/// Puts a prediction and its scores into a measurement.
///
/// # Errors
/// When truth and prediction do not go together.
pub(crate) fn record(
    m: &mut Measurement,
    item: &Item,
    prediction: &Prediction,
    truth: Option<&Truth>,
    probabilities: bool,
    rules: &Rules,
    context: &Context,
) -> Result<(), Error> {
    match prediction {
        Prediction::Classes(classes) => {
            let class = classes.class();
            m.pred_class = Some(class as u32);
            if probabilities {
                m.confidence = Some(f64::from(classes.probabilities[class]));
            }
            if probabilities && classes.probabilities.len() <= OUTPUTS {
                m.outputs.clone_from(&classes.probabilities);
            }
        }
        Prediction::Semantic(semantic) => m.confidence = semantic.confidence.map(f64::from),
        Prediction::Instances(instances) => {
            m.pred_count = Some(f64::from(
                instances.labels.labels().iter().copied().max().unwrap_or(0),
            ));
            let n = instances.confidences.len();
            m.confidence = (n > 0).then(|| {
                instances
                    .confidences
                    .iter()
                    .map(|&c| f64::from(c))
                    .sum::<f64>()
                    / n as f64
            });
        }
    }
    match truth {
        Some(truth) => {
            m.scores = transect_score::score(rules, truth, prediction)
                .map_err(|e| e.image(&item.image))?;
            if context.task == transect_core::Task::Classification && !probabilities {
                // A class without a probability is right or wrong; how sure it was is not known.
                for (score, column) in m.scores.iter_mut().zip(&context.score_columns) {
                    if column.name != "correct" {
                        *score = None;
                    }
                }
            }
        }
        None => {
            if let (TruthRef::Class(name), true) = (&item.truth, m.view.kind != ViewKind::Surrogate)
            {
                m.error_code = Some(codes::truth::TRUTH_CLASS.id.to_owned());
                m.error = Some(format!("the truth `{name}` is not a class of the model"));
            }
        }
    }
    Ok(())
}
