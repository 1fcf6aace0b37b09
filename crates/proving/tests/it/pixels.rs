//! Planted models are found on drawn images, and the good model is not.

use proving::pixels::{Setup, all, one, says};
use transect_anatomy::Judged;
use transect_core::Verdict;

/// Whether one audit with the flaw, and one without it, says each finding that the flaw must bring; fewer images than the
/// command takes, so that it is quick.
fn found(id: &str, images: usize) -> Vec<(&'static str, bool, bool)> {
    let case = all().into_iter().find(|c| c.id == id).unwrap();
    let of = |setup: &Setup| {
        let mut setup = setup.clone();
        setup.scenario.images = images;
        one(case.id, &setup, 0, 2).unwrap()
    };
    let (planted, control) = (of(case.planted.as_ref().unwrap()), of(&case.control));
    case.expected
        .iter()
        .map(|expected| {
            let there = |judged: &Judged| {
                let finding = judged.findings.iter().find(|f| f.id == expected.finding);
                finding.is_some_and(|f| says(f, expected.sign))
            };
            (expected.finding, there(&planted), there(&control))
        })
        .collect()
}

#[test]
fn a_model_that_reads_the_mean_is_found_and_the_good_one_is_not() {
    assert_eq!(
        found("mean", 60),
        [("collapse.one_dimensional", true, false)]
    );
}

#[test]
fn a_model_that_outlines_noise_is_found_and_one_with_a_level_is_not() {
    assert_eq!(
        found("phantoms", 40),
        [("hallucination.phantom_objects", true, false)]
    );
}

#[test]
#[ignore = "an audit of full size; 20 s in the dev profile on a busy machine"]
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
