//! Families of features: against scikit-image and SciPy (`golden/features`), and what must hold.

use serde_json::Value;
use transect_core::{Dtype, Image, LabelImage};
use transect_optics::features;

use crate::image;

fn family(image: &Image, truth: Option<&LabelImage>, name: &str) -> Vec<f32> {
    features(image, truth, 1)
        .into_iter()
        .find(|(family, _)| *family == name)
        .map_or_else(|| panic!("no family {name}"), |(_, values)| values)
}

#[test]
fn moments_texture_and_granulometry_are_those_of_the_peers() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../../golden/features/values.json")).unwrap();
    let numbers = |key: &str| -> Vec<f64> {
        golden[key]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_f64().unwrap())
            .collect()
    };
    let size = |key: &str| golden[key].as_u64().unwrap() as usize;
    let picture = image(
        [2, 1, size("rows"), size("columns")],
        numbers("image").iter().map(|&v| v as f32).collect(),
        Dtype::Uint8,
    );
    for name in ["moments", "texture", "granulometry"] {
        let (ours, peers) = (family(&picture, None, name), numbers(name));
        assert!(ours.len() >= peers.len());
        for (index, (&a, b)) in ours.iter().zip(&peers).enumerate() {
            let difference = (f64::from(a) - b).abs() / b.abs().max(1.0);
            assert!(difference < 2e-5, "{name}[{index}]: {a}, peer {b}");
        }
    }
}

/// Squares of side `side` on a grid of `per_side` × `per_side`, `step` apart.
fn grid(per_side: usize, step: usize, side: usize) -> LabelImage {
    let n = per_side * step;
    let mut labels = vec![0; n * n];
    for i in 0..per_side * per_side {
        let (r0, c0) = (i / per_side * step, i % per_side * step);
        for r in r0..r0 + side {
            labels[r * n + c0..r * n + c0 + side].fill(i as u32 + 1);
        }
    }
    LabelImage::new(n, n, labels).unwrap()
}

#[test]
fn layout_of_a_grid_is_its_closed_form() {
    let truth = grid(10, 12, 6);
    let picture = image([1, 1, 120, 120], vec![1.0; 120 * 120], Dtype::Uint8);
    let layout = family(&picture, Some(&truth), "layout");
    let diameter = 2.0 * (36.0 / std::f64::consts::PI).sqrt();
    let near = |at: usize, expected: f64| {
        assert!(
            (f64::from(layout[at]) - expected).abs() < 1e-4,
            "layout[{at}] = {}, expected {expected}",
            layout[at]
        );
    };
    near(0, 100.0);
    near(1, 1e4 * 100.0 / 14_400.0);
    near(2, diameter);
    near(3, 0.0);
    near(7, 0.25);
    // On a square grid the nearest neighbour is one step away, √(area/n) too.
    near(8, 1.0);
    near(9, 0.0);
    // Within two diameters (13.5 px) lie the neighbours at one step: 4 inside, fewer at the edge; 360 ordered pairs.
    near(14, 3.6);
    near(11, 0.0);
}

#[test]
fn an_empty_field_has_a_layout_of_zeros() {
    let truth = LabelImage::new(8, 8, vec![0; 64]).unwrap();
    let picture = image([1, 1, 8, 8], vec![1.0; 64], Dtype::Uint8);
    assert!(
        family(&picture, Some(&truth), "layout")
            .iter()
            .all(|v| *v == 0.0)
    );
}

#[test]
fn every_family_is_finite_and_its_length_hangs_on_the_channels_alone() {
    for channels in [1, 3, 9] {
        let mut lengths = Vec::new();
        for (rows, columns, constant) in [
            (1, 1, true),
            (4, 7, false),
            (70, 300, false),
            (40, 40, true),
        ] {
            let n = channels * rows * columns;
            let samples = (0..n)
                .map(|i| {
                    if constant {
                        7.0
                    } else {
                        ((i * 37) % 251) as f32
                    }
                })
                .collect();
            let picture = image([channels, 1, rows, columns], samples, Dtype::Uint8);
            let truth = LabelImage::new(
                rows,
                columns,
                (0..rows * columns).map(|i| (i % 3) as u32).collect(),
            )
            .unwrap();
            let families = features(&picture, Some(&truth), 5);
            for (name, values) in &families {
                assert!(
                    values.iter().all(|v| v.is_finite()),
                    "{name} of {rows} × {columns}"
                );
            }
            lengths.push(
                families
                    .iter()
                    .map(|(n, v)| (*n, v.len()))
                    .collect::<Vec<_>>(),
            );
        }
        assert!(lengths.windows(2).all(|w| w[0] == w[1]));
    }
}

#[test]
fn random_filters_hang_on_the_seed_and_on_nothing_else() {
    let picture = image(
        [1, 1, 20, 20],
        (0..400).map(|i| ((i * 13) % 97) as f32).collect(),
        Dtype::Uint8,
    );
    let of = |seed: u64| {
        features(&picture, None, seed)
            .into_iter()
            .find(|(n, _)| *n == "random_conv")
            .unwrap()
            .1
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn the_background_leaves_objects_out() {
    let truth = grid(2, 4, 2);
    let samples = truth
        .labels()
        .iter()
        .map(|l| if *l == 0 { 10.0 } else { 200.0 })
        .collect();
    let picture = image([1, 1, 8, 8], samples, Dtype::Uint8);
    let background = family(&picture, Some(&truth), "background");
    assert!((background[0] - 10.0 / 255.0).abs() < 1e-6);
    assert_eq!(&background[1..], [0.0, 0.0, 0.0]);
}
