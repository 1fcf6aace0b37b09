//! Fast versions of what `proving calibrate` measures in full.

use transect_core::Stream;
use transect_stats::{
    Matrix, Settings, Units, class_mix, classifier_two_sample, clopper_pearson, max_t, mean,
    mmd_aggregated, rate,
};

const SIMULATIONS: u64 = 300;

fn stream(purpose: &str, simulation: u64) -> Stream {
    Stream::new(99, purpose, &[&simulation.to_le_bytes()])
}

/// The 99.9% Monte Carlo interval of a count meets a band.
fn within(what: &str, count: u64, low: f64, high: f64) {
    let (l, h) = clopper_pearson(count as f64, SIMULATIONS as f64, 0.999).unwrap();
    assert!(h >= low && l <= high, "{what}: {count} of {SIMULATIONS}");
}

fn settings() -> Settings {
    Settings {
        resamples: 500,
        ..Settings::new(1, "fast")
    }
}

#[test]
fn rates_and_means_cover_with_and_without_groups() {
    for (n, groups) in [(100, 100), (200, 10)] {
        let labels: Vec<usize> = (0..n).map(|i| i * groups / n).collect();
        let units = Units::new(n, Some(&labels), None).unwrap();
        let (mut rates, mut means) = (0, 0);
        for simulation in 0..SIMULATIONS {
            let mut s = stream("coverage", simulation);
            let effects: Vec<f64> = (0..groups).map(|_| s.normal()).collect();
            let share = if groups == n { 0.0 } else { 0.1_f64 };
            // A latent normal with an intraclass correlation, cut at its 30% quantile.
            let latent: Vec<f64> = labels
                .iter()
                .map(|&g| share.sqrt() * effects[g] + (1.0 - share).sqrt() * s.normal())
                .collect();
            let hits: Vec<bool> = latent.iter().map(|&v| v < -0.524_400_5).collect();
            let r = rate(&hits, &units, &settings()).unwrap();
            let m = mean(&latent, &units, &settings()).unwrap();
            rates += u64::from(r.low <= 0.3 && 0.3 <= r.high);
            means += u64::from(m.low <= 0.0 && 0.0 <= m.high);
        }
        within(&format!("rate over {groups} groups"), rates, 0.93, 0.97);
        within(&format!("mean over {groups} groups"), means, 0.93, 0.97);
    }
}

/// Two samples of 8 + 8 groups of 6, alike within groups, no difference.
fn clustered(simulation: u64, d: usize) -> (Vec<Vec<Option<f64>>>, Matrix, Vec<bool>, Units) {
    let mut s = stream("null", simulation);
    let labels: Vec<usize> = (0..96).map(|i| i / 6).collect();
    let target: Vec<bool> = labels.iter().map(|g| g % 2 == 0).collect();
    let columns: Vec<Vec<f64>> = (0..d)
        .map(|_| {
            let effects: Vec<f64> = (0..16).map(|_| s.normal()).collect();
            labels
                .iter()
                .map(|&g| 0.6 * effects[g] + 0.8 * s.normal())
                .collect()
        })
        .collect();
    let data: Vec<f64> = (0..96)
        .flat_map(|i| columns.iter().map(move |c| c[i]))
        .collect();
    let optional = columns
        .iter()
        .map(|c| c.iter().map(|v| Some(*v)).collect())
        .collect();
    (
        optional,
        Matrix::new(96, d, data).unwrap(),
        target,
        Units::new(96, Some(&labels), None).unwrap(),
    )
}

#[test]
fn tests_keep_their_level_under_a_clustered_null() {
    let (mut classifier, mut mmd, mut family) = (0, 0, 0);
    for simulation in 0..SIMULATIONS {
        let (columns, x, target, units) = clustered(simulation, 4);
        classifier += u64::from(
            classifier_two_sample(&x, &target, &units, 39, &settings())
                .unwrap()
                .p
                <= 0.05,
        );
        mmd += u64::from(
            mmd_aggregated(&x, &target, &units, 39, &settings())
                .unwrap()
                .p
                <= 0.05,
        );
        let (tests, _) = max_t(&columns, &target, &units, 39, &settings()).unwrap();
        family += u64::from(tests.iter().flatten().any(|t| t.p_adjusted <= 0.05));
    }
    within("classifier", classifier, 0.0, 0.05);
    within("MMD", mmd, 0.0, 0.05);
    within("max-T", family, 0.0, 0.05);
    // And with rows taken for independent, the same null is rejected far too often: groups are what protects.
    let mut naive = 0;
    for simulation in 0..SIMULATIONS {
        let (columns, _, target, _) = clustered(simulation, 4);
        let (tests, _) =
            max_t(&columns, &target, &Units::independent(96), 39, &settings()).unwrap();
        naive += u64::from(tests.iter().flatten().any(|t| t.p_adjusted <= 0.05));
    }
    assert!(naive > 4 * SIMULATIONS / 10, "{naive}");
}

#[test]
fn differences_that_are_there_are_found() {
    let mut s = stream("power", 0);
    let target: Vec<bool> = (0..120).map(|i| i % 2 == 0).collect();
    let units = Units::independent(120);
    let moved: Vec<f64> = (0..240)
        .map(|i| {
            s.normal()
                + if i % 2 == 0 && target[i / 2] {
                    1.5
                } else {
                    0.0
                }
        })
        .collect();
    let x = Matrix::new(120, 2, moved).unwrap();
    let classifier = classifier_two_sample(&x, &target, &units, 199, &settings()).unwrap();
    assert!(
        classifier.p == 1.0 / 200.0 && classifier.auc.p_above(0.7) < 0.01,
        "{classifier:?}"
    );
    assert!(
        (classifier.auc.estimate - 0.855).abs() < 0.08,
        "{}",
        classifier.auc.estimate
    );
    // A difference of spread alone: the linear classifier is blind to it, the kernel is not.
    let spread: Vec<f64> = (0..240)
        .map(|i| s.normal() * if target[i / 2] { 3.0 } else { 1.0 })
        .collect();
    let x = Matrix::new(120, 2, spread).unwrap();
    assert!(
        mmd_aggregated(&x, &target, &units, 199, &settings())
            .unwrap()
            .p
            <= 0.01
    );
}

#[test]
fn few_groups_say_that_no_p_can_be_small() {
    let labels: Vec<usize> = (0..60).map(|i| i / 10).collect();
    let target: Vec<bool> = labels.iter().map(|&g| g < 3).collect();
    let units = Units::new(60, Some(&labels), None).unwrap();
    let data: Vec<f64> = (0..60)
        .map(|i| if target[i] { 9.0 } else { 0.0 } + (i % 7) as f64)
        .collect();
    let x = Matrix::new(60, 1, data).unwrap();
    let made = classifier_two_sample(&x, &target, &units, 199, &settings()).unwrap();
    assert!((made.smallest_p - 0.1).abs() < 1e-12 && made.p > 0.05 && !made.auc.enough);
    assert_eq!(made.auc.estimate, 1.0);
    let kernel = mmd_aggregated(&x, &target, &units, 199, &settings()).unwrap();
    assert!((kernel.smallest_p - 0.1).abs() < 1e-12 && kernel.p > 0.05);
}

#[test]
fn large_samples_are_subsampled_and_stay_fast() {
    let mut s = stream("large", 0);
    let n = 12_000;
    let target: Vec<bool> = (0..n).map(|i| i % 2 == 0).collect();
    let data: Vec<f64> = (0..n * 3)
        .map(|i| s.normal() + if i % 6 == 0 { 1.0 } else { 0.0 })
        .collect();
    let x = Matrix::new(n, 3, data).unwrap();
    let units = Units::independent(n);
    let made = mmd_aggregated(&x, &target, &units, 39, &settings()).unwrap();
    assert_eq!(made.used, (1000, 1000));
    assert_eq!(made.p, 1.0 / 40.0);
}

#[test]
fn class_mix_is_told_from_appearance() {
    let (mut conditional, mut mix) = (0, 0);
    for simulation in 0..SIMULATIONS {
        let mut s = stream("mix", simulation);
        let mut side = |n: usize, share: f64| -> (Vec<u32>, Vec<f64>) {
            (0..n)
                .map(|_| {
                    let class = u32::from(s.uniform() >= share);
                    (
                        class,
                        f64::from(u8::from(s.uniform() < if class == 0 { 0.5 } else { 0.1 })),
                    )
                })
                .unzip()
        };
        // The same risk within classes; only the mix differs.
        let (t, r) = (side(80, 0.8), side(120, 0.4));
        let made = class_mix(
            (&t.0, &t.1),
            &Units::independent(80),
            (&r.0, &r.1),
            &Units::independent(120),
            &settings().range(-1.0, 1.0),
        )
        .unwrap()
        .unwrap();
        conditional += u64::from(made.conditional.low <= 0.0 && 0.0 <= made.conditional.high);
        mix += u64::from(made.class_mix.low <= 0.16 && 0.16 <= made.class_mix.high);
    }
    within("conditional part", conditional, 0.93, 0.97);
    within("class-mix part", mix, 0.93, 0.97);
}
