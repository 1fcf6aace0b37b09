//! How many dimensions a table of embeddings uses.

use faer::Mat;
use transect_core::Result;

use crate::error::refused;
use crate::interval::{Estimate, Settings};
use crate::jackknife::jackknife;
use crate::matrix::Matrix;
use crate::units::Units;

/// The spectrum's ranks that the power law is fitted on, beginning with 1: the first few eigenvalues of a network are
/// apart from the law, the last are noise.
const LAW_FROM: usize = 3;
/// Largest rank of the fit, as a share of the eigenvalues that can differ from 0.
const LAW_UP_TO: f64 = 0.5;
/// Fewest eigenvalues for a fit.
const LAW_LEAST: usize = 5;
/// Added to each share of RankMe.
const RANKME_FLOOR: f64 = 1e-7;

/// Dimensions used by n rows of d numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectiveRank {
    /// Rows.
    pub n: usize,
    /// Columns.
    pub d: usize,
    /// exp(−Σ p ln p), p the eigenvalues' shares of their sum (Roy and Vetterli 2007, on the covariance): 1 to min(n − 1, d).
    pub effective_rank: f64,
    /// (Σλ)²/Σλ²: 1 to min(n − 1, d).
    pub participation_ratio: f64,
    /// The largest eigenvalue's share, in (0, 1].
    pub top_share: f64,
    /// RankMe (Garrido et al. 2023): exp(−Σ q ln q), q = σ/Σσ + 1e−7, σ the singular values of the rows as they are, not
    /// centred.
    pub rank_me: f64,
    /// α of λ_i ∝ i^(−α) (Agrawal et al. 2022): least squares of ln λ on ln i over the ranks of `alpha_range`; `None` with
    /// fewer than five eigenvalues above 0 there.
    pub alpha: Option<f64>,
    /// First and last rank of that fit, from 1.
    pub alpha_range: (usize, usize),
    /// Eigenvalues of the covariance (over n − 1), largest first, at most min(n, d).
    pub eigenvalues: Vec<f64>,
}

impl EffectiveRank {
    /// Most dimensions that n rows of d numbers can use, min(n − 1, d): the upper end of the ranks, whose lower end is 1.
    pub fn most(&self) -> f64 {
        self.d.min(self.n - 1) as f64
    }
}

/// The same with intervals over units.
#[derive(Debug, Clone, PartialEq)]
pub struct RankEstimates {
    /// [`EffectiveRank::effective_rank`].
    pub effective_rank: Estimate,
    /// [`EffectiveRank::participation_ratio`].
    pub participation_ratio: Estimate,
    /// [`EffectiveRank::top_share`].
    pub top_share: Estimate,
    /// [`EffectiveRank::rank_me`].
    pub rank_me: Estimate,
}

/// Eigenvalues of XᵀX, largest first, at most min(n, d); rounding below 0 is cut off.
fn squared_singular_values(x: &Mat<f64>) -> Result<Vec<f64>> {
    let gram = if x.nrows() < x.ncols() {
        x * x.transpose()
    } else {
        x.transpose() * x
    };
    let mut values = gram
        .self_adjoint_eigenvalues(faer::Side::Lower)
        .map_err(|_| refused("eigenvalues did not converge"))?;
    values.reverse();
    let top = values.first().copied().unwrap_or(0.0).max(0.0);
    // What rounding leaves of a zero.
    let floor = top * 1e-14 * gram.nrows() as f64;
    for v in &mut values {
        if *v < floor {
            *v = 0.0;
        }
    }
    Ok(values)
}

fn entropy(shares: impl Iterator<Item = f64>) -> f64 {
    shares.filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum()
}

/// Least squares slope of ln λ on ln rank, turned round.
fn law(eigenvalues: &[f64], (first, last): (usize, usize)) -> Option<f64> {
    let points: Vec<(f64, f64)> = (first..=last)
        .filter_map(|rank| {
            let value = *eigenvalues.get(rank - 1)?;
            (value > 0.0).then(|| ((rank as f64).ln(), value.ln()))
        })
        .collect();
    if points.len() < LAW_LEAST {
        return None;
    }
    let n = points.len() as f64;
    let (mx, my) = points
        .iter()
        .fold((0.0, 0.0), |a, p| (a.0 + p.0 / n, a.1 + p.1 / n));
    let (mut xy, mut xx) = (0.0, 0.0);
    for (x, y) in &points {
        xy += (x - mx) * (y - my);
        xx += (x - mx).powi(2);
    }
    Some(-xy / xx)
}

/// Effective rank, participation ratio, top-1 share, RankMe and the spectrum's exponent of a table of embeddings. `None` when
/// all rows are equal: there is no variance to share out.
///
/// All grow with n until n is many times d, so state n/d, compare at the same rows only, and with n < 5d describe only.
/// The fit of α is over ranks 3 to half of min(n − 1, d).
///
/// # Errors
/// `T701` for fewer than two rows.
pub fn effective_rank(embeddings: &Matrix) -> Result<Option<EffectiveRank>> {
    let rows: Vec<usize> = (0..embeddings.rows()).collect();
    effective_rank_of(embeddings, &rows)
}

/// The same of some rows, for [`crate::jackknife`].
///
/// # Errors
/// As [`effective_rank`].
///
/// # Panics
/// When there is no such row.
pub fn effective_rank_of(embeddings: &Matrix, rows: &[usize]) -> Result<Option<EffectiveRank>> {
    let (n, d) = (rows.len(), embeddings.columns());
    if n < 2 {
        return Err(refused(format!("{n} rows have no covariance")));
    }
    let first = embeddings.row(rows[0]);
    if rows.iter().all(|&row| embeddings.row(row) == first) {
        return Ok(None);
    }
    let mut x = Mat::from_fn(n, d, |i, j| embeddings.row(rows[i])[j]);
    let singular: Vec<f64> = squared_singular_values(&x)?
        .into_iter()
        .map(f64::sqrt)
        .collect();
    for j in 0..d {
        let mean = x.col(j).iter().sum::<f64>() / n as f64;
        x.col_mut(j).iter_mut().for_each(|v| *v -= mean);
    }
    let mut eigenvalues = squared_singular_values(&x)?;
    for v in &mut eigenvalues {
        *v /= n as f64 - 1.0;
    }
    let sum: f64 = eigenvalues.iter().sum();
    let squares: f64 = eigenvalues.iter().map(|v| v * v).sum();
    let lengths: f64 = singular.iter().sum();
    if sum <= 0.0 || squares <= 0.0 || lengths <= 0.0 {
        return Ok(None);
    }
    let most = d.min(n - 1);
    let alpha_range = (LAW_FROM, (LAW_UP_TO * most as f64) as usize);
    Ok(Some(EffectiveRank {
        n,
        d,
        effective_rank: entropy(eigenvalues.iter().map(|v| v / sum)).exp(),
        participation_ratio: sum * sum / squares,
        top_share: eigenvalues[0] / sum,
        rank_me: entropy(singular.iter().map(|v| v / lengths + RANKME_FLOOR)).exp(),
        alpha: law(&eigenvalues, alpha_range),
        alpha_range,
        eigenvalues,
    }))
}

/// Intervals of the ranks over units by [`crate::jackknife`]: about their expectation at this n, cut to what ranks can be (1 to
/// min(n − 1, d); shares 0 to 1). `None` when all rows are equal. For a ratio to another table at the same rows call [`crate::jackknife`] with [`effective_rank_of`] on both.
///
/// # Errors
/// `T701` for fewer than two rows, lengths that differ, or when the ranks have no value without one block.
pub fn rank_estimates(
    embeddings: &Matrix,
    units: &Units,
    settings: &Settings,
) -> Result<Option<RankEstimates>> {
    crate::error::same_length("embeddings", embeddings.rows(), "units", units.rows())?;
    let Some(whole) = effective_rank(embeddings)? else {
        return Ok(None);
    };
    let made = jackknife(units, settings, &mut |rows| {
        let of = effective_rank_of(embeddings, rows).ok()??;
        Some(vec![
            of.effective_rank,
            of.participation_ratio,
            of.top_share,
            of.rank_me,
        ])
    })?;
    let Ok([effective_rank, participation_ratio, top_share, rank_me]) =
        <[Estimate; 4]>::try_from(made)
    else {
        return Err(refused("a jackknife lost a quantity"));
    };
    let most = whole.most();
    Ok(Some(RankEstimates {
        effective_rank: effective_rank.within(1.0, most),
        participation_ratio: participation_ratio.within(1.0, most),
        top_share: top_share.within(0.0, 1.0),
        rank_me: rank_me.within(1.0, f64::INFINITY),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_axes_count_in_full_and_one_axis_counts_one() {
        // ± unit vectors: covariance 2/(n−1) on each of four axes.
        let mut data = vec![0.0; 8 * 4];
        for i in 0..8 {
            data[i * 4 + i / 2] = if i % 2 == 0 { 1.0 } else { -1.0 };
        }
        let made = effective_rank(&Matrix::new(8, 4, data).unwrap())
            .unwrap()
            .unwrap();
        assert!((made.effective_rank - 4.0).abs() < 1e-12);
        assert!((made.participation_ratio - 4.0).abs() < 1e-12);
        assert!((made.top_share - 0.25).abs() < 1e-12);
        assert!((made.rank_me - 4.0).abs() < 1e-4);
        assert!((made.eigenvalues[0] - 2.0 / 7.0).abs() < 1e-12);
        assert_eq!(made.alpha, None);
        let line: Vec<f64> = (0..10)
            .flat_map(|i| [f64::from(i), -2.0 * f64::from(i), 5.0])
            .collect();
        let made = effective_rank(&Matrix::new(10, 3, line).unwrap())
            .unwrap()
            .unwrap();
        assert!((made.effective_rank - 1.0).abs() < 1e-9);
        assert!((made.top_share - 1.0).abs() < 1e-12);
        let still = Matrix::new(4, 2, vec![3.0; 8]).unwrap();
        assert_eq!(effective_rank(&still).unwrap(), None);
        assert!(effective_rank(&Matrix::new(1, 2, vec![3.0; 2]).unwrap()).is_err());
    }

    #[test]
    fn bounds_of_ranks_stay_where_ranks_can_be() {
        // One long axis: without a few of the rows beside it the rank is 1, so that Student's t alone reaches under it.
        let data: Vec<f64> = (0..12)
            .flat_map(|i| [f64::from(i), if i == 3 { 2.0 } else { 0.0 }])
            .collect();
        let x = Matrix::new(12, 2, data).unwrap();
        let units = Units::independent(12);
        let settings = Settings::new(1, "r");
        let plain = jackknife(&units, &settings, &mut |rows| {
            Some(vec![
                effective_rank_of(&x, rows).ok()??.effective_rank,
                effective_rank_of(&x, rows).ok()??.top_share,
            ])
        })
        .unwrap();
        assert!(plain[0].low < 1.0 && plain[1].high > 1.0, "{plain:?}");
        let made = rank_estimates(&x, &units, &settings).unwrap().unwrap();
        for (e, high) in [
            (&made.effective_rank, 2.0),
            (&made.participation_ratio, 2.0),
            (&made.rank_me, f64::INFINITY),
        ] {
            assert!(e.low >= 1.0 && e.low <= e.estimate, "{e:?}");
            assert!(e.estimate <= e.high && e.high <= high, "{e:?}");
        }
        assert!(made.top_share.high <= 1.0);
        // Nothing else is touched.
        assert_eq!(made.effective_rank.estimate, plain[0].estimate);
        assert_eq!(made.effective_rank.high, plain[0].high);
    }

    #[test]
    fn a_power_law_gives_its_exponent() {
        let values: Vec<f64> = (1..=40).map(|i| f64::from(i).powf(-1.3)).collect();
        assert!((law(&values, (3, 20)).unwrap() - 1.3).abs() < 1e-12);
        assert_eq!(law(&values, (3, 6)), None);
    }
}
