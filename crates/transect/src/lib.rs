//! Finds out when, how and why a deep vision model fails on scientific images, before anyone trusts it.
//!
//! This crate is the program; it re-exports the library behind it, room by room, in the order of the data's way.

pub use transect_anatomy as anatomy;
pub use transect_core as core;
pub use transect_image as image;
pub use transect_manifest as manifest;
pub use transect_measure as measure;
pub use transect_model as model;
pub use transect_optics as optics;
pub use transect_report as report;
pub use transect_score as score;
pub use transect_stats as stats;
pub use transect_table as table;
