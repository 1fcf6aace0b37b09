//! Second-order surfaces over the field.

/// Coefficients of row, column, row², row·column, column² over rows and columns in [−1, 1].
pub(crate) type Surface = [f64; 5];

/// Positions of `n` pixel centres in [−1, 1]; 0 where there is one.
pub(crate) fn positions(n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| {
            if n == 1 {
                0.0
            } else {
                2.0 * i as f64 / (n - 1) as f64 - 1.0
            }
        })
        .collect()
}

/// The surface's value, without a constant.
pub(crate) fn value(surface: &Surface, row: f64, column: f64) -> f64 {
    let [r, c, rr, rc, cc] = *surface;
    r * row + c * column + rr * row * row + rc * row * column + cc * column * column
}

/// The field of light whose logarithm the surface is, on `rows` × `columns` pixels, with a mean of 1.
pub(crate) fn field(surface: &Surface, rows: usize, columns: usize) -> Vec<f64> {
    let across = positions(columns);
    let mut field = Vec::with_capacity(rows * columns);
    for r in positions(rows) {
        field.extend(across.iter().map(|&c| value(surface, r, c).exp()));
    }
    let mean = field.iter().sum::<f64>() / field.len() as f64;
    for f in &mut field {
        *f /= mean;
    }
    field
}

/// Weighted least squares of `value ≈ constant + surface` over points (row, column, value, weight). `None` where the
/// points do not determine it. The constant comes first.
pub(crate) fn fit(points: &[(f64, f64, f64, f64)]) -> Option<(f64, Surface)> {
    let mut normal = [[0.0_f64; 7]; 6];
    for &(row, column, value, weight) in points {
        let terms = [1.0, row, column, row * row, row * column, column * column];
        for (i, line) in normal.iter_mut().enumerate() {
            for (j, cell) in line.iter_mut().take(6).enumerate() {
                *cell += weight * terms[i] * terms[j];
            }
            line[6] += weight * terms[i] * value;
        }
    }
    let solution = solve(normal)?;
    Some((
        solution[0],
        [
            solution[1],
            solution[2],
            solution[3],
            solution[4],
            solution[5],
        ],
    ))
}

/// Solves six equations by elimination with partial pivoting.
fn solve(mut m: [[f64; 7]; 6]) -> Option<[f64; 6]> {
    let scale = m.iter().flatten().fold(0.0_f64, |a, &b| a.max(b.abs()));
    if scale.is_nan() || scale == 0.0 {
        return None;
    }
    for i in 0..6 {
        let pivot = (i..6).max_by(|&a, &b| m[a][i].abs().total_cmp(&m[b][i].abs()))?;
        if m[pivot][i].abs() < 1e-9 * scale {
            return None;
        }
        m.swap(i, pivot);
        let line = m[i];
        for (r, row) in m.iter_mut().enumerate() {
            if r != i {
                let factor = row[i] / line[i];
                for (cell, above) in row.iter_mut().zip(line).skip(i) {
                    *cell -= factor * above;
                }
            }
        }
    }
    let mut solution = [0.0; 6];
    for (i, value) in solution.iter_mut().enumerate() {
        *value = m[i][6] / m[i][i];
    }
    Some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surface_is_found_again() {
        let truth = [0.1, -0.2, -0.3, 0.05, 0.4];
        let points: Vec<_> = positions(7)
            .into_iter()
            .flat_map(|r| {
                positions(5)
                    .into_iter()
                    .map(move |c| (r, c, 2.0 + value(&truth, r, c), 1.0))
            })
            .collect();
        let (constant, surface) = fit(&points).unwrap();
        assert!((constant - 2.0).abs() < 1e-12);
        for (a, b) in surface.iter().zip(truth) {
            assert!((a - b).abs() < 1e-12, "{surface:?}");
        }
        assert!(fit(&points[..4]).is_none());
    }
}
