//! Classes: the same probe on the model's embedding, on re-initialised copies and on features that nobody learned.

use transect_core::figure::{Drawing, Row as Line};
use transect_core::{Figure, Finding, Result};
use transect_stats::{Folds, Units, mean, probe_classes};

use super::{FEWEST, MARGIN, Unseen, parts, refuse};
use crate::copies;
use crate::drawn::line;
use crate::embedded::{Embedded, layer, side_by_side};
use crate::evidence;
use crate::gains::{Gain, Weighed, primary, weigh};
use crate::opinion::Opinion;
use crate::study::Study;
use crate::words::{self, Form};

/// Families of features that are baselines: name, words, tables.
const FAMILIES: [(&str, &str, &[&str]); 5] = [
    (
        "random_conv",
        "random convolutional features",
        &["random_conv"],
    ),
    ("moments", "intensity moments", &["moments"]),
    ("colour", "colour", &["colour"]),
    (
        "texture",
        "texture and granulometry",
        &["texture", "granulometry"],
    ),
    (
        "layout",
        "number, size and layout of the objects",
        &["layout"],
    ),
];
/// Name of the re-initialised copies among the baselines.
const COPIES: &str = "reinit";

/// Something that the same probe is trained on: one set of tables, or one for each seed.
struct Rival {
    name: &'static str,
    words: String,
    seeds: Vec<Vec<Embedded>>,
}

/// A probe's held-out answers: for each image the share of seeds that are right, and each seed's own.
struct Answers {
    by_seed: Vec<Vec<f64>>,
}

/// Some images with what every probe on them shares.
struct Split {
    rows: Vec<usize>,
    labels: Vec<u32>,
    folds: Folds,
    /// Whether the model's own prediction is right.
    own: Vec<f64>,
    /// Whether the probe on the model's embedding is right; `None` where there is no embedding.
    embedding: Option<Vec<f64>>,
}

/// Rivals that the tables hold, and the words for those that they do not.
fn rivals(study: &Study<'_>, layer: Option<&str>) -> Result<(Vec<Rival>, Vec<String>)> {
    let (mut rivals, mut missing) = (Vec::new(), Vec::new());
    let mut seeds = Vec::new();
    if let Some(layer) = layer {
        for copy in 0..copies::MOST {
            if let Some(e) = Embedded::read(study, &copies::name(copy), layer, "identity")? {
                seeds.push(vec![e]);
            }
        }
    }
    if seeds.len() >= 2 {
        rivals.push(Rival {
            name: COPIES,
            words: format!("{} re-initialised copies on average", seeds.len()),
            seeds,
        });
    } else {
        missing.push("re-initialised copies".to_owned());
    }
    for (name, in_words, tables) in FAMILIES {
        let mut found = Vec::new();
        for table in tables {
            if let Some(e) = Embedded::family(study, table)? {
                found.push(e);
            }
        }
        if found.len() == tables.len() {
            rivals.push(Rival {
                name,
                words: in_words.to_owned(),
                seeds: vec![found],
            });
        } else {
            missing.push(in_words.to_owned());
        }
    }
    Ok((rivals, missing))
}

/// Rows whose class lies in two groups or more: others cannot be learned from some groups and tested on others.
pub(crate) fn learnable(study: &Study<'_>, rows: &[usize]) -> Vec<usize> {
    let mut groups: std::collections::BTreeMap<u32, std::collections::BTreeSet<usize>> =
        std::collections::BTreeMap::new();
    for &i in rows {
        if let Some(class) = study.rows[i].truth_class {
            groups.entry(class).or_default().insert(study.rows[i].group);
        }
    }
    rows.iter()
        .copied()
        .filter(|&i| {
            study.rows[i]
                .truth_class
                .is_some_and(|c| groups.get(&c).is_some_and(|g| g.len() > 1))
        })
        .collect()
}

/// Held-out answers of a probe on some tables, 1 where right; `None` where nothing in them varies.
fn probed(
    tables: &[Embedded],
    rows: &[usize],
    labels: &[u32],
    classes: usize,
    folds: &Folds,
) -> Result<Option<Vec<f64>>> {
    let tables: Vec<&Embedded> = tables.iter().collect();
    let Some((features, _)) = side_by_side(&tables, rows)? else {
        return Ok(None);
    };
    let probe = probe_classes(&features, labels, classes, folds)?;
    Ok(Some(
        probe
            .predicted
            .iter()
            .zip(labels)
            .map(|(p, t)| f64::from(u8::from(p == t)))
            .collect(),
    ))
}

fn split(
    study: &Study<'_>,
    rows: Vec<usize>,
    embedding: Option<&Embedded>,
) -> Result<Result<Split>> {
    let classes = study.context.classes.len();
    let labels: Vec<u32> = rows
        .iter()
        .filter_map(|&i| study.rows[i].truth_class)
        .collect();
    let units = study.units(&rows)?;
    let folds = match Folds::of_classes(&labels, classes, &units, &study.settings("baseline.folds"))
    {
        Ok(folds) => folds,
        Err(error) => return Ok(Err(error)),
    };
    let own = rows
        .iter()
        .map(|&i| study.rows[i].score.unwrap_or(0.0))
        .collect();
    let embedding = match embedding {
        Some(e) => probed(std::slice::from_ref(e), &rows, &labels, classes, &folds)?,
        None => None,
    };
    Ok(Ok(Split {
        rows,
        labels,
        folds,
        own,
        embedding,
    }))
}

/// Differences of the model's answers to each seed of a rival's.
fn differences(model: &[f64], rival: &Answers) -> Vec<Vec<f64>> {
    rival
        .by_seed
        .iter()
        .map(|of| model.iter().zip(of).map(|(m, r)| m - r).collect())
        .collect()
}

pub(super) fn judge(study: &Study<'_>, unseen: &Unseen, opinion: &mut Opinion) -> Result<()> {
    let classes = study.context.classes.len();
    let layer = layer(study);
    let given = match (&study.model, &layer) {
        (Some(model), Some(layer)) => Embedded::read(study, model, layer, "identity")?,
        _ => None,
    };
    let (rivals, mut missing) = rivals(study, layer.as_deref())?;
    let base: Vec<usize> = unseen
        .rows
        .iter()
        .copied()
        .filter(|&i| {
            study.rows[i]
                .truth_class
                .is_some_and(|c| (c as usize) < classes)
        })
        .filter(|&i| given.as_ref().is_none_or(|g| g.has(i)))
        .collect();
    let kept = learnable(study, &base);
    let left_out = base.len() - kept.len();
    let base = kept;
    let mut splits: Vec<Split> = Vec::new();
    let mut reason = None;
    // By rival: the place of its split, and its answers.
    let mut answers: Vec<(usize, usize, Answers)> = Vec::new();
    for (place, rival) in rivals.iter().enumerate() {
        let mut rows = base.clone();
        for tables in &rival.seeds {
            for table in tables {
                rows = table.rows_among(&rows);
            }
        }
        let rows = learnable(study, &rows);
        if rows.len() < FEWEST {
            missing.push(rival.words.clone());
            continue;
        }
        let at = if let Some(at) = splits.iter().position(|s| s.rows == rows) {
            at
        } else {
            match split(study, rows, given.as_ref())? {
                Ok(made) => splits.push(made),
                Err(error) => {
                    reason = Some(error.message.clone());
                    continue;
                }
            }
            splits.len() - 1
        };
        let s = &splits[at];
        let mut by_seed = Vec::new();
        for tables in &rival.seeds {
            by_seed.extend(probed(tables, &s.rows, &s.labels, classes, &s.folds)?);
        }
        if by_seed.len() == rival.seeds.len() {
            answers.push((place, at, Answers { by_seed }));
        } else {
            missing.push(rival.words.clone());
        }
    }
    if answers.is_empty() {
        let (why, what) = match reason {
            Some(reason) => (
                format!("a probe cannot be cross-validated on these images ({reason})"),
                "target images with truth of at least two classes, each in several groups, and at least five groups".to_owned(),
            ),
            None => (
                format!(
                    "there is nothing to compare with on the {} with truth",
                    words::images(base.len())
                ),
                format!("the baselines' features of target images ({}), which a run of the images makes", words::list(&missing)),
            ),
        };
        refuse(opinion, super::MODE.primaries, &why, &what);
        return Ok(());
    }
    let notes = Notes {
        layer: layer.as_deref(),
        missing: &missing,
        left_out,
        unseen,
    };
    let weighed = gains(study, &base, &splits, &rivals, &answers, &notes, opinion)?;
    reach(study, &splits, &rivals, &answers, opinion)?;
    if let Some((what, best)) = weighed {
        let (_, at, of) = &answers[best];
        let s = &splits[*at];
        let model = match what {
            "embedding" => s.embedding.as_ref().unwrap_or(&s.own),
            _ => &s.own,
        };
        let difference = super::parts::averaged(&differences(model, of));
        parts::judge(
            study,
            what,
            &rivals[answers[best].0].words,
            &s.rows,
            &difference,
            opinion,
        )?;
    }
    Ok(())
}

/// What is said beside the numbers.
struct Notes<'a> {
    layer: Option<&'a str>,
    missing: &'a [String],
    left_out: usize,
    unseen: &'a Unseen,
}

/// The two primary findings and the gain over each baseline. Which of the two is looked at in parts, and the place of its best
/// baseline among the answers.
fn gains(
    study: &Study<'_>,
    base: &[usize],
    splits: &[Split],
    rivals: &[Rival],
    answers: &[(usize, usize, Answers)],
    notes: &Notes<'_>,
    opinion: &mut Opinion,
) -> Result<Option<(&'static str, usize)>> {
    let units = study.units(base)?;
    let mut looked_at = None;
    for what in ["embedding", "prediction"] {
        let id = format!("baseline.{what}_gain");
        let mut over = Vec::new();
        for (place, at, of) in answers {
            let (rival, s) = (&rivals[*place], &splits[*at]);
            let model = if what == "embedding" {
                s.embedding.as_ref()
            } else {
                Some(&s.own)
            };
            if let Some(model) = model {
                // The model's own prediction was not cross-validated here; its rivals were.
                over.push(Gain::of_probes(
                    study,
                    &id,
                    (rival.name, &rival.words),
                    base,
                    &s.rows,
                    &differences(model, of),
                )?);
            }
        }
        let Some(weighed) = (if over.len() == answers.len() {
            weigh(&over, MARGIN, &units, &study.settings(&id))?
        } else {
            None
        }) else {
            refuse(
                opinion,
                &[super::MODE.primaries[0]],
                "there is no embedding of the model",
                "a model that gives embeddings: an ONNX file with a layer before its last",
            );
            continue;
        };
        if looked_at.is_none() {
            looked_at = Some((what, weighed.best_rival));
        }
        let (place, at, of) = &answers[weighed.best_rival];
        let s = &splits[*at];
        let model = match (what, &s.embedding) {
            ("embedding", Some(e)) => e,
            _ => &s.own,
        };
        let finding = said(
            study,
            (what, over.len()),
            &weighed,
            &rivals[*place],
            s,
            model,
            of,
            notes,
        );
        opinion
            .drafts
            .push(primary(finding, &over, &weighed, MARGIN, study));
        for gain in &over {
            parts::over(study, what, gain, opinion);
        }
        opinion.figures.push(parts::forest(what, &over, &weighed));
    }
    Ok(looked_at)
}

#[expect(
    clippy::too_many_arguments,
    reason = "one sentence with everything in it"
)]
fn said(
    study: &Study<'_>,
    (what, compared): (&str, usize),
    weighed: &Weighed,
    rival: &Rival,
    split: &Split,
    model: &[f64],
    of: &Answers,
    notes: &Notes<'_>,
) -> Finding {
    let n = split.rows.len();
    let share = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let theirs = of.by_seed.iter().map(|s| share(s)).sum::<f64>() / of.by_seed.len() as f64;
    let mut finding = Finding::new(format!("baseline.{what}_gain"));
    let who = if what == "embedding" {
        "A linear probe on the model's embedding"
    } else {
        "The model"
    };
    let their = if what == "embedding" {
        "the same probe on"
    } else {
        "a probe trained on these images from"
    };
    let comes_to = if weighed.good && weighed.bad {
        "better than every baseline, by less than the margin"
    } else if weighed.good {
        "better than every baseline"
    } else if weighed.bad {
        "no better than this baseline"
    } else {
        "not settled"
    };
    finding.claim = format!(
        "{who} is right on {} of {}, {their} {} on {}: a gain of {} over the best of {} (90% interval {}): {comes_to}.",
        words::percent(share(model)),
        words::images(n),
        rival.words,
        words::percent(theirs),
        Form::Points.one(weighed.least),
        words::counted(compared, "baseline", "baselines"),
        Form::Points.range(weighed.low, weighed.high),
    );
    finding.unit = String::from("fraction");
    finding.evidence =
        evidence::of_target(study, "i.row, i.truth_class, m.pred_class, m.score_correct");
    // What the baseline sees and the model does not, surest first.
    let mut lost: Vec<(f64, usize)> = (0..n)
        .filter(|&i| model[i] == 0.0 && of.by_seed.iter().all(|s| s[i] == 1.0))
        .map(|i| {
            let seen = study.rows[split.rows[i]].seen.as_ref();
            (
                seen.and_then(|s| s.confidence).unwrap_or(0.0),
                split.rows[i],
            )
        })
        .collect();
    lost.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    finding.images = lost.iter().take(10).map(|&(_, i)| study.image(i)).collect();
    finding.caveats.push(format!(
        "passes when the gain over every baseline is above 0, fails when the gain over one of them is under {}",
        Form::Points.one(MARGIN)
    ));
    finding.caveats.push(if what == "embedding" {
        format!(
            "five-fold cross-validated probes (folds of whole groups, the same for all); layer {}",
            notes.layer.unwrap_or_default()
        )
    } else {
        "the baselines' probes learn from other target images, the model does not: where the target differs from what the model was trained on, that is in the baselines' favour".to_owned()
    });
    finding.caveats.push(notes.unseen.caveat.clone());
    if !notes.missing.is_empty() {
        finding
            .caveats
            .push(format!("not compared with: {}", words::list(notes.missing)));
    }
    if notes.left_out > 0 {
        finding.caveats.push(format!(
            "{} left out, of classes that lie in a single group",
            words::images(notes.left_out)
        ));
    }
    finding.remedy = Some(format!(
        "Report the number of the best baseline ({}) beside the model's. Where it is as good, use it, or look at `prior` and `shortcut` for what both read.",
        rival.words
    ));
    finding
}

/// What the model and each baseline reach, in a figure.
fn reach(
    study: &Study<'_>,
    splits: &[Split],
    rivals: &[Rival],
    answers: &[(usize, usize, Answers)],
    opinion: &mut Opinion,
) -> Result<()> {
    let reached = |label: &str, values: &[f64], units: &Units| -> Result<Line> {
        let settings = study
            .settings(&format!("baseline.reach[{label}]"))
            .range(0.0, 1.0);
        let e = mean(values, units, &settings)?;
        Ok(line(label, &e))
    };
    // The split of most images is the one that the model is drawn on.
    let Some(widest) = splits.iter().max_by_key(|s| s.rows.len()) else {
        return Ok(());
    };
    let units = study.units(&widest.rows)?;
    let mut rows = vec![reached("the model's predictions", &widest.own, &units)?];
    if let Some(e) = &widest.embedding {
        rows.push(reached("probe on the model's embedding", e, &units)?);
    }
    for (place, at, of) in answers {
        let averaged = parts::averaged(&of.by_seed);
        let units = study.units(&splits[*at].rows)?;
        rows.push(reached(
            &format!("probe on {}", rivals[*place].words),
            &averaged,
            &units,
        )?);
    }
    opinion.figures.push(Figure {
        id: "baseline.reach".to_owned(),
        mode: "baseline".to_owned(),
        title: "What the model reaches, and what nobody had to learn".to_owned(),
        caption: "Share of target images that are right, with 95% intervals: the model's own predictions, and the same cross-validated linear probe on its embedding, on re-initialised copies of it, and on features made by hand. Compare by the paired differences, not by whether intervals overlap.".to_owned(),
        drawing: Drawing::Forest {
            x: "share right".to_owned(),
            rows,
            marks: Vec::new(),
        },
    });
    Ok(())
}
