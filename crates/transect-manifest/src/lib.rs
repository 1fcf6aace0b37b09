//! Manifests: which images, what is true of them, what is known of each.
