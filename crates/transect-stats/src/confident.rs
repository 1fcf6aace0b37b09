//! Confident learning: labels that held-out probabilities contradict.

use transect_core::Result;

use crate::error::{refused, same_length};
use crate::folds::check_labels;
use crate::matrix::Matrix;

/// A row whose label is in doubt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Doubt {
    /// Row.
    pub row: usize,
    /// Class that it is confidently counted as.
    pub likelier: u32,
    /// Probability of the label it carries.
    pub self_confidence: f64,
    /// Probability of its label minus the largest other one, in [−1, 1]: the lower the more suspicious.
    pub margin: f64,
}

/// What confident learning says of a table's labels.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelDoubts {
    /// Mean probability of class k over the rows labelled k, by class; `None` for a class without rows.
    pub thresholds: Vec<Option<f64>>,
    /// Rows in doubt, the lowest margin first (ties: the lower row).
    pub doubts: Vec<Doubt>,
    /// Confident joint: counts by (label, confident class), row after row. Rows that reach no threshold are in none.
    pub joint: Vec<usize>,
}

/// Labels that out-of-sample probabilities contradict (Northcutt, Jiang and Chuang 2021).
///
/// Threshold of class k: t_k, the mean probability of k over the rows labelled k. A row counts confidently as the class of
/// largest probability among those with p_k ≥ t_k (ties: its own label, then the lower class). It is in doubt when that is
/// not the class of its label. Probabilities must be held out (the model never saw the row, or [`crate::probe_classes`]).
/// A doubt is no proof: a wrong model doubts right labels, too.
///
/// # Errors
/// `T701` when lengths differ, a label is not under the number of columns, or a row is no distribution.
pub fn label_doubts(probabilities: &Matrix, labels: &[u32]) -> Result<LabelDoubts> {
    let classes = probabilities.columns();
    check_labels(labels, classes)?;
    same_length(
        "probabilities",
        probabilities.rows(),
        "labels",
        labels.len(),
    )?;
    let mut sums = vec![(0.0, 0_usize); classes];
    for (row, &label) in labels.iter().enumerate() {
        let p = probabilities.row(row);
        if p.iter().any(|v| *v < 0.0) || (p.iter().sum::<f64>() - 1.0).abs() > 1e-3 {
            return Err(refused(format!("row {row} is no distribution")));
        }
        sums[label as usize].0 += p[label as usize];
        sums[label as usize].1 += 1;
    }
    let thresholds: Vec<Option<f64>> = sums
        .iter()
        .map(|&(sum, n)| (n > 0).then(|| sum / n as f64))
        .collect();
    let mut joint = vec![0; classes * classes];
    let mut doubts = Vec::new();
    for (row, &label) in labels.iter().enumerate() {
        let p = probabilities.row(row);
        // Rounding of a mean of equal numbers must not put a row under its own threshold.
        let reached = |k: usize| thresholds[k].is_some_and(|t| p[k] >= t - 1e-9);
        let own = label as usize;
        let mut best = reached(own).then_some(own);
        for k in (0..classes).filter(|&k| k != own && reached(k)) {
            if best.is_none_or(|b| p[k] > p[b]) {
                best = Some(k);
            }
        }
        let Some(confident) = best else { continue };
        joint[own * classes + confident] += 1;
        if confident != own {
            let other = (0..classes)
                .filter(|&k| k != own)
                .fold(0.0, |a: f64, k| a.max(p[k]));
            doubts.push(Doubt {
                row,
                likelier: confident as u32,
                self_confidence: p[own],
                margin: p[own] - other,
            });
        }
    }
    doubts.sort_by(|a, b| a.margin.total_cmp(&b.margin).then(a.row.cmp(&b.row)));
    Ok(LabelDoubts {
        thresholds,
        doubts,
        joint,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_label_is_the_only_one_in_doubt() {
        let mut data = Vec::new();
        let mut labels = Vec::new();
        for i in 0..20_u32 {
            let first = if i < 10 { 0.9 } else { 0.1 };
            data.extend([first, 1.0 - first]);
            labels.push(u32::from(i >= 10));
        }
        labels[3] = 1;
        let made = label_doubts(&Matrix::new(20, 2, data).unwrap(), &labels).unwrap();
        assert_eq!(made.doubts.len(), 1);
        let doubt = made.doubts[0];
        assert_eq!((doubt.row, doubt.likelier), (3, 0));
        assert!((doubt.margin + 0.8).abs() < 1e-12 && (doubt.self_confidence - 0.1).abs() < 1e-12);
        // t_1 = (10 · 0.9 + 0.1)/11.
        assert!((made.thresholds[1].unwrap() - 9.1 / 11.0).abs() < 1e-12);
        assert_eq!(made.joint, vec![9, 0, 1, 10]);
    }

    #[test]
    fn a_class_without_rows_doubts_nobody() {
        let p = Matrix::new(2, 3, vec![0.2, 0.1, 0.7, 0.1, 0.2, 0.7]).unwrap();
        let made = label_doubts(&p, &[0, 1]).unwrap();
        assert!(made.doubts.is_empty() && made.thresholds[2].is_none());
        assert!(label_doubts(&p, &[0, 3]).is_err());
        let bad = Matrix::new(1, 2, vec![0.9, 0.9]).unwrap();
        assert!(label_doubts(&bad, &[0]).is_err());
    }
}
