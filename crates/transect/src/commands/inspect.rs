//! `transect inspect`: an audit of images alone.

use transect_core::{Error, Errors, codes};

use super::audit;
use crate::Outcome;
use crate::args::{AuditArgs, DataArgs, InspectArgs, JobArgs, ModelArgs, PlanArg};

pub(crate) fn run(args: &InspectArgs) -> Outcome {
    let idle = of_a_model(&args.images);
    if !idle.is_empty() {
        return Err(Errors::from(
            Error::new(
                &codes::program::BAD_OPTION,
                format!(
                    "images alone are not changed, so {} would do nothing",
                    idle.join(", ")
                ),
            )
            .help("leave it out, or give a model to `transect audit`"),
        ));
    }
    audit::run(&AuditArgs {
        job: JobArgs {
            images: args.images.clone(),
            model: ModelArgs::default(),
            predictions: None,
            claim: Vec::new(),
            throughput: None,
            surface_tolerance: None,
            plan: PlanArg::Standard,
            budget: None,
            seed: args.seed,
            images_alone: true,
        },
        out: args.out.clone(),
        jobs: args.jobs,
        shard: None,
        end: args.end.clone(),
    })
}

/// Options that only a model that is run has a use for.
fn of_a_model(images: &DataArgs) -> Vec<&'static str> {
    [
        ("--na", images.na.is_some()),
        ("--wavelength-um", images.wavelength_um.is_some()),
        ("--refractive-index", images.refractive_index.is_some()),
        ("--pixel-size-um", images.pixel_size_um.is_some()),
    ]
    .into_iter()
    .filter_map(|(option, given)| given.then_some(option))
    .collect()
}
