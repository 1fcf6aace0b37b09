//! What failure modes ask the run to measure.

use serde::{Deserialize, Serialize};

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
}

/// Views of rows that a mode wants measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Who asks, such as `robustness`.
    pub mode: String,
    /// When it can be measured.
    pub stage: Stage,
    /// Of which rows.
    pub rows: Selection,
    /// Which views.
    pub views: Vec<View>,
}
