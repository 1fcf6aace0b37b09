//! Swaps: what moves, and that nothing else does.

use transect_core::context::Optics;
use transect_core::view::TRAITS;
use transect_core::{
    Digest, Donor, Dtype, Fits, Image, LabelImage, Modality, Pool, Profile, Result, View,
};
use transect_optics::scene::{Laboratory, render};
use transect_optics::{Made, MakeContext, describe, make_view};

use crate::{attribute, image};

fn swap_of(
    image: &Image,
    truth: Option<&LabelImage>,
    name: &str,
    donor: Profile,
    modality: Modality,
) -> Result<Made> {
    let donor = Donor {
        row: 7,
        image_sha256: Digest::of(b"donor"),
        profile: donor,
    };
    let fits = Fits {
        pools: [(
            "target".to_owned(),
            Pool {
                donors: vec![donor],
            },
        )]
        .into(),
        ..Fits::default()
    };
    let context = MakeContext {
        modality,
        optics: Optics::default(),
        seed: 1,
        image_sha256: Digest::of(b"own"),
        fits: &fits,
        profile: None,
        cameras: None,
    };
    make_view(image, truth, &View::swap(name, "target", 0), &context)
}

fn scene(laboratory: &Laboratory, index: u64) -> (Image, LabelImage, Profile) {
    let scene = render(laboratory, 3, index);
    let profile = describe(&scene.image, Some(&scene.labels), laboratory.modality()).profile;
    (scene.image, scene.labels, profile)
}

#[test]
fn a_donor_alike_changes_nothing() {
    for laboratory in [Laboratory::a(), Laboratory::tissue_b()] {
        let (image, labels, profile) = scene(&laboratory, 0);
        for (name, _) in TRAITS {
            let made = swap_of(
                &image,
                Some(&labels),
                name,
                profile.clone(),
                laboratory.modality(),
            )
            .unwrap();
            assert_eq!(made.image, image, "{name}");
            assert_eq!(made.truth.as_ref(), Some(&labels), "{name}");
            assert_eq!(made.donor_row, Some(7));
        }
    }
}

#[test]
fn style_takes_the_donors_means_and_spreads() {
    let (image, labels, _) = scene(&Laboratory::a(), 0);
    let (_, _, donor) = scene(&Laboratory::b(), 1);
    let made = swap_of(
        &image,
        Some(&labels),
        "style",
        donor.clone(),
        Modality::Fluorescence,
    )
    .unwrap();
    let after = describe(&made.image, None, Modality::Fluorescence).profile;
    // Rounding to 8 bits and clipping.
    assert!(
        (after.mean[0] - donor.mean[0]).abs() < 2e-3,
        "{:?} against {:?}",
        after.mean,
        donor.mean
    );
    assert!(
        (after.sd[0] / donor.sd[0] - 1.0).abs() < 0.02,
        "{:?} against {:?}",
        after.sd,
        donor.sd
    );
    assert_eq!(made.truth.as_ref(), Some(&labels));
}

#[test]
fn style_of_stained_tissue_is_moved_in_optical_density() {
    let (image, _, own) = scene(&Laboratory::tissue_a(), 0);
    let (_, _, donor) = scene(&Laboratory::tissue_b(), 1);
    assert!(own.optical_density && donor.optical_density);
    let made = swap_of(&image, None, "style", donor.clone(), Modality::Brightfield).unwrap();
    let after = describe(&made.image, None, Modality::Brightfield).profile;
    for channel in 0..3 {
        let (before, now, wanted) = (own.mean[channel], after.mean[channel], donor.mean[channel]);
        assert!(
            (now - wanted).abs() < 0.02 * (before - wanted).abs().max(0.1),
            "{before} to {now}, wanted {wanted}"
        );
        assert!((after.sd[channel] / donor.sd[channel] - 1.0).abs() < 0.05);
    }
}

#[test]
fn focus_takes_the_donors_blur_and_never_sharpens() {
    let sharp = Laboratory {
        photons: 5000.0,
        ..Laboratory::a()
    };
    let soft = Laboratory {
        blur_um: 0.9,
        ..sharp.clone()
    };
    let (sharp_image, _, sharp) = scene(&sharp, 0);
    let (soft_image, _, soft) = scene(&soft, 1);
    let made = swap_of(
        &sharp_image,
        None,
        "focus",
        soft.clone(),
        Modality::Fluorescence,
    )
    .unwrap();
    let after = describe(&made.image, None, Modality::Fluorescence)
        .profile
        .psf_sigma_px
        .unwrap();
    let wanted = soft.psf_sigma_px.unwrap();
    assert!(
        (after / wanted - 1.0).abs() < 0.08,
        "{:?} to {after}, wanted {wanted}",
        sharp.psf_sigma_px
    );
    let made = swap_of(&soft_image, None, "focus", sharp, Modality::Fluorescence).unwrap();
    assert_eq!(made.image, soft_image);
}

#[test]
fn noise_takes_the_donors_and_is_never_removed() {
    let (quiet_image, _, quiet) = scene(
        &Laboratory {
            photons: 2000.0,
            ..Laboratory::a()
        },
        0,
    );
    let (loud_image, _, loud) = scene(
        &Laboratory {
            photons: 60.0,
            background: 0.2,
            ..Laboratory::a()
        },
        1,
    );
    let made = swap_of(
        &quiet_image,
        None,
        "noise",
        loud.clone(),
        Modality::Fluorescence,
    )
    .unwrap();
    let after = describe(&made.image, None, Modality::Fluorescence)
        .profile
        .noise_sd
        .unwrap();
    let wanted = loud.noise_sd.unwrap();
    // Noise below the black level is clipped.
    assert!(
        (after / wanted - 1.0).abs() < 0.2,
        "{:?} to {after}, wanted {wanted}",
        quiet.noise_sd
    );
    assert_eq!(
        swap_of(&loud_image, None, "noise", quiet, Modality::Fluorescence)
            .unwrap()
            .image,
        loud_image
    );
}

#[test]
fn illumination_takes_the_donors_field() {
    let even = Laboratory {
        falloff: 0.0,
        background: 0.3,
        black_level: 0.0,
        ..Laboratory::a()
    };
    let uneven = Laboratory {
        falloff: 0.5,
        ..even.clone()
    };
    let (image, _, own) = scene(&even, 0);
    let (_, _, donor) = scene(&uneven, 1);
    let made = swap_of(
        &image,
        None,
        "illumination",
        donor.clone(),
        Modality::Fluorescence,
    )
    .unwrap();
    let after = describe(&made.image, None, Modality::Fluorescence);
    let distance = |a: &Profile, b: &Profile| -> f64 {
        a.illumination
            .iter()
            .zip(&b.illumination)
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    let (before, now) = (distance(&own, &donor), distance(&after.profile, &donor));
    assert!(
        now < 0.15 * before,
        "distance of the fields {before} before, {now} after"
    );
    let unevenness = attribute(&after, "unevenness").unwrap();
    assert!(unevenness > 0.4, "{unevenness}");
}

#[test]
fn magnification_takes_the_donors_scale_and_moves_the_labels() {
    let (image, labels, own) = scene(&Laboratory::a(), 2);
    let donor = Profile {
        scale_px: own.scale_px.map(|s| 0.6 * s),
        ..own.clone()
    };
    let made = swap_of(
        &image,
        Some(&labels),
        "magnification",
        donor,
        Modality::Fluorescence,
    )
    .unwrap();
    let moved = made.truth.unwrap();
    assert_eq!((made.image.rows(), made.image.columns()), (115, 115));
    assert_eq!((moved.rows(), moved.columns()), (115, 115));
    let after = describe(&made.image, Some(&moved), Modality::Fluorescence)
        .profile
        .scale_px
        .unwrap();
    assert!(
        (after / (0.6 * own.scale_px.unwrap()) - 1.0).abs() < 0.03,
        "{after}"
    );
}

#[test]
fn scales_of_two_sorts_are_not_compared() {
    let (image, labels, own) = scene(&Laboratory::a(), 0);
    let donor = Profile {
        scale_of_objects: false,
        scale_px: Some(9.0),
        ..own.clone()
    };
    let error = swap_of(
        &image,
        Some(&labels),
        "magnification",
        donor,
        Modality::Fluorescence,
    )
    .unwrap_err();
    assert_eq!(error.code.id, "T506");
    let donor = Profile {
        scale_px: None,
        ..own
    };
    let error = swap_of(
        &image,
        Some(&labels),
        "magnification",
        donor,
        Modality::Fluorescence,
    )
    .unwrap_err();
    assert_eq!(error.code.id, "T506");
}

#[test]
fn all_moves_everything_towards_the_donor() {
    let (image, labels, own) = scene(&Laboratory::a(), 0);
    let (_, _, donor) = scene(&Laboratory::b(), 1);
    let made = swap_of(
        &image,
        Some(&labels),
        "all",
        donor.clone(),
        Modality::Fluorescence,
    )
    .unwrap();
    let after = describe(&made.image, made.truth.as_ref(), Modality::Fluorescence).profile;
    let closer = |what: &str, of: &dyn Fn(&Profile) -> f64, share: f64| {
        let (before, now, wanted) = (of(&own), of(&after), of(&donor));
        assert!(
            (now - wanted).abs() < share * (before - wanted).abs(),
            "{what}: {before} to {now}, wanted {wanted}"
        );
    };
    closer("mean", &|p| p.mean[0], 0.2);
    closer("spread", &|p| p.sd[0], 0.5);
    closer("noise", &|p| p.noise_sd.unwrap(), 0.2);
    closer("scale", &|p| p.scale_px.unwrap(), 0.15);
}

#[test]
fn channels_must_agree() {
    let two = image([2, 1, 20, 20], vec![5.0; 800], Dtype::Uint8);
    let donor = Profile {
        mean: vec![0.1],
        sd: vec![0.1],
        ..Profile::default()
    };
    assert_eq!(
        swap_of(&two, None, "style", donor.clone(), Modality::Unknown)
            .unwrap_err()
            .code
            .id,
        "T503"
    );
    for name in ["focus", "illumination", "magnification"] {
        assert_eq!(
            swap_of(&two, None, name, donor.clone(), Modality::Unknown)
                .unwrap_err()
                .code
                .id,
            "T506",
            "{name}"
        );
    }
}
