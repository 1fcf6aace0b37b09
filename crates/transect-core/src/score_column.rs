//! Columns that hold scores.

use serde::{Deserialize, Serialize};

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// A high number is good.
    Higher,
    /// A low number is good.
    Lower,
    /// Neither: a description or a sufficient statistic.
    Neither,
}

/// One nullable column of `measurements.parquet` that holds a score of one image or a sufficient statistic of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreColumn {
    /// Name without prefix, such as `iou`, `tp_50`.
    pub name: String,
    /// Unit, empty for a plain number.
    pub unit: String,
    /// Which way is better.
    pub better: Better,
}

impl ScoreColumn {
    /// A column.
    pub fn new(name: &str, unit: &str, better: Better) -> Self {
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            better,
        }
    }
}
