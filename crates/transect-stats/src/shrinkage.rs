//! Covariances shrunk towards a sphere, and their inverses.

use faer::Mat;
use faer::linalg::solvers::{Llt, Solve};
use transect_core::Result;

use crate::error::refused;

fn factor(m: &Mat<f64>) -> Result<Llt<f64>> {
    m.llt(faer::Side::Lower)
        .map_err(|_| refused("a covariance is not positive"))
}

/// Cholesky factor of (1 − γ)S + γ·tr(S)/d·I for a covariance S and a share γ.
pub(crate) fn shrunk(mut covariance: Mat<f64>, share: f64) -> Result<Llt<f64>> {
    let d = covariance.nrows();
    let trace = (0..d).map(|i| covariance[(i, i)].max(0.0)).sum::<f64>() / d as f64;
    for i in 0..d {
        for j in 0..d {
            covariance[(i, j)] *= 1.0 - share;
        }
        covariance[(i, i)] += share * trace.max(1e-12);
    }
    factor(&covariance)
}

/// The covariance S = XᵀX/n of centred rows X (n × d), to be shrunk by any share and solved: with d × d matrices, or, when
/// there are more columns than rows, with n × n ones (Woodbury).
pub(crate) struct Scatter {
    rows: Mat<f64>,
    /// XᵀX/n, or XXᵀ where the rows are fewer.
    core: Mat<f64>,
    wide: bool,
    /// tr(S)/d.
    trace: f64,
}

impl Scatter {
    pub(crate) fn new(rows: Mat<f64>) -> Self {
        let (n, d) = (rows.nrows(), rows.ncols());
        let wide = d > n;
        let core = if wide {
            &rows * rows.transpose()
        } else {
            (rows.transpose() * &rows) * faer::Scale(1.0 / n as f64)
        };
        let sum: f64 = (0..core.nrows()).map(|i| core[(i, i)]).sum();
        let trace = if wide { sum / n as f64 } else { sum } / d as f64;
        Self {
            rows,
            core,
            wide,
            trace,
        }
    }

    /// ((1 − γ)S + γ·tr(S)/d·I)⁻¹ times the columns of `right` (d × k), for 0 < γ ≤ 1.
    pub(crate) fn solve(&self, share: f64, right: &Mat<f64>) -> Result<Mat<f64>> {
        if !self.wide {
            return Ok(shrunk(self.core.clone(), share)?.solve(right));
        }
        let sphere = share * self.trace.max(1e-12);
        if share >= 1.0 {
            return Ok(right * faer::Scale(1.0 / sphere));
        }
        let n = self.rows.nrows();
        let mut inner = self.core.clone();
        for i in 0..n {
            inner[(i, i)] += n as f64 * sphere / (1.0 - share);
        }
        let part = factor(&inner)?.solve(&self.rows * right);
        Ok((right - self.rows.transpose() * part) * faer::Scale(1.0 / sphere))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use transect_core::Stream;

    #[test]
    fn both_forms_solve_what_they_say() {
        let mut stream = Stream::new(1, "test", &[]);
        for (n, d) in [(12, 5), (5, 12), (7, 7)] {
            let x = Mat::from_fn(n, d, |_, _| stream.normal());
            let b = Mat::from_fn(d, 2, |_, _| stream.normal());
            let s = (x.transpose() * &x) * faer::Scale(1.0 / n as f64);
            let trace = (0..d).map(|i| s[(i, i)]).sum::<f64>() / d as f64;
            let scatter = Scatter::new(x);
            for share in [1.0, 0.3, 1e-4] {
                let solved = scatter.solve(share, &b).unwrap();
                let back =
                    &s * &solved * faer::Scale(1.0 - share) + &solved * faer::Scale(share * trace);
                for i in 0..d {
                    for j in 0..2 {
                        assert!((back[(i, j)] - b[(i, j)]).abs() < 1e-8, "{n} {d} {share}");
                    }
                }
            }
        }
    }
}
