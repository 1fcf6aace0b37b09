//! Figures of every kind, ordinary and odd.

use proptest::prelude::*;
use transect_core::figure::{Drawing, Figure, Point, Row, Series};
use transect_report::{Report, html};

use crate::fixture::empty;
use crate::markup::{Piece, assert_balanced, attributes, read, text};

fn with(drawing: Drawing) -> Report {
    let mut report = empty();
    report.figures.push(Figure {
        id: "performance.figure".to_owned(),
        mode: "performance".to_owned(),
        title: "A figure".to_owned(),
        caption: String::new(),
        drawing,
    });
    report
}

/// The drawing's element and what is in it.
fn drawn(drawing: Drawing) -> String {
    let page = html(&with(drawing));
    assert_balanced(&read(&page));
    let start = page
        .find("<svg role=\"img\" aria-labelledby")
        .expect("a drawing");
    page[start..start + page[start..].find("</svg>").expect("its end") + 6].to_owned()
}

fn row(label: &str, value: Option<f64>, low: Option<f64>, high: Option<f64>) -> Row {
    Row {
        label: label.to_owned(),
        value,
        low,
        high,
        n: 10,
        note: String::new(),
    }
}

fn numbers(svg: &str, class: &str, key: &str) -> Vec<f64> {
    read(&format!("<!DOCTYPE html>{svg}"))
        .iter()
        .filter_map(|p| match p {
            Piece::Open { attributes, .. } => {
                let get = |k: &str| attributes.iter().find(|a| a.0 == k).map(|a| a.1.clone());
                get("class").filter(|c| c == class).and_then(|_| get(key))
            }
            _ => None,
        })
        .map(|v| v.parse().expect("a number"))
        .collect()
}

#[test]
fn a_forest_is_drawn_to_scale() {
    let rows = vec![
        row("a", Some(0.0), Some(0.0), Some(0.5)),
        row("b", Some(1.0), Some(0.5), Some(1.0)),
        row("c", Some(0.5), None, Some(0.6)),
        row("d", None, None, None),
    ];
    let svg = drawn(Drawing::Forest {
        x: "accuracy".to_owned(),
        rows,
        marks: vec![(0.25, "chance".to_owned())],
    });
    // The axis goes from 18 to 362 for 0 to 1; markers are 9 wide.
    assert_eq!(numbers(&svg, "point s1", "x"), [13.5, 357.5, 185.5]);
    assert_eq!(numbers(&svg, "mark", "x1"), [104.0]);
    let whiskers = numbers(&svg, "whisker s1", "x1");
    assert_eq!(whiskers[..3], [18.0, 18.0, 190.0], "{whiskers:?}");
    assert_eq!(
        svg.matches("<path class=\"whisker s1\"").count(),
        1,
        "one open end"
    );
}

#[test]
fn bars_begin_at_zero() {
    let rows = vec![
        row("up", Some(2.0), None, None),
        row("down", Some(-1.0), Some(-2.0), Some(0.0)),
    ];
    let svg = drawn(Drawing::Bars {
        x: "gain".to_owned(),
        rows,
    });
    // From -2 to 2 over 8 to 372.
    assert_eq!(numbers(&svg, "bar", "x"), [190.0, 99.0]);
    assert_eq!(numbers(&svg, "bar", "width"), [182.0, 91.0]);
}

#[test]
fn a_curve_is_drawn_to_scale_on_a_logarithmic_axis() {
    let points = [1.0, 10.0, 100.0]
        .iter()
        .map(|&x| Point {
            x,
            y: x / 100.0,
            low: None,
            high: None,
        })
        .collect();
    let svg = drawn(Drawing::Curve {
        x: "dose".to_owned(),
        y: "score".to_owned(),
        log_x: true,
        series: vec![Series {
            label: "s".to_owned(),
            points,
        }],
        x_marks: vec![],
        y_marks: vec![],
    });
    assert_eq!(numbers(&svg, "point s1", "cx"), [44.0, 207.0, 370.0]);
    let y = numbers(&svg, "point s1", "cy");
    assert!(
        (y[0] - y[2] - 190.0 * 0.99).abs() < 0.2 && y[0] > y[1],
        "{y:?}"
    );
}

#[test]
fn areas_of_distributions_are_shares() {
    let uniform: Vec<f64> = (0..=100).map(f64::from).collect();
    let half: Vec<f64> = (0..=100).map(|i| f64::from(i) / 2.0).collect();
    let page = html(&with(Drawing::Distribution {
        x: "size".to_owned(),
        series: vec![("wide".to_owned(), uniform), ("narrow".to_owned(), half)],
    }));
    let pieces = read(&page);
    let paths: Vec<&str> = attributes(&pieces, "d")
        .into_iter()
        .filter(|d| d.contains('H') && d.starts_with("M8 "))
        .collect();
    assert_eq!(paths.len(), 2);
    let area = |d: &str| {
        let body = d.trim_start_matches('M').trim_end_matches('Z');
        let first = body.find('H').expect("a step");
        let floor: f64 = body[..first]
            .split(' ')
            .nth(1)
            .expect("y")
            .parse()
            .expect("a number");
        let (mut x, mut y, mut area) = (8.0, floor, 0.0);
        for step in body[first..].split('H').filter(|s| !s.is_empty()) {
            let (to, up) = step.split_once('V').expect("a riser");
            let to: f64 = to.parse().expect("a number");
            area += (to - x) * (floor - y);
            x = to;
            y = up.parse().expect("a number");
        }
        area
    };
    let (wide, narrow) = (area(paths[0]), area(paths[1]));
    assert!((wide / narrow - 1.0).abs() < 0.01, "{wide} {narrow}");
}

#[test]
fn many_classes_become_a_list_of_errors() {
    let classes: Vec<String> = (0..50).map(|i| format!("class {i}")).collect();
    let mut counts = vec![vec![0; 50]; 50];
    for (i, row) in counts.iter_mut().enumerate() {
        row[i] = 10;
    }
    counts[3][7] = 9;
    counts[4][8] = 12;
    let words = text(&read(&html(&with(Drawing::Confusion { classes, counts }))));
    let (first, second) = (
        words.find("class 4 taken for class 8"),
        words.find("class 3 taken for class 7"),
    );
    assert!(first.is_some() && first < second, "{words}");
    assert!(words.contains("With 50 classes, the most frequent of 2 sorts of error"));
}

#[test]
fn long_forests_are_folded_and_keep_one_axis() {
    let rows: Vec<Row> = (0..150)
        .map(|i| row(&format!("site {i}"), Some(f64::from(i)), None, None))
        .collect();
    let page = html(&with(Drawing::Forest {
        x: "n".to_owned(),
        rows,
        marks: vec![],
    }));
    assert!(page.contains("The other 110 lines"));
    let pieces = read(&page);
    let ticks: Vec<&Piece> = pieces
        .iter()
        .filter(|p| matches!(p, Piece::Text(t) if t == "150"))
        .collect();
    assert_eq!(
        ticks.len(),
        3,
        "each of the three drawings has the axis of all"
    );
}

#[test]
fn empty_figures_say_so() {
    for drawing in [
        Drawing::Forest {
            x: String::new(),
            rows: vec![],
            marks: vec![],
        },
        Drawing::Bars {
            x: String::new(),
            rows: vec![],
        },
        Drawing::Curve {
            x: String::new(),
            y: String::new(),
            log_x: true,
            series: vec![],
            x_marks: vec![],
            y_marks: vec![],
        },
        Drawing::Distribution {
            x: String::new(),
            series: vec![("one".to_owned(), vec![f64::NAN; 101])],
        },
        Drawing::Confusion {
            classes: vec![],
            counts: vec![],
        },
    ] {
        assert!(drawn(drawing).contains("nothing to draw"));
    }
}

fn odd() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..10.0_f64,
        1 => proptest::num::f64::ANY,
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
        1 => Just(0.0),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_number_can_be_drawn(
        values in prop::collection::vec((odd(), odd(), prop::option::of(odd()), prop::option::of(odd())), 0..12),
        mark in odd(),
        log_x: bool,
    ) {
        let rows: Vec<Row> = values.iter().map(|v| row("a", Some(v.1), v.2, v.3)).collect();
        let points: Vec<Point> = values.iter().map(|v| Point { x: v.0, y: v.1, low: v.2, high: v.3 }).collect();
        let marks = vec![(mark, "mark".to_owned())];
        for drawing in [
            Drawing::Forest { x: "x".to_owned(), rows: rows.clone(), marks: marks.clone() },
            Drawing::Bars { x: "x".to_owned(), rows },
            Drawing::Distribution { x: "x".to_owned(), series: vec![("s".to_owned(), values.iter().map(|v| v.1).collect())] },
            Drawing::Curve {
                x: "x".to_owned(),
                y: "y".to_owned(),
                log_x,
                series: vec![Series { label: "s".to_owned(), points }],
                x_marks: marks.clone(),
                y_marks: marks,
            },
        ] {
            let svg = drawn(drawing);
            let pieces = read(&format!("<!DOCTYPE html>{svg}"));
            for key in ["x", "y", "x1", "x2", "cx"] {
                for value in attributes(&pieces, key) {
                    let number: f64 = value.parse().expect("a number");
                    prop_assert!((-10.0..=1000.0).contains(&number), "{key}={value}");
                }
            }
            for d in attributes(&pieces, "d") {
                prop_assert!(!d.contains('N') && !d.contains('i'), "{}", d);
            }
            for key in ["width", "height"] {
                for value in attributes(&pieces, key) {
                    prop_assert!(value.parse::<f64>().expect("a number") >= 0.0);
                }
            }
        }
    }
}
