//! Confidence: does the model know when it is wrong?
//!
//! Primary: `calibration.log_loss_gain`, what temperature scaling, fitted on other images, takes off the log loss. Bad is
//! high: it warns above 0.02 nats an image and fails above 0.05.

use transect_core::figure::{Drawing, Point, Series};
use transect_core::finding::Evidence;
use transect_core::{Better, Context, Figure, Finding, Request, Result, Role, Task, Threshold};
use transect_stats::{
    Matrix, PROBABILITY_FLOOR, brier, calibration_error, cross_fitted_temperature, log_losses,
    mean, rate, reliability, risk_coverage, statistic_of_rows,
};

use crate::opinion::{Opinion, judged, not_assessable, with_estimate};
use crate::performance::{sql, worst};
use crate::study::Study;
use crate::words::{self, Form};
use crate::{Mode, plan as merging};

/// Gain in nats an image above which the finding warns and fails.
pub const GAIN: Threshold = Threshold {
    warn: 0.02,
    fail: 0.05,
};
/// Fewest images for anything about confidence.
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

fn evidence(study: &Study<'_>, what: &str) -> Evidence {
    Evidence {
        model: study.model.clone(),
        view: Some("identity".to_owned()),
        rows: Some("i.role = 'target'".to_owned()),
        sql: Some(sql(what, "i.role = 'target'")),
    }
}

/// What the confidence is worth.
///
/// # Errors
/// When class probabilities do not sum to 1, or a table cannot be read.
pub fn judge(study: &Study<'_>) -> Result<Opinion> {
    let mut opinion = Opinion::default();
    let refuse = |opinion: &mut Opinion, claim: &str, missing: &str| {
        let mut finding = not_assessable("calibration.log_loss_gain", claim, missing);
        finding.primary = true;
        opinion.drafts.push(finding.into());
    };
    if study.context.task != Task::Classification {
        refuse(
            &mut opinion,
            "Whether the confidence can be believed was not assessed: it is assessed for classification only.",
            "confidences of objects or pixels with their truth, which a later version will measure one by one",
        );
        return Ok(opinion);
    }
    let k = study.context.classes.len();
    let rows: Vec<usize> = study
        .scored(Role::Target)
        .into_iter()
        .filter(|&i| {
            let row = &study.rows[i];
            row.truth_class.is_some_and(|c| (c as usize) < k)
                && row
                    .seen
                    .as_ref()
                    .is_some_and(|s| s.outputs.len() == k && are_probabilities(&s.outputs))
        })
        .collect();
    if rows.is_empty() {
        refuse(
            &mut opinion,
            "Whether the confidence can be believed was not assessed: no target image has both truth and class probabilities that sum to 1.",
            "class probabilities (a model that gives them, or predictions with one column for each class; at most 64 classes) and truth",
        );
        return Ok(opinion);
    }
    if rows.len() < FEWEST || k < 2 {
        refuse(
            &mut opinion,
            &format!(
                "Whether the confidence can be believed was not assessed: {} with truth are too few.",
                words::images(rows.len())
            ),
            &format!("at least {FEWEST} target images with truth, and at least two classes"),
        );
        return Ok(opinion);
    }
    let probabilities = matrix(study, &rows, k)?;
    let truth: Vec<u32> = rows
        .iter()
        .filter_map(|&i| study.rows[i].truth_class)
        .collect();
    let units = study.units(&rows)?;
    gain(study, &rows, &probabilities, &truth, &units, &mut opinion)?;
    described(study, &rows, &probabilities, &truth, &units, &mut opinion)?;
    risk(study, &rows, &probabilities, &mut opinion)?;
    Ok(opinion)
}

/// Whether numbers are within 0 and 1 and sum to 1, to a rounding of 1e-3.
fn are_probabilities(outputs: &[f32]) -> bool {
    outputs.iter().all(|p| (0.0..=1.001).contains(p))
        && (outputs.iter().map(|&p| f64::from(p)).sum::<f64>() - 1.0).abs() <= 1e-3
}

/// Probabilities, scaled to sum to 1 exactly.
fn matrix(study: &Study<'_>, rows: &[usize], k: usize) -> Result<Matrix> {
    let mut data = Vec::with_capacity(rows.len() * k);
    for &i in rows {
        let Some(seen) = &study.rows[i].seen else {
            continue;
        };
        let sum: f64 = seen.outputs.iter().map(|&p| f64::from(p)).sum();
        data.extend(seen.outputs.iter().map(|&p| (f64::from(p) / sum).min(1.0)));
    }
    Matrix::new(rows.len(), k, data)
}

fn gain(
    study: &Study<'_>,
    rows: &[usize],
    probabilities: &Matrix,
    truth: &[u32],
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
    let fitted = cross_fitted_temperature(probabilities, truth, units, &settings)?;
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
            words::images(rows.len())
        )
    } else {
        format!(
            "Rescaling the confidence by a temperature fitted on other images changes the log loss by {} nats an image on {}: no gain is shown.",
            Form::Plain.estimate(&e),
            words::images(rows.len())
        )
    };
    finding.unit = String::from("nats");
    finding.evidence = evidence(study, "i.truth_class, m.outputs");
    finding.images = surest_errors(study, rows, 10);
    finding.caveats.push(format!(
        "held against a gain of {} (warn) and {} nats an image (fail)",
        GAIN.warn, GAIN.fail
    ));
    finding.caveats.push(
        "one temperature for all classes: a fault within one class only may remain".to_owned(),
    );
    finding.remedy = Some(format!(
        "Divide the logits by {} before the softmax, after fitting it on labelled images of your own.",
        words::number(fitted.temperature)
    ));
    opinion
        .drafts
        .push(judged(finding, e, GAIN, Better::Lower, true, study));
    Ok(())
}

/// Wrong images with the highest confidence.
fn surest_errors(study: &Study<'_>, rows: &[usize], most: usize) -> Vec<String> {
    let wrong: Vec<usize> = rows
        .iter()
        .copied()
        .filter(|&i| study.rows[i].score == Some(0.0))
        .collect();
    worst(study, &wrong, most)
}

fn described(
    study: &Study<'_>,
    rows: &[usize],
    probabilities: &Matrix,
    truth: &[u32],
    units: &transect_stats::Units,
    opinion: &mut Opinion,
) -> Result<()> {
    let correct: Vec<bool> = rows
        .iter()
        .map(|&i| study.rows[i].score == Some(1.0))
        .collect();
    let confidence = confidences(probabilities);
    let n = rows.len();

    let settings = study.settings("calibration.ece");
    let ece = calibration_error(&confidence, &correct, BINS, 2_000, &settings)?;
    let mut finding = Finding::new("calibration.ece");
    finding.claim = format!(
        "Confidence and share of right answers differ by {} points on average over {} bins of {} (debiased; {} of a calibrated model).",
        words::number(100.0 * ece.debiased),
        ece.bins,
        words::images(n),
        words::p_value(ece.p)
    );
    finding.estimate = Some(ece.debiased);
    finding.unit = String::from("fraction");
    finding.better = Better::Lower;
    finding.n = n as u64;
    finding.p = Some(ece.p);
    finding.caveats.push("described only: it has no interval, depends on the bins, and its p takes images for independent".to_owned());
    finding.evidence = evidence(study, "m.confidence, m.score_correct");
    opinion.drafts.push(finding.into());

    let scores = brier(probabilities, truth)?;
    let settings = study.settings("calibration.brier").range(0.0, 2.0);
    let e = mean(&scores.rows, units, &settings)?;
    let mut finding = Finding::new("calibration.brier");
    finding.claim = format!(
        "The Brier score on {} is {}; 0 is best, 2 is worst.",
        words::images(n),
        Form::Plain.estimate(&e)
    );
    finding.better = Better::Lower;
    finding.evidence = evidence(study, "avg(m.score_brier)");
    opinion
        .drafts
        .push(with_estimate(finding, &e, study).into());

    let losses = log_losses(probabilities, truth)?;
    let settings = study
        .settings("calibration.nll")
        .range(0.0, -PROBABILITY_FLOOR.ln());
    let e = mean(&losses, units, &settings)?;
    let mut finding = Finding::new("calibration.nll");
    finding.claim = format!(
        "The negative log likelihood on {} is {} nats an image.",
        words::images(n),
        Form::Plain.estimate(&e)
    );
    finding.unit = String::from("nats");
    finding.better = Better::Lower;
    finding.evidence = evidence(study, "avg(m.score_log_loss)");
    opinion
        .drafts
        .push(with_estimate(finding, &e, study).into());

    let bins = reliability(
        &confidence,
        &correct,
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
            "Share of right answers over the confidence in {} bins of equal numbers of images, with 95% intervals. On the line, confidence can be taken at its word; under it the model is too sure.",
            bins.len()
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

/// Largest probability of each row.
fn confidences(probabilities: &Matrix) -> Vec<f64> {
    (0..probabilities.rows())
        .map(|row| {
            probabilities
                .row(row)
                .iter()
                .copied()
                .fold(0.0, f64::max)
                .clamp(0.0, 1.0)
        })
        .collect()
}

fn risk(
    study: &Study<'_>,
    rows: &[usize],
    probabilities: &Matrix,
    opinion: &mut Opinion,
) -> Result<()> {
    // Rows in the order of confidence, so that each resample is sorted already.
    let confidence = confidences(probabilities);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| confidence[b].total_cmp(&confidence[a]).then(a.cmp(&b)));
    let sorted: Vec<usize> = order.iter().map(|&o| rows[o]).collect();
    let confidence: Vec<f64> = order.iter().map(|&o| confidence[o]).collect();
    let loss: Vec<f64> = sorted
        .iter()
        .filter_map(|&i| study.rows[i].risk())
        .collect();
    let units = study.units(&sorted)?;
    let curve = risk_coverage(&confidence, &loss)?;
    let n = sorted.len();
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
            words::images(n),
            Form::Plain.estimate(&e)
        );
        finding.better = Better::Lower;
        finding.evidence = evidence(study, "m.confidence, 1 - m.score_correct AS risk");
        opinion
            .drafts
            .push(with_estimate(finding, &e, study).into());
    }
    least_sure(study, &sorted, &confidence, opinion)?;
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
        title: "How wrong is it on the images that it is surest of?".to_owned(),
        caption: "Share of wrong answers (risk) among the images that are accepted when only the surest are (coverage). A curve that falls towards the left says that confidence tells errors apart.".to_owned(),
        drawing: Drawing::Curve {
            x: "coverage: share of images accepted, surest first".to_owned(),
            y: "risk: share wrong".to_owned(),
            log_x: false,
            series: vec![Series { label: "target".to_owned(), points }],
            x_marks: Vec::new(),
            y_marks: vec![(curve.risk[n - 1], "all images".to_owned())],
        },
    });
    Ok(())
}

/// Of the errors, the share that lies among the fifth of images that the model is least sure of.
fn least_sure(
    study: &Study<'_>,
    sorted: &[usize],
    confidence: &[f64],
    opinion: &mut Opinion,
) -> Result<()> {
    let n = sorted.len();
    let kept = n - (LEAST_SURE * n as f64).round() as usize;
    if kept == 0 || kept == n {
        return Ok(());
    }
    // Images as sure as the last one accepted are accepted: where many are equally sure, fewer are looked at.
    let cut = confidence[kept - 1];
    let looked_at = confidence.iter().filter(|&&c| c < cut).count();
    let errors: Vec<usize> = sorted
        .iter()
        .copied()
        .filter(|&i| study.rows[i].score == Some(0.0))
        .collect();
    if errors.is_empty() || looked_at == 0 {
        return Ok(());
    }
    let by_row: std::collections::BTreeMap<usize, f64> = sorted
        .iter()
        .copied()
        .zip(confidence.iter().copied())
        .collect();
    let hits: Vec<bool> = errors.iter().map(|i| by_row[i] < cut).collect();
    let id = "calibration.errors_in_least_sure";
    let e = rate(
        &hits,
        &study.units(&errors)?,
        &study.settings(id).range(0.0, 1.0),
    )?;
    let share = looked_at as f64 / n as f64;
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "The {} of images that the model is least sure of (confidence under {}) hold {} of its {}.",
        words::percent(share),
        words::number(cut),
        Form::Percent.estimate(&e),
        words::counted(errors.len(), "error", "errors")
    );
    finding.unit = String::from("fraction");
    finding.better = Better::Higher;
    finding.caveats.push(format!(
        "by chance it would be {}; the cut is taken from these images",
        words::percent(share)
    ));
    finding.evidence = evidence(study, "i.image, m.confidence, m.score_correct");
    opinion
        .drafts
        .push(with_estimate(finding, &e, study).into());
    Ok(())
}
