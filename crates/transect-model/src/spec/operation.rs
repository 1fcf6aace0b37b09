//! Operations before and after the model.

use serde_json::Value;

use super::reader::{Reader, join};
use super::{Axis, AxisKind, AxisSet, Bound, Cast, Operation};

/// Which dialect an operation is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// bioimage.io 0.4: `name`, axes as letters, `mode`.
    V04,
    /// bioimage.io 0.5, and model.toml: `id`, axes as names.
    V05,
}

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

/// What operations are read against.
pub(crate) struct Place<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) side: Side,
    /// Axes of the tensor that is worked on.
    pub(crate) axes: &'a [Axis],
    /// Name of the input tensor.
    pub(crate) input: &'a str,
    /// Name of the tensor itself.
    pub(crate) own: &'a str,
}

const ELSEWHERE: &str = "run the model in the program that made it, write its predictions to files and audit them with --predictions";

/// Reads a list of operations. Whatever is wrong goes to the reader.
pub(crate) fn read_operations(
    reader: &mut Reader,
    list: &Value,
    field: &str,
    place: &Place<'_>,
) -> Vec<Operation> {
    let Some(items) = list.as_array() else {
        if !list.is_null() {
            reader.invalid(
                field,
                format!("expected a list of operations, got {list}"),
                "write a list, such as [{id: sigmoid}]",
            );
        }
        return Vec::new();
    };
    items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| read_one(reader, item, &format!("{field}[{index}]"), place))
        .collect()
}

fn read_one(
    reader: &mut Reader,
    item: &Value,
    field: &str,
    place: &Place<'_>,
) -> Option<Operation> {
    let key = if place.dialect == Dialect::V04 {
        "name"
    } else {
        "id"
    };
    let Some(name) = item.get(key).and_then(Value::as_str) else {
        reader.missing(
            &join(field, key),
            "the operation has no name",
            format!("write, for example, {{{key}: zero_mean_unit_variance}}"),
        );
        return None;
    };
    let empty = Value::Object(serde_json::Map::new());
    let kwargs = item
        .get("kwargs")
        .filter(|v| !v.is_null())
        .unwrap_or(&empty);
    let at = join(field, "kwargs");
    let known: &[&str] = match name {
        "ensure_dtype" => &["dtype"],
        "binarize" => &["threshold", "axis"],
        "clip" => &["min", "max", "min_percentile", "max_percentile", "axes"],
        "scale_linear" => &["gain", "offset", "axis", "axes"],
        "softmax" => &["axis"],
        "fixed_zero_mean_unit_variance" => &["mean", "std", "axis"],
        "zero_mean_unit_variance" => &["axes", "eps", "mode", "mean", "std"],
        "scale_range" => &[
            "axes",
            "min_percentile",
            "max_percentile",
            "eps",
            "reference_tensor",
            "mode",
        ],
        "scale_mean_variance" => &["reference_tensor", "axes", "eps", "mode"],
        _ => &[],
    };
    if !known.is_empty() || matches!(name, "sigmoid") {
        reader.only(kwargs, &at, known);
    }
    if name == "scale_mean_variance" && place.side == Side::Before {
        reader.unsupported(
            field,
            "`scale_mean_variance` stands before the model",
            "it exists only under `postprocessing`",
        );
        return None;
    }
    let axes_given = kwargs.get("axes").is_some_and(|v| !v.is_null());
    match name {
        "ensure_dtype" => {
            let to = cast(reader, kwargs, &at)?;
            Some(Operation::EnsureDtype { to })
        }
        "binarize" => {
            let threshold = reader.numbers(kwargs, "threshold", &at);
            if threshold.is_none() {
                reader.missing(
                    &join(&at, "threshold"),
                    "`binarize` has no threshold",
                    "write, for example, kwargs: {threshold: 0.5}",
                );
            }
            let axis = one_axis(reader, kwargs, &at, place)?;
            let threshold = threshold?;
            lengths(reader, &at, "threshold", &[&threshold], axis)?;
            Some(Operation::Binarize { threshold, axis })
        }
        "clip" => {
            let axes = axis_set(reader, kwargs, &at, place, axes_given)?;
            let min = bound(reader, kwargs, &at, "min", "min_percentile")?;
            let max = bound(reader, kwargs, &at, "max", "max_percentile")?;
            if min.is_none() && max.is_none() {
                reader.missing(
                    &at,
                    "`clip` has no bound",
                    "write, for example, kwargs: {min: 0, max: 1}",
                );
                return None;
            }
            let reversed = match (min, max) {
                (Some(Bound::Value(a)), Some(Bound::Value(b)))
                | (Some(Bound::Percentile(a)), Some(Bound::Percentile(b))) => a > b,
                _ => false,
            };
            if reversed {
                reader.invalid(
                    &at,
                    "the lower bound of `clip` is above the upper one",
                    "swap them",
                );
                return None;
            }
            Some(Operation::Clip {
                min,
                max,
                axes,
                of_input: false,
            })
        }
        "scale_linear" => {
            let gain = reader
                .numbers(kwargs, "gain", &at)
                .unwrap_or_else(|| vec![1.0]);
            let offset = reader
                .numbers(kwargs, "offset", &at)
                .unwrap_or_else(|| vec![0.0]);
            let axis = if place.dialect == Dialect::V04 && (gain.len() > 1 || offset.len() > 1) {
                // In 0.4 `axes` are those scaled jointly, so the values run along the one that is left.
                let joint = axis_set(reader, kwargs, &at, place, axes_given)?;
                let left: Vec<usize> = place
                    .axes
                    .iter()
                    .filter_map(|a| a.kind.place())
                    .filter(|&p| axes_given && !joint[p])
                    .collect();
                match left.as_slice() {
                    [] if !axes_given => Some(0),
                    [one] => Some(*one),
                    _ => {
                        reader.invalid(
                            &join(&at, "axes"),
                            "gain and offset are lists, but it is not clear along which axis",
                            "leave exactly one axis out of `axes`",
                        );
                        return None;
                    }
                }
            } else if place.dialect == Dialect::V04 {
                None
            } else {
                one_axis(reader, kwargs, &at, place)?
            };
            lengths(reader, &at, "gain and offset", &[&gain, &offset], axis)?;
            Some(Operation::ScaleLinear { gain, offset, axis })
        }
        "sigmoid" => Some(Operation::Sigmoid),
        "softmax" => {
            let axis = one_axis(reader, kwargs, &at, place)?.unwrap_or_default();
            Some(Operation::Softmax { axis })
        }
        "fixed_zero_mean_unit_variance" => fixed(reader, kwargs, &at, place),
        "zero_mean_unit_variance" => {
            let eps = eps(reader, kwargs, &at)?;
            match mode(reader, kwargs, &at, place, axes_given)? {
                Mode::Fixed => {
                    let mean = reader.numbers(kwargs, "mean", &at);
                    let std = reader.numbers(kwargs, "std", &at);
                    let (Some(mean), Some(std)) = (mean, std) else {
                        reader.missing(&at, "mode `fixed` needs mean and std", "write, for example, kwargs: {mode: fixed, mean: 0.5, std: 0.2, axes: yx}");
                        return None;
                    };
                    let axis = (mean.len() > 1 || std.len() > 1).then_some(0);
                    lengths(reader, &at, "mean and std", &[&mean, &std], axis)?;
                    positive(reader, &at, "std", &std)?;
                    Some(Operation::FixedZeroMeanUnitVariance { mean, std, axis })
                }
                Mode::Sample => {
                    let axes = axis_set(reader, kwargs, &at, place, axes_given)?;
                    Some(Operation::ZeroMeanUnitVariance {
                        axes,
                        eps,
                        of_input: false,
                    })
                }
            }
        }
        "scale_range" => {
            let Mode::Sample = mode(reader, kwargs, &at, place, axes_given)? else {
                reader.invalid(
                    &join(&at, "mode"),
                    "`scale_range` has no mode `fixed`",
                    "write mode: per_sample",
                );
                return None;
            };
            let eps = eps(reader, kwargs, &at)?;
            let axes = axis_set(reader, kwargs, &at, place, axes_given)?;
            let min_percentile = reader.number(kwargs, "min_percentile", &at).unwrap_or(0.0);
            let max_percentile = reader
                .number(kwargs, "max_percentile", &at)
                .unwrap_or(100.0);
            if !(0.0 <= min_percentile
                && min_percentile < max_percentile
                && max_percentile <= 100.0)
            {
                reader.invalid(
                    &at,
                    format!("percentiles {min_percentile} and {max_percentile}"),
                    "they lie in 0 ≤ min_percentile < max_percentile ≤ 100",
                );
                return None;
            }
            let of_input = of_input(reader, kwargs, &at, place)?;
            Some(Operation::ScaleRange {
                axes,
                min_percentile,
                max_percentile,
                eps,
                of_input,
            })
        }
        "scale_mean_variance" => {
            let Mode::Sample = mode(reader, kwargs, &at, place, axes_given)? else {
                reader.invalid(
                    &join(&at, "mode"),
                    "`scale_mean_variance` has no mode `fixed`",
                    "write mode: per_sample",
                );
                return None;
            };
            let eps = eps(reader, kwargs, &at)?;
            let axes = axis_set(reader, kwargs, &at, place, axes_given)?;
            if !of_input(reader, kwargs, &at, place)? {
                reader.invalid(
                    &join(&at, "reference_tensor"),
                    "`scale_mean_variance` needs the input as its reference tensor",
                    format!("write reference_tensor: {}", place.input),
                );
                return None;
            }
            Some(Operation::ScaleMeanVariance { axes, eps })
        }
        "stardist_postprocessing"
        | "stardist_postprocessing_2d"
        | "stardist_postprocessing_3d"
        | "cellpose_flow_dynamics" => {
            reader.unsupported(field, format!("`{name}` is not built in"), ELSEWHERE);
            None
        }
        "custom" => {
            reader.unsupported(
                field,
                "`custom` runs Python code of the package; transect runs none",
                ELSEWHERE,
            );
            None
        }
        other => {
            reader.unsupported(
                field,
                format!("unknown operation `{other}`"),
                "the operations are ensure_dtype, binarize, clip, scale_linear, sigmoid, softmax, fixed_zero_mean_unit_variance, zero_mean_unit_variance, scale_range and, after the model, scale_mean_variance",
            );
            None
        }
    }
}

fn cast(reader: &mut Reader, kwargs: &Value, at: &str) -> Option<Cast> {
    let Some(dtype) = reader.text(kwargs, "dtype", at) else {
        reader.missing(
            &join(at, "dtype"),
            "`ensure_dtype` has no dtype",
            "write kwargs: {dtype: float32}",
        );
        return None;
    };
    Some(match dtype {
        "float32" | "float64" => Cast::Float,
        "uint8" => Cast::Integer { min: 0, max: 255 },
        "int8" => Cast::Integer {
            min: -128,
            max: 127,
        },
        "uint16" => Cast::Integer {
            min: 0,
            max: 65_535,
        },
        "int16" => Cast::Integer {
            min: -32_768,
            max: 32_767,
        },
        "int32" | "int64" => Cast::Integer {
            min: -(1 << 24),
            max: 1 << 24,
        },
        "uint32" | "uint64" => Cast::Integer {
            min: 0,
            max: 1 << 24,
        },
        "bool" => Cast::Bool,
        other => {
            reader.unsupported(&join(at, "dtype"), format!("casting to `{other}`"), "the types are float32, float64, int8 to int64, uint8 to uint64 (integers up to 2^24) and bool");
            return None;
        }
    })
}

fn eps(reader: &mut Reader, kwargs: &Value, at: &str) -> Option<f64> {
    let eps = reader.number(kwargs, "eps", at).unwrap_or(1e-6);
    if (0.0..=0.1).contains(&eps) {
        return Some(eps);
    }
    reader.invalid(
        &join(at, "eps"),
        format!("eps is {eps}"),
        "it lies between 0 and 0.1",
    );
    None
}

enum Mode {
    Fixed,
    Sample,
}

fn mode(
    reader: &mut Reader,
    kwargs: &Value,
    at: &str,
    place: &Place<'_>,
    axes_given: bool,
) -> Option<Mode> {
    let mode = reader.text(kwargs, "mode", at);
    if place.dialect == Dialect::V05 {
        if mode.is_some() {
            reader.invalid(
                &join(at, "mode"),
                "`mode` belongs to format 0.4",
                "leave it out; for fixed values use fixed_zero_mean_unit_variance",
            );
            return None;
        }
        if !axes_given {
            reader.notes.push(format!("{at}: no `axes`, so statistics are taken over all axes of each image by itself, never over several images"));
        }
        return Some(Mode::Sample);
    }
    match mode {
        Some("fixed") => Some(Mode::Fixed),
        Some("per_sample") => Some(Mode::Sample),
        Some("per_dataset") => {
            reader.unsupported(&join(at, "mode"), "`per_dataset` takes statistics over all images, so each prediction would depend on the others", "write mode: per_sample if the model was trained so, or mode: fixed with the mean and std of the training data");
            None
        }
        Some(other) => {
            reader.invalid(
                &join(at, "mode"),
                format!("unknown mode `{other}`"),
                "the modes are fixed and per_sample",
            );
            None
        }
        None => {
            reader.missing(
                &join(at, "mode"),
                "the operation has no `mode`, which format 0.4 requires",
                "write mode: per_sample, or mode: fixed with mean and std",
            );
            None
        }
    }
}

/// The joint axes; without any, all.
fn axis_set(
    reader: &mut Reader,
    kwargs: &Value,
    at: &str,
    place: &Place<'_>,
    given: bool,
) -> Option<AxisSet> {
    if !given {
        return Some([true; 4]);
    }
    let value = &kwargs["axes"];
    let names: Option<Vec<String>> = match (place.dialect, value) {
        (Dialect::V04, Value::String(letters)) => Some(letters.chars().map(String::from).collect()),
        (_, Value::Array(items)) => items
            .iter()
            .map(|i| i.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    };
    let Some(names) = names else {
        reader.invalid(
            &join(at, "axes"),
            format!("expected axes, got {value}"),
            if place.dialect == Dialect::V04 {
                "write letters, such as axes: yx"
            } else {
                "write a list, such as axes: [channel, y, x]"
            },
        );
        return None;
    };
    let mut set = [false; 4];
    for name in names {
        match find_axis(&name, place) {
            Some(Some(p)) => set[p] = true,
            Some(None) => {
                if name == "batch" || name == "b" {
                    reader.notes.push(format!(
                        "{}: `batch` is one image, so statistics are each image's own",
                        join(at, "axes")
                    ));
                }
            }
            None => {
                reader.invalid(
                    &join(at, "axes"),
                    format!("the tensor has no axis `{name}`"),
                    format!("its axes are {}", axis_names(place)),
                );
                return None;
            }
        }
    }
    Some(set)
}

/// The axis that lists of values run along.
#[expect(
    clippy::option_option,
    reason = "outer: whether it could be read; inner: whether there is one"
)]
fn one_axis(
    reader: &mut Reader,
    kwargs: &Value,
    at: &str,
    place: &Place<'_>,
) -> Option<Option<usize>> {
    let Some(name) = reader.text(kwargs, "axis", at) else {
        return Some(None);
    };
    if let Some(Some(axis)) = find_axis(name, place) {
        return Some(Some(axis));
    }
    reader.invalid(
        &join(at, "axis"),
        format!("the tensor has no axis `{name}` that values can run along"),
        format!("its axes are {}", axis_names(place)),
    );
    None
}

/// Outer `None`: no such axis. Inner `None`: an axis of length 1 (batch and the like).
#[expect(
    clippy::option_option,
    reason = "outer: whether the axis exists; inner: whether it is one of the image's"
)]
fn find_axis(name: &str, place: &Place<'_>) -> Option<Option<usize>> {
    let kind = match name {
        "batch" | "b" => AxisKind::Batch,
        "channel" | "c" => AxisKind::Channel,
        "z" => AxisKind::Z,
        "y" => AxisKind::Y,
        "x" => AxisKind::X,
        _ => AxisKind::Other,
    };
    place
        .axes
        .iter()
        .any(|axis| axis.kind == kind)
        .then(|| kind.place())
}

fn axis_names(place: &Place<'_>) -> String {
    let names: Vec<&str> = place
        .axes
        .iter()
        .map(|axis| match axis.kind {
            AxisKind::Batch => "batch",
            AxisKind::Channel => "channel",
            AxisKind::Z => "z",
            AxisKind::Y => "y",
            AxisKind::X => "x",
            AxisKind::Other => "time or index",
        })
        .collect();
    names.join(", ")
}

#[expect(
    clippy::option_option,
    reason = "outer: whether it could be read; inner: whether there is one"
)]
fn bound(
    reader: &mut Reader,
    kwargs: &Value,
    at: &str,
    value: &str,
    percentile: &str,
) -> Option<Option<Bound>> {
    let v = reader.number(kwargs, value, at);
    let p = reader.number(kwargs, percentile, at);
    match (v, p) {
        (Some(_), Some(_)) => {
            reader.invalid(
                at,
                format!("both `{value}` and `{percentile}` are given"),
                "give one of them",
            );
            None
        }
        (Some(v), None) => Some(Some(Bound::Value(v))),
        (None, Some(p)) if (0.0..=100.0).contains(&p) => Some(Some(Bound::Percentile(p))),
        (None, Some(p)) => {
            reader.invalid(
                &join(at, percentile),
                format!("the percentile is {p}"),
                "it lies between 0 and 100",
            );
            None
        }
        (None, None) => Some(None),
    }
}

fn fixed(reader: &mut Reader, kwargs: &Value, at: &str, place: &Place<'_>) -> Option<Operation> {
    let mean = reader.numbers(kwargs, "mean", at);
    let std = reader.numbers(kwargs, "std", at);
    let (Some(mean), Some(std)) = (mean, std) else {
        reader.missing(at, "`fixed_zero_mean_unit_variance` needs mean and std", "write, for example, kwargs: {mean: [0.5, 0.4, 0.4], std: [0.2, 0.2, 0.2], axis: channel}");
        return None;
    };
    let axis = one_axis(reader, kwargs, at, place)?;
    lengths(reader, at, "mean and std", &[&mean, &std], axis)?;
    positive(reader, at, "std", &std)?;
    Some(Operation::FixedZeroMeanUnitVariance { mean, std, axis })
}

fn positive(reader: &mut Reader, at: &str, key: &str, values: &[f64]) -> Option<()> {
    if values.iter().all(|&v| v > 0.0) {
        return Some(());
    }
    reader.invalid(
        &join(at, key),
        "a standard deviation is not above 0",
        "write positive numbers",
    );
    None
}

fn lengths(
    reader: &mut Reader,
    at: &str,
    what: &str,
    lists: &[&[f64]],
    axis: Option<usize>,
) -> Option<()> {
    let longest = lists.iter().map(|l| l.len()).max().unwrap_or(1);
    if longest > 1 && axis.is_none() {
        reader.missing(
            &join(at, "axis"),
            format!("{what}: a list, but no axis along which it runs"),
            "write axis: channel",
        );
        return None;
    }
    if lists.iter().any(|l| l.len() != 1 && l.len() != longest) {
        reader.invalid(
            at,
            format!("{what} have different lengths"),
            "give one value, or one for each channel",
        );
        return None;
    }
    Some(())
}

fn of_input(reader: &mut Reader, kwargs: &Value, at: &str, place: &Place<'_>) -> Option<bool> {
    match reader.text(kwargs, "reference_tensor", at) {
        None => Some(false),
        Some(name) if name == place.own && place.side == Side::Before => Some(false),
        Some(name) if name == place.input => {
            reader.notes.push(format!(
                "{}: statistics are those of the input `{name}` before its preprocessing",
                join(at, "reference_tensor")
            ));
            Some(true)
        }
        Some(name) => {
            reader.invalid(
                &join(at, "reference_tensor"),
                format!("`{name}` is not the model's input"),
                format!("write reference_tensor: {}", place.input),
            );
            None
        }
    }
}
