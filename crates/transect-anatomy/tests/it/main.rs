//! Whole runs, simulated: tables in, findings out.

#![expect(
    clippy::print_stdout,
    reason = "the figures of long runs are for a reader"
)]
mod baseline;
mod adversarial;
mod by_hand;
mod edges;
mod overclaims;
mod planted;
mod shortcut;
mod speed;

use transect_anatomy::simulate::{Scenario, tables};
use transect_anatomy::{Judged, judge};
use transect_core::{Finding, Verdict};

fn judged(scenario: &Scenario) -> Judged {
    judge(&tables(scenario)).expect("a run that was simulated can be judged")
}

fn find<'a>(judged: &'a Judged, id: &str) -> &'a Finding {
    judged
        .findings
        .iter()
        .chain(&judged.outside)
        .find(|f| f.id == id)
        .unwrap_or_else(|| {
            let ids: Vec<&str> = judged.findings.iter().map(|f| f.id.as_str()).collect();
            panic!("no finding `{id}` among {ids:?}")
        })
}

fn verdict(judged: &Judged, id: &str) -> Verdict {
    find(judged, id).verdict
}
