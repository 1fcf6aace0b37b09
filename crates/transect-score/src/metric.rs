//! Metrics over many images, from the stored numbers of each and any multiset of them.
//!
//! ```
//! use transect_core::Task;
//! use transect_score::metric::{Rows, metric};
//!
//! let mut rows = Rows::new(Task::Classification, 2);
//! rows.push(Some(0), Some(0), &[0.9, 0.1], &[Some(1.0), Some(0.105), Some(0.02)])?;
//! rows.push(Some(1), Some(0), &[0.6, 0.4], &[Some(0.0), Some(0.916), Some(0.72)])?;
//! let accuracy = metric(Task::Classification, "accuracy").expect("it is one of the metrics");
//! assert_eq!(accuracy.evaluate(&rows, &[0, 1]), Some(0.5));
//! assert_eq!(accuracy.evaluate(&rows, &[0, 0, 0, 1]), Some(0.75));
//! # Ok::<(), transect_core::Error>(())
//! ```

use std::sync::OnceLock;

use transect_core::{Better, Error, Result, Task, codes};

use crate::columns::{class, count, instance, semantic};
use crate::matching::{average_precision, per_mean_count};
use crate::semantic::{dice, iou, macro_mean};

/// The stored numbers of many images, as columns.
#[derive(Debug, Clone)]
pub struct Rows {
    task: Task,
    n_classes: usize,
    truth_class: Vec<Option<u32>>,
    pred_class: Vec<Option<u32>>,
    /// Class probabilities, row by row; NaN where a row has none.
    outputs: Vec<f32>,
    /// By score column; NaN where a row has none.
    scores: Vec<Vec<f64>>,
    /// For each class, the rows in the order of that class's probability. Made when first needed.
    order: OnceLock<Vec<Vec<u32>>>,
}

impl Rows {
    /// No rows yet, for a task and the number of the model's classes.
    pub fn new(task: Task, n_classes: usize) -> Self {
        Self {
            task,
            n_classes,
            truth_class: Vec::new(),
            pred_class: Vec::new(),
            outputs: Vec::new(),
            scores: vec![Vec::new(); count(task, n_classes)],
            order: OnceLock::new(),
        }
    }

    /// Adds an image: the index of its true class (classification only; `None` where it is not known or not among the
    /// model's), its predicted class, its class probabilities (empty where there are none) and its scores in the order of
    /// [`crate::columns`]. Rows that were not measured are not to be added.
    ///
    /// # Errors
    /// `T205` when there are not as many scores as columns.
    pub fn push(
        &mut self,
        truth_class: Option<u32>,
        pred_class: Option<u32>,
        outputs: &[f32],
        scores: &[Option<f64>],
    ) -> Result<()> {
        if scores.len() != self.scores.len() {
            return Err(Error::new(
                &codes::truth::SCORE_COLUMNS,
                format!(
                    "a measurement has {} scores, its task and classes have {} columns",
                    scores.len(),
                    self.scores.len()
                ),
            ));
        }
        let inside = |class: Option<u32>| class.filter(|&c| (c as usize) < self.n_classes);
        self.truth_class.push(inside(truth_class));
        self.pred_class.push(inside(pred_class));
        if outputs.len() == self.n_classes {
            self.outputs.extend_from_slice(outputs);
        } else {
            self.outputs
                .extend(std::iter::repeat_n(f32::NAN, self.n_classes));
        }
        for (column, score) in self.scores.iter_mut().zip(scores) {
            column.push(score.unwrap_or(f64::NAN));
        }
        self.order = OnceLock::new();
        Ok(())
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.truth_class.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.truth_class.is_empty()
    }

    /// The task.
    pub fn task(&self) -> Task {
        self.task
    }

    /// Number of the model's classes.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// True class of an image.
    ///
    /// # Panics
    /// When there is no such image.
    pub fn truth_class(&self, index: usize) -> Option<u32> {
        self.truth_class[index]
    }

    /// Predicted class of an image.
    ///
    /// # Panics
    /// When there is no such image.
    pub fn pred_class(&self, index: usize) -> Option<u32> {
        self.pred_class[index]
    }

    /// Class probabilities of an image; `None` where it has none.
    ///
    /// # Panics
    /// When there is no such image.
    pub fn outputs(&self, index: usize) -> Option<&[f32]> {
        let outputs = &self.outputs[index * self.n_classes..(index + 1) * self.n_classes];
        outputs
            .first()
            .is_some_and(|p| !p.is_nan())
            .then_some(outputs)
    }

    /// Score of an image by the place of its column.
    ///
    /// # Panics
    /// When there is no such column or image.
    pub fn score(&self, column: usize, index: usize) -> Option<f64> {
        let score = self.scores[column][index];
        (!score.is_nan()).then_some(score)
    }

    fn order(&self) -> &[Vec<u32>] {
        self.order.get_or_init(|| {
            let with: Vec<u32> = (0..self.len())
                .filter(|&i| self.outputs(i).is_some())
                .map(|i| i as u32)
                .collect();
            (0..self.n_classes)
                .map(|class| {
                    let p = |i: u32| self.outputs[i as usize * self.n_classes + class];
                    let mut order = with.clone();
                    order.sort_by(|&a, &b| p(a).total_cmp(&p(b)));
                    order
                })
                .collect()
        })
    }

    /// Sum of a column over rows that have it, and their number.
    fn sum(&self, column: usize, indices: &[usize]) -> (f64, f64) {
        let column = &self.scores[column];
        let (mut sum, mut n) = (0.0, 0.0);
        for &index in indices {
            let score = column[index];
            if !score.is_nan() {
                sum += score;
                n += 1.0;
            }
        }
        (sum, n)
    }
}

/// How a metric is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Mean of a column.
    Mean(usize),
    /// Mean of a column's magnitudes.
    MeanMagnitude(usize),
    BalancedAccuracy,
    MacroF1,
    Mcc,
    Auroc,
    /// From pixels of all images together, by this ratio.
    PooledPixels(PixelRatio),
    /// From objects of all images together, at the threshold of this place.
    PooledAveragePrecision(usize),
    PooledF1,
    PooledPanopticQuality,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PixelRatio {
    Iou,
    Dice,
}

impl PixelRatio {
    fn of(self) -> fn(f64, f64) -> f64 {
        match self {
            Self::Iou => iou,
            Self::Dice => dice,
        }
    }
}

/// A metric over many images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// Name in ids and claims, such as `balanced_accuracy`.
    pub name: &'static str,
    /// Name in sentences.
    pub title: &'static str,
    /// Unit; empty for a plain number.
    pub unit: &'static str,
    /// Which way is better.
    pub better: Better,
    /// Smallest and largest value that it can have.
    pub range: (f64, f64),
    /// What it is, in a sentence or two, with what happens at empties and ties.
    pub definition: &'static str,
    /// Whether it is the task's primary metric: the one that claims and tolerances are about unless another is named.
    pub primary: bool,
    task: Task,
    rule: Rule,
}

/// Recall, precision and F1 of one class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PerClass {
    /// Index of the class.
    pub class: usize,
    /// Images of this class.
    pub n_true: u64,
    /// Images predicted as this class.
    pub n_pred: u64,
    /// Images of this class predicted as it.
    pub correct: u64,
    /// Share of the class's images that are predicted as it; `None` where there are none.
    pub recall: Option<f64>,
    /// Share of the images predicted as the class that are of it; `None` where there are none.
    pub precision: Option<f64>,
    /// 2·correct/(n_true + n_pred); `None` where the class occurs in neither.
    pub f1: Option<f64>,
}

const UNIT: (f64, f64) = (0.0, 1.0);
const COUNTS: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// A plain number of which more is better, in [0, 1].
const fn share(
    task: Task,
    name: &'static str,
    title: &'static str,
    rule: Rule,
    definition: &'static str,
) -> Metric {
    Metric {
        name,
        title,
        unit: "",
        better: Better::Higher,
        range: UNIT,
        definition,
        primary: false,
        task,
        rule,
    }
}

/// A number in a unit of which less is better, from 0 up.
const fn cost(
    task: Task,
    unit: &'static str,
    name: &'static str,
    title: &'static str,
    rule: Rule,
    definition: &'static str,
) -> Metric {
    Metric {
        unit,
        better: Better::Lower,
        range: (0.0, f64::INFINITY),
        ..share(task, name, title, rule, definition)
    }
}

static CLASSIFICATION: &[Metric] = &[
    Metric {
        primary: true,
        ..share(
            Task::Classification,
            "accuracy",
            "accuracy",
            Rule::Mean(class::CORRECT),
            "Share of images whose most probable class is the true one; the first of equally probable classes is predicted.",
        )
    },
    share(
        Task::Classification,
        "balanced_accuracy",
        "balanced accuracy",
        Rule::BalancedAccuracy,
        "Mean of the recalls of the classes that occur in the truth.",
    ),
    share(
        Task::Classification,
        "macro_f1",
        "macro F1",
        Rule::MacroF1,
        "Mean of F1 = 2TP/(2TP+FP+FN) over the classes that occur in truth or prediction.",
    ),
    Metric {
        range: (-1.0, 1.0),
        ..share(
            Task::Classification,
            "mcc",
            "Matthews correlation",
            Rule::Mcc,
            "Correlation of the tables of true and predicted classes (Gorodkin's form for many classes); 0 where truth or prediction has one class only.",
        )
    },
    share(
        Task::Classification,
        "auroc",
        "area under the ROC curve",
        Rule::Auroc,
        "Probability that an image of the class gets a higher probability for it than an image of another, ties counting half; with two classes that of the second, with more the mean over the classes that have both sorts of images.",
    ),
    Metric {
        unit: "nats",
        better: Better::Lower,
        range: (0.0, 34.538_776_394_910_684),
        ..share(
            Task::Classification,
            "log_loss",
            "log loss",
            Rule::Mean(class::LOG_LOSS),
            "Mean of −ln of the true class's probability, clipped to at least 1e-15.",
        )
    },
    Metric {
        better: Better::Lower,
        range: (0.0, 2.0),
        ..share(
            Task::Classification,
            "brier",
            "Brier score",
            Rule::Mean(class::BRIER),
            "Mean over images of the sum over classes of (probability − truth)², 0 to 2.",
        )
    },
];

static SEMANTIC: &[Metric] = &[
    Metric {
        primary: true,
        ..share(
            Task::Semantic,
            "iou",
            "intersection over union",
            Rule::Mean(semantic::IOU),
            "Mean over images of the IoU of the foreground, or with more than two classes of the mean IoU of the classes that occur in the image's truth or prediction, background included. Both empty is 1, one empty is 0.",
        )
    },
    share(
        Task::Semantic,
        "dice",
        "Dice",
        Rule::Mean(semantic::DICE),
        "As iou, with 2·intersection/(sum of both sizes).",
    ),
    share(
        Task::Semantic,
        "pooled_iou",
        "pooled intersection over union",
        Rule::PooledPixels(PixelRatio::Iou),
        "IoU from the pixels of all images together; with more than two classes the mean over the classes that occur.",
    ),
    share(
        Task::Semantic,
        "pooled_dice",
        "pooled Dice",
        Rule::PooledPixels(PixelRatio::Dice),
        "Dice from the pixels of all images together; with more than two classes the mean over the classes that occur.",
    ),
    cost(
        Task::Semantic,
        "px",
        "hd95",
        "95% Hausdorff distance",
        Rule::Mean(semantic::HD95),
        "Mean over images of the larger of the two 95th percentiles of distances from the pixels of one outline to the nearest of the other, of the foreground; with more than two classes the mean over the classes that occur. Both empty is 0, one empty the diagonal of the image.",
    ),
    share(
        Task::Semantic,
        "surface_dice",
        "normalised surface distance",
        Rule::Mean(semantic::SURFACE_DICE),
        "Mean over images of the share of the pixels of both outlines that lie within a tolerance (2 px, or --surface-tolerance) of the other, of the foreground; with more than two classes the mean over the classes that occur. Both empty is 1, one empty 0.",
    ),
];

static INSTANCE: &[Metric] = &[
    Metric {
        primary: true,
        ..share(
            Task::Instance,
            "average_precision_50",
            "average precision at IoU 0.5",
            Rule::Mean(instance::AP_50),
            "Mean over images of TP/(TP+FP+FN), objects matched one to one at IoU ≥ 0.5; an image without objects in truth and prediction is 1. Not COCO's average precision.",
        )
    },
    share(
        Task::Instance,
        "average_precision_75",
        "average precision at IoU 0.75",
        Rule::Mean(instance::AP_75),
        "As average_precision_50 with IoU ≥ 0.75.",
    ),
    share(
        Task::Instance,
        "average_precision",
        "average precision, mean of IoU 0.5 to 0.95",
        Rule::Mean(instance::AP),
        "Mean of the average precisions at IoU 0.5, 0.55, … 0.95 of each image, then over images.",
    ),
    share(
        Task::Instance,
        "f1_50",
        "F1 at IoU 0.5",
        Rule::Mean(instance::F1_50),
        "Mean over images of 2TP/(2TP+FP+FN) at IoU ≥ 0.5; no object in either is 1.",
    ),
    share(
        Task::Instance,
        "panoptic_quality",
        "panoptic quality",
        Rule::Mean(instance::PQ),
        "Mean over images of ΣIoU/(TP+½FP+½FN) at IoU ≥ 0.5; no object in either is 1.",
    ),
    Metric {
        unit: "objects",
        better: Better::Neither,
        range: COUNTS,
        ..share(
            Task::Instance,
            "count_error",
            "count error",
            Rule::Mean(instance::COUNT_ERROR),
            "Mean over images of predicted minus true number of objects: the bias of counting; best at 0.",
        )
    },
    cost(
        Task::Instance,
        "objects",
        "count_mae",
        "mean absolute count error",
        Rule::MeanMagnitude(instance::COUNT_ERROR),
        "Mean over images of the magnitude of predicted minus true number of objects.",
    ),
    share(
        Task::Instance,
        "iou",
        "foreground intersection over union",
        Rule::Mean(instance::IOU),
        "Mean over images of the IoU of all objects' pixels taken as one foreground; both empty is 1.",
    ),
    share(
        Task::Instance,
        "dice",
        "foreground Dice",
        Rule::Mean(instance::DICE),
        "As iou, with Dice.",
    ),
    share(
        Task::Instance,
        "pooled_average_precision_50",
        "pooled average precision at IoU 0.5",
        Rule::PooledAveragePrecision(0),
        "TP/(TP+FP+FN) at IoU ≥ 0.5 from the objects of all images together, so that crowded images weigh more.",
    ),
    share(
        Task::Instance,
        "pooled_average_precision_75",
        "pooled average precision at IoU 0.75",
        Rule::PooledAveragePrecision(5),
        "As pooled_average_precision_50 with IoU ≥ 0.75.",
    ),
    share(
        Task::Instance,
        "pooled_f1_50",
        "pooled F1 at IoU 0.5",
        Rule::PooledF1,
        "2TP/(2TP+FP+FN) at IoU ≥ 0.5 from the objects of all images together.",
    ),
    share(
        Task::Instance,
        "pooled_panoptic_quality",
        "pooled panoptic quality",
        Rule::PooledPanopticQuality,
        "ΣIoU/(TP+½FP+½FN) at IoU ≥ 0.5 from the objects of all images together.",
    ),
    share(
        Task::Instance,
        "pooled_iou",
        "pooled foreground intersection over union",
        Rule::PooledPixels(PixelRatio::Iou),
        "IoU of the foreground from the pixels of all images together.",
    ),
    share(
        Task::Instance,
        "pooled_dice",
        "pooled foreground Dice",
        Rule::PooledPixels(PixelRatio::Dice),
        "Dice of the foreground from the pixels of all images together.",
    ),
    share(
        Task::Instance,
        "aji",
        "aggregated Jaccard index",
        Rule::Mean(instance::AJI),
        "Mean over images of Σ intersection / Σ union, each true object going with the predicted one of the highest IoU, which may serve several (Kumar 2017); objects without a partner add to the union. No object in either is 1.",
    ),
    share(
        Task::Instance,
        "aji_plus",
        "aggregated Jaccard index, one to one",
        Rule::Mean(instance::AJI_PLUS),
        "As aji, each predicted object serving one true object at most, by the largest sum of IoU (Graham 2019).",
    ),
    cost(
        Task::Instance,
        "objects",
        "merges",
        "merged objects",
        Rule::Mean(instance::MERGES),
        "Mean over images of the true objects of which more than half lies in one predicted object with others, beyond the first of each.",
    ),
    cost(
        Task::Instance,
        "objects",
        "splits",
        "split objects",
        Rule::Mean(instance::SPLITS),
        "Mean over images of the predicted objects of which more than half lies in one true object with others, beyond the first of each.",
    ),
    cost(
        Task::Instance,
        "px",
        "hd95",
        "95% Hausdorff distance",
        Rule::Mean(instance::HD95),
        "Mean over images of the larger of the two 95th percentiles of distances from the pixels of one outline to the nearest of the other, of all objects taken as one foreground. Both empty is 0, one empty the diagonal of the image.",
    ),
    share(
        Task::Instance,
        "surface_dice",
        "normalised surface distance",
        Rule::Mean(instance::SURFACE_DICE),
        "Mean over images of the share of the pixels of both outlines that lie within a tolerance (2 px, or --surface-tolerance) of the other, of all objects taken as one foreground. Both empty is 1, one empty 0.",
    ),
];

/// The metrics of a task, the primary one first.
pub fn metrics(task: Task) -> &'static [Metric] {
    match task {
        Task::Classification => CLASSIFICATION,
        Task::Semantic => SEMANTIC,
        Task::Instance => INSTANCE,
    }
}

/// The metric of this name.
pub fn metric(task: Task, name: &str) -> Option<&'static Metric> {
    metrics(task).iter().find(|metric| metric.name == name)
}

/// The primary metric of a task: `accuracy`, `iou`, `average_precision_50`.
pub fn primary(task: Task) -> &'static Metric {
    &metrics(task)[0]
}

impl Metric {
    /// The task that it belongs to.
    pub fn task(&self) -> Task {
        self.task
    }

    /// The value over a multiset of images: an index may come several times and counts as often. `None` where no image
    /// has what the metric needs, or the rows are of another task. The order of indices changes at most the last digits
    /// of a mean.
    ///
    /// # Panics
    /// When an index is not one of the rows.
    pub fn evaluate(&self, rows: &Rows, indices: &[usize]) -> Option<f64> {
        if rows.task != self.task {
            return None;
        }
        match self.rule {
            Rule::Mean(column) => {
                let (sum, n) = rows.sum(column, indices);
                (n > 0.0).then(|| sum / n)
            }
            Rule::MeanMagnitude(column) => {
                let values = || indices.iter().filter_map(|&i| rows.score(column, i));
                let n = values().count() as f64;
                (n > 0.0).then(|| values().map(f64::abs).sum::<f64>() / n)
            }
            Rule::BalancedAccuracy => {
                let per_class = per_class(rows, indices);
                mean(per_class.iter().filter_map(|c| c.recall))
            }
            Rule::MacroF1 => mean(per_class(rows, indices).iter().filter_map(|c| c.f1)),
            Rule::Mcc => mcc(rows, indices),
            Rule::Auroc => auroc(rows, indices),
            Rule::PooledPixels(ratio) => pooled_pixels(rows, indices, ratio.of()),
            Rule::PooledAveragePrecision(place) => {
                let (n_true, n_pred) = pooled_counts(rows, indices)?;
                Some(average_precision(
                    rows.sum(instance::TP + place, indices).0,
                    n_true,
                    n_pred,
                ))
            }
            Rule::PooledF1 => {
                let (n_true, n_pred) = pooled_counts(rows, indices)?;
                Some(per_mean_count(
                    2.0 * rows.sum(instance::TP, indices).0,
                    n_true,
                    n_pred,
                ))
            }
            Rule::PooledPanopticQuality => {
                let (n_true, n_pred) = pooled_counts(rows, indices)?;
                Some(per_mean_count(
                    2.0 * rows.sum(instance::SUM_IOU_50, indices).0,
                    n_true,
                    n_pred,
                ))
            }
        }
    }

    /// The value over all rows.
    pub fn evaluate_all(&self, rows: &Rows) -> Option<f64> {
        let all: Vec<usize> = (0..rows.len()).collect();
        self.evaluate(rows, &all)
    }

    /// Whether the metric is a mean of one number for each image, so that [`Metric::per_image`] gives these.
    pub fn is_mean(&self) -> bool {
        matches!(self.rule, Rule::Mean(_) | Rule::MeanMagnitude(_))
    }

    /// The number of one image whose mean over images is the metric; `None` where the image has none, the metric is not
    /// such a mean, or the rows are of another task.
    ///
    /// # Panics
    /// When there is no such image.
    pub fn per_image(&self, rows: &Rows, index: usize) -> Option<f64> {
        if rows.task != self.task {
            return None;
        }
        match self.rule {
            Rule::Mean(column) => rows.score(column, index),
            Rule::MeanMagnitude(column) => rows.score(column, index).map(f64::abs),
            _ => None,
        }
    }

    /// Chance: the best value that a predictor reaches which gives every image the same answer and knows how often each
    /// answer is true (its sort of answer: a class, class probabilities, one class for every pixel, no object, one
    /// count). `None` where no image has truth, and where it has no meaning: for `count_error`, `merges`, `splits` (none without any
    /// object) and for outlines.
    ///
    /// - `accuracy`: the share of the most frequent class. `balanced_accuracy`: 1 over the number of classes that occur.
    ///   `macro_f1`: the F1 of always the most frequent class, over the number of classes that occur. `mcc`: 0. `auroc`: 0.5.
    ///   `log_loss`: the entropy of the class frequencies. `brier`: 1 − the sum of their squares.
    /// - Semantic, and `iou` and `dice` of instance: the best of giving every pixel of every image one class.
    /// - Instance, on objects: the share of images without objects, the score of never finding one. `count_mae`: the mean
    ///   distance from the median count. Pooled: 0, or 1 where no image has an object.
    ///
    /// # Panics
    /// When an index is not one of the rows.
    pub fn chance(&self, rows: &Rows, indices: &[usize]) -> Option<f64> {
        if rows.task != self.task {
            return None;
        }
        match (self.task, self.rule) {
            (Task::Classification, rule) => chance_of_classes(rule, rows, indices),
            (Task::Semantic, Rule::Mean(semantic::HD95 | semantic::SURFACE_DICE))
            | (
                Task::Instance,
                Rule::Mean(
                    instance::COUNT_ERROR
                    | instance::MERGES
                    | instance::SPLITS
                    | instance::HD95
                    | instance::SURFACE_DICE,
                ),
            ) => None,
            (Task::Semantic, Rule::Mean(semantic::DICE))
            | (Task::Instance, Rule::Mean(instance::DICE)) => chance_per_image(rows, indices, dice),
            (Task::Semantic, Rule::Mean(_)) | (Task::Instance, Rule::Mean(instance::IOU)) => {
                chance_per_image(rows, indices, iou)
            }
            (Task::Semantic | Task::Instance, Rule::PooledPixels(ratio)) => {
                chance_pooled(rows, indices, ratio.of())
            }
            (Task::Instance, Rule::Mean(_)) => mean(
                indices
                    .iter()
                    .filter_map(|&i| rows.score(instance::N_TRUE, i))
                    .map(|n| if n == 0.0 { 1.0 } else { 0.0 }),
            ),
            (Task::Instance, Rule::MeanMagnitude(_)) => {
                let mut counts: Vec<f64> = indices
                    .iter()
                    .filter_map(|&i| rows.score(instance::N_TRUE, i))
                    .collect();
                counts.sort_by(f64::total_cmp);
                let median = *counts.get(counts.len() / 2)?;
                mean(counts.iter().map(|n| (n - median).abs()))
            }
            (Task::Semantic | Task::Instance, _) => {
                let (n_true, _) = pooled_counts(rows, indices)?;
                Some(if n_true > 0.0 { 0.0 } else { 1.0 })
            }
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0.0);
    for value in values {
        sum += value;
        n += 1.0;
    }
    (n > 0.0).then(|| sum / n)
}

/// Counts of images by true class (row) and predicted class (column), over a multiset of images; images without either
/// are left out.
///
/// # Panics
/// When an index is not one of the rows.
pub fn confusion(rows: &Rows, indices: &[usize]) -> Vec<Vec<u64>> {
    let mut counts = vec![vec![0; rows.n_classes]; rows.n_classes];
    for &index in indices {
        if let (Some(t), Some(p)) = (rows.truth_class[index], rows.pred_class[index]) {
            counts[t as usize][p as usize] += 1;
        }
    }
    counts
}

/// Recall, precision and F1 of every class of the model, over a multiset of images.
///
/// # Panics
/// When an index is not one of the rows.
pub fn per_class(rows: &Rows, indices: &[usize]) -> Vec<PerClass> {
    let mut n_true = vec![0_u64; rows.n_classes];
    let mut n_pred = vec![0_u64; rows.n_classes];
    let mut correct = vec![0_u64; rows.n_classes];
    for &index in indices {
        if let (Some(t), Some(p)) = (rows.truth_class[index], rows.pred_class[index]) {
            n_true[t as usize] += 1;
            n_pred[p as usize] += 1;
            if t == p {
                correct[t as usize] += 1;
            }
        }
    }
    let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    (0..rows.n_classes)
        .map(|class| PerClass {
            class,
            n_true: n_true[class],
            n_pred: n_pred[class],
            correct: correct[class],
            recall: share(correct[class], n_true[class]),
            precision: share(correct[class], n_pred[class]),
            f1: share(2 * correct[class], n_true[class] + n_pred[class]),
        })
        .collect()
}

/// Matthews correlation for many classes.
fn mcc(rows: &Rows, indices: &[usize]) -> Option<f64> {
    let classes = per_class(rows, indices);
    let n: u64 = classes.iter().map(|c| c.n_true).sum();
    if n == 0 {
        return None;
    }
    let n = n as f64;
    let correct = classes.iter().map(|c| c.correct).sum::<u64>() as f64;
    let dot = |f: fn(&PerClass) -> f64| classes.iter().map(f).sum::<f64>();
    let product = dot(|c| c.n_true as f64 * c.n_pred as f64);
    let truth = n * n - dot(|c| (c.n_true as f64).powi(2));
    let pred = n * n - dot(|c| (c.n_pred as f64).powi(2));
    if truth <= 0.0 || pred <= 0.0 {
        return Some(0.0);
    }
    Some((correct * n - product) / (truth * pred).sqrt())
}

/// Mann and Whitney's statistic, one class against the rest.
fn auroc(rows: &Rows, indices: &[usize]) -> Option<f64> {
    let mut weights = vec![0_u32; rows.len()];
    for &index in indices {
        if rows.truth_class[index].is_some() {
            weights[index] += 1;
        }
    }
    let first = usize::from(rows.n_classes == 2);
    mean((first..rows.n_classes).filter_map(|class| {
        let order = &rows.order()[class];
        let p = |i: u32| rows.outputs[i as usize * rows.n_classes + class];
        let (mut below, mut positives, mut twice_u) = (0_u64, 0_u64, 0_u64);
        let mut start = 0;
        while start < order.len() {
            let (mut pos, mut neg, mut end) = (0_u64, 0_u64, start);
            while end < order.len() && p(order[end]) == p(order[start]) {
                let row = order[end] as usize;
                if rows.truth_class[row] == Some(class as u32) {
                    pos += u64::from(weights[row]);
                } else {
                    neg += u64::from(weights[row]);
                }
                end += 1;
            }
            twice_u += pos * (2 * below + neg);
            below += neg;
            positives += pos;
            start = end.max(start + 1);
        }
        (positives > 0 && below > 0)
            .then(|| twice_u as f64 / (2.0 * positives as f64 * below as f64))
    }))
}

/// True and predicted objects over images; `None` where no image was scored.
fn pooled_counts(rows: &Rows, indices: &[usize]) -> Option<(f64, f64)> {
    let (n_true, n) = rows.sum(instance::N_TRUE, indices);
    (n > 0.0).then(|| (n_true, rows.sum(instance::N_PRED, indices).0))
}

/// Where the intersection and the union of each counted class are.
fn pixel_columns(rows: &Rows) -> Vec<(usize, usize)> {
    match rows.task {
        Task::Instance => vec![(instance::INTERSECTION, instance::UNION)],
        _ => (0..semantic::counted(rows.n_classes))
            .map(|c| semantic::BLOCKS + semantic::BLOCK * c)
            .map(|block| (block + semantic::INTERSECTION, block + semantic::UNION))
            .collect(),
    }
}

fn pooled_pixels(rows: &Rows, indices: &[usize], ratio: fn(f64, f64) -> f64) -> Option<f64> {
    let n_pixels = if rows.task == Task::Instance {
        instance::N_PIXELS
    } else {
        semantic::N_PIXELS
    };
    if rows.sum(n_pixels, indices).0 <= 0.0 {
        return None;
    }
    let sums = pixel_columns(rows)
        .into_iter()
        .map(|(i, u)| (rows.sum(i, indices).0, rows.sum(u, indices).0));
    if semantic::counted(rows.n_classes) == 1 || rows.task == Task::Instance {
        sums.map(|(intersection, union)| ratio(intersection, union))
            .next()
    } else {
        macro_mean(sums, ratio)
    }
}

fn chance_of_classes(rule: Rule, rows: &Rows, indices: &[usize]) -> Option<f64> {
    let mut counts = vec![0_u64; rows.n_classes];
    for &index in indices {
        if let Some(t) = rows.truth_class[index] {
            counts[t as usize] += 1;
        }
    }
    let n: u64 = counts.iter().sum();
    if n == 0 {
        return None;
    }
    let shares: Vec<f64> = counts
        .iter()
        .filter(|&&c| c > 0)
        .map(|&c| c as f64 / n as f64)
        .collect();
    let occur = shares.len() as f64;
    let largest = shares.iter().copied().fold(0.0, f64::max);
    Some(match rule {
        Rule::Mean(class::LOG_LOSS) => shares.iter().fold(0.0, |sum, q| sum - q * q.ln()),
        Rule::Mean(class::BRIER) => 1.0 - shares.iter().map(|q| q * q).sum::<f64>(),
        Rule::BalancedAccuracy => 1.0 / occur,
        Rule::MacroF1 => 2.0 * largest / (1.0 + largest) / occur,
        Rule::Mcc => 0.0,
        Rule::Auroc => 0.5,
        _ => largest,
    })
}

/// True pixels of every class that a constant predictor may give (index 0 is background where one class is counted) and
/// all pixels, of one image or of many together.
fn true_pixels(rows: &Rows, indices: &[usize]) -> (Vec<f64>, f64) {
    let sum = |column| rows.sum(column, indices).0;
    if rows.task == Task::Instance || semantic::counted(rows.n_classes) == 1 {
        let (n_true, n_pixels) = if rows.task == Task::Instance {
            (instance::N_TRUE_PX, instance::N_PIXELS)
        } else {
            (semantic::BLOCKS + semantic::N_TRUE, semantic::N_PIXELS)
        };
        let (foreground, all) = (sum(n_true), sum(n_pixels));
        return (vec![all - foreground, foreground], all);
    }
    let trues = (0..rows.n_classes)
        .map(|c| sum(semantic::BLOCKS + semantic::BLOCK * c + semantic::N_TRUE))
        .collect();
    (trues, sum(semantic::N_PIXELS))
}

/// The ratio that giving every pixel this class reaches.
fn constant(
    rows: &Rows,
    trues: &[f64],
    all: f64,
    class: usize,
    ratio: fn(f64, f64) -> f64,
) -> Option<f64> {
    if all <= 0.0 {
        return None;
    }
    if rows.task == Task::Instance || semantic::counted(rows.n_classes) == 1 {
        return Some(if class == 1 {
            ratio(trues[1], all)
        } else {
            ratio(0.0, trues[1])
        });
    }
    let others = trues
        .iter()
        .enumerate()
        .filter(|&(c, &n)| c != class && n > 0.0)
        .count() as f64;
    Some(ratio(trues[class], all) / (others + 1.0))
}

fn chance_per_image(rows: &Rows, indices: &[usize], ratio: fn(f64, f64) -> f64) -> Option<f64> {
    let images: Vec<(Vec<f64>, f64)> = indices.iter().map(|&i| true_pixels(rows, &[i])).collect();
    let classes = images.first()?.0.len();
    (0..classes)
        .filter_map(|class| {
            mean(
                images
                    .iter()
                    .filter_map(|(trues, all)| constant(rows, trues, *all, class, ratio)),
            )
        })
        .reduce(f64::max)
}

fn chance_pooled(rows: &Rows, indices: &[usize], ratio: fn(f64, f64) -> f64) -> Option<f64> {
    let (trues, all) = true_pixels(rows, indices);
    (0..trues.len())
        .filter_map(|class| constant(rows, &trues, all, class, ratio))
        .reduce(f64::max)
}
