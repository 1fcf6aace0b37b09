//! Outlines: the model against Otsu's method, and its counts against counts read from features.

use transect_core::{Better, Finding, Result, Status, Task};
use transect_stats::{Estimate, Folds, mean, probe_value};
use transect_table::Filter;

use super::{FEWEST, MARGIN, OTSU, Unseen, otsu_applies, parts, refuse};
use crate::embedded::{Embedded, side_by_side};
use crate::evidence::{self, Query};
use crate::gains::{Gain, primary, weigh};
use crate::opinion::{Opinion, with_estimate};
use crate::study::{Study, score_of};
use crate::words::{self, Form};

/// Families of features that counts are read from: name, words, tables.
const FAMILIES: [(&str, &str, &[&str]); 3] = [
    ("moments", "intensity moments", &["moments"]),
    (
        "texture",
        "texture and granulometry",
        &["texture", "granulometry"],
    ),
    (
        "random_conv",
        "random convolutional features",
        &["random_conv"],
    ),
];

/// Scores of one model on the images themselves, by row.
pub(super) fn scores_of(
    study: &Study<'_>,
    model: &str,
) -> Result<std::collections::BTreeMap<usize, f64>> {
    let mut scores = std::collections::BTreeMap::new();
    let filter = Filter {
        model: Some(model.to_owned()),
        ..Filter::identity()
    };
    study.tables.scan(&filter, &mut |m| {
        if m.status == Status::Ok
            && let Some(score) = score_of(study.score_column, &m.scores)
        {
            scores.entry(m.row as usize).or_insert(score);
        }
        Ok(())
    })?;
    Ok(scores)
}

pub(super) fn judge(study: &Study<'_>, unseen: &Unseen, opinion: &mut Opinion) -> Result<()> {
    super::pixels::judge(study, unseen, opinion)?;
    over_otsu(study, unseen, opinion)?;
    counts(study, unseen, opinion)
}

fn over_otsu(study: &Study<'_>, unseen: &Unseen, opinion: &mut Opinion) -> Result<()> {
    let id = "baseline.prediction_gain";
    let otsu = scores_of(study, OTSU)?;
    let rows: Vec<usize> = unseen
        .rows
        .iter()
        .copied()
        .filter(|row| otsu.contains_key(row))
        .collect();
    if rows.len() < FEWEST {
        let (why, missing) = if otsu_applies(study.context) {
            (
                format!(
                    "{} have both a score and one of Otsu's method",
                    words::images(rows.len())
                ),
                format!(
                    "at least {FEWEST} target images with truth on which Otsu's method was run (model `{OTSU}`)"
                ),
            )
        } else {
            (
                "Otsu's method knows foreground and background only".to_owned(),
                "a task with one sort of foreground".to_owned(),
            )
        };
        refuse(opinion, &[id], &why, &missing);
        return Ok(());
    }
    let model: Vec<f64> = rows.iter().filter_map(|&i| study.rows[i].score).collect();
    let theirs: Vec<f64> = rows.iter().map(|row| otsu[row]).collect();
    let difference: Vec<f64> = model.iter().zip(&theirs).map(|(m, o)| m - o).collect();
    let gain = Gain::new(
        study,
        id,
        ("otsu", "Otsu's method"),
        &rows,
        &rows,
        std::slice::from_ref(&difference),
    )?;
    let gains = [gain];
    let Some(weighed) = weigh(&gains, MARGIN, &study.units(&rows)?, &study.settings(id))? else {
        return Ok(());
    };
    let average = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "The {} of the model is {} on {}, that of Otsu's method {}: a gain of {} (90% interval {}): {}.",
        transect_score::metric::primary(study.context.task).title,
        words::number(average(&model)),
        words::images(rows.len()),
        words::number(average(&theirs)),
        words::number(weighed.least),
        Form::Plain.range(weighed.low, weighed.high),
        match (weighed.good, weighed.bad) {
            (true, true) => "better, by less than the margin",
            (true, false) => "better",
            (false, true) => "no better",
            (false, false) => "not settled",
        }
    );
    finding.evidence = Query::models(study, format!("avg({})", study.score_sql()))
        .of_target()
        .into();
    let mut lost: Vec<(f64, usize)> = difference
        .iter()
        .zip(&rows)
        .filter(|(d, _)| **d < 0.0)
        .map(|(d, row)| (*d, *row))
        .collect();
    lost.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    finding.images = lost.iter().take(10).map(|&(_, i)| study.image(i)).collect();
    finding.caveats.push(format!(
        "passes when the gain is above 0, fails when it is under {}",
        words::number(MARGIN)
    ));
    finding.caveats.push("Otsu's threshold with a watershed, no parameter fitted; foreground is taken to be the brighter side in fluorescence and the darker one in bright field".to_owned());
    finding.caveats.push(unseen.caveat.clone());
    finding.remedy = Some(
        "Report the score of Otsu's method beside the model's. Where it is as good, a threshold does the work.".to_owned(),
    );
    opinion
        .drafts
        .push(primary(finding, &gains, &weighed, MARGIN, study));
    opinion
        .figures
        .push(parts::forest("prediction", &gains, &weighed));
    parts::judge(
        study,
        "prediction",
        "Otsu's method",
        &rows,
        &difference,
        opinion,
    )
}

/// Counts that a probe reads from one family of features.
struct Counted {
    words: &'static str,
    rows: Vec<usize>,
    /// Its error on each image less the model's.
    gain: Vec<f64>,
    /// Its mean error.
    theirs: f64,
    /// The model's.
    own: f64,
}

/// `smaller by 3 (95% interval 1–5)`, `larger by 25 (95% interval 20–30)`: of an error, from how much less it is.
fn smaller_by(e: &Estimate) -> String {
    if e.estimate < 0.0 {
        let mut more = e.clone();
        more.estimate = -e.estimate;
        (more.low, more.high) = (-e.high, -e.low);
        format!("larger by {}", Form::Plain.estimate(&more))
    } else {
        format!("smaller by {}", Form::Plain.estimate(e))
    }
}

/// Whether counting beats counts that a linear probe reads from features of the whole image.
fn counts(study: &Study<'_>, unseen: &Unseen, opinion: &mut Opinion) -> Result<()> {
    let column = |name: &str| {
        study
            .context
            .score_columns
            .iter()
            .position(|c| c.name == name)
    };
    let (Task::Instance, Some(n_true), Some(error)) =
        (study.context.task, column("n_true"), column("count_error"))
    else {
        return Ok(());
    };
    let value = |row: usize, column: usize| {
        study.rows[row]
            .seen
            .as_ref()
            .and_then(|s| s.scores.get(column).copied().flatten())
            .filter(|v| v.is_finite())
    };
    let mut best: Option<Counted> = None;
    for (_, in_words, tables) in FAMILIES {
        let mut found = Vec::new();
        for table in tables {
            found.extend(Embedded::family(study, table)?);
        }
        if found.len() < tables.len() {
            continue;
        }
        let mut rows: Vec<usize> = unseen
            .rows
            .iter()
            .copied()
            .filter(|&i| value(i, n_true).is_some() && value(i, error).is_some())
            .collect();
        for table in &found {
            rows = table.rows_among(&rows);
        }
        let tables: Vec<&Embedded> = found.iter().collect();
        if rows.len() < FEWEST {
            continue;
        }
        let Some((features, _)) = side_by_side(&tables, &rows)? else {
            continue;
        };
        let truth: Vec<f64> = rows.iter().filter_map(|&i| value(i, n_true)).collect();
        let units = study.units(&rows)?;
        let Ok(folds) = Folds::of_values(&truth, &units, &study.settings("baseline.folds")) else {
            continue;
        };
        let probe = probe_value(&features, &truth, &folds)?;
        let theirs: Vec<f64> = probe
            .predicted
            .iter()
            .zip(&truth)
            .map(|(p, t)| (p.max(0.0) - t).abs())
            .collect();
        let own: Vec<f64> = rows
            .iter()
            .filter_map(|&i| value(i, error).map(f64::abs))
            .collect();
        let average = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let (a, b) = (average(&theirs), average(&own));
        if best.as_ref().is_none_or(|known| a < known.theirs) {
            best = Some(Counted {
                words: in_words,
                rows,
                gain: theirs.iter().zip(&own).map(|(t, o)| t - o).collect(),
                theirs: a,
                own: b,
            });
        }
    }
    let Some(Counted {
        words: in_words,
        rows,
        gain,
        theirs,
        own,
    }) = best
    else {
        return Ok(());
    };
    let id = "baseline.count_gain";
    let e = mean(&gain, &study.units(&rows)?, &study.settings(id))?;
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "The model miscounts by {} objects an image on {}, a linear probe that reads counts from {in_words} by {}: the model's error is {}.",
        words::number(own),
        words::images(rows.len()),
        words::number(theirs),
        smaller_by(&e)
    );
    finding.unit = String::from("objects");
    finding.evidence = evidence::of_target(study, "i.row, m.score_n_true, m.score_count_error");
    let mut finding = with_estimate(finding, &e, study);
    finding.better = Better::Higher;
    finding.caveats.push("described: the baseline is the best of those compared, its probe learns from other target images".to_owned());
    finding.caveats.push(unseen.caveat.clone());
    opinion.drafts.push(finding.into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use transect_stats::{Settings, Units};

    use super::*;

    #[test]
    fn a_larger_error_is_not_said_to_be_smaller_by_less_than_nothing() {
        let gain = |values: &[f64]| {
            mean(
                values,
                &Units::independent(values.len()),
                &Settings::new(1, "gain"),
            )
            .expect("there are values")
        };
        let spread: Vec<f64> = (0..60).map(|i| f64::from(i % 5) - 2.0).collect();
        let of = |centre: f64| -> Vec<f64> { spread.iter().map(|v| v + centre).collect() };
        let better = smaller_by(&gain(&of(25.0)));
        let worse = smaller_by(&gain(&of(-25.0)));
        assert!(
            better.starts_with("smaller by 25 (95% interval 24."),
            "{better}"
        );
        assert!(
            worse.starts_with("larger by 25 (95% interval 24."),
            "{worse}"
        );
        assert!(!worse.contains('−'), "{worse}");
    }
}
