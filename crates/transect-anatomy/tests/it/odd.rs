//! Odd runs, judged by one mode at a time: no error, no number that is none, and always something said.

use transect_anatomy::simulate::{Scenario, parts, tables_of};
use transect_anatomy::{Opinion, Study, bias, calibration, hallucination, shortcut};
use transect_core::context::PlanLevel;
use transect_core::{Context, Request, Result, Task};

use super::*;

type OneMode = (
    &'static str,
    fn(&Context) -> Vec<Request>,
    fn(&Study<'_>) -> Result<Opinion>,
);

const MODES: [OneMode; 4] = [
    ("shortcut", shortcut::plan, shortcut::judge),
    ("bias", bias::plan, bias::judge),
    ("hallucination", hallucination::plan, hallucination::judge),
    ("calibration", calibration::plan, calibration::judge),
];

fn sound(name: &str, what: &str, opinion: &Opinion) {
    assert!(!opinion.drafts.is_empty(), "{name}, {what}: nothing said");
    let mut ids = std::collections::BTreeSet::new();
    for draft in &opinion.drafts {
        let f = &draft.finding;
        let place = format!("{what}: {}: {}", f.id, f.claim);
        assert!(ids.insert(f.id.clone()), "twice, {place}");
        assert!(f.mode == name && !f.claim.contains("NaN"), "{place}");
        assert!(!f.claim.contains("inf"), "{place}");
        for number in f.estimate.iter().chain(f.interval.iter().flatten()) {
            assert!(number.is_finite(), "{place}");
        }
        if let (Some(e), Some([low, high])) = (f.estimate, f.interval) {
            assert!(
                low <= e + 1e-9 && e <= high + 1e-9,
                "{low} {e} {high}, {place}"
            );
        }
        if f.verdict == Verdict::NotAssessable {
            assert!(f.missing.is_some(), "{place}");
        }
        if let Some(p) = f.p {
            assert!((0.0..=1.0).contains(&p), "{p}, {place}");
        }
    }
    let mut figures = std::collections::BTreeSet::new();
    for figure in &opinion.figures {
        assert!(figures.insert(&figure.id), "{} twice", figure.id);
        let text = format!("{:?}", figure.drawing);
        assert!(!text.contains("NaN") && !text.contains("inf)"), "{text}");
    }
}

#[test]
fn odd_runs_end_in_findings_that_say_so() {
    let base = Scenario {
        plan: PlanLevel::Standard,
        reference: 45,
        target: 45,
        ..Scenario::default()
    };
    let with = |change: &dyn Fn(&mut Scenario)| {
        let mut scenario = base.clone();
        change(&mut scenario);
        scenario
    };
    let cases: Vec<(&str, Scenario)> = vec![
        ("plain", base.clone()),
        ("one image", with(&|s| (s.reference, s.target) = (1, 1))),
        ("no reference", with(&|s| s.reference = 0)),
        ("no target", with(&|s| s.target = 0)),
        ("no truth", with(&|s| s.truth = false)),
        ("no probabilities", with(&|s| s.outputs = false)),
        ("one class", with(&|s| s.classes = 1)),
        ("one group", with(&|s| s.group_size = 1000)),
        ("three groups", with(&|s| s.group_size = 15)),
        (
            "all right",
            with(&|s| (s.reference_score, s.target_score) = (1.0, 1.0)),
        ),
        ("half failed", with(&|s| s.failed = 0.5)),
        ("all failed", with(&|s| s.failed = 1.0)),
        ("quick", with(&|s| s.plan = PlanLevel::Quick)),
        (
            "objects",
            with(&|s| (s.task, s.classes) = (Task::Instance, 0)),
        ),
        (
            "no objects right",
            with(&|s| {
                (s.task, s.classes) = (Task::Instance, 0);
                (s.reference_score, s.target_score) = (0.0, 0.0);
            }),
        ),
    ];
    for (what, scenario) in cases {
        for (name, plan, judge) in MODES {
            let mut made = tables_of(&scenario, plan);
            if scenario.task != Task::Classification {
                parts::plant(&mut made, &parts::Parts::default());
            }
            let study = Study::new(&made).expect("any tables make a study");
            let opinion = judge(&study).unwrap_or_else(|e| panic!("{name}, {what}: {e:?}"));
            sound(name, what, &opinion);
        }
    }
}
