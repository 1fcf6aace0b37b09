//! Objects against objects: overlaps, and the best one-to-one matching.

use pathfinding::matrix::Matrix;
use pathfinding::prelude::kuhn_munkres;
use transect_core::{LabelImage, Result};

use crate::semantic::same_size;

/// The IoU thresholds of average precision: 0.5 to 0.95 in steps of 0.05.
pub const THRESHOLDS: [f64; 10] = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

/// A true and a predicted object that share pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Index of the true object, in the order of labels.
    pub truth: usize,
    /// Index of the predicted object, in the order of labels.
    pub pred: usize,
    /// Pixels that both have.
    pub intersection: u64,
    /// Intersection over union, above 0 and at most 1.
    pub iou: f64,
}

/// How the objects of two label images overlap.
///
/// Time grows with the number of pixels and with n log n of the number of runs of equal labels along rows, whatever the
/// labels' values are and however many objects there are.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlaps {
    truth: Vec<(u32, u64)>,
    pred: Vec<(u32, u64)>,
    pairs: Vec<Pair>,
    intersection: u64,
    n_pixels: u64,
}

impl Overlaps {
    /// Counts the overlaps. 0 is background; other labels are objects, in any values.
    ///
    /// # Errors
    /// `T201` when the sizes differ.
    pub fn count(truth: &LabelImage, pred: &LabelImage) -> Result<Self> {
        same_size(truth, pred)?;
        let mut runs: Vec<(u64, u64)> = Vec::new();
        let (mut key, mut length) = (0_u64, 0_u64);
        for (&t, &p) in truth.labels().iter().zip(pred.labels()) {
            let here = (u64::from(t) << 32) | u64::from(p);
            if here == key {
                length += 1;
            } else {
                runs.push((key, length));
                (key, length) = (here, 1);
            }
        }
        runs.push((key, length));
        runs.sort_unstable_by_key(|run| run.0);
        runs.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        let truth_sizes = sizes(runs.iter().map(|&(key, n)| ((key >> 32) as u32, n)));
        let mut by_pred: Vec<(u32, u64)> = runs.iter().map(|&(key, n)| (key as u32, n)).collect();
        by_pred.sort_unstable_by_key(|run| run.0);
        let pred_sizes = sizes(by_pred.into_iter());
        let mut intersection = 0;
        let mut pairs = Vec::new();
        for (key, shared) in runs {
            let (t, p) = ((key >> 32) as u32, key as u32);
            if t == 0 || p == 0 {
                continue;
            }
            intersection += shared;
            // Both labels were counted above, so both searches succeed.
            let (Ok(i), Ok(j)) = (
                truth_sizes.binary_search_by_key(&t, |s| s.0),
                pred_sizes.binary_search_by_key(&p, |s| s.0),
            ) else {
                continue;
            };
            let union = truth_sizes[i].1 + pred_sizes[j].1 - shared;
            pairs.push(Pair {
                truth: i,
                pred: j,
                intersection: shared,
                iou: shared as f64 / union as f64,
            });
        }
        let n_pixels = truth.labels().len() as u64;
        Ok(Self {
            truth: truth_sizes,
            pred: pred_sizes,
            pairs,
            intersection,
            n_pixels,
        })
    }

    /// Number of true objects.
    pub fn n_true(&self) -> usize {
        self.truth.len()
    }

    /// Number of predicted objects.
    pub fn n_pred(&self) -> usize {
        self.pred.len()
    }

    /// Label and size in pixels of each true object, in the order of labels.
    pub fn truth(&self) -> &[(u32, u64)] {
        &self.truth
    }

    /// Label and size in pixels of each predicted object, in the order of labels.
    pub fn pred(&self) -> &[(u32, u64)] {
        &self.pred
    }

    /// Pairs that share pixels, in the order of true, then predicted labels.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// Pixels that are object in both.
    pub fn intersection(&self) -> u64 {
        self.intersection
    }

    /// Pixels that are object in the truth.
    pub fn n_true_px(&self) -> u64 {
        self.truth.iter().map(|s| s.1).sum()
    }

    /// Pixels that are object in either.
    pub fn union(&self) -> u64 {
        self.n_true_px() + self.pred.iter().map(|s| s.1).sum::<u64>() - self.intersection
    }

    /// All pixels.
    pub fn n_pixels(&self) -> u64 {
        self.n_pixels
    }

    /// The best one-to-one matching of objects whose IoU is at least `thresh`: as many pairs as possible, and among the
    /// matchings with as many, the one with the largest sum of IoU (to 1e-9 for a pair).
    ///
    /// At 0.5 and above an object can have two candidates only where both are exact halves of it, so pairs are nearly
    /// always unique; below, the parts of the graph of candidates that hang together are solved one by one (Kuhn and
    /// Munkres: time grows with the cube of the number of objects in a part). Objects that share no pixel are never matched, whatever the threshold.
    pub fn matching(&self, thresh: f64) -> Matching {
        let edges: Vec<&Pair> = self
            .pairs
            .iter()
            .filter(|pair| pair.iou >= thresh)
            .collect();
        let mut chosen: Vec<Pair> = Vec::new();
        for part in parts(&edges, self.n_true(), self.n_pred()) {
            choose(&part, &mut chosen);
        }
        chosen.sort_unstable_by_key(|pair| (pair.truth, pair.pred));
        // Summed from small to large, so that the order of labels changes no bit.
        let mut ious: Vec<f64> = chosen.iter().map(|pair| pair.iou).collect();
        ious.sort_unstable_by(f64::total_cmp);
        Matching {
            n_true: self.n_true(),
            n_pred: self.n_pred(),
            sum_iou: ious.iter().fold(0.0, |sum, iou| sum + iou),
            pairs: chosen,
        }
    }
}

/// Objects and their sizes from runs in the order of labels; background is left out.
fn sizes(runs: impl Iterator<Item = (u32, u64)>) -> Vec<(u32, u64)> {
    let mut sizes: Vec<(u32, u64)> = Vec::new();
    for (label, n) in runs {
        match sizes.last_mut() {
            _ if label == 0 => {}
            Some(last) if last.0 == label => last.1 += n,
            _ => sizes.push((label, n)),
        }
    }
    sizes
}

/// The parts of the graph of candidate pairs that hang together, in the order of their first pair.
fn parts<'a>(edges: &[&'a Pair], n_true: usize, n_pred: usize) -> Vec<Vec<&'a Pair>> {
    fn root(parent: &mut [usize], mut node: usize) -> usize {
        while parent[node] != node {
            parent[node] = parent[parent[node]];
            node = parent[node];
        }
        node
    }
    let mut parent: Vec<usize> = (0..n_true + n_pred).collect();
    for edge in edges {
        let (a, b) = (
            root(&mut parent, edge.truth),
            root(&mut parent, n_true + edge.pred),
        );
        parent[a.max(b)] = a.min(b);
    }
    let mut place = vec![usize::MAX; n_true + n_pred];
    let mut parts: Vec<Vec<&Pair>> = Vec::new();
    for &edge in edges {
        let root = root(&mut parent, edge.truth);
        if place[root] == usize::MAX {
            place[root] = parts.len();
            parts.push(Vec::new());
        }
        parts[place[root]].push(edge);
    }
    parts
}

/// The best matching of one part.
fn choose(part: &[&Pair], chosen: &mut Vec<Pair>) {
    let mut trues: Vec<usize> = part.iter().map(|pair| pair.truth).collect();
    let mut preds: Vec<usize> = part.iter().map(|pair| pair.pred).collect();
    for list in [&mut trues, &mut preds] {
        list.sort_unstable();
        list.dedup();
    }
    if trues.len() == 1 || preds.len() == 1 {
        // One object on one side: its best candidate, the first of equals.
        let best = part
            .iter()
            .copied()
            .reduce(|best, pair| if pair.iou > best.iou { pair } else { best });
        chosen.extend(best.copied());
        return;
    }
    let turned = trues.len() > preds.len();
    let (rows, columns) = if turned {
        (&preds, &trues)
    } else {
        (&trues, &preds)
    };
    // One more pair outweighs any sum of IoU. 2³⁰ steps of IoU leave room for 2¹⁵ objects in one part.
    let steps: i64 = if rows.len() < (1 << 15) {
        1 << 30
    } else {
        1 << 10
    };
    let one = i64::try_from(rows.len() + 1).map_or(i64::MAX, |n| n.saturating_mul(steps));
    let mut weights = Matrix::new(rows.len(), columns.len(), 0_i64);
    let mut lookup = Matrix::new(rows.len(), columns.len(), usize::MAX);
    for (index, pair) in part.iter().enumerate() {
        let (r, c) = if turned {
            (pair.pred, pair.truth)
        } else {
            (pair.truth, pair.pred)
        };
        if let (Ok(r), Ok(c)) = (rows.binary_search(&r), columns.binary_search(&c)) {
            weights[(r, c)] = one + (pair.iou * steps as f64).round() as i64;
            lookup[(r, c)] = index;
        }
    }
    let (_, columns_of_rows) = kuhn_munkres(&weights);
    for (r, c) in columns_of_rows.into_iter().enumerate() {
        if let Some(pair) = part.get(lookup[(r, c)]) {
            chosen.push(**pair);
        }
    }
}

/// A one-to-one matching of true and predicted objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Matching {
    /// Number of true objects.
    pub n_true: usize,
    /// Number of predicted objects.
    pub n_pred: usize,
    /// Matched pairs, in the order of true labels.
    pub pairs: Vec<Pair>,
    /// Their IoU, summed.
    pub sum_iou: f64,
}

impl Matching {
    /// Matched objects.
    pub fn tp(&self) -> usize {
        self.pairs.len()
    }

    /// Predicted objects without a partner.
    pub fn fp(&self) -> usize {
        self.n_pred - self.tp()
    }

    /// True objects without a partner.
    pub fn fn_(&self) -> usize {
        self.n_true - self.tp()
    }

    /// TP/(TP+FP+FN); 1 where there is no object in either. It is not COCO's average precision.
    pub fn average_precision(&self) -> f64 {
        average_precision(self.tp() as f64, self.n_true as f64, self.n_pred as f64)
    }

    /// 2TP/(2TP+FP+FN); 1 where there is no object in either.
    pub fn f1(&self) -> f64 {
        per_mean_count(
            2.0 * self.tp() as f64,
            self.n_true as f64,
            self.n_pred as f64,
        )
    }

    /// ΣIoU/(TP+½FP+½FN); 1 where there is no object in either.
    pub fn panoptic_quality(&self) -> f64 {
        per_mean_count(2.0 * self.sum_iou, self.n_true as f64, self.n_pred as f64)
    }
}

/// TP/(TP+FP+FN) from TP and both counts; 1 where there is no object.
pub(crate) fn average_precision(tp: f64, n_true: f64, n_pred: f64) -> f64 {
    let all = n_true + n_pred - tp;
    if all > 0.0 { tp / all } else { 1.0 }
}

/// F1 from 2TP, panoptic quality from 2ΣIoU: over `n_true` + `n_pred`; 1 where there is no object.
pub(crate) fn per_mean_count(twice: f64, n_true: f64, n_pred: f64) -> f64 {
    let all = n_true + n_pred;
    if all > 0.0 { twice / all } else { 1.0 }
}
