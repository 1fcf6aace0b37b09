//! The virtual microscope: corruptions in physical units, attributes from pixels, scenes with known truth.
//!
//! - [`make_view`] makes a [`View`](transect_core::View) of an image: the identity, a seeded corruption with a physical
//!   parameter, or a swap that moves a trait of the image to that of a donor.
//! - [`describe`] estimates, without any model, the attributes of an image, its profile for swaps, a perceptual hash and a
//!   thumbnail.
//! - [`scene`] draws nuclei and cells as two laboratories would see them, with exact truth.
//!
//! Everything here is a pure function of its arguments: no file, no clock, no operating-system randomness. The same
//! arguments give the same bits on any number of threads.

mod ablation;
mod blur;
mod corruption;
mod density;
mod describe;
mod draw;
mod features;
mod fourier;
pub mod perturb;
mod quantile;
mod resample;
pub mod scene;
mod surface;
mod surrogate;
mod swap;
mod view;

pub use corruption::{Corruption, corruptions, fit_ladders, ladders};
pub use describe::{Cameras, Described, describe};
pub use features::features;
pub use resample::area as area_means;
pub use view::{Made, MakeContext, make_view};
