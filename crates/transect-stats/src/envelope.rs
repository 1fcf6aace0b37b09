//! The joint conformal envelope.

use transect_core::Result;

use crate::error::refused;
use crate::interval::{Estimate, Settings};
use crate::units::Units;

/// One target image against the envelope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outside {
    /// Largest robust standardised distance over the attributes; +∞ for a change of an attribute that the reference never
    /// varied.
    pub score: f64,
    /// The attribute (index) that attains it; `None` when the image has no attribute.
    pub attribute: Option<usize>,
    /// Conformal p.
    pub p: f64,
    /// Outside: p ≤ 0.05.
    pub outside: bool,
}

/// Target images against the reference's joint 95% envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// Each target image.
    pub images: Vec<Outside>,
    /// Share of target images outside, given this envelope.
    pub share: Estimate,
    /// Share of further reference images expected outside of this envelope: k/(m+1), and its 95% range over calibration
    /// samples (Beta(k, m+1−k)).
    pub expected: (f64, f64, f64),
    /// Share outside minus the expected, with the uncertainty of both.
    pub excess: Estimate,
    /// Calibration units (groups of the held-out half). Under 19: undecided, since no p can be ≤ 0.05.
    pub calibration_units: usize,
    /// Whether there are at least 19.
    pub enough: bool,
    /// Fit units.
    pub fit_units: usize,
}

/// The joint envelope. `reference[a][i]`, `target[a][i]`: attribute a of image i, `None` where missing (left out of the
/// maximum). Half of the reference groups (seeded) give centre and scale of each attribute, the other half calibrate the
/// rank of the joint score.
///
/// # Errors
/// `T701` for no attribute, lengths that differ, values that are not finite, fewer than two reference groups, no target.
pub fn envelope(
    reference: &[Vec<Option<f64>>],
    reference_units: &Units,
    target: &[Vec<Option<f64>>],
    target_units: &Units,
    settings: &Settings,
) -> Result<Envelope> {
    let _ = (reference, reference_units, target, target_units, settings);
    Err(refused("not yet"))
}
