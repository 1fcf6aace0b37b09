//! Manifests, expressions and folders.

mod expr;
mod folder;
mod load;
mod real;
