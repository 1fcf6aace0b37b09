//! Round spots at random places that cover a share of the area.

use std::f64::consts::PI;

use transect_core::Stream;

/// A round spot: its centre and radius in pixels, and a number in [0, 1) of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) row: f64,
    pub(super) column: f64,
    pub(super) radius: f64,
    pub(super) own: f64,
}

/// Spots whose areas add up to `share` of the area (where they overlap or reach over the edge they cover less); radii are
/// even between the two shares of the shorter side, but for the last, which brings the sum.
pub(super) fn spots(
    rows: usize,
    columns: usize,
    share: f64,
    radii: (f64, f64),
    stream: &mut Stream,
) -> Vec<Spot> {
    let (height, width) = (rows as f64, columns as f64);
    let shorter = height.min(width);
    let mut left = share * height * width;
    let mut spots = Vec::new();
    while left > 0.0 {
        let radius = shorter * (radii.0 + (radii.1 - radii.0) * stream.uniform());
        let radius = radius.min((left / PI).sqrt());
        left -= PI * radius * radius;
        spots.push(Spot {
            row: height * stream.uniform() - 0.5,
            column: width * stream.uniform() - 0.5,
            radius,
            own: stream.uniform(),
        });
        // The rest is less than a hundredth of a pixel.
        if left < 0.01 {
            break;
        }
    }
    spots
}

/// Calls `paint` with the index of every pixel within `reach` radii of a spot and the square of its distance from the
/// centre in radii.
pub(super) fn within(
    spot: &Spot,
    reach: f64,
    rows: usize,
    columns: usize,
    mut paint: impl FnMut(usize, f64),
) {
    let far = reach * spot.radius;
    let span = |at: f64, n: usize| {
        let low = (at - far).ceil().max(0.0) as usize;
        let high = ((at + far).floor() + 1.0).clamp(0.0, n as f64) as usize;
        low.min(high)..high
    };
    let per_radius = 1.0 / (spot.radius * spot.radius);
    for r in span(spot.row, rows) {
        let down = (r as f64 - spot.row).powi(2);
        for c in span(spot.column, columns) {
            let square = (down + (c as f64 - spot.column).powi(2)) * per_radius;
            if square <= reach * reach {
                paint(r * columns + c, square);
            }
        }
    }
}
