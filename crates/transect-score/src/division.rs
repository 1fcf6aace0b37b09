//! Objects that were merged, and objects that were split.

use crate::matching::Overlaps;

/// Merges and splits. An object lies in another when more than half of its pixels do, so in one at most.
///
/// - Merges: true objects that lie in one predicted object together with others, beyond the first of each.
/// - Splits: predicted objects that lie in one true object together with others, beyond the first of each.
///
/// An object that is only touched counts in neither.
pub(crate) fn merges_and_splits(overlaps: &Overlaps) -> [u64; 2] {
    let mut held = vec![0_u64; overlaps.n_pred()];
    let mut holds = vec![0_u64; overlaps.n_true()];
    for pair in overlaps.pairs() {
        if 2 * pair.intersection > overlaps.truth()[pair.truth].1 {
            held[pair.pred] += 1;
        }
        if 2 * pair.intersection > overlaps.pred()[pair.pred].1 {
            holds[pair.truth] += 1;
        }
    }
    let beyond = |counts: &[u64]| counts.iter().map(|n| n.saturating_sub(1)).sum();
    [beyond(&held), beyond(&holds)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use transect_core::LabelImage;

    fn of(truth: &[u32], pred: &[u32]) -> [u64; 2] {
        let image = |labels: &[u32]| LabelImage::new(1, labels.len(), labels.to_vec()).unwrap();
        merges_and_splits(&Overlaps::count(&image(truth), &image(pred)).unwrap())
    }

    #[test]
    fn one_that_holds_three_is_two_merges_and_the_reverse_two_splits() {
        let (three, one) = ([1, 1, 2, 2, 3, 3], [1, 1, 1, 1, 1, 1]);
        assert_eq!(of(&three, &one), [2, 0]);
        assert_eq!(of(&one, &three), [0, 2]);
    }

    #[test]
    fn halves_and_touches_lie_in_nothing() {
        // Each predicted object has exactly half of itself in the true one.
        assert_eq!(of(&[1, 1, 1, 1, 0, 0], &[1, 1, 2, 2, 2, 2]), [0, 0]);
        assert_eq!(of(&[0, 0], &[0, 0]), [0, 0]);
        assert_eq!(of(&[1, 1, 1, 2, 2, 2], &[1, 1, 1, 1, 2, 2]), [0, 0]);
    }
}
