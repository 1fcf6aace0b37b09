//! Large runs are judged in seconds.

use super::*;

#[test]
#[ignore = "seconds, and a figure only where nothing else runs"]
fn ten_thousand_images_under_forty_views() {
    let scenario = Scenario {
        reference: 5_000,
        target: 5_000,
        plan: transect_core::context::PlanLevel::Full,
        target_score: 0.8,
        shift: 1.0,
        ..Scenario::default()
    };
    let t = tables(&scenario);
    let study = transect_anatomy::Study::new(&t).unwrap();
    for mode in transect_anatomy::modes() {
        let start = std::time::Instant::now();
        (mode.judge)(&study).unwrap();
        println!("{}: {:?}", mode.name, start.elapsed());
    }
    let start = std::time::Instant::now();
    let j = transect_anatomy::judge(&t).unwrap();
    println!(
        "{} measurements, {} findings: {:?}",
        t.measurements.len(),
        j.findings.len(),
        start.elapsed()
    );
    assert!(start.elapsed().as_secs() < 60);
}
