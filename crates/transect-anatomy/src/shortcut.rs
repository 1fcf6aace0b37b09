//! Shortcut: is it right for the wrong reason, because of where the image comes from and not of what it shows?
//!
//! Primary: `shortcut.style_swap_flip_rate`, how many more predictions change when an image is given the style of another
//! domain than when it is changed as much without that. Bad is high: it warns above 0.05 and fails above 0.10, and then only
//! where the predictions follow the domain's style to the class that goes with it.

mod conflicting;
mod decodable;
mod swaps;
mod without;

use std::collections::BTreeMap;

use transect_core::context::PlanLevel;
use transect_core::{
    Context, Request, Result, Role, Selection, Stage, Status, Task, Threshold, View, ViewKind,
};

use crate::opinion::Opinion;
use crate::study::{Study, Truth};
use crate::{Mode, plan as merging};

pub use conflicting::FEWEST_CONFLICTING;
pub use decodable::{ASSOCIATION, DECODABLE};
pub use without::ABOVE_CHANCE;

/// Additional share of predictions that change, above which the finding warns and fails.
pub const FLIPS: Threshold = Threshold {
    warn: 0.05,
    fail: 0.10,
};
/// Most domains whose styles are tried, the first by name.
pub const MOST_DOMAINS: usize = 6;
/// Score that has fallen under this share of its own: the prediction of a segmentation has changed.
pub const HALVED: f64 = 0.5;
/// Relative change of the number of objects from which on the prediction of a segmentation has changed.
pub const COUNT_MOVED: f64 = 0.2;

/// What is taken away, and its parameter.
const ABLATIONS: [(&str, Option<(&str, f64)>); 7] = [
    ("border_only", None),
    ("centre_only", None),
    ("low_pass", None),
    ("high_pass", None),
    ("phase_scrambled", None),
    ("patch_shuffled", Some(("squares", 4.0))),
    ("blank", None),
];
/// The same where outlines tell what is object.
const OF_OUTLINES: [&str; 2] = ["object_filled", "object_only"];

pub(crate) const MODE: Mode = Mode {
    name: "shortcut",
    question: "Is it right for the wrong reason: for where an image comes from, not for what it shows?",
    primaries: &["shortcut.style_swap_flip_rate"],
    plan,
    judge,
};

/// Pools of donors: each domain's where two are named, else the reference and the target.
pub(crate) fn pools(context: &Context) -> Vec<String> {
    if context.domains.len() >= 2 {
        let first = context.domains.iter().take(MOST_DOMAINS);
        first.map(|name| format!("domain:{name}")).collect()
    } else if context.has_reference {
        ["reference", "target"].map(str::to_owned).to_vec()
    } else {
        Vec::new()
    }
}

/// The images themselves; but for the quick plan, up to 100 images a side (300 in full) with the style of images of every
/// domain, with two donors of each (four in full; half as many with more than two domains), and with a random style as far
/// away; and, where there is truth, the target's with something taken away.
pub fn plan(context: &Context) -> Vec<Request> {
    let mut requests = vec![merging::identity("shortcut")];
    if context.predictions_only || context.plan == PlanLevel::Quick {
        return requests;
    }
    let (most, donors) = if context.plan == PlanLevel::Full {
        (300, 4)
    } else {
        (100, 2)
    };
    let pools = pools(context);
    let donors = if pools.len() > 2 { donors / 2 } else { donors };
    let by_domain = context.domains.len() >= 2;
    for (role, own) in [(Role::Reference, "reference"), (Role::Target, "target")] {
        if role == Role::Reference && !context.has_reference {
            continue;
        }
        let mut views = Vec::new();
        for pool in &pools {
            for replicate in 0..donors {
                views.push(View::swap("style", pool, replicate));
                if by_domain || pool != own {
                    views.push(View::swap("style_random", pool, replicate));
                }
            }
        }
        requests.push(Request::new(
            "shortcut",
            Stage::Partner,
            Selection::Sample(role, most),
            views,
        ));
    }
    if context.has_truth {
        let mut views: Vec<View> = ABLATIONS
            .iter()
            .map(|&(name, parameter)| {
                let view = View::of(ViewKind::Ablation, name);
                match parameter {
                    Some((parameter, value)) => view.with(parameter, value, ""),
                    None => view,
                }
            })
            .collect();
        if context.has_outlines {
            views.extend(OF_OUTLINES.map(|name| View::of(ViewKind::Ablation, name)));
        }
        requests.push(Request::new(
            "shortcut",
            Stage::Own,
            Selection::Sample(Role::Target, most),
            views,
        ));
    }
    requests
}

/// Whether the model leans on where images come from.
///
/// # Errors
/// When a table cannot be read.
pub fn judge(study: &Study<'_>) -> Result<Opinion> {
    let mut opinion = Opinion::default();
    let sides = Sides::of(study);
    swaps::judge(study, &sides, &mut opinion)?;
    without::judge(study, &mut opinion)?;
    decodable::judge(study, &sides, &mut opinion)?;
    conflicting::judge(study, &sides, &mut opinion)?;
    Ok(opinion)
}

/// Where images come from: domains where two are named, else reference and target.
pub(crate) struct Sides {
    /// Their names in sentences.
    pub(crate) names: Vec<String>,
    /// The side of each row.
    pub(crate) of_row: Vec<Option<usize>>,
    /// The side of each pool.
    pools: BTreeMap<String, usize>,
    /// Whether they are domains.
    pub(crate) domains: bool,
}

impl Sides {
    pub(crate) fn of(study: &Study<'_>) -> Self {
        if study.domains.len() >= 2 {
            return Self {
                names: study.domains.clone(),
                of_row: study.rows.iter().map(|r| r.domain).collect(),
                pools: study
                    .domains
                    .iter()
                    .enumerate()
                    .map(|(i, name)| (format!("domain:{name}"), i))
                    .collect(),
                domains: true,
            };
        }
        let both = [Role::Reference, Role::Target]
            .iter()
            .all(|&role| study.rows.iter().any(|r| r.role == role));
        let side = |role: Role| usize::from(role == Role::Target);
        Self {
            names: if both {
                vec!["reference".to_owned(), "target".to_owned()]
            } else {
                Vec::new()
            },
            of_row: study
                .rows
                .iter()
                .map(|r| both.then(|| side(r.role)))
                .collect(),
            pools: [("reference".to_owned(), 0), ("target".to_owned(), 1)]
                .into_iter()
                .filter(|_| both)
                .collect(),
            domains: false,
        }
    }

    /// The side that a pool of donors is of.
    pub(crate) fn of_pool(&self, pool: Option<&str>) -> Option<usize> {
        self.pools.get(pool?).copied()
    }

    /// What a side is called: `domain`, or `side` where reference and target stand in.
    pub(crate) fn noun(&self) -> &'static str {
        if self.domains { "domain" } else { "side" }
    }

    /// Share of each class among the rows of each side whose class is known.
    pub(crate) fn class_shares(&self, study: &Study<'_>) -> Vec<Vec<f64>> {
        let k = study.context.classes.len();
        let mut counts = vec![vec![0.0; k]; self.names.len()];
        for (row, side) in study.rows.iter().zip(&self.of_row) {
            if let (Some(side), Some(class), Truth::Known) = (side, row.truth_class, row.truth)
                && let Some(count) = counts[*side].get_mut(class as usize)
            {
                *count += 1.0;
            }
        }
        for of in &mut counts {
            let n: f64 = of.iter().sum();
            for count in of.iter_mut().filter(|_| n > 0.0) {
                *count /= n;
            }
        }
        counts
    }
}

/// Whether a row was measured as it is, and has what its task predicts.
fn measured(study: &Study<'_>, row: usize) -> bool {
    study.rows[row].seen.as_ref().is_some_and(|s| {
        s.status == Status::Ok
            && match study.context.task {
                Task::Classification => s.pred_class.is_some(),
                Task::Semantic => study.rows[row].score.is_some(),
                Task::Instance => s.pred_count.is_some(),
            }
    })
}
