//! The best one-dimensional function: what a single feature tells about a class or a value.

use transect_core::Result;

use crate::error::{finite, same_length};
use crate::folds::{Folds, check_labels};
use crate::matrix::Matrix;
use crate::probe::largest;
use crate::quantile::of_sorted;
use crate::rank::ascending;

/// Numbers of quantile bins tried; 1 is the function that does not look.
pub const BINS: [usize; 4] = [1, 4, 8, 16];
/// The finest.
const FINEST: usize = 16;

/// Held-out predictions of classes by the best function of one feature.
#[derive(Debug, Clone, PartialEq)]
pub struct SingleClasses {
    /// The commonest class of the row's bin among the training rows: for accuracy and κ. Ties go to the lower class.
    pub predicted: Vec<u32>,
    /// The class whose share in the bin is largest beside its share of all: for balanced accuracy and macro F1.
    pub balanced: Vec<u32>,
    /// The feature chosen in each outer fold; means nothing where `bins` is 1.
    pub feature: Vec<usize>,
    /// The number of bins chosen in each outer fold.
    pub bins: Vec<usize>,
}

/// Held-out predictions of a value by the best function of one feature.
#[derive(Debug, Clone, PartialEq)]
pub struct SingleValue {
    /// Mean of the training rows in the row's bin.
    pub predicted: Vec<f64>,
    /// The feature chosen in each outer fold; means nothing where `bins` is 1.
    pub feature: Vec<usize>,
    /// The number of bins chosen in each outer fold.
    pub bins: Vec<usize>,
}

/// The features by column, and their rows in ascending order.
struct Columns {
    values: Vec<Vec<f64>>,
    order: Vec<Vec<usize>>,
}

impl Columns {
    fn new(features: &Matrix) -> Self {
        let values: Vec<Vec<f64>> = (0..features.columns())
            .map(|j| (0..features.rows()).map(|i| features.row(i)[j]).collect())
            .collect();
        let order = values.iter().map(|v| ascending(v)).collect();
        Self { values, order }
    }

    /// The finest bin of every row, cut at the quantiles of the rows in `train`.
    fn finest(&self, feature: usize, train: &[bool], out: &mut [u8]) {
        let (values, order) = (&self.values[feature], &self.order[feature]);
        let sorted: Vec<f64> = order
            .iter()
            .filter(|&&row| train[row])
            .map(|&row| values[row])
            .collect();
        let edges: [f64; FINEST - 1] =
            std::array::from_fn(|i| of_sorted(&sorted, (i + 1) as f64 / FINEST as f64));
        let mut bin = 0;
        for &row in order {
            while bin < FINEST - 1 && values[row] > edges[bin] {
                bin += 1;
            }
            out[row] = bin as u8;
        }
    }
}

/// Sums over bins of k numbers a row, for each of [`BINS`].
fn tally(k: usize, rows: &[usize], bin: &[u8], add: impl Fn(usize, &mut [f64])) -> Vec<Vec<f64>> {
    let mut finest = vec![0.0; FINEST * k];
    for &row in rows {
        let at = bin[row] as usize * k;
        add(row, &mut finest[at..at + k]);
    }
    (0..BINS.len())
        .map(|level| {
            let mut out = vec![0.0; BINS[level] * k];
            for (bin, of) in finest.chunks_exact(k).enumerate() {
                let at = coarse(bin as u8, level) * k;
                out[at..at + k]
                    .iter_mut()
                    .zip(of)
                    .for_each(|(o, v)| *o += v);
            }
            out
        })
        .collect()
}

/// Adds the held-out losses by level, given training rows, test rows and bins.
type Loss<'a> = dyn Fn(&[usize], &[usize], &[u8], &mut [f64]) + 'a;

/// Chooses feature and level within the training rows of a fold: `loss(train rows, test rows, bins, losses by level)` adds
/// the held-out losses. Ties: the earlier feature, the coarser level.
fn choose(
    columns: &Columns,
    splits: &[(Vec<usize>, Vec<usize>)],
    loss: &Loss<'_>,
) -> (usize, usize) {
    let n = columns.order.first().map_or(0, Vec::len);
    let mut bin = vec![0_u8; n];
    let masks: Vec<Vec<bool>> = splits.iter().map(|(train, _)| mask(train, n)).collect();
    let (mut best, mut least) = ((0, 0), f64::INFINITY);
    for feature in 0..columns.values.len() {
        let mut losses = [0.0; BINS.len()];
        for ((train, test), mask) in splits.iter().zip(&masks) {
            columns.finest(feature, mask, &mut bin);
            loss(train, test, &bin, &mut losses);
        }
        for (level, &sum) in losses.iter().enumerate() {
            if sum < least - 1e-9 * n as f64 {
                (best, least) = ((feature, level), sum);
            }
        }
    }
    best
}

fn mask(rows: &[usize], n: usize) -> Vec<bool> {
    let mut out = vec![false; n];
    for &row in rows {
        out[row] = true;
    }
    out
}

/// The bin of a level that a finest bin lies in.
fn coarse(finest: u8, level: usize) -> usize {
    finest as usize * BINS[level] / FINEST
}

/// Predicts classes by the best function of one feature, held out by whole groups. The dictionary: for every column, 1, 4, 8 or
/// 16 bins at quantiles of the training rows, each giving the commonest class of its training rows (1: the commonest of all). Column and number of bins
/// are chosen within the training rows, by the log loss over the inner folds of the bins' shares of classes
/// (n_kb + π_k)/(n_b + 1), π the shares of all; ties go to the earlier column and to fewer bins. For a given feature give a
/// table of that column alone.
///
/// # Errors
/// `T701` when lengths differ or a label is not under `classes`.
pub fn best_single_classes(
    features: &Matrix,
    labels: &[u32],
    classes: usize,
    folds: &Folds,
) -> Result<SingleClasses> {
    same_length("features", features.rows(), "labels", labels.len())?;
    same_length("labels", labels.len(), "folds", folds.outer().len())?;
    check_labels(labels, classes)?;
    let columns = Columns::new(features);
    let n = labels.len();
    let shares = |rows: &[usize]| {
        let mut out = vec![0.0; classes];
        for &row in rows {
            out[labels[row] as usize] += 1.0 / rows.len() as f64;
        }
        out
    };
    let count = |row: usize, out: &mut [f64]| out[labels[row] as usize] += 1.0;
    let mut made = SingleClasses {
        predicted: vec![0; n],
        balanced: vec![0; n],
        feature: Vec::new(),
        bins: Vec::new(),
    };
    let mut bin = vec![0_u8; n];
    for (fold, (train, test)) in folds.splits().iter().enumerate() {
        let (feature, level) = choose(
            &columns,
            &folds.inner_splits(fold),
            &|train, test, bin, losses| {
                let prior = shares(train);
                let levels = tally(classes, train, bin, count);
                for (level, counts) in levels.iter().enumerate() {
                    for &row in test {
                        let class = labels[row] as usize;
                        // A class that the training rows lack is nobody's fault.
                        if prior[class] > 0.0 {
                            let at = coarse(bin[row], level) * classes;
                            let of = &counts[at..at + classes];
                            let p = (of[class] + prior[class]) / (of.iter().sum::<f64>() + 1.0);
                            losses[level] -= p.ln();
                        }
                    }
                }
            },
        );
        columns.finest(feature, &mask(train, n), &mut bin);
        let prior = shares(train);
        let counts = &tally(classes, train, &bin, count)[level];
        for &row in test {
            let at = coarse(bin[row], level) * classes;
            let of = &counts[at..at + classes];
            let empty = of.iter().all(|&c| c == 0.0);
            made.predicted[row] = largest(of.iter().zip(&prior).map(
                |(&c, &p)| {
                    if empty { p } else { c }
                },
            ));
            made.balanced[row] = largest(
                of.iter()
                    .zip(&prior)
                    .map(|(&c, &p)| if p > 0.0 { c / p } else { -1.0 }),
            );
        }
        made.feature.push(feature);
        made.bins.push(BINS[level]);
    }
    Ok(made)
}

/// Predicts a value by the best function of one feature, held out by whole groups: the mean of the bin, as
/// [`best_single_classes`], chosen by squared error over the inner folds.
///
/// # Errors
/// `T701` when lengths differ or a value is not finite.
pub fn best_single_value(features: &Matrix, values: &[f64], folds: &Folds) -> Result<SingleValue> {
    finite("values", values)?;
    same_length("features", features.rows(), "values", values.len())?;
    same_length("values", values.len(), "folds", folds.outer().len())?;
    let columns = Columns::new(features);
    let n = values.len();
    let centre = values.iter().sum::<f64>() / n as f64;
    let spread = values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / n as f64;
    // In units of the spread, so that ties are ties at any scale.
    let unit = if spread > 0.0 { 1.0 / spread } else { 1.0 };
    let add = |row: usize, out: &mut [f64]| {
        out[0] += values[row] - centre;
        out[1] += 1.0;
    };
    let guess = |sums: &[f64], bin: usize| {
        let of = &sums[2 * bin..2 * bin + 2];
        if of[1] > 0.0 {
            centre + of[0] / of[1]
        } else {
            let total = sums
                .chunks_exact(2)
                .fold((0.0, 0.0), |a, b| (a.0 + b[0], a.1 + b[1]));
            centre + total.0 / total.1
        }
    };
    let mut made = SingleValue {
        predicted: vec![0.0; n],
        feature: Vec::new(),
        bins: Vec::new(),
    };
    let mut bin = vec![0_u8; n];
    for (fold, (train, test)) in folds.splits().iter().enumerate() {
        let (feature, level) = choose(
            &columns,
            &folds.inner_splits(fold),
            &|train, test, bin, losses| {
                let levels = tally(2, train, bin, add);
                for (level, sums) in levels.iter().enumerate() {
                    losses[level] += test
                        .iter()
                        .map(|&row| {
                            unit * (values[row] - guess(sums, coarse(bin[row], level))).powi(2)
                        })
                        .sum::<f64>();
                }
            },
        );
        columns.finest(feature, &mask(train, n), &mut bin);
        let sums = &tally(2, train, &bin, add)[level];
        for &row in test {
            made.predicted[row] = guess(sums, coarse(bin[row], level));
        }
        made.feature.push(feature);
        made.bins.push(BINS[level]);
    }
    Ok(made)
}
