//! Against SciPy, scikit-image, NumPy and Pillow: `golden/optics`.

use serde_json::Value;
use transect_core::context::Optics;
use transect_core::{Dtype, Image, Modality, Severity, View};
use transect_optics::describe;

use crate::{attribute, corrupt, corrupt_in, image, view};

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../golden/optics/values.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap()
}

/// The picture of the golden values, as 8 bits.
fn picture(golden: &Value) -> Image {
    let (rows, columns) = (
        golden["rows"].as_u64().unwrap() as usize,
        golden["columns"].as_u64().unwrap() as usize,
    );
    let samples = numbers(&golden["image"])
        .iter()
        .map(|&v| v as f32)
        .collect();
    let mut picture = image([3, 1, rows, columns], samples, Dtype::Uint8);
    picture.rgb = true;
    picture
}

/// Its red channel, as floats, so that nothing is rounded.
fn red(golden: &Value) -> Image {
    let picture = picture(golden);
    image(
        [1, 1, picture.rows(), picture.columns()],
        picture.plane(0, 0).to_vec(),
        Dtype::Float32,
    )
}

/// The largest difference and where.
fn worst(ours: &[f32], peer: &[f64]) -> (f64, usize) {
    assert_eq!(ours.len(), peer.len());
    ours.iter()
        .zip(peer)
        .map(|(&a, &b)| (f64::from(a) - b).abs())
        .enumerate()
        .fold(
            (0.0, 0),
            |worst, (i, d)| if d > worst.0 { (d, i) } else { worst },
        )
}

#[test]
fn blur_is_that_of_scipy() {
    let golden = golden();
    for case in golden["gaussian"].as_array().unwrap() {
        let blurred = corrupt(&red(&golden), "defocus", number(case, "sigma"));
        let (difference, at) = worst(blurred.samples(), &numbers(&case["values"]));
        assert!(
            difference < 1e-4,
            "sigma {}: {difference} at {at}",
            case["sigma"]
        );
    }
}

#[test]
fn magnification_is_that_of_scikit_image() {
    let golden = golden();
    let red = red(&golden);
    for case in golden["resize"].as_array().unwrap() {
        let shape = [
            number(case, "rows") as usize,
            number(case, "columns") as usize,
        ];
        let factor = [1.39, 0.91, 0.5, 0.3, 0.02].into_iter().find(|f| {
            [red.rows(), red.columns()].map(|n| ((n as f64 * f).round() as usize).max(1)) == shape
        });
        let scaled = corrupt(&red, "magnification", factor.unwrap());
        assert_eq!([scaled.rows(), scaled.columns()], shape);
        let (difference, at) = worst(scaled.samples(), &numbers(&case["values"]));
        assert!(difference < 1e-4, "{shape:?}: {difference} at {at}");
    }
}

#[test]
fn stain_shift_is_the_rotation_of_scipy() {
    let golden = golden();
    for case in golden["stain_shift"].as_array().unwrap() {
        let degrees = number(case, "degrees");
        let made = corrupt_in(
            &picture(&golden),
            None,
            &view("stain_shift", degrees),
            Modality::Brightfield,
            Optics::default(),
        )
        .unwrap();
        for (i, (&ours, peer)) in made
            .image
            .samples()
            .iter()
            .zip(numbers(&case["values"]))
            .enumerate()
        {
            let half = (peer - peer.floor() - 0.5).abs() < 1e-3;
            let allowed = if half { 1.0 } else { 0.0 };
            assert!(
                (f64::from(ours) - peer.round()).abs() <= allowed,
                "{degrees} degrees: {ours}, peer {peer} at {i}"
            );
        }
    }
}

/// Cosines that fit the reflected edges are passed by a symmetric filter with nothing but their amplitude changed: the
/// transfer function can be read off.
#[test]
fn defocus_has_the_transfer_function_of_its_pupil() {
    let golden = golden();
    let n = 256;
    for case in golden["defocus"].as_array().unwrap() {
        let optics = Optics {
            numerical_aperture: Some(number(case, "na")),
            wavelength_um: Some(number(case, "wavelength")),
            refractive_index: Some(number(case, "index")),
            pixel_size_um: None,
        };
        let cutoff = 2.0 * number(case, "na") / number(case, "wavelength");
        for (share, peer) in numbers(&case["shares"])
            .into_iter()
            .zip(numbers(&case["values"]))
        {
            let waves = 100.0;
            let per_pixel = waves / (2.0 * n as f64);
            let wave: Vec<f64> = (0..n)
                .map(|i| (std::f64::consts::PI * waves * (i as f64 + 0.5) / n as f64).cos())
                .collect();
            let samples = (0..n * n).map(|i| (10.0 + wave[i % n]) as f32).collect();
            let mut grating = image([1, 1, n, n], samples, Dtype::Float32);
            grating.pixel_size = Some(transect_core::PixelSize::square(
                per_pixel / (share * cutoff),
            ));
            let view = View::corruption(
                "defocus",
                Severity::new(3).unwrap(),
                "defocus",
                number(case, "defocus"),
                "um",
            );
            let made = corrupt_in(&grating, None, &view, Modality::Fluorescence, optics).unwrap();
            let norm: f64 = wave.iter().map(|w| w * w).sum();
            let middle = &made.image.samples()[n / 2 * n..(n / 2 + 1) * n];
            let ours = middle
                .iter()
                .zip(&wave)
                .map(|(&v, w)| (f64::from(v) - 10.0) * w)
                .sum::<f64>()
                / norm;
            assert!(
                (ours - peer).abs() < 4e-3,
                "NA {} at {share} of the cut-off: {ours}, peer {peer}",
                case["na"]
            );
        }
    }
}

#[test]
fn jpeg_is_as_far_from_the_image_as_the_peers() {
    let golden = golden();
    let picture = picture(&golden);
    for case in golden["jpeg"].as_array().unwrap() {
        let made = corrupt(&picture, "jpeg_quality", number(case, "quality"));
        let peer = numbers(&case["values"]);
        let (largest, at) = worst(made.samples(), &peer);
        let mean = made
            .samples()
            .iter()
            .zip(&peer)
            .map(|(&a, b)| (f64::from(a) - b).abs())
            .sum::<f64>()
            / peer.len() as f64;
        assert!(
            mean < 1.0 && largest <= 24.0,
            "quality {}: mean {mean}, largest {largest} at {at}",
            case["quality"]
        );
    }
}

#[test]
fn attributes_are_those_of_numpy_and_scipy() {
    let golden = golden();
    let described = describe(&red(&golden), None, Modality::Unknown);
    for (name, q) in [("intensity_q01", "0.01"), ("intensity_q50", "0.5")] {
        let (ours, peer) = (
            attribute(&described, name).unwrap(),
            number(&golden["quantiles"], q),
        );
        assert!((ours - peer).abs() < 1e-4, "{name}: {ours}, peer {peer}");
    }
    let noise = &golden["noise"];
    let shape = [
        1,
        1,
        number(noise, "rows") as usize,
        number(noise, "columns") as usize,
    ];
    let noisy = image(
        shape,
        numbers(&noise["values"])
            .iter()
            .map(|&v| v as f32)
            .collect(),
        Dtype::Float32,
    );
    let ours = attribute(&describe(&noisy, None, Modality::Unknown), "noise_sd").unwrap();
    assert!(
        (ours - number(noise, "sd")).abs() < 1e-5,
        "noise: {ours}, peer {}",
        noise["sd"]
    );

    let described = describe(&picture(&golden), None, Modality::Brightfield);
    for (name, peer, tolerance) in [
        ("spectrum_slope", number(&golden["spectrum"], "slope"), 1e-3),
        (
            "high_frequency_share",
            number(&golden["spectrum"], "high_share"),
            1e-4,
        ),
        ("stain_h_angle_deg", numbers(&golden["stains"])[0], 0.05),
        ("stain_e_angle_deg", numbers(&golden["stains"])[1], 0.05),
    ] {
        let ours = attribute(&described, name).unwrap();
        assert!(
            (ours - peer).abs() < tolerance,
            "{name}: {ours}, peer {peer}"
        );
    }
}
