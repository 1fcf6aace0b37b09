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

/// A subspace of an embedding. `top` has the principal directions, largest variance first; `random:<i>` is a random rotation of
/// the same directions, in no order, and spans the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subspace {
    /// Orthonormal directions, each as long as the embedding.
    pub directions: Vec<Vec<f64>>,
    /// Variance of the embedding along each.
    #[serde(default)]
    pub variances: Vec<f64>,
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
    /// Content of the images that it was re-estimated on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub normalised_on: Vec<Digest>,
    /// Subspaces by name (`top`, `random:0`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub subspaces: BTreeMap<String, Subspace>,
    /// Embeddings of the rows that take part in subspace swaps, those that donate and those that are given to, by row.
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
    /// The directions, with weights, that a subspace swap keeps of the image itself when `value` directions are asked for.
    ///
    /// Of `top` the first `value` ones, with weight 1. No other subspace of that rank has as much variance (Ky Fan), so a
    /// random one of the same rank is no null for it: of `random:<i>` as many directions are taken as have together the same
    /// variance as the first `value` of `top`, the last of them with the weight that makes it equal: √(what is missing / its
    /// variance). `None` where the subspace was not fitted or has fewer directions.
    pub fn kept_directions(&self, name: &str, value: usize) -> Option<Vec<(f64, &[f64])>> {
        let subspace = self.subspaces.get(name)?;
        let top = self.subspaces.get("top")?;
        if value > top.directions.len() {
            return None;
        }
        if name == "top" {
            return Some(
                top.directions[..value]
                    .iter()
                    .map(|d| (1.0, &d[..]))
                    .collect(),
            );
        }
        let mut missing: f64 = top.variances.iter().take(value).sum();
        let mut kept = Vec::new();
        // The whole is the whole, whatever the rounding.
        let all = value == top.directions.len();
        for (direction, &variance) in subspace.directions.iter().zip(&subspace.variances) {
            if missing <= 0.0 && !all {
                break;
            }
            let weight = if all || variance <= missing {
                1.0
            } else {
                (missing / variance).sqrt()
            };
            missing -= variance;
            kept.push((weight, &direction[..]));
        }
        Some(kept)
    }

    /// The hash of what was fitted.
    pub fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits() -> Fits {
        let unit = |axis: usize| (0..3).map(|i| f64::from(u8::from(i == axis))).collect();
        let half = std::f64::consts::FRAC_1_SQRT_2;
        let mut fits = Fits::default();
        fits.subspaces.insert(
            "top".to_owned(),
            Subspace {
                directions: vec![unit(0), unit(1), unit(2)],
                variances: vec![8.0, 3.0, 1.0],
            },
        );
        fits.subspaces.insert(
            "random:0".to_owned(),
            Subspace {
                directions: vec![vec![0.0, half, half], unit(0), vec![0.0, half, -half]],
                variances: vec![2.0, 8.0, 2.0],
            },
        );
        fits
    }

    #[test]
    fn a_random_subspace_keeps_the_variance_of_the_top_one() {
        let fits = fits();
        for (value, variance) in [(0, 0.0), (1, 8.0), (2, 11.0), (3, 12.0)] {
            for name in ["top", "random:0"] {
                let subspace = &fits.subspaces[name];
                let kept = fits.kept_directions(name, value).unwrap();
                let sum: f64 = kept
                    .iter()
                    .zip(&subspace.variances)
                    .map(|((w, _), v)| w * w * v)
                    .sum();
                assert!((sum - variance).abs() < 1e-12, "{name} {value}: {sum}");
            }
        }
        let one = fits.kept_directions("random:0", 1).unwrap();
        assert_eq!(one.len(), 2);
        assert!((one[1].0 - 0.75_f64.sqrt()).abs() < 1e-15);
        assert!(fits.kept_directions("top", 4).is_none());
        assert!(fits.kept_directions("random:1", 1).is_none());
    }
}
