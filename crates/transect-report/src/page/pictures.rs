//! Pictures, and the images that could not be measured.

use maud::{Markup, html};

use super::Page;
use crate::{Failure, Picture, base64, number};

/// Failed images that are listed before the rest is folded away.
const LISTED: usize = 20;

pub(super) fn gallery(page: &Page) -> Markup {
    let gallery = &page.report.gallery;
    html! {
        section #pictures aria-labelledby="pictures-title" {
            h2 #pictures-title { "Pictures" }
            @if gallery.is_empty() {
                p.quiet { "No pictures were made for this report." }
            } @else {
                p.intro { "Choose a picture to enlarge it." }
                div.gallery { @for (i, picture) in gallery.iter().enumerate() { (one(i, picture)) } }
            }
        }
    }
}

fn one(index: usize, picture: &Picture) -> Markup {
    html! {
        details.picture id={ "picture-" (index) } {
            summary {
                @if picture.png.is_empty() {
                    span.blank { "no picture" }
                } @else {
                    img src={ "data:image/png;base64," (base64::encode(&picture.png)) } alt=(picture.alt);
                }
                span.title { (picture.title) }
                span.caption { (picture.caption) }
            }
            @if !picture.note.is_empty() { p.note { (picture.note) } }
            p.note { "Row " (picture.row) ": " bdi { code { (picture.image) } } }
        }
    }
}

pub(super) fn failures(page: &Page) -> Markup {
    let (failures, counts) = (&page.report.failures, page.report.counts);
    html! {
        section #failed aria-labelledby="failed-title" {
            h2 #failed-title { "Images that could not be measured" }
            @if failures.is_empty() && counts.failed == 0 {
                p { "Every image that was tried was measured." }
            } @else if failures.is_empty() {
                p { (number::count(counts.failed)) " images failed; their names are in measurements.parquet." }
            } @else {
                p.intro { (number::count(failures.len() as u64)) " images. They count in no number above. "
                    code { "transect explain CODE" } " says more of a code." }
                (table(&failures[..failures.len().min(LISTED)]))
                @if failures.len() > LISTED {
                    details {
                        summary { "The other " (number::count((failures.len() - LISTED) as u64)) }
                        (table(&failures[LISTED..]))
                    }
                }
            }
        }
    }
}

fn table(failures: &[Failure]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Failed images" {
            table.failed {
                thead { tr { th { "image" } th { "code" } th { "what is wrong" } } }
                tbody {
                    @for f in failures {
                        tr { td { bdi { (f.image) } } td { code { (f.code) } } td { (f.message) } }
                    }
                }
            }
        }
    }
}
