//! Shot noise: fewer photons.

use transect_core::{Dtype, Image, LabelImage, Result, View};

use super::{ALL, Corruption, as_declared, bright_levels, changed};
use crate::draw::{Poisson, Words, with_bits};
use crate::view::{Made, MakeContext, stream};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "shot_noise",
    words: "shot noise (few photons)",
    parameter: "photons",
    unit: "photons",
    identity: f64::INFINITY,
    ladder: [1000.0, 300.0, 100.0, 30.0, 10.0],
    range: (1e-3, f64::INFINITY),
    modalities: ALL,
    standard: ALL,
    random: true,
    moves_geometry: false,
    note: "photons at the 99.9th percentile of the signal; black level 0; added to the noise that the image has",
    in_units: as_declared,
    run,
};

/// x → Poisson(x·k)/k with k = photons / (99.9th percentile). Samples at or below the black level 0, and those that are
/// not finite, stay: no light, no noise.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every corruption has this signature"
)]
fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let levels = bright_levels(image);
    let mut stream = stream(CORRUPTION.name, view, context);
    let few =
        |bright: f64| image.dtype == Dtype::Uint8 && 256.0 * view.value / bright < Poisson::LARGEST;
    if levels.iter().flatten().all(|&bright| few(bright)) {
        // Few levels: a table of the distribution for each that occurs, the same for channels that are equally bright.
        let mut words = Words::of(stream);
        let mut tables: Vec<Option<Poisson>> = Vec::new();
        let mut tables_for = None;
        return Ok(changed(image, truth, |channel, samples| {
            let Some(bright) = levels[channel] else {
                return;
            };
            if tables_for != Some(bright) {
                tables = (0..256).map(|_| None).collect();
                tables_for = Some(bright);
            }
            let photons_per_level = view.value / bright;
            let level_per_photon = bright / view.value;
            with_bits(samples, &mut words, |sample, bits, words| {
                if *sample > 0.0 {
                    let table = tables[(*sample as i32 & 0xff) as usize].get_or_insert_with(|| {
                        Poisson::new(f64::from(*sample) * photons_per_level)
                    });
                    *sample = (table.draw(bits, words) * level_per_photon) as f32;
                }
            });
        }));
    }
    Ok(changed(image, truth, |channel, samples| {
        let Some(bright) = levels[channel] else {
            return;
        };
        let photons_per_level = view.value / bright;
        let level_per_photon = bright / view.value;
        for sample in samples {
            if *sample > 0.0 && sample.is_finite() {
                *sample = (stream.poisson(f64::from(*sample) * photons_per_level)
                    * level_per_photon) as f32;
            }
        }
    }))
}
