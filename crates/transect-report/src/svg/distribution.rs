//! Distributions, one below the other: a silhouette, and below it the middle half and the middle 90 percent.
//!
//! The silhouette is drawn from the quantiles alone: between two neighbouring quantiles the same share of the images is
//! laid evenly. Nothing is smoothed beyond the width of a column of the drawing.

use maud::{Markup, html};

use super::scale::Axis;
use super::{Anchor, WIDTH, fit, frame, line, nothing, text};
use crate::number::{self, px};

const LEFT: f64 = 8.0;
const RIGHT: f64 = WIDTH - 8.0;
/// Columns of a silhouette.
const COLUMNS: usize = 60;
/// Height of a silhouette, and of everything of one distribution.
const SILHOUETTE: f64 = 44.0;
const PITCH: f64 = 84.0;

/// Share of the images below `x`, evenly between the quantiles. `quantiles` ascend and there are at least two.
fn below(quantiles: &[f64], x: f64) -> f64 {
    let steps = (quantiles.len() - 1) as f64;
    let i = quantiles.partition_point(|q| *q <= x);
    if i == 0 {
        return 0.0;
    }
    if i == quantiles.len() {
        return 1.0;
    }
    let (a, b) = (quantiles[i - 1], quantiles[i]);
    ((i - 1) as f64 + (x - a) / (b - a)) / steps
}

/// The quantile at a share of 0 to 1.
fn at(quantiles: &[f64], share: f64) -> f64 {
    quantiles[((quantiles.len() - 1) as f64 * share).round() as usize]
}

pub(super) fn distribution(
    title: &str,
    key: &str,
    x: &str,
    series: &[(String, Vec<f64>)],
) -> Markup {
    let clean: Vec<(&str, Vec<f64>)> = series
        .iter()
        .map(|(name, quantiles)| {
            let mut finite: Vec<f64> = quantiles
                .iter()
                .copied()
                .filter(|q| q.is_finite())
                .collect();
            finite.sort_by(f64::total_cmp);
            (name.as_str(), finite)
        })
        .filter(|(_, quantiles)| quantiles.len() > 1)
        .collect();
    if clean.is_empty() {
        return nothing(key, title);
    }
    let axis = Axis::linear(
        clean.iter().flat_map(|(_, q)| q.iter().copied()),
        LEFT,
        RIGHT,
        5,
    );
    let bottom = PITCH * clean.len() as f64 + 2.0;
    // Both silhouettes share one scale, so that equal areas are equal shares.
    let step = (axis.high() - axis.low()) / COLUMNS as f64;
    let heights: Vec<Vec<f64>> = clean
        .iter()
        .map(|(_, q)| {
            (0..COLUMNS)
                .map(|i| {
                    let from = axis.low() + step * i as f64;
                    let start = if i == 0 { 0.0 } else { below(q, from) };
                    let end = if i + 1 == COLUMNS {
                        1.0
                    } else {
                        below(q, from + step)
                    };
                    (end - start).max(0.0)
                })
                .collect()
        })
        .collect();
    let tallest = heights.iter().flatten().copied().fold(1e-9, f64::max);
    let content = html! {
        (axis.below(0.0, bottom, x, (LEFT, RIGHT)))
        @for (i, ((name, quantiles), heights)) in clean.iter().zip(&heights).enumerate() {
            @let y = PITCH * i as f64;
            @let floor = y + 14.0 + SILHOUETTE;
            @let style = format!("s{}", i % 6 + 1);
            g {
                title { (name) ": " (said(quantiles)) }
                (text(LEFT, y + 12.0, "row-name halo", Anchor::Start, &fit(name, 200.0)))
                (text(RIGHT, y + 12.0, "row-value halo", Anchor::End, &format!("median {}", number::number(at(quantiles, 0.5)))))
                path class={ "silhouette " (style) } d=(outline(heights, tallest, floor)) {}
                (line(axis.place(at(quantiles, 0.05)), floor + 9.0, axis.place(at(quantiles, 0.95)), floor + 9.0, &format!("whisker {style}")))
                (line(axis.place(at(quantiles, 0.25)), floor + 9.0, axis.place(at(quantiles, 0.75)), floor + 9.0, &format!("half {style}")))
                circle class={ "median " (style) } cx=(px(axis.place(at(quantiles, 0.5)))) cy=(px(floor + 9.0)) r="4" {}
            }
        }
    };
    let description = clean
        .iter()
        .map(|(name, q)| format!("{name}: {}", said(q)))
        .collect::<Vec<_>>()
        .join("; ");
    html! {
        (frame(key, title, &description, bottom + 36.0, &content))
        (numbers(&clean))
    }
}

fn outline(heights: &[f64], tallest: f64, floor: f64) -> String {
    let column = (RIGHT - LEFT) / heights.len() as f64;
    let mut d = format!("M{} {}", px(LEFT), px(floor));
    let mut last = floor;
    for (i, share) in heights.iter().enumerate() {
        let y = floor - share / tallest * SILHOUETTE;
        if px(y) != px(last) {
            d = d + "H" + &px(LEFT + column * i as f64) + "V" + &px(y);
            last = y;
        }
    }
    d + "H" + &px(RIGHT) + "V" + &px(floor) + "Z"
}

fn said(quantiles: &[f64]) -> String {
    format!(
        "median {}, middle half {} to {}, middle 90% {} to {}",
        number::number(at(quantiles, 0.5)),
        number::number(at(quantiles, 0.25)),
        number::number(at(quantiles, 0.75)),
        number::number(at(quantiles, 0.05)),
        number::number(at(quantiles, 0.95)),
    )
}

fn numbers(series: &[(&str, Vec<f64>)]) -> Markup {
    let shares = [
        (0.0, "least"),
        (0.05, "5%"),
        (0.25, "25%"),
        (0.5, "50%"),
        (0.75, "75%"),
        (0.95, "95%"),
        (1.0, "most"),
    ];
    html! {
        details {
            summary { "Numbers" }
            div.scroll tabindex="0" role="region" aria-label="Numbers of the figure" {
                table {
                    thead { tr { th { "images" } @for (_, name) in shares { th.num { (name) } } } }
                    tbody {
                        @for (name, quantiles) in series {
                            tr { td { (name) } @for (share, _) in shares { td.num { (number::number(at(quantiles, share))) } } }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_lie_evenly_between_quantiles() {
        let quantiles: Vec<f64> = (0..=100).map(f64::from).collect();
        assert!((below(&quantiles, 25.5) - 0.255).abs() < 1e-12);
        assert_eq!(below(&quantiles, -1.0), 0.0);
        assert_eq!(below(&quantiles, 100.0), 1.0);
        let tied = [vec![1.0; 51], vec![2.0; 50]].concat();
        assert_eq!(below(&tied, 0.99), 0.0);
        assert!((below(&tied, 1.5) - 0.505).abs() < 1e-12);
        assert_eq!(below(&tied, 2.0), 1.0);
    }
}
