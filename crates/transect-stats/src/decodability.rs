//! Can the domain be read from features, against a null of permuted groups.

use faer::Mat;
use transect_core::{Result, Stream};

use crate::error::{refused, same_length};
use crate::folds::check_labels;
use crate::interval::{Estimate, Settings, statistic};
use crate::matrix::Matrix;
use crate::permute::Cells;
use crate::probe::{largest, standardised_within};
use crate::shrinkage::Scatter;
use crate::units::Units;

/// Folds at most.
const FOLDS: usize = 5;
/// With fewer labellings within folds than this each group is a fold of its own.
const LABELLINGS: f64 = 1e4;
/// Numbers of a block of permutations that are multiplied at once.
const BLOCK: usize = 1 << 21;

/// How well a class that belongs to whole groups (the domain) is read from features.
#[derive(Debug, Clone, PartialEq)]
pub struct Decodability {
    /// Held-out balanced accuracy with an interval that is wide by intent.
    pub balanced_accuracy: Estimate,
    /// One over the number of classes that occur.
    pub chance: f64,
    /// Permutation p, (1+b)/(1+m), everything refitted in each permutation.
    pub p: f64,
    /// Smallest p that these groups allow. Over 0.05 the p says nothing: not assessable.
    pub smallest_p: f64,
    /// Mean of the null: may be below chance where groups are few.
    pub null_mean: f64,
    /// 95% quantile of the null.
    pub null_upper: f64,
    /// Permutations.
    pub permutations: usize,
    /// Folds; as many as groups where these are few.
    pub folds: usize,
    /// Held-out class of each row.
    pub predicted: Vec<u32>,
}

/// What the predictions of a fold need, for any labels of the cells.
struct Fold {
    /// X A⁻¹Xᵀ of the training rows, summed over the rows of cells (cells × cells).
    inner: Mat<f64>,
    /// T A⁻¹Xᵀ of the test rows (rows × cells).
    outer: Mat<f64>,
    /// Rows of each cell in training.
    sizes: Vec<f64>,
    test: Vec<usize>,
    share: f64,
}

impl Fold {
    fn new(features: &Matrix, cells: &Cells<u32>, fold_of: &[u32], fold: u32) -> Result<Self> {
        let (mut train, mut test, mut cell_of) = (Vec::new(), Vec::new(), Vec::new());
        for (row, &cell) in cells.of_row.iter().enumerate() {
            if fold_of[cell as usize] == fold {
                test.push(row);
            } else {
                train.push(row);
                cell_of.push(cell as usize);
            }
        }
        let m = cells.target.len();
        let mut sizes = vec![0.0; m];
        for &cell in &cell_of {
            sizes[cell] += 1.0;
        }
        let (x, t) = standardised_within(features, &train, &test);
        let (n, d) = (x.nrows(), x.ncols());
        if d == 0 {
            return Ok(Self {
                inner: Mat::zeros(m, m),
                outer: Mat::zeros(test.len(), m),
                sizes,
                test,
                share: 1.0,
            });
        }
        let share = d as f64 / (d as f64 + n as f64);
        // Sums of the features over the training rows of each cell.
        let mut sums = Mat::<f64>::zeros(d, m);
        for j in 0..d {
            let column = x.col(j);
            for (i, &cell) in cell_of.iter().enumerate() {
                sums[(j, cell)] += column[i];
            }
        }
        let solved = Scatter::new(x).solve(share, &sums)?;
        Ok(Self {
            inner: sums.transpose() * &solved,
            outer: &t * &solved,
            sizes,
            test,
            share,
        })
    }

    /// Held-out classes for several labellings of the cells at once; `put(labelling, row, class)`.
    fn predict(
        &self,
        labellings: &[Vec<u32>],
        classes: usize,
        put: &mut dyn FnMut(usize, usize, u32),
    ) {
        let m = self.sizes.len();
        // The last class follows from the others, since the features are centred.
        let columns = classes - 1;
        let mut counts = vec![vec![0.0; classes]; labellings.len()];
        let mut marks = Mat::<f64>::zeros(m, columns * labellings.len());
        for (b, labels) in labellings.iter().enumerate() {
            for (cell, &label) in labels.iter().enumerate() {
                counts[b][label as usize] += self.sizes[cell];
                if (label as usize) < columns && self.sizes[cell] > 0.0 {
                    marks[(cell, b * columns + label as usize)] = 1.0;
                }
            }
        }
        let within = &self.inner * &marks;
        let beyond = &self.outer * &marks;
        let n: f64 = self.sizes.iter().sum();
        let mut scores = vec![0.0; classes];
        for (b, labels) in labellings.iter().enumerate() {
            let count = &counts[b];
            let at = |k: usize| b * columns + k;
            // Inner products of the class means.
            let mut gram = Mat::<f64>::zeros(classes, classes);
            for k in 0..columns {
                let column = within.col(at(k));
                for (cell, &label) in labels.iter().enumerate() {
                    gram[(label as usize, k)] += column[cell];
                }
            }
            for l in 0..classes {
                gram[(l, columns)] = -(0..columns).map(|k| gram[(l, k)]).sum::<f64>();
            }
            for l in 0..classes {
                for k in 0..classes {
                    let size = count[l] * count[k];
                    gram[(l, k)] = if size > 0.0 { gram[(l, k)] / size } else { 0.0 };
                }
            }
            let gain = between_removed(&gram, count, n, self.share);
            let within_gram = &gram + &gram * &gain;
            for (i, &row) in self.test.iter().enumerate() {
                let mut last = 0.0;
                let mut of = |k: usize| {
                    if k < columns {
                        let v = beyond[(i, at(k))];
                        last -= v;
                        v
                    } else {
                        last
                    }
                };
                for (k, score) in scores.iter_mut().enumerate() {
                    let v = of(k);
                    *score = if count[k] > 0.0 { v / count[k] } else { 0.0 };
                }
                let class = largest((0..classes).map(|k| {
                    if count[k] == 0.0 {
                        return f64::NEG_INFINITY;
                    }
                    let moved: f64 = (0..classes).map(|l| scores[l] * gain[(l, k)]).sum();
                    scores[k] + moved - 0.5 * within_gram[(k, k)]
                }));
                put(b, row, class);
            }
        }
    }
}

/// What turns products with A⁻¹ into products with (A − (1−γ) Σ_k n_k/n m_k m_kᵀ)⁻¹, the covariance within classes in place of
/// that of all rows: S (I − SGS)⁻¹ S G with S² = (1−γ) n_k/n on the diagonal (Woodbury).
fn between_removed(gram: &Mat<f64>, count: &[f64], n: f64, share: f64) -> Mat<f64> {
    let k = count.len();
    let s: Vec<f64> = count
        .iter()
        .map(|c| ((1.0 - share) * c / n).max(0.0).sqrt())
        .collect();
    let mut left = Mat::from_fn(k, k, |i, j| {
        f64::from(u8::from(i == j)) - s[i] * gram[(i, j)] * s[j]
    });
    let mut right = Mat::from_fn(k, k, |i, j| s[i] * gram[(i, j)]);
    // Elimination with the largest pivot: the matrix is positive and small.
    for step in 0..k {
        let pivot = (step..k)
            .max_by(|&a, &b| left[(a, step)].abs().total_cmp(&left[(b, step)].abs()))
            .unwrap_or(step);
        for j in 0..k {
            let (a, b) = (left[(step, j)], left[(pivot, j)]);
            (left[(step, j)], left[(pivot, j)]) = (b, a);
            let (a, b) = (right[(step, j)], right[(pivot, j)]);
            (right[(step, j)], right[(pivot, j)]) = (b, a);
        }
        let head = left[(step, step)];
        if head.abs() < 1e-300 {
            return Mat::zeros(k, k);
        }
        for i in (0..k).filter(|&i| i != step) {
            let factor = left[(i, step)] / head;
            for j in 0..k {
                let (a, b) = (left[(step, j)], right[(step, j)]);
                left[(i, j)] -= factor * a;
                right[(i, j)] -= factor * b;
            }
        }
    }
    Mat::from_fn(k, k, |i, j| s[i] * right[(i, j)] / left[(i, i)])
}

/// Mean recall over the classes that occur.
fn mean_recall(hit: &[f64], of: &[f64]) -> f64 {
    let present = of.iter().filter(|n| **n > 0.0).count() as f64;
    hit.iter()
        .zip(of)
        .filter(|(_, n)| **n > 0.0)
        .map(|(h, n)| h / n)
        .sum::<f64>()
        / present
}

/// Balanced accuracy of reading a class that belongs to whole groups (the domain, the session, the slide) from features, against
/// the null in which the labels of whole groups are permuted within strata. `domain[i]` in `0..classes`.
///
/// The classifier is that of [`crate::probe_classes`] with equal shares and its ridge fixed by the number of rows and columns,
/// γ = d/(d + n), and the spread of all training rows, so that the costly part holds no label and every permutation is
/// refitted exactly. Five folds of whole groups (fewer when a class has fewer groups), labels permuted within folds and strata;
/// when that leaves fewer than 10,000 labellings each group is a fold and labels are permuted within strata. A group with several
/// domains counts as one piece for each, permuted as if they were strangers; its pieces stay in one fold.
///
/// **Interval** of the balanced accuracy: Student's t with the variance over groups of the held-out recalls times 1 + f/(f − 1) for f
/// folds, since the training rows are a sample as well (Nadeau and Bengio 2003; without it .83 to .93 were covered).
///
/// Decodable is not used: this never proves that a model uses the domain. Cost grows with (rows or groups)² ×
/// permutations: 1,000 independent rows of two domains take about two seconds for 1,999.
///
/// # Errors
/// `T701` when lengths differ, a label is not under `classes`, fewer than two classes occur, a class lies in one group, or there
/// are no permutations.
pub fn decodability(
    features: &Matrix,
    domain: &[u32],
    classes: usize,
    units: &Units,
    permutations: usize,
    settings: &Settings,
) -> Result<Decodability> {
    same_length("features", features.rows(), "domain", domain.len())?;
    check_labels(domain, classes)?;
    if permutations == 0 {
        return Err(refused("no permutations"));
    }
    // Classes that occur, numbered without gaps.
    let present: Vec<u32> = {
        let set: std::collections::BTreeSet<u32> = domain.iter().copied().collect();
        set.into_iter().collect()
    };
    let labels: Vec<u32> = domain
        .iter()
        .map(|l| present.partition_point(|p| p < l) as u32)
        .collect();
    let k = present.len();
    if k < 2 {
        return Err(refused("there is one class only"));
    }
    let cells = Cells::new(&labels, units)?;
    let least = (0..k as u32)
        .map(|class| cells.target.iter().filter(|&&t| t == class).count())
        .min()
        .unwrap_or(0);
    if least < 2 {
        return Err(refused(format!(
            "a class lies in a single {}: it cannot be learned from some and tested on others",
            units.noun().trim_end_matches('s')
        )));
    }
    let mut stream = Stream::new(
        settings.seed,
        "stats/decodability",
        &[settings.key.as_bytes()],
    );
    let mut folds = FOLDS.min(least);
    let mut fold_of = vec![0; cells.target.len()];
    cells.deal(&cells.target, folds, &mut stream, &mut fold_of);
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for set in &cells.strata {
        for fold in 0..folds as u32 {
            sets.push(
                set.iter()
                    .copied()
                    .filter(|&cell| fold_of[cell] == fold)
                    .collect(),
            );
        }
    }
    if cells.ln_labellings(&sets) < LABELLINGS.ln() {
        folds = units.groups();
        fold_of.clone_from(&cells.group);
        sets.clone_from(&cells.strata);
    }
    let made: Vec<Fold> = (0..folds as u32)
        .map(|fold| Fold::new(features, &cells, &fold_of, fold))
        .collect::<Result<_>>()?;
    let recalls = |labellings: &[Vec<u32>], predicted: &mut dyn FnMut(usize, usize, u32)| {
        let mut hit = vec![vec![0.0; k]; labellings.len()];
        let mut of = vec![vec![0.0; k]; labellings.len()];
        for fold in &made {
            fold.predict(labellings, k, &mut |b, row, class| {
                let label = labellings[b][cells.of_row[row] as usize] as usize;
                of[b][label] += 1.0;
                hit[b][label] += f64::from(u8::from(label == class as usize));
                predicted(b, row, class);
            });
        }
        hit.iter()
            .zip(&of)
            .map(|(h, n)| mean_recall(h, n))
            .collect::<Vec<f64>>()
    };
    let mut predicted = vec![0; labels.len()];
    let observed = recalls(std::slice::from_ref(&cells.target), &mut |_, row, class| {
        predicted[row] = class;
    })[0];
    let mut null = Vec::with_capacity(permutations);
    let block = (BLOCK / (cells.target.len() * k)).clamp(1, 256);
    let mut stream = Stream::new(
        settings.seed,
        "stats/decodability_permutations",
        &[settings.key.as_bytes()],
    );
    while null.len() < permutations {
        let drawn: Vec<Vec<u32>> = (0..block.min(permutations - null.len()))
            .map(|_| {
                let mut out = cells.target.clone();
                Cells::shuffle(&sets, &cells.target, &mut stream, &mut out);
                out
            })
            .collect();
        null.extend(recalls(&drawn, &mut |_, _, _| {}));
    }
    let as_large = null.iter().filter(|v| **v >= observed - 1e-9).count();
    let right: Vec<bool> = predicted.iter().zip(&labels).map(|(p, l)| p == l).collect();
    let rarest = (0..k as u32)
        .map(|class| labels.iter().filter(|&&l| l == class).count())
        .min()
        .unwrap_or(0);
    let own = settings
        .clone()
        .range(0.0, 1.0)
        .extreme_units((least.min(rarest)) as f64);
    let as_predicted = statistic(units, &own, &mut |weights| {
        let (mut hit, mut of) = (vec![0.0; k], vec![0.0; k]);
        for ((&label, &right), w) in labels.iter().zip(&right).zip(weights) {
            of[label as usize] += w;
            hit[label as usize] += w * f64::from(u8::from(right));
        }
        of.iter().all(|n| *n > 0.0).then(|| mean_recall(&hit, &of))
    })?;
    let balanced_accuracy = as_predicted.with_training(folds, 1.0, units, &own)?;
    Ok(Decodability {
        balanced_accuracy,
        chance: 1.0 / k as f64,
        p: (1 + as_large) as f64 / (1 + permutations) as f64,
        smallest_p: cells.smallest_p(&sets, permutations),
        null_mean: null.iter().sum::<f64>() / permutations as f64,
        null_upper: crate::quantile(&null, 0.95)?,
        permutations,
        folds,
        predicted: predicted.iter().map(|&p| present[p as usize]).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(n: usize, d: usize, k: usize, shift: f64) -> (Matrix, Vec<u32>) {
        let mut stream = Stream::new(8, "test", &[]);
        let labels: Vec<u32> = (0..n).map(|i| (i % k) as u32).collect();
        let data = (0..n * d)
            .map(|i| {
                stream.normal()
                    + if i % d == labels[i / d] as usize {
                        shift
                    } else {
                        0.0
                    }
            })
            .collect();
        (Matrix::new(n, d, data).unwrap(), labels)
    }

    /// The same classifier with all matrices made anew.
    #[test]
    fn the_short_way_is_the_long_way() {
        for (d, k) in [(6, 2), (6, 3), (70, 3)] {
            let (x, labels) = drawn(45, d, k, 2.0);
            let units = Units::independent(45);
            let cells = Cells::new(&labels, &units).unwrap();
            let fold_of: Vec<u32> = (0..45).map(|i| u32::from(i % 5 == 0)).collect();
            let fold = Fold::new(&x, &cells, &fold_of, 1).unwrap();
            let mut ours = [9; 45];
            fold.predict(
                std::slice::from_ref(&cells.target),
                k,
                &mut |_, row, class| {
                    ours[row] = class;
                },
            );
            let (train, test): (Vec<usize>, Vec<usize>) = (0..45).partition(|i| i % 5 != 0);
            let (z, t) = standardised_within(&x, &train, &test);
            let n = train.len() as f64;
            let share = d as f64 / (d as f64 + n);
            let mut within = z.transpose() * &z * faer::Scale(1.0 / n);
            let trace = (0..d).map(|i| within[(i, i)]).sum::<f64>() / d as f64;
            let mut means = Mat::<f64>::zeros(d, k);
            let count: Vec<f64> = (0..k)
                .map(|c| train.iter().filter(|&&r| labels[r] as usize == c).count() as f64)
                .collect();
            for (i, &row) in train.iter().enumerate() {
                for j in 0..d {
                    means[(j, labels[row] as usize)] += z[(i, j)] / count[labels[row] as usize];
                }
            }
            for (c, size) in count.iter().enumerate() {
                for i in 0..d {
                    for j in 0..d {
                        within[(i, j)] -= size / n * means[(i, c)] * means[(j, c)];
                    }
                }
            }
            let mut a = within * faer::Scale(1.0 - share);
            for i in 0..d {
                a[(i, i)] += share * trace;
            }
            let weights =
                faer::linalg::solvers::Solve::solve(&a.llt(faer::Side::Lower).unwrap(), &means);
            for (i, &row) in test.iter().enumerate() {
                let class = largest((0..k).map(|c| {
                    (0..d)
                        .map(|j| (t[(i, j)] - 0.5 * means[(j, c)]) * weights[(j, c)])
                        .sum()
                }));
                assert_eq!(ours[row], class, "{d} {k} {row}");
            }
        }
    }

    #[test]
    fn a_readable_domain_is_read_and_an_absent_one_is_not() {
        let units = Units::independent(90);
        let settings = Settings::new(1, "d");
        for k in [2, 3] {
            let (x, labels) = drawn(90, 10, k, 2.5);
            let made = decodability(&x, &labels, k, &units, 199, &settings).unwrap();
            assert!(
                made.p <= 0.005 + 1e-12 && made.balanced_accuracy.estimate > 0.8,
                "{made:?}"
            );
            assert!(
                (made.null_mean - made.chance).abs() < 0.03,
                "{}",
                made.null_mean
            );
            let (noise, _) = drawn(90, 10, k, 0.0);
            let made = decodability(&noise, &labels, k, &units, 199, &settings).unwrap();
            assert!(made.p > 0.01 && made.balanced_accuracy.estimate < 0.7);
        }
    }

    #[test]
    fn few_groups_say_that_no_p_can_be_small() {
        let (x, _) = drawn(60, 4, 2, 0.0);
        let groups: Vec<usize> = (0..60).map(|i| i / 15).collect();
        let domain: Vec<u32> = groups.iter().map(|g| (g % 2) as u32).collect();
        let units = Units::new(60, Some(&groups), None).unwrap();
        let made = decodability(&x, &domain, 2, &units, 99, &Settings::new(1, "d")).unwrap();
        // Six labellings of four groups, mirrored: 2/6.
        assert!((made.smallest_p - 1.0 / 3.0).abs() < 1e-9, "{made:?}");
        assert_eq!(made.folds, 4);
        assert!(made.p >= 0.2);
        let alone: Vec<u32> = groups.iter().map(|&g| u32::from(g == 0)).collect();
        let said = decodability(&x, &alone, 2, &units, 99, &Settings::new(1, "d")).unwrap_err();
        assert!(said.to_string().contains("single group"));
    }
}
