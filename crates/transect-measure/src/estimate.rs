//! What a run will cost, told before it starts.

use std::time::Instant;

use transect_core::{AUDITED, Fits, Image, Item, Result, Severity, Stage, View};
use transect_optics::MakeContext;

use crate::describe::described;
use crate::fits::IMAGES;
use crate::job::{Job, Source};
use crate::load::load;
use crate::plan::Plan;
use crate::predictor::{Predictor, Shown};
use crate::variant::copy_of;

/// Rows that are tried.
pub(crate) const SAMPLE: usize = 5;

/// What a run will cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Forward passes for an ordinary image and view.
    pub passes_per_unit: u64,
    /// Seconds for one thread to read and describe an image.
    pub item_s: f64,
    /// Seconds for one thread to make, run and score one view.
    pub unit_s: f64,
    /// Forward passes that one copy with weights drawn anew needs before it can be run.
    pub passes_per_copy: u64,
    /// Bytes of memory for each thread: the samples of the largest image tried, with working copies.
    pub thread_bytes: u64,
}

impl Estimate {
    /// Seconds for the whole plan with this many threads.
    pub fn seconds(&self, plan: &Plan, jobs: usize) -> f64 {
        let copies = plan.variants().into_iter().filter_map(copy_of).count() as u64;
        let once = (copies * self.passes_per_copy) as f64 * self.unit_s;
        (plan.units(Stage::Items) as f64 * self.item_s + plan.cost() as f64 * self.unit_s)
            / jobs.max(1) as f64
            + once
    }

    /// Bytes on disk for the whole plan: measured on runs, about 120 for a measurement (twice, as part and in the table)
    /// and 8 kB for an item.
    pub fn disk_bytes(plan: &Plan) -> u64 {
        let units = (plan.units(Stage::Own) + plan.units(Stage::Partner)) as u64;
        units * 2 * 120 + plan.units(Stage::Items) as u64 * 2 * 8192
    }
}

/// Tries the job on a few rows spread over the manifest. Only clocks come of it, and the number of passes that fixes the
/// blocks, which is the same every time.
///
/// # Errors
/// That the engine could not make a session, or that none of the rows tried can be read.
pub fn estimate(job: &Job) -> Result<Estimate> {
    let n = job.dataset.items.len();
    let mut estimate = Estimate {
        passes_per_unit: 1,
        item_s: 0.0,
        unit_s: 0.0,
        passes_per_copy: 0,
        thread_bytes: 0,
    };
    let fits = Fits::default();
    let mut predictor = match &job.source {
        Source::None => None,
        _ => Some(Predictor::new(job, AUDITED, &fits)?),
    };
    let (mut items, mut units) = (0_u32, 0_u32);
    let mut passes = Vec::new();
    let mut last = None;
    for step in 0..SAMPLE.min(n) {
        let item = &job.dataset.items[step * n / SAMPLE.min(n)];
        let start = Instant::now();
        let loaded = match load(job, item) {
            Ok(loaded) => loaded,
            Err(error) => {
                last = Some(error);
                continue;
            }
        };
        let described = described(job, &loaded);
        estimate.item_s += start.elapsed().as_secs_f64();
        items += 1;
        let shape = loaded.image.shape();
        estimate.thread_bytes = estimate
            .thread_bytes
            .max(shape.iter().map(|&s| s as u64).product::<u64>() * 4 * 6 + (64 << 20));
        let Some(predictor) = &mut predictor else {
            continue;
        };
        if let Source::Model(model) = &job.source {
            passes.push(model.passes(&shape).max(1));
        }
        let first = job
            .context
            .ladders
            .get(step % job.context.ladders.len().max(1));
        let mut views = vec![View::identity()];
        views.extend(first.map(|l| {
            View::corruption(
                &l.name,
                Severity::LADDER[2],
                &l.parameter,
                l.values[2],
                &l.unit,
            )
        }));
        for view in views {
            // The first run of a session sets itself up; only the second is timed.
            if units == 0 {
                let _ = predictor.predict(&shown(item, &view, &loaded.image));
            }
            let start = Instant::now();
            let made = transect_optics::make_view(
                &loaded.image,
                None,
                &view,
                &MakeContext {
                    modality: job.context.modality,
                    optics: job.context.optics,
                    seed: job.context.seed,
                    image_sha256: loaded.sha256,
                    fits: &fits,
                    profile: Some(&described.profile),
                    cameras: Some(&described.cameras),
                },
            );
            if let Ok(made) = made
                && let Ok(predicted) = predictor.predict(&shown(item, &view, &made.image))
            {
                if let Some(truth) = &loaded.truth {
                    let _ = transect_score::score(
                        job.context.task,
                        job.context.classes.len(),
                        truth,
                        &predicted.prediction,
                    );
                }
                estimate.unit_s += start.elapsed().as_secs_f64();
                units += 1;
            }
        }
    }
    if items == 0
        && let Some(error) = last
    {
        return Err(error);
    }
    if let Source::Model(model) = &job.source {
        // A pass ends at the layer that it is for: half the network, on average.
        let layers = model.normalisation_layers();
        estimate.passes_per_copy = (layers * IMAGES.min(n)).div_ceil(2) as u64;
    }
    passes.sort_unstable();
    estimate.passes_per_unit = passes.get(passes.len() / 2).copied().unwrap_or(1);
    estimate.item_s /= f64::from(items.max(1));
    estimate.unit_s /= f64::from(units.max(1));
    Ok(estimate)
}

/// A view of a row, as a predictor sees it.
fn shown<'a>(item: &'a Item, view: &'a View, image: &'a Image) -> Shown<'a> {
    Shown {
        item,
        view,
        image,
        second: None,
    }
}
