//! Numbers that can be computed by hand, on tables set row by row.

use transect_core::{Measurement, Role, Task, Verdict, ViewKind};
use transect_table::MemoryTables;

use super::*;

/// Sets whether a prediction is right.
fn set(m: &mut Measurement, truth: u32, right: bool) {
    m.pred_class = Some(if right { truth } else { (truth + 1) % 4 });
    m.scores[0] = Some(f64::from(u8::from(right)));
}

/// A run whose images are right as `right(position on its side, role, view)` says.
fn exact(
    scenario: &Scenario,
    right: &dyn Fn(usize, Role, &transect_core::View) -> bool,
) -> MemoryTables {
    let mut t = tables(scenario);
    let (items, measurements) = (&t.items, &mut t.measurements);
    for m in measurements.iter_mut() {
        let item = &items[m.row as usize];
        let at = m.row as usize
            - if item.item.role == Role::Target {
                scenario.reference
            } else {
                0
            };
        let truth = item.truth_class.expect("these tables have classes");
        set(m, truth, right(at, item.item.role, &m.view));
    }
    t
}

#[track_caller]
fn near(got: Option<f64>, wanted: f64) {
    assert!(
        got.is_some_and(|g| (g - wanted).abs() < 1e-9),
        "{got:?} is not {wanted}"
    );
}

#[test]
fn shares_differences_and_their_words() {
    let scenario = Scenario {
        reference: 51,
        target: 17,
        claim: Some(0.961),
        outputs: false,
        ..Scenario::default()
    };
    let t = exact(&scenario, &|at, role, _| {
        if role == Role::Reference {
            at >= 2
        } else {
            at < 7
        }
    });
    let j = judge(&t).unwrap();
    near(find(&j, "performance.accuracy").estimate, 7.0 / 17.0);
    near(
        find(&j, "performance.accuracy[role=reference]").estimate,
        49.0 / 51.0,
    );
    near(find(&j, "shift.harm").estimate, 10.0 / 17.0 - 2.0 / 51.0);
    let claim = &find(&j, "performance.accuracy").claim;
    assert!(
        claim.starts_with("On 17 images of domain B the model is right on 41% (95% interval "),
        "{claim}"
    );
    assert!(
        claim.contains("; on the reference 96.1% (") && claim.ends_with("; claimed is 96.1%."),
        "{claim}"
    );
    assert_eq!(find(&j, "shift.harm").verdict, Verdict::Fail);
    // Worst first, of equals the one that comes first: the images that are wrong are the 7th to the last.
    assert_eq!(
        find(&j, "performance.accuracy").images[0],
        "image_00058.png"
    );
    assert_eq!(find(&j, "performance.accuracy").images.len(), 10);
}

#[test]
fn the_harm_is_split_over_shared_classes() {
    // Two classes. Reference: 30 of class 0 (3 wrong), 10 of class 1 (4 wrong). Target: 10 of class 0 (2 wrong), 30 of class 1 (15 wrong).
    let scenario = Scenario {
        reference: 40,
        target: 40,
        classes: 2,
        claim: None,
        ..Scenario::default()
    };
    let mut t = tables(&scenario);
    for (row, item) in t.items.iter_mut().enumerate() {
        item.truth_class = Some(u32::from(if row < 40 { row >= 30 } else { row >= 50 }));
    }
    for m in &mut t.measurements {
        let row = m.row as usize;
        let (at, wrong) = match row {
            0..30 => (row, 3),
            30..40 => (row - 30, 4),
            40..50 => (row - 40, 2),
            _ => (row - 50, 15),
        };
        let truth = t.items[row].truth_class.unwrap();
        m.pred_class = Some(if at < wrong { 1 - truth } else { truth });
        m.scores[0] = Some(f64::from(u8::from(at >= wrong)));
    }
    let j = judge(&t).unwrap();
    let (p, q) = ([0.75, 0.25], [0.25, 0.75]);
    let s: Vec<f64> = p.iter().zip(q).map(|(p, q)| p * q / (p + q)).collect();
    let conditional = s
        .iter()
        .zip([0.2 - 0.1, 0.5 - 0.4])
        .map(|(s, d)| s * d)
        .sum::<f64>()
        / s.iter().sum::<f64>();
    let total = 17.0 / 40.0 - 7.0 / 40.0;
    near(find(&j, "shift.harm").estimate, total);
    near(find(&j, "shift.harm_conditional").estimate, conditional);
    near(
        find(&j, "shift.harm_class_mix").estimate,
        total - conditional,
    );
    near(find(&j, "shift.class_mix").estimate, 0.5);
    near(find(&j, "performance.recall[class=class 1]").estimate, 0.5);
}

#[test]
fn the_share_that_a_trait_carries_is_the_ratio_of_the_rises() {
    // Reference: 5 of 100 wrong; target: 45 of 100. Style of the target: 35 wrong; of the reference: 15. Share (35 − 15)/40.
    let scenario = Scenario {
        reference: 100,
        target: 100,
        claim: None,
        ..Scenario::default()
    };
    let t = exact(&scenario, &|at, role, view| match (
        role,
        view.kind,
        view.pool.as_deref(),
        view.name.as_str(),
    ) {
        (Role::Target, ..) => at >= 45,
        (_, ViewKind::Swap, Some("target"), "style") => at >= 35,
        (_, ViewKind::Swap, Some("reference"), "style") => at >= 15,
        _ => at >= 5,
    });
    let j = judge(&t).unwrap();
    near(find(&j, "shift.carries[style]").estimate, 0.5);
    near(find(&j, "shift.carries[magnification]").estimate, 0.0);
    assert_eq!(
        find(&j, "shift.carries[magnification]").verdict,
        Verdict::Pass
    );
}

#[test]
fn the_tolerance_is_where_a_tenth_is_lost() {
    // Of 200 images in four even classes (chance 1/4) 160 are right; defocus of 2 px, severity 3, costs 11 of them, severity 5 70.
    let scenario = Scenario {
        reference: 0,
        target: 200,
        claim: None,
        ..Scenario::default()
    };
    let mut t = tables(&scenario);
    for (row, item) in t.items.iter_mut().enumerate() {
        item.truth_class = Some((row % 4) as u32);
    }
    for m in &mut t.measurements {
        let lost = match (m.view.kind, m.view.name.as_str(), m.view.severity.get()) {
            (ViewKind::Corruption, "defocus", 3) => 11,
            (ViewKind::Corruption, "defocus", 5) => 70,
            _ => 0,
        };
        let right = (m.row as usize * 77) % 200 < 160 - lost;
        set(m, m.row % 4, right);
    }
    let j = judge(&t).unwrap();
    // Above chance: 160 − 50 = 110 of 200; a tenth is 11 of 200: exactly at 2 px.
    let f = find(&j, "robustness.defocus.tolerance");
    assert!((f.estimate.unwrap() - 2.0).abs() < 1e-6, "{f:?}");
    let [low, high] = f.interval.unwrap();
    assert!(
        0.5 < low && low < 2.0 && 2.0 < high && high < 4.0,
        "{low} {high}"
    );
    let other = find(&j, "robustness.magnification.tolerance");
    assert!(
        other.estimate.is_none()
            && other.interval.is_none()
            && other.claim.contains("has not lost 10%"),
        "{other:?}"
    );
}

#[test]
fn an_attribute_that_tells_the_sides_apart_has_delta_one() {
    let mut t = tables(&Scenario {
        reference: 60,
        target: 60,
        truth: false,
        ..Scenario::default()
    });
    let snr = transect_core::attribute::ATTRIBUTES
        .iter()
        .position(|a| a.name == "snr")
        .unwrap();
    for (row, item) in t.items.iter_mut().enumerate() {
        item.attributes[snr] = Some(if row < 60 { 1.0 } else { 2.0 } + row as f64 * 1e-3);
    }
    let j = judge(&t).unwrap();
    near(find(&j, "shift.attribute[snr]").estimate, 1.0);
    assert_eq!(find(&j, "shift.attribute[snr]").verdict, Verdict::Warn);
    assert_eq!(find(&j, "shift.classifier_auc").verdict, Verdict::Fail);
    assert_eq!(find(&j, "shift.outside_envelope").estimate, Some(1.0));
}

#[test]
fn instances_average_over_images() {
    let scenario = Scenario {
        task: Task::Instance,
        classes: 0,
        reference: 0,
        target: 40,
        claim: None,
        ..Scenario::default()
    };
    let t = tables(&scenario);
    let ap = t
        .run
        .context
        .score_columns
        .iter()
        .position(|c| c.name == "average_precision_50")
        .unwrap();
    let identity: Vec<f64> = t
        .measurements
        .iter()
        .filter(|m| m.model_id == "given" && m.view.kind == ViewKind::Identity)
        .filter_map(|m| m.scores[ap])
        .collect();
    let mean = identity.iter().sum::<f64>() / identity.len() as f64;
    near(
        find(&judge(&t).unwrap(), "performance.average_precision_50").estimate,
        mean,
    );
}
