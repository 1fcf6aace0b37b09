//! Modes that plant their own flaw: shortcut, bias, hallucination, collapse, baseline, prior, metric.

use transect_anatomy::simulate::{
    self, Scenario, baseline, bias, collapse, hallucination, metric, parts, prior, shortcut,
    tables_of,
};
use transect_core::Task;
use transect_core::context::PlanLevel;
use transect_table::MemoryTables;

use super::super::{Aim, Case};

/// Every case of these modes, in the order of the report.
pub(super) fn all(cases: &mut Vec<Case>) {
    of_shortcut(cases);
    of_bias(cases);
    of_hallucination(cases);
    of_collapse(cases);
    of_baseline(cases);
    of_prior(cases);
    of_metric(cases);
}

fn case(
    cases: &mut Vec<Case>,
    modes: &'static [&'static str],
    what: &str,
    looks: &[(&'static str, Aim)],
    tables: impl Fn(u64) -> MemoryTables + Sync + 'static,
) {
    cases.push(Case {
        id: format!("{}/{what}", modes[0]),
        looks: looks.to_vec(),
        modes,
        tables: Box::new(tables),
    });
}

/// Two hundred target images of four classes, nine of ten right, and no reference.
fn target(seed: u64) -> Scenario {
    Scenario {
        seed,
        reference: 0,
        claim: None,
        ..Scenario::default()
    }
}

/// Predictions that follow the domain's style in this share of images beyond the controls, and those that change for another
/// reason: it fails beyond 0.10, and only as a shortcut.
fn of_shortcut(cases: &mut Vec<Case>) {
    const ID: &str = "shortcut.style_swap_flip_rate";
    let no = shortcut::Flaw {
        association: 0.5,
        fragile: 0.03,
        ..shortcut::Flaw::default()
    };
    let flaw = |what: &'static str, flaw, aim| (what, flaw, 4, 0.9, 0.0, aim);
    let mut all = vec![
        flaw(
            "follows=0.10",
            shortcut::Flaw {
                follows: 0.10,
                ..no
            },
            Aim::Between,
        ),
        flaw(
            "follows=0.25",
            shortcut::Flaw {
                follows: 0.25,
                ..no
            },
            Aim::Power,
        ),
        flaw(
            "follows=0.40",
            shortcut::Flaw {
                follows: 0.40,
                ..no
            },
            Aim::Power,
        ),
        flaw(
            "memorises=0.67",
            shortcut::Flaw {
                memorises: 0.67,
                ..no
            },
            Aim::Power,
        ),
        flaw(
            "memorises=1.00",
            shortcut::Flaw {
                memorises: 1.0,
                ..no
            },
            Aim::Power,
        ),
        flaw("clean", no, Aim::FalseAlarm),
        flaw(
            "fragile=0.50",
            shortcut::Flaw { fragile: 0.5, ..no },
            Aim::FalseAlarm,
        ),
        flaw(
            "confuses=0.30",
            shortcut::Flaw {
                confuses: 0.3,
                ..no
            },
            Aim::FalseAlarm,
        ),
        flaw(
            "forgets=0.80",
            shortcut::Flaw { forgets: 0.8, ..no },
            Aim::FalseAlarm,
        ),
        flaw(
            "collapses=0.50",
            shortcut::Flaw {
                collapses: 0.5,
                ..no
            },
            Aim::FalseAlarm,
        ),
        flaw(
            "lost=0.50",
            shortcut::Flaw { lost: 0.5, ..no },
            Aim::FalseAlarm,
        ),
        flaw(
            "one_way=0.50",
            shortcut::Flaw { one_way: 0.5, ..no },
            Aim::FalseAlarm,
        ),
    ];
    let strong = shortcut::Flaw {
        association: 0.9,
        ..no
    };
    let two = |what: &'static str, flaw, aim| (what, flaw, 2, 0.95, 0.3, aim);
    all.extend([
        two(
            "two_classes/memorises=1.00",
            shortcut::Flaw {
                memorises: 1.0,
                ..strong
            },
            Aim::Power,
        ),
        two(
            "two_classes/confuses=0.40",
            shortcut::Flaw {
                confuses: 0.4,
                ..strong
            },
            Aim::FalseAlarm,
        ),
        two(
            "two_classes/forgets=0.80",
            shortcut::Flaw {
                forgets: 0.8,
                ..strong
            },
            Aim::FalseAlarm,
        ),
        two(
            "two_classes/collapses=0.80",
            shortcut::Flaw {
                collapses: 0.8,
                ..strong
            },
            Aim::FalseAlarm,
        ),
    ]);
    for (what, flaw, classes, score, turned, aim) in all {
        case(
            cases,
            &["shortcut"],
            &format!("{what}/n=200"),
            &[(ID, aim)],
            move |seed| {
                let mut tables = tables_of(
                    &Scenario {
                        seed,
                        plan: PlanLevel::Standard,
                        reference: 100,
                        target: 100,
                        classes,
                        turned,
                        reference_score: score,
                        target_score: score,
                        claim: None,
                        ..Scenario::default()
                    },
                    transect_anatomy::shortcut::plan,
                );
                shortcut::plant(&mut tables, &flaw);
                tables
            },
        );
    }
}

/// Risk that is higher on a quarter of the images that a column names, or on a slice that none names: it fails beyond 0.10.
fn of_bias(cases: &mut Vec<Case>) {
    const SUBGROUP: &str = "bias.worst_subgroup";
    const SLICE: &str = "bias.worst_slice";
    let mut add = |what: &str, column, slice, images, looks: &[(&'static str, Aim)]| {
        case(
            cases,
            &["bias"],
            &format!("{what}/n={images}"),
            looks,
            move |seed| {
                let mut tables = tables_of(
                    &Scenario {
                        target: images,
                        ..target(seed)
                    },
                    transect_anatomy::bias::plan,
                );
                let flaw = bias::Flaw {
                    column,
                    slice,
                    ..bias::Flaw::default()
                };
                bias::plant(&mut tables, &flaw);
                tables
            },
        );
    };
    let clean = [(SUBGROUP, Aim::FalseAlarm), (SLICE, Aim::FalseAlarm)];
    add("clean", 0.0, 0.0, 200, &clean);
    add("column=0.05", 0.05, 0.0, 200, &[(SUBGROUP, Aim::Between)]);
    add("column=0.10", 0.10, 0.0, 200, &[(SUBGROUP, Aim::Between)]);
    add("column=0.10", 0.10, 0.0, 800, &[(SUBGROUP, Aim::Between)]);
    add("column=0.25", 0.25, 0.0, 200, &[(SUBGROUP, Aim::Curve)]);
    // Two hundred images in the subgroup itself.
    add("column=0.25", 0.25, 0.0, 800, &[(SUBGROUP, Aim::Power)]);
    add("slice=0.10", 0.0, 0.10, 800, &[(SLICE, Aim::Between)]);
    add("slice=0.25", 0.0, 0.25, 800, &[(SLICE, Aim::Curve)]);
    add("slice=0.40", 0.0, 0.40, 800, &[(SLICE, Aim::Power)]);
}

/// Answers that are sure and wrong, and objects where there are none: both fail beyond 0.10.
fn of_hallucination(cases: &mut Vec<Case>) {
    const ERRORS: &str = "hallucination.confident_errors";
    const PHANTOMS: &str = "hallucination.phantom_objects";
    for (wrong, aim) in [
        (0.02, Aim::FalseAlarm),
        (0.05, Aim::Between),
        (0.10, Aim::Between),
        (0.25, Aim::Power),
    ] {
        case(
            cases,
            &["hallucination"],
            &format!("sure_and_wrong={wrong:.2}/n=200"),
            &[(ERRORS, aim)],
            move |seed| {
                let mut tables = tables_of(
                    &Scenario {
                        target_score: 1.0 - wrong,
                        ..target(seed)
                    },
                    transect_anatomy::hallucination::plan,
                );
                let flaw = hallucination::Flaw {
                    sure: Some(0.95),
                    ..hallucination::Flaw::default()
                };
                hallucination::plant(&mut tables, &flaw);
                tables
            },
        );
    }
    // Often wrong, and it says so.
    case(
        cases,
        &["hallucination"],
        "calibrated/n=200",
        &[(ERRORS, Aim::FalseAlarm)],
        |seed| {
            tables_of(
                &Scenario {
                    target_score: 0.7,
                    ..target(seed)
                },
                transect_anatomy::hallucination::plan,
            )
        },
    );
    for (share, aim) in [
        (0.0, Aim::FalseAlarm),
        (0.05, Aim::Between),
        (0.10, Aim::Between),
        (0.25, Aim::Power),
    ] {
        // Objects are as wrong as images are seen to be empty wrongly.
        case(
            cases,
            &["hallucination"],
            &format!("objects={share:.2}/n=100"),
            &[(ERRORS, aim), (PHANTOMS, aim)],
            move |seed| {
                let mut tables = tables_of(
                    &Scenario {
                        task: Task::Instance,
                        classes: 0,
                        plan: PlanLevel::Standard,
                        target: 100,
                        ..target(seed)
                    },
                    transect_anatomy::hallucination::plan,
                );
                let flaw = hallucination::Flaw {
                    phantoms: share,
                    ..hallucination::Flaw::default()
                };
                hallucination::plant(&mut tables, &flaw);
                let objects = parts::Parts {
                    fixed: Some((0.95, share)),
                    alike: 0.3,
                    each: 10,
                    ..parts::Parts::default()
                };
                parts::plant(&mut tables, &objects);
                tables
            },
        );
    }
}

/// Predictions that the mean intensity tells better than it tells the truth: it fails beyond an excess of 0.25.
fn of_collapse(cases: &mut Vec<Case>) {
    const ID: &str = "collapse.one_dimensional";
    /// κ of the truth with the intensity, and of right predictions with the truth at a score of 0.9 and four classes.
    const KNOWN: f64 = 0.3;
    const OWN: f64 = 0.867;
    let mut add = |what: String, make: fn(u64) -> Scenario, planted, aim| {
        case(cases, &["collapse"], &what, &[(ID, aim)], move |seed| {
            let mut tables = tables_of(&make(seed), transect_anatomy::collapse::plan);
            collapse::plant(&mut tables, &planted);
            // Only the primary is looked at: ranks of embeddings would take most of the time.
            tables
                .embeddings
                .retain(|(model, _), _| model == "features");
            tables
        });
    };
    let honest = collapse::Planted::default();
    // κ of the prediction with the intensity is f + (1 − f)·KNOWN·OWN where it follows the intensity in a share f.
    let excess = |excess: f64| collapse::Planted {
        follows: (excess + KNOWN - KNOWN * OWN) / (1.0 - KNOWN * OWN),
        known: KNOWN,
        ..honest
    };
    for (by, aim) in [
        (0.10, Aim::Between),
        (0.25, Aim::Between),
        (0.40, Aim::Power),
    ] {
        add(format!("excess={by:.2}/n=200"), target, excess(by), aim);
        add(
            format!("excess={by:.2}/n=400"),
            |seed| Scenario {
                target: 400,
                ..target(seed)
            },
            excess(by),
            aim,
        );
    }
    add("clean/n=200".to_owned(), target, honest, Aim::FalseAlarm);
    add(
        "simple_truth/n=200".to_owned(),
        target,
        collapse::Planted {
            known: 0.9,
            follows: 0.4,
            ..honest
        },
        Aim::FalseAlarm,
    );
    add(
        "two_classes_wrong_labels/n=200".to_owned(),
        |seed| Scenario {
            classes: 2,
            ..target(seed)
        },
        collapse::Planted {
            known: 0.9,
            follows: 0.9,
            label_noise: 0.1,
            ..honest
        },
        Aim::FalseAlarm,
    );
    add(
        "six_groups".to_owned(),
        |seed| Scenario {
            target: 198,
            group_size: 33,
            group_share: 0.3,
            ..target(seed)
        },
        honest,
        Aim::FalseAlarm,
    );
}

/// A gain over the best baseline: it fails where the gain is shown to be under 0.02, and passes where it is shown to be over 0.
fn of_baseline(cases: &mut Vec<Case>) {
    const EMBEDDING: &str = "baseline.embedding_gain";
    const PREDICTION: &str = "baseline.prediction_gain";
    let mut add = |what: &str, score, base, gain, level, looks: &[(&'static str, Aim)]| {
        case(
            cases,
            &["baseline"],
            &format!("{what}/n=200"),
            looks,
            move |seed| {
                let mut tables = tables_of(
                    &Scenario {
                        target_score: score,
                        ..target(seed)
                    },
                    transect_anatomy::baseline::plan,
                );
                let planted = baseline::Planted {
                    base,
                    gain,
                    level,
                    ..baseline::Planted::default()
                };
                baseline::plant(&mut tables, &planted);
                tables
            },
        );
    };
    let both = |aim| [(EMBEDDING, aim), (PREDICTION, aim)];
    add("learned", 0.9, 0.65, 0.25, false, &both(Aim::FalseAlarm));
    add(
        "gain=0.02",
        0.9,
        0.80,
        0.02,
        true,
        &[(EMBEDDING, Aim::FalseAlarm)],
    );
    add(
        "gain=0.00",
        0.9,
        0.80,
        0.0,
        false,
        &[(EMBEDDING, Aim::Curve)],
    );
    add(
        "gain=-0.13",
        0.9,
        0.83,
        -0.13,
        false,
        &[(EMBEDDING, Aim::Power)],
    );
    // A probe on two hundred images reaches less than the best possible one, so the prediction has to be further under it.
    add(
        "predictions=-0.20",
        0.65,
        0.85,
        0.05,
        false,
        &[(PREDICTION, Aim::Power)],
    );
}

/// What the files alone tell of the class (it fails beyond half of the way), and tested images that were trained on (beyond
/// 0.05).
fn of_prior(cases: &mut Vec<Case>) {
    const LAZY: &str = "prior.lazy_learner";
    const LEAKAGE: &str = "prior.leakage";
    let mut add = |what: String, images, classes, flaw, looks: &[(&'static str, Aim)]| {
        case(cases, &["prior"], &what, looks, move |seed| {
            let mut tables = simulate::tables_of(
                &Scenario {
                    target: images,
                    classes,
                    ..target(seed)
                },
                |_| Vec::new(),
            );
            tables.run.context.images_alone = true;
            prior::plant(&mut tables, &flaw);
            tables
        });
    };
    let no = prior::Flaw::default();
    let clean = [(LAZY, Aim::FalseAlarm), (LEAKAGE, Aim::FalseAlarm)];
    add("clean/n=200".to_owned(), 200, 3, no, &clean);
    for (format, aim) in [
        (0.20, Aim::Between),
        (0.50, Aim::Between),
        (0.65, Aim::Power),
    ] {
        let flaw = prior::Flaw { format, ..no };
        add(
            format!("format={format:.2}/n=200"),
            200,
            2,
            flaw,
            &[(LAZY, aim)],
        );
    }
    // Every fourth image is tested.
    for (leaked, aim) in [
        (0.02, Aim::Between),
        (0.05, Aim::Between),
        (0.20, Aim::Power),
    ] {
        let flaw = prior::Flaw { leaked, ..no };
        add(
            format!("leaked={leaked:.2}/tested=100"),
            400,
            3,
            flaw,
            &[(LEAKAGE, aim)],
        );
    }
}

/// The score less that of copies that learned nothing: it fails where the difference is shown to be under 0.02, and passes
/// where it is shown to be over 0.
fn of_metric(cases: &mut Vec<Case>) {
    const ID: &str = "metric.separation";
    for (what, score, untrained, aim) in [
        ("learned", 0.9, 0.25, Aim::FalseAlarm),
        ("difference=0.02", 0.82, 0.80, Aim::FalseAlarm),
        ("difference=0.00", 0.80, 0.80, Aim::Curve),
        ("difference=-0.13", 0.77, 0.90, Aim::Power),
    ] {
        case(
            cases,
            &["metric"],
            &format!("{what}/n=200"),
            &[(ID, aim)],
            move |seed| {
                let scenario = Scenario {
                    target_score: score,
                    ..target(seed)
                };
                let mut tables = tables_of(&scenario, transect_anatomy::metric::plan);
                let planted = metric::Planted {
                    untrained: Some(untrained),
                    ..metric::Planted::default()
                };
                metric::plant(&mut tables, &scenario, &planted);
                tables
            },
        );
    }
}
