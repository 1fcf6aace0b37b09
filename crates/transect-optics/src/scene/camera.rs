//! Light to levels.

use transect_core::{Dtype, Image, PixelSize, Stream};

use super::laboratory::Laboratory;
use super::paint::{Canvas, FINE};
use crate::blur::gaussian;

/// Blurs, integrates over pixels, counts photons, adds read noise, rounds. Gives the image and the expected levels.
pub(super) fn record(
    canvases: Vec<Canvas>,
    laboratory: &Laboratory,
    seed: u64,
    index: u64,
) -> (Image, Vec<f64>) {
    let (rows, columns) = (laboratory.rows, laboratory.columns);
    let channels = canvases.len();
    let sigma = laboratory.blur_um / laboratory.pixel_size_um * FINE as f64;
    let full = laboratory.full_scale();
    let gain = laboratory.levels_per_photon();
    let black = laboratory.black_level * full;
    let key = index.to_le_bytes();
    let mut stream = Stream::new(
        seed,
        "optics/scene/camera",
        &[laboratory.name.as_bytes(), &key],
    );
    let (mut expected, mut samples) = (Vec::new(), Vec::new());
    for mut canvas in canvases {
        gaussian(&mut canvas.light, canvas.rows, canvas.columns, sigma, sigma);
        for r in 0..rows {
            for c in 0..columns {
                let mut sum = 0.0;
                for y in 0..FINE {
                    let start =
                        (canvas.margin + r * FINE + y) * canvas.columns + canvas.margin + c * FINE;
                    sum += canvas.light[start..start + FINE]
                        .iter()
                        .map(|&v| f64::from(v))
                        .sum::<f64>();
                }
                let photons = laboratory.photons * sum / (FINE * FINE) as f64;
                expected.push(black + gain * photons);
                let electrons =
                    stream.poisson(photons) + laboratory.read_noise_electrons * stream.normal();
                samples.push(
                    (black + gain * electrons)
                        .round_ties_even()
                        .clamp(0.0, full) as f32,
                );
            }
        }
    }
    let dtype = if laboratory.bits > 8 {
        Dtype::Uint16
    } else {
        Dtype::Uint8
    };
    let mut image = match Image::new([channels, 1, rows, columns], samples, dtype) {
        Ok(image) => image,
        Err(error) => panic!("a laboratory has pixels: {error}"),
    };
    image.pixel_size = Some(PixelSize::square(laboratory.pixel_size_um));
    image.rgb = channels == 3;
    (image, expected)
}
