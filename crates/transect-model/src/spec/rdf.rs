//! bioimage.io model descriptions, formats 0.4 and 0.5.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use transect_core::codes::model as codes;
use transect_core::{Digest, Error, Errors};

use super::operation::Dialect;
use super::reader::{Reader, join};
use super::resolve::{Draft, DraftTensor};
use super::{Axis, AxisKind, Size};

/// Reads a description that was decoded from YAML.
pub(crate) fn read_rdf(tree: &Value, path: &Path) -> Result<Draft, Errors> {
    let mut reader = Reader::new(path);
    let version = match tree.get("format_version") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => {
            let error = Error::new(
                &codes::SPEC_FORMAT,
                "this YAML has no `format_version`, so it is not a bioimage.io description",
            );
            return Err(error
                .at(path)
                .field("format_version")
                .help("give rdf.yaml or bioimageio.yaml of a model package, of format 0.4 or 0.5")
                .into());
        }
    };
    if let Some(kind) = reader.text(tree, "type", "")
        && kind != "model"
    {
        reader.error(
            &codes::SPEC_FORMAT,
            "type",
            format!("the description is of type `{kind}`"),
            "give the description of a model",
        );
    }
    let dialect = if version == "0.4" || version.starts_with("0.4.") {
        Dialect::V04
    } else if version == "0.5" || version.starts_with("0.5.") {
        Dialect::V05
    } else {
        reader.unsupported(
            "format_version",
            format!("format {version}"),
            "formats 0.4 and 0.5 are read; `bioimageio update-format` converts others",
        );
        return Err(reader.errors);
    };
    let mut draft = Draft {
        name: reader.text(tree, "name", "").map(str::to_owned),
        config: tree
            .get("config")
            .and_then(|c| c.get("transect"))
            .cloned()
            .unwrap_or(Value::Null),
        config_field: "config.transect".to_owned(),
        dialect,
        ..Draft::new(path)
    };
    weights(&mut reader, tree, &mut draft);
    draft.inputs = tensors(&mut reader, tree, "inputs", dialect);
    draft.outputs = tensors(&mut reader, tree, "outputs", dialect);
    if dialect == Dialect::V04 {
        for (list, tensors) in [
            ("test_inputs", &mut draft.inputs),
            ("test_outputs", &mut draft.outputs),
        ] {
            let names = reader.texts(tree, list, "").unwrap_or_default();
            for (tensor, name) in tensors.iter_mut().zip(names) {
                tensor.test = Some((name, None));
            }
        }
    }
    let mut seen = BTreeSet::new();
    for tensor in draft.inputs.iter().chain(&draft.outputs) {
        if !seen.insert(tensor.id.clone()) {
            reader.invalid(
                &tensor.field,
                format!("two tensors are named `{}`", tensor.id),
                "every input and output needs a name of its own",
            );
        }
    }
    draft.notes = reader.notes;
    draft.errors = reader.errors;
    Ok(draft)
}

fn weights(reader: &mut Reader, tree: &Value, draft: &mut Draft) {
    let Some(weights) = tree.get("weights").and_then(Value::as_object) else {
        reader.missing(
            "weights",
            "the description names no weights",
            "write weights: {onnx: {source: weights.onnx, opset_version: 17}}",
        );
        return;
    };
    let Some(onnx) = weights.get("onnx").filter(|v| !v.is_null()) else {
        let others: Vec<&str> = weights
            .iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, _)| k.as_str())
            .collect();
        reader.error(
            &codes::NO_ONNX_WEIGHTS,
            "weights",
            format!("the package has no ONNX weights; it has {}", others.join(", ")),
            "export the model to ONNX (the documentation's page `Models` shows how), or audit predictions that its own program made with --predictions",
        );
        return;
    };
    match reader.text(onnx, "source", "weights.onnx") {
        None => reader.missing(
            "weights.onnx.source",
            "the ONNX weights name no file",
            "write source: weights.onnx",
        ),
        Some(source) if source.contains("://") => {
            let file = source
                .rsplit('/')
                .next()
                .unwrap_or("weights.onnx")
                .to_owned();
            reader.unsupported(
                "weights.onnx.source",
                format!("the weights lie at {source}; transect uses no network"),
                format!("download them into the package's folder and write source: {file}"),
            );
        }
        Some(source) => draft.onnx = Some(source.to_owned()),
    }
    if let Some(hash) = reader.text(onnx, "sha256", "weights.onnx") {
        draft.sha256 = Digest::parse(hash);
        if draft.sha256.is_none() {
            reader.invalid(
                "weights.onnx.sha256",
                "this is not a SHA-256",
                "write 64 hexadecimal digits",
            );
        }
    }
}

fn tensors(reader: &mut Reader, tree: &Value, key: &str, dialect: Dialect) -> Vec<DraftTensor> {
    let Some(items) = tree
        .get(key)
        .and_then(Value::as_array)
        .filter(|items| !items.is_empty())
    else {
        reader.missing(
            key,
            format!("the description has no `{key}`"),
            "every model has at least one input and one output",
        );
        return Vec::new();
    };
    let input = key == "inputs";
    items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let field = format!("{key}[{index}]");
            match dialect {
                Dialect::V04 => tensor_v04(reader, item, &field, input),
                Dialect::V05 => tensor_v05(reader, item, &field, input),
            }
        })
        .collect()
}

fn tensor_v05(reader: &mut Reader, item: &Value, field: &str, input: bool) -> DraftTensor {
    let default = if input { "input" } else { "output" };
    let id = reader.text(item, "id", field).unwrap_or(default).to_owned();
    let data = match item.get("data") {
        Some(Value::Array(list)) => list.first().cloned().unwrap_or(Value::Null),
        Some(other) => other.clone(),
        None => Value::Null,
    };
    let mut axes = Vec::new();
    match item.get("axes").and_then(Value::as_array) {
        None => reader.missing(&join(field, "axes"), "the tensor has no axes", "write axes: [{type: batch}, {type: channel, channel_names: [grey]}, {id: y, type: space, size: 256}, {id: x, type: space, size: 256}]"),
        Some(list) => {
            for (index, axis) in list.iter().enumerate() {
                let at = format!("{field}.axes[{index}]");
                axes.extend(axis_v05(reader, axis, &at, input));
            }
        }
    }
    let key = if input {
        "preprocessing"
    } else {
        "postprocessing"
    };
    let test = item
        .get("test_tensor")
        .filter(|v| !v.is_null())
        .and_then(|t| {
            let source = match t {
                Value::String(text) => text.clone(),
                other => other.get("source")?.as_str()?.to_owned(),
            };
            Some((
                source,
                t.get("sha256")
                    .and_then(Value::as_str)
                    .and_then(Digest::parse),
            ))
        });
    DraftTensor {
        id,
        graph_name: None,
        axes,
        dtype: reader
            .text(&data, "type", &join(field, "data"))
            .unwrap_or("float32")
            .to_owned(),
        range: range(data.get("range")),
        operations: item.get(key).cloned().unwrap_or(Value::Null),
        operations_field: join(field, key),
        test,
        optional: item
            .get("optional")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        field: field.to_owned(),
    }
}

fn range(value: Option<&Value>) -> [f64; 2] {
    let bound = |index: usize| value.and_then(|v| v.get(index)).and_then(Value::as_f64);
    [
        bound(0).unwrap_or(f64::NEG_INFINITY),
        bound(1).unwrap_or(f64::INFINITY),
    ]
}

fn axis_v05(reader: &mut Reader, axis: &Value, field: &str, input: bool) -> Option<Axis> {
    let Some(kind) = reader.text(axis, "type", field).map(str::to_owned) else {
        reader.missing(
            &join(field, "type"),
            "the axis has no type",
            "write type: batch, channel, index, time or space",
        );
        return None;
    };
    let id = reader.text(axis, "id", field).map(str::to_owned);
    let mut names = Vec::new();
    let (kind, size) = match kind.as_str() {
        "batch" => (AxisKind::Batch, Size::Fixed(1)),
        "channel" => {
            names = reader
                .texts(axis, "channel_names", field)
                .unwrap_or_default();
            if names.is_empty() {
                reader.missing(
                    &join(field, "channel_names"),
                    "the channel axis names no channels",
                    "write channel_names: [grey]",
                );
            }
            (AxisKind::Channel, Size::Fixed(names.len()))
        }
        "index" => (AxisKind::Other, Size::Fixed(1)),
        "time" => (
            AxisKind::Other,
            size_v05(reader, axis, field, input).unwrap_or(Size::Fixed(1)),
        ),
        "space" => {
            let kind = match id.as_deref().unwrap_or("x") {
                "x" => AxisKind::X,
                "y" => AxisKind::Y,
                "z" => AxisKind::Z,
                other => {
                    reader.unsupported(
                        &join(field, "id"),
                        format!("a space axis named `{other}`"),
                        "space axes are x, y and z",
                    );
                    return None;
                }
            };
            (kind, size_v05(reader, axis, field, input)?)
        }
        other => {
            reader.invalid(
                &join(field, "type"),
                format!("unknown type of axis `{other}`"),
                "the types are batch, channel, index, time and space",
            );
            return None;
        }
    };
    let scale = reader.number(axis, "scale", field).unwrap_or(1.0);
    if scale <= 0.0 {
        reader.invalid(
            &join(field, "scale"),
            format!("the scale is {scale}"),
            "it is above 0",
        );
    }
    let halo = reader.count(axis, "halo", field).unwrap_or(0);
    Some(Axis {
        kind,
        size,
        names,
        halo,
        scale,
        unit: reader.text(axis, "unit", field).map(str::to_owned),
    })
}

fn size_v05(reader: &mut Reader, axis: &Value, field: &str, input: bool) -> Option<Size> {
    let at = join(field, "size");
    match axis.get("size") {
        None | Some(Value::Null) => {
            reader.missing(
                &at,
                "the axis has no size",
                "write size: 256, or size: {min: 64, step: 8}",
            );
            None
        }
        Some(Value::Object(map))
            if map.contains_key("tensor_id") || map.contains_key("axis_id") =>
        {
            if input {
                reader.unsupported(
                    &at,
                    "the size of an input axis that follows another axis",
                    "write a number or {min, step}",
                );
                return None;
            }
            let offset = axis["size"]
                .get("offset")
                .and_then(Value::as_i64)
                .unwrap_or(0);
            // The factor is filled in when the input's axis is known; see `resolve`.
            Some(Size::Follows {
                factor: f64::NAN,
                offset,
            })
        }
        Some(size @ Value::Object(map)) => {
            let min = reader.count(size, "min", &at)?;
            let step = if map.contains_key("step") {
                reader.count(size, "step", &at)?
            } else {
                1
            };
            let max = reader.count(size, "max", &at);
            if min == 0 {
                reader.invalid(&at, "the smallest size is 0", "it is at least 1");
                return None;
            }
            if step == 0 {
                Some(Size::Fixed(min))
            } else {
                Some(Size::Step { min, step, max })
            }
        }
        Some(value) => match reader.count_of(value, &at)? {
            0 => {
                reader.invalid(&at, "the size is 0", "it is at least 1");
                None
            }
            n => Some(Size::Fixed(n)),
        },
    }
}

fn tensor_v04(reader: &mut Reader, item: &Value, field: &str, input: bool) -> DraftTensor {
    let id = reader
        .text(item, "name", field)
        .unwrap_or_default()
        .to_owned();
    if id.is_empty() {
        reader.missing(
            &join(field, "name"),
            "the tensor has no name",
            "write name: raw",
        );
    }
    let letters = match item.get("axes") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => {
            reader.missing(
                &join(field, "axes"),
                "the tensor has no axes",
                "write axes: bcyx",
            );
            String::new()
        }
    };
    let kinds: Vec<AxisKind> = letters
        .chars()
        .filter_map(|letter| match letter {
            'b' => Some(AxisKind::Batch),
            'c' => Some(AxisKind::Channel),
            'z' => Some(AxisKind::Z),
            'y' => Some(AxisKind::Y),
            'x' => Some(AxisKind::X),
            't' | 'i' => Some(AxisKind::Other),
            other => {
                reader.invalid(
                    &join(field, "axes"),
                    format!("unknown axis `{other}`"),
                    "the letters are b, i, t, c, z, y, x",
                );
                None
            }
        })
        .collect();
    let sizes = sizes_v04(reader, item, field, &kinds, input);
    let halo: Vec<usize> = match item.get("halo").and_then(Value::as_array) {
        None => vec![0; kinds.len()],
        Some(list) => list
            .iter()
            .map(|v| v.as_u64().unwrap_or(0) as usize)
            .collect(),
    };
    if halo.len() != kinds.len() {
        reader.invalid(
            &join(field, "halo"),
            format!("{} values for {} axes", halo.len(), kinds.len()),
            "give one for each axis",
        );
    }
    let axes = kinds
        .iter()
        .enumerate()
        .map(|(index, &kind)| Axis {
            kind,
            size: sizes.get(index).cloned().unwrap_or(Size::Fixed(1)),
            names: Vec::new(),
            halo: halo.get(index).copied().unwrap_or(0),
            scale: 1.0,
            unit: None,
        })
        .collect();
    let key = if input {
        "preprocessing"
    } else {
        "postprocessing"
    };
    DraftTensor {
        id,
        graph_name: None,
        axes,
        dtype: reader
            .text(item, "data_type", field)
            .unwrap_or("float32")
            .to_owned(),
        range: range(item.get("data_range")),
        operations: item.get(key).cloned().unwrap_or(Value::Null),
        operations_field: join(field, key),
        test: None,
        optional: false,
        field: field.to_owned(),
    }
}

fn sizes_v04(
    reader: &mut Reader,
    item: &Value,
    field: &str,
    kinds: &[AxisKind],
    input: bool,
) -> Vec<Size> {
    let at = join(field, "shape");
    let list = |value: Option<&Value>| -> Option<Vec<f64>> {
        value?
            .as_array()?
            .iter()
            .map(|v| if v.is_null() { Some(0.0) } else { v.as_f64() })
            .collect()
    };
    let sizes: Option<Vec<Size>> = match item.get("shape") {
        Some(value @ Value::Array(_)) => list(Some(value)).map(|l| {
            l.into_iter()
                .map(|n| Size::Fixed((n.max(1.0)) as usize))
                .collect()
        }),
        Some(shape) if shape.get("min").is_some() => {
            let (min, step) = (list(shape.get("min")), list(shape.get("step")));
            min.zip(step)
                .filter(|(m, s)| m.len() == s.len())
                .map(|(min, step)| {
                    min.into_iter()
                        .zip(step)
                        .map(|(min, step)| {
                            let (min, step) = (min.max(1.0) as usize, step.max(0.0) as usize);
                            if step == 0 {
                                Size::Fixed(min)
                            } else {
                                Size::Step {
                                    min,
                                    step,
                                    max: None,
                                }
                            }
                        })
                        .collect()
                })
        }
        Some(shape) if shape.get("reference_tensor").is_some() && !input => {
            let (scale, offset) = (list(shape.get("scale")), list(shape.get("offset")));
            scale
                .zip(offset)
                .filter(|(s, o)| s.len() == o.len())
                .map(|(scale, offset)| {
                    // The axes of the reference come in the same order in every model seen; what they are is checked later.
                    scale
                        .into_iter()
                        .zip(offset)
                        .map(|(factor, offset)| {
                            let offset = (2.0 * offset).round() as i64;
                            if factor == 0.0 {
                                Size::Fixed(offset.max(1) as usize)
                            } else {
                                Size::Follows { factor, offset }
                            }
                        })
                        .collect()
                })
        }
        _ => None,
    };
    match sizes {
        Some(sizes) if sizes.len() == kinds.len() => sizes,
        Some(sizes) => {
            reader.invalid(
                &at,
                format!("{} sizes for {} axes", sizes.len(), kinds.len()),
                "give one for each axis",
            );
            Vec::new()
        }
        None => {
            reader.missing(&at, "the tensor has no shape, or one that cannot be read", "write shape: [1, 1, 256, 256], or shape: {min: [1, 1, 64, 64], step: [0, 0, 8, 8]}");
            Vec::new()
        }
    }
}
