//! Means over images and the donors that they were paired with: both were drawn, so both count.

use std::collections::BTreeMap;

use transect_core::Result;

use crate::error::{finite, refused, same_length};
use crate::interval::{Estimate, Settings, Tail, mean};
use crate::resample::{ENOUGH, settle, short};
use crate::units::Units;

/// A group by its label, or a row that stands for itself where groups are too few.
type Group = (u8, u32);

/// What came of one row with one donor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DonorPair {
    /// The row.
    pub row: usize,
    /// The donor's group: a label of the same sort as those of the rows' groups, since a group may give images and donors.
    pub donor: u32,
    /// What the pair counts for its row: 1/R for each of R donors, −1/R for a control that is subtracted.
    pub weight: f64,
    /// What came of it, such as 1 where the prediction changed.
    pub value: f64,
}

/// Mean over rows of Σ weight · value of the row's pairs: a paired difference when controls have negative weights. Rows and
/// donors are both samples. `group_of_row[i]` is the label of row i's group among the labels of [`DonorPair::donor`];
/// `units` are of the rows.
///
/// **Interval.** The wider, on each side, of two. One is that of [`mean`] over the rows, which takes the donors as fixed. The
/// other is Student's t with a variance in which two pairs may go together when they share a group in whatever part (as image
/// or as donor): with e a pair's weight times its value less the mean of its kind, over n, V = Σ_g (Σ of e over pairs with
/// g)² − Σ over pairs of groups {g, h} of (Σ of e over pairs of g with h)², which would count twice (Fafchamps and Gubert 2007;
/// Aronow, Samii, Assenova 2015), not under what images alone or donors alone give, times G/(G − 1), with G − 1 degrees of
/// freedom, G the smaller of the effective numbers of groups of images and of donors. `enough` when both are 6.
///
/// # Errors
/// `T701` for no pair, a row without pairs or out of range, lengths that differ, or numbers that are not finite.
pub fn mean_over_donors(
    pairs: &[DonorPair],
    group_of_row: &[u32],
    units: &Units,
    settings: &Settings,
) -> Result<Estimate> {
    same_length("groups of rows", group_of_row.len(), "units", units.rows())?;
    let n = units.rows();
    let mut of_row = vec![0.0; n];
    let mut seen = vec![false; n];
    let (mut sums, mut weights) = ([0.0; 2], [0.0; 2]);
    for pair in pairs {
        finite("pairs", &[pair.weight, pair.value])?;
        let Some(total) = of_row.get_mut(pair.row) else {
            return Err(refused(format!("a pair of row {} of {n}", pair.row)));
        };
        *total += pair.weight * pair.value;
        seen[pair.row] = true;
        let kind = usize::from(pair.weight < 0.0);
        sums[kind] += pair.weight.abs() * pair.value;
        weights[kind] += pair.weight.abs();
    }
    if seen.iter().any(|s| !s) {
        return Err(refused("a row without a pair"));
    }
    let by_rows = mean(&of_row, units, settings)?;
    let settled = settle(units);
    // Labels of the rows' groups: those given, or one for each row where groups are too few.
    let label_of_row = |row: usize| -> Group {
        if settled.few {
            (1, row as u32)
        } else {
            (0, group_of_row[row])
        }
    };
    let mut clusters: BTreeMap<Group, f64> = BTreeMap::new();
    let mut images: BTreeMap<Group, f64> = BTreeMap::new();
    let mut donors: BTreeMap<Group, f64> = BTreeMap::new();
    let mut dyads: BTreeMap<(Group, Group), f64> = BTreeMap::new();
    let mut load: [BTreeMap<u32, f64>; 2] = [BTreeMap::new(), BTreeMap::new()];
    for pair in pairs.iter().filter(|p| p.weight != 0.0) {
        let kind = usize::from(pair.weight < 0.0);
        let e = pair.weight * (pair.value - sums[kind] / weights[kind]) / n as f64;
        let (image, donor) = (label_of_row(pair.row), (0, pair.donor));
        *images.entry(image).or_default() += e;
        *donors.entry(donor).or_default() += e;
        *clusters.entry(image).or_default() += e;
        if image != donor {
            *clusters.entry(donor).or_default() += e;
            *dyads
                .entry((image.min(donor), image.max(donor)))
                .or_default() += e;
        }
        *load[kind].entry(pair.donor).or_default() += pair.weight.abs();
    }
    let squares = |of: &mut dyn Iterator<Item = &f64>| of.map(|v| v * v).sum::<f64>();
    let both = squares(&mut clusters.values()) - squares(&mut dyads.values());
    let variance = both
        .max(squares(&mut images.values()))
        .max(squares(&mut donors.values()));
    let donors_effective = load
        .iter()
        .filter(|l| !l.is_empty())
        .map(|l| l.values().sum::<f64>().powi(2) / squares(&mut l.values()))
        .fold(f64::INFINITY, f64::min);
    if !donors_effective.is_finite() || variance <= 0.0 || by_rows.is_open() {
        let mut made = by_rows;
        made.enough &= donors_effective >= ENOUGH;
        return Ok(made);
    }
    let groups = settled.units.effective().min(donors_effective);
    let df = (groups - 1.0).max(1.0);
    let se = (variance * (df + 1.0) / df).sqrt();
    let student = Tail::Student {
        centre: by_rows.estimate,
        se,
        df,
    };
    let method = format!(
        "{}; not narrower than Student's t over images and {} donors",
        by_rows.method,
        short(donors_effective)
    );
    Ok(Estimate::build(
        by_rows.estimate,
        se.max(by_rows.se),
        settings,
        Tail::Wider(Box::new((by_rows.tail.clone(), student))),
        method,
        n,
        units.effective(),
        by_rows.enough && donors_effective >= ENOUGH,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use transect_core::Stream;

    /// A run of n images in groups, each with r donors of a pool of d for the change and for its control. Images, groups and
    /// donors have effects of their own on how probable a change is. Gives whether the interval holds the true difference,
    /// on which side it misses, and the interval of the rows alone.
    fn trial(
        seed: u64,
        n: usize,
        group: usize,
        d: usize,
        r: usize,
        spread: f64,
    ) -> (Estimate, Estimate, f64) {
        let mut stream = Stream::new(seed, "donors", &[]);
        let cut = |base: f64, image: f64, donor: f64| (base + image + donor).clamp(0.0, 1.0);
        let mut effect = |many: usize| -> Vec<f64> {
            (0..many)
                .map(|_| spread * (2.0 * stream.uniform() - 1.0))
                .collect()
        };
        let (of_group, of_image) = (effect(n.div_ceil(group)), effect(n));
        let (of_donor, of_control) = (effect(d), effect(d));
        let mut pairs = Vec::new();
        for (row, own) in of_image.iter().enumerate() {
            let own = 0.5 * (own + of_group[row / group]);
            for _ in 0..r {
                for (base, effects, sign) in [(0.35, &of_donor, 1.0), (0.25, &of_control, -1.0)] {
                    let donor = stream.below(d);
                    let p = cut(base, own, effects[donor]);
                    pairs.push(DonorPair {
                        row,
                        // Donors of the change are images of other groups; those of the control of these.
                        donor: if sign > 0.0 {
                            10_000 + donor as u32
                        } else {
                            donor as u32
                        },
                        weight: sign / r as f64,
                        value: f64::from(u8::from(stream.uniform() < p)),
                    });
                }
            }
        }
        let labels: Vec<u32> = (0..n).map(|i| (i / group) as u32).collect();
        let units = Units::new(n, Some(&labels), None).unwrap();
        let settings = Settings {
            resamples: 400,
            ..Settings::new(seed, "donors").range(-1.0, 1.0)
        };
        let mut of_row = vec![0.0; n];
        for p in &pairs {
            of_row[p.row] += p.weight * p.value;
        }
        (
            mean_over_donors(&pairs, &labels, &units, &settings).unwrap(),
            mean(&of_row, &units, &settings).unwrap(),
            0.10,
        )
    }

    fn coverage(runs: u64, n: usize, group: usize, d: usize, spread: f64) -> (f64, f64) {
        let (mut both, mut rows) = (0, 0);
        for seed in 0..runs {
            let (e, alone, truth) = trial(seed, n, group, d, 2, spread);
            both += u32::from(e.low <= truth && truth <= e.high);
            rows += u32::from(alone.low <= truth && truth <= alone.high);
        }
        (f64::from(both) / runs as f64, f64::from(rows) / runs as f64)
    }

    #[test]
    fn a_small_pool_of_donors_widens_the_interval_until_it_covers() {
        // Ten donors that differ much: images alone cover far too little.
        let (both, rows) = coverage(300, 100, 1, 10, 0.25);
        assert!(rows < 0.85, "images alone cover {rows}");
        assert!(both > 0.91, "images and donors cover {both}");
    }

    #[test]
    fn donors_that_do_not_matter_cost_little() {
        let (both, _) = coverage(300, 60, 1, 60, 0.0);
        assert!((0.91..=0.995).contains(&both), "{both}");
    }

    #[test]
    #[ignore = "minutes: coverage by images, groups and donors"]
    #[expect(clippy::print_stdout, reason = "figures for a reader")]
    fn coverage_in_full() {
        for (n, group, d, spread) in [
            (200, 1, 200, 0.0),
            (200, 1, 200, 0.2),
            (200, 1, 40, 0.2),
            (200, 1, 10, 0.2),
            (200, 1, 6, 0.2),
            (200, 10, 40, 0.2),
            (100, 10, 10, 0.2),
            (60, 10, 60, 0.2),
            (50, 1, 50, 0.2),
        ] {
            let (both, rows) = coverage(2000, n, group, d, spread);
            println!(
                "{n} images in groups of {group}, {d} donors, spread {spread}: {both:.3}, images alone {rows:.3}"
            );
            assert!(both >= 0.925, "{both}");
        }
    }

    #[test]
    fn closed_form_and_errors() {
        // Two images, each with its own donor, values 1 and 0: the mean is one half.
        let pair = |row, donor, value| DonorPair {
            row,
            donor,
            weight: 1.0,
            value,
        };
        let units = Units::independent(12);
        let labels: Vec<u32> = (0..12).collect();
        let pairs: Vec<DonorPair> = (0..12)
            .map(|i| pair(i, 20 + i as u32, f64::from(u8::from(i % 2 == 0))))
            .collect();
        let settings = Settings::new(1, "t").range(0.0, 1.0);
        let e = mean_over_donors(&pairs, &labels, &units, &settings).unwrap();
        // Every pair shares nothing with another: V = Σ e² = 12 · (0.5/12)², times 12/11.
        assert!((e.estimate - 0.5).abs() < 1e-12);
        assert!((e.se - (12.0 * (0.5_f64 / 12.0).powi(2) * 12.0 / 11.0).sqrt()).abs() < 1e-9);
        assert!(e.enough);
        let few: Vec<DonorPair> = (0..12).map(|i| pair(i, 20, 0.0)).collect();
        assert!(
            !mean_over_donors(&few, &labels, &units, &settings)
                .unwrap()
                .enough,
            "one donor says nothing of others"
        );
        assert!(mean_over_donors(&pairs[..11], &labels, &units, &settings).is_err());
        assert!(mean_over_donors(&[pair(12, 0, 1.0)], &labels, &units, &settings).is_err());
    }
}
