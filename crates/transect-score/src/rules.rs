//! What a truth and a prediction are scored by.

use transect_core::context::SurfaceTolerance;
use transect_core::{Context, PixelSize, Task};

/// What a truth and a prediction are scored by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// The task.
    pub task: Task,
    /// Number of the model's classes.
    pub n_classes: usize,
    /// How far apart two outlines may be and still count as one, in pixels of this image; `None` where it was given in
    /// micrometres and the pixel size is not known.
    pub tolerance_px: Option<f64>,
}

impl Rules {
    /// The rules of a task with the usual tolerance.
    pub fn new(task: Task, n_classes: usize) -> Self {
        Self {
            task,
            n_classes,
            tolerance_px: SurfaceTolerance::default().px(None),
        }
    }

    /// The rules of a run for an image of this pixel size.
    pub fn of(context: &Context, pixel_size: Option<PixelSize>) -> Self {
        Self {
            task: context.task,
            n_classes: context.classes.len(),
            tolerance_px: context.surface_tolerance.px(pixel_size),
        }
    }
}
