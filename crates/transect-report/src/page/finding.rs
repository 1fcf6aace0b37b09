//! One finding: a row with its verdict, its numbers drawn, its claim, and the rest folded away.

use maud::{Markup, html};
use transect_core::{Better, Finding};

use super::{Page, anchor, chip};
use crate::{number, svg, words};

/// Images that are named before the rest is only counted.
const NAMED: usize = 6;

/// A finding in full.
pub(super) fn full(page: &Page, index: usize, finding: &Finding) -> Markup {
    let class = words::class(finding.verdict);
    html! {
        article class={ "finding " (class) } id=(anchor(index)) data-v=(class) tabindex="-1" {
            div.said {
                h4 { (chip(finding.verdict)) span.name { (name(finding)) } @if finding.primary { span.primary { "primary" } } }
                p.claim { (finding.claim) }
                (advice(page, finding))
                (details(finding))
            }
            (measured(finding, class))
        }
    }
}

/// A finding among many of its kind: one line, the rest folded away.
pub(super) fn compact(page: &Page, index: usize, finding: &Finding, ruler: &svg::Ruler) -> Markup {
    let class = words::class(finding.verdict);
    html! {
        details class={ "finding compact " (class) } id=(anchor(index)) data-v=(class) {
            summary {
                span.name { (chip(finding.verdict)) " " bdi { (words::about(&finding.id).unwrap_or_else(|| finding.id.clone())) } }
                (svg::mini_among(finding, class, ruler))
                span.number {
                    @if finding.estimate.is_some() || finding.interval.is_some() {
                        (number::with_interval(finding.estimate, finding.interval, &finding.unit))
                    }
                    @if finding.n > 0 { span.rests { " n = " (number::count(finding.n)) } }
                }
            }
            p.claim { (finding.claim) }
            (advice(page, finding))
            (table(finding))
        }
    }
}

/// What is missing, what would settle it, what to do, what to bear in mind, where it is seen.
fn advice(page: &Page, finding: &Finding) -> Markup {
    html! {
        @if let Some(missing) = &finding.missing { p.need { strong { "To assess it: " } (missing) } }
        @if let Some(n) = finding.n_needed {
            p.need { strong { "To settle it: " } "about " (number::count(n)) " independent images or groups." }
        }
        @if let Some(remedy) = &finding.remedy { p.remedy { strong { "What to do: " } (remedy) } }
        @if !finding.caveats.is_empty() {
            ul.caveats { @for caveat in &finding.caveats { li { (caveat) } } }
        }
        (images(page, finding))
    }
}

/// What the finding is about.
fn name(finding: &Finding) -> Markup {
    let (name, about) = (words::metric(&finding.id), words::about(&finding.id));
    html! { (name) @if let Some(about) = about { " " span.about { bdi { (about) } } } }
}

/// The numbers, drawn and written.
fn measured(finding: &Finding, class: &str) -> Markup {
    html! {
        div.measured {
            (svg::mini(finding, class))
            @if finding.estimate.is_some() || finding.interval.is_some() {
                p.number { (number::with_interval(finding.estimate, finding.interval, &finding.unit)) }
            }
            p.rests {
                @if finding.n > 0 { "n = " (number::count(finding.n)) }
                @if let Some(groups) = finding.groups.filter(|g| g.is_finite()) {
                    @if finding.n > 0 { ", " }
                    (number::number(groups)) " groups"
                }
            }
        }
    }
}

fn images(page: &Page, finding: &Finding) -> Markup {
    html! {
        @if !finding.images.is_empty() {
            p.images { "Seen best in "
                @for (i, image) in finding.images.iter().take(NAMED).enumerate() {
                    @if i > 0 { ", " }
                    @if let Some(at) = page.pictures.get(image.as_str()) { a href={ "#" (at) } { bdi { (image) } } }
                    @else { bdi { (image) } }
                }
                @if finding.images.len() > NAMED { " and " (number::count((finding.images.len() - NAMED) as u64)) " more" }
                "."
            }
        }
    }
}

fn details(finding: &Finding) -> Markup {
    html! { details { summary { "How this was found" } (table(finding)) } }
}

fn table(finding: &Finding) -> Markup {
    let evidence = &finding.evidence;
    html! {
        dl {
            dt { "Id" } dd { code { (finding.id) } }
            @if let Some(estimate) = finding.estimate { dt { "Estimate" } dd { (number::in_unit(estimate, &finding.unit)) } }
            @if let Some([low, high]) = finding.interval {
                dt { (number::number(finding.level * 100.0)) "% interval" }
                dd { (number::end(low, true, &finding.unit)) " to " (number::end(high, false, &finding.unit)) @if let Some(method) = &finding.interval_method { ", " (method) } }
            }
            @if let Some(t) = finding.threshold { dt { "Thresholds" } dd {
                "warning at " (number::in_unit(t.warn, &finding.unit))
                @if finding.primary { ", fail at " (number::in_unit(t.fail, &finding.unit)) }
                @else { "; not primary, so it cannot fail" }
            } }
            dt { "Better" } dd { @match finding.better { Better::Higher => "higher", Better::Lower => "lower", Better::Neither => "neither: a description" } }
            @if let Some(p) = finding.p { dt { "p" } dd { (number::probability(p)) } }
            @if let Some(p) = finding.p_adjusted {
                dt { "p, adjusted" }
                dd {
                    (number::probability(p))
                    @if let Some(size) = finding.family_size {
                        @if finding.primary { " (Holm over " (size) " primary findings)" } @else { " (in a family of " (size) ")" }
                    }
                }
            }
            @if let Some(model) = &evidence.model { dt { "Model" } dd { code { (model) } } }
            @if let Some(view) = &evidence.view { dt { "View" } dd { code { (view) } } }
            @if let Some(rows) = &evidence.rows { dt { "Rows" } dd { code { (rows) } } }
        }
        @if let Some(sql) = &evidence.sql { pre tabindex="0" aria-label="Query" { code { (sql) } } }
    }
}
