//! Cell Tracking Challenge: sequences `01`, `02`, with `01_GT/SEG`, `01_GT/TRA` and `01_ST/SEG` beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use transect_core::codes::manifest as codes;
use transect_core::{Error, Errors};

use super::place::below;
use super::{ImportOptions, Imported, Sheet, some};
use crate::bounded;
use crate::rows::{Lines, count};

/// A track: label, first frame, last frame, parent (0 for none).
type Track = [u32; 4];

fn wrong(at: &Path, what: impl Into<String>) -> Error {
    Error::new(&codes::IMPORT_LAYOUT, what).at(at)
}

/// Files of a folder by frame: `t000.tif`, `man_seg000.tif`, `mask000.tif`.
fn frames(folder: &Path, lead: &str) -> Result<BTreeMap<u32, String>, Errors> {
    let mut frames = BTreeMap::new();
    if !folder.is_dir() {
        return Ok(frames);
    }
    let entries = std::fs::read_dir(folder).map_err(|e| {
        wrong(
            folder,
            format!("the folder cannot be read: {}", crate::reason(&e)),
        )
    })?;
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let Some(digits) = name.strip_prefix(lead).and_then(|rest| {
            rest.strip_suffix(".tif")
                .or_else(|| rest.strip_suffix(".tiff"))
        }) else {
            continue;
        };
        if digits.split_once('_').is_some_and(|(frame, plane)| {
            [frame, plane]
                .iter()
                .all(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
        }) {
            return Err(wrong(
                folder,
                format!("{name} is one plane of a stack: sequences of stacks are not read"),
            )
            .help("3-D sequences have to be cut into planes with labels of their own")
            .into());
        }
        if let Ok(frame) = digits.parse::<u32>()
            && let Some(other) = frames.insert(frame, name.clone())
        {
            return Err(wrong(folder, format!("{other} and {name} are the same frame")).into());
        }
    }
    Ok(frames)
}

pub(super) fn import(source: &Path, options: &ImportOptions) -> Result<Imported, Errors> {
    let prefix = below(&options.root, source)?;
    let mut names = BTreeSet::new();
    let entries = std::fs::read_dir(source).map_err(|e| {
        wrong(
            source,
            format!("the folder cannot be read: {}", crate::reason(&e)),
        )
    })?;
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let sequence = name
            .strip_suffix("_GT")
            .or_else(|| name.strip_suffix("_ST"))
            .unwrap_or(&name);
        let digits = !sequence.is_empty() && sequence.bytes().all(|b| b.is_ascii_digit());
        if digits && entry.path().is_dir() {
            names.insert(sequence.to_owned());
        }
    }
    if names.is_empty() {
        return Err(wrong(
            source,
            "there is no sequence: no folder named `01`, `01_GT` or so",
        )
        .help("give the folder of the data set, which holds `01` and `01_GT`")
        .into());
    }
    let mut sheet = Sheet::new([
        "image",
        "labels",
        "labels_silver",
        "tracks",
        "sequence",
        "frame",
        "n_tracked",
        "n_outlined",
        "complete",
    ]);
    let mut notes = Vec::new();
    let mut errors = Errors::new();
    let mut partial = 0_usize;
    for sequence in &names {
        let images = frames(&source.join(sequence), "t")?;
        let truth = source.join(format!("{sequence}_GT"));
        let outlined = frames(&truth.join("SEG"), "man_seg")?;
        let tracked = frames(&truth.join("TRA"), "man_track")?;
        let silver = frames(&source.join(format!("{sequence}_ST/SEG")), "man_seg")?;
        if images.is_empty() {
            notes.push(format!(
                "sequence {sequence} has truth and no images ({sequence}/t000.tif …), left out"
            ));
            continue;
        }
        let list = truth.join("TRA/man_track.txt");
        let tracks = if list.is_file() {
            match tracks(&list, options) {
                Ok(tracks) => Some(tracks),
                Err(e) => {
                    errors.0.extend(e.0);
                    continue;
                }
            }
        } else {
            None
        };
        let lonely: Vec<String> = outlined
            .iter()
            .chain(&tracked)
            .filter(|(frame, _)| !images.contains_key(frame))
            .map(|(_, name)| format!("{sequence}_GT/…/{name}"))
            .collect();
        some(
            &mut notes,
            "truth of frames without an image, left out",
            &lonely,
        );
        for (frame, image) in &images {
            let path = |folder: &str, name: Option<&String>| {
                name.map_or_else(String::new, |n| format!("{prefix}{folder}/{n}"))
            };
            let n_tracked = tracks.as_ref().map(|tracks| {
                tracks
                    .iter()
                    .filter(|t| (t[1]..=t[2]).contains(frame))
                    .count()
            });
            let n_outlined = match outlined.get(frame) {
                None => None,
                Some(name) => match objects(&truth.join("SEG").join(name), options) {
                    Ok(n) => Some(n),
                    Err(e) => {
                        errors.push(e);
                        continue;
                    }
                },
            };
            let complete = match (n_tracked, n_outlined) {
                (Some(tracked), Some(outlined)) => Some(outlined >= tracked),
                _ => None,
            };
            partial += usize::from(complete == Some(false));
            let number = |n: Option<usize>| n.map_or_else(String::new, |n| n.to_string());
            sheet.rows.push(vec![
                path(sequence, Some(image)),
                path(&format!("{sequence}_GT/SEG"), outlined.get(frame)),
                path(&format!("{sequence}_ST/SEG"), silver.get(frame)),
                path(&format!("{sequence}_GT/TRA"), tracked.get(frame)),
                sequence.clone(),
                frame.to_string(),
                number(n_tracked),
                number(n_outlined),
                complete
                    .map_or("", |c| if c { "yes" } else { "no" })
                    .to_owned(),
            ]);
        }
        notes.push(format!(
            "sequence {sequence}: {}, outlines in {}, tracks in {}",
            count(images.len(), "frame"),
            outlined.len(),
            tracked.len()
        ));
    }
    errors.or(())?;
    if sheet.rows.is_empty() {
        return Err(wrong(source, "no sequence has images")
            .note(notes.join("; "))
            .help("images are 01/t000.tif, 01/t001.tif and so on")
            .into());
    }
    if partial > 0 {
        notes.push(format!(
            "{} fewer objects outlined than tracked: what a model finds beyond them would count as wrong; choose --where \"complete = 'yes'\"",
            if partial == 1 {
                "1 frame has".to_owned()
            } else {
                format!("{partial} frames have")
            }
        ));
    }
    sheet.without_empty(&[
        "labels",
        "labels_silver",
        "tracks",
        "n_tracked",
        "n_outlined",
        "complete",
    ]);
    let has = |name: &str| sheet.headers.iter().any(|h| h == name);
    let mut audit = Vec::new();
    if has("labels") {
        audit.push("--truth labels".to_owned());
    } else if has("labels_silver") {
        audit.push("--truth labels_silver".to_owned());
    } else if has("tracks") {
        notes.push("there are no outlines: markers of tracks (`tracks`) are smaller than cells in most data sets, and are no outlines".to_owned());
    }
    if !audit.is_empty() {
        audit.push("--task instance".to_owned());
    }
    audit.push("--group sequence".to_owned());
    notes.push("frames of one sequence are not independent: --group sequence; one sequence alone gives no interval".to_owned());
    Ok(Imported {
        csv: sheet.csv(),
        notes,
        audit,
    })
}

/// How many objects a label image has.
fn objects(path: &Path, options: &ImportOptions) -> Result<usize, Error> {
    let bytes = bounded::read(path, options.limits.max_file_bytes)?;
    let name = path.to_string_lossy();
    let labels = transect_image::decode_labels(&bytes, &name, None, &options.limits)
        .map_err(|e| e.at(path))?;
    let mut seen: Vec<u32> = labels.labels().to_vec();
    seen.sort_unstable();
    seen.dedup();
    Ok(seen.into_iter().filter(|l| *l > 0).count())
}

/// `man_track.txt`: a line `L B E P` for each track.
fn tracks(path: &Path, options: &ImportOptions) -> Result<Vec<Track>, Errors> {
    let bytes = bounded::read(path, options.limits.max_file_bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut bad = Lines::default();
    let mut tracks: Vec<Track> = Vec::new();
    let mut ends: BTreeMap<u32, u32> = BTreeMap::new();
    let mut parents: Vec<(usize, Track)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        let cells: Vec<&str> = line.split_whitespace().collect();
        if cells.is_empty() {
            continue;
        }
        let values: Option<Vec<u32>> = cells.iter().map(|c| c.parse().ok()).collect();
        let Some(&[label, first, last, parent]) = values.as_deref() else {
            bad.push(number, format!("line {number}: not four whole numbers"));
            continue;
        };
        if label == 0 || first > last {
            bad.push(
                number,
                format!("line {number}: track {label} from frame {first} to {last}"),
            );
            continue;
        }
        if ends.insert(label, last).is_some() {
            bad.push(
                number,
                format!("line {number}: track {label} a second time"),
            );
        }
        tracks.push([label, first, last, parent]);
        parents.push((number, [label, first, last, parent]));
    }
    for (number, [label, first, _, parent]) in parents {
        if parent == 0 {
            continue;
        }
        match ends.get(&parent) {
            None => bad.push(
                number,
                format!("line {number}: track {label} has the parent {parent}, which is not there"),
            ),
            Some(end) if *end >= first => bad.push(
                number,
                format!("line {number}: track {label} begins in frame {first}, its parent {parent} ends in {end}"),
            ),
            Some(_) => {}
        }
    }
    if !bad.is_empty() {
        let message = format!("{} cannot be understood", count(bad.count(), "track"));
        return Err(bad
            .into_error(&codes::ANNOTATIONS, message)
            .at(path)
            .help("a line is `L B E P`: label, first frame, last frame, parent (0 for none), and a parent ends before its daughters begin")
            .into());
    }
    Ok(tracks)
}
