//! Published models in ../shared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use transect_core::{Image, Prediction, Task};
use transect_image::Limits;
use transect_model::onnx::{Dim, Graph};
use transect_model::{
    Decode, EngineChoice, Model, Normalise, Options, Tensor, TestOutcome, Thresholds,
};

pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(path);
    if full.exists() {
        return Some(full);
    }
    #[expect(clippy::print_stderr, reason = "says why nothing was tested")]
    {
        eprintln!("skipped: ../shared/{path} is not there");
    }
    None
}

pub(crate) fn embedded(path: PathBuf) -> Options {
    Options {
        engine: EngineChoice::Embedded,
        ..Options::new(path)
    }
}

pub(crate) fn image(path: &Path) -> Image {
    let bytes = std::fs::read(path).expect("the image is there");
    transect_image::decode(
        &bytes,
        &path.display().to_string(),
        None,
        &Limits::default(),
    )
    .expect("the image is read")
}

fn labels(path: &Path) -> transect_core::LabelImage {
    let bytes = std::fs::read(path).expect("the labels are there");
    transect_image::decode_labels(
        &bytes,
        &path.display().to_string(),
        None,
        &Limits::default(),
    )
    .expect("the labels are read")
}

/// Rows of a simple CSV as column → value.
pub(crate) fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).expect("the table is there");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    lines
        .map(|line| {
            header
                .iter()
                .zip(line.split(','))
                .map(|(k, v)| ((*k).to_owned(), v.to_owned()))
                .collect()
        })
        .collect()
}

fn broad(path: PathBuf) -> Options {
    Options {
        task: Some(Task::Semantic),
        decode: Some(Decode::Foreground),
        thresholds: Thresholds {
            foreground: Some(0.5),
            ..Thresholds::default()
        },
        ..embedded(path)
    }
}

#[test]
fn white_blood_cells_score_as_their_readme_says() {
    let (Some(model), Some(data)) = (shared("models/wbc_cnn_d1"), shared("data/wbc2domain")) else {
        return;
    };
    let model = Model::load(&embedded(model)).unwrap();
    assert_eq!(model.task(), Task::Classification);
    assert_eq!(
        model.classes(),
        ["neutrophil", "lymphocyte", "monocyte", "eosinophil"]
    );
    assert!(
        model.notes().iter().any(|note| note.contains("0 to 1")),
        "{:?}",
        model.notes()
    );
    let mut session = model.session().unwrap();
    let mut counts = BTreeMap::new();
    for row in table(&data.join("manifest.csv")) {
        if row["class_name"] == "basophil" || row["split"] != "test" {
            continue;
        }
        let image = image(&data.join(&row["image"]));
        let output = session.predict(&image, true).unwrap();
        assert_eq!((output.passes, model.passes(&image.shape())), (1, 1));
        let Prediction::Classes(classes) = &output.prediction else {
            panic!("not classes")
        };
        let (n, right) = counts.entry(row["domain"].clone()).or_insert((0, 0));
        *n += 1;
        *right += usize::from(model.classes()[classes.class()] == row["class_name"]);
        assert_eq!(output.embeddings.len(), 1);
        assert!(output.embeddings[0].1.len() > 8);
    }
    assert_eq!(counts["D1"], (51, 49));
    assert_eq!(counts["D2"], (17, 7));
}

#[test]
fn published_models_pass_their_own_tests() {
    for (path, bare) in [
        ("models/wbc_cnn_d1", false),
        ("models/nuclei_unet_fluo", false),
        ("models/bioimageio_unet2d_nuclei_broad", true),
        (
            "models/bioimageio_unet2d_nuclei_broad/v0_4_0.bioimageio.yaml",
            true,
        ),
        (
            "models/bioimageio_unet2d_nuclei_broad/v0_4_9.bioimageio.yaml",
            true,
        ),
    ] {
        let Some(full) = shared(path) else { return };
        let options = if bare { broad(full) } else { embedded(full) };
        let model = Model::load(&options).unwrap_or_else(|errors| panic!("{path}: {errors}"));
        let TestOutcome::Run {
            passed,
            largest,
            mismatches,
            ..
        } = model.test().unwrap()
        else {
            panic!("{path}: no test")
        };
        assert!(
            passed && mismatches == 0 && largest < 1e-5,
            "{path}: {largest:e}"
        );
    }
}

#[test]
fn packages_that_cannot_be_run_say_why() {
    for (path, code, words) in [
        (
            "models/bioimageio_rdf_only/unet2d_fixed_shape/v0_4.bioimageio.yaml",
            "T311",
            "pytorch_state_dict",
        ),
        (
            "models/bioimageio_rdf_only/unet2d_diff_output_shape",
            "T311",
            "pytorch_state_dict",
        ),
        (
            "models/bioimageio_rdf_only/unet2d_multi_tensor",
            "T311",
            "torchscript",
        ),
        (
            "models/bioimageio_rdf_only/upsample_test_model",
            "T311",
            "pytorch_state_dict",
        ),
        (
            "models/bioimageio_unet2d_nuclei_broad/invalid_v0_4_0_duplicate_tensor_names.bioimageio.yaml",
            "T309",
            "two tensors are named `data`",
        ),
        ("models/mnist_rten/mnist.onnx", "T306", "model.toml"),
        ("models/mnist_rten", "T306", "no specification"),
        ("models/nothing", "T301", "cannot be opened"),
        ("models/README.md", "T302", "not an ONNX model"),
    ] {
        let Some(root) = shared("models") else { return };
        let full = root.join(path.trim_start_matches("models/"));
        let text = Model::load(&broad(full)).expect_err(path).to_string();
        assert!(
            text.contains(code) && text.contains(words),
            "{path}: {text}"
        );
    }
    // Without task, decode and thresholds the description says too little, and each is shown.
    let Some(full) = shared("models/bioimageio_unet2d_nuclei_broad") else {
        return;
    };
    let text = Model::load(&embedded(full.clone()))
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("T308") && text.contains("config: {transect: {task: instance}}"),
        "{text}"
    );
    let text = Model::load(&Options {
        task: Some(Task::Semantic),
        ..embedded(full)
    })
    .unwrap_err()
    .to_string();
    assert!(
        text.contains("config.transect.decode")
            && text.contains("--decode argmax|foreground|labels"),
        "{text}"
    );
}

fn overlap(prediction: &Prediction, truth: &[u32]) -> f64 {
    let mask = match prediction {
        Prediction::Semantic(semantic) => semantic.mask.labels(),
        Prediction::Instances(instances) => instances.labels.labels(),
        Prediction::Classes(_) => panic!("not a map"),
    };
    let (mut both, mut either) = (0.0, 0.0);
    for (&p, &t) in mask.iter().zip(truth) {
        both += f64::from(u8::from(p > 0 && t > 0));
        either += f64::from(u8::from(p > 0 || t > 0));
    }
    if either == 0.0 { 1.0 } else { both / either }
}

#[test]
fn the_broad_unet_gives_the_published_overlaps() {
    let (Some(model), Some(data), Some(published)) = (
        shared("models/bioimageio_unet2d_nuclei_broad"),
        shared("data/dsb2018"),
        shared("models/unet_on_dsb2018_test.csv"),
    ) else {
        return;
    };
    let model = Model::load(&Options {
        normalise: Some(Normalise::Tile),
        halo: Some(0),
        channels: vec![("raw_intensity".to_owned(), "luma".to_owned())],
        ..broad(model)
    })
    .unwrap();
    let mut session = model.session().unwrap();
    let rows = table(&published);
    // Two sizes of fluorescence, and colour.
    for name in [
        "00071198d059",
        "0280fa8f60f6",
        "03f583ec5018",
        "0c2550a23b8a",
    ] {
        let row = rows
            .iter()
            .find(|row| row["image"].contains(name))
            .expect("it is in the table");
        let image = image(&data.join(&row["image"]));
        let truth = labels(&data.join(row["image"].replace("images/", "labels/")));
        let output = session.predict(&image, false).unwrap();
        assert_eq!(output.passes, 1);
        let got = overlap(&output.prediction, truth.labels());
        let want: f64 = row["fg_iou"].parse().expect("a number");
        assert!((got - want).abs() < 2e-4, "{name}: {got} and {want}");
    }
}

/// TP / (TP + FP + FN) at IoU 0.5, where matches are unique.
fn precision(prediction: &[u32], truth: &[u32]) -> f64 {
    let mut pairs: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    let (mut of_prediction, mut of_truth) = (BTreeMap::new(), BTreeMap::new());
    for (&p, &t) in prediction.iter().zip(truth) {
        *of_prediction.entry(p).or_insert(0.0) += 1.0;
        *of_truth.entry(t).or_insert(0.0) += 1.0;
        *pairs.entry((p, t)).or_insert(0.0) += 1.0;
    }
    let tp = pairs
        .iter()
        .filter(|((p, t), both)| {
            *p > 0 && *t > 0 && **both / (of_prediction[p] + of_truth[t] - **both) > 0.5
        })
        .count() as f64;
    let objects = |map: &BTreeMap<u32, f64>| map.keys().filter(|l| **l > 0).count() as f64;
    tp / (objects(&of_prediction) + objects(&of_truth) - tp)
}

#[test]
fn nuclei_score_as_the_peers_do() {
    let (Some(path), Some(data)) = (shared("models/nuclei_unet_fluo"), shared("data/dsb2018"))
    else {
        return;
    };
    let used = std::fs::read_to_string(path.join("trained_on.csv")).expect("the list is there");
    let options = Options {
        halo: Some(0),
        ..embedded(path)
    };
    let model = Model::load(&options).unwrap();
    let mut session = model.session().unwrap();
    let rows = table(&data.join("manifest.csv"));
    // The first 8 unseen ones.
    let unseen: Vec<_> = rows
        .iter()
        .filter(|r| r["modality"] == "fluorescence" && !used.contains(&r["source_id"]))
        .take(8)
        .collect();
    let (mut ap, mut iou) = (0.0, 0.0);
    for row in &unseen {
        let truth = labels(&data.join(&row["label"]));
        let output = session
            .predict(&image(&data.join(&row["image"])), false)
            .unwrap();
        let Prediction::Instances(instances) = &output.prediction else {
            panic!("not instances")
        };
        assert_eq!(
            instances.confidences.len() as u32,
            instances.labels.labels().iter().copied().max().unwrap_or(0)
        );
        assert!(
            instances
                .confidences
                .iter()
                .all(|c| (0.5..=1.0).contains(c))
        );
        ap += precision(instances.labels.labels(), truth.labels()) / unseen.len() as f64;
        iou += overlap(&output.prediction, truth.labels()) / unseen.len() as f64;
    }
    assert!(
        (ap - AP_8).abs() < 1e-6 && (iou - IOU_8).abs() < 1e-6,
        "{ap} {iou}"
    );
}

/// What onnxruntime 1.31.1, SciPy 1.17.1, scikit-image 0.26.0 and stardist 0.9.2 give for the 8 images, without halo.
const AP_8: f64 = 0.739_754_69;
/// The same.
const IOU_8: f64 = 0.794_146_06;

#[test]
fn graphs_are_read_and_run_as_onnx_runtime_does() {
    let Some(root) = shared("models") else { return };
    let text = std::fs::read_to_string(root.join("onnxruntime_reference.json"))
        .expect("the reference is there");
    let reference: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let mut run = 0;
    for (file, facts) in reference.as_object().expect("a map") {
        let path = root.join(file);
        if !path.exists() || facts.get("ops").is_none() {
            continue;
        }
        let mut graph = Graph::read(&std::fs::read(&path).expect("it is read"))
            .unwrap_or_else(|e| panic!("{file}: {e}"));
        graph
            .resolve(path.parent().expect("a folder"))
            .unwrap_or_else(|e| panic!("{file}: {e}"));
        let ops: Vec<&str> = facts["ops"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|v| v.as_str())
            .collect();
        assert_eq!(graph.operators(), ops, "{file}");
        assert_eq!(
            Some(graph.nodes() as u64),
            facts["n_nodes"].as_u64(),
            "{file}"
        );
        assert_eq!(Some(graph.ir_version()), facts["ir"].as_i64(), "{file}");
        assert_eq!(
            graph.opsets().get("ai.onnx").copied(),
            facts["opset"]["ai.onnx"].as_i64(),
            "{file}"
        );
        for (ports, key) in [(graph.inputs(), "inputs"), (graph.outputs(), "outputs")] {
            let names: Vec<&str> = facts[key]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|v| v[0].as_str())
                .collect();
            assert_eq!(
                ports.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(),
                names,
                "{file}"
            );
        }
        if !facts["input_rule"]
            .as_str()
            .is_some_and(|rule| rule.starts_with("((i mod 251)/251)"))
        {
            continue;
        }
        let inputs: Vec<(String, Tensor)> = graph
            .inputs()
            .into_iter()
            .map(|port| {
                let dims = port.shape.unwrap_or_default();
                let shape: Vec<usize> = dims
                    .iter()
                    .map(|d| if let Dim::Fixed(n) = d { *n } else { 1 })
                    .collect();
                let data = (0..shape.iter().product::<usize>())
                    .map(|i| (i % 251) as f32 / 251.0)
                    .collect();
                (port.name, Tensor { shape, data })
            })
            .collect();
        let outputs: Vec<String> = graph.outputs().into_iter().map(|p| p.name).collect();
        let engine = match transect_model::engine::Embedded::load(&graph) {
            Ok(engine) => engine,
            Err(error) => panic!("{file}: {error}"),
        };
        let results = transect_model::engine::Engine::session(&engine)
            .unwrap()
            .run(inputs, &outputs)
            .unwrap_or_else(|e| panic!("{file}: {e}"));
        for (result, want) in results
            .iter()
            .zip(facts["ort_outputs"].as_array().into_iter().flatten())
        {
            let shape: Vec<usize> = want["shape"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(serde_json::Value::as_u64)
                .map(|n| n as usize)
                .collect();
            assert_eq!(result.shape, shape, "{file}");
            let scale = want["std"]
                .as_f64()
                .unwrap_or(1.0)
                .max(want["mean"].as_f64().unwrap_or(0.0).abs())
                .max(1e-3);
            for (got, want) in result
                .data
                .iter()
                .zip(want["first8"].as_array().into_iter().flatten())
            {
                let difference = (f64::from(*got) - want.as_f64().unwrap_or(f64::NAN)).abs();
                assert!(difference <= 2e-5 * scale, "{file}: {got} and {want}");
            }
            let mean =
                result.data.iter().map(|&v| f64::from(v)).sum::<f64>() / result.data.len() as f64;
            assert!(
                (mean - want["mean"].as_f64().unwrap_or(f64::NAN)).abs() <= 2e-5 * scale,
                "{file}: mean {mean}"
            );
        }
        run += 1;
    }
    assert!(run >= 8, "{run} graphs were run");
}

#[test]
fn both_engines_agree() {
    let Some(library) = std::env::var_os("ORT_DYLIB_PATH") else {
        #[expect(clippy::print_stderr, reason = "says why nothing was tested")]
        {
            eprintln!("skipped: ORT_DYLIB_PATH names no library of ONNX Runtime");
        }
        return;
    };
    let (Some(wbc), Some(nuclei), Some(cells), Some(fluo)) = (
        shared("models/wbc_cnn_d1"),
        shared("models/nuclei_unet_fluo"),
        shared("data/wbc2domain"),
        shared("data/dsb2018"),
    ) else {
        return;
    };
    for (path, rows, folder) in [
        (wbc, table(&cells.join("manifest.csv")), cells),
        (nuclei, table(&fluo.join("manifest.csv")), fluo),
    ] {
        let channels: Vec<(String, String)> = if path.ends_with("nuclei_unet_fluo") {
            vec![("intensity".to_owned(), "luma".to_owned())]
        } else {
            Vec::new()
        };
        let ours = Model::load(&Options {
            channels: channels.clone(),
            ..embedded(path.clone())
        })
        .unwrap();
        let theirs = Model::load(&Options {
            engine: EngineChoice::OnnxRuntime,
            onnxruntime: Some(PathBuf::from(&library)),
            channels,
            ..Options::new(path)
        })
        .unwrap();
        assert!(
            theirs.engine().starts_with("ONNX Runtime 1."),
            "{}",
            theirs.engine()
        );
        assert!(matches!(
            theirs.test().unwrap(),
            TestOutcome::Run { passed: true, .. }
        ));
        for row in rows.iter().take(5) {
            let image = image(&folder.join(&row["image"]));
            let (a, b) = (
                ours.session().unwrap().predict(&image, true).unwrap(),
                theirs.session().unwrap().predict(&image, true).unwrap(),
            );
            for ((n, a), (m, b)) in a.embeddings.iter().zip(&b.embeddings) {
                assert_eq!(n, m);
                assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4), "{n}");
            }
            match (a.prediction, b.prediction) {
                (Prediction::Classes(a), Prediction::Classes(b)) => {
                    assert!(
                        a.probabilities
                            .iter()
                            .zip(&b.probabilities)
                            .all(|(a, b)| (a - b).abs() < 1e-5)
                    );
                }
                (Prediction::Instances(a), Prediction::Instances(b)) => {
                    assert!(
                        a.labels
                            .labels()
                            .iter()
                            .zip(b.labels.labels())
                            .filter(|(a, b)| a != b)
                            .count()
                            <= 4
                    );
                }
                _ => panic!("different kinds"),
            }
        }
    }
}

#[test]
fn a_missing_onnx_runtime_says_how_to_get_it() {
    let Some(path) = shared("models/wbc_cnn_d1") else {
        return;
    };
    let options = Options {
        engine: EngineChoice::OnnxRuntime,
        onnxruntime: Some(PathBuf::from("/nowhere")),
        ..Options::new(path)
    };
    let text = Model::load(&options).unwrap_err().to_string();
    assert!(
        text.contains("T320")
            && text.contains("pip install onnxruntime")
            && text.contains("/nowhere"),
        "{text}"
    );
}
