//! What failure modes ask the run to measure.

use serde::{Deserialize, Serialize};

use crate::ModelId;
use crate::item::Role;
use crate::view::View;

/// The three stages of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// 0: attributes of the items; no model.
    Items,
    /// 1: views that need only their own image.
    Own,
    /// 2: views that need what earlier stages gathered.
    Partner,
}

/// Which rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// Reference and target.
    All,
    /// One side.
    Role(Role),
    /// At most this many rows of one side, chosen by hash of seed and image, never by position.
    Sample(Role, u32),
}

/// The model that is audited, in requests; in the tables it is named `given`, or `predictions` where those were given.
pub const AUDITED: &str = "given";

/// What the name of a layer begins with that holds values at single pixels, where others hold one embedding for an image.
pub const PIXEL_LAYERS: &str = "pixels:";

fn audited() -> ModelId {
    AUDITED.to_owned()
}

/// Views of rows that a mode wants measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Who asks, such as `robustness`.
    pub mode: String,
    /// Of which model: [`AUDITED`] or a variant, such as `reinit:0`.
    #[serde(default = "audited")]
    pub model: ModelId,
    /// When it can be measured.
    pub stage: Stage,
    /// Of which rows.
    pub rows: Selection,
    /// Which views.
    pub views: Vec<View>,
    /// Whether single pixels of these rows are looked at as well: their truth, what the image says of them without a model, and
    /// what the audited model's decoder and those of its copies make of them. For outlines; no pass more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pixels: bool,
}

impl Request {
    /// Views of the audited model.
    pub fn new(mode: &str, stage: Stage, rows: Selection, views: Vec<View>) -> Self {
        Self {
            mode: mode.to_owned(),
            model: audited(),
            stage,
            rows,
            views,
            pixels: false,
        }
    }

    /// The same, with single pixels looked at.
    #[must_use]
    pub fn with_pixels(mut self) -> Self {
        self.pixels = true;
        self
    }

    /// The same of another model.
    #[must_use]
    pub fn of_model(mut self, model: impl Into<ModelId>) -> Self {
        self.model = model.into();
        self
    }
}
