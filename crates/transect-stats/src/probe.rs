//! Cross-validated linear probes: what a table of features tells about a class or a value.

use faer::Mat;
use transect_core::Result;

use crate::calibration::{inverse_temperature, tempered};
use crate::error::{finite, same_length};
use crate::folds::{Folds, check_labels};
use crate::matrix::Matrix;
use crate::shrinkage::Scatter;

/// Standardised features are cut at this many standard deviations.
pub(crate) const CUT: f64 = 5.0;
/// Shares γ of the sphere in the shrunk covariance, from the stiffest to the freest.
pub const SHRINKAGE: [f64; 12] = [
    1.0, 0.99, 0.9, 0.7, 0.5, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-6,
];
/// Inverse temperatures tried.
const TEMPERING: (f64, f64) = (1e-6, 1e3);

/// Held-out predictions of classes from features.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassProbe {
    /// The likelier class of each row under the training rows' shares of classes: for accuracy and κ. Ties go to the lower
    /// class.
    pub predicted: Vec<u32>,
    /// The same under equal shares: for balanced accuracy and macro F1.
    pub balanced: Vec<u32>,
    /// Probability of each class (n × classes), under the training rows' shares.
    pub probabilities: Matrix,
    /// The share γ chosen in each outer fold.
    pub shrinkage: Vec<f64>,
    /// The temperature fitted in each outer fold.
    pub temperature: Vec<f64>,
}

/// Held-out predictions of a value from features.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueProbe {
    /// Prediction of each row.
    pub predicted: Vec<f64>,
    /// The share γ chosen in each outer fold; 1 predicts the training mean.
    pub shrinkage: Vec<f64>,
}

/// Features of training and of test rows, standardised by mean and standard deviation (over n) of the training rows, cut at
/// ±5 and centred on the training rows again; columns that do not vary there are dropped.
pub(crate) fn standardised_within(
    features: &Matrix,
    train: &[usize],
    test: &[usize],
) -> (Mat<f64>, Mat<f64>) {
    let n = train.len() as f64;
    let d = features.columns();
    let mut mean = vec![0.0; d];
    for &row in train {
        for (sum, v) in mean.iter_mut().zip(features.row(row)) {
            *sum += v / n;
        }
    }
    let mut sd = vec![0.0; d];
    let mut varies = vec![false; d];
    for &row in train {
        let first = features.row(train[0]);
        for (j, v) in features.row(row).iter().enumerate() {
            sd[j] += (v - mean[j]).powi(2) / n;
            varies[j] |= *v != first[j];
        }
    }
    let kept: Vec<usize> = (0..d)
        .filter(|&j| varies[j] && sd[j].sqrt() > 1e-12 * mean[j].abs())
        .collect();
    let part = |rows: &[usize]| {
        let mut out = Mat::zeros(rows.len(), kept.len());
        for (i, &row) in rows.iter().enumerate() {
            let values = features.row(row);
            for (place, &j) in kept.iter().enumerate() {
                out[(i, place)] = ((values[j] - mean[j]) / sd[j].sqrt()).clamp(-CUT, CUT);
            }
        }
        out
    };
    let (mut x, mut t) = (part(train), part(test));
    for j in 0..kept.len() {
        let shift = x.col(j).iter().sum::<f64>() / n;
        x.col_mut(j).iter_mut().for_each(|v| *v -= shift);
        t.col_mut(j).iter_mut().for_each(|v| *v -= shift);
    }
    (x, t)
}

/// Discriminants δ of the test rows (rows × classes) for each share, and the log of the classes' training shares.
struct Discriminants {
    by_share: Vec<Vec<f64>>,
    log_shares: Vec<f64>,
}

fn discriminants(
    features: &Matrix,
    train: &[usize],
    test: &[usize],
    labels: &[u32],
    classes: usize,
    shares: &[f64],
) -> Result<Discriminants> {
    let (mut x, t) = standardised_within(features, train, test);
    let d = x.ncols();
    let mut counts = vec![0.0; classes];
    let mut means = Mat::<f64>::zeros(d, classes);
    for &row in train {
        counts[labels[row] as usize] += 1.0;
    }
    for j in 0..d {
        let column = x.col(j);
        for (i, &row) in train.iter().enumerate() {
            let class = labels[row] as usize;
            means[(j, class)] += column[i] / counts[class];
        }
    }
    let log_shares = counts
        .iter()
        .map(|c: &f64| (c / train.len() as f64).ln())
        .collect();
    if d == 0 {
        return Ok(Discriminants {
            by_share: vec![vec![0.0; test.len() * classes]; shares.len()],
            log_shares,
        });
    }
    for j in 0..d {
        let mut column = x.col_mut(j);
        for (i, &row) in train.iter().enumerate() {
            column[i] -= means[(j, labels[row] as usize)];
        }
    }
    let scatter = Scatter::new(x);
    let by_share = shares
        .iter()
        .map(|&share| {
            let weights = scatter.solve(share, &means)?;
            let projected = &t * &weights;
            let halves: Vec<f64> = (0..classes)
                .map(|k| 0.5 * (0..d).map(|j| means[(j, k)] * weights[(j, k)]).sum::<f64>())
                .collect();
            Ok((0..test.len())
                .flat_map(|i| (0..classes).map(move |k| (i, k)))
                .map(|(i, k)| projected[(i, k)] - halves[k])
                .collect())
        })
        .collect::<Result<_>>()?;
    Ok(Discriminants {
        by_share,
        log_shares,
    })
}

/// Predicts classes from features, held out by whole groups: ridge discriminant analysis, its ridge chosen within the training
/// rows.
///
/// Discriminant of class k: δ_k(x) = xᵀA⁻¹m_k − ½ m_kᵀA⁻¹m_k with A = (1 − γ)S + γ·tr(S)/d·I, S the covariance within
/// classes (over n), m_k the class means; features standardised on the training rows, cut at ±5, constant ones dropped. Its
/// probabilities are softmax(ln π_k + bδ_k), π the training shares, 1/b a temperature. γ from [`SHRINKAGE`] and b are those
/// of least log loss over the inner folds (ties: the larger γ). Closed form, so fast and the same on every machine; unlike
/// one-vs-rest least squares it hides no class between two others. More features than rows are solved in the dual.
///
/// Features that tell nothing give the training shares. A class without training rows is never predicted.
///
/// # Errors
/// `T701` when lengths differ or a label is not under `classes`; see [`Folds::of_classes`] for the rest.
pub fn probe_classes(
    features: &Matrix,
    labels: &[u32],
    classes: usize,
    folds: &Folds,
) -> Result<ClassProbe> {
    same_length("features", features.rows(), "labels", labels.len())?;
    same_length("labels", labels.len(), "folds", folds.outer().len())?;
    check_labels(labels, classes)?;
    let n = labels.len();
    let mut made = ClassProbe {
        predicted: vec![0; n],
        balanced: vec![0; n],
        probabilities: Matrix::new(n, classes, vec![0.0; n * classes])?,
        shrinkage: Vec::new(),
        temperature: Vec::new(),
    };
    let mut probabilities = vec![0.0; n * classes];
    for (fold, (train, test)) in folds.splits().iter().enumerate() {
        let mut scores = vec![vec![0.0; n * classes]; SHRINKAGE.len()];
        let mut offset = vec![0.0; n * classes];
        let mut seen = Vec::new();
        for (inner_train, inner_test) in folds.inner_splits(fold) {
            let held = discriminants(
                features,
                &inner_train,
                &inner_test,
                labels,
                classes,
                &SHRINKAGE,
            )?;
            for (i, &row) in inner_test.iter().enumerate() {
                let of = row * classes..(row + 1) * classes;
                for (all, part) in scores.iter_mut().zip(&held.by_share) {
                    all[of.clone()].copy_from_slice(&part[i * classes..(i + 1) * classes]);
                }
                offset[of].copy_from_slice(&held.log_shares);
                if held.log_shares[labels[row] as usize].is_finite() {
                    seen.push(row);
                }
            }
        }
        let (mut share, mut b, mut least) = (SHRINKAGE[0], 1.0, f64::INFINITY);
        for (z, &tried) in scores.iter().zip(&SHRINKAGE) {
            let at = inverse_temperature(z, &offset, classes, labels, &seen, TEMPERING);
            let loss: f64 = seen
                .iter()
                .map(|&row| {
                    let of = row * classes..(row + 1) * classes;
                    tempered(&z[of.clone()], &offset[of], labels[row] as usize, at).0
                })
                .sum();
            if loss < least - 1e-9 * seen.len() as f64 {
                (share, b, least) = (tried, at, loss);
            }
        }
        let held = discriminants(features, train, test, labels, classes, &[share])?;
        for (i, &row) in test.iter().enumerate() {
            let delta = &held.by_share[0][i * classes..(i + 1) * classes];
            let z: Vec<f64> = delta
                .iter()
                .zip(&held.log_shares)
                .map(|(d, s)| s + b * d)
                .collect();
            made.predicted[row] = largest(z.iter().copied());
            made.balanced[row] = largest(
                delta
                    .iter()
                    .zip(&held.log_shares)
                    .map(|(&d, s)| if s.is_finite() { d } else { f64::NEG_INFINITY }),
            );
            let top = z[made.predicted[row] as usize];
            let sum: f64 = z.iter().map(|v| (v - top).exp()).sum();
            for (p, v) in probabilities[row * classes..(row + 1) * classes]
                .iter_mut()
                .zip(&z)
            {
                *p = (v - top).exp() / sum;
            }
        }
        made.shrinkage.push(share);
        made.temperature.push(1.0 / b);
    }
    made.probabilities = Matrix::new(n, classes, probabilities)?;
    Ok(made)
}

/// Place of the largest; the first of equal ones.
pub(crate) fn largest(values: impl Iterator<Item = f64>) -> u32 {
    values
        .enumerate()
        .fold((0, f64::NEG_INFINITY), |best, (i, v)| {
            if v > best.1 { (i as u32, v) } else { best }
        })
        .0
}

/// Ridge predictions of the test rows for each share.
fn ridge(
    features: &Matrix,
    train: &[usize],
    test: &[usize],
    values: &[f64],
    shares: &[f64],
) -> Result<Vec<Vec<f64>>> {
    let (x, t) = standardised_within(features, train, test);
    let n = train.len() as f64;
    let centre = train.iter().map(|&row| values[row]).sum::<f64>() / n;
    if x.ncols() == 0 {
        return Ok(vec![vec![centre; test.len()]; shares.len()]);
    }
    let y = Mat::from_fn(train.len(), 1, |i, _| (values[train[i]] - centre) / n);
    let together = x.transpose() * &y;
    let scatter = Scatter::new(x);
    shares
        .iter()
        .map(|&share| {
            let weights = scatter.solve(share, &together)? * faer::Scale(1.0 - share);
            let predicted = &t * &weights;
            Ok((0..test.len())
                .map(|i| centre + predicted[(i, 0)])
                .collect())
        })
        .collect()
}

/// Predicts a value from features, held out by whole groups: ridge regression, its ridge chosen within the training rows.
///
/// ŷ = ȳ + (1 − γ) xᵀA⁻¹c, c the covariance of features and value and A = (1 − γ)S + γ·tr(S)/d·I: ridge regression on
/// standardised features (cut at ±5) with penalty λ = nγ·tr(S)/d / (1 − γ) on the sum of squares. γ from [`SHRINKAGE`] is
/// that of least squared error over the inner folds (ties: the larger); at 1 it is the mean.
///
/// # Errors
/// `T701` when lengths differ or a value is not finite.
pub fn probe_value(features: &Matrix, values: &[f64], folds: &Folds) -> Result<ValueProbe> {
    finite("values", values)?;
    same_length("features", features.rows(), "values", values.len())?;
    same_length("values", values.len(), "folds", folds.outer().len())?;
    let mut predicted = vec![0.0; values.len()];
    let mut shrinkage = Vec::new();
    for (fold, (train, test)) in folds.splits().iter().enumerate() {
        let mut errors = [0.0; SHRINKAGE.len()];
        let mut spread = 0.0;
        for (inner_train, inner_test) in folds.inner_splits(fold) {
            let held = ridge(features, &inner_train, &inner_test, values, &SHRINKAGE)?;
            for (error, part) in errors.iter_mut().zip(&held) {
                *error += inner_test
                    .iter()
                    .zip(part)
                    .map(|(&row, p)| (values[row] - p).powi(2))
                    .sum::<f64>();
            }
            spread += held[0]
                .iter()
                .zip(&inner_test)
                .map(|(p, &row)| (values[row] - p).powi(2))
                .sum::<f64>();
        }
        let mut best = 0;
        for (place, &error) in errors.iter().enumerate() {
            if error < errors[best] - 1e-9 * spread {
                best = place;
            }
        }
        let held = ridge(features, train, test, values, &[SHRINKAGE[best]])?;
        for (&row, &p) in test.iter().zip(&held[0]) {
            predicted[row] = p;
        }
        shrinkage.push(SHRINKAGE[best]);
    }
    Ok(ValueProbe {
        predicted,
        shrinkage,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interval::Settings;
    use crate::units::Units;
    use transect_core::Stream;

    fn drawn(n: usize, d: usize, classes: usize, shift: f64) -> (Matrix, Vec<u32>) {
        let mut stream = Stream::new(4, "test", &[]);
        let labels: Vec<u32> = (0..n).map(|i| (i % classes) as u32).collect();
        let data = (0..n * d)
            .map(|i| {
                let (row, j) = (i / d, i % d);
                stream.normal()
                    + if j == labels[row] as usize {
                        shift
                    } else {
                        0.0
                    }
            })
            .collect();
        (Matrix::new(n, d, data).unwrap(), labels)
    }

    fn accuracy(a: &[u32], b: &[u32]) -> f64 {
        a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / a.len() as f64
    }

    #[test]
    fn separate_classes_are_told_apart_and_noise_is_not() {
        for (n, d) in [(120, 8), (60, 200)] {
            let units = Units::independent(n);
            let settings = Settings::new(1, "p");
            let (x, y) = drawn(n, d, 3, 12.0);
            let folds = Folds::of_classes(&y, 3, &units, &settings).unwrap();
            let made = probe_classes(&x, &y, 3, &folds).unwrap();
            let right = accuracy(&made.predicted, &y);
            assert!(right > if d < n { 0.98 } else { 0.6 }, "{n} {d} {right}");
            for i in 0..n {
                assert!((made.probabilities.row(i).iter().sum::<f64>() - 1.0).abs() < 1e-12);
            }
            let (x, _) = drawn(n, d, 3, 0.0);
            let made = probe_classes(&x, &y, 3, &folds).unwrap();
            assert!(accuracy(&made.predicted, &y) < 0.55, "{n} {d}");
        }
    }

    #[test]
    fn a_middle_class_is_not_hidden_between_two_others() {
        let y: Vec<u32> = (0..90).map(|i| i % 3).collect();
        let data = (0..90)
            .map(|i| f64::from(i % 3) + 0.001 * f64::from(i))
            .collect();
        let x = Matrix::new(90, 1, data).unwrap();
        let folds =
            Folds::of_classes(&y, 3, &Units::independent(90), &Settings::new(1, "m")).unwrap();
        let made = probe_classes(&x, &y, 3, &folds).unwrap();
        assert_eq!(made.predicted, y);
        assert_eq!(made.balanced, y);
    }

    #[test]
    fn features_that_do_not_vary_give_the_commonest_class_and_the_mean() {
        let y: Vec<u32> = (0..60).map(|i| u32::from(i % 3 == 0)).collect();
        let x = Matrix::new(60, 2, vec![7.5; 120]).unwrap();
        let units = Units::independent(60);
        let folds = Folds::of_classes(&y, 2, &units, &Settings::new(1, "c")).unwrap();
        let made = probe_classes(&x, &y, 2, &folds).unwrap();
        assert_eq!(made.predicted, vec![0; 60]);
        let values: Vec<f64> = (0..60).map(f64::from).collect();
        let made = probe_value(&x, &values, &folds).unwrap();
        let mean = |row: usize| {
            let outside: Vec<f64> = (0..60)
                .filter(|&r| folds.outer()[r] != folds.outer()[row])
                .map(|r| values[r])
                .collect();
            outside.iter().sum::<f64>() / outside.len() as f64
        };
        for row in 0..60 {
            assert!((made.predicted[row] - mean(row)).abs() < 1e-9);
        }
    }

    #[test]
    fn a_linear_value_is_found_in_both_shapes() {
        for (n, d) in [(100, 5), (60, 90)] {
            let (x, _) = drawn(n, d, 2, 0.0);
            let values: Vec<f64> = (0..n)
                .map(|i| 1e6 + 3.0 * x.row(i)[0] - x.row(i)[1])
                .collect();
            let units = Units::independent(n);
            let folds = Folds::of_values(&values, &units, &Settings::new(1, "v")).unwrap();
            let made = probe_value(&x, &values, &folds).unwrap();
            let r = crate::pearson(&made.predicted, &values).unwrap().unwrap();
            assert!(r > if d < n { 0.999 } else { 0.4 }, "{n} {d} {r}");
        }
    }
}
