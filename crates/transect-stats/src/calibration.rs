//! Confidence against correctness.

use transect_core::Result;

use crate::error::refused;
use crate::interval::{Estimate, Settings};
use crate::matrix::Matrix;
use crate::units::Units;

/// Probabilities are raised to this before a logarithm: a loss is at most 34.5.
pub const PROBABILITY_FLOOR: f64 = 1e-15;

/// Log loss of each row, −ln max(p(truth), [`PROBABILITY_FLOOR`]), natural logarithm.
///
/// # Errors
/// `T701` when lengths differ, a truth is not a column, a probability is outside [0, 1], or a row does not sum to 1
/// within 1e-3.
pub fn log_losses(probabilities: &Matrix, truth: &[u32]) -> Result<Vec<f64>> {
    let _ = (probabilities, truth);
    Err(refused("not yet"))
}

/// Brier score.
#[derive(Debug, Clone, PartialEq)]
pub struct Brier {
    /// Σ_k (p_k − y_k)² of each row, in [0, 2].
    pub rows: Vec<f64>,
    /// Their mean.
    pub mean: f64,
}

/// Multi-class Brier score Σ_k (p_k − y_k)², in [0, 2] (for two classes twice the binary one).
///
/// # Errors
/// As [`log_losses`].
pub fn brier(probabilities: &Matrix, truth: &[u32]) -> Result<Brier> {
    let _ = (probabilities, truth);
    Err(refused("not yet"))
}

/// The temperature T in [0.05, 20] that minimises the log loss of softmax(ln p / T): above 1 for a model that is too sure.
///
/// # Errors
/// As [`log_losses`].
pub fn fit_temperature(probabilities: &Matrix, truth: &[u32]) -> Result<f64> {
    let _ = (probabilities, truth);
    Err(refused("not yet"))
}

/// The same rows at a temperature: softmax(ln p / T).
///
/// # Errors
/// `T701` for a temperature that is not positive.
pub fn with_temperature(probabilities: &Matrix, temperature: f64) -> Result<Matrix> {
    let _ = (probabilities, temperature);
    Err(refused("not yet"))
}

/// Gain of temperature scaling, cross-fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct TemperatureGain {
    /// Temperature fitted on all rows.
    pub temperature: f64,
    /// Temperature fitted without each fold.
    pub fold_temperatures: Vec<f64>,
    /// Log loss of each row as given minus its log loss at the temperature fitted without its fold: positive when scaling
    /// helps. Its mean by [`crate::mean`] is the finding.
    pub gain: Vec<f64>,
}

/// Cross-fitted log-loss gain of temperature scaling over grouped folds (at most 10, seeded).
///
/// # Errors
/// As [`log_losses`], and for fewer than two groups.
pub fn cross_fitted_temperature(
    probabilities: &Matrix,
    truth: &[u32],
    units: &Units,
    settings: &Settings,
) -> Result<TemperatureGain> {
    let _ = (probabilities, truth, units, settings);
    Err(refused("not yet"))
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

/// ECE with equal-mass bins; rows of equal confidence are never split.
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
    let _ = (confidence, correct, bins, resamples, settings);
    Err(refused("not yet"))
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

/// Reliability diagram with equal-mass bins, intervals over groups.
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
    let _ = (confidence, correct, bins, units, settings);
    Err(refused("not yet"))
}
