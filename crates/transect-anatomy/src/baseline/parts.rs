//! The gain over each baseline, and where the gain over the best one is large or small.

use transect_core::figure::{Drawing, Row as Line};
use transect_core::finding::Evidence;
use transect_core::{Better, Figure, Finding, Result};
use transect_stats::{mean, quantile, simultaneous};

use super::MARGIN;
use crate::gains::{Gain, Weighed};
use crate::opinion::{Opinion, with_estimate};
use crate::study::Study;
use crate::words::{self, Form};

/// Fewest images of a part.
const FEWEST: usize = 10;
/// Attribute that parts images by how crowded they are.
const DENSITY: &str = "object_density";
/// Fewest images for parts by density.
const FEWEST_BY_DENSITY: usize = 60;

/// Mean over seeds, image by image.
pub(super) fn averaged(by_seed: &[Vec<f64>]) -> Vec<f64> {
    let n = by_seed.first().map_or(0, Vec::len);
    (0..n)
        .map(|i| by_seed.iter().map(|d| d[i]).sum::<f64>() / by_seed.len() as f64)
        .collect()
}

/// Whether a gain is one in shares of right answers: of images, or of single pixels. Scores of outlines are none.
fn of_shares(study: &Study<'_>, what: &str) -> bool {
    what == "embedding" || study.context.task == transect_core::Task::Classification
}

/// How a gain is written: in points for shares of right answers, plainly for scores of outlines.
fn form(study: &Study<'_>, what: &str) -> Form {
    if of_shares(study, what) {
        Form::Points
    } else {
        Form::Plain
    }
}

/// The gain over one baseline, described.
pub(super) fn over(study: &Study<'_>, what: &str, gain: &Gain, opinion: &mut Opinion) {
    let mut finding = Finding::new(format!("baseline.{what}_gain[over={}]", gain.name));
    let who = match (what, study.context.task) {
        ("embedding", transect_core::Task::Classification) => {
            "A probe on the model's embedding gains"
        }
        ("embedding", _) => "A probe on the trained decoder's features of single pixels gains",
        _ => "The model gains",
    };
    finding.claim = format!(
        "{who} {} over {} on {}.",
        form(study, what).estimate(&gain.estimate),
        gain.words,
        words::images(gain.estimate.n)
    );
    finding.unit = unit(study, what);
    finding.better = Better::Higher;
    finding.evidence = Evidence {
        model: study.model.clone(),
        view: Some("identity".to_owned()),
        ..Evidence::default()
    };
    let mut finding = with_estimate(finding, &gain.estimate, study);
    finding.better = Better::Higher;
    finding
        .caveats
        .push("its own interval, not adjusted for the other baselines".to_owned());
    opinion.drafts.push(finding.into());
}

fn unit(study: &Study<'_>, what: &str) -> String {
    if of_shares(study, what) {
        "fraction".to_owned()
    } else {
        String::new()
    }
}

/// Gains over every baseline in a figure.
pub(super) fn forest(what: &str, gains: &[Gain], weighed: &Weighed) -> Figure {
    let rows = gains
        .iter()
        .enumerate()
        .map(|(place, g)| Line {
            label: format!("over {}", g.words),
            value: Some(g.estimate.estimate),
            low: words::bound(g.estimate.low),
            high: words::bound(g.estimate.high),
            n: g.estimate.n as u64,
            note: if place == weighed.best_rival {
                "best baseline".to_owned()
            } else {
                String::new()
            },
        })
        .collect();
    let (title, whose) = if what == "embedding" {
        (
            "What the embedding gains over each baseline",
            "a probe on the model's embedding",
        )
    } else {
        (
            "What the predictions gain over each baseline",
            "the model's own predictions",
        )
    };
    Figure {
        id: format!("baseline.{what}_gain"),
        mode: "baseline".to_owned(),
        title: title.to_owned(),
        caption: format!(
            "Score of {whose} less that of the baseline, on the same images, with 95% intervals for each. The model is better than all when every bound (one-sided, 95%) is right of 0, and no better than one when that one lies left of the margin."
        ),
        drawing: Drawing::Forest {
            x: "gain".to_owned(),
            rows,
            marks: vec![(0.0, "none".to_owned()), (MARGIN, "margin".to_owned())],
        },
    }
}

/// A part of the images.
struct Part {
    id: String,
    words: String,
    inside: Vec<bool>,
}

fn parts(study: &Study<'_>, rows: &[usize]) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for (class, name) in study.context.classes.iter().enumerate() {
        let inside: Vec<bool> = rows
            .iter()
            .map(|&i| study.rows[i].truth_class == Some(class as u32))
            .collect();
        parts.push(Part {
            id: format!("class={name}"),
            words: format!("of class {name}"),
            inside,
        });
    }
    let items = study.tables.items();
    let density: Vec<Option<f64>> = rows
        .iter()
        .map(|&i| items[i].attribute(DENSITY).filter(|v| v.is_finite()))
        .collect();
    let present: Vec<f64> = density.iter().flatten().copied().collect();
    if present.len() >= FEWEST_BY_DENSITY {
        let (low, high) = (
            quantile(&present, 1.0 / 3.0)?,
            quantile(&present, 2.0 / 3.0)?,
        );
        if low < high {
            let terciles = [
                ("low", "with few objects for their area", f64::MIN, low),
                ("middle", "with a middling density of objects", low, high),
                ("high", "crowded with objects", high, f64::MAX),
            ];
            for (name, in_words, over, up_to) in terciles {
                let holds = |v: f64| v > over && v <= up_to;
                parts.push(Part {
                    id: format!("density={name}"),
                    words: in_words.to_owned(),
                    inside: density.iter().map(|v| v.is_some_and(holds)).collect(),
                });
            }
        }
    }
    parts.retain(|p| p.inside.iter().filter(|&&i| i).count() >= FEWEST);
    Ok(parts)
}

/// The gain over the best baseline in each class and in each third of the density of objects, described, with intervals that
/// hold together.
pub(super) fn judge(
    study: &Study<'_>,
    what: &str,
    rival: &str,
    rows: &[usize],
    difference: &[f64],
    opinion: &mut Opinion,
) -> Result<()> {
    judge_by(study, what, (rival, MARGIN), rows, difference, opinion)
}

/// The same by another margin.
pub(super) fn judge_by(
    study: &Study<'_>,
    what: &str,
    (rival, margin): (&str, f64),
    rows: &[usize],
    difference: &[f64],
    opinion: &mut Opinion,
) -> Result<()> {
    let parts = parts(study, rows)?;
    if parts.len() < 2 {
        return Ok(());
    }
    let units = study.units(rows)?;
    let (mut estimates, mut influence) = (Vec::new(), Vec::new());
    for part in &parts {
        let inside: Vec<usize> = (0..rows.len()).filter(|&i| part.inside[i]).collect();
        let of: Vec<usize> = inside.iter().map(|&i| rows[i]).collect();
        let values: Vec<f64> = inside.iter().map(|&i| difference[i]).collect();
        let settings = study
            .settings(&format!("baseline.{what}_gain[{}]", part.id))
            .range(-1.0, 1.0);
        let e = mean(&values, &study.units(&of)?, &settings)?;
        influence.push(
            (0..rows.len())
                .map(|i| {
                    if part.inside[i] {
                        difference[i] - e.estimate
                    } else {
                        0.0
                    }
                })
                .collect::<Vec<f64>>(),
        );
        estimates.push(e);
    }
    let together = simultaneous(
        estimates,
        &influence,
        &units,
        &study.settings(&format!("baseline.{what}_gain_parts")),
    )?;
    let mut lines = Vec::new();
    for ((part, e), &(low, high)) in parts
        .iter()
        .zip(&together.estimates)
        .zip(&together.intervals)
    {
        let mut finding = Finding::new(format!("baseline.{what}_gain[{}]", part.id));
        let size = if low > 0.0 {
            "the model is strong here"
        } else if high < margin {
            "the model adds nothing here"
        } else {
            "not settled"
        };
        finding.claim = format!(
            "On {} {} the gain over {rival} is {} (simultaneous 95% interval {}): {size}.",
            words::images(e.n),
            part.words,
            form(study, what).one(e.estimate),
            form(study, what).range(low, high)
        );
        finding.unit = unit(study, what);
        let mut finding = with_estimate(finding, e, study);
        finding.better = Better::Higher;
        finding.interval = (low.is_finite() && high.is_finite()).then_some([low, high]);
        finding.interval_method = Some(together.method.clone());
        finding.caveats.push(
            "described: the baseline is the best over all images; intervals hold together over the parts"
                .to_owned(),
        );
        lines.push(Line {
            label: part.id.replace('=', " "),
            value: Some(e.estimate),
            low: words::bound(low),
            high: words::bound(high),
            n: e.n as u64,
            note: String::new(),
        });
        opinion.drafts.push(finding.into());
    }
    opinion.figures.push(Figure {
        id: format!("baseline.{what}_gain_parts"),
        mode: "baseline".to_owned(),
        title: "Where the model is strong, and where it adds nothing".to_owned(),
        caption: format!(
            "Gain over {rival}, the best baseline over all images, within classes and thirds of the density of objects; 95% intervals that hold together."
        ),
        drawing: Drawing::Forest {
            x: "gain over the best baseline".to_owned(),
            rows: lines,
            marks: vec![(0.0, "none".to_owned()), (margin, "margin".to_owned())],
        },
    });
    Ok(())
}
