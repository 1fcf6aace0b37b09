//! Forest plots: values with intervals, one below the other.

use maud::{Markup, html};
use transect_core::figure::Row;

use super::scale::Axis;
use super::{Anchor, FOLDED, Names, SHOWN, WIDTH, bold, fit, frame, line, nothing, text, width};
use crate::number::{self, px};

/// Height of one line of the plot: the name and the numbers above, the interval below.
pub(super) const PITCH: f64 = 34.0;
/// Left and right end of the plot.
pub(super) const LEFT: f64 = 8.0;
pub(super) const RIGHT: f64 = WIDTH - 8.0;

/// The numbers of one line in words.
pub(super) fn said(row: &Row) -> String {
    let interval = match (row.low, row.high) {
        (None, None) => None,
        (low, high) => Some([
            low.unwrap_or(f64::NEG_INFINITY),
            high.unwrap_or(f64::INFINITY),
        ]),
    };
    let mut words = if row.value.is_none() && interval.is_none() {
        String::new()
    } else {
        number::with_interval(row.value, interval, "")
    };
    if row.n > 0 {
        words = format!(
            "{words}{}n = {}",
            if words.is_empty() { "" } else { ", " },
            number::count(row.n)
        );
    }
    words
}

/// A description of all lines, for those who do not see the plot.
pub(super) fn described(rows: &[Row], marks: &[(f64, String)]) -> String {
    let mut parts: Vec<String> = rows
        .iter()
        .take(12)
        .map(|r| {
            let note = if r.note.is_empty() {
                String::new()
            } else {
                format!(" ({})", r.note)
            };
            format!("{}: {}{note}", r.label, said(r))
        })
        .collect();
    if rows.len() > 12 {
        parts.push(format!("and {} more", rows.len() - 12));
    }
    parts.extend(
        marks
            .iter()
            .map(|(x, name)| format!("line at {}: {name}", number::number(*x))),
    );
    parts.join("; ")
}

/// Name, numbers and note of one line of the plot, whose top is at `y`.
pub(super) fn heading(row: &Row, y: f64) -> Markup {
    let numbers = said(row);
    let note = if row.note.is_empty() {
        String::new()
    } else {
        format!("· {}", row.note)
    };
    let room = RIGHT - LEFT - width(&numbers) - 14.0;
    let label = fit(&row.label, room / 1.12);
    let left = room - bold(&label) - 8.0;
    html! {
        (text(LEFT, y + 12.0, "row-name halo", Anchor::Start, &label))
        @if !note.is_empty() && left > 40.0 {
            (text(LEFT + bold(&label) + 6.0, y + 12.0, "quiet halo", Anchor::Start, &fit(&note, left)))
        }
        (text(RIGHT, y + 12.0, "row-value halo", Anchor::End, &numbers))
    }
}

/// An interval with its caps; arrows where it is open.
pub(super) fn whisker(row: &Row, axis: &Axis, y: f64, class: &str) -> Markup {
    let (low, high) = (row.low, row.high);
    if low.is_none() && high.is_none() {
        return html! {};
    }
    let open_low = low.is_none_or(|v| !v.is_finite() || v < axis.low());
    let open_high = high.is_none_or(|v| !v.is_finite() || v > axis.high());
    let x1 = low.filter(|_| !open_low).map_or(LEFT, |v| axis.place(v));
    let x2 = high.filter(|_| !open_high).map_or(RIGHT, |v| axis.place(v));
    html! {
        (line(x1, y, x2, y, class))
        @if open_low { path class=(class) d={ "M" (px(x1 + 5.0)) " " (px(y - 4.0)) "L" (px(x1)) " " (px(y)) "L" (px(x1 + 5.0)) " " (px(y + 4.0)) } {} }
        @else { (line(x1, y - 4.0, x1, y + 4.0, class)) }
        @if open_high { path class=(class) d={ "M" (px(x2 - 5.0)) " " (px(y - 4.0)) "L" (px(x2)) " " (px(y)) "L" (px(x2 - 5.0)) " " (px(y + 4.0)) } {} }
        @else { (line(x2, y - 4.0, x2, y + 4.0, class)) }
    }
}

pub(super) fn forest(
    title: &str,
    key: &str,
    x: &str,
    rows: &[Row],
    marks: &[(f64, String)],
) -> Markup {
    if rows.is_empty() {
        return nothing(key, title);
    }
    let numbers = rows
        .iter()
        .flat_map(|r| [r.value, r.low, r.high])
        .flatten()
        .chain(marks.iter().map(|m| m.0));
    let axis = Axis::linear(numbers, LEFT + 10.0, RIGHT - 10.0, 5);
    chunked(rows, key, |key, rows| {
        plot(title, key, x, rows, marks, &axis)
    })
}

/// The first lines in one drawing, the rest in drawings that are folded away.
pub(super) fn chunked(rows: &[Row], key: &str, draw: impl Fn(&str, &[Row]) -> Markup) -> Markup {
    // A few lines more are better seen than folded away.
    let shown = if rows.len() <= SHOWN + 4 {
        rows.len()
    } else {
        SHOWN
    };
    html! {
        (draw(key, &rows[..shown]))
        @if shown < rows.len() {
            details {
                summary { "The other " (number::count((rows.len() - shown) as u64)) " lines" }
                @for (i, rows) in rows[shown..].chunks(FOLDED).enumerate() {
                    (draw(&format!("{key}-{}", i + 1), rows))
                }
            }
        }
    }
}

fn plot(
    title: &str,
    key: &str,
    x: &str,
    rows: &[Row],
    marks: &[(f64, String)],
    axis: &Axis,
) -> Markup {
    let marks: Vec<(f64, String)> = marks
        .iter()
        .map(|(v, name)| (axis.place(*v), name.clone()))
        .collect();
    let names = Names::place(&marks, 2.0, WIDTH - 2.0);
    let top = names.height() + 2.0;
    let bottom = top + PITCH * rows.len() as f64 + 4.0;
    let content = html! {
        (axis.below(top, bottom, x, (LEFT, RIGHT)))
        (names.draw(0.0, bottom))
        @for (i, row) in rows.iter().enumerate() {
            @let y = top + PITCH * i as f64;
            @let middle = y + 23.0;
            g {
                title { (row.label) ": " (said(row)) @if !row.note.is_empty() { " (" (row.note) ")" } }
                (heading(row, y))
                (whisker(row, axis, middle, "whisker s1"))
                @if let Some(value) = row.value.filter(|v| v.is_finite()) {
                    rect class="point s1" x=(px(axis.place(value) - 4.5)) y=(px(middle - 4.5)) width="9" height="9" {}
                }
            }
        }
    };
    frame(key, title, &described(rows, &[]), bottom + 36.0, &content)
}
