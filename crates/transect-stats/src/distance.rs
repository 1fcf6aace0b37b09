//! Distances between two samples.

use faer::Mat;
use transect_core::Result;

use crate::error::{finite, refused};
use crate::matrix::Matrix;
use crate::quantile::{median, robust_scale, sorted};

/// Means and covariance (over n − 1) of the columns.
pub(crate) fn moments(m: &Matrix) -> (Vec<f64>, Mat<f64>) {
    let (n, d) = (m.rows(), m.columns());
    let mut mean = vec![0.0; d];
    for row in 0..n {
        for (sum, v) in mean.iter_mut().zip(m.row(row)) {
            *sum += v;
        }
    }
    for v in &mut mean {
        *v /= n as f64;
    }
    let centred = Mat::from_fn(n, d, |i, j| m.row(i)[j] - mean[j]);
    let covariance = (centred.transpose() * &centred) * faer::Scale(1.0 / (n as f64 - 1.0));
    (mean, covariance)
}

/// Symmetric square root of a positive semidefinite matrix; rounding below 0 is cut off.
fn square_root(m: &Mat<f64>) -> Result<Mat<f64>> {
    let eigen = m
        .self_adjoint_eigen(faer::Side::Lower)
        .map_err(|_| refused("eigenvalues did not converge"))?;
    let (u, s) = (eigen.U(), eigen.S());
    let roots: Vec<f64> = (0..m.nrows()).map(|i| s[i].max(0.0).sqrt()).collect();
    let scaled = Mat::from_fn(m.nrows(), m.nrows(), |i, j| u[(i, j)] * roots[j]);
    Ok(&scaled * u.transpose())
}

/// Fréchet distance of the Gaussians fitted to two samples: |μ₁−μ₂|² + tr(Σ₁ + Σ₂ − 2(Σ₁^½ Σ₂ Σ₁^½)^½), covariances over
/// n − 1 (Dowson and Landau 1982). Never negative; 0 for equal moments. Biased upwards at small n and not free of units:
/// described, never judged.
///
/// # Errors
/// `T701` when a sample has fewer than two rows, the columns differ, or the eigenvalues do not converge.
pub fn frechet_distance(a: &Matrix, b: &Matrix) -> Result<f64> {
    if a.columns() != b.columns() {
        return Err(refused(format!(
            "samples with {} and {} columns",
            a.columns(),
            b.columns()
        )));
    }
    if a.rows() < 2 || b.rows() < 2 {
        return Err(refused(format!(
            "samples of {} and {} rows have no covariance",
            a.rows(),
            b.rows()
        )));
    }
    let ((mean_a, cov_a), (mean_b, cov_b)) = (moments(a), moments(b));
    let shift: f64 = mean_a
        .iter()
        .zip(&mean_b)
        .map(|(x, y)| (x - y).powi(2))
        .sum();
    let root = square_root(&cov_a)?;
    let inner = &root * &cov_b * &root;
    let symmetric = Mat::from_fn(inner.nrows(), inner.ncols(), |i, j| {
        0.5 * (inner[(i, j)] + inner[(j, i)])
    });
    let values = symmetric
        .self_adjoint_eigenvalues(faer::Side::Lower)
        .map_err(|_| refused("eigenvalues did not converge"))?;
    let cross: f64 = values.iter().map(|v| v.max(0.0).sqrt()).sum();
    let trace: f64 = (0..a.columns())
        .map(|i| cov_a[(i, i)] + cov_b[(i, i)])
        .sum();
    Ok((shift + trace - 2.0 * cross).max(0.0))
}

/// Kolmogorov–Smirnov statistic sup|F₁ − F₂|, in [0, 1]; the distribution functions are compared after each run of equal
/// values, so ties are handled exactly.
///
/// # Errors
/// `T701` for an empty sample or a value that is not finite.
pub fn kolmogorov_smirnov(a: &[f64], b: &[f64]) -> Result<f64> {
    finite("a", a)?;
    finite("b", b)?;
    let (a, b) = (sorted(a), sorted(b));
    let (mut i, mut j, mut largest) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let v = a[i].min(b[j]);
        while i < a.len() && a[i] <= v {
            i += 1;
        }
        while j < b.len() && b[j] <= v {
            j += 1;
        }
        largest = largest.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    Ok(largest)
}

/// (median of target − median of reference) / robust scale of the reference ([`crate::robust_scale`]): by how many of the
/// reference's own spreads the target lies higher. When the reference does not vary: 0 for equal medians, else ±∞.
///
/// # Errors
/// `T701` for an empty sample or a value that is not finite.
pub fn standardised_difference(target: &[f64], reference: &[f64]) -> Result<f64> {
    let shift = median(target)? - median(reference)?;
    let scale = robust_scale(reference)?.scale;
    Ok(if shift == 0.0 {
        0.0
    } else if scale > 0.0 {
        shift / scale
    } else {
        shift.signum() * f64::INFINITY
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frechet_has_its_closed_form_in_one_dimension() {
        let a = Matrix::new(4, 1, vec![0.0, 1.0, 2.0, 3.0]).unwrap();
        let b = Matrix::new(3, 1, vec![10.0, 14.0, 18.0]).unwrap();
        let (va, vb) = (5.0 / 3.0, 16.0_f64);
        let expected = (14.0_f64 - 1.5).powi(2) + (vb.sqrt() - f64::sqrt(va)).powi(2);
        assert!((frechet_distance(&a, &b).unwrap() - expected).abs() < 1e-10);
        assert!(frechet_distance(&a, &a).unwrap() < 1e-12);
    }

    #[test]
    fn kolmogorov_smirnov_handles_ties() {
        assert_eq!(
            kolmogorov_smirnov(&[1.0, 1.0, 2.0], &[1.0, 1.0, 2.0]).unwrap(),
            0.0
        );
        assert_eq!(kolmogorov_smirnov(&[1.0, 2.0], &[3.0]).unwrap(), 1.0);
        assert!((kolmogorov_smirnov(&[1.0, 1.0], &[1.0, 2.0]).unwrap() - 0.5).abs() < 1e-15);
    }

    #[test]
    fn a_reference_without_spread_gives_zero_or_infinity() {
        assert_eq!(standardised_difference(&[1.0], &[1.0, 1.0]).unwrap(), 0.0);
        assert_eq!(
            standardised_difference(&[0.5], &[1.0, 1.0]).unwrap(),
            f64::NEG_INFINITY
        );
        assert!(
            (standardised_difference(&[4.0], &[1.0, 2.0, 3.0]).unwrap() - 2.0 / 1.4826).abs()
                < 1e-12
        );
    }
}
