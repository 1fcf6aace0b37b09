//! `transect audit`.

use std::path::Path;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};
use transect_core::context::PlanLevel;
use transect_core::{Error, Errors, Fits, Stage, codes};
use transect_measure::{
    Estimate, Folder, Gathered, Job, Note, Plan, Shard, estimate, gather, run_stage, usable,
    write_atomically,
};

use crate::Outcome;
use crate::args::{AuditArgs, JobArgs};
use crate::console::{self, Bars};
use crate::publish;
use crate::setup::{self, Cut, Inputs};

/// File in the run's folder that keeps the arguments, outside the contract: it holds paths of this machine.
pub(crate) const ARGUMENTS: &str = "arguments.json";

/// The arguments of a run and what its budget was resolved into.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Arguments {
    pub(crate) job: JobArgs,
    pub(crate) cut: Cut,
    pub(crate) passes_per_unit: u64,
}

/// Reads the arguments that a run's folder keeps.
pub(crate) fn arguments(folder: &Path) -> Option<Arguments> {
    serde_json::from_slice(&std::fs::read(folder.join(ARGUMENTS)).ok()?).ok()
}

pub(crate) fn run(args: &AuditArgs) -> Outcome {
    let shard = args.shard.as_deref().map(setup::shard).transpose()?;
    let budget = args.job.budget.as_deref().map(setup::seconds).transpose()?;
    let jobs = setup::jobs(args.jobs)?;
    usable(&args.out)?;
    if shard.is_some() && (args.end.json || !args.end.fail_on.is_empty()) {
        return Err(Error::new(
            &codes::program::BAD_OPTION,
            "a shard has no findings: --json and --fail-on would do nothing",
        )
        .help("give them to `transect gather`")
        .into());
    }
    console::stop_politely();
    let inputs = Inputs::read(&args.job)?;
    let kept = setup::absolute(&args.job);
    let before = arguments(&args.out).filter(|b| same(&b.job, &kept));
    let mut cut = before.as_ref().map_or(
        Cut {
            level: PlanLevel::from(args.job.plan),
            rows: None,
        },
        |b| b.cut,
    );
    let mut job = inputs.job(cut)?;
    if job.dataset.items.is_empty() {
        return Err(Error::new(
            &codes::measure::NOTHING_TO_MEASURE,
            "no image is left to measure",
        )
        .at(&args.job.images.data)
        .help("check --where and --reference-where")
        .into());
    }
    let costs = estimate(&job)?;
    let passes_per_unit = before
        .as_ref()
        .map_or(costs.passes_per_unit, |b| b.passes_per_unit);
    let mut plan = Plan::new(&job, passes_per_unit);
    if let (Some(budget), None) = (budget, &before) {
        cut = fit_budget(&inputs, &costs, budget, jobs, cut)?;
        job = inputs.job(cut)?;
        plan = Plan::new(&job, passes_per_unit);
    }
    announce(&job, &plan, &costs, jobs, shard);
    room(&args.out, &plan, shard)?;
    let folder = Folder::open(&args.out, &plan)?;
    let arguments = Arguments {
        job: kept,
        cut,
        passes_per_unit,
    };
    write_atomically(
        &args.out.join(ARGUMENTS),
        &serde_json::to_vec_pretty(&arguments).unwrap_or_default(),
    )?;
    let log = publish::Log::open(&args.out);
    log.note("begin", &format!("{jobs} threads"));
    let part = shard.unwrap_or(Shard::WHOLE);
    let bars = Bars::new();
    let none = Fits::default();
    for stage in [Stage::Items, Stage::Own] {
        run_stage(
            &job,
            &plan,
            &folder,
            stage,
            &none,
            part,
            jobs,
            &bars,
            &console::STOP,
        )?;
    }
    let together = || gather(&job, std::slice::from_ref(&args.out), &args.out, &plan);
    // A whole run always makes its fits anew: an image that failed before may have been read now.
    let fits = match (shard, folder.fits()?) {
        (Some(_), None) if plan.blocks(Stage::Partner) > 0 => {
            console::say(&format!(
                "Shard {}/{} has measured all that needs no other image. When every shard has: transect gather DIR… --out \
                 DIR, then the same command again.",
                part.index, part.of
            ));
            return Ok(0);
        }
        (Some(_), fits) => fits.unwrap_or_default(),
        (None, _) => match together()? {
            Gathered::NeedsPartner(fits) => fits,
            Gathered::Whole => folder.fits()?.unwrap_or_default(),
        },
    };
    let measured = run_stage(
        &job,
        &plan,
        &folder,
        Stage::Partner,
        &fits,
        part,
        jobs,
        &bars,
        &console::STOP,
    )?;
    if shard.is_some() {
        console::say(&format!(
            "Shard {}/{} is finished: transect gather DIR… --out DIR",
            part.index, part.of
        ));
        return Ok(0);
    }
    if measured {
        together()?;
    }
    log.note("measured", "");
    if console::STOP.load(Ordering::SeqCst) {
        return Err(
            Error::new(&codes::measure::INTERRUPTED, "stopped before the report")
                .at(&args.out)
                .into(),
        );
    }
    let outcome = publish::publish(&job, &fits, &args.out, &args.end);
    log.note("end", "");
    outcome
}

/// Whether two sets of arguments ask for the same measurements under the same budget.
fn same(a: &JobArgs, b: &JobArgs) -> bool {
    serde_json::to_value(a).ok() == serde_json::to_value(b).ok()
}

/// The largest plan that fits a time: the plan asked for, else the quick one, else the quick one on fewer images.
fn fit_budget(
    inputs: &Inputs,
    costs: &Estimate,
    budget: f64,
    jobs: usize,
    asked: Cut,
) -> Result<Cut, Errors> {
    let seconds = |cut: Cut| -> Result<f64, Errors> {
        Ok(costs.seconds(&Plan::new(&inputs.job(cut)?, costs.passes_per_unit), jobs))
    };
    if seconds(asked)? <= budget {
        return Ok(asked);
    }
    let quick = Cut {
        level: PlanLevel::Quick,
        rows: None,
    };
    let whole = seconds(quick)?;
    if whole <= budget {
        return Ok(quick);
    }
    let rows = (inputs.rows() as f64 * budget / whole).floor() as usize;
    if rows < 2 {
        return Err(Error::new(
            &codes::measure::BUDGET_TOO_SMALL,
            format!(
                "the quick plan would take {}, the budget is {}",
                console::duration(whole),
                console::duration(budget)
            ),
        )
        .help("give more time, or a faster engine with --engine onnxruntime")
        .into());
    }
    Ok(Cut {
        level: PlanLevel::Quick,
        rows: Some(rows),
    })
}

/// Refuses a new run that the disk has probably no room for; of one that goes on it only warns, since its parts are there.
fn room(out: &Path, plan: &Plan, shard: Option<Shard>) -> Result<(), Error> {
    let needed = Estimate::disk_bytes(plan) / shard.map_or(1, |s| s.of as u64);
    let there = std::path::absolute(out).ok().and_then(|path| {
        let folder = path.ancestors().find(|p| p.is_dir())?;
        fs4::available_space(folder).ok()
    });
    let Some(free) = there.filter(|&free| free < needed) else {
        return Ok(());
    };
    let words = format!(
        "the run takes about {}, the disk has {} left",
        console::bytes(needed),
        console::bytes(free)
    );
    if out.join("parts").is_dir() {
        console::say(&format!("Note: {words}"));
        return Ok(());
    }
    Err(Error::new(&codes::measure::NO_SPACE, words)
        .at(out)
        .help("free some space, give an --out on another disk, or measure less with --plan quick"))
}

fn announce(job: &Job, plan: &Plan, costs: &Estimate, jobs: usize, shard: Option<Shard>) {
    for note in &job.notes {
        if let Note::Warning(text) = note {
            console::say(&format!("Note: {text}"));
        }
    }
    if job.context.images_alone {
        console::say(&format!(
            "{} images alone, without a model: about {} on {jobs} threads.",
            job.dataset.items.len(),
            console::duration(costs.seconds(plan, jobs))
        ));
        return;
    }
    if job.context.predictions_only {
        console::say(&format!(
            "Predictions {} of {} images.",
            job.model_name,
            job.dataset.items.len()
        ));
        return;
    }
    let share = shard.map_or(1.0, |s| 1.0 / s.of as f64);
    let units = plan.units(Stage::Own) + plan.units(Stage::Partner);
    console::say(&format!(
        "{} ({}) on {} images: {} views, {} forward passes{}; about {} on {jobs} threads, {} of memory, {} of disk.\n\
         Model's own test: {}",
        job.model_name,
        job.engine,
        job.dataset.items.len(),
        units,
        plan.record().forward_passes,
        if shard.is_some() {
            " (this shard measures its share)"
        } else {
            ""
        },
        console::duration(costs.seconds(plan, jobs) * share),
        console::bytes(costs.thread_bytes * jobs as u64 + (100 << 20)),
        console::bytes(Estimate::disk_bytes(plan)),
        job.model_test,
    ));
}
