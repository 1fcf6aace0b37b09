//! Other models than the audited one, as good as is asked, so that what a metric tells apart is known.

use transect_core::{Context, Measurement, Request, Role, Selection, Stage, View};
use transect_table::MemoryTables;

use super::{Scenario, draw, measure};

/// What the other models of a run reach.
#[derive(Debug, Clone, PartialEq)]
pub struct Planted {
    /// Expected score of re-initialised copies; `None` for a run without them. That of the model itself is a metric that sees
    /// nothing.
    pub untrained: Option<f64>,
    /// Expected score of the second annotator against the first.
    pub annotator: Option<f64>,
    /// Other thresholds of the decoder with the expected score at each.
    pub thresholds: Vec<(f64, f64)>,
}

impl Default for Planted {
    /// Copies at chance, nothing else.
    fn default() -> Self {
        Self {
            untrained: Some(0.25),
            annotator: None,
            thresholds: Vec::new(),
        }
    }
}

/// Copies with other weights.
const COPIES: u32 = 5;

/// What a model of this expected score makes of the target's images, with luck of its own.
fn answers(scenario: &Scenario, context: &Context, model: &str, score: f64) -> Vec<Measurement> {
    let other = Scenario {
        target_score: score,
        reference_score: score,
        ..scenario.clone()
    };
    let (items, latents) = draw(&other, context);
    // A name that says nothing, so that the score is as asked; the luck goes by the name.
    let request = Request::new(
        "metric",
        Stage::Own,
        Selection::Role(Role::Target),
        vec![View::identity()],
    )
    .of_model(format!("planted {model}"));
    let mut made = measure(&other, context, &items, &latents, &[request]);
    for m in &mut made {
        model.clone_into(&mut m.model_id);
    }
    made
}

/// Plants the other models of a run that was simulated from this scenario.
pub fn plant(tables: &mut MemoryTables, scenario: &Scenario, planted: &Planted) {
    let context = {
        let context = &mut tables.run.context;
        context.can_reinitialise = planted.untrained.is_some();
        context.has_second_truth = planted.annotator.is_some();
        context.other_thresholds = planted.thresholds.iter().map(|t| t.0).collect();
        context.clone()
    };
    tables
        .measurements
        .retain(|m| m.model_id == transect_core::AUDITED);
    if let Some(score) = planted.untrained {
        for copy in 0..COPIES {
            // Some draws of the weights are luckier than others.
            let luck = 0.01 * (f64::from(copy) - 2.0);
            tables.measurements.extend(answers(
                scenario,
                &context,
                &format!("reinit:{copy}"),
                score + luck,
            ));
        }
    }
    if let Some(score) = planted.annotator {
        tables
            .measurements
            .extend(answers(scenario, &context, "annotator", score));
    }
    for &(value, score) in &planted.thresholds {
        tables.measurements.extend(answers(
            scenario,
            &context,
            &crate::metric::with_threshold(value),
            score,
        ));
    }
}
