//! Variants of a model, and views that reach into it, in whole runs.

use std::collections::BTreeMap;

use transect_core::{Measurement, Request, Role, Selection, Stage, Status, View, ViewKind, codes};
use transect_measure::Job;
use transect_table::{Filter, FolderTables, Tables};

use crate::fixture::{hashes, job, run};

fn identity() -> Vec<View> {
    vec![View::identity()]
}

fn subspace(name: &str, value: u32) -> View {
    let mut view = View::of(ViewKind::Subspace, name).with("rank", f64::from(value), "");
    view.pool = Some("target".to_owned());
    view
}

/// Everything that this room adds.
fn requests() -> Vec<Request> {
    let target = Selection::Sample(Role::Target, 8);
    let partner = |views| Request::new("test", Stage::Partner, target, views);
    let mean =
        |g: u32| View::of(ViewKind::Ablation, "channels_mean").with("group", f64::from(g), "");
    vec![
        Request::new("test", Stage::Own, Selection::All, identity()),
        Request::new(
            "test",
            Stage::Own,
            Selection::Role(Role::Target),
            (0..3).map(mean).collect(),
        ),
        partner(
            [
                ("top", 0),
                ("top", 1),
                ("top", 5),
                ("random:0", 1),
                ("random:4", 5),
                ("top", 6),
            ]
            .map(|(name, value)| subspace(name, value))
            .to_vec(),
        ),
        partner(vec![
            View::of(ViewKind::Ablation, "channels_kept").with("groups", 1.0, ""),
        ]),
        partner(vec![
            View::of(ViewKind::Search, "natural_random").with("reach", 2.0, ""),
        ]),
        partner(identity()).of_model("reinit:0"),
        partner(identity()).of_model("reinit:1"),
        partner(identity()).of_model("builtin:otsu"),
    ]
}

fn measured(folder: &std::path::Path) -> BTreeMap<(String, String, u32), Measurement> {
    let tables = FolderTables::open(folder).unwrap();
    let mut all = BTreeMap::new();
    tables
        .scan(&Filter::default(), &mut |m| {
            all.insert((m.model_id.clone(), m.view.id(), m.row), m.clone());
            Ok(())
        })
        .unwrap();
    all
}

fn abilities(job: &Job) {
    let context = &job.context;
    assert!(context.can_reinitialise);
    assert_eq!(context.head_layer.as_deref(), Some("features"));
    assert_eq!(context.channels, 3);
    assert!(!context.has_outlines && !context.has_second_truth);
    assert!(context.other_thresholds.is_empty());
}

#[test]
fn variants_and_swaps_inside_the_model_are_what_they_say() {
    let (_data, job) = job(requests());
    abilities(&job);
    let (out, fits) = run(&job, 1, 2);
    let whole = out.path().join("whole");
    let all = measured(&whole);
    let of = |model: &str, view: &str, row: u32| {
        all.get(&(model.to_owned(), view.to_owned(), row))
            .unwrap_or_else(|| panic!("{model} {view} {row} was not measured"))
    };
    let rows: Vec<u32> = all
        .keys()
        .filter(|(model, view, _)| model == "given" && view == "subspace:top=0:target:0")
        .map(|(.., row)| *row)
        .collect();
    assert_eq!(rows.len(), 8);
    let close = |a: &Measurement, b: &Measurement| {
        assert_eq!(
            (a.status, b.status),
            (Status::Ok, Status::Ok),
            "{:?}",
            a.error
        );
        for (p, q) in a.outputs.iter().zip(&b.outputs) {
            assert!((p - q).abs() < 1e-5, "{} {}: {p} {q}", a.view.id(), a.row);
        }
    };
    let mut between = 0;
    for &row in &rows {
        let own = of("given", "identity", row);
        // None of the image's directions: the donor. All: the image itself.
        let none = of("given", "subspace:top=0:target:0", row);
        assert_eq!(none.error, None);
        let donor = of("given", "identity", none.donor_row.unwrap());
        close(none, donor);
        for all in ["subspace:top=5:target:0", "subspace:random:4=5:target:0"] {
            close(of("given", all, row), own);
        }
        for part in ["subspace:top=1:target:0", "subspace:random:0=1:target:0"] {
            let part = of("given", part, row);
            assert_eq!(part.status, Status::Ok);
            between += usize::from(part.outputs != own.outputs && part.outputs != donor.outputs);
        }
        // More directions than there are.
        let more = of("given", "subspace:top=6:target:0", row);
        assert_eq!(more.status, Status::Skipped);
        assert_eq!(
            more.error_code.as_deref(),
            Some(codes::measure::VIEW_OF_MODEL.id)
        );
        // Copies differ from the model and from each other.
        let copies = [0, 1].map(|k| of(&format!("reinit:{k}"), "identity", row));
        assert!(copies.iter().all(|c| c.status == Status::Ok));
        assert_ne!(copies[0].outputs, copies[1].outputs);
        assert_ne!(copies[0].outputs, own.outputs);
        // A baseline that the task does not have is a row that says so.
        let otsu = of("builtin:otsu", "identity", row);
        assert_eq!(otsu.status, Status::Failed);
        assert_eq!(
            otsu.error_code.as_deref(),
            Some(codes::measure::UNKNOWN_MODEL.id)
        );
        assert_eq!(
            of("given", "ablation:channels_kept=1", row).status,
            Status::Ok
        );
    }
    assert!(between > rows.len(), "{between}");
    // What was fitted.
    assert_eq!(fits.normalised_on.len(), 8);
    assert_eq!(fits.normalisation.len(), 2);
    assert!(
        fits.normalisation["reinit:0"]
            .iter()
            .map(|n| &n.output)
            .eq(["n0", "n1", "n2"])
    );
    assert_eq!(fits.subspaces.len(), 6);
    let mut order = fits.channel_order.clone();
    order.sort_unstable();
    assert_eq!(order, [0, 1, 2]);
    let use_of = |group: u32| -> f64 {
        let view = format!("ablation:channels_mean={group}");
        (10..20)
            .map(|row| {
                let (a, b) = (of("given", "identity", row), of("given", &view, row));
                a.outputs
                    .iter()
                    .zip(&b.outputs)
                    .map(|(p, q)| f64::from((p - q).abs()))
                    .sum::<f64>()
            })
            .sum()
    };
    assert!(use_of(fits.channel_order[0]) >= use_of(fits.channel_order[2]));
    assert!(fits.variation.offset > 0.0 && fits.variation.log_colour > 0.0);
}

#[test]
fn any_threads_and_shards_write_the_same_bytes_with_variants() {
    let (_data, job) = job(requests());
    let (one, _) = run(&job, 1, 1);
    for (shards, jobs) in [(1, 2), (2, 2)] {
        let (other, _) = run(&job, shards, jobs);
        assert_eq!(
            hashes(&one.path().join("whole")),
            hashes(&other.path().join("whole")),
            "{shards} shards, {jobs} threads"
        );
    }
}
