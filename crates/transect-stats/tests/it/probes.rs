//! Probes, ranks, agreement, strata and simultaneous bounds: golden values of peers, properties, fast calibration.

use proptest::prelude::*;
use serde_json::Value;
use transect_core::Stream;
use transect_stats::{
    Folds, Matrix, Settings, Units, adjusted_rand, best_single_classes, best_single_value,
    clopper_pearson, cramers_v, decodability, effective_rank, hidden_strata, kappa_weighted,
    label_doubts, mutual_information, probe_classes, probe_value, rank_estimates, separation,
    simultaneous_means, subgroups_against_rest,
};

use super::golden::{close, flags, floats, number, read};

fn labels(value: &Value) -> Vec<u32> {
    floats(value).iter().map(|&v| v as u32).collect()
}

fn matrix(value: &Value, n: usize) -> Matrix {
    let data = floats(value);
    Matrix::new(n, data.len() / n, data).unwrap()
}

fn size(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn folds(row: &Value) -> Folds {
    let inner = row["inner"]
        .as_array()
        .unwrap()
        .iter()
        .map(labels)
        .collect();
    Folds::given(labels(&row["outer"]), inner).unwrap()
}

#[test]
fn probes_are_scikit_learns_on_the_same_folds() {
    let all = read("probe");
    for row in all["classes"].as_array().unwrap() {
        let (n, k) = (size(&row["n"]), size(&row["classes"]));
        let x = matrix(&row["features"], n);
        let made = probe_classes(&x, &labels(&row["labels"]), k, &folds(row)).unwrap();
        close(
            "shrinkage",
            &made.shrinkage,
            &floats(&row["shrinkage"]),
            0.0,
        );
        let (ours, theirs) = (&made.temperature, floats(&row["temperature"]));
        let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(a, b)| a / b).collect();
        close("temperature", &ratios, &[1.0; 5], 1e-4);
        let p = floats(&row["probabilities"]);
        close("probabilities", made.probabilities.data(), &p, 1e-5);
        assert_eq!(made.predicted, labels(&row["predicted"]));
        assert_eq!(made.balanced, labels(&row["balanced"]));
    }
    for row in all["values"].as_array().unwrap() {
        let x = matrix(&row["features"], size(&row["n"]));
        let made = probe_value(&x, &floats(&row["values"]), &folds(row)).unwrap();
        close(
            "shrinkage",
            &made.shrinkage,
            &floats(&row["shrinkage"]),
            0.0,
        );
        close("values", &made.predicted, &floats(&row["predicted"]), 1e-8);
    }
    for row in all["single"].as_array().unwrap() {
        let (n, k) = (size(&row["n"]), size(&row["classes"]));
        let x = matrix(&row["features"], n);
        let made = best_single_classes(&x, &labels(&row["labels"]), k, &folds(row)).unwrap();
        let chosen =
            |name: &str| -> Vec<usize> { floats(&row[name]).iter().map(|&v| v as usize).collect() };
        assert_eq!(made.feature, chosen("feature"));
        assert_eq!(made.bins, chosen("bins"));
        assert_eq!(made.predicted, labels(&row["predicted"]));
        assert_eq!(made.balanced, labels(&row["balanced"]));
        let made = best_single_value(&x, &floats(&row["values"]), &folds(row)).unwrap();
        assert_eq!(made.feature, chosen("value_feature"));
        assert_eq!(made.bins, chosen("value_bins"));
        let theirs = floats(&row["value_predicted"]);
        close("means of bins", &made.predicted, &theirs, 1e-9);
    }
}

#[test]
fn ranks_are_numpys() {
    for row in read("effective_rank").as_array().unwrap() {
        let made = effective_rank(&matrix(&row["embeddings"], size(&row["n"])))
            .unwrap()
            .unwrap();
        close(
            "ranks",
            &[
                made.effective_rank,
                made.participation_ratio,
                made.top_share,
            ],
            &[
                number(&row["effective_rank"]),
                number(&row["participation_ratio"]),
                number(&row["top_share"]),
            ],
            1e-9,
        );
        let theirs = number(&row["rank_me"]);
        close("RankMe", &[made.rank_me], &[theirs], 1e-6 * theirs);
        assert_eq!(made.alpha.is_some(), !row["alpha"].is_null());
        if let Some(alpha) = made.alpha {
            close("α", &[alpha], &[number(&row["alpha"])], 1e-9);
        }
    }
}

#[test]
fn agreement_is_the_peers() {
    for row in read("agreement").as_array().unwrap() {
        let (a, b) = (labels(&row["a"]), labels(&row["b"]));
        let weights = vec![1.0; a.len()];
        let v = cramers_v(&a, &b).unwrap().unwrap();
        let (information, share) = mutual_information(&a, &b).unwrap();
        close(
            "agreement",
            &[
                kappa_weighted(&a, &b, size(&row["classes"]), &weights).unwrap(),
                adjusted_rand(&a, &b).unwrap(),
                information,
                share,
                v.chi_squared,
                v.v,
                v.uncorrected,
            ],
            &[
                number(&row["kappa"]),
                number(&row["rand"]),
                number(&row["information"]),
                number(&row["information_share"]),
                number(&row["chi_squared"]),
                number(&row["v"]),
                number(&row["uncorrected"]),
            ],
            1e-9,
        );
    }
}

#[test]
fn doubted_labels_are_cleanlabs_in_its_order() {
    for row in read("confident").as_array().unwrap() {
        let of = labels(&row["labels"]);
        let made = label_doubts(&matrix(&row["probabilities"], of.len()), &of).unwrap();
        let ours: Vec<u32> = made.doubts.iter().map(|d| d.row as u32).collect();
        assert_eq!(ours, labels(&row["issues"]));
    }
}

#[test]
fn the_dip_is_diptests_and_the_parts_are_scikit_learns() {
    let settings = Settings::new(1, "golden");
    for row in read("separation").as_array().unwrap() {
        let values: Vec<Option<f64>> = floats(&row["values"]).into_iter().map(Some).collect();
        let made = separation(&values, &settings).unwrap();
        let kind = row["kind"].as_str().unwrap();
        if let Some(split) = &made {
            let what = format!("dip of {kind}, {}", values.len());
            close(&what, &[split.dip], &[number(&row["dip"])], 1e-9);
        }
        let Some(theirs) = row["separation"].as_f64() else {
            continue;
        };
        let split = made.unwrap();
        let what = format!("D of {kind}, {}", values.len());
        close(&what, &[split.separation], &[theirs], 1e-3 * theirs);
        let upper: Vec<bool> = split.upper.iter().map(|u| u.unwrap()).collect();
        assert_eq!(upper, flags(&row["upper"]), "{what}");
    }
}

#[test]
fn the_joint_level_is_that_of_scipys_multivariate_normal() {
    for row in read("simultaneous").as_array().unwrap() {
        let columns: Vec<Vec<f64>> = row["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(floats)
            .collect();
        let units = Units::independent(columns[0].len());
        let made = simultaneous_means(&columns, &units, &Settings::new(1, "golden")).unwrap();
        let ratios = [
            made.alpha_two_sided / number(&row["two_sided"]),
            made.alpha_one_sided / number(&row["one_sided"]),
        ];
        close("α", &ratios, &[1.0, 1.0], 0.07);
    }
}

/// Rows, columns and labels for properties.
fn table() -> impl Strategy<Value = (Matrix, Vec<u32>)> {
    (15_usize..40, 1_usize..50, any::<u64>()).prop_map(|(n, d, seed)| {
        let mut stream = Stream::new(seed, "property", &[]);
        let of: Vec<u32> = (0..n).map(|i| (i % 3) as u32).collect();
        let data = (0..n * d)
            .map(|i| {
                stream.normal()
                    + if i % d == 0 {
                        f64::from(of[i / d])
                    } else {
                        0.0
                    }
            })
            .collect();
        (Matrix::new(n, d, data).unwrap(), of)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn units_of_a_feature_and_constant_columns_change_no_prediction((x, of) in table()) {
        let (n, d) = (x.rows(), x.columns());
        let units = Units::independent(n);
        let folds = Folds::of_classes(&of, 3, &units, &Settings::new(1, "p")).unwrap();
        let made = probe_classes(&x, &of, 3, &folds).unwrap();
        let data: Vec<f64> = (0..n)
            .flat_map(|i| {
                let row = x.row(i).to_vec();
                (0..=d).map(move |j| if j == d { 7.0 } else { 1e3 * row[j] - 5.0 })
            })
            .collect();
        let moved = Matrix::new(n, d + 1, data).unwrap();
        let again = probe_classes(&moved, &of, 3, &folds).unwrap();
        prop_assert_eq!(&made.shrinkage, &again.shrinkage);
        for (a, b) in made.probabilities.data().iter().zip(again.probabilities.data()) {
            prop_assert!((a - b).abs() < 1e-6);
        }
        let once = best_single_classes(&x, &of, 3, &folds).unwrap();
        let twice = best_single_classes(&moved, &of, 3, &folds).unwrap();
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn what_is_held_out_is_not_learned_from((x, of) in table()) {
        let n = x.rows();
        let units = Units::independent(n);
        let folds = Folds::of_classes(&of, 3, &units, &Settings::new(1, "p")).unwrap();
        let made = probe_classes(&x, &of, 3, &folds).unwrap();
        // Other labels within one fold change nothing about that fold.
        let fold = folds.outer()[0];
        let mut changed = of.clone();
        for row in (0..n).filter(|&row| folds.outer()[row] == fold) {
            changed[row] = (changed[row] + 1) % 3;
        }
        let again = probe_classes(&x, &changed, 3, &folds).unwrap();
        let single = best_single_classes(&x, &of, 3, &folds).unwrap();
        let single_again = best_single_classes(&x, &changed, 3, &folds).unwrap();
        for row in (0..n).filter(|&row| folds.outer()[row] == fold) {
            prop_assert_eq!(made.probabilities.row(row), again.probabilities.row(row));
            prop_assert_eq!(single.predicted[row], single_again.predicted[row]);
        }
    }

    #[test]
    fn ranks_stay_within_their_range_and_see_no_scale((x, _) in table()) {
        let made = effective_rank(&x).unwrap().unwrap();
        let most = x.columns().min(x.rows() - 1) as f64 + 1e-9;
        prop_assert!(made.effective_rank >= 1.0 - 1e-9 && made.effective_rank <= most);
        prop_assert!(made.participation_ratio >= 1.0 - 1e-9);
        prop_assert!(made.participation_ratio <= made.effective_rank + 1e-9);
        let scaled: Vec<f64> = x.data().iter().map(|v| 40.0 * v).collect();
        let scaled = effective_rank(&Matrix::new(x.rows(), x.columns(), scaled).unwrap())
            .unwrap()
            .unwrap();
        prop_assert!((scaled.effective_rank / made.effective_rank - 1.0).abs() < 1e-9);
        prop_assert!((scaled.rank_me / made.rank_me - 1.0).abs() < 1e-9);
    }

    #[test]
    fn names_of_labels_and_order_of_rows_play_no_part(
        pairs in prop::collection::vec((0_u32..4, 0_u32..4), 5..60),
    ) {
        let (a, b): (Vec<u32>, Vec<u32>) = pairs.iter().copied().unzip();
        let renamed: Vec<u32> = b.iter().map(|l| 9 - 2 * l).collect();
        prop_assert!((adjusted_rand(&a, &b).unwrap() - adjusted_rand(&renamed, &a).unwrap()).abs() < 1e-12);
        let (x, y) = (cramers_v(&a, &b).unwrap(), cramers_v(&renamed, &a).unwrap());
        prop_assert_eq!(x.is_some(), y.is_some());
        if let (Some(x), Some(y)) = (x, y) {
            // Squares, since the root of a rounding error is none. The correction may also raise it, in tables far from square.
            prop_assert!((x.v.powi(2) - y.v.powi(2)).abs() < 1e-9);
            prop_assert!((0.0..=1.0).contains(&x.v));
        }
        let mut turned = pairs.clone();
        turned.reverse();
        let (c, d): (Vec<u32>, Vec<u32>) = turned.into_iter().unzip();
        prop_assert_eq!(adjusted_rand(&a, &b).unwrap(), adjusted_rand(&c, &d).unwrap());
        prop_assert_eq!(adjusted_rand(&a, &a).unwrap(), 1.0);
    }
}

/// Whether a count of successes agrees with a share, by its exact 99.9% interval.
fn agrees(hits: usize, of: usize, share: f64) -> bool {
    let (low, high) = clopper_pearson(hits as f64, of as f64, 0.999).unwrap();
    (low..=high).contains(&share)
}

fn normals(stream: &mut Stream, n: usize) -> Vec<f64> {
    (0..n).map(|_| stream.normal()).collect()
}

#[test]
fn the_p_of_decodability_is_uniform_under_its_null_with_groups() {
    // 24 groups of 4 rows that are alike within; the domain goes with nothing.
    let groups: Vec<usize> = (0..96).map(|i| i / 4).collect();
    let units = Units::new(96, Some(&groups), None).unwrap();
    let domain: Vec<u32> = groups.iter().map(|g| (g % 3) as u32).collect();
    let (mut low, mut half, runs) = (0, 0, 200);
    for run in 0..runs {
        let mut stream = Stream::new(run, "null", &[]);
        let own = normals(&mut stream, 24 * 5);
        let data = (0..96 * 5)
            .map(|i| own[i / 5 / 4 * 5 + i % 5] + 0.5 * stream.normal())
            .collect();
        let x = Matrix::new(96, 5, data).unwrap();
        let made = decodability(&x, &domain, 3, &units, 99, &Settings::new(run, "d")).unwrap();
        low += usize::from(made.p <= 0.1);
        half += usize::from(made.p <= 0.5);
    }
    assert!(agrees(low, runs as usize, 0.1), "{low} of {runs} at 10%");
    assert!(agrees(half, runs as usize, 0.5), "{half} of {runs} at 50%");
}

#[test]
fn simultaneous_bounds_hold_together() {
    // Ten correlated columns over 20 groups, and overlapping subgroups of 120 images.
    let groups: Vec<usize> = (0..80).map(|i| i / 4).collect();
    let units = Units::new(80, Some(&groups), None).unwrap();
    let runs = 150;
    let mut settings = Settings::new(1, "s");
    settings.resamples = 200;
    let (mut means, mut one_sided, mut subgroups, mut alone) = (0, 0, 0, 0);
    for run in 0..runs {
        let mut stream = Stream::new(run, "together", &[]);
        settings.seed = run;
        let shared = normals(&mut stream, 20);
        let columns: Vec<Vec<f64>> = (0..10)
            .map(|_| {
                let own = normals(&mut stream, 20);
                (0..80)
                    .map(|i| shared[i / 4] + own[i / 4] + stream.normal())
                    .collect()
            })
            .collect();
        let made = simultaneous_means(&columns, &units, &settings).unwrap();
        means += usize::from(made.intervals.iter().all(|i| i.0 <= 0.0 && i.1 >= 0.0));
        one_sided += usize::from(made.lower.iter().all(|l| *l <= 0.0));
        alone += usize::from(made.estimates.iter().all(|e| e.low <= 0.0 && e.high >= 0.0));
        let values = normals(&mut stream, 30);
        let inside: Vec<Vec<bool>> = (0..6)
            .map(|_| (0..30).map(|i| stream.uniform() < 0.3 || i < 3).collect())
            .collect();
        let made =
            subgroups_against_rest(&values, &inside, &Units::independent(30), &settings).unwrap();
        subgroups += usize::from(made.intervals.iter().all(|i| i.0 <= 0.0 && i.1 >= 0.0));
    }
    let share = |hits: usize| hits as f64 / runs as f64;
    assert!(share(means) > 0.91, "{}", share(means));
    assert!(share(one_sided) > 0.91, "{}", share(one_sided));
    assert!(share(subgroups) > 0.91, "{}", share(subgroups));
    // Without adjustment they do not.
    assert!(share(alone) < 0.85, "{}", share(alone));
}

#[test]
fn intervals_of_ranks_cover_the_rank_expected_at_this_n() {
    let (n, d, runs) = (60, 12, 200);
    let mut estimates = Vec::new();
    for run in 0..runs {
        let mut stream = Stream::new(run, "rank", &[]);
        let data = (0..n * d)
            .map(|i| stream.normal() / ((i % d + 1) as f64).sqrt())
            .collect();
        let x = Matrix::new(n, d, data).unwrap();
        let made = rank_estimates(&x, &Units::independent(n), &Settings::new(run, "r"))
            .unwrap()
            .unwrap();
        estimates.push([
            made.effective_rank,
            made.participation_ratio,
            made.top_share,
        ]);
    }
    for which in 0..3 {
        let of: Vec<_> = estimates.iter().map(|e| &e[which]).collect();
        let truth = of.iter().map(|e| e.estimate).sum::<f64>() / runs as f64;
        let covered = of
            .iter()
            .filter(|e| e.low <= truth && truth <= e.high)
            .count();
        let share = covered as f64 / runs as f64;
        assert!(share > 0.88, "quantity {which}: {share}");
    }
}

#[test]
fn one_mode_is_seldom_called_two() {
    let (mut split, runs) = (0, 25);
    for run in 0..runs {
        let mut stream = Stream::new(run, "modes", &[]);
        let columns: Vec<Vec<Option<f64>>> = (0..8)
            .map(|kind| {
                (0..120)
                    .map(|_| {
                        let z = stream.normal();
                        Some(match kind % 4 {
                            0 => z,
                            1 => z.exp(),
                            2 => stream.uniform(),
                            _ => (3.0 * z).round(),
                        })
                    })
                    .collect()
            })
            .collect();
        split += usize::from(
            !hidden_strata(&columns, &Settings::new(1, "m"))
                .unwrap()
                .is_empty(),
        );
    }
    assert!(split <= 4, "{split} of {runs}");
}
