//! What is refused, and with which code.

use transect_core::context::{Optics, PlanLevel};
use transect_core::{Dtype, Kind, LabelImage, Modality, Severity, View};
use transect_optics::{corruptions, ladders};

use crate::{constant, corrupt_in, image, view};

#[test]
fn every_refusal_has_its_code() {
    let byte = constant(7.0, 4, 5, Dtype::Uint8);
    let float = constant(7.0, 4, 5, Dtype::Float32);
    let five = image([5, 1, 2, 2], vec![1.0; 20], Dtype::Uint8);
    let step = Severity::new(1).unwrap();
    let refused = |image: &transect_core::Image, view: &View| {
        corrupt_in(image, None, view, Modality::Brightfield, Optics::default())
            .unwrap_err()
            .code
            .id
    };
    assert_eq!(
        refused(&byte, &View::corruption("fog", step, "", 1.0, "")),
        "T501"
    );
    for (name, value) in [
        ("shot_noise", 0.0),
        ("shot_noise", f64::NAN),
        ("read_noise", -1.0),
        ("defocus", -0.1),
        ("gain", -0.5),
        ("magnification", 0.0),
        ("jpeg_quality", 0.0),
        ("jpeg_quality", 101.0),
        ("uneven_illumination", 1.1),
        ("stain_shift", 181.0),
    ] {
        assert_eq!(refused(&byte, &view(name, value)), "T502", "{name} {value}");
    }
    assert_eq!(refused(&float, &view("jpeg_quality", 50.0)), "T503");
    assert_eq!(refused(&five, &view("jpeg_quality", 50.0)), "T503");
    assert_eq!(refused(&byte, &view("stain_shift", 10.0)), "T503");
    assert_eq!(refused(&byte, &view("colour_shift", 1.0)), "T503");
    assert_eq!(
        refused(
            &byte,
            &View::corruption("defocus", step, "defocus", 1.0, "um")
        ),
        "T504"
    );
    assert_eq!(
        refused(
            &byte,
            &View::corruption("defocus", step, "defocus", 1.0, "m")
        ),
        "T503"
    );
    assert_eq!(refused(&byte, &View::swap("style", "target", 0)), "T505");
    assert_eq!(refused(&byte, &View::swap("mood", "target", 0)), "T501");
    assert_eq!(
        refused(
            &constant(0.0, 4000, 4000, Dtype::Uint8),
            &view("magnification", 64.0)
        ),
        "T507"
    );
    let truth = LabelImage::new(4, 4, vec![0; 16]).unwrap();
    let error = corrupt_in(
        &byte,
        Some(&truth),
        &View::identity(),
        Modality::Unknown,
        Optics::default(),
    )
    .unwrap_err();
    assert_eq!(error.code.id, "T201");
    let error = corrupt_in(
        &float,
        None,
        &view("jpeg_quality", 50.0),
        Modality::Unknown,
        Optics::default(),
    )
    .unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
}

#[test]
fn ladders_leave_the_identity_and_stay_in_range() {
    for corruption in corruptions() {
        assert!(
            corruption
                .name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c == '_'),
            "{}",
            corruption.name
        );
        let mut last = 0.0;
        for value in corruption.ladder {
            assert!(
                value >= corruption.range.0 && value <= corruption.range.1,
                "{} {value}",
                corruption.name
            );
            // Distance from the identity; of photons, the noise.
            let far = if corruption.identity.is_infinite() {
                1.0 / value
            } else {
                (value - corruption.identity).abs()
            };
            assert!(
                far > last,
                "{}: {value} is no further than the step before",
                corruption.name
            );
            last = far;
        }
    }
}

#[test]
fn defocus_is_in_micrometres_only_where_the_microscope_is_known() {
    let known = Optics {
        numerical_aperture: Some(0.75),
        wavelength_um: Some(0.52),
        refractive_index: Some(1.0),
        pixel_size_um: Some(0.325),
    };
    let defocus = |modality, optics| {
        ladders(&modality, &optics, PlanLevel::Standard)
            .into_iter()
            .find(|l| l.name == "defocus")
            .unwrap()
    };
    let ladder = defocus(Modality::Fluorescence, known);
    assert_eq!(ladder.unit, "um");
    // Half the depth of field 1·0.52/0.75² = 0.924 µm, to two digits, and its doubles.
    assert_eq!(ladder.values, [0.46, 0.92, 1.8, 3.7, 7.4]);
    for optics in [
        Optics {
            numerical_aperture: None,
            ..known
        },
        Optics {
            wavelength_um: None,
            ..known
        },
        Optics {
            refractive_index: None,
            ..known
        },
        Optics {
            pixel_size_um: None,
            ..known
        },
        Optics {
            numerical_aperture: Some(1.2),
            ..known
        },
    ] {
        let ladder = defocus(Modality::Fluorescence, optics);
        assert_eq!(ladder.unit, "px");
        assert!(ladder.note.contains("pixels"), "{}", ladder.note);
    }
    assert_eq!(defocus(Modality::Phase, known).unit, "px");
}

#[test]
fn modalities_get_what_applies_to_them() {
    let names = |modality| -> Vec<String> {
        ladders(&modality, &Optics::default(), PlanLevel::Standard)
            .into_iter()
            .map(|l| l.name)
            .collect()
    };
    let has = |modality, name: &str| names(modality).iter().any(|n| n == name);
    assert!(
        has(Modality::Brightfield, "stain_shift") && !has(Modality::Fluorescence, "stain_shift")
    );
    assert!(has(Modality::Photo, "colour_shift") && !has(Modality::Brightfield, "colour_shift"));
    assert!(
        !has(Modality::Spectral, "jpeg_quality") && !has(Modality::Spectral, "uneven_illumination")
    );
    for modality in [Modality::Unknown, Modality::Spectral, Modality::Phase] {
        assert!(has(modality, "shot_noise") && has(modality, "magnification"));
    }
}
