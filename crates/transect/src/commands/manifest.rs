//! `transect manifest`.

use transect_core::{Error, codes};
use transect_measure::write_atomically;

use crate::Outcome;
use crate::args::ManifestArgs;
use crate::console;

pub(crate) fn run(args: &ManifestArgs) -> Outcome {
    let options = transect_manifest::FolderOptions {
        pattern: args.pattern.clone(),
    };
    let listing = transect_manifest::list(&args.folder, &options)?;
    for note in &listing.notes {
        console::say(note);
    }
    let csv = listing.csv;
    match &args.out {
        None => console::result(csv.trim_end()),
        Some(path) => {
            let parent = path
                .parent()
                .filter(|p| !p.as_os_str().is_empty())
                .unwrap_or(std::path::Path::new("."));
            let inside = match (parent.canonicalize(), args.folder.canonicalize()) {
                (Ok(parent), Ok(folder)) => parent == folder,
                _ => false,
            };
            if !inside {
                return Err(Error::new(
                    &codes::program::BAD_OPTION,
                    "paths in a manifest are relative to its own folder",
                )
                .at(path)
                .help(format!(
                    "write it to {}",
                    args.folder.join("manifest.csv").display()
                ))
                .into());
            }
            if std::fs::read(path).is_ok_and(|there| there != csv.as_bytes()) {
                return Err(Error::new(
                    &codes::program::BAD_OPTION,
                    "there is such a file already, and it says something else",
                )
                .at(path)
                .help("delete it if nothing was added to it by hand, or give another --out")
                .into());
            }
            write_atomically(path, csv.as_bytes())?;
            console::say(&format!(
                "{}: {} images",
                path.display(),
                csv.lines().count().saturating_sub(1)
            ));
        }
    }
    Ok(0)
}
