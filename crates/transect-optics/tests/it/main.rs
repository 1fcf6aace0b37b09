//! Tests of the public interface.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ablations;
mod closed_forms;
mod corruptions;
mod features;
mod golden;
mod misuse;
mod page;
mod properties;
mod recovery;
mod scenes;
mod sections;
mod swaps;

use transect_core::attribute::ATTRIBUTES;
use transect_core::context::Optics;
use transect_core::{Digest, Dtype, Fits, Image, LabelImage, Modality, Result, Severity, View};
use transect_optics::{Described, Made, MakeContext, make_view};

/// An image from samples in the order (channel, plane, row, column).
fn image(shape: [usize; 4], samples: Vec<f32>, dtype: Dtype) -> Image {
    Image::new(shape, samples, dtype).unwrap()
}

/// A constant image.
fn constant(value: f32, rows: usize, columns: usize, dtype: Dtype) -> Image {
    image([1, 1, rows, columns], vec![value; rows * columns], dtype)
}

/// A view of strength `value` in the corruption's own unit.
fn view(name: &str, value: f64) -> View {
    let corruption = transect_optics::corruptions()
        .iter()
        .find(|c| c.name == name)
        .unwrap();
    View::corruption(
        name,
        Severity::new(1).unwrap(),
        corruption.parameter,
        value,
        corruption.unit,
    )
}

/// Makes a corruption under seed 1.
fn corrupt_in(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    modality: Modality,
    optics: Optics,
) -> Result<Made> {
    let fits = Fits::default();
    let context = MakeContext {
        modality,
        optics,
        seed: 1,
        image_sha256: Digest::of(b"image"),
        fits: &fits,
        profile: None,
        cameras: None,
    };
    make_view(image, truth, view, &context)
}

fn corrupt(image: &Image, name: &str, value: f64) -> Image {
    corrupt_in(
        image,
        None,
        &view(name, value),
        Modality::Unknown,
        Optics::default(),
    )
    .unwrap()
    .image
}

/// An attribute by its name.
fn attribute(described: &Described, name: &str) -> Option<f64> {
    described.attributes[ATTRIBUTES.iter().position(|a| a.name == name).unwrap()]
}

/// Mean and variance.
fn moments(values: &[f32]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    (
        mean,
        values
            .iter()
            .map(|&v| (f64::from(v) - mean).powi(2))
            .sum::<f64>()
            / n,
    )
}
