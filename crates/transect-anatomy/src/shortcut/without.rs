//! What is left of the score when something is taken away: a model that needs no object looks elsewhere.

use std::collections::BTreeMap;

use transect_core::figure::{Drawing, Row as Line};
use transect_core::view::ABLATIONS;
use transect_core::{Better, Figure, Finding, Result, Role, Status, Task, Threshold, ViewKind};
use transect_score::metric;
use transect_stats::{Estimate, mean, statistic};
use transect_table::Filter;

use super::measured;
use crate::drawn::bounded;
use crate::evidence::Query;
use crate::opinion::{Opinion, judged, not_assessable, with_estimate};
use crate::study::{Study, score_of};
use crate::words::{self, Form};

/// Score above chance, on a view without an object, above which it warns. Never worse than a warning.
pub const ABOVE_CHANCE: Threshold = Threshold {
    warn: 0.10,
    fail: 0.25,
};
/// Fewest images with a view.
const FEWEST: usize = 20;

/// What a view gave: row, score.
type Scores = BTreeMap<String, Vec<(usize, f64)>>;

pub(super) fn judge(study: &Study<'_>, opinion: &mut Opinion) -> Result<()> {
    let mut views: Scores = BTreeMap::new();
    let filter = Filter {
        model: study.model.clone(),
        kind: Some(ViewKind::Ablation),
        name: None,
    };
    let wanted: Vec<&str> = super::ABLATIONS
        .iter()
        .map(|(name, _)| *name)
        .chain(super::OF_OUTLINES)
        .collect();
    study.tables.scan(&filter, &mut |m| {
        let row = m.row as usize;
        let known = study
            .rows
            .get(row)
            .is_some_and(|r| r.role == Role::Target && r.score.is_some() && measured(study, row))
            // Where there is no object, none can be taken away, and to find none is right.
            && holds_object(study, row);
        if known
            && m.status == Status::Ok
            && wanted.contains(&m.view.name.as_str())
            && let Some(score) = score_of(study.score_column, &m.scores)
        {
            views
                .entry(m.view.name.clone())
                .or_default()
                .push((row, score));
        }
        Ok(())
    })?;
    views.retain(|_, rows| rows.len() >= FEWEST);
    if views.is_empty() {
        let (claim, missing) = if study.context.predictions_only {
            (
                "What is left of the score without the object was not assessed: predictions were given, so changed images could not be shown to the model.".to_owned(),
                "the model (--model)".to_owned(),
            )
        } else {
            (
                "What is left of the score without the object was not assessed: too few images were measured with something taken away.".to_owned(),
                format!("the standard plan (--plan standard) and truth for at least {FEWEST} target images"),
            )
        };
        opinion
            .drafts
            .push(not_assessable("shortcut.without_object", claim, missing).into());
        return Ok(());
    }
    let mut lines = Vec::new();
    // In the order in which they are named.
    for name in wanted {
        if let Some(scores) = views.get(name) {
            one(study, name, scores, &mut lines, opinion)?;
        }
    }
    let chance = chance(study, &views)?;
    opinion.figures.push(Figure {
        id: "shortcut.without_object".to_owned(),
        mode: "shortcut".to_owned(),
        title: "What is left of the score when something is taken away?".to_owned(),
        caption: format!(
            "The {} on views of the same images, with 95% intervals. Where nothing of the object is left, a model that reads the object is at chance.",
            score_words(study.context.task)
        ),
        drawing: Drawing::Forest {
            x: score_words(study.context.task).to_owned(),
            rows: lines,
            marks: vec![(chance, "chance".to_owned())],
        },
    });
    Ok(())
}

fn score_words(task: Task) -> &'static str {
    match task {
        Task::Classification => "mean recall over classes",
        Task::Semantic => "IoU",
        Task::Instance => "average precision at IoU 0.5",
    }
}

/// Classes of some rows, without gaps.
fn classes(study: &Study<'_>, rows: &[usize]) -> (Vec<usize>, usize) {
    let of: Vec<u32> = rows
        .iter()
        .map(|&i| study.rows[i].truth_class.unwrap_or(0))
        .collect();
    let mut present = of.clone();
    present.sort_unstable();
    present.dedup();
    let places = of
        .iter()
        .map(|c| present.partition_point(|p| p < c))
        .collect();
    (places, present.len())
}

/// Whether the truth outlines something; classes are not outlined.
fn holds_object(study: &Study<'_>, row: usize) -> bool {
    let columns = &study.context.score_columns;
    let Some(n_true) = columns.iter().position(|c| c.name == "n_true") else {
        return true;
    };
    let seen = study.rows[row].seen.as_ref();
    seen.and_then(|s| s.scores.get(n_true).copied().flatten())
        .is_none_or(|n| n > 0.0)
}

/// The score that predicting without looking gets at most: one over the classes for mean recall, that of the best constant answer
/// for outlines ([`metric::Metric::chance`]).
fn chance(study: &Study<'_>, views: &Scores) -> Result<f64> {
    views
        .values()
        .next()
        .map_or(Ok(0.0), |scores| chance_of(study, scores))
}

fn chance_of(study: &Study<'_>, scores: &[(usize, f64)]) -> Result<f64> {
    let rows: Vec<usize> = scores.iter().map(|s| s.0).collect();
    if study.context.task != Task::Classification {
        let data = study.metric_rows(&rows)?;
        let all: Vec<usize> = (0..data.len()).collect();
        let chance = metric::primary(study.context.task).chance(&data, &all);
        return Ok(chance.unwrap_or(0.0));
    }
    Ok(1.0 / classes(study, &rows).1.max(1) as f64)
}

/// Mean recall over the classes that occur (classification), or the mean score, less what chance gives.
fn above(study: &Study<'_>, id: &str, scores: &[(usize, f64)]) -> Result<Estimate> {
    let rows: Vec<usize> = scores.iter().map(|s| s.0).collect();
    let mut values: Vec<f64> = scores.iter().map(|s| s.1).collect();
    let units = study.units(&rows)?;
    let settings = study.settings(id);
    if study.context.task != Task::Classification {
        let chance = chance_of(study, scores)?;
        for value in &mut values {
            *value -= chance;
        }
        return mean(&values, &units, &settings.range(-chance, 1.0 - chance));
    }
    let (of, k) = classes(study, &rows);
    let chance = 1.0 / k.max(1) as f64;
    // Recalls rest on the images of their class: the rarest carries an estimate at an end.
    let rarest = (0..k)
        .map(|class| of.iter().filter(|&&c| c == class).count())
        .min()
        .unwrap_or(1);
    let settings = settings
        .range(-chance, 1.0 - chance)
        .extreme_units(rarest as f64);
    let mut hit = vec![0.0; k];
    let mut n = vec![0.0; k];
    statistic(&units, &settings, &mut |weights| {
        hit.fill(0.0);
        n.fill(0.0);
        for ((&class, value), w) in of.iter().zip(&values).zip(weights) {
            hit[class] += value * w;
            n[class] += w;
        }
        n.iter()
            .all(|n| *n > 0.0)
            .then(|| hit.iter().zip(&n).map(|(h, n)| h / n).sum::<f64>() / k as f64 - chance)
    })
}

/// Whether nothing of an object is left, so that a score above chance says that something else is read.
fn nothing_left(task: Task, name: &str) -> bool {
    match task {
        Task::Classification => matches!(name, "border_only" | "blank"),
        Task::Semantic | Task::Instance => matches!(name, "object_filled" | "blank"),
    }
}

fn one(
    study: &Study<'_>,
    name: &str,
    scores: &[(usize, f64)],
    lines: &mut Vec<Line>,
    opinion: &mut Opinion,
) -> Result<()> {
    let id = format!("shortcut.without_object[{name}]");
    let (_, k) = classes(study, &scores.iter().map(|s| s.0).collect::<Vec<_>>());
    if study.context.task == Task::Classification && k < 2 {
        return Ok(());
    }
    let chance = chance_of(study, scores)?;
    let e = above(study, &id, scores)?;
    let own: Vec<(usize, f64)> = scores
        .iter()
        .filter_map(|&(row, _)| study.rows[row].score.map(|s| (row, s)))
        .collect();
    let as_is = above(study, &format!("{id}/identity"), &own)?;
    let form = if study.context.task == Task::Classification {
        Form::Percent
    } else {
        Form::Plain
    };
    let taken = ABLATIONS
        .iter()
        .find(|(n, _)| *n == name)
        .map_or(name, |(_, words)| words);
    let mut finding = Finding::new(&id);
    finding.claim = format!(
        "With {taken}, the {} on {} is {}; {} on the images as they are, {} by chance.",
        score_words(study.context.task),
        words::images(scores.len()),
        if e.is_open() {
            form.one(e.estimate + chance)
        } else {
            format!(
                "{} ({} interval {})",
                form.one(e.estimate + chance),
                words::percent(e.level),
                form.range((e.low + chance).max(0.0), e.high + chance)
            )
        },
        form.one(as_is.estimate + chance),
        form.one(chance)
    );
    finding.unit = String::from("score above chance");
    let score = study.score_sql();
    finding.evidence = Query::views(
        study,
        ViewKind::Ablation,
        Some(name),
        format!("count({score}) AS n, avg({score}) AS score"),
    )
    .by("i.truth_class")
    .of_target()
    .into();
    finding.caveats.push(format!(
        "the estimate is the score less chance ({})",
        form.one(chance)
    ));
    lines.push(Line {
        note: if nothing_left(study.context.task, name) {
            "nothing of the object is left".to_owned()
        } else {
            String::new()
        },
        ..bounded(
            name.replace('_', " "),
            e.estimate + chance,
            (e.low + chance, e.high + chance),
            scores.len(),
        )
    });
    if lines.len() == 1 {
        lines.insert(
            0,
            bounded(
                "the images as they are",
                as_is.estimate + chance,
                (as_is.low + chance, as_is.high + chance),
                own.len(),
            ),
        );
    }
    if nothing_left(study.context.task, name) {
        finding.caveats.push(match name {
            "border_only" => "a shortcut only where the object is in the middle of the image; where it fills the image the border shows it too".to_owned(),
            "blank" => "only the mean of each channel is left: colour or brightness alone; never more than a warning, since these may belong to the object".to_owned(),
            _ => "objects are filled from their surroundings, and traces of the filling may be left; never more than a warning".to_owned(),
        });
        finding.remedy = Some(
            "Look at the views in the gallery; train with the background exchanged between classes.".to_owned(),
        );
        opinion.drafts.push(judged(
            finding,
            e,
            ABOVE_CHANCE,
            Better::Lower,
            false,
            study,
        ));
    } else {
        let mut finding = with_estimate(finding, &e, study);
        finding.better = Better::Neither;
        finding
            .caveats
            .push("described only: something of the object is left".to_owned());
        opinion.drafts.push(finding.into());
    }
    Ok(())
}
