//! Ranks and AUROC.

use transect_core::Result;

use crate::error::{finite, same_length};

/// Indices in ascending order of value; equal values by index.
pub(crate) fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    order
}

/// Ranks of checked values.
pub(crate) fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let order = ascending(values);
    let mut out = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && values[order[end]] == values[order[start]] {
            end += 1;
        }
        let rank = 0.5 * (start + end + 1) as f64;
        for &index in &order[start..end] {
            out[index] = rank;
        }
        start = end;
    }
    out
}

/// Ranks from 1, ties at their mean.
///
/// # Errors
/// `T701` for no values or one that is not finite.
pub fn ranks(values: &[f64]) -> Result<Vec<f64>> {
    finite("values", values)?;
    Ok(mid_ranks(values))
}

/// Probability that a positive scores above a negative, ties half: Mann and Whitney's U / (n₊n₋), in [0, 1], higher is
/// better. `None` without a positive or without a negative.
///
/// # Errors
/// `T701` for no rows, lengths that differ, scores that are not finite.
pub fn auroc(scores: &[f64], positive: &[bool]) -> Result<Option<f64>> {
    finite("scores", scores)?;
    same_length("scores", scores.len(), "positive", positive.len())?;
    Ok(auroc_weighted(
        scores,
        positive,
        &ascending(scores),
        &vec![1.0; scores.len()],
    ))
}

/// The same with weights of the rows, given the rows in ascending order of score (`order`), for resampling: sort once,
/// then O(n). `None` when the positives or the negatives weigh nothing.
///
/// # Panics
/// When `order` names a row that is not there.
pub fn auroc_weighted(
    scores: &[f64],
    positive: &[bool],
    order: &[usize],
    weights: &[f64],
) -> Option<f64> {
    let (mut pairs, mut positives, mut negatives) = (0.0, 0.0, 0.0);
    let mut start = 0;
    while start < order.len() {
        let score = scores[order[start]];
        let (mut up, mut down) = (0.0, 0.0);
        while start < order.len() && scores[order[start]] == score {
            let row = order[start];
            if positive[row] {
                up += weights[row];
            } else {
                down += weights[row];
            }
            start += 1;
        }
        pairs += up * (negatives + 0.5 * down);
        positives += up;
        negatives += down;
    }
    (positives > 0.0 && negatives > 0.0).then(|| pairs / (positives * negatives))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_rank_and_count_half() {
        assert_eq!(
            ranks(&[2.0, 1.0, 2.0, 3.0]).unwrap(),
            vec![2.5, 1.0, 2.5, 4.0]
        );
        assert_eq!(
            auroc(&[1.0, 1.0, 1.0], &[true, false, false]).unwrap(),
            Some(0.5)
        );
        assert_eq!(auroc(&[0.0, 1.0], &[false, true]).unwrap(), Some(1.0));
        assert_eq!(auroc(&[0.0, 1.0], &[true, true]).unwrap(), None);
    }

    #[test]
    fn weights_count_as_repeats() {
        let (scores, positive) = ([0.1, 0.4, 0.4, 0.8, 0.3], [false, true, false, true, true]);
        let order = ascending(&scores);
        let weighted = auroc_weighted(&scores, &positive, &order, &[2.0, 1.0, 3.0, 0.0, 1.0]);
        let repeated = auroc(
            &[0.1, 0.1, 0.4, 0.4, 0.4, 0.4, 0.3],
            &[false, false, true, false, false, false, true],
        )
        .unwrap();
        assert!((weighted.unwrap() - repeated.unwrap()).abs() < 1e-15);
    }
}
