//! Decoders on made files, on real files, and on damaged ones.

mod damage;
mod formats;
mod golden;
mod made;
mod odd_formats;
mod parts;
mod refusals;

use std::path::PathBuf;

/// The shared reference data, where they are.
fn shared(path: &str) -> Option<PathBuf> {
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(path);
    if full.exists() {
        Some(full)
    } else {
        skipped(path);
        None
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn skipped(path: &str) {
    eprintln!("SKIPPED: ../shared/{path} is not here");
}
