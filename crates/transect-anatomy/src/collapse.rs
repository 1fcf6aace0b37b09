//! Collapse: does one simple quantity of the image decide the prediction, with capacity unused?
//!
//! Primary: `collapse.one_dimensional`, how much better the best function of one feature of the image agrees with the prediction
//! than the best one agrees with the truth, both held out. Bad is high: it warns above 0.10 and fails above 0.25 (Cohen's κ;
//! correlation for counts and areas). Where the truth is as simple, that is no fault of the model: see `prior`.

mod channels;
mod one_dimensional;
mod ranks;
mod subspace;

use transect_core::context::PlanLevel;
use transect_core::view::channel_group;
use transect_core::{
    Context, Request, Result, Role, Selection, Stage, Status, Threshold, View, ViewKind,
};

use crate::opinion::Opinion;
use crate::study::Study;
use crate::{Mode, copies, plan as merging};

/// Excess agreement with the prediction above which the finding warns and fails.
pub const EXCESS: Threshold = Threshold {
    warn: 0.10,
    fail: 0.25,
};
/// Share of the predictions that a set of channels must keep to suffice.
pub const SUFFICIENT: f64 = 0.95;
/// Fewest images for anything about collapse.
pub const FEWEST: usize = 20;
/// Directions of the embedding that are kept.
const KEPT: [u32; 3] = [1, 2, 4];
/// Random subspaces beside each.
const RANDOM: u32 = 3;
/// Channels up to which each group is also exchanged in a standard plan.
const FEW_CHANNELS: u32 = 4;

pub(crate) const MODE: Mode = Mode {
    name: "collapse",
    question: "Does one simple quantity of the image decide the prediction?",
    primaries: &["collapse.one_dimensional"],
    plan,
    judge,
};

/// Groups that the channels are put in.
pub(crate) fn groups(context: &Context) -> u32 {
    (0..context.channels)
        .take_while(|&g| !channel_group(context.channels, g).is_empty())
        .count() as u32
}

fn ablation(name: &str) -> View {
    View::of(ViewKind::Ablation, name)
}

/// The images themselves, also under re-initialised copies; but for the quick plan, up to 100 target images (300 in full) with a
/// part of their embedding exchanged, and, from two channels on, without each group of channels; from four on also with the
/// most used groups only, and with pixels or channels in random order.
///
/// Where there is a reference, each group is left out on reference images: the order of the groups comes from there, and the
/// sets of most used groups are tried on the target.
pub fn plan(context: &Context) -> Vec<Request> {
    let mut requests = vec![merging::identity("collapse")];
    requests.extend(copies::requests(context, "collapse"));
    if context.predictions_only || context.plan == PlanLevel::Quick {
        return requests;
    }
    let full = context.plan == PlanLevel::Full;
    let most = if full { 300 } else { 100 };
    let target = Selection::Sample(Role::Target, most);
    if context.head_layer.is_some() {
        let mut views = Vec::new();
        for rank in KEPT {
            for name in
                std::iter::once("top".to_owned()).chain((0..RANDOM).map(|i| format!("random:{i}")))
            {
                let mut view =
                    View::of(ViewKind::Subspace, &name).with("rank", f64::from(rank), "");
                view.pool = Some("target".to_owned());
                views.push(view);
            }
        }
        requests.push(Request::new("collapse", Stage::Partner, target, views));
    }
    if context.channels < 2 {
        return requests;
    }
    let groups = groups(context);
    let used_on = if context.has_reference && context.channels >= FEW_CHANNELS {
        Selection::Sample(Role::Reference, most)
    } else {
        target
    };
    let means = (0..groups)
        .map(|g| ablation("channels_mean").with("group", f64::from(g), ""))
        .collect();
    requests.push(Request::new("collapse", Stage::Own, used_on, means));
    if full || context.channels <= FEW_CHANNELS {
        let swaps = (0..groups)
            .map(|g| {
                let pool = if used_on == target {
                    "target"
                } else {
                    "reference"
                };
                View::swap("channels", pool, 0).with("group", f64::from(g), "")
            })
            .collect();
        requests.push(Request::new("collapse", Stage::Partner, used_on, swaps));
    }
    if context.channels >= FEW_CHANNELS {
        requests.push(Request::new(
            "collapse",
            Stage::Own,
            target,
            vec![ablation("pixel_shuffled"), ablation("channel_shuffled")],
        ));
        let kept = (1..groups)
            .map(|k| ablation("channels_kept").with("groups", f64::from(k), ""))
            .collect();
        requests.push(Request::new("collapse", Stage::Partner, target, kept));
    }
    requests
}

/// Whether predictions are simpler than the truth, and what of the input and of the embedding they use.
///
/// # Errors
/// When a table cannot be read.
pub fn judge(study: &Study<'_>) -> Result<Opinion> {
    let mut opinion = Opinion::default();
    one_dimensional::judge(study, &mut opinion)?;
    ranks::judge(study, &mut opinion)?;
    subspace::judge(study, &mut opinion)?;
    channels::judge(study, &mut opinion)?;
    Ok(opinion)
}

/// What is predicted of an image as a whole: its class, or a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Answer {
    /// A class.
    Class(u32),
    /// A number of objects, or a share of the area.
    Number(f64),
}

impl Answer {
    /// Whether another answer is the same: the same class; a number that moves by less than a fifth.
    pub(crate) fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Class(a), Self::Class(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => {
                (a - b).abs() <= crate::shortcut::COUNT_MOVED * a.abs().max(b.abs())
            }
            _ => false,
        }
    }
}

/// Columns whose ratio is a number that an image comes to: (predicted, true, of).
pub(crate) struct Measured {
    pred: usize,
    truth: usize,
    of: Option<usize>,
}

impl Measured {
    /// Objects, or the share of foreground; `None` for classes, of images or of more than two sorts of pixels.
    pub(crate) fn of(study: &Study<'_>) -> Option<Self> {
        let column = |name: &str| {
            study
                .context
                .score_columns
                .iter()
                .position(|c| c.name == name)
        };
        Some(Self {
            pred: column("n_pred")?,
            truth: column("n_true")?,
            of: match study.context.task {
                transect_core::Task::Semantic => Some(column("n_pixels")?),
                _ => None,
            },
        })
    }

    fn share(&self, scores: &[Option<f64>], column: usize) -> Option<f64> {
        let value = scores.get(column).copied().flatten()?;
        let of = match self.of {
            Some(of) => scores.get(of).copied().flatten().filter(|n| *n > 0.0)?,
            None => 1.0,
        };
        Some(value / of).filter(|v| v.is_finite())
    }

    /// What is predicted.
    pub(crate) fn predicted(&self, scores: &[Option<f64>]) -> Option<f64> {
        self.share(scores, self.pred)
    }

    /// What is true.
    pub(crate) fn truth(&self, scores: &[Option<f64>]) -> Option<f64> {
        self.share(scores, self.truth)
    }
}

/// What is predicted of an image: the class, the number of objects (also without truth), or the share of foreground.
pub(crate) fn answer(
    measured: Option<&Measured>,
    pred_class: Option<u32>,
    pred_count: Option<f64>,
    scores: &[Option<f64>],
) -> Option<Answer> {
    if let Some(class) = pred_class {
        return Some(Answer::Class(class));
    }
    measured
        .and_then(|m| m.predicted(scores))
        .or(pred_count)
        .map(Answer::Number)
}

/// What the model answered to each image of the study itself; `None` where it was not measured or gave no answer.
fn own_answers(study: &Study<'_>, measured: Option<&Measured>) -> Vec<Option<Answer>> {
    study
        .rows
        .iter()
        .map(|row| {
            let seen = row.seen.as_ref().filter(|s| s.status == Status::Ok)?;
            answer(measured, seen.pred_class, seen.pred_count, &seen.scores)
        })
        .collect()
}
