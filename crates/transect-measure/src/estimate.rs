//! What a run will cost, told before it starts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use transect_core::{
    AUDITED, Donor, Fits, Pool, Request, Result, Stage, Status, Task, View, ViewKind,
};

use crate::describe::{Known, describe_item};
use crate::fits::IMAGES;
use crate::job::{Job, Source};
use crate::load::{Loaded, load};
use crate::measure_one::{Frame, measure_one};
use crate::plan::Plan;
use crate::predictor::Predictor;
use crate::variant::copy_of;

/// Rows that are tried.
pub(crate) const SAMPLE: usize = 5;

/// Seconds after which no further sort of view is tried.
const PATIENCE_S: f64 = 2.0;

/// Share of its budget that a search uses, about: it stops when it has found, which takes little for a class and seldom happens
/// for outlines, and is not begun where the image itself is wrong. Measured: 7% on a classifier, 75% on a U-Net.
fn share_of_budget(task: Task) -> f64 {
    if task == Task::Classification {
        0.25
    } else {
        0.75
    }
}

/// Seconds of judging and drawing, at least and for each image up to [`JUDGED`], where nothing but the tables counts: measured.
const JUDGE_S: f64 = 0.5;
const JUDGE_IMAGE_S: f64 = 0.008;
const JUDGED: usize = 1000;

/// A sort of view: what takes about as long.
type Sort = (ViewKind, String);

/// The sort that a view is of.
fn sort_of(view: &View) -> Sort {
    (view.kind, view.name.clone())
}

/// What a run will cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Forward passes for an ordinary image and view.
    pub passes_per_unit: u64,
    /// Seconds for one thread to read and describe an image.
    pub item_s: f64,
    /// Seconds for one thread to read an image again.
    pub read_s: f64,
    /// Seconds to make the session of a model.
    pub session_s: f64,
    /// Seconds for one thread to make, run and score one view of each sort that was tried.
    pub view_s: BTreeMap<(ViewKind, String), f64>,
    /// Share of its budget that a search uses.
    pub share_of_budget: f64,
    /// Forward passes that one copy with weights drawn anew needs before it can be run.
    pub passes_per_copy: u64,
    /// Bytes of memory for each thread: the samples of the largest image tried, with working copies.
    pub thread_bytes: u64,
}

impl Estimate {
    /// Seconds for the whole plan with this many threads, from the rows to the page.
    pub fn seconds(&self, plan: &Plan, jobs: usize) -> f64 {
        let items = plan.units(Stage::Items);
        let mut models = BTreeSet::new();
        let mut thread = items as f64 * self.item_s;
        plan.tally(|stage, model, views, rows| {
            models.insert((stage, model.to_owned()));
            let of_row: f64 = views.iter().map(|v| self.of(v)).sum();
            thread += rows as f64 * (of_row + self.read_s);
        });
        // A block ends within a row, which is then read twice.
        thread += (plan.blocks(Stage::Own) + plan.blocks(Stage::Partner)) as f64 * self.read_s;
        let copies = plan.variants().into_iter().filter_map(copy_of).count() as u64;
        let identity = self.of(&View::identity());
        thread / jobs.max(1) as f64
            + (copies * self.passes_per_copy) as f64 * identity
            + models.len() as f64 * self.session_s
            + JUDGE_S
            + items.min(JUDGED) as f64 * JUDGE_IMAGE_S
    }

    /// Seconds of one view: as tried, else as those of its kind, else as the image itself.
    fn of(&self, view: &View) -> f64 {
        let mean = |kind: ViewKind| {
            let of_kind: Vec<f64> = self
                .view_s
                .iter()
                .filter(|((k, _), _)| *k == kind)
                .map(|(_, s)| *s)
                .collect();
            (!of_kind.is_empty()).then(|| of_kind.iter().sum::<f64>() / of_kind.len() as f64)
        };
        let identity = || mean(ViewKind::Identity).unwrap_or(0.0);
        match view.kind {
            // A step changes the image much as corruptions do.
            ViewKind::Search => {
                let step = mean(ViewKind::Corruption).unwrap_or_else(identity);
                f64::from(view.budget) * self.share_of_budget * step
            }
            _ => self
                .view_s
                .get(&sort_of(view))
                .copied()
                .or_else(|| mean(view.kind))
                .unwrap_or_else(identity),
        }
    }

    /// Bytes on disk for the whole plan: measured on runs, about 120 for a measurement (twice, as part and in the table)
    /// and 8 kB for an item.
    pub fn disk_bytes(plan: &Plan) -> u64 {
        let units = (plan.units(Stage::Own) + plan.units(Stage::Partner)) as u64;
        units * 2 * 120 + plan.units(Stage::Items) as u64 * 2 * 8192
    }
}

/// A row that is tried.
struct Tried {
    row: usize,
    loaded: Loaded,
    known: Known,
}

/// Tries the job on a few rows spread over the manifest: each row itself, then one view of each sort that is asked for, on
/// one row after the other, until `PATIENCE_S` are over. Only clocks come of it, and the number of passes that fixes the
/// blocks, which is the same every time.
///
/// # Errors
/// That the engine could not make a session, or that none of the rows tried can be read.
pub fn estimate(job: &Job) -> Result<Estimate> {
    let n = job.dataset.items.len();
    let mut estimate = Estimate {
        passes_per_unit: 1,
        item_s: 0.0,
        read_s: 0.0,
        session_s: 0.0,
        view_s: BTreeMap::new(),
        share_of_budget: share_of_budget(job.context.task),
        passes_per_copy: 0,
        thread_bytes: 0,
    };
    let mut tried = Vec::new();
    let mut passes = Vec::new();
    let mut last = None;
    for step in 0..SAMPLE.min(n) {
        let row = step * n / SAMPLE.min(n);
        let item = &job.dataset.items[row];
        let start = Instant::now();
        let loaded = match load(job, item) {
            Ok(loaded) => loaded,
            Err(error) => {
                last = Some(error);
                continue;
            }
        };
        estimate.read_s += start.elapsed().as_secs_f64();
        let start = Instant::now();
        let Some(known) = describe_item(job, item, false).known else {
            continue;
        };
        estimate.item_s += start.elapsed().as_secs_f64();
        let shape = loaded.image.shape();
        estimate.thread_bytes = estimate
            .thread_bytes
            .max(shape.iter().map(|&s| s as u64).product::<u64>() * 4 * 6 + (64 << 20));
        if let Source::Model(model) = &job.source {
            passes.push(model.passes(&shape).max(1));
        }
        tried.push(Tried { row, loaded, known });
    }
    if let (Some(error), true) = (last, tried.is_empty()) {
        return Err(error);
    }
    let rows = tried.len().max(1) as f64;
    estimate.item_s /= rows;
    estimate.read_s /= rows;
    passes.sort_unstable();
    estimate.passes_per_unit = passes.get(passes.len() / 2).copied().unwrap_or(1);
    if let Source::Model(model) = &job.source {
        // A pass ends at the layer that it is for: half the network, on average.
        let layers = model.normalisation_layers();
        estimate.passes_per_copy = (layers * IMAGES.min(n)).div_ceil(2) as u64;
    }
    if !matches!(job.source, Source::None) {
        try_views(job, &tried, &mut estimate)?;
    }
    Ok(estimate)
}

/// One view of each sort that the audited model is asked for, from the middle of those; searches apart.
fn one_of_each(requests: &[Request]) -> Vec<View> {
    let mut sorts: BTreeMap<Sort, Vec<&View>> = BTreeMap::new();
    for view in requests
        .iter()
        .filter(|r| r.model == AUDITED)
        .flat_map(|r| &r.views)
        .filter(|v| !matches!(v.kind, ViewKind::Identity | ViewKind::Search))
    {
        sorts.entry(sort_of(view)).or_default().push(view);
    }
    sorts
        .into_values()
        .map(|views| views[views.len() / 2].clone())
        .collect()
}

/// Times the image itself on every row, then one view of each sort.
fn try_views(job: &Job, tried: &[Tried], estimate: &mut Estimate) -> Result<()> {
    // Swaps take their donors from the rows that are tried.
    let donors: Vec<Donor> = tried
        .iter()
        .map(|t| Donor {
            row: t.row as u32,
            image_sha256: t.loaded.sha256,
            profile: t.known.profile.clone(),
        })
        .collect();
    let views = one_of_each(&job.requests);
    let fits = Fits {
        pools: views
            .iter()
            .filter_map(|v| v.pool.clone())
            .map(|pool| {
                let donors = donors.clone();
                (pool, Pool { donors })
            })
            .collect(),
        ..Fits::default()
    };
    let start = Instant::now();
    let mut predictor = Predictor::new(job, AUDITED, &fits)?;
    estimate.session_s = start.elapsed().as_secs_f64();
    let frame = Frame {
        context: &job.context,
        fits: &fits,
        model_id: job.source.model_id(AUDITED),
        pixels: false,
    };
    let mut time = |tried: &Tried, view: &View| {
        let item = &job.dataset.items[tried.row];
        let known = Some(&tried.known);
        let measured = measure_one(item, &tried.loaded, known, view, &mut predictor, &frame);
        (measured.measurement.status == Status::Ok).then_some(measured.timing.total_s)
    };
    let identity = View::identity();
    // The first run of a session sets itself up; only the second is timed.
    if let Some(first) = tried.first() {
        time(first, &identity);
    }
    let times: Vec<f64> = tried.iter().filter_map(|t| time(t, &identity)).collect();
    if !times.is_empty() {
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        estimate.view_s.insert(sort_of(&identity), mean);
    }
    let start = Instant::now();
    for (view, tried) in views.iter().zip(tried.iter().cycle()) {
        if start.elapsed().as_secs_f64() > PATIENCE_S {
            break;
        }
        if let Some(seconds) = time(tried, view) {
            estimate.view_s.insert(sort_of(view), seconds);
        }
    }
    Ok(())
}
