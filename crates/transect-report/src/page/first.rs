//! The first screen: three answers and the primary verdicts; then what failed beside what was not assessed.

use maud::{Markup, html};
use transect_core::{Answer, Finding, Verdict};

use super::{Page, anchor, chip, icon};
use crate::{number, svg, words};

/// Findings that a panel lists before it folds the rest away.
const LISTED: usize = 8;

pub(super) fn answers(page: &Page) -> Markup {
    let headline = &page.report.headline;
    let [first, second, third] =
        transect_core::headline::questions(page.report.run.context.images_alone);
    let primaries: Vec<(usize, &Finding)> = page
        .report
        .findings
        .iter()
        .enumerate()
        .filter(|(_, f)| f.primary)
        .collect();
    html! {
        section #answers aria-label="Answers" tabindex="-1" {
            div.answers {
                (answer(page, first, &headline.works))
                (answer(page, second, &headline.wrong))
                (answer(page, third, &headline.label))
            }
            @if primaries.is_empty() {
                p.quiet { "No finding was declared primary before this run, so none could fail." }
            } @else {
                h2.small { "Primary findings: declared before the run, the only ones that can fail" }
                ul.strip {
                    @for (i, finding) in primaries { (tile(i, finding)) }
                }
            }
        }
    }
}

fn answer(page: &Page, question: &str, answer: &Answer) -> Markup {
    html! {
        article class={ "answer " (words::class(answer.verdict)) } {
            h2 { (question) }
            p.verdict { (icon(answer.verdict)) span { (words::word(answer.verdict)) } }
            p.text { (answer.text) }
            @let known: Vec<(&String, &String)> =
                answer.findings.iter().filter_map(|id| page.findings.get(id.as_str()).map(|at| (id, at))).collect();
            @if !known.is_empty() {
                p.rests { "Rests on "
                    @for (i, (id, at)) in known.iter().enumerate() {
                        @if i > 0 { ", " }
                        a href={ "#" (at) } { (words::metric(id)) @if let Some(about) = words::about(id) { " (" (about) ")" } }
                    }
                }
            }
        }
    }
}

fn tile(index: usize, finding: &Finding) -> Markup {
    let (name, about) = (words::metric(&finding.id), words::about(&finding.id));
    html! {
        li class={ "tile " (words::class(finding.verdict)) } {
            a href={ "#" (anchor(index)) } {
                (chip(finding.verdict))
                span.name { (words::short_mode(&finding.mode)) ": " (name) @if let Some(about) = about { " (" (about) ")" } }
            }
            (svg::mini(finding, words::class(finding.verdict)))
            @if finding.estimate.is_some() {
                span.number { (number::with_interval(finding.estimate, finding.interval, &finding.unit)) }
            } @else if let Some(missing) = &finding.missing {
                span.number { (missing) }
            }
        }
    }
}

/// What failed or warns, beside what was not assessed or not settled: two panels of the same weight.
pub(super) fn attention(page: &Page) -> Markup {
    let with = |verdict: Verdict| -> Vec<(usize, &Finding)> {
        let all = page.report.findings.iter();
        all.enumerate()
            .filter(|(_, f)| f.verdict == verdict)
            .collect()
    };
    let bad = [with(Verdict::Fail), with(Verdict::Warn)].concat();
    let missing = with(Verdict::NotAssessable);
    let open = with(Verdict::Undecided);
    let counts = page.report.counts;
    html! {
        section.panels aria-label="What needs attention" {
            div.panel #attention {
                h2 { "What failed or gives a warning" }
                @if bad.is_empty() {
                    p { "No finding failed and none gives a warning. Read beside this what was not assessed." }
                } @else { (listed(&bad, &|f| html! { (f.claim) })) }
            }
            div.panel #missing {
                h2 { "What was not assessed" }
                @if missing.is_empty() && open.is_empty() {
                    p { "Every question that was put could be answered." }
                }
                @if !missing.is_empty() {
                    (listed(&missing, &|f| html! {
                        (f.claim)
                        @if let Some(missing) = &f.missing { " " span.need { "Needed: " (missing) } }
                    }))
                }
                @if !open.is_empty() {
                    h3 { "Not settled by these images" }
                    (listed(&open, &|f| html! {
                        (f.claim)
                        @if let Some(n) = f.n_needed { " " span.need { "Would take about " (number::count(n)) " independent images or groups." } }
                    }))
                }
                @if counts.failed + counts.skipped + counts.outside_classes > 0 {
                    h3 { "Images left out" }
                    ul.plain {
                        @if counts.failed > 0 { li { (number::count(counts.failed)) " could not be measured: " a href="#failed" { "listed below" } "." } }
                        @if counts.skipped > 0 { li { (number::count(counts.skipped)) " were skipped." } }
                        @if counts.outside_classes > 0 { li { (number::count(counts.outside_classes)) " show something that is not among the model's classes; they are counted here and nowhere else." } }
                    }
                }
            }
        }
    }
}

fn listed(findings: &[(usize, &Finding)], body: &dyn Fn(&Finding) -> Markup) -> Markup {
    let item = |(i, f): &(usize, &Finding)| {
        let (name, about) = (words::metric(&f.id), words::about(&f.id));
        html! {
            li {
                a href={ "#" (anchor(*i)) } { (chip(f.verdict)) span.name { (name) @if let Some(about) = about { " (" (about) ")" } } }
                p { (body(f)) }
            }
        }
    };
    let shown = if findings.len() <= LISTED + 2 {
        findings.len()
    } else {
        LISTED
    };
    html! {
        ul.listed { @for f in &findings[..shown] { (item(f)) } }
        @if shown < findings.len() {
            details {
                summary { (number::count((findings.len() - shown) as u64)) " more" }
                ul.listed { @for f in &findings[shown..] { (item(f)) } }
            }
        }
    }
}
