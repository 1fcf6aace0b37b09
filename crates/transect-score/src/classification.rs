//! One class against class probabilities.

use transect_core::{Error, Result, codes};

/// The least probability that the logarithm is taken of.
pub(crate) const CLIP: f64 = 1e-15;

/// `correct`, `log_loss`, `brier`. Probabilities are used as they are, not scaled to sum to 1.
pub(crate) fn score(
    n_classes: usize,
    truth: u32,
    probabilities: &[f32],
    predicted: usize,
) -> Result<Vec<Option<f64>>> {
    if probabilities.len() != n_classes || probabilities.is_empty() {
        return Err(Error::new(
            &codes::truth::PREDICTION_UNUSABLE,
            format!(
                "the model has {n_classes} classes and gave {} probabilities",
                probabilities.len()
            ),
        ));
    }
    if let Some(index) = probabilities
        .iter()
        .position(|p| !(0.0..=1.001).contains(p))
    {
        return Err(Error::new(
            &codes::truth::PREDICTION_UNUSABLE,
            format!(
                "the probability of class {index} is {}",
                probabilities[index]
            ),
        ));
    }
    let truth = truth as usize;
    if truth >= n_classes {
        return Err(Error::new(
            &codes::truth::TRUTH_CLASS,
            format!(
                "the truth is class {truth}, the model has classes 0 to {}",
                n_classes - 1
            ),
        ));
    }
    let correct = if predicted == truth { 1.0 } else { 0.0 };
    let log_loss = -f64::from(probabilities[truth]).clamp(CLIP, 1.0).ln();
    let brier: f64 = probabilities
        .iter()
        .enumerate()
        .map(|(class, &p)| {
            let residual = f64::from(p) - if class == truth { 1.0 } else { 0.0 };
            residual * residual
        })
        .sum();
    // −ln 1 is −0: written as 0, so that tables never hold a negative zero.
    Ok(vec![Some(correct), Some(log_loss + 0.0), Some(brier)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sure_and_right_prediction_is_ideal() {
        let scores = score(3, 1, &[0.0, 1.0, 0.0], 1).unwrap();
        assert_eq!(scores, [Some(1.0), Some(0.0), Some(0.0)]);
        assert!(scores[1].unwrap().is_sign_positive());
    }

    #[test]
    fn a_sure_and_wrong_prediction_is_clipped() {
        let scores = score(2, 0, &[0.0, 1.0], 1).unwrap();
        assert_eq!(scores[0], Some(0.0));
        assert!((scores[1].unwrap() - 34.538_776_394_910_684).abs() < 1e-12);
        assert_eq!(scores[2], Some(2.0));
    }

    #[test]
    fn numbers_that_are_no_probabilities_are_refused() {
        for bad in [f32::NAN, f32::INFINITY, -0.1, 1.1] {
            assert_eq!(score(2, 0, &[0.5, bad], 0).unwrap_err().code.id, "T204");
        }
        assert_eq!(score(3, 0, &[0.5, 0.5], 0).unwrap_err().code.id, "T204");
        assert_eq!(score(0, 0, &[], 0).unwrap_err().code.id, "T204");
        assert_eq!(score(2, 2, &[0.5, 0.5], 0).unwrap_err().code.id, "T202");
    }
}
