//! Calibration of objects and sampled pixels.

use transect_anatomy::simulate::parts::{Parts, plant};
use transect_anatomy::simulate::{Scenario, tables_of};
use transect_anatomy::{Study, calibration};
use transect_core::Task;

use super::*;

const GAIN: &str = "calibration.log_loss_gain";

fn opinion(seed: u64, task: Task, target: usize, parts: &Parts) -> Opinion {
    let scenario = Scenario {
        seed,
        task,
        classes: 0,
        reference: 0,
        target,
        ..Scenario::default()
    };
    let mut made = tables_of(&scenario, calibration::plan);
    plant(&mut made, parts);
    calibration::judge(&Study::new(&made).unwrap()).unwrap()
}

#[test]
fn objects_that_are_far_too_sure_fail_and_honest_ones_do_not() {
    for (task, noun) in [
        (Task::Instance, "predicted objects"),
        (Task::Semantic, "sampled pixels"),
    ] {
        let sure = Parts {
            temperature: 0.35,
            ..Parts::default()
        };
        let bad = opinion(1, task, 40, &sure);
        let finding = of(&bad, GAIN);
        println!("{}", finding.claim);
        assert!(finding.p.unwrap() <= 0.05 && finding.claim.contains(noun));
        assert!(finding.claim.contains("too sure"));
        // Its n is that of images, not of parts.
        assert_eq!(finding.n, 40);
        let failing = share(10, &|seed| {
            fails(&opinion(seed, task, 40, &Parts::default()), GAIN)
        });
        assert!(failing <= 3, "{failing} of 10");
    }
}

#[test]
fn missed_objects_are_told_apart_and_have_no_confidence() {
    let found = opinion(2, Task::Instance, 30, &Parts::default());
    let missed = of(&found, "calibration.missed_objects");
    assert!((0.05..0.2).contains(&missed.estimate.unwrap()));
    let semantic = opinion(2, Task::Semantic, 30, &Parts::default());
    assert!(
        semantic
            .drafts
            .iter()
            .all(|d| d.finding.id != "calibration.missed_objects")
    );
}

#[test]
fn parts_of_an_image_are_kept_together() {
    // Parts that are all alike are as many as images: the interval is as wide as that of one part an image.
    let width = |alike: f64| {
        let parts = Parts {
            alike,
            fixed: Some((0.9, 0.3)),
            ..Parts::default()
        };
        let found = opinion(3, Task::Instance, 60, &parts);
        let [low, high] = of(&found, "calibration.brier").interval.unwrap();
        high - low
    };
    assert!(
        width(1.0) > 2.0 * width(0.0),
        "{} and {}",
        width(1.0),
        width(0.0)
    );
}

#[test]
fn without_elements_it_says_what_is_missing() {
    let scenario = Scenario {
        task: Task::Semantic,
        classes: 0,
        reference: 0,
        target: 30,
        ..Scenario::default()
    };
    let made = tables_of(&scenario, calibration::plan);
    let found = calibration::judge(&Study::new(&made).unwrap()).unwrap();
    let finding = of(&found, GAIN);
    assert_eq!(finding.verdict, Verdict::NotAssessable);
    assert!(finding.primary && finding.missing.as_ref().unwrap().contains("probabilities"));
}
