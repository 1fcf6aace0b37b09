//! The page.

mod evidence;
mod finding;
mod first;
mod head;
mod method;
mod pictures;

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, html};
use transect_core::{Figure, Finding, Verdict};

use crate::words;
use crate::{Report, number};

/// What the parts of the page must know of one another: where things are.
struct Page<'a> {
    report: &'a Report,
    /// Identifier of the first finding of each id.
    findings: BTreeMap<&'a str, String>,
    /// Identifier of the first picture of each image.
    pictures: BTreeMap<&'a str, String>,
    /// Failure modes in the order of the page.
    modes: Vec<Mode<'a>>,
}

/// One failure mode and everything that is shown of it.
struct Mode<'a> {
    name: &'a str,
    /// Position on the page and finding; the position makes its identifier.
    findings: Vec<(usize, &'a Finding)>,
    figures: Vec<(usize, &'a Figure)>,
}

impl<'a> Page<'a> {
    fn new(report: &'a Report) -> Self {
        let mut findings = BTreeMap::new();
        for (i, finding) in report.findings.iter().enumerate() {
            findings
                .entry(finding.id.as_str())
                .or_insert_with(|| anchor(i));
        }
        let mut pictures = BTreeMap::new();
        for (i, picture) in report.gallery.iter().enumerate() {
            pictures
                .entry(picture.image.as_str())
                .or_insert_with(|| format!("picture-{i}"));
        }
        let mut names: Vec<&str> = Vec::new();
        let listed = words::MODES.iter().copied();
        let met = report
            .findings
            .iter()
            .map(|f| f.mode.as_str())
            .chain(report.figures.iter().map(|f| f.mode.as_str()));
        let met: Vec<&str> = met.collect();
        for name in listed
            .filter(|m| met.contains(m))
            .chain(met.iter().copied())
        {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let modes = names
            .into_iter()
            .map(|name| Mode {
                name,
                findings: report
                    .findings
                    .iter()
                    .enumerate()
                    .filter(|(_, f)| f.mode == name)
                    .collect(),
                figures: report
                    .figures
                    .iter()
                    .enumerate()
                    .filter(|(_, f)| f.mode == name)
                    .collect(),
            })
            .collect();
        Self {
            report,
            findings,
            pictures,
            modes,
        }
    }
}

/// Identifier of the finding at this position.
fn anchor(index: usize) -> String {
    format!("finding-{index}")
}

/// A word with the shape of its verdict.
fn chip(verdict: Verdict) -> Markup {
    html! {
        span class={ "chip " (words::class(verdict)) } { (icon(verdict)) (words::word(verdict)) }
    }
}

/// The shape of a verdict; the word always stands beside it, so it is hidden from readers that speak.
fn icon(verdict: Verdict) -> Markup {
    html! { svg.icon aria-hidden="true" viewBox="0 0 20 20" { use href={ "#icon-" (words::class(verdict)) } {} } }
}

/// How many findings have each verdict, in words.
fn tally(findings: &[(usize, &Finding)]) -> Markup {
    html! {
        @for verdict in words::VERDICTS {
            @let n = findings.iter().filter(|(_, f)| f.verdict == verdict).count();
            @if n > 0 {
                span class={ "tally " (words::class(verdict)) } { (icon(verdict)) (number::count(n as u64)) " " (words::word(verdict).to_lowercase()) }
            }
        }
    }
}

pub(crate) fn render(report: &Report) -> Markup {
    let page = Page::new(report);
    html! {
        (DOCTYPE)
        html lang="en" {
            (head::head(report))
            body {
                (head::symbols())
                a.skip href="#answers" { "Skip to the answers" }
                (head::masthead(&page))
                main {
                    (first::answers(&page))
                    (first::attention(&page))
                    (evidence::evidence(&page))
                    (pictures::gallery(&page))
                    (pictures::failures(&page))
                    (method::method(&page))
                    (method::glossary())
                }
                footer { "Made by " (report.generated_by) ". This file needs no network and sends nothing." }
                (head::script())
            }
        }
    }
}
