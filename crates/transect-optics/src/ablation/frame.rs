//! The border or the centre alone.

use transect_core::{Image, LabelImage};

use super::mean;
use crate::corruption::changed;
use crate::view::Made;

/// Whether a pixel lies in the centred rectangle whose sides are this share of the image's.
fn inside(rows: usize, columns: usize, share: f64) -> Vec<bool> {
    let within = |n: usize| -> Vec<bool> {
        let half = share * n as f64 / 2.0;
        let centre = n as f64 / 2.0;
        (0..n)
            .map(|i| ((i as f64 + 0.5) - centre).abs() < half)
            .collect()
    };
    let (down, across) = (within(rows), within(columns));
    let mut mask = Vec::with_capacity(rows * columns);
    for &row in &down {
        mask.extend(across.iter().map(|&column| row && column));
    }
    mask
}

/// Sets the pixels of each plane where `gone` says so to the mean of the pixels where `from` says so.
fn replaced(image: &Image, truth: Option<&LabelImage>, gone: &[bool], from: &[bool]) -> Made {
    changed(image, truth, |_, samples| {
        for plane in samples.chunks_exact_mut(gone.len()) {
            let level = mean(
                plane
                    .iter()
                    .zip(from)
                    .filter(|(_, from)| **from)
                    .map(|(v, _)| *v),
            );
            for (sample, &gone) in plane.iter_mut().zip(gone) {
                if gone {
                    *sample = level;
                }
            }
        }
    })
}

/// The inner rectangle of three quarters of the area set to the mean of the rest.
pub(super) fn border_only(image: &Image, truth: Option<&LabelImage>) -> Made {
    let gone = inside(image.rows(), image.columns(), 0.75_f64.sqrt());
    let rest: Vec<bool> = gone.iter().map(|g| !g).collect();
    replaced(image, truth, &gone, &rest)
}

/// Everything but the inner quarter of the area set to its own mean.
pub(super) fn centre_only(image: &Image, truth: Option<&LabelImage>) -> Made {
    let kept = inside(image.rows(), image.columns(), 0.5);
    let gone: Vec<bool> = kept.iter().map(|k| !k).collect();
    replaced(image, truth, &gone, &gone)
}
