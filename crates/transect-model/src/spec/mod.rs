//! Specifications: how an image becomes a tensor, and what the output means.

mod meaning;
mod operation;
mod rdf;
mod reader;
mod resolve;
mod toml;

use std::path::PathBuf;

use serde::Serialize;
use transect_core::{PixelSize, Task};

use crate::options::{Decode, Normalise, Thresholds};

pub(crate) use rdf::read_rdf;
pub(crate) use resolve::{model_channel, resolve};
pub(crate) use toml::read_toml;

/// What an axis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AxisKind {
    /// Images side by side; always one here.
    Batch,
    /// Channels.
    Channel,
    /// Depth.
    Z,
    /// Rows.
    Y,
    /// Columns.
    X,
    /// Anything else: time, an index. Its length must be 1.
    Other,
}

impl AxisKind {
    /// Its place in (channel, plane, row, column).
    pub fn place(self) -> Option<usize> {
        match self {
            Self::Channel => Some(0),
            Self::Z => Some(1),
            Self::Y => Some(2),
            Self::X => Some(3),
            Self::Batch | Self::Other => None,
        }
    }
}

/// Which lengths an axis may have.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// One length.
    Fixed(usize),
    /// `min + n · step`; with a step of 1 and a `max`, any length between.
    Step {
        /// Smallest length.
        min: usize,
        /// Step.
        step: usize,
        /// Largest length.
        max: Option<usize>,
    },
    /// ⌊input · factor⌋ + offset, of the input's axis of the same kind.
    Follows {
        /// Output pixels for each input pixel.
        factor: f64,
        /// Pixels more (or fewer).
        offset: i64,
    },
}

/// One axis of a tensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Axis {
    /// What it is.
    pub kind: AxisKind,
    /// Its length.
    pub size: Size,
    /// Names of the channels, on a channel axis.
    pub names: Vec<String>,
    /// Pixels to crop from each side of the output.
    pub halo: usize,
    /// Physical size of a step.
    pub scale: f64,
    /// Unit of `scale`.
    pub unit: Option<String>,
}

/// Axes of the image that an operation works on jointly: (channel, plane, row, column).
pub type AxisSet = [bool; 4];

/// Types that `ensure_dtype` casts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cast {
    /// No change: everything here is `f32`.
    Float,
    /// Truncated towards zero; values outside the range are an error.
    Integer {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// 1 where not 0.
    Bool,
}

/// One bound of `clip`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// A value.
    Value(f64),
    /// A percentile of the data (inverted distribution function: the smallest value with at least that share at or below).
    Percentile(f64),
}

/// One operation before or after the model. Means and deviations are of the population; all sums are `f64`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "id", rename_all = "snake_case")]
pub enum Operation {
    /// Casts.
    EnsureDtype {
        /// To what.
        to: Cast,
    },
    /// x > threshold, as 0 or 1.
    Binarize {
        /// One, or one for each position along `axis`.
        threshold: Vec<f64>,
        /// The place of the axis.
        axis: Option<usize>,
    },
    /// Values below and above the bounds become the bounds.
    Clip {
        /// Lower.
        min: Option<Bound>,
        /// Upper.
        max: Option<Bound>,
        /// Axes over which percentiles are taken jointly.
        axes: AxisSet,
        /// Whether percentiles are those of the model's input, before its preprocessing.
        #[serde(skip_serializing_if = "is_false")]
        of_input: bool,
    },
    /// x · gain + offset.
    ScaleLinear {
        /// One, or one for each position along `axis`.
        gain: Vec<f64>,
        /// The same.
        offset: Vec<f64>,
        /// The place of the axis.
        axis: Option<usize>,
    },
    /// 1 / (1 + exp(−x)).
    Sigmoid,
    /// exp(x) / Σ exp(x) along the axis.
    Softmax {
        /// The place of the axis.
        axis: usize,
    },
    /// (x − mean) / std.
    FixedZeroMeanUnitVariance {
        /// One, or one for each position along `axis`.
        mean: Vec<f64>,
        /// The same.
        std: Vec<f64>,
        /// The place of the axis.
        axis: Option<usize>,
    },
    /// (x − μ) / (σ + eps).
    ZeroMeanUnitVariance {
        /// Axes over which μ and σ are taken jointly.
        axes: AxisSet,
        /// Added to σ.
        eps: f64,
        /// Whether μ and σ are those of the model's input, before its preprocessing.
        #[serde(skip_serializing_if = "is_false")]
        of_input: bool,
    },
    /// (x − low) / (high − low + eps), with percentiles by linear interpolation.
    ScaleRange {
        /// Axes over which percentiles are taken jointly.
        axes: AxisSet,
        /// Percentile, 0 to 100.
        min_percentile: f64,
        /// Percentile, 0 to 100.
        max_percentile: f64,
        /// Added to the denominator.
        eps: f64,
        /// Whether the percentiles are those of the model's input, before its preprocessing.
        of_input: bool,
    },
    /// (x − μ) / (σ + eps) · (σ_input + eps) + μ_input; after the model only.
    ScaleMeanVariance {
        /// Axes over which μ and σ are taken jointly.
        axes: AxisSet,
        /// Added to each σ.
        eps: f64,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// How raw pixel values become the values that preprocessing starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Values {
    /// As they are.
    Raw,
    /// Divided by the largest value of the image's integer type; floating images as they are.
    FullScale,
    /// Decided for each image by the declared range: see [`crate::Model::notes`].
    ByRange,
}

/// How pixels are interpolated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ResizeMethod {
    /// Linear between the centres of the nearest pixels.
    Bilinear,
    /// Mean over the footprint of the new pixel.
    Area,
    /// The pixel in which the new centre lies.
    Nearest,
}

/// What is done against aliasing before a bilinear resize.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AntiAlias {
    /// A Gaussian of σ = (factor − 1) / 2 along each shrunk axis, cut off at 4 σ.
    Gaussian,
    /// Nothing.
    None,
}

/// A declared resize; it comes first, on raw pixel values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Resize {
    /// Interpolation.
    pub method: ResizeMethod,
    /// Against aliasing.
    pub anti_alias: AntiAlias,
    /// New (rows, columns).
    pub size: [usize; 2],
}

/// A tensor that the model takes or gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorSpec {
    /// Name in the specification.
    pub id: String,
    /// Name in the graph.
    pub graph_name: String,
    /// Axes in the tensor's order.
    pub axes: Vec<Axis>,
    /// Type of the elements, as declared.
    pub dtype: String,
    /// Declared range of values; infinite where not declared.
    pub range: [f64; 2],
    /// Before the model for an input, after it for an output.
    pub operations: Vec<Operation>,
    /// The test tensor, if one is named.
    #[serde(skip)]
    pub test: Option<PathBuf>,
}

impl TensorSpec {
    /// The axis of a kind.
    pub fn axis(&self, kind: AxisKind) -> Option<&Axis> {
        self.axes.iter().find(|axis| axis.kind == kind)
    }

    /// Names of its channels; empty where there are none.
    pub fn channels(&self) -> &[String] {
        self.axis(AxisKind::Channel).map_or(&[], |axis| &axis.names)
    }
}

/// Which output channel is which map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Maps {
    /// Interior of objects.
    pub interior: Option<usize>,
    /// Boundary of objects.
    pub boundary: Option<usize>,
    /// Background.
    pub background: Option<usize>,
    /// Objects.
    pub foreground: Option<usize>,
}

/// A specification in which nothing is missing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// The model's name.
    pub name: String,
    /// What it does.
    pub task: Task,
    /// How its output becomes a prediction.
    pub decode: Decode,
    /// Thresholds of the maps.
    pub thresholds: Thresholds,
    /// Names of the classes; empty for instances.
    pub classes: Vec<String>,
    /// Which channel is which map.
    pub maps: Maps,
    /// Touching objects of a foreground map are split where the distance to the background falls to this, pixels.
    pub split_distance_px: Option<f64>,
    /// The input.
    pub input: TensorSpec,
    /// The output that is decoded.
    pub output: TensorSpec,
    /// Raw pixel values to input values.
    pub values: Values,
    /// A resize to one size before anything else.
    pub resize: Option<Resize>,
    /// What statistics are taken over.
    pub normalise: Normalise,
    /// (channel of the model, channel of the image).
    pub channels: Vec<(String, String)>,
    /// Largest tile side.
    pub tile: usize,
    /// Pixel size that the model was made for.
    pub pixel_size: Option<PixelSize>,
    /// What a reader should know.
    #[serde(skip)]
    pub notes: Vec<String>,
    /// Preprocessing as bioimageio.core would do it, where that is another and can be told for one image by itself.
    #[serde(skip)]
    pub runner: Option<Vec<Operation>>,
}

/// Operations of the golden values, before the model, or after it where they refer to the input.
#[cfg(test)]
pub(crate) fn golden_operations(
    list: &serde_json::Value,
    after: bool,
    meaning: crate::options::RdfMeaning,
) -> Result<Vec<Operation>, transect_core::Errors> {
    use operation::{Dialect, Place, Side, read_operations};
    let axis = |kind| Axis {
        kind,
        size: Size::Fixed(1),
        names: Vec::new(),
        halo: 0,
        scale: 1.0,
        unit: None,
    };
    let axes: Vec<Axis> = [
        AxisKind::Batch,
        AxisKind::Channel,
        AxisKind::Z,
        AxisKind::Y,
        AxisKind::X,
    ]
    .into_iter()
    .map(axis)
    .collect();
    let mut reader = reader::Reader::new(std::path::Path::new("golden"));
    let place = Place {
        dialect: Dialect::V05,
        side: if after { Side::After } else { Side::Before },
        axes: &axes,
        input: "image",
        own: if after { "maps" } else { "image" },
    };
    let mut operations = read_operations(&mut reader, list, "operations", &place);
    if meaning == crate::options::RdfMeaning::CoreCompatible {
        operations = meaning::as_runner(&mut reader, list, "operations", &place, &operations);
    }
    reader.errors.or(operations)
}
