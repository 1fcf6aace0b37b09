//! What bioimageio.core makes of a description, where that is not what the specification says.
//!
//! Seen in version 0.11.0, by running it (`golden/rdf_core`):
//!
//! - every statistic is taken from the raw tensor, before the first operation, and none from an output of the model;
//! - `eps` of `zero_mean_unit_variance` and `scale_range` is ignored and 1e-6 put in its place;
//! - `fixed_zero_mean_unit_variance` divides by std + 1e-6;
//! - without `axes`, or with the batch among them, statistics are those of all images seen so far;
//! - `binarize` ignores its `axis`.

use serde_json::Value;

use super::operation::{Dialect, Place, Side};
use super::reader::Reader;
use super::{Bound, Cast, Operation};

/// The program and version whose reading this is.
pub(crate) const RUNNER: &str = "bioimageio.core 0.11.0";
/// What it adds to deviations and ranges, whatever was declared.
const EPS: f64 = 1e-6;

/// The operations as the reference runner applies them. `operations` are those read from `list`, one for each item.
///
/// What it does not do, or does in a way that makes one prediction depend on other images, goes to the reader as an error.
pub(crate) fn as_runner(
    reader: &mut Reader,
    list: &Value,
    field: &str,
    place: &Place<'_>,
    operations: &[Operation],
) -> Vec<Operation> {
    let items = list.as_array().map_or(&[][..], Vec::as_slice);
    let mut made = Vec::with_capacity(operations.len());
    // Whether the tensor is no longer the raw one.
    let mut changed = false;
    for (index, (item, operation)) in items.iter().zip(operations).enumerate() {
        let at = format!("{field}[{index}]");
        let kwargs = item.get("kwargs").unwrap_or(&Value::Null);
        refuse(reader, &at, kwargs, place, operation);
        let mut operation = operation.clone();
        match &mut operation {
            Operation::ZeroMeanUnitVariance { eps, of_input, .. } => {
                *eps = EPS;
                *of_input = changed;
            }
            Operation::ScaleRange { eps, of_input, .. } => {
                *eps = EPS;
                *of_input |= changed;
            }
            Operation::Clip {
                min, max, of_input, ..
            } => *of_input = changed && (of_data(*min) || of_data(*max)),
            Operation::FixedZeroMeanUnitVariance { std, .. } => {
                for s in std {
                    *s += EPS;
                }
            }
            _ => {}
        }
        changed |= !matches!(operation, Operation::EnsureDtype { to: Cast::Float });
        made.push(operation);
    }
    made
}

fn of_data(bound: Option<Bound>) -> bool {
    matches!(bound, Some(Bound::Percentile(_)))
}

/// What the reference runner cannot do, or cannot do for one image by itself.
fn refuse(reader: &mut Reader, at: &str, kwargs: &Value, place: &Place<'_>, operation: &Operation) {
    let (statistics, of_input) = match operation {
        Operation::ZeroMeanUnitVariance { of_input, .. }
        | Operation::ScaleRange { of_input, .. } => (true, *of_input),
        Operation::Clip { min, max, .. } => (of_data(*min) || of_data(*max), false),
        // Both its own statistics and those of the input.
        Operation::ScaleMeanVariance { .. } => (true, false),
        _ => (false, false),
    };
    let axes = kwargs.get("axes").filter(|v| !v.is_null());
    let batch = match axes {
        None => true,
        Some(Value::String(letters)) => letters.contains('b'),
        Some(names) => names
            .as_array()
            .is_some_and(|names| names.iter().any(|n| n == "batch" || n == "b")),
    };
    if statistics && place.side == Side::After && !of_input {
        reader.unsupported(
            at,
            format!("{RUNNER} stops here: it takes every statistic before the model runs, when its output does not exist"),
            "leave out --rdf-meaning core-compatible",
        );
    } else if statistics && batch {
        reader.unsupported(
            at,
            format!("{RUNNER} takes these statistics over the batch, that is over all images that it has seen so far, so its predictions depend on the order of the files"),
            "leave out --rdf-meaning core-compatible, or name the axes without the batch, such as axes: [channel, y, x]",
        );
    }
    if let Operation::Binarize {
        axis: Some(_),
        threshold,
    } = operation
        && threshold.len() > 1
    {
        reader.unsupported(
            at,
            format!(
                "{RUNNER} ignores the axis of `binarize` and compares thresholds with the wrong one"
            ),
            "leave out --rdf-meaning core-compatible",
        );
    }
    if let Operation::ScaleLinear { .. } = operation
        && place.dialect == Dialect::V04
        && axes.is_some()
    {
        reader.unsupported(
            at,
            format!("{RUNNER} does not run `scale_linear` with axes in format 0.4"),
            "leave out --rdf-meaning core-compatible",
        );
    }
}

/// What differs between the two readings of one list, in words; empty where nothing does that a reader could see.
///
/// The 1e-6 that is added to a declared std is passed over where it changes values by less than 1e-4 of themselves.
pub(crate) fn differences(field: &str, ours: &[Operation], runner: &[Operation]) -> Vec<String> {
    ours.iter()
        .zip(runner)
        .enumerate()
        .flat_map(|(index, (our, its))| {
            let mut words = Vec::new();
            let at = format!("{field}[{index}]");
            match (our, its) {
                (
                    Operation::ZeroMeanUnitVariance { eps, of_input, .. },
                    Operation::ZeroMeanUnitVariance {
                        of_input: raw,
                        eps: fixed,
                        ..
                    },
                )
                | (
                    Operation::ScaleRange { eps, of_input, .. },
                    Operation::ScaleRange {
                        of_input: raw,
                        eps: fixed,
                        ..
                    },
                ) => {
                    if of_input != raw {
                        words.push(format!(
                            "{at}: statistics of the raw tensor, before the operations in front"
                        ));
                    }
                    if eps != fixed {
                        words.push(format!("{at}: eps 1e-6 in place of {eps}"));
                    }
                }
                (Operation::Clip { of_input, .. }, Operation::Clip { of_input: raw, .. })
                    if of_input != raw =>
                {
                    words.push(format!(
                        "{at}: percentiles of the raw tensor, before the operations in front"
                    ));
                }
                (
                    Operation::FixedZeroMeanUnitVariance { std, .. },
                    Operation::FixedZeroMeanUnitVariance { .. },
                ) if std.iter().any(|s| EPS / s > 1e-4) => {
                    words.push(format!("{at}: 1e-6 added to std"));
                }
                _ => {}
            }
            words
        })
        .collect()
}
