//! One truth against one prediction.

use transect_core::{Error, Prediction, Result, Task, codes};

use crate::{Rules, Truth, classification, instances, semantic};

/// Scores one prediction against the truth: one number for each of [`crate::columns`], in their order; `None` where a
/// number is not defined (every pixel ignored).
///
/// For semantic segmentation with at most two, class 1 is the foreground
/// and class 0 the background; a truth of labels may stand for the mask, every label being foreground.
///
/// # Errors
/// `T201` when truth and prediction differ in size, `T202` when the truth is no class of the model, `T203` when the sort of
/// truth does not fit the task, `T204` when the prediction does not fit the task or its classes, or holds numbers that are
/// no probabilities.
pub fn score(rules: &Rules, truth: &Truth, prediction: &Prediction) -> Result<Vec<Option<f64>>> {
    let Rules {
        task, n_classes, ..
    } = *rules;
    match (task, truth, prediction) {
        (Task::Classification, Truth::Class(class), Prediction::Classes(classes)) => {
            classification::score(n_classes, *class, &classes.probabilities, classes.class())
        }
        (Task::Semantic, Truth::Mask { mask, ignore }, Prediction::Semantic(pred)) => {
            semantic::score(rules, mask, *ignore, false, &pred.mask)
        }
        (Task::Semantic, Truth::Labels(labels), Prediction::Semantic(pred)) if n_classes <= 2 => {
            semantic::score(rules, labels, None, true, &pred.mask)
        }
        (Task::Instance, Truth::Labels(labels), Prediction::Instances(pred)) => {
            instances::score(labels, &pred.labels, rules.tolerance_px)
        }
        (Task::Classification, _, Prediction::Classes(_))
        | (Task::Semantic, _, Prediction::Semantic(_))
        | (Task::Instance, _, Prediction::Instances(_)) => {
            let (got, help) = match (task, truth) {
                (Task::Semantic, Truth::Labels(_)) => (
                    "labels of objects",
                    "labels can stand for a mask only where the model has one foreground class; give a mask of class indices",
                ),
                (Task::Instance, Truth::Mask { .. }) => (
                    "a mask of classes",
                    "give a label image with one label for each object",
                ),
                (Task::Classification, Truth::Labels(_) | Truth::Mask { .. }) => (
                    "an image",
                    "give the column that holds the class of each image",
                ),
                _ => (
                    "a class for the whole image",
                    "give the column that holds the path of a label image or mask",
                ),
            };
            Err(Error::new(
                &codes::truth::TRUTH_KIND,
                format!("{} cannot be scored against {got}", words(task)),
            )
            .help(help))
        }
        (_, _, other) => {
            let got = match other {
                Prediction::Classes(_) => "class probabilities",
                Prediction::Semantic(_) => "a class for each pixel",
                Prediction::Instances(_) => "objects",
            };
            Err(Error::new(
                &codes::truth::PREDICTION_UNUSABLE,
                format!("the task is {}, the model gave {got}", words(task)),
            )
            .help("check --task and --decode"))
        }
    }
}

fn words(task: Task) -> &'static str {
    match task {
        Task::Classification => "classification",
        Task::Semantic => "semantic segmentation",
        Task::Instance => "instance segmentation",
    }
}
