//! Objects against objects: overlaps, and the best one-to-one matching.

use transect_core::{LabelImage, Result};

use crate::assignment::assign;
use crate::semantic::same_size;

/// Steps of IoU in what a pair gains.
const STEPS: i64 = 1 << 30;

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
    /// Where each predicted object begins, row by row: the order of equals, which no labels change.
    pred_begins: Vec<usize>,
    truth_begins: Vec<usize>,
    pairs: Vec<Pair>,
    intersection: u64,
    n_pixels: u64,
}

/// Pixels of one pair of labels.
#[derive(Debug, Clone, Copy)]
struct Run {
    key: u64,
    length: u64,
    begins: usize,
}

impl Overlaps {
    /// Counts the overlaps. 0 is background; other labels are objects, in any values.
    ///
    /// # Errors
    /// `T201` when the sizes differ.
    pub fn count(truth: &LabelImage, pred: &LabelImage) -> Result<Self> {
        same_size(truth, pred)?;
        let mut runs: Vec<Run> = Vec::new();
        let mut run = Run {
            key: 0,
            length: 0,
            begins: 0,
        };
        for (at, (&t, &p)) in truth.labels().iter().zip(pred.labels()).enumerate() {
            let key = (u64::from(t) << 32) | u64::from(p);
            if key == run.key {
                run.length += 1;
            } else {
                runs.push(run);
                run = Run {
                    key,
                    length: 1,
                    begins: at,
                };
            }
        }
        runs.push(run);
        runs.sort_unstable_by_key(|run| (run.key, run.begins));
        runs.dedup_by(|next, kept| {
            let same = next.key == kept.key;
            if same {
                kept.length += next.length;
            }
            same
        });
        let (truth_sizes, truth_begins) = objects(&runs, |run| (run.key >> 32) as u32);
        let (pred_sizes, pred_begins) = objects(&runs, |run| run.key as u32);
        let mut intersection = 0;
        let mut pairs = Vec::new();
        for Run {
            key,
            length: shared,
            ..
        } in runs
        {
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
            pred_begins,
            truth_begins,
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

    /// Where a predicted object begins, row by row.
    pub(crate) fn pred_begins(&self, pred: usize) -> usize {
        self.pred_begins[pred]
    }

    /// All pixels.
    pub fn n_pixels(&self) -> u64 {
        self.n_pixels
    }

    /// The best one-to-one matching of objects whose IoU is at least `thresh`: as many pairs as possible, and among the
    /// matchings with as many, the one with the largest sum of IoU (to 1e-9 for a pair).
    ///
    /// At 0.5 and above an object can have two candidates only where both are exact halves of it, so pairs are nearly
    /// always unique; below, the parts of the graph of candidates that hang together are solved one by one. Objects that share no
    /// pixel are never matched, whatever the threshold.
    pub fn matching(&self, thresh: f64) -> Matching {
        let mut chosen = self.chosen(thresh, true);
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

    /// The matching with the largest sum of IoU (to 1e-9 for a pair), in the order of true labels: a pair is left out where two
    /// others gain more together.
    pub(crate) fn largest_sum(&self) -> Vec<Pair> {
        let mut chosen = self.chosen(0.0, false);
        chosen.sort_unstable_by_key(|pair| (pair.truth, pair.pred));
        chosen
    }

    /// Pairs of the best matching; with `most_pairs` one more pair outweighs any sum of IoU.
    fn chosen(&self, thresh: f64, most_pairs: bool) -> Vec<Pair> {
        let edges: Vec<&Pair> = self
            .pairs
            .iter()
            .filter(|pair| pair.iou >= thresh)
            .collect();
        let mut chosen: Vec<Pair> = Vec::new();
        for part in parts(&edges, self.n_true(), self.n_pred()) {
            self.choose(&part, most_pairs, &mut chosen);
        }
        chosen
    }

    /// The best matching of one part. Among equals the one of the objects that begin first.
    fn choose(&self, part: &[&Pair], most_pairs: bool, chosen: &mut Vec<Pair>) {
        let mut trues: Vec<usize> = part
            .iter()
            .map(|pair| self.truth_begins[pair.truth])
            .collect();
        let mut preds: Vec<usize> = part
            .iter()
            .map(|pair| self.pred_begins[pair.pred])
            .collect();
        for list in [&mut trues, &mut preds] {
            list.sort_unstable();
            list.dedup();
        }
        // Sums of as many gains as there are objects must stay below 2⁶³.
        let most = i64::try_from(trues.len().min(preds.len())).unwrap_or(i64::MAX >> 32);
        let steps = if most < 1 << 15 { STEPS } else { STEPS >> 20 };
        let one = if most_pairs { (most + 1) * steps } else { 0 };
        let mut candidates: Vec<(usize, usize, &Pair)> = part
            .iter()
            .map(|&pair| {
                (
                    place(&trues, self.truth_begins[pair.truth]),
                    place(&preds, self.pred_begins[pair.pred]),
                    pair,
                )
            })
            .collect();
        candidates.sort_unstable_by_key(|c| (c.0, c.1));
        let mut gains: Vec<Vec<(usize, i64)>> = vec![Vec::new(); trues.len()];
        for &(t, p, pair) in &candidates {
            gains[t].push((p, (one + (pair.iou * steps as f64).round() as i64).max(1)));
        }
        let given = assign(&gains, preds.len());
        chosen.extend(
            candidates
                .iter()
                .filter(|&&(t, p, _)| given[t] == Some(p))
                .map(|c| *c.2),
        );
    }
}

/// Place of a value in an ascending list that holds it.
fn place(list: &[usize], value: usize) -> usize {
    list.partition_point(|&v| v < value)
}

/// Objects in the order of labels, with their sizes, and where each begins; background is left out.
fn objects(runs: &[Run], label: impl Fn(&Run) -> u32) -> (Vec<(u32, u64)>, Vec<usize>) {
    let mut sorted: Vec<(u32, usize, u64)> = runs
        .iter()
        .filter(|run| label(run) != 0)
        .map(|run| (label(run), run.begins, run.length))
        .collect();
    sorted.sort_unstable();
    let mut sizes: Vec<(u32, u64)> = Vec::new();
    let mut begins: Vec<usize> = Vec::new();
    for (label, at, n) in sorted {
        match sizes.last_mut() {
            Some(last) if last.0 == label => last.1 += n,
            _ => {
                sizes.push((label, n));
                begins.push(at);
            }
        }
    }
    (sizes, begins)
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
