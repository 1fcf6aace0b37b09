//! Stain shift: another hue of the same amount of stain.

use transect_core::{Image, LabelImage, Modality, Result, View};

use super::stain::recoloured;
use super::{Corruption, as_declared};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "stain_shift",
    words: "stain of another hue",
    parameter: "hue angle",
    unit: "deg",
    identity: 0.0,
    ladder: [5.0, 10.0, 20.0, 30.0, 45.0],
    range: (-180.0, 180.0),
    modalities: &[Modality::Brightfield],
    standard: &[Modality::Brightfield],
    random: false,
    moves_geometry: false,
    note: "rotation of the optical density about the grey axis: the sum of the three densities stays; the sense is red to green to blue in what is absorbed",
    in_units: as_declared,
    run,
};

fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _: &MakeContext<'_>,
) -> Result<Made> {
    recoloured(CORRUPTION.name, image, truth, || {
        // Rotation about (1, 1, 1)/√3 (Rodrigues): a circulant matrix.
        let (sin, cos) = view.value.to_radians().sin_cos();
        let same = cos + (1.0 - cos) / 3.0;
        let next = (1.0 - cos) / 3.0 - sin / 3.0_f64.sqrt();
        let last = (1.0 - cos) / 3.0 + sin / 3.0_f64.sqrt();
        [[same, next, last], [last, same, next], [next, last, same]]
    })
}
