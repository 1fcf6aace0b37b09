//! Throughput: how long an image takes, against what is needed.
//!
//! Its findings rest on the clock, which is never the same twice. They are therefore not in `findings.json`, whose bytes
//! are the same for the same run, but in [`crate::Judged::outside`], and they may at most warn.

use transect_core::{Better, Context, Finding, Request, Result, Threshold};
use transect_stats::{Units, mean, quantiles};

use crate::evidence;
use crate::opinion::{Opinion, judged, not_assessable};
use crate::study::Study;
use crate::words::{self, Form};
use crate::{Mode, plan as merging};

/// Seconds in a day.
const DAY_S: f64 = 86_400.0;

pub(crate) const MODE: Mode = Mode {
    name: "cost",
    question: "Is it fast enough?",
    primaries: &[],
    plan,
    judge,
};

/// The images themselves.
pub fn plan(_: &Context) -> Vec<Request> {
    vec![merging::identity("cost")]
}

/// Seconds an image, from the timings of the images themselves.
///
/// # Errors
/// When the timings cannot be read.
pub fn judge(study: &Study<'_>) -> Result<Opinion> {
    let mut opinion = Opinion::default();
    let id = "cost.seconds_per_image";
    if study.context.predictions_only {
        opinion.outside.push(
            not_assessable(id, "How long an image takes is not known: predictions were given, the model was not run.", "the model (--model)").into(),
        );
        return Ok(opinion);
    }
    let mut total: Vec<f64> = Vec::new();
    let mut inference: Vec<f64> = Vec::new();
    study.tables.scan_timings(&mut |t| {
        let audited = study.model.as_ref().is_none_or(|m| *m == t.model_id);
        if audited && t.view_id == "identity" && t.total_s.is_finite() && t.inference_s.is_finite()
        {
            total.push(t.total_s);
            inference.push(t.inference_s);
        }
        Ok(())
    })?;
    if total.is_empty() {
        opinion.outside.push(
            not_assessable(
                id,
                "How long an image takes is not known: no image was timed.",
                "timings.parquet of a run that ran the model",
            )
            .into(),
        );
        return Ok(opinion);
    }
    // Timings have no stated order: sums are taken in one.
    total.sort_by(f64::total_cmp);
    inference.sort_by(f64::total_cmp);
    let q = quantiles(&total, &[0.5, 0.95])?;
    let engine = quantiles(&inference, &[0.5])?[0];
    let e = mean(
        &total,
        &Units::independent(total.len()),
        &study.settings(id).range(0.0, f64::MAX),
    )?;
    let a_day = DAY_S / e.estimate.max(f64::MIN_POSITIVE);
    let mut finding = Finding::new(id);
    finding.unit = String::from("s");
    finding.better = Better::Lower;
    finding.claim = format!(
        "An image takes {} s in the median (95th percentile {} s; {} s of it in the engine), so one worker does {} images a day, from {}.",
        words::number(q[0]),
        words::number(q[1]),
        words::number(engine),
        words::number(a_day.floor()),
        words::images(total.len())
    );
    finding.caveats.push("on this machine, one image after the other, everything from file to score; several workers do more".to_owned());
    finding.evidence = evidence::seconds(study);
    let draft = if let Some(wanted) = study.context.throughput_per_day.filter(|t| *t > 0.0) {
        let limit = DAY_S / wanted;
        let needed = format!(
            " {} images a day are needed, {} s each; the mean is {} s.",
            words::number(wanted),
            words::number(limit),
            Form::Plain.estimate(&e)
        );
        finding.claim.push_str(&needed);
        judged(
            finding,
            e,
            Threshold {
                warn: limit,
                fail: limit,
            },
            Better::Lower,
            false,
            study,
        )
    } else {
        finding
            .caveats
            .push("no throughput was asked for (--throughput), so it is described".to_owned());
        crate::opinion::with_estimate(finding, &e, study).into()
    };
    opinion.outside.push(draft);
    Ok(opinion)
}
