//! Families of features: what the image says without any model, for the baselines that a model must beat.
//!
//! Intensities are fractions of the type's full scale for integer types and the file's own numbers for floating types. Only
//! the middle plane of a stack is looked at. "Grey" is the mean over the channels.
//!
//! | family | what |
//! |---|---|
//! | `moments` | of each channel: mean, standard deviation, skewness, excess kurtosis |
//! | `colour` | mean of each channel, and the log ratio of each to the first; for 2 to 7 channels |
//! | `spectrum` | mean of each channel; for 8 channels and more |
//! | `border` | `moments` of the outer frame, a twentieth of the shorter side wide |
//! | `background` | `moments` of the pixels outside the truth's objects; where it has outlines |
//! | `texture` | grey co-occurrence at 1, 2 and 4 px, local binary patterns, gradients |
//! | `granulometry` | what openings and closings of growing size take away |
//! | `layout` | number, density, size and arrangement of the truth's objects; where it has outlines |
//! | `random_conv` | responses of random filters, drawn once for the whole run |
//!
//! The number of features of a family depends on the number of channels alone.

mod granulometry;
mod layout;
mod moments;
mod random_conv;
mod texture;

use transect_core::{Image, LabelImage};

use crate::describe::Plane;
use crate::resample::area;

/// Longest side at which texture and granulometry are measured: larger images are reduced by area means.
const SIDE: usize = 256;

/// Channels from which on their means are a spectrum and no longer a colour.
const SPECTRUM: usize = 8;

/// The families of one image, in the order of the table above; families that do not apply are absent.
///
/// `truth` is a label image or mask at the image's size. `seed` draws the random filters, the same for every image of a run.
/// Deterministic; never NaN for finite samples.
pub fn features(
    image: &Image,
    truth: Option<&LabelImage>,
    seed: u64,
) -> Vec<(&'static str, Vec<f32>)> {
    let (rows, columns) = (image.rows(), image.columns());
    let unit = image
        .dtype
        .range()
        .map_or(1.0, |(_, high)| 1.0 / f64::from(high));
    let middle = image.planes() / 2;
    let channels: Vec<Vec<f32>> = (0..image.channels())
        .map(|c| {
            image
                .plane(c, middle)
                .iter()
                .map(|&v| (f64::from(v) * unit) as f32)
                .collect()
        })
        .collect();
    let mut families = vec![("moments", moments::of(&channels, None))];
    let means = moments::means(&channels);
    if channels.len() >= SPECTRUM {
        families.push(("spectrum", means.iter().map(|&m| m as f32).collect()));
    } else if channels.len() > 1 {
        families.push(("colour", moments::colour(&means)));
    }
    let frame = moments::frame(rows, columns);
    families.push(("border", moments::of(&channels, Some(&frame))));
    if let Some(truth) = truth {
        let outside: Vec<bool> = truth.labels().iter().map(|l| *l == 0).collect();
        families.push(("background", moments::of(&channels, Some(&outside))));
    }
    let grey = reduced(&grey(&channels), rows, columns, SIDE);
    families.push(("texture", texture::of(&grey)));
    families.push(("granulometry", granulometry::of(&grey)));
    if let Some(truth) = truth {
        families.push(("layout", layout::of(truth)));
    }
    families.push((
        "random_conv",
        random_conv::of(&channels, rows, columns, seed),
    ));
    families
}

fn grey(channels: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = channels[0].clone();
    for channel in &channels[1..] {
        for (s, v) in sum.iter_mut().zip(channel) {
            *s += v;
        }
    }
    let share = 1.0 / channels.len() as f32;
    for s in &mut sum {
        *s *= share;
    }
    sum
}

/// A plane whose longer side is at most `side`, by area means; smaller planes stay.
fn reduced(samples: &[f32], rows: usize, columns: usize, side: usize) -> Plane {
    let longest = rows.max(columns);
    if longest <= side {
        return Plane {
            samples: samples.to_vec(),
            rows,
            columns,
        };
    }
    let fit = |n: usize| (n * side / longest).max(1);
    let (to_rows, to_columns) = (fit(rows), fit(columns));
    Plane {
        samples: area(samples, rows, columns, to_rows, to_columns),
        rows: to_rows,
        columns: to_columns,
    }
}
