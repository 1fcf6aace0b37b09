//! What is fitted between stages and frozen: hashed, made by a named earlier pass, never by a shard for itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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

/// Everything that `gather` fitted from the earlier stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Fits {
    /// Donors by the pool's name.
    pub pools: BTreeMap<String, Pool>,
}

impl Fits {
    /// The hash of what was fitted.
    pub fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}
