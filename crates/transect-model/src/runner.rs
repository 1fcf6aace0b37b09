//! How far the reference runner's reading of a description is from ours, on an image.

use transect_core::{Image, Result};

use crate::model::Model;
use crate::process::apply;
use crate::session::prepare;

/// Two readings of one description on one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunnerDifference {
    /// Largest absolute difference between the tensor that is fed and the one that bioimageio.core would feed.
    pub largest: f64,
    /// Largest minus smallest value of the tensor that is fed.
    pub span: f64,
}

impl Model {
    /// How far the tensor that bioimageio.core 0.11.0 would feed is from the one that is fed, over the whole image before
    /// tiles. `None` where its reading is ours, and where it cannot be told from one image; [`Model::notes`] say which.
    ///
    /// # Errors
    /// As [`crate::Session::predict`], as far as preprocessing goes.
    pub fn runner_difference(&self, image: &Image) -> Result<Option<RunnerDifference>> {
        let spec = self.spec();
        let Some(runner) = &spec.runner else {
            return Ok(None);
        };
        let raw = prepare(self, image)?;
        let mut ours = raw.clone();
        apply(&mut ours, &spec.input.operations, Some(&raw))?;
        let mut its = raw.clone();
        apply(&mut its, runner, Some(&raw))?;
        let (mut low, mut high, mut largest) = (f64::INFINITY, f64::NEG_INFINITY, 0.0_f64);
        for (&a, &b) in ours.data.iter().zip(&its.data) {
            let (a, b) = (f64::from(a), f64::from(b));
            (low, high) = (low.min(a), high.max(a));
            largest = largest.max((a - b).abs());
        }
        Ok(Some(RunnerDifference {
            largest,
            span: (high - low).max(0.0),
        }))
    }
}
