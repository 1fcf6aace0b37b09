//! Golden values of the peers: golden/model_* at the root of the repository.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::decode::{Connectivity, components, distance_squared, watershed};
use crate::options::RdfMeaning;
use crate::process::apply;
use crate::resize::resize;
use crate::spec::golden_operations;
use crate::spec::{AntiAlias, Resize, ResizeMethod};
use crate::tensor::Block;

fn golden(stem: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../golden")
        .join(stem)
        .join("values.json");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn cases(stem: &str) -> Vec<Value> {
    let cases = golden(stem)["cases"].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn floats(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

fn samples(value: &Value) -> Vec<f32> {
    floats(value).into_iter().map(|v| v as f32).collect()
}

fn sizes(value: &Value) -> Vec<usize> {
    floats(value).into_iter().map(|v| v as usize).collect()
}

/// Value, length, value, length, …
fn runs(value: &Value) -> Vec<u32> {
    let numbers: Vec<usize> = sizes(value);
    numbers
        .chunks(2)
        .flat_map(|pair| std::iter::repeat_n(pair[0] as u32, pair[1]))
        .collect()
}

/// The worst element, with its index.
fn compare(name: &str, got: &[f32], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{name}");
    let (mut worst, mut at) = (0.0, 0);
    for (index, (&g, &w)) in got.iter().zip(want).enumerate() {
        let difference = (f64::from(g) - w).abs() / (1.0 + w.abs());
        if difference > worst || difference.is_nan() {
            (worst, at) = (difference, index);
        }
    }
    assert!(
        worst <= tolerance,
        "{name}: element {at} is {} and should be {}, {worst:e}",
        got[at],
        want[at]
    );
}

#[test]
fn operations_agree_with_numpy() {
    for case in cases("model_operations") {
        let name = case["name"].as_str().unwrap();
        let shape: [usize; 4] = sizes(&case["shape"]).try_into().unwrap();
        let mut block = Block {
            shape,
            data: samples(&case["data"]),
        };
        let reference = (!case["reference"].is_null()).then(|| Block {
            shape,
            data: samples(&case["reference"]),
        });
        let operations = golden_operations(
            &json!([case["operation"]]),
            reference.is_some() || name == "scale_mean_variance",
            RdfMeaning::Specification,
        )
        .unwrap();
        apply(&mut block, &operations, reference.as_ref()).unwrap();
        compare(name, &block.data, &floats(&case["result"]), 1e-6);
    }
}

#[test]
fn core_compatible_chains_agree_with_the_reference_runner() {
    let mut different = 0;
    for case in cases("rdf_core") {
        let name = case["name"].as_str().unwrap();
        let shape: [usize; 4] = sizes(&case["shape"]).try_into().unwrap();
        let data = Block {
            shape,
            data: samples(&case["data"]),
        };
        let after = !case["after"].is_null();
        let (list, input) = if after {
            let input = Block {
                shape,
                data: samples(&case["input"]),
            };
            (&case["after"], input)
        } else {
            (&case["before"], data.clone())
        };
        let run = |meaning| {
            let mut block = data.clone();
            let operations = golden_operations(list, after, meaning).unwrap();
            apply(&mut block, &operations, Some(&input)).unwrap();
            block.data
        };
        let its = run(RdfMeaning::CoreCompatible);
        compare(name, &its, &floats(&case["result"]), 3e-6);
        let ours = run(RdfMeaning::Specification);
        let largest = its
            .iter()
            .zip(&ours)
            .map(|(a, b)| f64::from((a - b).abs()) / (1.0 + f64::from(b.abs())))
            .fold(0.0, f64::max);
        let same = name == "nothing that deviates" || name == "binarize";
        assert_eq!(largest > 1e-5, !same, "{name}: {largest:e}");
        different += usize::from(!same);
    }
    assert!(different >= 8, "{different}");
}

#[test]
fn core_compatible_refuses_by_name_what_the_runner_does_not_do_to_one_image() {
    let refused = golden("rdf_core")["refused"].as_array().unwrap().clone();
    assert!(refused.len() >= 7);
    for case in refused {
        let (list, after) = (&case["operations"], case["after"] == true);
        let errors = golden_operations(list, after, RdfMeaning::CoreCompatible).unwrap_err();
        assert_eq!(errors.0.len(), 1, "{errors}");
        let words = match case["runner"].as_str().unwrap() {
            "depends on other images" => "order of the files",
            "stops: KeyError" => "stops here",
            "stops: ValueError" => "ignores the axis",
            other => panic!("{}: the runner {other}", case["name"]),
        };
        assert!(errors.to_string().contains(words), "{errors}");
        // The specification's meaning has no such trouble.
        golden_operations(list, after, RdfMeaning::Specification).unwrap();
    }
    // Bounds that are values need no statistics, so no axes.
    golden_operations(
        &json!([{"id": "clip", "kwargs": {"min": 0, "max": 1}}]),
        false,
        RdfMeaning::CoreCompatible,
    )
    .unwrap();
}

#[test]
fn resizing_agrees_with_scikit_image() {
    for case in cases("model_resize") {
        let (from, to) = (sizes(&case["from"]), sizes(&case["to"]));
        let how = Resize {
            method: match case["method"].as_str().unwrap() {
                "bilinear" => ResizeMethod::Bilinear,
                "area" => ResizeMethod::Area,
                _ => ResizeMethod::Nearest,
            },
            anti_alias: if case["anti_alias"] == "gaussian" {
                AntiAlias::Gaussian
            } else {
                AntiAlias::None
            },
            size: [to[0], to[1]],
        };
        let block = Block {
            shape: [1, 1, from[0], from[1]],
            data: samples(&case["data"]),
        };
        let got = resize(&block, &how);
        assert_eq!(got.shape, [1, 1, to[0], to[1]]);
        compare(
            &format!("{how:?} from {from:?}"),
            &got.data,
            &floats(&case["result"]),
            1e-6,
        );
    }
}

#[test]
fn decoding_agrees_with_scikit_image_and_scipy() {
    let mut objects = 0;
    for case in cases("model_decode") {
        let name = case["image"].as_str().unwrap();
        let shape: [usize; 2] = sizes(&case["shape"]).try_into().unwrap();
        let (interior, foreground) = (samples(&case["interior"]), samples(&case["foreground"]));
        let seeds: Vec<bool> = interior.iter().map(|&v| v > 500.0).collect();
        let mask: Vec<bool> = foreground.iter().map(|&v| v > 500.0).collect();
        let markers = components(&seeds, shape, Connectivity::Four);
        assert_eq!(markers, runs(&case["markers"]), "{name}: markers");
        assert_eq!(
            components(&mask, shape, Connectivity::Four),
            runs(&case["components_4"]),
            "{name}: sides"
        );
        assert_eq!(
            components(&mask, shape, Connectivity::Eight),
            runs(&case["components_8"]),
            "{name}: corners"
        );
        let squared: Vec<u32> = distance_squared(&mask, shape)
            .into_iter()
            .map(|d| d as u32)
            .collect();
        assert_eq!(
            squared,
            runs(&case["distance_squared"]),
            "{name}: distances"
        );
        let height: Vec<f32> = foreground.iter().map(|v| -v).collect();
        let got = watershed(&height, &markers, &mask, shape);
        let want = runs(&case["watershed"]);
        let different = got.iter().zip(&want).filter(|(g, w)| g != w).count();
        assert_eq!(
            different,
            0,
            "{name}: watershed differs in {different} of {} pixels",
            got.len()
        );
        objects += case["objects"].as_u64().unwrap();
    }
    assert!(objects >= 10);
}
