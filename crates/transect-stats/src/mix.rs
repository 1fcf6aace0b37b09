//! Class mix apart from appearance.

use transect_core::Result;

use crate::error::refused;
use crate::interval::{Estimate, Settings};
use crate::units::Units;

/// Δ = risk on target − risk on reference, split over the class.
#[derive(Debug, Clone, PartialEq)]
pub struct MixSplit {
    /// Δ.
    pub total: Estimate,
    /// Part from other shares of the classes.
    pub class_mix: Estimate,
    /// Part from another risk within the classes (appearance).
    pub conditional: Estimate,
    /// Classes only in the target: they count as class mix.
    pub only_target: Vec<u32>,
    /// Classes only in the reference: they count as class mix.
    pub only_reference: Vec<u32>,
    /// Share of target rows and of reference rows in shared classes.
    pub shared: (f64, f64),
}

/// Splits Δ risk into class mix and conditional parts over the shared distribution (Cai, Namkoong, Yadlowsky 2023) with
/// the true class as the variable: s(y) ∝ p(y)q(y)/(p(y)+q(y)); conditional = Σ s(y)(R_target(y) − R_reference(y)); class
/// mix = the rest. `None` when no class is shared.
///
/// # Errors
/// `T701` for empty sides, lengths that differ, losses that are not finite.
pub fn class_mix(
    target: (&[u32], &[f64]),
    target_units: &Units,
    reference: (&[u32], &[f64]),
    reference_units: &Units,
    settings: &Settings,
) -> Result<Option<MixSplit>> {
    let _ = (target, target_units, reference, reference_units, settings);
    Err(refused("not yet"))
}
