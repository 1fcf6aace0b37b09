//! Predictors beside the audited one: what it must beat, and what it is compared with.
//!
//! - `annotator`: the second truth, as if a model had said it.

use transect_core::{
    Classes, Error, Fits, Instances, Prediction, Result, Semantic, Task, TruthRef, codes,
};
use transect_score::class_index;

use crate::job::Job;
use crate::predictor::{Predicted, Predictor, Shown};

/// A variant that is no neural network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Builtin {
    /// The second truth, in the terms of a task and its classes.
    Annotator(Task, Vec<String>),
}

/// The predictor of a variant.
///
/// # Errors
/// `T610` for a name that there is not.
pub(crate) fn predictor(job: &Job, model: &str, _fits: &Fits) -> Result<Predictor> {
    match model {
        "annotator" => Ok(Predictor::Builtin(Builtin::Annotator(
            job.context.task,
            job.context.classes.clone(),
        ))),
        other => Err(Error::new(
            &codes::measure::UNKNOWN_MODEL,
            format!("there is no model `{other}` in a run"),
        )),
    }
}

impl Builtin {
    /// What it says of a view.
    ///
    /// # Errors
    /// `T609` where the row has no second truth.
    pub(crate) fn predict(&self, shown: &Shown<'_>) -> Result<Predicted> {
        let Self::Annotator(task, classes) = self;
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
