//! Class maps: from the names in a manifest to those of a model.

use std::collections::BTreeMap;

use transect_core::codes::manifest as codes;
use transect_core::{Digest, Error, Errors};

use crate::table::{Syntax, Table};

/// Where each class goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClassMap {
    to: BTreeMap<String, String>,
}

/// What becomes of a class.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mapped {
    /// It is called this.
    To(String),
    /// Its rows are left out.
    Dropped,
    /// The map does not have it.
    Unknown,
}

impl ClassMap {
    /// Reads a map: TOML by its extension, otherwise CSV (or TSV) with the columns `from` and `to`.
    pub(crate) fn parse(bytes: &[u8], name: &str) -> Result<Self, Errors> {
        let pairs = if name.to_ascii_lowercase().ends_with(".toml") {
            toml(bytes, name)?
        } else {
            separated(bytes, name)?
        };
        let mut to = BTreeMap::new();
        let mut errors = Errors::new();
        for (line, from, target) in pairs {
            let wrong = |what: String| {
                let error = Error::new(&codes::CLASS_MAP, what).at(name);
                if line > 0 { error.line(line) } else { error }
            };
            if from.is_empty() {
                errors.push(wrong("a class in `from` is empty".to_owned()));
            } else if to.insert(from.clone(), target).is_some() {
                errors.push(wrong(format!("the class `{from}` is mapped twice")));
            }
        }
        errors.or(Self { to })
    }

    pub(crate) fn map(&self, class: &str) -> Mapped {
        match self
            .to
            .get(class)
            .or_else(|| self.to.get("*"))
            .map(String::as_str)
        {
            None => Mapped::Unknown,
            Some("") => Mapped::Dropped,
            Some("*") => Mapped::To(class.to_owned()),
            Some(to) => Mapped::To(to.to_owned()),
        }
    }

    /// The classes that the map names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.to.keys().map(String::as_str).filter(|n| *n != "*")
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::of_parts(
            self.to
                .iter()
                .flat_map(|(from, to)| [from.as_bytes(), to.as_bytes()]),
        )
    }
}

type Pairs = Vec<(usize, String, String)>;

fn separated(bytes: &[u8], name: &str) -> Result<Pairs, Errors> {
    let syntax = if Syntax::of_name(name) == Syntax::Tsv {
        Syntax::Tsv
    } else {
        Syntax::Csv
    };
    let again = |mut errors: Errors| {
        for error in &mut errors.0 {
            error.code = &codes::CLASS_MAP;
            error.message = error.message.replace("the manifest", "the class map");
        }
        errors
    };
    let table = Table::parse(bytes, syntax, name).map_err(again)?;
    let (Some(from), Some(to)) = (table.column("from"), table.column("to")) else {
        return Err(Error::new(
            &codes::CLASS_MAP,
            "the class map does not have the columns `from` and `to`",
        )
        .at(name)
        .line(1)
        .note(format!("columns here: {}", table.headers.join(", ")))
        .help("begin it with the line `from,to`")
        .into());
    };
    let cell =
        |row: &csv::StringRecord, column: usize| row.get(column).unwrap_or_default().to_owned();
    Ok(table
        .rows
        .iter()
        .map(|(line, row)| (*line as usize, cell(row, from), cell(row, to)))
        .collect())
}

fn toml(bytes: &[u8], name: &str) -> Result<Pairs, Errors> {
    let wrong = |what: String| Errors::from(Error::new(&codes::CLASS_MAP, what).at(name));
    let text = std::str::from_utf8(bytes)
        .map_err(|_| wrong("the class map is not UTF-8 text".to_owned()))?;
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        let line = e
            .span()
            .map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        Errors::from(
            Error::new(
                &codes::CLASS_MAP,
                format!("the class map is not TOML: {}", e.message()),
            )
            .at(name)
            .line(line),
        )
    })?;
    let mut errors = Errors::new();
    let mut pairs = Vec::new();
    for (from, to) in table {
        match to {
            toml::Value::String(to) => {
                pairs.push((0, from.trim().to_owned(), to.trim().to_owned()));
            }
            other => errors.push(
                Error::new(
                    &codes::CLASS_MAP,
                    format!("`{from}` is mapped to {}, not to a text", other.type_str()),
                )
                .at(name),
            ),
        }
    }
    errors.or(pairs)
}
