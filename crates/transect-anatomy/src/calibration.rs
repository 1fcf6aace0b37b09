//! Confidence: does the model know when it is wrong?
//!
//! Primary: `calibration.log_loss_gain`, what temperature scaling, fitted on other images, takes off the log loss. Bad is
//! high: it warns above 0.02 nats each and fails above 0.05. For segmentation the answers are objects (right where they match
//! at IoU 0.5) or sampled pixels; those of an image stay together.

use transect_core::figure::{Drawing, Point, Series};
use transect_core::finding::Evidence;
use transect_core::{Better, Context, Figure, Finding, Request, Result, Role, Threshold};
use transect_stats::{
    PROBABILITY_FLOOR, brier, calibration_error, cross_fitted_temperature, log_losses, mean, rate,
    reliability, risk_coverage, statistic_of_rows,
};

use crate::answers::{Answers, Part};
use crate::evidence::{self, Query};
use crate::opinion::{Opinion, judged, not_assessable, with_estimate};
use crate::study::Study;
use crate::words::{self, Form};
use crate::{Mode, plan as merging};

/// Gain in nats an answer above which the finding warns and fails.
pub const GAIN: Threshold = Threshold {
    warn: 0.02,
    fail: 0.05,
};
/// Fewest images, objects or pixels for anything about confidence.
pub const FEWEST: usize = 20;
/// Bins of the reliability diagram and of the calibration error.
const BINS: usize = 15;
/// Share of the least sure images that `calibration.errors_in_least_sure` looks at.
const LEAST_SURE: f64 = 0.2;
/// Most points of the risk–coverage curve in its figure.
const POINTS: usize = 200;

pub(crate) const MODE: Mode = Mode {
    name: "calibration",
    question: "Does the model know when it is wrong?",
    primaries: &["calibration.log_loss_gain"],
    plan,
    judge,
};

/// The images themselves.
pub fn plan(_: &Context) -> Vec<Request> {
    vec![merging::identity("calibration")]
}

fn evidence(study: &Study<'_>, answers: &Answers, what: &str) -> Evidence {
    match answers.part {
        Part::Image => evidence::of_target(study, what),
        Part::Object => Query::elements(
            study,
            "e.image_sha256, e.confidence, CAST(e.truth IS NOT NULL AS DOUBLE) AS matched",
        )
        .and("e.pred IS NOT NULL")
        .of_target()
        .into(),
        Part::Pixel => Query::elements(
            study,
            "e.image_sha256, e.confidence, CAST(e.truth = e.pred AS DOUBLE) AS same",
        )
        .and("e.truth IS NOT NULL")
        .of_target()
        .into(),
    }
}

/// `200 images`, `4310 predicted objects in 200 images`.
fn number_of(answers: &Answers) -> String {
    match answers.part {
        Part::Image => words::images(answers.len()),
        part => format!(
            "{} in {}",
            words::counted(answers.len(), part.one(), part.many()),
            words::images(answers.images())
        ),
    }
}

/// Puts an estimate over answers into a finding. Its n is that of images.
fn estimated(
    finding: Finding,
    e: &transect_stats::Estimate,
    study: &Study<'_>,
    answers: &Answers,
) -> Finding {
    let mut finding = with_estimate(finding, e, study);
    finding.n = answers.images() as u64;
    finding
}

/// What the confidence is worth.
///
/// # Errors
/// When a table cannot be read.
pub fn judge(study: &Study<'_>) -> Result<Opinion> {
    let mut opinion = Opinion::default();
    let refuse = |opinion: &mut Opinion, claim: &str, missing: &str| {
        let mut finding = not_assessable("calibration.log_loss_gain", claim, missing);
        finding.primary = true;
        opinion.drafts.push(finding.into());
    };
    let answers = Answers::of(study, Role::Target)?;
    let Some(answers) = answers else {
        let (what, missing) = match Part::of(study.context.task) {
            Part::Image => (
                "no target image has both truth and class probabilities that sum to 1",
                "class probabilities (a model that gives them, or predictions with one column for each class; at most 64 classes) and truth",
            ),
            Part::Object => (
                "no predicted object of a target image with truth has a confidence",
                "a model that gives a foreground probability, and outlines of objects",
            ),
            Part::Pixel => (
                "no pixel of a target image with truth has a probability",
                "a model that gives probabilities of the classes (not labels alone), and truth",
            ),
        };
        refuse(
            &mut opinion,
            &format!("Whether the confidence can be believed was not assessed: {what}."),
            missing,
        );
        return Ok(opinion);
    };
    if answers.len() < FEWEST || answers.probabilities.columns() < 2 {
        refuse(
            &mut opinion,
            &format!(
                "Whether the confidence can be believed was not assessed: {} with truth are too few.",
                number_of(&answers)
            ),
            &format!(
                "at least {FEWEST} {} with truth, and at least two classes",
                if answers.part == Part::Image {
                    "target images"
                } else {
                    answers.part.many()
                }
            ),
        );
        return Ok(opinion);
    }
    let all: Vec<usize> = (0..answers.len()).collect();
    let units = answers.units(study, &all)?;
    gain(study, &answers, &units, &mut opinion)?;
    described(study, &answers, &units, &mut opinion)?;
    risk(study, &answers, &mut opinion)?;
    missed(study, &answers, &mut opinion);
    Ok(opinion)
}

/// Objects that were missed have no confidence: they are told apart from what the model said.
fn missed(study: &Study<'_>, answers: &Answers, opinion: &mut Opinion) {
    let (objects, missed) = answers.objects;
    if answers.part != Part::Object || objects == 0 {
        return;
    }
    let mut finding = Finding::new("calibration.missed_objects");
    finding.claim = format!(
        "{missed} of {} of the truth have no predicted object at IoU 0.5, and so no confidence: what is said of the confidence does not speak of them.",
        words::counted(objects, "object", "objects")
    );
    finding.estimate = Some(missed as f64 / objects as f64);
    finding.unit = String::from("fraction");
    finding.better = Better::Lower;
    finding.n = answers.images() as u64;
    finding.evidence = Query::elements(study, "avg(CAST(e.pred IS NULL AS DOUBLE))")
        .and("e.truth IS NOT NULL")
        .of_target()
        .into();
    finding.caveats.push(
        "described, without an interval; the score of the model is in `performance`".to_owned(),
    );
    opinion.drafts.push(finding.into());
}

fn gain(
    study: &Study<'_>,
    answers: &Answers,
    units: &transect_stats::Units,
    opinion: &mut Opinion,
) -> Result<()> {
    let id = "calibration.log_loss_gain";
    if units.groups() < 2 {
        let mut finding = not_assessable(
            id,
            "Whether the confidence can be believed was not assessed: all images are of one group.",
            "target images of at least six groups",
        );
        finding.primary = true;
        opinion.drafts.push(finding.into());
        return Ok(());
    }
    // A loss is at most 34.6 nats, and so is a gain. The estimate knows that the temperatures were fitted; the plain mean of
    // the gains does not, and its upper bound is too low.
    let settings = study.settings(id).tails().range(-34.6, 34.6);
    let fitted =
        cross_fitted_temperature(&answers.probabilities, &answers.truth, units, &settings)?;
    let e = fitted.estimate.clone();
    let sure = if fitted.temperature > 1.0 {
        "too sure"
    } else {
        "not sure enough"
    };
    let mut finding = Finding::new(id);
    finding.claim = if e.low > 0.0 {
        format!(
            "The model is {sure}: its probabilities at temperature {}, fitted on other images, take {} nats off the log loss of each of {}.",
            words::number(fitted.temperature),
            Form::Plain.estimate(&e),
            number_of(answers)
        )
    } else {
        format!(
            "Rescaling the confidence by a temperature fitted on other images changes the log loss by {} nats {} on {}: no gain is shown.",
            Form::Plain.estimate(&e),
            answers.part.each(),
            number_of(answers)
        )
    };
    finding.unit = String::from("nats");
    finding.evidence = evidence(study, answers, "i.truth_class, m.outputs");
    finding.images = answers.surest_errors(study, 10);
    finding.caveats.push(format!(
        "held against a gain of {} (warn) and {} nats {} (fail)",
        GAIN.warn,
        GAIN.fail,
        answers.part.each()
    ));
    finding.caveats.push(
        match answers.part {
            Part::Image => "one temperature for all classes: a fault within one class only may remain",
            Part::Object => "right is an object that matches one of the truth at IoU 0.5; the confidence is the object's mean foreground probability, which need not be meant as the chance of that, but is read so; missed objects are told apart",
            Part::Pixel => "pixels drawn at random from each image; pixels of one image are kept together; the confidence is the predicted class's probability",
        }
        .to_owned(),
    );
    finding.remedy = Some(format!(
        "Divide the logits by {} before the {}, after fitting it on labelled images of your own.",
        words::number(fitted.temperature),
        if answers.part == Part::Image {
            "softmax"
        } else {
            "sigmoid or softmax"
        }
    ));
    let mut draft = judged(finding, e, GAIN, Better::Lower, true, study);
    draft.finding.n = answers.images() as u64;
    opinion.drafts.push(draft);
    Ok(())
}

fn described(
    study: &Study<'_>,
    answers: &Answers,
    units: &transect_stats::Units,
    opinion: &mut Opinion,
) -> Result<()> {
    let (confidence, correct) = (&answers.confidence, &answers.right);
    let n = answers.len();

    let settings = study.settings("calibration.ece");
    let ece = calibration_error(
        confidence,
        correct,
        BINS,
        2_000.min((10_000_000 / n).max(199)),
        &settings,
    )?;
    let mut finding = Finding::new("calibration.ece");
    finding.claim = format!(
        "Confidence and share of right answers differ by {} points on average over {} bins of {} (debiased; {} of a calibrated model).",
        words::number(100.0 * ece.debiased),
        ece.bins,
        number_of(answers),
        words::p_value(ece.p)
    );
    finding.estimate = Some(ece.debiased);
    finding.unit = String::from("fraction");
    finding.better = Better::Lower;
    finding.n = answers.images() as u64;
    finding.p = Some(ece.p);
    finding.caveats.push(format!(
        "described only: it has no interval, depends on the bins, and its p takes {} for independent",
        answers.part.many()
    ));
    finding.evidence = evidence(study, answers, "m.confidence, m.score_correct");
    opinion.drafts.push(finding.into());

    let scores = brier(&answers.probabilities, &answers.truth)?;
    let settings = study.settings("calibration.brier").range(0.0, 2.0);
    let e = mean(&scores.rows, units, &settings)?;
    let mut finding = Finding::new("calibration.brier");
    finding.claim = format!(
        "The Brier score on {} is {}; 0 is best, 2 is worst.",
        number_of(answers),
        Form::Plain.estimate(&e)
    );
    finding.better = Better::Lower;
    finding.evidence = evidence(study, answers, "avg(m.score_brier)");
    opinion
        .drafts
        .push(estimated(finding, &e, study, answers).into());

    let losses = log_losses(&answers.probabilities, &answers.truth)?;
    let settings = study
        .settings("calibration.nll")
        .range(0.0, -PROBABILITY_FLOOR.ln());
    let e = mean(&losses, units, &settings)?;
    let mut finding = Finding::new("calibration.nll");
    finding.claim = format!(
        "The negative log likelihood on {} is {} nats {}.",
        number_of(answers),
        Form::Plain.estimate(&e),
        answers.part.each()
    );
    finding.unit = String::from("nats");
    finding.better = Better::Lower;
    finding.evidence = evidence(study, answers, "avg(m.score_log_loss)");
    opinion
        .drafts
        .push(estimated(finding, &e, study, answers).into());

    let bins = reliability(
        confidence,
        correct,
        BINS.min(n / 10).max(2),
        units,
        &study.settings("calibration.reliability"),
    )?;
    let points: Vec<Point> = bins
        .iter()
        .map(|b| Point {
            x: b.confidence,
            y: b.accuracy.estimate,
            low: Some(b.accuracy.low),
            high: Some(b.accuracy.high),
        })
        .collect();
    let ideal = [0.0, 1.0]
        .map(|v| Point {
            x: v,
            y: v,
            low: None,
            high: None,
        })
        .to_vec();
    opinion.figures.push(Figure {
        id: "calibration.reliability".to_owned(),
        mode: "calibration".to_owned(),
        title: "Does 90% sure mean 90% right?".to_owned(),
        caption: format!(
            "Share of right answers over the confidence in {} bins of equal numbers of {}, with 95% intervals. On the line, confidence can be taken at its word; under it the model is too sure.",
            bins.len(),
            answers.part.many()
        ),
        drawing: Drawing::Curve {
            x: "confidence".to_owned(),
            y: "share right".to_owned(),
            log_x: false,
            series: vec![
                Series { label: "target".to_owned(), points },
                Series { label: "ideal".to_owned(), points: ideal },
            ],
            x_marks: Vec::new(),
            y_marks: Vec::new(),
        },
    });
    Ok(())
}

fn risk(study: &Study<'_>, answers: &Answers, opinion: &mut Opinion) -> Result<()> {
    // Answers in the order of confidence, so that each resample is sorted already.
    let mut order: Vec<usize> = (0..answers.len()).collect();
    order.sort_by(|&a, &b| {
        answers.confidence[b]
            .total_cmp(&answers.confidence[a])
            .then(a.cmp(&b))
    });
    let confidence: Vec<f64> = order.iter().map(|&o| answers.confidence[o]).collect();
    let loss: Vec<f64> = order
        .iter()
        .map(|&o| f64::from(u8::from(!answers.right[o])))
        .collect();
    let units = answers.units(study, &order)?;
    let curve = risk_coverage(&confidence, &loss)?;
    let n = order.len();
    let area = |which: &'static str, settings: &transect_stats::Settings| {
        let mut settings = settings.clone().range(0.0, 1.0);
        settings.resamples = settings.resamples.min((4_000_000 / n.max(1)).max(400));
        statistic_of_rows(&units, &settings, &mut |indices| {
            let c: Vec<f64> = indices.iter().map(|&i| confidence[i]).collect();
            let l: Vec<f64> = indices.iter().map(|&i| loss[i]).collect();
            let curve = risk_coverage(&c, &l).ok()?;
            Some(if which == "aurc" {
                curve.aurc
            } else {
                curve.augrc
            })
        })
    };
    for (which, words_of) in [
        ("aurc", "The mean risk over all coverages (AURC)"),
        (
            "augrc",
            "The mean share of accepted errors over all coverages (AUGRC)",
        ),
    ] {
        let id = format!("calibration.{which}");
        let e = area(which, &study.settings(&id))?;
        let mut finding = Finding::new(id);
        finding.claim = format!(
            "{words_of} on {} is {}; 0 is best.",
            number_of(answers),
            Form::Plain.estimate(&e)
        );
        finding.better = Better::Lower;
        finding.evidence = evidence(study, answers, "m.confidence, 1 - m.score_correct AS risk");
        opinion
            .drafts
            .push(estimated(finding, &e, study, answers).into());
    }
    least_sure(study, answers, &order, opinion)?;
    let step = n.div_ceil(POINTS);
    let points: Vec<Point> = (0..n)
        .filter(|k| (k + 1) % step == 0 || k + 1 == n)
        .map(|k| Point {
            x: curve.coverage[k],
            y: curve.risk[k],
            low: None,
            high: None,
        })
        .collect();
    opinion.figures.push(Figure {
        id: "calibration.risk_coverage".to_owned(),
        mode: "calibration".to_owned(),
        title: format!(
            "How wrong is it on the {} that it is surest of?",
            answers.part.many()
        ),
        caption: format!(
            "Share of wrong answers (risk) among the {} that are accepted when only the surest are (coverage). A curve that falls towards the left says that confidence tells errors apart.",
            answers.part.many()
        ),
        drawing: Drawing::Curve {
            x: format!("coverage: share of {} accepted, surest first", answers.part.many()),
            y: "risk: share wrong".to_owned(),
            log_x: false,
            series: vec![Series { label: "target".to_owned(), points }],
            x_marks: Vec::new(),
            y_marks: vec![(curve.risk[n - 1], format!("all {}", answers.part.many()))],
        },
    });
    Ok(())
}

/// Of the errors, the share that lies among the fifth of answers that the model is least sure of.
fn least_sure(
    study: &Study<'_>,
    answers: &Answers,
    order: &[usize],
    opinion: &mut Opinion,
) -> Result<()> {
    let n = order.len();
    let kept = n - (LEAST_SURE * n as f64).round() as usize;
    if kept == 0 || kept == n {
        return Ok(());
    }
    // What is as sure as the last one accepted is accepted: where many are equally sure, fewer are looked at.
    let cut = answers.confidence[order[kept - 1]];
    let looked_at = answers.confidence.iter().filter(|&&c| c < cut).count();
    let errors: Vec<usize> = order
        .iter()
        .copied()
        .filter(|&a| !answers.right[a])
        .collect();
    if errors.is_empty() || looked_at == 0 {
        return Ok(());
    }
    let hits: Vec<bool> = errors
        .iter()
        .map(|&a| answers.confidence[a] < cut)
        .collect();
    let id = "calibration.errors_in_least_sure";
    let e = rate(
        &hits,
        &answers.units(study, &errors)?,
        &study.settings(id).range(0.0, 1.0),
    )?;
    let share = looked_at as f64 / n as f64;
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "The {} of {} that the model is least sure of (confidence under {}) hold {} of its {}.",
        words::percent(share),
        answers.part.many(),
        words::number(cut),
        Form::Percent.estimate(&e),
        words::counted(errors.len(), "error", "errors")
    );
    finding.unit = String::from("fraction");
    finding.better = Better::Higher;
    finding.caveats.push(format!(
        "by chance it would be {}; the cut is taken from these {}",
        words::percent(share),
        answers.part.many()
    ));
    finding.evidence = evidence(study, answers, "i.image, m.confidence, m.score_correct");
    opinion
        .drafts
        .push(with_estimate(finding, &e, study).into());
    Ok(())
}
