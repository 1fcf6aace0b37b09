//! ONNX graphs: read, checked, edited, written.

#[expect(clippy::cast_possible_wrap, reason = "sizes of small tensors")]
pub mod build;
mod dense;
mod external;
mod head;
#[expect(clippy::all, clippy::pedantic, missing_docs, reason = "generated")]
pub mod proto;
mod reinit;
mod tap;

pub(crate) use external::inside;
pub(crate) use reinit::Open;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use prost::Message as _;
use transect_core::codes::model as codes;
use transect_core::{Error, Result};

use proto::attribute_proto::AttributeType;
use proto::tensor_proto::{DataLocation, DataType};
use proto::tensor_shape_proto::dimension::Value as DimValue;
use proto::type_proto::Value as TypeValue;
use proto::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};

/// Largest model, with all weights: what one protobuf message can hold.
pub const MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024 - 1;
/// Most operators in a graph.
pub const MAX_NODES: usize = 200_000;
/// Most values in one tensor that a constant of the graph asks for.
pub const MAX_VALUES: u64 = 1 << 31;

/// One dimension of a graph's input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dim {
    /// A number.
    Fixed(usize),
    /// A name, such as `batch`, or nothing: any size.
    Free(String),
}

/// A graph's input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Name in the graph.
    pub name: String,
    /// Its dimensions; `None` where the graph does not say how many there are.
    pub shape: Option<Vec<Dim>>,
    /// Type of the elements by ONNX's name, such as `float`.
    pub element: String,
}

/// An ONNX model with its weights inside.
#[derive(Debug, Clone)]
pub struct Graph {
    model: ModelProto,
    external: bool,
}

impl Graph {
    /// Reads an ONNX model. Weights outside the file are not read yet: see [`Graph::resolve`].
    ///
    /// # Errors
    /// `T302` when the bytes are not an ONNX model or a tensor's data do not fill its shape; `T303` beyond the limits.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Error::new(
                &codes::MODEL_LIMITS,
                format!(
                    "the file has {} bytes; at most {MAX_BYTES} are read",
                    bytes.len()
                ),
            ));
        }
        let not_onnx = |why: String| {
            let mut error = Error::new(
                &codes::MODEL_FORMAT,
                format!("this is not an ONNX model: {why}"),
            );
            if bytes.starts_with(b"version https://git-lfs") {
                error = error
                    .help("this is a Git LFS pointer: run `git lfs pull` to get the file itself");
            } else if bytes.starts_with(b"PK") {
                error = error.help("this is a zip file (a PyTorch file or a package): give the ONNX file inside it");
            } else if bytes.is_empty() {
                error = error.help("the file is empty: export or download it again");
            } else {
                error = error.help(
                    "give an ONNX file; the documentation's page `Models` shows how to export one",
                );
            }
            error
        };
        let model = ModelProto::decode(bytes).map_err(|error| not_onnx(error.to_string()))?;
        let Some(graph) = &model.graph else {
            return Err(not_onnx("there is no graph in it".to_owned()));
        };
        if model.ir_version.is_none() || graph.output.is_empty() {
            return Err(not_onnx("it has no version or no output".to_owned()));
        }
        let read = Self {
            model,
            external: false,
        };
        read.check()?;
        Ok(read)
    }

    fn graph(&self) -> &GraphProto {
        // `read` proved that there is one; a default one is never seen.
        static EMPTY: std::sync::LazyLock<GraphProto> =
            std::sync::LazyLock::new(GraphProto::default);
        self.model.graph.as_ref().unwrap_or(&EMPTY)
    }

    fn check(&self) -> Result<()> {
        let mut nodes = 0;
        let mut failed: Option<Error> = None;
        let mut constants: BTreeMap<&str, &TensorProto> = BTreeMap::new();
        for tensor in &self.graph().initializer {
            constants.insert(tensor.name(), tensor);
        }
        walk(self.graph(), &mut |node| {
            nodes += 1;
            for attribute in &node.attribute {
                for tensor in attribute.t.iter().chain(&attribute.tensors) {
                    if failed.is_none() {
                        failed =
                            check_tensor(tensor, node.output.first().map_or("", String::as_str))
                                .err();
                    }
                }
            }
        });
        for graph in graphs(self.graph()) {
            for tensor in &graph.initializer {
                check_tensor(tensor, tensor.name())?;
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if nodes > MAX_NODES {
            return Err(Error::new(
                &codes::MODEL_LIMITS,
                format!("the graph has {nodes} operators; at most {MAX_NODES} are read"),
            ));
        }
        for node in &self.graph().node {
            if node.op_type() == "Constant"
                && let (Some(tensor), Some(output)) = (
                    node.attribute
                        .iter()
                        .find(|a| a.name() == "value")
                        .and_then(|a| a.t.as_ref()),
                    node.output.first(),
                )
            {
                constants.insert(output, tensor);
            }
        }
        for node in &self.graph().node {
            let shape_input = match node.op_type() {
                "ConstantOfShape" => 0,
                "Expand" => 1,
                "Resize" => 3,
                _ => continue,
            };
            let Some(shape) = node
                .input
                .get(shape_input)
                .and_then(|name| constants.get(name.as_str()))
            else {
                continue;
            };
            let count = integers(shape)
                .iter()
                .fold(1_u64, |n, &d| n.saturating_mul(d.max(1) as u64));
            if count > MAX_VALUES {
                return Err(Error::new(
                    &codes::MODEL_LIMITS,
                    format!(
                        "operator {} ({}) is told to make a tensor of {count} values",
                        node.name(),
                        node.op_type()
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Reads the weights that lie in other files of `folder` into the model.
    ///
    /// # Errors
    /// `T304` when a file is missing or too short, `T305` when a name leads outside the folder, `T303` beyond the limits.
    pub fn resolve(&mut self, folder: &Path) -> Result<()> {
        if let Some(graph) = &mut self.model.graph {
            self.external = external::resolve(graph, folder)? > 0;
        }
        Ok(())
    }

    /// The graph's inputs, without those that are weights.
    pub fn inputs(&self) -> Vec<Port> {
        let weights: BTreeSet<&str> = self
            .graph()
            .initializer
            .iter()
            .map(TensorProto::name)
            .collect();
        self.graph()
            .input
            .iter()
            .filter(|i| !weights.contains(i.name()))
            .map(port)
            .collect()
    }

    /// The graph's outputs.
    pub fn outputs(&self) -> Vec<Port> {
        self.graph().output.iter().map(port).collect()
    }

    /// Operators by name, sorted, each once; those outside the standard domain as `domain.name`.
    pub fn operators(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        walk(self.graph(), &mut |node| {
            names.insert(match node.domain() {
                "" | "ai.onnx" => node.op_type().to_owned(),
                domain => format!("{domain}.{}", node.op_type()),
            });
        });
        names.into_iter().collect()
    }

    /// Whether [`Graph::resolve`] read weights from other files.
    pub fn had_external(&self) -> bool {
        self.external
    }

    /// Number of operators at the top level.
    pub fn nodes(&self) -> usize {
        self.graph().node.len()
    }

    /// Operator sets: domain (`ai.onnx` for the standard one) and version.
    pub fn opsets(&self) -> BTreeMap<String, i64> {
        let name = |domain: &str| {
            if domain.is_empty() {
                "ai.onnx".to_owned()
            } else {
                domain.to_owned()
            }
        };
        self.model
            .opset_import
            .iter()
            .map(|set| (name(set.domain()), set.version()))
            .collect()
    }

    /// The version of the file format.
    pub fn ir_version(&self) -> i64 {
        self.model.ir_version()
    }

    /// Whether some operator looks at all positions at once, so that a tile sees less than the whole image would.
    pub fn looks_everywhere(&self) -> Vec<String> {
        const GLOBAL: [&str; 8] = [
            "GlobalAveragePool",
            "GlobalMaxPool",
            "InstanceNormalization",
            "GroupNormalization",
            "LayerNormalization",
            "Attention",
            "LSTM",
            "GRU",
        ];
        self.operators()
            .into_iter()
            .filter(|op| GLOBAL.contains(&op.as_str()))
            .collect()
    }

    /// The model as bytes.
    pub fn encode(&self) -> Vec<u8> {
        self.model.encode_to_vec()
    }

    /// The same graph with what the standard lets a graph leave out, because it follows from the weights: the `kernel_shape`
    /// of convolutions, and the unit `strides` of pooling. `Dropout`, which passes everything through outside training,
    /// becomes `Identity`.
    pub(crate) fn explicit(&self) -> Self {
        let mut copy = self.clone();
        let opset = self.opsets().get("ai.onnx").copied().unwrap_or(0);
        let Some(graph) = &mut copy.model.graph else {
            return copy;
        };
        let used: BTreeSet<String> = graph
            .node
            .iter()
            .flat_map(|n| n.input.iter().cloned())
            .chain(graph.output.iter().map(|o| o.name().to_owned()))
            .filter(|name| !name.is_empty())
            .collect();
        let shapes: BTreeMap<String, Vec<i64>> = graph
            .initializer
            .iter()
            .map(|t| (t.name().to_owned(), t.dims.clone()))
            .collect();
        for node in &mut graph.node {
            // Before operator set 7 training was an attribute, from 12 on it is the third input.
            let inference = opset >= 7
                || node
                    .attribute
                    .iter()
                    .any(|a| a.name() == "is_test" && a.i() == 1);
            let plain =
                node.input.len() < 3 && node.output.iter().skip(1).all(|mask| !used.contains(mask));
            if node.op_type() == "Dropout" && inference && plain {
                node.op_type = Some("Identity".to_owned());
                node.input.truncate(1);
                node.output.truncate(1);
                node.attribute.clear();
                continue;
            }
            let have = |key: &str| {
                node.attribute
                    .iter()
                    .find(|a| a.name() == key)
                    .map(|a| a.ints.clone())
            };
            let add = match node.op_type() {
                "Conv" | "ConvTranspose" if have("kernel_shape").is_none() => node
                    .input
                    .get(1)
                    .and_then(|name| shapes.get(name))
                    .and_then(|dims| dims.get(2..))
                    .map(|dims| ("kernel_shape", dims.to_vec())),
                "MaxPool" | "AveragePool" if have("strides").is_none() => {
                    have("kernel_shape").map(|kernel| ("strides", vec![1; kernel.len()]))
                }
                _ => None,
            };
            if let Some((name, ints)) = add {
                node.attribute.push(AttributeProto {
                    name: Some(name.to_owned()),
                    r#type: Some(AttributeType::Ints as i32),
                    ints,
                    ..AttributeProto::default()
                });
            }
        }
        if opset < 13 {
            let nodes = std::mem::take(&mut graph.node);
            graph.node = nodes.into_iter().flat_map(old_softmax).collect();
        }
        copy
    }

    /// Operators that the embedded engine would run with another meaning than the standard's, and why.
    pub(crate) fn unfaithful(&self) -> Vec<String> {
        let opset = self.opsets().get("ai.onnx").copied().unwrap_or(0);
        let mut found = BTreeSet::new();
        for (depth, graph) in graphs(self.graph()).into_iter().enumerate() {
            for node in &graph.node {
                let mode = node
                    .attribute
                    .iter()
                    .find(|a| a.name() == "mode")
                    .map(AttributeProto::s);
                match node.op_type() {
                    "Resize" | "Upsample" if mode == Some(b"cubic") => {
                        found.insert(format!(
                            "{}: mode `cubic`, which it would run as `linear`",
                            node.op_type()
                        ));
                    }
                    "Softmax" | "LogSoftmax" if depth > 0 && opset < 13 => {
                        found.insert(format!(
                            "{}: within another operator, with the meaning that it had before operator set 13",
                            node.op_type()
                        ));
                    }
                    _ => {}
                }
            }
        }
        found.into_iter().collect()
    }

    /// For each operator that is used, a model that holds only the first node of that kind and attributes: to ask an
    /// engine about it alone.
    pub(crate) fn probes(&self) -> Vec<(String, Vec<u8>)> {
        let mut seen = BTreeSet::new();
        let mut probes = Vec::new();
        for node in &self.graph().node {
            let mut key = node.clone();
            key.name = None;
            key.input = node
                .input
                .iter()
                .map(|name| {
                    if name.is_empty() {
                        String::new()
                    } else {
                        "x".to_owned()
                    }
                })
                .collect();
            key.output.clear();
            if !seen.insert(key.encode_to_vec()) {
                continue;
            }
            let constants: Vec<TensorProto> = self
                .graph()
                .initializer
                .iter()
                .filter(|t| node.input.iter().any(|n| n == t.name()))
                .cloned()
                .collect();
            let free = node
                .input
                .iter()
                .filter(|n| !n.is_empty() && !constants.iter().any(|t| t.name() == n.as_str()));
            let free: BTreeSet<&String> = free.collect();
            let value = |name: &String| ValueInfoProto {
                name: Some(name.clone()),
                ..ValueInfoProto::default()
            };
            let graph = GraphProto {
                node: vec![node.clone()],
                name: Some("probe".to_owned()),
                input: free.into_iter().map(value).collect(),
                output: node
                    .output
                    .iter()
                    .filter(|n| !n.is_empty())
                    .map(value)
                    .collect(),
                initializer: constants,
                ..GraphProto::default()
            };
            let model = ModelProto {
                ir_version: self.model.ir_version,
                opset_import: self.model.opset_import.clone(),
                graph: Some(graph),
                functions: self.model.functions.clone(),
                ..ModelProto::default()
            };
            probes.push((node.op_type().to_owned(), model.encode_to_vec()));
        }
        probes
    }
}

/// Before operator set 13, `Softmax` and `LogSoftmax` worked on all axes from `axis` (1 by default) on together. The same
/// in later terms: flatten to two axes, softmax over the second, and back to the shape.
fn old_softmax(node: NodeProto) -> Vec<NodeProto> {
    let axis = node
        .attribute
        .iter()
        .find(|a| a.name() == "axis")
        .map_or(1, AttributeProto::i);
    // Over the last axis alone both meanings are one.
    let old = matches!(node.op_type(), "Softmax" | "LogSoftmax") && axis != -1;
    let (true, [input], [output]) = (old, node.input.as_slice(), node.output.as_slice()) else {
        return vec![node];
    };
    let int = |value: i64| AttributeProto {
        name: Some("axis".to_owned()),
        r#type: Some(AttributeType::Int as i32),
        i: Some(value),
        ..AttributeProto::default()
    };
    let make =
        |op: &str, inputs: Vec<String>, output: String, attribute: Vec<AttributeProto>| NodeProto {
            op_type: Some(op.to_owned()),
            name: Some(format!("{output}:{op}")),
            input: inputs,
            output: vec![output],
            attribute,
            ..NodeProto::default()
        };
    let name = |part: &str| format!("{output}:transect:{part}");
    vec![
        make("Shape", vec![input.clone()], name("shape"), Vec::new()),
        make(
            "Flatten",
            vec![input.clone()],
            name("flat"),
            vec![int(axis)],
        ),
        make(
            node.op_type(),
            vec![name("flat")],
            name("soft"),
            vec![int(1)],
        ),
        make(
            "Reshape",
            vec![name("soft"), name("shape")],
            output.clone(),
            Vec::new(),
        ),
    ]
}

/// All graphs within a graph, itself first.
fn graphs(graph: &GraphProto) -> Vec<&GraphProto> {
    let mut all = vec![graph];
    let mut next = 0;
    while next < all.len() {
        let current = all[next];
        for node in &current.node {
            for attribute in &node.attribute {
                all.extend(attribute.g.iter().chain(&attribute.graphs));
            }
        }
        next += 1;
    }
    all
}

/// Every node of a graph and of the graphs within it.
fn walk<'a>(graph: &'a GraphProto, visit: &mut dyn FnMut(&'a NodeProto)) {
    for graph in graphs(graph) {
        for node in &graph.node {
            visit(node);
        }
    }
}

fn port(value: &ValueInfoProto) -> Port {
    let tensor = value.r#type.as_ref().and_then(|t| match &t.value {
        Some(TypeValue::TensorType(tensor)) => Some(tensor),
        _ => None,
    });
    let shape = tensor.and_then(|t| t.shape.as_ref()).map(|shape| {
        shape
            .dim
            .iter()
            .map(|dim| match &dim.value {
                Some(DimValue::DimValue(n)) if *n > 0 => Dim::Fixed(*n as usize),
                Some(DimValue::DimParam(name)) => Dim::Free(name.clone()),
                _ => Dim::Free(String::new()),
            })
            .collect()
    });
    let element = tensor
        .and_then(|t| DataType::try_from(t.elem_type()).ok())
        .map_or_else(
            || "unknown".to_owned(),
            |t| t.as_str_name().to_ascii_lowercase(),
        );
    Port {
        name: value.name().to_owned(),
        shape,
        element,
    }
}

/// Bytes of one element; `None` where a type has no fixed size in whole bytes.
fn element_size(kind: DataType) -> Option<usize> {
    Some(match kind {
        DataType::Uint8 | DataType::Int8 | DataType::Bool => 1,
        DataType::Uint16 | DataType::Int16 | DataType::Float16 | DataType::Bfloat16 => 2,
        DataType::Float | DataType::Int32 | DataType::Uint32 => 4,
        DataType::Double | DataType::Int64 | DataType::Uint64 | DataType::Complex64 => 8,
        DataType::Complex128 => 16,
        _ => return None,
    })
}

/// The number of values that a tensor's shape asks for.
fn count(tensor: &TensorProto, name: &str) -> Result<usize> {
    let bad = || {
        Error::new(
            &codes::MODEL_FORMAT,
            format!("tensor `{name}` has the impossible shape {:?}", tensor.dims),
        )
    };
    let product = tensor.dims.iter().try_fold(1_u64, |n, &d| {
        u64::try_from(d).ok().and_then(|d| n.checked_mul(d))
    });
    let product = product.ok_or_else(bad)?;
    if product > MAX_VALUES {
        return Err(Error::new(
            &codes::MODEL_LIMITS,
            format!("tensor `{name}` has {product} values; at most {MAX_VALUES} are read"),
        ));
    }
    Ok(product as usize)
}

/// Whether the data fill the shape, so that nobody allocates what is not there.
fn check_tensor(tensor: &TensorProto, name: &str) -> Result<()> {
    let count = count(tensor, name)?;
    if tensor.data_location() == DataLocation::External {
        return Ok(());
    }
    let Ok(kind) = DataType::try_from(tensor.data_type()) else {
        return Err(Error::new(
            &codes::MODEL_FORMAT,
            format!(
                "tensor `{name}` has the unknown type {}",
                tensor.data_type()
            ),
        ));
    };
    let (expected, got) = if let Some(raw) = &tensor.raw_data {
        match element_size(kind) {
            Some(size) => (count.saturating_mul(size), raw.len()),
            None => (count.div_ceil(2).min(raw.len()), raw.len()),
        }
    } else {
        let got = match kind {
            DataType::Float => tensor.float_data.len(),
            DataType::Complex64 => tensor.float_data.len() / 2,
            DataType::Double => tensor.double_data.len(),
            DataType::Complex128 => tensor.double_data.len() / 2,
            DataType::Int64 => tensor.int64_data.len(),
            DataType::Uint32 | DataType::Uint64 => tensor.uint64_data.len(),
            DataType::String => tensor.string_data.len(),
            _ if element_size(kind).is_none() => count,
            _ => tensor.int32_data.len(),
        };
        (count, got)
    };
    if expected == got {
        return Ok(());
    }
    Err(Error::new(
        &codes::MODEL_FORMAT,
        format!(
            "tensor `{name}` of shape {:?} needs {expected} values or bytes and has {got}",
            tensor.dims
        ),
    ))
}

/// The values of a small integer tensor.
fn integers(tensor: &TensorProto) -> Vec<i64> {
    match &tensor.raw_data {
        Some(raw) if tensor.data_type() == DataType::Int64 as i32 => raw
            .as_chunks::<8>()
            .0
            .iter()
            .map(|bytes| i64::from_le_bytes(*bytes))
            .collect(),
        Some(raw) if tensor.data_type() == DataType::Int32 as i32 => raw
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| i64::from(i32::from_le_bytes(*bytes)))
            .collect(),
        Some(_) => Vec::new(),
        None => tensor
            .int64_data
            .iter()
            .copied()
            .chain(tensor.int32_data.iter().map(|&v| i64::from(v)))
            .collect(),
    }
}

/// The values of a small floating tensor.
#[cfg(test)]
pub(crate) fn floats_of(tensor: &TensorProto) -> Vec<f32> {
    floats(tensor)
}

/// The values of a small floating tensor.
fn floats(tensor: &TensorProto) -> Vec<f32> {
    match &tensor.raw_data {
        Some(raw) if tensor.data_type() == DataType::Float as i32 => raw
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect(),
        Some(_) => Vec::new(),
        None => tensor.float_data.clone(),
    }
}
