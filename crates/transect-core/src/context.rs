//! What is known of a run before anything is measured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::axis::PixelSize;
use crate::score_column::ScoreColumn;
use crate::task::{Modality, Task};

/// How much is measured.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default, Hash, PartialOrd, Ord,
)]
#[serde(rename_all = "lowercase")]
pub enum PlanLevel {
    /// The identity, and three severities of the corruptions that apply.
    Quick,
    /// Five severities; swaps with one donor.
    #[default]
    Standard,
    /// Five severities, three repetitions of random ones; swaps with three donors.
    Full,
}

/// What is known of the microscope, for corruptions in physical units. Nothing here is ever guessed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
pub struct Optics {
    /// Numerical aperture.
    pub numerical_aperture: Option<f64>,
    /// Emission or illumination wavelength, micrometres.
    pub wavelength_um: Option<f64>,
    /// Refractive index of the medium.
    pub refractive_index: Option<f64>,
    /// Pixel size in the specimen, micrometres, where all images share one.
    pub pixel_size_um: Option<f64>,
}

/// How far apart two outlines may be and still count as one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SurfaceTolerance {
    /// Pixels.
    Px(f64),
    /// Micrometres in the specimen.
    Um(f64),
}

impl Default for SurfaceTolerance {
    /// Two pixels.
    fn default() -> Self {
        Self::Px(2.0)
    }
}

impl SurfaceTolerance {
    /// In pixels of an image; `None` where it is in micrometres and the pixel size is not known. Pixels that are not square
    /// count as squares of the same area.
    pub fn px(self, pixel_size: Option<PixelSize>) -> Option<f64> {
        match self {
            Self::Px(px) => Some(px),
            Self::Um(um) => {
                let side = pixel_size.map(|p| (p.row_um * p.column_um).sqrt())?;
                (side > 0.0).then(|| um / side)
            }
        }
    }
}

/// The ladder of one corruption, in the run's physical units: what `robustness` climbs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ladder {
    /// Corruption, such as `defocus`.
    pub name: String,
    /// A few words, such as `defocus`.
    pub words: String,
    /// Physical parameter, such as `defocus`.
    pub parameter: String,
    /// Its unit, such as `um`, or `px` where the microscope is not known.
    pub unit: String,
    /// Its value where nothing is changed (severity 0), such as 0 µm of defocus, a magnification of 1, infinitely many
    /// photons; infinity is `null` in JSON.
    #[serde(with = "infinite")]
    pub identity: f64,
    /// Its value at severities 1 to 5, ever further from `identity`.
    pub values: [f64; 5],
    /// Whether it draws random numbers.
    pub random: bool,
    /// What a reader must know, such as that the unit is pixels because the aperture was not given.
    pub note: String,
}

/// JSON has no infinity: `null` stands for it.
mod infinite {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde calls it with a reference"
    )]
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
    }
}

/// What is known of a run before anything is measured: what `plan` and `judge` may look at beside the tables.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// What the model does.
    pub task: Task,
    /// What made the images.
    pub modality: Modality,
    /// How much is measured.
    pub plan: PlanLevel,
    /// The run's seed.
    pub seed: u64,
    /// Names of the model's classes; empty where it has none.
    pub classes: Vec<String>,
    /// Columns of the scores in every measurement.
    pub score_columns: Vec<ScoreColumn>,
    /// Claimed values by metric, such as `accuracy` → 0.97.
    pub claims: BTreeMap<String, f64>,
    /// The manifest's column that is the domain, if named.
    pub domain: Option<String>,
    /// Names of the domains, in the order of the alphabet; empty where none is named. Each has a pool of donors,
    /// `domain:<name>`.
    #[serde(default)]
    pub domains: Vec<String>,
    /// The column that is the group, if named.
    pub group: Option<String>,
    /// The column that is the stratum, if named.
    pub stratum: Option<String>,
    /// Whether there are reference rows.
    pub has_reference: bool,
    /// Whether there is truth for the target.
    pub has_truth: bool,
    /// The microscope.
    pub optics: Optics,
    /// How far apart two outlines may be and still count as one.
    #[serde(default)]
    pub surface_tolerance: SurfaceTolerance,
    /// The corruptions that apply to these images.
    pub ladders: Vec<Ladder>,
    /// Images a day that the user needs, if stated.
    pub throughput_per_day: Option<f64>,
    /// Whether predictions were given instead of a model, so that only the identity can be measured.
    pub predictions_only: bool,
    /// Whether there is neither a model nor predictions: the images and their truth alone are looked at.
    #[serde(default)]
    pub images_alone: bool,
    /// Channels of the first image that could be read; 0 where it is not known.
    #[serde(default)]
    pub channels: u32,
    /// Whether the truth has the outlines of objects or areas, so that views can leave the objects out.
    #[serde(default)]
    pub has_outlines: bool,
    /// Whether a second annotator's truth was given.
    #[serde(default)]
    pub has_second_truth: bool,
    /// Whether the model's weights can be drawn anew (`reinit:<k>`).
    #[serde(default)]
    pub can_reinitialise: bool,
    /// Whether the model can be run from its embedding on (views of kind subspace); the layer's name.
    #[serde(default)]
    pub head_layer: Option<String>,
    /// Thresholds of the decoder that a reader could as well have chosen (models `threshold:<value>`); empty where there is
    /// none.
    #[serde(default)]
    pub other_thresholds: Vec<f64>,
    /// The tensor that the last convolution before the output is fed with, for outlines; `None` where there is none.
    #[serde(default)]
    pub dense_layer: Option<String>,
}

impl Context {
    /// A context with a task and its classes and nothing else said: what predicting without judging needs.
    pub fn bare(task: Task, classes: Vec<String>) -> Self {
        Self {
            task,
            modality: Modality::Unknown,
            plan: PlanLevel::default(),
            seed: 0,
            classes,
            score_columns: Vec::new(),
            claims: BTreeMap::new(),
            domain: None,
            domains: Vec::new(),
            group: None,
            stratum: None,
            has_reference: false,
            has_truth: false,
            optics: Optics::default(),
            surface_tolerance: SurfaceTolerance::default(),
            ladders: Vec::new(),
            throughput_per_day: None,
            predictions_only: false,
            images_alone: false,
            channels: 0,
            has_outlines: false,
            has_second_truth: false,
            can_reinitialise: false,
            head_layer: None,
            other_thresholds: Vec::new(),
            dense_layer: None,
        }
    }

    /// The name under which the values of [`Context::dense_layer`] at single pixels stand in the tables.
    pub fn pixel_layer(&self) -> Option<String> {
        let layer = self.dense_layer.as_ref()?;
        Some(format!("{}{layer}", crate::request::PIXEL_LAYERS))
    }
}
