//! Label images.

use crate::codes;
use crate::error::{Error, Result};

/// A label image: one unsigned integer for each pixel, row by row. 0 is background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelImage {
    rows: usize,
    columns: usize,
    labels: Vec<u32>,
}

impl LabelImage {
    /// A label image from its labels, row by row.
    ///
    /// # Errors
    /// `T102` when a dimension is 0 or the number of labels is not their product.
    pub fn new(rows: usize, columns: usize, labels: Vec<u32>) -> Result<Self> {
        if rows.checked_mul(columns) != Some(labels.len()) || labels.is_empty() {
            return Err(Error::new(
                &codes::image::IMAGE_SHAPE,
                format!(
                    "a label image of {rows} rows and {columns} columns cannot hold {} labels",
                    labels.len()
                ),
            ));
        }
        Ok(Self {
            rows,
            columns,
            labels,
        })
    }

    /// Height in pixels.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Width in pixels.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The labels, row by row.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The labels, to be changed.
    pub fn labels_mut(&mut self) -> &mut [u32] {
        &mut self.labels
    }
}
