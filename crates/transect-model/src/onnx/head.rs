//! The part of a graph behind one of its tensors.

use std::collections::BTreeSet;

use super::Graph;
use super::proto::tensor_proto::DataType;
use super::proto::tensor_shape_proto::{Dimension, dimension::Value as DimValue};
use super::proto::{
    GraphProto, ModelProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto, type_proto,
};

impl Graph {
    /// The graph that gives `output` from the tensor `from`, of this shape. `None` where `output` depends on the image by
    /// another way as well, or does not depend on `from`, or is it, or where a branch or loop stands between.
    pub fn head(&self, from: &str, output: &str, shape: &[usize]) -> Option<Self> {
        if from == output {
            return None;
        }
        let graph = self.graph();
        let inputs: BTreeSet<String> = self.inputs().into_iter().map(|p| p.name).collect();
        let mut wanted: BTreeSet<&str> = BTreeSet::from([output]);
        let mut nodes = Vec::new();
        for node in graph.node.iter().rev() {
            let gives = node
                .output
                .iter()
                .any(|name| name != from && wanted.contains(name.as_str()));
            if !gives {
                continue;
            }
            if node
                .attribute
                .iter()
                .any(|a| a.g.is_some() || !a.graphs.is_empty())
            {
                return None;
            }
            wanted.extend(
                node.input
                    .iter()
                    .filter(|n| !n.is_empty())
                    .map(String::as_str),
            );
            nodes.push(node.clone());
        }
        nodes.reverse();
        let other = inputs.iter().any(|name| wanted.contains(name.as_str()));
        if other || !wanted.contains(from) {
            return None;
        }
        let dims = shape
            .iter()
            .map(|&d| Dimension {
                value: Some(DimValue::DimValue(d as i64)),
                ..Dimension::default()
            })
            .collect();
        let input = ValueInfoProto {
            name: Some(from.to_owned()),
            r#type: Some(TypeProto {
                value: Some(type_proto::Value::TensorType(type_proto::Tensor {
                    elem_type: Some(DataType::Float as i32),
                    shape: Some(TensorShapeProto { dim: dims }),
                })),
                ..TypeProto::default()
            }),
            ..ValueInfoProto::default()
        };
        let initializer: Vec<TensorProto> = graph
            .initializer
            .iter()
            .filter(|t| wanted.contains(t.name()))
            .cloned()
            .collect();
        // Before version 4 of the format weights were inputs as well.
        let weights = graph
            .input
            .iter()
            .filter(|i| initializer.iter().any(|t| t.name() == i.name()));
        let head = GraphProto {
            node: nodes,
            name: Some("head".to_owned()),
            input: std::iter::once(input).chain(weights.cloned()).collect(),
            output: vec![ValueInfoProto {
                name: Some(output.to_owned()),
                ..graph
                    .output
                    .iter()
                    .find(|o| o.name() == output)
                    .cloned()
                    .unwrap_or_default()
            }],
            initializer,
            ..GraphProto::default()
        };
        Some(Self {
            model: ModelProto {
                ir_version: self.model.ir_version,
                opset_import: self.model.opset_import.clone(),
                functions: self.model.functions.clone(),
                graph: Some(head),
                ..ModelProto::default()
            },
            external: self.external,
        })
    }
}
