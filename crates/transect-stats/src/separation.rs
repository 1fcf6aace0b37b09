//! Hidden strata: attributes that fall into two separate parts, and attributes that split alike.

use std::collections::BTreeMap;

use transect_core::Result;

use crate::agreement::adjusted_rand;
use crate::dip::{dip, null};
use crate::error::{refused, same_length};
use crate::interval::Settings;
use crate::multiplicity::holm;
use crate::quantile::of_sorted;
use crate::tails::bisect;

/// Fewest values for a split.
const LEAST: usize = 20;
/// Least share of a part.
const PART: f64 = 0.1;
/// Ashman's D from which two parts count as separate.
const SEPARATE: f64 = 2.0;
/// Adjusted Rand index from which two splits count as one.
const ALIKE: f64 = 0.8;
/// Samples of the dip's null.
const SAMPLES: usize = 4_999;
/// Shares at which the fit begins.
const STARTS: [f64; 5] = [0.15, 0.3, 0.5, 0.7, 0.85];
/// Least variance of a part, as a share of that of all.
const FLOOR: f64 = 1e-4;

/// An attribute in two parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// Values above this are in the upper part.
    pub at: f64,
    /// Ashman's D = √2·|μ₁ − μ₂| / √(σ₁² + σ₂²) of two fitted normals: over 2 the parts are separate.
    pub separation: f64,
    /// Whether each row is in the upper part; `None` where the attribute is missing.
    pub upper: Vec<Option<bool>>,
    /// Share of the upper part, 0.1 to 0.9.
    pub share: f64,
    /// Hartigan's dip of the values, ties spread.
    pub dip: f64,
    /// p of the dip against one mode, (1+b)/(1+4,999), rows taken as independent; `None` for an attribute with two values
    /// only, which is in two parts by nature.
    pub p: Option<f64>,
}

/// Attributes that split alike: a hidden stratum.
#[derive(Debug, Clone, PartialEq)]
pub struct HiddenStratum {
    /// Indices of the attributes, the most separate first.
    pub attributes: Vec<usize>,
    /// Their splits, in that order.
    pub splits: Vec<Split>,
    /// Adjusted Rand index of each with the first.
    pub agreement: Vec<f64>,
    /// Holm-adjusted p of the first over all attributes tested; `None` for one with two values only.
    pub p_adjusted: Option<f64>,
}

/// Sorted values with ties spread evenly over the step of the values, so that rounding makes no modes. The step is the smallest gap
/// between values that occur more than once (a few values that were interpolated lie between the steps and are no step); where only
/// one does, between any two.
fn spread_ties(sorted: &[f64]) -> Vec<f64> {
    let smallest = |values: &[f64]| {
        values
            .windows(2)
            .map(|w| w[1] - w[0])
            .filter(|g| *g > 0.0)
            .fold(f64::INFINITY, f64::min)
    };
    let repeated: Vec<f64> = sorted
        .chunk_by(|a, b| a == b)
        .filter(|run| run.len() > 1)
        .map(|run| run[0])
        .collect();
    let step = if repeated.len() > 1 {
        smallest(&repeated)
    } else {
        smallest(sorted)
    };
    let mut out = Vec::with_capacity(sorted.len());
    for run in sorted.chunk_by(|a, b| a == b) {
        let m = run.len() as f64;
        for (i, v) in run.iter().enumerate() {
            out.push(v + step * ((i as f64 + 0.5) / m - 0.5));
        }
    }
    out.sort_unstable_by(f64::total_cmp);
    // Where the step is below the resolution of the numbers, order still stands.
    for i in 1..out.len() {
        if out[i] <= out[i - 1] {
            out[i] = out[i - 1].next_up();
        }
    }
    out
}

/// Two normals: shares, means, variances.
#[derive(Debug, Clone, Copy)]
struct Two {
    share: [f64; 2],
    mean: [f64; 2],
    variance: [f64; 2],
}

impl Two {
    fn log_parts(&self, x: f64) -> [f64; 2] {
        [0, 1].map(|k| {
            self.share[k].ln()
                - 0.5 * self.variance[k].ln()
                - 0.5 * (x - self.mean[k]).powi(2) / self.variance[k]
        })
    }
}

/// Two normals fitted by expectation and maximisation from a first cut; with their log-likelihood, up to a constant.
fn fit(x: &[f64], cut: usize) -> Option<(Two, f64)> {
    let moments = |v: &[f64]| {
        let n = v.len() as f64;
        let mean = v.iter().sum::<f64>() / n;
        (mean, v.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / n)
    };
    let n = x.len() as f64;
    let floor = FLOOR * moments(x).1;
    let (a, b) = (moments(&x[..cut]), moments(&x[cut..]));
    let mut two = Two {
        share: [cut as f64 / n, 1.0 - cut as f64 / n],
        mean: [a.0, b.0],
        variance: [a.1.max(floor), b.1.max(floor)],
    };
    let mut last = f64::NEG_INFINITY;
    for _ in 0..500 {
        // Sums of responsibility, of it times x, and of it times x², about the mean of all for precision.
        let (mut sums, mut likelihood) = ([[0.0; 3]; 2], 0.0);
        let origin = a.0;
        for &v in x {
            let parts = two.log_parts(v);
            let top = parts[0].max(parts[1]);
            let total = top + ((parts[0] - top).exp() + (parts[1] - top).exp()).ln();
            likelihood += total;
            let d = v - origin;
            for (sum, part) in sums.iter_mut().zip(parts) {
                let r = (part - total).exp();
                sum[0] += r;
                sum[1] += r * d;
                sum[2] += r * d * d;
            }
        }
        if sums.iter().any(|s| s[0] < 1.0) {
            return None;
        }
        for (k, [r, d, dd]) in sums.into_iter().enumerate() {
            two.share[k] = r / n;
            two.mean[k] = origin + d / r;
            two.variance[k] = (dd / r - (d / r).powi(2)).max(floor);
        }
        if likelihood - last < 1e-9 * n {
            return Some((two, likelihood));
        }
        last = likelihood;
    }
    Some((two, last))
}

/// Splits an attribute in two: two normals fitted by maximum likelihood (outer hundredths of the values drawn in), cut between their
/// means where both are as likely. `None` when there is no such cut with a tenth of the values or more on each side, or fewer
/// than 20 values, or all equal. Ties are spread over the smallest gap between values; an attribute with two values only is cut
/// between them, if each has a tenth.
///
/// D is large for a long tail, too: the dip must say that there is more than one mode. Its null is the uniform distribution
/// (least favourable for large n, so a unimodal attribute is called split less often than p says).
///
/// # Errors
/// `T701` for a value that is not finite.
pub fn separation(values: &[Option<f64>], settings: &Settings) -> Result<Option<Split>> {
    split(values, settings, &mut BTreeMap::new())
}

fn split(
    values: &[Option<f64>],
    settings: &Settings,
    nulls: &mut BTreeMap<usize, Vec<f64>>,
) -> Result<Option<Split>> {
    let mut sorted: Vec<f64> = values.iter().copied().flatten().collect();
    if let Some(v) = sorted.iter().find(|v| !v.is_finite()) {
        return Err(refused(format!("an attribute holds {v}")));
    }
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    if n < LEAST || sorted[0] == sorted[n - 1] {
        return Ok(None);
    }
    let distinct = sorted.chunk_by(|a, b| a == b).count();
    let x = spread_ties(&sorted);
    let measured = dip(&x);
    let (at, separation) = if distinct == 2 {
        // Each value fills the gap around it evenly: D = gap / √(gap²/12).
        (0.5 * (sorted[0] + sorted[n - 1]), 12.0_f64.sqrt())
    } else {
        let (low, high) = (of_sorted(&x, 0.01), of_sorted(&x, 0.99));
        let drawn_in: Vec<f64> = x.iter().map(|v| v.clamp(low, high)).collect();
        let mut best: Option<(f64, f64, f64)> = None;
        for start in STARTS {
            let Some((two, likelihood)) = fit(&drawn_in, (start * n as f64) as usize) else {
                continue;
            };
            let apart = |v: f64| {
                let parts = two.log_parts(v);
                parts[1] - parts[0]
            };
            let (lower, upper) = (two.mean[0], two.mean[1]);
            // The parts keep their order from the first cut, or the fit is no split.
            if lower >= upper || apart(lower) >= 0.0 || apart(upper) <= 0.0 {
                continue;
            }
            let at = bisect(lower, upper, |v| apart(v) < 0.0);
            let above = (n - sorted.partition_point(|v| *v <= at)) as f64 / n as f64;
            if !(PART..=1.0 - PART).contains(&above) {
                continue;
            }
            let d = 2.0_f64.sqrt() * (upper - lower) / (two.variance[0] + two.variance[1]).sqrt();
            if best.is_none_or(|b| likelihood > b.0 + 1e-6 * n as f64) {
                best = Some((likelihood, at, d));
            }
        }
        let Some((_, at, d)) = best else {
            return Ok(None);
        };
        (at, d)
    };
    let upper: Vec<Option<bool>> = values.iter().map(|v| v.map(|v| v > at)).collect();
    let share = upper.iter().flatten().filter(|u| **u).count() as f64 / n as f64;
    if !(PART..=1.0 - PART).contains(&share) {
        return Ok(None);
    }
    let p = (distinct > 2).then(|| {
        let drawn = nulls
            .entry(n)
            .or_insert_with(|| null(n, SAMPLES, settings.seed));
        let scaled = measured * (n as f64).sqrt();
        let as_large = drawn.len() - drawn.partition_point(|v| *v < scaled - 1e-12);
        (1 + as_large) as f64 / (1 + drawn.len()) as f64
    });
    Ok(Some(Split {
        at,
        separation,
        upper,
        share,
        dip: measured,
        p,
    }))
}

/// Hidden strata of a table of attributes: each attribute is split by itself ([`separation`]); those with D of at least 2 and a
/// Holm-adjusted p of at most 0.05 over all attributes tested (or two values only) are kept, the most separate first; an attribute
/// whose split agrees with the first of a stratum (adjusted Rand index of at least 0.8 over the rows that both know) joins it.
/// `columns[a][i]` is attribute a of row i.
///
/// Attributes that say one thing twice (width and height) make one stratum. What a stratum is, and whether it goes with the label,
/// is for the caller: [`crate::cramers_v`].
///
/// # Errors
/// `T701` for columns of different lengths or a value that is not finite.
pub fn hidden_strata(
    columns: &[Vec<Option<f64>>],
    settings: &Settings,
) -> Result<Vec<HiddenStratum>> {
    let rows = columns.first().map_or(0, Vec::len);
    let mut nulls = BTreeMap::new();
    let mut made: Vec<(usize, Split, Option<usize>)> = Vec::new();
    let mut tested: Vec<f64> = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        same_length("column", column.len(), "first column", rows)?;
        let split = split(column, settings, &mut nulls)?;
        let place = match &split {
            Some(split) => split.p,
            // Without a cut it was looked at, and nothing found.
            None => varies(column).then_some(1.0),
        }
        .map(|p| {
            tested.push(p);
            tested.len() - 1
        });
        if let Some(split) = split {
            made.push((index, split, place));
        }
    }
    let adjusted = holm(&tested)?;
    made.retain(|(_, split, place)| {
        split.separation >= SEPARATE && place.is_none_or(|i| adjusted[i] <= 0.05)
    });
    made.sort_by(|a, b| {
        b.1.separation
            .total_cmp(&a.1.separation)
            .then(a.0.cmp(&b.0))
    });
    let mut strata: Vec<HiddenStratum> = Vec::new();
    for (index, split, tested) in made {
        let mut home = None;
        for (place, stratum) in strata.iter().enumerate() {
            if let Some(rand) = alike(&stratum.splits[0], &split)?
                && rand >= ALIKE
            {
                home = Some((place, rand));
                break;
            }
        }
        match home {
            Some((place, rand)) => {
                strata[place].attributes.push(index);
                strata[place].splits.push(split);
                strata[place].agreement.push(rand);
            }
            None => strata.push(HiddenStratum {
                attributes: vec![index],
                p_adjusted: tested.map(|i| adjusted[i]),
                splits: vec![split],
                agreement: vec![1.0],
            }),
        }
    }
    Ok(strata)
}

/// Whether an attribute has enough values, and more than two different ones.
fn varies(column: &[Option<f64>]) -> bool {
    let mut present: Vec<f64> = column.iter().copied().flatten().collect();
    present.sort_unstable_by(f64::total_cmp);
    present.len() >= LEAST && present.chunk_by(|a, b| a == b).nth(2).is_some()
}

/// Adjusted Rand index of two splits over the rows that both know; `None` when these are too few.
fn alike(a: &Split, b: &Split) -> Result<Option<f64>> {
    let (x, y): (Vec<u32>, Vec<u32>) = a
        .upper
        .iter()
        .zip(&b.upper)
        .filter_map(|(a, b)| Some((u32::from((*a)?), u32::from((*b)?))))
        .unzip();
    if x.len() < LEAST {
        return Ok(None);
    }
    adjusted_rand(&x, &y).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use transect_core::Stream;

    fn settings() -> Settings {
        Settings::new(1, "s")
    }

    fn normals(stream: &mut Stream, n: usize, upper: usize, apart: f64) -> Vec<Option<f64>> {
        (0..n)
            .map(|i| Some(stream.normal() + if i < upper { apart } else { 0.0 }))
            .collect()
    }

    /// Levels of one normal, a few of them interpolated between two levels: one mode.
    #[test]
    fn interpolated_levels_make_no_modes() {
        let mut stream = Stream::new(9, "interpolated", &[]);
        let mut found = 0;
        for _ in 0..60 {
            let column = (0..200)
                .map(|_| {
                    let level = (2.0 * stream.normal()).round();
                    Some(if stream.uniform() < 0.012 {
                        level + 0.37
                    } else {
                        level
                    })
                })
                .collect();
            found += hidden_strata(&[column], &settings()).unwrap().len().min(1);
        }
        // 17 of 40 where the step was taken to be the smallest gap.
        assert!(found <= 7, "{found} of 60");
    }

    #[test]
    fn two_parts_are_found_and_named_alike() {
        let mut stream = Stream::new(5, "test", &[]);
        let a = normals(&mut stream, 200, 60, 7.0);
        let b: Vec<Option<f64>> = normals(&mut stream, 200, 60, 5.0)
            .into_iter()
            .map(|v| v.map(|v| -100.0 * v))
            .collect();
        let noise: Vec<Vec<Option<f64>>> =
            (0..10).map(|_| normals(&mut stream, 200, 0, 0.0)).collect();
        // A long tail, image sizes of two kinds that go with nothing, counts.
        let tail = (0..200).map(|_| Some(stream.normal().exp())).collect();
        let sizes = (0..200)
            .map(|i| Some(if i % 3 == 0 { 512.0 } else { 1024.0 }))
            .collect();
        let counts = (0..200).map(|_| Some(stream.poisson(4.0))).collect();
        let mut columns = vec![b, tail, sizes, counts, a];
        columns.extend(noise);
        let found = hidden_strata(&columns, &settings()).unwrap();
        let attributes: Vec<Vec<usize>> = found.iter().map(|s| s.attributes.clone()).collect();
        assert_eq!(attributes, vec![vec![4, 0], vec![2]], "{found:?}");
        let truth: Vec<u32> = (0..200).map(|i| u32::from(i < 60)).collect();
        let ours: Vec<u32> = found[0].splits[0]
            .upper
            .iter()
            .map(|u| u32::from(u.unwrap()))
            .collect();
        assert!(adjusted_rand(&ours, &truth).unwrap() > 0.95);
        assert!((found[0].splits[0].separation - 7.0).abs() < 1.0);
        assert!(found[1].p_adjusted.is_none());
    }

    #[test]
    fn missing_values_have_no_part() {
        let mut stream = Stream::new(6, "test", &[]);
        let mut values = normals(&mut stream, 100, 50, 8.0);
        values[7] = None;
        let split = separation(&values, &settings()).unwrap().unwrap();
        assert_eq!(split.upper[7], None);
        assert_eq!(split.upper[8], Some(true));
        assert!(split.p.unwrap() <= 0.001);
        assert!(separation(&values[..15], &settings()).unwrap().is_none());
        assert!(separation(&[Some(3.0); 50], &settings()).unwrap().is_none());
        assert!(separation(&[Some(f64::NAN); 50], &settings()).is_err());
        assert!(separation(&[None; 50], &settings()).unwrap().is_none());
    }

    #[test]
    fn rounding_makes_no_modes() {
        let mut stream = Stream::new(7, "test", &[]);
        let rounded: Vec<Option<f64>> = (0..300)
            .map(|_| Some((2.0 * stream.normal()).round()))
            .collect();
        let p = separation(&rounded, &settings()).unwrap().and_then(|s| s.p);
        assert!(p.is_none_or(|p| p > 0.2), "{p:?}");
    }
}
