//! The small bar beside a finding: estimate, interval, thresholds.

use maud::{Markup, html};
use transect_core::{Better, Finding};

use super::scale::Axis;
use super::{Anchor, line, text};
use crate::number::{self, px};

const LEFT: f64 = 8.0;
const RIGHT: f64 = 252.0;

/// The axis of one bar, or of many that are to be compared.
pub(crate) struct Ruler {
    axis: Axis,
    unit: String,
}

impl Ruler {
    /// An axis that holds all numbers of these findings.
    pub(crate) fn over<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut numbers = Vec::new();
        let mut unit = None;
        for finding in findings {
            numbers.extend(finding.estimate);
            numbers.extend(finding.interval.into_iter().flatten());
            if let Some(t) = finding.threshold {
                numbers.push(t.warn);
                numbers.extend(finding.primary.then_some(t.fail));
            }
            unit.get_or_insert(finding.unit.as_str());
        }
        Self {
            axis: Axis::linear(numbers, LEFT + 6.0, RIGHT - 6.0, 3),
            unit: unit.unwrap_or_default().to_owned(),
        }
    }

    /// Places of the ticks and their names; those of shares as percentages.
    fn ticks(&self) -> Vec<(f64, String)> {
        let named = self.axis.ticks().into_iter().map(|(value, name)| {
            let share = self.unit == "fraction";
            (
                self.axis.place(value),
                if share {
                    number::in_unit(value, &self.unit)
                } else {
                    name
                },
            )
        });
        named.collect()
    }

    /// The axis alone, above bars that are drawn without one.
    pub(crate) fn draw(&self) -> Markup {
        html! {
            svg.mini aria-hidden="true" viewBox="0 0 260 20" {
                @for (x, name) in self.ticks() {
                    (text(x, 11.0, "tick", Anchor::Middle, &name))
                    (line(x, 15.0, x, 20.0, "axis"))
                }
                (line(LEFT, 19.5, RIGHT, 19.5, "axis"))
            }
        }
    }
}

/// The bar of one finding with an axis of its own, or nothing where the finding has no number.
pub(crate) fn mini(finding: &Finding, class: &str) -> Markup {
    bar(finding, class, &Ruler::over([finding]), true)
}

/// The bar of one finding among others on the same axis.
pub(crate) fn mini_among(finding: &Finding, class: &str, ruler: &Ruler) -> Markup {
    bar(finding, class, ruler, false)
}

fn bar(finding: &Finding, class: &str, ruler: &Ruler, named: bool) -> Markup {
    let estimate = finding.estimate.filter(|v| v.is_finite());
    let interval = finding.interval.filter(|i| i.iter().any(|v| v.is_finite()));
    if estimate.is_none() && interval.is_none() {
        return html! {};
    }
    let threshold = finding
        .threshold
        .filter(|t| t.warn.is_finite() && t.fail.is_finite());
    let axis = &ruler.axis;
    let height = match (named, threshold) {
        (false, _) => 24.0,
        (true, None) => 40.0,
        (true, Some(_)) => 50.0,
    };
    let middle = 12.0;
    let bad_is_high = match (&threshold, finding.better) {
        (Some(t), _) if t.fail > t.warn => true,
        (Some(t), _) if t.fail < t.warn => false,
        (_, better) => better != Better::Higher,
    };
    let write = |v: f64| number::in_unit(v, &finding.unit);
    // Only a primary finding can fail, so only there the threshold to fail is shown.
    let said = match threshold {
        None => String::new(),
        Some(t) if finding.primary => {
            format!("; warning at {}, fail at {}", write(t.warn), write(t.fail))
        }
        Some(t) => format!("; warning at {}", write(t.warn)),
    };
    let said = format!(
        "{}{said}",
        number::with_interval(estimate, interval, &finding.unit)
    );
    let edge = if bad_is_high { RIGHT } else { LEFT };
    let zone = |class: &str, from: f64, to: f64| {
        html! { rect class=(class) x=(px(from.min(to))) y="2" width=(px((to - from).abs())) height="20" {} }
    };
    html! {
        svg.mini role="img" aria-label=(said) viewBox={ "0 0 260 " (px(height)) } {
            @if let Some(t) = threshold {
                @let (warn, fail) = (axis.place(t.warn), axis.place(t.fail));
                @if finding.primary {
                    (zone("zone-warn", warn, fail))
                    (zone("zone-fail", fail, edge))
                } @else {
                    (zone("zone-warn", warn, edge))
                }
            }
            (line(LEFT, 22.0, RIGHT, 22.0, "axis"))
            @if named {
                @let ticks = ruler.ticks();
                @for (i, (x, name)) in ticks.iter().enumerate() {
                    @let x = *x;
                    (line(x, 22.0, x, 25.0, "axis"))
                    @if i == 0 || i + 1 == ticks.len() {
                        (text(x, 36.0, "tick", if i == 0 { Anchor::Start } else { Anchor::End }, name))
                    }
                }
            }
            @if let Some(t) = threshold {
                @let (warn, fail) = (axis.place(t.warn), axis.place(t.fail));
                @let foot = if named { 27.0 } else { 22.0 };
                (line(warn, 2.0, warn, foot, "edge-warn"))
                @if finding.primary { (line(fail, 2.0, fail, foot, "edge-fail")) }
                @if named {
                    @let (w, f) = if bad_is_high { (Anchor::End, Anchor::Start) } else { (Anchor::Start, Anchor::End) };
                    @let shift = if bad_is_high { 2.0 } else { -2.0 };
                    @if finding.primary && px(warn) == px(fail) {
                        (text(nudge(fail - shift, "warn, fail", f), 46.0, "edge-name", f, "warn, fail"))
                    } @else {
                        (text(nudge(warn + shift, "warn", w), 46.0, "edge-name", w, "warn"))
                        @if finding.primary { (text(nudge(fail - shift, "fail", f), 46.0, "edge-name", f, "fail")) }
                    }
                }
            }
            @if let Some([low, high]) = interval {
                @let open_low = !low.is_finite();
                @let open_high = !high.is_finite();
                @let (x1, x2) = (if open_low { LEFT } else { axis.place(low) }, if open_high { RIGHT } else { axis.place(high) });
                (line(x1, middle, x2, middle, &format!("mini-line {class}")))
                @if open_low { path class={ "mini-line " (class) } d={ "M" (px(x1 + 5.0)) " 7L" (px(x1)) " 12L" (px(x1 + 5.0)) " 17" } {} }
                @else { (line(x1, 7.0, x1, 17.0, &format!("mini-line {class}"))) }
                @if open_high { path class={ "mini-line " (class) } d={ "M" (px(x2 - 5.0)) " 7L" (px(x2)) " 12L" (px(x2 - 5.0)) " 17" } {} }
                @else { (line(x2, 7.0, x2, 17.0, &format!("mini-line {class}"))) }
            }
            @if let Some(value) = estimate {
                circle class={ "mini-point " (class) } cx=(px(axis.place(value))) cy=(px(middle)) r="5" {}
            }
        }
    }
}

/// Keeps the name of a threshold inside the drawing.
fn nudge(x: f64, name: &str, anchor: Anchor) -> f64 {
    let wide = super::width(name);
    match anchor {
        Anchor::Start => x.min(258.0 - wide),
        Anchor::Middle => x,
        Anchor::End => x.max(2.0 + wide),
    }
}
