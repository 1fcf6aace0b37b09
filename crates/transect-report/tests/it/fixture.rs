//! A realistic report: a classifier of white blood cells from one laboratory, shown the cells of another. The numbers are
//! made up to look like such an audit; none is a result.

use std::collections::BTreeMap;

use transect_core::context::{Context, Ladder, Optics, PlanLevel};
use transect_core::figure::{Drawing, Figure, Point, Row, Series};
use transect_core::finding::Evidence;
use transect_core::{
    Answer, Better, Digest, Finding, Headline, Modality, Request, RunRecord, Selection, Severity,
    Stage, Task, Threshold, Verdict, View,
};
use transect_report::{Counts, Failure, Picture, Report};

fn answer(verdict: Verdict, text: &str, findings: &[&str]) -> Answer {
    Answer {
        verdict,
        text: text.to_owned(),
        findings: findings.iter().map(|&f| f.to_owned()).collect(),
    }
}

/// A report with nothing in it.
pub(crate) fn empty() -> Report {
    let none = answer(Verdict::NotAssessable, "There was nothing to judge.", &[]);
    Report {
        title: "Empty".to_owned(),
        generated_by: "transect 0.1.0".to_owned(),
        run: run(),
        counts: Counts::default(),
        headline: Headline {
            works: none.clone(),
            wrong: none.clone(),
            label: none,
        },
        findings: Vec::new(),
        figures: Vec::new(),
        gallery: Vec::new(),
        failures: Vec::new(),
    }
}

fn run() -> RunRecord {
    let ladder = |name: &str,
                  words: &str,
                  parameter: &str,
                  unit: &str,
                  identity: f64,
                  values: [f64; 5],
                  note: &str| Ladder {
        name: name.to_owned(),
        words: words.to_owned(),
        parameter: parameter.to_owned(),
        unit: unit.to_owned(),
        identity,
        values,
        random: false,
        note: note.to_owned(),
    };
    RunRecord {
        schema: "transect/run/1".to_owned(),
        version: "0.1.0".to_owned(),
        engine: "embedded rten 0.27.0".to_owned(),
        model_sha256: Some(Digest::of(b"model")),
        model_name: "wbc_cnn_d1".to_owned(),
        data_sha256: Digest::of(b"data"),
        plan_sha256: Digest::of(b"plan"),
        fits_sha256: Some(Digest::of(b"fits")),
        context: Context {
            task: Task::Classification,
            modality: Modality::Brightfield,
            plan: PlanLevel::Standard,
            seed: 7,
            classes: ["neutrophil", "lymphocyte", "monocyte", "eosinophil"].map(str::to_owned).to_vec(),
            score_columns: Vec::new(),
            claims: BTreeMap::from([("accuracy".to_owned(), 0.95)]),
            domain: Some("domain".to_owned()),
            group: None,
            stratum: None,
            has_reference: true,
            has_truth: true,
            optics: Optics::default(),
            ladders: vec![
                ladder("defocus", "defocus", "defocus", "px", 0.0, [0.5, 1.0, 1.5, 2.5, 4.0], "in pixels, because the aperture was not given"),
                ladder("shot_noise", "shot noise", "photons at the brightest percentile", "photons", f64::INFINITY, [1000.0, 300.0, 100.0, 30.0, 10.0], ""),
                ladder("magnification", "magnification", "scale", "", 1.0, [1.25, 1.5, 2.0, 2.5, 3.0], ""),
            ],
            ..Context::bare(Task::Classification, Vec::new())
        },
        requests: vec![
            Request::new("performance", Stage::Own, Selection::All, vec![View::identity()]),
            Request::new(
                "robustness",
                Stage::Own,
                Selection::All,
                Severity::LADDER.iter().map(|&s| View::corruption("defocus", s, "defocus", 1.0, "px")).collect(),
            ),
        ],
        forward_passes: 12_768,
        model_test: "The model gives its own test output to within 2e-7.".to_owned(),
        notes: vec![
            "Images were resized to 96 × 96 pixels with a bilinear filter, as the model's specification says.".to_owned(),
            "No column was given as --group: images are assumed independent.".to_owned(),
            "Numerical aperture and wavelength were not given: defocus is a blur in pixels.".to_owned(),
        ],
    }
}

fn threshold(warn: f64, fail: f64) -> Threshold {
    Threshold { warn, fail }
}

/// The report.
pub(crate) fn realistic() -> Report {
    let independent = "Images assumed independent: no column was given as --group.".to_owned();
    let mut findings = vec![
        Finding {
            verdict: Verdict::Fail,
            claim: "On the 82 target images the accuracy is 41.5% (95% interval 31–53%), 53 points below the claim of 95%.".to_owned(),
            estimate: Some(0.4146),
            interval: Some([0.310, 0.528]),
            interval_method: Some("BCa over 82 images".to_owned()),
            unit: "fraction".to_owned(),
            n: 82,
            groups: Some(82.0),
            better: Better::Higher,
            threshold: Some(threshold(0.95, 0.90)),
            primary: true,
            p: Some(0.000_000_1),
            p_adjusted: Some(0.000_000_4),
            family_size: Some(4),
            evidence: Evidence {
                model: Some("given".to_owned()),
                view: Some("identity".to_owned()),
                rows: Some("role = 'target'".to_owned()),
                sql: Some("SELECT avg(correct) FROM 'measurements.parquet' JOIN 'items.parquet' USING (row)\nWHERE view_id = 'identity' AND role = 'target' AND status = 'ok'".to_owned()),
            },
            images: vec!["images/d2_017.png".to_owned(), "images/d2_044.png".to_owned(), "images/d2_003.png".to_owned()],
            caveats: vec![independent.clone()],
            remedy: Some("Do not use the model on these images as they are. Look first at magnification and stain: see the shift below.".to_owned()),
            ..Finding::new("performance.accuracy")
        },
        Finding {
            verdict: Verdict::Warn,
            claim: "Balanced accuracy on the target is 39.1% (29–51%).".to_owned(),
            estimate: Some(0.391),
            interval: Some([0.290, 0.506]),
            interval_method: Some("BCa over 82 images".to_owned()),
            unit: "fraction".to_owned(),
            n: 82,
            groups: Some(82.0),
            better: Better::Higher,
            threshold: Some(threshold(0.95, 0.90)),
            caveats: vec![independent.clone()],
            ..Finding::new("performance.balanced_accuracy")
        },
        Finding {
            verdict: Verdict::Described,
            claim: "Area under the ROC curve, one class against the rest, averaged: 0.688 (0.601 to 0.771).".to_owned(),
            estimate: Some(0.688),
            interval: Some([0.601, 0.771]),
            interval_method: Some("BCa over 82 images".to_owned()),
            n: 82,
            better: Better::Higher,
            ..Finding::new("performance.auroc")
        },
    ];
    for (class, value, low, high, n, verdict) in [
        ("neutrophil", 0.21, 0.09, 0.40, 33_u64, Verdict::Warn),
        ("lymphocyte", 0.84, 0.68, 0.94, 37, Verdict::Undecided),
        ("monocyte", 0.13, 0.02, 0.40, 15, Verdict::Warn),
        ("eosinophil", 0.08, 0.00, 0.38, 12, Verdict::Warn),
        ("basophil", 0.0, 0.0, 0.71, 3, Verdict::Undecided),
    ] {
        findings.push(Finding {
            verdict,
            claim: format!(
                "Of the {n} target images of {class}, {:.0}% are named rightly ({:.0}–{:.0}%).",
                100.0 * value,
                100.0 * low,
                100.0 * high
            ),
            estimate: Some(value),
            interval: Some([low, high]),
            interval_method: Some("Clopper–Pearson".to_owned()),
            unit: "fraction".to_owned(),
            n,
            better: Better::Higher,
            threshold: Some(threshold(0.85, 0.70)),
            n_needed: (verdict == Verdict::Undecided).then_some(n * 4),
            ..Finding::new(format!("performance.recall[class={class}]"))
        });
    }
    findings.extend([
        Finding {
            verdict: Verdict::Fail,
            claim: "A classifier tells target from reference with a held-out AUC of 0.997 (0.991 to 1.000).".to_owned(),
            estimate: Some(0.997),
            interval: Some([0.991, 1.0]),
            interval_method: Some("grouped folds, refitted in each of 1,999 permutations".to_owned()),
            n: 133,
            better: Better::Lower,
            threshold: Some(threshold(0.60, 0.70)),
            primary: true,
            p: Some(0.0005),
            p_adjusted: Some(0.0015),
            family_size: Some(4),
            caveats: vec![independent.clone()],
            remedy: Some("See which attribute carries it, below.".to_owned()),
            ..Finding::new("shift.classifier_auc")
        },
        Finding {
            verdict: Verdict::Warn,
            claim: "The shift does harm: the error rate on the target is 55 points higher than on the reference (42 to 66).".to_owned(),
            estimate: Some(0.546),
            interval: Some([0.42, 0.66]),
            unit: "fraction".to_owned(),
            n: 133,
            better: Better::Lower,
            threshold: Some(threshold(0.05, 0.10)),
            ..Finding::new("shift.harm")
        },
        Finding {
            verdict: Verdict::Described,
            claim: "The other mix of classes alone explains 3 of the 55 points (−2 to 8); the rest is within classes.".to_owned(),
            estimate: Some(0.03),
            interval: Some([-0.02, 0.08]),
            unit: "fraction".to_owned(),
            n: 133,
            better: Better::Lower,
            ..Finding::new("shift.harm_class_mix")
        },
        Finding {
            verdict: Verdict::Warn,
            claim: "Moving the magnification of reference images to the target's reproduces 71% of the harm (55% to 88%).".to_owned(),
            estimate: Some(0.71),
            interval: Some([0.55, 0.88]),
            unit: "fraction".to_owned(),
            n: 51,
            better: Better::Lower,
            threshold: Some(threshold(0.25, 0.5)),
            remedy: Some("Resample the target to the reference's micrometres per pixel before the model.".to_owned()),
            ..Finding::new("shift.carries[magnification]")
        },
        Finding {
            verdict: Verdict::Undecided,
            claim: "Moving the stain and colour of reference images to the target's reproduces 18% of the harm (3% to 34%).".to_owned(),
            estimate: Some(0.18),
            interval: Some([0.03, 0.34]),
            unit: "fraction".to_owned(),
            n: 51,
            better: Better::Lower,
            threshold: Some(threshold(0.25, 0.5)),
            n_needed: Some(190),
            ..Finding::new("shift.carries[style]")
        },
        Finding {
            verdict: Verdict::NotAssessable,
            claim: "MMD on embeddings: the smallest p that whole groups could give exceeds 0.05.".to_owned(),
            missing: Some("at least 5 groups on each side (a column for --group)".to_owned()),
            ..Finding::new("shift.mmd")
        },
        Finding {
            verdict: Verdict::Warn,
            claim: "Expected calibration error on the target is 31% (debiased); the model is too sure of itself.".to_owned(),
            estimate: Some(0.31),
            interval: Some([0.22, 0.41]),
            n: 82,
            unit: "fraction".to_owned(),
            better: Better::Lower,
            threshold: Some(threshold(0.05, 0.15)),
            ..Finding::new("calibration.ece")
        },
        Finding {
            verdict: Verdict::Undecided,
            claim: "One temperature would gain 0.24 nats per image (−0.03 to 0.52).".to_owned(),
            estimate: Some(0.24),
            interval: Some([-0.03, 0.52]),
            unit: "nat".to_owned(),
            n: 82,
            better: Better::Lower,
            threshold: Some(threshold(0.02, 0.05)),
            primary: true,
            p: Some(0.13),
            p_adjusted: Some(0.18),
            family_size: Some(4),
            n_needed: Some(240),
            ..Finding::new("calibration.log_loss_gain")
        },
        Finding {
            verdict: Verdict::Pass,
            claim: "The score holds to a blur of 1.9 px (1.5 to 2.4); the images vary by 0.6 px.".to_owned(),
            estimate: Some(1.9),
            interval: Some([1.5, 2.4]),
            unit: "px".to_owned(),
            n: 51,
            better: Better::Higher,
            threshold: Some(threshold(1.2, 0.6)),
            ..Finding::new("robustness.defocus.tolerance")
        },
        Finding {
            verdict: Verdict::Pass,
            claim: "The score holds down to 61 photons at the brightest percentile (35 to 110), and beyond the fewest tested in some resamples.".to_owned(),
            estimate: Some(61.0),
            interval: Some([f64::NEG_INFINITY, 110.0]),
            unit: "photons".to_owned(),
            n: 51,
            better: Better::Lower,
            threshold: Some(threshold(150.0, 300.0)),
            ..Finding::new("robustness.shot_noise.tolerance")
        },
        Finding {
            verdict: Verdict::Warn,
            claim: "A tenth of the score is lost at a magnification of 1.32 (1.21 to 1.44); the images vary by 1.5.".to_owned(),
            estimate: Some(1.32),
            interval: Some([1.21, 1.44]),
            n: 51,
            better: Better::Higher,
            threshold: Some(threshold(1.5, 1.25)),
            primary: true,
            p: Some(0.09),
            p_adjusted: Some(0.18),
            family_size: Some(4),
            ..Finding::new("robustness.magnification.tolerance")
        },
        Finding {
            verdict: Verdict::NotAssessable,
            claim: "Robustness on the target: the score without any corruption is not above chance.".to_owned(),
            missing: Some("a model that works on the unchanged images".to_owned()),
            ..Finding::new("robustness.defocus.tolerance[role=target]")
        },
    ]);

    Report {
        title: "wbc_cnn_d1 on wbc2domain".to_owned(),
        generated_by: "transect 0.1.0".to_owned(),
        run: run(),
        counts: Counts {
            reference: 51,
            target: 84,
            measured: 133,
            failed: 2,
            skipped: 0,
            outside_classes: 3,
        },
        headline: Headline {
            works: answer(
                Verdict::Fail,
                "No. It names 41% of your images rightly (31% to 53%); on the reference it was 96%, and the claim is 95%.",
                &["performance.accuracy", "shift.harm"],
            ),
            wrong: answer(
                Verdict::Warn,
                "Mostly neutrophils, taken for lymphocytes. Its confidence does not warn you: it is too sure of itself on these images.",
                &["performance.recall[class=neutrophil]", "calibration.ece"],
            ),
            label: answer(
                Verdict::Undecided,
                "The accuracy is settled. For each class by itself, about 150 labelled images per class would be needed.",
                &["performance.recall[class=lymphocyte]"],
            ),
        },
        findings,
        figures: figures(),
        gallery: gallery(),
        failures: vec![
            Failure {
                image: "images/d2_055.png".to_owned(),
                code: "T101".to_owned(),
                message: "not a PNG: the file ends after 412 of 8,121 bytes".to_owned(),
            },
            Failure {
                image: "images/d2_081.png".to_owned(),
                code: "T107".to_owned(),
                message: "all pixels have one value, so the normalisation divides by zero"
                    .to_owned(),
            },
        ],
    }
}

fn row(label: &str, value: f64, low: f64, high: f64, n: u64, note: &str) -> Row {
    Row {
        label: label.to_owned(),
        value: Some(value),
        low: Some(low),
        high: Some(high),
        n,
        note: note.to_owned(),
    }
}

fn point(x: f64, y: f64, half: f64) -> Point {
    Point {
        x,
        y,
        low: Some((y - half).max(0.0)),
        high: Some((y + half).min(1.0)),
    }
}

fn normal_quantiles(mean: f64, sd: f64) -> Vec<f64> {
    // A logistic curve is close enough to a normal one for a picture.
    (0..=100)
        .map(|i| {
            let p = (f64::from(i) / 100.0).clamp(0.004, 0.996);
            mean + sd * (p / (1.0 - p)).ln() * 0.55
        })
        .collect()
}

fn figures() -> Vec<Figure> {
    let figure = |id: &str, title: &str, caption: &str, drawing: Drawing| Figure {
        id: id.to_owned(),
        mode: id.split('.').next().unwrap_or_default().to_owned(),
        title: title.to_owned(),
        caption: caption.to_owned(),
        drawing,
    };
    vec![
        figure(
            "performance.by_domain",
            "Accuracy by domain, against the claim",
            "Square: accuracy; line: its 95% interval.",
            Drawing::Forest {
                x: "accuracy".to_owned(),
                rows: vec![
                    row("reference, D1", 0.961, 0.868, 0.989, 51, ""),
                    row("target, D2", 0.415, 0.310, 0.528, 82, ""),
                    row(
                        "D2, background cream",
                        0.44,
                        0.27,
                        0.62,
                        31,
                        "these groups only",
                    ),
                    Row {
                        label: "D2, background grey".to_owned(),
                        value: None,
                        low: None,
                        high: None,
                        n: 4,
                        note: "too few groups".to_owned(),
                    },
                ],
                marks: vec![(0.95, "claim".to_owned()), (0.25, "chance".to_owned())],
            },
        ),
        figure(
            "performance.confusion",
            "Neutrophils are taken for lymphocytes",
            "Target images. The shade is the share of a row.",
            Drawing::Confusion {
                classes: ["neutrophil", "lymphocyte", "monocyte", "eosinophil"]
                    .map(str::to_owned)
                    .to_vec(),
                counts: vec![
                    vec![7, 21, 5, 0],
                    vec![1, 31, 4, 1],
                    vec![2, 11, 2, 0],
                    vec![6, 4, 1, 1],
                ],
            },
        ),
        figure(
            "performance.risk",
            "Errors left when the least sure predictions are dropped",
            "Selective risk over coverage; a good confidence falls steeply to the left.",
            Drawing::Curve {
                x: "coverage".to_owned(),
                y: "share of errors".to_owned(),
                log_x: false,
                series: vec![
                    Series {
                        label: "target".to_owned(),
                        points: (1..=20)
                            .map(|i| point(f64::from(i) / 20.0, 0.42 + 0.008 * f64::from(i), 0.1))
                            .collect(),
                    },
                    Series {
                        label: "reference".to_owned(),
                        points: (1..=20)
                            .map(|i| {
                                point(f64::from(i) / 20.0, 0.0005 * f64::from(i * i) / 5.0, 0.02)
                            })
                            .collect(),
                    },
                ],
                x_marks: vec![],
                y_marks: vec![(0.05, "claimed share of errors".to_owned())],
            },
        ),
        figure(
            "shift.texture_scale_px",
            "The target's texture is twice as coarse",
            "Largest of the standardised differences, p = 0.0005 (max-T over 21 attributes).",
            Drawing::Distribution {
                x: "size of the texture (correlation length), px".to_owned(),
                series: vec![
                    ("reference (51)".to_owned(), normal_quantiles(6.2, 0.9)),
                    ("target (82)".to_owned(), normal_quantiles(14.1, 2.0)),
                ],
            },
        ),
        figure(
            "shift.blue_mean",
            "The target is bluer",
            "Standardised difference 1.9, p = 0.0005.",
            Drawing::Distribution {
                x: "mean of the blue channel".to_owned(),
                series: vec![
                    ("reference (51)".to_owned(), normal_quantiles(0.61, 0.04)),
                    ("target (82)".to_owned(), normal_quantiles(0.74, 0.03)),
                ],
            },
        ),
        figure(
            "shift.carries",
            "Magnification carries the harm",
            "Share of the harm that appears when one trait of reference images is moved to the target's.",
            Drawing::Bars {
                x: "share of the harm".to_owned(),
                rows: vec![
                    row("magnification", 0.71, 0.55, 0.88, 51, ""),
                    row("stain and colour", 0.18, 0.03, 0.34, 51, ""),
                    row("focus", 0.04, -0.05, 0.13, 51, ""),
                    row("noise", 0.00, -0.04, 0.05, 51, ""),
                ],
            },
        ),
        figure(
            "calibration.reliability",
            "Reliability",
            "On the diagonal, confidence is deserved; below it, the model is too sure.",
            Drawing::Curve {
                x: "confidence".to_owned(),
                y: "share right".to_owned(),
                log_x: false,
                series: vec![
                    Series {
                        label: "target".to_owned(),
                        points: [
                            (0.35, 0.2),
                            (0.5, 0.31),
                            (0.65, 0.36),
                            (0.8, 0.41),
                            (0.95, 0.52),
                        ]
                        .map(|(x, y)| point(x, y, 0.13))
                        .to_vec(),
                    },
                    Series {
                        label: "reference".to_owned(),
                        points: [(0.55, 0.5), (0.75, 0.8), (0.97, 0.985)]
                            .map(|(x, y)| point(x, y, 0.1))
                            .to_vec(),
                    },
                    Series {
                        label: "ideal".to_owned(),
                        points: [0.0, 1.0]
                            .map(|v| Point {
                                x: v,
                                y: v,
                                low: None,
                                high: None,
                            })
                            .to_vec(),
                    },
                ],
                x_marks: vec![],
                y_marks: vec![],
            },
        ),
        figure(
            "robustness.defocus",
            "Defocus",
            "Accuracy on reference images; band: 95% interval from whole curves resampled.",
            Drawing::Curve {
                x: "blur, px".to_owned(),
                y: "accuracy".to_owned(),
                log_x: false,
                series: vec![Series {
                    label: "reference".to_owned(),
                    points: [
                        (0.0, 0.961),
                        (0.5, 0.96),
                        (1.0, 0.94),
                        (1.5, 0.92),
                        (2.5, 0.78),
                        (4.0, 0.49),
                    ]
                    .map(|(x, y)| point(x, y, 0.06))
                    .to_vec(),
                }],
                x_marks: vec![
                    (1.9, "tolerance".to_owned()),
                    (0.6, "the target's own blur".to_owned()),
                ],
                y_marks: vec![(0.25, "chance".to_owned())],
            },
        ),
        figure(
            "robustness.shot_noise",
            "Shot noise",
            "Fewer photons to the left; ∞ is the image as it is.",
            Drawing::Curve {
                x: "photons at the brightest percentile".to_owned(),
                y: "accuracy".to_owned(),
                log_x: true,
                series: vec![Series {
                    label: "reference".to_owned(),
                    points: [
                        (10.0, 0.41),
                        (30.0, 0.70),
                        (100.0, 0.92),
                        (300.0, 0.95),
                        (1000.0, 0.96),
                        (f64::INFINITY, 0.961),
                    ]
                    .map(|(x, y)| point(x, y, 0.06))
                    .to_vec(),
                }],
                x_marks: vec![(61.0, "tolerance".to_owned())],
                y_marks: vec![(0.25, "chance".to_owned())],
            },
        ),
        figure(
            "robustness.magnification",
            "Magnification",
            "Accuracy on reference images, resampled.",
            Drawing::Curve {
                x: "magnification, times".to_owned(),
                y: "accuracy".to_owned(),
                log_x: true,
                series: vec![Series {
                    label: "reference".to_owned(),
                    points: [
                        (1.0, 0.961),
                        (1.25, 0.92),
                        (1.5, 0.74),
                        (2.0, 0.55),
                        (2.5, 0.44),
                        (3.0, 0.38),
                    ]
                    .map(|(x, y)| point(x, y, 0.07))
                    .to_vec(),
                }],
                x_marks: vec![(1.32, "tolerance".to_owned()), (2.5, "target".to_owned())],
                y_marks: vec![(0.25, "chance".to_owned())],
            },
        ),
    ]
}

fn gallery() -> Vec<Picture> {
    let words = [
        (
            "Worst: neutrophil taken for lymphocyte",
            "Confidence 0.99, truth's probability 0.002",
            "images/d2_017.png",
        ),
        (
            "Worst: neutrophil taken for lymphocyte",
            "Confidence 0.98, truth's probability 0.01",
            "images/d2_044.png",
        ),
        (
            "Worst: monocyte taken for lymphocyte",
            "Confidence 0.97, truth's probability 0.02",
            "images/d2_003.png",
        ),
        (
            "Typical: eosinophil taken for neutrophil",
            "Confidence 0.71, truth's probability 0.18",
            "images/d2_061.png",
        ),
        (
            "Typical: lymphocyte, right",
            "Confidence 0.88",
            "images/d2_020.png",
        ),
        (
            "Typical of the reference: neutrophil, right",
            "Confidence 0.99",
            "images/d1_114.png",
        ),
        (
            "Best: lymphocyte, right",
            "Confidence 1.00",
            "images/d2_009.png",
        ),
    ];
    words
        .iter()
        .enumerate()
        .map(|(i, (title, caption, image))| Picture {
            title: (*title).to_owned(),
            caption: (*caption).to_owned(),
            row: 51 + i as u32,
            image: (*image).to_owned(),
            png: cell(i as u32, image.contains("d1")),
            note: "Truth: solid outline in blue. The prediction is a class, so it has no outline."
                .to_owned(),
            alt: format!("{title}. A stained white blood cell with its nucleus outlined."),
        })
        .collect()
}

/// A drawing of a stained cell with its nucleus outlined.
fn cell(seed: u32, reference: bool) -> Vec<u8> {
    const SIDE: usize = 128;
    let mut state = u64::from(seed) * 7919 + 12345;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let scale = if reference { 0.6 } else { 1.0 };
    let lobes: Vec<(f64, f64, f64)> = (0..=seed % 4)
        .map(|_| {
            (
                64.0 + (next() - 0.5) * 34.0 * scale,
                64.0 + (next() - 0.5) * 34.0 * scale,
                (13.0 + 8.0 * next()) * scale,
            )
        })
        .collect();
    let nucleus = |x: f64, y: f64| {
        lobes
            .iter()
            .map(|&(a, b, r)| (-((x - a).powi(2) + (y - b).powi(2)) / (r * r)).exp())
            .sum::<f64>()
    };
    let mut pixels = Vec::with_capacity(SIDE * SIDE * 3);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (fx, fy) = (x as f64, y as f64);
            let body = 1.0 / (1.0 + (((fx - 64.0).hypot(fy - 64.0) - 42.0 * scale) / 2.5).exp());
            let n = nucleus(fx, fy);
            let core = 1.0 / (1.0 + (-(n - 0.45) * 18.0).exp());
            let ground = if reference {
                [250.0, 245.0, 170.0]
            } else {
                [240.0, 230.0, 222.0]
            };
            let noise = (next() - 0.5) * 14.0;
            let edge = (n - 0.45).abs() < 0.05;
            for (c, ground) in ground.iter().enumerate() {
                let cytoplasm = [205.0, 190.0, 225.0][c];
                let dark = [92.0, 60.0, 140.0][c];
                let value = ground + (cytoplasm - ground) * body;
                let value = value + (dark - value) * core + noise;
                pixels.push(if edge {
                    [0, 114, 178][c]
                } else {
                    value.clamp(0.0, 255.0) as u8
                });
            }
        }
    }
    png(SIDE, &pixels)
}

/// A PNG with stored (uncompressed) blocks.
fn png(side: usize, rgb: &[u8]) -> Vec<u8> {
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, &b| {
            (0..8).fold(crc ^ u32::from(b), |c, _| {
                if c & 1 == 1 {
                    (c >> 1) ^ 0xedb8_8320
                } else {
                    c >> 1
                }
            })
        })
    }
    fn chunk(file: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
        file.extend((data.len() as u32).to_be_bytes());
        let body = [&name[..], data].concat();
        file.extend(&body);
        file.extend(crc(&body).to_be_bytes());
    }
    let mut raw = Vec::new();
    for line in rgb.chunks(side * 3) {
        raw.push(0);
        raw.extend(line);
    }
    let (mut a, mut b) = (1_u32, 0_u32);
    for &byte in &raw {
        a = (a + u32::from(byte)) % 65521;
        b = (b + a) % 65521;
    }
    let mut packed = vec![0x78, 0x01];
    let blocks = raw.chunks(65535).count();
    for (i, block) in raw.chunks(65535).enumerate() {
        packed.push(u8::from(i + 1 == blocks));
        packed.extend((block.len() as u16).to_le_bytes());
        packed.extend((!(block.len() as u16)).to_le_bytes());
        packed.extend(block);
    }
    packed.extend(((b << 16) | a).to_be_bytes());
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend((side as u32).to_be_bytes());
    header.extend((side as u32).to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"IDAT", &packed);
    chunk(&mut file, *b"IEND", &[]);
    file
}

/// A large report: this many findings by subgroup, a forest over as many domains, and a figure for every attribute.
pub(crate) fn large(findings: usize, domains: usize, attributes: usize) -> Report {
    let mut report = realistic();
    let verdicts = [
        Verdict::Pass,
        Verdict::Undecided,
        Verdict::Warn,
        Verdict::Described,
    ];
    for i in 0..findings {
        let value = 0.4 + 0.6 * (i % 97) as f64 / 97.0;
        report.findings.push(Finding {
            verdict: verdicts[i % 4],
            claim: format!("Accuracy on plate {i:04} is {value:.3}."),
            estimate: Some(value),
            interval: Some([value - 0.1, (value + 0.1).min(1.0)]),
            unit: "fraction".to_owned(),
            n: 60,
            better: Better::Higher,
            threshold: Some(threshold(0.95, 0.90)),
            ..Finding::new(format!("performance.accuracy[plate={i:04}]"))
        });
    }
    report.figures.insert(
        0,
        Figure {
            id: "performance.all_domains".to_owned(),
            mode: "performance".to_owned(),
            title: "Accuracy by domain".to_owned(),
            caption: String::new(),
            drawing: Drawing::Forest {
                x: "accuracy".to_owned(),
                rows: (0..domains)
                    .map(|i| {
                        let value = 0.5 + 0.5 * (i % 31) as f64 / 31.0;
                        row(
                            &format!("a site with a rather long name, number {i}"),
                            value,
                            value - 0.1,
                            (value + 0.08).min(1.0),
                            40,
                            "",
                        )
                    })
                    .collect(),
                marks: vec![(0.95, "claim".to_owned())],
            },
        },
    );
    for i in 0..attributes {
        let mut figure = report
            .figures
            .iter()
            .find(|f| f.id == "shift.blue_mean")
            .expect("there")
            .clone();
        figure.id = format!("shift.attribute_{i}");
        report.figures.push(figure);
    }
    report
}
