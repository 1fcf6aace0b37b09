//! Style swaps: an image gets the style of another domain, and keeps its content. Does the prediction follow the style?

mod direction;

use std::collections::BTreeMap;

use transect_core::figure::{Drawing, Row as Line};
use transect_core::finding::Evidence;
use transect_core::{Better, Figure, Finding, Measurement, Result, Status, Task, ViewKind};
use transect_stats::{DonorPair, Estimate, Settings, mean, mean_over_donors};
use transect_table::Filter;

use direction::{Direction, direction};

use super::{COUNT_MOVED, FLIPS, HALVED, Sides, measured};
use crate::opinion::{Draft, Ground, Opinion, not_assessable, with_estimate};
use crate::study::{Study, score_of};
use crate::words::{self, Form};

const ID: &str = "shortcut.style_swap_flip_rate";
/// Fewest images with the swap and a control.
const FEWEST: usize = 20;

/// One changed view of an image.
#[derive(Debug, Clone, Copy)]
struct Change {
    /// The side of its donor.
    side: usize,
    /// Group of the donor.
    donor: u32,
    flipped: bool,
    /// Predicted class under it.
    class: Option<u32>,
}

/// The views of one image.
#[derive(Debug, Clone, Default)]
struct Changes {
    cross: Vec<Change>,
    within: Vec<Change>,
    random: Vec<Change>,
}

/// The changes of one sort.
type Of = fn(&Changes) -> &[Change];

/// A control that is taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Control {
    Within,
    Random,
}

impl Control {
    fn of(self, changes: &Changes) -> &[Change] {
        match self {
            Self::Within => &changes.within,
            Self::Random => &changes.random,
        }
    }

    fn words(self, noun: &str) -> String {
        match self {
            Self::Within => format!("the style of another image of its own {noun}"),
            Self::Random => "a random change of style of the same size".to_owned(),
        }
    }
}

/// The additional flips over one control.
struct Excess {
    control: Control,
    estimate: Estimate,
    /// Mean share of views that change the prediction: swap, control.
    rates: (f64, f64),
    rows: Vec<usize>,
}

pub(super) fn judge(study: &Study<'_>, sides: &Sides, opinion: &mut Opinion) -> Result<()> {
    let refuse = |opinion: &mut Opinion, claim: &str, missing: &str| {
        let mut finding = not_assessable(ID, claim, missing);
        finding.primary = true;
        opinion.drafts.push(finding.into());
        Ok(())
    };
    if sides.names.len() < 2 {
        return refuse(
            opinion,
            "Whether predictions follow the style of the domain was not assessed: all images are of one domain.",
            "images of two domains (a column named by --domain), or reference images (--reference)",
        );
    }
    if study.context.predictions_only {
        return refuse(
            opinion,
            "Whether predictions follow the style of the domain was not assessed: predictions were given, so changed images could not be shown to the model.",
            "the model (--model)",
        );
    }
    let swaps = scan(study, sides)?;
    let mut excesses = Vec::new();
    for control in [Control::Within, Control::Random] {
        excesses.extend(excess(study, &swaps, control)?);
    }
    if excesses.is_empty() {
        return refuse(
            opinion,
            &format!(
                "Whether predictions follow the style of the domain was not assessed: {} with the style of another domain and with a control.",
                words::images(swaps.values().filter(|c| !c.cross.is_empty()).count())
            ),
            &format!(
                "the standard plan (--plan standard) and at least {FEWEST} images, of at least two {}s",
                sides.noun()
            ),
        );
    }
    let direction = direction(study, sides, &swaps, &excesses)?;
    primary(study, sides, &swaps, &excesses, direction.as_ref(), opinion);
    if let Some(direction) = &direction {
        opinion
            .drafts
            .push(direction::finding(study, sides, direction).into());
    }
    figure(study, sides, &swaps, opinion)
}

/// The changed views of every row that was measured as it is.
fn scan(study: &Study<'_>, sides: &Sides) -> Result<BTreeMap<usize, Changes>> {
    let mut swaps: BTreeMap<usize, Changes> = BTreeMap::new();
    for name in ["style", "style_random"] {
        let filter = Filter {
            model: study.model.clone(),
            kind: Some(ViewKind::Swap),
            name: Some(name.to_owned()),
        };
        study.tables.scan(&filter, &mut |m| {
            let row = m.row as usize;
            let (Some(Some(home)), Some(side)) = (
                sides.of_row.get(row).copied(),
                sides.of_pool(m.view.pool.as_deref()),
            ) else {
                return Ok(());
            };
            if m.status != Status::Ok || !measured(study, row) {
                return Ok(());
            }
            let Some(flipped) = flipped(study, row, m) else {
                return Ok(());
            };
            let donor = m.donor_row.and_then(|d| study.rows.get(d as usize));
            let change = Change {
                side,
                // A donor that is not known stands for itself.
                donor: donor.map_or(u32::MAX - m.row, |d| d.group as u32),
                flipped,
                class: m.pred_class,
            };
            let changes = swaps.entry(row).or_default();
            match (name, side == home) {
                ("style", false) => changes.cross.push(change),
                ("style", true) => changes.within.push(change),
                (_, false) => changes.random.push(change),
                // A random change as far as a donor of its own domain is the control of nothing.
                (_, true) => {}
            }
            Ok(())
        })?;
    }
    Ok(swaps)
}

/// Whether a view changes the prediction. Classes: another class. Objects: their number moves by a fifth or more, or the
/// score falls under half. Areas: the score falls under half.
fn flipped(study: &Study<'_>, row: usize, m: &Measurement) -> Option<bool> {
    let known = &study.rows[row];
    let seen = known.seen.as_ref()?;
    if study.context.task == Task::Classification {
        return Some(m.pred_class? != seen.pred_class?);
    }
    let halved = known
        .score
        .zip(score_of(study.score_column, &m.scores))
        .map(|(before, after)| before > 0.0 && after < HALVED * before);
    let moved = seen
        .pred_count
        .zip(m.pred_count)
        .map(|(before, after)| (after - before).abs() >= COUNT_MOVED * before.max(1.0));
    match (halved, moved) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(false) || b.unwrap_or(false)),
    }
}

fn share(changes: &[Change]) -> f64 {
    changes.iter().filter(|c| c.flipped).count() as f64 / changes.len() as f64
}

fn settings(study: &Study<'_>, id: &str) -> Settings {
    study.settings(id).tails().range(-1.0, 1.0)
}

/// The additional flips over a control, paired by image; `None` for too few images.
fn excess(
    study: &Study<'_>,
    swaps: &BTreeMap<usize, Changes>,
    control: Control,
) -> Result<Option<Excess>> {
    let rows: Vec<usize> = swaps
        .iter()
        .filter(|(_, c)| !c.cross.is_empty() && !control.of(c).is_empty())
        .map(|(&row, _)| row)
        .collect();
    if rows.len() < FEWEST {
        return Ok(None);
    }
    let mut pairs = Vec::new();
    let mut rates = (0.0, 0.0);
    for (at, row) in rows.iter().enumerate() {
        let changes = &swaps[row];
        for (of, sign) in [(changes.cross.as_slice(), 1.0), (control.of(changes), -1.0)] {
            pairs.extend(of.iter().map(|c| DonorPair {
                row: at,
                donor: c.donor,
                weight: sign / of.len() as f64,
                value: f64::from(u8::from(c.flipped)),
            }));
        }
        rates.0 += share(&changes.cross) / rows.len() as f64;
        rates.1 += share(control.of(changes)) / rows.len() as f64;
    }
    let estimate = over_donors(study, &rows, &pairs, &format!("{ID}/{control:?}"))?;
    Ok(Some(Excess {
        control,
        estimate,
        rates,
        rows,
    }))
}

fn over_donors(
    study: &Study<'_>,
    rows: &[usize],
    pairs: &[DonorPair],
    id: &str,
) -> Result<Estimate> {
    let groups: Vec<u32> = rows.iter().map(|&i| study.rows[i].group as u32).collect();
    mean_over_donors(pairs, &groups, &study.units(rows)?, &settings(study, id))
}

/// The control with the smaller difference: the larger control.
fn least(excesses: &[Excess]) -> &Excess {
    excesses
        .iter()
        .min_by(|a, b| a.estimate.estimate.total_cmp(&b.estimate.estimate))
        .unwrap_or(&excesses[0])
}

fn evidence(study: &Study<'_>) -> Evidence {
    crate::evidence::style_swaps(study)
}

/// What a changed prediction is, in words.
fn change_words(task: Task) -> &'static str {
    match task {
        Task::Classification => "changed: another class",
        Task::Semantic => "changed: the score falls under half",
        Task::Instance => {
            "changed: the number of objects moves by a fifth or more, or the score falls under half"
        }
    }
}

fn primary(
    study: &Study<'_>,
    sides: &Sides,
    swaps: &BTreeMap<usize, Changes>,
    excesses: &[Excess],
    direction: Option<&Direction>,
    opinion: &mut Opinion,
) {
    let least = least(excesses);
    let e = &least.estimate;
    let many = excesses.len() as f64;
    // The smallest of several differences: below all of their lower bounds; its upper bound is the least of theirs, each
    // at a level that leaves room for there being several.
    let side_level = 0.5 + 0.5 * e.level;
    let low = excesses
        .iter()
        .map(|x| x.estimate.low)
        .fold(f64::INFINITY, f64::min);
    let high = excesses
        .iter()
        .map(|x| {
            if x.estimate.is_open() {
                f64::INFINITY
            } else {
                x.estimate.upper(1.0 - (1.0 - side_level) / many)
            }
        })
        .fold(f64::INFINITY, f64::min)
        .max(e.estimate);
    let enough = excesses.iter().all(|x| x.estimate.enough);
    let noun = sides.noun();
    let mut finding = Finding::new(ID);
    let others: Vec<String> = excesses
        .iter()
        .map(|x| format!("{} {}", x.control.words(noun), Form::Percent.one(x.rates.1)))
        .collect();
    finding.claim = format!(
        "Giving {} the style of another {noun} changes {} of predictions; {}. That is {} (95% interval {}) more than the larger of these.",
        words::images(least.rows.len()),
        Form::Percent.one(least.rates.0),
        words::list(&others),
        Form::Points.one(e.estimate),
        Form::Points.range(low, high)
    );
    let follows = direction.is_some_and(Direction::follows);
    let says = match direction {
        Some(_) if follows => format!(
            " They go to the class that goes with the donor's {noun}, whichever {noun} that is: the model reads the {noun}."
        ),
        Some(_) => format!(
            " They do not go to the class that goes with the donor's {noun}, as far as these images show: a matter of robustness, not of a shortcut."
        ),
        None if study.context.task == Task::Classification => format!(
            " Whether they go to the class that goes with the donor's {noun} cannot be told, so it may be a matter of robustness."
        ),
        None => " Objects have no class that could go with it, so it is a matter of robustness."
            .to_owned(),
    };
    finding.claim.push_str(&says);
    finding.unit = String::from("fraction");
    finding.evidence = evidence(study);
    let mut images: Vec<(f64, usize)> = swaps
        .iter()
        .filter(|(_, c)| c.cross.iter().any(|c| c.flipped))
        .map(|(&row, c)| {
            let of = |v: &[Change]| if v.is_empty() { 0.0 } else { share(v) };
            (of(&c.cross) - of(&c.within).max(of(&c.random)), row)
        })
        .collect();
    images.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    finding.images = images
        .iter()
        .take(10)
        .map(|&(_, i)| study.image(i))
        .collect();
    let mut finding = with_estimate(finding, e, study);
    finding.interval = (low.is_finite() && high.is_finite()).then_some([low, high]);
    finding.better = Better::Lower;
    finding.threshold = Some(FLIPS);
    finding.primary = true;
    finding
        .caveats
        .push(change_words(study.context.task).to_owned());
    finding.caveats.push(format!(
        "style is the mean and spread of each channel; {} donors an image; images and donors are both taken as drawn",
        swaps.values().map(|c| c.cross.len()).max().unwrap_or(0)
    ));
    if excesses.len() < 2 {
        finding
            .caveats
            .push(format!("one control only: {}", least.control.words(noun)));
    }
    if !sides.domains {
        finding.caveats.push(
            "no two domains are named, so the reference and the target stand for them".to_owned(),
        );
    }
    if sides.names.len() > super::MOST_DOMAINS {
        finding.caveats.push(format!(
            "styles of the first {} of {} domains",
            super::MOST_DOMAINS,
            sides.names.len()
        ));
    }
    // It fails as a shortcut only where predictions go to the donor's side as well: both must be shown.
    finding.p = direction.map(|d| {
        excesses
            .iter()
            .map(|x| x.estimate.p_above(FLIPS.fail))
            .fold(d.p(), f64::max)
    });
    finding.remedy = Some(if follows {
        format!(
            "Balance the classes within each {noun} in training, or match the style of images before they are shown to the model; then measure again."
        )
    } else {
        "See `robustness` for what changes the predictions; train with the styles that the images have.".to_owned()
    });
    finding.n_needed = transect_stats::n_needed(e, FLIPS.warn)
        .map(|n| n.images.max(e.n as u64))
        .filter(|_| enough);
    opinion.drafts.push(Draft {
        finding,
        ground: Ground::Bounds {
            low,
            high,
            enough,
            may_warn: true,
        },
    });
}

/// Rates of changed predictions, and the difference for each side.
fn figure(
    study: &Study<'_>,
    sides: &Sides,
    swaps: &BTreeMap<usize, Changes>,
    opinion: &mut Opinion,
) -> Result<()> {
    let noun = sides.noun();
    let kinds: [(&str, Of); 3] = [
        ("style of another", |c| &c.cross),
        ("style of the same", |c| &c.within),
        ("random change, as far", |c| &c.random),
    ];
    let mut lines = Vec::new();
    for home in std::iter::once(None).chain((0..sides.names.len()).map(Some)) {
        for (label, of) in kinds {
            let rows: Vec<usize> = swaps
                .iter()
                .filter(|(row, c)| {
                    !of(c).is_empty() && home.is_none_or(|h| sides.of_row[**row] == Some(h))
                })
                .map(|(&row, _)| row)
                .collect();
            if rows.len() < FEWEST {
                continue;
            }
            let values: Vec<f64> = rows.iter().map(|row| share(of(&swaps[row]))).collect();
            let e = mean(
                &values,
                &study.units(&rows)?,
                &study.settings("shortcut.flips").range(0.0, 1.0),
            )?;
            let label = if label.ends_with("same") || label.ends_with("another") {
                format!("{label} {noun}")
            } else {
                label.to_owned()
            };
            lines.push(Line {
                label: home.map_or(label.clone(), |h| format!("{}: {label}", sides.names[h])),
                value: Some(e.estimate),
                low: words::bound(e.low),
                high: words::bound(e.high),
                n: rows.len() as u64,
                note: String::new(),
            });
        }
    }
    if !lines.is_empty() {
        opinion.figures.push(Figure {
            id: "shortcut.style_swaps".to_owned(),
            mode: "shortcut".to_owned(),
            title: "Do predictions follow the style?".to_owned(),
            caption: format!(
                "Share of predictions that change when an image gets another style ({}), with 95% intervals over images. A shortcut shows in the style of another {noun} and not in the two controls.",
                change_words(study.context.task)
            ),
            drawing: Drawing::Forest {
                x: "share of predictions that change".to_owned(),
                rows: lines,
                marks: vec![(0.0, "none".to_owned())],
            },
        });
    }
    Ok(())
}
