//! Small pictures of an image: hash and thumbnail.

use transect_core::{Dtype, Image};

use super::Plane;
use crate::quantile::quantile;
use crate::resample::area;

/// Difference hash of 64 bits: 9 × 8 cells of mean grey, one bit for each pair of neighbours in a row.
pub(super) fn difference_hash(grey: &Plane) -> u64 {
    let cells = area(&grey.samples, grey.rows, grey.columns, 8, 9);
    let mut hash = 0;
    for r in 0..8 {
        for c in 0..8 {
            if cells[9 * r + c] < cells[9 * r + c + 1] {
                hash |= 1 << (8 * r + c);
            }
        }
    }
    hash
}

/// Side of a thumbnail.
const SIDE: usize = 64;

/// 64 × 64 × 3 bytes by means over areas (the aspect is not kept). Colour stays colour, all else is grey. 8-bit images
/// keep their levels; others are stretched from their 0.1st to their 99.9th percentile.
pub(super) fn thumbnail(image: &Image, grey: &Plane) -> Vec<u8> {
    let middle = image.planes() / 2;
    let (rows, columns) = (image.rows(), image.columns());
    let mut bytes = vec![0_u8; SIDE * SIDE * 3];
    let (low, high) = if image.dtype == Dtype::Uint8 {
        (0.0, 255.0)
    } else if image.rgb && image.channels() == 3 {
        (
            quantile(image.samples(), 0.001).unwrap_or(0.0),
            quantile(image.samples(), 0.999).unwrap_or(1.0),
        )
    } else {
        (
            quantile(&grey.samples, 0.001).unwrap_or(0.0),
            quantile(&grey.samples, 0.999).unwrap_or(1.0),
        )
    };
    let scale = if high > low {
        255.0 / (high - low)
    } else {
        0.0
    };
    let byte = |v: f32| ((f64::from(v) - low) * scale).round().clamp(0.0, 255.0) as u8;
    if image.rgb && image.channels() == 3 {
        for channel in 0..3 {
            let cells = area(image.plane(channel, middle), rows, columns, SIDE, SIDE);
            for (pixel, v) in bytes.chunks_exact_mut(3).zip(cells) {
                pixel[channel] = byte(v);
            }
        }
    } else {
        // Grey is in fractions of full scale; an 8-bit image is shown in its levels.
        let unit = if image.dtype == Dtype::Uint8 {
            255.0
        } else {
            1.0
        };
        for (pixel, v) in
            bytes
                .chunks_exact_mut(3)
                .zip(area(&grey.samples, rows, columns, SIDE, SIDE))
        {
            pixel.fill(byte(v * unit));
        }
    }
    bytes
}
