//! Confidence outside of what the reference spans, against inside.

use transect_core::{Better, Finding, Result, Task, Threshold};
use transect_stats::{difference_of_means, mean};

use super::{Sure, confidence};
use crate::evidence;
use crate::opinion::{Opinion, judged, not_assessable, with_estimate};
use crate::shift::joint_envelope;
use crate::study::Study;
use crate::words::{self, Form};

/// Excess of confidence over the share of right answers, outside less inside, above which it warns. Never worse than a warning.
const GAP: Threshold = Threshold {
    warn: 0.05,
    fail: 0.15,
};
/// Fewest images outside, and inside.
const FEWEST: usize = 10;

pub(super) fn judge(study: &Study<'_>, sure: &mut Sure, opinion: &mut Opinion) -> Result<()> {
    let id = "hallucination.outside_envelope";
    let refuse = |opinion: &mut Opinion, why: &str, missing: &str| {
        opinion.drafts.push(
            not_assessable(
                id,
                format!("Whether it is as sure outside of what the reference spans was not assessed: {why}."),
                missing,
            )
            .into(),
        );
        Ok(())
    };
    let Some((target, envelope)) = joint_envelope(study)? else {
        return refuse(
            opinion,
            "there is no reference to span anything",
            "images that the claim was made on: --reference",
        );
    };
    if !envelope.enough {
        return refuse(
            opinion,
            "the reference has too few groups to call an image outside",
            "at least 38 groups of reference images",
        );
    }
    let (mut outside, mut inside): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    for (&row, of) in target.iter().zip(&envelope.images) {
        if confidence(study, row).is_some() {
            if of.outside {
                &mut outside
            } else {
                &mut inside
            }
            .push(row);
        }
    }
    if outside.len() < FEWEST || inside.len() < FEWEST {
        return refuse(
            opinion,
            &format!(
                "{} outside and {} inside have a confidence",
                words::images(outside.len()),
                inside.len()
            ),
            &format!(
                "at least {FEWEST} target images with a confidence on either side of the reference's envelope"
            ),
        );
    }
    let confidences = |rows: &[usize]| -> Vec<f64> {
        rows.iter().filter_map(|&i| confidence(study, i)).collect()
    };
    let (out, within) = (confidences(&outside), confidences(&inside));
    let settings = study.settings(id);
    let unit = settings.clone().range(0.0, 1.0);
    let there = mean(&out, &study.units(&outside)?, &unit)?;
    let here = mean(&within, &study.units(&inside)?, &unit)?;
    sure.draw("outside of what the reference spans", &out);
    let mut text = format!(
        "The mean confidence is {} on {} outside of what the reference spans and {} on {} inside",
        Form::Percent.short(&there),
        words::images(out.len()),
        Form::Percent.short(&here),
        within.len()
    );
    let evidence = evidence::of_target(study, "i.image, m.confidence, COLUMNS('attr_.*')");
    let scored = |rows: &[usize]| -> Vec<usize> {
        rows.iter()
            .copied()
            .filter(|&i| study.rows[i].score.is_some())
            .collect()
    };
    let units = (study.units(&outside)?, study.units(&inside)?);
    let (outside, inside) = (scored(&outside), scored(&inside));
    let mut finding = Finding::new(id);
    finding.unit = String::from("fraction");
    finding.evidence = evidence;
    let caveat =
        "outside as in shift.outside_envelope: one joint score over the attributes of the images";
    if study.context.task != Task::Classification || outside.len() < FEWEST || inside.len() < FEWEST
    {
        text.push('.');
        finding.claim = text;
        let difference = difference_of_means(
            &out,
            &units.0,
            &within,
            &units.1,
            &settings.range(-1.0, 1.0),
        )?;
        let mut finding = with_estimate(finding, &difference, study);
        finding.better = Better::Neither;
        finding.caveats.push(caveat.to_owned());
        finding.caveats.push(
            "described: whether a confidence is deserved needs the truth of classes".to_owned(),
        );
        opinion.drafts.push(finding.into());
        return Ok(());
    }
    // How much more sure than right.
    let excess = |rows: &[usize]| -> Vec<f64> {
        rows.iter()
            .filter_map(|&i| Some(confidence(study, i)? - study.rows[i].score?))
            .collect()
    };
    let (a, b) = (excess(&outside), excess(&inside));
    let e = difference_of_means(
        &a,
        &study.units(&outside)?,
        &b,
        &study.units(&inside)?,
        &settings.range(-1.0, 1.0),
    )?;
    finding.claim = format!(
        "{text}. It is more sure than right by {} more outside than inside.",
        Form::Points.estimate(&e)
    );
    finding.images = crate::performance::worst(study, &outside, 10);
    finding.caveats.push(caveat.to_owned());
    finding.remedy =
        Some("Do not read the confidence outside of the envelope; label such images.".to_owned());
    let mut draft = judged(finding, e, GAP, Better::Lower, false, study);
    draft.finding.n = (a.len() + b.len()) as u64;
    opinion.drafts.push(draft);
    Ok(())
}
