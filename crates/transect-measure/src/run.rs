//! The pool: blocks of a stage, measured in parallel, each written when it is whole.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use transect_core::{AUDITED, Digest, Error, Fits, Item, Result, Stage, ViewKind, codes};
use transect_table::Timing;

use crate::describe::{ItemMade, Known, READ, describe_item, once, unreadable};
use crate::folder::{Folder, unwritten};
use crate::job::Job;
use crate::load::load;
use crate::measure_one::{Frame, Measured, empty, measure_one, refuse};
use crate::parts::{settled, write_items, write_measured};
use crate::plan::{Plan, Span};
use crate::predictor::Predictor;
use crate::variant::copy_of;

/// Which blocks this process measures: those whose number is `index` modulo `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: usize,
    /// Number of shards.
    pub of: usize,
}

impl Shard {
    /// Everything.
    pub const WHOLE: Self = Self { index: 0, of: 1 };
}

/// Told how far a stage is.
pub trait Progress: Sync {
    /// A stage begins: its units, and how many were finished before.
    fn begin(&self, stage: Stage, units: usize, finished: usize);
    /// Units were measured.
    fn advance(&self, units: usize);
    /// The stage is over.
    fn end(&self);
}

/// What a worker does in one go: some views of one row, for one block.
struct Chunk {
    block: usize,
    place: usize,
    span: Span,
}

enum Made {
    Item(Box<ItemMade>),
    Measured(Option<Timing>, Vec<Measured>),
}

/// A predictor and the index of the model within the stage that it is of.
type Held = Option<(usize, Predictor)>;

/// A block on its way: how many chunks are still missing, and those that are there.
struct Open {
    missing: usize,
    made: BTreeMap<usize, Made>,
}

/// Measures the blocks of a stage that are not finished yet, and again those where a file could not be read. Says
/// whether there was anything to measure.
///
/// # Errors
/// `T604` when a part cannot be written, `T620` when `stop` was set; what was finished is kept.
#[expect(
    clippy::too_many_arguments,
    reason = "one call, in one place, of what is otherwise unrelated"
)]
pub fn run_stage(
    job: &Job,
    plan: &Plan,
    folder: &Folder,
    stage: Stage,
    fits: &Fits,
    shard: Shard,
    jobs: usize,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<bool> {
    let parts = folder.parts(stage);
    std::fs::create_dir_all(&parts).map_err(|e| unwritten(&parts, &e))?;
    let mut chunks = Vec::new();
    let mut open = BTreeMap::new();
    let (mut total, mut finished) = (0, 0);
    for block in (shard.index..plan.blocks(stage)).step_by(shard.of) {
        let spans = plan.block(stage, block);
        let units: usize = spans
            .iter()
            .map(|span| {
                plan.views(stage, span.model, span.row)
                    .get(span.views.clone())
                    .map_or(span.views.len(), |views| {
                        views.iter().map(|v| v.budget as usize).sum()
                    })
            })
            .sum();
        total += units;
        if settled(&parts, block) {
            finished += units;
            continue;
        }
        open.insert(
            block,
            Open {
                missing: spans.len(),
                made: BTreeMap::new(),
            },
        );
        chunks.extend(spans.into_iter().enumerate().map(|(place, span)| Chunk {
            block,
            place,
            span,
        }));
    }
    progress.begin(stage, total, finished);
    let pool = Pool {
        job,
        plan,
        stage,
        fits,
        folder,
        parts: &parts,
        scores: job
            .context
            .score_columns
            .iter()
            .map(|c| c.name.clone())
            .collect(),
        chunks,
        next: AtomicUsize::new(0),
        open: Mutex::new(open),
        failure: Mutex::new(None),
        stop,
        progress,
    };
    let workers = jobs.clamp(1, pool.chunks.len().max(1));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| pool.work());
        }
    });
    progress.end();
    if let Some(error) = pool.failure.into_inner().unwrap_or(None) {
        return Err(error);
    }
    if stop.load(Ordering::SeqCst) {
        return Err(Error::new(
            &codes::measure::INTERRUPTED,
            "stopped; everything that was finished is kept",
        )
        .at(folder.path())
        .help("run the same command again to go on"));
    }
    Ok(finished < total)
}

struct Pool<'a> {
    job: &'a Job,
    plan: &'a Plan,
    stage: Stage,
    fits: &'a Fits,
    folder: &'a Folder,
    parts: &'a std::path::Path,
    scores: Vec<String>,
    chunks: Vec<Chunk>,
    next: AtomicUsize,
    open: Mutex<BTreeMap<usize, Open>>,
    failure: Mutex<Option<Error>>,
    stop: &'a AtomicBool,
    progress: &'a dyn Progress,
}

impl Pool<'_> {
    fn work(&self) {
        let mut predictor: Held = None;
        loop {
            let failed = self.failure.lock().map_or(true, |f| f.is_some());
            if failed || self.stop.load(Ordering::SeqCst) {
                return;
            }
            let Some(chunk) = self.chunks.get(self.next.fetch_add(1, Ordering::SeqCst)) else {
                return;
            };
            let result = self
                .make(chunk, &mut predictor)
                .and_then(|made| match made {
                    Some(made) => self.put(chunk, made),
                    None => Ok(()),
                });
            if let Err(error) = result {
                if let Ok(mut failure) = self.failure.lock() {
                    failure.get_or_insert(error);
                }
                return;
            }
        }
    }

    /// Makes a chunk; `None` when the run was stopped in the middle of it.
    fn make(&self, chunk: &Chunk, predictor: &mut Held) -> Result<Option<Made>> {
        let span = &chunk.span;
        let item = &self.job.dataset.items[span.row as usize];
        if self.stage == Stage::Items {
            let mut made = catch_unwind(AssertUnwindSafe(|| {
                describe_item(self.job, item, self.plan.pixels(span.row))
            }))
            .unwrap_or_else(|_| unreadable(item, Digest::default(), &panicked(item)));
            if let Some(known) = made.known.take()
                && self.plan.shows(span.row, needs_known)
            {
                self.folder.keep(item.row, made.record.image_sha256, known);
            }
            self.progress.advance(1);
            return Ok(Some(Made::Item(Box::new(made))));
        }
        let model = self.plan.model(self.stage, span.model);
        let frame = Frame {
            context: &self.job.context,
            fits: self.fits,
            model_id: self.job.source.model_id(model),
            pixels: (model == AUDITED || copy_of(model).is_some()) && self.plan.pixels(span.row),
        };
        let start = Instant::now();
        let loaded = catch_unwind(AssertUnwindSafe(|| load(self.job, item)))
            .unwrap_or_else(|_| Err(panicked(item)));
        let read = loaded
            .is_ok()
            .then(|| once(item, frame.model_id, READ, start));
        let views = &self.plan.views(self.stage, span.model, span.row)[span.views.clone()];
        let known = match &loaded {
            Ok(loaded) if views.iter().any(|v| needs_known(v.kind)) => {
                self.folder.known(item.row, loaded.sha256).or_else(|| {
                    catch_unwind(AssertUnwindSafe(|| Known::of(self.job, loaded)))
                        .ok()
                        .map(Arc::new)
                })
            }
            _ => None,
        };
        let mut measured = Vec::with_capacity(views.len());
        for view in views {
            if self.stop.load(Ordering::SeqCst) {
                return Ok(None);
            }
            measured.push(match &loaded {
                Err(error) => failed(item, view, error, &frame),
                Ok(loaded) => {
                    if predictor.as_ref().is_none_or(|(of, _)| *of != span.model) {
                        *predictor = None;
                        match Predictor::new(self.job, model, self.fits) {
                            Ok(made) => *predictor = Some((span.model, made)),
                            // Without the audited model there is no run; without a variant there are rows that say so.
                            Err(error) if model == AUDITED => return Err(error),
                            Err(error) => {
                                measured.push(failed(item, view, &error, &frame));
                                self.progress.advance(view.budget as usize);
                                continue;
                            }
                        }
                    }
                    let attempt = catch_unwind(AssertUnwindSafe(|| {
                        predictor.as_mut().map(|(_, p)| {
                            measure_one(item, loaded, known.as_deref(), view, p, &frame)
                        })
                    }));
                    if let Ok(Some(measured)) = attempt {
                        measured
                    } else {
                        // A session that panicked is not used again.
                        *predictor = None;
                        failed(item, view, &panicked(item), &frame)
                    }
                }
            });
            self.progress.advance(view.budget as usize);
        }
        Ok(Some(Made::Measured(read, measured)))
    }

    /// Puts a chunk into its block, and writes the block when it was the last.
    fn put(&self, chunk: &Chunk, made: Made) -> Result<()> {
        let whole = {
            let Ok(mut open) = self.open.lock() else {
                return Ok(());
            };
            let Some(block) = open.get_mut(&chunk.block) else {
                return Ok(());
            };
            block.made.insert(chunk.place, made);
            block.missing -= 1;
            if block.missing > 0 {
                return Ok(());
            }
            open.remove(&chunk.block)
        };
        let (mut items, mut read, mut measured) = (Vec::new(), Vec::new(), Vec::new());
        for made in whole.into_iter().flat_map(|block| block.made.into_values()) {
            match made {
                Made::Item(item) => items.push(*item),
                Made::Measured(timing, mut some) => {
                    read.extend(timing);
                    measured.append(&mut some);
                }
            }
        }
        if self.stage == Stage::Items {
            write_items(self.parts, chunk.block, items)
        } else {
            write_measured(self.parts, chunk.block, &self.scores, read, measured)
        }
    }
}

/// Whether such a view asks what is known of its image.
fn needs_known(kind: ViewKind) -> bool {
    matches!(kind, ViewKind::Swap | ViewKind::Surrogate)
}

fn panicked(item: &Item) -> Error {
    Error::new(
        &codes::measure::PANICKED,
        "an internal error; please report it",
    )
    .image(&item.image)
}

fn failed(item: &Item, view: &transect_core::View, error: &Error, frame: &Frame<'_>) -> Measured {
    let mut measurement = empty(item, Digest::default(), view, frame);
    refuse(&mut measurement, error);
    Measured {
        measurement,
        embeddings: Vec::new(),
        mask: None,
        elements: Vec::new(),
        traces: Vec::new(),
        timing: Timing {
            row: item.row,
            model_id: frame.model_id.to_owned(),
            view_id: view.id(),
            view_s: 0.0,
            inference_s: 0.0,
            total_s: 0.0,
        },
    }
}
