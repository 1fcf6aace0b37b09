//! What must hold for any truth and prediction.

use proptest::prelude::*;
use transect_core::{Classes, Instances, LabelImage, Prediction, Semantic, Task};
use transect_score::metric::{Rows, metrics};
use transect_score::{Overlaps, Rules, THRESHOLDS, Truth, columns, score};

const ROWS: usize = 9;
const COLUMNS: usize = 11;

/// Blocky label images, so that objects overlap in many ways.
fn labels() -> impl Strategy<Value = LabelImage> {
    prop::collection::vec(
        (0..ROWS, 0..COLUMNS, 1..6_usize, 1..6_usize, 0..7_u32),
        0..14,
    )
    .prop_map(|boxes| {
        let mut image = LabelImage::new(ROWS, COLUMNS, vec![0; ROWS * COLUMNS]).unwrap();
        for (top, left, height, width, label) in boxes {
            for r in top..(top + height).min(ROWS) {
                for c in left..(left + width).min(COLUMNS) {
                    image.labels_mut()[r * COLUMNS + c] = label;
                }
            }
        }
        image
    })
}

fn map(image: &LabelImage, to: impl Fn(u32) -> u32) -> LabelImage {
    LabelImage::new(
        image.rows(),
        image.columns(),
        image.labels().iter().map(|&l| to(l)).collect(),
    )
    .unwrap()
}

fn mirrored(image: &LabelImage) -> LabelImage {
    let labels = image
        .labels()
        .chunks(image.columns())
        .flat_map(|row| row.iter().rev().copied())
        .collect();
    LabelImage::new(image.rows(), image.columns(), labels).unwrap()
}

fn turned(image: &LabelImage) -> LabelImage {
    let (rows, columns) = (image.rows(), image.columns());
    let labels = (0..columns)
        .flat_map(|c| (0..rows).map(move |r| (rows - 1 - r) * columns + c))
        .map(|i| image.labels()[i])
        .collect();
    LabelImage::new(columns, rows, labels).unwrap()
}

fn instance(truth: &LabelImage, pred: &LabelImage) -> Vec<Option<f64>> {
    let pred = Prediction::Instances(Instances {
        labels: pred.clone(),
        confidences: Vec::new(),
    });
    score(
        &Rules::new(Task::Instance, 0),
        &Truth::Labels(truth.clone()),
        &pred,
    )
    .unwrap()
}

fn semantic(n_classes: usize, truth: &LabelImage, pred: &LabelImage) -> Vec<Option<f64>> {
    let pred = Prediction::Semantic(Semantic {
        mask: pred.clone(),
        confidence: None,
        confidences: Vec::new(),
    });
    let truth = Truth::Mask {
        mask: truth.clone(),
        ignore: None,
    };
    score(&Rules::new(Task::Semantic, n_classes), &truth, &pred).unwrap()
}

/// Most pairs, then the largest sum of IoU, by trying everything.
fn best_by_search(overlaps: &Overlaps, thresh: f64) -> (usize, f64) {
    fn go(overlaps: &Overlaps, thresh: f64, truth: usize, taken: &mut Vec<usize>) -> (usize, f64) {
        if truth == overlaps.n_true() {
            return (0, 0.0);
        }
        let mut best = go(overlaps, thresh, truth + 1, taken);
        for pair in overlaps
            .pairs()
            .iter()
            .filter(|p| p.truth == truth && p.iou >= thresh)
        {
            if !taken.contains(&pair.pred) {
                taken.push(pair.pred);
                let (n, sum) = go(overlaps, thresh, truth + 1, taken);
                taken.pop();
                if n + 1 > best.0 || (n + 1 == best.0 && sum + pair.iou > best.1) {
                    best = (n + 1, sum + pair.iou);
                }
            }
        }
        best
    }
    go(overlaps, thresh, 0, &mut Vec::new())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn an_object_image_against_itself_is_ideal(image in labels()) {
        let scores = instance(&image, &image);
        let names: Vec<String> = columns(Task::Instance, &[]).into_iter().map(|c| c.name).collect();
        let n = Overlaps::count(&image, &image).unwrap().n_true() as f64;
        for (name, value) in names.iter().zip(&scores) {
            let value = value.unwrap();
            match name.as_str() {
                "count_error" | "merges" | "splits" | "hd95" => prop_assert_eq!(value, 0.0, "{}", name),
                name if name.starts_with("tp_") => prop_assert_eq!(value, n),
                "average_precision_50" | "average_precision_75" | "average_precision" | "f1_50" | "panoptic_quality" | "iou"
                | "dice" | "aji" | "aji_plus" | "surface_dice" => prop_assert_eq!(value, 1.0, "{}", name),
                _ => {}
            }
        }
    }

    #[test]
    fn a_mask_against_itself_is_ideal(image in labels()) {
        let scores = semantic(7, &image, &image);
        let n = Some((ROWS * COLUMNS) as f64);
        prop_assert_eq!(&scores[..5], &[Some(1.0), Some(1.0), n, Some(0.0), Some(1.0)]);
    }

    #[test]
    fn new_labels_for_the_same_objects_change_nothing(truth in labels(), pred in labels()) {
        let far = |l: u32| if l == 0 { 0 } else { u32::MAX - 13 * l };
        prop_assert_eq!(instance(&truth, &pred), instance(&map(&truth, far), &map(&pred, |l| l * 1001)));
    }

    #[test]
    fn a_flip_or_turn_of_both_changes_nothing(truth in labels(), pred in labels()) {
        // Where candidates are equal, AJI takes the one that begins first: that may be another one after a turn.
        let without_aji = |scores: Vec<Option<f64>>| [&scores[..25], &scores[27..]].concat();
        let here = without_aji(instance(&truth, &pred));
        prop_assert_eq!(&here, &without_aji(instance(&mirrored(&truth), &mirrored(&pred))));
        prop_assert_eq!(&here, &without_aji(instance(&turned(&truth), &turned(&pred))));
        let here = semantic(7, &truth, &pred);
        prop_assert_eq!(&here, &semantic(7, &mirrored(&truth), &mirrored(&pred)));
        prop_assert_eq!(&here, &semantic(7, &turned(&truth), &turned(&pred)));
    }

    #[test]
    fn exchanging_truth_and_prediction_changes_only_the_sides(truth in labels(), pred in labels()) {
        let (a, b) = (instance(&truth, &pred), instance(&pred, &truth));
        prop_assert_eq!(&a[..10], &b[..10]);
        prop_assert_eq!(a[10], b[11]);
        prop_assert_eq!(&a[12..18], &b[12..18]);
        prop_assert_eq!(a[18].unwrap(), -b[18].unwrap());
        // Merges are the splits of the exchange; outlines have no sides.
        prop_assert_eq!((a[27], a[28]), (b[28], b[27]));
        prop_assert_eq!(&a[29..], &b[29..]);
    }

    #[test]
    fn one_to_one_never_aggregates_less_than_nothing_nor_more_than_the_foreground(truth in labels(), pred in labels()) {
        let scores = instance(&truth, &pred);
        let iou = scores[19].unwrap();
        for place in [25, 26] {
            let value = scores[place].unwrap();
            prop_assert!((0.0..=iou + 1e-12).contains(&value), "{} of {}", value, iou);
        }
    }

    #[test]
    fn the_matching_is_the_best_there_is(truth in labels(), pred in labels()) {
        let overlaps = Overlaps::count(&truth, &pred).unwrap();
        for thresh in THRESHOLDS.into_iter().chain([0.01, 0.1, 0.2, 0.3, 0.4]) {
            let matching = overlaps.matching(thresh);
            let (n, sum) = best_by_search(&overlaps, thresh);
            prop_assert_eq!(matching.tp(), n, "at {}", thresh);
            prop_assert!((matching.sum_iou - sum).abs() < 1e-7, "at {}: {} and {}", thresh, matching.sum_iou, sum);
            let mut once: Vec<usize> = matching.pairs.iter().map(|p| p.pred).collect();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), n, "one to one");
            prop_assert!(matching.pairs.iter().all(|p| p.iou >= thresh));
        }
    }

    #[test]
    fn the_order_of_rows_changes_no_metric(
        images in prop::collection::vec((0..3_u32, prop::collection::vec(0..5_u32, 3)), 2..30),
        seed in 0..1000_usize,
    ) {
        // Few different probabilities, so that there are many ties.
        let rows = |order: &[usize]| {
            let mut rows = Rows::new(Task::Classification, 3);
            for &i in order {
                let (truth, raw) = &images[i];
                let total = raw.iter().sum::<u32>().max(1) as f32;
                let probabilities: Vec<f32> = raw.iter().map(|&r| r as f32 / total).collect();
                let classes = Classes { probabilities: probabilities.clone() };
                let pred = classes.class() as u32;
                let scores = score(&Rules::new(Task::Classification, 3), &Truth::Class(*truth), &Prediction::Classes(classes)).unwrap();
                rows.push(Some(*truth), Some(pred), &probabilities, &scores).unwrap();
            }
            rows
        };
        let n = images.len();
        let forward: Vec<usize> = (0..n).collect();
        let mixed: Vec<usize> = (0..n).rev().map(|i| (i + seed) % n).collect();
        let (a, b) = (rows(&forward), rows(&mixed));
        for metric in metrics(Task::Classification) {
            match (metric.evaluate_all(&a), metric.evaluate_all(&b)) {
                (Some(x), Some(y)) => prop_assert!((x - y).abs() < 1e-12, "{}: {} and {}", metric.name, x, y),
                (x, y) => prop_assert_eq!(x, y),
            }
            let (lowest, highest) = metric.range;
            if let Some(x) = metric.evaluate_all(&a) {
                prop_assert!(x >= lowest - 1e-12 && x <= highest + 1e-12, "{} is {}", metric.name, x);
            }
            // A row taken twice is two rows.
            let twice: Vec<usize> = forward.iter().flat_map(|&i| [i, i]).collect();
            match (metric.evaluate(&a, &twice), metric.evaluate_all(&a)) {
                (Some(x), Some(y)) => prop_assert!((x - y).abs() < 1e-12, "{} of everything twice", metric.name),
                (x, y) => prop_assert_eq!(x, y),
            }
            if metric.is_mean() {
                let parts: Vec<f64> = (0..n).filter_map(|i| metric.per_image(&a, i)).collect();
                let mean = parts.iter().sum::<f64>() / parts.len() as f64;
                prop_assert!((metric.evaluate_all(&a).unwrap() - mean).abs() < 1e-12);
            }
        }
    }
}
