//! Ablations, surrogates and control swaps: what goes, what stays.

use transect_core::context::Optics;
use transect_core::view::{ABLATIONS, SURROGATES};
use transect_core::{
    Digest, Donor, Dtype, Fits, Image, LabelImage, Modality, Pool, Profile, Result, View, ViewKind,
};
use transect_optics::scene::{Laboratory, render};
use transect_optics::{Made, MakeContext, describe, make_view};

use crate::{image, moments};

fn made_with(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    fits: &Fits,
    profile: Option<&Profile>,
) -> Result<Made> {
    let context = MakeContext {
        modality: Modality::Fluorescence,
        optics: Optics::default(),
        seed: 1,
        image_sha256: Digest::of(b"image"),
        fits,
        profile,
        cameras: None,
    };
    make_view(image, truth, view, &context)
}

fn ablated(image: &Image, truth: Option<&LabelImage>, name: &str, value: f64) -> Made {
    let fits = Fits {
        channel_order: vec![2, 0, 1],
        ..Fits::default()
    };
    let view = View::of(ViewKind::Ablation, name).with("value", value, "");
    made_with(image, truth, &view, &fits, None).unwrap()
}

fn scene() -> (Image, LabelImage) {
    let scene = render(&Laboratory::a(), 3, 0);
    (scene.image, scene.labels)
}

fn colours() -> Image {
    image(
        [3, 1, 16, 24],
        (0..3 * 16 * 24).map(|i| ((i * 31) % 211) as f32).collect(),
        Dtype::Uint8,
    )
}

fn sorted(values: &[f32]) -> Vec<f32> {
    let mut values = values.to_vec();
    values.sort_unstable_by(f32::total_cmp);
    values
}

#[test]
fn every_ablation_and_surrogate_keeps_size_and_is_the_same_twice() {
    let (image, labels) = scene();
    for (kind, names) in [
        (ViewKind::Ablation, ABLATIONS),
        (ViewKind::Surrogate, SURROGATES),
    ] {
        for (name, _) in names {
            let fits = Fits {
                channel_order: vec![0],
                ..Fits::default()
            };
            let view = View::of(kind, name);
            let once = made_with(&image, Some(&labels), &view, &fits, None);
            if *name == "channel_shuffled" {
                assert_eq!(once.unwrap_err().code.id, "T503");
                continue;
            }
            let once = once.unwrap();
            assert_eq!(once.image.shape(), image.shape(), "{name}");
            assert_eq!(
                once,
                made_with(&image, Some(&labels), &view, &fits, None).unwrap(),
                "{name}"
            );
            assert_ne!(once.image, image, "{name} changed nothing");
        }
    }
}

#[test]
fn an_unknown_name_lists_those_that_there_are() {
    let (image, _) = scene();
    for kind in [ViewKind::Ablation, ViewKind::Surrogate] {
        let error = made_with(
            &image,
            None,
            &View::of(kind, "halo"),
            &Fits::default(),
            None,
        )
        .unwrap_err();
        assert_eq!(error.code.id, "T501");
    }
}

#[test]
fn a_blank_is_flat_at_the_mean() {
    let picture = colours();
    let blank = ablated(&picture, None, "blank", 0.0).image;
    for c in 0..3 {
        let (mean, _) = moments(picture.plane(c, 0));
        let (level, spread) = moments(blank.plane(c, 0));
        assert!(spread == 0.0 && (mean - level).abs() <= 0.5);
    }
}

#[test]
fn a_filled_object_looks_like_its_surroundings() {
    let (rows, columns) = (64, 64);
    let mut labels = vec![0; rows * columns];
    let mut samples = vec![100.0; rows * columns];
    for r in 20..40 {
        for c in 20..40 {
            labels[r * columns + c] = 1;
            samples[r * columns + c] = 4000.0;
        }
    }
    let labels = LabelImage::new(rows, columns, labels).unwrap();
    let picture = image([1, 1, rows, columns], samples, Dtype::Uint16);
    let filled = ablated(&picture, Some(&labels), "object_filled", 0.0);
    assert!(
        filled
            .image
            .samples()
            .iter()
            .all(|v| (v - 100.0).abs() <= 1.0),
        "{:?}",
        moments(filled.image.samples())
    );
    assert_eq!(filled.truth, Some(labels.clone()));
    let only = ablated(&picture, Some(&labels), "object_only", 0.0).image;
    assert_eq!(only, picture);
}

#[test]
fn objects_cannot_be_filled_without_outlines_or_surroundings() {
    let (image, labels) = scene();
    let view = View::of(ViewKind::Ablation, "object_filled");
    let full = LabelImage::new(
        labels.rows(),
        labels.columns(),
        vec![1; labels.labels().len()],
    )
    .unwrap();
    for truth in [None, Some(&full)] {
        let error = made_with(&image, truth, &view, &Fits::default(), None).unwrap_err();
        assert_eq!(error.code.id, "T503");
    }
}

#[test]
fn border_and_centre_leave_what_they_say() {
    let picture = colours();
    let border = ablated(&picture, None, "border_only", 0.0).image;
    let centre = ablated(&picture, None, "centre_only", 0.0).image;
    let same = |a: &Image, r: usize, c: usize| {
        a.plane(1, 0)[r * 24 + c] == picture.plane(1, 0)[r * 24 + c]
    };
    assert!(same(&border, 0, 0) && same(&border, 15, 23));
    assert!(same(&centre, 8, 12) && same(&centre, 5, 8));
    let kept = |a: &Image| {
        a.plane(1, 0)
            .iter()
            .zip(picture.plane(1, 0))
            .filter(|(a, b)| a == b)
            .count() as f64
            / (16.0 * 24.0)
    };
    assert!((kept(&border) - 0.25).abs() < 0.06, "{}", kept(&border));
    assert!((kept(&centre) - 0.25).abs() < 0.06, "{}", kept(&centre));
}

#[test]
fn coarse_and_fine_structure_together_are_the_image() {
    let mut picture = colours();
    picture.dtype = Dtype::Float32;
    let low = ablated(&picture, None, "low_pass", 2.0).image;
    let high = ablated(&picture, None, "high_pass", 2.0).image;
    for c in 0..3 {
        let (mean, _) = moments(picture.plane(c, 0));
        for ((l, h), v) in low
            .plane(c, 0)
            .iter()
            .zip(high.plane(c, 0))
            .zip(picture.plane(c, 0))
        {
            assert!((f64::from(l + h - v) - mean).abs() < 1e-3);
        }
    }
}

#[test]
fn scrambled_phases_keep_mean_and_spread_and_the_relation_of_channels() {
    let mut picture = image([2, 1, 31, 45], vec![0.0; 2 * 31 * 45], Dtype::Float32);
    for (i, v) in picture.plane_mut(0, 0).iter_mut().enumerate() {
        *v = ((i * 7919) % 101) as f32;
    }
    let first = picture.plane(0, 0).to_vec();
    for (v, f) in picture.plane_mut(1, 0).iter_mut().zip(&first) {
        *v = 3.0 * f + 5.0;
    }
    let scrambled = ablated(&picture, None, "phase_scrambled", 0.0).image;
    let (mean, variance) = moments(picture.plane(0, 0));
    let (now, spread) = moments(scrambled.plane(0, 0));
    assert!((mean - now).abs() < 1e-3 && (variance / spread - 1.0).abs() < 0.02);
    for (a, b) in scrambled.plane(0, 0).iter().zip(scrambled.plane(1, 0)) {
        assert!((3.0 * a + 5.0 - b).abs() < 1e-2);
    }
    assert_ne!(scrambled.plane(0, 0), picture.plane(0, 0));
}

#[test]
fn what_is_shuffled_is_all_still_there_and_labels_go_along() {
    let picture = colours();
    let labels = LabelImage::new(
        16,
        24,
        picture.plane(0, 0).iter().map(|&v| v as u32).collect(),
    )
    .unwrap();
    for (name, value) in [("patch_shuffled", 4.0), ("pixel_shuffled", 0.0)] {
        let made = ablated(&picture, Some(&labels), name, value);
        for c in 0..3 {
            assert_eq!(sorted(made.image.plane(c, 0)), sorted(picture.plane(c, 0)));
        }
        let moved = made.truth.unwrap();
        assert!(
            made.image
                .plane(0, 0)
                .iter()
                .zip(moved.labels())
                .all(|(&v, &l)| v as u32 == l)
        );
    }
}

#[test]
fn channels_move_or_lose_what_they_show() {
    let picture = colours();
    let shuffled = ablated(&picture, None, "channel_shuffled", 0.0).image;
    let mut planes: Vec<&[f32]> = (0..3).map(|c| picture.plane(c, 0)).collect();
    for c in 0..3 {
        let at = planes
            .iter()
            .position(|p| *p == shuffled.plane(c, 0))
            .unwrap();
        planes.remove(at);
    }
    assert_ne!(shuffled, picture);
    let without = ablated(&picture, None, "channels_mean", 1.0).image;
    assert_eq!(without.plane(0, 0), picture.plane(0, 0));
    assert_eq!(moments(without.plane(1, 0)).1, 0.0);
    // The order of use is 2, 0, 1: two kept are 2 and 0.
    let kept = ablated(&picture, None, "channels_kept", 2.0).image;
    assert_eq!(kept, without);
}

#[test]
fn an_empty_field_has_the_background_and_the_noise_of_the_camera() {
    let (image, labels) = scene();
    let described = describe(&image, Some(&labels), Modality::Fluorescence);
    let view = View::of(ViewKind::Surrogate, "empty_field");
    let made = made_with(
        &image,
        Some(&labels),
        &view,
        &Fits::default(),
        Some(&described.profile),
    )
    .unwrap();
    assert!(made.truth.unwrap().labels().iter().all(|l| *l == 0));
    let empty = describe(&made.image, None, Modality::Fluorescence);
    let background = crate::attribute(&described, "background").unwrap();
    let level = crate::attribute(&empty, "intensity_mean").unwrap();
    assert!(
        (level / background - 1.0).abs() < 0.15,
        "{level} {background}"
    );
    let (noise, was) = (
        empty.profile.noise_sd.unwrap(),
        described.profile.noise_sd.unwrap(),
    );
    assert!((noise / was - 1.0).abs() < 0.5, "{noise} {was}");
}

/// A background whose corners are darker stays so, also where nobody says what the image's profile is.
#[test]
fn an_empty_field_keeps_the_unevenness_of_the_light() {
    let side = 96;
    let mut stream = transect_core::Stream::new(5, "test/light", &[]);
    let samples: Vec<f32> = (0..side * side)
        .map(|i| {
            let of = |v: usize| v as f64 / (side - 1) as f64 - 0.5;
            let away = of(i / side).powi(2) + of(i % side).powi(2);
            (4000.0 * (1.0 - 0.8 * away) + 20.0 * stream.normal()).round() as f32
        })
        .collect();
    let image = Image::new([1, 1, side, side], samples, Dtype::Uint16).unwrap();
    let view = View::of(ViewKind::Surrogate, "empty_field");
    let made = made_with(&image, None, &view, &Fits::default(), None).unwrap();
    let mean = |from: usize| {
        let plane = made.image.plane(0, 0);
        let of: Vec<f32> = (from..from + 8)
            .flat_map(|r| plane[r * side + from..r * side + from + 8].to_vec())
            .collect();
        of.iter().map(|&v| f64::from(v)).sum::<f64>() / of.len() as f64
    };
    let (corner, centre) = (mean(0), mean(44));
    // 1 − 0.8 · 0.42 in the corner.
    assert!((corner / centre - 0.66).abs() < 0.08, "{corner} {centre}");
}

#[test]
fn a_random_style_goes_as_far_as_the_donor_would() {
    let picture = colours();
    let own = describe(&picture, None, Modality::Fluorescence).profile;
    let mut donor = own.clone();
    donor.mean = own.mean.iter().map(|m| m + 0.05).collect();
    let fits = Fits {
        pools: [(
            "target".to_owned(),
            Pool {
                donors: vec![Donor {
                    row: 4,
                    image_sha256: Digest::of(b"donor"),
                    profile: donor,
                }],
            },
        )]
        .into(),
        ..Fits::default()
    };
    let mut float = picture.clone();
    float.dtype = Dtype::Uint16;
    let of = |name: &str, replicate: u32| {
        let made = made_with(
            &picture,
            None,
            &View::swap(name, "target", replicate),
            &fits,
            Some(&own),
        )
        .unwrap();
        describe(&made.image, None, Modality::Fluorescence)
            .profile
            .mean
    };
    let length = |mean: &[f64]| {
        mean.iter()
            .zip(&own.mean)
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    let straight = length(&of("style", 0));
    for replicate in 0..4 {
        let random = of("style_random", replicate);
        assert!(
            (length(&random) / straight - 1.0).abs() < 0.1,
            "{} {straight}",
            length(&random)
        );
    }
    assert_ne!(of("style_random", 0), of("style_random", 1));
    // One group: only its channel moves.
    let view = View {
        pool: Some("target".to_owned()),
        ..View::of(ViewKind::Swap, "channels").with("group", 1.0, "")
    };
    let made = made_with(&picture, None, &view, &fits, Some(&own))
        .unwrap()
        .image;
    assert_eq!(made.plane(0, 0), picture.plane(0, 0));
    assert_ne!(made.plane(1, 0), picture.plane(1, 0));
}
