//! Whether the metric tells the model from copies that learned nothing, and from answers that never change.

use transect_core::figure::Drawing;
use transect_core::{Better, Figure, Finding, Result, Task};
use transect_score::metric::{Metric, Rows, metrics};
use transect_stats::statistic_of_rows;

use super::answers::{Models, column, metric_rows, score};
use super::{FEWEST, looked_at};
use crate::drawn::line;
use crate::evidence::Query;
use crate::gains::{Gain, MARGIN, primary, weigh};
use crate::opinion::{Opinion, not_assessable};
use crate::study::Study;
use crate::words;

/// Resamples at most where a tail feeds a p, and where it does not.
const TAILS: usize = 10_000;
const DESCRIBED: usize = 1_000;

/// What the model is told from: one table of answers, or one for each seed, on some images.
struct Rival {
    name: String,
    words: String,
    rows: Vec<usize>,
    seeds: Vec<Rows>,
}

/// Copies that learned nothing, on the images that all of them saw.
fn copies(study: &Study<'_>, models: &Models, target: &[usize]) -> Result<Option<Rival>> {
    let found = models.beginning("reinit:");
    if found.len() < 2 {
        return Ok(None);
    }
    let rows: Vec<usize> = target
        .iter()
        .copied()
        .filter(|row| found.iter().all(|(_, a)| a.contains_key(row)))
        .collect();
    if rows.len() < FEWEST {
        return Ok(None);
    }
    let seeds = found
        .iter()
        .map(|(_, a)| metric_rows(study, a, &rows))
        .collect::<Result<_>>()?;
    Ok(Some(Rival {
        name: "reinit".to_owned(),
        words: format!("{} re-initialised copies on average", found.len()),
        rows,
        seeds,
    }))
}

/// An answer that is the same for every image: its name, in words, and its score on an image.
type Answer<'a> = (&'a str, &'a str, &'a dyn Fn(usize) -> Option<f64>);

/// Answers that are the same for every image: each class that occurs; nothing, or everything, for outlines.
fn constants(study: &Study<'_>, metric: &Metric, target: &[usize]) -> Result<Vec<Rival>> {
    let classes = &study.context.classes;
    let mut made = Vec::new();
    if study.context.task == Task::Classification {
        if !matches!(
            metric.name,
            "accuracy" | "balanced_accuracy" | "macro_f1" | "mcc"
        ) {
            return Ok(made);
        }
        let correct = study.score_column;
        for (class, name) in classes.iter().enumerate() {
            let class = class as u32;
            if !target
                .iter()
                .any(|&i| study.rows[i].truth_class == Some(class))
            {
                continue;
            }
            let mut rows = Rows::new(Task::Classification, classes.len());
            for &i in target {
                let truth = study.rows[i].truth_class;
                let mut scores = vec![None; study.context.score_columns.len()];
                if let Some(place) = correct {
                    scores[place] = Some(f64::from(u8::from(truth == Some(class))));
                }
                rows.push(truth, Some(class), &[], &scores)?;
            }
            made.push(Rival {
                name: format!("always {name}"),
                words: format!("an answer that is always {name}"),
                rows: target.to_vec(),
                seeds: vec![rows],
            });
        }
        return Ok(made);
    }
    let of_pixels = matches!(metric.name, "iou" | "dice");
    let (size, area) = if study.context.task == Task::Semantic || of_pixels {
        let size = if study.context.task == Task::Semantic {
            "n_true"
        } else {
            "n_true_px"
        };
        (column(study, size), column(study, "n_pixels"))
    } else {
        (column(study, "n_true"), None)
    };
    let (Some(size), Some(place), true) = (
        size,
        study
            .context
            .score_columns
            .iter()
            .position(|c| c.name == metric.name),
        metric.is_mean() && metric.better == Better::Higher,
    ) else {
        return Ok(made);
    };
    let value = |row: usize, column: usize| {
        study.rows[row]
            .seen
            .as_ref()
            .and_then(|seen| score(seen, column))
    };
    let nothing = |row: usize| value(row, size).map(|n| f64::from(u8::from(n == 0.0)));
    // What calling all of the image foreground scores.
    let everything = |row: usize| {
        let share = value(row, size)? / value(row, area?)?;
        Some(if metric.name == "dice" {
            2.0 * share / (1.0 + share)
        } else {
            share
        })
    };
    let mut answers: Vec<Answer<'_>> = vec![("nothing", "an answer without objects", &nothing)];
    if of_pixels {
        answers.push((
            "everything",
            "an answer that is all foreground",
            &everything,
        ));
    }
    for (name, in_words, of) in answers {
        let mut rows = Rows::new(study.context.task, classes.len());
        let mut kept = Vec::new();
        for &i in target {
            if let Some(v) = of(i) {
                let mut scores = vec![None; study.context.score_columns.len()];
                scores[place] = Some(v);
                rows.push(None, None, &[], &scores)?;
                kept.push(i);
            }
        }
        if kept.len() >= FEWEST {
            made.push(Rival {
                name: name.to_owned(),
                words: in_words.to_owned(),
                rows: kept,
                seeds: vec![rows],
            });
        }
    }
    Ok(made)
}

/// What the metric gives the model more than a rival (for losses, less). `None` where it has no value.
fn gain(
    study: &Study<'_>,
    metric: &Metric,
    target: &[usize],
    rival: &Rival,
    most_resamples: usize,
) -> Result<Option<Gain>> {
    let id = format!("metric.separation[{}]", metric.name);
    let own = study.metric_rows(&rival.rows)?;
    let sign = if metric.better == Better::Lower {
        -1.0
    } else {
        1.0
    };
    let wide = metric.range.1 - metric.range.0;
    let names = (rival.name.as_str(), rival.words.as_str());
    if metric.is_mean() {
        let present: Vec<usize> = (0..rival.rows.len())
            .filter(|&i| {
                metric.per_image(&own, i).is_some()
                    && rival.seeds.iter().all(|s| metric.per_image(s, i).is_some())
            })
            .collect();
        if present.len() < FEWEST {
            return Ok(None);
        }
        let by_seed: Vec<Vec<f64>> = rival
            .seeds
            .iter()
            .map(|s| {
                present
                    .iter()
                    .filter_map(|&i| {
                        Some(sign * (metric.per_image(&own, i)? - metric.per_image(s, i)?))
                    })
                    .collect()
            })
            .collect();
        let rows: Vec<usize> = present.iter().map(|&i| rival.rows[i]).collect();
        return Gain::within(study, &id, names, target, &rows, &by_seed, wide).map(Some);
    }
    let units = study.units(&rival.rows)?;
    let mut settings = study
        .settings(&format!("{id}[over={}]", rival.name))
        .range(-wide, wide);
    let work = rival.rows.len() * study.context.classes.len().max(1) * (1 + rival.seeds.len());
    settings.resamples = (20_000_000 / work.max(1)).clamp(400, most_resamples);
    let all: Vec<usize> = (0..rival.rows.len()).collect();
    let at = |indices: &[usize], seed: &Rows| {
        Some(sign * (metric.evaluate(&own, indices)? - metric.evaluate(seed, indices)?))
            .filter(|v| v.is_finite())
    };
    let by_seed: Option<Vec<f64>> = rival.seeds.iter().map(|s| at(&all, s)).collect();
    let Some(by_seed) = by_seed else {
        return Ok(None);
    };
    let images = statistic_of_rows(&units, &settings, &mut |indices| {
        let of: Option<Vec<f64>> = rival.seeds.iter().map(|s| at(indices, s)).collect();
        of.map(|v| v.iter().sum::<f64>() / v.len() as f64)
    })?;
    Gain::of_statistic(names, images, &by_seed, &units, target.len(), &settings).map(Some)
}

pub(super) fn judge(
    study: &Study<'_>,
    models: &Models,
    target: &[usize],
    opinion: &mut Opinion,
) -> Result<()> {
    let id = "metric.separation";
    let metric = looked_at(study.context);
    let copies = copies(study, models, target)?;
    let untrained = copies.is_some();
    let mut rivals: Vec<Rival> = copies.into_iter().collect();
    rivals.extend(constants(study, metric, target)?);
    let mut gains = Vec::new();
    for rival in &rivals {
        gains.extend(gain(study, metric, target, rival, TAILS)?);
    }
    // For losses the margin is a share of what the untrained copies lose.
    let margin = match (metric.better, rivals.first()) {
        (Better::Lower, Some(rival)) if untrained => {
            let of: Vec<f64> = rival
                .seeds
                .iter()
                .filter_map(|s| metric.evaluate_all(s))
                .collect();
            MARGIN * of.iter().sum::<f64>() / of.len().max(1) as f64
        }
        _ => MARGIN,
    };
    let units = study.units(target)?;
    let weighed = if untrained || study.context.task == Task::Classification {
        weigh(&gains, margin, &units, &study.settings(id))?
    } else {
        None
    };
    let Some(weighed) = weighed else {
        let mut finding = not_assessable(
            id,
            format!(
                "Whether {} tells the model from one that learned nothing was not assessed: there are no answers of re-initialised copies.",
                metric.title
            ),
            "a model whose weights can be drawn anew (an ONNX file, not predictions), and at least 20 target images with truth",
        );
        finding.primary = true;
        opinion.drafts.push(finding.into());
        return Ok(());
    };
    let closest = &gains[weighed.best_rival];
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "{} gives the model {} more than {} on {} (90% interval {}): {}.",
        capital(metric.title),
        words::number(weighed.least),
        closest.words,
        words::images(closest.estimate.n),
        words::Form::Plain.range(weighed.low, weighed.high),
        match (weighed.good, weighed.bad) {
            (true, true) => "it tells them apart, by less than the margin",
            (true, false) => "it tells the model from everything that learned nothing",
            (false, true) => "it does not tell them apart",
            (false, false) => "whether it tells them apart is not settled",
        }
    );
    metric.unit.clone_into(&mut finding.unit);
    finding.evidence = Query::models(study, format!("avg({})", study.score_sql()))
        .of_target()
        .into();
    finding.caveats.push(format!(
        "fails when the difference to one of {} is under {}; the metric is {}",
        words::counted(
            gains.len(),
            "answer that learned nothing",
            "answers that learned nothing"
        ),
        words::number(margin),
        metric.name
    ));
    if !untrained {
        finding
            .caveats
            .push("re-initialised copies of the model were not run".to_owned());
    }
    finding.remedy = Some(
        "State beside the number what untrained copies and constant answers reach; where it cannot tell them apart, take a metric that can (see the figure), or more images of rare classes.".to_owned(),
    );
    opinion
        .drafts
        .push(primary(finding, &gains, &weighed, margin, study));
    opinion.figures.push(Figure {
        id: id.to_owned(),
        mode: "metric".to_owned(),
        title: "What the metric gives the model more than answers that learned nothing".to_owned(),
        caption: format!(
            "Difference in {} on the same images, with 95% intervals for each: re-initialised copies of the model, and answers that are the same for every image.",
            metric.title
        ),
        drawing: Drawing::Forest {
            x: format!("difference in {}", metric.title),
            rows: gains
                .iter()
                .map(|g| line(format!("over {}", g.words), &g.estimate))
                .collect(),
            marks: vec![(0.0, "none".to_owned()), (margin, "margin".to_owned())],
        },
    });
    if let Some(copies) = rivals.first().filter(|_| untrained) {
        by_metric(study, target, copies, opinion)?;
    }
    Ok(())
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|c| c.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// Which of the task's metrics tell the model from untrained copies, described.
fn by_metric(
    study: &Study<'_>,
    target: &[usize],
    copies: &Rival,
    opinion: &mut Opinion,
) -> Result<()> {
    let (mut lines, mut told, mut blind) = (Vec::new(), Vec::new(), Vec::new());
    for metric in metrics(study.context.task) {
        if metric.better == Better::Neither {
            continue;
        }
        let Some(gain) = gain(study, metric, target, copies, DESCRIBED)? else {
            continue;
        };
        if gain.estimate.low > 0.0 && gain.estimate.enough {
            told.push(metric.title.to_owned());
        } else {
            blind.push(metric.title.to_owned());
        }
        if metric.range.1 <= 1.0 {
            lines.push(line(metric.title, &gain.estimate));
        }
    }
    if lines.len() < 2 {
        return Ok(());
    }
    let mut finding = Finding::new("metric.separation_by_metric");
    finding.claim = if blind.is_empty() {
        format!(
            "Every one of {} metrics tells the model from its untrained copies.",
            told.len()
        )
    } else {
        format!(
            "{} the model from its untrained copies on {}; {}.",
            match told.len() {
                0 => "No metric tells".to_owned(),
                1 => format!("{} tells", capital(&told[0])),
                _ => format!("{} tell", capital(&words::list(&told))),
            },
            words::images(copies.rows.len()),
            if blind.len() == 1 {
                format!("{} is not shown to", blind[0])
            } else {
                format!("{} are not shown to", words::list(&blind))
            }
        )
    };
    finding.n = copies.rows.len() as u64;
    finding.caveats.push(
        "described: each by its own 95% interval over images and re-initialisations, not adjusted for their number".to_owned(),
    );
    opinion.drafts.push(finding.into());
    opinion.figures.push(Figure {
        id: "metric.separation_by_metric".to_owned(),
        mode: "metric".to_owned(),
        title: "Which metrics tell the model from untrained copies".to_owned(),
        caption: "Each metric of the model less that of its re-initialised copies on average, on the same images, with 95% intervals over images and re-initialisations. Where an interval holds 0, this metric does not show on these images that anything was learned.".to_owned(),
        drawing: Drawing::Forest {
            x: "difference to untrained copies".to_owned(),
            rows: lines,
            marks: vec![(0.0, "none".to_owned())],
        },
    });
    Ok(())
}
