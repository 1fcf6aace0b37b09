//! Occlusion: something opaque before the lens.

use transect_core::{Image, LabelImage, Result, View};

use super::{Corruption, PICTURES, as_declared, changed, places};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "occlusion",
    words: "occlusion",
    parameter: "hidden share of the area",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.02, 0.05, 0.1, 0.2, 0.4],
    range: (0.0, 1.0),
    modalities: PICTURES,
    standard: &[],
    random: true,
    moves_geometry: false,
    note: "one rectangle of the image's shape at a place drawn for each image, at the black level 0; the truth stays, so an object that is hidden counts as missed",
    in_units: as_declared,
    run,
};

#[expect(
    clippy::unnecessary_wraps,
    reason = "every corruption has this signature"
)]
fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let (rows, columns) = (image.rows(), image.columns());
    let side = view.value.sqrt();
    let of = |n: usize| ((n as f64 * side).round() as usize).clamp(1, n);
    let (tall, wide) = (of(rows), of(columns));
    let mut stream = places(CORRUPTION.name, view, context);
    let (top, left) = (
        stream.below(rows - tall + 1),
        stream.below(columns - wide + 1),
    );
    Ok(changed(image, truth, |_, samples| {
        for plane in samples.chunks_exact_mut(rows * columns) {
            for row in plane.chunks_exact_mut(columns).skip(top).take(tall) {
                row[left..left + wide].fill(0.0);
            }
        }
    }))
}
