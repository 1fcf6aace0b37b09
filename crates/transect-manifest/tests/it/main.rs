//! Manifests, expressions and folders.
