//! What is odd, empty or missing ends in a finding that says so, never in a number that is none.

use transect_anatomy::plan;
use transect_core::{
    Measurement, Request, Role, Selection, Stage, Status, Task, TruthRef, Verdict, ViewKind,
};
use transect_table::MemoryTables;

use super::*;

/// What holds of every judged run.
fn sound(tables: &MemoryTables) -> Judged {
    let judged = judge(tables).expect("any tables can be judged");
    let mut ids = std::collections::BTreeSet::new();
    for f in judged.findings.iter().chain(&judged.outside) {
        assert!(ids.insert(f.id.clone()), "{} twice", f.id);
        assert!(f.id.starts_with(&format!("{}.", f.mode)), "{}", f.id);
        assert!(
            !f.claim.is_empty() && !f.claim.contains("NaN"),
            "{}: {}",
            f.id,
            f.claim
        );
        for number in f.estimate.iter().chain(f.interval.iter().flatten()) {
            assert!(number.is_finite(), "{}: {number}", f.id);
        }
        if let (Some(e), Some([low, high])) = (f.estimate, f.interval) {
            assert!(
                low <= e + 1e-9 && e <= high + 1e-9,
                "{}: {low} {e} {high}",
                f.id
            );
        }
        match f.verdict {
            Verdict::NotAssessable => assert!(f.missing.is_some(), "{} says what is missing", f.id),
            Verdict::Fail => assert!(
                f.primary && f.p_adjusted.is_some_and(|p| p <= 0.05),
                "{}",
                f.id
            ),
            Verdict::Pass | Verdict::Warn => {
                assert!(
                    f.interval.is_some()
                        || f.id.contains("tolerance")
                        || f.caveats.iter().any(|c| c.starts_with("counted")),
                    "{} has no interval",
                    f.id
                );
            }
            Verdict::Undecided | Verdict::Described => {}
        }
    }
    let modes: std::collections::BTreeSet<&str> = judged
        .findings
        .iter()
        .chain(&judged.outside)
        .map(|f| f.mode.as_str())
        .collect();
    assert_eq!(
        modes.len(),
        transect_anatomy::modes().len(),
        "every mode says something: {modes:?}"
    );
    let mut figures = std::collections::BTreeSet::new();
    for figure in &judged.figures {
        assert!(
            figures.insert(figure.id.clone()),
            "figure {} twice",
            figure.id
        );
    }
    for answer in [
        &judged.headline.works,
        &judged.headline.wrong,
        &judged.headline.label,
    ] {
        assert!(!answer.text.is_empty());
        for id in &answer.findings {
            assert!(
                ids.contains(id),
                "the headline rests on {id}, which is no finding"
            );
        }
    }
    // JSON has no NaN and no infinity: what cannot be written would be lost as null.
    let all = format!("{judged:?}");
    for lost in ["NaN", "(inf", "(-inf", ": inf", ": -inf"] {
        assert!(
            !all.contains(lost),
            "{lost} in {}",
            all.split(lost)
                .next()
                .unwrap_or("")
                .chars()
                .rev()
                .take(300)
                .collect::<String>()
                .chars()
                .rev()
                .collect::<String>()
        );
    }
    let text = serde_json::to_string(&judged).expect("a judged run can be written");
    serde_json::from_str::<Judged>(&text).expect("and read");
    judged
}

fn small() -> Scenario {
    Scenario {
        reference: 30,
        target: 30,
        ..Scenario::default()
    }
}

#[test]
fn a_full_run_is_sound_and_judged_the_same_again() {
    let t = tables(&Scenario {
        target_score: 0.7,
        failed: 0.1,
        throughput: Some(1e6),
        ..Scenario::default()
    });
    let first = sound(&t);
    assert_eq!(
        serde_json::to_string(&first).unwrap(),
        serde_json::to_string(&judge(&t).unwrap()).unwrap()
    );
}

#[test]
fn no_rows_at_all() {
    let j = sound(&tables(&Scenario {
        reference: 0,
        target: 0,
        ..Scenario::default()
    }));
    assert_eq!(verdict(&j, "performance.accuracy"), Verdict::NotAssessable);
    assert_eq!(verdict(&j, "shift.harm"), Verdict::NotAssessable);
    assert_eq!(j.headline.works.verdict, Verdict::NotAssessable);
}

#[test]
fn one_image() {
    for (reference, target) in [(0, 1), (1, 1), (30, 1), (1, 30)] {
        let j = sound(&tables(&Scenario {
            reference,
            target,
            ..Scenario::default()
        }));
        if target == 1 {
            let passed: Vec<&str> = j
                .findings
                .iter()
                .filter(|f| f.verdict == Verdict::Pass)
                .map(|f| f.id.as_str())
                .collect();
            assert!(passed.is_empty(), "one image passes nothing: {passed:?}");
        }
    }
}

#[test]
fn no_reference_leaves_shift_open_and_says_what_is_missing() {
    let j = sound(&tables(&Scenario {
        reference: 0,
        ..small()
    }));
    for id in [
        "shift.classifier_auc",
        "shift.outside_envelope",
        "shift.class_mix",
        "shift.harm",
        "shift.carries",
    ] {
        let f = find(&j, id);
        assert_eq!(f.verdict, Verdict::NotAssessable, "{id}");
        assert!(f.missing.as_ref().unwrap().contains("--reference"), "{id}");
    }
    assert_ne!(verdict(&j, "performance.accuracy"), Verdict::NotAssessable);
}

#[test]
fn no_truth_leaves_the_score_open_and_still_looks_at_the_images() {
    let j = sound(&tables(&Scenario {
        truth: false,
        shift: 2.0,
        ..Scenario::default()
    }));
    assert_eq!(verdict(&j, "performance.accuracy"), Verdict::NotAssessable);
    assert_eq!(verdict(&j, "shift.harm"), Verdict::NotAssessable);
    assert_eq!(verdict(&j, "shift.classifier_auc"), Verdict::Fail);
    assert_eq!(
        j.headline.works.verdict,
        Verdict::Warn,
        "a shift is a reason to doubt"
    );
    assert!(
        j.headline.label.text.contains("385"),
        "{}",
        j.headline.label.text
    );
    let same = judge(&tables(&Scenario {
        truth: false,
        ..Scenario::default()
    }))
    .unwrap();
    assert_eq!(
        same.headline.works.verdict,
        Verdict::Undecided,
        "no shift is no proof"
    );
}

#[test]
fn one_class() {
    let j = sound(&tables(&Scenario {
        classes: 1,
        ..small()
    }));
    assert_eq!(
        verdict(&j, "calibration.log_loss_gain"),
        Verdict::NotAssessable
    );
    assert_eq!(verdict(&j, "performance.auroc"), Verdict::NotAssessable);
    let mut t = tables(&small());
    for item in &mut t.items {
        item.truth_class = Some(0);
    }
    sound(&t);
}

#[test]
fn one_group() {
    let j = sound(&tables(&Scenario {
        group_size: 30,
        target_score: 0.3,
        ..small()
    }));
    assert_eq!(verdict(&j, "performance.accuracy"), Verdict::Undecided);
    assert_eq!(verdict(&j, "shift.harm"), Verdict::Undecided);
    assert_eq!(verdict(&j, "shift.classifier_auc"), Verdict::NotAssessable);
    assert!(
        j.findings
            .iter()
            .all(|f| !matches!(f.verdict, Verdict::Fail))
    );
}

#[test]
fn all_right_and_all_wrong_have_intervals() {
    let right = sound(&tables(&Scenario {
        reference_score: 1.0,
        target_score: 1.0,
        claim: Some(0.95),
        ..Scenario::default()
    }));
    let f = find(&right, "performance.accuracy");
    let [low, high] = f.interval.unwrap();
    assert!(
        (0.97..0.99).contains(&low) && high == 1.0,
        "Clopper and Pearson: {low} {high}"
    );
    assert_eq!(f.verdict, Verdict::Pass);
    assert_eq!(right.headline.wrong.verdict, Verdict::Described);
    let wrong = sound(&tables(&Scenario {
        reference_score: 0.9,
        target_score: 0.0,
        ..Scenario::default()
    }));
    assert_eq!(verdict(&wrong, "performance.accuracy"), Verdict::Fail);
    assert_eq!(verdict(&wrong, "shift.harm"), Verdict::Fail);
    assert_eq!(wrong.headline.works.verdict, Verdict::Fail);
    for f in wrong
        .findings
        .iter()
        .filter(|f| f.mode == "robustness" && !f.id.contains("role=reference"))
    {
        assert_eq!(
            f.verdict,
            Verdict::NotAssessable,
            "a score at chance cannot bend: {}",
            f.id
        );
    }
}

#[test]
fn rows_that_failed_are_counted_and_never_scored() {
    let mut t = tables(&small());
    let fail = |m: &mut Measurement| {
        m.status = Status::Failed;
        m.error_code = Some("T321".to_owned());
        m.scores.fill(None);
        m.outputs.clear();
        m.pred_class = None;
    };
    t.measurements
        .iter_mut()
        .filter(|m| m.row >= 30 && m.row < 45)
        .for_each(fail);
    let j = sound(&t);
    let f = find(&j, "performance.not_measured");
    assert_eq!((f.estimate, f.n), (Some(15.0 / 60.0), 60));
    assert!(f.claim.contains("15 with T321"), "{}", f.claim);
    assert_eq!(find(&j, "performance.accuracy").n, 15);
    t.measurements.iter_mut().for_each(fail);
    let none = sound(&t);
    assert_eq!(
        verdict(&none, "performance.accuracy"),
        Verdict::NotAssessable
    );
    assert!(
        find(&none, "performance.accuracy")
            .claim
            .contains("30 failed")
    );
}

#[test]
fn classes_that_the_model_lacks_are_counted_apart() {
    let mut t = tables(&small());
    for item in &mut t.items[30..37] {
        item.truth_class = None;
        item.item.truth = TruthRef::Class("basophil".to_owned());
    }
    let j = sound(&t);
    let f = find(&j, "performance.outside_classes");
    assert!(
        f.claim.contains("7 of 60") && f.claim.contains("basophil (7)"),
        "{}",
        f.claim
    );
    assert_eq!(find(&j, "performance.accuracy").n, 23);
}

#[test]
fn predictions_alone_leave_what_needs_the_model_open() {
    let mut t = tables(&Scenario {
        target_score: 0.5,
        ..Scenario::default()
    });
    t.run.context.predictions_only = true;
    t.measurements.retain(|m| m.view.kind == ViewKind::Identity);
    let j = sound(&t);
    for id in [
        "robustness.tolerance",
        "shift.carries",
        "cost.seconds_per_image",
    ] {
        assert_eq!(verdict(&j, id), Verdict::NotAssessable, "{id}");
    }
    assert_eq!(verdict(&j, "shift.harm"), Verdict::Fail);
    let requests = plan(&t.run.context);
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(requests[0].views.len(), 1, "the images themselves");
}

#[test]
fn no_probabilities_leave_confidence_open() {
    let j = sound(&tables(&Scenario {
        outputs: false,
        ..small()
    }));
    for id in [
        "calibration.log_loss_gain",
        "performance.auroc",
        "performance.log_loss",
    ] {
        assert_eq!(verdict(&j, id), Verdict::NotAssessable, "{id}");
    }
    assert_ne!(verdict(&j, "performance.macro_f1"), Verdict::NotAssessable);
}

#[test]
fn outputs_that_are_no_probabilities_are_left_out() {
    let mut t = tables(&small());
    for m in &mut t.measurements {
        for p in &mut m.outputs {
            *p *= 3.0;
        }
    }
    assert_eq!(
        verdict(&sound(&t), "calibration.log_loss_gain"),
        Verdict::NotAssessable
    );
}

#[test]
fn domains_and_strata_of_one_image() {
    let mut t = tables(&small());
    t.run.context.stratum = Some("modality".to_owned());
    for (i, item) in t.items.iter_mut().enumerate() {
        item.item.domain = Some(format!("D{i}"));
        item.item.stratum = Some(if i == 31 { "odd" } else { "usual" }.to_owned());
    }
    let j = sound(&t);
    let f = find(&j, "performance.accuracy[domain=D31]");
    assert_eq!((f.verdict, f.n), (Verdict::Described, 1));
    assert_eq!(
        verdict(&j, "performance.accuracy[stratum=odd]"),
        Verdict::Described
    );
    assert_ne!(
        verdict(&j, "performance.accuracy[stratum=usual]"),
        Verdict::Described
    );
}

#[test]
fn everything_tied() {
    let mut t = tables(&small());
    for item in &mut t.items {
        for value in item.attributes.iter_mut().flatten() {
            *value = 1.0;
        }
    }
    for m in &mut t.measurements {
        m.outputs.fill(0.25);
        m.confidence = Some(0.25);
    }
    let j = sound(&t);
    assert_eq!(
        verdict(&j, "shift.classifier_auc"),
        Verdict::NotAssessable,
        "no attribute varies"
    );
}

#[test]
fn an_image_listed_twice_is_one_image() {
    let mut t = tables(&Scenario {
        reference: 0,
        target: 60,
        target_score: 0.6,
        ..Scenario::default()
    });
    let once = find(&judge(&t).unwrap(), "performance.accuracy")
        .interval
        .unwrap();
    let n = t.items.len();
    for i in 0..n {
        let mut item = t.items[i].clone();
        item.item.row = (n + i) as u32;
        t.items.push(item);
    }
    let again: Vec<Measurement> = t
        .measurements
        .iter()
        .map(|m| Measurement {
            row: m.row + n as u32,
            ..m.clone()
        })
        .collect();
    t.measurements.extend(again);
    let f = find(&sound(&t), "performance.accuracy").clone();
    assert_eq!(f.groups, Some(60.0));
    let twice = f.interval.unwrap();
    assert!(
        (once[1] - once[0]) - (twice[1] - twice[0]) < 0.02,
        "{once:?} {twice:?}"
    );
}

#[test]
fn a_claim_on_an_unknown_metric_is_said_to_be_one() {
    let mut t = tables(&small());
    t.run.context.claims.insert("map".to_owned(), 0.87);
    let j = sound(&t);
    assert!(
        find(&j, "performance.map")
            .missing
            .as_ref()
            .unwrap()
            .contains("accuracy")
    );
    t.run.context.claims.remove("accuracy");
    t.run.context.claims.insert("mcc".to_owned(), 0.8);
    let j = sound(&t);
    assert!(find(&j, "performance.mcc").primary && !find(&j, "performance.accuracy").primary);
}

#[test]
fn the_plan_asks_for_each_view_once() {
    let context = tables(&Scenario::default()).run.context;
    let requests = plan(&context);
    let asked: Vec<(Stage, Selection)> = requests.iter().map(|r| (r.stage, r.rows)).collect();
    assert_eq!(
        asked,
        [
            (Stage::Own, Selection::All),
            (Stage::Partner, Selection::Role(Role::Reference))
        ]
    );
    let of_all: Vec<&str> = transect_anatomy::modes()
        .iter()
        .filter(|m| {
            (m.plan)(&context)
                .iter()
                .any(|r| r.model == transect_core::AUDITED && r.rows == Selection::All)
        })
        .map(|m| m.name)
        .collect();
    assert!(
        of_all.starts_with(&["performance", "shift", "robustness"]),
        "{of_all:?}"
    );
    assert_eq!(requests[0].mode, of_all.join(", "));
    let count = |r: &Request| {
        r.views
            .iter()
            .map(transect_core::View::id)
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    assert_eq!(
        requests[0].views.len(),
        1 + 4 * 3,
        "quick: the image itself and three severities of four corruptions, on both sides"
    );
    for r in &requests {
        assert_eq!(count(r), r.views.len());
    }
    let alone = plan(&transect_core::Context {
        has_reference: false,
        ..context.clone()
    });
    assert!(
        alone
            .iter()
            .any(|r| r.rows == Selection::Role(Role::Target) && r.views.len() == 4 * 3),
        "without a reference the target only: {alone:?}"
    );
    let full = transect_core::Context {
        plan: transect_core::context::PlanLevel::Full,
        ..context
    };
    let requests = plan(&full);
    assert_eq!(
        requests[0].views.len(),
        1 + 2 * 5 * 3 + 2 * 5,
        "two are random and repeated three times"
    );
    let swaps = requests
        .iter()
        .find(|r| r.stage == Stage::Partner && r.rows == Selection::Role(Role::Reference))
        .unwrap();
    assert_eq!(
        swaps.views.len(),
        6 * 2 * 3,
        "six traits, two pools, three donors"
    );
}

#[test]
fn throughput_is_judged_outside_the_contract() {
    let slow = judged(&Scenario {
        seconds: 10.0,
        throughput: Some(20_000.0),
        ..small()
    });
    let f = find(slow, "cost.seconds_per_image");
    assert_eq!(f.verdict, Verdict::Warn, "{f:?}");
    assert!(
        slow.findings.iter().all(|f| f.mode != "cost"),
        "nothing that rests on the clock is in the contract"
    );
    let quick = judged(&Scenario {
        seconds: 0.1,
        throughput: Some(20_000.0),
        ..small()
    });
    assert_eq!(verdict(quick, "cost.seconds_per_image"), Verdict::Pass);
    assert_eq!(
        serde_json::to_string(&slow.findings).unwrap(),
        serde_json::to_string(&quick.findings).unwrap(),
        "timings change nothing in it"
    );
}

#[test]
fn semantic_runs_are_judged_by_iou() {
    let mut t = tables(&Scenario {
        task: Task::Instance,
        classes: 0,
        claim: None,
        ..small()
    });
    let columns = transect_score::columns(Task::Semantic, &[]);
    let old = t.run.context.score_columns.clone();
    let ap = old
        .iter()
        .position(|c| c.name == "average_precision_50")
        .unwrap();
    for m in &mut t.measurements {
        let iou = m.scores[ap];
        m.scores = columns
            .iter()
            .map(|c| if c.name == "n_pixels" { Some(1e4) } else { iou })
            .collect();
    }
    t.run.context.task = Task::Semantic;
    t.run.context.score_columns = columns;
    let j = sound(&t);
    assert!(
        find(&j, "performance.iou")
            .claim
            .contains("intersection over union")
    );
    assert!(find(&j, "shift.harm").claim.contains("IoU"));
}
