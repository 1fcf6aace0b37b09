//! Variants of planted models: weights drawn anew, statistics re-estimated, heads, thresholds.

use std::path::PathBuf;

use transect_core::fit::Normalisation;

use super::*;
use crate::onnx::Graph;
use crate::onnx::proto::tensor_proto::DataType;
use crate::onnx::proto::{NodeProto, TensorProto};

fn floats_of(graph: &Graph, name: &str) -> Vec<f32> {
    let proto = ModelProto::decode(graph.encode().as_slice()).unwrap();
    let graph = proto.graph.unwrap();
    let node = graph
        .node
        .iter()
        .find(|n| n.output.iter().any(|o| o == name));
    // A tensor by its own name, or `output#slot` for the input of a node.
    let tensor = match name.split_once('#') {
        None => name.to_owned(),
        Some((output, slot)) => graph
            .node
            .iter()
            .find(|n| n.output[0] == output)
            .unwrap()
            .input[slot.parse::<usize>().unwrap()]
        .clone(),
    };
    let constant = node.and_then(|n| n.attribute.iter().find_map(|a| a.t.clone()));
    let found = graph
        .initializer
        .iter()
        .find(|t| t.name() == tensor)
        .cloned()
        .or(constant)
        .unwrap_or_else(|| panic!("no tensor {tensor}"));
    assert_eq!(found.data_type(), DataType::Float as i32);
    super::super::onnx::floats_of(&found)
}

fn graph(model: &ModelProto) -> Graph {
    Graph::read(&model.encode_to_vec()).unwrap()
}

fn spread(values: &[f32]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = values
        .iter()
        .map(|&v| (f64::from(v) - mean).powi(2))
        .sum::<f64>()
        / n;
    (mean, variance.sqrt())
}

/// Whether draws have this standard deviation, within five standard errors.
fn drawn(values: &[f32], sd: f64, what: &str) {
    let (mean, got) = spread(values);
    let n = values.len() as f64;
    assert!(mean.abs() < 5.0 * sd / n.sqrt(), "{what}: mean {mean}");
    assert!(
        (got - sd).abs() < 5.0 * sd / (2.0 * n).sqrt(),
        "{what}: sd {got}, expected {sd}"
    );
}

/// A classifier with everything that is recognised, on images of 3 × 8 × 8.
fn zoo() -> ModelProto {
    let norm = |name: &str| {
        ["s", "b", "m", "v"].map(|part| weights(&format!("{name}{part}"), &[32], vec![3.0; 32]))
    };
    let mut initializer = vec![
        weights("offset", &[3, 1, 1], vec![0.4, 0.5, 0.6]),
        weights("w1", &[32, 3, 3, 3], vec![1.0; 864]),
        weights("c1", &[32], vec![2.0; 32]),
        weights("w2", &[32, 8, 3, 3], vec![1.0; 2304]),
        weights("slope", &[32, 1, 1], vec![9.0; 32]),
        weights("w3", &[32, 16, 2, 2], vec![1.0; 2048]),
        weights("w4", &[4, 4, 32, 24], vec![1.0; 12288]),
        integers("flat", &[-1, 24]),
        weights("bias4", &[24], vec![5.0; 24]),
        weights("place", &[1, 16, 24], (0..384).map(|v| v as f32).collect()),
        weights(
            "mask",
            &[16, 24],
            (0..384).map(|v| (v % 2) as f32).collect(),
        ),
        weights("half", &[], vec![0.5]),
        weights("lw", &[24], vec![4.0; 24]),
        weights("lb", &[24], vec![4.0; 24]),
        weights("w5", &[10, 24], vec![1.0; 240]),
        weights("c5", &[10], vec![1.0; 10]),
    ];
    initializer.extend(norm("n"));
    model(
        vec![
            node("Sub", &["image", "offset"], "centred", vec![]),
            node(
                "Conv",
                &["centred", "w1", "c1"],
                "c",
                vec![ints("pads", &[1, 1, 1, 1])],
            ),
            node(
                "BatchNormalization",
                &["c", "ns", "nb", "nm", "nv"],
                "n",
                vec![],
            ),
            node("Relu", &["n"], "r", vec![]),
            node(
                "Conv",
                &["r", "w2"],
                "d",
                vec![ints("pads", &[1, 1, 1, 1]), int("group", 4)],
            ),
            node("PRelu", &["d", "slope"], "p", vec![]),
            node(
                "ConvTranspose",
                &["p", "w3"],
                "up",
                vec![ints("strides", &[2, 2])],
            ),
            node("Sigmoid", &["up"], "gate", vec![]),
            node("Mul", &["up", "gate"], "silu", vec![]),
            node(
                "MaxPool",
                &["silu"],
                "q",
                vec![ints("kernel_shape", &[4, 4]), ints("strides", &[4, 4])],
            ),
            node("Reshape", &["q", "tokens"], "t", vec![]),
            node("Reshape", &["w4", "flat"], "w4f", vec![]),
            node("MatMul", &["t", "w4f"], "a", vec![]),
            node("Add", &["a", "bias4"], "ab", vec![]),
            node("Mul", &["ab", "mask"], "ag", vec![]),
            node("Mul", &["ag", "half"], "ah", vec![]),
            node("Add", &["ah", "place"], "at", vec![]),
            node(
                "LayerNormalization",
                &["at", "lw", "lb"],
                "l",
                vec![int("axis", -1)],
            ),
            node(
                "ReduceMean",
                &["l"],
                "features",
                vec![ints("axes", &[1]), int("keepdims", 0)],
            ),
            node(
                "Gemm",
                &["features", "w5", "c5"],
                "logits",
                vec![int("transB", 1)],
            ),
        ],
        {
            initializer.push(integers("tokens", &[1, 1, 256]));
            initializer
        },
        port("image", &[0, 3, 8, 8]),
        port("logits", &[0, 10]),
    )
}

fn residual() -> ModelProto {
    residual_with(false)
}

fn ones(output: &str, channels: usize) -> Normalisation {
    Normalisation {
        output: output.to_owned(),
        mean: vec![0.5; channels],
        variance: vec![2.0; channels],
    }
}

#[test]
fn every_weight_gets_the_initialisation_of_what_follows_and_constants_stay() {
    // Only the graph is looked at: the zoo need not run.
    let zoo = graph(&zoo());
    let made = zoo.reinitialise(3, 0, &[ones("n", 32)]).unwrap();
    let of = |name: &str| floats_of(&made, name);
    // Behind rectifiers: 2 / fan_in; w3 reaches x · sigmoid(x) and stands over strides of 2 × 2.
    drawn(&of("w1"), (2.0_f64 / 27.0).sqrt(), "w1");
    drawn(&of("w2"), (2.0_f64 / (72.0 * (1.0 + 0.0625))).sqrt(), "w2");
    drawn(&of("w3"), (2.0_f64 / 32.0).sqrt(), "w3");
    // Nothing behind: Glorot; w4 is used as 512 × 24.
    drawn(&of("w4"), (2.0_f64 / (512.0 + 24.0)).sqrt(), "w4");
    drawn(&of("w5"), (2.0_f64 / (24.0 + 10.0)).sqrt(), "w5");
    drawn(&of("place"), 0.02, "place");
    for (name, value, count) in [
        ("c#2", 0.0, 32),
        ("n#1", 1.0, 32),
        ("n#2", 0.0, 32),
        ("n#3", 0.5, 32),
        ("n#4", 2.0, 32),
        ("p#1", 0.25, 32),
        ("ab#1", 0.0, 24),
        ("l#1", 1.0, 24),
        ("l#2", 0.0, 24),
        ("logits#2", 0.0, 10),
    ] {
        assert_eq!(of(name), vec![value; count], "{name}");
    }
    for name in ["offset", "mask", "half"] {
        assert_eq!(of(name), floats_of(&zoo, name), "{name}");
    }
    // Without its statistics there is no copy.
    let error = zoo.reinitialise(3, 0, &[]).unwrap_err();
    assert_eq!(error.code.id, "T324");
    assert!(error.message.contains("`n`"), "{}", error.message);
}

#[test]
fn copies_differ_and_each_is_the_same_twice() {
    let zoo = graph(&zoo());
    let draw = |seed, copy| {
        floats_of(
            &zoo.reinitialise(seed, copy, &[ones("n", 32)]).unwrap(),
            "w1",
        )
    };
    assert_eq!(draw(1, 0), draw(1, 0));
    assert_ne!(draw(1, 0), draw(1, 1));
    assert_ne!(draw(1, 0), draw(2, 0));
}

#[test]
fn what_may_be_a_weight_and_is_not_known_to_be_none_is_refused_by_name() {
    let refused = |nodes: Vec<NodeProto>, tensors: Vec<TensorProto>| {
        let made = graph(&model(
            nodes,
            tensors,
            port("image", &[1, 1, 8, 8]),
            port("maps", &[1, 1, 8, 8]),
        ));
        made.can_reinitialise().unwrap_err().message
    };
    let kernel = || weights("k", &[1, 1, 1, 1], vec![1.0]);
    let conv = || node("Conv", &["image", "k"], "c", vec![]);
    let cases = [
        (
            vec![node("Relu", &["image"], "maps", vec![])],
            vec![],
            "no weights",
        ),
        (
            vec![conv(), node("Where", &["m", "c", "table"], "maps", vec![])],
            vec![
                kernel(),
                weights("table", &[8, 8], noise(64)),
                integers("m", &[1]),
            ],
            "`table`",
        ),
        (
            vec![conv(), node("Mul", &["c", "window"], "maps", vec![])],
            vec![kernel(), weights("window", &[8, 8], noise(64))],
            "`window`",
        ),
        (
            vec![
                node("Mul", &["k", "gain"], "kk", vec![]),
                node("Conv", &["image", "kk"], "maps", vec![]),
            ],
            vec![kernel(), weights("gain", &[1], vec![1.0])],
            "`kk`",
        ),
        (
            vec![
                node("DequantizeLinear", &["k", "gain"], "kk", vec![]),
                node("Conv", &["image", "kk"], "maps", vec![]),
            ],
            vec![kernel(), weights("gain", &[1], vec![1.0])],
            "DequantizeLinear",
        ),
        (
            vec![conv(), node("LSTM", &["c", "wx", "wh"], "maps", vec![])],
            vec![
                kernel(),
                weights("wx", &[1, 4, 8], noise(32)),
                weights("wh", &[1, 4, 1], noise(4)),
            ],
            "LSTM",
        ),
    ];
    for (nodes, tensors, name) in cases {
        let message = refused(nodes, tensors);
        assert!(message.contains(name), "{message}");
    }
}

/// A residual network of eight blocks from which normalisation is gone, or in which it was kept.
fn residual_with(kept: bool) -> ModelProto {
    let mut nodes = vec![node(
        "Conv",
        &["image", "stem"],
        "x0",
        vec![ints("pads", &[1, 1, 1, 1])],
    )];
    let mut tensors = vec![weights("stem", &[16, 1, 3, 3], vec![0.1; 144])];
    for block in 0..8 {
        let (x, k, c, s, y) = (
            format!("x{block}"),
            format!("k{block}"),
            format!("c{block}"),
            format!("s{block}"),
            format!("x{}", block + 1),
        );
        nodes.push(node(
            "Conv",
            &[&x, &k],
            &c,
            vec![ints("pads", &[1, 1, 1, 1])],
        ));
        nodes.push(node("Add", &[&x, &c], &s, vec![]));
        nodes.push(node("Relu", &[&s], &y, vec![]));
        tensors.push(weights(&k, &[16, 16, 3, 3], vec![0.01; 2304]));
    }
    if kept {
        let mut with = Vec::new();
        for mut layer in nodes {
            let output = layer.output[0].clone();
            let raw = format!("{output}:raw");
            if layer.op_type() != "Conv" {
                with.push(layer);
                continue;
            }
            layer.output[0].clone_from(&raw);
            with.push(layer);
            let names = ["s", "b", "m", "v"].map(|part| format!("{output}:{part}"));
            let inputs = [&raw[..], &names[0], &names[1], &names[2], &names[3]];
            with.push(node("BatchNormalization", &inputs, &output, vec![]));
            tensors.extend(names.iter().map(|n| weights(n, &[16], vec![4.0; 16])));
        }
        nodes = with;
    }
    nodes.push(node("GlobalAveragePool", &["x8"], "g", vec![]));
    nodes.push(node("Flatten", &["g"], "features", vec![]));
    nodes.push(node(
        "Gemm",
        &["features", "w", "b"],
        "logits",
        vec![int("transB", 1)],
    ));
    tensors.push(weights("w", &[3, 16], vec![0.1; 48]));
    tensors.push(weights("b", &[3], vec![0.1; 3]));
    model(
        nodes,
        tensors,
        port("image", &[0, 1, 16, 16]),
        port("logits", &[0, 3]),
    )
}

const CLASSIFIER: &str = r#"
name = "classifier"
task = "classification"
classes = ["a", "b", "c"]
[input]
axes = "bcyx"
channels = ["grey"]
size = { y = 16, x = 16 }
[output]
axes = "bc"
activation = "softmax"
"#;

fn classifier(proto: &ModelProto) -> (TempDir, Model) {
    let folder = TempDir::new().unwrap();
    write(folder.path(), proto, CLASSIFIER);
    let model = Model::load(&options(folder.path())).unwrap();
    (folder, model)
}

fn images(count: usize) -> Vec<Image> {
    let mut stream = transect_core::Stream::new(11, "images", &[]);
    (0..count)
        .map(|i| {
            let gain = 0.3 + i as f64;
            let samples = (0..256).map(|_| (gain * stream.normal()) as f32).collect();
            Image::new([1, 1, 16, 16], samples, Dtype::Float32).unwrap()
        })
        .collect()
}

#[test]
fn a_residual_network_without_normalisation_gets_it_back_and_stays_sane() {
    let (_folder, model) = classifier(&residual());
    let images = images(8);
    let statistics = model.estimate_normalisation(5, 2, &images).unwrap();
    // Behind the stem and every block, not behind the classifier.
    assert_eq!(statistics.len(), 9);
    // As if it had never been folded.
    let (_folder, kept) = classifier(&residual_with(true));
    assert_eq!(
        kept.estimate_normalisation(5, 2, &images).unwrap(),
        statistics
    );
    let copy = model.reinitialised(5, 2, &statistics).unwrap();
    let mut session = copy.session().unwrap();
    let outputs: Vec<crate::Output> = images
        .iter()
        .map(|i| session.predict(i, true).unwrap())
        .collect();
    let length = |o: &crate::Output| o.embeddings[0].1.iter().map(|v| v * v).sum::<f32>().sqrt();
    for o in &outputs {
        assert!((0.1..100.0).contains(&length(o)), "{}", length(o));
    }
    assert_ne!(outputs[0].embeddings, outputs[7].embeddings);
    assert_ne!(copy.fingerprint(), model.fingerprint());
    // A branch's part in the sum is bounded, where without normalisation it would grow with every block: the first and the
    // last block meet activations whose sizes differ by the number of blocks at most, and not by its power.
    let size =
        |s: &Normalisation| (s.variance.iter().sum::<f32>() / s.variance.len() as f32).sqrt();
    let (first, last) = (size(&statistics[1]), size(&statistics[8]));
    assert!(last < 8.0 * 2.0 * first, "{first} {last}");
}

#[test]
fn batch_statistics_are_those_of_pytorch() {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../golden/normalisation");
    let bytes = std::fs::read(golden.join("values.json")).unwrap();
    let values: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let list = |value: &serde_json::Value| -> Vec<f32> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_f64().unwrap() as f32)
            .collect()
    };
    let shape = list(&values["shape"]);
    let (batch, side) = (shape[0] as usize, shape[2] as usize);
    let data = list(&values["images"]);
    let fed: Vec<crate::Tensor> = data
        .chunks(data.len() / batch)
        .map(|d| crate::Tensor {
            shape: vec![1, 3, side, side],
            data: d.to_vec(),
        })
        .collect();
    let graph = Graph::read(&std::fs::read(golden.join("net.onnx")).unwrap()).unwrap();
    let (open, layers) = graph.opened().unwrap();
    let engine = crate::engine::Embedded::load(&open).unwrap();
    let found = crate::variant::estimate(
        crate::engine::Engine::session(&engine).unwrap().as_mut(),
        "image",
        &fed,
        &layers,
    )
    .unwrap();
    let close = |got: &[f32], want: &[f32], what: &str| {
        assert_eq!(got.len(), want.len());
        for (i, (a, b)) in got.iter().zip(want).enumerate() {
            assert!(
                (a - b).abs() <= 2e-5 * b.abs().max(1.0),
                "{what} {i}: {a}, PyTorch {b}"
            );
        }
    };
    for (index, layer) in found.iter().enumerate() {
        assert_eq!(layer.output, values["layers"][index].as_str().unwrap());
        close(&layer.mean, &list(&values["mean"][index]), "mean");
        close(
            &layer.variance,
            &list(&values["variance"][index]),
            "variance",
        );
    }
    // And with them the network gives what PyTorch gives for the batch.
    let mut session = crate::engine::Engine::session(&engine).unwrap();
    for (image, expected) in fed.iter().zip(values["logits"].as_array().unwrap()) {
        let mut inputs = vec![("image".to_owned(), image.clone())];
        for (layer, statistics) in layers.iter().zip(&found) {
            for (name, values) in layer
                .inputs
                .iter()
                .zip([&statistics.mean, &statistics.variance])
            {
                inputs.push((
                    name.clone(),
                    crate::Tensor {
                        shape: vec![values.len()],
                        data: values.clone(),
                    },
                ));
            }
        }
        let logits = session.run(inputs, &["logits".to_owned()]).unwrap();
        close(&logits[0].data, &list(expected), "logits");
    }
}

#[test]
fn the_head_gives_what_the_whole_gives() {
    let (_folder, model) = classifier(&residual());
    assert_eq!(model.head_layer(), Some("features"));
    assert_eq!(model.head_length(), Some(16));
    let mut session = model.session().unwrap();
    let mut head = model.head_session().unwrap().unwrap();
    for image in images(4) {
        let whole = session.predict(&image, true).unwrap();
        let part = head.predict(&whole.embeddings[0].1, &image).unwrap();
        let (Prediction::Classes(a), Prediction::Classes(b)) = (whole.prediction, part.prediction)
        else {
            panic!("no classes")
        };
        for (p, q) in a.probabilities.iter().zip(&b.probabilities) {
            assert!((p - q).abs() < 1e-6, "{p} {q}");
        }
        assert!(head.predict(&[0.0; 3], &image).is_err());
    }
}

#[test]
fn a_map_or_an_embedding_that_is_gone_around_has_no_head() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &hourglass(0, 0), HOURGLASS);
    assert_eq!(
        Model::load(&options(folder.path())).unwrap().head_layer(),
        None
    );
    // The classifier also sees the image's mean directly.
    let mut around = residual();
    let graph = around.graph.as_mut().unwrap();
    graph.node.last_mut().unwrap().output[0] = "own".to_owned();
    graph.node.push(node(
        "ReduceMean",
        &["image"],
        "mean",
        vec![ints("axes", &[1, 2, 3]), int("keepdims", 1)],
    ));
    graph.node.push(node("Flatten", &["mean"], "flat", vec![]));
    graph
        .node
        .push(node("Add", &["own", "flat"], "logits", vec![]));
    assert_eq!(classifier(&around).1.head_layer(), None);
}

#[test]
fn a_threshold_changes_the_decoder_alone() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &hourglass(0, 0), HOURGLASS);
    let model = Model::load(&options(folder.path())).unwrap();
    assert_eq!(model.threshold(), Some(0.9));
    let higher = model.with_threshold(0.995).unwrap();
    assert_eq!(higher.threshold(), Some(0.995));
    assert_ne!(higher.fingerprint(), model.fingerprint());
    let area = |model: &Model| {
        let output = model
            .session()
            .unwrap()
            .predict(&grey(40, 40), true)
            .unwrap();
        let Prediction::Semantic(semantic) = output.prediction else {
            panic!("no mask")
        };
        semantic.mask.labels().iter().filter(|&&v| v == 1).count()
    };
    assert!(area(&higher) < area(&model));
    assert!(model.with_threshold(1.5).is_err());
    assert!(classifier(&residual()).1.with_threshold(0.5).is_err());
}

/// Copies of the models that the project audits: outputs are finite and not one saturated constant, embeddings not all zero.
#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn copies_of_published_models_stay_sane() {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/models");
    if !shared.is_dir() {
        eprintln!("skipped: ../shared/models is absent");
        return;
    }
    for (name, channels, side) in [
        ("wbc_cnn_d1", 3, 96),
        ("bioimageio_unet2d_nuclei_broad", 1, 256),
        ("nuclei_unet_fluo", 1, 64),
    ] {
        let mut given = options(&shared.join(name));
        if name == "bioimageio_unet2d_nuclei_broad" {
            given.task = Some(transect_core::Task::Semantic);
            given.decode = Some(crate::Decode::Foreground);
            given.thresholds.foreground = Some(0.5);
        }
        let model = Model::load(&given).unwrap_or_else(|e| panic!("{name}: {e}"));
        model.can_reinitialise().unwrap();
        let mut stream = transect_core::Stream::new(2, "published", &[]);
        let size = channels * side * side;
        let image = Image::new(
            [channels, 1, side, side],
            (0..size)
                .map(|i| {
                    (90.0 + 60.0 * ((i % side) as f64 / 9.0).sin() + 15.0 * stream.normal())
                        .clamp(0.0, 255.0)
                        .round() as f32
                })
                .collect(),
            Dtype::Uint8,
        )
        .unwrap();
        let mut embeddings: Vec<Vec<f32>> = Vec::new();
        for copy in 0..2 {
            assert!(
                model
                    .estimate_normalisation(1, copy, std::slice::from_ref(&image))
                    .unwrap()
                    .is_empty()
            );
            let copied = model.reinitialised(1, copy, &[]).unwrap();
            let mut session = copied.session().unwrap();
            let block = crate::session::prepare(&copied, &image).unwrap();
            let raw = session
                .forward(&block, crate::session::Wanted::default())
                .unwrap();
            let (_, sd) = spread(&raw.output.data);
            assert!(raw.output.data.iter().all(|v| v.is_finite()));
            assert!(
                sd > 1e-4 && sd < 1e3,
                "{name} copy {copy}: sd of the output {sd}"
            );
            let output = session.predict(&image, true).unwrap();
            let embedding = output.embeddings[0].1.clone();
            let (_, sd) = spread(&embedding);
            assert!(
                sd > 1e-3 && sd < 1e3,
                "{name} copy {copy}: sd of the embedding {sd}"
            );
            embeddings.push(embedding);
        }
        assert_ne!(embeddings[0], embeddings[1]);
    }
}
