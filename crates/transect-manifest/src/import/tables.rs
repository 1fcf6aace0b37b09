//! Tables beside annotations: CSV and JSON lines with known columns.

use std::path::Path;

use transect_core::codes::manifest as codes;
use transect_core::{Error, Errors};

use crate::bounded;
use crate::table::{Syntax, Table};

/// A table that was read, and where.
pub(super) struct Known {
    table: Table,
}

impl Known {
    /// Reads a table that must have these columns.
    pub(super) fn read(path: &Path, needed: &[&str], most: u64) -> Result<Self, Errors> {
        let bytes = bounded::read(path, most)?;
        let name = path.to_string_lossy();
        let table = Table::parse(&bytes, Syntax::of_name(&name), &name)?;
        let missing: Vec<&str> = needed
            .iter()
            .copied()
            .filter(|n| table.column(n).is_none())
            .collect();
        if !missing.is_empty() {
            return Err(Error::new(
                &codes::ANNOTATIONS,
                format!("the table has no column `{}`", missing.join("`, `")),
            )
            .at(path)
            .note(format!("columns here: {}", table.headers.join(", ")))
            .into());
        }
        Ok(Self { table })
    }

    /// Line and cells of each row.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.table.rows.iter().map(|(line, cells)| Row {
            table: &self.table,
            line: *line,
            cells,
        })
    }

    /// Names of the columns.
    pub(super) fn headers(&self) -> &[String] {
        &self.table.headers
    }
}

/// A row of a table.
pub(super) struct Row<'a> {
    table: &'a Table,
    pub(super) line: u32,
    cells: &'a csv::StringRecord,
}

impl<'a> Row<'a> {
    /// The cell in a column; empty where there is no such column.
    pub(super) fn get(&self, column: &str) -> &'a str {
        self.table
            .column(column)
            .and_then(|c| self.cells.get(c))
            .unwrap_or_default()
    }
}
