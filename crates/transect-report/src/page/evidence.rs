//! The evidence, mode by mode: findings, then figures.

use std::collections::BTreeMap;

use maud::{Markup, html};
use transect_core::Finding;

use super::{Mode, Page, finding, tally};
use crate::{number, svg, words};

/// Findings of one metric that differ only in what they are about: more than this many are folded into a group.
const TOGETHER: usize = 4;
/// A group no larger than this lies open.
const SMALL: usize = 12;
/// Rows of a folded group that lie open within it; the rest are folded once more.
const OPEN: usize = 200;
/// Figures of a mode that lie open.
const FIGURES: usize = 9;
/// Above this number of findings the page offers to filter them.
const FILTERED: usize = 30;

pub(super) fn evidence(page: &Page) -> Markup {
    let total = page.report.findings.len();
    html! {
        section #evidence aria-label="Evidence" {
            @if page.modes.is_empty() {
                h2 { "Evidence" }
                p { "There are no findings and no figures in this report." }
            }
            @if total > FILTERED {
                div.filter hidden role="search" {
                    label { "Find a finding " input #find type="search" placeholder="part of its name or claim"; }
                    label { "with the verdict "
                        select #verdict {
                            option value="" { "any" }
                            @for verdict in words::VERDICTS { option value=(words::class(verdict)) { (words::word(verdict)) } }
                        }
                    }
                    span #found role="status" {}
                }
            }
            @for (i, mode) in page.modes.iter().enumerate() { (one(page, i, mode)) }
        }
    }
}

/// Findings that stand alone, and groups of those that differ only in what they are about.
enum Block<'a> {
    One(usize, &'a Finding),
    Many(&'a str, Vec<(usize, &'a Finding)>),
}

fn base(id: &str) -> &str {
    id.split('[').next().unwrap_or(id)
}

/// Primaries first, then the others in their order; large families become a group at the place of their first member.
fn blocks<'a>(mode: &Mode<'a>) -> Vec<Block<'a>> {
    let mut families: BTreeMap<&str, Vec<(usize, &'a Finding)>> = BTreeMap::new();
    for &(i, f) in mode
        .findings
        .iter()
        .filter(|(_, f)| !f.primary && f.id.contains('['))
    {
        families.entry(base(&f.id)).or_default().push((i, f));
    }
    families.retain(|_, members| members.len() > TOGETHER);
    let primary = mode.findings.iter().filter(|(_, f)| f.primary);
    let other = mode.findings.iter().filter(|(_, f)| !f.primary);
    let mut blocks = Vec::new();
    for &(i, f) in primary.chain(other) {
        let grouped = !f.primary && f.id.contains('[');
        match families.get_mut(base(&f.id)).filter(|_| grouped) {
            Some(members) if members.is_empty() => {}
            Some(members) => blocks.push(Block::Many(base(&f.id), std::mem::take(members))),
            None => blocks.push(Block::One(i, f)),
        }
    }
    blocks
}

fn one(page: &Page, index: usize, mode: &Mode) -> Markup {
    let (title, intro) = words::mode(mode.name);
    html! {
        section.mode id={ "mode-" (index) } aria-labelledby={ "mode-" (index) "-title" } {
            h2 id={ "mode-" (index) "-title" } { (title) }
            @if !intro.is_empty() { p.intro { (intro) } }
            p.tallies { (tally(&mode.findings)) }
            @for block in blocks(mode) {
                @match block {
                    Block::One(i, f) => (finding::full(page, i, f)),
                    Block::Many(id, members) => (group(page, id, &members)),
                }
            }
            (figures(mode))
        }
    }
}

fn group(page: &Page, id: &str, members: &[(usize, &Finding)]) -> Markup {
    let name = words::metric(id);
    let ruler = svg::Ruler::over(members.iter().map(|(_, f)| *f));
    html! {
        details.group open[members.len() <= SMALL] {
            summary {
                span.name { (name) ": " (number::count(members.len() as u64)) " findings" }
                (tally(members))
            }
            div.ruler { span {} (ruler.draw()) span {} }
            @let (open, folded) = members.split_at(members.len().min(OPEN));
            @for (i, f) in open { (finding::compact(page, *i, f, &ruler)) }
            @if !folded.is_empty() {
                details {
                    summary { "The other " (number::count(folded.len() as u64)) }
                    @for (i, f) in folded { (finding::compact(page, *i, f, &ruler)) }
                }
            }
        }
    }
}

fn figures(mode: &Mode) -> Markup {
    let one = |(i, figure): &(usize, &transect_core::Figure)| {
        html! {
            figure id={ "figure-" (i) } {
                figcaption { strong { (figure.title) } }
                (svg::drawing(figure, &format!("drawing-{i}")))
                @if !figure.caption.is_empty() { p.caption { (figure.caption) } }
            }
        }
    };
    let shown = if mode.figures.len() <= FIGURES + 3 {
        mode.figures.len()
    } else {
        FIGURES
    };
    html! {
        @if !mode.figures.is_empty() {
            div.figures { @for f in &mode.figures[..shown] { (one(f)) } }
            @if shown < mode.figures.len() {
                details.more {
                    summary { (number::count((mode.figures.len() - shown) as u64)) " more figures" }
                    div.figures { @for f in &mode.figures[shown..] { (one(f)) } }
                }
            }
        }
    }
}
