//! Every file of ../shared/data/odd_formats ends in an image or in a clean error, soon, without a panic; what is read
//! agrees with what reference readers gave. The outcome is the table in docs/src/formats.md.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use transect_core::{Image, Kind};
use transect_image::{
    Files as _, Limits, Recipe, Selector, decode, decode_at, decode_labels_at, pages, recipes,
};

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

/// What the reference readers gave, where ours is another on purpose: why, the values to compare with, and how near.
fn expected(file: &str, reference: &serde_json::Value) -> (&'static str, [f64; 3], f64) {
    let number = |key: &str| reference[key].as_f64().expect("a number");
    let all @ [low, high, mean] = [number("min"), number("max"), number("mean")];
    let exact = 1e-6;
    match file {
        // The reference keeps 0 as white; ours turns it round and spreads one bit over a byte.
        "tiff/seq-1c-1b-miniswhite-71f6a21a.tiff" => (
            "0 is white: turned round, × 255",
            [0.0, 255.0, 255.0 * (1.0 - mean)],
            exact,
        ),
        // The reference gives indices, ours the colours of the map, as Pillow's conversion to RGB does
        // (mean 118.8333).
        "tiff/seq-1c-4b-palette-85108c5a.tiff" => (
            "palette: colours instead of indices",
            [0.0, 255.0, 118.0 + 5.0 / 6.0],
            exact,
        ),
        // Decoders of JPEG differ in the last digits.
        "wsi/CMU-1-Small-Region.svs" => ("JPEG: the mean differs by 0.0015", all, 0.01),
        // The reference gives what is stored, ours applies the rescaling that the file states (slope 1, intercept −1024).
        "dicom/CT_small.dcm" => (
            "rescaled: − 1024",
            [low - 1024.0, high - 1024.0, mean - 1024.0],
            exact,
        ),
        "dicom/liver_1frame.dcm" => (
            "one bit: × 255",
            [low * 255.0, high * 255.0, mean * 255.0],
            exact,
        ),
        _ => ("", all, exact),
    }
}

/// The shapes of a reference that are the same image.
fn same_shape(shape: &[usize], image: &Image) -> bool {
    let [c, p, rows, columns] = image.shape();
    let ours: [&[usize]; 6] = [
        &[rows, columns],
        &[rows, columns, c],
        &[c, rows, columns],
        &[p, rows, columns],
        &[c, p, rows, columns],
        &[p, rows, columns, c],
    ];
    let full: usize = shape.iter().product();
    ours.contains(&shape) && (full == c * p * rows * columns || shape.len() == 2)
}

#[test]
fn every_odd_file_ends_in_an_image_or_a_clean_error() {
    let Some(folder) = crate::shared("data/odd_formats") else {
        return;
    };
    let index = std::fs::read_to_string(folder.join("index.csv")).expect("the index is text");
    let files = crate::formats::Folder(folder.clone());
    let limits = Limits::default();
    let others = crate::formats::cases("shared");
    let mut table = String::from("| file | outcome | reference | agrees |\n|---|---|---|---|\n");
    let mut counts = [0_usize; 6];
    let (mut rows, mut refused) = (0, std::collections::BTreeMap::new());
    for line in index.lines().skip(1) {
        let row = fields(line);
        let file = row[0].as_str();
        rows += 1;
        let selector = match file {
            // The array lies below the root of the store.
            "zarr/zarrs/sharded_array_write_read.zarr" => Selector {
                member: Some("group/array".to_owned()),
                ..Selector::default()
            },
            _ => Selector::default(),
        };
        let started = Instant::now();
        let outcome = std::panic::catch_unwind(|| {
            if let Ok(Some(bytes)) = files.read(file) {
                let _ = pages(&bytes, file);
                let _ = decode(&bytes, file, Some(3), &limits);
            }
            let _ = decode_labels_at(&files, file, &selector, &limits);
            decode_at(&files, file, &selector, &limits)
        });
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5), "{file} took {took:?}");
        let outcome = outcome.unwrap_or_else(|_| panic!("{file} made a decoder panic"));
        let reference = row[5]
            .split_once(' ')
            .and_then(|(_, json)| serde_json::from_str::<serde_json::Value>(json).ok())
            // A MATLAB file holds named arrays.
            .map(|r| match r.as_object().and_then(|o| o.values().next()) {
                Some(inner) if inner["mean"].is_number() => inner.clone(),
                _ => r,
            });
        let numbers = reference.as_ref().filter(|r| r["mean"].is_number());
        let (text, remark) = match &outcome {
            Ok(image) => {
                let [c, p, rows, columns] = image.shape();
                let found = statistics(image);
                let mut remark = "no reference";
                // What other programs gave beside those of the index (golden/formats).
                let golden = format!("odd_formats/{}", file.replace(".dat", ".hdr"));
                if let Some(case) = others.iter().find(|c| c["file"] == golden) {
                    crate::formats::check(case, image, file);
                    remark = "yes";
                }
                if let Some(reference) = numbers {
                    let (why, wanted, near) = expected(file, reference);
                    let shape: Vec<usize> = reference["shape"]
                        .as_array()
                        .expect("a shape")
                        .iter()
                        .map(|s| s.as_u64().expect("a length") as usize)
                        .collect();
                    assert!(
                        same_shape(&shape, image) || why.starts_with("palette"),
                        "{file}: {shape:?} against {:?}",
                        image.shape()
                    );
                    for (got, want) in [found.0, found.1, found.2].iter().zip(wanted) {
                        assert!(
                            (got - want).abs() <= near * want.abs().max(1.0),
                            "{file}: {found:?} against {wanted:?}"
                        );
                    }
                    remark = if why.is_empty() { "yes" } else { why };
                }
                counts[match remark {
                    "yes" => 0,
                    "no reference" => 2,
                    _ => 1,
                }] += 1;
                let planes = if p > 1 {
                    format!(" × {p} planes")
                } else {
                    String::new()
                };
                (
                    format!(
                        "{c}{planes} × {rows} × {columns} {}, {:.4} to {:.4}, mean {:.4}",
                        image.dtype.name(),
                        found.0,
                        found.1,
                        found.2
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
                assert!(
                    error.kind() != Kind::Unsupported || error.help.is_some(),
                    "{file}: no way out: {error}"
                );
                counts[if row[3] == "1" {
                    3
                } else if numbers.is_some() {
                    4
                } else {
                    5
                }] += 1;
                *refused.entry(error.code.id).or_insert(0) += 1;
                let help = if error.kind() == Kind::Unsupported {
                    error
                        .help
                        .as_ref()
                        .map_or_else(String::new, |h| format!(" ({h})"))
                } else {
                    String::new()
                };
                (
                    format!("{}: {}{help}", error.code.id, error.message),
                    if row[3] == "1" {
                        "a damaged file"
                    } else {
                        "not read"
                    },
                )
            }
        };
        let golden = format!("odd_formats/{}", file.replace(".dat", ".hdr"));
        let said = numbers.map_or_else(
            || {
                if others.iter().any(|c| c["file"] == golden) {
                    return if file.starts_with("zarr") {
                        "zarr-python, every sample".to_owned()
                    } else {
                        "Spectral Python, every sample".to_owned()
                    };
                }
                match &reference {
                    Some(r) if r["error"].is_string() => "error".to_owned(),
                    Some(r) => format!("{} {}", r["shape"], r["dtype"].as_str().unwrap_or("")),
                    None => String::new(),
                }
            },
            |r| {
                format!(
                    "{} {}, {} to {}, mean {:.4}",
                    r["shape"],
                    r["dtype"].as_str().unwrap_or(""),
                    r["min"],
                    r["max"],
                    r["mean"].as_f64().unwrap_or(f64::NAN)
                )
            },
        );
        let _ = writeln!(
            table,
            "| {file} | {} | {said} | {remark} |",
            text.replace('|', "\\|")
        );
    }
    assert_eq!(rows, 94, "the index lists 94 files");
    let [equal, differ, alone, damaged, lost, other] = counts;
    assert!(equal + differ >= 15, "{counts:?}");
    let codes: Vec<String> = refused
        .iter()
        .map(|(code, n)| format!("{n} with {code}"))
        .collect();
    let summary = format!(
        "Of {rows} files, {} are read: {equal} agree with the reference, {differ} differ from it for the reason that the table gives, {alone} have none to \
         compare with. {} are refused ({}): {damaged} that are damaged on purpose, {lost} that the reference reads, {other} that it does not.\n\n",
        equal + differ + alone,
        damaged + lost + other,
        codes.join(", "),
    );
    published("odd formats", &(summary + &table));
}

/// What the recipes gave where a file for them is there (golden/recipes).
fn tried() -> Vec<serde_json::Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/recipes/values.json");
    let text = std::fs::read_to_string(path).expect("the golden values are there");
    serde_json::from_str(&text).expect("they are JSON")
}

#[test]
fn recipes_give_images_that_reference_readers_give() {
    let index = crate::shared("data/odd_formats/index.csv")
        .map(|p| std::fs::read_to_string(p).expect("the index is text"));
    let mut compared = 0;
    for entry in tried() {
        let file = entry["file"].as_str().expect("a name");
        let of = |r: &Recipe| entry["recipe"] == capital(r.format);
        assert!(recipes().iter().any(of), "{file}: no such recipe");
        // The map of one file is a single spectrum, and no image.
        assert!(
            entry["read"] == true || file == "ir_raman/sp.wdf",
            "{file}: {entry}"
        );
        let Some(index) = &index else {
            continue;
        };
        let row = index.lines().map(fields).find(|row| row[0] == file);
        let row = row.unwrap_or_else(|| panic!("{file} is not in the index"));
        // (…"mean": 30498.19…)
        let Some(mean) = row[5].split("\"mean\": ").nth(1) else {
            continue;
        };
        let mean: f64 = mean.trim_end_matches(['}', ' ']).parse().expect("a number");
        let got = entry["mean"].as_f64().expect("a number");
        assert!(
            (got - mean).abs() <= 1e-6 * mean.abs(),
            "{file}: {got} against {mean}"
        );
        compared += 1;
    }
    assert!(index.is_none() || compared >= 5, "{compared} compared");
}

/// Every recipe, so that the page names what the errors say.
#[test]
fn recipes_stand_in_the_docs() {
    let tried = tried();
    let mut text = String::new();
    for recipe in recipes() {
        let _ = writeln!(
            text,
            "### {}\n\n{}.\n",
            capital(recipe.format),
            capital(recipe.help)
        );
        if !recipe.python.is_empty() {
            let _ = writeln!(text, "```python\n{}\n```\n", recipe.python);
        }
        let on: Vec<String> = tried
            .iter()
            .filter(|e| e["recipe"] == capital(recipe.format))
            .map(|e| {
                let shape = e["shape"].as_array().expect("a shape");
                let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
                format!(
                    "`{}` ({} {})",
                    e["file"].as_str().expect("a name"),
                    shape.join(" × "),
                    e["dtype"].as_str().expect("a type")
                )
            })
            .collect();
        if !on.is_empty() {
            let _ = writeln!(text, "Tried on {}.\n", on.join(", "));
        }
    }
    published("recipes", &text);
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
}

/// What stands in the docs is what comes out here. `TRANSECT_WRITE_DOCS=1` writes it there.
fn published(what: &str, shown: &str) {
    static PAGE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _alone = PAGE.lock();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/formats.md");
    let text = std::fs::read_to_string(&page).expect("the page is there");
    let (begin, end) = (
        format!("<!-- {what}: begin -->\n"),
        format!("<!-- {what}: end -->"),
    );
    let (before, rest) = text.split_once(&begin).expect("the page has the mark");
    let (found, after) = rest.split_once(&end).expect("the page has the second mark");
    if std::env::var_os("TRANSECT_WRITE_DOCS").is_some() {
        std::fs::write(&page, format!("{before}{begin}{shown}{end}{after}"))
            .expect("the page can be written");
    } else {
        assert_eq!(
            found, shown,
            "docs/src/formats.md is stale: run with TRANSECT_WRITE_DOCS=1"
        );
    }
}
