//! The head of the document, the symbols of the verdicts, the top of the page.

use maud::{Markup, PreEscaped, html};
use transect_core::task::{Modality, Task};
use transect_core::{Better, Digest};

use super::Page;
use crate::{Report, base64, number, palette, words};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The style sheet with the colours of both themes.
fn style() -> String {
    let (light, dark) = (palette::declarations(false), palette::declarations(true));
    format!(
        ":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n\
         @media screen{{:root[data-theme=dark]{{{dark}}}}}\n{STYLE}"
    )
}

fn hash(text: &str) -> String {
    format!(
        "'sha256-{}'",
        base64::encode(&Digest::of(text.as_bytes()).0)
    )
}

/// What the page may do: its own style and script, known by their hashes, and pictures that are in the file.
fn policy() -> String {
    format!(
        "default-src 'none'; img-src data:; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(&style()),
        hash(SCRIPT)
    )
}

pub(super) fn head(report: &Report) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy());
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="referrer" content="no-referrer";
            meta name="generator" content=(report.generated_by);
            title { (report.title) }
            style { (PreEscaped(style())) }
        }
    }
}

pub(super) fn script() -> Markup {
    html! { script { (PreEscaped(SCRIPT)) } }
}

/// The six shapes: a round tick, a triangle, an octagon, a dashed diamond, a dashed square, a plain round.
pub(super) fn symbols() -> Markup {
    html! {
        svg.symbols aria-hidden="true" {
            symbol id="icon-pass" viewBox="0 0 20 20" {
                circle cx="10" cy="10" r="9" fill="var(--pass-solid)" {}
                path d="M5.5 10.4l3 3 6-6.6" fill="none" stroke="var(--surface)" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round" {}
            }
            symbol id="icon-warn" viewBox="0 0 20 20" {
                path d="M10 1.6L19 18H1z" fill="var(--warn-solid)" stroke="var(--warn-ink)" stroke-width="1.2" stroke-linejoin="round" {}
                path d="M10 7v5.2M10 14.6v.9" fill="none" stroke="#1a1300" stroke-width="2.2" stroke-linecap="round" {}
            }
            symbol id="icon-fail" viewBox="0 0 20 20" {
                path d="M6.3 1h7.4L19 6.3v7.4L13.7 19H6.3L1 13.7V6.3z" fill="var(--fail-solid)" {}
                path d="M6.5 6.5l7 7M13.5 6.5l-7 7" fill="none" stroke="var(--surface)" stroke-width="2.4" stroke-linecap="round" {}
            }
            symbol id="icon-undecided" viewBox="0 0 20 20" {
                path d="M10 1.2L18.8 10 10 18.8 1.2 10z" fill="var(--undecided-tint)" stroke="var(--undecided-solid)" stroke-width="1.8" stroke-dasharray="3 1.6" stroke-linejoin="round" {}
                path d="M8 8.2c0-2.8 4.2-2.6 4.2-.1 0 1.6-2.1 1.7-2.1 3.5M10.1 14v.4" fill="none" stroke="var(--undecided-ink)" stroke-width="1.7" stroke-linecap="round" {}
            }
            symbol id="icon-missing" viewBox="0 0 20 20" {
                rect x="2" y="2" width="16" height="16" rx="2" fill="none" stroke="var(--missing-solid)" stroke-width="1.8" stroke-dasharray="3 2" {}
                path d="M6 14L14 6" stroke="var(--missing-ink)" stroke-width="1.8" stroke-linecap="round" {}
            }
            symbol id="icon-described" viewBox="0 0 20 20" {
                circle cx="10" cy="10" r="8.4" fill="none" stroke="var(--described-solid)" stroke-width="1.8" {}
                path d="M6 12.5h8M6 8h5" stroke="var(--described-ink)" stroke-width="1.8" stroke-linecap="round" {}
            }
        }
    }
}

pub(super) fn task(task: Task) -> &'static str {
    match task {
        Task::Classification => "classification",
        Task::Semantic => "semantic segmentation",
        Task::Instance => "instance segmentation",
    }
}

pub(super) fn modality(modality: Modality) -> &'static str {
    match modality {
        Modality::Fluorescence => "fluorescence",
        Modality::Brightfield => "bright field",
        Modality::Phase => "phase contrast",
        Modality::Spectral => "spectral",
        Modality::Photo => "photographs",
        Modality::Unknown => "modality not declared",
    }
}

/// Title, model and data in a line, where things are.
pub(super) fn masthead(page: &Page) -> Markup {
    let (report, counts) = (page.report, page.report.counts);
    let context = &report.run.context;
    html! {
        header {
            div.bar {
                h1 { bdi { (report.title) } }
                button #theme type="button" hidden { "Light or dark" }
            }
            p.line {
                @if !context.images_alone {
                    span { "Model " strong { bdi { (report.run.model_name) } } ", " (task(context.task)) }
                }
                span { strong { (number::count(counts.target)) } " target" @if counts.target != 1 { " images" } @else { " image" }
                    @if counts.reference > 0 { ", " strong { (number::count(counts.reference)) } " reference" } }
                span { (number::count(counts.measured)) " measured"
                    @if counts.failed > 0 { ", " a href="#failed" { (number::count(counts.failed)) " failed" } }
                    @if counts.skipped > 0 { ", " (number::count(counts.skipped)) " skipped" } }
                span { (modality(context.modality)) }
                @for (metric, value) in &context.claims {
                    span { "claim: " (words::metric(&format!("performance.{metric}"))) " " (claim(metric, *value, page)) }
                }
            }
            nav aria-label="On this page" {
                a href="#answers" { "Answers" }
                a href="#attention" { "What needs attention" }
                a href="#missing" { "Not assessed" }
                @for (i, mode) in page.modes.iter().enumerate() {
                    a href={ "#mode-" (i) } { (words::short_mode(mode.name)) }
                }
                @if !report.gallery.is_empty() { a href="#pictures" { "Pictures" } }
                a href="#failed" { "Failed images" }
                a href="#method" { "How it was measured" }
                a href="#words" { "Words" }
            }
        }
    }
}

/// `at least 95%`: the direction and the unit are those of the finding of the claimed metric.
fn claim(metric: &str, value: f64, page: &Page) -> String {
    let id = format!("performance.{metric}");
    let finding = page.report.findings.iter().find(|f| f.id == id);
    let bound = match finding.map(|f| f.better) {
        Some(Better::Higher) => "at least ",
        Some(Better::Lower) => "at most ",
        _ => "",
    };
    let unit = finding.map_or("", |f| f.unit.as_str());
    format!("{bound}{}", number::in_unit(value, unit))
}
