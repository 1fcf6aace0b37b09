//! What a lazy learner is asked: the class of each image, or a number of it, held out by whole groups.

use std::collections::{BTreeMap, BTreeSet};

use transect_core::{Digest, Result, Role, Status, Task};
use transect_stats::{
    Estimate, Folds, Matrix, Units, best_single_classes, best_single_value, probe_classes,
    probe_value, statistic,
};

use crate::embedded::Embedded;
use crate::study::Study;
use crate::words;

/// Groups that a class must be in.
const GROUPS: usize = 5;
/// Images that learners are asked about, at most; whole groups are drawn by hash.
const MOST: usize = 2_000;
/// Fewest images.
const FEWEST: usize = 20;
/// Share of images whose truth must have the number asked for.
const PRESENT: f64 = 0.8;

/// What is asked.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    /// One of some classes, numbered from 0, with their names.
    Class(Vec<u32>, Vec<String>),
    /// A number, with its name in words.
    Value(Vec<f64>, &'static str),
}

/// A question, with the same folds for every learner.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// Rows of the run.
    pub(super) rows: Vec<usize>,
    /// What is asked of each.
    pub(super) asked: Asked,
    pub(super) units: Units,
    pub(super) folds: Folds,
    /// What a reader must know.
    pub(super) caveats: Vec<String>,
}

/// Why nothing can be asked, and what would have to be supplied.
pub(super) struct Refused {
    pub(super) why: String,
    pub(super) missing: String,
}

/// Predictions for every row of the question, held out.
#[derive(Debug, Clone)]
pub(super) enum Said {
    Class(Vec<u32>),
    Value(Vec<f64>),
}

/// What is asked of the target's images, from their truth.
pub(super) fn question(study: &Study<'_>) -> Result<std::result::Result<Question, Refused>> {
    let items = study.tables.items();
    let readable: Vec<usize> = study
        .side(Role::Target)
        .into_iter()
        .filter(|&i| items[i].status == Status::Ok)
        .collect();
    if study.context.task == Task::Classification {
        return Ok(classes(study, &readable));
    }
    value(study, &readable)
}

/// A seeded choice of whole groups with about as many rows as are asked about at most.
fn drawn(study: &Study<'_>, rows: Vec<usize>, caveats: &mut Vec<String>) -> Vec<usize> {
    let n = rows.len();
    if n <= MOST {
        return rows;
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for row in rows {
        groups.entry(study.rows[row].group).or_default().push(row);
    }
    let mut order: Vec<(Digest, Vec<usize>)> = groups
        .into_values()
        .map(|rows| {
            let first = &study.tables.items()[rows[0]];
            let key = Digest::of_parts([
                &study.context.seed.to_le_bytes()[..],
                b"prior/question",
                &first.image_sha256.0,
            ]);
            (key, rows)
        })
        .collect();
    order.sort();
    let mut chosen = Vec::new();
    for (_, rows) in order {
        if chosen.len() >= MOST {
            break;
        }
        chosen.extend(rows);
    }
    chosen.sort_unstable();
    caveats.push(format!(
        "on {} of {n} images: whole groups, drawn by hash",
        chosen.len()
    ));
    chosen
}

fn classes(study: &Study<'_>, readable: &[usize]) -> std::result::Result<Question, Refused> {
    let mut groups: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
    for &i in readable {
        if let Some(class) = study.rows[i].truth_class {
            groups.entry(class).or_default().insert(study.rows[i].group);
        }
    }
    if groups.is_empty() {
        return Err(Refused {
            why: "no image has a class".to_owned(),
            missing: "--truth, a column with the class of each image".to_owned(),
        });
    }
    let kept: Vec<u32> = groups
        .iter()
        .filter(|(_, g)| g.len() >= GROUPS)
        .map(|(class, _)| *class)
        .collect();
    let name = |class: u32| {
        study
            .context
            .classes
            .get(class as usize)
            .cloned()
            .unwrap_or_default()
    };
    let noun = if study.context.group.is_some() {
        "groups"
    } else {
        "images"
    };
    if kept.len() < 2 {
        return Err(Refused {
            why: format!("fewer than two classes have {GROUPS} {noun} each"),
            missing: format!("at least {GROUPS} {noun} of each of two classes"),
        });
    }
    let mut caveats = Vec::new();
    let dropped: Vec<String> = groups
        .keys()
        .filter(|class| !kept.contains(class))
        .map(|class| name(*class))
        .collect();
    if !dropped.is_empty() {
        caveats.push(format!(
            "without {}, of fewer than {GROUPS} {noun}",
            words::list(&dropped)
        ));
    }
    let rows: Vec<usize> = readable
        .iter()
        .copied()
        .filter(|&i| study.rows[i].truth_class.is_some_and(|c| kept.contains(&c)))
        .collect();
    let rows = drawn(study, rows, &mut caveats);
    let labels: Vec<u32> = rows
        .iter()
        .filter_map(|&i| study.rows[i].truth_class)
        .map(|c| kept.partition_point(|k| *k < c) as u32)
        .collect();
    let names: Vec<String> = kept.iter().map(|c| name(*c)).collect();
    let made = study.units(&rows).and_then(|units| {
        let folds = Folds::of_classes(&labels, names.len(), &units, &study.settings("prior"))?;
        Ok((units, folds))
    });
    match made {
        Ok((units, folds)) if rows.len() >= FEWEST => Ok(Question {
            rows,
            asked: Asked::Class(labels, names),
            units,
            folds,
            caveats,
        }),
        Ok(_) => Err(Refused {
            why: format!("there are only {}", words::images(rows.len())),
            missing: format!("at least {FEWEST} images with a class"),
        }),
        Err(error) => Err(Refused {
            why: error.message.clone(),
            missing: format!("more {noun} of each class"),
        }),
    }
}

/// The number of objects of each image, or the share of its foreground.
fn value(study: &Study<'_>, readable: &[usize]) -> Result<std::result::Result<Question, Refused>> {
    let items = study.tables.items();
    let mut caveats = Vec::new();
    let rows = drawn(study, readable.to_vec(), &mut caveats);
    let (found, what): (Vec<(usize, f64)>, _) = if study.context.task == Task::Instance {
        let of = |&i: &usize| items[i].attribute("objects").map(|v| (i, v));
        (
            rows.iter().filter_map(of).collect(),
            "the number of objects",
        )
    } else {
        let maps = Embedded::family(study, "truth_map")?;
        let of = |&i: &usize| {
            let map = maps.as_ref()?.row(i)?;
            let sum: f64 = map.iter().map(|v| f64::from(*v)).sum();
            Some((i, sum / map.len() as f64))
        };
        (
            rows.iter().filter_map(of).collect(),
            "the share of foreground",
        )
    };
    let enough = found.len() >= FEWEST && found.len() as f64 >= PRESENT * rows.len() as f64;
    if !enough {
        return Ok(Err(Refused {
            why: "too few images have outlines".to_owned(),
            missing: "--truth, a column with the outlines of each image".to_owned(),
        }));
    }
    let (rows, values): (Vec<usize>, Vec<f64>) = found.into_iter().unzip();
    let units = study.units(&rows)?;
    Ok(
        match Folds::of_values(&values, &units, &study.settings("prior")) {
            Ok(folds) => Ok(Question {
                rows,
                asked: Asked::Value(values, what),
                units,
                folds,
                caveats,
            }),
            Err(error) => Err(Refused {
                why: error.message.clone(),
                missing: "images that differ, of at least five groups".to_owned(),
            }),
        },
    )
}

/// Balanced accuracy under weights: the mean over classes of the share that is right. `None` where a class weighs nothing.
pub(super) fn balanced(
    labels: &[u32],
    said: &[u32],
    classes: usize,
    weights: &[f64],
) -> Option<f64> {
    let mut right = vec![0.0; classes];
    let mut all = vec![0.0; classes];
    for ((&label, &said), &w) in labels.iter().zip(said).zip(weights) {
        all[label as usize] += w;
        if label == said {
            right[label as usize] += w;
        }
    }
    if all.iter().any(|a| *a <= 0.0) {
        return None;
    }
    Some(right.iter().zip(&all).map(|(r, a)| r / a).sum::<f64>() / classes as f64)
}

/// Share of the variance that is explained, 1 − Σ(y − ŷ)²/Σ(y − ȳ)², under weights. At most 1; under 0 where the mean says more.
fn explained(values: &[f64], said: &[f64], weights: &[f64]) -> Option<f64> {
    let n: f64 = weights.iter().sum();
    let mean = values.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>() / n;
    let (mut left, mut all) = (0.0, 0.0);
    for ((v, s), w) in values.iter().zip(said).zip(weights) {
        left += w * (v - s).powi(2);
        all += w * (v - mean).powi(2);
    }
    (all > 0.0).then(|| 1.0 - left / all)
}

impl Question {
    /// What a linear probe of all columns says.
    pub(super) fn probe(&self, features: &Matrix) -> Result<Said> {
        Ok(match &self.asked {
            Asked::Class(labels, names) => {
                Said::Class(probe_classes(features, labels, names.len(), &self.folds)?.balanced)
            }
            Asked::Value(values, _) => {
                Said::Value(probe_value(features, values, &self.folds)?.predicted)
            }
        })
    }

    /// What the best function of one column says, and the column chosen in each fold.
    pub(super) fn single(&self, features: &Matrix) -> Result<(Said, Vec<usize>)> {
        Ok(match &self.asked {
            Asked::Class(labels, names) => {
                let made = best_single_classes(features, labels, names.len(), &self.folds)?;
                (Said::Class(made.balanced), made.feature)
            }
            Asked::Value(values, _) => {
                let made = best_single_value(features, values, &self.folds)?;
                (Said::Value(made.predicted), made.feature)
            }
        })
    }

    /// Balanced accuracy, or the share of the variance explained, under weights.
    pub(super) fn score(&self, said: &Said, weights: &[f64]) -> Option<f64> {
        match (&self.asked, said) {
            (Asked::Class(labels, names), Said::Class(said)) => {
                balanced(labels, said, names.len(), weights)
            }
            (Asked::Value(values, _), Said::Value(said)) => explained(values, said, weights),
            _ => None,
        }
    }

    /// What knowing nothing reaches.
    pub(super) fn chance(&self) -> f64 {
        match &self.asked {
            Asked::Class(_, names) => 1.0 / names.len() as f64,
            Asked::Value(..) => 0.0,
        }
    }

    /// The way from chance (0) to all right (1) that a score has gone.
    pub(super) fn skill(&self, score: f64) -> f64 {
        (score - self.chance()) / (1.0 - self.chance())
    }

    /// A score with its interval over groups; `skill` on the scale of [`Question::skill`].
    pub(super) fn estimate(
        &self,
        study: &Study<'_>,
        id: &str,
        said: &Said,
        skill: bool,
    ) -> Result<Estimate> {
        let scale = |v: f64| if skill { self.skill(v) } else { v };
        let mut settings = study.settings(id);
        if matches!(self.asked, Asked::Class(..)) {
            settings = settings.range(scale(0.0), 1.0);
        }
        settings.extreme_units = self.rarest();
        statistic(&self.units, &settings, &mut |w| {
            self.score(said, w).map(scale)
        })
    }

    /// Groups of the rarest class.
    pub(super) fn rarest(&self) -> Option<f64> {
        let Asked::Class(labels, names) = &self.asked else {
            return None;
        };
        let mut groups = vec![BTreeSet::new(); names.len()];
        for (&label, &group) in labels.iter().zip(self.units.group_of()) {
            groups[label as usize].insert(group);
        }
        groups.iter().map(BTreeSet::len).min().map(|n| n as f64)
    }

    /// `4 classes`, `the number of objects`.
    pub(super) fn about(&self) -> String {
        match &self.asked {
            Asked::Class(_, names) => words::counted(names.len(), "class", "classes"),
            Asked::Value(_, what) => (*what).to_owned(),
        }
    }
}
