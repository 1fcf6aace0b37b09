//! Outlines to label images.

use insta::assert_snapshot;
use proptest::prelude::*;
use transect_manifest::outline::{
    Outline, Shape, draw, geojson, of_mask, ring_of_pairs, roi, roi_zip, runs_from_counts,
    runs_from_text, within,
};

fn square(name: &str, row: f64, column: f64, side: f64) -> Outline {
    let ring = vec![
        [row, column],
        [row, column + side],
        [row + side, column + side],
        [row + side, column],
    ];
    Outline {
        name: name.to_owned(),
        class: None,
        shape: Shape::Rings(vec![vec![ring]]),
    }
}

fn picture(labels: &transect_core::LabelImage) -> String {
    let rows: Vec<String> = labels
        .labels()
        .chunks(labels.columns())
        .map(|row| {
            row.iter()
                .map(|l| char::from(b".123456789"[*l as usize]))
                .collect()
        })
        .collect();
    rows.join("\n")
}

#[test]
fn a_pixel_belongs_to_the_outline_that_holds_its_centre() {
    // 1.5 is the centre of the second pixel: the side of larger coordinates has it.
    let drawn = draw(
        &[square("a", 1.5, 1.5, 2.0), square("b", 1.5, 3.5, 2.0)],
        6,
        7,
    )
    .unwrap();
    assert_snapshot!(picture(&drawn.labels), @r"
    .......
    .1122..
    .1122..
    .......
    .......
    .......
    ");
    assert_eq!((drawn.areas, drawn.overlap), (vec![4, 4], 0));
}

#[test]
fn a_small_object_lies_on_a_large_one_whatever_the_order() {
    let (large, small) = (
        square("cell", 0.0, 0.0, 4.0),
        square("nucleus", 1.0, 1.0, 2.0),
    );
    let drawn = draw(&[small.clone(), large.clone()], 4, 4).unwrap();
    assert_snapshot!(picture(&drawn.labels), @r"
    2222
    2112
    2112
    2222
    ");
    assert_eq!(drawn.overlap, 4);
    let turned = draw(&[large, small], 4, 4).unwrap();
    let same: Vec<bool> = turned.labels.labels().iter().map(|l| *l == 2).collect();
    assert_eq!(
        same,
        drawn
            .labels
            .labels()
            .iter()
            .map(|l| *l == 1)
            .collect::<Vec<_>>()
    );
}

#[test]
fn of_equal_outlines_the_first_is_seen_and_the_other_named() {
    let drawn = draw(
        &[square("a", 0.0, 0.0, 2.0), square("b", 0.0, 0.0, 2.0)],
        3,
        3,
    )
    .unwrap();
    assert_eq!(drawn.labels.labels()[0], 1);
    assert_eq!(drawn.hidden, [1]);
}

#[test]
fn holes_and_parts_of_one_object() {
    let ring = |o: Outline| match o.shape {
        Shape::Rings(groups) => groups[0][0].clone(),
        _ => panic!("a ring"),
    };
    let frame = Outline {
        name: "ring".to_owned(),
        class: None,
        shape: Shape::Rings(vec![
            vec![
                ring(square("", 0.0, 0.0, 4.0)),
                ring(square("", 1.0, 1.0, 2.0)),
            ],
            vec![ring(square("", 2.0, 2.0, 3.0))],
        ]),
    };
    let drawn = draw(&[frame], 5, 6).unwrap();
    assert_snapshot!(picture(&drawn.labels), @r"
    1111..
    1..1..
    1.111.
    11111.
    ..111.
    ");
    assert_eq!(drawn.areas, [18]);
}

#[test]
fn an_ellipse_holds_the_centres_within_it() {
    let ellipse = Outline {
        name: "oval".to_owned(),
        class: None,
        shape: Shape::Ellipse {
            row0: 2.0,
            column0: 3.0,
            row1: 13.0,
            column1: 20.0,
        },
    };
    let drawn = draw(&[ellipse], 16, 24).unwrap();
    for row in 0..16 {
        for column in 0..24 {
            let (y, x) = (
                (row as f64 + 0.5 - 7.5) / 5.5,
                (column as f64 + 0.5 - 11.5) / 8.5,
            );
            let inside = y * y + x * x < 1.0;
            assert_eq!(
                drawn.labels.labels()[row * 24 + column] == 1,
                inside,
                "{row} {column}"
            );
        }
    }
}

#[test]
fn outlines_outside_are_named_and_those_that_leave_are_cut() {
    let cut = draw(&[square("cut", -2.0, 3.0, 4.0)], 4, 5).unwrap();
    assert_eq!(cut.areas, [4]);
    let error = draw(
        &[
            square("here", 0.0, 0.0, 2.0),
            square("cell 7", 40.0, 3.0, 5.0),
        ],
        30,
        30,
    )
    .unwrap_err();
    assert_snapshot!(error, @r"
    error[T025]: 1 outline lies outside of the image, which has 30 rows and 30 columns
      = cell 7: rows 40.0 to 45.0, columns 3.0 to 8.0
      = help: do the outlines belong to this image, in pixels of its full size, x before y?
    ");
}

#[test]
fn an_outline_without_a_centre_is_told() {
    let drawn = draw(&[square("dust", 1.6, 1.6, 0.5)], 4, 4).unwrap();
    assert_eq!(drawn.without_pixels, [0]);
    assert!(drawn.labels.labels().iter().all(|l| *l == 0));
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let text = |e: transect_core::Error| e.to_string();
    assert_snapshot!(text(ring_of_pairs(&[1.0, 2.0, 3.0]).unwrap_err()), @"error[T024]: a polygon of 3 coordinates: they come in pairs x, y");
    assert_snapshot!(text(ring_of_pairs(&[1.0, 2.0, 3.0, 4.0]).unwrap_err()), @"error[T024]: a polygon of 2 points: it takes three");
    assert_snapshot!(text(ring_of_pairs(&[1.0, 2.0, f64::NAN, 4.0, 5.0, 6.0]).unwrap_err()), @"error[T024]: a coordinate is not a finite number");
    assert_snapshot!(text(runs_from_counts([2, 3], vec![1, 4]).unwrap_err()), @"error[T024]: the runs add up to 5 pixels; 2 rows of 3 columns have 6");
    assert_snapshot!(text(runs_from_text([2, 3], "1 ").unwrap_err()), @"error[T024]: character 2 of the compressed runs is none of theirs");
    assert_snapshot!(text(runs_from_text([2, 3], "1P").unwrap_err()), @"error[T024]: the compressed runs end within a length");
    assert!(runs_from_text([2, 3], &"o".repeat(40)).is_err());
    assert!(runs_from_counts([u32::MAX, u32::MAX], vec![1]).is_err());
    assert_snapshot!(text(roi(b"PK", "a").unwrap_err()), @"error[T022]: a: this is not a .roi file of ImageJ");
    assert_snapshot!(text(roi(b"Iout\0\0", "a").unwrap_err()), @"error[T022]: a: the .roi file is cut off");
    assert_snapshot!(text(roi_zip(b"PK").unwrap_err()), @"error[T022]: the ZIP archive is damaged: it has no directory");
    let points = {
        let mut file = b"Iout\0\xe3\x0a\0".to_vec();
        file.resize(64, 0);
        file
    };
    assert_snapshot!(text(roi(&points, "spots").unwrap_err()), @r"
    error[T024]: spots: the region is points: it has no inside
      = help: delete it from the ROI manager, or draw an area
    ");
}

#[test]
fn too_many_corners_end_in_an_error_and_not_in_hours() {
    let ring: Vec<[f64; 2]> = (0..4000)
        .map(|i| [f64::from(i % 2) * 65_000.0, f64::from(i)])
        .collect();
    let wild = Outline {
        name: "wild".to_owned(),
        class: None,
        shape: Shape::Rings(vec![vec![ring]]),
    };
    assert_snapshot!(draw(&[wild], 65_000, 4).unwrap_err(), @r"
    error[T023]: wild: the outline has too many corners for an image of this height
      = help: draw it with fewer corners, or as a label image
    ");
}

#[test]
fn masks_are_outlines_and_a_region_cuts_both_alike() {
    let labels = vec![0, 0, 0, 0, 0, 9, 9, 0, 0, 9, 0, 0, 0, 0, 0, 0];
    let mask = transect_core::LabelImage::new(4, 4, labels.clone()).unwrap();
    let object = of_mask(&mask, "1.png").unwrap();
    let drawn = draw(std::slice::from_ref(&object), 4, 4).unwrap();
    assert_eq!(
        drawn
            .labels
            .labels()
            .iter()
            .map(|l| l * 9)
            .collect::<Vec<_>>(),
        labels
    );
    let outlines = vec![
        object,
        square("s", 2.0, 2.0, 2.0),
        square("away", 0.0, 0.0, 1.0),
    ];
    let whole = draw(&outlines, 4, 4).unwrap().labels;
    let cut = within(outlines, [1, 2, 3, 2]);
    assert_eq!(cut.len(), 2, "what is not in the region is left out");
    let part = draw(&cut, 3, 2).unwrap().labels;
    for row in 0..3 {
        for column in 0..2 {
            assert_eq!(
                part.labels()[row * 2 + column],
                whole.labels()[(row + 1) * 4 + column + 2]
            );
        }
    }
    let of = |labels: Vec<u32>| {
        of_mask(
            &transect_core::LabelImage::new(1, 3, labels).unwrap(),
            "m.png",
        )
        .unwrap_err()
        .to_string()
    };
    assert_snapshot!(of(vec![0, 0, 0]), @"error[T024]: m.png: the mask is empty");
    assert_snapshot!(of(vec![0, 1, 2]), @r"
    error[T024]: m.png: the mask holds 1 and 2; the mask of one object holds one value beside 0
      = help: a label image with a number for each object is named as a file, not as its folder
    ");
}

#[test]
fn geojson_of_qupath() {
    let text = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","id":"8a1","geometry":{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,4],[0,0]],[[1,1],[3,1],[3,3],[1,3],[1,1]]]},
         "properties":{"objectType":"annotation","name":"islet","classification":{"name":"Tumor","color":[200,0,0]}}},
        {"type":"Feature","geometry":{"type":"MultiPolygon","coordinates":[[[[5,0],[7,0],[7,2],[5,2]]],[[[5,3],[7,3],[7,4],[5,4]]]]},
         "properties":{"classification":{"names":["Immune","CD3"]}}}]}"#;
    let outlines = geojson(text.as_bytes()).unwrap();
    assert_eq!(outlines[0].name, "feature 1 (8a1) `islet`");
    assert_eq!(outlines[0].class.as_deref(), Some("Tumor"));
    assert_eq!(outlines[1].class.as_deref(), Some("Immune: CD3"));
    assert_snapshot!(picture(&draw(&outlines, 4, 8).unwrap().labels), @r"
    1111.22.
    1..1.22.
    1..1....
    1111.22.
    ");
    let list = format!(
        "[{}]",
        &text[text.find("{\"type\":\"Feature\",").unwrap()..text.rfind("]}").unwrap()]
    );
    assert_eq!(geojson(list.as_bytes()).unwrap(), outlines);
}

#[test]
fn geojson_that_is_not_read() {
    let error = |text: &str| geojson(text.as_bytes()).unwrap_err().to_string();
    assert_snapshot!(error(r#"{"type":"Topology"}"#), @r"
    error[T022]: this is not GeoJSON of features: its type is `Topology`
      = help: export the objects as a FeatureCollection
    ");
    assert_snapshot!(error(r#"[{"geometry":{"type":"Point","coordinates":[1,2]}}]"#), @r"
    error[T024]: feature 1: it is a Point, which has no inside
      = help: export polygons alone
    ");
    assert_snapshot!(error("{"), @r"
    error[T022]: this is not JSON: EOF while parsing an object
      --> line 1, column 1
    ");
    let deep = format!(
        "[{{\"geometry\":{{\"type\":\"Polygon\",\"coordinates\":{}",
        "[".repeat(100_000)
    );
    assert_snapshot!(error(&deep), @r"
    error[T023]: lists and objects are nested deeper than 128
      --> line 1, column 170
    ");
    let planes = r#"[{"geometry":{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4]]],"plane":{"z":0}}},
        {"geometry":{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4]]],"plane":{"z":3}}}]"#;
    assert_snapshot!(error(planes), @r"
    error[T024]: feature 2: it lies in another plane than those before it
      = help: export one file for each plane
    ");
}

proptest! {
    #[test]
    fn any_bytes_end_in_outlines_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400), head in 0..4_usize) {
        let mut file = [&b""[..], b"Iout\0\xe3\0\0", b"PK\x05\x06", b"[{\"geometry\""][head].to_vec();
        file.extend(&bytes);
        let _ = roi_zip(&file);
        let _ = geojson(&file);
        if let Ok(outline) = roi(&file, "any") {
            let _ = draw(&[outline], 20, 30);
        }
        let _ = runs_from_text([4, 5], &String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_flip_of_the_outline_is_a_flip_of_its_pixels(points in proptest::collection::vec((0.0..20.0_f64, 0.0..30.0_f64), 3..12)) {
        let of = |flip: bool| {
            let ring = points.iter().map(|p| [p.0, if flip { 30.0 - p.1 } else { p.1 }]).collect();
            let outline = Outline { name: String::new(), class: None, shape: Shape::Rings(vec![vec![ring]]) };
            draw(&[outline], 20, 30).unwrap().labels
        };
        let (plain, turned) = (of(false), of(true));
        for row in 0..20 {
            for column in 0..30 {
                prop_assert_eq!(plain.labels()[row * 30 + column], turned.labels()[row * 30 + 29 - column]);
            }
        }
    }
}
