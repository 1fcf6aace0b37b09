//! Confidence against correctness.

use transect_core::{Result, Stream};

use crate::error::{finite, refused, same_length};
use crate::interval::{Estimate, Settings, Tail, mean, rate};
use crate::matrix::Matrix;
use crate::rank::ascending;
use crate::resample::settle;
use crate::tails::normal_cdf;
use crate::units::Units;

/// Probabilities are raised to this before a logarithm: a loss is at most 34.5.
pub const PROBABILITY_FLOOR: f64 = 1e-15;

/// Temperatures are sought in [1/20, 20].
const HOTTEST: f64 = 20.0;
/// Inverse temperatures tried.
const LIMITS: (f64, f64) = (1.0 / HOTTEST, HOTTEST);

/// Folds of cross-fitting at most.
const FOLDS: usize = 10;

fn check(probabilities: &Matrix, truth: &[u32]) -> Result<()> {
    same_length("probabilities", probabilities.rows(), "truth", truth.len())?;
    if truth.is_empty() {
        return Err(refused("there are no rows"));
    }
    for (row, &class) in truth.iter().enumerate() {
        if class as usize >= probabilities.columns() {
            return Err(refused(format!(
                "row {row} has truth {class}, not one of {} columns",
                probabilities.columns()
            )));
        }
        let p = probabilities.row(row);
        if let Some(p) = p.iter().find(|p| !(0.0..=1.0).contains(*p)) {
            return Err(refused(format!("row {row} has a probability of {p}")));
        }
        let sum: f64 = p.iter().sum();
        if (sum - 1.0).abs() > 1e-3 {
            return Err(refused(format!(
                "the probabilities of row {row} sum to {sum}"
            )));
        }
    }
    Ok(())
}

/// Log loss of each row, −ln max(p(truth), [`PROBABILITY_FLOOR`]), natural logarithm; 0 is best, 34.5 worst.
///
/// # Errors
/// `T701` when lengths differ, there are no rows, a truth is not a column, a probability is outside [0, 1], or a row does
/// not sum to 1 within 1e-3.
pub fn log_losses(probabilities: &Matrix, truth: &[u32]) -> Result<Vec<f64>> {
    check(probabilities, truth)?;
    Ok(truth
        .iter()
        .enumerate()
        .map(|(row, &class)| {
            -probabilities.row(row)[class as usize]
                .max(PROBABILITY_FLOOR)
                .ln()
        })
        .collect())
}

/// Brier score.
#[derive(Debug, Clone, PartialEq)]
pub struct Brier {
    /// Σ_k (p_k − y_k)² of each row, in [0, 2].
    pub rows: Vec<f64>,
    /// Their mean.
    pub mean: f64,
}

/// Multi-class Brier score Σ_k (p_k − y_k)², in [0, 2], lower is better (for two classes twice the binary one; Brier 1950).
///
/// # Errors
/// As [`log_losses`].
pub fn brier(probabilities: &Matrix, truth: &[u32]) -> Result<Brier> {
    check(probabilities, truth)?;
    let rows: Vec<f64> = truth
        .iter()
        .enumerate()
        .map(|(row, &class)| {
            probabilities
                .row(row)
                .iter()
                .enumerate()
                .map(|(k, p)| (p - if k == class as usize { 1.0 } else { 0.0 }).powi(2))
                .sum()
        })
        .collect();
    let mean = rows.iter().sum::<f64>() / rows.len() as f64;
    Ok(Brier { rows, mean })
}

/// ln max(p, floor) of every entry.
fn logarithms(probabilities: &Matrix) -> Vec<f64> {
    probabilities
        .data()
        .iter()
        .map(|p| p.max(PROBABILITY_FLOOR).ln())
        .collect()
}

/// Log loss of a row of scores z at inverse temperature b, softmax(offset + bz), its slope and curvature in b. An empty
/// offset is 0; one of −∞ takes the class out.
pub(crate) fn tempered(z: &[f64], offset: &[f64], class: usize, b: f64) -> (f64, f64, f64) {
    let at = |k: usize| b * z[k] + offset.get(k).copied().unwrap_or(0.0);
    let top = (0..z.len()).fold(f64::NEG_INFINITY, |a, k| a.max(at(k)));
    let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
    for (k, v) in z.iter().enumerate() {
        let e = (at(k) - top).exp();
        sum += e;
        first += e * v;
        second += e * v * v;
    }
    let mean = first / sum;
    (
        top + sum.ln() - at(class),
        mean - z[class],
        (second / sum - mean * mean).max(0.0),
    )
}

/// The inverse temperature of least loss over some rows: the loss is convex, so the root of its slope, by Newton's method
/// kept within a bracket that halves.
pub(crate) fn inverse_temperature(
    z: &[f64],
    offset: &[f64],
    columns: usize,
    truth: &[u32],
    rows: &[usize],
    (low, high): (f64, f64),
) -> f64 {
    let (mut low, mut high) = (low, high);
    let slope = |b: f64| {
        rows.iter().fold((0.0, 0.0), |(s, c), &row| {
            let of = row * columns..(row + 1) * columns;
            let (_, first, second) = tempered(
                &z[of.clone()],
                offset.get(of).unwrap_or(&[]),
                truth[row] as usize,
                b,
            );
            (s + first, c + second)
        })
    };
    if slope(low).0 >= 0.0 {
        return low;
    }
    if slope(high).0 <= 0.0 {
        return high;
    }
    let mut b = 1.0_f64;
    for _ in 0..100 {
        let (s, c) = slope(b);
        if s < 0.0 {
            low = b;
        } else {
            high = b;
        }
        let newton = b - s / c;
        let next = if newton > low && newton < high {
            newton
        } else {
            (low * high).sqrt()
        };
        if (next - b).abs() <= 1e-12 * b {
            return next;
        }
        b = next;
    }
    b
}

/// The temperature T in [0.05, 20] that minimises the mean log loss of softmax(ln p / T), with p raised to
/// [`PROBABILITY_FLOOR`] (Guo et al. 2017): above 1 for a model that is too sure. At an end when the loss still falls
/// there, as when every row is right.
///
/// # Errors
/// As [`log_losses`].
pub fn fit_temperature(probabilities: &Matrix, truth: &[u32]) -> Result<f64> {
    check(probabilities, truth)?;
    let rows: Vec<usize> = (0..truth.len()).collect();
    Ok(1.0
        / inverse_temperature(
            &logarithms(probabilities),
            &[],
            probabilities.columns(),
            truth,
            &rows,
            LIMITS,
        ))
}

/// The same rows at a temperature: softmax(ln max(p, floor) / T).
///
/// # Errors
/// `T701` for a temperature that is not positive and finite.
pub fn with_temperature(probabilities: &Matrix, temperature: f64) -> Result<Matrix> {
    if !(temperature > 0.0 && temperature.is_finite()) {
        return Err(refused(format!("a temperature of {temperature}")));
    }
    let mut data = logarithms(probabilities);
    for row in data.chunks_exact_mut(probabilities.columns()) {
        let top = row.iter().fold(f64::NEG_INFINITY, |a, v| a.max(*v));
        for v in row.iter_mut() {
            *v = ((*v - top) / temperature).exp();
        }
        let sum: f64 = row.iter().sum();
        for v in row.iter_mut() {
            *v /= sum;
        }
    }
    Matrix::new(probabilities.rows(), probabilities.columns(), data)
}

/// Gain of temperature scaling, cross-fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct TemperatureGain {
    /// Temperature fitted on all rows.
    pub temperature: f64,
    /// Temperature fitted without each fold.
    pub fold_temperatures: Vec<f64>,
    /// Log loss of each row as given minus its log loss at the temperature fitted without its fold: positive when scaling
    /// helps, a little below 0 on average for a calibrated model.
    pub gain: Vec<f64>,
    /// Mean gain with its interval: the finding. Use this and not [`crate::mean`] of `gain`, whose upper bound is too low.
    pub estimate: Estimate,
}

/// Cross-fitted log-loss gain of temperature scaling over grouped folds: ten, or as many as there are groups; groups are
/// dealt to folds in seeded random order.
///
/// **Interval.** The wider, on each side, of two. One is that of [`crate::mean`] over the gains. Near T = 1 it is too narrow
/// above: the gain is about ½Hδ², with δ = ln T and H the curvature of the mean loss in δ, and so is small, with a small
/// spread, wherever δ happens to be estimated small (measured at T = 1.3 and 200 rows: it covers .83, all misses on one side).
/// So the other takes the bounds of δ through ½Hδ²: δ is regular, and has Student's t with the cluster-robust variance
/// Σ_g (Σ slope)²/(nH)² · G/(G − 1).
///
/// # Errors
/// As [`log_losses`], and for fewer than two groups.
pub fn cross_fitted_temperature(
    probabilities: &Matrix,
    truth: &[u32],
    units: &Units,
    settings: &Settings,
) -> Result<TemperatureGain> {
    check(probabilities, truth)?;
    same_length("truth", truth.len(), "units", units.rows())?;
    let groups = units.groups();
    if groups < 2 {
        return Err(refused("cross-fitting needs two groups"));
    }
    let folds = FOLDS.min(groups);
    let mut order: Vec<usize> = (0..groups).collect();
    Stream::new(
        settings.seed,
        "stats/temperature",
        &[settings.key.as_bytes()],
    )
    .shuffle(&mut order);
    let mut fold_of = vec![0; groups];
    for (place, &group) in order.iter().enumerate() {
        fold_of[group] = place % folds;
    }
    let (z, k) = (logarithms(probabilities), probabilities.columns());
    let fold_of_row: Vec<usize> = units
        .group_of
        .iter()
        .map(|&group| fold_of[group as usize])
        .collect();
    let mut gain = vec![0.0; truth.len()];
    let mut fold_temperatures = Vec::with_capacity(folds);
    for fold in 0..folds {
        let outside: Vec<usize> = (0..truth.len())
            .filter(|&row| fold_of_row[row] != fold)
            .collect();
        let b = inverse_temperature(&z, &[], k, truth, &outside, LIMITS);
        fold_temperatures.push(1.0 / b);
        for row in (0..truth.len()).filter(|&row| fold_of_row[row] == fold) {
            let z = &z[row * k..(row + 1) * k];
            gain[row] = tempered(z, &[], truth[row] as usize, 1.0).0
                - tempered(z, &[], truth[row] as usize, b).0;
        }
    }
    let all: Vec<usize> = (0..truth.len()).collect();
    let b = inverse_temperature(&z, &[], k, truth, &all, LIMITS);
    let by_gain = mean(&gain, units, settings)?;
    let (used, few) = {
        let settled = settle(units);
        (settled.units, settled.few)
    };
    // Slopes and curvature of the loss in ln T at the fitted temperature, from those in 1/T.
    let mut slopes = vec![0.0; used.groups()];
    let mut curvature = 0.0;
    for (row, &class) in truth.iter().enumerate() {
        let (_, first, second) = tempered(&z[row * k..(row + 1) * k], &[], class as usize, b);
        slopes[used.group_of[row] as usize] -= b * first;
        curvature += b * b * second + b * first;
    }
    let n = truth.len() as f64;
    let mut variance = 0.0;
    for groups in used
        .groups_by_stratum()
        .iter()
        .filter(|groups| groups.len() > 1)
    {
        let g = groups.len() as f64;
        let centre = groups.iter().map(|&i| slopes[i]).sum::<f64>() / g;
        variance += g / (g - 1.0)
            * groups
                .iter()
                .map(|&i| (slopes[i] - centre).powi(2))
                .sum::<f64>();
    }
    let se = variance.sqrt() / curvature;
    let df = (used.effective() - used.strata() as f64).max(1.0);
    let estimate = if se > 0.0 && se.is_finite() && curvature > 0.0 {
        let square = Tail::Square {
            centre: -b.ln(),
            se,
            df,
            half_curvature: 0.5 * curvature / n,
        };
        let tail = Tail::Wider(Box::new((by_gain.tail.clone(), square)));
        let method = format!(
            "{}; not narrower than by the bounds of ln T",
            by_gain.method
        );
        Estimate::build(
            by_gain.estimate,
            by_gain.se,
            settings,
            tail,
            method,
            truth.len(),
            units.effective(),
            by_gain.enough && !few,
        )
    } else {
        by_gain
    };
    Ok(TemperatureGain {
        temperature: 1.0 / b,
        fold_temperatures,
        gain,
        estimate,
    })
}

/// Expected calibration error of the predicted class's confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationError {
    /// Σ w |confidence − accuracy| over bins of equal mass; biased upwards.
    pub ece: f64,
    /// The same with the bias of each bin's absolute value taken off, at least 0.
    pub debiased: f64,
    /// p of "calibrated", from outcomes drawn under the model's own probabilities (rows independent): described, no verdict.
    pub p: f64,
    /// Bins used.
    pub bins: usize,
}

/// Rows in ascending order of confidence and the ends of the bins: equal mass, equal confidences never apart.
fn equal_mass(confidence: &[f64], bins: usize) -> (Vec<usize>, Vec<usize>) {
    let order = ascending(confidence);
    let n = order.len();
    let mut ends: Vec<usize> = Vec::new();
    for bin in 1..=bins {
        let mut end = bin * n / bins;
        while end > 0 && end < n && confidence[order[end]] == confidence[order[end - 1]] {
            end += 1;
        }
        if end > ends.last().copied().unwrap_or(0) {
            ends.push(end);
        }
    }
    (order, ends)
}

fn check_confidence(confidence: &[f64], correct: &[bool], bins: usize) -> Result<()> {
    finite("confidence", confidence)?;
    same_length("confidence", confidence.len(), "correct", correct.len())?;
    if let Some(c) = confidence.iter().find(|c| !(0.0..=1.0).contains(*c)) {
        return Err(refused(format!("a confidence of {c}")));
    }
    if bins == 0 {
        Err(refused("no bins"))
    } else {
        Ok(())
    }
}

/// ECE = Σ_b (n_b/n) |mean confidence − accuracy| over bins of equal mass (rows of equal confidence are never split, so
/// there may be fewer bins than asked for), in [0, 1], lower is better.
///
/// Debiased: with d_b the difference in a bin and σ_b² = accuracy(1 − accuracy)/n_b, the expectation of |N(d_b, σ_b²)| less
/// |d_b| is taken off each bin (Kumar, Liang, Ma 2019, in closed form). p = (1+b)/(1+m): outcomes drawn as right with
/// chance equal to the confidence, counted where their ECE is at least the observed.
///
/// # Errors
/// `T701` for no rows, lengths that differ, confidences outside [0, 1], no bins.
pub fn calibration_error(
    confidence: &[f64],
    correct: &[bool],
    bins: usize,
    resamples: usize,
    settings: &Settings,
) -> Result<CalibrationError> {
    check_confidence(confidence, correct, bins)?;
    let (order, ends) = equal_mass(confidence, bins);
    let n = order.len() as f64;
    let sorted: Vec<f64> = order.iter().map(|&row| confidence[row]).collect();
    let hits: Vec<f64> = order
        .iter()
        .map(|&row| f64::from(u8::from(correct[row])))
        .collect();
    let gaps = |hits: &[f64]| -> f64 {
        let mut start = 0;
        let mut sum = 0.0;
        for &end in &ends {
            sum += (start..end).map(|i| sorted[i] - hits[i]).sum::<f64>().abs();
            start = end;
        }
        sum / n
    };
    let ece = gaps(&hits);
    let mut debiased = ece;
    let mut start = 0;
    for &end in &ends {
        let size = (end - start) as f64;
        let gap = ((start..end).map(|i| sorted[i] - hits[i]).sum::<f64>() / size).abs();
        let accuracy = hits[start..end].iter().sum::<f64>() / size;
        let sd = (accuracy * (1.0 - accuracy) / size).sqrt();
        if sd > 0.0 {
            let z = gap / sd;
            let folded = sd * (2.0 / std::f64::consts::PI).sqrt() * (-0.5 * z * z).exp()
                + gap * (1.0 - 2.0 * normal_cdf(-z));
            debiased -= size / n * (folded - gap);
        }
        start = end;
    }
    let mut stream = Stream::new(settings.seed, "stats/ece", &[settings.key.as_bytes()]);
    let mut drawn = vec![0.0; hits.len()];
    let mut as_large = 0;
    for _ in 0..resamples {
        for (d, &c) in drawn.iter_mut().zip(&sorted) {
            *d = f64::from(u8::from(stream.uniform() < c));
        }
        as_large += usize::from(gaps(&drawn) >= ece - 1e-12);
    }
    Ok(CalibrationError {
        ece,
        debiased: debiased.max(0.0),
        p: (1 + as_large) as f64 / (1 + resamples) as f64,
        bins: ends.len(),
    })
}

/// One bin of a reliability diagram.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityBin {
    /// Mean confidence.
    pub confidence: f64,
    /// Smallest and largest confidence.
    pub range: (f64, f64),
    /// Share correct, with interval.
    pub accuracy: Estimate,
}

/// Reliability diagram with equal-mass bins as in [`calibration_error`], intervals by [`crate::rate`] over the groups of
/// each bin.
///
/// # Errors
/// As [`calibration_error`].
pub fn reliability(
    confidence: &[f64],
    correct: &[bool],
    bins: usize,
    units: &Units,
    settings: &Settings,
) -> Result<Vec<ReliabilityBin>> {
    check_confidence(confidence, correct, bins)?;
    same_length("confidence", confidence.len(), "units", units.rows())?;
    let (order, ends) = equal_mass(confidence, bins);
    let mut start = 0;
    ends.iter()
        .map(|&end| {
            let mut rows = order[start..end].to_vec();
            start = end;
            let range = (confidence[rows[0]], confidence[rows[rows.len() - 1]]);
            let mean = rows.iter().map(|&row| confidence[row]).sum::<f64>() / rows.len() as f64;
            rows.sort_unstable();
            let hits: Vec<bool> = rows.iter().map(|&row| correct[row]).collect();
            Ok(ReliabilityBin {
                confidence: mean,
                range,
                accuracy: rate(&hits, &units.subset(&rows), settings)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(n: usize, temperature: f64, seed: u64) -> (Matrix, Vec<u32>) {
        // Probabilities of three classes; truth drawn from them; what the model says is sharpened or flattened.
        let mut stream = Stream::new(seed, "test", &[]);
        let mut data = Vec::new();
        let mut truth = Vec::new();
        for _ in 0..n {
            let z: Vec<f64> = (0..3).map(|_| 1.5 * stream.normal()).collect();
            let softmax = |t: f64| {
                let e: Vec<f64> = z.iter().map(|v| (v / t).exp()).collect();
                let sum: f64 = e.iter().sum();
                e.into_iter().map(|v| v / sum).collect::<Vec<_>>()
            };
            let honest = softmax(1.0);
            let u = stream.uniform();
            truth.push(if u < honest[0] {
                0
            } else {
                1 + u32::from(u >= honest[0] + honest[1])
            });
            data.extend(softmax(1.0 / temperature));
        }
        (Matrix::new(n, 3, data).unwrap(), truth)
    }

    #[test]
    fn the_planted_temperature_comes_out_again() {
        for planted in [0.5, 1.0, 2.0] {
            let (p, truth) = sample(20_000, planted, 5);
            let fitted = fit_temperature(&p, &truth).unwrap();
            assert!(
                (fitted / planted - 1.0).abs() < 0.05,
                "planted {planted}, fitted {fitted}"
            );
        }
    }

    #[test]
    fn the_gain_is_positive_for_an_overconfident_model_and_about_zero_for_an_honest_one() {
        let settings = Settings::new(1, "t");
        let units = Units::independent(2000);
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let (p, truth) = sample(2000, 2.5, 6);
        let bad = cross_fitted_temperature(&p, &truth, &units, &settings).unwrap();
        assert!(mean(&bad.gain) > 0.1);
        let (p, truth) = sample(2000, 1.0, 6);
        let good = cross_fitted_temperature(&p, &truth, &units, &settings).unwrap();
        assert!(mean(&good.gain).abs() < 0.002);
        assert_eq!(good.fold_temperatures.len(), 10);
    }

    #[test]
    fn temperature_one_changes_nothing_and_scores_have_closed_forms() {
        let p = Matrix::new(2, 2, vec![0.8, 0.2, 0.0, 1.0]).unwrap();
        let same = with_temperature(&p, 1.0).unwrap();
        for (a, b) in same.data().iter().zip(p.data()) {
            assert!((a - b).abs() < 1e-12);
        }
        let losses = log_losses(&p, &[0, 0]).unwrap();
        assert!(
            (losses[0] + 0.8_f64.ln()).abs() < 1e-15 && (losses[1] + 1e-15_f64.ln()).abs() < 1e-12
        );
        let brier = brier(&p, &[0, 0]).unwrap();
        assert!((brier.rows[0] - 0.08).abs() < 1e-15 && (brier.rows[1] - 2.0).abs() < 1e-15);
    }

    #[test]
    fn probabilities_that_are_none_are_refused() {
        let p = Matrix::new(1, 2, vec![0.8, 0.3]).unwrap();
        assert_eq!(log_losses(&p, &[0]).unwrap_err().code.id, "T701");
        let p = Matrix::new(1, 2, vec![1.2, -0.2]).unwrap();
        assert_eq!(fit_temperature(&p, &[0]).unwrap_err().code.id, "T701");
        let p = Matrix::new(1, 2, vec![0.5, 0.5]).unwrap();
        assert_eq!(brier(&p, &[2]).unwrap_err().code.id, "T701");
        assert_eq!(brier(&p, &[0, 1]).unwrap_err().code.id, "T701");
    }

    #[test]
    fn equal_confidences_share_a_bin() {
        let settings = Settings::new(1, "t");
        let made = calibration_error(&[0.9; 10], &[true; 10], 5, 199, &settings).unwrap();
        assert_eq!(made.bins, 1);
        assert!((made.ece - 0.1).abs() < 1e-12 && (made.debiased - 0.1).abs() < 1e-12);
        let bins = reliability(
            &[0.1, 0.2, 0.2, 0.9],
            &[true; 4],
            2,
            &Units::independent(4),
            &settings,
        )
        .unwrap();
        assert_eq!(
            bins.iter().map(|b| b.accuracy.n).collect::<Vec<_>>(),
            vec![3, 1]
        );
    }
}
