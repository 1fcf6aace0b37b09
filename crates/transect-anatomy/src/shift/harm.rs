//! Harm: is the risk higher on the target, how much of it is class mix, and along which attribute does it rise?

use transect_core::attribute::ATTRIBUTES;
use transect_core::figure::Drawing;
use transect_core::finding::Evidence;
use transect_core::{Better, Figure, Finding, Result, Role, Task, Threshold};
use transect_stats::{
    Estimate, class_mix, difference_of_means, difference_of_rates, mean, ranks, statistic,
};

use super::appearance::Shifted;
use super::side_words;
use crate::drawn::{bar, line};
use crate::evidence::{self, Query};
use crate::opinion::{Opinion, judged, not_assessable, with_estimate};
use crate::performance::worst;
use crate::study::{Study, Truth};
use crate::words::{self, Form};

/// Margin of the risk: harmful above it, benign under it.
pub const HARM: Threshold = Threshold {
    warn: 0.05,
    fail: 0.05,
};
/// Fewest target images for an association within the target.
const FEWEST: usize = 20;
/// Most attributes along which the risk is looked at: those that differ most.
const MOST: usize = 12;

/// The harm, for what carries it.
#[derive(Debug, Clone)]
pub(crate) struct Harm {
    /// Risk on target minus risk on reference.
    pub(crate) delta: Estimate,
}

/// The form of a difference of risks.
fn form(study: &Study<'_>) -> Form {
    if study.context.task == Task::Classification {
        Form::Points
    } else {
        Form::Plain
    }
}

/// What risk is, for this task.
pub(crate) fn risk_words(study: &Study<'_>) -> &'static str {
    match study.context.task {
        Task::Classification => "share of wrong answers",
        Task::Semantic => "mean of 1 − IoU",
        Task::Instance => "mean of 1 − average precision at IoU 0.5",
    }
}

fn evidence(study: &Study<'_>, by: &str) -> Evidence {
    let comma = if by.is_empty() { "" } else { ", " };
    Query::images(study, study.risk_sql())
        .by(format!("i.role{comma}{by}"))
        .into()
}

fn risks(study: &Study<'_>, rows: &[usize]) -> Vec<f64> {
    rows.iter().filter_map(|&i| study.rows[i].risk()).collect()
}

pub(crate) fn judge(
    study: &Study<'_>,
    shifted: &[Shifted],
    opinion: &mut Opinion,
) -> Result<Option<Harm>> {
    mix(study, opinion);
    let target = study.scored(Role::Target);
    let reference = study.scored(Role::Reference);
    if target.is_empty() || reference.is_empty() {
        let side = if target.is_empty() {
            "target"
        } else {
            "reference"
        };
        let missing = format!("truth for some {side} images, in the model's terms");
        let mut finding = not_assessable(
            "shift.harm",
            format!("Whether the difference harms was not assessed: no {side} image has a score."),
            missing.clone(),
        );
        finding.primary = true;
        opinion.drafts.push(finding.into());
        for id in ["shift.harm_class_mix", "shift.harm_conditional"] {
            opinion.drafts.push(
                not_assessable(
                    id,
                    "What a harm is made of was not assessed: the harm was not.",
                    missing.clone(),
                )
                .into(),
            );
        }
        return Ok(None);
    }
    let id = "shift.harm";
    let (rt, rr) = (risks(study, &target), risks(study, &reference));
    let (ut, ur) = (study.units(&target)?, study.units(&reference)?);
    let settings = study.settings(id).tails().range(-1.0, 1.0);
    let delta = if study.context.task == Task::Classification {
        let wrong = |risks: &[f64]| -> Vec<bool> { risks.iter().map(|&r| r > 0.5).collect() };
        difference_of_rates(&wrong(&rt), &ut, &wrong(&rr), &ur, &settings)?
    } else {
        // Where no image, or fewer than five, differ from one value on a side, resampling knows nothing of its spread.
        let unit = settings.clone().range(0.0, 1.0);
        let (t, r) = (mean(&rt, &ut, &unit)?, mean(&rr, &ur, &unit)?);
        if t.rests_on_few() || r.rests_on_few() {
            t.minus(&r)
        } else {
            difference_of_means(&rt, &ut, &rr, &ur, &settings)?
        }
    };
    let average = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (t, r) = (
        side_words(study, &target, "target"),
        side_words(study, &reference, "reference"),
    );
    let per = if study.context.task == Task::Classification {
        Form::Percent
    } else {
        Form::Plain
    };
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "The {} is {} on {} of {t} and {} on {} of {r}: a difference of {}.",
        risk_words(study),
        per.one(average(&rt)),
        words::images(rt.len()),
        per.one(average(&rr)),
        words::images(rr.len()),
        form(study).estimate(&delta)
    );
    finding.unit = if study.context.task == Task::Classification {
        "fraction".to_owned()
    } else {
        String::new()
    };
    finding.evidence = evidence(study, "");
    finding.images = worst(study, &target, 10);
    finding.caveats.push(format!(
        "harmful when the difference is above the margin {}, benign when under it",
        form(study).one(HARM.fail)
    ));
    finding.caveats.push(
        "an observed difference: class mix, appearance and everything else together".to_owned(),
    );
    finding.remedy = Some(
        "See `shift.harm_class_mix` and `shift.harm_conditional` for what it is made of, `shift.carries[…]` for the trait of the images that carries it.".to_owned(),
    );
    let mut draft = judged(finding, delta.clone(), HARM, Better::Lower, true, study);
    draft.finding.n = (rt.len() + rr.len()) as u64;
    opinion.drafts.push(draft);
    split(study, (&target, &rt), (&reference, &rr), &ut, &ur, opinion)?;
    along(study, &target, &rt, shifted, opinion)?;
    Ok(Some(Harm { delta }))
}

/// Distance between the class mixes, from truth alone.
fn mix(study: &Study<'_>, opinion: &mut Opinion) {
    let id = "shift.class_mix";
    if study.context.task != Task::Classification {
        opinion.drafts.push(
            not_assessable(
                id,
                "The mix of classes was not compared: images have no class in this task.",
                "a classification task",
            )
            .into(),
        );
        return;
    }
    let k = study.context.classes.len();
    let counts = |role: Role| -> Vec<u64> {
        let mut counts = vec![0_u64; k];
        for row in study
            .rows
            .iter()
            .filter(|r| r.role == role && r.truth == Truth::Known)
        {
            if let Some(count) = row.truth_class.and_then(|c| counts.get_mut(c as usize)) {
                *count += 1;
            }
        }
        counts
    };
    let (target, reference) = (counts(Role::Target), counts(Role::Reference));
    let (nt, nr) = (target.iter().sum::<u64>(), reference.iter().sum::<u64>());
    if nt == 0 || nr == 0 {
        opinion.drafts.push(
            not_assessable(
                id,
                "The mix of classes was not compared: one side has no truth in the model's classes.",
                "the class of some target and some reference images",
            )
            .into(),
        );
        return;
    }
    let shares: Vec<(f64, f64)> = target
        .iter()
        .zip(&reference)
        .map(|(&t, &r)| (t as f64 / nt as f64, r as f64 / nr as f64))
        .collect();
    let distance = 0.5 * shares.iter().map(|(t, r)| (t - r).abs()).sum::<f64>();
    let (class, (t, r)) = shares
        .iter()
        .copied()
        .enumerate()
        .max_by(|x, y| {
            (x.1.0 - x.1.1)
                .abs()
                .total_cmp(&(y.1.0 - y.1.1).abs())
                .then(y.0.cmp(&x.0))
        })
        .unwrap_or_default();
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "{} of the target's images would have to change class for the classes to be mixed as in the reference; the largest change is {}, {} in the target and {} in the reference.",
        words::percent(distance),
        study.context.classes.get(class).map_or("", String::as_str),
        words::percent(t),
        words::percent(r)
    );
    finding.estimate = Some(distance);
    finding.unit = String::from("fraction");
    finding.better = Better::Lower;
    finding.n = nt + nr;
    finding.caveats.push("total variation distance, 0 to 1; two draws from one mix are never exactly 0, so it is described without an interval".to_owned());
    finding.evidence.sql = Some(
        "SELECT role, truth_class, count(*) FROM 'items.parquet' WHERE truth_class IS NOT NULL GROUP BY role, truth_class".to_owned(),
    );
    opinion.drafts.push(finding.into());
    let mut rows = Vec::new();
    for (class, name) in study.context.classes.iter().enumerate() {
        if target[class] + reference[class] > 0 {
            rows.push(bar(
                format!("{name}, reference"),
                shares[class].1,
                reference[class] as usize,
            ));
            rows.push(bar(
                format!("{name}, target"),
                shares[class].0,
                target[class] as usize,
            ));
        }
    }
    opinion.figures.push(Figure {
        id: "shift.class_mix".to_owned(),
        mode: "shift".to_owned(),
        title: "How the classes are mixed".to_owned(),
        caption: "Share of each true class among the images of each side.".to_owned(),
        drawing: Drawing::Bars {
            x: "share of images".to_owned(),
            rows,
        },
    });
}

fn split(
    study: &Study<'_>,
    target: (&[usize], &[f64]),
    reference: (&[usize], &[f64]),
    ut: &transect_stats::Units,
    ur: &transect_stats::Units,
    opinion: &mut Opinion,
) -> Result<()> {
    let ids = ["shift.harm_class_mix", "shift.harm_conditional"];
    let refuse = |opinion: &mut Opinion, claim: &str, missing: &str| {
        for id in ids {
            opinion
                .drafts
                .push(not_assessable(id, claim, missing).into());
        }
    };
    if study.context.task != Task::Classification {
        refuse(
            opinion,
            "The harm was not split: images have no class in this task.",
            "a classification task",
        );
        return Ok(());
    }
    let classes = |rows: &[usize]| -> Vec<u32> {
        rows.iter()
            .filter_map(|&i| study.rows[i].truth_class)
            .collect()
    };
    let (ct, cr) = (classes(target.0), classes(reference.0));
    let settings = study.settings("shift.harm_split").range(-1.0, 1.0);
    let Some(found) = class_mix((&ct, target.1), ut, (&cr, reference.1), ur, &settings)? else {
        refuse(
            opinion,
            "The harm was not split: target and reference share no class.",
            "images of one class on both sides",
        );
        return Ok(());
    };
    let name = |c: &u32| {
        study
            .context
            .classes
            .get(*c as usize)
            .cloned()
            .unwrap_or_default()
    };
    let only: Vec<String> = found.only_target.iter().map(name).collect();
    let total = found.total.estimate;
    for (id, e, text) in [
        (
            ids[0],
            &found.class_mix,
            "comes from other shares of the classes",
        ),
        (
            ids[1],
            &found.conditional,
            "comes from a higher risk within the same classes: from appearance",
        ),
    ] {
        let mut finding = Finding::new(id);
        finding.claim = format!(
            "Of a difference of {} in risk, {} {text}.",
            Form::Points.one(total),
            Form::Points.estimate(e)
        );
        finding.unit = String::from("fraction");
        finding.evidence = evidence(study, "i.truth_class");
        let mut finding = with_estimate(finding, e, study);
        finding.n = (ct.len() + cr.len()) as u64;
        finding.better = Better::Lower;
        finding.caveats.push("split over the distribution of classes that both sides share (Cai, Namkoong, Yadlowsky 2023); whatever else changes with the class counts as class mix".to_owned());
        if !only.is_empty() {
            finding.caveats.push(format!(
                "only in the target, and counted as class mix: {}",
                words::list(&only)
            ));
        }
        if found.shared.0 < 1.0 || found.shared.1 < 1.0 {
            finding.caveats.push(format!(
                "{} of the target's and {} of the reference's images are of shared classes",
                words::percent(found.shared.0),
                words::percent(found.shared.1)
            ));
        }
        opinion.drafts.push(finding.into());
    }
    Ok(())
}

/// Rank correlation of the risk with an attribute within the target.
fn along(
    study: &Study<'_>,
    target: &[usize],
    risk: &[f64],
    shifted: &[Shifted],
    opinion: &mut Opinion,
) -> Result<()> {
    if target.len() < FEWEST || risk.iter().all(|&r| r == risk[0]) {
        return Ok(());
    }
    let items = study.tables.items();
    let mut lines = Vec::new();
    let looked_at = shifted.len().min(MOST);
    for candidate in shifted.iter().take(MOST) {
        let attribute = &ATTRIBUTES[candidate.attribute];
        let (rows, pairs): (Vec<usize>, Vec<(f64, f64)>) = target
            .iter()
            .zip(risk)
            .filter_map(|(&i, &r)| {
                let v = items[i]
                    .attributes
                    .get(candidate.attribute)
                    .copied()
                    .flatten()?;
                v.is_finite().then_some((i, (v, r)))
            })
            .unzip();
        if rows.len() < FEWEST {
            continue;
        }
        let x = ranks(&pairs.iter().map(|p| p.0).collect::<Vec<_>>())?;
        let y = ranks(&pairs.iter().map(|p| p.1).collect::<Vec<_>>())?;
        if x.iter().all(|&v| v == x[0]) || y.iter().all(|&v| v == y[0]) {
            continue;
        }
        let id = format!("shift.harm_along[{}]", attribute.name);
        let mut settings = study.settings(&id).range(-1.0, 1.0);
        settings.resamples = settings.resamples.min((4_000_000 / rows.len()).max(400));
        let e = statistic(&study.units(&rows)?, &settings, &mut |w| {
            weighted_correlation(&x, &y, w)
        })?;
        let way = if e.estimate > 0.0 { "rises" } else { "falls" };
        let word = if e.low > 0.0 || e.high < 0.0 {
            "is associated with"
        } else {
            "is not shown to go with"
        };
        let mut finding = Finding::new(&id);
        finding.claim = format!(
            "Within the target, the risk {word} {}: rank correlation {}{}.",
            attribute.words,
            Form::Plain.estimate(&e),
            if e.low > 0.0 || e.high < 0.0 {
                format!(", it {way} with it")
            } else {
                String::new()
            }
        );
        finding.evidence = evidence::of_target(
            study,
            format!(
                "i.attr_{}, 1 - {} AS risk",
                attribute.name,
                study.score_sql()
            ),
        );
        let mut finding = with_estimate(finding, &e, study);
        finding.caveats.push(format!(
            "associated, not shown to cause: whether it carries the harm is a matter for an intervention; not corrected for the {looked_at} attributes looked at"
        ));
        lines.push(line(attribute.words, &e));
        opinion.drafts.push(finding.into());
    }
    if !lines.is_empty() {
        opinion.figures.push(Figure {
            id: "shift.harm_along".to_owned(),
            mode: "shift".to_owned(),
            title: "Along what the risk rises within the target".to_owned(),
            caption: "Rank correlation of the risk of each target image with the attributes that differ from the reference, with 95% intervals. An association, not a cause.".to_owned(),
            drawing: Drawing::Forest { x: "rank correlation with the risk".to_owned(), rows: lines, marks: vec![(0.0, "none".to_owned())] },
        });
    }
    Ok(())
}

/// Correlation of two columns under weights; `None` where one does not vary.
fn weighted_correlation(x: &[f64], y: &[f64], w: &[f64]) -> Option<f64> {
    let (mut sw, mut sx, mut sy) = (0.0, 0.0, 0.0);
    for ((&x, &y), &w) in x.iter().zip(y).zip(w) {
        sw += w;
        sx += w * x;
        sy += w * y;
    }
    let (mx, my) = (sx / sw, sy / sw);
    let (mut vx, mut vy, mut c) = (0.0, 0.0, 0.0);
    for ((&x, &y), &w) in x.iter().zip(y).zip(w) {
        vx += w * (x - mx) * (x - mx);
        vy += w * (y - my) * (y - my);
        c += w * (x - mx) * (y - my);
    }
    let scale = (vx * vy).sqrt();
    (sw > 0.0 && scale > 0.0).then(|| (c / scale).clamp(-1.0, 1.0))
}
