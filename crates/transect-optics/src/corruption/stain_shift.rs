//! Stain shift: another hue of the same amount of stain.

use transect_core::{Image, LabelImage, Modality, Result, View};

use super::Corruption;
use crate::density::{Density, white};
use crate::view::{Made, MakeContext, unchanged, unsupported};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "stain_shift",
    words: "stain of another hue",
    parameter: "hue angle",
    unit: "deg",
    identity: 0.0,
    ladder: [5.0, 10.0, 20.0, 30.0, 45.0],
    range: (-180.0, 180.0),
    modalities: &[Modality::Brightfield],
    random: false,
    moves_geometry: false,
    note: "rotation of the optical density about the grey axis: the sum of the three densities stays; the sense is red to green to blue in what is absorbed",
    run,
};

fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _: &MakeContext<'_>,
) -> Result<Made> {
    if !image.rgb || image.channels() != 3 {
        return Err(unsupported(format!(
            "`stain_shift` needs a red-green-blue image, got {} channels that are not declared as colour",
            image.channels()
        )));
    }
    let Some(white) = white(image) else {
        return Ok(unchanged(image, truth));
    };
    let density = Density::new(white);
    // Rotation about (1, 1, 1)/√3 (Rodrigues): a circulant matrix.
    let (sin, cos) = view.value.to_radians().sin_cos();
    let same = cos + (1.0 - cos) / 3.0;
    let next = (1.0 - cos) / 3.0 - sin / 3.0_f64.sqrt();
    let last = (1.0 - cos) / 3.0 + sin / 3.0_f64.sqrt();
    let mut result = image.clone();
    let size = result.samples().len() / 3;
    let (red, rest) = result.samples_mut().split_at_mut(size);
    let (green, blue) = rest.split_at_mut(size);
    for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
        let (x, y, z) = (density.of(*r), density.of(*g), density.of(*b));
        *r = density.intensity(same * x + next * y + last * z);
        *g = density.intensity(last * x + same * y + next * z);
        *b = density.intensity(next * x + last * y + same * z);
    }
    result.quantise();
    Ok(Made {
        image: result,
        truth: truth.cloned(),
        donor_row: None,
    })
}
