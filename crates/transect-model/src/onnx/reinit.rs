//! The same graph with its weights drawn anew.
//!
//! What is a weight is told by its use, through `Identity`, `Cast`, `Transpose`, `Reshape`, `Squeeze` and `Unsqueeze`:
//!
//! | use | new value |
//! |---|---|
//! | kernel of `Conv`, `ConvTranspose`; constant factor of `Gemm`, `MatMul` | normal, mean 0 |
//! | their bias; a constant vector added behind a weight layer | 0 |
//! | scale of a normalisation; a constant vector multiplied behind a weight layer | 1 |
//! | shift of a normalisation | 0 |
//! | mean and variance of `BatchNormalization` | re-estimated (0 and 1 before that) |
//! | slope of `PRelu` | 0.25 |
//! | constant of several axes added behind a weight layer (positions), vector joined there or expanded (class token) | normal, sd 0.02 |
//!
//! The standard deviation of a kernel is √(2 / ((1 + a²) · `fan_in`)) where the activation that follows is a rectifier (of
//! negative slope a: `Relu`, `LeakyRelu`, `PRelu`, and the smooth ones with a = 0), otherwise √(2 / (`fan_in` + `fan_out`)).
//! `fan_in` is the number of products summed for one output: of `Conv` channels / groups · kernel, of `ConvTranspose`
//! the same divided by the strides.
//!
//! Everything else stays: scalars, integers, what stands before the first weight layer (normalisation of the input), scales
//! of `Resize`, masks (fewer than 16 different values). What may be a weight and is in none of these places is refused by
//! name, and so are quantised and recurrent models.
//!
//! Exporters fold `BatchNormalization` into the convolution before it. In a graph that has no normalisation of any sort but
//! residual sums, whose variance would double with every block, a `BatchNormalization` is put back behind every convolution
//! that is neither the last nor behind a global pooling.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use transect_core::codes::model as codes;
use transect_core::fit::Normalisation;
use transect_core::{Error, Result, Stream};

use super::proto::attribute_proto::AttributeType;
use super::proto::tensor_proto::DataType;
use super::proto::tensor_shape_proto::{Dimension, dimension::Value as DimValue};
use super::proto::{
    AttributeProto, GraphProto, NodeProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, type_proto,
};
use super::{Graph, floats, integers};

/// Standard deviation of positions and class tokens.
const TOKEN_SD: f64 = 0.02;
/// A constant with fewer different values than this is a mask and no weight.
const MASK_VALUES: usize = 16;
/// Slope that `PRelu` begins with.
const PRELU: f32 = 0.25;

/// Operators that normalise by statistics of the tensor itself: scale and shift are their second and third input.
const NORMALISERS: [&str; 5] = [
    "InstanceNormalization",
    "GroupNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "SimplifiedLayerNormalization",
];
const RECTIFIERS: [&str; 14] = [
    "Relu",
    "LeakyRelu",
    "PRelu",
    "Elu",
    "Celu",
    "Selu",
    "Gelu",
    "Swish",
    "HardSwish",
    "Mish",
    "Softplus",
    "ThresholdedRelu",
    "Erf",
    "Clip",
];
const SATURATING: [&str; 6] = [
    "Sigmoid",
    "HardSigmoid",
    "Tanh",
    "Softmax",
    "LogSoftmax",
    "Softsign",
];
/// Operators that the search for the activation looks through.
const TRANSPARENT: [&str; 31] = [
    "BatchNormalization",
    "InstanceNormalization",
    "GroupNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "Add",
    "Sum",
    "Sub",
    "Mul",
    "Div",
    "Identity",
    "Cast",
    "Dropout",
    "Reshape",
    "Flatten",
    "Transpose",
    "Unsqueeze",
    "Squeeze",
    "Pad",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "ReduceMean",
    "Resize",
    "Upsample",
    "Concat",
    "DepthToSpace",
    "SpaceToDepth",
    "GlobalMaxPool",
    "Split",
    "Slice",
];
/// Operators that multiply by weights; the search for the activation ends there.
const LAYERS: [&str; 5] = ["Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum"];
/// Operators whose weights are not drawn anew.
const REFUSED: [&str; 14] = [
    "LSTM",
    "GRU",
    "RNN",
    "Einsum",
    "DeformConv",
    "QuantizeLinear",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "QLinearConv",
    "QLinearMatMul",
    "ConvInteger",
    "MatMulInteger",
    "Scan",
    "Loop",
];
/// Operators whose constants are no weights, whatever their size.
const PARAMETERS: [&str; 9] = [
    "Resize",
    "Upsample",
    "Pad",
    "Less",
    "LessOrEqual",
    "Greater",
    "GreaterOrEqual",
    "Equal",
    "Slice",
];

/// A `BatchNormalization` whose statistics are re-estimated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Open {
    /// Name of its output.
    pub(crate) output: String,
    /// Tensor that it normalises, an output of the open graph.
    pub(crate) tensor: String,
    /// Inputs of the open graph that take mean and variance.
    pub(crate) inputs: [String; 2],
    /// Channels.
    pub(crate) channels: usize,
}

/// What becomes of a constant.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    /// Drawn from a normal distribution of this standard deviation.
    Draw(f64),
    /// Replaced by one value everywhere.
    Fill(f32),
    Stay,
}

/// What to change in a graph.
#[derive(Debug, Default)]
struct Changes {
    /// Standard deviation by the tensor's name.
    draws: BTreeMap<String, f64>,
    /// (node, input, value, shape).
    fills: Vec<(usize, usize, f32, Vec<i64>)>,
    /// (node, channels) of every `BatchNormalization`.
    norms: Vec<(usize, usize)>,
}

fn refuse(what: impl Into<String>) -> Error {
    Error::new(&codes::REINIT_UNSUPPORTED, what)
}

impl Graph {
    /// Whether the weights can be drawn anew.
    ///
    /// # Errors
    /// `T324` with the operator or tensor that forbids it.
    pub fn can_reinitialise(&self) -> Result<()> {
        // Normalisation that is put back is known to be none.
        self.changes().map(|_| ())
    }

    /// Number of `BatchNormalization` layers that a copy has; 0 where weights cannot be drawn anew.
    pub fn normalisation_layers(&self) -> usize {
        let facts = Facts::of(self.graph());
        self.changes()
            .map_or(0, |changes| changes.norms.len() + facts.folded().len())
    }

    /// The same graph with weights drawn anew: copy `copy` under a run's seed. `statistics` are those of its
    /// `BatchNormalization` layers, every one.
    ///
    /// # Errors
    /// `T324` with the operator or tensor that forbids it; also where statistics are missing or have another number of channels.
    pub fn reinitialise(&self, seed: u64, copy: u32, statistics: &[Normalisation]) -> Result<Self> {
        let mut graph = self.renormalised();
        let changes = graph.changes()?;
        graph.draw(&changes, seed, copy);
        let by_output: BTreeMap<&str, &Normalisation> =
            statistics.iter().map(|s| (s.output.as_str(), s)).collect();
        for &(node, channels) in &changes.norms {
            let output = graph.graph().node[node].output[0].clone();
            let Some(given) = by_output.get(output.as_str()) else {
                return Err(refuse(format!(
                    "the statistics of the normalisation `{output}` were not re-estimated"
                )));
            };
            let (mean, variance) = (&given.mean, &given.variance);
            if mean.len() != channels || variance.len() != channels {
                return Err(refuse(format!(
                    "the layer `{output}` has {channels} channels, its statistics {} and {}",
                    mean.len(),
                    variance.len()
                )));
            }
            graph.set_input(node, 3, &[channels as i64], mean);
            graph.set_input(node, 4, &[channels as i64], variance);
        }
        Ok(graph)
    }

    /// The graph of [`Graph::reinitialise`] in which mean and variance of every `BatchNormalization` are inputs, and what it
    /// normalises is an output: for estimating them one after the other. In the order of the graph.
    ///
    /// # Errors
    /// As [`Graph::reinitialise`].
    pub(crate) fn reinitialise_open(&self, seed: u64, copy: u32) -> Result<(Self, Vec<Open>)> {
        let mut graph = self.renormalised();
        let changes = graph.changes()?;
        graph.draw(&changes, seed, copy);
        Ok(graph.open(&changes))
    }

    /// The same with the weights as they are.
    #[cfg(test)]
    pub(crate) fn opened(&self) -> Result<(Self, Vec<Open>)> {
        let changes = self.changes()?;
        Ok(self.clone().open(&changes))
    }

    fn open(mut self, changes: &Changes) -> (Self, Vec<Open>) {
        let graph = &mut self;
        let mut open = Vec::new();
        for &(node, channels) in &changes.norms {
            let target = graph.graph().node[node].clone();
            let output = target.output[0].clone();
            let made = Open {
                tensor: format!("transect:before:{output}"),
                inputs: [
                    format!("transect:mean:{output}"),
                    format!("transect:variance:{output}"),
                ],
                output,
                channels,
            };
            if let Some(proto) = &mut graph.model.graph {
                proto.node[node].input[3].clone_from(&made.inputs[0]);
                proto.node[node].input[4].clone_from(&made.inputs[1]);
                for name in &made.inputs {
                    proto.input.push(vector(name, Some(channels)));
                }
                proto.output.push(vector(&made.tensor, None));
            }
            open.push((node, target.input[0].clone(), made));
        }
        // From behind, so that places of nodes stay.
        for (node, input, made) in open.iter().rev() {
            if let Some(proto) = &mut graph.model.graph {
                let tap = NodeProto {
                    op_type: Some("Identity".to_owned()),
                    name: Some(made.tensor.clone()),
                    input: vec![input.clone()],
                    output: vec![made.tensor.clone()],
                    ..NodeProto::default()
                };
                proto.node.insert(*node, tap);
            }
        }
        (self, open.into_iter().map(|(_, _, made)| made).collect())
    }

    /// The graph itself, or, where it has residual sums and no normalisation, one with `BatchNormalization` behind its
    /// convolutions.
    fn renormalised(&self) -> Self {
        let mut copy = self.clone();
        let facts = Facts::of(self.graph());
        let places = facts.folded();
        let Some(graph) = &mut copy.model.graph else {
            return copy;
        };
        for (node, channels) in places.into_iter().rev() {
            let output = graph.node[node].output[0].clone();
            let raw = format!("transect:before:folded:{output}");
            graph.node[node].output[0].clone_from(&raw);
            let mut input = vec![raw];
            for (part, value) in [
                ("scale", 1.0),
                ("shift", 0.0),
                ("mean", 0.0),
                ("variance", 1.0),
            ] {
                let name = format!("transect:folded:{part}:{output}");
                graph
                    .initializer
                    .push(filled(&name, &[channels as i64], &vec![value; channels]));
                input.push(name);
            }
            graph.node.insert(
                node + 1,
                NodeProto {
                    op_type: Some("BatchNormalization".to_owned()),
                    name: Some(format!("transect:normalisation:{output}")),
                    input,
                    output: vec![output],
                    attribute: vec![AttributeProto {
                        name: Some("epsilon".to_owned()),
                        r#type: Some(AttributeType::Float as i32),
                        f: Some(1e-5),
                        ..AttributeProto::default()
                    }],
                    ..NodeProto::default()
                },
            );
        }
        copy.model.ir_version = copy.model.ir_version.map(|v| v.max(4));
        copy
    }

    fn changes(&self) -> Result<Changes> {
        let called = self.graph().node.iter().find(|node| {
            self.model
                .functions
                .iter()
                .any(|f| f.name() == node.op_type() && f.domain() == node.domain())
        });
        if let Some(node) = called {
            return Err(refuse(format!(
                "{} is a function of the model's own, whose weights are not drawn anew",
                named(node)
            )));
        }
        Facts::of(self.graph()).changes()
    }

    /// Draws weights and fills the rest, but for statistics.
    fn draw(&mut self, changes: &Changes, seed: u64, copy: u32) {
        let Some(graph) = &mut self.model.graph else {
            return;
        };
        let constants = graph
            .node
            .iter_mut()
            .filter(|n| n.op_type() == "Constant")
            .filter_map(|n| {
                let name = n.output.first()?.clone();
                let value = n.attribute.iter_mut().find(|a| a.name() == "value")?;
                Some((name, value.t.as_mut()?))
            });
        let initializers = graph
            .initializer
            .iter_mut()
            .map(|t| (t.name().to_owned(), t));
        for (name, tensor) in initializers.chain(constants) {
            let Some(&sd) = changes.draws.get(&name) else {
                continue;
            };
            let mut stream = Stream::new(
                seed,
                "model/reinit",
                &[&copy.to_le_bytes(), name.as_bytes()],
            );
            let count: i64 = tensor.dims.iter().product();
            let data: Vec<f32> = (0..count).map(|_| (sd * stream.normal()) as f32).collect();
            set(tensor, &data);
        }
        for (node, slot, value, dims) in &changes.fills {
            let count: i64 = dims.iter().product();
            self.set_input(*node, *slot, dims, &vec![*value; count as usize]);
        }
    }

    /// Gives an input of a node a tensor of its own.
    fn set_input(&mut self, node: usize, slot: usize, dims: &[i64], data: &[f32]) {
        let Some(graph) = &mut self.model.graph else {
            return;
        };
        let Some(target) = graph.node.get_mut(node) else {
            return;
        };
        let output = target.output.first().cloned().unwrap_or_default();
        let name = format!("transect:input{slot}:{output}");
        target.input[slot].clone_from(&name);
        graph.initializer.retain(|t| t.name() != name);
        graph.initializer.push(filled(&name, dims, data));
    }
}

fn filled(name: &str, dims: &[i64], data: &[f32]) -> TensorProto {
    let mut tensor = TensorProto {
        name: Some(name.to_owned()),
        dims: dims.to_vec(),
        data_type: Some(DataType::Float as i32),
        ..TensorProto::default()
    };
    set(&mut tensor, data);
    tensor
}

fn set(tensor: &mut TensorProto, data: &[f32]) {
    tensor.float_data.clear();
    tensor.raw_data = Some(data.iter().flat_map(|v| v.to_le_bytes()).collect());
}

/// A float port; of one axis where its length is given.
fn vector(name: &str, length: Option<usize>) -> ValueInfoProto {
    let shape = length.map(|n| TensorShapeProto {
        dim: vec![Dimension {
            value: Some(DimValue::DimValue(n as i64)),
            ..Dimension::default()
        }],
    });
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(type_proto::Tensor {
                elem_type: Some(DataType::Float as i32),
                shape,
            })),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

/// A constant of the graph, seen through what only moves its values.
struct Root<'a> {
    tensor: &'a TensorProto,
    name: &'a str,
    dims: Vec<i64>,
}

/// What is known of a graph's tensors.
struct Facts<'a> {
    graph: &'a GraphProto,
    constants: BTreeMap<&'a str, &'a TensorProto>,
    producer: BTreeMap<&'a str, usize>,
    consumers: BTreeMap<&'a str, Vec<usize>>,
    /// Tensors that depend on the graph's input.
    data: BTreeSet<&'a str>,
    /// Those of them that have passed a weight layer.
    behind: BTreeSet<&'a str>,
}

impl<'a> Facts<'a> {
    fn of(graph: &'a GraphProto) -> Self {
        let mut constants: BTreeMap<&str, &TensorProto> =
            graph.initializer.iter().map(|t| (t.name(), t)).collect();
        let mut data: BTreeSet<&str> = graph
            .input
            .iter()
            .map(ValueInfoProto::name)
            .filter(|name| !constants.contains_key(name))
            .collect();
        let (mut producer, mut consumers) = (BTreeMap::new(), BTreeMap::<&str, Vec<usize>>::new());
        let mut behind: BTreeSet<&str> = BTreeSet::new();
        for (index, node) in graph.node.iter().enumerate() {
            for output in &node.output {
                producer.insert(output.as_str(), index);
            }
            for input in node.input.iter().filter(|n| !n.is_empty()) {
                consumers.entry(input).or_default().push(index);
            }
            if node.op_type() == "Constant"
                && let Some(output) = node.output.first()
                && let Some(tensor) = attribute(node, "value").and_then(|a| a.t.as_ref())
            {
                constants.insert(output, tensor);
            }
            if node.input.iter().any(|n| data.contains(n.as_str())) {
                let passed = LAYERS.contains(&node.op_type())
                    || node.input.iter().any(|n| behind.contains(n.as_str()));
                for output in node.output.iter().filter(|n| !n.is_empty()) {
                    data.insert(output);
                    if passed {
                        behind.insert(output);
                    }
                }
            }
        }
        Self {
            graph,
            constants,
            producer,
            consumers,
            data,
            behind,
        }
    }

    /// The constant behind a tensor, where there is one and only its shape or order was changed.
    fn root(&self, name: &'a str) -> Option<Root<'a>> {
        if let Some(tensor) = self.constants.get(name) {
            return Some(Root {
                tensor,
                name,
                dims: tensor.dims.clone(),
            });
        }
        let node = &self.graph.node[*self.producer.get(name)?];
        let root = self.root(node.input.first()?)?;
        let axes = || {
            attribute(node, "axes").map(|a| a.ints.clone()).or_else(|| {
                let given = self.constants.get(node.input.get(1)?.as_str())?;
                Some(integers(given))
            })
        };
        let place = |axis: i64, rank: usize| {
            usize::try_from(if axis < 0 { axis + rank as i64 } else { axis }).ok()
        };
        let dims = match node.op_type() {
            // Expanded along axes of length 1: what is looked at is the constant itself.
            "Identity" | "Cast" | "Expand" => root.dims.clone(),
            "Transpose" => {
                let perm = attribute(node, "perm").map_or_else(
                    || (0..root.dims.len() as i64).rev().collect(),
                    |a| a.ints.clone(),
                );
                perm.iter()
                    .map(|&p| root.dims.get(usize::try_from(p).ok()?).copied())
                    .collect::<Option<_>>()?
            }
            "Reshape" => {
                let mut dims = integers(self.constants.get(node.input.get(1)?.as_str())?);
                let count: i64 = root.dims.iter().product();
                for (axis, dim) in dims.iter_mut().enumerate() {
                    if *dim == 0 {
                        *dim = *root.dims.get(axis)?;
                    }
                }
                let known: i64 = dims.iter().filter(|d| **d > 0).product();
                for dim in dims.iter_mut().filter(|d| **d < 0) {
                    *dim = count / known.max(1);
                }
                dims
            }
            "Unsqueeze" => {
                let axes = axes()?;
                let rank = root.dims.len() + axes.len();
                let places: BTreeSet<usize> = axes
                    .iter()
                    .map(|&a| place(a, rank))
                    .collect::<Option<_>>()?;
                let mut rest = root.dims.iter();
                (0..rank)
                    .map(|axis| {
                        if places.contains(&axis) {
                            Some(1)
                        } else {
                            rest.next().copied()
                        }
                    })
                    .collect::<Option<_>>()?
            }
            "Squeeze" => {
                let rank = root.dims.len();
                let places: Option<BTreeSet<usize>> =
                    axes().map(|axes| axes.iter().filter_map(|&a| place(a, rank)).collect());
                root.dims
                    .iter()
                    .enumerate()
                    .filter(|(axis, dim)| places.as_ref().map_or(**dim != 1, |p| !p.contains(axis)))
                    .map(|(_, &dim)| dim)
                    .collect()
            }
            _ => return None,
        };
        Some(Root { dims, ..root })
    }

    /// Floating constants of several values that a tensor without data is computed from.
    fn ingredients(&self, name: &'a str) -> Vec<&'a str> {
        let (mut found, mut queue) = (Vec::new(), vec![name]);
        let mut seen = BTreeSet::new();
        while let Some(name) = queue.pop() {
            if !seen.insert(name) {
                continue;
            }
            if let Some(tensor) = self.constants.get(name) {
                if floating(tensor) && tensor.dims.iter().product::<i64>() > 1 {
                    found.push(name);
                }
            } else if let Some(&node) = self.producer.get(name) {
                let node = &self.graph.node[node];
                // Lists in attributes, and tensors that an operator makes by itself.
                let list = attribute(node, "value_floats").is_some_and(|a| a.floats.len() > 1);
                if list || node.op_type() == "ConstantOfShape" && feeds_floats(node) {
                    found.push(name);
                }
                queue.extend(
                    node.input
                        .iter()
                        .filter(|n| !n.is_empty())
                        .map(String::as_str),
                );
            }
        }
        found
    }

    /// The activation that follows a node: the negative slope of a rectifier, or `None` for any other or none.
    fn rectifier(&self, node: usize) -> Option<f64> {
        let mut queue: VecDeque<&str> = self.graph.node[node]
            .output
            .iter()
            .take(1)
            .map(String::as_str)
            .collect();
        let mut seen: BTreeSet<&str> = queue.iter().copied().collect();
        while let Some(tensor) = queue.pop_front() {
            let consumers = self.consumers.get(tensor).map_or(&[][..], Vec::as_slice);
            for &index in consumers {
                let node = &self.graph.node[index];
                let op = node.op_type();
                if RECTIFIERS.contains(&op) || op == "Max" {
                    return Some(match op {
                        "LeakyRelu" => {
                            f64::from(attribute(node, "alpha").map_or(0.01, AttributeProto::f))
                        }
                        "PRelu" => f64::from(PRELU),
                        _ => 0.0,
                    });
                }
                if SATURATING.contains(&op) {
                    // x · sigmoid(x) is a smooth rectifier.
                    let gated = node.output.first().is_some_and(|gate| {
                        self.consumers.get(gate.as_str()).is_some_and(|users| {
                            users.iter().any(|&u| {
                                let user = &self.graph.node[u];
                                user.op_type() == "Mul" && user.input.iter().any(|n| n == tensor)
                            })
                        })
                    });
                    return gated.then_some(0.0);
                }
                if LAYERS.contains(&op) {
                    return None;
                }
                if TRANSPARENT.contains(&op) {
                    for output in node.output.iter().take(1) {
                        if seen.insert(output) {
                            queue.push_back(output);
                        }
                    }
                }
            }
        }
        None
    }

    /// The standard deviation of a layer's weights of this shape.
    fn deviation(&self, index: usize, slot: usize, dims: &[i64]) -> Option<f64> {
        let node = &self.graph.node[index];
        let dim = |axis: usize| dims.get(axis).map(|&d| d as f64);
        let kernel: f64 = dims.iter().skip(2).map(|&d| d as f64).product();
        let group = attribute(node, "group").map_or(1, AttributeProto::i).max(1) as f64;
        let strides: f64 = attribute(node, "strides")
            .map_or(1.0, |a| a.ints.iter().map(|&s| s.max(1) as f64).product());
        let last = dims.len().checked_sub(1)?;
        let (fan_in, fan_out) = match node.op_type() {
            "Conv" => (dim(1)? * kernel, dim(0)? / group * kernel),
            "ConvTranspose" => (
                (dim(0)? / group * kernel / strides).max(1.0),
                dim(1)? * kernel,
            ),
            "Gemm" => {
                let turned = attribute(node, if slot == 0 { "transA" } else { "transB" })
                    .is_some_and(|a| a.i() != 0);
                // A is (m, k) and B is (k, n).
                let inner = usize::from((slot == 0) != turned);
                (dim(inner)?, dim(1 - inner)?)
            }
            _ if last == 0 => (dim(0)?, 1.0),
            _ if slot == 0 => (dim(last)?, dim(last - 1)?),
            _ => (dim(last - 1)?, dim(last)?),
        };
        let variance = match self.rectifier(index) {
            Some(slope) => 2.0 / ((1.0 + slope * slope) * fan_in),
            None => 2.0 / (fan_in + fan_out),
        };
        variance.is_finite().then(|| variance.sqrt())
    }

    fn changes(&self) -> Result<Changes> {
        let mut changes = Changes::default();
        let mut layers = 0;
        for (index, node) in self.graph.node.iter().enumerate() {
            self.check_subgraphs(node)?;
            let op = node.op_type();
            if REFUSED.contains(&op) {
                return Err(refuse(format!(
                    "the model has the operator {op}, whose weights are not drawn anew"
                )));
            }
            if !node.input.iter().any(|n| self.data.contains(n.as_str())) {
                continue;
            }
            if op == "BatchNormalization" {
                changes.norms.push((index, self.norm_channels(node)?));
            }
            for (slot, input) in node.input.iter().enumerate() {
                if input.is_empty() || self.data.contains(input.as_str()) {
                    continue;
                }
                let Some(root) = self.root(input) else {
                    if LAYERS.contains(&op) {
                        return Err(refuse(format!(
                            "the model computes the weights `{input}` of {} in its graph",
                            named(node)
                        )));
                    }
                    if let Some(tensor) = self.ingredients(input).first() {
                        return Err(refuse(format!(
                            "the model computes an input of {} from the constant `{tensor}`, of which it is not known whether \
                             it is a weight",
                            named(node)
                        )));
                    }
                    continue;
                };
                match self.role(index, slot, &root)? {
                    Role::Stay => {}
                    Role::Draw(sd) => {
                        if root.tensor.data_type() != DataType::Float as i32 {
                            return Err(refuse(format!(
                                "the weights `{}` are not of type float",
                                root.name
                            )));
                        }
                        layers += usize::from(LAYERS.contains(&op));
                        changes.draws.entry(root.name.to_owned()).or_insert(sd);
                    }
                    Role::Fill(value) => changes.fills.push((index, slot, value, root.dims)),
                }
            }
        }
        if layers == 0 {
            return Err(refuse("the model has no weights that could be drawn anew"));
        }
        Ok(changes)
    }

    /// What becomes of a constant input.
    fn role(&self, index: usize, slot: usize, root: &Root<'_>) -> Result<Role> {
        let node = &self.graph.node[index];
        let op = node.op_type();
        let standard = matches!(node.domain(), "" | "ai.onnx");
        let count: i64 = root.dims.iter().product();
        let long = root.dims.iter().filter(|d| **d > 1).count();
        let behind = node.input.iter().any(|n| self.behind.contains(n.as_str()));
        let role = match (op, slot) {
            _ if !floating(root.tensor) => Role::Stay,
            ("Conv" | "ConvTranspose", 1) | ("Gemm" | "MatMul", 0 | 1) if standard => {
                let sd = self.deviation(index, slot, &root.dims).ok_or_else(|| {
                    refuse(format!(
                        "the weights `{}` have an impossible shape",
                        root.name
                    ))
                })?;
                Role::Draw(sd)
            }
            ("Conv" | "ConvTranspose" | "Gemm", 2) if standard => Role::Fill(0.0),
            ("BatchNormalization", 1) => Role::Fill(1.0),
            ("BatchNormalization", 2) => Role::Fill(0.0),
            ("BatchNormalization", _) => Role::Stay,
            (_, 1) if NORMALISERS.contains(&op) => Role::Fill(1.0),
            (_, 2) if NORMALISERS.contains(&op) => Role::Fill(0.0),
            ("PRelu", 1) => Role::Fill(PRELU),
            _ if count <= 1 || standard && PARAMETERS.contains(&op) => Role::Stay,
            ("Add" | "Sum" | "Sub" | "Mul" | "Div", _) if standard && !behind => Role::Stay,
            ("Add" | "Sum", _) | ("Sub", 1) if standard && long <= 1 => Role::Fill(0.0),
            ("Mul", _) | ("Div", 1) if standard && long <= 1 => Role::Fill(1.0),
            ("Add" | "Sum" | "Sub" | "Mul" | "Div", _) if standard && few(root.tensor) => {
                Role::Stay
            }
            ("Add" | "Sum", _) if standard => Role::Draw(TOKEN_SD),
            ("Concat", _) if standard && behind && long <= 1 => Role::Draw(TOKEN_SD),
            ("Expand", 0) if standard && long <= 1 => Role::Draw(TOKEN_SD),
            _ => {
                return Err(refuse(format!(
                    "{} takes the constant `{}` of shape {:?}, of which it is not known whether it is a weight",
                    named(node),
                    root.name,
                    root.tensor.dims
                )));
            }
        };
        Ok(role)
    }

    /// Channels of a `BatchNormalization` that runs as it does outside training.
    fn norm_channels(&self, node: &NodeProto) -> Result<usize> {
        let flag = |key: &str, normal: i64| attribute(node, key).map_or(normal, AttributeProto::i);
        if flag("training_mode", 0) != 0 || flag("spatial", 1) != 1 || node.input.len() < 5 {
            return Err(refuse(format!(
                "{} does not normalise by channel with given statistics",
                named(node)
            )));
        }
        let channels = node
            .input
            .get(3)
            .and_then(|name| self.root(name))
            .and_then(|root| usize::try_from(root.dims.iter().product::<i64>()).ok());
        channels.ok_or_else(|| {
            refuse(format!(
                "the statistics of {} are computed in the graph",
                named(node)
            ))
        })
    }

    /// Refuses weights within a branch or loop.
    fn check_subgraphs(&self, node: &NodeProto) -> Result<()> {
        for inner in node
            .attribute
            .iter()
            .flat_map(|a| a.g.iter().chain(&a.graphs))
            .flat_map(super::graphs)
        {
            let weight = inner
                .node
                .iter()
                .find(|n| LAYERS.contains(&n.op_type()) || n.op_type().ends_with("Normalization"));
            let own = inner
                .initializer
                .iter()
                .any(|t| floating(t) && t.dims.iter().product::<i64>() > 1);
            let taken = inner.node.iter().flat_map(|n| &n.input).any(|name| {
                self.constants
                    .get(name.as_str())
                    .is_some_and(|t| floating(t) && t.dims.iter().product::<i64>() > 1)
            });
            if weight.is_some() || own || taken {
                return Err(refuse(format!(
                    "{} has weights within a branch",
                    named(node)
                )));
            }
        }
        Ok(())
    }

    /// Convolutions, with their channels, that a normalisation was probably folded into.
    fn folded(&self) -> Vec<(usize, usize)> {
        let nodes = &self.graph.node;
        let normalised = nodes.iter().any(|n| {
            n.op_type().contains("Normalization") || matches!(n.op_type(), "Sqrt" | "LRN")
        });
        let residual = nodes.iter().any(|n| {
            matches!(n.op_type(), "Add" | "Sum")
                && n.input
                    .iter()
                    .filter(|i| self.behind.contains(i.as_str()))
                    .count()
                    > 1
        });
        if normalised || !residual {
            return Vec::new();
        }
        let mut pooled: BTreeSet<&str> = BTreeSet::new();
        for node in nodes {
            let of_data = || node.input.iter().filter(|n| self.data.contains(n.as_str()));
            let global = matches!(
                node.op_type(),
                "GlobalAveragePool" | "GlobalMaxPool" | "ReduceMean" | "ReduceMax"
            );
            if global || of_data().count() > 0 && of_data().all(|n| pooled.contains(n.as_str())) {
                pooled.extend(node.output.iter().map(String::as_str));
            }
        }
        // Tensors that a further weight layer takes, directly or not.
        let mut followed: BTreeSet<&str> = BTreeSet::new();
        for node in nodes.iter().rev() {
            let leads = LAYERS.contains(&node.op_type())
                || node.output.iter().any(|n| followed.contains(n.as_str()));
            if leads {
                followed.extend(node.input.iter().map(String::as_str));
            }
        }
        nodes
            .iter()
            .enumerate()
            .filter(|(_, n)| n.op_type() == "Conv")
            .filter(|(_, n)| {
                n.output
                    .first()
                    .is_some_and(|o| followed.contains(o.as_str()))
                    && n.input
                        .first()
                        .is_some_and(|i| !pooled.contains(i.as_str()))
            })
            .filter_map(|(index, n)| {
                let channels = *self.root(n.input.get(1)?)?.dims.first()?;
                Some((index, usize::try_from(channels).ok()?))
            })
            .collect()
    }
}

fn attribute<'n>(node: &'n NodeProto, key: &str) -> Option<&'n AttributeProto> {
    node.attribute.iter().find(|a| a.name() == key)
}

fn floating(tensor: &TensorProto) -> bool {
    [
        DataType::Float,
        DataType::Double,
        DataType::Float16,
        DataType::Bfloat16,
    ]
    .iter()
    .any(|kind| tensor.data_type() == *kind as i32)
}

/// Whether a `ConstantOfShape` gives floats; where nothing is said it does.
fn feeds_floats(node: &NodeProto) -> bool {
    attribute(node, "value")
        .and_then(|a| a.t.as_ref())
        .is_none_or(floating)
}

/// Whether a constant has so few different values that it is a mask.
fn few(tensor: &TensorProto) -> bool {
    let mut seen = BTreeSet::new();
    let values = floats(tensor);
    !values.is_empty()
        && values.iter().all(|v| {
            seen.insert(v.to_bits());
            seen.len() < MASK_VALUES
        })
}

fn named(node: &NodeProto) -> String {
    let name = match node.name() {
        "" => node.output.first().map_or("", String::as_str),
        name => name,
    };
    format!("operator {} (`{name}`)", node.op_type())
}
