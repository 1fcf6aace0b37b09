//! Every file of ../shared/data/odd_formats ends in an image or in a clean error, soon, without a panic; what is read
//! agrees with what reference readers gave. The outcome is the table in docs/src/images.md.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use transect_core::{Image, Kind};
use transect_image::{Limits, decode, decode_labels, pages};

/// One line of a CSV file, quotes undone.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        let field = fields.last_mut().expect("there is always a field");
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    fields
}

fn statistics(image: &Image) -> (f64, f64, f64) {
    let samples = image.samples();
    let low = samples.iter().copied().fold(f32::INFINITY, f32::min);
    let high = samples.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mean = samples.iter().map(|s| f64::from(*s)).sum::<f64>() / samples.len() as f64;
    (f64::from(low), f64::from(high), mean)
}

/// What the reference readers gave, where ours is another on purpose: shape and values are compared after this.
fn expected(file: &str, reference: &serde_json::Value, image: &Image) -> (String, (f64, f64, f64)) {
    let number = |key: &str| reference[key].as_f64().expect("a number");
    let (low, high, mean) = (number("min"), number("max"), number("mean"));
    match file {
        // The reference keeps 0 as white; ours turns it round and spreads one bit over a byte.
        "tiff/seq-1c-1b-miniswhite-71f6a21a.tiff" => (
            "0 is white: turned round, × 255".to_owned(),
            (0.0, 255.0, 255.0 * (1.0 - mean)),
        ),
        // The reference gives indices, ours the colours of the map, as Pillow's conversion to RGB does
        // (mean 118.8333).
        "tiff/seq-1c-4b-palette-85108c5a.tiff" => (
            "palette: colours instead of indices".to_owned(),
            (0.0, 255.0, 118.0 + 5.0 / 6.0),
        ),
        // The reference gives all pages at once, ours the first.
        "ome_tiff/multi-channel-z-series.ome.tif" => {
            ("first of 15 pages".to_owned(), statistics(image))
        }
        _ => (String::new(), (low, high, mean)),
    }
}

#[test]
fn every_odd_file_ends_in_an_image_or_a_clean_error() {
    let Some(folder) = crate::shared("data/odd_formats") else {
        return;
    };
    let index = std::fs::read_to_string(folder.join("index.csv")).expect("the index is text");
    let mut table = String::from("| file | outcome | reference | |\n|---|---|---|---|\n");
    let (mut files, mut read, mut compared) = (0, 0, 0);
    for line in index.lines().skip(1) {
        let row = fields(line);
        let file = row[0].as_str();
        files += 1;
        let path = folder.join(file);
        // Stores are folders; a folder is not an image file.
        let bytes = if path.is_dir() {
            Vec::new()
        } else {
            std::fs::read(&path).expect("the index lists files that are there")
        };
        let started = Instant::now();
        let limits = Limits::default();
        let outcome = std::panic::catch_unwind(|| {
            let _ = pages(&bytes, file);
            let _ = decode_labels(&bytes, file, None, &limits);
            let _ = decode(&bytes, file, Some(3), &limits);
            decode(&bytes, file, None, &limits)
        });
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5), "{file} took {took:?}");
        let outcome = outcome.unwrap_or_else(|_| panic!("{file} made a decoder panic"));
        let reference = row[5]
            .split_once(' ')
            .and_then(|(_, json)| serde_json::from_str::<serde_json::Value>(json).ok());
        let (text, remark) = match &outcome {
            Ok(image) => {
                read += 1;
                let [c, _, rows, columns] = image.shape();
                let (low, high, mean) = statistics(image);
                let mut remark = String::new();
                if let Some(reference) = reference.as_ref().filter(|r| r["mean"].is_number()) {
                    let (why, (low2, high2, mean2)) = expected(file, reference, image);
                    let shape: Vec<usize> = reference["shape"]
                        .as_array()
                        .expect("a shape")
                        .iter()
                        .map(|s| s.as_u64().expect("a length") as usize)
                        .collect();
                    if why.is_empty() {
                        let ours: [&[usize]; 3] =
                            [&[rows, columns], &[rows, columns, c], &[c, rows, columns]];
                        assert!(
                            ours.contains(&shape.as_slice()),
                            "{file}: {shape:?} against {:?}",
                            image.shape()
                        );
                    }
                    let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b.abs().max(1.0);
                    assert!(
                        near(low, low2) && near(high, high2) && near(mean, mean2),
                        "{file}: {:?} against {:?}",
                        (low, high, mean),
                        (low2, high2, mean2)
                    );
                    compared += 1;
                    remark = if why.is_empty() {
                        "equal".to_owned()
                    } else {
                        why
                    };
                }
                (
                    format!(
                        "{c} × {rows} × {columns} {}, {low:.4} to {high:.4}, mean {mean:.4}",
                        image.dtype.name()
                    ),
                    remark,
                )
            }
            Err(error) => {
                let clean = matches!(
                    error.kind(),
                    Kind::Format | Kind::Unsupported | Kind::Limits | Kind::Io | Kind::Usage
                );
                assert!(clean, "{file}: {error}");
                assert_eq!(
                    error.location.image.as_deref(),
                    Some(file),
                    "an error names its image"
                );
                (
                    format!("{}: {}", error.code.id, error.message),
                    String::new(),
                )
            }
        };
        let said = reference.map_or_else(String::new, |r| {
            if r["mean"].is_number() {
                format!(
                    "{} {}, {} to {}, mean {:.4}",
                    r["shape"],
                    r["dtype"].as_str().unwrap_or(""),
                    r["min"],
                    r["max"],
                    r["mean"].as_f64().unwrap_or(f64::NAN)
                )
            } else if r["error"].is_string() {
                "error".to_owned()
            } else {
                String::new()
            }
        });
        let _ = writeln!(
            table,
            "| {file} | {} | {said} | {remark} |",
            text.replace('|', "\\|")
        );
    }
    assert_eq!(files, 94, "the index lists 94 files");
    assert!(
        read >= 14 && compared >= 14,
        "{read} read, {compared} compared"
    );
    published(&table);
}

/// The table stands in the docs as it comes out here. `TRANSECT_WRITE_DOCS=1` writes it there.
fn published(table: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/images.md");
    let text = std::fs::read_to_string(&page).expect("the page is there");
    let (begin, end) = ("<!-- odd formats: begin -->\n", "<!-- odd formats: end -->");
    let (before, rest) = text.split_once(begin).expect("the page has the mark");
    let (shown, after) = rest.split_once(end).expect("the page has the second mark");
    if std::env::var_os("TRANSECT_WRITE_DOCS").is_some() {
        std::fs::write(&page, format!("{before}{begin}{table}{end}{after}"))
            .expect("the page can be written");
    } else {
        assert_eq!(
            shown, table,
            "docs/src/images.md is stale: run with TRANSECT_WRITE_DOCS=1"
        );
    }
}
