//! Predicates that part the images: values of columns, bounds of attributes.

use std::collections::{BTreeMap, BTreeSet};

use transect_core::attribute::ATTRIBUTES;
use transect_stats::quantiles;

use crate::attributes::{OF_TRUTH, column};
use crate::study::Study;
use crate::words;

/// Most values of a column for it to name subgroups.
pub const MOST_VALUES: usize = 8;
/// Fewest rows of a subgroup, and of the rest.
pub const FEWEST_ROWS: usize = 20;
/// Share of the rows that must have an attribute.
const PRESENT: f64 = 0.8;

/// A predicate on images, in words, and which of the rows it holds for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// What it asks of: a column or an attribute. Two of one question are never put together.
    pub(super) about: String,
    /// `stain is H&E`, `background above 0.4`.
    pub(super) words: String,
    /// The same for SQL over `items.parquet` as `i`.
    pub(super) sql: String,
    /// Whether it rests on the truth.
    pub(super) of_truth: bool,
    /// For each row.
    pub(super) inside: Vec<bool>,
}

impl Part {
    /// Number of rows inside.
    pub(super) fn size(&self) -> usize {
        self.inside.iter().filter(|&&i| i).count()
    }

    /// Whether there are rows enough on both sides, of at least `least` rows.
    pub(super) fn is_large(&self, least: usize) -> bool {
        let n = self.size();
        n >= least && self.inside.len() - n >= least
    }

    /// Both at once.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self {
            about: format!("{} and {}", self.about, other.about),
            words: format!("{} and {}", self.words, other.words),
            sql: format!("{} AND {}", self.sql, other.sql),
            of_truth: self.of_truth || other.of_truth,
            inside: self
                .inside
                .iter()
                .zip(&other.inside)
                .map(|(a, b)| *a && *b)
                .collect(),
        }
    }
}

/// Parts by the values of the manifest's columns: the domain, the stratum and every other column with two to eight values, each
/// of at least `least` rows; columns that are nearly unique name nobody and are left out.
pub(super) fn of_columns(study: &Study<'_>, rows: &[usize], least: usize) -> Vec<Part> {
    let items = study.tables.items();
    let mut columns: BTreeMap<&str, (String, Vec<Option<&str>>)> = BTreeMap::new();
    let context = study.context;
    if let Some(name) = &context.domain {
        let values = rows.iter().map(|&i| items[i].item.domain.as_deref());
        columns.insert(name, ("i.domain".to_owned(), values.collect()));
    }
    if let Some(name) = &context.stratum {
        let values = rows.iter().map(|&i| items[i].item.stratum.as_deref());
        columns.insert(name, ("i.stratum".to_owned(), values.collect()));
    }
    let named: BTreeSet<&String> = rows
        .iter()
        .flat_map(|&i| items[i].item.columns.keys())
        .filter(|name| context.group.as_ref() != Some(name))
        .collect();
    for name in named {
        let values = rows
            .iter()
            .map(|&i| items[i].item.columns.get(name).map(String::as_str));
        columns
            .entry(name)
            .or_insert_with(|| (format!("i.\"col_{name}\""), values.collect()));
    }
    let mut parts = Vec::new();
    for (name, (sql, values)) in columns {
        let present: BTreeSet<&str> = values
            .iter()
            .copied()
            .flatten()
            .filter(|v| !v.trim().is_empty())
            .collect();
        if present.len() < 2 || present.len() > MOST_VALUES || says_the_class(study, rows, &values)
        {
            continue;
        }
        for value in present {
            let part = Part {
                about: name.to_owned(),
                words: format!("{name} is {value}"),
                sql: format!("{sql} = {}", words::quoted(value)),
                of_truth: false,
                inside: values.iter().map(|v| *v == Some(value)).collect(),
            };
            if part.is_large(least) {
                parts.push(part);
            }
        }
    }
    parts
}

/// Whether a column has one value for each true class: it is the truth in other words, and parts nothing but classes.
fn says_the_class(study: &Study<'_>, rows: &[usize], values: &[Option<&str>]) -> bool {
    let mut of_class: BTreeMap<u32, Option<&str>> = BTreeMap::new();
    let mut known = 0;
    for (&row, value) in rows.iter().zip(values) {
        let Some(class) = study.rows[row].truth_class else {
            continue;
        };
        known += 1;
        if *of_class.entry(class).or_insert(*value) != *value {
            return false;
        }
    }
    known > 0 && of_class.len() > 1
}

/// Attributes of some rows that vary and that most of them have: place in [`ATTRIBUTES`], value by row.
fn attributes(study: &Study<'_>, rows: &[usize]) -> Vec<(usize, Vec<Option<f64>>)> {
    (0..ATTRIBUTES.len())
        .filter_map(|a| {
            let values = column(study, rows, a);
            let present: Vec<f64> = values.iter().copied().flatten().collect();
            let varies = present.iter().any(|v| *v != present[0]);
            (varies && present.len() as f64 >= PRESENT * rows.len() as f64).then_some((a, values))
        })
        .collect()
}

/// Parts by bounds of attributes: under or above the given quantiles. Bounds come from `fit` (positions in `rows`), so that
/// what is found on some rows is the same predicate on others.
pub(super) fn of_attributes(
    study: &Study<'_>,
    rows: &[usize],
    fit: &[usize],
    at: &[f64],
    least: usize,
    outer_only: bool,
) -> Vec<Part> {
    let mut parts = Vec::new();
    for (a, values) in attributes(study, rows) {
        let known: Vec<f64> = fit.iter().filter_map(|&f| values[f]).collect();
        let Ok(bounds) = quantiles(&known, at) else {
            continue;
        };
        let attribute = &ATTRIBUTES[a];
        let unit = words::unit(attribute.unit);
        let mut add = |sign: &str, bound: f64, holds: &dyn Fn(f64) -> bool| {
            let part = Part {
                about: attribute.name.to_owned(),
                words: format!(
                    "{} {} {}{unit}",
                    attribute.words,
                    if sign == ">" { "above" } else { "at most" },
                    words::number(bound)
                ),
                sql: format!("i.attr_{} {sign} {bound}", attribute.name),
                of_truth: OF_TRUTH.contains(&attribute.name),
                inside: values.iter().map(|v| v.is_some_and(holds)).collect(),
            };
            if part.is_large(least) {
                parts.push(part);
            }
        };
        for (place, &bound) in bounds.iter().enumerate() {
            if !outer_only || place == 0 {
                add("<=", bound, &|v| v <= bound);
            }
            if !outer_only || place + 1 == bounds.len() {
                add(">", bound, &|v| v > bound);
            }
        }
        if outer_only && bounds.len() == 2 {
            let part = Part {
                about: attribute.name.to_owned(),
                words: format!(
                    "{} above {} and at most {}{unit}",
                    attribute.words,
                    words::number(bounds[0]),
                    words::number(bounds[1])
                ),
                sql: format!(
                    "i.attr_{0} > {1} AND i.attr_{0} <= {2}",
                    attribute.name, bounds[0], bounds[1]
                ),
                of_truth: OF_TRUTH.contains(&attribute.name),
                inside: values
                    .iter()
                    .map(|v| v.is_some_and(|v| v > bounds[0] && v <= bounds[1]))
                    .collect(),
            };
            if part.is_large(least) {
                parts.push(part);
            }
        }
    }
    parts
}
