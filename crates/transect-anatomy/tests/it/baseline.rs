//! The mode `baseline`: no better than what nobody learned, and better.

use transect_anatomy::baseline;
use transect_anatomy::simulate::baseline::{Planted, plant};
use transect_anatomy::simulate::{Scenario, tables_of};
use transect_anatomy::{Ground, Study};
use transect_core::{Task, Verdict};

use super::*;

const EMBEDDING: &str = "baseline.embedding_gain";
const PREDICTION: &str = "baseline.prediction_gain";

/// What `baseline` alone says: verdicts as if its primaries were the only ones, which is the least favourable for false alarms.
fn said(scenario: &Scenario, planted: &Planted) -> Judged {
    let mut t = tables(scenario);
    plant(&mut t, planted);
    judge(&t).expect("a run that was simulated can be judged")
}

fn scenario(seed: u64) -> Scenario {
    Scenario {
        seed,
        reference: 0,
        claim: None,
        ..Scenario::default()
    }
}

#[test]
fn an_embedding_that_learned_nothing_fails_and_one_that_learned_passes() {
    let flawed = said(
        &Scenario {
            target_score: 0.9,
            ..scenario(3)
        },
        &Planted {
            base: 0.85,
            gain: -0.15,
            ..Planted::default()
        },
    );
    let f = find(&flawed, EMBEDDING);
    assert_eq!(f.verdict, Verdict::Fail, "{f:?}");
    assert!(f.claim.contains("no better than this baseline"), "{}", f.claim);
    assert!(!f.images.is_empty() && f.level == 0.9);
    assert_ne!(verdict(&flawed, PREDICTION), Verdict::Fail);
    let sound = said(&scenario(3), &Planted::default());
    for id in [EMBEDDING, PREDICTION] {
        let f = find(&sound, id);
        assert_eq!(f.verdict, Verdict::Pass, "{f:?}");
    }
    println!("{}\n{}", f.claim, find(&sound, PREDICTION).claim);
}

#[test]
fn predictions_that_a_probe_on_moments_beats_fail() {
    let j = said(
        &Scenario {
            target_score: 0.65,
            ..scenario(5)
        },
        &Planted {
            base: 0.85,
            gain: 0.1,
            ..Planted::default()
        },
    );
    let f = find(&j, PREDICTION);
    assert_eq!(f.verdict, Verdict::Fail, "{f:?}");
    assert!(f.claim.contains("intensity moments"), "{}", f.claim);
}

#[test]
fn every_gain_stands_beside_the_least_one() {
    let j = said(&scenario(4), &Planted::default());
    let least = find(&j, EMBEDDING).estimate.unwrap();
    let names = ["reinit", "random_conv", "moments", "colour", "texture"];
    let gains: Vec<f64> = names
        .iter()
        .map(|n| {
            let f = find(&j, &format!("{EMBEDDING}[over={n}]"));
            assert_eq!(f.verdict, Verdict::Described);
            f.estimate.unwrap()
        })
        .collect();
    let smallest = gains.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(smallest, least);
    // No objects in these tables.
    assert!(
        find(&j, EMBEDDING)
            .caveats
            .iter()
            .any(|c| c.contains("not compared with: number, size and layout")),
    );
    for class in 0..4 {
        let f = find(&j, &format!("{EMBEDDING}[class=class {class}]"));
        assert!(f.interval.is_some() && f.claim.contains("simultaneous"));
    }
}

#[test]
fn training_images_are_left_out_and_their_lack_is_said() {
    let mut t = tables(&scenario(6));
    plant(&mut t, &Planted::default());
    let plain = judge(&t).unwrap();
    assert!(
        find(&plain, PREDICTION)
            .caveats
            .iter()
            .any(|c| c.contains("nothing in the manifest says"))
    );
    for (row, item) in t.items.iter_mut().enumerate() {
        let split = if row < 50 { "train" } else { "test" };
        item.item
            .columns
            .insert("Split".to_owned(), split.to_owned());
    }
    let j = judge(&t).unwrap();
    let f = find(&j, PREDICTION);
    assert_eq!(f.n, 150);
    assert!(f.caveats.iter().any(|c| c.contains("50 images of the split train")));
    for item in &mut t.items {
        item.item.columns.insert("Split".to_owned(), "train".to_owned());
    }
    let j = judge(&t).unwrap();
    for id in [EMBEDDING, PREDICTION] {
        let f = find(&j, id);
        assert_eq!(f.verdict, Verdict::NotAssessable);
        assert!(f.primary && f.claim.contains("training"), "{}", f.claim);
    }
}

#[test]
fn without_features_nothing_is_compared() {
    let j = judged(&scenario(1));
    for id in [EMBEDDING, PREDICTION] {
        let f = find(&j, id);
        assert_eq!(f.verdict, Verdict::NotAssessable, "{f:?}");
        assert!(f.missing.as_ref().unwrap().contains("intensity moments"));
    }
}

#[test]
fn outlines_are_held_against_otsu() {
    let of = |target_score| {
        judged(&Scenario {
            task: Task::Instance,
            classes: 0,
            target_score,
            ..scenario(2)
        })
    };
    // Otsu's method reaches half of the model's score in these tables.
    let good = of(0.8);
    assert_eq!(verdict(&good, PREDICTION), Verdict::Pass);
    assert_eq!(verdict(&good, EMBEDDING), Verdict::NotAssessable);
    let f = find(&good, PREDICTION);
    assert!(f.claim.contains("Otsu"), "{}", f.claim);
    let mut t = tables(&Scenario {
        task: Task::Instance,
        classes: 0,
        target_score: 0.5,
        ..scenario(2)
    });
    let ap = t
        .run
        .context
        .score_columns
        .iter()
        .position(|c| c.name == "average_precision_50")
        .unwrap();
    for m in &mut t.measurements {
        if m.model_id == "builtin:otsu" {
            m.scores[ap] = Some(0.7);
        }
    }
    let j = judge(&t).unwrap();
    assert_eq!(verdict(&j, PREDICTION), Verdict::Fail);
}

/// How often runs pass and fail by the embedding, as the only primary of a run.
fn count(runs: u64, make: &dyn Fn(u64) -> (Scenario, Planted)) -> (u64, u64) {
    let mut counts = (0, 0);
    for seed in 0..runs {
        let (scenario, planted) = make(seed);
        let mut t = tables_of(&scenario, baseline::plan);
        plant(&mut t, &planted);
        let o = baseline::judge(&Study::new(&t).unwrap()).unwrap();
        let draft = o.drafts.iter().find(|d| d.finding.id == EMBEDDING).unwrap();
        let Ground::Shown { good, bad, enough } = draft.ground else {
            panic!("{draft:?}");
        };
        counts.0 += u64::from(enough && good && !bad);
        counts.1 += u64::from(enough && draft.finding.p.is_some_and(|p| p <= 0.05));
    }
    counts
}

/// Gain exactly at the margin over five baselines that are all as good, and no gain over the best one: both errors stay rare.
#[test]
fn false_alarms_are_rare() {
    let runs = 60;
    let at_margin = count(runs, &|seed| {
        let planted = Planted {
            base: 0.8,
            gain: 0.02,
            level: true,
            ..Planted::default()
        };
        (scenario(seed), planted)
    });
    let none = count(runs, &|seed| {
        let planted = Planted {
            base: 0.8,
            gain: 0.0,
            ..Planted::default()
        };
        (scenario(500 + seed), planted)
    });
    println!("gain at the margin (passes, fails): {at_margin:?}; none: {none:?}");
    assert!(at_margin.1 <= 9, "{at_margin:?}");
    assert!(none.0 <= 9, "{none:?}");
}

#[test]
fn hard_clean_runs_do_not_fail() {
    let clean: [(&str, Scenario, Planted); 4] = [
        (
            "two classes",
            Scenario {
                classes: 2,
                ..scenario(1)
            },
            Planted::default(),
        ),
        (
            "wrong labels",
            scenario(2),
            Planted {
                label_noise: 0.1,
                ..Planted::default()
            },
        ),
        (
            "rare class",
            Scenario {
                turned: 0.6,
                ..scenario(3)
            },
            Planted::default(),
        ),
        (
            "six groups",
            Scenario {
                target: 198,
                group_size: 33,
                group_share: 0.3,
                ..scenario(4)
            },
            Planted::default(),
        ),
    ];
    for (what, s, planted) in clean {
        let (_, fails) = count(1, &|_| (s.clone(), planted));
        assert_eq!(fails, 0, "{what}");
    }
}
