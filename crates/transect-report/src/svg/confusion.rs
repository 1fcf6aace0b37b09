//! Tables of counts, truth in rows and prediction in columns.

use maud::{Markup, html};
use transect_core::figure::Row;

use super::bars::bars;
use super::{Anchor, WIDTH, fit, frame, nothing, text, width};
use crate::number::{self, px};

/// Classes that a matrix is drawn for; above it the largest confusions are listed.
const DRAWN: usize = 30;
/// Classes that numbers are written for.
const NUMBERED: usize = 12;

pub(super) fn confusion(title: &str, key: &str, classes: &[String], counts: &[Vec<u64>]) -> Markup {
    let size = classes.len();
    if size == 0 || counts.is_empty() {
        return nothing(key, title);
    }
    let count = |t: usize, p: usize| {
        counts
            .get(t)
            .and_then(|row| row.get(p))
            .copied()
            .unwrap_or(0)
    };
    let mut errors: Vec<(u64, usize, usize)> = (0..size)
        .flat_map(|t| (0..size).map(move |p| (t, p)))
        .filter(|(t, p)| t != p)
        .map(|(t, p)| (count(t, p), t, p))
        .filter(|e| e.0 > 0)
        .collect();
    errors.sort_by_key(|&(n, t, p)| (std::cmp::Reverse(n), t, p));
    if size > DRAWN {
        let rows: Vec<Row> = errors
            .iter()
            .take(20)
            .map(|&(n, t, p)| Row {
                label: format!("{} taken for {}", classes[t], classes[p]),
                value: Some(n as f64),
                low: None,
                high: None,
                n: 0,
                note: String::new(),
            })
            .collect();
        return html! {
            p.quiet { "With " (size) " classes, the most frequent of " (errors.len()) " sorts of error:" }
            (bars(title, key, "images", &rows))
        };
    }

    let longest = classes
        .iter()
        .map(|c| width(c))
        .fold(30.0, f64::max)
        .min(104.0);
    let left = 20.0 + longest + 6.0;
    let cell = ((WIDTH - left - 4.0) / size as f64).min(52.0);
    // Names of columns lie flat where they fit and stand up where they do not.
    let flat = classes.iter().all(|c| width(c) <= cell - 4.0);
    let top = if flat { 36.0 } else { 22.0 + longest };
    let side = cell * size as f64;
    let row_height = cell.min(40.0);
    let content = html! {
        (text(left + side / 2.0, 11.0, "axis-name", Anchor::Middle, "prediction"))
        text class="axis-name" text-anchor="middle" transform={ "translate(11 " (px(top + row_height * size as f64 / 2.0)) ") rotate(-90)" } { "truth" }
        @for (i, class) in classes.iter().enumerate() {
            @let middle = left + cell * (i as f64 + 0.5);
            @if flat {
                (text(middle, top - 8.0, "tick", Anchor::Middle, class))
            } @else {
                text class="tick" transform={ "translate(" (px(middle + 4.0)) " " (px(top - 6.0)) ") rotate(-90)" } { (fit(class, longest)) }
            }
            (text(left - 6.0, top + row_height * (i as f64 + 0.5) + 4.0, "tick", Anchor::End, &fit(class, longest)))
        }
        @for (t, truth) in classes.iter().enumerate() {
            @let total: u64 = (0..size).map(|p| count(t, p)).sum();
            @for (p, prediction) in classes.iter().enumerate() {
                @let n = count(t, p);
                @let share = if total == 0 { 0.0 } else { n as f64 / total as f64 };
                g {
                    title { "truth " (truth) ", prediction " (prediction) ": " (n) " of " (total) }
                    rect class=(if t == p { "cell right" } else { "cell wrong" })
                        x=(px(left + cell * p as f64 + 1.0)) y=(px(top + row_height * t as f64 + 1.0))
                        width=(px(cell - 2.0)) height=(px(row_height - 2.0)) fill-opacity=(opacity(share)) {}
                    @if size <= NUMBERED {
                        (text(left + cell * (p as f64 + 0.5), top + row_height * (t as f64 + 0.5) + 4.0,
                            if n == 0 { "cell-zero" } else { "cell-count" }, Anchor::Middle, &number::count(n)))
                    }
                }
            }
        }
    };
    let mut parts: Vec<String> = (0..size)
        .map(|t| {
            let total: u64 = (0..size).map(|p| count(t, p)).sum();
            format!("{}: {} of {} right", classes[t], count(t, t), total)
        })
        .collect();
    parts.extend(
        errors
            .iter()
            .take(5)
            .map(|&(n, t, p)| format!("{n} of {} taken for {}", classes[t], classes[p])),
    );
    frame(
        key,
        title,
        &parts.join("; "),
        top + row_height * size as f64 + 6.0,
        &content,
    )
}

/// Shade of a cell: the share of its row, in twentieths, never so dark that the number is lost.
fn opacity(share: f64) -> String {
    let step = (share * 20.0).ceil().clamp(0.0, 20.0);
    format!(
        "{:.3}",
        if step == 0.0 {
            0.0
        } else {
            0.06 + 0.025 * step
        }
    )
}
