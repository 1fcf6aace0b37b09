//! Worst case: how little has to change until the prediction breaks?
//!
//! A search shows that a change breaks the prediction; that it found none shows nothing. So every share here is a lower bound of
//! what can be broken, at a stated number of forward passes, and nothing here ever passes. Primary: `adversarial.natural`, the
//! share of images, right at first, whose prediction breaks within two standard deviations of the reference's own variation in
//! gain, offset, focus, noise and colour. Bad is high: it warns above 0.1 and fails above 0.3.

use std::collections::BTreeMap;

use transect_core::context::PlanLevel;
use transect_core::figure::{Drawing, Point, Series};
use transect_core::{
    Better, Context, Figure, Finding, Request, Result, Role, Selection, Stage, Status, Task,
    Threshold, View, ViewKind,
};
use transect_stats::{Estimate, median, p_of_failure, rate};
use transect_table::Filter;

use crate::evidence;
use crate::opinion::{Draft, Ground, Opinion, not_assessable, with_estimate};
use crate::study::Study;
use crate::words::{self, Form};
use crate::{Mode, plan as merging};

/// Share of broken predictions above which the finding warns and fails.
pub const BROKEN: Threshold = Threshold {
    warn: 0.1,
    fail: 0.3,
};
/// Reach of the natural search, in standard deviations of the reference's own variation.
pub const REACH: f64 = 2.0;
/// Forward passes B at which shares are stated; searches go on to 4B.
const QUARTER: u32 = 20;
/// Difference of the shares at B and 4B above which a search has not converged.
const CONVERGED: f64 = 0.02;
/// Share by which a count has to move to count as moved.
const MOVED: f64 = 0.2;
/// Fewest images right at first for anything here.
const FEWEST: usize = 10;

pub(crate) const MODE: Mode = Mode {
    name: "adversarial",
    question: "How little has to change until the prediction breaks?",
    primaries: &["adversarial.natural"],
    plan,
    judge,
};

/// One search: its name, reach and unit, how many images it is run on, and forward passes.
struct Search {
    name: &'static str,
    control: Option<&'static str>,
    words: &'static str,
    reach: f64,
    unit: &'static str,
    budget: u32,
}

/// The searches of a plan.
fn searches(context: &Context) -> Vec<Search> {
    let natural = Search {
        name: "natural",
        control: Some("natural_random"),
        words: "a natural change",
        reach: REACH,
        unit: "sd",
        budget: 4 * QUARTER,
    };
    match context.plan {
        PlanLevel::Quick => Vec::new(),
        PlanLevel::Standard => vec![natural],
        PlanLevel::Full => {
            let mut all = vec![
                natural,
                Search {
                    name: "patch",
                    control: None,
                    words: "one mark",
                    reach: 0.02,
                    unit: "share of the area",
                    budget: 4 * 2 * QUARTER,
                },
            ];
            all.extend([0.01, 0.03].map(|reach| Search {
                name: "linf",
                control: Some("linf_random"),
                words: "a change of every sample",
                reach,
                unit: "of full scale",
                budget: 4 * 5 * QUARTER,
            }));
            all
        }
    }
}

/// Images of the target that are searched.
fn images(context: &Context) -> u32 {
    if context.plan == PlanLevel::Full {
        100
    } else {
        20
    }
}

fn view(name: &str, search: &Search) -> View {
    View {
        budget: search.budget,
        ..View::of(ViewKind::Search, name).with("reach", search.reach, search.unit)
    }
}

/// Searches on some images of the target, and as many draws at random as their controls; nothing in the quick plan.
pub fn plan(context: &Context) -> Vec<Request> {
    if !context.has_truth || context.predictions_only {
        return Vec::new();
    }
    let views: Vec<View> = searches(context)
        .iter()
        .flat_map(|s| {
            std::iter::once(s.name)
                .chain(s.control)
                .map(|name| view(name, s))
                .collect::<Vec<_>>()
        })
        .collect();
    if views.is_empty() {
        return Vec::new();
    }
    let mut requests = vec![merging::identity("adversarial")];
    requests.push(Request::new(
        "adversarial",
        Stage::Partner,
        Selection::Sample(Role::Target, images(context)),
        views,
    ));
    requests
}

/// What a search came to on one image.
#[derive(Debug, Clone, Default)]
struct Outcome {
    /// Forward passes after which the prediction broke first; `None` where it never did.
    broken_at: Option<u32>,
    /// How far the closest change that breaks it went.
    distance: Option<f64>,
    /// Whether the count was ever moved by a fifth.
    count_moved: bool,
}

/// Score, class and number of objects that were said of an image.
type Said = (Option<f64>, Option<u32>, Option<f64>);

/// Outcomes by view and row.
type Outcomes = BTreeMap<String, BTreeMap<u32, Outcome>>;

/// Reads what the searches kept. Only rows whose measurement is whole count.
fn outcomes(study: &Study<'_>) -> Result<Outcomes> {
    let mut all = Outcomes::new();
    let filter = Filter {
        kind: Some(ViewKind::Search),
        model: study.model.clone(),
        ..Filter::default()
    };
    study.tables.scan(&filter, &mut |m| {
        if m.status == Status::Ok {
            all.entry(m.view.id())
                .or_default()
                .insert(m.row, Outcome::default());
        }
        Ok(())
    })?;
    // What the image itself said, at query 0 of each search.
    let mut clean: BTreeMap<(String, u32), Said> = BTreeMap::new();
    let classes = study.context.task == Task::Classification;
    study.tables.scan_traces(&mut |t| {
        let Some(outcome) = all
            .get_mut(&t.view_id)
            .and_then(|rows| rows.get_mut(&t.row))
        else {
            return Ok(());
        };
        let key = (t.view_id.clone(), t.row);
        let Some((score, class, count)) = clean.get(&key) else {
            clean.insert(key, (t.score, t.pred_class, t.pred_count));
            return Ok(());
        };
        let broken = if classes {
            t.pred_class != *class
        } else {
            matches!((t.score, score), (Some(now), Some(first)) if now <= 0.5 * first)
        };
        if broken {
            outcome.broken_at.get_or_insert(t.query);
            let distance = outcome.distance.map_or(t.distance, |d| d.min(t.distance));
            outcome.distance = Some(distance);
        }
        if let (Some(now), Some(first)) = (t.pred_count, *count) {
            outcome.count_moved |= (now - first).abs() >= MOVED * first.max(1.0);
        }
        Ok(())
    })?;
    Ok(all)
}

/// Share of rows where `hit` says so.
fn share(
    study: &Study<'_>,
    rows: &BTreeMap<u32, Outcome>,
    key: &str,
    hit: impl Fn(&Outcome) -> bool,
) -> Result<Estimate> {
    let indices: Vec<usize> = rows.keys().map(|&r| r as usize).collect();
    let hits: Vec<bool> = rows.values().map(hit).collect();
    rate(&hits, &study.units(&indices)?, &study.settings(key))
}

fn within(outcome: &Outcome, budget: u32) -> bool {
    outcome.broken_at.is_some_and(|at| at <= budget)
}

/// How little breaks the prediction.
///
/// # Errors
/// When a table cannot be read.
pub fn judge(study: &Study<'_>) -> Result<Opinion> {
    let mut opinion = Opinion::default();
    let planned = searches(study.context);
    let refuse = |opinion: &mut Opinion, claim: &str, missing: &str| {
        let mut finding = not_assessable("adversarial.natural", claim, missing);
        finding.primary = true;
        opinion.drafts.push(finding.into());
    };
    if study.context.predictions_only || !study.context.has_truth {
        refuse(
            &mut opinion,
            "How little breaks the prediction was not assessed.",
            "a model that can be run (--model) and truth for the target",
        );
        return Ok(opinion);
    }
    if planned.is_empty() {
        refuse(
            &mut opinion,
            "How little breaks the prediction was not assessed: the quick plan makes no searches.",
            "`--plan standard` or `--plan full`",
        );
        return Ok(opinion);
    }
    let all = outcomes(study)?;
    let none = BTreeMap::new();
    for search in &planned {
        let id = if search.name == "linf" {
            format!("adversarial.linf[{}]", search.reach)
        } else {
            format!("adversarial.{}", search.name)
        };
        let rows = all.get(&view(search.name, search).id()).unwrap_or(&none);
        if rows.len() < FEWEST {
            let mut finding = not_assessable(
                &id,
                format!(
                    "How little breaks the prediction was not assessed by {}: only {} of those searched were right at first.",
                    search.words,
                    words::images(rows.len())
                ),
                format!(
                    "at least {FEWEST} target images that the model gets right (classes) or scores at least 0.1"
                ),
            );
            finding.primary = search.name == "natural";
            opinion.drafts.push(finding.into());
            continue;
        }
        let control = search
            .control
            .and_then(|name| all.get(&view(name, search).id()));
        found(study, search, &id, rows, control, &mut opinion)?;
    }
    Ok(opinion)
}

/// The findings and the figure of one search.
fn found(
    study: &Study<'_>,
    search: &Search,
    id: &str,
    rows: &BTreeMap<u32, Outcome>,
    control: Option<&BTreeMap<u32, Outcome>>,
    opinion: &mut Opinion,
) -> Result<()> {
    let quarter = search.budget / 4;
    let late = share(study, rows, id, |o| within(o, search.budget))?;
    let early = rows.values().filter(|o| within(o, quarter)).count() as f64 / rows.len() as f64;
    let broken = if study.context.task == Task::Classification {
        "flips the class"
    } else {
        "halves the score"
    };
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "Within {} {}, {} {broken} of {} of {} that were right at first, found in {} forward passes; in {quarter} it was {}.",
        words::number(search.reach),
        search.unit,
        search.words,
        Form::Percent.estimate(&late),
        words::images(rows.len()),
        search.budget,
        words::percent(early),
    );
    if late.estimate - early > CONVERGED {
        finding.caveats.push(format!(
            "not converged: with four times the passes it grew by {}",
            Form::Points.one(late.estimate - early)
        ));
    }
    finding.caveats.push(
        "a search that finds nothing is no proof that there is nothing: this is a lower bound of what can be broken"
            .to_owned(),
    );
    if let Some(control) = control.filter(|c| !c.is_empty()) {
        let by_chance = control
            .values()
            .filter(|o| within(o, search.budget))
            .count() as f64
            / control.len() as f64;
        finding.claim = format!(
            "{} As many random draws from the same range broke {}.",
            finding.claim,
            words::percent(by_chance)
        );
    }
    "fraction".clone_into(&mut finding.unit);
    let view_id = view(search.name, search).id();
    let test = if study.context.task == Task::Classification {
        "t.pred_class IS DISTINCT FROM c.pred_class"
    } else {
        "t.score <= 0.5 * c.score"
    };
    finding.evidence = evidence::broken(study, &view_id, search.budget, test);
    finding.images = closest(study, rows);
    finding.better = Better::Lower;
    if search.name == "natural" {
        finding.remedy = Some(
            "Train with the changes that break it, or keep acquisition within the range in which it holds; look at the images named."
                .to_owned(),
        );
        let mut finding = with_estimate(finding, &late, study);
        finding.threshold = Some(BROKEN);
        finding.primary = true;
        finding.p = Some(p_of_failure(&late, &BROKEN, Better::Lower));
        opinion.drafts.push(Draft {
            finding,
            // No bound from above: what a search did not find may still be there, so this never passes.
            ground: Ground::Bounds {
                low: late.low,
                high: f64::INFINITY,
                enough: late.enough,
                may_warn: true,
            },
        });
    } else {
        opinion
            .drafts
            .push(with_estimate(finding, &late, study).into());
    }
    let whose = if study.context.has_reference {
        "the reference's"
    } else {
        "the images'"
    };
    distance(search, id, rows, whose, opinion)?;
    counts(study, search, id, rows, opinion)?;
    opinion.figures.push(figure(search, id, rows, control));
    Ok(())
}

/// Images that broke at the smallest distance, smallest first.
fn closest(study: &Study<'_>, rows: &BTreeMap<u32, Outcome>) -> Vec<String> {
    let mut broken: Vec<(f64, u32)> = rows
        .iter()
        .filter_map(|(&row, o)| Some((o.distance?, row)))
        .collect();
    broken.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    broken
        .into_iter()
        .take(12)
        .map(|(_, row)| study.image(row as usize))
        .collect()
}

/// How far the closest change that breaks a prediction is: the median over all images, censored where none was found.
fn distance(
    search: &Search,
    id: &str,
    rows: &BTreeMap<u32, Outcome>,
    whose: &str,
    opinion: &mut Opinion,
) -> Result<()> {
    if search.name != "natural" {
        return Ok(());
    }
    let distances: Vec<f64> = rows
        .values()
        .map(|o| o.distance.unwrap_or(f64::INFINITY))
        .collect();
    let broken = distances.iter().filter(|d| d.is_finite()).count();
    let mut finding = Finding::new(format!("{id}_distance"));
    "sd".clone_into(&mut finding.unit);
    finding.n = rows.len() as u64;
    finding.better = Better::Higher;
    // With infinity for what was not found the median is right wherever it is finite: at least half were found.
    let middle = if 2 * broken > distances.len() {
        let mut sorted = distances.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let half = sorted.len() / 2;
        if sorted.len() % 2 == 1 {
            Some(sorted[half])
        } else if sorted[half].is_finite() {
            Some(f64::midpoint(sorted[half - 1], sorted[half]))
        } else {
            None
        }
    } else {
        None
    };
    finding.claim = match middle {
        Some(middle) => {
            finding.estimate = Some(middle);
            format!(
                "The closest natural change that was found to break a prediction is {} standard deviations of {whose} own variation away (median of {}; further than {} for {}).",
                words::number(middle),
                words::images(rows.len()),
                words::number(search.reach),
                words::images(distances.len() - broken)
            )
        }
        None if broken == 0 => format!(
            "No natural change within {} standard deviations of {whose} own variation was found to break a prediction.",
            words::number(search.reach)
        ),
        None => {
            let found: Vec<f64> = distances
                .iter()
                .copied()
                .filter(|d| d.is_finite())
                .collect();
            format!(
                "The median distance of the closest natural change that breaks a prediction is more than {} standard deviations of {whose} own variation; among the {} that broke it is {}.",
                words::number(search.reach),
                words::images(broken),
                words::number(median(&found)?)
            )
        }
    };
    finding.caveats.push(
        "an upper bound of the true distance: a longer search may find a closer change".to_owned(),
    );
    opinion.drafts.push(finding.into());
    Ok(())
}

/// Share of images whose count was moved by a fifth.
fn counts(
    study: &Study<'_>,
    search: &Search,
    id: &str,
    rows: &BTreeMap<u32, Outcome>,
    opinion: &mut Opinion,
) -> Result<()> {
    if study.context.task != Task::Instance {
        return Ok(());
    }
    let id = format!("{id}_count");
    let estimate = share(study, rows, &id, |o| o.count_moved)?;
    let mut finding = Finding::new(&id);
    finding.claim = format!(
        "On its way, {} moves the number of objects by a fifth or more in {} of {}.",
        search.words,
        Form::Percent.estimate(&estimate),
        words::images(rows.len())
    );
    "fraction".clone_into(&mut finding.unit);
    finding.better = Better::Lower;
    finding
        .caveats
        .push("the search looks for a lower score, not for another count".to_owned());
    opinion
        .drafts
        .push(with_estimate(finding, &estimate, study).into());
    Ok(())
}

/// Share still right against the number of forward passes.
fn figure(
    search: &Search,
    id: &str,
    rows: &BTreeMap<u32, Outcome>,
    control: Option<&BTreeMap<u32, Outcome>>,
) -> Figure {
    let series = |label: &str, rows: &BTreeMap<u32, Outcome>| {
        let n = rows.len() as f64;
        let mut points = vec![(0, 1.0)];
        let mut at: Vec<u32> = rows.values().filter_map(|o| o.broken_at).collect();
        at.sort_unstable();
        at.dedup();
        for query in at {
            let left = rows.values().filter(|o| !within(o, query)).count() as f64 / n;
            points.push((query, left));
        }
        let last = points.last().map_or(1.0, |p| p.1);
        points.push((search.budget, last));
        Series {
            label: label.to_owned(),
            points: points
                .into_iter()
                .map(|(x, y)| Point {
                    x: f64::from(x),
                    y,
                    low: None,
                    high: None,
                })
                .collect(),
        }
    };
    let mut lines = vec![series("search", rows)];
    if let Some(control) = control.filter(|c| !c.is_empty()) {
        lines.push(series("random draws", control));
    }
    Figure {
        id: id.to_owned(),
        mode: "adversarial".to_owned(),
        title: format!("Still right against {}", search.words),
        caption: format!(
            "Share of the images, right at first, that still are after so many forward passes of the search, within {} {}; beside it as many random draws from the same range. Where the search goes below the draws, the model has directions in which it is weak.",
            words::number(search.reach),
            search.unit
        ),
        drawing: Drawing::Curve {
            x: "forward passes".to_owned(),
            y: "share still right".to_owned(),
            log_x: false,
            series: lines,
            x_marks: vec![(f64::from(search.budget / 4), "B".to_owned())],
            y_marks: Vec::new(),
        },
    }
}
