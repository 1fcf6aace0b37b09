//! What must hold for any input.

use proptest::prelude::*;
use transect_core::{Better, Threshold, Verdict};
use transect_stats::{
    Estimate, Settings, Units, auroc, difference_of_rates, frechet_distance, holm, isotonic, judge,
    kolmogorov_smirnov, mean, n_needed, p_of_failure, rate, ratio, risk_coverage, spearman,
    statistic, statistic_of_rows,
};

fn settings() -> Settings {
    Settings {
        resamples: 400,
        ..Settings::new(1, "property")
    }
}

/// Bounds and tails of one estimate agree with one another.
fn consistent(e: &Estimate) {
    assert!(
        e.low <= e.estimate + 1e-9 && e.estimate <= e.high + 1e-9,
        "{e:?}"
    );
    assert!((e.lower(0.975) - e.low).abs() < 1e-12 && (e.upper(0.975) - e.high).abs() < 1e-12);
    assert!(e.lower(0.99) <= e.lower(0.9) + 1e-12 && e.upper(0.9) <= e.upper(0.99) + 1e-12);
    for tau in [-0.3, 0.05, 0.2, 0.4, 0.6, 0.9] {
        let (above, below) = (e.p_above(tau), e.p_below(tau));
        assert!(
            (0.0..=1.0).contains(&above) && (0.0..=1.0).contains(&below),
            "{e:?} {tau}"
        );
        assert!(
            above <= e.p_above(tau + 0.05) + 1e-9,
            "p_above grows with tau: {e:?} {tau}"
        );
    }
    if e.enough {
        for alpha in [0.01, 0.025, 0.05, 0.2] {
            let (low, high) = (e.lower(1.0 - alpha), e.upper(1.0 - alpha));
            let slack = 1e-6 + 1e-6 * low.abs().max(high.abs());
            // A little further out than the bound the p is at most alpha, a little further in at least.
            if e.lower(1.0 - 0.5 * alpha) < low - 2.0 * slack {
                assert!(
                    e.p_above(low - slack) <= alpha + 0.004,
                    "{} {alpha} {e:?}",
                    e.p_above(low - slack)
                );
                assert!(
                    e.p_above(low + slack) >= alpha - 0.004,
                    "{} {alpha} {e:?}",
                    e.p_above(low + slack)
                );
            }
            if e.upper(1.0 - 0.5 * alpha) > high + 2.0 * slack {
                assert!(
                    e.p_below(high + slack) <= alpha + 0.004,
                    "{} {alpha} {e:?}",
                    e.p_below(high + slack)
                );
                assert!(
                    e.p_below(high - slack) >= alpha - 0.004,
                    "{} {alpha} {e:?}",
                    e.p_below(high - slack)
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn intervals_and_tails_agree(
        hits in prop::collection::vec(any::<bool>(), 8..90),
        groups in prop::collection::vec(0_u8..30, 90),
        values in prop::collection::vec(-1.0_f64..1.0, 90),
    ) {
        let n = hits.len();
        for units in [Units::independent(n), Units::new(n, Some(&groups[..n]), None).unwrap()] {
            let share = rate(&hits, &units, &settings()).unwrap();
            consistent(&share);
            consistent(&mean(&values[..n], &units, &settings()).unwrap());
            let other = rate(&hits[..n / 2], &Units::independent(n / 2), &settings()).unwrap();
            consistent(&share.minus(&other));
            prop_assert_eq!(share.enough, units.effective().round() >= 6.0);
        }
    }

    #[test]
    fn the_order_of_rows_and_the_names_of_groups_change_nothing(
        hits in prop::collection::vec(any::<bool>(), 30..60),
        groups in prop::collection::vec(0_u8..12, 60),
    ) {
        let n = hits.len();
        let forward = rate(&hits, &Units::new(n, Some(&groups[..n]), None).unwrap(), &settings()).unwrap();
        let reversed: Vec<bool> = hits.iter().rev().copied().collect();
        let labels: Vec<String> = groups[..n].iter().rev().map(|g| format!("patient {g}")).collect();
        let backward = rate(&reversed, &Units::new(n, Some(&labels), None).unwrap(), &settings()).unwrap();
        prop_assert!((forward.low - backward.low).abs() < 1e-9 && (forward.high - backward.high).abs() < 1e-9);
    }

    #[test]
    fn a_mean_is_a_ratio_and_a_statistic(values in prop::collection::vec(-3.0_f64..3.0, 45..60)) {
        let n = values.len();
        let units = Units::independent(n);
        let direct = mean(&values, &units, &settings()).unwrap();
        let pooled = ratio(&values, &vec![1.0; n], &units, &settings()).unwrap();
        let by_weights = statistic(&units, &settings(), &mut |w| {
            Some(values.iter().zip(w).map(|(v, w)| v * w).sum::<f64>() / w.iter().sum::<f64>())
        }).unwrap();
        let by_rows = statistic_of_rows(&units, &settings(), &mut |rows| {
            Some(rows.iter().map(|&r| values[r]).sum::<f64>() / rows.len() as f64)
        }).unwrap();
        for other in [pooled, by_weights, by_rows] {
            prop_assert!((direct.low - other.low).abs() < 1e-9 && (direct.high - other.high).abs() < 1e-9);
            prop_assert!((direct.se - other.se).abs() < 1e-9);
        }
    }

    #[test]
    fn auroc_mirrors_and_ranks_are_all_that_count(
        scores in prop::collection::vec(-5_i32..5, 4..40),
        labels in prop::collection::vec(any::<bool>(), 40),
    ) {
        let scores: Vec<f64> = scores.iter().map(|&s| f64::from(s)).collect();
        let labels = &labels[..scores.len()];
        let stretched: Vec<f64> = scores.iter().map(|s| s.exp()).collect();
        let flipped: Vec<bool> = labels.iter().map(|l| !l).collect();
        if let Some(a) = auroc(&scores, labels).unwrap() {
            prop_assert!((a - auroc(&stretched, labels).unwrap().unwrap()).abs() < 1e-12);
            prop_assert!((a + auroc(&scores, &flipped).unwrap().unwrap() - 1.0).abs() < 1e-12);
        }
        let same = spearman(&scores, &scores).unwrap();
        prop_assert!(same.is_none_or(|r| (r - 1.0).abs() < 1e-12));
        prop_assert_eq!(kolmogorov_smirnov(&scores, &scores).unwrap(), 0.0);
    }

    #[test]
    fn selective_risk_ignores_order_and_ends_at_the_mean(
        rows in prop::collection::vec((0_u8..4, 0.0_f64..1.0), 1..30),
    ) {
        let split = |rows: &[(u8, f64)]| -> (Vec<f64>, Vec<f64>) {
            rows.iter().map(|&(c, l)| (f64::from(c), l)).unzip()
        };
        let (c, l) = split(&rows);
        let mut reversed = rows.clone();
        reversed.reverse();
        let (cr, lr) = split(&reversed);
        let (a, b) = (risk_coverage(&c, &l).unwrap(), risk_coverage(&cr, &lr).unwrap());
        prop_assert_eq!(&a, &b);
        let mean = l.iter().sum::<f64>() / l.len() as f64;
        prop_assert!((a.risk[a.risk.len() - 1] - mean).abs() < 1e-12);
        // A perfect order is no worse than any other.
        let best = risk_coverage(&l.iter().map(|v| -v).collect::<Vec<_>>(), &l).unwrap();
        prop_assert!(best.aurc <= a.aurc + 1e-12 && best.augrc <= a.augrc + 1e-12);
    }

    #[test]
    fn isotonic_is_monotone_keeps_the_mean_and_is_its_own_fit(values in prop::collection::vec(-2.0_f64..2.0, 1..20)) {
        let weights = vec![1.0; values.len()];
        let fit = isotonic(&values, &weights).unwrap();
        prop_assert!(fit.windows(2).all(|p| p[0] <= p[1] + 1e-12));
        prop_assert!((fit.iter().sum::<f64>() - values.iter().sum::<f64>()).abs() < 1e-9);
        let again = isotonic(&fit, &weights).unwrap();
        prop_assert!(fit.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn holm_is_between_p_and_bonferroni(p in prop::collection::vec(0.0_f64..=1.0, 1..12)) {
        let adjusted = holm(&p).unwrap();
        for (a, p_one) in adjusted.iter().zip(&p) {
            prop_assert!(a + 1e-12 >= *p_one && *a <= (p_one * p.len() as f64).min(1.0).max(*a));
            prop_assert!(*a <= 1.0);
        }
        let least = p.iter().copied().fold(1.0, f64::min);
        let smallest = adjusted.iter().copied().fold(1.0, f64::min);
        prop_assert!((smallest - (least * p.len() as f64).min(1.0)).abs() < 1e-12);
    }
}

#[test]
fn frechet_is_symmetric_and_moves_with_the_mean() {
    let data: Vec<f64> = (0..60).map(|i| f64::from((i * 37) % 23) / 7.0).collect();
    let a = transect_stats::Matrix::new(20, 3, data.clone()).unwrap();
    let b = transect_stats::Matrix::new(20, 3, data.iter().map(|v| v + 2.0).collect()).unwrap();
    let (ab, ba) = (
        frechet_distance(&a, &b).unwrap(),
        frechet_distance(&b, &a).unwrap(),
    );
    assert!(
        (ab - ba).abs() < 1e-9 && (ab - 12.0).abs() < 1e-6,
        "{ab} {ba}"
    );
}

#[test]
fn verdicts_follow_the_rules() {
    let settings = Settings::new(1, "verdict");
    let threshold = Threshold {
        warn: 0.10,
        fail: 0.20,
    };
    let of = |wrong: usize, n: usize| {
        let hits: Vec<bool> = (0..n).map(|i| i < wrong).collect();
        rate(&hits, &Units::independent(n), &settings).unwrap()
    };
    let primary = |e: &Estimate| {
        let p = p_of_failure(e, &threshold, Better::Lower);
        judge(e, &threshold, Better::Lower, Some(holm(&[p]).unwrap()[0]))
    };
    assert_eq!(primary(&of(100, 200)), Verdict::Fail);
    assert_eq!(
        judge(&of(100, 200), &threshold, Better::Lower, None),
        Verdict::Warn
    );
    assert_eq!(primary(&of(4, 200)), Verdict::Pass);
    assert_eq!(primary(&of(20, 200)), Verdict::Undecided);
    assert_eq!(primary(&of(40, 200)), Verdict::Warn);
    assert_eq!(primary(&of(0, 3)), Verdict::Undecided);
    assert_eq!(
        judge(&of(4, 200), &threshold, Better::Neither, None),
        Verdict::Described
    );
    // The mirror image: a score that is better when higher.
    let mirrored = Threshold {
        warn: 0.90,
        fail: 0.80,
    };
    let score = of(100, 200);
    let p = p_of_failure(&score, &mirrored, Better::Higher);
    assert!(p < 1e-6);
    assert_eq!(
        judge(&score, &mirrored, Better::Higher, Some(p)),
        Verdict::Fail
    );
    assert_eq!(
        judge(&of(196, 200), &mirrored, Better::Higher, Some(1.0)),
        Verdict::Pass
    );
}

#[test]
fn under_six_groups_nothing_is_claimed_beyond_them() {
    let hits: Vec<bool> = (0..100).map(|i| i % 3 == 0).collect();
    let groups: Vec<usize> = (0..100).map(|i| i / 25).collect();
    let made = rate(
        &hits,
        &Units::new(100, Some(&groups), None).unwrap(),
        &Settings::new(1, "few"),
    )
    .unwrap();
    assert!(
        !made.enough && made.method.starts_with("these groups only"),
        "{}",
        made.method
    );
    assert_eq!((made.p_above(0.0), made.p_below(1.0)), (1.0, 1.0));
    assert!(made.low > 0.2 && made.high < 0.5);
}

#[test]
fn what_is_needed_has_its_closed_form_and_settles() {
    let settings = Settings::new(1, "needed");
    let hits: Vec<bool> = (0..100).map(|i| i < 14).collect();
    let made = rate(&hits, &Units::independent(100), &settings).unwrap();
    let needed = n_needed(&made, 0.10).unwrap();
    let expected = 100.0 * ((1.959_964 + 0.841_621) * made.se / 0.04_f64).powi(2);
    assert!(
        (needed.images as f64 - expected.ceil()).abs() <= 1.0,
        "{needed:?} {expected}"
    );
    assert_eq!(needed.images, needed.groups);
    assert_eq!(n_needed(&made, made.estimate), None);
    // None wrong of 20: Clopper–Pearson excludes 0.10 from 36 on.
    let none = rate(&[false; 20], &Units::independent(20), &settings).unwrap();
    assert_eq!(n_needed(&none, 0.10).unwrap().images, 36);
    let enough = rate(&[false; 36], &Units::independent(36), &settings).unwrap();
    assert!(enough.high < 0.10);
}

#[test]
fn a_difference_keeps_what_is_known_of_an_extreme_side() {
    let settings = Settings::new(1, "extreme");
    let right = vec![true; 51];
    let some: Vec<bool> = (0..17).map(|i| i < 7).collect();
    let made = difference_of_rates(
        &some,
        &Units::independent(17),
        &right,
        &Units::independent(51),
        &settings,
    )
    .unwrap();
    assert!((made.estimate - (7.0 / 17.0 - 1.0)).abs() < 1e-12);
    assert!(made.high < 0.0 && made.low > -1.0, "{made:?}");
    assert!(made.p_below(0.0) < 0.01);
}

#[test]
fn strata_are_fixed_and_shrink_the_interval() {
    // Two strata with rates near 0 and 1: over strata all variance is between them.
    let hits: Vec<bool> = (0..200).map(|i| (i < 100) != (i % 10 == 0)).collect();
    let strata: Vec<usize> = (0..200).map(|i| i / 100).collect();
    let settings = Settings::new(1, "strata");
    let free = rate(&hits, &Units::independent(200), &settings).unwrap();
    let fixed = rate(
        &hits,
        &Units::new(200, None, Some(&strata)).unwrap(),
        &settings,
    )
    .unwrap();
    assert_eq!(free.estimate, fixed.estimate);
    let expected = (2.0 * 100.0 / 99.0 * 9.0 / 40_000.0_f64).sqrt();
    assert!(
        (fixed.se - expected).abs() < 1e-9,
        "{} {expected}",
        fixed.se
    );
    assert!(fixed.se < 0.7 * free.se);
    let values: Vec<f64> = hits.iter().map(|&h| f64::from(u8::from(h))).collect();
    let by_mean = mean(
        &values,
        &Units::new(200, None, Some(&strata)).unwrap(),
        &settings,
    )
    .unwrap();
    assert!(
        (by_mean.se / fixed.se - 1.0).abs() < 0.02,
        "{} {}",
        by_mean.se,
        fixed.se
    );
}

#[test]
fn the_same_seed_gives_the_same_numbers() {
    let values: Vec<f64> = (0..80).map(|i| f64::from((i * 13) % 29)).collect();
    let units = Units::independent(80);
    let once = mean(&values, &units, &Settings::new(1, "a")).unwrap();
    assert_eq!(once, mean(&values, &units, &Settings::new(1, "a")).unwrap());
    assert_ne!(
        once.low,
        mean(&values, &units, &Settings::new(2, "a")).unwrap().low
    );
}

#[test]
fn bad_input_is_refused_with_its_code() {
    let settings = Settings::new(1, "bad");
    let units = Units::independent(2);
    for error in [
        mean(&[1.0, f64::NAN], &units, &settings).unwrap_err(),
        mean(&[1.0], &units, &settings).unwrap_err(),
        mean(&[], &Units::independent(0), &settings).unwrap_err(),
        rate(&[true], &units, &settings).unwrap_err(),
        ratio(&[1.0, 1.0], &[0.0, 0.0], &units, &settings).unwrap_err(),
        ratio(&[1.0, 1.0], &[2.0, -1.0], &units, &settings).unwrap_err(),
        statistic(&units, &settings, &mut |_| None).unwrap_err(),
    ] {
        assert_eq!(error.code.id, "T701", "{error}");
    }
}

#[test]
fn one_image_bounds_nothing_whatever_its_range() {
    let settings = Settings::new(1, "one");
    let units = Units::independent(1);
    let free = mean(&[0.4], &units, &settings).unwrap();
    assert!(free.low == f64::NEG_INFINITY && free.high == f64::INFINITY && !free.enough);
    let within = mean(&[0.4], &units, &settings.range(0.0, 1.0)).unwrap();
    assert!(within.is_open() && !within.enough);
}
