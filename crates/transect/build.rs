//! Gathers the book's pages on failure modes for `explain`, one for each file in `docs/src/modes`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let variable = |name: &str| {
        std::env::var_os(name).map(PathBuf::from).ok_or_else(|| {
            std::io::Error::other(format!("{name} is not set: this is run by Cargo"))
        })
    };
    let folder = variable("CARGO_MANIFEST_DIR")?.join("../../docs/src/modes");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut pages: Vec<PathBuf> = std::fs::read_dir(&folder)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<std::io::Result<_>>()?;
    pages.retain(|path| path.extension().is_some_and(|e| e == "md"));
    pages.sort();
    let mut code = String::from("const MODES: &[(&str, &str)] = &[\n");
    for page in &pages {
        let name = page.file_stem().unwrap_or_default().to_string_lossy();
        let page = page.to_string_lossy();
        let _ = writeln!(code, "    ({name:?}, include_str!({page:?})),");
    }
    code.push_str("];\n");
    std::fs::write(Path::new(&variable("OUT_DIR")?).join("modes.rs"), code)
}
