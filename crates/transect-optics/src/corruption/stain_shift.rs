//! Stain shift: another hue of the same amount of stain.

use transect_core::{Image, LabelImage, Modality, Result, View, wide};

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

/// Pixels that are changed at once.
const AT_ONCE: usize = 1024;

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
    let table = density.table();
    for ((red, green), blue) in red
        .chunks_mut(AT_ONCE)
        .zip(green.chunks_mut(AT_ONCE))
        .zip(blue.chunks_mut(AT_ONCE))
    {
        let of = |samples: &[f32]| -> Vec<f64> { samples.iter().map(|&s| table.of(s)).collect() };
        let (x, y, z) = (of(red), of(green), of(blue));
        let (x, y, z) = (x.as_slice(), y.as_slice(), z.as_slice());
        for (out, share) in [
            (red, [same, next, last]),
            (green, [last, same, next]),
            (blue, [next, last, same]),
        ] {
            wide!(|out: &'a mut [f32],
                   share: [f64; 3],
                   x: &'a [f64],
                   y: &'a [f64],
                   z: &'a [f64],
                   density: Density| {
                for (((out, x), y), z) in out.iter_mut().zip(x).zip(y).zip(z) {
                    *out = density.intensity(share[0] * x + share[1] * y + share[2] * z);
                }
            });
        }
    }
    result.quantise();
    Ok(Made {
        image: result,
        truth: truth.cloned(),
        donor_row: None,
    })
}
