//! Plan, run, resume, gather, render: rows in, tables out.
//!
//! Everything that is measured goes through one pure function, [`measure_one`]:
//! `(row, model, view, fits) → measurement`. [`run_stage`] calls it from a pool of threads, block by block; a finished block is a
//! folder of Parquet parts that is never measured again; [`gather`] puts the parts of one or more shards together, in
//! order. [`render`] makes the same views again for the pictures of a report.

mod abilities;
mod describe;
mod elements;
mod estimate;
mod exchange;
mod fits;
mod folder;
mod gather;
mod job;
mod load;
mod measure_one;
mod outlines;
mod parts;
mod pixels;
mod plan;
mod predictions;
mod predictor;
mod reading;
mod render;
mod run;
mod search;
mod variant;

pub use abilities::find_abilities;
pub use describe::Known;
pub use estimate::{Estimate, estimate};
pub use folder::{Folder, make_folder, usable, write_atomically};
pub use gather::{Gathered, gather, plan_of};
pub use job::{Job, MaskRule, Note, Source};
pub use load::{FileFacts, Loaded, load};
pub use measure_one::{Frame, Measured, measure_one};
pub use plan::{Plan, Span};
pub use predictions::Predictions;
pub use predictor::{Predicted, Predictor, Shown};
pub use reading::runner_note;
pub use render::{Picture, outline, render};
pub use run::{Progress, Shard, run_stage};
pub use variant::Builtin;
