//! Whether metric and endpoint put images, domains and models in the same order.

use std::collections::BTreeMap;

use transect_core::{Better, Finding, Result, Role, Task, Threshold};
use transect_stats::{spearman, statistic_of_rows};

use super::answers::{Answers, Models, column, metric_rows, score};
use super::{FEWEST, looked_at};
use crate::evidence;
use crate::opinion::{Opinion, judged, not_assessable};
use crate::study::{Seen, Study};
use crate::words::{self, Form};

/// Rank correlation under which metric and endpoint go against each other.
pub const ALIKE: Threshold = Threshold {
    warn: 0.0,
    fail: 0.0,
};
/// Fewest domains, and fewest models, that are put in order.
const FEWEST_PLACES: usize = 4;
/// Fewest images of a domain.
const FEWEST_OF_A_DOMAIN: usize = 10;

/// What the user counts or measures in an image beside what is true: (predicted, true) pairs that sum over images.
struct Endpoint {
    /// In words.
    words: &'static str,
    /// Places of (predicted, true) columns; none for the class of an image.
    pairs: Vec<(usize, usize)>,
    /// Column that the sum is a share of; none for counts.
    of: Option<usize>,
}

impl Endpoint {
    fn of(study: &Study<'_>) -> Option<Self> {
        match study.context.task {
            Task::Classification => Some(Self {
                words: "share of each class",
                pairs: Vec::new(),
                of: None,
            }),
            Task::Instance => Some(Self {
                words: "number of objects",
                pairs: vec![(column(study, "n_pred")?, column(study, "n_true")?)],
                of: None,
            }),
            Task::Semantic => {
                let columns = &study.context.score_columns;
                let pairs = columns
                    .iter()
                    .enumerate()
                    .filter_map(|(truth, c)| {
                        let suffix = c.name.strip_prefix("n_true")?;
                        Some((column(study, &format!("n_pred{suffix}"))?, truth))
                    })
                    .collect();
                Some(Self {
                    words: "share of the area",
                    pairs,
                    of: Some(column(study, "n_pixels")?),
                })
            }
        }
    }

    /// Error of the endpoint on one image: objects miscounted, or the share of the area that would have to change. `None`
    /// for classes, and where a number is missing.
    fn error(&self, seen: &Seen) -> Option<f64> {
        if self.pairs.is_empty() {
            return None;
        }
        let mut sum = 0.0;
        for &(pred, truth) in &self.pairs {
            sum += (score(seen, pred)? - score(seen, truth)?).abs();
        }
        let several = if self.pairs.len() > 1 { 0.5 } else { 1.0 };
        let of = match self.of {
            Some(of) => score(seen, of).filter(|&n| n > 0.0)?,
            None => 1.0,
        };
        Some(several * sum / of)
    }

    /// Error of the endpoint over several images together, as a share: of the true number of objects, of the area, or of the
    /// images that would have to change class.
    fn together(&self, study: &Study<'_>, answers: &[(usize, &Seen)]) -> Option<f64> {
        if self.pairs.is_empty() {
            let mut difference = vec![0.0; study.context.classes.len()];
            for (row, seen) in answers {
                *difference.get_mut(study.rows[*row].truth_class? as usize)? -= 1.0;
                *difference.get_mut(seen.pred_class? as usize)? += 1.0;
            }
            return Some(
                0.5 * difference.iter().map(|d: &f64| d.abs()).sum::<f64>() / answers.len() as f64,
            );
        }
        let (mut off, mut truths, mut of) = (vec![0.0; self.pairs.len()], 0.0, 0.0);
        for (_, seen) in answers {
            for (off, &(pred, truth)) in off.iter_mut().zip(&self.pairs) {
                let t = score(seen, truth)?;
                *off += score(seen, pred)? - t;
                truths += t;
            }
            if let Some(column) = self.of {
                of += score(seen, column)?;
            }
        }
        let several = if self.pairs.len() > 1 { 0.5 } else { 1.0 };
        let whole = if self.of.is_some() { of } else { truths };
        (whole > 0.0).then(|| several * off.iter().map(|d| d.abs()).sum::<f64>() / whole)
    }
}

pub(super) fn judge(
    study: &Study<'_>,
    models: &Models,
    target: &[usize],
    opinion: &mut Opinion,
) -> Result<()> {
    let Some(endpoint) = Endpoint::of(study) else {
        return Ok(());
    };
    images(study, &endpoint, target, opinion)?;
    domains(study, &endpoint, opinion)?;
    of_models(study, &endpoint, models, target, opinion)
}

/// Rank correlation over images of the score with the endpoint's error, the sign turned so that 1 is full agreement.
fn images(
    study: &Study<'_>,
    endpoint: &Endpoint,
    target: &[usize],
    opinion: &mut Opinion,
) -> Result<()> {
    let id = "metric.ranks_images";
    if study.context.task == Task::Classification {
        opinion.drafts.push(
            not_assessable(
                id,
                "Whether the metric ranks images as the endpoint does was not assessed: an image has a class and no endpoint of its own.",
                "a task with objects or areas; over domains see `metric.ranks_domains`",
            )
            .into(),
        );
        return Ok(());
    }
    let (rows, (scores, right)): (Vec<usize>, (Vec<f64>, Vec<f64>)) = target
        .iter()
        .filter_map(|&i| {
            let row = &study.rows[i];
            let error = endpoint.error(row.seen.as_ref()?)?;
            Some((i, (row.score?, -error)))
        })
        .unzip();
    let over_all = if rows.len() < FEWEST {
        None
    } else {
        spearman(&scores, &right)?
    };
    if over_all.is_none() {
        opinion.drafts.push(
            not_assessable(
                id,
                format!(
                    "Whether the metric ranks images as the {} does was not assessed: there are too few images, or all have the same score or the same error.",
                    endpoint.words
                ),
                format!("at least {FEWEST} target images with scores and endpoints that differ"),
            )
            .into(),
        );
        return Ok(());
    }
    let mut settings = study.settings(id).range(-1.0, 1.0);
    settings.resamples = settings.resamples.min((4_000_000 / rows.len()).max(400));
    let e = statistic_of_rows(&study.units(&rows)?, &settings, &mut |indices| {
        let pick = |v: &[f64]| indices.iter().map(|&i| v[i]).collect::<Vec<f64>>();
        spearman(&pick(&scores), &pick(&right)).ok()?
    })?;
    let metric = transect_score::metric::primary(study.context.task);
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "Over {} the rank correlation of {} with how well the {} is met is {}: {}.",
        words::images(rows.len()),
        metric.title,
        endpoint.words,
        Form::Plain.estimate(&e),
        if e.low > 0.0 {
            "they rank images in the same direction"
        } else if e.high < 0.0 {
            "they rank images inversely, so the metric misleads about the endpoint"
        } else {
            "no relation is shown"
        }
    );
    finding.evidence = evidence::of_target(study, format!("i.row, {}, m.*", study.score_sql()));
    // A high score with a large error of the endpoint.
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| {
        (scores[b] - right[b])
            .total_cmp(&(scores[a] - right[a]))
            .then(a.cmp(&b))
    });
    finding.images = order
        .iter()
        .filter(|&&i| right[i] < 0.0)
        .take(10)
        .map(|&i| study.image(rows[i]))
        .collect();
    finding.caveats.push(format!(
        "the endpoint of an image is its {}; 1 is the same order, −1 the inverse one",
        endpoint.words
    ));
    finding.remedy = Some(
        "Judge the model by the error of what you measure (see `performance` for its bias), not by the score alone.".to_owned(),
    );
    opinion
        .drafts
        .push(judged(finding, e, ALIKE, Better::Higher, false, study));
    Ok(())
}

/// Two orders of the same things, described: no interval, since there are few of them.
struct Orders<'a> {
    id: &'a str,
    things: &'a str,
    places: Vec<(String, f64, f64)>,
}

impl Orders<'_> {
    fn describe(
        &self,
        study: &Study<'_>,
        endpoint: &Endpoint,
        opinion: &mut Opinion,
    ) -> Result<()> {
        if self.places.len() < FEWEST_PLACES {
            return Ok(());
        }
        let metric = looked_at(study.context);
        let sign = if metric.better == Better::Lower {
            -1.0
        } else {
            1.0
        };
        let by_metric: Vec<f64> = self.places.iter().map(|p| sign * p.1).collect();
        let by_endpoint: Vec<f64> = self.places.iter().map(|p| -p.2).collect();
        let Some(r) = spearman(&by_metric, &by_endpoint)? else {
            return Ok(());
        };
        let best = |of: &[f64]| {
            let mut best = 0;
            for (i, v) in of.iter().enumerate() {
                if *v > of[best] {
                    best = i;
                }
            }
            &self.places[best]
        };
        let (m, e) = (best(&by_metric), best(&by_endpoint));
        let mut finding = Finding::new(self.id);
        finding.claim = if m.0 == e.0 {
            format!(
                "Over {} {} the rank correlation of {} with how well the {} is met is {}; {} is best by both.",
                self.places.len(),
                self.things,
                metric.title,
                endpoint.words,
                words::number(r),
                m.0
            )
        } else {
            format!(
                "Over {} {} the rank correlation of {} with how well the {} is met is {}; by the metric {} is best ({}), by the endpoint {} (off by {}).",
                self.places.len(),
                self.things,
                metric.title,
                endpoint.words,
                words::number(r),
                m.0,
                words::number(m.1),
                e.0,
                words::percent(e.2)
            )
        };
        finding.estimate = Some(r);
        finding.better = Better::Higher;
        finding.n = self.places.len() as u64;
        finding.evidence.model.clone_from(&study.model);
        finding.caveats.push(format!(
            "described: {} {} are too few for an interval; the endpoint is the {} over all images of each",
            self.places.len(),
            self.things,
            endpoint.words
        ));
        opinion.drafts.push(finding.into());
        Ok(())
    }
}

fn domains(study: &Study<'_>, endpoint: &Endpoint, opinion: &mut Opinion) -> Result<()> {
    let metric = looked_at(study.context);
    let mut by_domain: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for role in [Role::Reference, Role::Target] {
        for i in study.scored(role) {
            if let Some(domain) = study.rows[i].domain {
                by_domain.entry(domain).or_default().push(i);
            }
        }
    }
    let mut places = Vec::new();
    for (domain, rows) in &by_domain {
        if rows.len() < FEWEST_OF_A_DOMAIN {
            continue;
        }
        let seen: Vec<(usize, &Seen)> = rows
            .iter()
            .filter_map(|&i| Some((i, study.rows[i].seen.as_ref()?)))
            .collect();
        let value = metric.evaluate_all(&study.metric_rows(rows)?);
        if let (Some(value), Some(error)) = (value, endpoint.together(study, &seen)) {
            places.push((study.domains[*domain].clone(), value, error));
        }
    }
    Orders {
        id: "metric.ranks_domains",
        things: "domains",
        places,
    }
    .describe(study, endpoint, opinion)
}

fn of_models(
    study: &Study<'_>,
    endpoint: &Endpoint,
    models: &Models,
    target: &[usize],
    opinion: &mut Opinion,
) -> Result<()> {
    let metric = looked_at(study.context);
    let others: Vec<(&str, &Answers)> = models
        .all()
        .into_iter()
        .filter(|(_, a)| target.iter().filter(|i| a.contains_key(i)).count() >= FEWEST)
        .collect();
    let rows: Vec<usize> = target
        .iter()
        .copied()
        .filter(|i| others.iter().all(|(_, a)| a.contains_key(i)))
        .collect();
    if others.len() + 1 < FEWEST_PLACES || rows.len() < FEWEST {
        return Ok(());
    }
    let mut places = Vec::new();
    let own: Vec<(usize, &Seen)> = rows
        .iter()
        .filter_map(|&i| Some((i, study.rows[i].seen.as_ref()?)))
        .collect();
    if let (Some(value), Some(error)) = (
        metric.evaluate_all(&study.metric_rows(&rows)?),
        endpoint.together(study, &own),
    ) {
        places.push(("the model".to_owned(), value, error));
    }
    for (name, answers) in others {
        let seen: Vec<(usize, &Seen)> = rows
            .iter()
            .filter_map(|i| Some((*i, answers.get(i)?)))
            .collect();
        if let (Some(value), Some(error)) = (
            metric.evaluate_all(&metric_rows(study, answers, &rows)?),
            endpoint.together(study, &seen),
        ) {
            places.push((name.to_owned(), value, error));
        }
    }
    Orders {
        id: "metric.ranks_models",
        things: "models",
        places,
    }
    .describe(study, endpoint, opinion)
}
