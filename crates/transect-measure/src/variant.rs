//! Predictors beside the audited one: what it must beat, and what it is compared with.
//!
//! - `annotator`: the second truth, as if a model had said it.
//! - `builtin:otsu`: Otsu's threshold and a watershed.
//! - `reinit:<k>`: the audited model with weights drawn anew.
//! - `threshold:<value>`: the audited model with another threshold of its decoder.

mod otsu;

use transect_core::{
    Classes, Error, Fits, Instances, Prediction, Result, Semantic, Task, TruthRef, codes,
};
use transect_score::class_index;

use crate::job::{Job, Source};
use crate::predictor::{Predicted, Predictor, Shown};

/// A variant that is no neural network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Builtin {
    /// The second truth, in the terms of a task and its classes.
    Annotator(Task, Vec<String>),
    /// Otsu's threshold: foreground, or objects by a watershed.
    Otsu(Task),
}

/// The number of a copy with weights drawn anew, from its name.
pub(crate) fn copy_of(model: &str) -> Option<u32> {
    model.strip_prefix("reinit:")?.parse().ok()
}

/// The predictor of a variant.
///
/// # Errors
/// `T610` for a name that there is not, and for a variant that the task or the model does not have; `T324` where the copy
/// cannot be made.
pub(crate) fn predictor(job: &Job, model: &str, fits: &Fits) -> Result<Predictor> {
    let unknown = |why: String| Error::new(&codes::measure::UNKNOWN_MODEL, why);
    let task = job.context.task;
    match model {
        "annotator" => {
            return Ok(Predictor::Builtin(Builtin::Annotator(
                task,
                job.context.classes.clone(),
            )));
        }
        "builtin:otsu" => {
            let fits = match task {
                Task::Instance => true,
                Task::Semantic => job.context.classes.len() <= 2,
                Task::Classification => false,
            };
            return if fits {
                Ok(Predictor::Builtin(Builtin::Otsu(task)))
            } else {
                Err(unknown(format!(
                    "`{model}` tells objects or one foreground from the background, and no more classes than that"
                )))
            };
        }
        _ => {}
    }
    let Source::Model(given) = &job.source else {
        return Err(unknown(format!("there is no model to make `{model}` of")));
    };
    let threshold = || model.strip_prefix("threshold:")?.parse::<f64>().ok();
    let made = if let Some(copy) = copy_of(model) {
        let statistics = fits.normalisation.get(model).map_or(&[][..], Vec::as_slice);
        given.reinitialised(job.context.seed, copy, statistics)?
    } else if let Some(value) = threshold() {
        given.with_threshold(value)?
    } else {
        return Err(unknown(format!("there is no model `{model}` in a run")));
    };
    Ok(Predictor::session(made.session()?))
}

impl Builtin {
    /// What it says of a view.
    ///
    /// # Errors
    /// `T609` where the row has no second truth.
    pub(crate) fn predict(&self, shown: &Shown<'_>) -> Result<Predicted> {
        let (task, classes) = match self {
            Self::Annotator(task, classes) => (task, classes),
            Self::Otsu(task) => {
                let prediction = if *task == Task::Instance {
                    Prediction::Instances(otsu::instances(shown.image)?)
                } else {
                    Prediction::Semantic(otsu::semantic(shown.image)?)
                };
                return Ok(Predicted {
                    prediction,
                    embeddings: Vec::new(),
                    inference_s: 0.0,
                });
            }
        };
        let none = |what: &str| {
            Error::new(&codes::measure::PREDICTIONS, what.to_owned()).image(&shown.item.image)
        };
        let prediction = match (task, shown.second, &shown.item.second_truth) {
            (Task::Classification, _, TruthRef::Class(name)) => {
                let class = class_index(name, classes)
                    .ok_or_else(|| none("the second truth is not a class of the model"))?;
                let mut probabilities = vec![0.0; classes.len()];
                probabilities[class as usize] = 1.0;
                Prediction::Classes(Classes { probabilities })
            }
            (Task::Semantic, Some(mask), _) => Prediction::Semantic(Semantic {
                mask: mask.clone(),
                confidence: None,
                confidences: Vec::new(),
            }),
            (Task::Instance, Some(labels), _) => Prediction::Instances(Instances {
                labels: labels.clone(),
                confidences: Vec::new(),
            }),
            _ => return Err(none("the row has no second truth")),
        };
        Ok(Predicted {
            prediction,
            embeddings: Vec::new(),
            inference_s: 0.0,
        })
    }
}
