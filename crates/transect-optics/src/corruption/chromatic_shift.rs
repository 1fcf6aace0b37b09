//! Chromatic shift: channels that do not lie on each other.

use std::f64::consts::PI;

use transect_core::{Image, LabelImage, Modality, Result, View, wide};

use super::cubic::weights;
use super::pupil::{in_pixels, lengths};
use super::{Corruption, changed, places};
use crate::blur::reflect;
use crate::view::{Made, MakeContext, unsupported};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "chromatic_shift",
    words: "chromatic shift",
    parameter: "shift from first to last channel",
    unit: "px",
    identity: 0.0,
    ladder: [0.5, 1.0, 2.0, 4.0, 8.0],
    range: (0.0, 1000.0),
    modalities: &[
        Modality::Fluorescence,
        Modality::Brightfield,
        Modality::Photo,
    ],
    standard: &[],
    random: true,
    moves_geometry: false,
    note: "channels are moved evenly along a direction drawn for each image, the first half the way back, the last half the way on; the middle and the labels stay; needs two channels",
    in_units: lengths,
    run,
};

fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let (rows, columns, channels) = (image.rows(), image.columns(), image.channels());
    if channels < 2 {
        return Err(unsupported(
            "`chromatic_shift` needs at least two channels, got 1",
        ));
    }
    let (per_row, per_column) = in_pixels(image, view, context)?;
    let angle = 2.0 * PI * places(CORRUPTION.name, view, context).uniform();
    Ok(changed(image, truth, |channel, samples| {
        let way = channel as f64 / (channels - 1) as f64 - 0.5;
        let (down, across) = (way * per_row * angle.sin(), way * per_column * angle.cos());
        if down == 0.0 && across == 0.0 {
            return;
        }
        for plane in samples.chunks_exact_mut(rows * columns) {
            moved(plane, rows, columns, down, across);
        }
    }))
}

/// Moves a plane by (rows, columns), by cubic convolution, edges reflected.
fn moved(plane: &mut [f32], rows: usize, columns: usize, down: f64, across: f64) {
    // The value at i comes from i − shift: from `first` to `first + 3` with these weights.
    let taps = |shift: f64, n: usize| -> (Vec<usize>, [f32; 4]) {
        let whole = (-shift).floor();
        let first = whole as i64 - 1;
        let back = first.unsigned_abs() as usize;
        let place = |i: usize| {
            if first < 0 {
                reflect(i, back, n)
            } else {
                reflect(i + back, 0, n)
            }
        };
        ((0..n + 3).map(place).collect(), weights(-shift - whole))
    };
    let (sources, share) = taps(across, columns);
    let mut line = vec![0.0_f32; columns + 3];
    let mut between = vec![0.0_f32; rows * columns];
    for (row, out) in plane
        .chunks_exact(columns)
        .zip(between.chunks_exact_mut(columns))
    {
        for (value, &source) in line.iter_mut().zip(&sources) {
            *value = row[source];
        }
        let line = line.as_slice();
        wide!(|out: &'a mut [f32], line: &'a [f32], share: [f32; 4]| {
            let n = out.len();
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| &line[i..i + n]);
            for ((((out, a), b), c), d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *out = share[0] * a + share[1] * b + share[2] * c + share[3] * d;
            }
        });
    }
    let (sources, share) = taps(down, rows);
    for (r, out) in plane.chunks_exact_mut(columns).enumerate() {
        let line = |i: usize| &between[sources[r + i] * columns..][..columns];
        let (a, b, c, d) = (line(0), line(1), line(2), line(3));
        wide!(|out: &'a mut [f32],
               a: &'a [f32],
               b: &'a [f32],
               c: &'a [f32],
               d: &'a [f32],
               share: [f32; 4]| {
            for ((((out, a), b), c), d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *out = share[0] * a + share[1] * b + share[2] * c + share[3] * d;
            }
        });
    }
}
