//! A table of numbers.

use transect_core::Result;

use crate::error::refused;

/// Numbers in rows and columns, row after row. Every number is finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    data: Vec<f64>,
}

impl Matrix {
    /// From row-major data.
    ///
    /// # Errors
    /// `T701` when `data` is not `rows × columns` long, has no column, or holds a number that is not finite.
    pub fn new(rows: usize, columns: usize, data: Vec<f64>) -> Result<Self> {
        if columns == 0 || rows.checked_mul(columns) != Some(data.len()) {
            return Err(refused(format!(
                "{} numbers are not {rows} rows of {columns}",
                data.len()
            )));
        }
        if let Some(i) = data.iter().position(|v| !v.is_finite()) {
            return Err(refused(format!(
                "row {}, column {} is {}",
                i / columns,
                i % columns,
                data[i]
            )));
        }
        Ok(Self {
            rows,
            columns,
            data,
        })
    }

    /// From columns with missing values (attributes of images): a missing value becomes the median of its column over all
    /// rows, so that absence itself tells the samples apart in no test. Columns without any value, or with one value
    /// only, are dropped; the second result is the indices of the columns kept.
    ///
    /// # Errors
    /// `T701` for no columns, columns of different lengths, a value that is not finite, or when no column is kept.
    pub fn from_columns(columns: &[Vec<Option<f64>>]) -> Result<(Self, Vec<usize>)> {
        let rows = columns.first().map_or(0, Vec::len);
        if rows == 0 {
            return Err(refused("no column, or no row"));
        }
        let mut kept = Vec::new();
        let mut filled: Vec<Vec<f64>> = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            if column.len() != rows {
                return Err(refused(format!(
                    "column {index} has {} rows, not {rows}",
                    column.len()
                )));
            }
            let present: Vec<f64> = column.iter().copied().flatten().collect();
            if let Some(v) = present.iter().find(|v| !v.is_finite()) {
                return Err(refused(format!("column {index} holds {v}")));
            }
            let Some(&first) = present.first() else {
                continue;
            };
            if present.iter().all(|&v| v == first) {
                continue;
            }
            let centre = crate::median(&present)?;
            filled.push(column.iter().map(|v| v.unwrap_or(centre)).collect());
            kept.push(index);
        }
        if kept.is_empty() {
            return Err(refused("no column varies"));
        }
        let mut data = Vec::with_capacity(rows * kept.len());
        for row in 0..rows {
            data.extend(filled.iter().map(|column| column[row]));
        }
        Ok((
            Self {
                rows,
                columns: kept.len(),
                data,
            },
            kept,
        ))
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// One row.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.data[row * self.columns..(row + 1) * self.columns]
    }

    /// All numbers, row after row.
    pub fn data(&self) -> &[f64] {
        &self.data
    }
}
