//! ONNX models: read, edited, run.
//!
//! ```no_run
//! use transect_model::{Model, Options};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let image = transect_core::Image::new([3, 1, 8, 8], vec![0.0; 192], transect_core::Dtype::Uint8)?;
//! let model = Model::load(&Options::new("wbc_cnn_d1"))?;
//! let mut session = model.session()?;
//! let output = session.predict(&image, true)?;
//! # Ok(())
//! # }
//! ```
//!
//! A model is an ONNX graph and a [specification](spec): how an image becomes its input and what its output means. Nothing
//! that changes a number is guessed; what is missing is an error that says what to write. The order for one image is:
//!
//! 1. channels, as declared;
//! 2. the declared resize, on raw pixel values;
//! 3. raw values to the declared range;
//! 4. preprocessing over the whole image (or each tile, if so declared);
//! 5. tiles with symmetric padding, one forward pass each, margins cropped, stitched;
//! 6. postprocessing over the whole;
//! 7. maps back to the size of the image;
//! 8. decoding.
//!
//! One image is one call: batches never change a number, because there are none.

#![expect(clippy::cast_possible_wrap, reason = "sizes are far below 2^63")]

pub mod decode;
mod dense;
pub mod engine;
#[cfg(test)]
mod golden;
mod head;
mod model;
pub mod onnx;
mod options;
#[cfg(test)]
mod planted;
pub mod process;
pub mod resize;
mod runner;
mod session;
pub mod spec;
mod tensor;
mod test_tensors;
pub mod tile;
mod variant;

pub use dense::Dense;
pub use head::HeadSession;
pub use model::Model;
pub use options::{Decode, EngineChoice, Normalise, Options, RdfMeaning, Thresholds};
pub use runner::RunnerDifference;
pub use session::{Output, Session};
pub use spec::Spec;
pub use tensor::{Block, Tensor};
pub use test_tensors::{ATOL, MISMATCHES_PPM, RTOL, TestOutcome};
