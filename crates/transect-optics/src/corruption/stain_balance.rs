//! Stain balance: more haematoxylin against eosin.

use transect_core::{Image, LabelImage, Modality, Result, View};

use super::stain::recoloured;
use super::{Corruption, as_declared};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "stain_balance",
    words: "haematoxylin against eosin",
    parameter: "haematoxylin over eosin",
    unit: "stops",
    identity: 0.0,
    ladder: [0.25, 0.5, 1.0, 1.5, 2.0],
    range: (-8.0, 8.0),
    modalities: &[Modality::Brightfield],
    standard: &[],
    random: false,
    moves_geometry: false,
    note: "for haematoxylin and eosin: the amounts are unmixed with the colours of Ruifrok and Johnston, haematoxylin times 2^(v/2), eosin times 2^(−v/2), what is neither stays; positive is bluer; of another stain it is a colour change without that meaning",
    in_units: as_declared,
    run,
};

/// Optical density of haematoxylin and eosin in red, green, blue (Ruifrok and Johnston 2001).
const H: [f64; 3] = [0.65, 0.70, 0.29];
const E: [f64; 3] = [0.07, 0.99, 0.11];

fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _: &MakeContext<'_>,
) -> Result<Made> {
    let half = 0.5 * view.value;
    recoloured(CORRUPTION.name, image, truth, || {
        matrix(half.exp2(), (-half).exp2())
    })
}

/// The map of optical densities that multiplies the amounts of the two stains and leaves what is at right angles to both.
fn matrix(haematoxylin: f64, eosin: f64) -> [[f64; 3]; 3] {
    let cross = |a: [f64; 3], b: [f64; 3]| {
        [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ]
    };
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let rest = cross(H, E);
    let (of_h, of_e) = (cross(E, rest), cross(rest, H));
    let volume = dot(H, of_h);
    // Identity, plus for each stain (factor − 1) × its colour × its amount.
    std::array::from_fn(|row| {
        std::array::from_fn(|column| {
            f64::from(u8::from(row == column))
                + (haematoxylin - 1.0) * H[row] * of_h[column] / volume
                + (eosin - 1.0) * E[row] * of_e[column] / volume
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stain_is_multiplied_and_the_rest_stays() {
        let m = matrix(3.0, 0.5);
        let apply = |v: [f64; 3]| -> [f64; 3] {
            std::array::from_fn(|r| m[r][0] * v[0] + m[r][1] * v[1] + m[r][2] * v[2])
        };
        let close = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(close(apply(H), H.map(|v| 3.0 * v)));
        assert!(close(apply(E), E.map(|v| 0.5 * v)));
        let rest = [
            H[1] * E[2] - H[2] * E[1],
            H[2] * E[0] - H[0] * E[2],
            H[0] * E[1] - H[1] * E[0],
        ];
        assert!(close(apply(rest), rest));
    }
}
