//! The mode `metric`: a number that cannot tell the model from what learned nothing, and one that can.

use transect_anatomy::metric;
use transect_anatomy::simulate::metric::{Planted, plant};
use transect_anatomy::simulate::{Scenario, tables_of};
use transect_anatomy::{Opinion, Study};
use transect_core::{Task, Verdict};

use super::{comes_to, of, verdicts};

const ID: &str = "metric.separation";

fn scenario(seed: u64) -> Scenario {
    Scenario {
        seed,
        reference: 0,
        claim: None,
        ..Scenario::default()
    }
}

fn opinion(scenario: &Scenario, planted: &Planted) -> Opinion {
    let mut made = tables_of(scenario, metric::plan);
    plant(&mut made, scenario, planted);
    metric::judge(&Study::new(&made).expect("it is there in these tables"))
        .expect("it is there in these tables")
}

/// How many runs pass, and how many fail.
fn count(runs: u64, make: &(dyn Fn(u64) -> (Scenario, Planted) + Sync)) -> (u64, u64) {
    verdicts(runs, &|seed| {
        let (scenario, planted) = make(seed);
        comes_to(&opinion(&scenario, &planted), ID)
    })
}

#[test]
fn copies_that_score_as_well_fail_the_metric_and_others_pass_it() {
    let blind = Planted {
        untrained: Some(0.92),
        ..Planted::default()
    };
    let s = Scenario {
        target_score: 0.77,
        ..scenario(1)
    };
    assert_eq!(comes_to(&opinion(&s, &blind), ID), Verdict::Fail);
    let sound = opinion(&scenario(1), &Planted::default());
    assert_eq!(comes_to(&sound, ID), Verdict::Pass);
    let f = of(&sound, ID);
    assert!(
        f.claim.contains("tells the model from everything"),
        "{}",
        f.claim
    );
    let all = of(&sound, "metric.separation_by_metric");
    assert!(all.claim.starts_with("Every one of"), "{}", all.claim);
    println!("{}\n{}", f.claim, of(&sound, "metric.choices").claim);
}

/// Nineteen of twenty images are of one class, and the model is right on nineteen of twenty.
#[test]
fn a_rare_class_makes_accuracy_blind_and_balanced_accuracy_not() {
    let s = Scenario {
        classes: 2,
        turned: 0.9,
        target: 400,
        target_score: 0.93,
        ..scenario(4)
    };
    let blind = opinion(
        &s,
        &Planted {
            untrained: Some(0.5),
            ..Planted::default()
        },
    );
    let f = of(&blind, ID);
    assert!(f.claim.contains("always class 0"), "{}", f.claim);
    assert_ne!(comes_to(&blind, ID), Verdict::Pass);
    let mut claimed = tables_of(&s, metric::plan);
    plant(
        &mut claimed,
        &s,
        &Planted {
            untrained: Some(0.5),
            ..Planted::default()
        },
    );
    claimed
        .run
        .context
        .claims
        .insert("balanced_accuracy".to_owned(), 0.9);
    let other = metric::judge(&Study::new(&claimed).unwrap()).unwrap();
    assert_eq!(comes_to(&other, ID), Verdict::Pass, "{:?}", of(&other, ID));
}

/// The least favourable null, the difference exactly at the margin, and the null of no difference: both errors stay rare.
fn false_alarms(runs: u64, most: u64) {
    let at_margin = count(runs, &|seed| {
        let s = Scenario {
            target_score: 0.82,
            ..scenario(seed)
        };
        let p = Planted {
            untrained: Some(0.80),
            ..Planted::default()
        };
        (s, p)
    });
    let none = count(runs, &|seed| {
        let s = Scenario {
            target_score: 0.8,
            ..scenario(1_000 + seed)
        };
        let p = Planted {
            untrained: Some(0.8),
            ..Planted::default()
        };
        (s, p)
    });
    println!("at the margin (passes, fails): {at_margin:?}; no difference: {none:?}");
    assert!(at_margin.1 <= most, "{at_margin:?}");
    assert!(none.0 <= most, "{none:?}");
}

#[test]
fn false_alarms_are_rare() {
    false_alarms(8, 3);
}

#[test]
#[ignore = "minutes: the full version"]
fn false_alarms_are_rare_in_full() {
    false_alarms(500, 40);
}

#[test]
fn few_groups_settle_nothing() {
    let s = Scenario {
        group_size: 50,
        group_share: 0.5,
        ..scenario(3)
    };
    assert_eq!(
        comes_to(&opinion(&s, &Planted::default()), ID),
        Verdict::Undecided
    );
}

#[test]
fn predictions_alone_are_told_from_constant_answers_only() {
    let o = opinion(
        &scenario(5),
        &Planted {
            untrained: None,
            ..Planted::default()
        },
    );
    assert_eq!(comes_to(&o, ID), Verdict::Pass);
    assert!(
        of(&o, ID)
            .caveats
            .iter()
            .any(|c| c.contains("were not run"))
    );
    let outlines = opinion(
        &Scenario {
            task: Task::Instance,
            classes: 0,
            ..scenario(5)
        },
        &Planted {
            untrained: None,
            ..Planted::default()
        },
    );
    assert_eq!(of(&outlines, ID).verdict, Verdict::NotAssessable);
}

fn outlines(seed: u64) -> Scenario {
    Scenario {
        task: Task::Instance,
        classes: 0,
        target_score: 0.7,
        ..scenario(seed)
    }
}

#[test]
fn a_metric_that_goes_against_the_counts_is_named() {
    let s = outlines(6);
    let mut made = tables_of(&s, metric::plan);
    plant(&mut made, &s, &Planted::default());
    let place = |name: &str| {
        let columns = &made.run.context.score_columns;
        columns.iter().position(|c| c.name == name).unwrap()
    };
    let (ap, n_pred, error) = (
        place("average_precision_50"),
        place("n_pred"),
        place("count_error"),
    );
    // The better the outlines, the worse the count.
    for m in &mut made.measurements {
        if let Some(score) = m.scores[ap] {
            let off = (10.0 * score).round();
            m.scores[n_pred] = m.scores[n_pred].map(|n| n + off);
            m.scores[error] = Some(off);
        }
    }
    let against = metric::judge(&Study::new(&made).unwrap()).unwrap();
    let f = of(&against, "metric.ranks_images");
    assert!(f.claim.contains("inversely"), "{}", f.claim);
    assert!(f.estimate.unwrap() < -0.9 && f.interval.unwrap()[1] < 0.0);
    for m in &mut made.measurements {
        if let Some(score) = m.scores[ap] {
            let off = (20.0 * (1.0 - score)).round();
            m.scores[error] = Some(off);
            m.scores[n_pred] = m.scores[place_of(&made.run.context, "n_true")].map(|n| n + off);
        }
    }
    let alike = metric::judge(&Study::new(&made).unwrap()).unwrap();
    let f = of(&alike, "metric.ranks_images");
    assert!(
        f.claim.contains("rank images in the same direction"),
        "{}",
        f.claim
    );
}

fn place_of(context: &transect_core::Context, name: &str) -> usize {
    context
        .score_columns
        .iter()
        .position(|c| c.name == name)
        .expect("it is there in these tables")
}

#[test]
fn the_ceiling_is_what_the_annotators_reach() {
    let with = |annotator| {
        opinion(
            &Scenario {
                target_score: 0.9,
                ..scenario(7)
            },
            &Planted {
                annotator: Some(annotator),
                ..Planted::default()
            },
        )
    };
    let over = with(0.7);
    let f = of(&over, "metric.ceiling");
    assert!(f.claim.contains("that annotator's habits"), "{}", f.claim);
    assert!((f.estimate.unwrap() - 0.2).abs() < 0.1);
    let under = with(0.995);
    let f = of(&under, "metric.ceiling");
    assert!(f.claim.contains("there is room"), "{}", f.claim);
    let none = opinion(&scenario(7), &Planted::default());
    assert_eq!(of(&none, "metric.ceiling").verdict, Verdict::NotAssessable);
}

#[test]
fn thresholds_and_empty_images_move_the_number_by_what_is_computed_by_hand() {
    let s = outlines(8);
    let mut made = tables_of(&s, metric::plan);
    plant(
        &mut made,
        &s,
        &Planted {
            thresholds: vec![(0.3, 0.5), (0.7, 0.6)],
            ..Planted::default()
        },
    );
    let (ap, n_true) = (
        place_of(&made.run.context, "average_precision_50"),
        place_of(&made.run.context, "n_true"),
    );
    // Of 200 images 40 hold nothing and get 1, the others 0.5, 0.25 at one threshold, 0.75 at the other.
    for m in &mut made.measurements {
        let empty = m.row < 40;
        let score = match m.model_id.as_str() {
            _ if empty => 1.0,
            "threshold:0.3" => 0.25,
            "threshold:0.7" => 0.75,
            _ => 0.5,
        };
        m.scores[ap] = Some(score);
        if empty {
            m.scores[n_true] = Some(0.0);
        }
    }
    let o = metric::judge(&Study::new(&made).unwrap()).unwrap();
    let empty = of(&o, "metric.empty_images");
    assert_eq!(empty.estimate, Some(0.2));
    assert!(
        empty.claim.contains("is 0.6, without them 0.5"),
        "{}",
        empty.claim
    );
    // 0.2 + 0.8 · 0.25 = 0.4 to 0.2 + 0.8 · 0.75 = 0.8.
    let t = of(&o, "metric.thresholds");
    assert!((t.estimate.unwrap() - 0.4).abs() < 1e-12, "{t:?}");
    assert!(t.claim.contains("0.8 at the threshold 0.7") && t.claim.contains("0.4 at 0.3"));
    assert!(of(&o, "metric.choices").estimate.unwrap() >= 0.4 - 1e-12);
}
