//! The best function of one feature: how well it agrees with the prediction, and how well with the truth.

use transect_core::figure::Drawing;
use transect_core::{Better, Figure, Finding, Result, Role, Status, Task};
use transect_stats::{
    Estimate, Folds, Matrix, Units, best_single_classes, best_single_value, kappa_weighted,
    n_needed, pearson, statistic, statistic_of_rows,
};

use super::{EXCESS, FEWEST, Measured};
use crate::baseline::learnable;
use crate::drawn::line;
use crate::embedded::{Embedded, layer, side_by_side};
use crate::evidence;
use crate::opinion::{Draft, Ground, Opinion, not_assessable, with_estimate};
use crate::study::Study;
use crate::words::{self, Form};

const ID: &str = "collapse.one_dimensional";
/// What the resamples of the share of wrong labels hang on.
const WRONG: &str = "collapse.simple_wrong";
/// Largest share of labels that may be taken to be wrong.
const MOST_WRONG: f64 = 0.15;
/// Families whose columns are the dictionary.
const FAMILIES: [&str; 4] = ["moments", "colour", "spectrum", "texture"];

/// The columns of the dictionary on some rows.
struct Dictionary {
    features: Matrix,
    /// Family and place within it, of each column.
    names: Vec<String>,
}

impl Dictionary {
    fn read(study: &Study<'_>, rows: &[usize]) -> Result<(Vec<usize>, Option<Self>)> {
        let mut tables = Vec::new();
        for family in FAMILIES {
            if let Some(e) = Embedded::family(study, family)? {
                tables.push((family, e));
            }
        }
        let mut rows = rows.to_vec();
        for (_, table) in &tables {
            rows = table.rows_among(&rows);
        }
        let of: Vec<&Embedded> = tables.iter().map(|(_, e)| e).collect();
        let Some((features, kept)) = side_by_side(&of, &rows)? else {
            return Ok((rows, None));
        };
        let all: Vec<String> = tables
            .iter()
            .flat_map(|(family, e)| (0..e.width()).map(move |i| format!("{family}[{i}]")))
            .collect();
        let names = kept.iter().map(|&i| all[i].clone()).collect();
        Ok((rows, Some(Self { features, names })))
    }

    /// The column chosen in most folds, the first of equals.
    fn commonest(&self, chosen: &[usize]) -> String {
        let mut best = (0, 0);
        for &feature in chosen {
            let times = chosen.iter().filter(|&&f| f == feature).count();
            if times > best.1 {
                best = (feature, times);
            }
        }
        format!(
            "{} in {} of {} folds",
            self.names.get(best.0).map_or("", String::as_str),
            best.1,
            chosen.len()
        )
    }

    /// What prediction and truth are read from.
    fn chosen(&self, prediction: &[usize], truth: &[usize], same: bool) -> (String, String) {
        let truth = if same {
            "the same function".to_owned()
        } else {
            self.commonest(truth)
        };
        (self.commonest(prediction), truth)
    }
}

/// Agreement with the prediction, with the truth, and their difference.
///
/// The truth is told by the better of two: its own search, and the function that was found for the prediction. With few images
/// a search misses a weak relation more often than a strong one, which would make the prediction look simpler than it is; the
/// second needs nothing to be found. To pass, the excess over the truth's own search must be small too.
struct Agreements {
    prediction: Estimate,
    truth: Estimate,
    excess: Estimate,
    /// Upper bound of the excess, also over the truth's own search.
    high: f64,
    /// Share of images on which the function is right about the prediction, less that on which it is right about the truth: as many
    /// labels would have to be wrong for a truth that is as simple as the prediction. `None` for numbers.
    wrong: Option<Estimate>,
    /// Columns that were chosen.
    chosen: (String, String),
}

/// Which answers tell the truth better: those of its own search, or those of the search for the prediction.
fn better<'a, T>(
    own: &'a [T],
    of_prediction: &'a [T],
    agreement: &dyn Fn(&[T]) -> Option<f64>,
) -> (&'a [T], bool) {
    let value = |v: &[T]| agreement(v).unwrap_or(f64::NEG_INFINITY);
    if value(of_prediction) > value(own) {
        (of_prediction, true)
    } else {
        (own, false)
    }
}

fn refuse(opinion: &mut Opinion, why: &str, missing: &str) {
    let mut finding = not_assessable(
        ID,
        format!(
            "Whether one quantity of the image decides the prediction was not assessed: {why}."
        ),
        missing,
    );
    finding.primary = true;
    opinion.drafts.push(finding.into());
}

pub(super) fn judge(study: &Study<'_>, opinion: &mut Opinion) -> Result<()> {
    let classification = study.context.task == Task::Classification;
    let measured = Measured::of(study);
    if !classification && measured.is_none() {
        refuse(
            opinion,
            "pixels of several classes come to no single number of an image",
            "a task with image classes, objects, or one sort of foreground",
        );
        return Ok(());
    }
    let k = study.context.classes.len();
    let rows: Vec<usize> = study
        .side(Role::Target)
        .into_iter()
        .filter(|&i| {
            let row = &study.rows[i];
            let Some(seen) = row.seen.as_ref().filter(|s| s.status == Status::Ok) else {
                return false;
            };
            if classification {
                let known = |class: Option<u32>| class.is_some_and(|c| (c as usize) < k);
                known(row.truth_class) && known(seen.pred_class)
            } else {
                measured.as_ref().is_some_and(|m| {
                    m.predicted(&seen.scores).is_some() && m.truth(&seen.scores).is_some()
                })
            }
        })
        .collect();
    let (rows, dictionary) = Dictionary::read(study, &rows)?;
    let rows_left = if classification {
        learnable(study, &rows)
    } else {
        rows.clone()
    };
    if rows_left.len() < FEWEST {
        refuse(
            opinion,
            &format!(
                "{} have prediction, truth and features",
                words::images(rows_left.len())
            ),
            &format!(
                "at least {FEWEST} target images with truth, whose features a run of the images makes"
            ),
        );
        return Ok(());
    }
    let dictionary = if rows_left.len() < rows.len() {
        Dictionary::read(study, &rows_left)?.1
    } else {
        dictionary
    };
    let Some(dictionary) = dictionary else {
        refuse(
            opinion,
            "no feature of the images varies",
            "images that differ, and their features, which a run of the images makes",
        );
        return Ok(());
    };
    let rows = rows_left;
    let made = if classification {
        of_classes(study, &rows, &dictionary)?
    } else if let Some(m) = &measured {
        of_numbers(study, &rows, &dictionary, m)?
    } else {
        return Ok(());
    };
    match made {
        Ok(made) => {
            said(study, &rows, &made, opinion);
            if classification && k > 2 {
                of_embedding(study, &rows, opinion)?;
            }
        }
        Err(why) => refuse(
            opinion,
            &why,
            "predictions and truth that vary over target images of at least five groups, each class in several of them",
        ),
    }
    Ok(())
}

fn settings_of(study: &Study<'_>, id: &str) -> transect_stats::Settings {
    study.settings(id).range(-1.0, 1.0)
}

fn of_classes(
    study: &Study<'_>,
    rows: &[usize],
    dictionary: &Dictionary,
) -> Result<std::result::Result<Agreements, String>> {
    let k = study.context.classes.len();
    let truth: Vec<u32> = rows
        .iter()
        .filter_map(|&i| study.rows[i].truth_class)
        .collect();
    let pred: Vec<u32> = rows
        .iter()
        .filter_map(|&i| study.rows[i].seen.as_ref()?.pred_class)
        .collect();
    if pred.iter().all(|&p| p == pred[0]) {
        return Ok(Err(format!(
            "every one of {} is predicted as {}, which is no function of anything",
            words::images(rows.len()),
            study
                .context
                .classes
                .get(pred[0] as usize)
                .map_or("one class", String::as_str)
        )));
    }
    let units = study.units(rows)?;
    let folds = match Folds::of_classes(&truth, k, &units, &study.settings("collapse.folds")) {
        Ok(folds) => folds,
        Err(error) => return Ok(Err(error.message)),
    };
    let of_pred = best_single_classes(&dictionary.features, &pred, k, &folds)?;
    let of_truth = best_single_classes(&dictionary.features, &truth, k, &folds)?;
    let agree = |a: &[u32], b: &[u32], id: &str| {
        statistic(&units, &settings_of(study, id), &mut |w| {
            kappa_weighted(a, b, k, w)
        })
    };
    let ones = vec![1.0; rows.len()];
    if kappa_weighted(&of_pred.predicted, &pred, k, &ones).is_none()
        || kappa_weighted(&of_truth.predicted, &truth, k, &ones).is_none()
    {
        return Ok(Err("agreement beyond chance has no value".to_owned()));
    }
    let (told, same) = better(&of_truth.predicted, &of_pred.predicted, &|v| {
        kappa_weighted(v, &truth, k, &ones)
    });
    let over = |told: &[u32]| {
        statistic(&units, &settings_of(study, ID).tails(), &mut |w| {
            let prediction = kappa_weighted(&of_pred.predicted, &pred, k, w)?;
            Some(prediction - kappa_weighted(told, &truth, k, w)?)
        })
    };
    let excess = over(told)?;
    let high = if same {
        over(&of_truth.predicted)?.high.max(excess.high)
    } else {
        excess.high
    };
    let right = |a: &[u32], b: &[u32], w: &[f64]| -> f64 {
        let hits = a.iter().zip(b).zip(w).filter(|((a, b), _)| a == b);
        hits.map(|(_, w)| w).sum::<f64>() / w.iter().sum::<f64>()
    };
    let wrong = statistic(&units, &settings_of(study, WRONG).tails(), &mut |w| {
        Some(right(&of_pred.predicted, &pred, w) - right(told, &truth, w))
    })?;
    Ok(Ok(Agreements {
        prediction: agree(&of_pred.predicted, &pred, "collapse.simple_prediction")?,
        truth: agree(told, &truth, "collapse.simple_truth")?,
        excess,
        high,
        wrong: Some(wrong),
        chosen: dictionary.chosen(&of_pred.feature, &of_truth.feature, same),
    }))
}

fn of_numbers(
    study: &Study<'_>,
    rows: &[usize],
    dictionary: &Dictionary,
    measured: &Measured,
) -> Result<std::result::Result<Agreements, String>> {
    let of = |truth: bool| -> Vec<f64> {
        rows.iter()
            .filter_map(|&i| {
                let scores = &study.rows[i].seen.as_ref()?.scores;
                if truth {
                    measured.truth(scores)
                } else {
                    measured.predicted(scores)
                }
            })
            .collect()
    };
    let (pred, truth) = (of(false), of(true));
    let units = study.units(rows)?;
    let folds = match Folds::of_values(&truth, &units, &study.settings("collapse.folds")) {
        Ok(folds) => folds,
        Err(error) => return Ok(Err(error.message)),
    };
    if pred.iter().all(|&p| p == pred[0]) {
        return Ok(Err(
            "the same number is predicted for every image".to_owned()
        ));
    }
    let of_pred = best_single_value(&dictionary.features, &pred, &folds)?;
    let of_truth = best_single_value(&dictionary.features, &truth, &folds)?;
    // A guess that does not vary agrees with nothing.
    let along = |a: &[f64], b: &[f64], indices: &[usize]| -> Option<f64> {
        let pick = |v: &[f64]| indices.iter().map(|&i| v[i]).collect::<Vec<f64>>();
        let b = pick(b);
        if b.iter().all(|&v| v == b[0]) {
            return None;
        }
        Some(pearson(&pick(a), &b).ok()?.unwrap_or(0.0))
    };
    let few = |id: &str, tails: bool| {
        let s = settings_of(study, id);
        let mut s = if tails { s.tails() } else { s };
        s.resamples = s.resamples.min((20_000_000 / rows.len()).max(1_000));
        s
    };
    let single = |a: &[f64], b: &[f64], id: &str, units: &Units| {
        statistic_of_rows(units, &few(id, false), &mut |indices| along(a, b, indices))
    };
    let every: Vec<usize> = (0..rows.len()).collect();
    let (told, same) = better(&of_truth.predicted, &of_pred.predicted, &|v| {
        along(v, &truth, &every)
    });
    let over = |told: &[f64]| {
        statistic_of_rows(&units, &few(ID, true), &mut |indices| {
            Some(along(&of_pred.predicted, &pred, indices)? - along(told, &truth, indices)?)
        })
    };
    let excess = over(told)?;
    let high = if same {
        over(&of_truth.predicted)?.high.max(excess.high)
    } else {
        excess.high
    };
    Ok(Ok(Agreements {
        prediction: single(
            &of_pred.predicted,
            &pred,
            "collapse.simple_prediction",
            &units,
        )?,
        truth: single(told, &truth, "collapse.simple_truth", &units)?,
        excess,
        high,
        wrong: None,
        chosen: dictionary.chosen(&of_pred.feature, &of_truth.feature, same),
    }))
}

fn said(study: &Study<'_>, rows: &[usize], made: &Agreements, opinion: &mut Opinion) {
    let (agreement, unit) = if study.context.task == Task::Classification {
        ("κ", "kappa")
    } else {
        ("a correlation of", "correlation")
    };
    let e = &made.excess;
    let mut finding = Finding::new(ID);
    let wrong = made.wrong.as_ref();
    let by_labels = wrong.is_some_and(|w| !w.enough || w.p_above(MOST_WRONG) > 0.05);
    let comes_to = if e.low > EXCESS.warn && !by_labels {
        "the prediction is simpler than the truth"
    } else if e.low > EXCESS.warn {
        "the prediction is simpler than the truth, or labels are wrong"
    } else if made.high < EXCESS.warn && made.truth.low > 0.4 {
        "the truth is as simple, which is a matter of the data: see `prior`"
    } else if made.high < EXCESS.warn {
        "the prediction is no simpler than the truth"
    } else {
        "not settled"
    };
    finding.claim = format!(
        "The best function of one feature of the image agrees with the prediction by {agreement} {} and with the truth by {agreement} {} on {}, both held out: {} more ({} interval {}): {comes_to}.",
        words::number(made.prediction.estimate),
        words::number(made.truth.estimate),
        words::images(rows.len()),
        words::number(e.estimate),
        words::percent(e.level),
        Form::Plain.range(e.low, made.high),
    );
    unit.clone_into(&mut finding.unit);
    finding.evidence = evidence::of_target(study, "i.row, i.truth_class, m.pred_class, m.*");
    finding.caveats.push(format!(
        "warns above {} and fails above {}",
        words::number(EXCESS.warn),
        words::number(EXCESS.fail)
    ));
    finding.caveats.push(format!(
        "the dictionary is every column of {}, each cut in 4, 8 or 16 bins; the prediction is best read from {}, the truth from {}",
        words::list(&FAMILIES.map(str::to_owned)),
        made.chosen.0,
        made.chosen.1
    ));
    finding.caveats.push("the lower bound is over the better of the truth's own function and the one found for the prediction, the upper bound over the worse".to_owned());
    if let Some(wrong) = wrong {
        finding.caveats.push(format!(
            "wrong labels lower the agreement with the truth and not that with the prediction, so it fails only where more than {} of the labels would have to be wrong for a truth as simple as the prediction: here {} ({})",
            words::percent(MOST_WRONG),
            words::percent(wrong.estimate),
            if by_labels { "more than that is not shown" } else { "more than that is shown" }
        ));
    }
    finding.remedy = Some(
        "See which feature it is (the bracket counts its columns from 0), and test the model on images in which that feature says nothing about the class.".to_owned(),
    );
    finding.threshold = Some(EXCESS);
    finding.primary = true;
    let mut finding = with_estimate(finding, e, study);
    finding.better = Better::Lower;
    finding.interval = finding.interval.map(|[low, _]| [low, made.high]);
    finding.p = Some(if by_labels {
        1.0
    } else {
        e.p_above(EXCESS.fail)
    });
    finding.n_needed = (e.enough || study.context.group.is_none())
        .then(|| n_needed(e, EXCESS.warn))
        .flatten()
        .map(|n| n.images.max(e.n as u64));
    opinion.drafts.push(Draft {
        finding,
        ground: Ground::Bounds {
            low: e.low,
            high: made.high,
            enough: e.enough,
            may_warn: true,
        },
    });
    opinion.figures.push(Figure {
        id: ID.to_owned(),
        mode: "collapse".to_owned(),
        title: "How well one feature of the image tells the prediction, and the truth".to_owned(),
        caption: "Held-out agreement of the best function of one feature (mean, spread, colour, band, texture) with the model's prediction and with the truth, with 95% intervals. Where the first is much larger, the model is simpler than its task.".to_owned(),
        drawing: Drawing::Forest {
            x: if unit == "kappa" { "Cohen's κ" } else { "correlation" }.to_owned(),
            rows: vec![
                line("with the prediction", &made.prediction),
                line("with the truth", &made.truth),
                line("difference", &made.excess),
            ],
            marks: vec![
                (0.0, "chance".to_owned()),
                (EXCESS.fail, "fails (difference)".to_owned()),
            ],
        },
    });
}

/// First principal direction of the centred rows, by power iteration from the row farthest from the mean.
fn first_component(rows: &[&[f32]]) -> Option<Vec<f64>> {
    let d = rows.first()?.len();
    let n = rows.len() as f64;
    let mut mean = vec![0.0; d];
    for row in rows {
        for (m, v) in mean.iter_mut().zip(*row) {
            *m += f64::from(*v) / n;
        }
    }
    let centred: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .zip(&mean)
                .map(|(v, m)| f64::from(*v) - m)
                .collect()
        })
        .collect();
    let length = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let mut direction = centred
        .iter()
        .max_by(|a, b| length(a).total_cmp(&length(b)))?
        .clone();
    for _ in 0..200 {
        let scale = length(&direction);
        if scale <= 0.0 || !scale.is_finite() {
            return None;
        }
        for v in &mut direction {
            *v /= scale;
        }
        let mut next = vec![0.0; d];
        for row in &centred {
            let along: f64 = row.iter().zip(&direction).map(|(a, b)| a * b).sum();
            for (o, v) in next.iter_mut().zip(row) {
                *o += along * v;
            }
        }
        direction = next;
    }
    Some(
        centred
            .iter()
            .map(|row| row.iter().zip(&direction).map(|(a, b)| a * b).sum())
            .collect(),
    )
}

/// How much of the prediction the embedding's first direction tells: informative, from three classes on.
fn of_embedding(study: &Study<'_>, rows: &[usize], opinion: &mut Opinion) -> Result<()> {
    let (Some(model), Some(layer)) = (&study.model, layer(study)) else {
        return Ok(());
    };
    let Some(embedding) = Embedded::read(study, model, &layer, "identity")? else {
        return Ok(());
    };
    let rows = learnable(study, &embedding.rows_among(rows));
    let of: Vec<&[f32]> = rows.iter().filter_map(|&i| embedding.row(i)).collect();
    if rows.len() < FEWEST || of.iter().any(|r| r.iter().any(|v| !v.is_finite())) {
        return Ok(());
    }
    let Some(along) = first_component(&of) else {
        return Ok(());
    };
    let k = study.context.classes.len();
    let pred: Vec<u32> = rows
        .iter()
        .filter_map(|&i| study.rows[i].seen.as_ref()?.pred_class)
        .collect();
    let truth: Vec<u32> = rows
        .iter()
        .filter_map(|&i| study.rows[i].truth_class)
        .collect();
    let units = study.units(&rows)?;
    let Ok(folds) = Folds::of_classes(&truth, k, &units, &study.settings("collapse.folds")) else {
        return Ok(());
    };
    let scale = along.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    if !scale.is_finite() || scale <= 0.0 || pred.iter().all(|&p| p == pred[0]) {
        return Ok(());
    }
    let features = Matrix::new(rows.len(), 1, along.iter().map(|v| v / scale).collect())?;
    let single = best_single_classes(&features, &pred, k, &folds)?;
    let id = "collapse.one_dimensional_embedding";
    let ones = vec![1.0; rows.len()];
    if kappa_weighted(&single.predicted, &pred, k, &ones).is_none() {
        return Ok(());
    }
    let e = statistic(&units, &settings_of(study, id), &mut |w| {
        kappa_weighted(&single.predicted, &pred, k, w)
    })?;
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "The main direction of the embedding alone tells the prediction by κ {} on {}; {k} classes need more than one direction in general.",
        Form::Plain.estimate(&e),
        words::images(rows.len())
    );
    finding.unit = String::from("kappa");
    finding.evidence.model.clone_from(&study.model);
    let mut finding = with_estimate(finding, &e, study);
    finding.better = Better::Neither;
    finding.caveats.push(format!(
        "informative only: layer {layer}, first principal direction of these images, held-out function of it; with two classes it would be trivial"
    ));
    opinion.drafts.push(finding.into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_component_is_the_long_axis() {
        let rows: Vec<Vec<f32>> = (0..30)
            .map(|i| {
                let t = i as f32 - 14.5;
                vec![
                    3.0 * t + 100.0,
                    4.0 * t,
                    if i % 2 == 0 { 1.0 } else { -1.0 },
                ]
            })
            .collect();
        let of: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let along = first_component(&of).unwrap();
        let t: Vec<f64> = (0..30).map(|i| f64::from(i) - 14.5).collect();
        assert!(pearson(&along, &t).unwrap().unwrap().abs() > 0.999_9);
        let still = vec![vec![1.0_f32, 2.0]; 5];
        let of: Vec<&[f32]> = still.iter().map(Vec::as_slice).collect();
        assert_eq!(first_component(&of), None);
    }
}
