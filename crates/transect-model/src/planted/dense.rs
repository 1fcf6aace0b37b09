//! What decoders make of single pixels, where it is known exactly.

use tempfile::TempDir;
use transect_core::{Dtype, Image};

use super::{described, description, grey, ints, model, node, options, port, weights, write};
use crate::onnx::proto::{ModelProto, NodeProto};
use crate::{Model, Options};

/// A network of steps of two: `features` holds the image and its left neighbour; at half size `deep` holds the largest of
/// each four pixels, times 3. Which of them feeds the last convolution is the choice of `ending`.
fn network(ending: Vec<NodeProto>) -> ModelProto {
    let mut kernels = vec![0.0; 18];
    kernels[4] = 1.0;
    kernels[9 + 3] = 1.0;
    let same = vec![ints("pads", &[1, 1, 1, 1])];
    let mut nodes = vec![
        node("Conv", &["image", "kernels"], "features", same),
        node(
            "MaxPool",
            &["image"],
            "small",
            vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])],
        ),
        node("Conv", &["small", "three"], "deep", vec![]),
    ];
    nodes.extend(ending);
    model(
        nodes,
        vec![
            weights("kernels", &[2, 1, 3, 3], kernels),
            weights("three", &[1, 1, 1, 1], vec![3.0]),
            weights("both", &[1, 2, 1, 1], vec![0.5, 0.25]),
            weights("wide", &[1, 2, 3, 3], vec![0.1; 18]),
            weights("up", &[1, 1, 2, 2], vec![1.0; 4]),
            weights("half", &[1], vec![0.5]),
        ],
        port("image", &[1, 1, 0, 0]),
        port("maps", &[1, 1, 0, 0]),
    )
}

const TOML: &str = r#"
name = "dense"
task = "semantic"
decode = "foreground"
thresholds = { foreground = 0.9 }
values = "raw"
[input]
axes = "bcyx"
channels = ["grey"]
size = { y = { min = 8, step = 2 }, x = { min = 8, step = 2 } }
[output]
axes = "bcyx"
halo = 4
"#;

fn fine() -> Vec<NodeProto> {
    vec![
        node("Conv", &["features", "both"], "logits", vec![]),
        node("Mul", &["logits", "half"], "scaled", vec![]),
        node("Sigmoid", &["scaled"], "maps", vec![]),
    ]
}

fn coarse() -> Vec<NodeProto> {
    vec![
        node(
            "ConvTranspose",
            &["deep", "up"],
            "logits",
            vec![ints("strides", &[2, 2])],
        ),
        node("Sigmoid", &["logits"], "maps", vec![]),
    ]
}

fn loaded(nodes: Vec<NodeProto>, toml: &str, tile: usize) -> (TempDir, Model) {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &network(nodes), toml);
    let model = Model::load(&Options {
        tile: Some(tile),
        ..options(folder.path())
    })
    .unwrap();
    (folder, model)
}

fn every(rows: usize, columns: usize) -> Vec<[usize; 2]> {
    (0..rows * columns)
        .map(|i| [i / columns, i % columns])
        .collect()
}

#[test]
fn values_at_pixels_are_exact_whole_and_in_tiles() {
    let image = grey(37, 53);
    let at = |r: usize, c: usize| image.samples()[r * 53 + c];
    let pixels = every(37, 53);
    for tile in [1024, 26, 16] {
        let (_folder, model) = loaded(fine(), TOML, tile);
        assert_eq!(model.dense_layer(), Some("features"));
        let mut session = model.session().unwrap();
        let output = session.predict_with_pixels(&image, true, &pixels).unwrap();
        assert_eq!(output.passes > 1, tile < 60, "{tile}");
        let dense = output.dense.unwrap();
        assert_eq!(dense.channels, 2);
        for (&[r, c], values) in pixels.iter().zip(dense.values.chunks(2)) {
            assert_eq!(values[0], at(r, c), "{tile}: {r} {c}");
            if c > 0 {
                assert_eq!(values[1], at(r, c - 1), "{tile}: {r} {c}");
            }
        }
        // The prediction is the same, and who asks for nothing gets nothing.
        let plain = session.predict(&image, true).unwrap();
        assert_eq!(plain.dense, None);
        assert_eq!(plain.prediction, output.prediction);
        assert_eq!(plain.embeddings, output.embeddings);
    }
}

#[test]
fn values_of_a_coarser_tensor_are_those_of_the_cell_that_holds_the_pixel() {
    let image = grey(40, 52);
    let at = |r: usize, c: usize| image.samples()[r * 52 + c];
    // Away from the edges too few tiles make no difference; each pixel once, in no order.
    let pixels: Vec<[usize; 2]> = every(40, 52).into_iter().rev().step_by(7).collect();
    for tile in [1024, 24] {
        let (_folder, model) = loaded(coarse(), TOML, tile);
        assert_eq!(model.dense_layer(), Some("deep"));
        let mut session = model.session().unwrap();
        let output = session.predict_with_pixels(&image, false, &pixels).unwrap();
        let dense = output.dense.unwrap();
        for (&[r, c], value) in pixels.iter().zip(&dense.values) {
            let (r, c) = (r / 2 * 2, c / 2 * 2);
            let most = at(r, c)
                .max(at(r, c + 1))
                .max(at(r + 1, c))
                .max(at(r + 1, c + 1));
            assert!((value - 3.0 * most).abs() < 1e-6, "{tile}: {r} {c}");
        }
    }
}

#[test]
fn a_resized_image_is_read_at_the_nearest_place() {
    let toml = TOML.replace(
        "values = \"raw\"\n",
        "values = \"raw\"\nresize = { method = \"nearest\", anti_alias = \"none\", size = [16, 24] }\n",
    );
    let image = grey(32, 48);
    let (_folder, model) = loaded(fine(), &toml, 1024);
    let pixels = every(32, 48);
    let mut session = model.session().unwrap();
    let output = session.predict_with_pixels(&image, false, &pixels).unwrap();
    let dense = output.dense.unwrap();
    for (&[r, c], values) in pixels.iter().zip(dense.values.chunks(2)) {
        // Each pixel that is fed stands for four, and is the last of them.
        let (r, c) = (r / 2 * 2 + 1, c / 2 * 2 + 1);
        assert_eq!(values[0], image.samples()[r * 48 + c], "{r} {c}");
    }
}

#[test]
fn a_convolution_without_padding_is_read_at_its_middle() {
    let axis = |id: &str| {
        format!(
            "  - {{id: {id}, type: space, size: {{tensor_id: image, axis_id: {id}, offset: -2}}, halo: 2}}"
        )
    };
    let graph = network(vec![
        node("Conv", &["features", "wide"], "logits", vec![]),
        node("Sigmoid", &["logits"], "maps", vec![]),
    ]);
    let folder = described(
        &graph,
        &description(&format!("{}\n{}", axis("y"), axis("x"))),
    );
    let model = Model::load(&options(folder.path())).unwrap();
    assert_eq!(model.dense_layer(), Some("features"));
    let mut session = model.session().unwrap();
    for (rows, columns) in [(9, 13), (50, 31)] {
        let image = grey(rows, columns);
        let pixels = every(rows, columns);
        let output = session.predict_with_pixels(&image, false, &pixels).unwrap();
        assert_eq!(output.passes > 1, rows > 20);
        let dense = output.dense.unwrap();
        for (&[r, c], values) in pixels.iter().zip(dense.values.chunks(2)) {
            assert_eq!(values[0], image.samples()[r * columns + c], "{r} {c}");
        }
    }
}

#[test]
fn what_has_no_single_tensor_before_its_output_has_no_dense_layer() {
    let none = |nodes: Vec<NodeProto>| {
        let (_folder, model) = loaded(nodes, TOML, 1024);
        assert_eq!(model.dense_layer(), None);
        let mut session = model.session().unwrap();
        let output = session
            .predict_with_pixels(&grey(16, 16), false, &[[3, 3]])
            .unwrap();
        assert_eq!(output.dense, None);
    };
    // The image itself; two tensors that differ; a step that is no convolution.
    none(vec![
        node("Conv", &["image", "three"], "logits", vec![]),
        node("Sigmoid", &["logits"], "maps", vec![]),
    ]);
    none(vec![
        node("Conv", &["features", "both"], "a", vec![]),
        node(
            "ConvTranspose",
            &["deep", "up"],
            "b",
            vec![ints("strides", &[2, 2])],
        ),
        node("Add", &["a", "b"], "sum", vec![]),
        node("Sigmoid", &["sum"], "maps", vec![]),
    ]);
    none(vec![
        node("Conv", &["features", "both"], "a", vec![]),
        node("Add", &["a", "image"], "sum", vec![]),
        node("Sigmoid", &["sum"], "maps", vec![]),
    ]);
    // Two heads on one tensor are no doubt.
    let (_folder, model) = loaded(
        vec![
            node("Conv", &["features", "both"], "a", vec![]),
            node("Sigmoid", &["a"], "b", vec![]),
            node("Conv", &["features", "both"], "c", vec![]),
            node("Mul", &["b", "c"], "product", vec![]),
            node("Sigmoid", &["product"], "maps", vec![]),
        ],
        TOML,
        1024,
    );
    assert_eq!(model.dense_layer(), Some("features"));
}

#[test]
fn copies_give_the_same_layer_with_other_values() {
    let (_folder, model) = loaded(fine(), TOML, 1024);
    let copy = model.reinitialised(1, 0, &[]).unwrap();
    assert_eq!(copy.dense_layer(), Some("features"));
    let image = Image::new(
        [1, 1, 16, 16],
        grey(16, 16).samples().to_vec(),
        Dtype::Float32,
    )
    .unwrap();
    let read = |model: &Model| {
        model
            .session()
            .unwrap()
            .predict_with_pixels(&image, false, &every(16, 16))
            .unwrap()
            .dense
            .unwrap()
    };
    let (own, other) = (read(&model), read(&copy));
    assert_eq!(own.channels, other.channels);
    assert_ne!(own.values, other.values);
}
