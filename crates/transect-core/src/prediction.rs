//! What a model made of one view, decoded into the terms of its task.

use crate::labels::LabelImage;

/// A decoded prediction.
#[derive(Debug, Clone, PartialEq)]
pub enum Prediction {
    /// One class for the image.
    Classes(Classes),
    /// One class for each pixel.
    Semantic(Semantic),
    /// Objects.
    Instances(Instances),
}

/// Probabilities over the model's classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Classes {
    /// One for each class, summing to 1 (within 1e-3).
    pub probabilities: Vec<f32>,
}

impl Classes {
    /// The class with the highest probability; the first of equals.
    pub fn class(&self) -> usize {
        let mut best = 0;
        for (index, &p) in self.probabilities.iter().enumerate() {
            if p > self.probabilities[best] {
                best = index;
            }
        }
        best
    }
}

/// A class for each pixel, at the size of the view.
#[derive(Debug, Clone, PartialEq)]
pub struct Semantic {
    /// Class indices.
    pub mask: LabelImage,
    /// Mean over pixels of the predicted class's probability, where the model gives probabilities.
    pub confidence: Option<f32>,
    /// The predicted class's probability at each pixel, row by row; empty where the model gives no probabilities.
    pub confidences: Vec<f32>,
}

/// Objects, at the size of the view.
#[derive(Debug, Clone, PartialEq)]
pub struct Instances {
    /// Labels 1..n, consecutive; 0 is background.
    pub labels: LabelImage,
    /// Mean foreground probability of each object (label i at i − 1), where the model gives probabilities.
    pub confidences: Vec<f32>,
}
