//! The score columns of each task, and where they are.

use transect_core::{Better, ScoreColumn, Task};

use crate::matching::THRESHOLDS;

/// Places of the columns of classification.
pub(crate) mod class {
    pub(crate) const CORRECT: usize = 0;
    pub(crate) const LOG_LOSS: usize = 1;
    pub(crate) const BRIER: usize = 2;
    pub(crate) const COUNT: usize = 3;
}

/// Places of the columns of semantic segmentation: five, then four for each class.
pub(crate) mod semantic {
    pub(crate) const IOU: usize = 0;
    pub(crate) const DICE: usize = 1;
    pub(crate) const N_PIXELS: usize = 2;
    pub(crate) const HD95: usize = 3;
    pub(crate) const SURFACE_DICE: usize = 4;
    pub(crate) const BLOCKS: usize = 5;
    pub(crate) const BLOCK: usize = 4;
    pub(crate) const INTERSECTION: usize = 0;
    pub(crate) const UNION: usize = 1;
    pub(crate) const N_TRUE: usize = 2;
    #[cfg(test)]
    pub(crate) const N_PRED: usize = 3;

    /// Classes that are counted: one foreground, or each class of more than two.
    pub(crate) fn counted(n_classes: usize) -> usize {
        if n_classes <= 2 { 1 } else { n_classes }
    }
}

/// Places of the columns of instance segmentation.
pub(crate) mod instance {
    pub(crate) const TP: usize = 0;
    pub(crate) const N_TRUE: usize = 10;
    pub(crate) const N_PRED: usize = 11;
    pub(crate) const SUM_IOU_50: usize = 12;
    pub(crate) const AP_50: usize = 13;
    pub(crate) const AP_75: usize = 14;
    pub(crate) const AP: usize = 15;
    pub(crate) const F1_50: usize = 16;
    pub(crate) const PQ: usize = 17;
    pub(crate) const COUNT_ERROR: usize = 18;
    pub(crate) const IOU: usize = 19;
    pub(crate) const DICE: usize = 20;
    pub(crate) const INTERSECTION: usize = 21;
    pub(crate) const UNION: usize = 22;
    pub(crate) const N_TRUE_PX: usize = 23;
    pub(crate) const N_PIXELS: usize = 24;
    pub(crate) const AJI: usize = 25;
    pub(crate) const AJI_PLUS: usize = 26;
    pub(crate) const MERGES: usize = 27;
    pub(crate) const SPLITS: usize = 28;
    pub(crate) const HD95: usize = 29;
    pub(crate) const SURFACE_DICE: usize = 30;
    pub(crate) const COUNT: usize = 31;
}

/// Number of score columns of a task with this number of classes.
pub(crate) fn count(task: Task, n_classes: usize) -> usize {
    match task {
        Task::Classification => class::COUNT,
        Task::Semantic => semantic::BLOCKS + semantic::BLOCK * semantic::counted(n_classes),
        Task::Instance => instance::COUNT,
    }
}

/// The score columns of a task, in the order in which [`crate::score`] gives the numbers.
///
/// - Classification: `correct` (0 or 1; the first of equal probabilities is predicted), `log_loss` (−ln of the truth's
///   probability, the probability clipped to at least 1e-15, so at most 34.5; nats), `brier` (Σ over classes of
///   (p − y)², 0 to 2).
/// - Semantic: `iou`, `dice`, `n_pixels` (pixels that are not ignored), `hd95` and `surface_dice` (below), then `intersection`, `union`, `n_true`, `n_pred`
///   in pixels: of the foreground where there are at most two classes, of every class (with `_` and its name) otherwise.
/// - Instance: `tp_50` to `tp_95` (matched objects at the ten [`THRESHOLDS`]), `n_true`, `n_pred`, `sum_iou_50` (IoU of
///   the pairs matched at 0.5, summed), `average_precision_50`, `_75` and their mean over the ten thresholds
///   `average_precision`, `f1_50`, `panoptic_quality`, `count_error` (`n_pred` − `n_true`), and of the foreground in pixels
///   `iou`, `dice`, `intersection`, `union`, `n_true_px`, `n_pixels`; then `aji`, `aji_plus`, `merges` (true objects of which more
///   than half lies in one predicted object with others, beyond the first of each), `splits` (the reverse), and of the foreground
///   `hd95` and `surface_dice`.
/// - Outlines are the pixels of a foreground with one of their four neighbours outside it. `hd95`: the larger of the two 95th
///   percentiles of distances from the pixels of one outline to the nearest of the other, in pixels; `surface_dice`: the share of the
///   pixels of both outlines that are within the tolerance of the other.
///
/// In a class's column every character that is no letter, digit or `_` becomes `_`; where two names fall together, the
/// later ones get their index as well.
pub fn columns(task: Task, classes: &[String]) -> Vec<ScoreColumn> {
    let higher = |name: &str| ScoreColumn::new(name, "", Better::Higher);
    let count = |name: &str, unit: &str| ScoreColumn::new(name, unit, Better::Neither);
    match task {
        Task::Classification => vec![
            higher("correct"),
            ScoreColumn::new("log_loss", "nats", Better::Lower),
            ScoreColumn::new("brier", "", Better::Lower),
        ],
        Task::Semantic => {
            let mut columns = vec![
                higher("iou"),
                higher("dice"),
                count("n_pixels", "px"),
                ScoreColumn::new("hd95", "px", Better::Lower),
                higher("surface_dice"),
            ];
            for suffix in suffixes(classes) {
                for name in ["intersection", "union", "n_true", "n_pred"] {
                    columns.push(count(&format!("{name}{suffix}"), "px"));
                }
            }
            columns
        }
        Task::Instance => {
            let mut columns: Vec<ScoreColumn> = THRESHOLDS
                .iter()
                .map(|t| count(&format!("tp_{:.0}", t * 100.0), "objects"))
                .collect();
            columns.extend([
                count("n_true", "objects"),
                count("n_pred", "objects"),
                count("sum_iou_50", ""),
                higher("average_precision_50"),
                higher("average_precision_75"),
                higher("average_precision"),
                higher("f1_50"),
                higher("panoptic_quality"),
                count("count_error", "objects"),
                higher("iou"),
                higher("dice"),
                count("intersection", "px"),
                count("union", "px"),
                count("n_true_px", "px"),
                count("n_pixels", "px"),
                higher("aji"),
                higher("aji_plus"),
                ScoreColumn::new("merges", "objects", Better::Lower),
                ScoreColumn::new("splits", "objects", Better::Lower),
                ScoreColumn::new("hd95", "px", Better::Lower),
                higher("surface_dice"),
            ]);
            columns
        }
    }
}

/// What is put behind the names of a class's columns.
fn suffixes(classes: &[String]) -> Vec<String> {
    if classes.len() <= 2 {
        return vec![String::new()];
    }
    let mut suffixes: Vec<String> = Vec::with_capacity(classes.len());
    for (index, class) in classes.iter().enumerate() {
        let plain: String = class
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' })
            .collect();
        let mut suffix = format!("_{plain}");
        while suffixes.contains(&suffix) {
            suffix = format!("{suffix}_{index}");
        }
        suffixes.push(suffix);
    }
    suffixes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(task: Task, classes: &[&str]) -> Vec<String> {
        let classes: Vec<String> = classes.iter().map(ToString::to_string).collect();
        let columns = columns(task, &classes);
        assert_eq!(
            columns.len(),
            count(task, classes.len()),
            "the places and the list have the same length"
        );
        columns.into_iter().map(|c| c.name).collect()
    }

    #[test]
    fn columns_stand_where_their_places_say() {
        let c = names(Task::Classification, &["a", "b", "c"]);
        assert_eq!(
            (
                c[class::CORRECT].as_str(),
                c[class::LOG_LOSS].as_str(),
                c[class::BRIER].as_str()
            ),
            ("correct", "log_loss", "brier")
        );
        let s = names(Task::Semantic, &["background", "nucleus"]);
        assert_eq!(
            s,
            [
                "iou",
                "dice",
                "n_pixels",
                "hd95",
                "surface_dice",
                "intersection",
                "union",
                "n_true",
                "n_pred"
            ]
        );
        assert_eq!(s[semantic::BLOCKS + semantic::N_PRED], "n_pred");
        assert_eq!(names(Task::Semantic, &[]), s);
        let i = names(Task::Instance, &[]);
        for (place, name) in [
            (instance::TP, "tp_50"),
            (instance::TP + 9, "tp_95"),
            (instance::N_TRUE, "n_true"),
            (instance::N_PRED, "n_pred"),
            (instance::SUM_IOU_50, "sum_iou_50"),
            (instance::AP_50, "average_precision_50"),
            (instance::AP_75, "average_precision_75"),
            (instance::AP, "average_precision"),
            (instance::F1_50, "f1_50"),
            (instance::PQ, "panoptic_quality"),
            (instance::COUNT_ERROR, "count_error"),
            (instance::IOU, "iou"),
            (instance::DICE, "dice"),
            (instance::INTERSECTION, "intersection"),
            (instance::UNION, "union"),
            (instance::N_TRUE_PX, "n_true_px"),
            (instance::N_PIXELS, "n_pixels"),
            (instance::AJI, "aji"),
            (instance::AJI_PLUS, "aji_plus"),
            (instance::MERGES, "merges"),
            (instance::SPLITS, "splits"),
            (instance::HD95, "hd95"),
            (instance::SURFACE_DICE, "surface_dice"),
        ] {
            assert_eq!(i[place], name);
        }
    }

    #[test]
    fn names_of_columns_are_unique_for_any_names_of_classes() {
        let s = names(Task::Semantic, &["a b", "a-b", "a_b", "a b", "ü"]);
        let mut sorted = s.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), s.len(), "{s:?}");
        assert_eq!(
            s[semantic::BLOCKS + semantic::INTERSECTION],
            "intersection_a_b"
        );
    }
}
