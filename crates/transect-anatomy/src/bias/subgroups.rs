//! Subgroups that were named beforehand against the rest, with bounds that hold together.

use transect_core::figure::{Drawing, Row as Line};
use transect_core::finding::Evidence;
use transect_core::{Better, Figure, Finding, Result, Task};
use transect_stats::{Estimate, Settings, Simultaneous, Units, subgroups_against_rest};

use super::parts::{FEWEST_ROWS, Part, of_attributes, of_columns};
use super::{GAP, risks};
use crate::drawn::bounded;
use crate::evidence::{Query, TARGET};
use crate::opinion::{Draft, Ground, Opinion, not_assessable, with_estimate};
use crate::performance::worst;
use crate::study::Study;
use crate::words::{self, Form};

const ID: &str = "bias.worst_subgroup";
/// Most subgroups that are looked at together: columns first, then attributes, then pairs of columns.
const MOST: usize = 200;
/// Lines of the figure.
const DRAWN: usize = 20;
/// Most resamples, by the time that they take.
const WORK: usize = 40_000_000;

pub(super) fn judge(study: &Study<'_>, rows: &[usize], opinion: &mut Opinion) -> Result<()> {
    let columns = of_columns(study, rows, FEWEST_ROWS);
    let all: Vec<usize> = (0..rows.len()).collect();
    let thirds = of_attributes(
        study,
        rows,
        &all,
        &[1.0 / 3.0, 2.0 / 3.0],
        FEWEST_ROWS,
        true,
    );
    let mut parts: Vec<Part> = columns.iter().chain(&thirds).cloned().collect();
    // Intersections of two columns, which a reader may have named.
    for (at, a) in columns.iter().enumerate() {
        for b in columns[at + 1..].iter().filter(|b| b.about != a.about) {
            let both = a.and(b);
            if both.is_large(FEWEST_ROWS) && both.inside != a.inside && both.inside != b.inside {
                parts.push(both);
            }
        }
    }
    // Of predicates that hold for the same images the first stays.
    let mut distinct: Vec<Part> = Vec::new();
    for part in parts {
        if distinct.len() < MOST && !distinct.iter().any(|d| d.inside == part.inside) {
            distinct.push(part);
        }
    }
    if distinct.is_empty() {
        let mut finding = not_assessable(
            ID,
            format!(
                "Whether it is worse on some subgroup was not assessed: no column or attribute parts the {} into subgroups of {FEWEST_ROWS}.",
                words::images(rows.len())
            ),
            "columns with few values in the manifest (instrument, stain, sex, site, day), and more images",
        );
        finding.primary = true;
        opinion.drafts.push(finding.into());
        return Ok(());
    }
    let units = study.units(rows)?;
    let found = compare(
        &risks(study, rows),
        &distinct,
        &units,
        &settings(study, ID, rows, distinct.len()),
    )?;
    worst_of(study, rows, &distinct, &found, opinion);
    figure(study, &distinct, &found, opinion);
    overconfident(study, rows, &distinct, opinion)
}

/// Settings whose resamples are as many as the time allows.
fn settings(study: &Study<'_>, id: &str, rows: &[usize], parts: usize) -> Settings {
    let mut settings = study.settings(id).range(-1.0, 1.0);
    settings.resamples = settings
        .resamples
        .min((WORK / (rows.len() * parts).max(1)).max(400));
    settings
}

/// Each part against the rest.
pub(super) fn compare(
    values: &[f64],
    parts: &[Part],
    units: &Units,
    settings: &Settings,
) -> Result<Simultaneous> {
    let inside: Vec<Vec<bool>> = parts.iter().map(|p| p.inside.clone()).collect();
    subgroups_against_rest(values, &inside, units, settings)
}

pub(super) fn form(study: &Study<'_>) -> Form {
    if study.context.task == Task::Classification {
        Form::Points
    } else {
        Form::Plain
    }
}

/// Risk in words.
pub(super) fn risk_words(task: Task) -> &'static str {
    match task {
        Task::Classification => "error rate",
        Task::Semantic => "loss in IoU",
        Task::Instance => "loss in average precision",
    }
}

/// The largest difference, bounded over all.
fn worst_of(
    study: &Study<'_>,
    rows: &[usize],
    parts: &[Part],
    found: &Simultaneous,
    opinion: &mut Opinion,
) {
    let enough: Vec<usize> = (0..parts.len())
        .filter(|&j| found.estimates[j].enough && !found.estimates[j].is_open())
        .collect();
    let looked_at: Vec<usize> = if enough.is_empty() {
        (0..parts.len()).collect()
    } else {
        enough.clone()
    };
    // The one whose difference is shown to be the largest: the highest lower bound, then the highest estimate.
    let leading = looked_at.iter().copied().max_by(|&a, &b| {
        found.intervals[a]
            .0
            .total_cmp(&found.intervals[b].0)
            .then(
                found.estimates[a]
                    .estimate
                    .total_cmp(&found.estimates[b].estimate),
            )
            .then(b.cmp(&a))
    });
    let Some(leading) = leading else { return };
    let bound = |of: fn(&(f64, f64)) -> f64| {
        looked_at
            .iter()
            .map(|&j| of(&found.intervals[j]))
            .fold(f64::NEG_INFINITY, f64::max)
    };
    // A subgroup that nothing can be said of is not shown to be like the rest.
    let unknown: Vec<&Part> = (0..parts.len())
        .filter(|j| !enough.contains(j))
        .map(|j| &parts[j])
        .collect();
    let low = bound(|i| i.0);
    let high = if unknown.is_empty() {
        bound(|i| i.1)
    } else {
        f64::INFINITY
    };
    let p = looked_at
        .iter()
        .map(|&j| found.p_above(j, GAP.fail))
        .fold(1.0, f64::min);
    let smallest = looked_at
        .iter()
        .map(|&j| parts[j].size().min(rows.len() - parts[j].size()))
        .min()
        .unwrap_or(0);
    let part = &parts[leading];
    let e: &Estimate = &found.estimates[leading];
    let form = form(study);
    let mut finding = Finding::new(ID);
    finding.claim = format!(
        "Of {}, the one that stands out most: where {} ({}), the {} is {} (interval over all subgroups {}) higher than on the rest.",
        words::counted(looked_at.len(), "subgroup", "subgroups"),
        part.words,
        words::images(part.size()),
        risk_words(study.context.task),
        form.one(e.estimate),
        form.range(found.intervals[leading].0, found.intervals[leading].1)
    );
    finding.unit = unit(study);
    finding.evidence = evidence(study, &part.sql);
    let inside: Vec<usize> = (0..rows.len())
        .filter(|&at| part.inside[at])
        .map(|at| rows[at])
        .collect();
    finding.images = worst(study, &inside, 10);
    let mut finding = with_estimate(finding, e, study);
    let shown = bound(|i| i.1);
    finding.interval = (low.is_finite() && shown.is_finite()).then_some([low, shown]);
    finding.interval_method = Some(found.method.clone());
    finding.n = rows.len() as u64;
    finding.better = Better::Lower;
    finding.threshold = Some(GAP);
    finding.primary = true;
    finding.p = Some(p);
    finding.caveats.push(format!(
        "bounds of the largest difference over all subgroups together (max-T); the smallest subgroup has {}, and the power is that of it",
        words::images(smallest)
    ));
    if !unknown.is_empty() && !enough.is_empty() {
        let names: Vec<String> = unknown.iter().take(3).map(|p| p.words.clone()).collect();
        finding.caveats.push(format!(
            "nothing can be said of {} ({}{}): too few groups of images in them or in the rest; so it does not pass",
            words::counted(unknown.len(), "subgroup", "subgroups"),
            words::list(&names),
            if unknown.len() > 3 { ", …" } else { "" }
        ));
    }
    if part.of_truth {
        finding.caveats.push(
            "the subgroup is told from the truth, so it cannot be told of new images".to_owned(),
        );
    }
    finding.caveats.push(
        "an association: what goes with the subgroup may be the reason, the mix of classes among it".to_owned(),
    );
    finding.remedy = Some(
        "Report the score of the subgroup beside the score of all; look at its images, and label more of them for training.".to_owned(),
    );
    opinion.drafts.push(Draft {
        finding,
        ground: Ground::Bounds {
            low,
            high,
            enough: !enough.is_empty(),
            may_warn: true,
        },
    });
}

pub(super) fn unit(study: &Study<'_>) -> String {
    if study.context.task == Task::Classification {
        "fraction".to_owned()
    } else {
        String::new()
    }
}

pub(super) fn evidence(study: &Study<'_>, predicate: &str) -> Evidence {
    let both = Query::images(study, study.risk_sql())
        .by(format!("({predicate}) AS inside"))
        .of_target();
    Evidence {
        rows: Some(format!("{TARGET} AND {predicate}")),
        ..both.into()
    }
}

fn figure(study: &Study<'_>, parts: &[Part], found: &Simultaneous, opinion: &mut Opinion) {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|&a, &b| {
        found.estimates[b]
            .estimate
            .total_cmp(&found.estimates[a].estimate)
            .then(a.cmp(&b))
    });
    let lines: Vec<Line> = order
        .iter()
        .take(DRAWN)
        .map(|&j| Line {
            note: if parts[j].of_truth {
                "told from the truth".to_owned()
            } else {
                String::new()
            },
            ..bounded(
                &parts[j].words,
                found.estimates[j].estimate,
                (found.intervals[j].0, found.intervals[j].1),
                parts[j].size(),
            )
        })
        .collect();
    opinion.figures.push(Figure {
        id: "bias.subgroups".to_owned(),
        mode: "bias".to_owned(),
        title: "On which subgroups is it worse than on the rest?".to_owned(),
        caption: format!(
            "Difference in {} between a subgroup and the rest, the {} largest of {}, with 95% intervals that hold over all of them together.",
            risk_words(study.context.task),
            lines.len(),
            parts.len()
        ),
        drawing: Drawing::Forest {
            x: format!("difference in {}", risk_words(study.context.task)),
            rows: lines,
            marks: vec![(0.0, "as the rest".to_owned()), (GAP.fail, "too much".to_owned())],
        },
    });
}

/// Calibration by subgroup: where is it more sure than right, against the rest?
fn overconfident(
    study: &Study<'_>,
    rows: &[usize],
    parts: &[Part],
    opinion: &mut Opinion,
) -> Result<()> {
    let id = "bias.calibration_gap";
    let confidence = |i: usize| {
        study.rows[i]
            .seen
            .as_ref()
            .and_then(|s| s.confidence)
            .filter(|c| (0.0..=1.001).contains(c))
    };
    if study.context.task != Task::Classification || rows.iter().any(|&i| confidence(i).is_none()) {
        return Ok(());
    }
    let excess: Vec<f64> = rows
        .iter()
        .map(|&i| confidence(i).unwrap_or(0.0) - study.rows[i].score.unwrap_or(0.0))
        .collect();
    let found = compare(
        &excess,
        parts,
        &study.units(rows)?,
        &settings(study, id, rows, parts.len()),
    )?;
    let leading = (0..parts.len()).max_by(|&a, &b| {
        found.intervals[a]
            .0
            .total_cmp(&found.intervals[b].0)
            .then(b.cmp(&a))
    });
    let Some(leading) = leading.filter(|&j| !found.estimates[j].is_open()) else {
        return Ok(());
    };
    let (e, part) = (&found.estimates[leading], &parts[leading]);
    let (low, high) = found.intervals[leading];
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "How much more sure than right it is differs most from the rest where {} ({}): by {} (interval over all subgroups {}).",
        part.words,
        words::images(part.size()),
        Form::Points.one(e.estimate),
        Form::Points.range(low, high)
    );
    finding.unit = String::from("fraction");
    finding.evidence = evidence(study, &part.sql);
    let mut finding = with_estimate(finding, e, study);
    finding.interval = Some([low, high]);
    finding.interval_method = Some(found.method.clone());
    finding.n = rows.len() as u64;
    finding.better = Better::Lower;
    finding.threshold = Some(GAP);
    finding.caveats.push(
        "mean confidence less the share of right answers; never more than a warning".to_owned(),
    );
    opinion.drafts.push(Draft {
        finding,
        ground: Ground::Bounds {
            low,
            high: found
                .intervals
                .iter()
                .map(|i| i.1)
                .fold(f64::NEG_INFINITY, f64::max),
            enough: e.enough,
            may_warn: true,
        },
    });
    Ok(())
}
