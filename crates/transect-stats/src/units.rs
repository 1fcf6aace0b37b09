//! What was sampled and what was fixed.

use std::collections::{BTreeMap, BTreeSet};

use transect_core::Result;

use crate::error::{refused, same_length};

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
///
/// ```
/// use transect_stats::Units;
/// let units = Units::new(4, Some(&["p1", "p1", "p2", "p3"]), None::<&[&str]>).unwrap();
/// assert_eq!(units.groups(), 3);
/// assert!((units.effective() - 16.0 / 6.0).abs() < 1e-12);
/// ```
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
        if rows == 0 {
            return Err(refused("there are no rows"));
        }
        if let Some(groups) = groups {
            same_length("rows", rows, "groups", groups.len())?;
        }
        if let Some(strata) = strata {
            same_length("rows", rows, "strata", strata.len())?;
        }
        let group_of = groups.map_or_else(|| (0..rows as u32).collect(), numbered);
        let row_strata: Vec<u32> = strata.map_or_else(|| vec![0; rows], numbered);
        Ok(Self::build(group_of, &row_strata, groups.is_some()))
    }

    /// From numbers of groups (0 … without gaps, by first row) and numbers of strata by row.
    fn build(group_of: Vec<u32>, row_strata: &[u32], grouped: bool) -> Self {
        let groups = group_of.iter().max().map_or(0, |&g| g as usize + 1);
        let mut sizes = vec![0; groups];
        let mut sets: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); groups];
        for (&group, &stratum) in group_of.iter().zip(row_strata) {
            sizes[group as usize] += 1;
            sets[group as usize].insert(stratum);
        }
        let mut members: BTreeMap<&BTreeSet<u32>, Vec<usize>> = BTreeMap::new();
        for (group, set) in sets.iter().enumerate() {
            members.entry(set).or_default().push(group);
        }
        let (mut strata, single): (Vec<Vec<usize>>, Vec<Vec<usize>>) =
            members.into_values().partition(|groups| groups.len() > 1);
        let mut left: Vec<usize> = single.into_iter().flatten().collect();
        if left.len() == 1
            && let Some(smallest) = strata.iter_mut().min_by_key(|groups| groups.len())
        {
            smallest.append(&mut left);
        }
        if !left.is_empty() {
            strata.push(left);
        }
        let mut stratum_of_group = vec![0; groups];
        for (stratum, groups) in strata.iter().enumerate() {
            for &group in groups {
                stratum_of_group[group] = stratum as u32;
            }
        }
        Self {
            group_of,
            sizes,
            stratum_of_group,
            strata: strata.len(),
            grouped,
        }
    }

    /// The units of some rows, in that order; what was grouped stays grouped, strata are merged anew.
    ///
    /// # Panics
    /// When an index is out of range.
    #[must_use]
    pub fn subset(&self, rows: &[usize]) -> Self {
        let labels: Vec<u32> = rows.iter().map(|&row| self.group_of[row]).collect();
        let strata: Vec<u32> = labels
            .iter()
            .map(|&group| self.stratum_of_group[group as usize])
            .collect();
        Self::build(numbered(&labels), &strata, self.grouped)
    }

    /// The same rows and strata, each row its own group.
    pub(crate) fn by_row(&self) -> Self {
        let strata: Vec<u32> = self
            .group_of
            .iter()
            .map(|&group| self.stratum_of_group[group as usize])
            .collect();
        Self::build((0..self.rows() as u32).collect(), &strata, false)
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

    /// Groups by stratum.
    pub(crate) fn groups_by_stratum(&self) -> Vec<Vec<usize>> {
        let mut out = vec![Vec::new(); self.strata];
        for (group, &stratum) in self.stratum_of_group.iter().enumerate() {
            out[stratum as usize].push(group);
        }
        out
    }

    /// Rows by group.
    pub(crate) fn rows_by_group(&self) -> Vec<Vec<usize>> {
        let mut out: Vec<Vec<usize>> = self.sizes.iter().map(|&m| Vec::with_capacity(m)).collect();
        for (row, &group) in self.group_of.iter().enumerate() {
            out[group as usize].push(row);
        }
        out
    }

    /// `groups` or `images`, for a reader.
    pub(crate) fn noun(&self) -> &'static str {
        if self.grouped { "groups" } else { "images" }
    }
}

/// Numbers for labels, in the order of first appearance.
fn numbered<L: Ord>(labels: &[L]) -> Vec<u32> {
    let mut known: BTreeMap<&L, u32> = BTreeMap::new();
    labels
        .iter()
        .map(|label| {
            let next = known.len() as u32;
            *known.entry(label).or_insert(next)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effective_groups_has_its_closed_form() {
        assert_eq!(effective_groups(&[5, 5, 5, 5]), 4.0);
        assert!((effective_groups(&[10, 1, 1]) - 144.0 / 102.0).abs() < 1e-12);
        assert_eq!(effective_groups(&[]), 0.0);
    }

    #[test]
    fn strata_of_one_group_are_merged() {
        let units = Units::new(
            6,
            Some(&["a", "b", "c", "d", "e", "e"]),
            Some(&["x", "x", "y", "z", "x", "y"]),
        )
        .unwrap();
        // a, b in x; c alone in y; d alone in z; e in {x, y}: three single strata become one.
        assert_eq!(units.strata(), 2);
        assert_eq!(units.stratum_of_group[0], units.stratum_of_group[1]);
        assert_eq!(units.stratum_of_group[2], units.stratum_of_group[3]);
        assert_eq!(units.stratum_of_group[2], units.stratum_of_group[4]);
        let one_over = Units::new(3, None, Some(&["x", "x", "y"])).unwrap();
        assert_eq!(one_over.strata(), 1);
    }

    #[test]
    fn a_subset_keeps_groups_together() {
        let units = Units::new(5, Some(&[3, 1, 3, 2, 1]), None).unwrap();
        assert_eq!(units.group_of(), &[0, 1, 0, 2, 1]);
        let part = units.subset(&[4, 2, 0, 1]);
        assert_eq!(part.group_of(), &[0, 1, 1, 0]);
        assert!(part.grouped());
    }

    #[test]
    fn no_rows_and_wrong_lengths_are_refused() {
        assert_eq!(Units::new::<u8>(0, None, None).unwrap_err().code.id, "T701");
        assert_eq!(Units::new(2, Some(&[1]), None).unwrap_err().code.id, "T701");
    }
}
