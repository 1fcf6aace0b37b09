//! What is fitted between stages and frozen: hashed, made by a named earlier pass, never by a shard for itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ModelId;
use crate::digest::Digest;
use crate::profile::Profile;

/// One image that others may be moved to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Donor {
    /// Its row.
    pub row: u32,
    /// Its content.
    pub image_sha256: Digest,
    /// Its traits.
    pub profile: Profile,
}

/// A named set of donors, such as `target`, `reference` or `domain:D2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Pool {
    /// Donors in the order of their rows; the same content only once.
    pub donors: Vec<Donor>,
}

impl Pool {
    /// The donor of an image: chosen by the hash of (seed, image, replicate), never by position in a batch, and never
    /// the image itself. `None` where the pool holds no other image.
    pub fn donor(&self, seed: u64, image: Digest, replicate: u32) -> Option<&Donor> {
        self.donors
            .iter()
            .filter(|d| d.image_sha256 != image)
            .min_by_key(|d| {
                Digest::of_parts([
                    &seed.to_le_bytes()[..],
                    b"donor",
                    &image.0,
                    &d.image_sha256.0,
                    &replicate.to_le_bytes(),
                ])
            })
    }
}

/// Statistics of one normalisation layer of a model, re-estimated on the run's images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    /// Name of the layer's output in the graph.
    pub output: String,
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// Variance of each channel.
    pub variance: Vec<f32>,
}

/// A subspace of an embedding: orthonormal directions, largest variance first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subspace {
    /// Directions, each as long as the embedding.
    pub directions: Vec<Vec<f64>>,
}

/// How far the reference itself varies in what a natural search may move: one standard deviation of each.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
pub struct Variation {
    /// Of the natural logarithm of the spread of intensity: gain.
    pub log_gain: f64,
    /// Of the mean intensity, as a share of full scale: offset.
    pub offset: f64,
    /// Of the estimated blur, px: focus.
    pub blur_px: f64,
    /// Of the noise, as a share of full scale.
    pub noise: f64,
    /// Of the log ratio of the channels' means: colour.
    pub log_colour: f64,
}

/// Everything that `gather` fitted from the earlier stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Fits {
    /// Donors by the pool's name.
    pub pools: BTreeMap<String, Pool>,
    /// Re-estimated normalisation of each model variant that has any.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub normalisation: BTreeMap<ModelId, Vec<Normalisation>>,
    /// Subspaces by name (`top`, `random:0`), with the embeddings that they were fitted on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subspaces: BTreeMap<String, Subspace>,
    /// Embeddings of the rows that donate to subspace swaps, by row.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub embeddings: BTreeMap<u32, Vec<f32>>,
    /// Groups of channels, the most used first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channel_order: Vec<u32>,
    /// How far the reference varies; the target where there is no reference.
    #[serde(default)]
    pub variation: Variation,
}

impl Fits {
    /// The hash of what was fitted.
    pub fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}
