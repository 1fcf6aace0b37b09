//! Rain: bright streaks between the camera and the scene.

use transect_core::{Image, LabelImage, Modality, Result, View};

use super::{Corruption, as_declared, bright_levels, changed, places};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "rain",
    words: "rain",
    parameter: "share of the area under streaks",
    unit: "fraction",
    identity: 0.0,
    ladder: [0.01, 0.03, 0.08, 0.16, 0.3],
    range: (0.0, 1.0),
    modalities: &[Modality::Photo],
    standard: &[],
    random: true,
    moves_geometry: false,
    note: "streaks of 4 to 12% of the shorter side, up to 20 degrees from upright, all one way in an image, that bring what is behind them up to 60% of the way to the 99.9th percentile; their areas add up to the value (where they cross they cover less); no millimetres an hour, because distance and exposure are not declared",
    in_units: as_declared,
    run,
};

/// x → x + m·max(q − x, 0), m the strongest streak at that place.
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
    let (rows, columns) = (image.rows(), image.columns());
    let levels = bright_levels(image);
    let mut stream = places(CORRUPTION.name, view, context);
    let lean = (20.0 * (2.0 * stream.uniform() - 1.0)).to_radians().tan();
    let shorter = rows.min(columns) as f64;
    let wide = (shorter / 300.0).max(1.0);
    let mut left = view.value * (rows * columns) as f64;
    let mut veil = vec![0.0_f32; rows * columns];
    while left > 0.0 {
        let length = (shorter * (0.04 + 0.08 * stream.uniform())).max(1.0);
        let width = wide * (0.7 + 0.8 * stream.uniform());
        let strength = 0.3 + 0.3 * stream.uniform();
        let top = (rows as f64 + length) * stream.uniform() - length;
        let middle = columns as f64 * stream.uniform() - 0.5;
        left -= length * width;
        streak(
            &mut veil,
            columns,
            (top, length),
            (middle, lean, width),
            strength,
        );
    }
    Ok(changed(image, truth, |channel, samples| {
        let Some(bright) = levels[channel] else {
            return;
        };
        let bright = bright as f32;
        for plane in samples.chunks_exact_mut(rows * columns) {
            for (sample, veil) in plane.iter_mut().zip(&veil) {
                *sample += veil * (bright - *sample).max(0.0);
            }
        }
    }))
}

/// One streak, `length` rows down from `top`, its column at mid-height `middle`, that leans by `lean` columns for each row;
/// it fades towards its ends, and its sides are shared among the pixels that they cut.
fn streak(
    veil: &mut [f32],
    columns: usize,
    (top, length): (f64, f64),
    (middle, lean, width): (f64, f64, f64),
    strength: f64,
) {
    let rows = veil.len() / columns;
    let first = top.ceil().max(0.0) as usize;
    let last = ((top + length).ceil().max(0.0) as usize).min(rows);
    for row in first..last {
        let along = (row as f64 - top) / length;
        let fade = (4.0 * along * (1.0 - along)).clamp(0.0, 1.0).sqrt();
        let centre = middle + lean * (row as f64 - top - 0.5 * length);
        let reach = 0.5 * width + 0.5;
        let from = (centre - reach).ceil().max(0.0) as usize;
        let to = ((centre + reach).floor() + 1.0).max(0.0) as usize;
        for column in from..to.min(columns) {
            let covered = (reach - (column as f64 - centre).abs()).clamp(0.0, width.min(1.0));
            let here = (strength * fade * covered) as f32;
            let pixel = &mut veil[row * columns + column];
            *pixel = pixel.max(here);
        }
    }
}
