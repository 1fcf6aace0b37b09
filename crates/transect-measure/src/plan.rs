//! The plan: which views of which rows, in which order, in which blocks.

use serde::{Deserialize, Serialize};
use transect_core::{Digest, Error, Result, Role, RunRecord, Selection, Stage, View, codes};

use crate::job::Job;

/// Rows of a block of stage 0.
const ITEMS_PER_BLOCK: usize = 64;

/// Forward passes of a block: this many at least.
const PASSES_PER_BLOCK: u64 = 256;

/// Blocks of a run, about, where it is large.
const BLOCKS: u64 = 20_000;

/// Views of one stage, by role.
#[derive(Debug, Clone, Default)]
struct StagePlan {
    reference: Vec<View>,
    target: Vec<View>,
    /// Index of the first unit of each row, and the number of units at the end.
    starts: Vec<usize>,
}

/// The plan of a run. The canonical order of units is stage, row, view.
#[derive(Debug, Clone)]
pub struct Plan {
    own: StagePlan,
    partner: StagePlan,
    recipe: Recipe,
}

/// What a plan is made of, and all that is written of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Recipe {
    roles: Vec<Role>,
    units_per_block: usize,
    record: RunRecord,
}

impl Plan {
    /// The plan of a job. `passes_per_unit` is the number of forward passes of an ordinary image; it fixes the blocks.
    pub fn new(job: &Job, passes_per_unit: u64) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let mut plan = Self::of(Recipe {
            roles: job.dataset.items.iter().map(|i| i.role).collect(),
            units_per_block: 1,
            record: RunRecord {
                schema: "transect/run/1".to_owned(),
                version: version.to_owned(),
                engine: job.engine.clone(),
                model_sha256: job.model_sha256,
                model_name: job.model_name.clone(),
                data_sha256: job.dataset.sha256,
                plan_sha256: Digest::default(),
                fits_sha256: None,
                context: job.context.clone(),
                requests: job.requests.clone(),
                forward_passes: 0,
                model_test: job.model_test.clone(),
                notes: job.notes.clone(),
            },
        });
        let units = (plan.units(Stage::Own) + plan.units(Stage::Partner)) as u64;
        let passes = units * passes_per_unit;
        let block = PASSES_PER_BLOCK.max(passes / BLOCKS);
        plan.recipe.units_per_block = (block / passes_per_unit.max(1)).max(1) as usize;
        plan.recipe.record.forward_passes = passes;
        let identity =
            serde_json::to_vec(&(&plan.recipe, &job.mask, job.fingerprint)).unwrap_or_default();
        plan.recipe.record.plan_sha256 = Digest::of(&identity);
        plan
    }

    fn of(recipe: Recipe) -> Self {
        let stage = |stage: Stage| {
            let mut plan = StagePlan::default();
            for request in recipe.record.requests.iter().filter(|r| r.stage == stage) {
                for view in &request.views {
                    let sides: &mut [&mut Vec<View>] = match request.rows {
                        Selection::All => &mut [&mut plan.reference, &mut plan.target],
                        Selection::Role(Role::Reference) => &mut [&mut plan.reference],
                        Selection::Role(Role::Target) => &mut [&mut plan.target],
                    };
                    for side in sides {
                        if !side.contains(view) {
                            side.push(view.clone());
                        }
                    }
                }
            }
            let mut next = 0;
            for role in &recipe.roles {
                plan.starts.push(next);
                next += match role {
                    Role::Reference => plan.reference.len(),
                    Role::Target => plan.target.len(),
                };
            }
            plan.starts.push(next);
            plan
        };
        Self {
            own: stage(Stage::Own),
            partner: stage(Stage::Partner),
            recipe,
        }
    }

    /// Reads a plan that [`Plan::to_json`] wrote.
    ///
    /// # Errors
    /// `T605` when it is damaged or of another version.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map(Self::of).map_err(|e| {
            Error::new(
                &codes::measure::TABLE_DAMAGED,
                format!("the plan is damaged or of another version: {e}"),
            )
        })
    }

    /// The plan as `plan.json`.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.recipe).unwrap_or_default()
    }

    /// What goes into `run.json`.
    pub fn record(&self) -> &RunRecord {
        &self.recipe.record
    }

    fn stage(&self, stage: Stage) -> Option<&StagePlan> {
        match stage {
            Stage::Items => None,
            Stage::Own => Some(&self.own),
            Stage::Partner => Some(&self.partner),
        }
    }

    /// Units of a stage: rows in stage 0, (row, view) pairs after it.
    pub fn units(&self, stage: Stage) -> usize {
        self.stage(stage).map_or(self.recipe.roles.len(), |s| {
            s.starts[self.recipe.roles.len()]
        })
    }

    /// Blocks of a stage.
    pub fn blocks(&self, stage: Stage) -> usize {
        self.units(stage).div_ceil(self.block_size(stage))
    }

    fn block_size(&self, stage: Stage) -> usize {
        if stage == Stage::Items {
            ITEMS_PER_BLOCK
        } else {
            self.recipe.units_per_block
        }
    }

    /// Units of a block, as the rows that it touches and the range of views of each.
    pub fn block(&self, stage: Stage, block: usize) -> Vec<(u32, std::ops::Range<usize>)> {
        let size = self.block_size(stage);
        let from = block * size;
        let to = (from + size).min(self.units(stage));
        let Some(plan) = self.stage(stage) else {
            return (from..to).map(|row| (row as u32, 0..1)).collect();
        };
        let mut rows = Vec::new();
        let mut row = plan
            .starts
            .partition_point(|&start| start <= from)
            .saturating_sub(1);
        let mut unit = from;
        while unit < to {
            let end = plan.starts[row + 1].min(to);
            if end > unit {
                rows.push((row as u32, unit - plan.starts[row]..end - plan.starts[row]));
                unit = end;
            }
            row += 1;
        }
        rows
    }

    /// Views of a row in a stage.
    pub fn views(&self, stage: Stage, row: u32) -> &[View] {
        match (self.stage(stage), self.recipe.roles[row as usize]) {
            (None, _) => &[],
            (Some(plan), Role::Reference) => &plan.reference,
            (Some(plan), Role::Target) => &plan.target,
        }
    }
}
