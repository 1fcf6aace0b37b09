//! Errors that concern several rows: all are counted, the first are shown.

use transect_core::{Code, Error};

/// How many rows an error shows.
const SHOWN: usize = 20;

/// Rows that something is wrong with.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    first: usize,
    shown: Vec<String>,
    count: usize,
}

impl Lines {
    /// A row, by its one-based line, and what to say of it.
    pub(crate) fn push(&mut self, line: impl TryInto<usize>, what: String) {
        if self.count == 0 {
            self.first = line.try_into().unwrap_or(0);
        }
        if self.shown.len() < SHOWN {
            self.shown.push(what);
        }
        self.count += 1;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The error, at the first line, with a note for each row shown.
    pub(crate) fn into_error(self, code: &'static Code, message: impl Into<String>) -> Error {
        let mut error = Error::new(code, message).line(self.first);
        let more = self.count - self.shown.len();
        for note in self.shown {
            error = error.note(note);
        }
        if more > 0 {
            error = error.note(format!("and {more} more"));
        }
        error
    }
}

/// `1 row`, `2 rows`.
pub(crate) fn count(n: usize, one: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {one}s")
    }
}
