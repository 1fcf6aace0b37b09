//! Wrong answers that were given with confidence.

use transect_core::{Better, Finding, Result, Task};
use transect_stats::{median, rate};

use super::{CONFIDENT, CONFIDENT_ERRORS, FEWEST};
use crate::answers::{Answers, Part};
use crate::evidence::Query;
use crate::opinion::{Opinion, judged, not_assessable};
use crate::study::Study;
use crate::words::{self, Form};

const ID: &str = "hallucination.confident_errors";

pub(super) fn judge(
    study: &Study<'_>,
    answers: Option<&Answers>,
    opinion: &mut Opinion,
) -> Result<()> {
    let refuse = |opinion: &mut Opinion, claim: String, missing: String| {
        let mut finding = not_assessable(ID, claim, missing);
        finding.primary = true;
        opinion.drafts.push(finding.into());
        Ok(())
    };
    let Some(answers) = answers else {
        return refuse(
            opinion,
            "Whether it is sure and wrong was not assessed: no answer to a target image has both truth and a confidence.".to_owned(),
            match study.context.task {
                Task::Classification => "class probabilities and truth for target images",
                Task::Semantic => "a model that gives probabilities of the classes, and truth for target images",
                Task::Instance => "a model that gives a foreground probability, and outlines of objects",
            }
            .to_owned(),
        );
    };
    let part = answers.part;
    let sure: Vec<usize> = (0..answers.len())
        .filter(|&a| answers.confidence[a] >= CONFIDENT)
        .collect();
    let wrong: Vec<usize> = (0..answers.len()).filter(|&a| !answers.right[a]).collect();
    if sure.len() < FEWEST {
        return refuse(
            opinion,
            format!(
                "Whether it is sure and wrong was not assessed: it is sure ({} or more) of {} of {}.",
                words::number(CONFIDENT),
                sure.len(),
                words::counted(answers.len(), part.one(), part.many())
            ),
            format!(
                "at least {FEWEST} {} with truth that it is sure of",
                part.many()
            ),
        );
    }
    let hits: Vec<bool> = sure.iter().map(|&a| !answers.right[a]).collect();
    let units = answers.units(study, &sure)?;
    let e = rate(&hits, &units, &study.settings(ID).tails())?;
    let both = hits.iter().filter(|h| **h).count();
    let mut finding = Finding::new(ID);
    let of_errors = if wrong.is_empty() {
        "It makes no error".to_owned()
    } else {
        let confidences: Vec<f64> = wrong.iter().map(|&a| answers.confidence[a]).collect();
        format!(
            "Of its {}, {} are among them; the median confidence of an error is {}",
            words::counted(wrong.len(), "error", "errors"),
            words::percent(both as f64 / wrong.len() as f64),
            words::number(median(&confidences)?)
        )
    };
    finding.claim = format!(
        "Of {} that it is sure of (confidence {} or more; {} of all), {} are wrong. {of_errors}.",
        words::counted(sure.len(), part.one(), part.many()),
        words::number(CONFIDENT),
        words::percent(sure.len() as f64 / answers.len() as f64),
        Form::Percent.estimate(&e)
    );
    finding.unit = String::from("fraction");
    let of_target = match part {
        Part::Image => Query::images(study, "avg(1 - m.score_correct)")
            .and(format!("m.confidence >= {CONFIDENT}")),
        Part::Object => Query::elements(study, "avg(CAST(e.truth IS NULL AS DOUBLE))")
            .and("e.pred IS NOT NULL")
            .and(format!("e.confidence >= {CONFIDENT}")),
        Part::Pixel => Query::elements(study, "avg(CAST(e.truth <> e.pred AS DOUBLE))")
            .and("e.truth IS NOT NULL")
            .and(format!("e.confidence >= {CONFIDENT}")),
    }
    .of_target();
    finding.evidence = of_target.into();
    finding.images = answers.surest_errors(study, 10);
    finding.caveats.push(
        match part {
            Part::Image => "a calibrated model is wrong in at most 10% of such answers",
            Part::Object => "wrong is a predicted object that matches none of the truth at IoU 0.5: not there, or badly outlined; a calibrated confidence is wrong in at most 10% of such answers",
            Part::Pixel => "pixels drawn at random from each image; a calibrated model is wrong in at most 10% of such answers",
        }
        .to_owned(),
    );
    finding.remedy = Some(
        "Look at the surest errors: a wrong truth shows there too. See `calibration` for a temperature that takes the excess off.".to_owned(),
    );
    let images = {
        let mut rows: Vec<usize> = sure.iter().map(|&a| answers.rows[a]).collect();
        rows.dedup();
        rows.len() as u64
    };
    let mut draft = judged(finding, e, CONFIDENT_ERRORS, Better::Lower, true, study);
    draft.finding.n = images;
    opinion.drafts.push(draft);
    Ok(())
}
