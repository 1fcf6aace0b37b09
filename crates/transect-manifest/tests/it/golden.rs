//! Outlines as peers draw and read them; see `golden/outlines`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::Value;
use transect_manifest::outline::{
    Outline, Shape, draw, ring_of_pairs, roi, roi_zip, runs_from_counts, runs_from_text,
};

fn golden() -> Value {
    let path = format!(
        "{}/../../golden/outlines/values.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(|v| v.as_f64().unwrap()).collect()
}

fn runs(value: &Value) -> Shape {
    let size = numbers(&value["size"]);
    let text = value["counts"].as_str().unwrap();
    Shape::Runs(runs_from_text([size[0] as u32, size[1] as u32], text).unwrap())
}

fn mask(shape: Shape, rows: usize, columns: usize) -> Vec<bool> {
    let outline = Outline {
        name: "one".to_owned(),
        class: None,
        shape,
    };
    let drawn = draw(&[outline], rows, columns).unwrap();
    drawn.labels.labels().iter().map(|l| *l > 0).collect()
}

#[test]
fn runs_are_read_as_pycocotools_writes_them() {
    let golden = golden();
    for case in list(&golden["masks"]) {
        let size = numbers(&case["runs"]["size"]);
        let (rows, columns) = (size[0] as usize, size[1] as usize);
        let shape = runs(&case["runs"]);
        if let Some(counts) = case["counts"].as_array() {
            let counts: Vec<u32> = counts.iter().map(|c| c.as_u64().unwrap() as u32).collect();
            let plain = runs_from_counts([rows as u32, columns as u32], counts).unwrap();
            assert_eq!(Shape::Runs(plain), shape);
        }
        let mask = mask(shape, rows, columns);
        let inside = || mask.iter().enumerate().filter(|(_, m)| **m).map(|(i, _)| i);
        assert_eq!(inside().count() as u64, case["area"]);
        assert_eq!(
            inside().map(|i| (i / columns) as u64).sum::<u64>(),
            case["row_sum"]
        );
        assert_eq!(
            inside().map(|i| (i % columns) as u64).sum::<u64>(),
            case["column_sum"]
        );
    }
}

/// Distance of a point to a closed line.
fn distance(point: [f64; 2], rings: &[Vec<[f64; 2]>]) -> f64 {
    let mut least = f64::INFINITY;
    for ring in rings {
        for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            let (d0, d1) = (b[0] - a[0], b[1] - a[1]);
            let length = d0 * d0 + d1 * d1;
            let t = if length == 0.0 {
                0.0
            } else {
                (((point[0] - a[0]) * d0 + (point[1] - a[1]) * d1) / length).clamp(0.0, 1.0)
            };
            least = least.min((point[0] - a[0] - t * d0).hypot(point[1] - a[1] - t * d1));
        }
    }
    least
}

#[test]
fn polygons_are_those_of_pycocotools_but_for_centres_on_the_line() {
    let golden = golden();
    let rows = golden["rows"].as_u64().unwrap() as usize;
    let columns = golden["columns"].as_u64().unwrap() as usize;
    let (mut pixels, mut apart) = (0, 0);
    for case in list(&golden["polygons"]) {
        let rings: Vec<_> = list(&case["points"])
            .iter()
            .map(|polygon| {
                let flat: Vec<f64> = list(polygon).iter().flat_map(numbers).collect();
                ring_of_pairs(&flat).unwrap()
            })
            .collect();
        let groups = rings.iter().map(|r| vec![r.clone()]).collect();
        let ours = mask(Shape::Rings(groups), rows, columns);
        let theirs = mask(runs(&case["runs"]), rows, columns);
        for at in 0..rows * columns {
            pixels += usize::from(theirs[at]);
            if ours[at] != theirs[at] {
                apart += 1;
                let centre = [(at / columns) as f64 + 0.5, (at % columns) as f64 + 0.5];
                let gap = distance(centre, &rings);
                assert!(
                    gap <= 0.3,
                    "pixel {centre:?} of {rings:?} is {gap} px from the line; here {}",
                    ours[at]
                );
            }
        }
    }
    assert!(pixels > 4000, "there is something to compare: {pixels}");
    assert!(apart * 40 < pixels, "{apart} of {pixels} pixels differ");
}

fn unpacked(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let code = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|b| *b != b'=').map(code).collect();
    digits
        .chunks(4)
        .flat_map(|group| {
            let bits = group
                .iter()
                .enumerate()
                .fold(0_u32, |all, (i, d)| all | u32::from(*d) << (18 - 6 * i));
            bits.to_be_bytes()[1..group.len()].to_vec()
        })
        .collect()
}

#[test]
fn regions_are_those_that_roifile_reads() {
    let golden = golden();
    for case in list(&golden["regions"]) {
        let outline = roi(&unpacked(&case["bytes"]), "unnamed").unwrap();
        assert_eq!(outline.name, case["name"].as_str().unwrap());
        if let Some(bounds) = case.get("bounds") {
            let bounds = numbers(bounds);
            let ours = match &outline.shape {
                &Shape::Ellipse {
                    row0,
                    column0,
                    row1,
                    column1,
                } => vec![row0, column0, row1, column1],
                Shape::Rings(groups) => {
                    let ring = &groups[0][0];
                    vec![ring[0][0], ring[0][1], ring[2][0], ring[2][1]]
                }
                Shape::Runs(_) => panic!("a region is not runs"),
            };
            assert_eq!(ours, bounds, "{}", outline.name);
            continue;
        }
        let Shape::Rings(groups) = &outline.shape else {
            panic!("{} is a polygon", outline.name);
        };
        let theirs: Vec<Vec<[f64; 2]>> = list(&case["rings"])
            .iter()
            .map(|ring| {
                let mut points: Vec<[f64; 2]> = list(ring)
                    .iter()
                    .map(numbers)
                    .map(|p| [p[1], p[0]])
                    .collect();
                // The peer repeats the first point of a closed line.
                if points.len() > 1 && points.first() == points.last() {
                    points.pop();
                }
                points
            })
            .collect();
        assert_eq!(groups[0], theirs, "{}", outline.name);
    }
    let outlines = roi_zip(&unpacked(&golden["zip"])).unwrap();
    let names: Vec<&str> = outlines.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "polygon",
            "zelle ä",
            "rectangle",
            "fine rectangle",
            "oval",
            "fine oval",
            "composite"
        ]
    );
}
