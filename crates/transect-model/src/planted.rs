//! Small graphs made by hand, whose output is known exactly.

mod dense;
mod variants;

use std::path::Path;

use prost::Message as _;
use tempfile::TempDir;
use transect_core::{Dtype, Image, Prediction};

use crate::onnx::build::{int, integers, ints, model, node, port, weights};
use crate::onnx::proto::tensor_proto::DataLocation;
use crate::onnx::proto::{AttributeProto, ModelProto, StringStringEntryProto, attribute_proto};
use crate::{EngineChoice, Model, Options};

fn write(folder: &Path, model: &ModelProto, toml: &str) {
    std::fs::write(folder.join("weights.onnx"), model.encode_to_vec()).unwrap();
    std::fs::write(folder.join("model.toml"), toml).unwrap();
}

fn options(folder: &Path) -> Options {
    Options {
        engine: EngineChoice::Embedded,
        ..Options::new(folder)
    }
}

fn failure(folder: &Path) -> String {
    match Model::load(&options(folder)) {
        Ok(_) => panic!("it loaded"),
        Err(errors) => errors.to_string(),
    }
}

fn noise(count: usize) -> Vec<f32> {
    let mut stream = transect_core::Stream::new(7, "planted", &[]);
    (0..count).map(|_| stream.uniform() as f32).collect()
}

/// Pooling to half, a convolution, and back: a network with a grid of two pixels.
fn hourglass(height: i64, width: i64) -> ModelProto {
    let kernel = noise(9);
    let up: Vec<f32> = vec![1.0; 4];
    model(
        vec![
            node(
                "MaxPool",
                &["image"],
                "small",
                vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])],
            ),
            node(
                "Conv",
                &["small", "kernel"],
                "deep",
                vec![ints("pads", &[1, 1, 1, 1])],
            ),
            node(
                "ConvTranspose",
                &["deep", "up"],
                "wide",
                vec![ints("strides", &[2, 2])],
            ),
            node("Add", &["wide", "image"], "sum", vec![]),
            node("Sigmoid", &["sum"], "maps", vec![]),
        ],
        vec![
            weights("kernel", &[1, 1, 3, 3], kernel),
            weights("up", &[1, 1, 2, 2], up),
        ],
        port("image", &[1, 1, height, width]),
        port("maps", &[1, 1, height, width]),
    )
}

const HOURGLASS: &str = r#"
name = "hourglass"
task = "semantic"
decode = "foreground"
thresholds = { foreground = 0.9 }
[input]
axes = "bcyx"
channels = ["grey"]
size = { y = { min = 8, step = 2 }, x = { min = 8, step = 2 } }
preprocessing = [{ id = "scale_range", axes = ["y", "x"], min_percentile = 1, max_percentile = 99 }]
[output]
axes = "bcyx"
halo = 6
"#;

fn grey(rows: usize, columns: usize) -> Image {
    Image::new([1, 1, rows, columns], noise(rows * columns), Dtype::Float32).unwrap()
}

#[test]
fn tiles_equal_the_whole_for_any_size_of_image_and_tile() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &hourglass(0, 0), HOURGLASS);
    for (rows, columns) in [(40, 40), (37, 53), (8, 91), (3, 5), (64, 17)] {
        let image = grey(rows, columns);
        let mut results = Vec::new();
        for tile in [1024, 40, 30, 26] {
            let model = Model::load(&Options {
                tile: Some(tile),
                ..options(folder.path())
            })
            .unwrap();
            let block = crate::Block {
                shape: image.shape(),
                data: image.samples().to_vec(),
            };
            let raw = model
                .session()
                .unwrap()
                .forward(&block, crate::session::Wanted::default())
                .unwrap();
            assert_eq!(raw.output.shape, [1, 1, rows, columns]);
            let output = model.session().unwrap().predict(&image, true).unwrap();
            assert_eq!(output.passes, model.passes(&image.shape()));
            if tile == 1024 {
                assert_eq!(output.passes, 1);
            }
            results.push(raw.output);
        }
        for tiled in &results[1..] {
            assert_eq!(*tiled, results[0], "{rows} × {columns}");
        }
    }
}

#[test]
fn a_fixed_size_tiles_too_and_gives_the_same() {
    let (free, fixed) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    write(free.path(), &hourglass(0, 0), HOURGLASS);
    let toml = HOURGLASS.replace(
        "size = { y = { min = 8, step = 2 }, x = { min = 8, step = 2 } }\n",
        "",
    );
    write(fixed.path(), &hourglass(32, 24), &toml);
    let image = grey(45, 61);
    let predict = |folder: &Path| {
        Model::load(&options(folder))
            .unwrap()
            .session()
            .unwrap()
            .predict(&image, false)
            .unwrap()
    };
    let (whole, tiled) = (predict(free.path()), predict(fixed.path()));
    assert_eq!(whole.passes, 1);
    assert_eq!(tiled.passes, 3 * 6);
    assert_eq!(whole.prediction, tiled.prediction);
}

#[test]
fn statistics_of_each_tile_are_an_option_that_changes_the_result() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &hourglass(0, 0), HOURGLASS);
    let image = grey(60, 60);
    let load = |normalise| {
        Model::load(&Options {
            normalise: Some(normalise),
            tile: Some(26),
            ..options(folder.path())
        })
        .unwrap()
    };
    let whole = load(crate::Normalise::Whole)
        .session()
        .unwrap()
        .predict(&image, false)
        .unwrap();
    let tiles = load(crate::Normalise::Tile)
        .session()
        .unwrap()
        .predict(&image, false)
        .unwrap();
    assert_ne!(whole.prediction, tiles.prediction);
    assert_ne!(
        load(crate::Normalise::Whole).fingerprint(),
        load(crate::Normalise::Tile).fingerprint()
    );
}

#[test]
fn embeddings_of_maps_come_from_the_coarsest_tensor() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &hourglass(0, 0), HOURGLASS);
    let model = Model::load(&options(folder.path())).unwrap();
    assert_eq!(model.embeddings(), ["deep"]);
    let output = model
        .session()
        .unwrap()
        .predict(&grey(20, 20), true)
        .unwrap();
    assert_eq!(output.embeddings[0].1.len(), 1);
    let named = Model::load(&Options {
        embeddings: vec!["sum".to_owned(), "maps".to_owned()],
        ..options(folder.path())
    })
    .unwrap();
    let output = named
        .session()
        .unwrap()
        .predict(&grey(20, 20), true)
        .unwrap();
    assert_eq!(
        output
            .embeddings
            .iter()
            .map(|(n, _)| n.as_str())
            .collect::<Vec<_>>(),
        ["sum", "maps"]
    );
    let absent = Model::load(&Options {
        embeddings: vec!["nothing".to_owned()],
        ..options(folder.path())
    });
    assert!(absent.unwrap_err().to_string().contains("T313"));
}

/// Mean over positions, then a matrix: a classifier of 3 channels into 2 classes.
fn classifier(matrix: Vec<f32>) -> ModelProto {
    model(
        vec![
            node("GlobalAveragePool", &["image"], "pooled", vec![]),
            node("Flatten", &["pooled"], "features", vec![]),
            node("MatMul", &["features", "matrix"], "logits", vec![]),
        ],
        vec![weights("matrix", &[3, 2], matrix)],
        port("image", &[0, 3, 4, 4]),
        port("logits", &[0, 2]),
    )
}

const CLASSIFIER: &str = r#"
task = "classification"
values = "full-scale"
[input]
axes = "bcyx"
channels = ["red", "green", "blue"]
[output]
axes = "bc"
channels = ["dark", "bright"]
activation = "softmax"
"#;

fn colour(value: f32, rows: usize, columns: usize) -> Image {
    let mut image = Image::new(
        [3, 1, rows, columns],
        vec![value; 3 * rows * columns],
        Dtype::Uint8,
    )
    .unwrap();
    image.rgb = true;
    image
}

#[test]
fn a_classifier_gives_softmax_of_what_was_computed_by_hand() {
    let folder = TempDir::new().unwrap();
    write(
        folder.path(),
        &classifier(vec![0.0, 1.0, 0.0, 1.0, 0.0, 1.0]),
        CLASSIFIER,
    );
    let model = Model::load(&Options {
        keep_fed: true,
        ..options(folder.path())
    })
    .unwrap();
    assert_eq!(model.embeddings(), ["features"]);
    let output = model
        .session()
        .unwrap()
        .predict(&colour(51.0, 4, 4), true)
        .unwrap();
    // 51 / 255 = 0.2, three times: logits 0 and 0.6.
    let Prediction::Classes(classes) = output.prediction else {
        panic!()
    };
    let bright = 1.0 / (1.0 + (-0.6_f32).exp());
    assert!((classes.probabilities[1] - bright).abs() < 1e-6);
    assert_eq!(classes.class(), 1);
    let (name, values) = &output.embeddings[0];
    assert!(
        name == "features" && values.len() == 3 && values.iter().all(|v| (v - 0.2).abs() < 1e-6)
    );
    let fed = output.fed.unwrap();
    assert_eq!((fed.shape, fed.data[0]), (vec![1, 3, 4, 4], 0.2));
    assert_eq!(model.test().unwrap(), crate::TestOutcome::Absent);
}

#[test]
fn logits_taken_for_probabilities_are_refused() {
    let folder = TempDir::new().unwrap();
    write(
        folder.path(),
        &classifier(vec![0.0, 3.0, 0.0, 1.0, 0.0, 1.0]),
        &CLASSIFIER.replace("activation = \"softmax\"\n", ""),
    );
    let error = Model::load(&options(folder.path()))
        .unwrap()
        .session()
        .unwrap()
        .predict(&colour(255.0, 4, 4), false)
        .unwrap_err();
    assert_eq!(error.code.id, "T334");
    assert!(error.to_string().contains("softmax"));
}

#[test]
fn images_that_do_not_fit_say_what_to_write() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &classifier(vec![0.0; 6]), CLASSIFIER);
    let model = Model::load(&options(folder.path())).unwrap();
    let mut session = model.session().unwrap();
    let error = session.predict(&colour(0.0, 5, 4), false).unwrap_err();
    assert_eq!(error.code.id, "T331");
    assert!(error.to_string().contains("resize"), "{error}");
    let error = session.predict(&grey(4, 4), false).unwrap_err();
    assert_eq!(error.code.id, "T330");
    assert!(
        error
            .to_string()
            .contains("--channels red=0 --channels green=0 --channels blue=0"),
        "{error}"
    );
    let mut image = colour(0.0, 4, 4);
    image.samples_mut()[3] = f32::NAN;
    assert_eq!(session.predict(&image, false).unwrap_err().code.id, "T113");
    let deep = Image::new([3, 2, 4, 4], vec![0.0; 96], Dtype::Uint8).unwrap();
    assert_eq!(session.predict(&deep, false).unwrap_err().code.id, "T331");
    // The session still works.
    assert!(session.predict(&colour(0.0, 4, 4), false).is_ok());
}

#[test]
fn colour_for_a_grey_model_is_refused_until_it_is_declared() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &hourglass(0, 0), HOURGLASS);
    let error = Model::load(&options(folder.path()))
        .unwrap()
        .session()
        .unwrap()
        .predict(&colour(9.0, 12, 12), false)
        .unwrap_err();
    assert_eq!(error.code.id, "T330");
    assert!(
        error.to_string().contains("--channels grey=luma"),
        "{error}"
    );
    let mut image = colour(0.0, 12, 12);
    for (index, sample) in image.samples_mut().iter_mut().enumerate() {
        *sample = [10.0, 20.0, 30.0][index / 144] + (index % 7) as f32;
    }
    let channels = vec![("grey".to_owned(), "luma".to_owned())];
    let model = Model::load(&Options {
        channels,
        keep_fed: true,
        halo: Some(0),
        normalise: Some(crate::Normalise::Tile),
        ..options(folder.path())
    })
    .unwrap();
    assert!(model.session().unwrap().predict(&image, false).is_ok());
}

#[test]
fn nan_outputs_are_an_error_and_not_a_prediction() {
    let folder = TempDir::new().unwrap();
    write(
        folder.path(),
        &classifier(vec![f32::NAN, 0.0, 0.0, 0.0, 0.0, 0.0]),
        CLASSIFIER,
    );
    let error = Model::load(&options(folder.path()))
        .unwrap()
        .session()
        .unwrap()
        .predict(&colour(1.0, 4, 4), false)
        .unwrap_err();
    assert_eq!(error.code.id, "T333");
}

#[test]
fn everything_that_is_missing_is_listed_at_once() {
    let folder = TempDir::new().unwrap();
    write(
        folder.path(),
        &hourglass(0, 0),
        "typo = 1\n[input]\naxes = \"bcyx\"\n[output]\naxes = \"bcyx\"\n",
    );
    let text = failure(folder.path());
    for words in ["unknown key `typo`", "input.size.y", "input.size.x"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    write(
        folder.path(),
        &hourglass(0, 0),
        "[input]\naxes = \"bcyx\"\nsize = { y = { min = 8, step = 2 }, x = { min = 8, step = 2 } }\npreprocessing = [{ id = \"scale_range\", min_percentile = 90, max_percentile = 10 }, { id = \"custom\" }]\n[output]\naxes = \"bcyx\"\n",
    );
    let text = failure(folder.path());
    for words in [
        "T308",
        "--task",
        "T309",
        "percentile",
        "T310",
        "`custom` runs Python code",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    write(
        folder.path(),
        &hourglass(0, 0),
        &HOURGLASS.replace("thresholds = { foreground = 0.9 }\n", ""),
    );
    assert!(failure(folder.path()).contains("thresholds = {foreground = 0.5}"));
    write(
        folder.path(),
        &hourglass(0, 0),
        &HOURGLASS.replace("decode = \"foreground\"\n", ""),
    );
    assert!(failure(folder.path()).contains("--decode"));
    std::fs::write(folder.path().join("model.toml"), "task = \n").unwrap();
    assert!(failure(folder.path()).contains("T307"));
}

#[test]
fn unsupported_operators_are_all_listed() {
    let folder = TempDir::new().unwrap();
    let graph = model(
        vec![
            node("Wobble", &["image"], "a", vec![]),
            node("Relu", &["a"], "b", vec![]),
            node("Hiccup", &["b"], "c", vec![]),
            node("Wobble", &["c"], "maps", vec![]),
        ],
        vec![],
        port("image", &[1, 1, 0, 0]),
        port("maps", &[1, 1, 0, 0]),
    );
    write(folder.path(), &graph, HOURGLASS);
    let text = failure(folder.path());
    assert!(
        text.contains("T321")
            && text.contains("lacks 2 of")
            && text.contains("Wobble")
            && text.contains("Hiccup"),
        "{text}"
    );
    assert!(text.contains("--engine onnxruntime"), "{text}");
}

#[test]
fn external_data_stay_in_the_folder() {
    let outer = TempDir::new().unwrap();
    let folder = outer.path().join("model");
    std::fs::create_dir(&folder).unwrap();
    let matrix: Vec<u8> = [0.0_f32, 1.0, 0.0, 1.0, 0.0, 1.0]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    std::fs::write(outer.path().join("secret.bin"), &matrix).unwrap();
    let with = |location: &str| {
        let mut graph = classifier(Vec::new());
        let tensor = &mut graph.graph.as_mut().unwrap().initializer[0];
        tensor.data_location = Some(DataLocation::External as i32);
        let entry = |key: &str, value: &str| StringStringEntryProto {
            key: Some(key.to_owned()),
            value: Some(value.to_owned()),
        };
        tensor.external_data = vec![
            entry("location", location),
            entry("offset", "0"),
            entry("length", "24"),
        ];
        write(&folder, &graph, CLASSIFIER);
    };
    with("data.bin");
    let text = failure(&folder);
    assert!(text.contains("T304") && text.contains("data.bin"), "{text}");
    std::fs::write(folder.join("data.bin"), &matrix[..20]).unwrap();
    assert!(failure(&folder).contains("T304"));
    std::fs::write(folder.join("data.bin"), &matrix).unwrap();
    let model = Model::load(&options(&folder)).unwrap();
    let Prediction::Classes(classes) = model
        .session()
        .unwrap()
        .predict(&colour(255.0, 4, 4), false)
        .unwrap()
        .prediction
    else {
        panic!()
    };
    assert!((classes.probabilities[1] - 1.0 / (1.0 + (-3.0_f32).exp())).abs() < 1e-6);
    for location in ["../secret.bin", "/etc/hostname", "a/../../secret.bin"] {
        with(location);
        assert!(failure(&folder).contains("T305"), "{location}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outer.path().join("secret.bin"), folder.join("link.bin"))
            .unwrap();
        with("link.bin");
        assert!(failure(&folder).contains("T305"));
    }
}

#[test]
fn damaged_and_hostile_files_are_errors() {
    let folder = TempDir::new().unwrap();
    let good = classifier(vec![0.0; 6]).encode_to_vec();
    std::fs::write(folder.path().join("model.toml"), CLASSIFIER).unwrap();
    let file = folder.path().join("weights.onnx");
    for bytes in [
        b"".to_vec(),
        b"not a model".to_vec(),
        b"version https://git-lfs.github.com/spec/v1\noid".to_vec(),
        b"PK\x03\x04".to_vec(),
        vec![0xff; 200],
    ] {
        std::fs::write(&file, &bytes).unwrap();
        let text = failure(folder.path());
        assert!(text.contains("T302"), "{bytes:?}: {text}");
    }
    // Cut short or bent anywhere: an error or a model, never a panic.
    for cut in 0..good.len() {
        std::fs::write(&file, &good[..cut]).unwrap();
        let _ = Model::load(&options(folder.path()));
    }
    let mut stream = transect_core::Stream::new(3, "damage", &[]);
    for _ in 0..300 {
        let mut bytes = good.clone();
        let at = (stream.uniform() * bytes.len() as f64) as usize;
        bytes[at] ^= 1 << ((stream.uniform() * 8.0) as u8);
        std::fs::write(&file, &bytes).unwrap();
        if let Ok(model) = Model::load(&options(folder.path())) {
            let _ = model.session().unwrap().predict(&colour(1.0, 4, 4), true);
        }
    }
    // A tensor that claims more than it has.
    let mut graph = classifier(vec![0.0; 6]);
    graph.graph.as_mut().unwrap().initializer[0].dims = vec![1 << 30, 1 << 30];
    write(folder.path(), &graph, CLASSIFIER);
    assert!(failure(folder.path()).contains("T303"));
    graph.graph.as_mut().unwrap().initializer[0].dims = vec![1 << 20, 2];
    write(folder.path(), &graph, CLASSIFIER);
    assert!(failure(folder.path()).contains("T302"));
}

#[test]
fn a_map_of_touching_discs_is_split_by_distance() {
    let folder = TempDir::new().unwrap();
    let identity = model(
        vec![node("Identity", &["image"], "maps", vec![])],
        vec![],
        port("image", &[1, 1, 0, 0]),
        port("maps", &[1, 1, 0, 0]),
    );
    let toml = |extra: &str| {
        format!(
            "task = \"instance\"\ndecode = \"foreground\"\nthresholds = {{ foreground = 0.5 }}\n{extra}[input]\naxes = \"bcyx\"\nchannels = [\"grey\"]\nsize = {{ y = {{ min = 1, step = 1 }}, x = {{ min = 1, step = 1 }} }}\n[output]\naxes = \"bcyx\"\n"
        )
    };
    let mut samples = vec![0.0_f32; 40 * 60];
    for (index, sample) in samples.iter_mut().enumerate() {
        let (r, c) = ((index / 60) as f64, (index % 60) as f64);
        let disc = |row: f64, column: f64, radius: f64| {
            (r - row).powi(2) + (c - column).powi(2) <= radius * radius
        };
        if disc(20.0, 18.0, 10.0) || disc(20.0, 36.0, 10.0) || disc(5.0, 55.0, 2.0) {
            *sample = 0.9;
        }
    }
    let image = Image::new([1, 1, 40, 60], samples, Dtype::Float32).unwrap();
    let count = |extra: &str| {
        write(folder.path(), &identity, &toml(extra));
        let output = Model::load(&options(folder.path()))
            .unwrap()
            .session()
            .unwrap()
            .predict(&image, false)
            .unwrap();
        let Prediction::Instances(instances) = output.prediction else {
            panic!()
        };
        assert!(instances.confidences.iter().all(|c| (c - 0.9).abs() < 1e-6));
        instances.confidences.len()
    };
    assert_eq!(count(""), 2);
    assert_eq!(count("split_distance_px = 6\n"), 3);
}

#[test]
fn softmax_has_the_meaning_of_its_operator_set() {
    let folder = TempDir::new().unwrap();
    let toml = CLASSIFIER
        .replace("activation = \"softmax\"\n", "")
        .replace("axes = \"bc\"", "axes = \"bcyx\"")
        .replace("[\"dark\", \"bright\"]", "[\"r\", \"g\", \"b\"]");
    for (opset, sum) in [(9, 1.0), (12, 1.0), (13, 3.0)] {
        let mut graph = model(
            vec![
                node("GlobalAveragePool", &["image"], "pooled", vec![]),
                node("Softmax", &["pooled"], "probabilities", vec![]),
            ],
            vec![],
            port("image", &[0, 3, 4, 4]),
            port("probabilities", &[0, 3, 1, 1]),
        );
        graph.opset_import[0].version = Some(opset);
        write(folder.path(), &graph, &toml);
        let result = Model::load(&options(folder.path()))
            .unwrap()
            .session()
            .unwrap()
            .predict(&colour(255.0, 4, 4), false);
        if sum == 1.0 {
            let Prediction::Classes(classes) = result.unwrap().prediction else {
                panic!()
            };
            assert!(
                classes
                    .probabilities
                    .iter()
                    .all(|p| (p - 1.0 / 3.0).abs() < 1e-6),
                "{opset}"
            );
        } else {
            // From 13 on it works over the last axis, which has one position: three ones.
            assert_eq!(result.unwrap_err().code.id, "T334");
        }
    }
}

#[test]
fn what_the_engine_would_approximate_is_refused() {
    let folder = TempDir::new().unwrap();
    let mode = AttributeProto {
        name: Some("mode".to_owned()),
        r#type: Some(attribute_proto::AttributeType::String as i32),
        s: Some(b"cubic".to_vec()),
        ..AttributeProto::default()
    };
    let graph = model(
        vec![node("Resize", &["image", "", "scales"], "maps", vec![mode])],
        vec![weights("scales", &[4], vec![1.0, 1.0, 1.0, 1.0])],
        port("image", &[1, 1, 0, 0]),
        port("maps", &[1, 1, 0, 0]),
    );
    write(folder.path(), &graph, HOURGLASS);
    let text = failure(folder.path());
    assert!(text.contains("T321") && text.contains("cubic"), "{text}");
}

/// A description in format 0.5 around a graph with the tensors `image` and `maps`, 8 + n pixels.
fn description(output_axes: &str) -> String {
    format!(
        r"
format_version: 0.5.4
type: model
name: planted
inputs:
- id: image
  axes:
  - {{type: batch}}
  - {{type: channel, channel_names: [grey]}}
  - {{id: y, type: space, size: {{min: 8, step: 1}}}}
  - {{id: x, type: space, size: {{min: 8, step: 1}}}}
outputs:
- id: maps
  axes:
  - {{type: batch}}
  - {{type: channel, channel_names: [p]}}
{output_axes}
weights:
  onnx: {{source: weights.onnx, opset_version: 17}}
config:
  transect: {{task: semantic, decode: foreground, thresholds: {{foreground: 0.5}}, tile: 24}}
"
    )
}

fn described(graph: &ModelProto, text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("weights.onnx"), graph.encode_to_vec()).unwrap();
    std::fs::write(folder.path().join("rdf.yaml"), text).unwrap();
    folder
}

fn semantic(folder: &Path, image: &Image) -> (Vec<u32>, u64) {
    let model = Model::load(&options(folder)).unwrap_or_else(|errors| panic!("{errors}"));
    let output = model.session().unwrap().predict(image, false).unwrap();
    let Prediction::Semantic(semantic) = output.prediction else {
        panic!()
    };
    (semantic.mask.labels().to_vec(), output.passes)
}

#[test]
fn a_network_that_crops_its_border_gives_every_pixel() {
    let mut kernel = vec![0.0; 9];
    kernel[4] = 1.0;
    let graph = model(
        vec![node(
            "Conv",
            &["image", "kernel"],
            "maps",
            vec![ints("strides", &[1, 1])],
        )],
        vec![weights("kernel", &[1, 1, 3, 3], kernel)],
        port("image", &[1, 1, 0, 0]),
        port("maps", &[1, 1, 0, 0]),
    );
    for halo in [0, 2] {
        let axes = format!(
            "  - {{id: y, type: space, size: {{tensor_id: image, axis_id: y, offset: -2}}, halo: {halo}}}\n  - {{id: x, type: space, size: {{tensor_id: image, axis_id: x, offset: -2}}, halo: {halo}}}"
        );
        let folder = described(&graph, &description(&axes));
        for (rows, columns) in [(9, 13), (50, 31)] {
            let image = grey(rows, columns);
            let want: Vec<u32> = image
                .samples()
                .iter()
                .map(|&v| u32::from(v > 0.5))
                .collect();
            let (got, passes) = semantic(folder.path(), &image);
            assert_eq!(got, want, "{rows} × {columns}, halo {halo}");
            assert_eq!(passes > 1, rows > 20);
        }
    }
}

#[test]
fn maps_of_another_scale_come_back_to_the_size_of_the_image() {
    let scales = weights("scales", &[4], vec![1.0, 1.0, 2.0, 2.0]);
    let graph = model(
        vec![node("Resize", &["image", "", "scales"], "maps", vec![])],
        vec![scales],
        port("image", &[1, 1, 0, 0]),
        port("maps", &[1, 1, 0, 0]),
    );
    let axes = "  - {id: y, type: space, scale: 0.5, size: {tensor_id: image, axis_id: y}, halo: 4}\n  - {id: x, type: space, scale: 0.5, size: {tensor_id: image, axis_id: x}, halo: 4}";
    let folder = described(&graph, &description(axes));
    for (rows, columns) in [(9, 13), (50, 31)] {
        let image = grey(rows, columns);
        let want: Vec<u32> = image
            .samples()
            .iter()
            .map(|&v| u32::from(v > 0.5))
            .collect();
        assert_eq!(
            semantic(folder.path(), &image).0,
            want,
            "{rows} × {columns}"
        );
    }
    // A scale that the network does not have is an error, not a shift.
    let folder = described(&graph, &description(&axes.replace("0.5", "1.0")));
    let error = Model::load(&options(folder.path()))
        .unwrap()
        .session()
        .unwrap()
        .predict(&grey(9, 13), false)
        .unwrap_err();
    assert_eq!(error.code.id, "T335");
}

#[test]
fn axes_in_any_order_are_turned() {
    // Rows, columns, channels: the graph only passes them on, so the maps are the image.
    let graph = model(
        vec![node("Identity", &["image"], "maps", vec![])],
        vec![],
        port("image", &[1, 0, 0, 3]),
        port("maps", &[1, 0, 0, 3]),
    );
    let folder = TempDir::new().unwrap();
    write(
        folder.path(),
        &graph,
        "task = \"semantic\"\ndecode = \"argmax\"\n[input]\naxes = \"byxc\"\nchannels = [\"r\", \"g\", \"b\"]\nsize = { y = { min = 1, step = 1 }, x = { min = 1, step = 1 } }\n[output]\naxes = \"byxc\"\nchannels = [\"one\", \"two\", \"three\"]\n",
    );
    let image = Image::new([3, 1, 5, 7], noise(105), Dtype::Float32).unwrap();
    let (got, _) = semantic(folder.path(), &image);
    let want: Vec<u32> = (0..35)
        .map(|i| {
            let at = |c: usize| image.plane(c, 0)[i];
            if at(0) >= at(1) && at(0) >= at(2) {
                0
            } else if at(1) >= at(2) {
                1
            } else {
                2
            }
        })
        .collect();
    assert_eq!(got, want);
}

#[test]
fn format_0_4_is_read_with_its_own_meaning() {
    let graph = model(
        vec![node("Identity", &["image"], "maps", vec![])],
        vec![],
        port("image", &[1, 1, 0, 0]),
        port("maps", &[1, 1, 0, 0]),
    );
    let text = |operation: &str| {
        format!(
            "format_version: 0.4.10\ntype: model\nname: old\ninputs:\n- {{name: image, axes: bcyx, data_type: float32, data_range: [-.inf, .inf], shape: {{min: [1, 1, 4, 4], step: [0, 0, 1, 1]}}, preprocessing: [{operation}]}}\noutputs:\n- {{name: maps, axes: bcyx, data_type: float32, shape: {{reference_tensor: image, scale: [1.0, 1.0, 1.0, 1.0], offset: [0, 0, 0, 0]}}}}\nweights: {{onnx: {{source: weights.onnx}}}}\nconfig: {{transect: {{task: semantic, decode: foreground, thresholds: {{foreground: 0.5}}}}}}\n"
        )
    };
    let image = grey(6, 9);
    let folder = described(
        &graph,
        &text("{name: scale_linear, kwargs: {gain: 0.5, offset: 0.25}}"),
    );
    let want: Vec<u32> = image
        .samples()
        .iter()
        .map(|&v| u32::from(v * 0.5 + 0.25 > 0.5))
        .collect();
    assert_eq!(semantic(folder.path(), &image).0, want);
    for (operation, code, words) in [
        (
            "{name: zero_mean_unit_variance, kwargs: {mode: per_dataset, axes: yx}}",
            "T310",
            "per_dataset",
        ),
        (
            "{name: zero_mean_unit_variance, kwargs: {axes: yx}}",
            "T308",
            "mode: per_sample",
        ),
        (
            "{name: zero_mean_unit_variance, kwargs: {mode: fixed, axes: yx}}",
            "T308",
            "mean",
        ),
        (
            "{name: stardist_postprocessing, kwargs: {}}",
            "T310",
            "--predictions",
        ),
        (
            "{name: scale_range, kwargs: {mode: per_sample, axes: zyx}}",
            "T309",
            "no axis `z`",
        ),
        (
            "{name: binarize, kwargs: {treshold: 1}}",
            "T309",
            "unknown key `treshold`",
        ),
    ] {
        let folder = described(&graph, &text(operation));
        let errors = failure(folder.path());
        assert!(
            errors.contains(code) && errors.contains(words),
            "{operation}: {errors}"
        );
    }
}

#[test]
fn hostile_yaml_is_an_error() {
    use std::fmt::Write as _;
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let copies = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{copies}]").unwrap();
    }
    let deep = format!(
        "format_version: {}{}",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    for text in [
        bomb.as_str(),
        deep.as_str(),
        "\u{0}",
        "a: b: c",
        "format_version: 0.9.0\n",
        "- 1\n",
    ] {
        let folder = described(&classifier(vec![0.0; 6]), text);
        let errors = failure(folder.path());
        assert!(
            errors.contains("T307") || errors.contains("T310"),
            "{errors}"
        );
    }
}

#[test]
fn wrong_hashes_of_weights_and_test_tensors_are_refused() {
    let graph = model(
        vec![node("Identity", &["image"], "maps", vec![])],
        vec![],
        port("image", &[1, 1, 0, 0]),
        port("maps", &[1, 1, 0, 0]),
    );
    let axes = "  - {id: y, type: space, size: {tensor_id: image, axis_id: y}}\n  - {id: x, type: space, size: {tensor_id: image, axis_id: x}}";
    let zeros = "0".repeat(64);
    let text = description(axes)
        .replace(
            "opset_version: 17",
            &format!("opset_version: 17, sha256: \"{zeros}\""),
        )
        .replace(
            "- id: maps\n",
            &format!("- id: maps\n  test_tensor: {{source: test.npy, sha256: \"{zeros}\"}}\n"),
        );
    let folder = described(&graph, &text);
    let errors = failure(folder.path());
    assert!(
        errors.contains("T312") && errors.contains("T340") && errors.contains("test.npy"),
        "{errors}"
    );
    std::fs::write(folder.path().join("test.npy"), b"something").unwrap();
    assert!(failure(folder.path()).contains("SHA-256 differs"));
}

#[test]
fn models_are_shared_between_threads_and_sessions_move() {
    fn shared<T: Send + Sync + Clone>() {}
    fn moved<T: Send>() {}
    shared::<Model>();
    moved::<crate::Session>();
    let folder = TempDir::new().unwrap();
    write(folder.path(), &hourglass(0, 0), HOURGLASS);
    let model = Model::load(&options(folder.path())).unwrap();
    let image = grey(40, 44);
    let predict = |model: &Model| model.session().unwrap().predict(&image, true).unwrap();
    let alone = predict(&model);
    let together: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..4).map(|_| scope.spawn(|| predict(&model))).collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap())
            .collect()
    });
    assert!(together.iter().all(|output| *output == alone));
}

#[test]
fn channels_follow_their_names() {
    let graph = model(
        vec![node("Identity", &["image"], "maps", vec![])],
        vec![],
        port("image", &[1, 3, 0, 0]),
        port("maps", &[1, 3, 0, 0]),
    );
    let toml = |names: &str| {
        format!(
            "task = \"semantic\"\ndecode = \"argmax\"\nclasses = [\"0\", \"1\", \"2\"]\n[input]\naxes = \"bcyx\"\nchannels = {names}\nsize = {{ y = {{ min = 1, step = 1 }}, x = {{ min = 1, step = 1 }} }}\n[output]\naxes = \"bcyx\"\n"
        )
    };
    let folder = TempDir::new().unwrap();
    // The brightest channel of the image is its first; the map says where the model finds it.
    let mut image = Image::new(
        [3, 1, 1, 2],
        vec![0.9, 0.9, 0.5, 0.5, 0.1, 0.1],
        Dtype::Float32,
    )
    .unwrap();
    let mut place = |names: &str, rgb: bool, image_names: &[&str]| {
        write(folder.path(), &graph, &toml(names));
        image.rgb = rgb;
        image.channel_names = image_names.iter().map(|s| (*s).to_owned()).collect();
        let model = Model::load(&options(folder.path())).unwrap();
        model
            .session()
            .unwrap()
            .predict(&image, false)
            .map(|output| {
                let Prediction::Semantic(semantic) = output.prediction else {
                    panic!()
                };
                semantic.mask.labels()[0]
            })
    };
    assert_eq!(place(r#"["r", "g", "b"]"#, true, &[]).unwrap(), 0);
    assert_eq!(place(r#"["Blue", "green", "red"]"#, true, &[]).unwrap(), 2);
    assert_eq!(
        place(r#"["gfp", "dapi", "rfp"]"#, false, &["dapi", "gfp", "rfp"]).unwrap(),
        1
    );
    assert_eq!(place(r#"["gfp", "dapi", "rfp"]"#, false, &[]).unwrap(), 0);
    let error = place(r#"["gfp", "dapi", "rfp"]"#, false, &["w1", "w2", "w3"]).unwrap_err();
    assert!(
        error.code.id == "T330"
            && error
                .to_string()
                .contains("--channels gfp=w1 --channels dapi=w2"),
        "{error}"
    );
}

#[test]
fn the_reference_runners_reading_is_told_measured_and_run_on_request() {
    use crate::RdfMeaning;
    let graph = model(
        vec![node("Identity", &["image"], "maps", vec![])],
        vec![],
        port("image", &[1, 1, 0, 0]),
        port("maps", &[1, 1, 0, 0]),
    );
    let text = |operations: &str| {
        description("  - {id: y, type: space, size: {tensor_id: image, axis_id: y}}\n  - {id: x, type: space, size: {tensor_id: image, axis_id: x}}")
            .replace("outputs:", &format!("  preprocessing: {operations}\noutputs:"))
            .replace("weights:\n", "  postprocessing: [{id: sigmoid}]\nweights:\n")
    };
    let image = grey(12, 10);
    let load = |folder: &TempDir, meaning| {
        Model::load(&Options {
            rdf_meaning: meaning,
            keep_fed: true,
            ..options(folder.path())
        })
    };
    let fed = |model: &Model| {
        let output = model.session().unwrap().predict(&image, false).unwrap();
        output.fed.unwrap().data
    };

    let folder = described(
        &graph,
        &text(
            "[{id: scale_linear, kwargs: {gain: 0.5, offset: 0.25}}, {id: zero_mean_unit_variance, kwargs: {axes: [y, x], eps: 0.01}}]",
        ),
    );
    let ours = load(&folder, RdfMeaning::Specification).unwrap();
    let note = ours.notes().join("\n");
    assert!(note.contains("bioimageio.core 0.11.0 deviates"), "{note}");
    assert!(
        note.contains("raw tensor") && note.contains("eps"),
        "{note}"
    );
    let its = load(&folder, RdfMeaning::CoreCompatible).unwrap();
    assert_ne!(ours.fingerprint(), its.fingerprint());
    assert!(
        its.notes()
            .join("\n")
            .contains("is not what the specification says")
    );
    assert_eq!(its.runner_difference(&image).unwrap(), None);
    // (0.5 x + 0.25 − μ) / (σ + 1e-6), with μ and σ of x itself.
    let n = image.samples().len() as f64;
    let mean = image.samples().iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = image
        .samples()
        .iter()
        .map(|&v| (f64::from(v) - mean).powi(2))
        .sum::<f64>()
        / n;
    let (a, b) = (fed(&ours), fed(&its));
    let mut largest = 0.0_f64;
    for ((&raw, &got), &specified) in image.samples().iter().zip(&b).zip(&a) {
        let x = 0.5 * f64::from(raw) + 0.25;
        let want = (x - mean) / (variance.sqrt() + 1e-6);
        assert!((f64::from(got) - want).abs() < 1e-5);
        largest = largest.max((f64::from(got) - f64::from(specified)).abs());
    }
    assert!(largest > 0.1);
    let told = ours.runner_difference(&image).unwrap().unwrap();
    assert!(
        (told.largest - largest).abs() < 1e-9 && told.span > 1.0,
        "{told:?}"
    );

    // Statistics over the images seen so far: told, not measured, and refused on request.
    let folder = described(&graph, &text("[{id: zero_mean_unit_variance}]"));
    let ours = load(&folder, RdfMeaning::Specification).unwrap();
    assert!(ours.notes().join("\n").contains("order of the files"));
    assert_eq!(ours.runner_difference(&image).unwrap(), None);
    let errors = load(&folder, RdfMeaning::CoreCompatible)
        .unwrap_err()
        .to_string();
    assert!(
        errors.contains("T310") && errors.contains("order of the files"),
        "{errors}"
    );

    // One reading: nothing to tell.
    let folder = described(
        &graph,
        &text(
            "[{id: scale_range, kwargs: {axes: [channel, y, x], min_percentile: 1, max_percentile: 99}}]",
        ),
    );
    let ours = load(&folder, RdfMeaning::Specification).unwrap();
    assert!(!ours.notes().join("\n").contains("bioimageio.core"));
    let its = load(&folder, RdfMeaning::CoreCompatible).unwrap();
    assert_eq!(fed(&ours), fed(&its));

    // A model.toml has no other reading.
    let folder = TempDir::new().unwrap();
    write(folder.path(), &hourglass(0, 0), HOURGLASS);
    let errors = load(&folder, RdfMeaning::CoreCompatible)
        .unwrap_err()
        .to_string();
    assert!(errors.contains("--rdf-meaning"), "{errors}");
}
