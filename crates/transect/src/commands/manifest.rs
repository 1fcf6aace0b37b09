//! `transect manifest`.

use std::path::{Path, PathBuf};

use transect_core::{Error, codes};
use transect_image::Limits;
use transect_manifest::{Draw, FolderOptions, Format, ImportOptions};
use transect_measure::write_atomically;

use crate::Outcome;
use crate::args::{DrawArg, FormatArg, ManifestArgs};
use crate::console;

pub(crate) fn run(args: &ManifestArgs) -> Outcome {
    match args.format {
        None => from_folder(args),
        Some(format) => from_annotations(args, format),
    }
}

fn from_folder(args: &ManifestArgs) -> Outcome {
    let options = FolderOptions {
        pattern: args.pattern.clone(),
    };
    let listing = transect_manifest::list(&args.source, &options)?;
    for note in &listing.notes {
        console::say(note);
    }
    if let Some(path) = &args.out {
        let inside = match (folder_of(path).canonicalize(), args.source.canonicalize()) {
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
                args.source.join("manifest.csv").display()
            ))
            .into());
        }
    }
    finish(args, listing.csv, &args.source)
}

fn from_annotations(args: &ManifestArgs, format: FormatArg) -> Outcome {
    let options = ImportOptions {
        format: match format {
            FormatArg::Coco => Format::Coco,
            FormatArg::Yolo => Format::Yolo,
            FormatArg::Ctc => Format::Ctc,
            FormatArg::CameraTraps => Format::CameraTraps,
            FormatArg::Megadetector => Format::Megadetector,
            FormatArg::CamtrapDp => Format::CamtrapDp,
            FormatArg::HuggingFace => Format::HuggingFace,
            FormatArg::Bioimageio => Format::Bioimageio,
        },
        images: args.images.clone(),
        root: match &args.out {
            Some(out) => folder_of(out),
            None if args.source.is_dir() => args.source.clone(),
            None => folder_of(&args.source),
        },
        name: args.out.as_deref().and_then(Path::file_stem).map_or_else(
            || "manifest".to_owned(),
            |s| s.to_string_lossy().into_owned(),
        ),
        classes: args.classes.clone(),
        draw: match args.draw {
            DrawArg::Objects => Draw::Objects,
            DrawArg::Classes => Draw::Classes,
        },
        limits: limits(args),
    };
    let mut written = 0_usize;
    let root = options.root.clone();
    let mut sink = |path: &str, bytes: &[u8]| {
        if args.out.is_none() {
            return Err(Error::new(
                &codes::program::BAD_OPTION,
                "label images and boxes are written beside the manifest",
            )
            .field("--out")
            .help(format!(
                "say where: --out {}",
                root.join("manifest.csv").display()
            )));
        }
        let file = root.join(path);
        keep(&file, bytes)?;
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(|e| {
                Error::new(
                    &codes::measure::TABLE_UNWRITTEN,
                    format!("the folder cannot be made: {e}"),
                )
                .at(folder)
            })?;
        }
        written += 1;
        write_atomically(&file, bytes)
    };
    let imported = transect_manifest::import(&args.source, &options, &mut sink)?;
    for note in &imported.notes {
        console::say(note);
    }
    if written > 0 {
        console::say(&format!(
            "{written} files of label images and boxes written beside the manifest"
        ));
    }
    let outcome = finish(args, imported.csv, &options.root)?;
    let data = args
        .out
        .as_ref()
        .map_or_else(|| "FILE".to_owned(), |out| out.display().to_string());
    console::say(&format!(
        "then: transect audit --data {data} {}",
        imported.audit.join(" ")
    ));
    Ok(outcome)
}

/// The folder of a file.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether a file may be written: it is not there, or says the same already.
fn keep(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if std::fs::read(path).is_ok_and(|there| there != bytes) {
        return Err(Error::new(
            &codes::program::BAD_OPTION,
            "there is such a file already, and it says something else",
        )
        .at(path)
        .help("delete it if nothing was added to it by hand, or give another --out"));
    }
    Ok(())
}

fn limits(args: &ManifestArgs) -> Limits {
    Limits {
        max_file_bytes: args.max_file_mb.saturating_mul(1 << 20),
        ..Limits::default()
    }
}

/// Adds what is joined and what EXIF says, and writes the manifest of images in `root`.
fn finish(args: &ManifestArgs, csv: String, root: &Path) -> Outcome {
    let mut csv = csv;
    if args.exif {
        let with = transect_manifest::exif(&csv, root, args.gps, &limits(args))?;
        with.notes.iter().for_each(|note| console::say(note));
        csv = with.csv;
    }
    if !args.join.is_empty() {
        let joined = transect_manifest::join(&csv, &args.join)?;
        joined.notes.iter().for_each(|note| console::say(note));
        csv = joined.csv;
    }
    let Some(path) = &args.out else {
        console::result(csv.trim_end());
        return Ok(0);
    };
    keep(path, csv.as_bytes())?;
    write_atomically(path, csv.as_bytes())?;
    console::say(&format!(
        "{}: {} images",
        path.display(),
        csv.lines().count().saturating_sub(1)
    ));
    Ok(0)
}
