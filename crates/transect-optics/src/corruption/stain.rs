//! Change of colour in optical density.

use transect_core::{Image, LabelImage, Result, wide};

use crate::density::{Density, white};
use crate::view::{Made, unchanged, unsupported};

/// Pixels that are changed at once.
const AT_ONCE: usize = 1024;

/// A colour image whose optical densities of red, green and blue are multiplied by a matrix.
///
/// # Errors
/// `T503` for an image that is not in red, green and blue.
pub(super) fn recoloured(
    name: &str,
    image: &Image,
    truth: Option<&LabelImage>,
    matrix: impl FnOnce() -> [[f64; 3]; 3],
) -> Result<Made> {
    if !image.rgb || image.channels() != 3 {
        return Err(unsupported(format!(
            "`{name}` needs a red-green-blue image, got {} channels that are not declared as colour",
            image.channels()
        )));
    }
    let Some(white) = white(image) else {
        return Ok(unchanged(image, truth));
    };
    let density = Density::new(white);
    let [to_red, to_green, to_blue] = matrix();
    let mut result = image.clone();
    let size = result.samples().len() / 3;
    let (red, rest) = result.samples_mut().split_at_mut(size);
    let (green, blue) = rest.split_at_mut(size);
    let table = density.table();
    let mut densities: [Vec<f64>; 3] = std::array::from_fn(|_| Vec::with_capacity(AT_ONCE));
    for ((red, green), blue) in red
        .chunks_mut(AT_ONCE)
        .zip(green.chunks_mut(AT_ONCE))
        .zip(blue.chunks_mut(AT_ONCE))
    {
        for (densities, samples) in densities.iter_mut().zip([&*red, &*green, &*blue]) {
            densities.clear();
            densities.extend(samples.iter().map(|&s| table.of(s)));
        }
        let [x, y, z] = &densities;
        let (x, y, z) = (x.as_slice(), y.as_slice(), z.as_slice());
        for (out, share) in [(red, to_red), (green, to_green), (blue, to_blue)] {
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
