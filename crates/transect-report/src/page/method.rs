//! How it was measured, and what the words mean.

use maud::{Markup, html};
use transect_core::context::PlanLevel;
use transect_core::item::Role;
use transect_core::{Selection, Stage};

use super::{Page, head, icon};
use crate::{number, words};

pub(super) fn method(page: &Page) -> Markup {
    let run = &page.report.run;
    let context = &run.context;
    let column = |name: &Option<String>| name.clone().unwrap_or_else(|| "not given".to_owned());
    html! {
        section #method aria-labelledby="method-title" {
            h2 #method-title { "How it was measured" }
            @if !run.notes.is_empty() {
                h3 { "To bear in mind" }
                ul.notes { @for note in &run.notes { li { (note) } } }
            }
            h3 { "The run" }
            dl.wide {
                dt { "Model" } dd { bdi { (run.model_name) } @if context.predictions_only { " (predictions made elsewhere)" } }
                dt { "The model's own test" } dd { (run.model_test) }
                dt { "Engine" } dd { (run.engine) }
                dt { "Version" } dd { (run.version) }
                dt { "Task, modality" } dd { (head::task(context.task)) ", " (head::modality(context.modality)) }
                @if !context.classes.is_empty() { dt { "Classes" } dd { @for (i, class) in context.classes.iter().enumerate() { @if i > 0 { ", " } bdi { (class) } } } }
                dt { "Plan" } dd { @match context.plan { PlanLevel::Quick => "quick", PlanLevel::Standard => "standard", PlanLevel::Full => "full" }
                    ", " (number::count(run.forward_passes)) " forward passes" }
                dt { "Seed" } dd { (context.seed) }
                dt { "Domain, group, stratum" } dd { (column(&context.domain)) "; " (column(&context.group)) "; " (column(&context.stratum)) }
                dt { "Hash of the model" } dd { code { (run.model_sha256.map_or_else(|| "none".to_owned(), |d| d.hex())) } }
                dt { "Hash of the data" } dd { code { (run.data_sha256.hex()) } }
                dt { "Hash of the plan" } dd { code { (run.plan_sha256.hex()) } }
                @if let Some(fits) = run.fits_sha256 { dt { "Hash of the fits" } dd { code { (fits.hex()) } } }
            }
            @if !context.ladders.is_empty() {
                details {
                    summary { "Corruptions and their steps" }
                    div.scroll tabindex="0" role="region" aria-label="Corruptions" {
                        table {
                            thead { tr { th { "corruption" } th { "parameter" } th.num { "unchanged" } @for s in 1..=5 { th.num { (s) } } th { "note" } } }
                            tbody {
                                @for ladder in &context.ladders {
                                    tr {
                                        td { (ladder.words) }
                                        td { (ladder.parameter) @let unit = number::unit_words(&ladder.unit); @if !unit.is_empty() { ", " (unit) } }
                                        td.num { (number::number(ladder.identity)) }
                                        @for value in ladder.values { td.num { (number::number(value)) } }
                                        td { (ladder.note) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if !run.requests.is_empty() {
                details {
                    summary { "What the failure modes asked for" }
                    div.scroll tabindex="0" role="region" aria-label="Requests" {
                        table {
                            thead { tr { th { "mode" } th { "stage" } th { "rows" } th.num { "views" } } }
                            tbody {
                                @for request in &run.requests {
                                    tr {
                                        td { (request.mode) }
                                        td { @match request.stage { Stage::Items => "attributes of the images", Stage::Own => "views of one image", Stage::Partner => "views with a donor" } }
                                        td { @match request.rows { Selection::All => "all", Selection::Role(role) => (side(role)), Selection::Sample(role, n) => { (side(role)) ", at most " (n) } } }
                                        td.num { (number::count(request.views.len() as u64)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            p.quiet { "Every number of this page is a query over the tables beside it (measurements.parquet, items.parquet); the exact \
                numbers are in findings.json." }
        }
    }
}

pub(super) fn glossary() -> Markup {
    html! {
        section #words aria-labelledby="words-title" {
            h2 #words-title { "Words" }
            dl.glossary {
                @for verdict in words::VERDICTS {
                    dt { (icon(verdict)) " " (words::word(verdict)) }
                    dd { (words::meaning(verdict)) }
                }
                dt { "Primary" }
                dd { "Declared before the run as one of at most two findings of its mode that may fail. All other findings stop at a warning." }
                dt { "Interval" }
                dd { "In square brackets behind a number: the range that, made in this way, holds the true value in 95 of 100 studies. It says how far the number may be off because only these images were seen." }
                dt { "Reference, target" }
                dd { "The images that the claim was made on, and the images of this audit." }
                dt { "Group" }
                dd { "What was sampled: a patient, a plate, a slide. Images of one group resemble one another, so intervals count groups, not images. The number given is the effective one." }
                dt { "n" }
                dd { "The images that a number rests on." }
            }
        }
    }
}

/// A side of the comparison, in a word.
fn side(role: Role) -> &'static str {
    match role {
        Role::Reference => "reference",
        Role::Target => "target",
    }
}
