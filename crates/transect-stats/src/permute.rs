//! Permuting the labels of whole groups within strata.

use transect_core::{Result, Stream};

use crate::error::{refused, same_length};
use crate::units::Units;

/// The cells that carry a label: each group on each side, with its stratum. A group with rows on both sides makes two
/// cells, which are permuted as if they were strangers: their likeness only makes the test less eager.
pub(crate) struct Cells {
    /// Cell of each row.
    pub(crate) of_row: Vec<u32>,
    /// Label of each cell.
    pub(crate) target: Vec<bool>,
    /// Rows of each cell.
    pub(crate) rows: Vec<Vec<usize>>,
    /// Group of each cell.
    pub(crate) group: Vec<u32>,
    /// Cells by stratum.
    pub(crate) strata: Vec<Vec<usize>>,
}

impl Cells {
    /// Cells of labelled rows.
    pub(crate) fn new(target: &[bool], units: &Units) -> Result<Self> {
        same_length("target", target.len(), "units", units.rows())?;
        let mut number = vec![[u32::MAX; 2]; units.groups()];
        let mut cells = Self {
            of_row: Vec::new(),
            target: vec![],
            rows: vec![],
            group: vec![],
            strata: vec![vec![]; units.strata()],
        };
        for (row, (&label, &group)) in target.iter().zip(&units.group_of).enumerate() {
            let known = &mut number[group as usize][usize::from(label)];
            if *known == u32::MAX {
                *known = cells.target.len() as u32;
                cells.strata[units.stratum_of_group[group as usize] as usize]
                    .push(cells.target.len());
                cells.target.push(label);
                cells.rows.push(Vec::new());
                cells.group.push(group);
            }
            cells.rows[*known as usize].push(row);
            cells.of_row.push(*known);
        }
        Ok(cells)
    }

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

    /// Shuffles labels within sets of cells.
    pub(crate) fn shuffle(
        sets: &[Vec<usize>],
        observed: &[bool],
        stream: &mut Stream,
        out: &mut [bool],
    ) {
        let mut labels: Vec<bool> = Vec::new();
        for set in sets {
            labels.clear();
            labels.extend(set.iter().map(|&cell| observed[cell]));
            stream.shuffle(&mut labels);
            for (&cell, &label) in set.iter().zip(&labels) {
                out[cell] = label;
            }
        }
    }

    /// The smallest p that labels shuffled within sets can give with this many permutations: 1/(1 + m), or 1 over the
    /// number of different labellings; 2 over it when every set holds as many of one side as of the other, since then
    /// the mirror image says the same.
    pub(crate) fn smallest_p(&self, sets: &[Vec<usize>], permutations: usize) -> f64 {
        let mut labellings = 0.0;
        let mut mirrored = true;
        for set in sets {
            let targets = set.iter().filter(|&&cell| self.target[cell]).count();
            mirrored &= 2 * targets == set.len();
            labellings += ln_choose(set.len(), targets);
        }
        let by_labels = (if mirrored { 2.0 } else { 1.0 }) * (-labellings).exp();
        by_labels.min(1.0).max(1.0 / (1 + permutations) as f64)
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
