//! Planted models are found on drawn images, and the good model is not.

use proving::pixels::{Expected, Setup, all, one, says};
use transect_core::Verdict;

/// One audit with the flaw and one without it; the findings that a flaw must bring.
fn found(id: &str) -> (Vec<(&'static str, bool)>, Vec<(&'static str, bool)>) {
    let case = all().into_iter().find(|c| c.id == id).unwrap();
    let of = |setup: &Setup| {
        let judged = one(case.id, setup, 0, 2).unwrap();
        case.expected
            .iter()
            .map(|Expected { finding, sign }| {
                let there = judged.findings.iter().find(|f| f.id == *finding);
                (*finding, there.is_some_and(|f| says(f, *sign)))
            })
            .collect::<Vec<_>>()
    };
    (of(case.planted.as_ref().unwrap()), of(&case.control))
}

#[test]
fn a_model_that_reads_the_mean_is_found_and_the_good_one_is_not() {
    let (planted, control) = found("mean");
    assert_eq!(planted, [("collapse.one_dimensional", true)]);
    assert_eq!(control, [("collapse.one_dimensional", false)]);
}

#[test]
fn a_model_that_outlines_noise_is_found_and_one_with_a_level_is_not() {
    let (planted, control) = found("phantoms");
    assert_eq!(planted, [("hallucination.phantom_objects", true)]);
    assert_eq!(control, [("hallucination.phantom_objects", false)]);
}

#[test]
fn sharpened_probabilities_are_found_and_honest_ones_are_not() {
    let (planted, control) = found("overconfident");
    assert_eq!(planted, [("calibration.log_loss_gain", true)]);
    assert_eq!(control, [("calibration.log_loss_gain", false)]);
}

#[test]
fn nothing_fails_where_nothing_is_wrong() {
    let case = all().into_iter().find(|c| c.id == "clean").unwrap();
    let judged = one(case.id, &case.control, 0, 2).unwrap();
    let failed: Vec<&str> = judged
        .findings
        .iter()
        .filter(|f| f.verdict == Verdict::Fail)
        .map(|f| f.id.as_str())
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(judged.findings.len() > 50);
}
