//! Uneven illumination: light that falls off towards the corners.

use transect_core::{Image, LabelImage, Result, View, wide};

use super::{Corruption, PICTURES, as_declared};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "uneven_illumination",
    words: "uneven illumination",
    parameter: "falloff at the corner",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.1, 0.25, 0.4, 0.6, 0.8],
    range: (0.0, 1.0),
    modalities: PICTURES,
    standard: PICTURES,
    random: false,
    moves_geometry: false,
    note: "signal above the black level 0 times 1 − falloff × (distance from the centre / distance of the corner)²",
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
    _: &MakeContext<'_>,
) -> Result<Made> {
    let (rows, columns) = (image.rows(), image.columns());
    // Squared distance from the centre along an axis; distances are to pixel centres, the corner is the corner pixel's.
    let squares = |n: usize| -> Vec<f64> {
        (0..n)
            .map(|i| (i as f64 - 0.5 * (n as f64 - 1.0)).powi(2))
            .collect()
    };
    let (down, across) = (squares(rows), squares(columns));
    let corner = down[0] + across[0];
    if corner == 0.0 {
        return Ok(crate::view::unchanged(image, truth));
    }
    let mut result = image.clone();
    let falloff = view.value;
    for plane in result.samples_mut().chunks_exact_mut(rows * columns) {
        let (down, across) = (down.as_slice(), across.as_slice());
        wide!(|plane: &'a mut [f32],
               down: &'a [f64],
               across: &'a [f64],
               falloff: f64,
               corner: f64| {
            for (row, d) in plane.chunks_exact_mut(across.len()).zip(down) {
                for (sample, a) in row.iter_mut().zip(across) {
                    *sample = (f64::from(*sample) * (1.0 - falloff * (d + a) / corner)) as f32;
                }
            }
        });
    }
    result.quantise();
    Ok(Made {
        image: result,
        truth: truth.cloned(),
        donor_row: None,
    })
}
