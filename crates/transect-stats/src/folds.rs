//! Folds of whole groups, with folds inside folds.

use transect_core::{Result, Stream};

use crate::error::{finite, refused, same_length};
use crate::interval::Settings;
use crate::rank::mid_ranks;
use crate::units::Units;

/// Outer folds.
const OUTER: usize = 5;
/// Folds inside the training rows of each outer fold.
const INNER: usize = 4;
/// Parts of the range of a value that folds share alike.
const PARTS: f64 = 5.0;

/// Five outer folds of whole groups, and within the training rows of each, four inner folds for choices. Make them once
/// and give them to every probe that is compared: then all see the same splits.
#[derive(Debug, Clone, PartialEq)]
pub struct Folds {
    outer: Vec<u32>,
    inner: Vec<Vec<u32>>,
}

impl Folds {
    /// Folds that share the classes as alike as whole groups allow: groups in random order, the largest first, each to
    /// the fold where the sum over classes of (rows of the class in the fold / rows of the class)² grows least.
    /// `labels[i]` in `0..classes`; classes without a row are allowed.
    ///
    /// # Errors
    /// `T701` when lengths differ, a label is not under `classes`, fewer than two classes have rows, a class lies in a
    /// single group (it cannot be learned from some groups and tested on others), or there are fewer than five groups.
    /// Each says so in words for a reader.
    pub fn of_classes(
        labels: &[u32],
        classes: usize,
        units: &Units,
        settings: &Settings,
    ) -> Result<Self> {
        same_length("labels", labels.len(), "units", units.rows())?;
        check_labels(labels, classes)?;
        let mut groups_of = vec![std::collections::BTreeSet::new(); classes];
        for (&label, &group) in labels.iter().zip(&units.group_of) {
            groups_of[label as usize].insert(group);
        }
        if groups_of.iter().filter(|set| !set.is_empty()).count() < 2 {
            return Err(refused("there is one class only"));
        }
        if let Some(class) = groups_of.iter().position(|set| set.len() == 1) {
            return Err(refused(format!(
                "class {class} lies in a single {}: it cannot be learned from some and tested on others",
                units.noun().trim_end_matches('s')
            )));
        }
        Self::nested(labels, classes, units, settings)
    }

    /// Folds that share a value's range alike: stratified by fifths of its ranks, as [`Folds::of_classes`].
    ///
    /// # Errors
    /// `T701` when lengths differ, a value is not finite, all are equal, or there are fewer than five groups.
    pub fn of_values(values: &[f64], units: &Units, settings: &Settings) -> Result<Self> {
        finite("values", values)?;
        same_length("values", values.len(), "units", units.rows())?;
        if values.iter().all(|&v| v == values[0]) {
            return Err(refused("all values are equal"));
        }
        let n = values.len() as f64;
        let fifths: Vec<u32> = mid_ranks(values)
            .iter()
            .map(|rank| (PARTS * (rank - 0.5) / n) as u32)
            .collect();
        Self::nested(&fifths, PARTS as usize, units, settings)
    }

    /// Folds given by hand: the outer fold of each row, numbered from 0, and for each outer fold the inner fold of each
    /// row, numbered from 0 (what stands at rows of the outer fold itself plays no part).
    ///
    /// # Errors
    /// `T701` for fewer than two outer folds, a number without rows, or lengths that do not fit.
    pub fn given(outer: Vec<u32>, inner: Vec<Vec<u32>>) -> Result<Self> {
        let count = |folds: &[u32]| folds.iter().max().map_or(0, |&f| f as usize + 1);
        let outer_folds = count(&outer);
        if outer_folds < 2 || inner.len() != outer_folds {
            return Err(refused(format!(
                "{outer_folds} outer folds and {} lists of inner ones",
                inner.len()
            )));
        }
        for (fold, of) in inner.iter().enumerate() {
            same_length("outer folds", outer.len(), "inner folds", of.len())?;
            if !outer.contains(&(fold as u32)) {
                return Err(refused(format!("outer fold {fold} has no rows")));
            }
        }
        Ok(Self { outer, inner })
    }

    fn nested(labels: &[u32], classes: usize, units: &Units, settings: &Settings) -> Result<Self> {
        if units.groups() < OUTER {
            return Err(refused(format!(
                "{} {}; {OUTER} folds need as many",
                units.groups(),
                units.noun()
            )));
        }
        let mut stream = Stream::new(settings.seed, "stats/folds", &[settings.key.as_bytes()]);
        let outer = deal(labels, classes, &units.group_of, OUTER, &mut stream);
        let inner = (0..OUTER as u32)
            .map(|fold| {
                let rows: Vec<usize> = (0..labels.len()).filter(|&r| outer[r] != fold).collect();
                let of: Vec<u32> = rows.iter().map(|&r| labels[r]).collect();
                let groups: Vec<u32> = rows.iter().map(|&r| units.group_of[r]).collect();
                let dealt = deal(&of, classes, &groups, INNER, &mut stream);
                let mut all = vec![0; labels.len()];
                for (&row, fold) in rows.iter().zip(dealt) {
                    all[row] = fold;
                }
                all
            })
            .collect();
        Ok(Self { outer, inner })
    }

    /// The outer fold of each row, from 0.
    pub fn outer(&self) -> &[u32] {
        &self.outer
    }

    /// For each outer fold, the inner fold of each row, from 0; what stands at rows of the outer fold itself means nothing.
    pub fn inner(&self) -> &[Vec<u32>] {
        &self.inner
    }

    /// Number of outer folds.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Never: there are at least two folds.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Rows to learn from and rows to test on, for each outer fold.
    pub(crate) fn splits(&self) -> Vec<(Vec<usize>, Vec<usize>)> {
        (0..self.len() as u32)
            .map(|fold| (0..self.outer.len()).partition(|&row| self.outer[row] != fold))
            .collect()
    }

    /// The same within the training rows of an outer fold.
    pub(crate) fn inner_splits(&self, fold: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
        let rows: Vec<usize> = (0..self.outer.len())
            .filter(|&row| self.outer[row] as usize != fold)
            .collect();
        let of = &self.inner[fold];
        let folds = rows.iter().map(|&row| of[row] + 1).max().unwrap_or(0);
        (0..folds)
            .map(|inner| rows.iter().partition(|&&row| of[row] != inner))
            .filter(|(train, test): &(Vec<usize>, Vec<usize>)| {
                !train.is_empty() && !test.is_empty()
            })
            .collect()
    }
}

/// Errors unless every label is under `classes`.
pub(crate) fn check_labels(labels: &[u32], classes: usize) -> Result<()> {
    if labels.is_empty() {
        return Err(refused("there are no labels"));
    }
    match labels.iter().position(|&label| label as usize >= classes) {
        Some(row) => Err(refused(format!(
            "row {row} is of class {}, of {classes}",
            labels[row]
        ))),
        None => Ok(()),
    }
}

/// Deals whole groups to folds. The fold of each row.
fn deal(
    labels: &[u32],
    classes: usize,
    group_of: &[u32],
    folds: usize,
    stream: &mut Stream,
) -> Vec<u32> {
    let mut totals = vec![0.0_f64; classes];
    let mut counts: std::collections::BTreeMap<u32, std::collections::BTreeMap<usize, f64>> =
        std::collections::BTreeMap::new();
    for (&label, &group) in labels.iter().zip(group_of) {
        totals[label as usize] += 1.0;
        *counts
            .entry(group)
            .or_default()
            .entry(label as usize)
            .or_default() += 1.0;
    }
    let size = |counts: &std::collections::BTreeMap<usize, f64>| counts.values().sum::<f64>();
    let mut order: Vec<u32> = counts.keys().copied().collect();
    stream.shuffle(&mut order);
    // Stable: equal sizes stay in random order.
    order.sort_by(|a, b| size(&counts[b]).total_cmp(&size(&counts[a])));
    let mut held = vec![vec![0.0; classes]; folds];
    let mut sizes = vec![0.0_f64; folds];
    let mut fold_of_group = std::collections::BTreeMap::new();
    for group in order {
        let own = &counts[&group];
        let growth = |fold: usize| -> f64 {
            own.iter()
                .map(|(&class, &m)| m * (2.0 * held[fold][class] + m) / totals[class].powi(2))
                .sum()
        };
        let best = (0..folds)
            .min_by(|&a, &b| {
                growth(a)
                    .total_cmp(&growth(b))
                    .then(sizes[a].total_cmp(&sizes[b]))
            })
            .unwrap_or(0);
        for (&class, &m) in own {
            held[best][class] += m;
        }
        sizes[best] += size(own);
        fold_of_group.insert(group, best as u32);
    }
    group_of.iter().map(|group| fold_of_group[group]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_hold_whole_groups_and_share_classes() {
        let n = 120;
        let groups: Vec<usize> = (0..n).map(|i| i / 4).collect();
        let labels: Vec<u32> = groups.iter().map(|g| u32::from(g % 3 == 0)).collect();
        let units = Units::new(n, Some(&groups), None).unwrap();
        let folds = Folds::of_classes(&labels, 2, &units, &Settings::new(1, "f")).unwrap();
        for fold in 0..5 {
            let of: Vec<usize> = (0..n).filter(|&r| folds.outer()[r] == fold).collect();
            assert_eq!(of.iter().filter(|&&r| labels[r] == 1).count(), 8, "{fold}");
            assert_eq!(of.len(), 24);
            for &row in &of {
                assert_eq!(folds.outer()[row - row % 4], fold);
            }
        }
        for fold in 0..5 {
            let splits = folds.inner_splits(fold);
            assert_eq!(splits.len(), 4);
            for (train, test) in &splits {
                assert_eq!(train.len() + test.len(), 96);
                assert!(
                    test.iter()
                        .all(|r| train.iter().all(|t| groups[*t] != groups[*r]))
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_learned_and_tested_is_said() {
        let settings = Settings::new(1, "f");
        let units = Units::new(12, Some(&[0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]), None).unwrap();
        let said = |labels: &[u32], units: &Units| {
            Folds::of_classes(labels, 2, units, &settings)
                .unwrap_err()
                .to_string()
        };
        assert!(said(&[1; 12], &units).contains("one class only"));
        let mut one = [0; 12];
        one[0] = 1;
        one[1] = 1;
        assert!(said(&one, &units).contains("single group"));
        let few = Units::new(4, Some(&[0, 1, 2, 3]), None).unwrap();
        assert!(said(&[0, 0, 1, 1], &few).contains("5 folds"));
        assert!(Folds::of_values(&[2.0; 12], &units, &settings).is_err());
        assert!(Folds::of_classes(&[2; 12], 2, &units, &settings).is_err());
    }
}
