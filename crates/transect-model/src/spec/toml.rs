//! `model.toml`: transect's own specification, for a plain ONNX file.

use std::path::Path;

use serde_json::Value;

use super::operation::Dialect;
use super::reader::{Reader, join};
use super::resolve::{CONFIG_KEYS, Draft, DraftTensor};
use super::{Axis, AxisKind, Size};
use crate::onnx::{Dim, Graph, Port};

/// Reads a `model.toml` that was decoded, for a graph that says the rest.
pub(crate) fn read_toml(tree: &Value, path: &Path, graph: Option<&Graph>) -> Draft {
    let mut reader = Reader::new(path);
    let mut keys = vec!["name", "onnx", "sha256", "input", "output"];
    keys.extend(CONFIG_KEYS);
    reader.only(tree, "", &keys);
    let mut config = tree.clone();
    if let Some(map) = config.as_object_mut() {
        map.retain(|key, _| CONFIG_KEYS.contains(&key.as_str()));
    }
    let mut draft = Draft {
        name: reader.text(tree, "name", "").map(str::to_owned),
        config,
        config_field: String::new(),
        dialect: Dialect::V05,
        ..Draft::new(path)
    };
    draft.onnx = reader.text(tree, "onnx", "").map(str::to_owned);
    if let Some(text) = reader.text(tree, "sha256", "") {
        draft.sha256 = transect_core::Digest::parse(text);
        if draft.sha256.is_none() {
            reader.invalid(
                "sha256",
                "this is not a SHA-256",
                "write 64 hexadecimal digits",
            );
        }
    }
    if let Some(graph) = graph {
        draft
            .inputs
            .extend(tensor(&mut reader, tree, "input", &graph.inputs()));
        draft
            .outputs
            .extend(tensor(&mut reader, tree, "output", &graph.outputs()));
    }
    draft.notes = reader.notes;
    draft.errors = reader.errors;
    draft
}

fn tensor(reader: &mut Reader, tree: &Value, key: &str, ports: &[Port]) -> Option<DraftTensor> {
    let input = key == "input";
    let Some(table) = tree.get(key).filter(|v| v.is_object()) else {
        reader.missing(
            key,
            format!("there is no table [{key}]"),
            if input {
                "write [input] with axes = \"bcyx\" and channels = [\"grey\"]"
            } else {
                "write [output] with axes = \"bc\" (classes) or \"bcyx\" (maps)"
            },
        );
        return None;
    };
    let known: &[&str] = if input {
        &[
            "tensor",
            "axes",
            "channels",
            "size",
            "dtype",
            "range",
            "preprocessing",
            "test",
        ]
    } else {
        &[
            "tensor",
            "axes",
            "channels",
            "size",
            "halo",
            "activation",
            "postprocessing",
            "test",
        ]
    };
    reader.only(table, key, known);
    let port = match reader.text(table, "tensor", key) {
        Some(name) => {
            let Some(port) = ports.iter().find(|p| p.name == name) else {
                let names: Vec<&str> = ports.iter().map(|p| p.name.as_str()).collect();
                reader.invalid(
                    &join(key, "tensor"),
                    format!("the graph has no {key} `{name}`"),
                    format!("it has {}", names.join(", ")),
                );
                return None;
            };
            port.clone()
        }
        None if ports.len() == 1 => ports[0].clone(),
        None => {
            let names: Vec<String> = ports
                .iter()
                .map(|p| format!("tensor = \"{}\"", p.name))
                .collect();
            reader.missing(
                &join(key, "tensor"),
                format!("the graph has {} {key}s, and none is named", ports.len()),
                format!("write one of {}", names.join(", ")),
            );
            return None;
        }
    };
    let Some(letters) = reader.text(table, "axes", key) else {
        let shape = port.shape.as_ref().map_or_else(
            || "of unknown shape".to_owned(),
            |s| format!("of shape {}", shape_words(s)),
        );
        reader.missing(
            &join(key, "axes"),
            format!("the axes of `{}` ({shape}) are not declared", port.name),
            "write, for example, axes = \"bcyx\": b batch, c channel, z plane, y row, x column",
        );
        return None;
    };
    let kinds: Vec<Option<AxisKind>> = letters
        .chars()
        .map(|letter| match letter {
            'b' => Some(AxisKind::Batch),
            'c' => Some(AxisKind::Channel),
            'z' => Some(AxisKind::Z),
            'y' => Some(AxisKind::Y),
            'x' => Some(AxisKind::X),
            _ => None,
        })
        .collect();
    if kinds.iter().any(Option::is_none)
        || port.shape.as_ref().is_some_and(|s| s.len() != kinds.len())
    {
        let shape = port.shape.as_ref().map_or_else(String::new, |s| {
            format!(" for the shape {}", shape_words(s))
        });
        reader.invalid(
            &join(key, "axes"),
            format!("axes = \"{letters}\"{shape}"),
            "one letter of b, c, z, y, x for each axis of the tensor",
        );
        return None;
    }
    let names = reader.texts(table, "channels", key).unwrap_or_default();
    let halo = table.get("halo").cloned().unwrap_or(Value::Null);
    let size = table.get("size").cloned().unwrap_or(Value::Null);
    reader.only(&size, &join(key, "size"), &["z", "y", "x"]);
    let mut axes = Vec::new();
    let mut complete = true;
    for (index, kind) in kinds.into_iter().flatten().enumerate() {
        let fixed = port.shape.as_ref().and_then(|s| match s[index] {
            Dim::Fixed(n) => Some(n),
            Dim::Free(_) => None,
        });
        let letter = match kind {
            AxisKind::Z => "z",
            AxisKind::Y => "y",
            AxisKind::X => "x",
            _ => "",
        };
        let size = match kind {
            AxisKind::Batch | AxisKind::Other => Some(Size::Fixed(1)),
            AxisKind::Channel => channel_size(reader, key, names.len(), fixed, &port.name),
            _ => space_size(reader, key, &size, letter, fixed, input),
        };
        let halo = match &halo {
            Value::Null => 0,
            value if matches!(kind, AxisKind::Z | AxisKind::Y | AxisKind::X) => match value {
                Value::Object(_) => reader.count(value, letter, &join(key, "halo")).unwrap_or(0),
                // One number is for rows and columns.
                number if kind != AxisKind::Z => {
                    reader.count_of(number, &join(key, "halo")).unwrap_or(0)
                }
                _ => 0,
            },
            _ => 0,
        };
        let names = if kind == AxisKind::Channel {
            names.clone()
        } else {
            Vec::new()
        };
        let Some(size) = size else {
            complete = false;
            continue;
        };
        axes.push(Axis {
            kind,
            size,
            names,
            halo,
            scale: 1.0,
            unit: None,
        });
    }
    if !complete {
        return None;
    }
    let (list, list_key) = if input {
        ("preprocessing", "preprocessing")
    } else {
        ("postprocessing", "postprocessing")
    };
    let mut operations = match table.get(list) {
        None => Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(other) => {
            reader.invalid(
                &join(key, list),
                format!("expected a list, got {other}"),
                "write a list of tables, such as [{id = \"sigmoid\"}]",
            );
            Vec::new()
        }
    };
    // In model.toml the arguments stand beside the id.
    for item in &mut operations {
        if let Some(map) = item.as_object_mut()
            && !map.contains_key("kwargs")
        {
            let arguments: serde_json::Map<String, Value> = map
                .iter()
                .filter(|(k, _)| *k != "id")
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            map.retain(|k, _| k == "id");
            map.insert("kwargs".to_owned(), Value::Object(arguments));
        }
    }
    match reader.text(table, "activation", key) {
        None | Some("none") => {}
        Some("softmax") => operations.insert(0, serde_json::json!({"id": "softmax", "kwargs": {"axis": "channel"}})),
        Some("sigmoid") => operations.insert(0, serde_json::json!({"id": "sigmoid"})),
        Some(other) => reader.invalid(&join(key, "activation"), format!("unknown activation `{other}`"), "write \"softmax\", \"sigmoid\" or \"none\": what is still to be applied after the graph"),
    }
    let range = reader.numbers(table, "range", key);
    let range = match range.as_deref() {
        None => [f64::NEG_INFINITY, f64::INFINITY],
        Some([low, high]) if low < high => [*low, *high],
        Some(_) => {
            reader.invalid(
                &join(key, "range"),
                "a range is two numbers, the lower first",
                "write range = [0, 1]",
            );
            [f64::NEG_INFINITY, f64::INFINITY]
        }
    };
    Some(DraftTensor {
        id: port.name.clone(),
        graph_name: Some(port.name),
        axes,
        dtype: reader
            .text(table, "dtype", key)
            .unwrap_or("float32")
            .to_owned(),
        range,
        operations: Value::Array(operations),
        operations_field: join(key, list_key),
        test: reader
            .text(table, "test", key)
            .map(|t| (t.to_owned(), None)),
        optional: false,
        field: key.to_owned(),
    })
}

fn channel_size(
    reader: &mut Reader,
    key: &str,
    named: usize,
    fixed: Option<usize>,
    tensor: &str,
) -> Option<Size> {
    match (named, fixed) {
        (0, None) => {
            reader.missing(
                &join(key, "channels"),
                format!("the graph does not say how many channels `{tensor}` has"),
                "write channels = [\"red\", \"green\", \"blue\"]",
            );
            None
        }
        (0, Some(n)) => Some(Size::Fixed(n)),
        (n, Some(m)) if n != m => {
            reader.invalid(
                &join(key, "channels"),
                format!("{n} channels are named, the graph has {m}"),
                format!("name {m} channels"),
            );
            None
        }
        (n, _) => Some(Size::Fixed(n)),
    }
}

fn space_size(
    reader: &mut Reader,
    key: &str,
    size: &Value,
    letter: &str,
    fixed: Option<usize>,
    input: bool,
) -> Option<Size> {
    let at = format!("{key}.size.{letter}");
    if !input {
        return Some(match (size.get(letter).and_then(Value::as_u64), fixed) {
            (Some(n), _) => Size::Fixed(n as usize),
            (None, Some(n)) => Size::Fixed(n),
            (None, None) => Size::Follows {
                factor: 1.0,
                offset: 0,
            },
        });
    }
    match (size.get(letter), fixed) {
        (None, Some(n)) => Some(Size::Fixed(n)),
        (None, None) => {
            reader.missing(&at, format!("the graph takes any size along {letter}; which sizes does the network take?"), format!("write size = {{{letter} = {{min = 64, step = 16}}}}, where step is the product of all strides, or a number"));
            None
        }
        (Some(table @ Value::Object(_)), None) => {
            let min = reader.count(table, "min", &at)?.max(1);
            let step = reader.count(table, "step", &at).unwrap_or(1);
            let max = reader.count(table, "max", &at);
            Some(if step == 0 {
                Size::Fixed(min)
            } else {
                Size::Step { min, step, max }
            })
        }
        (Some(value), fixed) => {
            let n = reader.count_of(value, &at)?;
            if n == 0 || fixed.is_some_and(|f| f != n) {
                reader.invalid(
                    &at,
                    format!("size {n}, the graph has {fixed:?}"),
                    "leave it out: the graph says it",
                );
                return None;
            }
            Some(Size::Fixed(n))
        }
    }
}

fn shape_words(shape: &[Dim]) -> String {
    let words: Vec<String> = shape
        .iter()
        .map(|dim| match dim {
            Dim::Fixed(n) => n.to_string(),
            Dim::Free(name) if name.is_empty() => "?".to_owned(),
            Dim::Free(name) => name.clone(),
        })
        .collect();
    format!("({})", words.join(", "))
}
