//! Worst case: planted weakness is found, its absence is never said to be proved.

use transect_anatomy::simulate::{self, Scenario, tables};
use transect_anatomy::{Judged, judge, judge_only};
use transect_core::context::PlanLevel;
use transect_core::{Task, Verdict};
use transect_table::MemoryTables;

use super::{find, share, verdict};

fn made(seed: u64, task: Task, broken: f64) -> MemoryTables {
    let mut tables = tables(&Scenario {
        seed,
        task,
        plan: PlanLevel::Standard,
        reference: 0,
        target: 40,
        reference_score: 0.95,
        target_score: 0.95,
        claim: None,
        ..Scenario::default()
    });
    simulate::adversarial::plant(&mut tables, broken);
    tables
}

fn run(seed: u64, task: Task, broken: f64) -> Judged {
    judge(&made(seed, task, broken)).expect("a run that was simulated can be judged")
}

/// The same judged by this mode alone, so that its primary is the only one: the least favourable for false alarms.
fn alone(seed: u64, broken: f64) -> Verdict {
    let judged = judge_only(&made(seed, Task::Classification, broken), &["adversarial"])
        .expect("a run that was simulated can be judged");
    verdict(&judged, "adversarial.natural")
}

#[test]
fn a_model_that_natural_changes_break_fails() {
    for task in [Task::Classification, Task::Instance] {
        let judged = run(1, task, 0.9);
        let finding = find(&judged, "adversarial.natural");
        assert_eq!(finding.verdict, Verdict::Fail, "{}", finding.claim);
        assert!(finding.images.len() >= 10);
        let distance = find(&judged, "adversarial.natural_distance");
        assert!(distance.estimate.is_some_and(|d| d < 2.0));
    }
    let judged = run(1, Task::Instance, 0.9);
    assert!(
        find(&judged, "adversarial.natural_count")
            .estimate
            .is_some_and(|e| e > 0.7)
    );
}

#[test]
fn a_search_that_finds_nothing_proves_nothing() {
    for seed in 0..6 {
        assert_eq!(alone(seed, 0.0), Verdict::Undecided);
    }
}

#[test]
fn the_least_favourable_share_fails_rarely() {
    let fails = share(60, &|seed| alone(seed, 0.3) == Verdict::Fail);
    // At a chance of 5% more than 9 of 60 come up in 1 of 1,000.
    assert!(fails <= 9, "{fails} of 60");
}

#[test]
fn it_never_colours_the_first_screen() {
    let (weak, strong) = (
        run(3, Task::Classification, 0.95),
        run(3, Task::Classification, 0.0),
    );
    assert_eq!(weak.headline.works.verdict, strong.headline.works.verdict);
}

#[test]
fn the_quick_plan_says_what_is_missing() {
    let judged = judge(&tables(&Scenario::default())).expect("judged");
    let finding = find(&judged, "adversarial.natural");
    assert_eq!(finding.verdict, Verdict::NotAssessable);
    assert!(
        finding
            .missing
            .as_deref()
            .is_some_and(|m| m.contains("--plan"))
    );
}

#[test]
fn images_wrong_at_first_are_in_no_share() {
    let judged = run(2, Task::Classification, 0.5);
    let n = find(&judged, "adversarial.natural").n;
    assert!((10..20).contains(&n) || n == 20, "{n}");
}
