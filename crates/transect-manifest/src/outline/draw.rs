//! Outlines to a label image.

use transect_core::codes::manifest as codes;
use transect_core::{Error, LabelImage};

use super::{Outline, Ring, Runs, Shape, broken, check_ring};

/// A label image and what was seen on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// 0 is outside of all; the outline at index `i` has the number `i + 1`.
    pub labels: LabelImage,
    /// Pixels of each outline, also those that went to another.
    pub areas: Vec<u64>,
    /// Pixels that belong to more than one outline.
    pub overlap: u64,
    /// Indices of outlines that are too small or too thin to hold the centre of a pixel.
    pub without_pixels: Vec<usize>,
    /// Indices of outlines that lost all of their pixels to smaller ones.
    pub hidden: Vec<usize>,
}

/// Most crossings of an outline with rows of pixels, and of all outlines of an image.
const MOST_CROSSINGS: usize = 1 << 24;
const MOST_CROSSINGS_IN_ALL: usize = 1 << 28;

/// Rows `row0..row1` of columns `column0..column1`.
struct Span {
    row0: usize,
    row1: usize,
    column0: usize,
    column1: usize,
}

/// Draws outlines into a label image of this size: see the [pixel rule](super). What leaves the image is cut off.
///
/// A pixel of several outlines goes to the smallest of them (by its pixels within the image; to the first of equal ones), so
/// that a small object on a large one is seen. With no outline the image is all 0.
///
/// # Errors
/// `T025` where an outline that has an extent lies wholly outside of the image, named; `T024` for a broken outline or runs
/// of another size than the image; `T023` where outlines have too many corners for so large an image; `T102` for an image
/// without pixels.
pub fn draw(outlines: &[Outline], rows: usize, columns: usize) -> Result<Drawn, Error> {
    let size = rows.checked_mul(columns).unwrap_or(0);
    let mut labels = LabelImage::new(rows, columns, vec![0; size])?;
    let mut budget = MOST_CROSSINGS_IN_ALL;
    let mut drawn = Vec::with_capacity(outlines.len());
    for outline in outlines {
        let spans = spans(&outline.shape, rows, columns, &mut budget).map_err(|e| {
            let message = format!("{}: {}", outline.name, e.message);
            Error { message, ..e }
        })?;
        drawn.push(spans);
    }
    let areas: Vec<u64> = drawn
        .iter()
        .map(|spans| {
            let area = |s: &Span| (s.row1 - s.row0) as u64 * (s.column1 - s.column0) as u64;
            spans.iter().map(area).sum()
        })
        .collect();
    let outside: Vec<&Outline> = outlines
        .iter()
        .zip(&areas)
        .filter(|(o, area)| **area == 0 && lies_outside(&o.shape, rows as f64, columns as f64))
        .map(|(o, _)| o)
        .collect();
    if !outside.is_empty() {
        let mut error = Error::new(
            &codes::OUTLINE_OUTSIDE,
            format!(
                "{} outside of the image, which has {rows} rows and {columns} columns",
                if outside.len() == 1 {
                    "1 outline lies".to_owned()
                } else {
                    format!("{} outlines lie", outside.len())
                }
            ),
        );
        for outline in outside.iter().take(20) {
            error = error.note(format!("{}: {}", outline.name, extent(&outline.shape)));
        }
        if outside.len() > 20 {
            error = error.note(format!("and {} more", outside.len() - 20));
        }
        return Err(error.help(
            "do the outlines belong to this image, in pixels of its full size, x before y?",
        ));
    }
    let mut order: Vec<usize> = (0..outlines.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(areas[i]), std::cmp::Reverse(i)));
    let mut left = areas.clone();
    let mut covered = vec![false; size];
    for index in order {
        for span in &drawn[index] {
            for row in span.row0..span.row1 {
                let line = row * columns;
                let here = line + span.column0..line + span.column1;
                let pixels = labels.labels_mut()[here.clone()]
                    .iter_mut()
                    .zip(&mut covered[here]);
                for (label, covered) in pixels {
                    if *label != 0 {
                        left[*label as usize - 1] -= 1;
                        *covered = true;
                    }
                    *label = index as u32 + 1;
                }
            }
        }
    }
    let which = |holds: &dyn Fn(usize) -> bool| (0..outlines.len()).filter(|&i| holds(i)).collect();
    Ok(Drawn {
        without_pixels: which(&|i| areas[i] == 0),
        hidden: which(&|i| areas[i] > 0 && left[i] == 0),
        overlap: covered.iter().filter(|c| **c).count() as u64,
        labels,
        areas,
    })
}

/// The first pixel whose centre is not before a place on its axis, within `0..=size`.
fn first(at: f64, size: usize) -> usize {
    (at - 0.5).ceil().clamp(0.0, size as f64) as usize
}

fn spans(
    shape: &Shape,
    rows: usize,
    columns: usize,
    budget: &mut usize,
) -> Result<Vec<Span>, Error> {
    match shape {
        Shape::Rings(groups) => of_rings(groups, rows, columns, budget),
        Shape::Runs(runs) => of_runs(runs, rows, columns),
        &Shape::Ellipse {
            row0,
            column0,
            row1,
            column1,
        } => {
            if [row0, column0, row1, column1]
                .iter()
                .any(|v| !v.is_finite())
            {
                return Err(broken("a coordinate is not a finite number"));
            }
            let (middle, half) = (f64::midpoint(row0, row1), (row1 - row0) / 2.0);
            let (centre, wide) = (f64::midpoint(column0, column1), (column1 - column0) / 2.0);
            let mut spans = Vec::new();
            for row in first(row0, rows)..first(row1, rows) {
                let up = (row as f64 + 0.5 - middle) / half;
                let reach = wide * (1.0 - up * up).max(0.0).sqrt();
                push_row(
                    &mut spans,
                    row,
                    first(centre - reach, columns),
                    first(centre + reach, columns),
                );
            }
            Ok(spans)
        }
    }
}

fn push_row(spans: &mut Vec<Span>, row: usize, column0: usize, column1: usize) {
    if column0 < column1 {
        spans.push(Span {
            row0: row,
            row1: row + 1,
            column0,
            column1,
        });
    }
}

fn of_rings(
    groups: &[Vec<Ring>],
    rows: usize,
    columns: usize,
    budget: &mut usize,
) -> Result<Vec<Span>, Error> {
    let (mut top, mut bottom) = (rows, 0);
    for point in groups.iter().flatten().flatten() {
        top = top.min(first(point[0], rows));
        bottom = bottom.max(first(point[0], rows));
    }
    if bottom <= top {
        for ring in groups.iter().flatten() {
            check_ring(ring)?;
        }
        return Ok(Vec::new());
    }
    // For each row of pixels, where each group of rings crosses the line through their centres.
    let mut crossings: Vec<Vec<(u32, f64)>> = vec![Vec::new(); bottom - top];
    let mut count = 0_usize;
    for (group, rings) in groups.iter().enumerate() {
        for ring in rings {
            check_ring(ring)?;
            for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
                let (a, b) = if a[0] <= b[0] { (a, b) } else { (b, a) };
                let (from, to) = (first(a[0], rows), first(b[0], rows));
                count += to - from;
                if count > MOST_CROSSINGS || count > *budget {
                    return Err(Error::new(
                        &codes::ANNOTATION_LIMITS,
                        "the outline has too many corners for an image of this height",
                    )
                    .help("draw it with fewer corners, or as a label image"));
                }
                for row in from..to {
                    let share = (row as f64 + 0.5 - a[0]) / (b[0] - a[0]);
                    crossings[row - top].push((group as u32, a[1] + share * (b[1] - a[1])));
                }
            }
        }
    }
    *budget -= count;
    let mut spans = Vec::new();
    let mut pieces: Vec<(usize, usize)> = Vec::new();
    for (row, crossed) in crossings.iter_mut().enumerate() {
        crossed.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        pieces.clear();
        // Each group crosses a row an even number of times.
        pieces.extend(
            crossed
                .chunks_exact(2)
                .map(|pair| (first(pair[0].1, columns), first(pair[1].1, columns))),
        );
        pieces.sort_unstable();
        let mut open: Option<(usize, usize)> = None;
        for &(from, to) in &pieces {
            open = Some(match open {
                Some((start, end)) if from <= end => (start, end.max(to)),
                Some((start, end)) => {
                    push_row(&mut spans, top + row, start, end);
                    (from, to)
                }
                None => (from, to),
            });
        }
        if let Some((start, end)) = open {
            push_row(&mut spans, top + row, start, end);
        }
    }
    Ok(spans)
}

fn of_runs(runs: &Runs, rows: usize, columns: usize) -> Result<Vec<Span>, Error> {
    if (runs.rows as usize, runs.columns as usize) != (rows, columns) {
        return Err(broken(format!(
            "the runs are of {} rows and {} columns, the image has {rows} and {columns}",
            runs.rows, runs.columns
        )));
    }
    let mut spans = Vec::new();
    let mut at = 0_usize;
    for (index, &count) in runs.counts.iter().enumerate() {
        let end = (at + count as usize).min(rows * columns);
        while index % 2 == 1 && at < end {
            let (column, row) = (at / rows, at % rows);
            let stop = end.min((column + 1) * rows);
            spans.push(Span {
                row0: row,
                row1: row + stop - at,
                column0: column,
                column1: column + 1,
            });
            at = stop;
        }
        at = end;
    }
    Ok(spans)
}

/// Upper, left, lower, right bound.
pub(super) fn bounds(shape: &Shape) -> Option<[f64; 4]> {
    match shape {
        Shape::Rings(groups) => {
            let mut points = groups.iter().flatten().flatten();
            let first = points.next()?;
            Some(
                points.fold([first[0], first[1], first[0], first[1]], |b, p| {
                    [
                        b[0].min(p[0]),
                        b[1].min(p[1]),
                        b[2].max(p[0]),
                        b[3].max(p[1]),
                    ]
                }),
            )
        }
        &Shape::Ellipse {
            row0,
            column0,
            row1,
            column1,
        } => Some([row0, column0, row1, column1]),
        Shape::Runs(_) => None,
    }
}

fn lies_outside(shape: &Shape, rows: f64, columns: f64) -> bool {
    bounds(shape).is_some_and(|[row0, column0, row1, column1]| {
        row1 <= 0.0 || column1 <= 0.0 || row0 >= rows || column0 >= columns
    })
}

/// Where an outline lies, in words.
fn extent(shape: &Shape) -> String {
    bounds(shape).map_or_else(String::new, |[row0, column0, row1, column1]| {
        format!("rows {row0:.1} to {row1:.1}, columns {column0:.1} to {column1:.1}")
    })
}
