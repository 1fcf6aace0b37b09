//! Local performance: how well the model does on these images, against what was claimed.
//!
//! Primary: the claimed metric, or the task's primary metric where several or none are claimed. Bad is low (for losses,
//! high): with claim c it warns beyond c − 0.02 and fails beyond c − 0.05 (for losses, beyond 1.1 c and 1.25 c).

use std::collections::BTreeMap;

use transect_core::figure::{Drawing, Row as Line};
use transect_core::finding::Evidence;
use transect_core::{Better, Context, Figure, Finding, Request, Result, Role, Status, Threshold};
use transect_score::metric::{self, Metric};
use transect_stats::{Estimate, Settings, mean, rate, statistic_of_rows};

use crate::drawn::line;
use crate::evidence::{self, Query, TARGET};
use crate::opinion::{Draft, Opinion, judged, not_assessable, with_estimate};
use crate::study::{Study, Truth};
use crate::words::{self, Form};
use crate::{Mode, plan as merging};

/// Images under which a stratum or domain is described and not judged.
pub const FEWEST_FOR_A_CLAIM: usize = 20;

/// How far under a claim the score may be before the finding warns and before it fails (a share of the claim's own unit;
/// for losses the excess relative to the claim).
pub const MARGIN: Threshold = Threshold {
    warn: 0.02,
    fail: 0.05,
};
const MARGIN_OF_LOSSES: Threshold = Threshold {
    warn: 0.10,
    fail: 0.25,
};

/// Most images named in a finding.
const NAMED: usize = 10;

pub(crate) const MODE: Mode = Mode {
    name: "performance",
    question: "How well does the model do on these images, and does the claim hold?",
    primaries: &["performance.<claimed metric>"],
    plan,
    judge,
};

/// The images themselves.
pub fn plan(_: &Context) -> Vec<Request> {
    vec![merging::identity("performance")]
}

/// The metric whose finding may fail: the claimed one (the first in the order of the task's metrics), else the task's
/// primary one.
pub fn primary_metric(context: &Context) -> &'static Metric {
    metric::metrics(context.task)
        .iter()
        .find(|m| context.claims.contains_key(m.name))
        .unwrap_or_else(|| metric::primary(context.task))
}

/// Thresholds of a claim.
pub fn threshold_of_claim(metric: &Metric, claim: f64) -> Threshold {
    if metric.better == Better::Lower {
        Threshold {
            warn: claim * (1.0 + MARGIN_OF_LOSSES.warn),
            fail: claim * (1.0 + MARGIN_OF_LOSSES.fail),
        }
    } else {
        Threshold {
            warn: claim - MARGIN.warn,
            fail: claim - MARGIN.fail,
        }
    }
}

/// Shares are written as percentages.
pub(crate) fn form(metric: &Metric) -> Form {
    match metric.name {
        "accuracy" | "balanced_accuracy" => Form::Percent,
        _ => Form::Plain,
    }
}

fn unit(metric: &Metric) -> String {
    match (metric.unit, form(metric)) {
        ("", Form::Percent) => "fraction".to_owned(),
        (unit, _) => unit.to_owned(),
    }
}

/// A metric over some rows, with its interval. `None` where no row has what it needs.
pub(crate) fn estimate(
    study: &Study<'_>,
    metric: &Metric,
    rows: &[usize],
    settings: Settings,
) -> Result<Option<Estimate>> {
    let settings = settings.range(metric.range.0, metric.range.1);
    let data = study.metric_rows(rows)?;
    if data.len() != rows.len() {
        return Ok(None);
    }
    if metric.is_mean() {
        let present: Vec<usize> = (0..data.len())
            .filter(|&i| metric.per_image(&data, i).is_some())
            .collect();
        if present.is_empty() {
            return Ok(None);
        }
        let values: Vec<f64> = present
            .iter()
            .filter_map(|&i| metric.per_image(&data, i))
            .collect();
        let units = study.units(&present.iter().map(|&i| rows[i]).collect::<Vec<_>>())?;
        let shares = metric.name == "accuracy" && values.iter().all(|&v| v == 0.0 || v == 1.0);
        return if shares {
            let hits: Vec<bool> = values.iter().map(|&v| v == 1.0).collect();
            rate(&hits, &units, &settings).map(Some)
        } else {
            mean(&values, &units, &settings).map(Some)
        };
    }
    if rows.is_empty() || metric.evaluate_all(&data).is_none_or(|v| !v.is_finite()) {
        return Ok(None);
    }
    let mut settings = settings;
    if let Some(units) = rarest(study, rows) {
        settings = settings.extreme_units(units as f64);
    }
    // The time of a resample grows with rows × classes for AUROC; at such sizes fewer resamples place the bounds as well.
    let work = rows.len() * data.n_classes().max(1);
    settings.resamples = settings.resamples.min((20_000_000 / work.max(1)).max(400));
    let units = study.units(rows)?;
    statistic_of_rows(&units, &settings, &mut |indices| {
        metric.evaluate(&data, indices).filter(|v| v.is_finite())
    })
    .map(Some)
}

/// Groups that hold images of the rarest true class; `None` where there are no classes.
fn rarest(study: &Study<'_>, rows: &[usize]) -> Option<usize> {
    let mut groups: BTreeMap<u32, std::collections::BTreeSet<usize>> = BTreeMap::new();
    for &i in rows {
        if let Some(class) = study.rows[i].truth_class {
            groups.entry(class).or_default().insert(study.rows[i].group);
        }
    }
    groups.values().map(std::collections::BTreeSet::len).min()
}

/// `the model is right on 41% (…)`, or `accuracy is 0.41 (…)`.
fn says(metric: &Metric, e: &Estimate) -> String {
    if metric.name == "accuracy" {
        format!("the model is right on {}", Form::Percent.estimate(e))
    } else {
        format!("the {} is {}", metric.title, form(metric).estimate(e))
    }
}

/// The query whose answer is the finding's estimate, or the rows that it is made from.
fn evidence(study: &Study<'_>, metric: &Metric, condition: &str) -> Evidence {
    let what = match metric.name {
        "accuracy" => "avg(m.score_correct)".to_owned(),
        "count_mae" => "avg(abs(m.score_count_error))".to_owned(),
        name if metric.is_mean() && study.context.score_columns.iter().any(|c| c.name == name) => {
            format!("avg(m.score_{name})")
        }
        _ => "i.truth_class, m.pred_class, m.*".to_owned(),
    };
    Query::images(study, what).rows(condition).into()
}

/// Images of some rows with the lowest score, worst first; only such as are not perfect. Equals in the order of rows.
pub(crate) fn worst(study: &Study<'_>, rows: &[usize], most: usize) -> Vec<String> {
    let mut scored: Vec<(f64, f64, usize)> = rows
        .iter()
        .filter_map(|&i| {
            let row = &study.rows[i];
            let confidence = row.seen.as_ref().and_then(|s| s.confidence).unwrap_or(0.0);
            row.score.filter(|&s| s < 1.0).map(|s| (s, -confidence, i))
        })
        .collect();
    scored.sort_by(|a, b| {
        a.0.total_cmp(&b.0)
            .then(a.1.total_cmp(&b.1))
            .then(a.2.cmp(&b.2))
    });
    scored
        .iter()
        .take(most)
        .map(|&(_, _, i)| study.image(i))
        .collect()
}

/// What the model scores on these images.
///
/// # Errors
/// When a measurement does not have the scores of the plan.
pub fn judge(study: &Study<'_>) -> Result<Opinion> {
    let mut opinion = Opinion::default();
    let context = study.context;
    let primary = primary_metric(context);
    let id = format!("performance.{}", primary.name);
    let target = study.scored(Role::Target);
    let counts = study.counts(Role::Target);
    not_measured(study, &mut opinion);
    outside_classes(study, &mut opinion);
    if target.is_empty() {
        let (claim, missing) = if counts.rows == 0 {
            (
                "There is no target image to score.".to_owned(),
                "target images: rows given by --data".to_owned(),
            )
        } else if counts.without_truth > 0 || !context.has_truth {
            (
                format!("None of the {} could be scored: they have no truth.", words::images(counts.rows as usize)),
                "truth for some target images: a column of classes or of label images, named by --truth".to_owned(),
            )
        } else {
            (
                format!(
                    "None of the {} could be scored: {} failed, {} skipped, {} of classes that the model does not have.",
                    words::images(counts.rows as usize),
                    counts.failed,
                    counts.skipped,
                    counts.outside
                ),
                "target images that can be read and whose truth is in the model's terms (see --class-map)".to_owned(),
            )
        };
        let mut finding = not_assessable(id, claim, missing);
        finding.primary = true;
        opinion.drafts.push(finding.into());
        return Ok(opinion);
    }
    let reference = study.scored(Role::Reference);
    metrics_of_side(study, &target, &reference, primary, &mut opinion)?;
    parts(study, &target, &reference, primary, &mut opinion)?;
    if !context.classes.is_empty() && context.task == transect_core::Task::Classification {
        by_class(study, &target, &mut opinion)?;
    }
    for (name, claim) in &context.claims {
        if metric::metric(context.task, name).is_none() {
            let known: Vec<String> = metric::metrics(context.task)
                .iter()
                .map(|m| m.name.to_owned())
                .collect();
            opinion.drafts.push(
                not_assessable(
                    format!("performance.{name}"),
                    format!("The claim {name} = {} cannot be held against anything: this task has no such metric.", words::number(*claim)),
                    format!("a claim on one of {}", words::list(&known)),
                )
                .into(),
            );
        }
    }
    Ok(opinion)
}

/// Every metric on the target and on the reference.
fn metrics_of_side(
    study: &Study<'_>,
    target: &[usize],
    reference: &[usize],
    primary: &Metric,
    opinion: &mut Opinion,
) -> Result<()> {
    let context = study.context;
    let mut overview: Vec<Line> = Vec::new();
    for metric in metric::metrics(context.task) {
        // The Brier score belongs to `calibration`, which gives it the same value.
        if metric.name == "brier" {
            continue;
        }
        let id = format!("performance.{}", metric.name);
        let claim = context.claims.get(metric.name).copied();
        let is_primary = metric.name == primary.name;
        let mut settings = study.settings(&id);
        if claim.is_some() {
            settings = settings.tails();
        }
        let Some(e) = estimate(study, metric, target, settings)? else {
            let mut finding = not_assessable(
                id,
                format!(
                    "{} has no value on the target images.",
                    capital(metric.title)
                ),
                if matches!(metric.name, "auroc" | "log_loss") {
                    "class probabilities for each image, and images of at least two classes"
                } else {
                    "images on which the metric is defined"
                },
            );
            finding.primary = is_primary;
            opinion.drafts.push(finding.into());
            continue;
        };
        let reference_id = format!("performance.{}[role=reference]", metric.name);
        let on_reference = if reference.is_empty() {
            None
        } else {
            estimate(study, metric, reference, study.settings(&reference_id))?
        };
        let place = place_words(study, target);
        let mut text = format!(
            "On {}{} {}",
            words::counted(e.n, "image", "images"),
            place,
            says(metric, &e)
        );
        if let Some(r) = &on_reference {
            text = format!("{text}; on the reference {}", form(metric).short(r));
        }
        if let Some(claim) = claim {
            text = format!("{text}; claimed is {}", form(metric).one(claim));
        }
        text.push('.');
        let mut finding = Finding::new(id);
        finding.claim = text;
        finding.unit = unit(metric);
        finding.better = metric.better;
        finding.evidence = evidence(study, metric, TARGET);
        finding.caveats.push(metric.definition.to_owned());
        if is_primary {
            finding.images = worst(study, target, NAMED);
            finding.remedy = Some(
                "Look at the worst images in the gallery, and at `shift` for what makes these images differ from the reference."
                    .to_owned(),
            );
        }
        if metric.range == (0.0, 1.0) && metric.better == Better::Higher {
            overview.push(line(metric.title, &e));
            if let Some(r) = &on_reference {
                overview.push(line(format!("{}, reference", metric.title), r));
            }
        }
        if let Some(claim) = claim {
            let threshold = threshold_of_claim(metric, claim);
            finding.caveats.push(format!(
                "held against the claim {}: warns {} and fails {}",
                form(metric).one(claim),
                beyond(metric, threshold.warn),
                beyond(metric, threshold.fail)
            ));
            let draft = judged(finding, e, threshold, metric.better, is_primary, study);
            opinion.drafts.push(draft);
        } else {
            let mut finding = with_estimate(finding, &e, study);
            if is_primary {
                finding.caveats.push(
                    "no claim was given to hold it against (--claim), so it is described"
                        .to_owned(),
                );
            }
            opinion.drafts.push(finding.into());
        }
        if let Some(r) = on_reference {
            let mut finding = Finding::new(reference_id);
            finding.claim = format!(
                "On {} of the reference {}.",
                words::counted(r.n, "image", "images"),
                says(metric, &r)
            );
            finding.unit = unit(metric);
            finding.better = metric.better;
            finding.evidence = evidence(study, metric, evidence::side(Role::Reference));
            if is_primary {
                finding.images = worst(study, reference, NAMED);
            }
            opinion
                .drafts
                .push(with_estimate(finding, &r, study).into());
        }
    }
    if !overview.is_empty() {
        opinion.figures.push(Figure {
            id: "performance.metrics".to_owned(),
            mode: "performance".to_owned(),
            title: "The metrics of the task".to_owned(),
            caption:
                "Each value with its 95% interval. All are between 0 and 1, and more is better."
                    .to_owned(),
            drawing: Drawing::Forest {
                x: "value".to_owned(),
                rows: overview,
                marks: Vec::new(),
            },
        });
    }
    Ok(())
}

/// ` of domain D2`, ` of domains A and B`, ` of 7 domains`; nothing where the run has one domain only.
fn place_words(study: &Study<'_>, rows: &[usize]) -> String {
    if study.domains.len() < 2 {
        return String::new();
    }
    let present: std::collections::BTreeSet<usize> =
        rows.iter().filter_map(|&i| study.rows[i].domain).collect();
    match (present.len(), study.domain_words(rows)) {
        (1, Some(name)) => format!(" of domain {name}"),
        (2..=4, Some(names)) => format!(" of domains {names}"),
        (_, Some(words)) => format!(" of {words}"),
        (_, None) => String::new(),
    }
}

fn beyond(metric: &Metric, tau: f64) -> String {
    let side = if metric.better == Better::Lower {
        "above"
    } else {
        "under"
    };
    format!("{side} {}", form(metric).one(tau))
}

pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// A way to part the images: column, the name that the user gave it, names of the parts, the part of a row.
type Sort<'a> = (
    &'a str,
    Option<&'a String>,
    &'a [String],
    &'a dyn Fn(usize) -> Option<usize>,
);

/// The primary metric by domain and by stratum.
fn parts(
    study: &Study<'_>,
    target: &[usize],
    reference: &[usize],
    primary: &Metric,
    opinion: &mut Opinion,
) -> Result<()> {
    let context = study.context;
    let claim = context.claims.get(primary.name).copied();
    let by_domain = |i: usize| study.rows[i].domain;
    let by_stratum = |i: usize| (!study.strata.is_empty()).then(|| study.rows[i].stratum);
    let sorts: [Sort<'_>; 2] = [
        (
            "domain",
            context.domain.as_ref(),
            &study.domains,
            &by_domain,
        ),
        (
            "stratum",
            context.stratum.as_ref(),
            &study.strata,
            &by_stratum,
        ),
    ];
    for (key, named, names, part_of) in sorts {
        let mut parts_of_target: Vec<Option<usize>> = target.iter().map(|&i| part_of(i)).collect();
        parts_of_target.sort_unstable();
        parts_of_target.dedup();
        if names.is_empty() {
            continue;
        }
        let heading = named.cloned().unwrap_or_else(|| key.to_owned());
        let mut lines = Vec::new();
        let mut drafts: Vec<Draft> = Vec::new();
        for (role, rows) in [(Role::Target, target), (Role::Reference, reference)] {
            for (part, name) in names.iter().enumerate() {
                let members: Vec<usize> = rows
                    .iter()
                    .copied()
                    .filter(|&i| part_of(i) == Some(part))
                    .collect();
                if members.is_empty() {
                    continue;
                }
                let suffix = if role == Role::Reference {
                    ",role=reference"
                } else {
                    ""
                };
                let id = format!("performance.{}[{key}={name}{suffix}]", primary.name);
                let Some(e) = estimate(study, primary, &members, study.settings(&id))? else {
                    continue;
                };
                let side = if role == Role::Reference {
                    ", reference"
                } else {
                    ""
                };
                let few = members.len() < FEWEST_FOR_A_CLAIM;
                let note = match (few, e.enough) {
                    (true, _) => format!("under {FEWEST_FOR_A_CLAIM} images: described"),
                    (false, false) => "these groups only".to_owned(),
                    (false, true) => String::new(),
                };
                lines.push(Line {
                    note,
                    ..line(format!("{heading} {name}{side}"), &e)
                });
                // A finding of the only part would say what that of all images says.
                if role == Role::Reference || parts_of_target.len() < 2 {
                    continue;
                }
                let mut finding = Finding::new(id);
                finding.claim = format!(
                    "On {} of {heading} {name} {}.",
                    words::counted(e.n, "image", "images"),
                    says(primary, &e)
                );
                finding.unit = unit(primary);
                finding.better = primary.better;
                finding.images = worst(study, &members, 5);
                let condition = format!("{TARGET} AND i.{key} = {}", words::quoted(name));
                finding.evidence = evidence(study, primary, &condition);
                drafts.push(match claim {
                    Some(claim) if !few => {
                        finding.caveats.push(format!(
                            "not corrected for the number of {heading} parts that are looked at"
                        ));
                        judged(
                            finding,
                            e,
                            threshold_of_claim(primary, claim),
                            primary.better,
                            false,
                            study,
                        )
                    }
                    _ => {
                        if few {
                            finding.caveats.push(format!(
                                "fewer than {FEWEST_FOR_A_CLAIM} images: described, not judged"
                            ));
                        }
                        with_estimate(finding, &e, study).into()
                    }
                });
            }
        }
        opinion.drafts.append(&mut drafts);
        if lines.is_empty() {
            continue;
        }
        let mut marks = Vec::new();
        if let Some(claim) = claim {
            marks.push((claim, "claim".to_owned()));
        }
        let data = study.metric_rows(target)?;
        if let Some(chance) = primary.chance(&data, &(0..data.len()).collect::<Vec<_>>()) {
            marks.push((chance, "chance".to_owned()));
        }
        opinion.figures.push(Figure {
            id: format!("performance.{key}"),
            mode: "performance".to_owned(),
            title: format!("{} by {heading}", capital(primary.title)),
            caption: format!(
                "Each value with its 95% interval and number of images. Parts with fewer than {FEWEST_FOR_A_CLAIM} images are described only."
            ),
            drawing: Drawing::Forest { x: primary.title.to_owned(), rows: lines, marks },
        });
    }
    Ok(())
}

/// Recall of each class and the confusion of classes.
fn by_class(study: &Study<'_>, target: &[usize], opinion: &mut Opinion) -> Result<()> {
    let classes = &study.context.classes;
    let mut lines = Vec::new();
    for (class, name) in classes.iter().enumerate() {
        let members: Vec<usize> = target
            .iter()
            .copied()
            .filter(|&i| study.rows[i].truth_class == Some(class as u32))
            .collect();
        if members.is_empty() {
            continue;
        }
        let hits: Vec<bool> = members
            .iter()
            .map(|&i| study.rows[i].score == Some(1.0))
            .collect();
        let id = format!("performance.recall[class={name}]");
        let e = rate(
            &hits,
            &study.units(&members)?,
            &study.settings(&id).range(0.0, 1.0),
        )?;
        lines.push(Line {
            note: if e.enough {
                String::new()
            } else {
                "these groups only".to_owned()
            },
            ..line(name, &e)
        });
        let mut mistaken: BTreeMap<u32, usize> = BTreeMap::new();
        for &i in &members {
            if let Some(pred) = study.rows[i].seen.as_ref().and_then(|s| s.pred_class)
                && pred != class as u32
            {
                *mistaken.entry(pred).or_default() += 1;
            }
        }
        let usual = mistaken
            .iter()
            .max_by_key(|&(&c, &n)| (n, std::cmp::Reverse(c)));
        let mut finding = Finding::new(id);
        finding.claim = format!(
            "Of {} of class {name} the model gets {} right{}.",
            words::counted(e.n, "target image", "target images"),
            Form::Percent.estimate(&e),
            usual
                .and_then(|(&c, &n)| classes
                    .get(c as usize)
                    .map(|other| format!("; {n} taken for {other}")))
                .unwrap_or_default()
        );
        finding.unit = String::from("fraction");
        finding.better = Better::Higher;
        finding.images = worst(study, &members, 5);
        finding.evidence = Query::images(study, "avg(m.score_correct)")
            .rows(format!("{TARGET} AND i.truth_class = {class}"))
            .into();
        opinion
            .drafts
            .push(with_estimate(finding, &e, study).into());
    }
    if lines.len() > 1 {
        opinion.figures.push(Figure {
            id: "performance.recall".to_owned(),
            mode: "performance".to_owned(),
            title: "Which classes are found".to_owned(),
            caption: "Share of each class's target images that the model gets right (recall), with 95% intervals.".to_owned(),
            drawing: Drawing::Forest { x: "recall".to_owned(), rows: lines, marks: Vec::new() },
        });
    }
    if (2..=30).contains(&classes.len()) {
        let data = study.metric_rows(target)?;
        let counts = metric::confusion(&data, &(0..data.len()).collect::<Vec<_>>());
        opinion.figures.push(Figure {
            id: "performance.confusion".to_owned(),
            mode: "performance".to_owned(),
            title: "What is taken for what".to_owned(),
            caption: "Target images by true class (rows) and predicted class (columns).".to_owned(),
            drawing: Drawing::Confusion {
                classes: classes.clone(),
                counts,
            },
        });
    }
    Ok(())
}

/// Rows that failed or were skipped, with the codes that say why.
fn not_measured(study: &Study<'_>, opinion: &mut Opinion) {
    let mut codes: BTreeMap<String, u64> = BTreeMap::new();
    let mut images = Vec::new();
    let (mut all, mut lost) = (0_u64, 0_u64);
    for (i, row) in study.rows.iter().enumerate() {
        all += 1;
        let status = row.seen.as_ref().map(|s| s.status);
        if status == Some(Status::Ok) || row.truth == Truth::Outside {
            continue;
        }
        lost += 1;
        let item = &study.tables.items()[i];
        let code = row
            .seen
            .as_ref()
            .and_then(|s| s.error_code.clone())
            .or_else(|| item.error_code.clone());
        *codes
            .entry(code.unwrap_or_else(|| "no code".to_owned()))
            .or_default() += 1;
        if images.len() < NAMED {
            images.push(study.image(i));
        }
    }
    if lost == 0 {
        return;
    }
    let why: Vec<String> = codes
        .iter()
        .map(|(code, n)| format!("{n} with {code}"))
        .collect();
    let mut finding = Finding::new("performance.not_measured");
    finding.claim = format!(
        "{lost} of {all} images could not be measured: {}.",
        words::list(&why)
    );
    finding.estimate = Some(lost as f64 / all as f64);
    finding.unit = String::from("fraction");
    finding.better = Better::Lower;
    finding.n = all;
    finding.images = images;
    finding
        .caveats
        .push("what is said of the others need not hold for these".to_owned());
    finding.evidence = evidence::not_measured(study);
    opinion.drafts.push(finding.into());
}

/// Rows whose truth is a class that the model does not have.
fn outside_classes(study: &Study<'_>, opinion: &mut Opinion) {
    let mut classes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut images = Vec::new();
    let (mut all, mut outside) = (0_u64, 0_u64);
    for (i, row) in study.rows.iter().enumerate() {
        if row.truth == Truth::None {
            continue;
        }
        all += 1;
        if row.truth != Truth::Outside {
            continue;
        }
        outside += 1;
        if let transect_core::TruthRef::Class(name) = &study.tables.items()[i].item.truth {
            *classes.entry(name).or_default() += 1;
        }
        if images.len() < NAMED {
            images.push(study.image(i));
        }
    }
    if outside == 0 {
        return;
    }
    let names: Vec<String> = classes
        .iter()
        .map(|(name, n)| format!("{name} ({n})"))
        .collect();
    let mut finding = Finding::new("performance.outside_classes");
    finding.claim = format!(
        "{outside} of {all} images with truth are of classes that the model does not have: {}. The model gets each of them wrong; they are counted apart and not in the metrics.",
        words::list(&names)
    );
    finding.estimate = Some(outside as f64 / all as f64);
    finding.unit = String::from("fraction");
    finding.better = Better::Lower;
    finding.n = all;
    finding.images = images;
    finding.remedy = Some("Map names with --class-map, or leave these rows out with --where; a model cannot name what it has no class for.".to_owned());
    finding.evidence.sql = Some(
        "SELECT i.truth, count(*) FROM 'items.parquet' i WHERE i.truth_kind = 'class' AND i.truth_class IS NULL GROUP BY i.truth".to_owned(),
    );
    opinion.drafts.push(finding.into());
}
