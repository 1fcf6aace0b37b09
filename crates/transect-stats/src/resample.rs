//! Jackknife and bootstrap replicates over groups within strata, from which intervals of any number of functionals are
//! made.

use transect_core::{Result, Stream};

use crate::error::refused;
use crate::interval::{Estimate, Settings, Tail};
use crate::tails::normal_quantile;
use crate::units::Units;

/// From this many effective groups on (40, rounded) the bootstrap (BCa) is used, below it the jackknife with Student's t.
pub(crate) const BOOTSTRAP_FROM: f64 = 39.5;
/// Below this many effective groups (6, rounded: six groups of 33 and 34 images are six) nothing is said beyond these
/// groups.
pub(crate) const ENOUGH: f64 = 5.5;
/// Above this many groups the jackknife leaves out blocks of groups.
const SINGLE_UP_TO: usize = 1000;
/// Number of such blocks.
const BLOCKS: usize = 400;

/// Fills the outputs for given multiplicities of the groups of each side; a NaN says that there is no value.
pub(crate) type Evaluate<'a> = dyn FnMut(&[Vec<f64>], &mut [f64]) + 'a;

/// The units to resample: the groups, or, when there are too few, the images of these groups.
pub(crate) struct Settled {
    pub(crate) units: Units,
    /// Whether images stand in for too few groups.
    pub(crate) few: bool,
}

pub(crate) fn settle(units: &Units) -> Settled {
    let few = units.effective() < ENOUGH;
    Settled {
        units: if few { units.by_row() } else { units.clone() },
        few,
    }
}

/// One side of a comparison, after the replicates are made.
struct Side {
    /// Outputs with one block of groups left out, by stratum and block.
    deleted: Vec<Vec<Vec<f64>>>,
    effective: f64,
    strata: usize,
    noun: &'static str,
    few: bool,
    groups_given: f64,
}

/// Outputs as observed, with blocks left out, and over bootstrap draws.
pub(crate) struct Replicates {
    pub(crate) observed: Vec<f64>,
    sides: Vec<Side>,
    draws: Vec<Vec<f64>>,
    n: usize,
}

/// A side's groups before and after settling.
pub(crate) struct Given<'a> {
    pub(crate) original: &'a Units,
    pub(crate) settled: &'a Settled,
}

/// Makes the replicates. `outputs` is the number of numbers that `evaluate` fills.
pub(crate) fn replicate(
    sides: &[Given<'_>],
    outputs: usize,
    settings: &Settings,
    evaluate: &mut Evaluate<'_>,
) -> Result<Replicates> {
    if !(settings.level > 0.0 && settings.level < 1.0) {
        return Err(refused(format!(
            "a level of {} is not within (0, 1)",
            settings.level
        )));
    }
    let mut counts: Vec<Vec<f64>> = sides
        .iter()
        .map(|s| vec![1.0; s.settled.units.groups()])
        .collect();
    if counts.iter().any(Vec::is_empty) {
        return Err(refused("there are no rows"));
    }
    let mut observed = vec![f64::NAN; outputs];
    evaluate(&counts, &mut observed);
    let mut made = Vec::with_capacity(sides.len());
    for (index, side) in sides.iter().enumerate() {
        let units = &side.settled.units;
        let mut stream = Stream::new(
            settings.seed,
            "stats/blocks",
            &[settings.key.as_bytes(), &[index as u8]],
        );
        let mut deleted = Vec::with_capacity(units.strata());
        for groups in units.groups_by_stratum() {
            let blocks = blocks(groups, units.groups(), &mut stream);
            let mut values = Vec::with_capacity(blocks.len());
            if blocks.len() > 1 {
                for block in &blocks {
                    for &g in block {
                        counts[index][g] = 0.0;
                    }
                    let mut out = vec![f64::NAN; outputs];
                    evaluate(&counts, &mut out);
                    for &g in block {
                        counts[index][g] = 1.0;
                    }
                    values.push(out);
                }
            }
            deleted.push(values);
        }
        made.push(Side {
            deleted,
            effective: units.effective(),
            strata: units.strata(),
            noun: units.noun(),
            few: side.settled.few,
            groups_given: side.original.effective(),
        });
    }
    let mut draws = Vec::new();
    if made.iter().all(|side| side.effective >= BOOTSTRAP_FROM) {
        let strata: Vec<Vec<Vec<usize>>> = sides
            .iter()
            .map(|s| s.settled.units.groups_by_stratum())
            .collect();
        let mut stream = Stream::new(settings.seed, "stats/bootstrap", &[settings.key.as_bytes()]);
        draws.reserve(settings.resamples);
        for _ in 0..settings.resamples.max(1) {
            for (side, strata) in counts.iter_mut().zip(&strata) {
                side.fill(0.0);
                for groups in strata {
                    for _ in 0..groups.len() {
                        side[groups[stream.below(groups.len())]] += 1.0;
                    }
                }
            }
            let mut out = vec![f64::NAN; outputs];
            evaluate(&counts, &mut out);
            draws.push(out);
        }
    }
    Ok(Replicates {
        observed,
        sides: made,
        draws,
        n: sides.iter().map(|s| s.original.rows()).sum(),
    })
}

/// The groups of a stratum, one by one or, when there are many, in blocks of nearly equal size in random order.
fn blocks(mut groups: Vec<usize>, all: usize, stream: &mut Stream) -> Vec<Vec<usize>> {
    if all <= SINGLE_UP_TO {
        return groups.into_iter().map(|g| vec![g]).collect();
    }
    let wanted = (BLOCKS * groups.len())
        .div_ceil(all)
        .clamp(2.min(groups.len()), groups.len());
    stream.shuffle(&mut groups);
    let n = groups.len();
    (0..wanted)
        .map(|b| groups[b * n / wanted..(b + 1) * n / wanted].to_vec())
        .collect()
}

/// A number for a reader: 12, or 12.4.
pub(crate) fn short(value: f64) -> String {
    if (value - value.round()).abs() < 0.05 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

impl Replicates {
    /// The same replicates of other outputs, made from these.
    pub(crate) fn map(&self, f: &dyn Fn(&[f64]) -> Vec<f64>) -> Self {
        let side = |side: &Side| Side {
            deleted: side
                .deleted
                .iter()
                .map(|s| s.iter().map(|out| f(out)).collect())
                .collect(),
            ..*side
        };
        Self {
            observed: f(&self.observed),
            sides: self.sides.iter().map(side).collect(),
            draws: self.draws.iter().map(|out| f(out)).collect(),
            n: self.n,
        }
    }

    /// An estimate of one functional of the outputs, which gives NaN where it has no value.
    pub(crate) fn estimate(
        &self,
        settings: &Settings,
        functional: &dyn Fn(&[f64]) -> f64,
    ) -> Result<Estimate> {
        let estimate = functional(&self.observed);
        if !estimate.is_finite() {
            return Err(refused(format!("the statistic of all rows is {estimate}")));
        }
        let (mut squares, mut cubes, mut variance, mut satterthwaite) = (0.0, 0.0, 0.0, 0.0);
        let mut lost = 0;
        for side in &self.sides {
            let mut of_side = 0.0;
            for stratum in &side.deleted {
                let values: Vec<f64> = stratum
                    .iter()
                    .map(|out| functional(out))
                    .filter(|v| v.is_finite())
                    .collect();
                lost += stratum.len() - values.len();
                let b = values.len() as f64;
                if values.len() < 2 {
                    continue;
                }
                let mean = values.iter().sum::<f64>() / b;
                for v in &values {
                    let influence = (b - 1.0) / b * (mean - v);
                    squares += influence * influence;
                    cubes += influence.powi(3);
                    of_side += b / (b - 1.0) * influence * influence;
                }
            }
            variance += of_side;
            satterthwaite += of_side * of_side / (side.effective - side.strata as f64).max(1.0);
        }
        let se = variance.sqrt();
        let few = self.sides.iter().any(|side| side.few);
        let groups = self
            .sides
            .iter()
            .map(|side| side.groups_given)
            .fold(f64::INFINITY, f64::min);
        let resampled = self
            .sides
            .iter()
            .map(|side| side.effective)
            .fold(f64::INFINITY, f64::min);
        let over = self
            .sides
            .iter()
            .map(|side| format!("{} {}", short(side.effective), side.noun))
            .collect::<Vec<_>>()
            .join(" and ");
        let mut enough = !few;
        let (tail, mut method);
        if se.is_nan() || se <= 1e-12 * estimate.abs().max(1.0) {
            let (low, high) = settings.range.unwrap_or((estimate, estimate));
            let units = settings.extreme_units.unwrap_or(resampled).min(resampled);
            enough &= low < high;
            tail = Tail::Constant {
                value: estimate,
                low,
                high,
                units,
            };
            method = if low < high {
                format!(
                    "Clopper–Pearson, no variation seen over {} {}",
                    short(units),
                    self.sides[0].noun
                )
            } else {
                format!("no variation seen over {over}")
            };
        } else {
            let mut draws: Vec<f64> = self
                .draws
                .iter()
                .map(|out| functional(out))
                .filter(|v| v.is_finite())
                .collect();
            let undefined = self.draws.len() - draws.len();
            if draws.is_empty() || undefined * 20 > self.draws.len() {
                let df = variance * variance / satterthwaite;
                method = format!("cluster jackknife t over {over}");
                if lost > 0 {
                    enough = false;
                    method.push_str(", and a class rests on one of them");
                }
                tail = Tail::Student {
                    centre: estimate,
                    se,
                    df,
                };
            } else {
                draws.sort_unstable_by(f64::total_cmp);
                let b = draws.len() as f64;
                let below = draws.partition_point(|&v| v < estimate) as f64;
                let ties = draws.partition_point(|&v| v <= estimate) as f64 - below;
                let z0 = normal_quantile(
                    ((below + 0.5 * ties) / b).clamp(1.0 / (b + 1.0), b / (b + 1.0)),
                );
                let acceleration = cubes / (6.0 * squares.powf(1.5));
                method = format!("BCa over {over}, {} resamples", draws.len());
                tail = Tail::Bootstrap {
                    draws: draws.into(),
                    z0,
                    acceleration,
                };
            }
        }
        if few {
            method = format!("these groups only: {method}");
        }
        let made = Estimate::build(estimate, se, settings, tail, method, self.n, groups, enough);
        // A side of one image has no variation to show, which is not to have none.
        let lone = self
            .sides
            .iter()
            .any(|side| side.deleted.iter().all(Vec::is_empty));
        Ok(if lone { made.opened() } else { made })
    }
}

/// Sums of k numbers over the rows of each group.
pub(crate) struct Sums {
    k: usize,
    data: Vec<f64>,
}

impl Sums {
    /// Adds up what `fill` adds for each row.
    pub(crate) fn new(units: &Units, k: usize, fill: impl Fn(usize, &mut [f64])) -> Self {
        let mut data = vec![0.0; units.groups() * k];
        for (row, &group) in units.group_of.iter().enumerate() {
            fill(row, &mut data[group as usize * k..(group as usize + 1) * k]);
        }
        Self { k, data }
    }

    /// Sums over the groups with multiplicities.
    pub(crate) fn total(&self, counts: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (count, sums) in counts.iter().zip(self.data.chunks_exact(self.k)) {
            if *count != 0.0 {
                for (o, s) in out.iter_mut().zip(sums) {
                    *o += count * s;
                }
            }
        }
    }
}
