//! Manifests, expressions, folders, and annotations of others.

mod expr;
mod folder;
mod golden;
mod import;
mod load;
mod outline;
mod plate;
mod real;
