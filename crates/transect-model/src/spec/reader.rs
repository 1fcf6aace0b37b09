//! Reading fields out of a tree, with the path of each for errors.

use std::path::{Path, PathBuf};

use serde_json::Value;
use transect_core::codes::model as codes;
use transect_core::{Code, Error, Errors};

/// Collects what is wrong with a specification.
#[derive(Debug)]
pub(crate) struct Reader {
    /// The file.
    pub(crate) path: PathBuf,
    /// What was wrong.
    pub(crate) errors: Errors,
    /// What a reader should know.
    pub(crate) notes: Vec<String>,
}

impl Reader {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            errors: Errors::new(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn error(
        &mut self,
        code: &'static Code,
        field: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.errors.push(
            Error::new(code, message)
                .at(&self.path)
                .field(field)
                .help(help),
        );
    }

    pub(crate) fn invalid(
        &mut self,
        field: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.error(&codes::SPEC_FIELD_INVALID, field, message, help);
    }

    pub(crate) fn missing(
        &mut self,
        field: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.error(&codes::SPEC_FIELD_MISSING, field, message, help);
    }

    pub(crate) fn unsupported(
        &mut self,
        field: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.error(&codes::SPEC_UNSUPPORTED, field, message, help);
    }

    /// A text, if the field is there.
    pub(crate) fn text<'a>(&mut self, tree: &'a Value, key: &str, field: &str) -> Option<&'a str> {
        match tree.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(other) => {
                self.invalid(
                    &join(field, key),
                    format!("expected text, got {other}"),
                    "write it in quotes",
                );
                None
            }
        }
    }

    /// A number, if the field is there and not null.
    pub(crate) fn number(&mut self, tree: &Value, key: &str, field: &str) -> Option<f64> {
        match tree.get(key) {
            None | Some(Value::Null) => None,
            Some(value) => {
                let number = value.as_f64().filter(|n| n.is_finite());
                if number.is_none() {
                    self.invalid(
                        &join(field, key),
                        format!("expected a number, got {value}"),
                        "write a finite number",
                    );
                }
                number
            }
        }
    }

    /// A count, if the field is there.
    pub(crate) fn count(&mut self, tree: &Value, key: &str, field: &str) -> Option<usize> {
        match tree.get(key) {
            None | Some(Value::Null) => None,
            Some(value) => self.count_of(value, &join(field, key)),
        }
    }

    /// A value as a count.
    pub(crate) fn count_of(&mut self, value: &Value, field: &str) -> Option<usize> {
        let whole = value.as_u64().or_else(|| {
            value
                .as_f64()
                .filter(|f| *f >= 0.0 && f.fract() == 0.0)
                .map(|f| f as u64)
        });
        let count = whole.filter(|&n| n <= 1 << 24).map(|n| n as usize);
        if count.is_none() {
            self.invalid(
                field,
                format!("expected a whole number from 0 to {}, got {value}", 1 << 24),
                "write such a number",
            );
        }
        count
    }

    /// One number or a list of numbers, if the field is there.
    pub(crate) fn numbers(&mut self, tree: &Value, key: &str, field: &str) -> Option<Vec<f64>> {
        let value = tree.get(key).filter(|v| !v.is_null())?;
        let list = match value {
            Value::Array(items) => items
                .iter()
                .map(Value::as_f64)
                .collect::<Option<Vec<f64>>>(),
            other => other.as_f64().map(|n| vec![n]),
        };
        let list = list.filter(|l| !l.is_empty() && l.iter().all(|n| n.is_finite()));
        if list.is_none() {
            self.invalid(
                &join(field, key),
                format!("expected a number or a list of numbers, got {value}"),
                "write finite numbers",
            );
        }
        list
    }

    /// A list of texts, if the field is there.
    pub(crate) fn texts(&mut self, tree: &Value, key: &str, field: &str) -> Option<Vec<String>> {
        let value = tree.get(key).filter(|v| !v.is_null())?;
        let list = value.as_array().and_then(|items| {
            items
                .iter()
                .map(|item| {
                    item.as_str()
                        .map(str::to_owned)
                        .or_else(|| item.as_i64().map(|n| n.to_string()))
                })
                .collect()
        });
        if list.is_none() {
            self.invalid(
                &join(field, key),
                format!("expected a list of names, got {value}"),
                "write a list such as [background, nucleus]",
            );
        }
        list
    }

    /// Refuses keys that nobody reads.
    pub(crate) fn only(&mut self, tree: &Value, field: &str, keys: &[&str]) {
        let Some(map) = tree.as_object() else { return };
        for key in map.keys() {
            if !keys.contains(&key.as_str()) {
                self.invalid(
                    &join(field, key),
                    format!("unknown key `{key}`"),
                    format!("the keys here are {}", keys.join(", ")),
                );
            }
        }
    }
}

/// The path of a field within another.
pub(crate) fn join(field: &str, key: &str) -> String {
    if field.is_empty() {
        key.to_owned()
    } else {
        format!("{field}.{key}")
    }
}
