//! Many tests at once.

use transect_core::{Result, Stream};

use crate::distance::standardised_difference;
use crate::error::{finite, refused, same_length};
use crate::interval::Settings;
use crate::permute::Cells;
use crate::rank::{auroc, mid_ranks};
use crate::units::Units;

/// Holm's step-down adjusted p, in the order given: with p₍₁₎ ≤ … ≤ p₍ₘ₎, max over j ≤ i of min(1, (m − j + 1) p₍ⱼ₎) (Holm
/// 1979). Valid under any dependence.
///
/// ```
/// let p = transect_stats::holm(&[0.01, 0.04, 0.03]).unwrap();
/// assert!((p[0] - 0.03).abs() < 1e-15 && (p[1] - 0.06).abs() < 1e-15 && (p[2] - 0.06).abs() < 1e-15);
/// ```
///
/// # Errors
/// `T701` when a p is not within [0, 1]. An empty list gives an empty list.
pub fn holm(p: &[f64]) -> Result<Vec<f64>> {
    if let Some(p) = p.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(refused(format!("a p of {p}")));
    }
    let order = crate::rank::ascending(p);
    let mut out = vec![0.0; p.len()];
    let mut largest = 0.0_f64;
    for (rank, &index) in order.iter().enumerate() {
        largest = largest.max(((p.len() - rank) as f64 * p[index]).min(1.0));
        out[index] = largest;
    }
    Ok(out)
}

/// One attribute, tested between target and reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttributeTest {
    /// Probability that the attribute is higher in the target than in the reference (AUC, ties half); 0.5 is no shift.
    pub auc: f64,
    /// (median of target − median of reference) / robust scale of the reference; see [`crate::standardised_difference`].
    pub difference: f64,
    /// Standardised rank sum, |z|.
    pub statistic: f64,
    /// Permutation p of this attribute alone.
    pub p: f64,
    /// Permutation p adjusted over all attributes (Westfall–Young step-down max-T).
    pub p_adjusted: f64,
    /// Rows with a value in the target and in the reference.
    pub n: (usize, usize),
}

/// Westfall–Young step-down max-T over attributes: which differ between target and reference, with whole groups permuted
/// within strata. `columns[a][i]` is attribute a of row i (`None` where missing: left out for that attribute),
/// `target[i]` tells the samples apart, `units` are over all rows. `None` for an attribute without a value on one side.
///
/// The statistic is the rank sum of the target within strata (ranks centred and divided by N+1: van Elteren's), over its
/// exact standard deviation when labels of groups are permuted. p = (1+b)/(1+m). An attribute that does not vary has
/// statistic 0 and p 1. It sees shifts of location, not of spread alone. If [`Units`] are few no p can be small: the
/// second result is the smallest p possible.
///
/// # Errors
/// `T701` for no attribute, lengths that differ, values that are not finite, one side empty, no permutations.
pub fn max_t(
    columns: &[Vec<Option<f64>>],
    target: &[bool],
    units: &Units,
    permutations: usize,
    settings: &Settings,
) -> Result<(Vec<Option<AttributeTest>>, f64)> {
    if columns.is_empty() || permutations == 0 {
        return Err(refused("no attribute, or no permutations"));
    }
    let cells = Cells::new(target, units)?;
    cells.at_least(1)?;
    let stratum_of_row: Vec<u32> = units
        .group_of
        .iter()
        .map(|&group| units.stratum_of_group[group as usize])
        .collect();
    let mut tests: Vec<Option<AttributeTest>> = Vec::with_capacity(columns.len());
    let mut used: Vec<usize> = Vec::new();
    // Centred, standardised sum of each cell, by attribute used.
    let mut sums: Vec<Vec<f64>> = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        same_length("attribute", column.len(), "target", target.len())?;
        let present: Vec<usize> = (0..column.len())
            .filter(|&row| column[row].is_some())
            .collect();
        let values: Vec<f64> = present.iter().filter_map(|&row| column[row]).collect();
        let of = |side: bool| -> Vec<f64> {
            present
                .iter()
                .zip(&values)
                .filter(|(row, _)| target[**row] == side)
                .map(|(_, v)| *v)
                .collect()
        };
        let (t, r) = (of(true), of(false));
        if t.is_empty() || r.is_empty() {
            tests.push(None);
            continue;
        }
        finite("attribute", &values)?;
        let labels: Vec<bool> = present.iter().map(|&row| target[row]).collect();
        let mut by_cell = vec![0.0; cells.target.len()];
        for stratum in 0..units.strata() as u32 {
            let rows: Vec<usize> = present
                .iter()
                .copied()
                .filter(|&row| stratum_of_row[row] == stratum)
                .collect();
            let ranks = mid_ranks(
                &rows
                    .iter()
                    .filter_map(|&row| column[row])
                    .collect::<Vec<_>>(),
            );
            let n = rows.len() as f64;
            for (&row, rank) in rows.iter().zip(&ranks) {
                by_cell[cells.of_row[row] as usize] += (rank - 0.5 * (n + 1.0)) / (n + 1.0);
            }
        }
        let mut variance = 0.0;
        for set in &cells.strata {
            let g = set.len() as f64;
            let targets = set.iter().filter(|&&cell| cells.target[cell]).count() as f64;
            if set.len() > 1 {
                let mean = set.iter().map(|&cell| by_cell[cell]).sum::<f64>() / g;
                let squares: f64 = set.iter().map(|&cell| (by_cell[cell] - mean).powi(2)).sum();
                variance += targets * (g - targets) / (g * (g - 1.0)) * squares;
            }
        }
        let sd = variance.sqrt();
        for v in &mut by_cell {
            *v = if sd > 1e-12 { *v / sd } else { 0.0 };
        }
        tests.push(Some(AttributeTest {
            auc: auroc(&values, &labels)?.unwrap_or(0.5),
            difference: standardised_difference(&t, &r)?,
            statistic: 0.0,
            p: 1.0,
            p_adjusted: 1.0,
            n: (t.len(), r.len()),
        }));
        used.push(index);
        sums.push(by_cell);
    }
    // Cell by cell, all attributes side by side.
    let width = used.len();
    let table: Vec<f64> = (0..cells.target.len())
        .flat_map(|cell| sums.iter().map(move |s| s[cell]))
        .collect();
    let statistics = |labels: &[bool], out: &mut [f64]| {
        out.fill(0.0);
        for (cell, row) in table.chunks_exact(width.max(1)).enumerate() {
            if labels[cell] {
                out.iter_mut().zip(row).for_each(|(o, v)| *o += v);
            }
        }
        for o in out.iter_mut() {
            *o = o.abs();
        }
    };
    let mut observed = vec![0.0; width];
    statistics(&cells.target, &mut observed);
    // From the largest statistic down.
    let mut order = crate::rank::ascending(&observed);
    order.reverse();
    let mut alone = vec![0_usize; width];
    let mut stepped = vec![0_usize; width];
    let mut stream = Stream::new(settings.seed, "stats/max_t", &[settings.key.as_bytes()]);
    let mut labels = cells.target.clone();
    let mut drawn = vec![0.0; width];
    for _ in 0..permutations {
        Cells::shuffle(&cells.strata, &cells.target, &mut stream, &mut labels);
        statistics(&labels, &mut drawn);
        let mut largest = 0.0_f64;
        for &a in order.iter().rev() {
            largest = largest.max(drawn[a]);
            alone[a] += usize::from(drawn[a] >= observed[a] - 1e-9);
            stepped[a] += usize::from(largest >= observed[a] - 1e-9);
        }
    }
    let p = |count: usize| (1 + count) as f64 / (1 + permutations) as f64;
    let mut least = 0.0_f64;
    for &a in &order {
        least = least.max(p(stepped[a]));
        if let Some(test) = &mut tests[used[a]] {
            test.statistic = observed[a];
            test.p = p(alone[a]);
            test.p_adjusted = least;
        }
    }
    Ok((tests, cells.smallest_p(&cells.strata, permutations)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_keeps_order_and_is_capped() {
        assert_eq!(holm(&[]).unwrap(), Vec::<f64>::new());
        assert_eq!(holm(&[0.6, 0.7]).unwrap(), vec![1.0, 1.0]);
        assert_eq!(holm(&[f64::NAN]).unwrap_err().code.id, "T701");
        assert_eq!(holm(&[1.1]).unwrap_err().code.id, "T701");
    }

    #[test]
    fn a_moved_attribute_is_found_among_still_ones() {
        let mut stream = Stream::new(3, "test", &[]);
        let target: Vec<bool> = (0..80).map(|i| i % 2 == 0).collect();
        let mut columns: Vec<Vec<Option<f64>>> = (0..20)
            .map(|_| (0..80).map(|_| Some(stream.normal())).collect())
            .collect();
        for (row, v) in columns[7].iter_mut().enumerate() {
            *v = v.map(|v| v + if target[row] { 1.5 } else { 0.0 });
        }
        columns.push(vec![Some(1.0); 80]);
        columns.push((0..80).map(|i| target[i].then_some(1.0)).collect());
        let settings = Settings::new(1, "t");
        let (tests, smallest) =
            max_t(&columns, &target, &Units::independent(80), 499, &settings).unwrap();
        assert_eq!(smallest, 1.0 / 500.0);
        let found: Vec<usize> = (0..20)
            .filter(|&a| tests[a].is_some_and(|t| t.p_adjusted <= 0.05))
            .collect();
        assert_eq!(found, vec![7]);
        assert!(tests[7].unwrap().auc > 0.75);
        assert_eq!(tests[20].unwrap().p, 1.0);
        assert!(tests[21].is_none());
        for test in tests.iter().flatten() {
            assert!(test.p_adjusted >= test.p);
        }
    }
}
