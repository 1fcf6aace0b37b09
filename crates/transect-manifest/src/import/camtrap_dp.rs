//! Camtrap DP: `deployments.csv`, `media.csv`, `observations.csv`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use transect_core::codes::manifest as codes;
use transect_core::{Error, Errors};

use super::camera_traps::{audit, one_or_all, tell};
use super::objects::{Boxed, check_classes, keep_boxes};
use super::place::Place;
use super::size::size;
use super::tables::Known;
use super::{ImportOptions, Imported, Sheet, Sink};
use crate::path::is_image;
use crate::rows::{Lines, count};

/// A burst: its first and last moment.
struct Event {
    name: String,
    from: i64,
    to: i64,
}

/// What observations say of an image.
#[derive(Default)]
struct Said {
    classes: BTreeSet<String>,
    of_event: bool,
    count: Option<u64>,
    /// Class, and left, top, width, height in parts of the image.
    boxes: Vec<(String, [f64; 4])>,
}

/// Seconds of an ISO 8601 moment since a fixed one; only for comparing. Without a zone it is taken for UTC.
pub(super) fn moment(text: &str) -> Option<i64> {
    let digits = |from: usize, to: usize| -> Option<i64> {
        let part = text.get(from..to)?;
        part.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| part.parse().ok())?
    };
    let bytes = text.as_bytes();
    if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') || bytes.get(13) != Some(&b':') {
        return None;
    }
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let (hour, minute) = (digits(11, 13)?, digits(14, 16)?);
    let mut seconds = 0;
    let mut rest = text.get(16..)?;
    if let Some(after) = rest.strip_prefix(':') {
        seconds = digits(17, 19)?;
        rest = after.get(2..)?;
    }
    if let Some(after) = rest.strip_prefix('.') {
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    let zone = match rest.as_bytes() {
        [] | b"Z" => 0,
        [sign @ (b'+' | b'-'), zone @ ..] => {
            let zone: Vec<i64> = zone
                .iter()
                .filter(|b| **b != b':')
                .map(|b| i64::from(b.wrapping_sub(b'0')))
                .collect();
            let &[h1, h2, m1, m2] = &zone[..] else {
                return None;
            };
            let minutes = (h1 * 10 + h2) * 60 + m1 * 10 + m2;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    // Days since the first of March of the year 0, months counted from March.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day;
    Some(((days * 24 + hour) * 60 + minute - zone) * 60 + seconds)
}

pub(super) fn import(
    source: &Path,
    options: &ImportOptions,
    sink: &mut Sink,
) -> Result<Imported, Errors> {
    let folder = match source.parent() {
        Some(parent) if source.is_file() => parent,
        _ => source,
    };
    let most = options.limits.max_file_bytes;
    let read = |name: &str, needed: &[&str]| Known::read(&folder.join(name), needed, most);
    let deployments = read("deployments.csv", &["deploymentID"]);
    let media = read(
        "media.csv",
        &["mediaID", "deploymentID", "timestamp", "filePath"],
    );
    let observations = read(
        "observations.csv",
        &["deploymentID", "mediaID", "observationType"],
    );
    let (deployments, media, observations) = match (deployments, media, observations) {
        (Ok(d), Ok(m), Ok(o)) => (d, m, o),
        (d, m, o) => {
            let all = [d.err(), m.err(), o.err()];
            return Err(Errors(
                all.into_iter().flatten().flat_map(|e| e.0).collect(),
            ));
        }
    };
    let mut notes = Vec::new();
    // Places: never their coordinates, and nobody's name.
    let mut places: BTreeMap<&str, (String, &str)> = BTreeMap::new();
    for row in deployments.rows() {
        let id = row.get("deploymentID");
        let place = [row.get("locationID"), row.get("locationName"), id]
            .into_iter()
            .find(|p| !p.is_empty())
            .unwrap_or_default();
        places.insert(id, (place.to_owned(), row.get("cameraModel")));
    }
    let mut said: BTreeMap<&str, Said> = BTreeMap::new();
    let mut events: BTreeMap<&str, Vec<Event>> = BTreeMap::new();
    let mut of_events: BTreeMap<(&str, &str), Said> = BTreeMap::new();
    let (mut machine, mut unclear) = (0_usize, 0_usize);
    let (mut bad_times, mut bad_boxes) = (Lines::default(), Lines::default());
    for row in observations.rows() {
        let (deployment, event) = (row.get("deploymentID"), row.get("eventID"));
        if !event.is_empty() && !row.get("eventStart").is_empty() {
            match (moment(row.get("eventStart")), moment(row.get("eventEnd"))) {
                (Some(from), Some(to)) => {
                    let events = events.entry(deployment).or_default();
                    if !events.iter().any(|e| e.name == event) {
                        events.push(Event {
                            name: event.to_owned(),
                            from,
                            to,
                        });
                    }
                }
                _ => bad_times.push(
                    row.line as usize,
                    format!(
                        "observations.csv:{}: {} to {}",
                        row.line,
                        row.get("eventStart"),
                        row.get("eventEnd")
                    ),
                ),
            }
        }
        if row
            .get("classificationMethod")
            .eq_ignore_ascii_case("machine")
        {
            machine += 1;
            continue;
        }
        let class = match row.get("observationType") {
            "blank" => "blank",
            "animal" => Some(row.get("scientificName"))
                .filter(|n| !n.is_empty())
                .unwrap_or("animal"),
            "" | "unknown" | "unclassified" => {
                unclear += 1;
                continue;
            }
            // human, vehicle
            other => other,
        };
        let sequence = row.get("sequenceID");
        let media_id = row.get("mediaID");
        let said = if !media_id.is_empty() {
            said.entry(media_id).or_default()
        } else if !event.is_empty() {
            of_events.entry((deployment, event)).or_default()
        } else {
            // Before 1.0, bursts were named by the media.
            of_events.entry((deployment, sequence)).or_default()
        };
        said.classes.insert(class.to_owned());
        said.of_event |= media_id.is_empty();
        if let Ok(n) = row.get("count").parse::<u64>() {
            said.count = Some(said.count.unwrap_or(0).saturating_add(n));
        }
        let edges = ["bboxX", "bboxY", "bboxWidth", "bboxHeight"].map(|c| row.get(c));
        if edges.iter().any(|e| !e.is_empty()) {
            match edges.map(|e| e.parse::<f64>().ok().filter(|v| (0.0..=1.0).contains(v))) {
                [Some(x), Some(y), Some(width), Some(height)] => {
                    said.boxes.push((class.to_owned(), [x, y, width, height]));
                }
                _ => bad_boxes.push(
                    row.line as usize,
                    format!("observations.csv:{}: {}", row.line, edges.join(", ")),
                ),
            }
        }
    }
    for events in events.values_mut() {
        // The longest event that holds an image is its group: sub-events lie within it.
        events.sort_by(|a, b| (b.to - b.from, &a.name).cmp(&(a.to - a.from, &b.name)));
    }
    let classes: Vec<String> = said
        .values()
        .chain(of_events.values())
        .flat_map(|s| s.classes.iter().cloned())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    check_classes(source, &options.classes, &classes)?;
    let images = options.images.clone().unwrap_or_else(|| folder.to_owned());
    let mut place = Place::new(&options.root, &images)?;
    let mut sheet = Sheet::new([
        "image",
        "class_name",
        "classes",
        "n_animals",
        "boxes",
        "location",
        "deployment",
        "sequence",
        "datetime",
        "camera_model",
        "label_of",
    ]);
    let (mut others, mut remote, mut lonely, mut several, mut silent, mut of_event) =
        (0, 0, 0, 0, 0, 0);
    let nothing = Said::default();
    let mut boxes: Vec<&[(String, [f64; 4])]> = Vec::new();
    for row in media.rows() {
        let (path, deployment) = (row.get("filePath"), row.get("deploymentID"));
        let kind = row.get("fileMediatype");
        if !(kind.is_empty() || kind.starts_with("image/")) || !is_image(path) {
            others += 1;
            continue;
        }
        if path.contains("://") {
            remote += 1;
            continue;
        }
        let Some(image) = place.find(path) else {
            continue;
        };
        let at = moment(row.get("timestamp"));
        if at.is_none() {
            bad_times.push(
                row.line as usize,
                format!("media.csv:{}: {}", row.line, row.get("timestamp")),
            );
        }
        let event = [row.get("eventID"), row.get("sequenceID")]
            .into_iter()
            .find(|e| !e.is_empty())
            .or_else(|| {
                let at = at?;
                events
                    .get(deployment)?
                    .iter()
                    .find(|e| (e.from..=e.to).contains(&at))
                    .map(|e| e.name.as_str())
            })
            .unwrap_or_default();
        let own = said.get(row.get("mediaID"));
        let said = own
            .or_else(|| of_events.get(&(deployment, event)))
            .unwrap_or(&nothing);
        let names: Vec<&str> = said
            .classes
            .iter()
            .map(String::as_str)
            .filter(|c| options.classes.is_empty() || options.classes.iter().any(|o| o == c))
            .collect();
        if names.is_empty() && !options.classes.is_empty() {
            continue;
        }
        lonely += usize::from(event.is_empty());
        several += usize::from(names.len() > 1);
        silent += usize::from(names.is_empty());
        of_event += usize::from(said.of_event);
        let [one, all] = one_or_all(&names);
        let (location, camera) = places
            .get(deployment)
            .map_or(("", ""), |(place, camera)| (place.as_str(), *camera));
        let level = match (names.is_empty(), said.of_event) {
            (true, _) => "",
            (false, true) => "sequence",
            (false, false) => "image",
        };
        // An image without a burst is a burst of its own.
        let sequence = if event.is_empty() {
            format!("media {}", row.get("mediaID"))
        } else {
            event.to_owned()
        };
        boxes.push(&said.boxes);
        sheet.rows.push(vec![
            image,
            one,
            all,
            said.count.map_or_else(String::new, |n| n.to_string()),
            String::new(),
            location.to_owned(),
            deployment.to_owned(),
            sequence,
            row.get("timestamp").to_owned(),
            camera.to_owned(),
            level.to_owned(),
        ]);
    }
    if !bad_times.is_empty() {
        let message = format!(
            "{} not a moment as ISO 8601 has them",
            if bad_times.count() == 1 {
                "1 cell is".to_owned()
            } else {
                format!("{} cells are", bad_times.count())
            }
        );
        let mut error = bad_times
            .into_error(&codes::ANNOTATIONS, message)
            .at(folder);
        error.location.line = None;
        return Err(error
            .help("write 2024-05-17T06:31:09Z or 2024-05-17T06:31:09+0200")
            .into());
    }
    if !bad_boxes.is_empty() {
        let message = format!(
            "boxes that are not parts of the image: {}",
            bad_boxes.count()
        );
        let mut error = bad_boxes
            .into_error(&codes::ANNOTATIONS, message)
            .at(folder);
        error.location.line = None;
        return Err(error
            .help("left, top, width and height lie between 0 and 1")
            .into());
    }
    let mut sizes = BTreeMap::new();
    for (row, boxes) in sheet.rows.iter().zip(&boxes) {
        if !boxes.is_empty() {
            sizes.insert(row[0].clone(), size(&place.file(&row[0]), &options.limits)?);
        }
    }
    place.close(folder, sheet.rows.len(), &mut notes)?;
    if sheet.rows.is_empty() {
        let mut error = Error::new(&codes::IMPORT_LAYOUT, "no image is left").at(folder);
        for note in &notes {
            error = error.note(note.clone());
        }
        if remote > 0 {
            error = error
                .note(format!("media on the web: {remote}"))
                .help("download the media, and write their paths into `filePath`");
        }
        return Err(error.into());
    }
    notes.insert(0, count(sheet.rows.len(), "image"));
    for (row, boxes) in sheet.rows.iter_mut().zip(boxes) {
        if let Some(&[rows, columns]) = sizes.get(&row[0]) {
            let (rows, columns) = (rows as f64, columns as f64);
            let boxes: Vec<Boxed> = boxes
                .iter()
                .map(|(class, [x, y, width, height])| Boxed {
                    class: class.clone(),
                    edges: [
                        y * rows,
                        x * columns,
                        (y + height) * rows,
                        (x + width) * columns,
                    ],
                    score: None,
                })
                .collect();
            row[4] = keep_boxes(options, &row[0], &boxes, true, sink)?;
        }
    }
    tell(
        &mut notes,
        &[
            (others, "media that are not images that are read, left out"),
            (remote, "media on the web and not here, left out"),
            (
                machine,
                "observations made by a machine, which are no truth, left out",
            ),
            (
                unclear,
                "observations that are unknown or unclassified, left out",
            ),
            (silent, "images without a class, empty in `class_name`"),
            (
                several,
                "images of several classes, empty in `class_name`, all in `classes`",
            ),
            (
                of_event,
                "images labelled with their burst as a whole (the animal need not be in each; leave them out with --where \"label_of = 'image'\")",
            ),
            (lonely, "images of no burst, each a group of its own"),
        ],
    );
    sheet.without_empty(&[
        "n_animals",
        "boxes",
        "location",
        "datetime",
        "camera_model",
        "classes",
    ]);
    Ok(Imported {
        audit: audit(&sheet, &mut notes),
        csv: sheet.csv(),
        notes,
    })
}
