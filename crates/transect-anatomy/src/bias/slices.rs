//! Slices: found on one half of the images, confirmed on the other. Only the other half's numbers are shown.

use transect_core::figure::Drawing;
use transect_core::{Better, Figure, Finding, Result, Stream};
use transect_stats::{Estimate, holm};

use super::parts::{Part, of_attributes, of_columns};
use super::subgroups::{compare, evidence, form, risk_words, unit};
use super::{GAP, risks};
use crate::drawn::bounded;
use crate::opinion::{Draft, Ground, Opinion, not_assessable, with_estimate};
use crate::performance::worst;
use crate::study::Study;
use crate::words;

const ID: &str = "bias.worst_slice";
/// Most slices that the first half may fix.
const MOST: usize = 5;
/// Fewest rows of a slice, and of the rest, in each half.
const FEWEST: usize = 15;
/// Most predicates that are put together in pairs: the best alone.
const PAIRED: usize = 40;
/// Images that two slices may share, as a share of both together, to count as two.
const ALIKE: f64 = 0.5;
/// Quantiles that bounds of attributes are taken at.
const AT: [f64; 5] = [0.2, 1.0 / 3.0, 0.5, 2.0 / 3.0, 0.8];

/// The halves, as positions in the rows: whole groups, in seeded random order.
fn halves(study: &Study<'_>, rows: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let mut groups: Vec<usize> = rows.iter().map(|&i| study.rows[i].group).collect();
    groups.sort_unstable();
    groups.dedup();
    Stream::new(study.context.seed, "anatomy/bias/halves", &[]).shuffle(&mut groups);
    // Group by group to the half that has fewer rows.
    let mut first = std::collections::BTreeSet::new();
    let (mut a, mut b) = (0, 0);
    for group in groups {
        let size = rows
            .iter()
            .filter(|&&i| study.rows[i].group == group)
            .count();
        if a <= b {
            first.insert(group);
            a += size;
        } else {
            b += size;
        }
    }
    (0..rows.len()).partition(|&at| first.contains(&study.rows[rows[at]].group))
}

/// How far a part's mean risk lies above the rest's among some rows, in standard errors (Welch). `None` for too few.
fn excess(risk: &[f64], part: &Part, among: &[usize]) -> Option<f64> {
    let mut n = [0.0; 2];
    let mut sum = [0.0; 2];
    let mut squares = [0.0; 2];
    for &at in among {
        let side = usize::from(part.inside[at]);
        n[side] += 1.0;
        sum[side] += risk[at];
        squares[side] += risk[at] * risk[at];
    }
    if n.iter().any(|&n| n < FEWEST as f64) {
        return None;
    }
    let mean = [sum[0] / n[0], sum[1] / n[1]];
    // Half an error more and less, so that a part without spread is not taken for certain.
    let variance: f64 = (0..2)
        .map(|s| ((squares[s] / n[s] - mean[s] * mean[s]).max(0.0) + 0.25 / n[s]) / n[s])
        .sum();
    Some((mean[1] - mean[0]) / variance.sqrt())
}

/// At most five predicates, the most in excess first, on the first half alone; none that is mostly another one's images.
fn discover(study: &Study<'_>, rows: &[usize], risk: &[f64], first: &[usize]) -> Vec<Part> {
    let mut parts = of_columns(study, rows, FEWEST);
    parts.extend(of_attributes(study, rows, first, &AT, FEWEST, false));
    let mut scored: Vec<(f64, Part)> = parts
        .into_iter()
        .filter_map(|p| excess(risk, &p, first).map(|z| (z, p)))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.words.cmp(&b.1.words)));
    let best: Vec<Part> = scored.iter().take(PAIRED).map(|(_, p)| p.clone()).collect();
    for (at, a) in best.iter().enumerate() {
        for b in best[at + 1..].iter().filter(|b| b.about != a.about) {
            let both = a.and(b);
            if let Some(z) = excess(risk, &both, first) {
                scored.push((z, both));
            }
        }
    }
    scored.sort_by(|a, b| {
        b.0.total_cmp(&a.0)
            .then(a.1.words.len().cmp(&b.1.words.len()))
            .then(a.1.words.cmp(&b.1.words))
    });
    let mut kept: Vec<Part> = Vec::new();
    // Where nothing is in excess, the five are looked at again all the same: so that nothing is in excess can be shown.
    for (_, part) in scored {
        if kept.len() == MOST {
            break;
        }
        let alike = kept.iter().any(|k| {
            let of = |f: &dyn Fn(bool, bool) -> bool| {
                first
                    .iter()
                    .filter(|&&at| f(k.inside[at], part.inside[at]))
                    .count() as f64
            };
            of(&|a, b| a && b) > ALIKE * of(&|a, b| a || b)
        });
        if !alike {
            kept.push(part);
        }
    }
    kept
}

pub(super) fn judge(study: &Study<'_>, rows: &[usize], opinion: &mut Opinion) -> Result<()> {
    let refuse = |opinion: &mut Opinion, claim: String, missing: &str| {
        let mut finding = not_assessable(ID, claim, missing);
        finding.primary = true;
        opinion.drafts.push(finding.into());
        Ok(())
    };
    let risk = risks(study, rows);
    let (first, second) = halves(study, rows);
    let found = discover(study, rows, &risk, &first);
    // What cannot be looked at again is not confirmed.
    let kept: Vec<Part> = found
        .iter()
        .map(|part| Part {
            inside: second.iter().map(|&at| part.inside[at]).collect(),
            ..part.clone()
        })
        .filter(|p| p.is_large(FEWEST))
        .collect();
    if kept.is_empty() {
        return refuse(
            opinion,
            format!(
                "No slice of the images could be looked for: half of {} leaves no predicate with {FEWEST} images inside and outside in both halves.",
                words::images(rows.len())
            ),
            "more target images with truth, at least 80, and attributes or columns that vary",
        );
    }
    let confirmed: Vec<usize> = second.iter().map(|&at| rows[at]).collect();
    let values: Vec<f64> = second.iter().map(|&at| risk[at]).collect();
    let settings = study.settings(ID).range(-1.0, 1.0);
    let made = compare(&values, &kept, &study.units(&confirmed)?, &settings)?;
    let raw: Vec<f64> = made.estimates.iter().map(|e| e.p_above(GAP.fail)).collect();
    let p = holm(&raw)?.into_iter().fold(1.0, f64::min);
    let leading = (0..kept.len())
        .max_by(|&a, &b| {
            made.intervals[a]
                .0
                .total_cmp(&made.intervals[b].0)
                .then(
                    made.estimates[a]
                        .estimate
                        .total_cmp(&made.estimates[b].estimate),
                )
                .then(b.cmp(&a))
        })
        .unwrap_or(0);
    let (part, e): (&Part, &Estimate) = (&kept[leading], &made.estimates[leading]);
    let bound = |of: fn(&(f64, f64)) -> f64| {
        made.intervals
            .iter()
            .map(of)
            .fold(f64::NEG_INFINITY, f64::max)
    };
    let (low, high) = (bound(|i| i.0), bound(|i| i.1));
    let form = form(study);
    let mut finding = Finding::new(ID);
    finding.claim = format!(
        "Where {} ({}), the {} is {} (interval over {} {}: {}) higher than on the rest. Found on one half of the images; these are the numbers of the other.",
        part.words,
        words::images(part.size()),
        risk_words(study.context.task),
        form.one(e.estimate),
        kept.len(),
        if kept.len() == 1 { "slice" } else { "slices" },
        form.range(made.intervals[leading].0, made.intervals[leading].1)
    );
    finding.unit = unit(study);
    finding.evidence = evidence(study, &part.sql);
    let inside: Vec<usize> = (0..confirmed.len())
        .filter(|&at| part.inside[at])
        .map(|at| confirmed[at])
        .collect();
    finding.images = worst(study, &inside, 10);
    let mut finding = with_estimate(finding, e, study);
    finding.interval = (low.is_finite() && high.is_finite()).then_some([low, high]);
    finding.interval_method = Some(made.method.clone());
    finding.n = confirmed.len() as u64;
    finding.better = Better::Lower;
    finding.threshold = Some(GAP);
    finding.primary = true;
    finding.p = Some(p);
    finding.caveats.push(format!(
        "at most {MOST} slices, of one or two bounds or values, were fixed on {} ({} to confirm on); Holm over them; the smallest has {}, and the power is that of it",
        words::images(first.len()),
        second.len(),
        words::images(
            kept.iter()
                .map(|p| p.size().min(confirmed.len() - p.size()))
                .min()
                .unwrap_or(0)
        )
    ));
    if part.of_truth {
        finding.caveats.push(
            "the slice is told from the truth, so it cannot be told of new images".to_owned(),
        );
    }
    finding.remedy = Some(
        "Look at the images of the slice; label more of them for training, or refuse them."
            .to_owned(),
    );
    opinion.drafts.push(Draft {
        finding,
        ground: Ground::Bounds {
            low,
            high,
            enough: made.estimates.iter().all(|e| e.enough),
            may_warn: true,
        },
    });
    opinion.figures.push(Figure {
        id: "bias.slices".to_owned(),
        mode: "bias".to_owned(),
        title: "Which images does it get wrong more often?".to_owned(),
        caption: format!(
            "Slices that were found on one half of the images: difference in {} from the rest, on the other half, with 95% intervals that hold together.",
            risk_words(study.context.task)
        ),
        drawing: Drawing::Forest {
            x: format!("difference in {}", risk_words(study.context.task)),
            rows: (0..kept.len())
                .map(|j| bounded(&kept[j].words, made.estimates[j].estimate, (made.intervals[j].0, made.intervals[j].1), kept[j].size()))
                .collect(),
            marks: vec![(0.0, "as the rest".to_owned()), (GAP.fail, "too much".to_owned())],
        },
    });
    Ok(())
}
