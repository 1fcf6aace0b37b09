//! Manifest rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::axis::PixelSize;
use crate::digest::Digest;
use crate::measurement::Status;
use crate::profile::Profile;

/// Which side of the comparison a row is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Hash, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The images that the claim was made on.
    Reference,
    /// The user's images.
    Target,
}

/// Where the truth of a row is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum TruthRef {
    /// There is none.
    #[default]
    None,
    /// A class, by name, after the class map.
    Class(String),
    /// A label image or mask, relative to the manifest.
    Path(String),
}

/// One row of the manifest: an image, what is true of it, what is known of it. No pixel and no absolute path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Ordinal over reference and target together, in the order given: the key of every table.
    pub row: u32,
    /// Which side.
    pub role: Role,
    /// Index of the manifest that the row came from, into the run's list of manifests.
    pub manifest: u32,
    /// One-based line in that manifest.
    pub line: u32,
    /// Path of the image, relative to the manifest; the name that users know it by.
    pub image: String,
    /// Further files, one per channel, stacked after `image` in this order; empty for an image in one file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// Page of a multi-page file; the first where not said.
    pub page: Option<u32>,
    /// Truth.
    pub truth: TruthRef,
    /// The same by a second annotator.
    #[serde(default)]
    pub second_truth: TruthRef,
    /// Known source of acquisition.
    pub domain: Option<String>,
    /// What was sampled: intervals resample it.
    pub group: Option<String>,
    /// What was fixed: intervals resample within it.
    pub stratum: Option<String>,
    /// The same field in two modalities.
    pub pair_id: Option<String>,
    /// Pixel size said by the manifest; goes before what the file says.
    pub pixel_size: Option<PixelSize>,
    /// Every other column as text.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
}

/// One row of `items.parquet`: the manifest row and what its pixels and its truth say without any model.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemRecord {
    /// The manifest row.
    pub item: Item,
    /// Content hash of the image file (of the files, where channels are apart), and of the page.
    pub image_sha256: Digest,
    /// Whether the image could be read.
    pub status: Status,
    /// Code of the error, where not.
    pub error_code: Option<String>,
    /// The error in words.
    pub error: Option<String>,
    /// Index of the truth's class among the model's; `None` where there is no class truth or the model lacks the class.
    pub truth_class: Option<u32>,
    /// Attributes in the order of [`crate::attribute::ATTRIBUTES`]; `None` where one does not apply.
    pub attributes: Vec<Option<f64>>,
    /// What swaps and interventions need to move this image or to move others to it.
    pub profile: Option<Profile>,
    /// Difference hash of 64 bits.
    pub perceptual_hash: Option<u64>,
    /// Thumbnail, 64 × 64 × 3 bytes, red, green, blue; empty where the image could not be read.
    pub thumbnail: Vec<u8>,
}

impl ItemRecord {
    /// The attribute of this name, where it applies to the image.
    pub fn attribute(&self, name: &str) -> Option<f64> {
        let index = crate::attribute::ATTRIBUTES
            .iter()
            .position(|a| a.name == name)?;
        self.attributes.get(index).copied().flatten()
    }
}
