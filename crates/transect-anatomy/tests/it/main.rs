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
use transect_anatomy::{Draft, Ground, Judged, Opinion, judge, judge_only};
use transect_core::{Better, Finding, Verdict};

/// A run, simulated and judged.
fn judged(scenario: &Scenario) -> &'static Judged {
    judged_by(scenario, &[])
}

/// The same by these modes alone, all for none; each once, however many tests ask for it.
fn judged_by(scenario: &Scenario, modes: &[&str]) -> &'static Judged {
    type Once = &'static OnceLock<Judged>;
    static RUNS: Mutex<BTreeMap<String, Once>> = Mutex::new(BTreeMap::new());
    let once: Once = RUNS
        .lock()
        .expect("nothing panics while the lock is held")
        .entry(format!("{scenario:?} {modes:?}"))
        .or_insert_with(|| Box::leak(Box::default()));
    once.get_or_init(|| {
        judge_only(&tables(scenario), modes).expect("a run that was simulated can be judged")
    })
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

/// What one mode says under this id.
fn draft<'a>(opinion: &'a Opinion, id: &str) -> &'a Draft {
    opinion
        .drafts
        .iter()
        .find(|d| d.finding.id == id)
        .unwrap_or_else(|| panic!("no finding {id}"))
}

fn of<'a>(opinion: &'a Opinion, id: &str) -> &'a Finding {
    &draft(opinion, id).finding
}

/// Whether it fails as the only primary of a run, which is the least favourable for false alarms.
fn fails(opinion: &Opinion, id: &str) -> bool {
    comes_to(opinion, id) == Verdict::Fail
}

/// The verdict as if the finding were the only primary of a run.
fn comes_to(opinion: &Opinion, id: &str) -> Verdict {
    let Draft { finding, ground } = draft(opinion, id);
    let low_p = finding.p.is_some_and(|p| p <= 0.05);
    match ground {
        Ground::Settled => finding.verdict,
        Ground::Estimate(e) => {
            let threshold = finding.threshold.expect("it has a threshold");
            transect_stats::judge(e, &threshold, finding.better, finding.p)
        }
        Ground::Bounds { enough: false, .. } | Ground::Shown { enough: false, .. } => {
            Verdict::Undecided
        }
        Ground::Bounds { .. } | Ground::Shown { .. } if low_p => Verdict::Fail,
        Ground::Bounds {
            low,
            high,
            may_warn,
            ..
        } => {
            let warn = finding.threshold.expect("it has a threshold").warn;
            let (low, high, warn) = match finding.better {
                Better::Higher => (-high, -low, -warn),
                _ => (*low, *high, warn),
            };
            if low > warn && *may_warn {
                Verdict::Warn
            } else if high < warn {
                Verdict::Pass
            } else {
                Verdict::Undecided
            }
        }
        Ground::Shown { bad: true, .. } => Verdict::Warn,
        Ground::Shown { good: true, .. } => Verdict::Pass,
        Ground::Shown { .. } => Verdict::Undecided,
    }
}

/// What is asked of many runs, on two threads, in the order of their seeds.
fn of_runs<T: Send>(runs: u64, ask: &(dyn Fn(u64) -> T + Sync)) -> Vec<T> {
    let mut said: Vec<(u64, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|half| {
                scope.spawn(move || {
                    (0..runs)
                        .filter(|seed| seed % 2 == half)
                        .map(|seed| (seed, ask(seed)))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|w| w.join().expect("a worker ends"))
            .collect()
    });
    said.sort_by_key(|(seed, _)| *seed);
    said.into_iter().map(|(_, said)| said).collect()
}

/// How many of some runs are so.
fn share(runs: u64, ask: &(dyn Fn(u64) -> bool + Sync)) -> u64 {
    of_runs(runs, ask).into_iter().filter(|so| *so).count() as u64
}

/// How many runs pass, and how many fail.
fn verdicts(runs: u64, ask: &(dyn Fn(u64) -> Verdict + Sync)) -> (u64, u64) {
    let said = of_runs(runs, ask);
    let of = |wanted: Verdict| said.iter().filter(|v| **v == wanted).count() as u64;
    (of(Verdict::Pass), of(Verdict::Fail))
}

/// How often each thing is said of some runs.
fn said(runs: u64, ask: &(dyn Fn(u64) -> Vec<String> + Sync)) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for said in of_runs(runs, ask).into_iter().flatten() {
        *counts.entry(said).or_insert(0) += 1;
    }
    counts
}
