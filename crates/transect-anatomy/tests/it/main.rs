//! Whole runs, simulated: tables in, findings out.

#![expect(
    clippy::print_stdout,
    reason = "the figures of long runs are for a reader"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod adversarial;
mod baseline;
mod bias;
mod by_hand;
mod collapse;
mod edges;
mod evidence;
mod hallucination;
mod metric;
mod odd;
mod overclaims;
mod parts;
mod planted;
mod prior;
mod shortcut;
mod speed;

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

use transect_anatomy::simulate::{Scenario, tables};
use transect_anatomy::{Judged, judge};
use transect_core::{Finding, Verdict};

/// A run, simulated and judged; each once, however many tests ask for it.
fn judged(scenario: &Scenario) -> &'static Judged {
    type Once = &'static OnceLock<Judged>;
    static RUNS: Mutex<BTreeMap<String, Once>> = Mutex::new(BTreeMap::new());
    let once: Once = RUNS
        .lock()
        .expect("nothing panics while the lock is held")
        .entry(format!("{scenario:?}"))
        .or_insert_with(|| Box::leak(Box::default()));
    once.get_or_init(|| judge(&tables(scenario)).expect("a run that was simulated can be judged"))
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
