//! Rows whose class goes with their domain against rows whose class does not.

use std::collections::BTreeMap;

use transect_core::figure::Drawing;
use transect_core::{Better, Figure, Finding, Result, Task, Threshold};
use transect_stats::{Settings, statistic};

use super::Sides;
use crate::drawn::line;
use crate::evidence::Query;
use crate::opinion::{Opinion, judged, not_assessable, with_estimate};
use crate::performance::worst;
use crate::study::Study;
use crate::words::{self, Form};

/// Fewest conflicting rows.
pub const FEWEST_CONFLICTING: usize = 20;
/// Additional risk on conflicting rows above which it warns. Never worse than a warning.
const GAP: Threshold = Threshold {
    warn: 0.05,
    fail: 0.15,
};

/// By how much a class must be rarer in one domain than elsewhere for its rows to count.
const RARER: f64 = 0.05;
/// Fewest conflicting rows of a domain for it to count as one of two directions.
const FEWEST_OF_A_SIDE: usize = 10;

/// A scored row: where it is from, class, whether it conflicts, risk.
struct Scored {
    row: usize,
    side: usize,
    class: u32,
    conflicting: bool,
    risk: f64,
}

pub(super) fn judge(study: &Study<'_>, sides: &Sides, opinion: &mut Opinion) -> Result<()> {
    let id = "shortcut.conflicting_rows";
    let noun = sides.noun();
    let refuse = |opinion: &mut Opinion, why: String, missing: String| {
        opinion.drafts.push(
            not_assessable(
                id,
                format!("Aligned and conflicting rows were not compared: {why}."),
                missing,
            )
            .into(),
        );
        Ok(())
    };
    if study.context.task != Task::Classification {
        return refuse(
            opinion,
            "images have no class in this task".to_owned(),
            "a classification task".to_owned(),
        );
    }
    if sides.names.len() < 2 {
        return refuse(
            opinion,
            "all images are of one domain".to_owned(),
            "images of two domains, or reference images".to_owned(),
        );
    }
    let mut scored = scored(study, sides);
    // Classes with rows of both sorts.
    let both: Vec<u32> = (0..study.context.classes.len() as u32)
        .filter(|&c| {
            [true, false]
                .iter()
                .all(|&of| scored.iter().any(|s| s.class == c && s.conflicting == of))
        })
        .collect();
    scored.retain(|s| both.contains(&s.class));
    let conflicting = scored.iter().filter(|s| s.conflicting).count();
    if conflicting < FEWEST_CONFLICTING {
        return refuse(
            opinion,
            format!(
                "{} of classes with rows of both sorts",
                words::counted(conflicting, "conflicting row", "conflicting rows")
            ),
            format!(
                "at least {FEWEST_CONFLICTING} images whose class is rarer in their {noun} than elsewhere, and others of the same classes"
            ),
        );
    }
    let rows: Vec<usize> = scored.iter().map(|s| s.row).collect();
    let units = study.units(&rows)?;
    let (weights_of, directions) = study_weights(&scored, study.context.classes.len());
    let settings: Settings = study.settings(id).range(-1.0, 1.0);
    let e = statistic(&units, &settings, &mut |w| gap(&scored, w, &weights_of))?;
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "Images whose class is rarer in their {noun} than elsewhere ({} of {}) have an error rate that is {} higher than images of the same class whose class is more common there.",
        conflicting,
        scored.len(),
        Form::Points.estimate(&e)
    );
    finding.unit = String::from("fraction");
    finding.evidence = Query::images(study, study.risk_sql())
        .by("i.truth_class, i.domain, i.role")
        .into();
    let wrong: Vec<usize> = scored
        .iter()
        .filter(|s| s.conflicting)
        .map(|s| s.row)
        .collect();
    finding.images = worst(study, &wrong, 10);
    finding.caveats.push(
        format!("standardised within class; the conflicting rows of each {noun} count alike, so that a {noun} which is harder throughout cancels; classes whose shares differ by less than {} are left out; what is aligned is taken from these images, since the association in training is not known", words::percent(RARER)),
    );
    finding.caveats.push(
        "observed, not intervened: conflicting rows may be harder for another reason; never more than a warning".to_owned(),
    );
    if directions < 2 {
        finding.caveats.push(format!(
            "described only: the conflicting rows are of one {noun}, so a {noun} which is harder throughout looks the same"
        ));
        opinion
            .drafts
            .push(with_estimate(finding, &e, study).into());
    } else {
        opinion
            .drafts
            .push(judged(finding, e, GAP, Better::Lower, false, study));
    }
    figure(study, &scored, &both, opinion)
}

fn scored(study: &Study<'_>, sides: &Sides) -> Vec<Scored> {
    let shares = sides.class_shares(study);
    let counts: Vec<f64> = (0..sides.names.len())
        .map(|s| sides.of_row.iter().filter(|r| **r == Some(s)).count() as f64)
        .collect();
    (0..study.rows.len())
        .filter_map(|i| {
            let (side, class) = (sides.of_row[i]?, study.rows[i].truth_class?);
            let risk = study.rows[i].risk()?;
            // The class's share on the other sides.
            let (mut other, mut n) = (0.0, 0.0);
            for (s, count) in counts.iter().enumerate().filter(|(s, _)| *s != side) {
                other += count * shares[s].get(class as usize)?;
                n += count;
            }
            let own = *shares[side].get(class as usize)?;
            (n > 0.0 && (own - other / n).abs() >= RARER).then_some(Scored {
                row: i,
                side,
                class,
                conflicting: own < other / n,
                risk,
            })
        })
        .collect()
}

/// Weight of each class: its share of the conflicting rows, those of each side counting alike; and the number of sides that have
/// enough of them.
fn study_weights(scored: &[Scored], classes: usize) -> (Vec<f64>, usize) {
    let mut of_side: BTreeMap<usize, usize> = BTreeMap::new();
    for s in scored.iter().filter(|s| s.conflicting) {
        *of_side.entry(s.side).or_default() += 1;
    }
    let mut weights = vec![0.0; classes];
    for s in scored.iter().filter(|s| s.conflicting) {
        weights[s.class as usize] += 1.0 / (of_side.len() * of_side[&s.side]) as f64;
    }
    let directions = of_side.values().filter(|&&n| n >= FEWEST_OF_A_SIDE).count();
    (weights, directions)
}

/// Σ over classes of weight × (risk of conflicting − risk of aligned).
fn gap(scored: &[Scored], weights: &[f64], of_class: &[f64]) -> Option<f64> {
    let mut sums = vec![[(0.0, 0.0); 2]; of_class.len()];
    for (s, w) in scored.iter().zip(weights) {
        let cell = &mut sums[s.class as usize][usize::from(s.conflicting)];
        cell.0 += w * s.risk;
        cell.1 += w;
    }
    let (mut total, mut weight) = (0.0, 0.0);
    for (cells, of_class) in sums.iter().zip(of_class).filter(|(_, w)| **w > 0.0) {
        // A class that a resample leaves without rows of one sort counts in no way.
        if cells.iter().all(|c| c.1 > 0.0) {
            total += of_class * (cells[1].0 / cells[1].1 - cells[0].0 / cells[0].1);
            weight += of_class;
        }
    }
    (weight > 0.0).then(|| total / weight)
}

fn figure(
    study: &Study<'_>,
    scored: &[Scored],
    classes: &[u32],
    opinion: &mut Opinion,
) -> Result<()> {
    let mut lines = Vec::new();
    for &class in classes {
        for (conflicting, word) in [(false, "aligned"), (true, "conflicting")] {
            let of: Vec<&Scored> = scored
                .iter()
                .filter(|s| s.class == class && s.conflicting == conflicting)
                .collect();
            let rows: Vec<usize> = of.iter().map(|s| s.row).collect();
            let wrong: Vec<bool> = of.iter().map(|s| s.risk > 0.5).collect();
            let e = transect_stats::rate(
                &wrong,
                &study.units(&rows)?,
                &study.settings("shortcut.conflicting"),
            )?;
            lines.push(line(
                format!(
                    "{}, {word}",
                    study
                        .context
                        .classes
                        .get(class as usize)
                        .map_or("", String::as_str)
                ),
                &e,
            ));
        }
    }
    opinion.figures.push(Figure {
        id: "shortcut.conflicting_rows".to_owned(),
        mode: "shortcut".to_owned(),
        title: "Is it worse where class and domain do not go together?".to_owned(),
        caption: "Error rate by class, of images whose class is more common where they come from (aligned) and of images whose class is rarer there (conflicting), with 95% intervals.".to_owned(),
        drawing: Drawing::Forest {
            x: "error rate".to_owned(),
            rows: lines,
            marks: Vec::new(),
        },
    });
    Ok(())
}
