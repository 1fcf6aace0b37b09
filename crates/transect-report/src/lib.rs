//! Findings to page and JSON; computes nothing.
//!
//! [`html`] lays a [`Report`] out as one HTML file that opens offline: style, drawings and pictures are in it, and a
//! content security policy in its head forbids everything else. [`findings_json`] writes the same findings for machines.
//!
//! No statistic is made here. What is drawn comes as numbers from the failure modes (`transect_core::figure`); this crate
//! chooses places, ticks, colours and the number of digits. Every text may come from a stranger (names of images and
//! classes, messages of errors), so all of it is escaped.
//!
//! The same report gives the same bytes: no clock, no randomness, no file, no hash order.

mod base64;
mod json;
mod number;
mod page;
mod palette;
mod svg;
mod words;

use transect_core::{Figure, Finding, Headline, RunRecord};

/// Everything that a report shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Title of the page, such as `wbc_cnn_d1 on wbc2domain`.
    pub title: String,
    /// Version of transect that made it, such as `transect 0.1.0`.
    pub generated_by: String,
    /// What was run.
    pub run: RunRecord,
    /// How many images, and what became of them.
    pub counts: Counts,
    /// The answers of the first screen.
    pub headline: Headline,
    /// Every finding of the contract, in the order in which it is to be read.
    pub findings: Vec<Finding>,
    /// Figures, in the order in which they are to be seen; each is shown with its mode.
    pub figures: Vec<Figure>,
    /// Pictures of images, with truth and prediction already drawn on them.
    pub gallery: Vec<Picture>,
    /// Images that could not be measured.
    pub failures: Vec<Failure>,
}

/// How many images, and what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows of the reference.
    pub reference: u64,
    /// Rows of the target.
    pub target: u64,
    /// Rows that were measured.
    pub measured: u64,
    /// Rows that could not be measured.
    pub failed: u64,
    /// Rows that were not tried, such as those without truth.
    pub skipped: u64,
    /// Rows whose truth is not among the model's classes.
    pub outside_classes: u64,
}

/// A picture of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What it shows, in a few words, such as `worst: monocyte taken for lymphocyte`.
    pub title: String,
    /// Truth, prediction and score in words.
    pub caption: String,
    /// Manifest row.
    pub row: u32,
    /// Name of the image, as the manifest has it.
    pub image: String,
    /// A PNG file with the outlines drawn; empty where it could not be made.
    pub png: Vec<u8>,
    /// How to read it, such as `truth: solid line, prediction: dashed line`.
    pub note: String,
    /// What a reader who cannot see it should be told.
    pub alt: String,
}

/// An image that could not be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Name of the image, as the manifest has it.
    pub image: String,
    /// Code of the error, such as `T101`.
    pub code: String,
    /// The error in words.
    pub message: String,
}

/// The page: one HTML file that opens offline and asks nothing of any network.
///
/// Sections, in order: three answers, primary verdicts, what failed beside what was not assessed, evidence by failure
/// mode, pictures, failed images, how it was measured, the words. An empty part says that it is empty; nothing is left
/// out in silence.
pub fn html(report: &Report) -> String {
    page::render(report).into_string()
}

/// `findings.json`: the findings for machines, in the schema `transect/findings/1` (`docs/schema/findings.json`).
///
/// Numbers are written so that they read back to the same bits; a number that is not finite is written as `null`, so an
/// interval that the data do not bound on one side has a `null` there. Ends with a line feed.
pub fn findings_json(report: &Report) -> String {
    json::render(report)
}
