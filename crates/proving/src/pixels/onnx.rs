//! ONNX graphs written by code.

use std::io;
use std::path::Path;

use prost::Message as _;
use transect_model::onnx::proto::tensor_proto::DataType;
use transect_model::onnx::proto::tensor_shape_proto::{Dimension, dimension};
use transect_model::onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, attribute_proto, type_proto,
};

/// An operator with one output; without attributes.
pub(super) fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: Some(op.to_owned()),
        input: inputs.iter().map(|s| (*s).to_owned()).collect(),
        output: vec![output.to_owned()],
        name: Some(format!("{op} to {output}")),
        ..NodeProto::default()
    }
}

/// The operator with an attribute that is a list of integers.
pub(super) fn with_ints(mut node: NodeProto, name: &str, values: &[i64]) -> NodeProto {
    node.attribute.push(AttributeProto {
        name: Some(name.to_owned()),
        r#type: Some(attribute_proto::AttributeType::Ints as i32),
        ints: values.to_vec(),
        ..AttributeProto::default()
    });
    node
}

/// The operator with an attribute that is an integer.
pub(super) fn with_int(mut node: NodeProto, name: &str, value: i64) -> NodeProto {
    node.attribute.push(AttributeProto {
        name: Some(name.to_owned()),
        r#type: Some(attribute_proto::AttributeType::Int as i32),
        i: Some(value),
        ..AttributeProto::default()
    });
    node
}

/// A tensor of floats.
pub(super) fn floats(name: &str, dims: &[i64], data: Vec<f32>) -> TensorProto {
    TensorProto {
        name: Some(name.to_owned()),
        dims: dims.to_vec(),
        data_type: Some(DataType::Float as i32),
        float_data: data,
        ..TensorProto::default()
    }
}

/// A list of integers.
pub(super) fn integers(name: &str, data: &[i64]) -> TensorProto {
    TensorProto {
        name: Some(name.to_owned()),
        dims: vec![data.len() as i64],
        data_type: Some(DataType::Int64 as i32),
        int64_data: data.to_vec(),
        ..TensorProto::default()
    }
}

/// An input or output; 0 is a free dimension.
fn port(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = dims
        .iter()
        .enumerate()
        .map(|(place, &size)| Dimension {
            value: Some(if size == 0 {
                dimension::Value::DimParam(format!("d{place}"))
            } else {
                dimension::Value::DimValue(size)
            }),
            ..Dimension::default()
        })
        .collect();
    let tensor = type_proto::Tensor {
        elem_type: Some(DataType::Float as i32),
        shape: Some(TensorShapeProto { dim }),
    };
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

/// Writes a graph and its description into a folder that there is.
pub(super) fn write(
    folder: &Path,
    nodes: Vec<NodeProto>,
    weights: Vec<TensorProto>,
    input: (&str, &[i64]),
    output: (&str, &[i64]),
    toml: &str,
) -> io::Result<()> {
    let model = ModelProto {
        ir_version: Some(8),
        opset_import: vec![OperatorSetIdProto {
            domain: Some(String::new()),
            version: Some(17),
        }],
        graph: Some(GraphProto {
            node: nodes,
            name: Some("planted".to_owned()),
            initializer: weights,
            input: vec![port(input.0, input.1)],
            output: vec![port(output.0, output.1)],
            ..GraphProto::default()
        }),
        ..ModelProto::default()
    };
    std::fs::write(folder.join("weights.onnx"), model.encode_to_vec())?;
    std::fs::write(folder.join("model.toml"), toml)
}
