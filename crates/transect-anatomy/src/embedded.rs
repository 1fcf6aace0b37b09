//! Embeddings of models and features of images, by row.

use std::collections::BTreeMap;

use transect_core::Result;
use transect_stats::Matrix;

use crate::study::Study;

/// The name under which the tables hold what images say without any model; its layers are families of features.
pub(crate) const FEATURES: &str = "features";

/// Vectors of some images, all of one length. A number that is not finite is missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Embedded {
    by_row: BTreeMap<usize, Vec<f32>>,
    width: usize,
}

impl Embedded {
    /// Vectors of a model's layer under one view; of a row with several the first. `None` where there is none.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub(crate) fn read(
        study: &Study<'_>,
        model: &str,
        layer: &str,
        view_id: &str,
    ) -> Result<Option<Self>> {
        let mut made = Self::default();
        study.tables.scan_embeddings(model, layer, &mut |e| {
            if made.width == 0 {
                made.width = e.values.len();
            }
            if e.view_id == view_id && e.values.len() == made.width && made.width > 0 {
                made.by_row
                    .entry(e.row as usize)
                    .or_insert_with(|| e.values.clone());
            }
            Ok(())
        })?;
        Ok((!made.by_row.is_empty()).then_some(made))
    }

    /// A family of features of the images themselves.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub(crate) fn family(study: &Study<'_>, family: &str) -> Result<Option<Self>> {
        Self::read(study, FEATURES, family, "identity")
    }

    /// Numbers of a vector.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Whether the row has a vector.
    pub(crate) fn has(&self, row: usize) -> bool {
        self.by_row.contains_key(&row)
    }

    /// The vector of a row.
    pub(crate) fn row(&self, row: usize) -> Option<&[f32]> {
        self.by_row.get(&row).map(Vec::as_slice)
    }

    /// The same of rows that are chosen.
    pub(crate) fn rows_among(&self, rows: &[usize]) -> Vec<usize> {
        rows.iter().copied().filter(|&row| self.has(row)).collect()
    }
}

/// Several tables side by side for some rows, all of which every table has. A missing number becomes the median of its
/// column; columns without any number, or with one number only, are left out. The second result is the place of each column
/// left among all columns. `None` where no column varies.
///
/// # Errors
/// When a row is not there.
pub(crate) fn side_by_side(
    tables: &[&Embedded],
    rows: &[usize],
) -> Result<Option<(Matrix, Vec<usize>)>> {
    let mut columns: Vec<Vec<Option<f64>>> = Vec::new();
    for table in tables {
        for j in 0..table.width {
            columns.push(
                rows.iter()
                    .map(|&row| {
                        table
                            .row(row)
                            .and_then(|v| v.get(j))
                            .map(|&v| f64::from(v))
                            .filter(|v| v.is_finite())
                    })
                    .collect(),
            );
        }
    }
    let varies = columns.iter().any(|column| {
        let mut present = column.iter().flatten();
        present
            .next()
            .is_some_and(|first| present.any(|v| v != first))
    });
    if rows.is_empty() || !varies {
        return Ok(None);
    }
    Matrix::from_columns(&columns).map(Some)
}

/// The layer whose embeddings are compared: the one from which the model can be run on, else the first by name.
pub(crate) fn layer(study: &Study<'_>) -> Option<String> {
    let layers = study.tables.embedding_layers(study.model.as_deref()?);
    let head = study.context.head_layer.as_ref();
    head.filter(|h| layers.contains(h))
        .or(layers.first())
        .cloned()
}
