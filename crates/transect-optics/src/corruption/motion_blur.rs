//! Motion blur: the specimen, the stage or the camera moves while the shutter is open.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use transect_core::{Error, Image, LabelImage, Modality, Result, View, codes, wide};

use super::pupil::{in_pixels, lengths};
use super::{Corruption, PICTURES, changed, places};
use crate::blur::reflect;
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "motion_blur",
    words: "motion blur",
    parameter: "way during the exposure",
    unit: "px",
    identity: 0.0,
    ladder: [2.0, 4.0, 8.0, 16.0, 32.0],
    range: (0.0, 2000.0),
    modalities: PICTURES,
    standard: &[Modality::Photo],
    random: true,
    moves_geometry: false,
    note: "even motion along a straight line in a direction drawn for each image; the middle of the way stays in place, so the labels hold",
    in_units: lengths,
    run,
};

/// Longest way, pixels: the margin that is kept around a plane is half of it.
const LONGEST: f64 = 4096.0;

fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let (per_row, per_column) = in_pixels(image, view, context)?;
    if per_row.max(per_column) > LONGEST {
        return Err(Error::new(
            &codes::optics::VIEW_TOO_LARGE,
            format!(
                "`motion_blur` reaches over {:.0} pixels, at most {LONGEST} can be asked for",
                per_row.max(per_column)
            ),
        ));
    }
    let angle = PI * places(CORRUPTION.name, view, context).uniform();
    let taps = line(per_row * angle.sin(), per_column * angle.cos());
    let (rows, columns) = (image.rows(), image.columns());
    Ok(changed(image, truth, |_, samples| {
        for plane in samples.chunks_exact_mut(rows * columns) {
            convolve(plane, rows, columns, &taps);
        }
    }))
}

/// One weight of a kernel and where it lies.
struct Tap {
    down: isize,
    across: isize,
    weight: f32,
}

/// The kernel of a straight way centred on 0, by (rows, columns): each of many equal parts of it is shared among the four
/// pixels around it as linear interpolation does.
fn line(down: f64, across: f64) -> Vec<Tap> {
    let parts = 2 * (4.0 * down.hypot(across)).ceil() as i32 + 1;
    let mut kernel: BTreeMap<(isize, isize), f64> = BTreeMap::new();
    for part in 0..parts {
        let at = (f64::from(part) + 0.5) / f64::from(parts) - 0.5;
        let (y, x) = (at * down, at * across);
        let (y0, x0) = (y.floor(), x.floor());
        let (v, u) = (y - y0, x - x0);
        for (i, share_y) in [1.0 - v, v].into_iter().enumerate() {
            for (j, share_x) in [1.0 - u, u].into_iter().enumerate() {
                let place = (
                    (y0 as isize).saturating_add_unsigned(i),
                    (x0 as isize).saturating_add_unsigned(j),
                );
                *kernel.entry(place).or_default() += share_y * share_x / f64::from(parts);
            }
        }
    }
    kernel
        .into_iter()
        .filter(|&(_, weight)| weight > 1e-9)
        .map(|((down, across), weight)| Tap {
            down,
            across,
            weight: weight as f32,
        })
        .collect()
}

/// Samples that are computed side by side.
const SIDE_BY_SIDE: usize = 64;

/// The sum of the taps at every sample, edges reflected.
fn convolve(plane: &mut [f32], rows: usize, columns: usize, taps: &[Tap]) {
    let reach = |of: fn(&Tap) -> isize| {
        taps.iter()
            .map(|t| of(t).unsigned_abs())
            .max()
            .unwrap_or_default()
    };
    let (above, left) = (reach(|t| t.down), reach(|t| t.across));
    let width = columns.next_multiple_of(SIDE_BY_SIDE) + 2 * left;
    let sources: Vec<usize> = (0..columns + 2 * left)
        .map(|c| reflect(c, left, columns))
        .collect();
    let mut padded = vec![0.0_f32; (rows + 2 * above) * width];
    for (r, line) in padded.chunks_exact_mut(width).enumerate() {
        let row = &plane[reflect(r, above, rows) * columns..][..columns];
        line[left..left + columns].copy_from_slice(row);
        for (out, &source) in line[..left].iter_mut().zip(&sources) {
            *out = row[source];
        }
        for (out, &source) in line[left + columns..]
            .iter_mut()
            .zip(&sources[left + columns..])
        {
            *out = row[source];
        }
    }
    let offsets: Vec<(usize, f32)> = taps
        .iter()
        .map(|t| {
            let down = above.wrapping_add_signed(t.down);
            (down * width + left.wrapping_add_signed(t.across), t.weight)
        })
        .collect();
    let (padded, offsets) = (padded.as_slice(), offsets.as_slice());
    wide!(|plane: &'a mut [f32],
           padded: &'a [f32],
           offsets: &'a [(usize, f32)],
           columns: usize,
           width: usize| {
        for (r, row) in plane.chunks_exact_mut(columns).enumerate() {
            for (block, out) in row.chunks_mut(SIDE_BY_SIDE).enumerate() {
                let start = r * width + block * SIDE_BY_SIDE;
                let mut sums = [0.0_f32; SIDE_BY_SIDE];
                for &(offset, weight) in offsets {
                    let source = &padded[start + offset..][..SIDE_BY_SIDE];
                    for (sum, value) in sums.iter_mut().zip(source) {
                        *sum += weight * value;
                    }
                }
                out.copy_from_slice(&sums[..out.len()]);
            }
        }
    });
}
