//! Permuting the labels of whole groups within strata.

use std::collections::{BTreeMap, BTreeSet};

use transect_core::{Result, Stream};

use crate::error::{refused, same_length};
use crate::units::Units;

/// The cells that carry a label: each group on each side, with its stratum. A group with rows on both sides makes two
/// cells, which are permuted as if they were strangers: their likeness only makes the test less eager. Labels are sides
/// (`bool`) or classes.
pub(crate) struct Cells<L = bool> {
    /// Cell of each row.
    pub(crate) of_row: Vec<u32>,
    /// Label of each cell.
    pub(crate) target: Vec<L>,
    /// Rows of each cell.
    pub(crate) rows: Vec<Vec<usize>>,
    /// Group of each cell.
    pub(crate) group: Vec<u32>,
    /// Cells by stratum.
    pub(crate) strata: Vec<Vec<usize>>,
}

impl<L: Copy + Ord> Cells<L> {
    /// Cells of labelled rows.
    pub(crate) fn new(target: &[L], units: &Units) -> Result<Self> {
        same_length("target", target.len(), "units", units.rows())?;
        let mut number: BTreeMap<(u32, L), u32> = BTreeMap::new();
        let mut cells = Self {
            of_row: Vec::new(),
            target: vec![],
            rows: vec![],
            group: vec![],
            strata: vec![vec![]; units.strata()],
        };
        for (row, (&label, &group)) in target.iter().zip(&units.group_of).enumerate() {
            let known = *number.entry((group, label)).or_insert_with(|| {
                let next = cells.target.len();
                cells.strata[units.stratum_of_group[group as usize] as usize].push(next);
                cells.target.push(label);
                cells.rows.push(Vec::new());
                cells.group.push(group);
                next as u32
            });
            cells.rows[known as usize].push(row);
            cells.of_row.push(known);
        }
        Ok(cells)
    }

    /// Shuffles labels within sets of cells.
    pub(crate) fn shuffle(sets: &[Vec<usize>], observed: &[L], stream: &mut Stream, out: &mut [L]) {
        let mut labels: Vec<L> = Vec::new();
        for set in sets {
            labels.clear();
            labels.extend(set.iter().map(|&cell| observed[cell]));
            stream.shuffle(&mut labels);
            for (&cell, &label) in set.iter().zip(&labels) {
                out[cell] = label;
            }
        }
    }

    /// Folds of cells: each stratum's cells of each label are dealt out in random order, so that every fold has its share
    /// of all; the cells of a group with several labels stay together. Folds depend on labels only through their numbers.
    pub(crate) fn deal(&self, labels: &[L], folds: usize, stream: &mut Stream, out: &mut [u32]) {
        out.fill(u32::MAX);
        let mut next: BTreeMap<L, usize> = BTreeMap::new();
        for set in &self.strata {
            let mut order = set.clone();
            stream.shuffle(&mut order);
            let mut seen: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
            for &cell in &order {
                seen.entry(self.group[cell]).or_default().push(cell);
            }
            for &cell in &order {
                if out[cell] != u32::MAX {
                    continue;
                }
                let fold = (*next.entry(labels[cell]).or_default() % folds) as u32;
                for &twin in &seen[&self.group[cell]] {
                    out[twin] = fold;
                    *next.entry(labels[twin]).or_default() += 1;
                }
            }
        }
    }

    /// ln of the number of different labellings when labels are shuffled within sets.
    pub(crate) fn ln_labellings(&self, sets: &[Vec<usize>]) -> f64 {
        sets.iter()
            .map(|set| {
                let mut left = set.len();
                self.counts(set)
                    .values()
                    .map(|&n| {
                        let ways = ln_choose(left, n);
                        left -= n;
                        ways
                    })
                    .sum::<f64>()
            })
            .sum()
    }

    fn counts(&self, set: &[usize]) -> BTreeMap<L, usize> {
        let mut out = BTreeMap::new();
        for &cell in set {
            *out.entry(self.target[cell]).or_default() += 1;
        }
        out
    }

    /// The smallest p that labels shuffled within sets can give with this many permutations: 1/(1 + m), or 1 over the
    /// number of different labellings, times the number of ways to rename labels that every set holds in equal numbers,
    /// since a labelling under other names says the same (2 when every set holds as many of one side as of the other).
    pub(crate) fn smallest_p(&self, sets: &[Vec<usize>], permutations: usize) -> f64 {
        let by_set: Vec<BTreeMap<L, usize>> = sets.iter().map(|set| self.counts(set)).collect();
        let labels: BTreeSet<L> = self.target.iter().copied().collect();
        let mut alike: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        let mut renamings = 1.0;
        for label in labels {
            let profile = by_set
                .iter()
                .map(|set| set.get(&label).copied().unwrap_or(0))
                .collect();
            let seen = alike.entry(profile).or_default();
            *seen += 1;
            renamings *= *seen as f64;
        }
        (renamings * (-self.ln_labellings(sets)).exp())
            .min(1.0)
            .max(1.0 / (1 + permutations) as f64)
    }
}

impl Cells {
    /// Errors unless each side has this many cells.
    pub(crate) fn at_least(&self, least: usize) -> Result<()> {
        let targets = self.target.iter().filter(|&&t| t).count();
        let references = self.target.len() - targets;
        if targets < least || references < least {
            return Err(refused(format!(
                "{targets} target and {references} reference groups; each side needs {least}"
            )));
        }
        Ok(())
    }
}

/// ln of n over k.
pub(crate) fn ln_choose(n: usize, k: usize) -> f64 {
    (1..=k.min(n - k))
        .map(|i| ((n + 1 - i) as f64 / i as f64).ln())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_p_counts_labellings() {
        let target = [true, true, true, false, false, false];
        let units = Units::independent(6);
        let cells = Cells::new(&target, &units).unwrap();
        // Twenty labellings, mirrored: 2/20.
        assert!((cells.smallest_p(&cells.strata, 1999) - 0.1).abs() < 1e-12);
        let cells = Cells::new(&[true, true, false, false, false, false], &units).unwrap();
        assert!((cells.smallest_p(&cells.strata, 1999) - 1.0 / 15.0).abs() < 1e-12);
    }

    #[test]
    fn a_group_on_both_sides_is_two_cells() {
        let units = Units::new(4, Some(&["a", "a", "b", "c"]), None).unwrap();
        let cells = Cells::new(&[true, false, true, false], &units).unwrap();
        assert_eq!(cells.target, vec![true, false, true, false]);
        assert_eq!(cells.group, vec![0, 0, 1, 2]);
    }
}
