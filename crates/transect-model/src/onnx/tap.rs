//! Taps: tensors inside the graph that become outputs, so that every engine can give them.

use std::collections::{BTreeMap, BTreeSet};

use transect_core::codes::model as codes;
use transect_core::{Error, Result, Task};

use super::proto::{NodeProto, TypeProto, ValueInfoProto, type_proto};
use super::{Graph, TensorProto, floats};
use crate::onnx::proto::tensor_proto::DataType;

impl Graph {
    /// Makes a tensor of the graph an output, if it is not one already.
    ///
    /// # Errors
    /// `T313` when no operator of the graph gives a tensor of this name.
    pub fn tap(&mut self, name: &str) -> Result<()> {
        if self
            .graph()
            .output
            .iter()
            .any(|output| output.name() == name)
        {
            return Ok(());
        }
        if !self.tensors().any(|tensor| tensor == name) {
            let near: Vec<&str> = self
                .tensors()
                .filter(|t| t.contains(name))
                .take(12)
                .collect();
            let names: Vec<&str> = if near.is_empty() {
                self.tensors().take(12).collect()
            } else {
                near
            };
            return Err(Error::new(
                &codes::GRAPH_MISMATCH,
                format!("the graph has no tensor `{name}` to take as embedding"),
            )
            .note(format!(
                "tensors here: {}, … ({} in all)",
                names.join(", "),
                self.tensors().count()
            ))
            .help("name one of them with --embedding, or leave the option out for the default"));
        }
        let tensor = type_proto::Tensor {
            elem_type: Some(DataType::Float as i32),
            shape: None,
        };
        let value = ValueInfoProto {
            name: Some(name.to_owned()),
            r#type: Some(TypeProto {
                value: Some(type_proto::Value::TensorType(tensor)),
                ..TypeProto::default()
            }),
            ..ValueInfoProto::default()
        };
        if let Some(graph) = &mut self.model.graph {
            graph.output.push(value);
        }
        Ok(())
    }

    /// Names of the tensors that operators at the top level give, in the graph's order.
    pub fn tensors(&self) -> impl Iterator<Item = &str> {
        self.graph()
            .node
            .iter()
            .flat_map(|node| &node.output)
            .map(String::as_str)
            .filter(|name| !name.is_empty())
    }

    /// The default embedding of a model for a task, as the name of a tensor.
    ///
    /// Classification: the data input of the last `Gemm` or `MatMul` with constant weights on the way to `output`; where
    /// there is none, the output of the last global pooling. Maps: the tensor at the coarsest stride on the way to
    /// `output`; of several, the last in the graph's order. `None` where there is no such tensor.
    pub fn default_embedding(&self, task: Task, output: &str) -> Option<String> {
        let nodes = self.ancestors(output);
        match task {
            Task::Classification => self.classifier_embedding(&nodes),
            Task::Semantic | Task::Instance => self.deepest(&nodes),
        }
    }

    /// The nodes that `output` depends on, in the graph's order.
    pub(super) fn ancestors(&self, output: &str) -> Vec<&NodeProto> {
        let mut wanted: BTreeSet<&str> = BTreeSet::from([output]);
        let mut nodes = Vec::new();
        for node in self.graph().node.iter().rev() {
            if node
                .output
                .iter()
                .any(|name| wanted.contains(name.as_str()))
            {
                wanted.extend(
                    node.input
                        .iter()
                        .filter(|n| !n.is_empty())
                        .map(String::as_str),
                );
                nodes.push(node);
            }
        }
        nodes.reverse();
        nodes
    }

    fn classifier_embedding(&self, nodes: &[&NodeProto]) -> Option<String> {
        let graph_inputs: BTreeSet<String> = self.inputs().into_iter().map(|p| p.name).collect();
        let constant = self.constants(nodes);
        let dense = nodes
            .iter()
            .rev()
            .filter(|n| matches!(n.op_type(), "Gemm" | "MatMul"))
            .find_map(|node| {
                let [a, b, ..] = node.input.as_slice() else {
                    return None;
                };
                let data = if constant.contains(b.as_str()) {
                    a
                } else if constant.contains(a.as_str()) {
                    b
                } else {
                    return None;
                };
                (!graph_inputs.contains(data)).then(|| data.clone())
            });
        dense.or_else(|| {
            let pool = nodes
                .iter()
                .rev()
                .find(|n| matches!(n.op_type(), "GlobalAveragePool" | "GlobalMaxPool"))?;
            pool.output.first().cloned()
        })
    }

    /// Tensors that do not depend on the graph's input.
    pub(super) fn constants<'a>(&'a self, nodes: &[&'a NodeProto]) -> BTreeSet<&'a str> {
        let mut constant: BTreeSet<&str> = self
            .graph()
            .initializer
            .iter()
            .map(TensorProto::name)
            .collect();
        for node in nodes {
            if node
                .input
                .iter()
                .all(|name| name.is_empty() || constant.contains(name.as_str()))
            {
                constant.extend(node.output.iter().map(String::as_str));
            }
        }
        constant
    }

    /// The tensor at the coarsest stride.
    fn deepest(&self, nodes: &[&NodeProto]) -> Option<String> {
        let constant = self.constants(nodes);
        let mut strides: BTreeMap<&str, f64> =
            self.graph().input.iter().map(|i| (i.name(), 1.0)).collect();
        for name in &constant {
            strides.remove(name);
        }
        let mut best: Option<(&str, f64)> = None;
        for node in nodes {
            let known = node
                .input
                .iter()
                .filter_map(|name| strides.get(name.as_str()))
                .copied();
            // Where maps of two strides meet, the finer one rules: that is where a skip connection joins.
            let Some(stride) = known.reduce(f64::min) else {
                continue;
            };
            let attribute = |key: &str| node.attribute.iter().find(|a| a.name() == key);
            let step = attribute("strides")
                .and_then(|a| a.ints.iter().max().copied())
                .unwrap_or(1)
                .max(1) as f64;
            let out = match node.op_type() {
                "Conv" | "MaxPool" | "AveragePool" | "LpPool" => stride * step,
                "ConvTranspose" => stride / step,
                "SpaceToDepth" => {
                    stride
                        * attribute("blocksize")
                            .map_or(1, super::proto::AttributeProto::i)
                            .max(1) as f64
                }
                "DepthToSpace" => {
                    stride
                        / attribute("blocksize")
                            .map_or(1, super::proto::AttributeProto::i)
                            .max(1) as f64
                }
                "Resize" | "Upsample" => match self.resize_factor(node) {
                    Some(factor) => stride / factor,
                    None => continue,
                },
                "Shape" | "Size" | "GlobalAveragePool" | "GlobalMaxPool" | "ReduceMean"
                | "ReduceMax" | "Flatten" | "Reshape" | "Gemm" | "ArgMax" => continue,
                _ => stride,
            };
            for output in &node.output {
                strides.insert(output, out);
            }
            if let Some(output) = node.output.first()
                && out > 1.0
                && best.is_none_or(|(_, s)| out >= s)
            {
                best = Some((output, out));
            }
        }
        best.map(|(name, _)| name.to_owned())
    }

    /// The factor by which a `Resize` enlarges, where it is a constant of the graph.
    fn resize_factor(&self, node: &NodeProto) -> Option<f64> {
        let index = if node.op_type() == "Upsample" { 1 } else { 2 };
        let name = node.input.get(index).filter(|n| !n.is_empty())?;
        let initializer = self.graph().initializer.iter().find(|t| t.name() == name);
        let constant = || {
            let node = self
                .graph()
                .node
                .iter()
                .find(|n| n.op_type() == "Constant" && n.output.first() == Some(name))?;
            node.attribute
                .iter()
                .find(|a| a.name() == "value")?
                .t
                .as_ref()
        };
        let scales = floats(initializer.or_else(constant)?);
        scales.last().map(|&s| f64::from(s)).filter(|s| *s > 0.0)
    }
}
