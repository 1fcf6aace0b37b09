//! Where changed predictions go: each domain's style to that domain's class, or somewhere that has nothing to do with the
//! domain?

use std::collections::{BTreeMap, BTreeSet};

use transect_core::finding::Finding;
use transect_core::{Better, Result, Task};
use transect_stats::{DonorPair, Estimate};

use super::{Change, Changes, Control, Excess, evidence, over_donors};
use crate::opinion::with_estimate;
use crate::shortcut::Sides;
use crate::study::{Study, Truth};
use crate::words::Form;

/// Fewest images of a side that are predicted as a class, and rightly, to say where predictions go from there.
const FEWEST_OF_A_CLASS: usize = 5;
/// Least difference between how much more common classes are on one side than on the other, for classes to go with sides.
const GOES_WITH: f64 = 0.10;

/// How far predictions follow the donor's side.
#[derive(Debug)]
pub(super) struct Direction {
    /// Mean step under the swap less that under the larger control, of each pair of sides the way in which it is less.
    lesser: Estimate,
    /// Mean step under the swap, both ways of each pair.
    both: Estimate,
    /// What `both` can be at most when the style of another side only makes the model forget the image.
    forgetting: f64,
    cells: usize,
}

impl Direction {
    /// p of "predictions do not follow the donor's side": both must be shown.
    pub(super) fn p(&self) -> f64 {
        if self.lesser.enough && self.both.enough {
            let forgets = self.both.p_above(self.forgetting);
            self.lesser.p_above(0.0).max(forgets)
        } else {
            1.0
        }
    }

    pub(super) fn follows(&self) -> bool {
        self.p() <= 0.05
    }
}

/// The views of images of one side with the style of another, by the class that was predicted, rightly, before.
struct Way {
    side: usize,
    /// How much each class goes with the donor's side: 0 for the one that goes with the home the most, 1 for the one that goes
    /// with the donor's side the most.
    goes_with: Vec<f64>,
    cells: BTreeMap<u32, Vec<usize>>,
}

impl Way {
    fn views<'a>(&self, changes: &'a Changes, of: Option<Control>) -> Vec<&'a Change> {
        let (views, all) = match of {
            None => (&changes.cross, false),
            Some(Control::Random) => (&changes.random, false),
            Some(Control::Within) => (&changes.within, true),
        };
        views
            .iter()
            .filter(|c| all || c.side == self.side)
            .collect()
    }

    /// How far a view moves a prediction of this class towards the donor's side, −1 to 1.
    fn step(&self, before: u32, change: &Change) -> f64 {
        let at = |class: u32| self.goes_with.get(class as usize).copied().unwrap_or(0.5);
        change.class.map_or(0.0, |after| at(after) - at(before))
    }

    /// Mean step of a cell's images.
    fn of_cell(
        &self,
        swaps: &BTreeMap<usize, Changes>,
        class: u32,
        rows: &[usize],
        of: Option<Control>,
    ) -> f64 {
        let sum: f64 = rows
            .iter()
            .map(|row| {
                let views = self.views(&swaps[row], of);
                views.iter().map(|c| self.step(class, c)).sum::<f64>() / views.len().max(1) as f64
            })
            .sum();
        sum / rows.len() as f64
    }

    /// Mean step, each class that was predicted before counting alike.
    fn mean(&self, swaps: &BTreeMap<usize, Changes>, of: Option<Control>) -> f64 {
        let sum: f64 = self
            .cells
            .iter()
            .map(|(&class, rows)| self.of_cell(swaps, class, rows, of))
            .sum();
        sum / self.cells.len() as f64
    }

    /// The control that moves the most towards the donor's side; none where both move away from it.
    fn larger(&self, swaps: &BTreeMap<usize, Changes>, controls: &[Control]) -> Option<Control> {
        controls
            .iter()
            .map(|&control| (self.mean(swaps, Some(control)), control))
            .filter(|(mean, _)| *mean > 0.0)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, control)| control)
    }

    /// Mean of how much the classes that were predicted before go with the donor's side.
    fn before(&self) -> f64 {
        let sum: f64 = self
            .cells
            .keys()
            .map(|&c| self.goes_with.get(c as usize).copied().unwrap_or(0.5))
            .sum();
        sum / self.cells.len() as f64
    }
}

/// The ways from side to side in which images of at least one class were predicted rightly.
fn ways(
    study: &Study<'_>,
    sides: &Sides,
    swaps: &BTreeMap<usize, Changes>,
    controls: &[Control],
) -> BTreeMap<(usize, usize), Way> {
    let shares = sides.class_shares(study);
    let mut ways = BTreeMap::new();
    if shares.iter().any(|s| s.iter().sum::<f64>() <= 0.0) {
        return ways;
    }
    for home in 0..shares.len() {
        for side in (0..shares.len()).filter(|&side| side != home) {
            let more: Vec<f64> = shares[side]
                .iter()
                .zip(&shares[home])
                .map(|(there, here)| there - here)
                .collect();
            let least = more.iter().copied().fold(f64::INFINITY, f64::min);
            let range = more.iter().copied().fold(f64::NEG_INFINITY, f64::max) - least;
            if range < GOES_WITH {
                continue;
            }
            let mut way = Way {
                side,
                goes_with: more.iter().map(|m| (m - least) / range).collect(),
                cells: BTreeMap::new(),
            };
            for (&row, changes) in swaps {
                let known = &study.rows[row];
                let before = known.seen.as_ref().and_then(|s| s.pred_class);
                let (Some(class), Truth::Known, true) = (
                    before.filter(|_| before == known.truth_class),
                    known.truth,
                    sides.of_row[row] == Some(home),
                ) else {
                    continue;
                };
                let all = std::iter::once(None).chain(controls.iter().map(|&c| Some(c)));
                if all.into_iter().all(|of| !way.views(changes, of).is_empty()) {
                    way.cells.entry(class).or_default().push(row);
                }
            }
            way.cells
                .retain(|_, rows| rows.len() >= FEWEST_OF_A_CLASS && groups(study, rows) >= 2);
            if !way.cells.is_empty() {
                ways.insert((home, side), way);
            }
        }
    }
    ways
}

fn groups(study: &Study<'_>, rows: &[usize]) -> usize {
    let groups: BTreeSet<usize> = rows.iter().map(|&row| study.rows[row].group).collect();
    groups.len()
}

/// Whether predictions follow the donor's side; `None` where that cannot be told: no pair of sides with which classes go, and
/// of both of which images are predicted rightly.
///
/// A step is how far a prediction moves from the home's class (0) to that of the donor's side (1). Every class that was
/// predicted before counts alike, and so does every pair. What is no following gives no step in one of two respects:
///
/// - A fall to one class, whatever the domain, steps towards one side of a pair and away from the other, or as far under a
///   control: of each pair the way that steps less, less the control that steps more, is not above 0.
/// - A prediction that is forgotten (drawn anew, from whatever shares, in whatever share of images) or exchanged for another at
///   random steps from where more is to gain. Where the same classes are predicted at both sides, this sums up to nothing
///   over both ways; else to no more than what the one side is ahead of the other before: `forgetting`.
///
/// Only images that are right before count, so that being brought back to what the model knows is no step.
pub(super) fn direction(
    study: &Study<'_>,
    sides: &Sides,
    swaps: &BTreeMap<usize, Changes>,
    excesses: &[Excess],
) -> Result<Option<Direction>> {
    if study.context.task != Task::Classification {
        return Ok(None);
    }
    let controls: Vec<Control> = excesses.iter().map(|x| x.control).collect();
    let ways = ways(study, sides, swaps, &controls);
    let pairs: Vec<(&Way, &Way)> = ways
        .iter()
        .filter(|((home, side), _)| home < side)
        .filter_map(|(&(home, side), way)| Some((way, ways.get(&(side, home))?)))
        .collect();
    if pairs.is_empty() {
        return Ok(None);
    }
    let mut lesser = Vec::new();
    let mut both = Vec::new();
    let mut forgetting = 0.0;
    let each = 1.0 / pairs.len() as f64;
    for (there, back) in &pairs {
        let net = |way: &Way| {
            let control = way.larger(swaps, &controls);
            let taken = control.map_or(0.0, |c| way.mean(swaps, Some(c)));
            (way.mean(swaps, None) - taken, control)
        };
        let (a, b) = (net(there), net(back));
        let (way, control) = if a.0 <= b.0 {
            (*there, a.1)
        } else {
            (*back, b.1)
        };
        lesser.push(Part {
            way,
            share: each,
            control,
        });
        both.extend([*there, *back].map(|way| Part {
            way,
            share: 0.5 * each,
            control: None,
        }));
        // One way's 0 is the other's 1.
        forgetting += each * (0.5 * (1.0 - there.before() - back.before())).max(0.0);
    }
    let id = "shortcut.style_swap_direction";
    Ok(Some(Direction {
        lesser: contrast(study, swaps, &lesser, id)?,
        both: contrast(study, swaps, &both, "shortcut.style_swap_direction/both")?,
        forgetting,
        cells: pairs
            .iter()
            .map(|(a, b)| a.cells.len() + b.cells.len())
            .sum(),
    }))
}

/// A way and what it counts.
struct Part<'a> {
    way: &'a Way,
    share: f64,
    control: Option<Control>,
}

/// Σ over ways of share · (mean step under the swap − mean step under the control), linear in the images of each cell: an
/// image counts the whole, and its own distance from its cell's mean as often as it weighs.
fn contrast(
    study: &Study<'_>,
    swaps: &BTreeMap<usize, Changes>,
    parts: &[Part<'_>],
    id: &str,
) -> Result<Estimate> {
    let mut place: BTreeMap<usize, usize> = BTreeMap::new();
    for rows in parts.iter().flat_map(|p| p.way.cells.values()) {
        for &row in rows {
            let next = place.len();
            place.entry(row).or_insert(next);
        }
    }
    let n = place.len() as f64;
    let mut pairs = Vec::new();
    for swapped in [true, false] {
        let of = |part: &Part<'_>| {
            if swapped {
                Some(None)
            } else {
                part.control.map(Some)
            }
        };
        // How often a row is there, and how many rows are.
        let mut times: BTreeMap<usize, f64> = BTreeMap::new();
        let mut total = 0.0;
        for part in parts {
            let Some(of) = of(part) else { continue };
            total += part.share * part.way.mean(swaps, of);
            for row in part.way.cells.values().flatten() {
                *times.entry(*row).or_default() += 1.0;
            }
        }
        let each = total * n / times.len().max(1) as f64;
        for part in parts {
            let Some(of) = of(part) else { continue };
            for (&class, rows) in &part.way.cells {
                let mean = part.way.of_cell(swaps, class, rows, of);
                let units = groups(study, rows) as f64;
                // A small cell's images lie closer to their own mean than to the true one.
                let wider = (units / (units - 1.0)).sqrt();
                let weight =
                    wider * part.share * n / (part.way.cells.len() as f64 * rows.len() as f64);
                for row in rows {
                    let views = part.way.views(&swaps[row], of);
                    let sign = if swapped { 1.0 } else { -1.0 };
                    pairs.extend(views.iter().map(|c| DonorPair {
                        row: place[row],
                        donor: c.donor,
                        weight: sign / (views.len() as f64 * times[row]),
                        value: each + times[row] * weight * (part.way.step(class, c) - mean),
                    }));
                }
            }
        }
    }
    let mut rows: Vec<(usize, usize)> = place.into_iter().map(|(row, at)| (at, row)).collect();
    rows.sort_unstable();
    let rows: Vec<usize> = rows.into_iter().map(|(_, row)| row).collect();
    over_donors(study, &rows, &pairs, id)
}

/// The direction as a finding.
pub(super) fn finding(study: &Study<'_>, sides: &Sides, direction: &Direction) -> Finding {
    let noun = sides.noun();
    let mut finding = Finding::new("shortcut.style_swap_direction");
    finding.claim = format!(
        "Under the style of another {noun}, predictions that were right go {} of the way to the class that goes with that {noun}, beyond the controls, of each pair of {noun}s the way in which it is less.",
        Form::Percent.estimate(&direction.lesser)
    );
    finding.unit = String::from("fraction");
    finding.better = Better::Lower;
    finding.evidence = evidence(study);
    let mut finding = with_estimate(finding, &direction.lesser, study);
    finding.caveats.push(format!(
        "without controls and both ways it is {}; a model that only forgets the image gives {} at most",
        Form::Percent.estimate(&direction.both),
        Form::Percent.one(direction.forgetting)
    ));
    finding.caveats.push(format!(
        "every class that was predicted before counts alike, and so does every pair of {noun}s ({} of {noun}, style and class); a model that any change confuses, or that falls to one class, gives 0",
        direction.cells
    ));
    finding.caveats.push(
        "a class goes with the domain where its share among these images is the larger".to_owned(),
    );
    finding
}
