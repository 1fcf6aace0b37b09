//! Drawings: figures as SVG inside the page.
//!
//! Every drawing is 380 units wide and as high as it needs to be, scales with its column, has the role of an image with a
//! title and a description in words, takes its colours from the page's variables, and never tells anything by colour
//! alone: series differ in dash and marker too. Coordinates are written with one decimal, so the same figure gives the
//! same bytes.

mod bars;
mod confusion;
mod curve;
mod distribution;
mod mini;
mod rows;
mod scale;

use maud::{Markup, html};
use transect_core::Figure;
use transect_core::figure::Drawing;

use crate::number::px;

pub(crate) use mini::{Ruler, mini, mini_among};

/// Width of every drawing, in units of its own.
pub(crate) const WIDTH: f64 = 380.0;

/// Most lines of a forest or of bars that are shown at once; the rest are folded away.
pub(crate) const SHOWN: usize = 40;

/// Lines in each folded drawing.
const FOLDED: usize = 100;

/// A figure's drawing. `key` is unique within the page and safe in an identifier.
pub(crate) fn drawing(figure: &Figure, key: &str) -> Markup {
    match &figure.drawing {
        Drawing::Forest { x, rows, marks } => rows::forest(&figure.title, key, x, rows, marks),
        Drawing::Bars { x, rows } => bars::bars(&figure.title, key, x, rows),
        Drawing::Curve {
            x,
            y,
            log_x,
            series,
            x_marks,
            y_marks,
        } => {
            let plot = curve::Plot {
                x,
                y,
                log_x: *log_x,
                series,
                x_marks,
                y_marks,
            };
            curve::curve(&figure.title, key, &plot)
        }
        Drawing::Distribution { x, series } => {
            distribution::distribution(&figure.title, key, x, series)
        }
        Drawing::Confusion { classes, counts } => {
            confusion::confusion(&figure.title, key, classes, counts)
        }
    }
}

/// The element around a drawing: its role, title and description.
fn frame(key: &str, title: &str, description: &str, height: f64, content: &Markup) -> Markup {
    let (t, d) = (format!("{key}-t"), format!("{key}-d"));
    html! {
        svg role="img" aria-labelledby={ (t) " " (d) } viewBox={ "0 0 " (px(WIDTH)) " " (px(height)) } {
            title id=(t) { (title) }
            desc id=(d) { (description) }
            (content)
        }
    }
}

/// A drawing that has nothing to show, and says so.
fn nothing(key: &str, title: &str) -> Markup {
    frame(
        key,
        title,
        "There is nothing to draw.",
        44.0,
        &html! {
            (text(WIDTH / 2.0, 27.0, "quiet", Anchor::Middle, "nothing to draw"))
        },
    )
}

/// Where a text hangs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Start,
    Middle,
    End,
}

fn text(x: f64, y: f64, class: &str, anchor: Anchor, content: &str) -> Markup {
    let anchor = match anchor {
        Anchor::Start => None,
        Anchor::Middle => Some("middle"),
        Anchor::End => Some("end"),
    };
    html! { text x=(px(x)) y=(px(y)) class=(class) text-anchor=[anchor] { (content) } }
}

fn line(x1: f64, y1: f64, x2: f64, y2: f64, class: &str) -> Markup {
    html! { line x1=(px(x1)) y1=(px(y1)) x2=(px(x2)) y2=(px(y2)) class=(class) {} }
}

/// About how wide a text of 11.5 units is. Fonts differ, so this errs on the wide side: it is that of a wide one.
fn width(content: &str) -> f64 {
    content
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' | 'f' | 't' | 'r' | '('
            | ')' | '[' | ']' => 4.4,
            'm' | 'w' | 'M' | 'W' | '@' | '%' | '=' => 10.6,
            'A'..='Z' => 8.2,
            c if (c as u32) >= 0x2e80 => 12.0,
            _ => 7.3,
        })
        .sum()
}

/// The same for a bold text.
fn bold(content: &str) -> f64 {
    width(content) * 1.12
}

/// The text, cut with an ellipsis to fit. It is cut in the middle, since names often differ only at their ends.
fn fit(content: &str, room: f64) -> String {
    if width(content) <= room {
        return content.to_owned();
    }
    let characters: Vec<char> = content.chars().collect();
    let one = |c: char| width(c.encode_utf8(&mut [0; 4]));
    let (mut start, mut end) = (0, characters.len());
    let mut used = width("…");
    // Two from the front for one from the back.
    for turn in 0.. {
        if start >= end {
            break;
        }
        let front = turn % 3 != 2;
        used += one(if front {
            characters[start]
        } else {
            characters[end - 1]
        });
        if used > room {
            break;
        }
        if front {
            start += 1;
        } else {
            end -= 1;
        }
    }
    let (front, back): (String, String) = (
        characters[..start].iter().collect(),
        characters[end..].iter().collect(),
    );
    format!("{}…{}", front.trim_end(), back.trim_start())
}

/// Names of vertical lines, put above a plot in as few levels as keep them apart.
struct Names {
    placed: Vec<(f64, f64, usize, Anchor, String)>,
    levels: usize,
}

impl Names {
    /// Names at these places, between the edges `left` and `right` of the drawing.
    fn place(marks: &[(f64, String)], left: f64, right: f64) -> Self {
        let mut levels: Vec<Vec<(f64, f64)>> = Vec::new();
        let mut placed = Vec::new();
        for (x, name) in marks.iter().filter(|m| m.0.is_finite()) {
            let name = fit(name, (right - left) * 0.8);
            let wide = width(&name);
            let (anchor, start) = if x - wide / 2.0 < left {
                (Anchor::Start, x.min(right - wide).max(left))
            } else if x + wide / 2.0 > right {
                (Anchor::End, x.max(left + wide).min(right) - wide)
            } else {
                (Anchor::Middle, x - wide / 2.0)
            };
            let end = start + wide;
            let level = levels
                .iter()
                .position(|taken| taken.iter().all(|&(a, b)| end + 8.0 < a || start - 8.0 > b))
                .unwrap_or_else(|| {
                    levels.push(Vec::new());
                    levels.len() - 1
                });
            levels[level].push((start, end));
            let at = match anchor {
                Anchor::Start => start,
                Anchor::Middle => *x,
                Anchor::End => end,
            };
            placed.push((*x, at, level, anchor, name));
        }
        Self {
            placed,
            levels: levels.len(),
        }
    }

    /// Room that the names need.
    fn height(&self) -> f64 {
        if self.levels == 0 {
            0.0
        } else {
            14.0 * self.levels as f64 + 4.0
        }
    }

    /// Lines from the names, which begin at `top`, down to `bottom`.
    fn draw(&self, top: f64, bottom: f64) -> Markup {
        html! {
            @for (x, at, level, anchor, name) in &self.placed {
                (line(*x, top + 14.0 * *level as f64 + 14.0, *x, bottom, "mark"))
                (text(*at, top + 14.0 * *level as f64 + 10.0, "mark-name", *anchor, name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(fit("short", 100.0), "short");
        let cut = fit("a very long name of a class that nobody can read", 100.0);
        assert!(
            cut.starts_with("a very") && cut.ends_with("read") && width(&cut) <= 100.0,
            "{cut}"
        );
        for room in 0..60 {
            assert!(fit("数字 of cells", f64::from(room)).contains('…'));
        }
    }

    #[test]
    fn names_do_not_overlap() {
        let marks: Vec<(f64, String)> = [50.0, 55.0, 60.0, 300.0]
            .iter()
            .map(|&x| (x, "tolerance of the claim".to_owned()))
            .collect();
        let names = Names::place(&marks, 0.0, 380.0);
        assert_eq!(names.levels, 3);
        let mut boxes: Vec<(usize, f64, f64)> = names
            .placed
            .iter()
            .map(|(_, at, level, anchor, name)| {
                let wide = width(name);
                let start = match anchor {
                    Anchor::Start => *at,
                    Anchor::Middle => at - wide / 2.0,
                    Anchor::End => at - wide,
                };
                (*level, start, start + wide)
            })
            .collect();
        boxes.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
        for pair in boxes.windows(2) {
            assert!(pair[0].0 != pair[1].0 || pair[0].2 < pair[1].1, "{pair:?}");
        }
        assert!(
            boxes.iter().all(|b| b.1 >= 0.0 && b.2 <= 380.0),
            "{boxes:?}"
        );
    }
}
