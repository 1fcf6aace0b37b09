//! Simultaneous intervals of several quantities over the same rows.

use faer::Mat;
use transect_core::{Result, Stream};

use crate::error::{finite, refused, same_length};
use crate::interval::{
    Estimate, Settings, Tail, difference_of_means, difference_of_rates, mean, statistic,
};
use crate::resample::{BOOTSTRAP_FROM, settle};
use crate::tails::normal_cdf;
use crate::units::Units;

/// Draws of the joint distribution.
const DRAWS: usize = 20_000;

/// Several estimates with bounds that hold together.
#[derive(Debug, Clone, PartialEq)]
pub struct Simultaneous {
    /// Each estimate with its own interval, not adjusted: [`Estimate::lower`] is the plain one-sided bound that an
    /// intersection–union test needs.
    pub estimates: Vec<Estimate>,
    /// Bounds (low, high) that hold together at the level of the settings, two-sided.
    pub intervals: Vec<(f64, f64)>,
    /// One-sided lower bounds that hold together at the level of the settings.
    pub lower: Vec<f64>,
    /// One-sided upper bounds that hold together.
    pub upper: Vec<f64>,
    /// α of each two-sided interval: between α/m and α.
    pub alpha_two_sided: f64,
    /// α of each one-sided bound.
    pub alpha_one_sided: f64,
    /// How they were made, for a reader.
    pub method: String,
    /// Smallest one-sided p of each draw, ascending.
    smallest: Vec<f64>,
    /// Tails that the joint bounds come from.
    tails: Vec<Tail>,
}

/// The tail that joint bounds come from: far out, where several quantities push them, a bootstrap of two thousand draws is too
/// short, so it is never nearer than Student's t.
fn far_tail(e: &Estimate) -> Tail {
    if matches!(e.tail, Tail::Bootstrap { .. }) && e.se > 0.0 && e.groups > 1.0 {
        let student = Tail::Student {
            centre: e.estimate,
            se: e.se,
            df: e.groups - 1.0,
        };
        Tail::Wider(Box::new((e.tail.clone(), student)))
    } else {
        e.tail.clone()
    }
}

impl Simultaneous {
    /// One-sided p of H₀: θ_j ≤ τ, adjusted over all (single-step max-T): the chance that the smallest of all one-sided p is as
    /// small as this one. 1 where the units do not suffice.
    ///
    /// # Panics
    /// When there is no such estimate.
    pub fn p_above(&self, j: usize, tau: f64) -> f64 {
        if !self.estimates[j].enough {
            return 1.0;
        }
        self.adjusted(self.tails[j].p_above(tau).clamp(0.0, 1.0))
    }

    /// One-sided p of H₀: θ_j ≥ τ, adjusted over all.
    ///
    /// # Panics
    /// When there is no such estimate.
    pub fn p_below(&self, j: usize, tau: f64) -> f64 {
        if !self.estimates[j].enough {
            return 1.0;
        }
        self.adjusted(self.tails[j].p_below(tau).clamp(0.0, 1.0))
    }

    fn adjusted(&self, p: f64) -> f64 {
        if p >= 1.0 {
            return 1.0;
        }
        let below = self.smallest.partition_point(|&v| v <= p);
        // Never under the p itself, nor under what the draws resolve; Bonferroni beyond them.
        let bonferroni = (p * self.estimates.len() as f64).min(1.0);
        ((1 + below) as f64 / (1 + self.smallest.len()) as f64)
            .min(bonferroni)
            .max(p)
    }

    /// The smallest of the plain one-sided lower bounds at a level: *all* quantities are above it at that level, without a
    /// further correction (intersection–union, Berger 1982). ∞ for no estimates.
    pub fn all_above(&self, level: f64) -> f64 {
        self.estimates
            .iter()
            .map(|e| {
                if e.is_open() {
                    f64::NEG_INFINITY
                } else {
                    e.lower(level)
                }
            })
            .fold(f64::INFINITY, f64::min)
    }
}

/// Simultaneous bounds from each quantity's own estimate and its influence on every row: `influence[j][i]` is what row i
/// adds to quantity j, up to a factor of j (for a mean v_i − v̄; for a difference of means (v_i − m_in)/n_in inside and
/// −(v_i − m_out)/n_out outside).
///
/// The correlation of the quantities is that of their influences summed over groups (centred within strata). 20,000 normal
/// vectors with it give the distribution of the smallest p, hence the α at which each quantity's own interval is taken: so
/// every interval keeps what is right about it (Student's t, BCa, Clopper–Pearson; BCa never nearer than Student's t,
/// since at the α of one of many its tail is too short: measured .895 for ten means of 40 groups) and together they hold at the
/// level (max-T; Hothorn, Bretz and Westfall 2008). A quantity without variation counts as independent of the rest.
///
/// # Errors
/// `T701` for no quantity, lengths that differ, or an influence that is not finite.
pub fn simultaneous(
    estimates: Vec<Estimate>,
    influence: &[Vec<f64>],
    units: &Units,
    settings: &Settings,
) -> Result<Simultaneous> {
    let m = estimates.len();
    if m == 0 {
        return Err(refused("there is no quantity"));
    }
    same_length("estimates", m, "influences", influence.len())?;
    let settled = settle(units);
    let groups = settled.units.groups();
    let mut by_group = Mat::<f64>::zeros(groups, m);
    for (j, of) in influence.iter().enumerate() {
        finite("influence", of)?;
        same_length("influence", of.len(), "units", units.rows())?;
        for (v, &group) in of.iter().zip(&settled.units.group_of) {
            by_group[(group as usize, j)] += v;
        }
        for members in settled.units.groups_by_stratum() {
            let mean = members.iter().map(|&g| by_group[(g, j)]).sum::<f64>()
                / members.len().max(1) as f64;
            for &g in &members {
                by_group[(g, j)] -= mean;
            }
        }
        let length = (0..groups)
            .map(|g| by_group[(g, j)].powi(2))
            .sum::<f64>()
            .sqrt();
        let scale = of.iter().map(|v| v * v).sum::<f64>().sqrt();
        let factor = if length > 1e-12 * scale {
            1.0 / length
        } else {
            0.0
        };
        for g in 0..groups {
            by_group[(g, j)] *= factor;
        }
    }
    let correlation = by_group.transpose() * &by_group;
    let correlation = Mat::from_fn(m, m, |i, j| if i == j { 1.0 } else { correlation[(i, j)] });
    let eigen = correlation
        .self_adjoint_eigen(faer::Side::Lower)
        .map_err(|_| refused("eigenvalues did not converge"))?;
    let (vectors, values) = (eigen.U(), eigen.S());
    let roots: Vec<f64> = (0..m).map(|k| values[k].max(0.0).sqrt()).collect();
    let root = Mat::from_fn(m, m, |i, k| vectors[(i, k)] * roots[k]);
    let mut stream = Stream::new(
        settings.seed,
        "stats/simultaneous",
        &[settings.key.as_bytes()],
    );
    let noise = Mat::from_fn(m, DRAWS, |_, _| stream.normal());
    let drawn = &root * &noise;
    let (mut one_sided, mut two_sided) = (Vec::with_capacity(DRAWS), Vec::with_capacity(DRAWS));
    for column in 0..DRAWS {
        let of = drawn.col(column);
        let (mut top, mut far) = (f64::NEG_INFINITY, 0.0_f64);
        for z in of.iter() {
            top = top.max(*z);
            far = far.max(z.abs());
        }
        one_sided.push(normal_cdf(-top));
        two_sided.push(2.0 * normal_cdf(-far));
    }
    one_sided.sort_unstable_by(f64::total_cmp);
    two_sided.sort_unstable_by(f64::total_cmp);
    let alpha = 1.0 - settings.level;
    // One quantity needs no adjustment; none needs more than Bonferroni's.
    let at = |p: &[f64]| {
        if m == 1 {
            alpha
        } else {
            crate::quantile::of_sorted(p, alpha).clamp(alpha / m as f64, alpha)
        }
    };
    let (alpha_one_sided, alpha_two_sided) = (at(&one_sided), at(&two_sided));
    let tails: Vec<Tail> = estimates
        .iter()
        .map(|e| if m == 1 { e.tail.clone() } else { far_tail(e) })
        .collect();
    let bounds = |alpha: f64| -> Vec<(f64, f64)> {
        estimates
            .iter()
            .zip(&tails)
            .map(|(e, tail)| {
                if e.is_open() {
                    return (f64::NEG_INFINITY, f64::INFINITY);
                }
                let (low, high) = e.range.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
                (
                    tail.lower(alpha).clamp(low, high),
                    tail.upper(alpha).clamp(low, high),
                )
            })
            .collect()
    };
    let intervals = bounds(0.5 * alpha_two_sided);
    let (lower, upper) = bounds(alpha_one_sided).into_iter().unzip();
    let method = format!(
        "max-T over {m} (each at {:.2}%): {}",
        100.0 * (1.0 - alpha_two_sided),
        estimates[0].method
    );
    Ok(Simultaneous {
        estimates,
        intervals,
        lower,
        upper,
        alpha_two_sided,
        alpha_one_sided,
        method,
        smallest: one_sided,
        tails,
    })
}

/// Means of several columns over the same rows with simultaneous bounds; for **paired differences** (the model minus each of
/// several baselines) give the differences. `columns[j][i]` is column j of row i; each mean is [`mean`]'s.
///
/// # Errors
/// `T701` as [`mean`] and [`simultaneous`].
pub fn simultaneous_means(
    columns: &[Vec<f64>],
    units: &Units,
    settings: &Settings,
) -> Result<Simultaneous> {
    let mut estimates = Vec::with_capacity(columns.len());
    let mut influence = Vec::with_capacity(columns.len());
    for (j, column) in columns.iter().enumerate() {
        let own = Settings {
            key: format!("{}/{j}", settings.key),
            ..settings.clone()
        };
        estimates.push(mean(column, units, &own)?);
        let centre = column.iter().sum::<f64>() / column.len() as f64;
        influence.push(column.iter().map(|v| v - centre).collect());
    }
    simultaneous(estimates, &influence, units, settings)
}

/// Effective groups on a side under which a difference of values that are not shares allows no verdict.
const ENOUGH_OF_VALUES: f64 = 30.0;

/// Each subgroup against the *rest*: mean of `values` inside minus mean outside, for several subgroups that may overlap, with
/// simultaneous bounds. `subgroups[j][i]` says whether row i is in subgroup j.
///
/// Each difference is [`difference_of_means`], or, where all values are 0 or 1, [`difference_of_rates`]: either side rests on its own
/// number of groups, so a subgroup of few is never surer than it may be. Groups with rows on both sides make that too wide,
/// not too narrow (their rows are alike); where both sides have 40 effective groups the means are resampled together instead
/// ([`statistic`]). [`Settings::range`] is that of a difference. Values that are not shares may have a rare large one that few groups
/// miss: under 30 effective groups on a side such a difference has bounds, and not [`Estimate::enough`] for a verdict (in 20 images of
/// which 10% fail wholly, the upper bound of 97.5% covers 89%).
///
/// # Errors
/// `T701` for lengths that differ, values that are not finite, or a subgroup that holds no row or every row.
pub fn subgroups_against_rest(
    values: &[f64],
    subgroups: &[Vec<bool>],
    units: &Units,
    settings: &Settings,
) -> Result<Simultaneous> {
    finite("values", values)?;
    same_length("values", values.len(), "units", units.rows())?;
    let binary = values.iter().all(|&v| v == 0.0 || v == 1.0);
    let mut estimates = Vec::with_capacity(subgroups.len());
    let mut influence = Vec::with_capacity(subgroups.len());
    for (j, inside) in subgroups.iter().enumerate() {
        same_length("subgroup", inside.len(), "values", values.len())?;
        let (rows_in, rows_out): (Vec<usize>, Vec<usize>) =
            (0..values.len()).partition(|&row| inside[row]);
        if rows_in.is_empty() || rows_out.is_empty() {
            return Err(refused(format!(
                "subgroup {j} holds {} of {} rows",
                rows_in.len(),
                values.len()
            )));
        }
        let of = |rows: &[usize]| -> Vec<f64> { rows.iter().map(|&row| values[row]).collect() };
        let (v_in, v_out) = (of(&rows_in), of(&rows_out));
        let average = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let (m_in, m_out) = (average(&v_in), average(&v_out));
        let mut own = Settings {
            key: format!("{}/{j}", settings.key),
            ..settings.clone()
        };
        let mut side = vec![0_u8; units.groups()];
        for (&group, &inside) in units.group_of.iter().zip(inside) {
            side[group as usize] |= if inside { 1 } else { 2 };
        }
        let (units_in, units_out) = (units.subset(&rows_in), units.subset(&rows_out));
        let few = units_in.effective().min(units_out.effective()) < ENOUGH_OF_VALUES;
        let mut estimate = if binary {
            let hits = |v: &[f64]| -> Vec<bool> { v.iter().map(|&v| v == 1.0).collect() };
            own.range = None;
            difference_of_rates(&hits(&v_in), &units_in, &hits(&v_out), &units_out, &own)?
        } else if side.contains(&3)
            && units_in.effective().min(units_out.effective()) >= BOOTSTRAP_FROM
        {
            statistic(units, &own, &mut |w| {
                let (mut s, mut n) = ([0.0; 2], [0.0; 2]);
                for ((v, w), &inside) in values.iter().zip(w).zip(inside) {
                    s[usize::from(inside)] += v * w;
                    n[usize::from(inside)] += w;
                }
                (n[0] > 0.0 && n[1] > 0.0).then(|| s[1] / n[1] - s[0] / n[0])
            })?
        } else {
            difference_of_means(&v_in, &units_in, &v_out, &units_out, &own)?
        };
        estimate.enough &= binary || !few;
        estimates.push(estimate);
        let (n_in, n_out) = (v_in.len() as f64, v_out.len() as f64);
        influence.push(
            values
                .iter()
                .zip(inside)
                .map(|(v, &inside)| {
                    if inside {
                        (v - m_in) / n_in
                    } else {
                        -(v - m_out) / n_out
                    }
                })
                .collect(),
        );
    }
    simultaneous(estimates, &influence, units, settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(n: usize, m: usize, shared: f64) -> Vec<Vec<f64>> {
        let mut stream = Stream::new(2, "test", &[]);
        let common: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        (0..m)
            .map(|_| {
                common
                    .iter()
                    .map(|c| shared.sqrt() * c + (1.0 - shared).sqrt() * stream.normal())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn one_quantity_keeps_its_own_bounds() {
        let columns = columns(30, 1, 0.0);
        let units = Units::independent(30);
        let made = simultaneous_means(&columns, &units, &Settings::new(1, "s")).unwrap();
        let own = &made.estimates[0];
        assert_eq!(made.intervals[0], (own.lower(0.975), own.upper(0.975)));
        assert_eq!(made.lower[0], own.lower(0.95));
        assert!((made.all_above(0.95) - own.lower(0.95)).abs() < 1e-15);
    }

    #[test]
    fn the_adjustment_lies_between_none_and_sidak() {
        let units = Units::independent(400);
        let settings = Settings::new(1, "s");
        let alike = simultaneous_means(&columns(400, 10, 1.0), &units, &settings).unwrap();
        assert!(
            (alike.alpha_two_sided - 0.05).abs() < 0.004,
            "{}",
            alike.alpha_two_sided
        );
        let apart = simultaneous_means(&columns(400, 10, 0.0), &units, &settings).unwrap();
        let sidak = 1.0 - 0.95_f64.powf(0.1);
        assert!(
            (apart.alpha_two_sided / sidak - 1.0).abs() < 0.12,
            "{}",
            apart.alpha_two_sided
        );
        for (e, i) in apart.estimates.iter().zip(&apart.intervals) {
            assert!(i.0 <= e.low && i.1 >= e.high);
        }
        for j in 0..10 {
            assert!(apart.p_above(j, 0.0) >= apart.estimates[j].p_above(0.0));
        }
    }

    #[test]
    fn a_subgroup_of_five_that_are_all_wrong_is_no_surer_than_five_may_be() {
        let values: Vec<f64> = (0..200)
            .map(|i| f64::from(u8::from(i < 5 || i % 10 == 0)))
            .collect();
        let inside: Vec<bool> = (0..200).map(|i| i < 5).collect();
        // Groups cut through the subgroup.
        let groups: Vec<usize> = (0..200).map(|i| i % 50).collect();
        let units = Units::new(200, Some(&groups), None).unwrap();
        let made =
            subgroups_against_rest(&values, &[inside], &units, &Settings::new(1, "s")).unwrap();
        let own = &made.estimates[0];
        assert!(!own.enough && own.low < 0.5, "{own:?}");
        assert_eq!(made.p_above(0, 0.0), 1.0);
    }

    #[test]
    fn twenty_images_of_a_score_have_bounds_and_no_verdict() {
        let values: Vec<f64> = (0..200).map(|i| 0.05 + 0.001 * f64::from(i % 7)).collect();
        let units = Units::independent(200);
        for (inside, enough) in [(20, false), (40, true)] {
            let subgroup: Vec<bool> = (0..200).map(|i| i < inside).collect();
            let made = subgroups_against_rest(&values, &[subgroup], &units, &Settings::new(1, "s"))
                .unwrap();
            assert_eq!(made.estimates[0].enough, enough, "{inside}");
        }
    }

    #[test]
    fn a_subgroup_of_nobody_or_everybody_is_refused() {
        let units = Units::independent(4);
        let settings = Settings::new(1, "s");
        for inside in [[true; 4], [false; 4]] {
            let made = subgroups_against_rest(
                &[1.0, 0.0, 1.0, 0.0],
                &[inside.to_vec()],
                &units,
                &settings,
            );
            assert!(made.is_err());
        }
        assert!(simultaneous_means(&[], &units, &settings).is_err());
    }
}
