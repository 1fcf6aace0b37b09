//! Risk against coverage.

use transect_core::Result;

use crate::error::refused;

/// Risk–coverage curve with its areas.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskCoverage {
    /// Coverage k/n for k = 1 … n.
    pub coverage: Vec<f64>,
    /// Mean loss of the k most confident rows; ties as the expectation over their orders.
    pub risk: Vec<f64>,
    /// AURC: mean of `risk` (Geifman and El-Yaniv 2017). Lower is better.
    pub aurc: f64,
    /// AUGRC: area under coverage × risk by trapezoids (Traub et al. 2024). Lower is better; for 0/1 losses equals
    /// (1 − AUROC)·a(1 − a) + (1 − a)²/2 with accuracy a.
    pub augrc: f64,
}

/// Risk–coverage curve of one confidence and one loss for each row. The order of rows never matters.
///
/// # Errors
/// `T701` for no rows, lengths that differ, values that are not finite.
pub fn risk_coverage(confidence: &[f64], loss: &[f64]) -> Result<RiskCoverage> {
    let _ = (confidence, loss);
    Err(refused("not yet"))
}
