//! Golden values of peers; see `golden/*/PROVENANCE.toml`.

use serde_json::Value;
use transect_stats::{
    Matrix, Settings, Units, auroc, brier, calibration_error, classifier_two_sample,
    clopper_pearson, fit_temperature, frechet_distance, isotonic, kolmogorov_smirnov, log_losses,
    mean, pearson, quantiles, risk_coverage, robust_scale, spearman, wilson, with_temperature,
};

pub(crate) fn read(stem: &str) -> Value {
    let path = format!(
        "{}/../../golden/{stem}/values.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn floats(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

pub(crate) fn flags(value: &Value) -> Vec<bool> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_bool().unwrap())
        .collect()
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

pub(crate) fn close(what: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let worst = (0..ours.len()).max_by(|&a, &b| {
        let gap = |i: usize| (ours[i] - theirs[i]).abs();
        gap(a).total_cmp(&gap(b))
    });
    if let Some(i) = worst {
        let gap = (ours[i] - theirs[i]).abs();
        assert!(
            gap <= tolerance,
            "{what}[{i}]: {} here, {} there, {gap:e} apart",
            ours[i],
            theirs[i]
        );
    }
}

#[test]
fn binomial_intervals_are_scipys() {
    for row in read("intervals")["binomial"].as_array().unwrap() {
        let (x, n, level) = (number(&row["x"]), number(&row["n"]), number(&row["level"]));
        let (low, high) = clopper_pearson(x, n, level).unwrap();
        close(
            &format!("Clopper–Pearson {row}"),
            &[low, high],
            &floats(&row["clopper_pearson"]),
            1e-9,
        );
        let (low, high) = wilson(x, n, level).unwrap();
        close(
            &format!("Wilson {row}"),
            &[low, high],
            &floats(&row["wilson"]),
            1e-9,
        );
    }
}

#[test]
fn bca_is_scipys_within_monte_carlo_error() {
    for row in read("intervals")["bca"].as_array().unwrap() {
        let values = floats(&row["values"]);
        let settings = Settings::new(3, "golden").tails();
        let made = mean(&values, &Units::independent(values.len()), &settings).unwrap();
        assert!(made.method.starts_with("BCa"), "{}", made.method);
        let tolerance = 0.06 * number(&row["se_of_draws"]);
        close(
            &row["name"].to_string(),
            &[made.low, made.high],
            &floats(&row["interval"]),
            tolerance,
        );
    }
}

#[test]
fn two_sample_quantities_are_the_peers() {
    let all = read("two_sample");
    for row in all["ks"].as_array().unwrap() {
        let ours = kolmogorov_smirnov(&floats(&row["a"]), &floats(&row["b"])).unwrap();
        close("KS", &[ours], &[number(&row["statistic"])], 1e-9);
    }
    for row in all["frechet"].as_array().unwrap() {
        let d = row["d"].as_u64().unwrap() as usize;
        let matrix = |v: &Value| {
            let data = floats(v);
            Matrix::new(data.len() / d, d, data).unwrap()
        };
        let ours = frechet_distance(&matrix(&row["a"]), &matrix(&row["b"])).unwrap();
        close(
            "Fréchet",
            &[ours],
            &[number(&row["distance"])],
            1e-8 * number(&row["distance"]).max(1.0),
        );
    }
    for row in all["auroc"].as_array().unwrap() {
        let ours = auroc(&floats(&row["scores"]), &flags(&row["positive"]))
            .unwrap()
            .unwrap();
        close("AUROC", &[ours], &[number(&row["auroc"])], 1e-9);
    }
    for row in all["correlation"].as_array().unwrap() {
        let (x, y) = (floats(&row["x"]), floats(&row["y"]));
        close(
            "Pearson",
            &[pearson(&x, &y).unwrap().unwrap()],
            &[number(&row["pearson"])],
            1e-9,
        );
        close(
            "Spearman",
            &[spearman(&x, &y).unwrap().unwrap()],
            &[number(&row["spearman"])],
            1e-9,
        );
    }
    for row in all["isotonic"].as_array().unwrap() {
        let ours = isotonic(&floats(&row["values"]), &floats(&row["weights"])).unwrap();
        close("isotonic", &ours, &floats(&row["fit"]), 1e-9);
    }
    for row in all["quantile"].as_array().unwrap() {
        let values = floats(&row["values"]);
        close(
            "quantiles",
            &quantiles(&values, &floats(&row["q"])).unwrap(),
            &floats(&row["quantiles"]),
            1e-9,
        );
        if values.len() > 1 {
            close(
                "MAD",
                &[robust_scale(&values).unwrap().scale],
                &[number(&row["mad"])],
                1e-9,
            );
        }
    }
}

#[test]
fn the_discriminant_tells_samples_apart_as_well_as_logistic_regression() {
    for row in read("two_sample")["classifier"].as_array().unwrap() {
        let d = row["d"].as_u64().unwrap() as usize;
        let target = flags(&row["target"]);
        let features = Matrix::new(target.len(), d, floats(&row["features"])).unwrap();
        let units = Units::independent(target.len());
        let made =
            classifier_two_sample(&features, &target, &units, 99, &Settings::new(1, "golden"))
                .unwrap();
        close(
            "AUC",
            &[made.auc.estimate],
            &[number(&row["logistic_auc"])],
            0.03,
        );
        assert!(made.p <= 0.011 && made.auc.low > 0.5);
    }
}

#[test]
fn calibration_scores_are_the_peers() {
    for row in read("calibration_scores").as_array().unwrap() {
        let k = row["classes"].as_u64().unwrap() as usize;
        let truth: Vec<u32> = floats(&row["truth"]).iter().map(|&v| v as u32).collect();
        let p = Matrix::new(truth.len(), k, floats(&row["probabilities"])).unwrap();
        let average = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        close(
            "log loss",
            &[average(&log_losses(&p, &truth).unwrap())],
            &[number(&row["log_loss"])],
            1e-9,
        );
        let ours = brier(&p, &truth).unwrap().mean;
        close("Brier", &[ours], &[number(&row["brier"])], 1e-9);
        if let Some(binary) = row["brier_sklearn_binary"].as_f64() {
            close("Brier, two classes", &[ours], &[2.0 * binary], 1e-9);
        }
        let t = fit_temperature(&p, &truth).unwrap();
        close("temperature", &[t], &[number(&row["temperature"])], 1e-5);
        let cooled = log_losses(&with_temperature(&p, t).unwrap(), &truth).unwrap();
        close(
            "loss at temperature",
            &[average(&cooled)],
            &[number(&row["loss_at_temperature"])],
            1e-9,
        );
        let top: Vec<(usize, f64)> = (0..truth.len())
            .map(|i| {
                p.row(i)
                    .iter()
                    .copied()
                    .enumerate()
                    .fold((0, -1.0), |a, b| if b.1 > a.1 { b } else { a })
            })
            .collect();
        let confidence: Vec<f64> = top.iter().map(|t| t.1).collect();
        let correct: Vec<bool> = top
            .iter()
            .zip(&truth)
            .map(|(t, y)| t.0 == *y as usize)
            .collect();
        let ours =
            calibration_error(&confidence, &correct, 10, 99, &Settings::new(1, "golden")).unwrap();
        close("ECE", &[ours.ece], &[number(&row["ece"])], 1e-9);
        assert!(ours.debiased <= ours.ece);
    }
}

#[test]
fn selective_risk_is_the_average_over_all_orders_of_ties() {
    for row in read("selective").as_array().unwrap() {
        let ours = risk_coverage(&floats(&row["confidence"]), &floats(&row["loss"])).unwrap();
        close("risk", &ours.risk, &floats(&row["risk"]), 1e-12);
        close(
            "areas",
            &[ours.aurc, ours.augrc],
            &[number(&row["aurc"]), number(&row["augrc"])],
            1e-12,
        );
    }
}
