//! Nothing is said that the data do not show.

use transect_core::context::PlanLevel;
use transect_core::figure::Drawing;
use transect_core::{Role, Task, TruthRef, Verdict};

use super::*;

/// A domain of one image has an estimate and no interval, in its finding, its sentence and its figure.
#[test]
fn one_image_has_no_interval() {
    for task in [Task::Classification, Task::Instance] {
        let mut t = tables(&Scenario {
            task,
            classes: if task == Task::Classification { 4 } else { 0 },
            claim: None,
            reference: 30,
            target: 30,
            ..Scenario::default()
        });
        t.items[30].item.domain = Some("alone".to_owned());
        let j = judge(&t).unwrap();
        let metric = transect_score::metric::primary(task).name;
        let f = find(&j, &format!("performance.{metric}[domain=alone]"));
        assert_eq!((f.n, f.interval, f.verdict), (1, None, Verdict::Described));
        assert!(
            f.estimate.is_some() && f.claim.contains("no interval") && !f.claim.contains('∞'),
            "{}",
            f.claim
        );
        let figure = j
            .figures
            .iter()
            .find(|f| f.id == "performance.domain")
            .unwrap();
        let Drawing::Forest { rows, .. } = &figure.drawing else {
            panic!("domains are drawn as a forest");
        };
        let row = rows.iter().find(|r| r.label.ends_with("alone")).unwrap();
        assert_eq!((row.low, row.high), (None, None));
    }
}

/// A model that is as bad as can be loses nothing more: that is no tolerance to be glad of.
#[test]
fn a_model_that_fails_passes_no_tolerance() {
    let run = |target_score: f64, claim: Option<f64>, reference: usize| {
        judged(&Scenario {
            target_score,
            claim,
            reference,
            plan: PlanLevel::Standard,
            ..Scenario::default()
        })
    };
    let id = "robustness.read_noise.tolerance";
    let good = run(0.9, Some(0.9), 0);
    assert_eq!(verdict(good, id), Verdict::Pass, "{:?}", find(good, id));
    for (why, bad) in [
        ("claim", run(0.55, Some(0.9), 0)),
        ("harm", run(0.55, None, 200)),
    ] {
        let f = find(bad, id);
        assert_eq!(f.verdict, Verdict::Described, "{why}: {f:?}");
        assert!(f.caveats[0].contains("little may be left to lose"), "{why}");
        assert!(
            bad.findings
                .iter()
                .filter(|f| f.mode == "robustness")
                .all(|f| f.verdict != Verdict::Pass),
            "{why}"
        );
    }
}

#[test]
fn what_the_reference_stands_is_measured_and_described() {
    let j = judged(&Scenario::default());
    for corruption in ["shot_noise", "read_noise", "defocus", "magnification"] {
        let f = find(
            j,
            &format!("robustness.{corruption}.tolerance[role=reference]"),
        );
        assert_eq!(f.verdict, Verdict::Described, "{f:?}");
        assert!(!f.primary && f.p.is_none());
        assert!(f.claim.contains("of the reference"), "{}", f.claim);
        assert_eq!(f.n, 200);
        assert!(f.evidence.sql.as_ref().unwrap().contains("'reference'"));
        let figure = j
            .figures
            .iter()
            .find(|f| f.id == format!("robustness.{corruption}"))
            .unwrap();
        let Drawing::Curve { series, .. } = &figure.drawing else {
            panic!("a curve");
        };
        assert_eq!(series.len(), 2);
    }
    // A target at chance leaves the reference's curves.
    let lost = judged(&Scenario {
        target_score: 0.2,
        ..Scenario::default()
    });
    assert_eq!(
        verdict(lost, "robustness.tolerance"),
        Verdict::NotAssessable
    );
    assert_eq!(
        verdict(lost, "robustness.defocus.tolerance[role=reference]"),
        Verdict::Described
    );
}

#[test]
fn the_headline_names_what_carries_a_part_of_the_loss() {
    let run = |carried: f64| {
        judged(&Scenario {
            reference: 300,
            target: 300,
            target_score: 0.5,
            shift: 1.5,
            carried,
            ..Scenario::default()
        })
    };
    let whole = run(0.9);
    let text = &whole.headline.wrong.text;
    assert!(
        text.contains("style of the target: the loss is carried by it"),
        "{text}"
    );
    assert!(text.contains("all that was moved together"), "{text}");
    let part = run(0.15);
    let f = find(part, "shift.carries[style]");
    let [low, high] = f.interval.unwrap();
    assert!(0.0 < low && low < 0.15 && 0.15 < high, "{f:?}");
    let text = &part.headline.wrong.text;
    assert!(
        text.contains("a part of the loss is carried by it"),
        "{text}"
    );
    assert!(!text.contains("No class, domain, trait"), "{text}");
    let none = run(0.0);
    assert!(
        !none.headline.wrong.text.contains("carried"),
        "{}",
        none.headline.wrong.text
    );
}

#[test]
fn no_answer_is_green_when_the_model_fails() {
    let j = judged(&Scenario {
        target_score: 0.5,
        ..Scenario::default()
    });
    assert_eq!(j.headline.works.verdict, Verdict::Fail);
    for answer in [&j.headline.works, &j.headline.wrong, &j.headline.label] {
        assert_ne!(answer.verdict, Verdict::Pass, "{answer:?}");
    }
}

#[test]
fn to_be_no_worse_than_a_bad_reference_is_not_to_work() {
    let j = judged(&Scenario {
        reference_score: 0.35,
        target_score: 0.55,
        claim: None,
        ..Scenario::default()
    });
    assert_eq!(verdict(j, "shift.harm"), Verdict::Pass);
    let works = &j.headline.works;
    assert_eq!(works.verdict, Verdict::Described, "{works:?}");
    assert!(!works.text.contains("Yes"), "{}", works.text);
}

/// Images of unknown classes are in no metric; a claim that holds on the rest is not a model that works.
#[test]
fn images_that_are_in_no_metric_hold_a_pass_back() {
    let mut t = tables(&Scenario {
        target: 400,
        target_score: 0.99,
        claim: Some(0.9),
        ..Scenario::default()
    });
    let before = judge(&t).unwrap();
    assert_eq!(
        before.headline.works.verdict,
        Verdict::Pass,
        "{:?}",
        before.headline.works
    );
    let target = t.items.iter_mut().filter(|i| i.item.role == Role::Target);
    for item in target.take(100) {
        item.truth_class = None;
        item.item.truth = TruthRef::Class("basophil".to_owned());
    }
    let j = judge(&t).unwrap();
    assert_eq!(verdict(&j, "performance.accuracy"), Verdict::Pass);
    assert_eq!(j.headline.works.verdict, Verdict::Warn);
    assert!(
        j.headline.works.text.contains("100 of 400"),
        "{}",
        j.headline.works.text
    );
}

#[test]
fn a_weak_class_is_named_and_a_class_that_is_low_by_chance_is_not() {
    let weak = judged(&Scenario {
        reference: 0,
        target: 400,
        target_score: 0.8,
        first_class_risk: 4.0,
        ..Scenario::default()
    });
    let text = &weak.headline.wrong.text;
    assert!(text.contains("Above all class class 0"), "{text}");
    // Twenty classes of twenty images: with an interval for each alone, two runs in three would name one.
    for seed in 0..2 {
        let j = judged(&Scenario {
            seed,
            reference: 0,
            target: 400,
            classes: 20,
            target_score: 0.7,
            ..Scenario::default()
        });
        let text = &j.headline.wrong.text;
        assert!(!text.contains("Above all"), "seed {seed}: {text}");
    }
}

/// Six groups and fewer: no number of further images of the same groups is said to settle anything.
#[test]
fn few_groups_are_not_settled_by_more_images_of_them() {
    let j = judged(&Scenario {
        group_size: 50,
        group_share: 0.6,
        target_score: 0.7,
        ..Scenario::default()
    });
    let f = find(j, "performance.accuracy");
    assert_eq!((f.verdict, f.n_needed), (Verdict::Undecided, None));
    assert!(
        j.headline.label.text.contains("More groups"),
        "{}",
        j.headline.label.text
    );
    let unclaimed = judged(&Scenario {
        group_size: 50,
        group_share: 0.6,
        claim: None,
        reference: 0,
        ..Scenario::default()
    });
    assert!(
        unclaimed.headline.label.text.contains("More groups"),
        "{}",
        unclaimed.headline.label.text
    );
}

/// Eight images, each perfect: their sample has no variance, which does not make their risk known.
#[test]
fn a_side_without_variation_is_not_known_exactly() {
    let mut t = tables(&Scenario {
        task: Task::Instance,
        classes: 0,
        reference: 100,
        target: 8,
        reference_score: 0.9,
        claim: None,
        ..Scenario::default()
    });
    let column = t
        .run
        .context
        .score_columns
        .iter()
        .position(|c| c.name == "average_precision_50")
        .unwrap();
    for m in t.measurements.iter_mut().filter(|m| m.row >= 100) {
        m.scores[column] = Some(1.0);
    }
    let j = judge(&t).unwrap();
    let f = find(&j, "shift.harm");
    let [low, high] = f.interval.unwrap();
    assert_eq!(f.verdict, Verdict::Undecided, "{f:?}");
    assert!(high > 0.05 && low < 0.0, "{low} {high}");
}
