//! Curves over a quantity, with bands for intervals.

use maud::{Markup, html};
use transect_core::figure::{Point, Series};

use super::scale::Axis;
use super::{Anchor, Names, WIDTH, fit, frame, line, nothing, text, width};
use crate::number::{self, px};

/// What a curve is drawn from.
pub(super) struct Plot<'a> {
    pub(super) x: &'a str,
    pub(super) y: &'a str,
    pub(super) log_x: bool,
    pub(super) series: &'a [Series],
    pub(super) x_marks: &'a [(f64, String)],
    pub(super) y_marks: &'a [(f64, String)],
}

/// Colours, dashes and markers that there are; more series begin again.
const STYLES: usize = 6;
/// Above this number of points a curve is drawn without markers.
const MARKED: usize = 12;
const LEFT: f64 = 44.0;
const RIGHT: f64 = WIDTH - 10.0;
const HEIGHT: f64 = 190.0;

pub(super) fn curve(title: &str, key: &str, plot: &Plot) -> Markup {
    let drawn = |p: &Point| !p.x.is_nan() && p.x != f64::NEG_INFINITY && p.y.is_finite();
    let points = || {
        plot.series
            .iter()
            .flat_map(|s| &s.points)
            .filter(|p| drawn(p))
    };
    if points().next().is_none() {
        return nothing(key, title);
    }
    let xs: Vec<f64> = points()
        .map(|p| p.x)
        .chain(plot.x_marks.iter().map(|m| m.0))
        .filter(|v| !v.is_nan())
        .collect();
    let axis = Axis::horizontal(&xs, plot.log_x, LEFT, RIGHT);
    let ys = points()
        .flat_map(|p| [Some(p.y), p.low, p.high])
        .flatten()
        .chain(plot.y_marks.iter().map(|m| m.0));

    let marks: Vec<(f64, String)> = plot
        .x_marks
        .iter()
        .map(|(v, name)| (axis.place(*v), name.clone()))
        .collect();
    let names = Names::place(&marks, LEFT - 30.0, WIDTH - 2.0);
    let legend = legend(plot.series);
    // The label of the vertical axis lies above it, where it can be read without turning the head.
    let head = legend.height + 20.0 + names.height();
    let (top, bottom) = (head, head + HEIGHT);
    let up = Axis::linear(ys, bottom, top, 4);

    let content = html! {
        (legend.content)
        (text(2.0, legend.height + 10.0, "axis-name", Anchor::Start, &fit(plot.y, WIDTH - 4.0)))
        @for (value, name) in up.ticks() {
            @let y = up.place(value);
            (line(LEFT, y, RIGHT, y, "grid"))
            (text(LEFT - 6.0, y + 4.0, "tick", Anchor::End, &name))
        }
        (axis.below(top, bottom, plot.x, (LEFT, RIGHT)))
        @for (value, name) in plot.y_marks.iter().filter(|m| m.0.is_finite()) {
            @let y = up.place(*value);
            (line(LEFT, y, RIGHT, y, "mark"))
            (text(LEFT + 4.0, y - 4.0, "mark-name halo", Anchor::Start, &fit(name, RIGHT - LEFT - 8.0)))
        }
        @for (i, series) in plot.series.iter().enumerate() {
            (band(series, i, &axis, &up))
        }
        (names.draw(legend.height + 20.0, bottom))
        @for (i, series) in plot.series.iter().enumerate() {
            (stroke(series, i, &axis, &up))
        }
    };
    html! {
        (frame(key, title, &described(plot), bottom + 36.0, &content))
        (numbers(plot))
    }
}

fn style(index: usize) -> String {
    format!("s{}", index % STYLES + 1)
}

/// Runs of points that can be joined: no gap, and all on the axis itself.
fn runs<'a>(series: &'a Series, axis: &Axis, keep: impl Fn(&Point) -> bool) -> Vec<Vec<&'a Point>> {
    let mut runs: Vec<Vec<&Point>> = vec![Vec::new()];
    for point in &series.points {
        let usable =
            point.y.is_finite() && !point.x.is_nan() && point.x != f64::NEG_INFINITY && keep(point);
        if usable && !axis.apart(point.x) {
            if let Some(run) = runs.last_mut() {
                run.push(point);
            }
        } else if !usable {
            runs.push(Vec::new());
        }
    }
    runs.retain(|r| !r.is_empty());
    runs
}

fn path<'a>(points: impl IntoIterator<Item = (f64, f64)> + 'a, start: char) -> String {
    let mut d = String::new();
    for (i, (x, y)) in points.into_iter().enumerate() {
        d.push(if i == 0 { start } else { 'L' });
        d.push_str(&px(x));
        d.push(' ');
        d.push_str(&px(y));
    }
    d
}

fn band(series: &Series, index: usize, axis: &Axis, up: &Axis) -> Markup {
    let bounded = runs(series, axis, |p| p.low.is_some() && p.high.is_some());
    html! {
        @for run in bounded.iter().filter(|r| r.len() > 1) {
            @let over = run.iter().map(|p| (axis.place(p.x), up.place(p.high.unwrap_or(p.y))));
            @let under = run.iter().rev().map(|p| (axis.place(p.x), up.place(p.low.unwrap_or(p.y))));
            path class={ "band " (style(index)) } d={ (path(over, 'M')) (path(under, 'L')) "Z" } {}
        }
    }
}

fn stroke(series: &Series, index: usize, axis: &Axis, up: &Axis) -> Markup {
    let style = style(index);
    let at = |p: &Point| (axis.place(p.x), up.place(p.y));
    let kept: Vec<&Point> = series
        .points
        .iter()
        .filter(|p| p.y.is_finite() && !p.x.is_nan() && p.x != f64::NEG_INFINITY)
        .collect();
    html! {
        g {
            @for run in runs(series, axis, |_| true) {
                @if run.len() > 1 { path class={ "curve " (style) } d=(path(run.iter().map(|p| at(p)), 'M')) {} }
            }
            // A point in a slot is tied to its neighbour with a thin line over the break.
            @for pair in kept.windows(2).filter(|w| axis.apart(w[0].x) != axis.apart(w[1].x)) {
                @let ((x1, y1), (x2, y2)) = (at(pair[0]), at(pair[1]));
                (line(x1, y1, x2, y2, &format!("tie {style}")))
            }
            @if kept.len() <= MARKED {
                @for point in &kept {
                    @let (x, y) = at(point);
                    g {
                        title { (series.label) ": " (number::number(point.x)) ", " (said(point)) }
                        @if let (Some(low), Some(high), true) = (point.low, point.high, axis.apart(point.x) || kept.len() == 1) {
                            (line(x, up.place(low), x, up.place(high), &format!("whisker {style}")))
                        }
                        (marker(x, y, index))
                    }
                }
            }
        }
    }
}

fn said(point: &Point) -> String {
    let interval = match (point.low, point.high) {
        (None, None) => None,
        (low, high) => Some([
            low.unwrap_or(f64::NEG_INFINITY),
            high.unwrap_or(f64::INFINITY),
        ]),
    };
    number::with_interval(Some(point.y), interval, "")
}

/// A marker of its own for each series.
fn marker(x: f64, y: f64, index: usize) -> Markup {
    let class = format!("point {}", style(index));
    let corners = |places: &[(f64, f64)]| {
        format!(
            "{}Z",
            path(places.iter().map(|(dx, dy)| (x + dx, y + dy)), 'M')
        )
    };
    match index % STYLES {
        0 => html! { circle class=(class) cx=(px(x)) cy=(px(y)) r="3.5" {} },
        1 => {
            html! { rect class=(class) x=(px(x - 3.2)) y=(px(y - 3.2)) width="6.4" height="6.4" {} }
        }
        2 => html! { path class=(class) d=(corners(&[(0.0, -4.5), (4.2, 3.2), (-4.2, 3.2)])) {} },
        3 => {
            html! { path class=(class) d=(corners(&[(0.0, -4.8), (4.8, 0.0), (0.0, 4.8), (-4.8, 0.0)])) {} }
        }
        4 => html! { path class=(class) d=(corners(&[(0.0, 4.5), (4.2, -3.2), (-4.2, -3.2)])) {} },
        _ => html! { circle class={ (class) " open" } cx=(px(x)) cy=(px(y)) r="3.5" {} },
    }
}

struct Legend {
    height: f64,
    content: Markup,
}

/// Names of the series in as many lines as they need; none for a single one.
fn legend(series: &[Series]) -> Legend {
    if series.len() < 2 {
        return Legend {
            height: 0.0,
            content: html! {},
        };
    }
    let mut places = Vec::new();
    let (mut x, mut y) = (2.0, 0.0);
    for (i, s) in series.iter().enumerate() {
        let name = fit(&s.label, WIDTH - 40.0);
        let wide = 32.0 + width(&name) + 12.0;
        if x > 2.0 && x + wide > WIDTH {
            x = 2.0;
            y += 16.0;
        }
        places.push((x, y + 9.0, i, name));
        x += wide;
    }
    let content = html! {
        @for (x, y, i, name) in &places {
            (line(*x, *y, x + 24.0, *y, &format!("curve {}", style(*i))))
            (marker(x + 12.0, *y, *i))
            (text(x + 30.0, y + 4.0, "legend", Anchor::Start, name))
        }
    };
    Legend {
        height: y + 22.0,
        content,
    }
}

fn described(plot: &Plot) -> String {
    let mut parts = vec![format!("{} over {}", plot.y, plot.x)];
    for series in plot.series.iter().take(6) {
        let (first, last) = (series.points.first(), series.points.last());
        if let (Some(first), Some(last)) = (first, last) {
            parts.push(format!(
                "{}: from {} at {} to {} at {}",
                series.label,
                said(first),
                number::number(first.x),
                said(last),
                number::number(last.x)
            ));
        }
    }
    let marks = plot.x_marks.iter().chain(plot.y_marks);
    parts.extend(marks.map(|(v, name)| format!("line at {}: {name}", number::number(*v))));
    parts.join("; ")
}

/// The points as a table, folded away.
fn numbers(plot: &Plot) -> Markup {
    html! {
        details {
            summary { "Numbers" }
            div.scroll tabindex="0" role="region" aria-label="Numbers of the figure" {
                table {
                    thead { tr {
                        @if plot.series.len() > 1 { th { "series" } }
                        th.num { (plot.x) } th.num { (plot.y) } th.num { "interval" }
                    } }
                    tbody {
                        @for series in plot.series {
                            @for point in &series.points {
                                tr {
                                    @if plot.series.len() > 1 { td { (series.label) } }
                                    td.num { (number::number(point.x)) }
                                    td.num { (number::number(point.y)) }
                                    td.num {
                                        @match (point.low, point.high) {
                                            (None, None) => { "–" }
                                            (low, high) => {
                                                (number::bound(low.unwrap_or(f64::NAN), true)) " to "
                                                (number::bound(high.unwrap_or(f64::NAN), false))
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
