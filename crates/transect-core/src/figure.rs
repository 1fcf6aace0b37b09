//! Figures: what a report draws, as numbers. Modes make them; the report draws and computes nothing.

use serde::{Deserialize, Serialize};

/// A value with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Place on the horizontal axis.
    pub x: f64,
    /// Value.
    pub y: f64,
    /// Lower bound, where there is an interval.
    pub low: Option<f64>,
    /// Upper bound.
    pub high: Option<f64>,
}

/// A named value with its interval: one line of a forest plot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Name, such as `domain D2`.
    pub label: String,
    /// Value; `None` where there is none, and `note` says why.
    pub value: Option<f64>,
    /// Lower bound.
    pub low: Option<f64>,
    /// Upper bound.
    pub high: Option<f64>,
    /// Number of images.
    pub n: u64,
    /// A few words, such as `these groups only`.
    pub note: String,
}

/// A line with a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Name.
    pub label: String,
    /// Points in the order of x.
    pub points: Vec<Point>,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Drawing {
    /// Values with intervals, one below the other.
    Forest {
        /// Label of the horizontal axis, with unit.
        x: String,
        /// Lines.
        rows: Vec<Row>,
        /// A vertical line, such as the claim or chance, with its name.
        marks: Vec<(f64, String)>,
    },
    /// Curves over a quantity.
    Curve {
        /// Label of the horizontal axis, with unit.
        x: String,
        /// Label of the vertical axis, with unit.
        y: String,
        /// Whether the horizontal axis is logarithmic.
        log_x: bool,
        /// Lines.
        series: Vec<Series>,
        /// Vertical lines with names, such as tolerances.
        x_marks: Vec<(f64, String)>,
        /// Horizontal lines with names, such as chance.
        y_marks: Vec<(f64, String)>,
    },
    /// Two distributions of one attribute, as quantiles at 0, 1, …, 100 percent.
    Distribution {
        /// Label of the attribute, with unit.
        x: String,
        /// Name and 101 quantiles of each.
        series: Vec<(String, Vec<f64>)>,
    },
    /// A table of counts, truth in rows and prediction in columns.
    Confusion {
        /// Class names.
        classes: Vec<String>,
        /// Counts, row by row.
        counts: Vec<Vec<u64>>,
    },
    /// Horizontal bars.
    Bars {
        /// Label of the horizontal axis, with unit.
        x: String,
        /// Bars.
        rows: Vec<Row>,
    },
}

/// A figure of the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Unique within the report, such as `robustness.defocus`.
    pub id: String,
    /// The failure mode that it belongs to.
    pub mode: String,
    /// Title: what there is to see, in words.
    pub title: String,
    /// Caption: how to read it, what it rests on.
    pub caption: String,
    /// What is drawn.
    pub drawing: Drawing,
}
