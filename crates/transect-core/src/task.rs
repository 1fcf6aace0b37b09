//! What a model does, and what made the images.

use serde::{Deserialize, Serialize};

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// One of K classes for each image.
    Classification,
    /// One of K classes for each pixel; class 0 is background where there is one.
    Semantic,
    /// Objects, each with its own label.
    Instance,
}

/// What made the images. It selects the corruptions and the wording that apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Hash, Default)]
#[serde(rename_all = "lowercase")]
pub enum Modality {
    /// Light emitted by the specimen on a dark background.
    Fluorescence,
    /// Light absorbed by a stained specimen on a bright background.
    Brightfield,
    /// Phase contrast or differential interference contrast.
    Phase,
    /// Many channels, each a band of a spectrum.
    Spectral,
    /// A photograph.
    Photo,
    /// Not declared: only what applies to every image is run.
    #[default]
    Unknown,
}
