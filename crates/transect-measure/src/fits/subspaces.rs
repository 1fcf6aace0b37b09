//! Subspaces of the audited model's embedding, and the embeddings that swaps of them need.

use std::collections::{BTreeMap, BTreeSet};

use faer::Mat;
use transect_core::fit::Subspace;
use transect_core::{AUDITED, Digest, Fits, Result, Stream, ViewKind};
use transect_table::{EmbeddingRow, EmbeddingTable, read};

use super::Sources;
use crate::parts::embedding_file;

/// Rows that directions are fitted on, at most.
const ROWS: usize = 500;
/// Directions that are kept, at most.
const DIRECTIONS: usize = 32;
/// Directions with less variance than this share of the first are rounding.
const FLOOR: f64 = 1e-10;
/// Random rotations.
const RANDOM: u32 = 5;

/// Fits `top` and `random:0` to `random:4` on the embeddings at the head's layer (identity, stage 1, at most 500 rows by
/// hash), and keeps the embeddings of all rows that give or take in the plan's swaps.
///
/// `top`: the principal directions of the covariance over n − 1, the first 32 at most, each with its largest component
/// positive. `random:<i>`: those directions turned by a random rotation (uniform: the orthogonal factor of a matrix of normal
/// numbers), so that it spans the same.
pub(super) fn fit(sources: &Sources<'_>, fits: &mut Fits) -> Result<()> {
    let context = &sources.job.context;
    let Some(layer) = &context.head_layer else {
        return Ok(());
    };
    let mut wanted: BTreeSet<u32> = BTreeSet::new();
    for record in sources.items {
        for view in sources.partner_views(record.item.row) {
            if view.kind != ViewKind::Subspace {
                continue;
            }
            wanted.insert(record.item.row);
            let donor = view
                .pool
                .as_ref()
                .and_then(|pool| fits.pools.get(pool))
                .and_then(|pool| pool.donor(context.seed, record.image_sha256, view.replicate));
            wanted.extend(donor.map(|d| d.row));
        }
    }
    let mut chosen: BTreeMap<(Digest, u32), Vec<f32>> = BTreeMap::new();
    let file = embedding_file(sources.job.source.model_id(AUDITED), layer);
    for part in sources.own {
        let path = part.join(&file);
        if !path.is_file() {
            continue;
        }
        read::<EmbeddingTable>(&path, &mut |rows| {
            for EmbeddingRow {
                row,
                image_sha256,
                view_id,
                values,
            } in rows.drain(..)
            {
                if view_id != "identity" {
                    continue;
                }
                if wanted.contains(&row) {
                    fits.embeddings.insert(row, values.clone());
                }
                let key = Digest::of_parts([
                    &context.seed.to_le_bytes()[..],
                    b"subspace",
                    &image_sha256.0,
                ]);
                chosen.insert((key, row), values);
                if chosen.len() > ROWS {
                    chosen.pop_last();
                }
            }
            Ok(())
        })?;
    }
    let rows: Vec<&[f32]> = chosen.values().map(Vec::as_slice).collect();
    let Some(top) = principal(&rows) else {
        return Ok(());
    };
    for index in 0..RANDOM {
        let mut stream = Stream::new(context.seed, "model/subspace", &[&index.to_le_bytes()]);
        fits.subspaces
            .insert(format!("random:{index}"), turned(&top, &mut stream));
    }
    fits.subspaces.insert("top".to_owned(), top);
    Ok(())
}

/// The principal directions of some rows; `None` for fewer than two, for rows of several lengths or with values that are not
/// finite, and where no row differs.
fn principal(rows: &[&[f32]]) -> Option<Subspace> {
    let (n, d) = (rows.len(), rows.first()?.len());
    if n < 2
        || rows
            .iter()
            .any(|r| r.len() != d || r.iter().any(|v| !v.is_finite()))
    {
        return None;
    }
    let mean: Vec<f64> = (0..d)
        .map(|j| rows.iter().map(|r| f64::from(r[j])).sum::<f64>() / n as f64)
        .collect();
    let x = Mat::from_fn(n, d, |i, j| f64::from(rows[i][j]) - mean[j]);
    // The smaller of the two products has the same eigenvalues.
    let wide = n <= d;
    let product = if wide {
        &x * x.transpose()
    } else {
        x.transpose() * &x
    };
    let size = product.nrows();
    let eigen = product.self_adjoint_eigen(faer::Side::Lower).ok()?;
    let (u, s) = (eigen.U(), eigen.S());
    let largest = s[size - 1].max(0.0);
    let (mut directions, mut variances): (Vec<Vec<f64>>, Vec<f64>) = (Vec::new(), Vec::new());
    for k in (0..size).rev().take(DIRECTIONS) {
        if s[k] <= FLOOR * largest || largest == 0.0 {
            break;
        }
        let mut direction: Vec<f64> = if wide {
            (0..d)
                .map(|j| (0..n).map(|i| x[(i, j)] * u[(i, k)]).sum())
                .collect()
        } else {
            (0..d).map(|j| u[(j, k)]).collect()
        };
        // Orthonormal to the last digit, which the product with the rows is not.
        for known in &directions {
            let along: f64 = direction.iter().zip(known).map(|(a, b)| a * b).sum();
            direction
                .iter_mut()
                .zip(known)
                .for_each(|(a, b)| *a -= along * b);
        }
        let norm = direction.iter().map(|v| v * v).sum::<f64>().sqrt();
        let peak = direction
            .iter()
            .fold(0.0_f64, |m, v| if v.abs() > m.abs() { *v } else { m });
        let scale = if peak < 0.0 { -norm } else { norm };
        for value in &mut direction {
            *value /= scale;
        }
        directions.push(direction);
        variances.push(s[k] / (n - 1) as f64);
    }
    (!directions.is_empty()).then_some(Subspace {
        directions,
        variances,
    })
}

/// The same directions, turned at random among themselves.
fn turned(top: &Subspace, stream: &mut Stream) -> Subspace {
    let r = top.directions.len();
    // Gram and Schmidt on rows of normal numbers, twice for the last digits: a uniform rotation.
    let mut rotation: Vec<Vec<f64>> = Vec::with_capacity(r);
    for _ in 0..r {
        let mut row: Vec<f64> = (0..r).map(|_| stream.normal()).collect();
        for _ in 0..2 {
            for known in &rotation {
                let along: f64 = row.iter().zip(known).map(|(a, b)| a * b).sum();
                row.iter_mut().zip(known).for_each(|(a, b)| *a -= along * b);
            }
            let norm = row.iter().map(|v| v * v).sum::<f64>().sqrt();
            for value in &mut row {
                *value /= norm;
            }
        }
        rotation.push(row);
    }
    let d = top.directions.first().map_or(0, Vec::len);
    let directions = rotation
        .iter()
        .map(|row| {
            let mut direction = vec![0.0; d];
            for (weight, top) in row.iter().zip(&top.directions) {
                for (out, value) in direction.iter_mut().zip(top) {
                    *out += weight * value;
                }
            }
            direction
        })
        .collect();
    let variances = rotation
        .iter()
        .map(|row| row.iter().zip(&top.variances).map(|(w, v)| w * w * v).sum())
        .collect();
    Subspace {
        directions,
        variances,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize, d: usize) -> Vec<Vec<f32>> {
        let mut stream = Stream::new(3, "rows", &[]);
        (0..n)
            .map(|_| {
                let common = stream.normal();
                (0..d)
                    .map(|j| (3.0 * common * (j as f64 + 1.0).sin() + stream.normal()) as f32)
                    .collect()
            })
            .collect()
    }

    fn product(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn directions_are_orthonormal_and_carry_their_variances() {
        for (n, d) in [(60, 7), (12, 40)] {
            let rows = rows(n, d);
            let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
            let top = principal(&rows).unwrap();
            assert_eq!(top.directions.len(), d.min(n - 1).min(DIRECTIONS));
            assert!(top.variances.is_sorted_by(|a, b| a >= b));
            let random = turned(&top, &mut Stream::new(1, "turn", &[]));
            for subspace in [&top, &random] {
                for (i, a) in subspace.directions.iter().enumerate() {
                    for (j, b) in subspace.directions.iter().enumerate() {
                        let expected = f64::from(u8::from(i == j));
                        assert!((product(a, b) - expected).abs() < 1e-9, "{i} {j}");
                    }
                    let along: Vec<f64> = rows
                        .iter()
                        .map(|r| r.iter().zip(a).map(|(x, q)| f64::from(*x) * q).sum())
                        .collect();
                    let mean = along.iter().sum::<f64>() / n as f64;
                    let variance =
                        along.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
                    assert!(
                        (variance - subspace.variances[i]).abs() < 1e-6 * top.variances[0],
                        "{variance} {}",
                        subspace.variances[i]
                    );
                }
            }
            // The same span: the whole variance stays.
            let sum = |s: &Subspace| s.variances.iter().sum::<f64>();
            assert!((sum(&top) - sum(&random)).abs() < 1e-9 * sum(&top));
        }
    }

    #[test]
    fn rows_that_do_not_differ_have_no_directions() {
        let row = vec![1.0_f32, 2.0];
        assert!(principal(&[&row, &row, &row]).is_none());
        assert!(principal(&[&row]).is_none());
    }
}
