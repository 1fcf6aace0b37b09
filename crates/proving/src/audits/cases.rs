//! The cases: planted flaws at graded strengths and sizes, least favourable nulls, hard clean controls.

mod planted;

use transect_anatomy::simulate::{self, Scenario, tables};
use transect_core::Task;
use transect_core::context::PlanLevel;

use super::{Aim, Case};

/// Sizes: independent images, or groups of ten.
#[derive(Debug, Clone, Copy)]
struct Size {
    words: &'static str,
    images: usize,
    grouped_by: usize,
}

const N200: Size = Size {
    words: "n=200",
    images: 200,
    grouped_by: 0,
};

const SIZES: [Size; 4] = [
    N200,
    Size {
        words: "groups=10",
        images: 100,
        grouped_by: 10,
    },
    Size {
        words: "groups=20",
        images: 200,
        grouped_by: 10,
    },
    Size {
        words: "groups=40",
        images: 400,
        grouped_by: 10,
    },
];

/// A clean run of a size: outcomes of a group are alike to an intraclass correlation of about 0.1.
fn base(seed: u64, size: Size) -> Scenario {
    Scenario {
        seed,
        reference: size.images,
        target: size.images,
        group_size: size.grouped_by,
        group_share: if size.grouped_by > 0 { 0.32 } else { 0.0 },
        ..Scenario::default()
    }
}

/// Every case, in the order of the page.
pub(super) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    performance(&mut cases);
    shift(&mut cases);
    robustness(&mut cases);
    calibration(&mut cases);
    adversarial(&mut cases);
    planted::all(&mut cases);
    whole(&mut cases);
    cases
}

fn case(
    cases: &mut Vec<Case>,
    id: String,
    finding: &'static str,
    modes: &'static [&'static str],
    aim: Aim,
    make: impl Fn(u64) -> Scenario + Sync + 'static,
) {
    cases.push(Case {
        id,
        looks: vec![(finding, aim)],
        modes,
        tables: Box::new(move |seed| tables(&make(seed))),
    });
}

/// A claim of 0.85 against a score that falls short of it: it fails beyond 5 points, material strength is 15 points more.
fn performance(cases: &mut Vec<Case>) {
    for size in SIZES {
        for (gap, aim) in [
            (0.05, Aim::FalseAlarm),
            (0.10, Aim::Curve),
            (0.15, Aim::Curve),
            (0.20, Aim::Power),
        ] {
            // Power is promised for 200 independent images.
            let aim = if aim == Aim::Power && size.grouped_by > 0 {
                Aim::Curve
            } else {
                aim
            };
            case(
                cases,
                format!("performance/gap={gap:.2}/{}", size.words),
                "performance.accuracy",
                &["performance"],
                aim,
                move |seed| Scenario {
                    claim: Some(0.85),
                    target_score: 0.85 - gap,
                    ..base(seed, size)
                },
            );
        }
    }
}

/// Harm of the target against the reference: it fails beyond 5 points. And attributes moved by some standard deviations.
fn shift(cases: &mut Vec<Case>) {
    for size in SIZES {
        for (harm, aim) in [
            (0.0, Aim::FalseAlarm),
            (0.05, Aim::FalseAlarm),
            (0.10, Aim::Curve),
            (0.20, Aim::Power),
        ] {
            let aim = if aim == Aim::Power && size.grouped_by > 0 {
                Aim::Curve
            } else {
                aim
            };
            case(
                cases,
                format!("shift/harm={harm:.2}/{}", size.words),
                "shift.harm",
                &["shift"],
                aim,
                move |seed| Scenario {
                    claim: None,
                    reference_score: 0.9,
                    target_score: 0.9 - harm,
                    ..base(seed, size)
                },
            );
        }
    }
    for (moved, aim) in [(0.0, Aim::FalseAlarm), (0.3, Aim::Curve), (1.0, Aim::Power)] {
        case(
            cases,
            format!("shift/moved={moved:.1}/n=200"),
            "shift.classifier_auc",
            &["shift"],
            aim,
            move |seed| Scenario {
                claim: None,
                shift: moved,
                ..base(seed, N200)
            },
        );
    }
    // Decodable, and it harms nothing.
    case(
        cases,
        "shift/benign/n=200".to_owned(),
        "shift.harm",
        &["shift"],
        Aim::FalseAlarm,
        |seed| Scenario {
            claim: None,
            shift: 1.5,
            ..base(seed, N200)
        },
    );
}

/// A score that bends under every corruption, by this share at the largest severity.
fn robustness(cases: &mut Vec<Case>) {
    for (bend, aim) in [(0.0, Aim::FalseAlarm), (0.5, Aim::Curve), (1.0, Aim::Power)] {
        case(
            cases,
            format!("robustness/bend={bend:.1}/n=200"),
            "robustness.read_noise.tolerance",
            &["robustness"],
            aim,
            move |seed| Scenario {
                bend,
                plan: PlanLevel::Standard,
                ..base(seed, N200)
            },
        );
    }
}

/// Probabilities sharpened by a temperature.
fn calibration(cases: &mut Vec<Case>) {
    for (temperature, aim) in [
        (1.0, Aim::FalseAlarm),
        (0.6, Aim::Curve),
        (0.4, Aim::Curve),
        (0.3, Aim::Power),
    ] {
        case(
            cases,
            format!("calibration/temperature={temperature:.1}/n=200"),
            "calibration.log_loss_gain",
            &["calibration"],
            aim,
            move |seed| Scenario {
                claim: None,
                temperature,
                reference_score: 0.75,
                target_score: 0.75,
                ..base(seed, N200)
            },
        );
    }
}

/// A search that breaks this share of the predictions; 20 images are searched, so power is stated for that many.
fn adversarial(cases: &mut Vec<Case>) {
    for (broken, aim) in [
        (0.0, Aim::FalseAlarm),
        (0.3, Aim::FalseAlarm),
        (0.6, Aim::Curve),
        (0.9, Aim::Power),
    ] {
        cases.push(Case {
            id: format!("adversarial/broken={broken:.1}/n=20"),
            looks: vec![("adversarial.natural", aim)],
            modes: &["adversarial"],
            tables: Box::new(move |seed| {
                let mut tables = tables(&Scenario {
                    plan: PlanLevel::Standard,
                    reference: 0,
                    target: 40,
                    target_score: 0.98,
                    claim: None,
                    ..base(seed, N200)
                });
                simulate::adversarial::plant(&mut tables, broken);
                tables
            }),
        });
    }
}

/// Whole audits, all modes, with nothing wrong; some of them hard.
fn whole(cases: &mut Vec<Case>) {
    let clean = |cases: &mut Vec<Case>, id: &str, make: fn(u64) -> Scenario| {
        case(
            cases,
            format!("whole/{id}"),
            "any",
            &[],
            Aim::FalseAlarm,
            make,
        );
    };
    clean(cases, "clean/n=200", |seed| base(seed, N200));
    clean(cases, "binary/n=200", |seed| Scenario {
        classes: 2,
        ..base(seed, N200)
    });
    clean(cases, "six_groups", |seed| Scenario {
        ..base(
            seed,
            Size {
                words: "six groups",
                images: 120,
                grouped_by: 20,
            },
        )
    });
    clean(cases, "objects/n=100", |seed| Scenario {
        task: Task::Instance,
        classes: 0,
        reference: 100,
        target: 100,
        reference_score: 0.8,
        target_score: 0.8,
        claim: Some(0.75),
        ..base(seed, N200)
    });
}
