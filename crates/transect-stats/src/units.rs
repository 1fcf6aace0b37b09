//! What was sampled and what was fixed.

use transect_core::Result;

use crate::error::refused;

/// Effective number of groups, (Σm)²/Σm² over the groups' sizes m: their number when they are of one size, fewer when a
/// few groups hold most images. 0 when there is none.
pub fn effective_groups(sizes: &[usize]) -> f64 {
    let sum: f64 = sizes.iter().map(|&m| m as f64).sum();
    let squares: f64 = sizes.iter().map(|&m| (m as f64).powi(2)).sum();
    if squares > 0.0 {
        sum * sum / squares
    } else {
        0.0
    }
}

/// The units of inference over n rows: the **group** of each row is what was sampled (patient, plate, slide) and what
/// intervals resample; the **stratum** is what was fixed (modality) and is resampled within, never over.
#[derive(Debug, Clone, PartialEq)]
pub struct Units {
    pub(crate) group_of: Vec<u32>,
    pub(crate) sizes: Vec<usize>,
    pub(crate) stratum_of_group: Vec<u32>,
    pub(crate) strata: usize,
    pub(crate) grouped: bool,
}

impl Units {
    /// Rows that are each their own group, in one stratum ("images assumed independent").
    pub fn independent(rows: usize) -> Self {
        Self {
            group_of: (0..rows as u32).collect(),
            sizes: vec![1; rows],
            stratum_of_group: vec![0; rows],
            strata: usize::from(rows > 0),
            grouped: false,
        }
    }

    /// Units from labels. `groups`: the label of each row's group, `None` when every row is its own. `strata`: the label of
    /// each row's stratum, `None` when there is one. A group with rows in several strata is one unit; its stratum is the
    /// set of them. Strata of a single group cannot be resampled within: they are merged into one (if only one is left
    /// over, into the smallest other), which widens intervals.
    ///
    /// Groups are numbered in the order of their first row.
    ///
    /// # Errors
    /// `T701` when there is no row, or a list is not `rows` long.
    pub fn new<L: Ord>(rows: usize, groups: Option<&[L]>, strata: Option<&[L]>) -> Result<Self> {
        let _ = (rows, groups, strata);
        Err(refused("not yet"))
    }

    /// The units of some rows, in that order; what was grouped stays grouped.
    ///
    /// # Panics
    /// When an index is out of range.
    #[must_use]
    pub fn subset(&self, rows: &[usize]) -> Self {
        let _ = rows;
        self.clone()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.group_of.len()
    }

    /// Number of groups.
    pub fn groups(&self) -> usize {
        self.sizes.len()
    }

    /// Number of strata after merging.
    pub fn strata(&self) -> usize {
        self.strata
    }

    /// Whether groups were given; if not, say "images assumed independent".
    pub fn grouped(&self) -> bool {
        self.grouped
    }

    /// Effective number of groups, (Σm)²/Σm².
    pub fn effective(&self) -> f64 {
        effective_groups(&self.sizes)
    }

    /// The group of each row, from 0.
    pub fn group_of(&self) -> &[u32] {
        &self.group_of
    }
}
