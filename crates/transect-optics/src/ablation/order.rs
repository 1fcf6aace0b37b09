//! Squares or pixels in random order: what is there stays, where it is goes.

use transect_core::{Image, LabelImage, Result, View};

use super::bad_value;
use crate::view::{Made, MakeContext, stream};

/// The image whose pixel `i` is the source's pixel `order[i]`, in all channels, planes and labels alike.
fn reordered(image: &Image, truth: Option<&LabelImage>, order: &[usize]) -> Made {
    let mut result = image.clone();
    for (plane, source) in result
        .samples_mut()
        .chunks_exact_mut(order.len())
        .zip(image.samples().chunks_exact(order.len()))
    {
        for (sample, &from) in plane.iter_mut().zip(order) {
            *sample = source[from];
        }
    }
    let truth = truth.map(|truth| {
        let mut moved = truth.clone();
        for (label, &from) in moved.labels_mut().iter_mut().zip(order) {
            *label = truth.labels()[from];
        }
        moved
    });
    Made {
        image: result,
        truth,
        donor_row: None,
    }
}

/// The image cut into `value` × `value` rectangles (4 where the value is 0), which change places; rows and columns that do not
/// divide evenly stay at the lower and right edge.
pub(super) fn patches(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let (rows, columns) = (image.rows(), image.columns());
    let side = if view.value == 0.0 { 4.0 } else { view.value };
    if side.fract() != 0.0 || side < 2.0 || side > rows.min(columns) as f64 {
        return Err(bad_value(
            view,
            "a whole number of squares a side, from 2 to the shorter side",
        ));
    }
    let side = side as usize;
    let (height, width) = (rows / side, columns / side);
    let mut places: Vec<usize> = (0..side * side).collect();
    stream("patch_shuffled", view, context).shuffle(&mut places);
    let mut order: Vec<usize> = (0..rows * columns).collect();
    for (to, &from) in places.iter().enumerate() {
        for r in 0..height {
            for c in 0..width {
                let at =
                    |place: usize| (place / side * height + r) * columns + place % side * width + c;
                order[at(to)] = at(from);
            }
        }
    }
    Ok(reordered(image, truth, &order))
}

/// Pixels in random order.
pub(super) fn pixels(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Made {
    let mut order: Vec<usize> = (0..image.rows() * image.columns()).collect();
    stream("pixel_shuffled", view, context).shuffle(&mut order);
    reordered(image, truth, &order)
}
