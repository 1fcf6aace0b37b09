//! Horizontal bars.

use maud::{Markup, html};
use transect_core::figure::Row;

use super::rows::{LEFT, PITCH, RIGHT, chunked, described, heading, said, whisker};
use super::scale::Axis;
use super::{frame, line, nothing};
use crate::number::px;

/// Bars from zero, one below the other.
pub(super) fn bars(title: &str, key: &str, x: &str, rows: &[Row]) -> Markup {
    if rows.is_empty() {
        return nothing(key, title);
    }
    let numbers = rows
        .iter()
        .flat_map(|r| [r.value, r.low, r.high])
        .flatten()
        .chain([0.0]);
    let axis = Axis::linear(numbers, LEFT, RIGHT, 5);
    chunked(rows, key, |key, rows| plot(title, key, x, rows, &axis))
}

fn plot(title: &str, key: &str, x: &str, rows: &[Row], axis: &Axis) -> Markup {
    let top = 2.0;
    let bottom = top + PITCH * rows.len() as f64 + 4.0;
    let zero = axis.place(0.0);
    let content = html! {
        (axis.below(top, bottom, x, (LEFT, RIGHT)))
        (line(zero, top, zero, bottom, "axis"))
        @for (i, row) in rows.iter().enumerate() {
            @let y = top + PITCH * i as f64;
            g {
                title { (row.label) ": " (said(row)) @if !row.note.is_empty() { " (" (row.note) ")" } }
                (heading(row, y))
                @if let Some(value) = row.value.filter(|v| v.is_finite()) {
                    @let end = axis.place(value);
                    rect class="bar" x=(px(zero.min(end))) y=(px(y + 17.0)) width=(px((end - zero).abs().max(0.5))) height="12" {}
                }
                (whisker(row, axis, y + 23.0, "whisker on-bar"))
            }
        }
    };
    frame(key, title, &described(rows, &[]), bottom + 36.0, &content)
}
