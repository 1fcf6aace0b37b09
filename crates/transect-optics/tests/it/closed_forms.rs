//! What theory says each corruption does.

use transect_core::context::Optics;
use transect_core::{Dtype, LabelImage, Modality, PixelSize, Severity, View};

use crate::{constant, corrupt, corrupt_in, image, moments, view};

const N: usize = 256;

/// Five standard errors of a variance from n normal draws, as a share of it.
fn tolerance(n: usize) -> f64 {
    5.0 * (2.0 / n as f64).sqrt()
}

#[test]
fn shot_noise_has_the_variance_of_poisson() {
    for photons in [5.0, 25.0, 100.0, 2500.0] {
        // A constant image is at its own 99.9th percentile: `photons` photons in every pixel.
        let noisy = corrupt(
            &constant(1000.0, N, N, Dtype::Float32),
            "shot_noise",
            photons,
        );
        let (mean, variance) = moments(noisy.samples());
        let expected = 1000.0_f64.powi(2) / photons;
        assert!(
            (mean - 1000.0).abs() < 5.0 * (expected / (N * N) as f64).sqrt(),
            "{photons}: mean {mean}"
        );
        let allowed = 5.0 * ((2.0 + 1.0 / photons) / (N * N) as f64).sqrt();
        assert!(
            (variance / expected - 1.0).abs() < allowed,
            "{photons}: variance {variance}, expected {expected}"
        );
    }
}

#[test]
fn shot_noise_at_half_the_signal_has_half_the_photons() {
    let mut samples = vec![200.0_f32; N * N];
    samples[..N * N / 2].fill(100.0);
    let noisy = corrupt(
        &image([1, 1, N, N], samples, Dtype::Float32),
        "shot_noise",
        50.0,
    );
    let (mean, variance) = moments(&noisy.samples()[..N * N / 2]);
    assert!((mean - 100.0).abs() < 5.0 * (400.0 / (N * N / 2) as f64).sqrt());
    assert!(
        (variance / 400.0 - 1.0).abs() < 1.1 * tolerance(N * N / 2),
        "variance {variance}, expected 100²/25"
    );
}

#[test]
fn no_light_has_no_shot_noise() {
    let mut samples = vec![0.0_f32; 64];
    samples[0] = 9.0;
    samples[1] = -3.0;
    let noisy = corrupt(
        &image([1, 1, 8, 8], samples, Dtype::Float32),
        "shot_noise",
        10.0,
    );
    assert!(noisy.samples()[2..].iter().all(|&v| v == 0.0));
    assert_eq!(noisy.samples()[1], -3.0);
}

#[test]
fn read_noise_adds_its_variance() {
    for electrons in [10.0, 160.0] {
        let noisy = corrupt(
            &constant(500.0, N, N, Dtype::Float32),
            "read_noise",
            electrons,
        );
        let (mean, variance) = moments(noisy.samples());
        let sd = 500.0 * electrons / 1000.0;
        assert!((mean - 500.0).abs() < 5.0 * sd / N as f64);
        assert!(
            (variance / (sd * sd) - 1.0).abs() < tolerance(N * N),
            "{electrons}: {variance}"
        );
    }
}

#[test]
fn channels_of_a_stack_have_exposures_of_their_own() {
    let mut samples = vec![10.0_f32; N * N];
    samples.extend(vec![4000.0; N * N]);
    let noisy = corrupt(
        &image([2, 1, N, N], samples, Dtype::Float32),
        "read_noise",
        100.0,
    );
    for (channel, level) in [(0, 10.0_f64), (1, 4000.0)] {
        let (_, variance) = moments(noisy.plane(channel, 0));
        assert!(
            (variance.sqrt() / (0.1 * level) - 1.0).abs() < tolerance(N * N),
            "channel {channel}: {variance}"
        );
    }
}

/// Second moments of a blurred point add up.
#[test]
fn blur_widens_a_point_by_its_variance() {
    for sigma in [0.8, 1.0, 2.0, 5.0] {
        let mut samples = vec![0.0_f32; 101 * 101];
        samples[50 * 101 + 50] = 1.0;
        let spread = corrupt(
            &image([1, 1, 101, 101], samples, Dtype::Float32),
            "defocus",
            sigma,
        );
        let (mut total, mut along, mut across) = (0.0, 0.0, 0.0);
        for (i, &v) in spread.samples().iter().enumerate() {
            let (y, x) = ((i / 101) as f64 - 50.0, (i % 101) as f64 - 50.0);
            total += f64::from(v);
            along += f64::from(v) * y * y;
            across += f64::from(v) * x * x;
        }
        // The kernel is cut at four standard deviations, which costs 0.1 % of the variance.
        assert!((total - 1.0).abs() < 1e-5, "{sigma}: light {total}");
        for moment in [along, across] {
            assert!(
                (moment / (sigma * sigma) - 1.0).abs() < 3e-3,
                "{sigma}: {moment}"
            );
        }
    }
}

fn microscope() -> Optics {
    Optics {
        numerical_aperture: Some(0.5),
        wavelength_um: Some(0.5),
        refractive_index: Some(1.0),
        pixel_size_um: Some(0.5),
    }
}

fn micrometres(value: f64) -> View {
    View::corruption("defocus", Severity::new(2).unwrap(), "defocus", value, "um")
}

/// Far from focus a point becomes the disc of geometry: light that leaves at the angle θ lands at z·tan θ, and the share of
/// the light within θ is (sin θ·n/NA)², because the pupil is evenly filled. Diffraction draws the rim in a little: a Fourier
/// transform of the whole pupil gives 0.254, 0.510 and 0.784 here instead of 0.25, 0.5 and 0.75.
#[test]
fn far_from_focus_a_point_is_the_disc_of_geometry() {
    let n = 257;
    let mut samples = vec![0.0_f32; n * n];
    // A soft point, so that the light beyond the cut-off, which defocus leaves, is nothing.
    for (i, v) in samples.iter_mut().enumerate() {
        let (y, x) = ((i / n) as f64 - 128.0, (i % n) as f64 - 128.0);
        *v = (-(y * y + x * x) / (2.0 * 4.0)).exp() as f32;
    }
    let point = image([1, 1, n, n], samples, Dtype::Float32);
    let defocus = 40.0;
    let made = corrupt_in(
        &point,
        None,
        &micrometres(defocus),
        Modality::Fluorescence,
        microscope(),
    )
    .unwrap();
    let radius = defocus * 0.5 / (1.0_f64 - 0.25).sqrt() / 0.5;
    let inside = |r: f64| -> f64 {
        made.image
            .samples()
            .iter()
            .enumerate()
            .filter(|(i, _)| ((*i / n) as f64 - 128.0).hypot((*i % n) as f64 - 128.0) <= r)
            .map(|(_, &v)| f64::from(v))
            .sum()
    };
    let all: f64 = made.image.samples().iter().map(|&v| f64::from(v)).sum();
    let before: f64 = point.samples().iter().map(|&v| f64::from(v)).sum();
    assert!((all / before - 1.0).abs() < 0.01, "light {all} of {before}");
    for (share, diffracted) in [(0.25_f64, 0.254), (0.5, 0.510), (0.75, 0.784)] {
        let sine = 0.5 * share.sqrt();
        let within = inside(defocus * sine / (1.0 - sine * sine).sqrt() / 0.5) / all;
        assert!(
            (within - diffracted).abs() < 0.005,
            "{within} of the light, the pupil says {diffracted}"
        );
    }
    let whole = inside(radius * 1.1) / all;
    assert!(whole > 0.95, "{whole} of the light within the disc");
}

#[test]
fn defocus_takes_the_pixel_size_of_the_image_first() {
    let mut samples = vec![10.0_f32; 64 * 64];
    samples[32 * 64 + 32] = 100.0;
    let mut point = image([1, 1, 64, 64], samples, Dtype::Float32);
    let shared = corrupt_in(
        &point,
        None,
        &micrometres(4.0),
        Modality::Fluorescence,
        microscope(),
    )
    .unwrap()
    .image;
    point.pixel_size = Some(PixelSize::square(2.0));
    let own = corrupt_in(
        &point,
        None,
        &micrometres(4.0),
        Modality::Fluorescence,
        microscope(),
    )
    .unwrap()
    .image;
    let (before, after) = (
        shared.plane(0, 0)[32 * 64 + 32],
        own.plane(0, 0)[32 * 64 + 32],
    );
    assert!(
        after > before,
        "coarse pixels are blurred less: {after} against {before}"
    );
}

#[test]
fn gain_and_offset_are_linear() {
    let ramp = image(
        [1, 1, 1, 101],
        (0..101).map(|v| v as f32).collect(),
        Dtype::Float32,
    );
    for (v, g) in ramp
        .samples()
        .iter()
        .zip(corrupt(&ramp, "gain", 0.25).samples())
    {
        assert!((g - 0.25 * v).abs() < 1e-5);
    }
    // 99.9th percentile of 0, 1, … 100.
    for (v, o) in ramp
        .samples()
        .iter()
        .zip(corrupt(&ramp, "offset", 0.1).samples())
    {
        assert!((o - (v + 0.1 * 99.9)).abs() < 1e-4);
    }
    let bytes = image([1, 1, 1, 3], vec![10.0, 101.0, 250.0], Dtype::Uint8);
    assert_eq!(corrupt(&bytes, "gain", 1.5).samples(), [15.0, 152.0, 255.0]);
}

#[test]
fn the_corner_loses_what_was_asked_and_the_centre_nothing() {
    for (rows, columns) in [(65, 65), (33, 97)] {
        let flat = constant(1000.0, rows, columns, Dtype::Float32);
        let shaded = corrupt(&flat, "uneven_illumination", 0.4);
        let plane = shaded.plane(0, 0);
        assert_eq!(plane[rows / 2 * columns + columns / 2], 1000.0);
        for corner in [0, columns - 1, (rows - 1) * columns, rows * columns - 1] {
            assert!((plane[corner] - 600.0).abs() < 1e-3, "{}", plane[corner]);
        }
    }
}

#[test]
fn magnification_moves_labels_and_pixel_size_with_the_image() {
    let (rows, columns) = (40, 60);
    let labels: Vec<u32> = (0..rows * columns)
        .map(|i| u32::from(i / columns >= 10 && i / columns < 30) * (1 + (i % columns / 20) as u32))
        .collect();
    let samples = labels.iter().map(|&l| 50.0 * l as f32).collect();
    let mut field = image([1, 1, rows, columns], samples, Dtype::Uint16);
    field.pixel_size = Some(PixelSize::square(0.5));
    let truth = LabelImage::new(rows, columns, labels.clone()).unwrap();
    for factor in [0.5, 0.25, 2.0] {
        let made = corrupt_in(
            &field,
            Some(&truth),
            &view("magnification", factor),
            Modality::Unknown,
            Optics::default(),
        )
        .unwrap();
        let moved = made.truth.unwrap();
        assert_eq!(
            (moved.rows(), moved.columns()),
            (made.image.rows(), made.image.columns())
        );
        assert_eq!(moved.rows(), (rows as f64 * factor) as usize);
        let size = made.image.pixel_size.unwrap();
        assert!(
            (size.row_um - 0.5 / factor).abs() < 1e-12
                && (size.column_um - 0.5 / factor).abs() < 1e-12
        );
        for label in 1..=3 {
            let count = |all: &[u32]| all.iter().filter(|&&l| l == label).count() as f64;
            assert_eq!(
                count(moved.labels()),
                count(&labels) * factor * factor,
                "label {label} at {factor}"
            );
        }
    }
}

#[test]
fn a_smaller_canvas_has_no_aliases() {
    // The finest checkerboard averages to grey.
    let board = image(
        [1, 1, 64, 64],
        (0..64 * 64)
            .map(|i| ((i / 64 + i % 64) % 2) as f32)
            .collect(),
        Dtype::Float32,
    );
    let small = corrupt(&board, "magnification", 0.3);
    let (mean, variance) = moments(small.samples());
    assert!(
        (mean - 0.5).abs() < 0.01 && variance < 1e-3,
        "{mean}, {variance}"
    );
}

#[test]
fn a_stain_keeps_its_amount_when_its_hue_turns() {
    // Samples of a pale purple, far from clipping.
    let samples: Vec<f32> = [150.0, 110.0, 170.0]
        .into_iter()
        .flat_map(|v| vec![v; 4])
        .collect();
    let mut purple = image([3, 1, 2, 2], samples, Dtype::Uint16);
    purple.samples_mut().iter_mut().for_each(|v| *v *= 257.0);
    purple.rgb = true;
    let turned = corrupt_in(
        &purple,
        None,
        &view("stain_shift", 20.0),
        Modality::Brightfield,
        Optics::default(),
    )
    .unwrap()
    .image;
    let density = |v: f32| -((f64::from(v) + 65535.0 / 510.0) / (65535.0 + 65535.0 / 510.0)).ln();
    let sum =
        |image: &transect_core::Image| (0..3).map(|c| density(image.plane(c, 0)[0])).sum::<f64>();
    let angle = |image: &transect_core::Image| {
        let [r, g, b] = [0, 1, 2].map(|c| density(image.plane(c, 0)[0]));
        (0.75_f64.sqrt() * (g - b))
            .atan2(r - 0.5 * (g + b))
            .to_degrees()
    };
    assert!((sum(&turned) - sum(&purple)).abs() < 1e-4);
    assert!(
        (angle(&turned) - angle(&purple) - 20.0).abs() < 0.01,
        "{} to {}",
        angle(&purple),
        angle(&turned)
    );
}

#[test]
fn a_warm_cast_raises_red_over_blue_by_its_stops() {
    let mut grey = image([3, 1, 1, 1], vec![0.25; 3], Dtype::Float32);
    grey.rgb = true;
    let warm = corrupt_in(
        &grey,
        None,
        &view("colour_shift", 1.0),
        Modality::Photo,
        Optics::default(),
    )
    .unwrap()
    .image;
    assert!((warm.samples()[0] / warm.samples()[2] - 2.0).abs() < 1e-6);
    assert_eq!(warm.samples()[1], 0.25);
}
