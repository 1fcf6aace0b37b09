//! `transect gather`.

use transect_core::{Error, Stage, codes};
use transect_measure::{Folder, Gathered, gather, plan_of, write_atomically};

use super::audit::{ARGUMENTS, arguments};
use crate::Outcome;
use crate::args::GatherArgs;
use crate::setup::Inputs;
use crate::{console, publish};

pub(crate) fn run(args: &GatherArgs) -> Outcome {
    let plan = plan_of(&args.shards[0])?;
    let Some(kept) = arguments(&args.shards[0]) else {
        return Err(Error::new(
            &codes::measure::TABLE_UNREADABLE,
            format!("{ARGUMENTS} is missing or damaged"),
        )
        .at(args.shards[0].join(ARGUMENTS))
        .help("run the audit again with the same options")
        .into());
    };
    let job = Inputs::read(&kept.job)?.job(kept.cut)?;
    let folder = Folder::open(&args.out, &plan)?;
    match gather(&job, &args.shards, folder.path(), &plan)? {
        Gathered::NeedsPartner(_) => {
            console::say(&format!(
                "The fits for the {} views that need other images are made and lie in every shard's folder. Run the same \
                 audit commands again, then gather again.",
                plan.units(Stage::Partner)
            ));
            Ok(0)
        }
        Gathered::Whole => {
            write_atomically(
                &args.out.join(ARGUMENTS),
                &serde_json::to_vec_pretty(&kept).unwrap_or_default(),
            )?;
            let fits = folder.fits()?.unwrap_or_default();
            publish::publish(&job, &fits, &args.out, &args.end)
        }
    }
}
