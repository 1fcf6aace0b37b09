//! What carries a harm: a trait of reference images is moved to that of target images, and the risk is measured again.
//!
//! The share of the harm that a trait carries is (risk with the trait of target images − risk with the trait of other
//! reference images) / (risk on target − risk on reference). The control in the numerator takes off what the change itself
//! does to an image.

use std::collections::BTreeMap;

use transect_core::figure::{Drawing, Row as Line};
use transect_core::finding::Evidence;
use transect_core::view::TRAITS;
use transect_core::{Better, Figure, Finding, Result, Role, Status, Threshold, Verdict, ViewKind};
use transect_stats::{RatioInterval, mean, ratio_of_statistics};
use transect_table::Filter;

use super::harm::{Harm, risk_words};
use super::{CONTROL, POOL};
use crate::drawn::bounded;
use crate::evidence::{Query, side};
use crate::opinion::{Draft, Ground, Opinion, not_assessable, with_estimate};
use crate::study::{Study, score_of};
use crate::words::{self, Form};

/// Share of the harm above which a trait is said to carry it. Never worse than a warning.
pub const CARRIES: Threshold = Threshold {
    warn: 0.25,
    fail: 0.5,
};
/// Fewest pairs of images.
const FEWEST: usize = 10;

/// Risks of one row under swaps of one trait: sums over donors.
#[derive(Debug, Clone, Copy, Default)]
struct Swapped {
    moved: (f64, f64),
    control: (f64, f64),
}

pub(crate) fn judge(study: &Study<'_>, harm: Option<&Harm>, opinion: &mut Opinion) -> Result<()> {
    let Some(harm) = harm else {
        opinion.drafts.push(
            not_assessable(
                "shift.carries",
                "What carries a harm was not assessed: the harm was not.",
                "truth for target and reference images",
            )
            .into(),
        );
        return Ok(());
    };
    if study.context.predictions_only {
        opinion.drafts.push(
            not_assessable(
                "shift.carries",
                "What carries the harm was not assessed: predictions were given, so changed images could not be shown to the model.",
                "the model (--model)",
            )
            .into(),
        );
        return Ok(());
    }
    let mut lines = Vec::new();
    let mut any = false;
    for &(name, _) in TRAITS {
        let swaps = scan(study, name)?;
        if swaps.is_empty() {
            continue;
        }
        any = true;
        trait_carries(study, harm, name, &swaps, &mut lines, opinion)?;
    }
    if !any {
        opinion.drafts.push(
            not_assessable(
                "shift.carries",
                "What carries the harm was not assessed: no changed image was measured.",
                "stage 2 of the plan, with at least two images of different content on each side",
            )
            .into(),
        );
    }
    if !lines.is_empty() {
        opinion.figures.push(Figure {
            id: "shift.carries".to_owned(),
            mode: "shift".to_owned(),
            title: "What carries the harm".to_owned(),
            caption: format!(
                "Share of the harm that comes back when reference images get this trait of target images, with the same change within the reference taken off, with 95% intervals. {} is needed to say that a trait carries it. Traits overlap: shares need not add up to 1.",
                words::percent(CARRIES.warn)
            ),
            drawing: Drawing::Forest {
                x: "share of the harm".to_owned(),
                rows: lines,
                marks: vec![(0.0, "none".to_owned()), (CARRIES.warn, "carries".to_owned()), (1.0, "all of it".to_owned())],
            },
        });
    }
    Ok(())
}

/// Reference rows with a score of their own, of the swap to the target and of the control.
fn scan(study: &Study<'_>, name: &str) -> Result<BTreeMap<usize, Swapped>> {
    let filter = Filter {
        model: study.model.clone(),
        kind: Some(ViewKind::Swap),
        name: Some(name.to_owned()),
    };
    let mut swaps: BTreeMap<usize, Swapped> = BTreeMap::new();
    study.tables.scan(&filter, &mut |m| {
        let row = m.row as usize;
        let Some(known) = study.rows.get(row) else {
            return Ok(());
        };
        if known.role != Role::Reference || known.score.is_none() || m.status != Status::Ok {
            return Ok(());
        }
        let Some(score) = score_of(study.score_column, &m.scores) else {
            return Ok(());
        };
        let entry = swaps.entry(row).or_default();
        let side = match m.view.pool.as_deref() {
            Some(POOL) => &mut entry.moved,
            Some(CONTROL) => &mut entry.control,
            _ => return Ok(()),
        };
        side.0 += 1.0 - score;
        side.1 += 1.0;
        Ok(())
    })?;
    swaps.retain(|_, s| s.moved.1 > 0.0 && s.control.1 > 0.0);
    Ok(swaps)
}

fn trait_carries(
    study: &Study<'_>,
    harm: &Harm,
    name: &str,
    swaps: &BTreeMap<usize, Swapped>,
    lines: &mut Vec<Line>,
    opinion: &mut Opinion,
) -> Result<()> {
    let id = format!("shift.carries[{name}]");
    let words_of = TRAITS
        .iter()
        .find(|(n, _)| *n == name)
        .map_or(name, |(_, words)| words);
    let rows: Vec<usize> = swaps.keys().copied().collect();
    let moved: Vec<f64> = swaps.values().map(|s| s.moved.0 / s.moved.1).collect();
    let control: Vec<f64> = swaps.values().map(|s| s.control.0 / s.control.1).collect();
    let difference: Vec<f64> = moved.iter().zip(&control).map(|(m, c)| m - c).collect();
    let units = study.units(&rows)?;
    let points = if study.context.task == transect_core::Task::Classification {
        Form::Points
    } else {
        Form::Plain
    };
    if rows.len() < FEWEST {
        opinion.drafts.push(
            not_assessable(
                id,
                format!("Whether {name} carries the harm was not assessed: {} with both changes are too few.", words::images(rows.len())),
                format!("at least {FEWEST} scored reference images"),
            )
            .into(),
        );
        return Ok(());
    }
    let raised = mean(
        &difference,
        &units,
        &study.settings(&format!("{id}/risk")).range(-1.0, 1.0),
    )?;
    let mut images: Vec<usize> = (0..rows.len()).filter(|&at| difference[at] > 0.0).collect();
    images.sort_by(|&a, &b| difference[b].total_cmp(&difference[a]).then(a.cmp(&b)));
    let evidence: Evidence = Query::views(study, ViewKind::Swap, Some(name), study.risk_sql())
        .by("m.pool, m.replicate")
        .rows(side(Role::Reference))
        .into();
    let noun = if name == "all" { "all traits" } else { name };
    let what = format!(
        "Giving {} of the reference the {noun} of target images ({words_of}), instead of {} of other reference images, changes the {} by {}",
        words::images(rows.len()),
        if name == "all" { "those" } else { "that" },
        risk_words(study),
        points.short(&raised)
    );
    let common = |mut finding: Finding| -> Finding {
        finding.images = images
            .iter()
            .take(10)
            .map(|&at| study.image(rows[at]))
            .collect();
        finding.evidence = evidence.clone();
        finding.caveats.push("an intervention on this trait as it can be moved in the pixels; blur and noise can only be added".to_owned());
        let donors = swaps.values().map(|s| s.moved.1).fold(0.0, f64::max);
        finding.caveats.push(format!(
            "{} an image",
            words::counted(donors as usize, "donor", "donors")
        ));
        finding
    };
    // A share of a harm that is not shown has no meaning.
    if !(harm.delta.low > 0.0 && harm.delta.enough) {
        let mut finding = common(Finding::new(&id));
        finding.claim = format!("{what}. There is no harm shown that it could carry a share of.");
        let mut finding = with_estimate(finding, &raised, study);
        finding.estimate = None;
        finding.interval = None;
        finding.interval_method = None;
        finding.verdict = Verdict::NotAssessable;
        finding.missing = Some("a harm: the interval of the difference in risk holds 0".to_owned());
        opinion.drafts.push(finding.into());
        return Ok(());
    }
    let Some(e) = share(study, &rows, &difference, &id)? else {
        opinion.drafts.push(
            not_assessable(
                id,
                format!("{what}. On these images the risk is not higher on the target."),
                "reference images that stand for the whole reference",
            )
            .into(),
        );
        return Ok(());
    };
    let enough = raised.enough && harm.delta.enough && (e.enough || raised.rests_on_few());
    let (mut low, mut high) = (e.low, e.high);
    let mut method = e.method.clone();
    if raised.rests_on_few() {
        // Where no image, or hardly one, changed, resampling knows nothing of the rise: its own bounds over the bounds of the
        // harm, on the safe side.
        let (least, most) = (harm.delta.low, harm.delta.high);
        low = low.min(raised.low / if raised.low > 0.0 { most } else { least });
        high = high.max(raised.high / if raised.high > 0.0 { least } else { most });
        method = format!(
            "{} of the rise in risk, over the bounds of the harm",
            raised.method
        );
    }
    let says = if !enough {
        "too few groups to say more"
    } else if low > CARRIES.warn {
        "it carries the harm, or a part of it"
    } else if high < CARRIES.warn {
        "it does not carry the harm"
    } else if low > 0.0 {
        "it carries some of the harm; how much is not settled"
    } else {
        "whether it carries the harm is not settled"
    };
    let mut finding = common(Finding::new(&id));
    let share = words::percent(e.estimate);
    let interval = format!(
        "{} interval {}",
        words::percent(raised.level),
        Form::Percent.range(low, high)
    );
    finding.claim = if e.estimate > 1.0 {
        format!("{what}: more than all of the harm ({share}, {interval}); {says}.")
    } else {
        format!("{what}: {share} ({interval}) of the harm; {says}.")
    };
    finding.unit = String::from("fraction");
    lines.push(Line {
        note: words_of.to_owned(),
        ..bounded(name, e.estimate, (low, high), rows.len())
    });
    let mut finding = with_estimate(finding, &raised, study);
    finding.estimate = Some(e.estimate);
    finding.interval = (low.is_finite() && high.is_finite()).then_some([low, high]);
    finding.interval_method = Some(method);
    finding.threshold = Some(CARRIES);
    finding.better = Better::Lower;
    finding.n = rows.len() as u64;
    if finding.interval.is_none() {
        finding.caveats.push(
            "the harm may be next to none, so the share of it has no bound on one side".to_owned(),
        );
    }
    opinion.drafts.push(Draft {
        finding,
        ground: Ground::Bounds {
            low,
            high,
            enough,
            may_warn: true,
        },
    });
    Ok(())
}

/// The share with its interval: numerator and the reference's part of the denominator resampled together, the target apart.
fn share(
    study: &Study<'_>,
    rows: &[usize],
    difference: &[f64],
    id: &str,
) -> Result<Option<RatioInterval>> {
    let target = study.scored(Role::Target);
    let risk_of = |rows: &[usize]| -> Vec<f64> {
        rows.iter().filter_map(|&i| study.rows[i].risk()).collect()
    };
    let (rt, rr) = (risk_of(&target), risk_of(rows));
    let value = |wt: &[f64], wr: &[f64]| -> Option<(f64, f64)> {
        let sum = |w: &[f64], v: &[f64]| -> f64 { w.iter().zip(v).map(|(w, v)| w * v).sum() };
        let (nt, nr) = (wt.iter().sum::<f64>(), wr.iter().sum::<f64>());
        let delta = sum(wt, &rt) / nt - sum(wr, &rr) / nr;
        let rise = sum(wr, difference) / nr;
        (delta.is_finite() && rise.is_finite()).then_some((rise, delta))
    };
    let (ut, ur) = (study.units(&target)?, study.units(rows)?);
    let mut settings = study.settings(id);
    settings.resamples = settings
        .resamples
        .min((8_000_000 / (rt.len() + rr.len())).max(400));
    ratio_of_statistics(&ut, &ur, &settings, &mut |wt, wr| value(wt, wr))
}
