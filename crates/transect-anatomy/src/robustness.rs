//! Robustness: how far each physical corruption bends the score.
//!
//! The tolerance is the value at which the score above chance has lost 10% of itself. It is judged only against variation
//! that is seen in the reference and target images, where an attribute of theirs can be translated to the corruption's
//! axis; otherwise it is described. Primary: `robustness.defocus.tolerance` (in pixels) and
//! `robustness.read_noise.tolerance`; they fail when the score loses more than 10% at the variation seen.

use std::collections::BTreeMap;

use transect_core::context::{Ladder, PlanLevel};
use transect_core::figure::{Drawing, Point, Series};
use transect_core::finding::Evidence;
use transect_core::{
    Better, Context, Figure, Finding, Request, Result, Role, Selection, Severity, Stage, Status,
    Threshold, Verdict, View, ViewKind,
};
use transect_score::metric;
use transect_stats::{Tolerance, mean, quantiles, tolerance_of_means};
use transect_table::Filter;

use crate::evidence::{Query, side};
use crate::opinion::{Draft, Ground, Opinion, not_assessable};
use crate::performance::{self, capital};
use crate::study::{Study, score_of};
use crate::words;
use crate::{Mode, plan as merging};

/// Relative loss of (score − chance) that defines the tolerance.
pub const LOSS: f64 = 0.10;
/// Fewest images with a whole curve.
pub const FEWEST: usize = 10;
/// Corruptions whose tolerance may fail, where it can be judged at all.
const PRIMARY: [&str; 2] = ["defocus", "read_noise"];

pub(crate) const MODE: Mode = Mode {
    name: "robustness",
    question: "How far does each physical corruption bend it?",
    primaries: &[
        "robustness.defocus.tolerance",
        "robustness.read_noise.tolerance",
    ],
    plan,
    judge,
};

/// Severities by how much is measured.
pub fn severities(context: &Context) -> &'static [u8] {
    if context.plan == PlanLevel::Quick {
        &[1, 3, 5]
    } else {
        &[1, 2, 3, 4, 5]
    }
}

/// Target images, and reference images where there are any, under every corruption that applies, at three or five severities;
/// in a full plan random ones three times. What the reference stands is what the model stood where it was claimed to work.
pub fn plan(context: &Context) -> Vec<Request> {
    let mut requests = vec![merging::identity("robustness")];
    if context.predictions_only || !context.has_truth {
        return requests;
    }
    let mut views = Vec::new();
    for ladder in &context.ladders {
        let repeats = if ladder.random {
            merging::replicates(context)
        } else {
            1
        };
        for &level in severities(context) {
            let (Some(severity), Some(&value)) = (
                Severity::new(level),
                ladder.values.get(usize::from(level) - 1),
            ) else {
                continue;
            };
            for replicate in 0..repeats {
                views.push(View {
                    replicate,
                    ..View::corruption(
                        &ladder.name,
                        severity,
                        &ladder.parameter,
                        value,
                        &ladder.unit,
                    )
                });
            }
        }
    }
    let rows = if context.has_reference {
        Selection::All
    } else {
        Selection::Role(Role::Target)
    };
    requests.push(Request::new("robustness", Stage::Own, rows, views));
    requests
}

/// Variation seen in reference and target, on the axis of a corruption.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The value of the corruption that takes the median image to the far end of what is seen.
    pub value: f64,
    /// How it was found, in words.
    pub words: String,
}

/// Translates the spread of an attribute, from its median to its 95th (5th) percentile over reference and target images, to
/// the axis of a corruption. `None` where there is no such attribute, it does not vary, or fewer than 20 images have it.
///
/// - defocus in pixels: σ = √(q95² − q50²) of the estimated blur;
/// - read noise in electrons, of 1000 at the brightest: 1000·√(q95² − q50²) of noise / 99th percentile of intensity;
/// - magnification: q50/q95 of the pixel size;
/// - gain: q05/q50 of the 99th percentile of intensity.
pub fn variation_seen(study: &Study<'_>, ladder: &Ladder) -> Option<Seen> {
    let items = study.tables.items();
    let gather = |f: &dyn Fn(&transect_core::ItemRecord) -> Option<f64>| -> Option<[f64; 3]> {
        let values: Vec<f64> = items
            .iter()
            .filter(|i| i.status == Status::Ok)
            .filter_map(f)
            .filter(|v| v.is_finite())
            .collect();
        if values.len() < 20 {
            return None;
        }
        let q = quantiles(&values, &[0.05, 0.5, 0.95]).ok()?;
        Some([q[0], q[1], q[2]])
    };
    let added = |[_, q50, q95]: [f64; 3]| (q95 * q95 - q50 * q50).max(0.0).sqrt();
    let seen = match (ladder.name.as_str(), ladder.unit.as_str()) {
        ("defocus", "px") => Seen {
            value: added(gather(&|i| i.attribute("psf_sigma_px"))?),
            words: "estimated blur, from its median to its 95th percentile".to_owned(),
        },
        ("read_noise", "electrons") => Seen {
            value: 1000.0
                * added(gather(&|i| {
                    let bright = i.attribute("intensity_q99").filter(|&b| b > 0.0)?;
                    i.attribute("noise_sd").map(|noise| noise / bright)
                })?),
            words: "noise over the 99th percentile of intensity, from its median to its 95th percentile".to_owned(),
        },
        ("magnification", _) => {
            let [_, q50, q95] = gather(&|i| i.attribute("pixel_size_um").filter(|&p| p > 0.0))?;
            Seen { value: q50 / q95, words: "pixel size, from its median to its 95th percentile".to_owned() }
        }
        ("gain", _) => {
            let [q05, q50, _] = gather(&|i| i.attribute("intensity_q99").filter(|&b| b > 0.0))?;
            Seen {
                value: q05 / q50,
                words: "99th percentile of intensity, from its median down to its 5th percentile".to_owned(),
            }
        }
        _ => return None,
    };
    let away = (seen.value - ladder.identity).abs();
    (seen.value.is_finite() && away > 1e-6).then_some(seen)
}

/// Whether a value is farther from the identity than another, on a ladder.
fn farther(ladder: &Ladder, a: f64, b: f64) -> bool {
    if ladder.identity.is_infinite() {
        a < b
    } else {
        (a - ladder.identity).abs() > (b - ladder.identity).abs()
    }
}

/// Rows with a score at every severity that was measured.
struct Curves {
    levels: Vec<usize>,
    rows: Vec<usize>,
    /// By severity, 0 first.
    scores: Vec<Vec<f64>>,
    left_out: usize,
}

fn scan(study: &Study<'_>, ladder: &Ladder, role: Role) -> Result<Option<Curves>> {
    let filter = Filter {
        model: study.model.clone(),
        kind: Some(ViewKind::Corruption),
        name: Some(ladder.name.clone()),
    };
    let mut sums: BTreeMap<usize, [(f64, u32); 5]> = BTreeMap::new();
    let mut measured = [false; 5];
    study.tables.scan(&filter, &mut |m| {
        let row = m.row as usize;
        let level = usize::from(m.view.severity.get());
        let Some(known) = study.rows.get(row) else {
            return Ok(());
        };
        if level == 0 || known.role != role || known.score.is_none() {
            return Ok(());
        }
        measured[level - 1] = true;
        let entry = sums.entry(row).or_insert([(0.0, 0); 5]);
        if m.status == Status::Ok
            && let Some(score) = score_of(study.score_column, &m.scores)
        {
            entry[level - 1].0 += score;
            entry[level - 1].1 += 1;
        }
        Ok(())
    })?;
    let levels: Vec<usize> = (1..=5).filter(|&l| measured[l - 1]).collect();
    if levels.is_empty() {
        return Ok(None);
    }
    let mut curves = Curves {
        scores: vec![Vec::new(); levels.len() + 1],
        levels,
        rows: Vec::new(),
        left_out: 0,
    };
    for (row, sums) in sums {
        let whole: Option<Vec<f64>> = curves
            .levels
            .iter()
            .map(|&l| (sums[l - 1].1 > 0).then(|| sums[l - 1].0 / f64::from(sums[l - 1].1)))
            .collect();
        let (Some(whole), Some(clean)) = (whole, study.rows[row].score) else {
            curves.left_out += 1;
            continue;
        };
        curves.rows.push(row);
        curves.scores[0].push(clean);
        for (column, score) in curves.scores[1..].iter_mut().zip(whole) {
            column.push(score);
        }
    }
    Ok(Some(curves))
}

/// How far the score bends.
///
/// # Errors
/// When a table cannot be read.
pub fn judge(study: &Study<'_>) -> Result<Opinion> {
    let mut opinion = Opinion::default();
    let context = study.context;
    let scored = study.scored(Role::Target);
    let refuse = if context.predictions_only {
        Some((
            "How far corruptions bend the score was not assessed: predictions were given, so changed images could not be shown to the model.",
            "the model (--model)",
        ))
    } else if scored.is_empty() {
        Some((
            "How far corruptions bend the score was not assessed: no target image has a score.",
            "truth for some target images",
        ))
    } else if context.ladders.is_empty() {
        Some((
            "How far corruptions bend the score was not assessed: no corruption applies to these images.",
            "the modality (--modality)",
        ))
    } else {
        None
    };
    if let Some((claim, missing)) = refuse {
        opinion
            .drafts
            .push(not_assessable("robustness.tolerance", claim, missing).into());
        return Ok(opinion);
    }
    let mut roles = Vec::new();
    for role in [Role::Target, Role::Reference] {
        let scored = study.scored(role);
        if scored.is_empty() {
            continue;
        }
        if let Some(finding) = not_above_chance(study, &scored, role)? {
            opinion.drafts.push(finding.into());
        } else {
            roles.push(role);
        }
    }
    for ladder in &context.ladders {
        let mut sides = Vec::new();
        for &role in &roles {
            sides.extend(one(study, ladder, role, &mut opinion)?);
        }
        figure(ladder, &sides, &mut opinion);
    }
    Ok(opinion)
}

/// What an id says of the side.
fn of_role(id: String, role: Role) -> String {
    match role {
        Role::Target => id,
        Role::Reference => format!("{id}[role=reference]"),
    }
}

/// `12 images`, or `12 images of the reference`.
fn images_of(n: usize, role: Role) -> String {
    match role {
        Role::Target => words::images(n),
        Role::Reference => format!("{} of the reference", words::images(n)),
    }
}

/// One finding for all corruptions, where the images as they are show no score above chance that could be lost.
fn not_above_chance(study: &Study<'_>, scored: &[usize], role: Role) -> Result<Option<Finding>> {
    let metric = metric::primary(study.context.task);
    let id = of_role("robustness.tolerance".to_owned(), role);
    let Some(e) = performance::estimate(study, metric, scored, study.settings(&id))? else {
        return Ok(None);
    };
    let data = study.metric_rows(scored)?;
    let all: Vec<usize> = (0..data.len()).collect();
    let chance = metric.chance(&data, &all).unwrap_or(0.0);
    if e.low > chance || scored.len() < FEWEST {
        return Ok(None);
    }
    let form = performance::form(metric);
    Ok(Some(not_assessable(
        id,
        format!(
            "How far corruptions bend the score cannot be told: on the {} as they are the {} is {}, not shown to be above chance, {}.",
            images_of(scored.len(), role),
            metric.title,
            form.estimate(&e),
            form.one(chance)
        ),
        "images on which the model does better than the best constant answer",
    )))
}

fn value_words(ladder: &Ladder, value: f64) -> String {
    match ladder.unit.as_str() {
        "" => words::number(value),
        "factor" => format!("a factor of {}", words::number(value)),
        "fraction" => words::percent(value),
        unit => format!("{} {unit}", words::number(value)),
    }
}

/// The curve of one side, for the figure.
struct Side {
    role: Role,
    curves: Curves,
    values: Vec<f64>,
    chance: f64,
    found: Tolerance,
    seen: Option<Seen>,
    metric: &'static metric::Metric,
}

fn one(
    study: &Study<'_>,
    ladder: &Ladder,
    role: Role,
    opinion: &mut Opinion,
) -> Result<Option<Side>> {
    let id = of_role(format!("robustness.{}.tolerance", ladder.name), role);
    let Some(curves) = scan(study, ladder, role)? else {
        if role == Role::Reference {
            return Ok(None);
        }
        opinion.drafts.push(
            not_assessable(
                id,
                format!(
                    "How much {} the model stands was not assessed: no such view was measured.",
                    ladder.words
                ),
                "the views of stage 1",
            )
            .into(),
        );
        return Ok(None);
    };
    if curves.rows.len() < FEWEST {
        opinion.drafts.push(
            not_assessable(
                id,
                format!(
                    "How much {} the model stands was not assessed: {} with a score at every severity are too few.",
                    ladder.words,
                    images_of(curves.rows.len(), role)
                ),
                format!("at least {FEWEST} images of that side with truth"),
            )
            .into(),
        );
        return Ok(None);
    }
    let metric = metric::primary(study.context.task);
    let form = performance::form(metric);
    let data = study.metric_rows(&curves.rows)?;
    let chance = metric
        .chance(&data, &(0..data.len()).collect::<Vec<_>>())
        .unwrap_or(0.0);
    let values: Vec<f64> = curves
        .levels
        .iter()
        .map(|&l| ladder.values[l - 1])
        .collect();
    let units = study.units(&curves.rows)?;
    let mut settings = study.settings(&id).range(metric.range.0, metric.range.1);
    settings.resamples = settings
        .resamples
        .min((4_000_000 / curves.rows.len()).max(400));
    let found = tolerance_of_means(
        ladder.identity,
        &values,
        chance,
        LOSS,
        &curves.scores,
        &units,
        &settings,
    )?;

    let n = curves.rows.len();
    let mut finding = Finding::new(&id);
    finding.unit.clone_from(&ladder.unit);
    finding.n = n as u64;
    finding.groups = Some(units.effective());
    finding.evidence = evidence(study, ladder, role);
    finding.interval_method = Some(found.method.clone());
    if study.context.group.is_none() {
        finding
            .caveats
            .push("images assumed independent: no group was named".to_owned());
    }
    if !ladder.note.is_empty() {
        finding.caveats.push(ladder.note.clone());
    }
    if curves.left_out > 0 {
        finding.caveats.push(format!(
            "{} without a score at some severity left out",
            words::images(curves.left_out)
        ));
    }
    let largest = *values.last().unwrap_or(&ladder.identity);
    if !found.assessable {
        finding.verdict = Verdict::NotAssessable;
        finding.claim = format!(
            "How much {} the model stands cannot be told: on the images{} as they are its {} is {}, not shown to be above chance ({}).",
            ladder.words,
            if role == Role::Reference {
                " of the reference"
            } else {
                ""
            },
            metric.title,
            form.estimate(&found.scores[0]),
            form.one(chance)
        );
        finding.missing = Some("images on which the model does better than chance".to_owned());
        opinion.drafts.push(finding.into());
        return Ok(Some(Side {
            role,
            curves,
            values,
            chance,
            found,
            seen: None,
            metric,
        }));
    }
    finding.caveats.push(format!(
        "chance is {}, the best constant answer on these images; severity 0 is paired with every other",
        form.one(chance)
    ));
    finding.estimate = found.value;
    finding.interval = match (found.near, found.far) {
        (Some(a), Some(b)) if found.value.is_some() => Some([a.min(b), a.max(b)]),
        _ => None,
    };
    let side = if ladder.identity.is_infinite() || largest < ladder.identity {
        "<"
    } else {
        ">"
    };
    let bound = |b: Option<f64>| {
        b.map_or_else(
            || format!("{side} {}", value_words(ladder, largest)),
            |b| value_words(ladder, b),
        )
    };
    finding.claim = match found.value {
        Some(v) => format!(
            "{} at {}: the {} above chance, {} on the images as they are, has lost {} of itself on {} (95% interval {} to {}).",
            capital(&ladder.words),
            value_words(ladder, v),
            metric.title,
            form.one(found.baseline.estimate),
            words::percent(LOSS),
            images_of(n, role),
            bound(found.near),
            bound(found.far)
        ),
        None => format!(
            "{} up to the strongest tested, {}: the {} above chance, {} on the images as they are, has not lost {} of itself on {} (95% interval of the tolerance {} and on).",
            capital(&ladder.words),
            value_words(ladder, largest),
            metric.title,
            form.one(found.baseline.estimate),
            words::percent(LOSS),
            images_of(n, role),
            bound(found.near)
        ),
    };
    if found.value.is_none() || found.far.is_none() {
        finding.caveats.push(format!(
            "censored: {side} {} is all that is known of what was not reached",
            value_words(ladder, largest)
        ));
    }
    if !found.enough {
        finding
            .caveats
            .push("these groups only: fewer than 6 effective groups".to_owned());
    }
    // A ladder runs away from the identity: more tolerance is farther from it.
    let growing = !ladder.identity.is_infinite() && largest > ladder.identity;
    finding.better = if growing {
        Better::Higher
    } else {
        Better::Lower
    };
    let seen = match role {
        Role::Target => variation_seen(study, ladder),
        Role::Reference => None,
    };
    let draft = match &seen {
        None if role == Role::Reference => {
            finding.caveats.push(
                "described, not judged: what the model stands where it was claimed to work; the verdict is on the target's images"
                    .to_owned(),
            );
            Draft::from(finding)
        }
        None => {
            finding.caveats.push(
                "described, not judged: how much of it these images vary in is not known"
                    .to_owned(),
            );
            Draft::from(finding)
        }
        Some(seen) => against(
            study, ladder, finding, &curves, &values, chance, &found, seen,
        )?,
    };
    opinion.drafts.push(draft);
    Ok(Some(Side {
        role,
        curves,
        values,
        chance,
        found,
        seen,
        metric,
    }))
}

/// The tolerance against the variation seen.
#[expect(clippy::too_many_arguments, reason = "the parts of one judgement")]
fn against(
    study: &Study<'_>,
    ladder: &Ladder,
    mut finding: Finding,
    curves: &Curves,
    values: &[f64],
    chance: f64,
    found: &Tolerance,
    seen: &Seen,
) -> Result<Draft> {
    let largest = *values.last().unwrap_or(&ladder.identity);
    // Beyond the largest tested the loss is at least as large as there.
    let at = if farther(ladder, seen.value, largest) {
        largest
    } else {
        seen.value
    };
    let axis = |x: f64| {
        if ladder.identity.is_infinite() {
            if x.is_infinite() { 0.0 } else { 1.0 / x }
        } else {
            x
        }
    };
    let mut knots = vec![axis(ladder.identity)];
    knots.extend(values.iter().map(|&v| axis(v)));
    let x = axis(at);
    let k = (1..knots.len() - 1)
        .find(|&k| (x - knots[k - 1]) * (x - knots[k]) <= 0.0)
        .unwrap_or(knots.len() - 1);
    let t = ((x - knots[k - 1]) / (knots[k] - knots[k - 1])).clamp(0.0, 1.0);
    // The score above chance at `at` less 90% of itself as it was: below 0 when more than 10% is lost.
    let kept: Vec<f64> = (0..curves.rows.len())
        .map(|i| {
            let there = (1.0 - t) * curves.scores[k - 1][i] + t * curves.scores[k][i];
            (there - chance) - (1.0 - LOSS) * (curves.scores[0][i] - chance)
        })
        .collect();
    let settings = study
        .settings(&format!("{}/seen", finding.id))
        .tails()
        .range(-(1.0 - LOSS) - LOSS * chance, 1.0 - LOSS * chance);
    let e = mean(&kept, &study.units(&curves.rows)?, &settings)?;
    finding.p = Some(e.p_below(0.0));
    finding.primary = PRIMARY.contains(&ladder.name.as_str());
    finding.threshold = Some(Threshold {
        warn: seen.value,
        fail: seen.value,
    });
    finding.caveats.push(format!(
        "judged against the variation seen in reference and target images, {} ({}), taken as exact",
        value_words(ladder, seen.value),
        seen.words
    ));
    let beyond = if finding.better == Better::Higher {
        f64::INFINITY
    } else {
        f64::NEG_INFINITY
    };
    let near = found.near.unwrap_or(beyond);
    let far = found.far.unwrap_or(beyond);
    // Not reached within the test is not enough where more than the test was seen.
    let not_tested = found.near.is_none() && farther(ladder, seen.value, largest);
    if not_tested {
        finding.caveats.push(format!(
            "the strongest tested, {}, is less than what is seen",
            value_words(ladder, largest)
        ));
    }
    finding.remedy = Some(
        "Train with this corruption up to what is seen, or keep images beyond the tolerance out."
            .to_owned(),
    );
    Ok(Draft {
        finding,
        ground: Ground::Bounds {
            low: near.min(far),
            high: near.max(far),
            enough: found.enough && e.enough && !not_tested,
            may_warn: true,
        },
    })
}

fn evidence(study: &Study<'_>, ladder: &Ladder, role: Role) -> Evidence {
    let score = study.score_sql();
    Query::corruption(
        study,
        &ladder.name,
        format!("count({score}) AS n, avg({score}) AS score"),
    )
    .by("m.severity, m.value")
    .rows(side(role))
    .into()
}

/// The curves of both sides in one figure; marks are those of the first side, the target where it has a curve.
fn figure(ladder: &Ladder, sides: &[Side], opinion: &mut Opinion) {
    let Some(first) = sides.first() else {
        return;
    };
    let series = sides
        .iter()
        .map(|side| {
            let mut points: Vec<Point> = side
                .found
                .scores
                .iter()
                .zip(std::iter::once(&ladder.identity).chain(&side.values))
                .filter(|(_, x)| x.is_finite())
                .map(|(e, &x)| Point {
                    x,
                    y: e.estimate,
                    low: words::bound(e.low),
                    high: words::bound(e.high),
                })
                .collect();
            points.sort_by(|a, b| a.x.total_cmp(&b.x));
            Series {
                label: match (sides.len(), side.role) {
                    (1, Role::Target) => ladder.words.clone(),
                    (_, Role::Target) => "target".to_owned(),
                    (_, Role::Reference) => "reference".to_owned(),
                },
                points,
            }
        })
        .collect();
    let mut y_marks = vec![(first.chance, "chance".to_owned())];
    let mut x_marks = Vec::new();
    if first.found.assessable {
        let clean = first.found.scores[0].estimate;
        y_marks.push((
            first.chance + (1.0 - LOSS) * (clean - first.chance),
            "10% lost".to_owned(),
        ));
        if ladder.identity.is_infinite() {
            y_marks.push((clean, "unchanged".to_owned()));
        }
        if let Some(v) = first.found.value {
            x_marks.push((v, "tolerance".to_owned()));
        }
        if let Some(seen) = &first.seen {
            x_marks.push((seen.value, "variation seen".to_owned()));
        }
    }
    let unit = words::unit_in_brackets(&ladder.unit);
    let over = sides
        .iter()
        .map(|side| images_of(side.curves.rows.len(), side.role))
        .collect::<Vec<_>>();
    opinion.figures.push(Figure {
        id: format!("robustness.{}", ladder.name),
        mode: "robustness".to_owned(),
        title: capital(&ladder.words),
        caption: format!(
            "{} on {} over {}, with 95% intervals. {}",
            capital(first.metric.title),
            words::list(&over),
            ladder.parameter,
            capital(&ladder.note)
        ),
        drawing: Drawing::Curve {
            x: format!("{}{unit}", ladder.parameter),
            y: first.metric.title.to_owned(),
            log_x: ladder.identity.is_infinite(),
            series,
            x_marks,
            y_marks,
        },
    });
}
