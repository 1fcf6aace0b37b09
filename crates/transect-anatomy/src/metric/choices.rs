//! How the number moves with choices that a reader could as well have made: averages, images without objects, thresholds.

use std::collections::BTreeMap;

use transect_core::figure::{Drawing, Point, Series};
use transect_core::{Better, Figure, Finding, Result, Task};
use transect_score::metric::{self, Metric};
use transect_stats::{Estimate, mean, statistic};

use super::answers::{Models, column, score};
use super::{FEWEST, with_threshold};
use crate::drawn::line;
use crate::opinion::Opinion;
use crate::performance::estimate;
use crate::study::{Study, score_of};
use crate::words;

/// A choice and the number that it gives.
struct Choice {
    words: String,
    estimate: Estimate,
}

pub(super) fn judge(
    study: &Study<'_>,
    models: &Models,
    target: &[usize],
    opinion: &mut Opinion,
) -> Result<()> {
    let task = study.context.task;
    let mut choices = Vec::new();
    let rules: &[(&str, &str)] = match task {
        Task::Classification => &[
            ("accuracy", "every image counts alike (accuracy)"),
            (
                "balanced_accuracy",
                "every class counts alike (balanced accuracy)",
            ),
            ("macro_f1", "F1, every class counts alike"),
        ],
        Task::Semantic => &[
            ("iou", "every image counts alike"),
            ("pooled_iou", "every pixel counts alike (pooled)"),
        ],
        Task::Instance => &[
            ("average_precision_50", "every image counts alike"),
            (
                "pooled_average_precision_50",
                "every object counts alike (pooled)",
            ),
            ("average_precision_75", "objects matched at IoU 0.75"),
        ],
    };
    for (name, in_words) in rules {
        if let Some(metric) = metric::metric(task, name) {
            let settings = study.settings(&format!("metric.choices[{name}]"));
            if let Some(e) = estimate(study, metric, target, settings)? {
                choices.push(Choice {
                    words: (*in_words).to_owned(),
                    estimate: e,
                });
            }
        }
    }
    choices.extend(by_group(study, target)?);
    choices.extend(without_empty(study, target, opinion)?);
    thresholds(study, models, target, &mut choices, opinion)?;
    range(study, &choices, opinion);
    Ok(())
}

/// The score when every group counts alike.
fn by_group(study: &Study<'_>, target: &[usize]) -> Result<Option<Choice>> {
    let mut sizes: BTreeMap<usize, f64> = BTreeMap::new();
    for &i in target {
        *sizes.entry(study.rows[i].group).or_default() += 1.0;
    }
    // Groups of one size change nothing.
    let mut distinct: Vec<f64> = sizes.values().copied().collect();
    distinct.dedup();
    if study.context.group.is_none() || sizes.len() < 2 || distinct.len() < 2 {
        return Ok(None);
    }
    let values: Vec<(f64, f64)> = target
        .iter()
        .filter_map(|&i| {
            let weight = 1.0 / sizes.get(&study.rows[i].group)?;
            Some((weight, study.rows[i].score?))
        })
        .collect();
    let settings = study.settings("metric.choices[groups]").range(0.0, 1.0);
    let e = statistic(&study.units(target)?, &settings, &mut |w| {
        let (mut sum, mut of) = (0.0, 0.0);
        for (w, (weight, score)) in w.iter().zip(&values) {
            sum += w * weight * score;
            of += w * weight;
        }
        (of > 0.0).then(|| sum / of)
    })?;
    Ok(Some(Choice {
        words: "every group counts alike".to_owned(),
        estimate: e,
    }))
}

/// The score without images that hold no object, and how many these are.
fn without_empty(
    study: &Study<'_>,
    target: &[usize],
    opinion: &mut Opinion,
) -> Result<Option<Choice>> {
    // Semantic segmentation with several classes has no empty images: there is always a class.
    let Some(size) = column(study, "n_true") else {
        return Ok(None);
    };
    let holds = |i: usize| {
        let seen = study.rows[i].seen.as_ref();
        seen.and_then(|s| score(s, size)).is_none_or(|n| n > 0.0)
    };
    let (full, empty): (Vec<usize>, Vec<usize>) = target.iter().partition(|&&i| holds(i));
    let mut finding = Finding::new("metric.empty_images");
    finding.estimate = Some(empty.len() as f64 / target.len() as f64);
    finding.unit = String::from("fraction");
    finding.n = target.len() as u64;
    finding.better = Better::Neither;
    finding.images = empty.iter().take(10).map(|&i| study.image(i)).collect();
    let scores =
        |rows: &[usize]| -> Vec<f64> { rows.iter().filter_map(|&i| study.rows[i].score).collect() };
    let average = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    if empty.is_empty() || full.len() < FEWEST {
        if empty.is_empty() {
            finding.claim = format!(
                "Every one of {} holds an object: the rule for empty images plays no part.",
                words::images(target.len())
            );
            opinion.drafts.push(finding.into());
        }
        return Ok(None);
    }
    let (all, of_full) = (scores(target), scores(&full));
    let settings = study.settings("metric.choices[empty]").range(0.0, 1.0);
    let e = mean(&of_full, &study.units(&full)?, &settings)?;
    finding.claim = format!(
        "{} of {} hold no object: an empty answer scores 1 there, any other 0. With them the mean score is {}, without them {}.",
        empty.len(),
        words::images(target.len()),
        words::number(average(&all)),
        words::number(e.estimate)
    );
    finding.caveats.push(
        "described: state which rule a number rests on before it is compared with another"
            .to_owned(),
    );
    opinion.drafts.push(finding.into());
    Ok(Some(Choice {
        words: "images without objects left out".to_owned(),
        estimate: e,
    }))
}

/// The score under other thresholds of the decoder, on the images that all of them saw.
fn thresholds(
    study: &Study<'_>,
    models: &Models,
    target: &[usize],
    choices: &mut Vec<Choice>,
    opinion: &mut Opinion,
) -> Result<()> {
    let id = "metric.thresholds";
    let metric = metric::primary(study.context.task);
    let found: Vec<(f64, _)> = study
        .context
        .other_thresholds
        .iter()
        .filter_map(|&value| Some((value, models.of(&with_threshold(value))?)))
        .collect();
    let rows: Vec<usize> = target
        .iter()
        .copied()
        .filter(|i| {
            found.iter().all(|(_, answers)| {
                answers
                    .get(i)
                    .is_some_and(|seen| score_of(study.score_column, &seen.scores).is_some())
            })
        })
        .collect();
    if found.is_empty() || rows.len() < FEWEST {
        return Ok(());
    }
    let units = study.units(&rows)?;
    let mut made = Vec::new();
    for (value, answers) in &found {
        let scores: Vec<f64> = rows
            .iter()
            .filter_map(|i| score_of(study.score_column, &answers.get(i)?.scores))
            .collect();
        let settings = study.settings(&format!("{id}[{value}]")).range(0.0, 1.0);
        made.push((*value, mean(&scores, &units, &settings)?));
    }
    let own: Vec<f64> = rows.iter().filter_map(|&i| study.rows[i].score).collect();
    let settings = study.settings(id).range(0.0, 1.0);
    let as_it_is = mean(&own, &units, &settings)?;
    let best = made
        .iter()
        .max_by(|a, b| a.1.estimate.total_cmp(&b.1.estimate));
    let worst = made
        .iter()
        .min_by(|a, b| a.1.estimate.total_cmp(&b.1.estimate));
    let (Some(best), Some(worst)) = (best, worst) else {
        return Ok(());
    };
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "On {} the {} is {} as the model is, {} at the threshold {} and {} at {}.",
        words::images(rows.len()),
        metric.title,
        words::number(as_it_is.estimate),
        words::number(best.1.estimate),
        words::number(best.0),
        words::number(worst.1.estimate),
        words::number(worst.0)
    );
    let highest = best.1.estimate.max(as_it_is.estimate);
    let lowest = worst.1.estimate.min(as_it_is.estimate);
    finding.estimate = Some(highest - lowest);
    finding.n = rows.len() as u64;
    finding.better = Better::Lower;
    finding.evidence.model.clone_from(&study.model);
    finding.caveats.push("described: the largest and the smallest of several were chosen, so there is no interval; a threshold that is chosen on these images must be tested on others".to_owned());
    opinion.drafts.push(finding.into());
    let mut points: Vec<Point> = made
        .iter()
        .map(|(value, e)| Point {
            x: *value,
            y: e.estimate,
            low: words::bound(e.low),
            high: words::bound(e.high),
        })
        .collect();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    opinion.figures.push(Figure {
        id: id.to_owned(),
        mode: "metric".to_owned(),
        title: "How the number moves with the decoder's threshold".to_owned(),
        caption: format!(
            "{} on {} at other thresholds of the decoder; the line is the model as it is.",
            metric.title,
            words::images(rows.len())
        ),
        drawing: Drawing::Curve {
            x: "threshold of the decoder".to_owned(),
            y: metric.title.to_owned(),
            log_x: false,
            series: vec![Series {
                label: "target".to_owned(),
                points,
            }],
            x_marks: Vec::new(),
            y_marks: vec![(as_it_is.estimate, "as it is".to_owned())],
        },
    });
    for (value, e) in made {
        choices.push(Choice {
            words: format!("threshold {}", words::number(value)),
            estimate: e,
        });
    }
    Ok(())
}

/// The range over all choices.
fn range(study: &Study<'_>, choices: &[Choice], opinion: &mut Opinion) {
    let value = |c: &&Choice| c.estimate.estimate;
    let (Some(high), Some(low)) = (
        choices.iter().max_by(|a, b| value(a).total_cmp(&value(b))),
        choices.iter().min_by(|a, b| value(a).total_cmp(&value(b))),
    ) else {
        return;
    };
    if choices.len() < 2 {
        return;
    }
    let first: &Metric = metric::primary(study.context.task);
    let mut finding = Finding::new("metric.choices");
    finding.claim = format!(
        "By {} choices that a reader could as well have made, the number on these images is between {} ({}) and {} ({}).",
        choices.len(),
        words::number(low.estimate.estimate),
        low.words,
        words::number(high.estimate.estimate),
        high.words
    );
    finding.estimate = Some(high.estimate.estimate - low.estimate.estimate);
    finding.n = choices.iter().map(|c| c.estimate.n).max().unwrap_or(0) as u64;
    finding.better = Better::Lower;
    finding.evidence.model.clone_from(&study.model);
    finding.evidence.view = Some("identity".to_owned());
    finding.caveats.push(
        "described: the range of several numbers, chosen for being the largest and the smallest, has no interval; each number has its own in the figure".to_owned(),
    );
    finding.remedy = Some(format!(
        "State which rule the number rests on ({} counts every image alike), and compare numbers of one rule only.",
        first.name
    ));
    opinion.drafts.push(finding.into());
    opinion.figures.push(Figure {
        id: "metric.choices".to_owned(),
        mode: "metric".to_owned(),
        title: "What the number would be under other rules".to_owned(),
        caption: "The same predictions on the same target images under rules that are all in use, with 95% intervals.".to_owned(),
        drawing: Drawing::Forest {
            x: "score".to_owned(),
            rows: choices
                .iter()
                .map(|c| line(&c.words, &c.estimate))
                .collect(),
            marks: Vec::new(),
        },
    });
}
