//! Text to rows and columns: comma- and tab-separated, and JSON lines.

use csv::StringRecord;
use transect_core::codes::manifest as codes;
use transect_core::{Digest, Error, Errors};

use crate::rows::{Lines, count};

/// How a manifest is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// Comma-separated.
    Csv,
    /// Tab-separated.
    Tsv,
    /// One JSON object for each line.
    JsonLines,
}

impl Syntax {
    /// By the extension: `.tsv` and `.tab`, `.jsonl` and `.ndjson`, and CSV for everything else.
    pub fn of_name(name: &str) -> Self {
        match name
            .rsplit_once('.')
            .map(|(_, e)| e.to_ascii_lowercase())
            .as_deref()
        {
            Some("tsv" | "tab") => Self::Tsv,
            Some("jsonl" | "ndjson") => Self::JsonLines,
            _ => Self::Csv,
        }
    }
}

/// Named columns and rows of text, without surrounding space.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) headers: Vec<String>,
    /// One-based line in the file, cells in the order of the headers.
    pub(crate) rows: Vec<(u32, StringRecord)>,
}

impl Table {
    /// Index of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.headers.iter().position(|h| h == name)
    }

    /// Reads a table. `name` is used in errors.
    pub(crate) fn parse(bytes: &[u8], syntax: Syntax, name: &str) -> Result<Self, Errors> {
        let format = |what: &str| Error::new(&codes::MANIFEST_FORMAT, what).at(name);
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(format("the manifest is UTF-16 text")
                .help("save it as UTF-8")
                .into());
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()].split(|b| *b == b'\n').count();
            format("the manifest is not UTF-8 text")
                .line(line)
                .help("save it as UTF-8")
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(Error::new(&codes::MANIFEST_EMPTY, "the manifest is empty")
                .at(name)
                .into());
        }
        if let Some(at) = text.find('\0') {
            let line = 1 + text[..at].matches('\n').count();
            return Err(
                format("the manifest holds a zero byte: it is not a text file")
                    .line(line)
                    .into(),
            );
        }
        let table = match syntax {
            Syntax::Csv => separated(text, b',', name),
            Syntax::Tsv => separated(text, b'\t', name),
            Syntax::JsonLines => json(text, name),
        }?;
        if table.rows.is_empty() {
            return Err(Error::new(
                &codes::MANIFEST_EMPTY,
                "the manifest has a header and no rows",
            )
            .at(name)
            .into());
        }
        if u32::try_from(table.rows.len()).is_err() {
            return Err(format("the manifest has more than 4,294,967,295 rows").into());
        }
        Ok(table)
    }

    /// A hash over names and cells, the same for any way of writing them.
    pub(crate) fn digest(&self) -> Digest {
        let mut hashes = vec![Digest::of_parts(self.headers.iter().map(String::as_bytes))];
        hashes.extend(
            self.rows
                .iter()
                .map(|(_, row)| Digest::of_parts(row.iter().map(str::as_bytes))),
        );
        Digest::of_parts(hashes.iter().map(|d| d.0.as_slice()))
    }
}

fn check_headers(headers: &[String], name: &str, errors: &mut Errors) {
    for (index, header) in headers.iter().enumerate() {
        if header.is_empty() {
            let error = Error::new(
                &codes::MANIFEST_HEADER,
                format!("column {} has no name", index + 1),
            );
            errors.push(
                error
                    .at(name)
                    .line(1)
                    .column(index + 1)
                    .help("name it, or take the comma out"),
            );
        } else if let Some(first) = headers[..index].iter().position(|h| h == header) {
            errors.push(
                Error::new(
                    &codes::MANIFEST_HEADER,
                    format!(
                        "columns {} and {} are both named `{header}`",
                        first + 1,
                        index + 1
                    ),
                )
                .at(name)
                .line(1)
                .column(index + 1),
            );
        }
    }
}

/// One-based lines of growing places in a text. (The reader's own count is one too low behind `\r\n` and empty lines.)
struct LineOf<'a> {
    text: &'a [u8],
    byte: usize,
    line: usize,
}

impl LineOf<'_> {
    /// The line of the record that the reader found at this byte: line ends before its first cell are not part of it.
    fn at(&mut self, byte: u64) -> usize {
        let end = (byte as usize).min(self.text.len());
        let blank = self.text[end..]
            .iter()
            .take_while(|b| matches!(b, b'\r' | b'\n'))
            .count();
        let end = end + blank;
        self.line += self.text[self.byte..end].split(|b| *b == b'\n').count() - 1;
        self.byte = end;
        self.line
    }
}

fn separated(text: &str, delimiter: u8, name: &str) -> Result<Table, Errors> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut errors = Errors::new();
    let mut headers: Option<Vec<String>> = None;
    let mut lines = LineOf {
        text: text.as_bytes(),
        byte: 0,
        line: 1,
    };
    let mut ragged = Lines::default();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| {
            Error::new(
                &codes::MANIFEST_FORMAT,
                format!("the manifest cannot be read: {e}"),
            )
            .at(name)
        })?;
        let line = lines.at(record.position().map_or(0, csv::Position::byte));
        let Some(headers) = &headers else {
            let names: Vec<String> = record.iter().map(str::to_owned).collect();
            check_headers(&names, name, &mut errors);
            headers = Some(names);
            continue;
        };
        if record.len() == headers.len() {
            rows.push((line as u32, record));
        } else {
            ragged.push(
                line,
                format!("line {line} has {}", count(record.len(), "cell")),
            );
        }
    }
    let headers = headers.unwrap_or_default();
    if !ragged.is_empty() {
        let message = format!(
            "{} with another number of cells than the header, which has {}",
            count(ragged.count(), "row"),
            headers.len()
        );
        let help = "put cells that hold the separator in double quotes; fill missing cells with nothing between separators";
        errors.push(
            ragged
                .into_error(&codes::MANIFEST_RAGGED, message)
                .at(name)
                .help(help),
        );
    }
    errors.or(Table { headers, rows })
}

fn json(text: &str, name: &str) -> Result<Table, Errors> {
    let mut errors = Errors::new();
    let mut headers: Vec<String> = Vec::new();
    let mut index = std::collections::BTreeMap::new();
    let mut found: Vec<(u32, Vec<String>)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        if line.trim().is_empty() {
            continue;
        }
        let wrong = |what: String| {
            Error::new(&codes::MANIFEST_FORMAT, what)
                .at(name)
                .line(number)
        };
        let object = match serde_json::from_str::<serde_json::Value>(line) {
            Ok(serde_json::Value::Object(object)) => object,
            Ok(_) => {
                errors.push(
                    wrong("this line is not a JSON object".to_owned())
                        .help("write one object in braces for each image"),
                );
                continue;
            }
            Err(error) => {
                errors.push(wrong(format!("this line is not JSON: {error}")));
                if errors.0.len() >= 20 {
                    break;
                }
                continue;
            }
        };
        let mut cells = vec![String::new(); headers.len()];
        for (key, value) in object {
            let text = match value {
                serde_json::Value::Null => String::new(),
                serde_json::Value::String(text) => text.trim().to_owned(),
                serde_json::Value::Bool(value) => value.to_string(),
                serde_json::Value::Number(value) => value.to_string(),
                serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
                    errors.push(
                        wrong(format!("`{key}` is a list or an object, not a value"))
                            .help("write plain values"),
                    );
                    continue;
                }
            };
            let column = *index
                .entry(key.trim().to_owned())
                .or_insert_with_key(|key| {
                    headers.push(key.clone());
                    headers.len() - 1
                });
            if cells.len() <= column {
                cells.resize(column + 1, String::new());
            }
            cells[column] = text;
        }
        found.push((number as u32, cells));
    }
    check_headers(&headers, name, &mut errors);
    let rows = found
        .into_iter()
        .map(|(line, mut cells)| {
            cells.resize(headers.len(), String::new());
            (line, StringRecord::from(cells))
        })
        .collect();
    errors.or(Table { headers, rows })
}
