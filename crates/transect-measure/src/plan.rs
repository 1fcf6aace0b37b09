//! The plan: which views of which rows under which models, in which order, in which blocks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use transect_core::{
    AUDITED, Digest, Error, Item, ModelId, Request, Result, Role, RunRecord, Selection, Stage,
    View, ViewKind, codes,
};

use crate::job::Job;
use crate::load::selector;

/// Rows of a block of stage 0.
const ITEMS_PER_BLOCK: usize = 64;

/// Forward passes of a block: this many at least.
const PASSES_PER_BLOCK: u64 = 256;

/// Blocks of a run, about, where it is large.
const BLOCKS: u64 = 20_000;

/// What one model measures in a stage.
#[derive(Debug, Clone)]
struct ModelPlan {
    model: ModelId,
    /// The different lists of views that rows have.
    lists: Vec<Vec<View>>,
    /// Which of them each row has.
    list_of: Vec<u32>,
}

impl ModelPlan {
    fn views(&self, row: usize) -> &[View] {
        &self.lists[self.list_of[row] as usize]
    }
}

/// Units of one stage.
#[derive(Debug, Clone, Default)]
struct StagePlan {
    models: Vec<ModelPlan>,
    /// Index of the first unit of each (model, row), and the number of units at the end.
    starts: Vec<usize>,
    /// Index of the first unit of each block, and the number of units at the end.
    blocks: Vec<usize>,
    /// Forward passes, in those of an ordinary view.
    cost: u64,
}

/// The plan of a run. The canonical order of units is stage, model, row, view: the audited model first, then the others in
/// the order of the alphabet.
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
    /// Place of each row among those of its role, in an order drawn by hash.
    draws: Vec<u32>,
    cost_per_block: u64,
    record: RunRecord,
}

/// Some views of one row under one model, for one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Index of the model within the stage; see [`Plan::model`].
    pub model: usize,
    /// Row.
    pub row: u32,
    /// Which of its views.
    pub views: std::ops::Range<usize>,
}

/// Places of the rows among those of their role, in an order that hangs on the seed and on what each row is named, never on
/// its position.
fn draws(items: &[Item], seed: u64) -> Vec<u32> {
    let mut order: Vec<(Role, Digest, usize)> = items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            // Rows of one file differ in the part of it that they are.
            let part = selector(item).map_or_else(|_| String::new(), |s| s.text());
            let page = item.page.unwrap_or(0).to_le_bytes();
            let parts: [&[u8]; 4] = [&seed.to_le_bytes(), b"sample", item.image.as_bytes(), &page];
            let part = (!part.is_empty()).then_some(part.as_bytes());
            let key = Digest::of_parts(parts.into_iter().chain(part));
            (item.role, key, index)
        })
        .collect();
    order.sort();
    let mut draws = vec![0; items.len()];
    let mut next: BTreeMap<Role, u32> = BTreeMap::new();
    for (role, _, index) in order {
        let place = next.entry(role).or_default();
        draws[index] = *place;
        *place += 1;
    }
    draws
}

/// Whether a row of this role and this place among its role's draws is chosen.
fn covers(rows: Selection, role: Role, draw: u32) -> bool {
    match rows {
        Selection::All => true,
        Selection::Role(side) => side == role,
        Selection::Sample(side, most) => side == role && draw < most,
    }
}

impl Plan {
    /// The plan of a job. `passes_per_unit` is the number of forward passes of an ordinary image; it fixes the blocks.
    pub fn new(job: &Job, passes_per_unit: u64) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let mut plan = Self::of(Recipe {
            roles: job.dataset.items.iter().map(|i| i.role).collect(),
            draws: draws(&job.dataset.items, job.context.seed),
            cost_per_block: u64::MAX,
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
                notes: job.notes.iter().map(|n| n.text().to_owned()).collect(),
            },
        });
        let passes = plan.cost() * passes_per_unit;
        let block = PASSES_PER_BLOCK.max(passes / BLOCKS);
        plan.recipe.cost_per_block = (block / passes_per_unit.max(1)).max(1);
        plan.recipe.record.forward_passes = passes;
        let identity =
            serde_json::to_vec(&(&plan.recipe, &job.mask, job.fingerprint)).unwrap_or_default();
        plan.recipe.record.plan_sha256 = Digest::of(&identity);
        Self::of(plan.recipe)
    }

    fn of(recipe: Recipe) -> Self {
        Self {
            own: StagePlan::of(&recipe, Stage::Own),
            partner: StagePlan::of(&recipe, Stage::Partner),
            recipe,
        }
    }

    /// Reads a plan that [`Plan::to_json`] wrote.
    ///
    /// # Errors
    /// `T605` when it is damaged or of another version.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let damaged = |cause: &str| {
            Error::new(
                &codes::measure::TABLE_DAMAGED,
                format!("the plan is damaged or of another version: {cause}"),
            )
        };
        let recipe: Recipe = serde_json::from_slice(bytes).map_err(|e| damaged(&e.to_string()))?;
        if recipe.draws.len() != recipe.roles.len() {
            return Err(damaged("roles and draws do not go together"));
        }
        Ok(Self::of(recipe))
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

    /// Forward passes of stages 1 and 2, in those of an ordinary view: a search counts its whole budget.
    pub fn cost(&self) -> u64 {
        self.own.cost + self.partner.cost
    }

    /// Units of a stage: rows in stage 0, (model, row, view) after it.
    pub fn units(&self, stage: Stage) -> usize {
        self.stage(stage).map_or(self.recipe.roles.len(), |s| {
            s.starts.last().copied().unwrap_or(0)
        })
    }

    /// Blocks of a stage.
    pub fn blocks(&self, stage: Stage) -> usize {
        match self.stage(stage) {
            None => self.recipe.roles.len().div_ceil(ITEMS_PER_BLOCK),
            Some(plan) => plan.blocks.len() - 1,
        }
    }

    /// Units of a block, as the rows that it touches and the range of views of each.
    pub fn block(&self, stage: Stage, block: usize) -> Vec<Span> {
        let Some(plan) = self.stage(stage) else {
            let from = block * ITEMS_PER_BLOCK;
            let to = (from + ITEMS_PER_BLOCK).min(self.recipe.roles.len());
            return (from..to)
                .map(|row| Span {
                    model: 0,
                    row: row as u32,
                    views: 0..1,
                })
                .collect();
        };
        let (from, to) = (plan.blocks[block], plan.blocks[block + 1]);
        let rows = self.recipe.roles.len();
        let mut spans = Vec::new();
        let mut place = plan
            .starts
            .partition_point(|&start| start <= from)
            .saturating_sub(1);
        let mut unit = from;
        while unit < to {
            let end = plan.starts[place + 1].min(to);
            if end > unit {
                spans.push(Span {
                    model: place / rows,
                    row: (place % rows) as u32,
                    views: unit - plan.starts[place]..end - plan.starts[place],
                });
                unit = end;
            }
            place += 1;
        }
        spans
    }

    /// The model of this index in a stage.
    pub fn model(&self, stage: Stage, model: usize) -> &str {
        self.stage(stage)
            .map_or(AUDITED, |plan| &plan.models[model].model)
    }

    /// Every model but the audited one, in the order of the alphabet.
    pub fn variants(&self) -> Vec<&str> {
        let mut names: Vec<&str> = [&self.own, &self.partner]
            .into_iter()
            .flat_map(|s| &s.models)
            .map(|m| m.model.as_str())
            .filter(|m| *m != AUDITED)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Views of a row under the model of this name in a stage; none where the stage does not have it.
    pub fn views_of(&self, stage: Stage, model: &str, row: u32) -> &[View] {
        self.stage(stage)
            .and_then(|plan| plan.models.iter().find(|m| m.model == model))
            .map_or(&[], |plan| plan.views(row as usize))
    }

    /// Gives, for each stage after the first and each model, every list of views with the number of rows that have it.
    pub(crate) fn tally(&self, mut each: impl FnMut(Stage, &str, &[View], usize)) {
        for (stage, plan) in [(Stage::Own, &self.own), (Stage::Partner, &self.partner)] {
            for model in &plan.models {
                for (at, views) in model
                    .lists
                    .iter()
                    .enumerate()
                    .filter(|(_, v)| !v.is_empty())
                {
                    let rows = model.list_of.iter().filter(|l| **l as usize == at).count();
                    each(stage, &model.model, views, rows);
                }
            }
        }
    }

    /// Whether single pixels of a row are looked at.
    pub fn pixels(&self, row: u32) -> bool {
        self.asks(row, |r| r.pixels)
    }

    /// Whether a row is shown in views of such a kind.
    pub(crate) fn shows(&self, row: u32, kind: impl Fn(ViewKind) -> bool) -> bool {
        self.asks(row, |r| r.views.iter().any(|v| kind(v.kind)))
    }

    fn asks(&self, row: u32, what: impl Fn(&Request) -> bool) -> bool {
        let row = row as usize;
        let (role, draw) = (self.recipe.roles[row], self.recipe.draws[row]);
        let mut requests = self.recipe.record.requests.iter();
        requests.any(|r| what(r) && covers(r.rows, role, draw))
    }

    /// Views of a row under a model in a stage.
    pub fn views(&self, stage: Stage, model: usize, row: u32) -> &[View] {
        self.stage(stage)
            .map_or(&[], |plan| plan.models[model].views(row as usize))
    }
}

impl StagePlan {
    fn of(recipe: &Recipe, stage: Stage) -> Self {
        let mut models: Vec<&str> = recipe
            .record
            .requests
            .iter()
            .filter(|r| r.stage == stage)
            .map(|r| r.model.as_str())
            .collect();
        models.sort_unstable_by_key(|m| (*m != AUDITED, *m));
        models.dedup();
        let mut plan = Self::default();
        for model in models {
            plan.models.push(ModelPlan::of(recipe, stage, model));
        }
        let (mut unit, mut filled) = (0, 0_u64);
        for model in &plan.models {
            for row in 0..recipe.roles.len() {
                plan.starts.push(unit);
                for view in model.views(row) {
                    let cost = u64::from(view.budget);
                    if unit == 0 || filled + cost > recipe.cost_per_block {
                        plan.blocks.push(unit);
                        filled = 0;
                    }
                    filled += cost;
                    plan.cost += cost;
                    unit += 1;
                }
            }
        }
        plan.starts.push(unit);
        plan.blocks.push(unit);
        plan
    }
}

impl ModelPlan {
    fn of(recipe: &Recipe, stage: Stage, model: &str) -> Self {
        let requests: Vec<_> = recipe
            .record
            .requests
            .iter()
            .filter(|r| r.stage == stage && r.model == model)
            .collect();
        // Rows that the same requests ask for share one list.
        let mut known: BTreeMap<Vec<bool>, u32> = BTreeMap::new();
        let mut lists: Vec<Vec<View>> = Vec::new();
        let mut list_of = Vec::with_capacity(recipe.roles.len());
        for (&role, &draw) in recipe.roles.iter().zip(&recipe.draws) {
            let asked: Vec<bool> = requests
                .iter()
                .map(|r| covers(r.rows, role, draw))
                .collect();
            let list = *known.entry(asked.clone()).or_insert_with(|| {
                let mut views: Vec<View> = Vec::new();
                for (request, _) in requests.iter().zip(&asked).filter(|(_, asked)| **asked) {
                    for view in &request.views {
                        if !views.contains(view) {
                            views.push(view.clone());
                        }
                    }
                }
                lists.push(views);
                (lists.len() - 1) as u32
            });
            list_of.push(list);
        }
        Self {
            model: model.to_owned(),
            lists,
            list_of,
        }
    }
}
