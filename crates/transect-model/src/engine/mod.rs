//! Engines: what runs a graph.

mod embedded;
#[cfg(feature = "onnxruntime")]
mod onnxruntime;

use transect_core::Result;

pub use embedded::Embedded;
#[cfg(feature = "onnxruntime")]
pub use onnxruntime::{OnnxRuntime, find_library};

use crate::tensor::Tensor;

/// A loaded graph.
pub trait Engine: Send + Sync + std::fmt::Debug {
    /// Name and version, such as `rten 0.27`.
    fn name(&self) -> &str;

    /// A session with one thread of its own; every worker takes one.
    ///
    /// # Errors
    /// `T322` when the engine cannot make one.
    fn session(&self) -> Result<Box<dyn EngineSession>>;
}

/// A graph that can be run.
pub trait EngineSession: Send {
    /// Runs the graph on inputs by name and gives the named outputs, in that order, as `f32`.
    ///
    /// # Errors
    /// `T323` when the engine fails, with the engine's own message.
    fn run(&mut self, inputs: Vec<(String, Tensor)>, outputs: &[String]) -> Result<Vec<Tensor>>;
}
