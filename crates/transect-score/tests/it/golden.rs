//! Equal to the peers to 1e-6. The values are made by `golden/<stem>/make.py`.

use std::path::{Path, PathBuf};

use serde_json::Value;
use transect_core::{Classes, Instances, LabelImage, Prediction, Semantic, Task};
use transect_score::metric::{Rows, metric};
use transect_score::{Overlaps, Rules, THRESHOLDS, Truth, columns, score};

const TOLERANCE: f64 = 1e-6;

fn golden(stem: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../golden")
        .join(stem)
        .join("values.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn whole(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// Remembers the worst difference, so that a failure names it.
#[derive(Default)]
struct Worst {
    compared: usize,
    difference: f64,
    place: String,
}

impl Worst {
    fn add(&mut self, place: &str, ours: f64, peer: f64) {
        self.compared += 1;
        let difference = (ours - peer).abs() / peer.abs().max(1.0);
        if difference.is_nan() || difference > self.difference {
            self.difference = difference;
            self.place = format!("{place}: {ours}, the peer has {peer}");
        }
    }

    fn check(&self, at_least: usize) {
        assert!(
            self.compared >= at_least,
            "only {} numbers were compared",
            self.compared
        );
        assert!(
            self.difference <= TOLERANCE,
            "{} (difference {:e})",
            self.place,
            self.difference
        );
        println!(
            "{} numbers, worst {:e} at {}",
            self.compared, self.difference, self.place
        );
    }
}

#[test]
fn classification_equals_scikit_learn() {
    let golden = golden("classification");
    let mut worst = Worst::default();
    for case in list(&golden["cases"]) {
        let k = whole(&case["n_classes"]);
        let mut rows = Rows::new(Task::Classification, k);
        for (truth, p) in list(&case["truth"])
            .iter()
            .zip(list(&case["probabilities_64ths"]))
        {
            let truth = truth.as_u64().unwrap() as u32;
            let probabilities: Vec<f32> = list(p).iter().map(|p| number(p) as f32 / 64.0).collect();
            let classes = Classes {
                probabilities: probabilities.clone(),
            };
            let pred = classes.class() as u32;
            let scores = score(
                &Rules::new(Task::Classification, k),
                &Truth::Class(truth),
                &Prediction::Classes(classes),
            )
            .unwrap();
            rows.push(Some(truth), Some(pred), &probabilities, &scores)
                .unwrap();
        }
        let indices: Vec<usize> = list(&case["indices"]).iter().map(whole).collect();
        for (name, peer) in case["values"].as_object().unwrap() {
            let ours = metric(Task::Classification, name)
                .unwrap()
                .evaluate(&rows, &indices)
                .unwrap();
            worst.add(&format!("{} of {}", name, case["name"]), ours, number(peer));
        }
    }
    worst.check(30);
}

fn unpacked(value: &Value, runs: &str) -> LabelImage {
    let labels = list(&value[runs])
        .iter()
        .flat_map(|run| std::iter::repeat_n(run[0].as_u64().unwrap() as u32, whole(&run[1])))
        .collect();
    LabelImage::new(whole(&value["rows"]), whole(&value["columns"]), labels).unwrap()
}

#[test]
fn masks_equal_scikit_learn() {
    let golden = golden("semantic");
    let mut worst = Worst::default();
    for case in list(&golden["cases"]) {
        let k = whole(&case["n_classes"]);
        let ignore = case["ignore"].as_u64().map(|v| v as u32);
        let mut rows = Rows::new(Task::Semantic, k);
        for (index, image) in list(&case["images"]).iter().enumerate() {
            let truth = Truth::Mask {
                mask: unpacked(image, "truth"),
                ignore,
            };
            let pred = Prediction::Semantic(Semantic {
                mask: unpacked(image, "pred"),
                confidence: None,
                confidences: Vec::new(),
            });
            let scores = score(&Rules::new(Task::Semantic, k), &truth, &pred).unwrap();
            for (column, name) in ["iou", "dice"].into_iter().enumerate() {
                let place = format!("{name} of image {index} of {}", case["name"]);
                worst.add(&place, scores[column].unwrap(), number(&image[name]));
            }
            rows.push(None, None, &[], &scores).unwrap();
        }
        for (name, peer) in case["values"].as_object().unwrap() {
            let ours = metric(Task::Semantic, name)
                .unwrap()
                .evaluate_all(&rows)
                .unwrap();
            worst.add(&format!("{} of {}", name, case["name"]), ours, number(peer));
        }
    }
    worst.check(30);
}

/// Compares everything that the peer gives for one pair of label images.
fn compare_pair(
    worst: &mut Worst,
    name: &str,
    truth: &LabelImage,
    pred: &LabelImage,
    peer: &Value,
    low: &[f64],
) {
    let names: Vec<String> = columns(Task::Instance, &[])
        .into_iter()
        .map(|c| c.name)
        .collect();
    let prediction = Prediction::Instances(Instances {
        labels: pred.clone(),
        confidences: Vec::new(),
    });
    let scores = score(
        &Rules::new(Task::Instance, 0),
        &Truth::Labels(truth.clone()),
        &prediction,
    )
    .unwrap();
    let ours = |column: &str| scores[names.iter().position(|n| n == column).unwrap()].unwrap();
    let mut add =
        |column: &str, peer: f64| worst.add(&format!("{column} of {name}"), ours(column), peer);
    for (thresh, tp) in THRESHOLDS.iter().zip(list(&peer["tp"])) {
        add(&format!("tp_{:.0}", thresh * 100.0), number(tp));
    }
    add("n_true", number(&peer["n_true"]));
    add("n_pred", number(&peer["n_pred"]));
    add("sum_iou_50", number(&peer["sum_iou_50"]));
    // Nothing in truth and prediction: 0 in the peer, 1 here, by declaration.
    let empty = number(&peer["n_true"]) + number(&peer["n_pred"]) == 0.0;
    let declared = |value: f64| if empty { value + 1.0 } else { value };
    let precisions: Vec<f64> = list(&peer["average_precision"])
        .iter()
        .map(|v| declared(number(v)))
        .collect();
    add("average_precision_50", precisions[0]);
    add("average_precision_75", precisions[5]);
    add("average_precision", precisions.iter().sum::<f64>() / 10.0);
    add("f1_50", declared(number(&peer["f1_50"])));
    add(
        "panoptic_quality",
        declared(number(&peer["panoptic_quality"])),
    );
    let overlaps = Overlaps::count(truth, pred).unwrap();
    for (&thresh, tp) in low.iter().zip(list(&peer["tp_low"])) {
        worst.add(
            &format!("matched at {thresh} of {name}"),
            overlaps.matching(thresh).tp() as f64,
            number(tp),
        );
    }
}

fn low_thresholds(golden: &Value) -> Vec<f64> {
    list(&golden["low_thresholds"]).iter().map(number).collect()
}

#[test]
fn matching_equals_stardist() {
    let golden = golden("instances");
    let low = low_thresholds(&golden);
    let mut worst = Worst::default();
    for pair in list(&golden["pairs"]) {
        let name = pair["name"].as_str().unwrap();
        compare_pair(
            &mut worst,
            name,
            &unpacked(pair, "truth"),
            &unpacked(pair, "pred"),
            pair,
            &low,
        );
    }
    worst.check(200);
}

fn shared() -> Option<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let there = shared.is_dir();
    if !there {
        println!("skipped: ../shared/data is not there");
    }
    there.then_some(shared)
}

/// A 16-bit label image; only what these files need.
fn read_labels(path: &Path) -> LabelImage {
    let bytes = std::fs::read(path).unwrap();
    if path.extension().is_some_and(|e| e == "png") {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut buffer).unwrap();
        assert_eq!(
            (info.color_type, info.bit_depth),
            (png::ColorType::Grayscale, png::BitDepth::Sixteen)
        );
        let labels = buffer[..info.buffer_size()]
            .chunks(2)
            .map(|b| u32::from(u16::from_be_bytes([b[0], b[1]])))
            .collect();
        return LabelImage::new(info.height as usize, info.width as usize, labels).unwrap();
    }
    let mut decoder = tiff::decoder::Decoder::new(std::io::Cursor::new(bytes)).unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    let tiff::decoder::DecodingResult::U16(labels) = decoder.read_image().unwrap() else {
        panic!("{} does not have 16 bits", path.display());
    };
    LabelImage::new(
        height as usize,
        width as usize,
        labels.into_iter().map(u32::from).collect(),
    )
    .unwrap()
}

/// The rule of `moved` in make.py: up by two rows, left by one column, every seventh object lost, every fifth merged.
fn moved(truth: &LabelImage) -> LabelImage {
    let (rows, columns) = (truth.rows(), truth.columns());
    let mut labels = vec![0; rows * columns];
    for r in 0..rows - 2 {
        for c in 0..columns - 1 {
            let label = truth.labels()[(r + 2) * columns + c + 1];
            labels[r * columns + c] = match label {
                l if l % 7 == 0 => 0,
                l if l % 5 == 0 => l - 1,
                l => l,
            };
        }
    }
    LabelImage::new(rows, columns, labels).unwrap()
}

#[test]
fn matching_equals_stardist_on_real_nuclei_and_cells() {
    let Some(shared) = shared() else { return };
    let golden = golden("instances");
    let low = low_thresholds(&golden);
    let mut worst = Worst::default();
    for pair in list(&golden["shared_moved"]) {
        let name = pair["truth"].as_str().unwrap();
        let truth = read_labels(&shared.join(name));
        compare_pair(&mut worst, name, &truth, &moved(&truth), pair, &low);
    }
    for pair in list(&golden["shared_results"]) {
        let name = pair["pred"].as_str().unwrap();
        let (truth, pred) = (
            read_labels(&shared.join(pair["truth"].as_str().unwrap())),
            read_labels(&shared.join(name)),
        );
        compare_pair(&mut worst, name, &truth, &pred, pair, &low);
    }
    worst.check(300);
}

#[test]
fn aggregated_jaccard_equals_hover_net() {
    let golden = golden("aggregated");
    let mut worst = Worst::default();
    for (index, case) in list(&golden["cases"]).iter().enumerate() {
        let prediction = Prediction::Instances(Instances {
            labels: unpacked(case, "pred"),
            confidences: Vec::new(),
        });
        let truth = Truth::Labels(unpacked(case, "truth"));
        let scores = score(&Rules::new(Task::Instance, 0), &truth, &prediction).unwrap();
        for (name, place) in [("aji", 25), ("aji_plus", 26)] {
            let ours = scores[place].unwrap();
            worst.add(
                &format!("{name} of case {index}"),
                ours,
                number(&case[name]),
            );
        }
    }
    worst.check(48);
}

#[test]
fn outlines_equal_monai() {
    let golden = golden("surfaces");
    let mut worst = Worst::default();
    for (index, case) in list(&golden["cases"]).iter().enumerate() {
        let truth = Truth::Mask {
            mask: unpacked(case, "truth"),
            ignore: None,
        };
        let prediction = Prediction::Semantic(Semantic {
            mask: unpacked(case, "pred"),
            confidence: None,
            confidences: Vec::new(),
        });
        for (tolerance, peer) in list(&golden["tolerances"])
            .iter()
            .zip(list(&case["surface_dice"]))
        {
            let rules = Rules {
                tolerance_px: Some(number(tolerance)),
                ..Rules::new(Task::Semantic, 2)
            };
            let scores = score(&rules, &truth, &prediction).unwrap();
            worst.add(
                &format!("hd95 of case {index}"),
                scores[3].unwrap(),
                number(&case["hd95"]),
            );
            worst.add(
                &format!("surface_dice of case {index} at {tolerance}"),
                scores[4].unwrap(),
                number(peer),
            );
        }
    }
    worst.check(200);
}
