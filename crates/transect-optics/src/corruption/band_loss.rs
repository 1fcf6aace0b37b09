//! Band loss: bands of the detector that are dead.

use transect_core::{Image, LabelImage, Result, View};

use super::{Corruption, SPECTRA, as_declared, changed, places};
use crate::view::{Made, MakeContext, unsupported};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "band_loss",
    words: "lost bands",
    parameter: "share of bands lost",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.02, 0.05, 0.1, 0.2, 0.4],
    range: (0.0, 1.0),
    modalities: SPECTRA,
    standard: &[],
    random: true,
    moves_geometry: false,
    note: "that share of the bands, at least one, drawn for each image, reads 0",
    in_units: as_declared,
    run,
};

fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let bands = image.channels();
    if bands < 2 {
        return Err(unsupported("`band_loss` needs at least two bands, got 1"));
    }
    let count = ((view.value * bands as f64).round() as usize).clamp(1, bands);
    let mut stream = places(CORRUPTION.name, view, context);
    let mut order: Vec<usize> = (0..bands).collect();
    for i in 0..count {
        let drawn = i + stream.below(bands - i);
        order.swap(i, drawn);
    }
    let mut lost = vec![false; bands];
    for &band in &order[..count] {
        lost[band] = true;
    }
    Ok(changed(image, truth, |band, samples| {
        if lost[band] {
            samples.fill(0.0);
        }
    }))
}
