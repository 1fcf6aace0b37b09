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
        }
    }

    /// The same of another model.
    #[must_use]
    pub fn of_model(mut self, model: impl Into<ModelId>) -> Self {
        self.model = model.into();
        self
    }
}
