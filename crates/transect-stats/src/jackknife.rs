//! Intervals of quantities that a bootstrap would spoil, such as ranks: groups are left out, never repeated.

use transect_core::{Result, Stream};

use crate::error::refused;
use crate::interval::{Estimate, Settings};
use crate::resample::{settle, short};
use crate::units::Units;

/// Blocks of groups left out, at most.
const BLOCKS: usize = 40;

/// Estimates of several quantities by leaving out one block of groups at a time. `f` gives the quantities (always as many) of the
/// rows it is handed, ascending; `None`, or a number that is not finite, says that there is no value.
///
/// Groups are dealt within strata to at most 40 blocks in random order; up to 40 groups are left out one by one. With b blocks of a
/// stratum, variance Σ (b−1)/b Σ(θ₋ − θ̄₋)² over the strata and Student's t with b less the strata (at most the effective number of
/// groups less the strata) degrees of freedom. The interval is about the expectation *at this number of rows*: ranks grow
/// with n, so compare them at the same rows only, best as a ratio or difference within one `f`.
/// Under 6 effective groups: over rows, "these groups only", not [`Estimate::enough`]. No variation: an interval of no
/// width, not enough either.
///
/// # Errors
/// `T701` for no rows, or when a quantity has no value for all rows or for more than one block in ten.
pub fn jackknife(
    units: &Units,
    settings: &Settings,
    f: &mut dyn FnMut(&[usize]) -> Option<Vec<f64>>,
) -> Result<Vec<Estimate>> {
    if units.rows() == 0 {
        return Err(refused("there are no rows"));
    }
    let settled = settle(units);
    let used = &settled.units;
    let all: Vec<usize> = (0..units.rows()).collect();
    let observed = f(&all)
        .filter(|v| v.iter().all(|x| x.is_finite()))
        .ok_or_else(|| refused("the statistic of all rows has no value"))?;
    let mut stream = Stream::new(settings.seed, "stats/jackknife", &[settings.key.as_bytes()]);
    let mut variance = vec![0.0; observed.len()];
    let (mut blocks, mut strata, mut lost) = (0, 0, 0);
    for mut groups in used.groups_by_stratum() {
        let g = groups.len();
        let wanted = (BLOCKS * g / used.groups().max(1)).clamp(2.min(g), g);
        if wanted < 2 {
            continue;
        }
        stream.shuffle(&mut groups);
        let mut block_of = vec![usize::MAX; used.groups()];
        for (place, &group) in groups.iter().enumerate() {
            block_of[group] = place * wanted / g;
        }
        let mut without: Vec<Vec<f64>> = Vec::with_capacity(wanted);
        for block in 0..wanted {
            let rows: Vec<usize> = all
                .iter()
                .copied()
                .filter(|&row| block_of[used.group_of[row] as usize] != block)
                .collect();
            match f(&rows).filter(|v| v.len() == observed.len() && v.iter().all(|x| x.is_finite()))
            {
                Some(values) => without.push(values),
                None => lost += 1,
            }
        }
        let b = without.len() as f64;
        blocks += without.len();
        strata += 1;
        for (place, total) in variance.iter_mut().enumerate() {
            let mean = without.iter().map(|v| v[place]).sum::<f64>() / b.max(1.0);
            *total += (b - 1.0) / b.max(1.0)
                * without
                    .iter()
                    .map(|v| (v[place] - mean).powi(2))
                    .sum::<f64>();
        }
    }
    if lost * 10 > blocks + lost {
        return Err(refused(format!(
            "the statistic has no value without one of {lost} of {} blocks",
            blocks + lost
        )));
    }
    let df = (blocks as f64)
        .min(used.effective())
        .max(1.0 + strata as f64)
        - strata as f64;
    let few = if settled.few {
        "these groups only: "
    } else {
        ""
    };
    let over = format!(
        "{few}jackknife t, {} {} in {blocks} blocks left out one by one",
        short(used.effective()),
        used.noun()
    );
    observed
        .iter()
        .zip(&variance)
        .map(|(&value, &variance)| {
            let se = variance.sqrt();
            if se > 1e-12 * value.abs().max(1e-300) {
                Estimate::from_standard_error(
                    value,
                    se,
                    df,
                    units.rows(),
                    units.effective(),
                    over.clone(),
                    settings,
                )
            } else {
                Ok(Estimate::without_variation(value, units, settings))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jackknife_of_a_mean_is_its_standard_error() {
        let values: Vec<f64> = (0..30).map(|i| f64::from((i * 7) % 11)).collect();
        let units = Units::independent(30);
        let settings = Settings::new(1, "j");
        let made = jackknife(&units, &settings, &mut |rows| {
            Some(vec![
                rows.iter().map(|&r| values[r]).sum::<f64>() / rows.len() as f64,
                1.0,
            ])
        })
        .unwrap();
        let by_mean = crate::mean(&values, &units, &settings).unwrap();
        assert!((made[0].se - by_mean.se).abs() < 1e-9);
        assert!(
            (made[0].low - by_mean.low).abs() < 1e-9,
            "{made:?} {by_mean:?}"
        );
        assert_eq!(
            (made[1].low, made[1].high, made[1].enough),
            (1.0, 1.0, false)
        );
        // Blocks of a larger sample keep the standard error.
        let many: Vec<f64> = (0..4000).map(|i| f64::from((i * 7919) % 4001)).collect();
        let units = Units::independent(4000);
        let made = jackknife(&units, &settings, &mut |rows| {
            Some(vec![
                rows.iter().map(|&r| many[r]).sum::<f64>() / rows.len() as f64,
            ])
        })
        .unwrap();
        let se = 4001.0 / 12.0_f64.sqrt() / 4000.0_f64.sqrt();
        assert!((made[0].se / se - 1.0).abs() < 0.3, "{} {se}", made[0].se);
        assert!(jackknife(&units, &settings, &mut |_| None).is_err());
    }
}
