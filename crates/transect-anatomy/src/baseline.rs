//! Baseline: does the model reach more than what nobody had to learn?
//!
//! Primary: `baseline.embedding_gain` and `baseline.prediction_gain`, the least gain over the baselines. Bad
//! is low: better than all when the smallest one-sided 95% lower bound is above 0 (passes), no better than one when the upper
//! bound that holds over all of them is under the margin 0.02 (fails), else undecided.

mod classes;
mod outlines;
mod parts;
mod pixels;

use transect_core::{Context, Request, Result, Role, Selection, Stage, Task, View};

use crate::opinion::{Opinion, not_assessable};
use crate::study::Study;
use crate::{Mode, copies, plan as merging};

pub(crate) use classes::learnable;

pub use crate::gains::MARGIN;

/// Fewest images for a comparison.
pub const FEWEST: usize = 20;
/// The classical method for outlines.
pub const OTSU: &str = "builtin:otsu";

pub(crate) const MODE: Mode = Mode {
    name: "baseline",
    question: "Does the model reach more than what nobody had to learn?",
    primaries: &["baseline.embedding_gain", "baseline.prediction_gain"],
    plan,
    judge,
};

/// The images themselves; target images under re-initialised copies, for outlines with single pixels where the model has a
/// layer before its last convolution; for outlines under Otsu's method as well.
pub fn plan(context: &Context) -> Vec<Request> {
    let mut requests = vec![merging::identity("baseline")];
    if !context.has_truth {
        return requests;
    }
    if context.task == Task::Classification {
        requests.extend(copies::requests(context, "baseline"));
        return requests;
    }
    if otsu_applies(context) {
        requests.push(otsu(context, "baseline"));
    }
    if context.dense_layer.is_some() {
        let copies = copies::requests(context, "baseline");
        requests.extend(copies.into_iter().map(Request::with_pixels));
    }
    requests
}

/// Whether Otsu's foreground means anything: objects, or two classes of pixels.
pub(crate) fn otsu_applies(context: &Context) -> bool {
    context.task == Task::Instance || (context.task == Task::Semantic && context.classes.len() <= 2)
}

/// Target images under Otsu's method; it needs the pixels, so not where predictions were given without them.
pub(crate) fn otsu(_: &Context, mode: &str) -> Request {
    Request::new(
        mode,
        Stage::Own,
        Selection::Role(Role::Target),
        vec![View::identity()],
    )
    .of_model(OTSU)
}

/// Target images that the model was not trained on, as far as the manifest tells, and what is to be said about that.
pub(crate) struct Unseen {
    /// Rows with a score.
    pub(crate) rows: Vec<usize>,
    /// Rows left out since the model was trained on them.
    pub(crate) trained: usize,
    /// What a reader must know.
    pub(crate) caveat: String,
}

/// Column of the manifest that tells which images the model was trained on.
const SPLIT: &str = "split";

/// Leaves out target images whose column `split` says `train`, and those whose content is that of any such image.
pub(crate) fn unseen(study: &Study<'_>) -> Unseen {
    let items = study.tables.items();
    let split = |row: usize| {
        let columns = &items[row].item.columns;
        columns
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(SPLIT))
            .map(|(_, value)| value.trim().to_ascii_lowercase())
    };
    let trained_on = |row: usize| {
        split(row).is_some_and(|s| matches!(s.as_str(), "train" | "training" | "trainset"))
    };
    let told = (0..items.len()).any(|row| split(row).is_some());
    let contents: std::collections::BTreeSet<_> = (0..items.len())
        .filter(|&row| trained_on(row))
        .map(|row| items[row].image_sha256)
        .collect();
    let (trained, rows): (Vec<usize>, Vec<usize>) = study
        .scored(Role::Target)
        .into_iter()
        .partition(|&row| trained_on(row) || contents.contains(&items[row].image_sha256));
    let caveat = if !told {
        "nothing in the manifest says which images the model was trained on (a column `split` would): if some of these were among them, the model's side is too good".to_owned()
    } else if trained.is_empty() {
        "no target image is of the split train".to_owned()
    } else {
        format!(
            "{} of the split train, or with the same content, left out",
            crate::words::images(trained.len())
        )
    };
    Unseen {
        trained: trained.len(),
        rows,
        caveat,
    }
}

/// Both primary findings, not assessed.
fn refuse(opinion: &mut Opinion, ids: &[&str], why: &str, missing: &str) {
    for id in ids {
        let mut finding = not_assessable(
            *id,
            format!("Whether the model reaches more than its baselines was not assessed: {why}."),
            missing,
        );
        finding.primary = MODE.primaries.contains(id);
        opinion.drafts.push(finding.into());
    }
}

/// Whether the model is better than its baselines.
///
/// # Errors
/// When a table cannot be read.
pub fn judge(study: &Study<'_>) -> Result<Opinion> {
    let mut opinion = Opinion::default();
    let unseen = unseen(study);
    let ids = MODE.primaries;
    if unseen.rows.is_empty() {
        let (why, missing) = if unseen.trained > 0 {
            (
                "every target image with truth was in the model's training",
                "target images that the model was not trained on (another `split` than train)",
            )
        } else {
            (
                "no target image has a score",
                "truth for some target images, in the model's terms",
            )
        };
        refuse(&mut opinion, ids, why, missing);
        return Ok(opinion);
    }
    if unseen.rows.len() < FEWEST {
        refuse(
            &mut opinion,
            ids,
            &format!(
                "{} with truth are too few",
                crate::words::images(unseen.rows.len())
            ),
            &format!(
                "at least {FEWEST} target images with truth that the model was not trained on"
            ),
        );
        return Ok(opinion);
    }
    if study.context.task == Task::Classification {
        classes::judge(study, &unseen, &mut opinion)?;
    } else {
        outlines::judge(study, &unseen, &mut opinion)?;
    }
    Ok(opinion)
}
