//! Risk against coverage.

use transect_core::Result;

use crate::error::{finite, same_length};
use crate::rank::ascending;

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

/// Risk–coverage curve of one confidence and one loss for each row (the loss is 0 or 1 for right or wrong, or 1 − IoU …).
///
/// Rows are accepted from the most confident down. Within a run of equal confidences the expected sum of losses over all
/// orders grows linearly, so row order never matters. Risk at k is (sum of the first k)/k; AURC is its mean over k;
/// AUGRC is the area under (sum of the first k)/n over k/n from (0, 0) by trapezoids.
///
/// # Errors
/// `T701` for no rows, lengths that differ, values that are not finite.
pub fn risk_coverage(confidence: &[f64], loss: &[f64]) -> Result<RiskCoverage> {
    finite("confidence", confidence)?;
    finite("loss", loss)?;
    same_length("confidence", confidence.len(), "loss", loss.len())?;
    let n = confidence.len();
    let mut order = ascending(confidence);
    order.reverse();
    let mut coverage = Vec::with_capacity(n);
    let mut risk = Vec::with_capacity(n);
    let (mut before, mut area, mut generalised) = (0.0, 0.0, 0.0);
    let mut start = 0;
    while start < n {
        let mut end = start + 1;
        while end < n && confidence[order[end]] == confidence[order[start]] {
            end += 1;
        }
        let mut losses: Vec<f64> = order[start..end].iter().map(|&row| loss[row]).collect();
        losses.sort_unstable_by(f64::total_cmp);
        let step = losses.iter().sum::<f64>() / (end - start) as f64;
        for k in start + 1..=end {
            let sum = before + step * (k - start) as f64;
            coverage.push(k as f64 / n as f64);
            risk.push(sum / k as f64);
            area += sum / k as f64;
            generalised += sum - 0.5 * step;
        }
        before += step * (end - start) as f64;
        start = end;
    }
    let n = n as f64;
    Ok(RiskCoverage {
        coverage,
        risk,
        aurc: area / n,
        augrc: generalised / (n * n),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auroc;

    #[test]
    fn ties_are_the_expectation_over_orders() {
        // Two tied rows, one wrong: half the time the wrong one comes first.
        let curve = risk_coverage(&[0.5, 0.5], &[1.0, 0.0]).unwrap();
        assert_eq!(curve.risk, vec![0.5, 0.5]);
        assert_eq!(curve.aurc, 0.5 * (0.5 * (1.0 + 0.0) + 0.5));
        assert_eq!(curve.augrc, 0.25);
    }

    #[test]
    fn augrc_is_a_function_of_auroc_and_accuracy() {
        let confidence = [0.9, 0.8, 0.8, 0.7, 0.6, 0.6, 0.5, 0.4];
        let loss = [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0];
        let right: Vec<bool> = loss.iter().map(|&l| l == 0.0).collect();
        let auc = auroc(&confidence, &right).unwrap().unwrap();
        let a = 5.0 / 8.0;
        let expected = (1.0 - auc) * a * (1.0 - a) + 0.5 * (1.0 - a) * (1.0 - a);
        let curve = risk_coverage(&confidence, &loss).unwrap();
        assert!(
            (curve.augrc - expected).abs() < 1e-15,
            "{} {expected}",
            curve.augrc
        );
        assert!((curve.risk[7] - 3.0 / 8.0).abs() < 1e-15);
    }
}
