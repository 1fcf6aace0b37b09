//! Agreement and association of labels.

use transect_core::Result;

use crate::error::same_length;
use crate::folds::check_labels;
use crate::interval::{Estimate, Settings, statistic};
use crate::units::Units;

/// Weighted counts of (a, b), row after row of a.
fn table(a: &[u32], b: &[u32], columns: usize, rows: usize, weights: Option<&[f64]>) -> Vec<f64> {
    let mut out = vec![0.0; rows * columns];
    for (i, (&x, &y)) in a.iter().zip(b).enumerate() {
        out[x as usize * columns + y as usize] += weights.map_or(1.0, |w| w[i]);
    }
    out
}

fn sums(table: &[f64], columns: usize) -> (Vec<f64>, Vec<f64>) {
    let down = (0..columns)
        .map(|j| table.iter().skip(j).step_by(columns).sum())
        .collect();
    let across = table
        .chunks_exact(columns)
        .map(|row| row.iter().sum())
        .collect();
    (across, down)
}

/// Cohen's kappa of two labellings under weights of the rows, for resampling and for paired differences (within
/// [`crate::statistic`]): κ = (p_o − p_e)/(1 − p_e), p_o the share that agrees, p_e = Σ_k p_a(k)·p_b(k). In [−1, 1]; 0 is
/// chance, 1 is ideal. `None` when nothing weighs anything, or both are the same one class (p_e = 1).
///
/// # Panics
/// When lengths differ or a label is not under `classes`.
pub fn kappa_weighted(a: &[u32], b: &[u32], classes: usize, weights: &[f64]) -> Option<f64> {
    assert!(
        a.len() == b.len() && a.len() == weights.len(),
        "labels and weights of different lengths"
    );
    let counts = table(a, b, classes, classes, Some(weights));
    let (across, down) = sums(&counts, classes);
    let n: f64 = across.iter().sum();
    if n <= 0.0 {
        return None;
    }
    let agreed = (0..classes).map(|k| counts[k * classes + k]).sum::<f64>() / n;
    let chance = across.iter().zip(&down).map(|(x, y)| x * y).sum::<f64>() / (n * n);
    (chance < 1.0 - 1e-12).then(|| (agreed - chance) / (1.0 - chance))
}

/// Cohen's kappa with its interval over units (see [`crate::statistic`]); `None` when both labellings are the same one class.
///
/// # Errors
/// `T701` for no rows, lengths that differ, a label that is not under `classes`.
pub fn kappa(
    a: &[u32],
    b: &[u32],
    classes: usize,
    units: &Units,
    settings: &Settings,
) -> Result<Option<Estimate>> {
    check_labels(a, classes)?;
    check_labels(b, classes)?;
    same_length("a", a.len(), "b", b.len())?;
    same_length("a", a.len(), "units", units.rows())?;
    if kappa_weighted(a, b, classes, &vec![1.0; a.len()]).is_none() {
        return Ok(None);
    }
    let settings = settings.clone().range(-1.0, 1.0);
    statistic(units, &settings, &mut |w| kappa_weighted(a, b, classes, w)).map(Some)
}

/// Cramér's V of two labellings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Association {
    /// Bias-corrected V in [0, 1] (Bergsma 2013); 0 is expected under independence.
    pub v: f64,
    /// V without the correction, √(χ²/n / min(r − 1, c − 1)): above 0 even under independence.
    pub uncorrected: f64,
    /// Pearson's χ².
    pub chi_squared: f64,
    /// Degrees of freedom, (r − 1)(c − 1).
    pub df: usize,
}

/// Association of two labellings: Cramér's V, bias-corrected after Bergsma (2013). With φ² = χ²/n, r and c the numbers of classes
/// that occur: φ̃² = max(0, φ² − (r−1)(c−1)/(n−1)), r̃ = r − (r−1)²/(n−1), c̃ alike, V = √(φ̃²/min(r̃−1, c̃−1)). `None` when a side
/// has one class only. Rows count as independent: over groups take the p from [`crate::decodability`] and the interval from a
/// jackknife.
///
/// # Errors
/// `T701` for no rows or lengths that differ.
pub fn cramers_v(a: &[u32], b: &[u32]) -> Result<Option<Association>> {
    let (counts, columns) = compact(a, b)?;
    let (across, down) = sums(&counts, columns);
    let (n, r, c) = (a.len() as f64, across.len() as f64, columns as f64);
    if across.len() < 2 || columns < 2 {
        return Ok(None);
    }
    let mut chi_squared = 0.0;
    for (i, x) in across.iter().enumerate() {
        for (j, y) in down.iter().enumerate() {
            let expected = x * y / n;
            chi_squared += (counts[i * columns + j] - expected).powi(2) / expected;
        }
    }
    let phi = chi_squared / n;
    let corrected = (phi - (r - 1.0) * (c - 1.0) / (n - 1.0)).max(0.0);
    let less = |k: f64| k - (k - 1.0).powi(2) / (n - 1.0);
    let room = less(r).min(less(c)) - 1.0;
    Ok(Some(Association {
        // With as many classes as rows nothing is left to correct.
        v: if room > 1e-12 {
            (corrected / room).sqrt().min(1.0)
        } else {
            0.0
        },
        uncorrected: (phi / (r.min(c) - 1.0)).sqrt().min(1.0),
        chi_squared,
        df: (across.len() - 1) * (columns - 1),
    }))
}

/// Counts of the labels that occur.
fn compact(a: &[u32], b: &[u32]) -> Result<(Vec<f64>, usize)> {
    check_labels(a, u32::MAX as usize)?;
    same_length("a", a.len(), "b", b.len())?;
    let number = |labels: &[u32]| -> (Vec<u32>, usize) {
        let set: std::collections::BTreeSet<u32> = labels.iter().copied().collect();
        let place: std::collections::BTreeMap<u32, u32> = set.into_iter().zip(0_u32..).collect();
        (labels.iter().map(|l| place[l]).collect(), place.len())
    };
    let ((a, rows), (b, columns)) = (number(a), number(b));
    Ok((table(&a, &b, columns, rows, None), columns))
}

/// Adjusted Rand index of two labellings (Hubert and Arabie 1985): agreement over pairs of rows beyond chance, at most 1, 0
/// expected by chance; names of labels play no part. With t = Σ C(n_ij, 2), x = Σ C(n_i·, 2), y = Σ C(n_·j, 2), e = xy/C(n, 2):
/// (t − e)/((x + y)/2 − e). 1 when both put all rows in one part, or each row in its own.
///
/// # Errors
/// `T701` for no rows or lengths that differ.
pub fn adjusted_rand(a: &[u32], b: &[u32]) -> Result<f64> {
    let (counts, columns) = compact(a, b)?;
    let (across, down) = sums(&counts, columns);
    let pairs = |values: &[f64]| values.iter().map(|v| v * (v - 1.0) / 2.0).sum::<f64>();
    let (together, x, y) = (pairs(&counts), pairs(&across), pairs(&down));
    let all = pairs(&[a.len() as f64]);
    let expected = if all > 0.0 { x * y / all } else { 0.0 };
    let room = 0.5 * (x + y) - expected;
    // No room: both are one part, or both all parts of one.
    Ok(if room.abs() < 1e-12 {
        1.0
    } else {
        (together - expected) / room
    })
}

/// Mutual information of two labellings in nats, and its share of the smaller entropy, in [0, 1] (0 where a side has one
/// class). Above 0 even under independence, by about (r − 1)(c − 1)/(2n): descriptive.
///
/// # Errors
/// `T701` for no rows or lengths that differ.
pub fn mutual_information(a: &[u32], b: &[u32]) -> Result<(f64, f64)> {
    let (counts, columns) = compact(a, b)?;
    let (across, down) = sums(&counts, columns);
    let n = a.len() as f64;
    let entropy = |values: &[f64]| {
        values
            .iter()
            .filter(|v| **v > 0.0)
            .map(|v| -(v / n) * (v / n).ln())
            .sum::<f64>()
    };
    let (x, y) = (entropy(&across), entropy(&down));
    let shared = (x + y - entropy(&counts)).max(0.0);
    let least = x.min(y);
    Ok((
        shared,
        if least > 0.0 {
            (shared / least).min(1.0)
        } else {
            0.0
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_class_has_no_agreement_beyond_chance() {
        let one = [0_u32; 8];
        let units = Units::independent(8);
        assert!(
            kappa(&one, &one, 2, &units, &Settings::new(1, "k"))
                .unwrap()
                .is_none()
        );
        assert!(
            cramers_v(&one, &[0, 1, 0, 1, 0, 1, 0, 1])
                .unwrap()
                .is_none()
        );
        assert_eq!(adjusted_rand(&one, &one).unwrap(), 1.0);
        assert_eq!(mutual_information(&one, &one).unwrap(), (0.0, 0.0));
        assert!(kappa(&one, &one[..3], 2, &units, &Settings::new(1, "k")).is_err());
        assert!(kappa(&[2; 8], &one, 2, &units, &Settings::new(1, "k")).is_err());
    }

    #[test]
    fn independence_and_identity_have_their_closed_forms() {
        let a: Vec<u32> = (0..40).map(|i| i % 2).collect();
        let b: Vec<u32> = (0..40).map(|i| i / 2 % 2).collect();
        let w = vec![1.0; 40];
        assert_eq!(kappa_weighted(&a, &b, 2, &w), Some(0.0));
        assert_eq!(kappa_weighted(&a, &a, 2, &w), Some(1.0));
        let none = cramers_v(&a, &b).unwrap().unwrap();
        assert_eq!((none.v, none.chi_squared, none.df), (0.0, 0.0, 1));
        let all = cramers_v(&a, &a).unwrap().unwrap();
        assert!((all.v - 1.0).abs() < 1e-12 && (all.uncorrected - 1.0).abs() < 1e-12);
        let (bits, share) = mutual_information(&a, &a).unwrap();
        assert!((bits - 2.0_f64.ln()).abs() < 1e-12 && (share - 1.0).abs() < 1e-12);
    }
}
