//! What findings rest on, in SQL: of the audited model, or of each model in a line of its own.

use transect_anatomy::simulate::{
    adversarial, baseline, bias, collapse, hallucination, metric, parts, prior, shortcut, tables,
};
use transect_core::Task;
use transect_core::context::PlanLevel;
use transect_table::MemoryTables;

use super::*;

/// Tables with rows of several models.
const OF_MODELS: [&str; 4] = ["measurements", "elements", "timings", "traces"];

/// What is wrong with a query: it reads a table of several models, and neither asks for one nor tells them apart.
fn mixes_models(sql: &str) -> bool {
    let reads = OF_MODELS
        .iter()
        .any(|table| sql.contains(&format!("'{table}.parquet'")));
    let asks = sql
        .match_indices("model_id = '")
        .any(|(place, found)| !sql[place + found.len()..].starts_with('\''));
    let tells_apart = sql.starts_with("SELECT m.model_id, ") && sql.contains(" GROUP BY ALL");
    reads && !asks && !tells_apart
}

#[test]
fn a_query_over_all_models_is_seen_as_one() {
    for mixed in [
        "SELECT avg(m.score_iou) FROM 'measurements.parquet' m WHERE m.view_id = 'identity'",
        "SELECT avg(t.total_s) FROM 'timings.parquet' t",
        "SELECT count(*) FROM 'elements.parquet' e WHERE e.model_id = ''",
        "SELECT avg(x.v) FROM 'traces.parquet' x GROUP BY ALL",
    ] {
        assert!(mixes_models(mixed), "{mixed}");
    }
    for sound in [
        "SELECT avg(m.score_iou) FROM 'measurements.parquet' m WHERE m.model_id = 'given'",
        "SELECT m.model_id, avg(m.score_iou) FROM 'measurements.parquet' m GROUP BY ALL",
        "SELECT role FROM 'items.parquet'",
    ] {
        assert!(!mixes_models(sound), "{sound}");
    }
}

/// Runs of every task in which every mode has something to say, with rows of other models beside the audited one's.
fn runs() -> Vec<MemoryTables> {
    let scenario = |task: Task| Scenario {
        task,
        plan: PlanLevel::Standard,
        classes: if task == Task::Classification { 4 } else { 0 },
        reference: 45,
        target: 60,
        target_score: 0.7,
        failed: 0.05,
        ..Scenario::default()
    };
    let mut made = Vec::new();
    let classes = scenario(Task::Classification);
    let mut t = tables(&classes);
    bias::plant(&mut t, &bias::Flaw::default());
    shortcut::plant(&mut t, &shortcut::Flaw::default());
    let flaw = hallucination::Flaw {
        unknown: 0.4,
        ..hallucination::Flaw::default()
    };
    hallucination::plant(&mut t, &flaw);
    adversarial::plant(&mut t, 0.5);
    baseline::plant(&mut t, &baseline::Planted::default());
    metric::plant(&mut t, &classes, &metric::Planted::default());
    made.push(t);
    let mut t = tables(&classes);
    collapse::plant(&mut t, &collapse::Planted::default());
    prior::plant(&mut t, &prior::Flaw::default());
    metric::plant(&mut t, &classes, &metric::Planted::default());
    made.push(t);
    for task in [Task::Instance, Task::Semantic] {
        let s = scenario(task);
        let mut t = tables(&s);
        let flaw = hallucination::Flaw {
            phantoms: 0.5,
            ..hallucination::Flaw::default()
        };
        hallucination::plant(&mut t, &flaw);
        adversarial::plant(&mut t, 0.5);
        parts::plant(&mut t, &parts::Parts::default());
        let planted = metric::Planted {
            annotator: Some(0.9),
            thresholds: vec![(0.3, 0.6), (0.7, 0.5)],
            ..metric::Planted::default()
        };
        metric::plant(&mut t, &s, &planted);
        made.push(t);
    }
    made
}

#[test]
fn no_finding_rests_on_a_query_that_mixes_models() {
    let mut with_sql: BTreeMap<String, usize> = BTreeMap::new();
    for name in ["given", "predictions"] {
        for mut t in runs() {
            if name != "given" {
                of_other_name(&mut t, name);
            }
            let models: std::collections::BTreeSet<&str> =
                t.measurements.iter().map(|m| m.model_id.as_str()).collect();
            assert!(models.len() > 1, "{models:?}");
            let judged = judge(&t).expect("a run that was simulated can be judged");
            for f in judged.findings.iter().chain(&judged.outside) {
                let Some(sql) = &f.evidence.sql else {
                    continue;
                };
                *with_sql.entry(f.mode.clone()).or_default() += 1;
                assert!(!mixes_models(sql), "{}: {sql}", f.id);
                if sql.contains("model_id = '") {
                    assert!(sql.contains(&format!("model_id = '{name}'")), "{sql}");
                    assert_eq!(f.evidence.model.as_deref(), Some(name), "{}", f.id);
                }
            }
        }
        println!("{with_sql:?}");
    }
    for mode in transect_anatomy::modes() {
        assert!(
            with_sql.get(mode.name).is_some_and(|n| *n > 0),
            "no query of {} was seen",
            mode.name
        );
    }
}

/// The audited model under another name, as where its predictions were given.
fn of_other_name(tables: &mut MemoryTables, name: &str) {
    let names = tables
        .measurements
        .iter_mut()
        .map(|m| &mut m.model_id)
        .chain(tables.elements.iter_mut().map(|e| &mut e.model_id))
        .chain(tables.traces.iter_mut().map(|t| &mut t.model_id))
        .chain(tables.timings.iter_mut().map(|t| &mut t.model_id));
    for model in names {
        if model == "given" {
            name.clone_into(model);
        }
    }
    tables.embeddings = std::mem::take(&mut tables.embeddings)
        .into_iter()
        .map(|((model, layer), rows)| {
            let model = if model == "given" {
                name.to_owned()
            } else {
                model
            };
            ((model, layer), rows)
        })
        .collect();
}
