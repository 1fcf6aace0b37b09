//! Plate maps: what is in each well, joined to the rows of a manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use transect_core::codes::manifest as codes;
use transect_core::{Error, Errors};

use crate::bounded;
use crate::rows::{Lines, count};
use crate::sheet::Sheet;

/// Largest plate map, bytes.
const MOST_BYTES: u64 = 1 << 26;

/// A manifest with further columns, and what is to be said of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The manifest, as CSV.
    pub csv: String,
    /// What was joined, and what was not used.
    pub notes: Vec<String>,
}

/// A well: its row (A is 0) and its column (from 1).
type Well = (u32, u32);

/// What a plate map says.
struct Map {
    columns: Vec<String>,
    /// By plate (empty where the map names none) and well.
    cells: BTreeMap<(String, Well), Vec<String>>,
    by_plate: bool,
}

/// `A1`, `a01` and `A001` are one well; rows go on after Z with AA to AF, as on plates of 1,536.
fn well(text: &str) -> Option<Well> {
    let split = text.find(|c: char| c.is_ascii_digit())?;
    let (letters, digits) = text.split_at(split);
    let column: u32 = digits.parse().ok()?;
    let row = match letters.as_bytes() {
        [one] if one.is_ascii_alphabetic() => u32::from(one.to_ascii_uppercase() - b'A'),
        [b'A' | b'a', two] if two.is_ascii_alphabetic() => {
            26 + u32::from(two.to_ascii_uppercase() - b'A')
        }
        _ => return None,
    };
    (row < 32 && (1..=48).contains(&column)).then_some((row, column))
}

/// Joins plate maps to a manifest by its column `well`, and by `plate` where both have it.
///
/// A map is CSV in the long form, with a column `well` and a row for each well, or in the form of the plate: the first row
/// holds the numbers 1, 2, 3 …, the first column the letters A, B, C …; the column is then called as the cell in the corner
/// says, or as the file.
///
/// # Errors
/// `T022` for a file that cannot be read, `T027` for a manifest without wells, a map that is neither form, a well twice, a
/// column that the manifest has already, or wells of the manifest that the map lacks: all are named.
pub fn join(csv: &str, maps: &[PathBuf]) -> Result<Joined, Errors> {
    let mut sheet = Sheet::of_csv(csv);
    let mut notes = Vec::new();
    let mut errors = Errors::new();
    let Some(at) = sheet.column("well") else {
        return Err(Error::new(&codes::JOIN, "the manifest has no column `well`")
            .field("--join")
            .note(format!("columns of the manifest: {}", sheet.headers.join(", ")))
            .help("take it from the names of the files: --pattern with a capture (?<well>[A-P]\\d+)")
            .into());
    };
    let plate = sheet.column("plate");
    for path in maps {
        match read(path) {
            Ok(map) => match add(&mut sheet, at, plate, &map, path) {
                Ok(note) => notes.extend(note),
                Err(e) => errors.0.extend(e.0),
            },
            Err(e) => errors.0.extend(e.0),
        }
    }
    errors.or(Joined {
        csv: sheet.csv(),
        notes,
    })
}

fn add(
    sheet: &mut Sheet,
    at: usize,
    plate: Option<usize>,
    map: &Map,
    path: &Path,
) -> Result<Vec<String>, Errors> {
    let mut errors = Errors::new();
    for column in &map.columns {
        if sheet.column(column).is_some() {
            errors.push(
                Error::new(
                    &codes::JOIN,
                    format!("the manifest has a column `{column}` already"),
                )
                .at(path)
                .help("rename the column of the plate map"),
            );
        }
    }
    let by_plate = plate.filter(|_| map.by_plate);
    if map.by_plate && by_plate.is_none() {
        return Err(Error::new(
            &codes::JOIN,
            "the plate map tells plates apart, and the manifest has no column `plate`",
        )
        .at(path)
        .help("take it from the names of the files: --pattern with a capture (?<plate>[^/]+)")
        .into());
    }
    let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
    let mut used = BTreeSet::new();
    let mut found: Vec<&[String]> = Vec::with_capacity(sheet.rows.len());
    for row in &sheet.rows {
        let name = by_plate.map_or_else(String::new, |p| row[p].clone());
        let key = well(&row[at]).map(|w| (name.clone(), w));
        if let Some((key, cells)) = key.as_ref().and_then(|k| map.cells.get_key_value(k)) {
            used.insert(key);
            found.push(cells);
            continue;
        }
        let shown = [name.as_str(), row[at].as_str()];
        let shown: Vec<&str> = shown.into_iter().filter(|s| !s.is_empty()).collect();
        let shown = if shown.is_empty() {
            "(empty)".to_owned()
        } else {
            shown.join(" ").escape_debug().to_string()
        };
        *unknown.entry(shown).or_default() += 1;
    }
    if !unknown.is_empty() {
        let mut lines = Lines::default();
        for (well, n) in &unknown {
            lines.push(1_usize, format!("{well} ({})", count(*n, "row")));
        }
        let message = format!(
            "wells of the manifest that the plate map lacks: {}",
            unknown.len()
        );
        let mut error = lines.into_error(&codes::JOIN, message).at(path);
        error.location.line = None;
        errors.push(
            error.help("add them to the map; a well without content has a row with empty cells"),
        );
    }
    errors.or(())?;
    let unused = map.cells.len() - used.len();
    let mut notes = vec![format!(
        "{}: {} joined by well{}",
        path.display(),
        map.columns.join(", "),
        if by_plate.is_some() { " and plate" } else { "" }
    )];
    if unused > 0 {
        notes.push(format!(
            "{} of the map without an image",
            count(unused, "well")
        ));
    }
    if let (Some(plate), None) = (plate, by_plate) {
        let plates: BTreeSet<&String> = sheet.rows.iter().map(|row| &row[plate]).collect();
        if plates.len() > 1 {
            notes.push(format!(
                "the map tells no plates apart: it is taken for each of {}",
                count(plates.len(), "plate")
            ));
        }
    }
    let found: Vec<Vec<String>> = found.into_iter().map(<[String]>::to_vec).collect();
    sheet.headers.extend(map.columns.iter().cloned());
    for (row, cells) in sheet.rows.iter_mut().zip(found) {
        row.extend(cells);
    }
    Ok(notes)
}

fn read(path: &Path) -> Result<Map, Errors> {
    let bytes = bounded::read(path, MOST_BYTES)?;
    let wrong = |what: &str| Error::new(&codes::JOIN, what).at(path);
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| wrong("the plate map is not UTF-8 text").help("save it as \"CSV UTF-8\""))?;
    let text = text.trim_start_matches('\u{feff}');
    let delimiter = match text.lines().next().unwrap_or_default() {
        line if line.contains('\t') => b'\t',
        line if line.contains(';') && !line.contains(',') => b';',
        _ => b',',
    };
    let rows: Vec<Vec<String>> = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
        .records()
        .map(|record| record.map(|r| r.iter().map(str::to_owned).collect()))
        .collect::<Result<_, _>>()
        .map_err(|e| wrong(&format!("the plate map cannot be read: {e}")))?;
    let Some((header, body)) = rows.split_first() else {
        return Err(wrong("the plate map is empty").into());
    };
    if header.iter().any(|h| h.eq_ignore_ascii_case("well")) {
        return long(path, header, body);
    }
    let numbers = header[1..]
        .iter()
        .enumerate()
        .all(|(i, h)| h.parse() == Ok(i + 1));
    if header.len() > 1 && numbers {
        return grid(path, header, body);
    }
    Err(wrong("the plate map is in neither of the two forms")
        .note(format!("its first row: {}", header.join(", ")))
        .help("long: a column `well` and one row for each well; as the plate: 1, 2, 3 … in the first row and A, B, C … in the first column")
        .into())
}

/// Puts cells in their place, or keeps in mind what is wrong with them.
fn put(
    map: &mut Map,
    bad: &mut Lines,
    line: usize,
    key: (String, Option<Well>),
    name: &str,
    cells: Vec<String>,
) {
    let Some(well) = key.1 else {
        bad.push(
            line,
            format!("line {line}: `{}` is no well", name.escape_debug()),
        );
        return;
    };
    if map.cells.insert((key.0, well), cells).is_some() {
        bad.push(
            line,
            format!("line {line}: {} a second time", name.escape_debug()),
        );
    }
}

fn finish(path: &Path, map: Map, bad: Lines) -> Result<Map, Errors> {
    if bad.is_empty() {
        return Ok(map);
    }
    let message = format!(
        "{} of the plate map cannot be used",
        count(bad.count(), "row")
    );
    Err(bad.into_error(&codes::JOIN, message).at(path).into())
}

fn long(path: &Path, header: &[String], body: &[Vec<String>]) -> Result<Map, Errors> {
    let place = |name: &str| header.iter().position(|h| h.eq_ignore_ascii_case(name));
    let (at, plate) = (place("well").unwrap_or(0), place("plate"));
    let others: Vec<usize> = (0..header.len())
        .filter(|i| *i != at && Some(*i) != plate && !header[*i].is_empty())
        .collect();
    let mut map = Map {
        columns: others.iter().map(|i| header[*i].clone()).collect(),
        cells: BTreeMap::new(),
        by_plate: plate.is_some(),
    };
    let mut bad = Lines::default();
    for (index, row) in body.iter().enumerate() {
        let cell = |i: usize| row.get(i).cloned().unwrap_or_default();
        let name = cell(at);
        let key = (plate.map_or_else(String::new, cell), well(&name));
        let cells = others.iter().map(|i| cell(*i)).collect();
        put(&mut map, &mut bad, index + 2, key, &name, cells);
    }
    finish(path, map, bad)
}

fn grid(path: &Path, header: &[String], body: &[Vec<String>]) -> Result<Map, Errors> {
    let corner = Some(header[0].clone()).filter(|c| !c.is_empty());
    let stem = || path.file_stem().map(|s| s.to_string_lossy().into_owned());
    let mut map = Map {
        columns: vec![corner.or_else(stem).unwrap_or_default()],
        cells: BTreeMap::new(),
        by_plate: false,
    };
    let mut bad = Lines::default();
    for (index, row) in body.iter().enumerate() {
        if row.iter().all(String::is_empty) {
            continue;
        }
        let letters = row.first().map_or("", String::as_str);
        for column in 1..header.len() {
            let name = format!("{letters}{column}");
            let cell = row.get(column).cloned().unwrap_or_default();
            let key = (String::new(), well(&name));
            put(&mut map, &mut bad, index + 2, key, &name, vec![cell]);
        }
    }
    finish(path, map, bad)
}

#[cfg(test)]
mod tests {
    use super::well;

    #[test]
    fn a_well_is_the_same_with_and_without_zeros() {
        assert_eq!(well("A1"), Some((0, 1)));
        assert_eq!(well("a01"), Some((0, 1)));
        assert_eq!(well("P24"), Some((15, 24)));
        assert_eq!(well("AF48"), Some((31, 48)));
        for no in [
            "",
            "A",
            "1",
            "A0",
            "A49",
            "AG1",
            "BA1",
            "A1b",
            "A-1",
            "Ä1",
            "A99999999999",
        ] {
            assert_eq!(well(no), None, "{no}");
        }
    }
}
