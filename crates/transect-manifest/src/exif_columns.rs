//! When and with what an image was taken, as its file says. Never where, unless asked; never by whom.

use std::io::Cursor;
use std::path::Path;

use exif::{Exif, In, Tag, Value};
use transect_core::codes::manifest as codes;
use transect_core::{Error, Errors};
use transect_image::Limits;

use crate::bounded;
use crate::plate::Joined;
use crate::rows::count;
use crate::sheet::Sheet;

/// Tags that name a person.
const PERSONS: [Tag; 3] = [Tag::Artist, Tag::Copyright, Tag::CameraOwnerName];

/// Adds columns with what the EXIF of each image says: `exif_time` (as ISO 8601, with the zone where it is told),
/// `exif_camera` (maker and model), `exif_orientation` (where an image is not upright), and with `position` also
/// `exif_latitude` and `exif_longitude` (degrees, north and east are positive). A column without any value is left out.
/// Nothing else is copied: no names, no serial numbers, no comments.
///
/// `root` is the folder of the manifest. Images without EXIF have empty cells.
///
/// # Errors
/// `T022` and `T023` where an image cannot be read, `T012` where the manifest has no column of images.
pub fn exif(csv: &str, root: &Path, position: bool, limits: &Limits) -> Result<Joined, Errors> {
    let mut sheet = Sheet::of_csv(csv);
    let at = sheet
        .headers
        .iter()
        .position(|h| h == "image" || h.starts_with("image:"))
        .ok_or_else(|| Error::new(&codes::UNKNOWN_COLUMN, "the manifest has no column `image`"))?;
    let columns = [
        "exif_time",
        "exif_camera",
        "exif_orientation",
        "exif_latitude",
        "exif_longitude",
    ];
    sheet
        .headers
        .extend(columns.iter().map(|c| (*c).to_owned()));
    let mut errors = Errors::new();
    let (mut with, mut placed, mut named, mut turned) = (0, 0, 0, 0);
    for row in &mut sheet.rows {
        let bytes = match bounded::read(&root.join(&row[at]), limits.max_file_bytes) {
            Ok(bytes) => bytes,
            Err(e) => {
                errors.push(e);
                if errors.0.len() == 20 {
                    break;
                }
                continue;
            }
        };
        let facts = exif::Reader::new()
            .read_from_container(&mut Cursor::new(bytes))
            .ok();
        let Some(facts) = facts else {
            row.extend(columns.map(|_| String::new()));
            continue;
        };
        let place = place(&facts);
        with += 1;
        placed += usize::from(place.is_some());
        named += usize::from(PERSONS.iter().any(|t| !text(&facts, *t).is_empty()));
        let orientation = facts
            .get_field(Tag::Orientation, In::PRIMARY)
            .and_then(|f| f.value.get_uint(0))
            .filter(|o| (2..=8).contains(o));
        turned += usize::from(orientation.is_some());
        row.push(time(&facts));
        row.push(camera(&facts));
        row.push(orientation.map_or_else(String::new, |o| o.to_string()));
        let place = place.filter(|_| position);
        row.push(place.map_or_else(String::new, |p| format!("{:.6}", p.0)));
        row.push(place.map_or_else(String::new, |p| format!("{:.6}", p.1)));
    }
    errors.or(())?;
    sheet.without_empty(&columns);
    let mut notes = vec![format!(
        "EXIF in {with} of {}",
        count(sheet.rows.len(), "image")
    )];
    if placed > 0 && !position {
        notes.push(format!(
            "positions in the EXIF of images, not copied (--gps copies them): {placed}"
        ));
    }
    if named > 0 {
        notes.push(format!(
            "names of persons in the EXIF of images, not copied: {named}"
        ));
    }
    if turned > 0 {
        notes.push(format!(
            "images that EXIF says are to be turned before they are shown: {turned}. They are read as they lie; outlines and boxes that were drawn on the turned image do not fit"
        ));
    }
    Ok(Joined {
        csv: sheet.csv(),
        notes,
    })
}

/// A tag's text, without what is no part of a word.
fn text(facts: &Exif, tag: Tag) -> String {
    let Some(field) = facts.get_field(tag, In::PRIMARY) else {
        return String::new();
    };
    let Value::Ascii(parts) = &field.value else {
        return String::new();
    };
    let bytes: Vec<u8> = parts.iter().flatten().copied().take(64).collect();
    let text: String = String::from_utf8_lossy(&bytes)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `2019-05-01T06:31:09+02:00`; empty where the clock was not set.
fn time(facts: &Exif) -> String {
    let text = [Tag::DateTimeOriginal, Tag::DateTimeDigitized]
        .iter()
        .map(|t| text(facts, *t))
        .find(|t| !t.is_empty())
        .unwrap_or_default();
    let Ok(time) = exif::DateTime::from_ascii(text.as_bytes()) else {
        return String::new();
    };
    let sound = time.year > 0
        && (1..=12).contains(&time.month)
        && (1..=31).contains(&time.day)
        && time.hour < 24
        && time.minute < 60
        && time.second < 61;
    if !sound {
        return String::new();
    }
    let zone = self::text(facts, Tag::OffsetTimeOriginal);
    let zone = match zone.as_bytes() {
        [b'+' | b'-', a, b, b':', c, d] if [a, b, c, d].iter().all(|x| x.is_ascii_digit()) => zone,
        _ => String::new(),
    };
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{zone}",
        time.year, time.month, time.day, time.hour, time.minute, time.second
    )
}

/// Maker and model; makers that say their name in the model are not said twice.
fn camera(facts: &Exif) -> String {
    let (make, model) = (text(facts, Tag::Make), text(facts, Tag::Model));
    if make.is_empty() || model.to_lowercase().starts_with(&make.to_lowercase()) {
        model
    } else {
        format!("{make} {model}").trim().to_owned()
    }
}

/// Degrees north and east.
fn place(facts: &Exif) -> Option<(f64, f64)> {
    let degrees = |tag: Tag, side: Tag, negative: &str, most: f64| {
        let Value::Rational(parts) = &facts.get_field(tag, In::PRIMARY)?.value else {
            return None;
        };
        let &[degrees, minutes, seconds] = parts.as_slice() else {
            return None;
        };
        let value = degrees.to_f64() + minutes.to_f64() / 60.0 + seconds.to_f64() / 3600.0;
        let value = if text(facts, side) == negative {
            -value
        } else {
            value
        };
        (value.abs() <= most).then_some(value)
    };
    Some((
        degrees(Tag::GPSLatitude, Tag::GPSLatitudeRef, "S", 90.0)?,
        degrees(Tag::GPSLongitude, Tag::GPSLongitudeRef, "W", 180.0)?,
    ))
}
