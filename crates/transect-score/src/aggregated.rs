//! The aggregated Jaccard index: pixels of objects that are the same object.

use crate::matching::{Overlaps, Pair};
use crate::semantic::iou;

/// AJI (Kumar et al. 2017): each true object goes with the predicted one of the highest IoU (of equals the one that begins first, row by row), which may serve
/// several; the sum of their intersections over the sum of their unions, to which predicted objects that serve none and true
/// objects that meet none are added. No object in either is 1.
pub(crate) fn aji(overlaps: &Overlaps) -> f64 {
    let mut best: Vec<Option<&Pair>> = vec![None; overlaps.n_true()];
    for pair in overlaps.pairs() {
        let kept = &mut best[pair.truth];
        let begins = |p: &Pair| overlaps.pred_begins(p.pred);
        if kept.is_none_or(|k| pair.iou > k.iou || (pair.iou == k.iou && begins(pair) < begins(k)))
        {
            *kept = Some(pair);
        }
    }
    aggregate(overlaps, best.into_iter().flatten())
}

/// AJI+ (Graham et al. 2019): as [`aji`], each predicted object serving one true object at most, by the matching with the largest
/// sum of IoU.
pub(crate) fn aji_plus(overlaps: &Overlaps) -> f64 {
    aggregate(overlaps, overlaps.largest_sum().iter())
}

fn aggregate<'a>(overlaps: &Overlaps, pairs: impl Iterator<Item = &'a Pair>) -> f64 {
    let (mut met, mut serving) = (
        vec![false; overlaps.n_true()],
        vec![false; overlaps.n_pred()],
    );
    let (mut shared, mut union) = (0, 0);
    for pair in pairs {
        shared += pair.intersection;
        union += overlaps.truth()[pair.truth].1 + overlaps.pred()[pair.pred].1 - pair.intersection;
        met[pair.truth] = true;
        serving[pair.pred] = true;
    }
    let left = |objects: &[(u32, u64)], used: &[bool]| -> u64 {
        objects
            .iter()
            .zip(used)
            .filter(|(_, used)| !**used)
            .map(|(object, _)| object.1)
            .sum()
    };
    union += left(overlaps.truth(), &met) + left(overlaps.pred(), &serving);
    iou(shared as f64, union as f64)
}
