//! What is put into a scene comes out of it: the errors that the page `optics` of the book states.

use transect_core::{Dtype, Modality};
use transect_optics::describe;
use transect_optics::scene::{Laboratory, render};

use crate::{attribute, corrupt, image};

/// Mean over a few scenes.
fn found(laboratory: &Laboratory, name: &str) -> f64 {
    let values: Vec<f64> = (0..6)
        .filter_map(|index| {
            let scene = render(laboratory, 11, index);
            attribute(
                &describe(&scene.image, Some(&scene.labels), laboratory.modality()),
                name,
            )
        })
        .collect();
    assert!(
        values.len() >= 4,
        "{name} was found in {} of 6",
        values.len()
    );
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn photon_gain_comes_back() {
    for (photons, bits) in [(1000.0, 16), (400.0, 8), (100.0, 8)] {
        let laboratory = Laboratory {
            photons,
            bits,
            background: 0.2,
            ..Laboratory::a()
        };
        let ratio = found(&laboratory, "noise_gain") / laboratory.noise_gain();
        assert!(
            (ratio - 1.0).abs() < 0.12,
            "{photons} photons, {bits} bits: ratio {ratio}"
        );
    }
}

/// Where the black level is 0, as the definition supposes.
#[test]
fn read_noise_comes_back() {
    for read_noise_electrons in [10.0, 20.0] {
        let laboratory = Laboratory {
            read_noise_electrons,
            background: 0.3,
            black_level: 0.0,
            ..Laboratory::a()
        };
        let ratio = found(&laboratory, "read_noise") / laboratory.read_noise();
        assert!(
            (ratio - 1.0).abs() < 0.2,
            "{read_noise_electrons} electrons: ratio {ratio}"
        );
    }
}

#[test]
fn noise_comes_back() {
    for sd in [2.0, 10.0, 30.0] {
        let ground: Vec<f32> = (0..128 * 128)
            .map(|i| 100.0 + 20.0 * ((i % 128) as f32 / 30.0).sin())
            .collect();
        let noisy = corrupt(
            &image([1, 1, 128, 128], ground, Dtype::Uint8),
            "read_noise",
            sd / 119.9 * 1000.0,
        );
        let ratio =
            attribute(&describe(&noisy, None, Modality::Unknown), "noise_sd").unwrap() * 255.0 / sd;
        assert!((ratio - 1.0).abs() < 0.05, "{sd}: ratio {ratio}");
    }
}

/// Discs with hard edges, blurred.
#[test]
fn the_blur_of_hard_edges_comes_back() {
    let n = 160;
    let mut hard = vec![20.0_f32; n * n];
    for (cy, cx, r) in [
        (40.0, 45.0, 18.0),
        (105.0, 60.0, 24.0),
        (60.0, 115.0, 21.0),
        (125.0, 125.0, 16.0),
    ] {
        for (i, v) in hard.iter_mut().enumerate() {
            if ((i / n) as f64 - cy).hypot((i % n) as f64 - cx) < r {
                *v = 180.0;
            }
        }
    }
    for sigma in [0.7, 1.0, 1.5, 2.0, 3.0] {
        let blurred = corrupt(
            &image([1, 1, n, n], hard.clone(), Dtype::Uint8),
            "defocus",
            sigma,
        );
        let noisy = corrupt(&blurred, "read_noise", 10.0);
        let ratio =
            attribute(&describe(&noisy, None, Modality::Unknown), "psf_sigma_px").unwrap() / sigma;
        assert!((ratio - 1.0).abs() < 0.12, "{sigma} px: ratio {ratio}");
    }
}

/// The specimen's own softness adds in quadrature, so what was added to a scene comes back as a difference of squares.
#[test]
fn further_blur_of_a_scene_comes_back() {
    let laboratory = Laboratory {
        photons: 2000.0,
        ..Laboratory::a()
    };
    for added in [1.0, 1.5, 2.0] {
        let scene = render(&laboratory, 2, 1);
        let sigma = |image: &transect_core::Image| {
            attribute(
                &describe(image, None, Modality::Fluorescence),
                "psf_sigma_px",
            )
            .unwrap()
        };
        let after = sigma(&corrupt(&scene.image, "defocus", added));
        let estimate = (after.powi(2) - sigma(&scene.image).powi(2)).sqrt();
        assert!(
            (estimate / added - 1.0).abs() < 0.15,
            "{added} px: {estimate}"
        );
    }
}

#[test]
fn background_comes_back() {
    for background in [0.05, 0.3, 0.6] {
        let laboratory = Laboratory {
            background,
            ..Laboratory::a()
        };
        let ratio = found(&laboratory, "background") / laboratory.background_level();
        assert!((ratio - 1.0).abs() < 0.1, "{background}: ratio {ratio}");
    }
}

#[test]
fn uneven_light_comes_back() {
    for falloff in [0.3, 0.6] {
        let laboratory = Laboratory {
            falloff,
            background: 0.3,
            black_level: 0.0,
            ..Laboratory::a()
        };
        let unevenness = found(&laboratory, "unevenness");
        // The far corner lies at 1.053 of the (distance/corner)² at which `falloff` is lost.
        assert!(
            (unevenness - 1.053 * falloff).abs() < 0.09,
            "{falloff}: {unevenness}"
        );
    }
}

#[test]
fn texture_scales_with_the_pixel() {
    let scale = |pixel_size_um: f64| {
        let side = (86.0 / pixel_size_um) as usize;
        let laboratory = Laboratory {
            pixel_size_um,
            rows: side,
            columns: side,
            ..Laboratory::a()
        };
        found(&laboratory, "texture_scale_px") * pixel_size_um
    };
    let (fine, coarse) = (scale(0.35), scale(0.7));
    assert!((fine / coarse - 1.0).abs() < 0.06, "{fine} and {coarse} µm");
}

/// A turn of hue in optical density turns both stains by as much.
#[test]
fn a_stain_shift_turns_the_stains() {
    use transect_core::context::Optics;
    let laboratory = Laboratory::smear_a();
    let scene = render(&laboratory, 3, 0);
    let angles = |image: &transect_core::Image| {
        let described = describe(image, None, Modality::Brightfield);
        [
            attribute(&described, "stain_h_angle_deg").unwrap(),
            attribute(&described, "stain_e_angle_deg").unwrap(),
        ]
    };
    let before = angles(&scene.image);
    for degrees in [-15.0, 15.0] {
        let view = crate::view("stain_shift", degrees);
        let made = crate::corrupt_in(
            &scene.image,
            None,
            &view,
            Modality::Brightfield,
            Optics::default(),
        )
        .unwrap()
        .image;
        for (b, a) in before.iter().zip(angles(&made)) {
            let turn = (a - b + 540.0).rem_euclid(360.0) - 180.0;
            assert!((turn - degrees).abs() < 5.0, "{degrees}: {b} to {a}");
        }
    }
}
