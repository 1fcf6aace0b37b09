//! Masks as outlines, and outlines within a region.

use transect_core::{Error, LabelImage};

use super::draw::bounds;
use super::{Outline, Runs, Shape, broken};

/// The object of a mask: its pixels that are not 0.
///
/// # Errors
/// `T024` for a mask without such a pixel, or with several values that are not 0: it shows several objects.
pub fn of_mask(mask: &LabelImage, name: &str) -> Result<Outline, Error> {
    let mut values = mask.labels().iter().copied().filter(|l| *l > 0);
    let Some(first) = values.next() else {
        return Err(broken(format!(
            "{}: the mask is empty",
            name.escape_debug()
        )));
    };
    if let Some(other) = values.find(|v| *v != first) {
        return Err(broken(format!(
            "{}: the mask holds {first} and {other}; the mask of one object holds one value beside 0",
            name.escape_debug()
        ))
        .help("a label image with a number for each object is named as a file, not as its folder"));
    }
    let (rows, columns) = (mask.rows(), mask.columns());
    let inside = |row: usize, column: usize| mask.labels()[row * columns + column] > 0;
    Ok(Outline {
        name: name.escape_debug().to_string(),
        class: None,
        shape: Shape::Runs(runs(rows, columns, inside)),
    })
}

/// Runs down the columns of what is inside.
fn runs(rows: usize, columns: usize, inside: impl Fn(usize, usize) -> bool) -> Runs {
    let mut counts = Vec::new();
    let (mut state, mut length) = (false, 0_u32);
    for column in 0..columns {
        for row in 0..rows {
            if inside(row, column) != state {
                counts.push(length);
                (state, length) = (!state, 0);
            }
            length += 1;
        }
    }
    counts.push(length);
    Runs {
        rows: rows as u32,
        columns: columns as u32,
        counts,
    }
}

/// The outlines that meet a region (first row, first column, rows, columns), seen from its upper left corner.
pub fn within(outlines: Vec<Outline>, region: [u32; 4]) -> Vec<Outline> {
    let [row, column, rows, columns] = region.map(f64::from);
    let meets = |shape: &Shape| {
        bounds(shape).is_none_or(|[row0, column0, row1, column1]| {
            row1 > 0.0 && column1 > 0.0 && row0 < rows && column0 < columns
        })
    };
    outlines
        .into_iter()
        .filter_map(|mut outline| {
            match &mut outline.shape {
                Shape::Rings(groups) => {
                    for point in groups.iter_mut().flatten().flatten() {
                        point[0] -= row;
                        point[1] -= column;
                    }
                }
                Shape::Ellipse {
                    row0,
                    column0,
                    row1,
                    column1,
                } => {
                    *row0 -= row;
                    *row1 -= row;
                    *column0 -= column;
                    *column1 -= column;
                }
                Shape::Runs(runs) => *runs = cut(runs, region)?,
            }
            meets(&outline.shape).then_some(outline)
        })
        .collect()
}

/// Runs of the part in a region; none where no pixel of theirs is in it.
fn cut(whole: &Runs, region: [u32; 4]) -> Option<Runs> {
    let [row0, column0, rows, columns] = region.map(|v| v as usize);
    let (height, width) = (whole.rows as usize, whole.columns as usize);
    let mut mask = vec![false; height * width];
    let mut at = 0;
    for (index, count) in whole.counts.iter().enumerate() {
        let end = (at + *count as usize).min(mask.len());
        mask[at..end].fill(index % 2 == 1);
        at = end;
    }
    let inside = |row: usize, column: usize| {
        let (row, column) = (row0 + row, column0 + column);
        row < height && column < width && mask[column * height + row]
    };
    let runs = runs(rows, columns, inside);
    (runs.counts.len() > 1).then_some(runs)
}
