//! The corruptions of the second list: against closed forms, and against SciPy and scikit-image (`golden/corruptions`).

use serde_json::Value;
use transect_core::axis::{SpectralUnit, Wavelengths};
use transect_core::context::{Optics, PlanLevel};
use transect_core::{Dtype, Image, LabelImage, Modality, PixelSize, Severity, View};
use transect_optics::scene::site::{Site, visit};
use transect_optics::scene::{Laboratory, render, section};
use transect_optics::{corruptions, fit_ladders, ladders};

use crate::{constant, corrupt, corrupt_in, image, moments, view};

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../golden/corruptions/values.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().unwrap();
    all.iter().map(|v| v.as_f64().unwrap()).collect()
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap()
}

/// The plane of the golden values, as floats, so that nothing is rounded.
fn plane(golden: &Value) -> Image {
    let samples = numbers(&golden["image"])
        .iter()
        .map(|&v| v as f32)
        .collect();
    let of = |key: &str| golden[key].as_u64().unwrap() as usize;
    image([1, 1, of("rows"), of("columns")], samples, Dtype::Float32)
}

fn close(what: &str, ours: &[f32], peer: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), peer.len(), "{what}");
    let (at, difference) = ours
        .iter()
        .zip(peer)
        .map(|(&a, &b)| (f64::from(a) - b).abs())
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap();
    assert!(
        difference < tolerance,
        "{what}: {} is not {} at {at}",
        ours[at],
        peer[at]
    );
}

fn against(name: &str, key: &str, tolerance: f64) {
    let golden = golden();
    let plane = plane(&golden);
    for case in golden[name].as_array().unwrap() {
        let made = corrupt(&plane, name, number(case, key));
        let what = format!("{name} {}", case[key]);
        close(&what, made.samples(), &numbers(&case["values"]), tolerance);
    }
}

#[test]
fn haze_is_that_of_scipy() {
    against("haze", "share", 1e-4);
}

#[test]
fn rotation_is_that_of_scikit_image() {
    against("rotation", "degrees", 2e-3);
}

#[test]
fn perspective_is_that_of_scikit_image() {
    against("perspective", "narrowing", 2e-3);
}

#[test]
fn gamma_is_that_of_scikit_image() {
    against("gamma", "gamma", 1e-4);
}

#[test]
fn stains_are_unmixed_as_scikit_image_does() {
    let golden = golden();
    let stains = &golden["stain_balance"];
    let levels = numbers(&stains["levels"]);
    // 16-bit samples would be rounded; floats take their own brightest as clear glass, so one clear pixel is added.
    let n = levels.len() / 3;
    let mut samples = Vec::new();
    for channel in levels.chunks_exact(n) {
        samples.extend(channel.iter().map(|&v| v as f32));
        samples.extend(vec![255.0; 10]);
    }
    let mut glass = image([3, 1, 1, n + 10], samples, Dtype::Float32);
    glass.rgb = true;
    for case in stains["cases"].as_array().unwrap() {
        let stops = number(case, "stops");
        let made = stained(&glass, stops);
        for (c, peer) in numbers(&case["values"]).chunks_exact(n).enumerate() {
            let ours = &made.plane(c, 0)[..n];
            close(&format!("{stops} stops, channel {c}"), ours, peer, 1e-3);
            assert!(
                made.plane(c, 0)[n..]
                    .iter()
                    .all(|&v| (v - 255.0).abs() < 1e-3)
            );
        }
    }
}

fn stained(image: &Image, stops: f64) -> Image {
    let view = view("stain_balance", stops);
    corrupt_in(image, None, &view, Modality::Brightfield, Optics::default())
        .unwrap()
        .image
}

/// Cosines that fit the reflected edges only change their amplitude under a symmetric filter: the transfer function can be read off.
#[test]
fn spherical_aberration_has_the_transfer_function_of_its_pupil() {
    let golden = golden();
    let n = 256;
    for case in golden["spherical_aberration"].as_array().unwrap() {
        for (share, peer) in numbers(&case["shares"])
            .into_iter()
            .zip(numbers(&case["values"]))
        {
            // NA 0.5 and 0.5 µm: cut-off at 2 cycles per µm. Undeclared: at half a cycle per pixel.
            for declared in [true, false] {
                let waves: f64 = if declared {
                    90.0
                } else {
                    (share * n as f64).round()
                };
                let per_pixel = waves / (2.0 * n as f64);
                let wave: Vec<f64> = (0..n)
                    .map(|i| (std::f64::consts::PI * waves * (i as f64 + 0.5) / n as f64).cos())
                    .collect();
                let samples = (0..n * n).map(|i| (10.0 + wave[i % n]) as f32).collect();
                let mut grating = image([1, 1, n, n], samples, Dtype::Float32);
                let mut optics = Optics::default();
                if declared {
                    grating.pixel_size = Some(PixelSize::square(per_pixel / (share * 2.0)));
                    optics = Optics {
                        numerical_aperture: Some(0.5),
                        wavelength_um: Some(0.5),
                        refractive_index: Some(1.0),
                        pixel_size_um: None,
                    };
                }
                let view = view("spherical_aberration", number(case, "waves"));
                let made =
                    corrupt_in(&grating, None, &view, Modality::Fluorescence, optics).unwrap();
                let norm: f64 = wave.iter().map(|w| w * w).sum();
                let middle = &made.image.samples()[n / 2 * n..(n / 2 + 1) * n];
                let ours = middle
                    .iter()
                    .zip(&wave)
                    .map(|(&v, w)| (f64::from(v) - 10.0) * w)
                    .sum::<f64>()
                    / norm;
                // Without a declaration the grating is that of the nearest whole number of waves.
                let allowed = if declared { 4e-3 } else { 0.02 };
                assert!(
                    (ours - peer).abs() < allowed,
                    "{} waves at {share} of the cut-off, declared {declared}: {ours}, peer {peer}",
                    case["waves"]
                );
            }
        }
    }
}

#[test]
fn noise_has_the_spread_that_was_asked() {
    let n = 256;
    // Half dark, half bright: the contrast is 100, wherever black is.
    let samples = (0..n * n).map(|i| if i < n * n / 2 { -950.0 } else { -850.0 });
    let flat = image([1, 1, n, n], samples.collect(), Dtype::Float32);
    let noisy = corrupt(&flat, "gaussian_noise", 0.2);
    for (half, level) in noisy
        .samples()
        .chunks_exact(n * n / 2)
        .zip([-950.0, -850.0])
    {
        let (mean, variance) = moments(half);
        assert!((mean - level).abs() < 0.6, "{mean}");
        assert!((variance.sqrt() / 20.0 - 1.0).abs() < 0.02, "{variance}");
    }
    // Absorbance 1 lets a tenth of the light through: noise of 0.002 of the beam is 0.02 of it.
    let absorbing = constant(1.0, n, n, Dtype::Float32);
    let noisy = corrupt(&absorbing, "detector_noise", 0.002);
    let (mean, variance) = moments(noisy.samples());
    let expected = 0.02 / std::f64::consts::LN_10;
    assert!((mean - 1.0).abs() < 1e-3 && (variance.sqrt() / expected - 1.0).abs() < 0.02);
    // At dusk 4 stops leave 125 photons at the brightest: variance 125 + 9, brightness a quarter.
    let day = constant(1000.0, n, n, Dtype::Float32);
    let (mean, variance) = moments(corrupt(&day, "dusk", 4.0).samples());
    assert!((mean - 250.0).abs() < 0.5, "{mean}");
    let expected = 250.0 * 134.0_f64.sqrt() / 125.0;
    assert!(
        (variance.sqrt() / expected - 1.0).abs() < 0.02,
        "{variance}"
    );
}

#[test]
fn motion_spreads_a_point_along_a_line_of_its_length() {
    let n = 101;
    for length in [3.0, 10.0, 40.0] {
        let mut samples = vec![0.0_f32; n * n];
        samples[n * n / 2] = 1.0;
        let made = corrupt(
            &image([1, 1, n, n], samples, Dtype::Float32),
            "motion_blur",
            length,
        );
        let mut m = [0.0; 6];
        for (i, &v) in made.samples().iter().enumerate() {
            let (v, y, x) = (f64::from(v), (i / n) as f64 - 50.0, (i % n) as f64 - 50.0);
            for (m, part) in m.iter_mut().zip([1.0, y, x, y * y, x * x, x * y]) {
                *m += v * part;
            }
        }
        assert!(
            (m[0] - 1.0).abs() < 1e-5 && m[1].abs() < 1e-4 && m[2].abs() < 1e-4,
            "{m:?}"
        );
        // Along the line L²/12; linear interpolation adds up to 1/6 + 1/12 along each axis.
        let (trace, difference) = (m[3] + m[4], (m[3] - m[4]).hypot(2.0 * m[5]));
        let (along, aside) = (0.5 * (trace + difference), 0.5 * (trace - difference));
        let expected = length * length / 12.0;
        assert!(
            along > expected - 0.01 && along < expected + 0.26,
            "{length}: {along}"
        );
        assert!(aside > -1e-4 && aside < 0.26, "{length}: {aside}");
    }
}

#[test]
fn motion_and_shift_are_in_micrometres_where_pixels_are_declared() {
    let optics = Optics {
        pixel_size_um: Some(0.5),
        ..Optics::default()
    };
    let ladder = |optics: &Optics| {
        ladders(&Modality::Photo, optics, PlanLevel::Standard)
            .into_iter()
            .find(|l| l.name == "motion_blur")
            .unwrap()
    };
    let known = ladder(&optics);
    assert_eq!(
        (known.unit.as_str(), known.values),
        ("um", [1.0, 2.0, 4.0, 8.0, 16.0])
    );
    let unknown = ladder(&Optics::default());
    assert_eq!(unknown.unit, "px");
    assert!(unknown.note.contains("not declared"));
    let mut blob = vec![0.0_f32; 41 * 41];
    blob[41 * 20 + 20] = 1.0;
    let blob = image([1, 1, 41, 41], blob, Dtype::Float32);
    let asked = |value, unit| View::corruption("motion_blur", Severity::LADDER[1], "", value, unit);
    let made = |view: &View, optics| corrupt_in(&blob, None, view, Modality::Photo, optics);
    assert_eq!(
        made(&asked(4.0, "um"), optics).unwrap(),
        made(&asked(8.0, "px"), Optics::default()).unwrap()
    );
    assert_eq!(
        made(&asked(4.0, "um"), Optics::default())
            .unwrap_err()
            .code
            .id,
        "T504"
    );
    assert_eq!(made(&asked(4.0, "m"), optics).unwrap_err().code.id, "T503");
    let tiny = Optics {
        pixel_size_um: Some(1e-6),
        ..Optics::default()
    };
    assert_eq!(made(&asked(4.0, "um"), tiny).unwrap_err().code.id, "T507");
}

#[test]
fn quarter_turns_are_exact() {
    let n = 16;
    let samples: Vec<f32> = (0..n * n).map(|i| i as f32).collect();
    let square = image([1, 1, n, n], samples.clone(), Dtype::Float32);
    let labels = LabelImage::new(n, n, (0..(n * n) as u32).collect()).unwrap();
    let made = corrupt_in(
        &square,
        Some(&labels),
        &view("rotation", 90.0),
        Modality::Unknown,
        Optics::default(),
    )
    .unwrap();
    // Counter-clockwise: the right edge becomes the upper one.
    for row in 0..n {
        for column in 0..n {
            let from = column * n + (n - 1 - row);
            assert!((made.image.samples()[row * n + column] - samples[from]).abs() < 1e-3);
            assert_eq!(
                made.truth.as_ref().unwrap().labels()[row * n + column],
                from as u32
            );
        }
    }
}

#[test]
fn labels_move_with_the_picture_and_nothing_is_made_up() {
    // Two objects that the image shows as they are labelled.
    let (rows, columns) = (60, 80);
    let label = |i: usize| {
        let (r, c) = (i / columns, i % columns);
        u32::from((10..30).contains(&r) && (12..40).contains(&c))
            + 2 * u32::from((35..50).contains(&r) && (45..70).contains(&c))
    };
    let labels: Vec<u32> = (0..rows * columns).map(label).collect();
    let samples = labels
        .iter()
        .map(|&l| [0.0, 100.0, -100.0][l as usize])
        .collect();
    let picture = image([1, 1, rows, columns], samples, Dtype::Float32);
    let truth = LabelImage::new(rows, columns, labels).unwrap();
    for (name, value) in [("rotation", 20.0), ("rotation", -7.0), ("perspective", 0.3)] {
        let made = corrupt_in(
            &picture,
            Some(&truth),
            &view(name, value),
            Modality::Unknown,
            Optics::default(),
        )
        .unwrap();
        let moved = made.truth.unwrap();
        let (mut same, mut clear) = (0, 0);
        for (&v, &l) in made.image.samples().iter().zip(moved.labels()) {
            // Not on an edge.
            if [0.0, 100.0, -100.0]
                .iter()
                .any(|level| (v - level).abs() < 1.0)
            {
                clear += 1;
                same += usize::from(l == [2, 0, 1][((v / 100.0).round() + 1.0) as usize]);
            }
        }
        assert_eq!(same, clear, "{name} {value}");
        assert!(clear > moved.labels().len() * 8 / 10);
    }
    // What the turned field does not fill is cut away: with all of the field labelled 1, and 0 beyond, none is 0.
    let ones = LabelImage::new(rows, columns, vec![1; rows * columns]).unwrap();
    let made = corrupt_in(
        &picture,
        Some(&ones),
        &view("rotation", 45.0),
        Modality::Unknown,
        Optics::default(),
    )
    .unwrap();
    // 60/(60 + 80)·√2 of the height and width.
    assert_eq!((made.image.rows(), made.image.columns()), (36, 48));
    assert_eq!(made.truth.unwrap().labels().len(), 36 * 48);
    // Without labels the canvas stays.
    assert_eq!(
        corrupt(&picture, "rotation", 45.0).shape(),
        [1, 1, rows, columns]
    );
}

#[test]
fn curves_of_levels_are_what_their_formulas_say() {
    let ramp = image(
        [1, 1, 40, 40],
        (0..1600).map(|i| i as f32).collect(),
        Dtype::Float32,
    );
    let q = 0.999 * 1599.0;
    let made = corrupt(&ramp, "saturation", 1.0);
    for (&before, &after) in ramp.samples().iter().zip(made.samples()) {
        let before = f64::from(before);
        let expected = (2.0 * before).min(before.max(q));
        assert!((f64::from(after) - expected).abs() < 1e-3);
    }
    for bits in [1.0, 3.0, 6.0] {
        let made = corrupt(&ramp, "bit_depth", bits);
        let step = q / (2.0_f64.powf(bits) - 1.0);
        let mut seen: Vec<u32> = Vec::new();
        for (&before, &after) in ramp.samples().iter().zip(made.samples()) {
            assert!((f64::from(after) - f64::from(before)).abs() <= 0.5 * step + 1e-3);
            seen.push(after.to_bits());
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len() as f64, 2.0_f64.powf(bits), "{bits} bits");
    }
    let bleached = corrupt(&ramp, "bleaching", 0.75);
    let background = 0.05 * 1599.0;
    for (&before, &after) in ramp.samples().iter().zip(bleached.samples()) {
        let above = f64::from(before) - background;
        let expected = f64::from(before) - 0.75 * above.max(0.0);
        assert!((f64::from(after) - expected).abs() < 1e-3);
    }
}

/// Eight bits take a table; the same samples as floats take the formula.
#[test]
fn tables_of_levels_are_the_formula() {
    let samples: Vec<f32> = (0..64 * 64).map(|i| (i % 251) as f32).collect();
    let bytes = image([1, 1, 64, 64], samples.clone(), Dtype::Uint8);
    let floats = image([1, 1, 64, 64], samples, Dtype::Float32);
    for (name, value) in [("gamma", 2.0), ("saturation", 0.7), ("bit_depth", 4.0)] {
        let (a, b) = (corrupt(&bytes, name, value), corrupt(&floats, name, value));
        for (&a, &b) in a.samples().iter().zip(b.samples()) {
            let b = b.clamp(0.0, 255.0);
            assert!(a == b.round_ties_even(), "{name}: {a}, {b}");
        }
    }
}

#[test]
fn planes_of_a_stack_bleach_one_after_the_other() {
    let mut samples = vec![10.0_f32; 3 * 100];
    for plane in samples.chunks_exact_mut(100) {
        plane[50..].fill(110.0);
    }
    let made = corrupt(
        &image([1, 3, 10, 10], samples, Dtype::Float32),
        "bleaching",
        0.271,
    );
    for plane in 0..3 {
        let expected = 10.0 + 100.0 * 0.9_f64.powi(plane + 1);
        let ours = f64::from(made.plane(0, plane as usize)[99]);
        assert!((ours - expected).abs() < 1e-3, "plane {plane}: {ours}");
    }
}

#[test]
fn a_dye_shines_into_the_next_channel() {
    let mut samples = vec![0.0_f32; 3 * 400];
    samples[..200].fill(100.0);
    samples[400 + 100..400 + 300].fill(1000.0);
    samples[800 + 200..].fill(50.0);
    let stack = image([3, 1, 20, 20], samples, Dtype::Float32);
    let made = corrupt_in(
        &stack,
        None,
        &view("cross_talk", 0.3),
        Modality::Fluorescence,
        Optics::default(),
    )
    .unwrap()
    .image;
    assert_eq!(made.plane(0, 0), stack.plane(0, 0));
    // 30% of the first, scaled to the second's brightness; 30% of the second, not of what it got from the first.
    assert!(
        (made.plane(1, 0)[0] - 300.0).abs() < 1e-3 && (made.plane(1, 0)[150] - 1300.0).abs() < 1e-3
    );
    assert!(made.plane(2, 0)[0] == 0.0 && (made.plane(2, 0)[250] - 65.0).abs() < 1e-3);
}

#[test]
fn channels_part_by_the_length_that_was_asked() {
    let n = 64;
    for value in [0.5, 3.0, 8.0] {
        // Plane 0 rises along columns, plane 1 along rows; a quadratic is given back to the bit of rounding.
        let of = |i: usize| [(i % n) as f32, (i / n) as f32];
        let mut samples = Vec::new();
        for _ in 0..2 {
            for axis in 0..2 {
                samples.extend((0..n * n).map(|i| of(i)[axis]));
            }
        }
        let ramps = image([2, 2, n, n], samples, Dtype::Float32);
        let made = corrupt(&ramps, "chromatic_shift", value);
        let middle = n / 2 * n + n / 2;
        let way =
            |axis: usize| f64::from(made.plane(0, axis)[middle] - made.plane(1, axis)[middle]);
        assert!(
            (way(0).hypot(way(1)) - value).abs() < 1e-3,
            "{value}: {} {}",
            way(0),
            way(1)
        );
        // Half the way back, half on.
        let sum = made.plane(0, 0)[middle] + made.plane(1, 0)[middle];
        assert!((sum - 2.0 * (n / 2) as f32).abs() < 1e-3);
    }
}

#[test]
fn spots_take_the_share_of_light_and_area_that_was_asked() {
    let n = 400;
    let flat = constant(100.0, n, n, Dtype::Float32);
    let share = number(&golden(), "dust_share");
    // Few spots, so that hardly any overlap or lie on the edge; several images.
    let mut lost = 0.0;
    let repeats = 12;
    for replicate in 0..repeats {
        let view = View {
            replicate,
            ..view("dust", 0.02)
        };
        let made = corrupt_in(&flat, None, &view, Modality::Unknown, Optics::default()).unwrap();
        lost += 1.0 - moments(made.image.samples()).0 / 100.0;
    }
    let ours = lost / f64::from(repeats) / 0.02;
    assert!(
        (ours / share - 1.0).abs() < 0.06,
        "{ours}, closed form {share}"
    );

    let hidden = corrupt(&flat, "occlusion", 0.25);
    assert_eq!(
        hidden.samples().iter().filter(|&&v| v == 0.0).count(),
        n * n / 4
    );

    let mut ramp = flat.clone();
    for (i, v) in ramp.samples_mut().iter_mut().enumerate() {
        *v = (i % 97) as f32;
    }
    let hot = corrupt(&ramp, "hot_pixels", 1000.0);
    let changed = ramp
        .samples()
        .iter()
        .zip(hot.samples())
        .filter(|(a, b)| a != b);
    let changed: Vec<_> = changed.map(|(_, &b)| b).collect();
    assert!(changed.iter().all(|&v| v == 96.0));
    // 160 places, of which one in 97 was that bright before.
    assert!((150..=160).contains(&changed.len()), "{}", changed.len());
}

#[test]
fn hot_pixels_are_places_of_the_sensor() {
    let n = 50;
    let samples: Vec<f32> = (0..3 * 2 * n * n).map(|i| (i % 89) as f32).collect();
    let stack = image([3, 2, n, n], samples, Dtype::Uint8);
    let changed = |made: &Image, plane: usize| -> Vec<usize> {
        let (c, p) = (plane / 2, plane % 2);
        (0..n * n)
            .filter(|&i| made.plane(c, p)[i] != stack.plane(c, p)[i])
            .collect()
    };
    let made = corrupt(&stack, "hot_pixels", 5000.0);
    let union: std::collections::BTreeSet<usize> = (0..6).flat_map(|p| changed(&made, p)).collect();
    assert!(
        union.len() <= 13,
        "one set of places for all: {}",
        union.len()
    );
    let mut colour = stack.clone();
    colour.rgb = true;
    let made = corrupt(&colour, "hot_pixels", 5000.0);
    for i in 0..n * n {
        let hit = (0..3)
            .filter(|&c| made.plane(c, 0)[i] != colour.plane(c, 0)[i])
            .count();
        assert!(hit <= 1, "a pixel of a colour sensor has one colour");
    }
}

/// A cube of one spectrum at every pixel, bands every `step` cm⁻¹ from `first`.
fn cube(spectrum: impl Fn(f64) -> f64, first: f64, step: f64, bands: usize) -> Image {
    let values: Vec<f64> = (0..bands).map(|b| first + step * b as f64).collect();
    let samples = values
        .iter()
        .flat_map(|&w| vec![spectrum(w) as f32; 25])
        .collect();
    let mut cube = image([bands, 1, 5, 5], samples, Dtype::Float32);
    cube.wavelengths = Some(Wavelengths {
        values,
        unit: SpectralUnit::Wavenumber,
    });
    cube
}

fn spectral(cube: &Image, name: &str, value: f64, unit: &str) -> Vec<f64> {
    let view = View::corruption(name, Severity::LADDER[0], "", value, unit);
    let made = corrupt_in(cube, None, &view, Modality::Spectral, Optics::default()).unwrap();
    (0..cube.channels())
        .map(|b| f64::from(made.image.plane(b, 0)[7]))
        .collect()
}

#[test]
fn spectra_get_the_baseline_that_was_asked() {
    let bands = 41;
    let flat = cube(|_| 2.0, 1000.0, 20.0, bands);
    let ends = |b: usize| b as f64 / (bands - 1) as f64;
    for (b, v) in spectral(&flat, "baseline_tilt", 0.3, "fraction")
        .into_iter()
        .enumerate()
    {
        assert!((v - (2.0 + 0.6 * ends(b))).abs() < 1e-5, "{b}: {v}");
    }
    for (b, v) in spectral(&flat, "baseline_curvature", 0.3, "fraction")
        .into_iter()
        .enumerate()
    {
        let expected = 2.0 + 0.6 * 4.0 * ends(b) * (1.0 - ends(b));
        assert!((v - expected).abs() < 1e-5, "{b}: {v}");
    }
    for (b, v) in spectral(&flat, "scatter", 0.5, "fraction")
        .into_iter()
        .enumerate()
    {
        let expected = 2.0 + 0.5 * 2.0 * ((1000.0 + 20.0 * b as f64) / 1800.0).powf(1.5);
        assert!((v - expected).abs() < 1e-5, "{b}: {v}");
    }
    let lost = spectral(&flat, "band_loss", 0.1, "fraction");
    assert_eq!(lost.iter().filter(|&&v| v == 0.0).count(), 4);
    assert_eq!(lost.iter().filter(|&&v| v == 2.0).count(), bands - 4);
    // In nanometres the bands come the other way round; the line still rises with the wavenumber.
    let mut turned = flat.clone();
    turned.wavelengths = Some(Wavelengths {
        values: (0..bands).map(|b| 500.0 + b as f64).collect(),
        unit: SpectralUnit::Nanometre,
    });
    let tilted = spectral(&turned, "baseline_tilt", 0.3, "fraction");
    assert!((tilted[0] - 2.6).abs() < 1e-5 && (tilted[bands - 1] - 2.0).abs() < 1e-5);
    assert!(tilted.windows(2).all(|w| w[0] > w[1]));
}

#[test]
fn peaks_move_by_the_wavenumbers_that_were_asked() {
    let peak = |at: f64| (-0.5 * ((at - 1600.0) / 30.0_f64).powi(2)).exp();
    let cube = cube(peak, 1400.0, 4.0, 101);
    let centre = |values: &[f64]| {
        let sum: f64 = values.iter().sum();
        let first: f64 = values
            .iter()
            .enumerate()
            .map(|(b, v)| (1400.0 + 4.0 * b as f64) * v)
            .sum();
        first / sum
    };
    for shift in [-9.0, 1.0, 2.0, 10.0] {
        let moved = spectral(&cube, "wavenumber_shift", shift, "cm-1");
        assert!(
            (centre(&moved) - 1600.0 - shift).abs() < 0.02,
            "{shift}: {}",
            centre(&moved)
        );
        let worst = moved
            .iter()
            .enumerate()
            .map(|(b, v)| (v - peak(1400.0 + 4.0 * b as f64 - shift)).abs())
            .fold(0.0, f64::max);
        assert!(worst < 1e-3, "{shift}: {worst}");
    }
    assert_eq!(
        spectral(&cube, "wavenumber_shift", 2.0, "bands"),
        spectral(&cube, "wavenumber_shift", 8.0, "cm-1")
    );
    let mut ladders = ladders(&Modality::Spectral, &Optics::default(), PlanLevel::Full);
    let unit = |ladders: &[transect_core::context::Ladder]| {
        let ladder = ladders
            .iter()
            .find(|l| l.name == "wavenumber_shift")
            .unwrap();
        (ladder.unit.clone(), ladder.values)
    };
    assert_eq!(unit(&ladders).0, "bands");
    fit_ladders(&mut ladders, &cube);
    assert_eq!(
        unit(&ladders),
        ("cm-1".to_owned(), [0.4, 1.0, 2.0, 4.0, 8.0])
    );
    assert!(ladders.iter().any(|l| l.name == "water_vapour"));
    let mut unknown = cube.clone();
    unknown.wavelengths = None;
    fit_ladders(&mut ladders, &unknown);
    assert!(!ladders.iter().any(|l| l.name == "water_vapour"));
}

#[test]
fn water_absorbs_where_its_lines_are() {
    let cube = cube(|_| 1.0, 1200.0, 2.0, 401);
    let added: Vec<f64> = spectral(&cube, "water_vapour", 0.1, "fraction")
        .iter()
        .map(|v| v - 1.0)
        .collect();
    let highest = added.iter().copied().fold(0.0, f64::max);
    assert!((highest - 0.1).abs() < 1e-5);
    let at = |w: f64| added[((w - 1200.0) / 2.0).round() as usize];
    for line in [1558.0, 1654.0, 1508.0, 1684.0, 1718.0] {
        assert!(at(line) > 0.04, "{line}: {}", at(line));
    }
    // Between the branches, and beyond the band.
    for none in [1200.0, 1300.0, 1590.0, 1600.0, 1950.0] {
        assert!(at(none) < 1e-4, "{none}: {}", at(none));
    }
}

#[test]
fn the_flash_has_no_colour_and_comes_from_the_front() {
    let (rows, columns) = (31, 41);
    let mut samples = vec![200.0_f32; rows * columns];
    samples.extend(vec![100.0; rows * columns]);
    samples.extend(vec![60.0; rows * columns]);
    let mut day = image([3, 1, rows, columns], samples, Dtype::Float32);
    day.rgb = true;
    let night = corrupt(&day, "infrared_flash", 1.0);
    assert_eq!(night.plane(0, 0), night.plane(2, 0));
    assert!((night.plane(0, 0)[15 * columns + 20] - 150.0).abs() < 1e-3);
    assert!((night.plane(0, 0)[0] - 50.0).abs() < 1e-3);
}

#[test]
fn rain_brightens_and_dirt_covers_their_shares() {
    let n = 300;
    let mut scene = constant(20.0, n, n, Dtype::Float32);
    // Half a percent of sky makes the brightest level 200.
    scene.samples_mut()[..n * n / 200].fill(200.0);
    let rain = corrupt(&scene, "rain", 0.05);
    let ground = n * n / 200..n * n;
    let wet = rain.samples()[ground.clone()]
        .iter()
        .filter(|&&v| v > 20.0)
        .count() as f64;
    assert!(
        rain.samples()
            .iter()
            .zip(scene.samples())
            .all(|(a, b)| a >= b && *a <= 200.0)
    );
    // Half-covered pixels at both sides are counted too, crossings once.
    let share = wet / (n * n) as f64;
    assert!(share > 0.04 && share < 0.13, "{share}");
    let dirty = corrupt(&scene, "lens_dirt", 0.1);
    let covered = dirty.samples()[ground]
        .iter()
        .filter(|&&v| (v - 20.0).abs() > 2.0)
        .count() as f64;
    let share = covered / (n * n) as f64;
    assert!(share > 0.05 && share < 0.13, "{share}");
}

#[test]
fn ladders_that_cannot_apply_are_left_out() {
    let fitted = |modality, image: &Image| -> Vec<String> {
        let mut all = ladders(&modality, &Optics::default(), PlanLevel::Full);
        fit_ladders(&mut all, image);
        all.into_iter().map(|l| l.name).collect()
    };
    let grey = constant(100.0, 20, 20, Dtype::Uint8);
    for (modality, image) in scenes().into_iter().chain([
        (Modality::Fluorescence, grey.clone()),
        (Modality::Spectral, grey.clone()),
        (Modality::Photo, grey),
    ]) {
        for name in fitted(modality, &image) {
            // What stands in every plan says itself where it does not apply.
            let known = corruptions().iter().find(|c| c.name == name).unwrap();
            if known.standard.contains(&modality) {
                continue;
            }
            let unit = if name == "wavenumber_shift" {
                "bands"
            } else {
                known.unit
            };
            let view = View::corruption(&name, Severity::LADDER[2], "", known.ladder[2], unit);
            let made = corrupt_in(&image, None, &view, modality, Optics::default());
            assert!(made.is_ok(), "{modality:?} {name}: {made:?}");
        }
    }
}

/// A scene of each modality.
fn scenes() -> Vec<(Modality, Image)> {
    let laboratory = |l: Laboratory| {
        let l = Laboratory {
            rows: 96,
            columns: 96,
            ..l
        };
        render(&l, 7, 3).image
    };
    let site = Site {
        rows: 96,
        columns: 96,
        empty: 0.0,
        ..Site::default()
    };
    let nuclei = laboratory(Laboratory::a());
    let mut dyes = nuclei.samples().to_vec();
    dyes.extend(laboratory(Laboratory::b()).samples());
    vec![
        (
            Modality::Fluorescence,
            image([2, 1, 96, 96], dyes, Dtype::Uint8),
        ),
        (Modality::Brightfield, laboratory(Laboratory::tissue_a())),
        (Modality::Photo, visit(&site, 7, 1).image),
        (
            Modality::Spectral,
            section::section(&section::Sectioning::default(), 4, 1).cube,
        ),
    ]
}

#[test]
fn every_step_of_every_ladder_goes_farther_from_the_image() {
    for (modality, scene) in scenes() {
        let mut ladders = ladders(&modality, &Optics::default(), PlanLevel::Full);
        fit_ladders(&mut ladders, &scene);
        for ladder in ladders {
            let mut last = 0.0;
            for (level, value) in Severity::LADDER.into_iter().zip(ladder.values) {
                let view =
                    View::corruption(&ladder.name, level, &ladder.parameter, value, &ladder.unit);
                let made = match corrupt_in(&scene, None, &view, modality, Optics::default()) {
                    Ok(made) => made.image,
                    // JPEG is of images of one or three channels.
                    Err(error) => {
                        assert!(
                            error.code.id == "T503" && ladder.name == "jpeg_quality",
                            "{error:?}"
                        );
                        continue;
                    }
                };
                assert_eq!(
                    (made.dtype, made.rgb, made.channels()),
                    (scene.dtype, scene.rgb, scene.channels())
                );
                assert!(
                    made.samples().iter().all(|v| v.is_finite()),
                    "{}",
                    ladder.name
                );
                let far = if made.shape() == scene.shape() {
                    made.samples()
                        .iter()
                        .zip(scene.samples())
                        .map(|(a, b)| f64::from(a - b).powi(2))
                        .sum::<f64>()
                } else {
                    1.0 / made.rows() as f64
                };
                assert!(
                    far > last,
                    "{modality:?} {} {value}: {far} is no farther than {last}",
                    ladder.name
                );
                last = far;
            }
        }
    }
}

#[test]
fn profiles_have_what_their_instruments_do() {
    let names = |modality, plan| -> Vec<String> {
        ladders(&modality, &Optics::default(), plan)
            .into_iter()
            .map(|l| l.name)
            .collect()
    };
    // A standard plan costs what it did: nine corruptions of stained specimens.
    assert_eq!(
        names(Modality::Brightfield, PlanLevel::Standard),
        [
            "shot_noise",
            "read_noise",
            "defocus",
            "gain",
            "offset",
            "magnification",
            "jpeg_quality",
            "uneven_illumination",
            "stain_shift"
        ]
    );
    assert_eq!(
        names(Modality::Spectral, PlanLevel::Standard),
        [
            "shot_noise",
            "read_noise",
            "defocus",
            "gain",
            "offset",
            "magnification",
            "baseline_tilt",
            "wavenumber_shift",
            "scatter"
        ]
    );
    assert_eq!(names(Modality::Photo, PlanLevel::Standard).len(), 12);
    for corruption in corruptions() {
        assert!(
            corruption
                .standard
                .iter()
                .all(|m| corruption.modalities.contains(m))
        );
        for &modality in corruption.modalities {
            assert!(
                names(modality, PlanLevel::Full)
                    .iter()
                    .any(|n| n == corruption.name)
            );
        }
    }
    assert!(names(Modality::Brightfield, PlanLevel::Full).len() > 20);
}
