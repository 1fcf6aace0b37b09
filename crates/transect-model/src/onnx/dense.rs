//! The features from which the last convolution makes the output.

use std::collections::{BTreeMap, BTreeSet};

use super::Graph;
use super::proto::NodeProto;

/// Operators that work on each value, or each position, by itself, with data at every input.
const POINTWISE: [&str; 11] = [
    "Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean", "PRelu", "Concat",
];
/// The same with data at the first input only; and those that change the grid and keep the places.
const OF_FIRST: [&str; 34] = [
    "Sigmoid",
    "HardSigmoid",
    "Softmax",
    "LogSoftmax",
    "Relu",
    "LeakyRelu",
    "Elu",
    "Selu",
    "Celu",
    "Gelu",
    "HardSwish",
    "Mish",
    "Softplus",
    "Softsign",
    "ThresholdedRelu",
    "Tanh",
    "Exp",
    "Log",
    "Sqrt",
    "Abs",
    "Neg",
    "Clip",
    "Cast",
    "Identity",
    "Dropout",
    "BatchNormalization",
    "InstanceNormalization",
    "Slice",
    "Split",
    "Squeeze",
    "Unsqueeze",
    "Resize",
    "Upsample",
    "DepthToSpace",
];

/// What is needed to walk from the output towards the image.
struct Walk<'a> {
    makers: BTreeMap<&'a str, &'a NodeProto>,
    constant: BTreeSet<&'a str>,
    inputs: BTreeSet<String>,
    /// Answers known already: a graph may lead to one tensor by very many ways.
    known: BTreeMap<&'a str, Option<&'a str>>,
}

impl<'a> Walk<'a> {
    /// The data that feed the convolutions behind a tensor, where they are the same by every way.
    fn feeding(&mut self, tensor: &'a str, depth: usize) -> Option<&'a str> {
        /// Operators between the last convolution and the output, at most.
        const DEEPEST: usize = 64;
        if depth > DEEPEST {
            return None;
        }
        if let Some(known) = self.known.get(tensor) {
            return *known;
        }
        let node = *self.makers.get(tensor)?;
        let found = self.through(node, depth);
        self.known.insert(tensor, found);
        found
    }

    fn through(&mut self, node: &'a NodeProto, depth: usize) -> Option<&'a str> {
        let operator = node.op_type();
        let first = node.input.first().map(String::as_str)?;
        match operator {
            "Conv" | "ConvTranspose" => {
                let usable = !first.is_empty()
                    && !self.inputs.contains(first)
                    && !self.constant.contains(first);
                usable.then_some(first)
            }
            "Transpose" => {
                let turn = node.attribute.iter().find(|a| a.name() == "perm")?;
                // Channels last and back: rows stay before columns.
                matches!(turn.ints.as_slice(), [0, 2, 3, 1] | [0, 3, 1, 2])
                    .then(|| self.feeding(first, depth + 1))
                    .flatten()
            }
            _ if OF_FIRST.contains(&operator) => self.feeding(first, depth + 1),
            _ if POINTWISE.contains(&operator) => {
                let mut all = None;
                for input in node.input.iter().map(String::as_str) {
                    if input.is_empty() || self.constant.contains(input) {
                        continue;
                    }
                    let found = self.feeding(input, depth + 1)?;
                    if all.is_some_and(|known| known != found) {
                        return None;
                    }
                    all = Some(found);
                }
                all
            }
            _ => None,
        }
    }
}

impl Graph {
    /// The tensor that feeds the last convolution before `output`: from there up through what works on each value or position
    /// by itself, resizes included, to the first `Conv` or `ConvTranspose`; where several ways lead up (heads side by side),
    /// they must end in the same tensor. `None` where there is none, where ways differ, and where it is the image itself.
    pub fn dense_layer(&self, output: &str) -> Option<String> {
        let nodes = self.ancestors(output);
        let mut walk = Walk {
            makers: nodes
                .iter()
                .flat_map(|&node| node.output.iter().map(move |name| (name.as_str(), node)))
                .collect(),
            constant: self.constants(&nodes),
            inputs: self.inputs().into_iter().map(|p| p.name).collect(),
            known: BTreeMap::new(),
        };
        let output = nodes
            .iter()
            .flat_map(|node| &node.output)
            .find(|name| *name == output)?;
        walk.feeding(output, 0).map(str::to_owned)
    }
}
