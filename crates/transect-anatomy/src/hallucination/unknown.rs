//! Images of classes that the model does not have: it must be wrong, so it should not be sure.

use transect_core::{Better, Finding, Result, Role, Task};
use transect_stats::{auroc, median, rate};

use super::{AS_SURE, FEWEST, Sure, confidence};
use crate::evidence::{Query, TARGET};
use crate::opinion::{Opinion, judged, not_assessable};
use crate::study::{Study, Truth};
use crate::words::{self, Form};

pub(super) fn judge(study: &Study<'_>, sure: &mut Sure, opinion: &mut Opinion) -> Result<()> {
    let id = "hallucination.unknown_classes";
    if study.context.task != Task::Classification {
        return Ok(());
    }
    let of = |truth: Truth| -> (Vec<usize>, Vec<f64>) {
        (0..study.rows.len())
            .filter(|&i| study.rows[i].role == Role::Target && study.rows[i].truth == truth)
            .filter_map(|i| confidence(study, i).map(|c| (i, c)))
            .unzip()
    };
    let (rows, confidences) = of(Truth::Outside);
    let yardstick = sure.median_of_right.filter(|_| rows.len() >= FEWEST);
    let Some(yardstick) = yardstick else {
        opinion.drafts.push(
            not_assessable(
                id,
                format!(
                    "How sure it is of classes that it does not have was not assessed: {} of such classes with a confidence.",
                    words::images(rows.len())
                ),
                format!("class probabilities, and at least {FEWEST} target images of classes that the model does not have, named in the truth"),
            )
            .into(),
        );
        return Ok(());
    };
    let hits: Vec<bool> = confidences.iter().map(|&c| c >= yardstick).collect();
    let e = rate(&hits, &study.units(&rows)?, &study.settings(id))?;
    let (_, known) = of(Truth::Known);
    let scores: Vec<f64> = known.iter().chain(&confidences).map(|c| -c).collect();
    let unknown: Vec<bool> = (0..scores.len()).map(|i| i >= known.len()).collect();
    let area = auroc(&scores, &unknown)?;
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "Of {} of classes that it does not have, it is as sure as of the surer half of its right answers (confidence {} or more) in {}; the median confidence is {}{}.",
        words::images(rows.len()),
        words::number(yardstick),
        Form::Percent.estimate(&e),
        words::number(median(&confidences)?),
        area.map_or_else(String::new, |a| format!(
            ", and a lower confidence tells them from the others with AUROC {}",
            words::number(a)
        ))
    );
    finding.unit = String::from("fraction");
    finding.evidence = Query::images(study, "i.image, i.truth, m.pred_class, m.confidence")
        .rows(format!(
            "{TARGET} AND i.truth_kind = 'class' AND i.truth_class IS NULL"
        ))
        .into();
    let mut surest: Vec<usize> = (0..rows.len()).collect();
    surest.sort_by(|&a, &b| confidences[b].total_cmp(&confidences[a]).then(a.cmp(&b)));
    finding.images = surest
        .iter()
        .take(10)
        .map(|&at| study.image(rows[at]))
        .collect();
    finding
        .caveats
        .push("a confidence that tells nothing gives 50%".to_owned());
    finding.remedy = Some(
        "Do not use it where such classes occur, or refuse answers under a confidence that these images do not reach.".to_owned(),
    );
    sure.draw("classes that it does not have", &confidences);
    opinion
        .drafts
        .push(judged(finding, e, AS_SURE, Better::Lower, false, study));
    Ok(())
}
