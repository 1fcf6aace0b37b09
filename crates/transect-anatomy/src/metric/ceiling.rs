//! The ceiling: what a second annotator reaches against the first.

use transect_core::figure::Drawing;
use transect_core::{Better, Figure, Finding, Result, Role};

use super::answers::Models;
use super::{ANNOTATOR, FEWEST};
use crate::drawn::bar;
use crate::evidence::Query;
use crate::gains::Gain;
use crate::opinion::{Opinion, not_assessable, with_estimate};
use crate::study::{Study, score_of};
use crate::words::{self, Form};

pub(super) fn judge(study: &Study<'_>, models: &Models, opinion: &mut Opinion) -> Result<()> {
    let id = "metric.ceiling";
    let metric = transect_score::metric::primary(study.context.task);
    let (rows, (own, theirs)): (Vec<usize>, (Vec<f64>, Vec<f64>)) = study
        .scored(Role::Target)
        .into_iter()
        .filter_map(|i| {
            let seen = models.of(ANNOTATOR)?.get(&i)?;
            Some((
                i,
                (
                    study.rows[i].score?,
                    score_of(study.score_column, &seen.scores)?,
                ),
            ))
        })
        .unzip();
    if rows.len() < FEWEST {
        opinion.drafts.push(
            not_assessable(
                id,
                format!(
                    "How high {} can be on these images was not assessed: {} have the truth of a second annotator.",
                    metric.title,
                    words::images(rows.len())
                ),
                format!("a second annotator's truth for at least {FEWEST} target images (--second-truth)"),
            )
            .into(),
        );
        return Ok(());
    }
    let form = if study.context.task == transect_core::Task::Classification {
        Form::Percent
    } else {
        Form::Plain
    };
    let average = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let difference: Vec<f64> = own.iter().zip(&theirs).map(|(o, t)| o - t).collect();
    let gain = Gain::new(
        study,
        id,
        (ANNOTATOR, "a second annotator"),
        &rows,
        &rows,
        &[difference],
    )?;
    let e = gain.estimate;
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "On {} a second annotator reaches {} against the first, the model {}: a difference of {}; {}.",
        words::images(rows.len()),
        form.one(average(&theirs)),
        form.one(average(&own)),
        Form::Plain.estimate(&e),
        if e.low > 0.0 {
            "the model agrees with the first annotator more than a second one does, so a higher number would measure that annotator's habits"
        } else if e.high < 0.0 {
            "there is room up to what annotators agree on"
        } else {
            "the model is not told from a second annotator"
        }
    );
    finding.evidence = Query::models(study, format!("avg({})", study.score_sql()))
        .of_target()
        .into();
    let mut finding = with_estimate(finding, &e, study);
    finding.better = Better::Neither;
    finding
        .caveats
        .push("model less second annotator, paired by image; described: agreement of two annotators is a mark, not a limit that nature sets".to_owned());
    opinion.figures.push(Figure {
        id: id.to_owned(),
        mode: "metric".to_owned(),
        title: "What a second annotator reaches".to_owned(),
        caption: format!(
            "{} against the first annotator's truth, on the images that both annotated.",
            metric.title
        ),
        drawing: Drawing::Bars {
            x: metric.title.to_owned(),
            rows: vec![
                bar("second annotator", average(&theirs), rows.len()),
                bar("the model", average(&own), rows.len()),
            ],
        },
    });
    opinion.drafts.push(finding.into());
    Ok(())
}
