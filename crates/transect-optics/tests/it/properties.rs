//! What holds for every image.

use proptest::prelude::*;
use transect_core::attribute::ATTRIBUTES;
use transect_core::context::Optics;
use transect_core::{Dtype, Image, LabelImage, Modality, Severity, View};
use transect_optics::{corruptions, describe};

use crate::{corrupt_in, image};

/// Images of odd shapes and types, with labels.
fn images() -> impl Strategy<Value = (Image, LabelImage)> {
    let side = prop_oneof![Just(1_usize), Just(2), Just(3), 4_usize..40];
    let dtype = prop_oneof![
        Just(Dtype::Uint8),
        Just(Dtype::Uint16),
        Just(Dtype::Float32),
        Just(Dtype::Int16)
    ];
    (
        prop_oneof![Just(1_usize), Just(3), Just(5)],
        1_usize..3,
        side.clone(),
        side,
        dtype,
        any::<bool>(),
        any::<u64>(),
    )
        .prop_map(|(channels, planes, rows, columns, dtype, flat, seed)| {
            let mut stream = transect_core::Stream::new(seed, "property", &[]);
            let (low, high) = dtype.range().unwrap_or((-1.0, 1.0));
            let constant = low + (high - low) * stream.uniform() as f32;
            let samples = (0..channels * planes * rows * columns)
                .map(|_| {
                    if flat {
                        constant
                    } else {
                        low + (high - low) * stream.uniform() as f32
                    }
                })
                .map(|v| {
                    if dtype == Dtype::Float32 {
                        v
                    } else {
                        v.round()
                    }
                })
                .collect();
            let mut made = image([channels, planes, rows, columns], samples, dtype);
            made.rgb = channels == 3;
            let labels = (0..rows * columns)
                .map(|_| stream.below(4) as u32)
                .collect();
            (made, LabelImage::new(rows, columns, labels).unwrap())
        })
}

const MODALITIES: [Modality; 5] = [
    Modality::Fluorescence,
    Modality::Brightfield,
    Modality::Phase,
    Modality::Photo,
    Modality::Unknown,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn corruptions_keep_types_ranges_and_labels((image, truth) in images(), step in 0_usize..5, pick in 0..corruptions().len()) {
        let corruption = &corruptions()[pick];
        let value = corruption.ladder[step];
        let view = View::corruption(
            corruption.name, Severity::LADDER[step], corruption.parameter, value, corruption.unit);
        let modality = corruption.modalities[0];
        let make = || corrupt_in(&image, Some(&truth), &view, modality, Optics::default());
        let made = match make() {
            Ok(made) => made,
            Err(error) => {
                prop_assert_eq!(error.code.id, "T503");
                return Ok(());
            }
        };
        let labels = made.truth.as_ref().unwrap();
        prop_assert_eq!((labels.rows(), labels.columns()), (made.image.rows(), made.image.columns()));
        prop_assert_eq!((made.image.channels(), made.image.planes()), (image.channels(), image.planes()));
        prop_assert_eq!((made.image.dtype, made.image.rgb), (image.dtype, image.rgb));
        if !corruption.moves_geometry {
            prop_assert_eq!(made.image.shape(), image.shape());
            prop_assert_eq!(labels, &truth);
        }
        if let Some((low, high)) = image.dtype.range() {
            prop_assert!(made.image.samples().iter().all(|&v| v >= low && v <= high && v == v.round()));
        } else {
            prop_assert!(made.image.samples().iter().all(|v| v.is_finite()));
        }
        // The same arguments give the same bits.
        prop_assert_eq!(&made, &make().unwrap());
    }

    #[test]
    fn severity_0_and_the_identity_value_change_no_bit((image, truth) in images(), pick in 0..corruptions().len()) {
        let corruption = &corruptions()[pick];
        let untouched = |view: &View| -> Result<(), TestCaseError> {
            let made = corrupt_in(&image, Some(&truth), view, Modality::Unknown, Optics::default()).unwrap();
            prop_assert!(made.image == image && made.truth.as_ref() == Some(&truth) && made.donor_row.is_none());
            Ok(())
        };
        untouched(&View::identity())?;
        untouched(&View::corruption(
            corruption.name, Severity::ZERO, corruption.parameter, corruption.identity, corruption.unit))?;
        untouched(&View::corruption(
            corruption.name, Severity::LADDER[0], corruption.parameter, corruption.identity, corruption.unit))?;
    }

    #[test]
    fn any_image_can_be_described((image, truth) in images(), pick in 0_usize..5, holes in any::<bool>()) {
        let mut image = image;
        if holes && image.dtype == Dtype::Float32 {
            let n = image.samples().len();
            image.samples_mut()[n / 2] = f32::NAN;
            image.samples_mut()[n / 3] = f32::INFINITY;
        }
        for truth in [None, Some(&truth)] {
            let described = describe(&image, truth, MODALITIES[pick]);
            prop_assert_eq!(described.attributes.len(), ATTRIBUTES.len());
            prop_assert!(described.attributes.iter().flatten().all(|v| v.is_finite()));
            prop_assert_eq!(described.thumbnail.len(), 64 * 64 * 3);
            prop_assert_eq!(described.profile.mean.len(), image.channels());
            prop_assert_eq!(described.profile.size, [image.rows() as u32, image.columns() as u32]);
            prop_assert_eq!(&described, &describe(&image, truth, MODALITIES[pick]));
        }
    }

    #[test]
    fn views_of_images_with_holes_do_not_panic((image, truth) in images(), step in 0_usize..5, pick in 0..corruptions().len()) {
        let mut image = image;
        let n = image.samples().len();
        image.samples_mut()[n / 2] = f32::NAN;
        let corruption = &corruptions()[pick];
        let view = View::corruption(
            corruption.name, Severity::LADDER[step], corruption.parameter, corruption.ladder[step], corruption.unit);
        let _ = corrupt_in(&image, Some(&truth), &view, corruption.modalities[0], Optics::default());
    }
}

#[test]
fn another_seed_image_view_or_replicate_gives_other_noise() {
    use transect_core::{Digest, Fits};
    use transect_optics::{MakeContext, make_view};
    let flat = crate::constant(100.0, 16, 16, Dtype::Uint16);
    let fits = Fits::default();
    let make = |seed: u64, key: &[u8], view: &View| {
        let context = MakeContext {
            modality: Modality::Unknown,
            optics: Optics::default(),
            seed,
            image_sha256: Digest::of(key),
            fits: &fits,
            profile: None,
            cameras: None,
        };
        make_view(&flat, None, view, &context).unwrap().image
    };
    let view = crate::view("shot_noise", 30.0);
    let first = make(1, b"a", &view);
    assert_eq!(first, make(1, b"a", &view));
    assert_ne!(first, make(2, b"a", &view));
    assert_ne!(first, make(1, b"b", &view));
    assert_ne!(
        first,
        make(
            1,
            b"a",
            &View {
                replicate: 1,
                ..view.clone()
            }
        )
    );
    assert_ne!(
        first,
        make(
            1,
            b"a",
            &View {
                severity: Severity::LADDER[1],
                ..view.clone()
            }
        )
    );
}

#[test]
fn constant_and_one_pixel_images_say_what_they_can() {
    use crate::{attribute, constant};
    for (rows, columns) in [(1, 1), (1, 50), (64, 64)] {
        let described = describe(
            &constant(51.0, rows, columns, Dtype::Uint8),
            None,
            Modality::Fluorescence,
        );
        assert_eq!(
            attribute(&described, "intensity_mean"),
            Some(0.2_f32 as f64)
        );
        assert_eq!(attribute(&described, "intensity_sd"), Some(0.0));
        assert_eq!(attribute(&described, "background"), Some(0.2_f32 as f64));
        for name in [
            "snr",
            "noise_gain",
            "read_noise",
            "spectrum_slope",
            "psf_sigma_px",
            "texture_scale_px",
            "red_mean",
            "objects",
        ] {
            assert_eq!(
                attribute(&described, name),
                None,
                "{name} of {rows} × {columns}"
            );
        }
        assert_eq!(described.perceptual_hash, 0);
        assert!(described.thumbnail.iter().all(|&b| b == 51));
    }
}
