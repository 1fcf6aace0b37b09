//! Values by hand: chance, pooling, empties, what does not apply.

use transect_core::{Classes, Instances, LabelImage, Prediction, Semantic, Task};
use transect_score::metric::{Rows, confusion, metric, metrics, per_class, primary};
use transect_score::{Overlaps, Rules, Truth, score};

fn classes(images: &[(Option<u32>, &[f32])]) -> Rows {
    let k = images[0].1.len();
    let mut rows = Rows::new(Task::Classification, k);
    for &(truth, p) in images {
        let classes = Classes {
            probabilities: p.to_vec(),
        };
        let pred = classes.class() as u32;
        let scores = truth.map_or(vec![None; 3], |t| {
            score(
                &Rules::new(Task::Classification, k),
                &Truth::Class(t),
                &Prediction::Classes(classes),
            )
            .unwrap()
        });
        rows.push(truth, Some(pred), p, &scores).unwrap();
    }
    rows
}

fn value(rows: &Rows, name: &str) -> f64 {
    metric(rows.task(), name)
        .unwrap()
        .evaluate_all(rows)
        .unwrap()
}

fn chance(rows: &Rows, name: &str) -> f64 {
    let all: Vec<usize> = (0..rows.len()).collect();
    metric(rows.task(), name)
        .unwrap()
        .chance(rows, &all)
        .unwrap()
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-12, "{a} and {b}");
}

fn row(labels: &[u32]) -> LabelImage {
    LabelImage::new(1, labels.len(), labels.to_vec()).unwrap()
}

fn instances(images: &[(&[u32], &[u32])]) -> Rows {
    let mut rows = Rows::new(Task::Instance, 0);
    for (truth, pred) in images {
        let pred = Prediction::Instances(Instances {
            labels: row(pred),
            confidences: Vec::new(),
        });
        let scores = score(
            &Rules::new(Task::Instance, 0),
            &Truth::Labels(row(truth)),
            &pred,
        )
        .unwrap();
        rows.push(None, None, &[], &scores).unwrap();
    }
    rows
}

fn masks(k: usize, images: &[(&[u32], &[u32])]) -> Rows {
    let mut rows = Rows::new(Task::Semantic, k);
    for (truth, pred) in images {
        let pred = Prediction::Semantic(Semantic {
            mask: row(pred),
            confidence: None,
            confidences: Vec::new(),
        });
        let truth = Truth::Mask {
            mask: row(truth),
            ignore: None,
        };
        rows.push(
            None,
            None,
            &[],
            &score(&Rules::new(Task::Semantic, k), &truth, &pred).unwrap(),
        )
        .unwrap();
    }
    rows
}

#[test]
fn the_primary_metric_is_the_first_and_the_only_one() {
    for (task, name) in [
        (Task::Classification, "accuracy"),
        (Task::Semantic, "iou"),
        (Task::Instance, "average_precision_50"),
    ] {
        assert_eq!(primary(task).name, name);
        assert_eq!(metrics(task).iter().filter(|m| m.primary).count(), 1);
        assert!(
            metrics(task)
                .iter()
                .all(|m| m.task() == task && metric(task, m.name) == Some(m))
        );
    }
}

#[test]
fn chance_is_what_the_best_constant_prediction_reaches() {
    // The constant prediction, measured as any other.
    let always = |p: [f32; 3], truths: &[u32]| {
        classes(
            &truths
                .iter()
                .map(|&t| (Some(t), &p[..]))
                .collect::<Vec<_>>(),
        )
    };
    let truths = [0, 0, 0, 0, 0, 1, 1, 2];
    let sure = always([1.0, 0.0, 0.0], &truths);
    for name in ["accuracy", "balanced_accuracy", "macro_f1", "mcc", "auroc"] {
        close(chance(&sure, name), value(&sure, name));
    }
    let frequencies = always([0.625, 0.25, 0.125], &truths);
    for name in ["log_loss", "brier"] {
        close(chance(&frequencies, name), value(&frequencies, name));
    }
}

#[test]
fn chance_of_masks_is_the_better_of_one_class_everywhere() {
    let check = |k: u32, truths: &[&[u32]]| {
        let everywhere = |class: u32| {
            let pred = vec![class; truths[0].len()];
            masks(
                k as usize,
                &truths.iter().map(|&t| (t, &pred[..])).collect::<Vec<_>>(),
            )
        };
        for name in ["iou", "dice", "pooled_iou", "pooled_dice"] {
            let best = (0..k)
                .map(|c| value(&everywhere(c), name))
                .fold(0.0, f64::max);
            close(chance(&everywhere(0), name), best);
        }
    };
    check(2, &[&[0, 0, 1, 1], &[0, 0, 0, 0], &[1, 1, 1, 1]]);
    check(4, &[&[0, 0, 1, 2, 3], &[1, 1, 1, 0, 0]]);
}

#[test]
fn chance_of_objects_is_never_finding_one() {
    let none = [0; 4];
    let rows = instances(&[
        (&[0, 1, 2, 0], &none),
        (&none, &none),
        (&[1, 1, 0, 0], &none),
        (&[4, 0, 5, 6], &none),
    ]);
    for name in [
        "average_precision_50",
        "average_precision_75",
        "average_precision",
        "f1_50",
        "panoptic_quality",
    ] {
        close(chance(&rows, name), value(&rows, name));
        close(chance(&rows, name), 0.25);
    }
    for name in [
        "pooled_average_precision_50",
        "pooled_f1_50",
        "pooled_panoptic_quality",
    ] {
        close(chance(&rows, name), value(&rows, name));
    }
    // Counts 0, 1, 2, 3; the best constant is any of 1 to 2.
    close(chance(&rows, "count_mae"), 1.0);
    let all = [0, 1, 2, 3];
    assert_eq!(
        metric(Task::Instance, "count_error")
            .unwrap()
            .chance(&rows, &all),
        None
    );
    assert!(
        chance(&rows, "iou") > 0.25,
        "all foreground beats none here: {}",
        chance(&rows, "iou")
    );
}

#[test]
fn pooled_values_weigh_objects_and_means_weigh_images() {
    // One image with one object found, one with four objects and none found.
    let rows = instances(&[
        (&[1, 1, 0, 0, 0, 0], &[9, 9, 0, 0, 0, 0]),
        (&[1, 2, 3, 4, 0, 0], &[0, 0, 0, 0, 0, 0]),
    ]);
    close(value(&rows, "average_precision_50"), 0.5);
    close(value(&rows, "pooled_average_precision_50"), 0.2);
    close(value(&rows, "pooled_f1_50"), 2.0 / 6.0);
    close(value(&rows, "pooled_panoptic_quality"), 2.0 / 6.0);
    close(value(&rows, "count_error"), -2.0);
    close(value(&rows, "count_mae"), 2.0);
    close(value(&rows, "iou"), 0.5);
    close(value(&rows, "pooled_iou"), 2.0 / 6.0);
    close(value(&rows, "pooled_dice"), 4.0 / 8.0);
    // The first image three times: pooled over three objects and four.
    let pooled = metric(Task::Instance, "pooled_average_precision_50").unwrap();
    close(pooled.evaluate(&rows, &[0, 0, 0, 1]).unwrap(), 3.0 / 7.0);
}

#[test]
fn a_threshold_is_met_when_it_is_reached() {
    // 11 of 20 pixels: exactly 0.55; 1 of 2: exactly 0.5.
    let truth = row(&[1; 20]);
    let mut pred = [0; 20];
    pred[..11].fill(1);
    let overlaps = Overlaps::count(&truth, &row(&pred)).unwrap();
    assert_eq!(
        (overlaps.matching(0.55).tp(), overlaps.matching(0.6).tp()),
        (1, 0)
    );
    let overlaps = Overlaps::count(&row(&[1, 1]), &row(&[1, 0])).unwrap();
    assert_eq!(
        (overlaps.matching(0.5).tp(), overlaps.matching(0.55).tp()),
        (1, 0)
    );
    // A perfect pair is matched at 1.
    assert_eq!(
        Overlaps::count(&truth, &truth).unwrap().matching(1.0).tp(),
        1
    );
}

#[test]
fn objects_that_do_not_touch_are_never_matched() {
    let overlaps = Overlaps::count(&row(&[1, 0]), &row(&[0, 1])).unwrap();
    assert_eq!(overlaps.matching(0.0).tp(), 0);
    assert_eq!(overlaps.matching(-1.0).tp(), 0);
}

#[test]
fn rows_without_truth_are_left_out_and_not_counted_as_wrong() {
    let rows = classes(&[
        (Some(0), &[0.8, 0.2]),
        (None, &[0.1, 0.9]),
        (Some(1), &[0.3, 0.7]),
    ]);
    for (name, expected) in [
        ("accuracy", 1.0),
        ("balanced_accuracy", 1.0),
        ("macro_f1", 1.0),
        ("mcc", 1.0),
        ("auroc", 1.0),
    ] {
        close(value(&rows, name), expected);
    }
    assert_eq!(confusion(&rows, &[0, 1, 2]), [[1, 0], [0, 1]]);
    let only = [1];
    for m in metrics(Task::Classification) {
        assert_eq!(m.evaluate(&rows, &only), None, "{}", m.name);
        assert_eq!(m.chance(&rows, &only), None, "{}", m.name);
        assert_eq!(m.per_image(&rows, 1), None, "{}", m.name);
        assert_eq!(m.evaluate(&rows, &[]), None, "{}", m.name);
    }
}

#[test]
fn per_class_numbers_are_those_of_the_confusion() {
    let p: [&[f32]; 3] = [&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0], &[0.0, 0.0, 1.0]];
    let rows = classes(&[
        (Some(0), p[0]),
        (Some(0), p[1]),
        (Some(1), p[1]),
        (Some(1), p[1]),
    ]);
    let per_class = per_class(&rows, &[0, 1, 2, 3]);
    assert_eq!(per_class[0].recall, Some(0.5));
    assert_eq!(per_class[0].precision, Some(1.0));
    assert_eq!(per_class[1].precision, Some(2.0 / 3.0));
    assert_eq!(per_class[1].f1, Some(0.8));
    assert_eq!(
        (per_class[2].recall, per_class[2].precision, per_class[2].f1),
        (None, None, None)
    );
    close(value(&rows, "balanced_accuracy"), 0.75);
}

#[test]
fn metrics_of_another_task_do_not_apply() {
    let rows = classes(&[(Some(0), &[0.8, 0.2])]);
    let iou = primary(Task::Semantic);
    assert_eq!(
        (
            iou.evaluate(&rows, &[0]),
            iou.per_image(&rows, 0),
            iou.chance(&rows, &[0])
        ),
        (None, None, None)
    );
}

#[test]
fn scores_that_do_not_fit_the_columns_are_refused() {
    let mut rows = Rows::new(Task::Classification, 2);
    assert_eq!(
        rows.push(Some(0), Some(0), &[], &[None])
            .unwrap_err()
            .code
            .id,
        "T205"
    );
    assert!(rows.is_empty());
}

#[test]
fn truth_and_prediction_of_different_sorts_are_refused() {
    let probabilities = Prediction::Classes(Classes {
        probabilities: vec![0.5, 0.5],
    });
    let objects = Prediction::Instances(Instances {
        labels: row(&[1]),
        confidences: Vec::new(),
    });
    let mask = Prediction::Semantic(Semantic {
        mask: row(&[1]),
        confidence: None,
        confidences: Vec::new(),
    });
    let labels = Truth::Labels(row(&[1]));
    let code = |task, k, truth: &Truth, pred: &Prediction| {
        score(&Rules::new(task, k), truth, pred)
            .unwrap_err()
            .code
            .id
    };
    assert_eq!(
        code(Task::Classification, 2, &labels, &probabilities),
        "T203"
    );
    assert_eq!(code(Task::Semantic, 3, &labels, &mask), "T203");
    assert_eq!(code(Task::Semantic, 2, &Truth::Class(0), &mask), "T203");
    assert_eq!(
        code(
            Task::Instance,
            0,
            &Truth::Mask {
                mask: row(&[1]),
                ignore: None
            },
            &objects
        ),
        "T203"
    );
    assert_eq!(code(Task::Instance, 0, &labels, &mask), "T204");
    assert_eq!(
        code(
            Task::Instance,
            0,
            &labels,
            &Prediction::Instances(Instances {
                labels: row(&[1, 2]),
                confidences: vec![]
            })
        ),
        "T201"
    );
    assert_eq!(
        score(&Rules::new(Task::Semantic, 2), &labels, &mask).unwrap()[0],
        Some(1.0)
    );
}

#[test]
fn thousands_of_objects_with_large_labels_are_matched() {
    // 6,400 objects of 8 × 8 pixels, moved by one pixel: IoU 7·7/(128 − 49).
    let (side, n) = (8, 80);
    let size = side * n;
    let label = |r: usize, c: usize| ((r / side) * n + c / side + 1) as u32 * 600_000;
    let truth = LabelImage::new(
        size,
        size,
        (0..size * size)
            .map(|i| label(i / size, i % size))
            .collect(),
    )
    .unwrap();
    let moved = (0..size * size)
        .map(|i| label((i / size + 1) % size, (i % size + 1) % size))
        .collect();
    let pred = LabelImage::new(size, size, moved).unwrap();
    let overlaps = Overlaps::count(&truth, &pred).unwrap();
    assert_eq!(overlaps.n_true(), n * n);
    assert_eq!(overlaps.pairs().len(), 4 * n * n);
    for (thresh, tp) in [(0.1, n * n), (0.5, n * n), (0.6, n * n), (0.65, 0)] {
        assert_eq!(overlaps.matching(thresh).tp(), tp, "at {thresh}");
    }
}
