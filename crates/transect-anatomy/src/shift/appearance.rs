//! Do the images differ, and in what: attributes and embeddings, no truth needed.

use transect_core::attribute::ATTRIBUTES;
use transect_core::figure::{Drawing, Row as Line};
use transect_core::{Better, Figure, Finding, Result, Threshold, Verdict};
use transect_stats::{
    AttributeTest, Envelope, Matrix, classifier_two_sample, difference_of_statistics, envelope,
    frechet_distance, max_t, mmd_aggregated, quantiles,
};

use super::side_words;
use crate::attributes::column;
use crate::drawn::line;
use crate::evidence;
use crate::opinion::{Draft, Ground, Opinion, judged, not_assessable, with_estimate};
use crate::study::Study;
use crate::words::{self, Form};

/// Held-out AUC above which the classifier finding warns and fails.
pub const CLASSIFIER_AUC: Threshold = Threshold {
    warn: 0.60,
    fail: 0.70,
};
/// Size of an attribute's effect (Cliff's delta without its sign) above which it warns: 0.33 is a medium effect.
pub const ATTRIBUTE_EFFECT: f64 = 0.33;
/// Share of each side's images that must have an attribute for it to enter.
const PRESENT: f64 = 0.8;
/// Share outside beyond the expected that warns.
const EXCESS: Threshold = Threshold {
    warn: 0.05,
    fail: 0.15,
};
/// Permutations behind a p.
const PERMUTATIONS: usize = 1_999;
/// Rows of a side beyond which the two-sample tests look at a seeded choice of whole groups.
const MOST_ROWS: usize = 500;
/// Embedding columns beyond which no Fréchet distance is computed.
const MOST_COLUMNS: usize = 512;
/// Attributes whose distributions are drawn.
const DRAWN: usize = 6;

/// An attribute that differs, for what harm looks along.
#[derive(Debug, Clone)]
pub(crate) struct Shifted {
    /// Its place in [`ATTRIBUTES`].
    pub(crate) attribute: usize,
    /// Cliff's delta.
    pub(crate) effect: f64,
}

/// Attributes that vary and are there on both sides, and how many were left out.
struct Usable {
    attributes: Vec<usize>,
    constant: usize,
    missing: usize,
}

fn usable(study: &Study<'_>, target: &[usize], reference: &[usize]) -> Usable {
    let items = study.tables.items();
    let value = |i: usize, a: usize| {
        items[i]
            .attributes
            .get(a)
            .copied()
            .flatten()
            .filter(|v| v.is_finite())
    };
    let mut result = Usable {
        attributes: Vec::new(),
        constant: 0,
        missing: 0,
    };
    for a in 0..ATTRIBUTES.len() {
        let share = |rows: &[usize]| {
            rows.iter().filter(|&&i| value(i, a).is_some()).count() as f64 / rows.len() as f64
        };
        if share(target) < PRESENT || share(reference) < PRESENT {
            result.missing += 1;
            continue;
        }
        let mut values = target.iter().chain(reference).filter_map(|&i| value(i, a));
        let first = values.next();
        if values.all(|v| Some(v) == first) {
            result.constant += 1;
            continue;
        }
        result.attributes.push(a);
    }
    result
}

pub(crate) fn judge(
    study: &Study<'_>,
    target: &[usize],
    reference: &[usize],
    opinion: &mut Opinion,
) -> Result<Vec<Shifted>> {
    let usable = usable(study, target, reference);
    let all: Vec<usize> = target.iter().chain(reference).copied().collect();
    let groups = |rows: &[usize]| -> Result<usize> { Ok(study.units(rows)?.groups()) };
    if usable.attributes.is_empty() || groups(target)? < 2 || groups(reference)? < 2 {
        let (claim, missing) = if usable.attributes.is_empty() {
            (
                "Whether the images differ was not assessed: no attribute of the images varies.",
                "images whose pixels could be described (items.parquet holds no varying attribute)",
            )
        } else {
            (
                "Whether the images differ was not assessed: a side has one group only.",
                "at least two groups of images on each side; 20 or more to learn something",
            )
        };
        let mut finding = not_assessable("shift.classifier_auc", claim, missing);
        finding.primary = true;
        opinion.drafts.push(finding.into());
        opinion
            .drafts
            .push(not_assessable("shift.outside_envelope", claim, missing).into());
        return Ok(Vec::new());
    }
    let embeddings = embeddings(study, target, reference)?;
    two_sample(
        study,
        target,
        reference,
        &usable,
        embeddings.as_ref(),
        opinion,
    )?;
    outside(study, target, reference, &usable, opinion)?;
    if let Some(found) = &embeddings {
        frechet(study, target.len(), found, opinion)?;
    }
    attributes(study, target, reference, &all, &usable, opinion)
}

/// Embeddings of the images themselves, target first; `None` where there are none for every image.
struct Embeddings {
    layer: String,
    columns: usize,
    values: Vec<f64>,
}

fn embeddings(
    study: &Study<'_>,
    target: &[usize],
    reference: &[usize],
) -> Result<Option<Embeddings>> {
    let Some(model) = &study.model else {
        return Ok(None);
    };
    let Some(layer) = study.tables.embedding_layers(model).into_iter().next() else {
        return Ok(None);
    };
    let mut place = vec![usize::MAX; study.rows.len()];
    for (at, &row) in target.iter().chain(reference).enumerate() {
        place[row] = at;
    }
    let n = target.len() + reference.len();
    let mut columns = 0;
    let mut values: Vec<f64> = Vec::new();
    let mut filled = vec![false; n];
    let mut usable = true;
    study.tables.scan_embeddings(model, &layer, &mut |e| {
        let at = place.get(e.row as usize).copied().unwrap_or(usize::MAX);
        if e.view_id != "identity" || at == usize::MAX || !usable {
            return Ok(());
        }
        if columns == 0 {
            columns = e.values.len();
            values = vec![0.0; n * columns];
        }
        if e.values.len() != columns || columns == 0 || e.values.iter().any(|v| !v.is_finite()) {
            usable = false;
            return Ok(());
        }
        for (to, &v) in values[at * columns..(at + 1) * columns]
            .iter_mut()
            .zip(&e.values)
        {
            *to = f64::from(v);
        }
        filled[at] = true;
        Ok(())
    })?;
    if !usable || columns == 0 || filled.iter().any(|f| !f) {
        return Ok(None);
    }
    Ok(Some(Embeddings {
        layer,
        columns,
        values,
    }))
}

/// A seeded choice of whole groups with at most about [`MOST_ROWS`] rows, as positions in `rows`.
fn choice(study: &Study<'_>, rows: &[usize], offset: usize, purpose: &str) -> Vec<usize> {
    if rows.len() <= MOST_ROWS {
        return (0..rows.len()).map(|i| offset + i).collect();
    }
    let mut groups: std::collections::BTreeMap<usize, Vec<usize>> =
        std::collections::BTreeMap::new();
    for (at, &row) in rows.iter().enumerate() {
        groups
            .entry(study.rows[row].group)
            .or_default()
            .push(offset + at);
    }
    let mut order: Vec<Vec<usize>> = groups.into_values().collect();
    let mut stream = transect_core::Stream::new(
        study.context.seed,
        "anatomy/shift/choice",
        &[purpose.as_bytes()],
    );
    stream.shuffle(&mut order);
    let mut chosen = Vec::new();
    for group in order {
        if chosen.len() >= MOST_ROWS {
            break;
        }
        chosen.extend(group);
    }
    chosen.sort_unstable();
    chosen
}

/// Units for tests of target against reference: within strata where every stratum is on both sides with at least two
/// groups; else over them, since the question is then whether the sides differ as they are.
fn compared(
    study: &Study<'_>,
    target: &[usize],
    reference: &[usize],
    rows: &[usize],
) -> Result<transect_stats::Units> {
    if strata_on_both(study, target, reference) {
        study.units(rows)
    } else {
        study.units_over_strata(rows)
    }
}

fn strata_on_both(study: &Study<'_>, target: &[usize], reference: &[usize]) -> bool {
    let groups = |rows: &[usize]| {
        let mut groups: std::collections::BTreeMap<usize, std::collections::BTreeSet<usize>> =
            std::collections::BTreeMap::new();
        for &i in rows {
            groups
                .entry(study.rows[i].stratum)
                .or_default()
                .insert(study.rows[i].group);
        }
        groups
    };
    let (t, r) = (groups(target), groups(reference));
    t.len() == r.len()
        && t.iter()
            .all(|(s, g)| g.len() >= 2 && r.get(s).is_some_and(|g| g.len() >= 2))
}

fn two_sample(
    study: &Study<'_>,
    target: &[usize],
    reference: &[usize],
    usable: &Usable,
    embeddings: Option<&Embeddings>,
    opinion: &mut Opinion,
) -> Result<()> {
    let all: Vec<usize> = target.iter().chain(reference).copied().collect();
    let mut chosen = choice(study, target, 0, "target");
    let used_target = chosen.len();
    chosen.extend(choice(study, reference, target.len(), "reference"));
    let rows: Vec<usize> = chosen.iter().map(|&at| all[at]).collect();
    let is_target: Vec<bool> = chosen.iter().map(|&at| at < target.len()).collect();
    let columns: Vec<Vec<Option<f64>>> = usable
        .attributes
        .iter()
        .map(|&a| column(study, &rows, a))
        .collect();
    let (matrix, _) = Matrix::from_columns(&columns)?;
    let (features, what) = match embeddings {
        None => (
            matrix,
            format!("{} attributes of the images", usable.attributes.len()),
        ),
        Some(e) => {
            let width = matrix.columns() + e.columns;
            let mut data = Vec::with_capacity(rows.len() * width);
            for (at, &place) in chosen.iter().enumerate() {
                data.extend_from_slice(matrix.row(at));
                data.extend_from_slice(&e.values[place * e.columns..(place + 1) * e.columns]);
            }
            (
                Matrix::new(rows.len(), width, data)?,
                format!(
                    "{} attributes of the images and {} values of the embedding `{}`",
                    usable.attributes.len(),
                    e.columns,
                    e.layer
                ),
            )
        }
    };
    let units = compared(study, target, reference, &rows)?;
    let id = "shift.classifier_auc";
    let test = classifier_two_sample(
        &features,
        &is_target,
        &units,
        PERMUTATIONS,
        &study.settings(id).tails(),
    )?;
    let (t, r) = (
        side_words(study, target, "target"),
        side_words(study, reference, "reference"),
    );
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "A classifier that never saw them tells images of {t} from images of {r} with AUC {}; 0.5 is no difference.",
        Form::Plain.estimate(&test.auc)
    );
    finding.caveats.push(format!(
        "from {what}, {} dimensions after reduction, {} folds by groups; {} with {} permutations (evidence, not the verdict)",
        test.dimensions,
        test.folds,
        words::p_value(test.p),
        test.permutations
    ));
    if rows.len() < all.len() {
        finding.caveats.push(format!(
            "on a seeded choice of {used_target} of {} target and {} of {} reference images",
            target.len(),
            rows.len() - used_target,
            reference.len()
        ));
    }
    if study.strata.len() > 1 && !strata_on_both(study, target, reference) {
        finding.caveats.push(
            "not every stratum is on both sides, so the sides are compared over strata".to_owned(),
        );
    }
    if usable.constant + usable.missing > 0 {
        finding.caveats.push(format!(
            "{} attributes left out: {} do not vary, {} do not apply or are missing for more than {} of a side",
            usable.constant + usable.missing,
            usable.constant,
            usable.missing,
            words::percent(1.0 - PRESENT)
        ));
    }
    let mut by_score: Vec<usize> = (0..rows.len()).filter(|&at| is_target[at]).collect();
    by_score.sort_by(|&a, &b| test.scores[b].total_cmp(&test.scores[a]).then(a.cmp(&b)));
    finding.images = by_score
        .iter()
        .take(10)
        .map(|&at| study.image(rows[at]))
        .collect();
    finding.remedy = Some(
        "See `shift.attribute[…]` for what differs and `shift.harm` for whether it matters."
            .to_owned(),
    );
    finding.evidence.sql =
        Some("SELECT role, COLUMNS('attr_.*') FROM 'items.parquet' WHERE status = 'ok'".to_owned());
    opinion.drafts.push(judged(
        finding,
        test.auc,
        CLASSIFIER_AUC,
        Better::Lower,
        true,
        study,
    ));

    let mmd = mmd_aggregated(
        &features,
        &is_target,
        &units,
        PERMUTATIONS,
        &study.settings("shift.mmd"),
    )?;
    let mut finding = Finding::new("shift.mmd");
    finding.n = (mmd.used.0 + mmd.used.1) as u64;
    finding.better = Better::Lower;
    finding.evidence.sql =
        Some("SELECT role, COLUMNS('attr_.*') FROM 'items.parquet' WHERE status = 'ok'".to_owned());
    if mmd.smallest_p > 0.05 {
        finding.verdict = Verdict::NotAssessable;
        finding.claim = format!(
            "The kernel test can say nothing: with so few groups its smallest possible p is {}.",
            words::number(mmd.smallest_p)
        );
        finding.missing = Some("more groups on both sides".to_owned());
    } else {
        finding.estimate = Some(mmd.mmd2);
        finding.p = Some(mmd.p);
        finding.claim = format!(
            "The squared maximum mean discrepancy between {t} and {r} is {} ({} over five bandwidths, {} permutations of whole groups).",
            words::number(mmd.mmd2),
            words::p_value(mmd.p),
            mmd.permutations
        );
        finding
            .caveats
            .push("evidence only: with many images every difference has a small p".to_owned());
    }
    opinion.drafts.push(finding.into());
    Ok(())
}

/// The reference's joint envelope, and where each target image lies.
fn enveloped(
    study: &Study<'_>,
    target: &[usize],
    reference: &[usize],
    usable: &Usable,
) -> Result<Envelope> {
    let sides = |rows: &[usize]| -> Vec<Vec<Option<f64>>> {
        usable
            .attributes
            .iter()
            .map(|&a| column(study, rows, a))
            .collect()
    };
    envelope(
        &sides(reference),
        &study.units(reference)?,
        &sides(target),
        &study.units(target)?,
        &study.settings("shift.outside_envelope").range(0.0, 1.0),
    )
}

/// The same for other modes; `None` where there is nothing to compare.
pub(crate) fn joint_envelope(
    study: &Study<'_>,
    target: &[usize],
    reference: &[usize],
) -> Result<Option<Envelope>> {
    if target.is_empty() || reference.is_empty() {
        return Ok(None);
    }
    let usable = usable(study, target, reference);
    if usable.attributes.is_empty() || study.units(reference)?.groups() < 2 {
        return Ok(None);
    }
    enveloped(study, target, reference, &usable).map(Some)
}

fn outside(
    study: &Study<'_>,
    target: &[usize],
    reference: &[usize],
    usable: &Usable,
    opinion: &mut Opinion,
) -> Result<()> {
    let id = "shift.outside_envelope";
    let found = enveloped(study, target, reference, usable)?;
    let outside: Vec<usize> = (0..target.len())
        .filter(|&at| found.images[at].outside)
        .collect();
    let mut by_attribute: std::collections::BTreeMap<usize, usize> =
        std::collections::BTreeMap::new();
    for &at in &outside {
        if let Some(a) = found.images[at].attribute {
            *by_attribute.entry(usable.attributes[a]).or_default() += 1;
        }
    }
    let mut leading: Vec<(usize, usize)> = by_attribute.into_iter().collect();
    leading.sort_by_key(|&(a, n)| (std::cmp::Reverse(n), a));
    let names: Vec<String> = leading
        .iter()
        .take(4)
        .map(|&(a, n)| format!("{} ({n})", ATTRIBUTES[a].words))
        .collect();
    let mut finding = Finding::new(id);
    finding.unit = String::from("fraction");
    let mut worst = outside.clone();
    worst.sort_by(|&a, &b| {
        found.images[b]
            .score
            .total_cmp(&found.images[a].score)
            .then(a.cmp(&b))
    });
    finding.images = worst
        .iter()
        .take(10)
        .map(|&at| study.image(target[at]))
        .collect();
    finding.evidence.sql = Some(
        "SELECT role, image, COLUMNS('attr_.*') FROM 'items.parquet' WHERE status = 'ok'"
            .to_owned(),
    );
    let named = if names.is_empty() {
        String::new()
    } else {
        format!(" What puts them outside most: {}.", words::list(&names))
    };
    finding.claim = format!(
        "{} of {} lie outside of what the reference spans, {}; of further reference images {} would ({}).{named}",
        outside.len(),
        words::counted(target.len(), "target image", "target images"),
        Form::Percent.estimate(&found.share),
        words::percent(found.expected.0),
        Form::Percent.range(found.expected.1, found.expected.2)
    );
    finding.caveats.push(format!(
        "one joint score: the largest robust standardised distance over {} attributes, centred on {} and ranked against {} reference groups",
        usable.attributes.len(),
        found.fit_units,
        found.calibration_units
    ));
    if !found.enough {
        let mut finding = with_estimate(finding, &found.share, study);
        finding.verdict = Verdict::Undecided;
        finding.better = Better::Lower;
        finding.caveats.push(format!(
            "{} calibration groups are fewer than 19: no image can be called outside at 5%",
            found.calibration_units
        ));
        finding.claim = format!(
            "Whether target images lie outside of what the reference spans cannot be told: half of the reference gives {} groups to rank against, and 19 are needed.",
            found.calibration_units
        );
        finding.n_needed = Some(38);
        opinion.drafts.push(finding.into());
        return Ok(());
    }
    // Judged is the excess over what is expected of the reference itself; shown is the share.
    let threshold = EXCESS;
    let excess = found.excess.clone();
    let mut finding = with_estimate(finding, &found.share, study);
    let shift = found.expected.0;
    finding.threshold = Some(Threshold {
        warn: shift + threshold.warn,
        fail: shift + threshold.fail,
    });
    finding.better = Better::Lower;
    finding.caveats.push(format!(
        "judged on the excess over the {} expected, {}, which holds the uncertainty of the reference too",
        words::percent(shift),
        Form::Points.short(&excess)
    ));
    opinion.drafts.push(Draft {
        finding,
        ground: Ground::Bounds {
            low: shift + excess.low,
            high: shift + excess.high,
            enough: excess.enough,
            may_warn: true,
        },
    });
    Ok(())
}

fn frechet(
    study: &Study<'_>,
    n_target: usize,
    found: &Embeddings,
    opinion: &mut Opinion,
) -> Result<()> {
    let id = "shift.frechet";
    let n = found.values.len() / found.columns;
    if found.columns > MOST_COLUMNS || n_target < 2 || n - n_target < 2 {
        opinion.drafts.push(
            not_assessable(
                id,
                format!("No Fréchet distance of embeddings: {} values each, {n_target} target and {} reference images.", found.columns, n - n_target),
                format!("embeddings of at most {MOST_COLUMNS} values and two images on each side"),
            )
            .into(),
        );
        return Ok(());
    }
    let cut = n_target * found.columns;
    let a = Matrix::new(n_target, found.columns, found.values[..cut].to_vec())?;
    let b = Matrix::new(n - n_target, found.columns, found.values[cut..].to_vec())?;
    let distance = frechet_distance(&a, &b)?;
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "The Fréchet distance between the embeddings `{}` of target and reference is {}.",
        found.layer,
        words::number(distance)
    );
    finding.estimate = Some(distance);
    finding.better = Better::Lower;
    finding.n = n as u64;
    finding.caveats.push(format!(
        "described only: it is too large at small n, and here the smaller side has {} images for {} dimensions",
        n_target.min(n - n_target),
        found.columns
    ));
    finding.evidence = evidence::embeddings(study, &found.layer, "i.role");
    opinion.drafts.push(finding.into());
    Ok(())
}

/// Cliff's delta of an attribute with its interval.
fn effect(
    study: &Study<'_>,
    id: &str,
    target: (&[usize], &[f64]),
    reference: (&[usize], &[f64]),
) -> Result<transect_stats::Estimate> {
    let values: Vec<f64> = target.1.iter().chain(reference.1).copied().collect();
    let cut = target.1.len();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    let positive: Vec<bool> = (0..values.len()).map(|i| i < cut).collect();
    let mut weights = vec![0.0; values.len()];
    let mut settings = study.settings(id).range(-1.0, 1.0);
    settings.resamples = settings.resamples.min((4_000_000 / values.len()).max(400));
    difference_of_statistics(
        &study.units(target.0)?,
        &study.units(reference.0)?,
        &settings,
        &mut |wt, wr| {
            weights[..cut].copy_from_slice(wt);
            weights[cut..].copy_from_slice(wr);
            transect_stats::auroc_weighted(&values, &positive, &order, &weights)
                .map(|auc| 2.0 * auc - 1.0)
        },
    )
}

fn attributes(
    study: &Study<'_>,
    target: &[usize],
    reference: &[usize],
    all: &[usize],
    usable: &Usable,
    opinion: &mut Opinion,
) -> Result<Vec<Shifted>> {
    let columns: Vec<Vec<Option<f64>>> = usable
        .attributes
        .iter()
        .map(|&a| column(study, all, a))
        .collect();
    let is_target: Vec<bool> = (0..all.len()).map(|at| at < target.len()).collect();
    let units = compared(study, target, reference, all)?;
    let (tests, smallest_p) = max_t(
        &columns,
        &is_target,
        &units,
        PERMUTATIONS,
        &study.settings("shift.attribute"),
    )?;
    let mut shifted = Vec::new();
    let mut lines: Vec<(f64, Line)> = Vec::new();
    let mut drawn: Vec<(f64, usize)> = Vec::new();
    let tested = tests.iter().flatten().count();
    for (at, test) in tests.iter().enumerate() {
        let Some(test): &Option<AttributeTest> = test else {
            continue;
        };
        let a = usable.attributes[at];
        let attribute = &ATTRIBUTES[a];
        let id = format!("shift.attribute[{}]", attribute.name);
        let side = |rows: &[usize]| -> (Vec<usize>, Vec<f64>) {
            rows.iter()
                .copied()
                .zip(column(study, rows, a))
                .filter_map(|(i, v)| v.map(|v| (i, v)))
                .unzip()
        };
        let (target_rows, target_values) = side(target);
        let (reference_rows, reference_values) = side(reference);
        let e = effect(
            study,
            &id,
            (&target_rows, &target_values),
            (&reference_rows, &reference_values),
        )?;
        let mt = transect_stats::median(&target_values)?;
        let mr = transect_stats::median(&reference_values)?;
        let unit = words::unit(attribute.unit);
        let mut finding = Finding::new(&id);
        finding.claim = format!(
            "{} is {}{unit} in the target (median) and {}{unit} in the reference; a target image has more of it than a reference image with probability {} ({} over {tested} attributes).",
            crate::performance::capital(attribute.words),
            words::number(mt),
            words::number(mr),
            words::percent(test.auc),
            words::p_value(test.p_adjusted)
        );
        finding.evidence.sql = Some(format!(
            "SELECT role, attr_{} FROM 'items.parquet' WHERE status = 'ok'",
            attribute.name
        ));
        finding.unit = String::from("Cliff's delta");
        let mut finding = with_estimate(finding, &e, study);
        finding.better = Better::Neither;
        finding.p = Some(test.p);
        finding.p_adjusted = Some(test.p_adjusted);
        finding.family_size = Some(tested as u32);
        finding.caveats.push(format!(
            "p adjusted over the {tested} attributes (Westfall–Young max-T, {PERMUTATIONS} permutations of whole groups); the medians differ by {} robust standard deviations of the reference",
            words::number(test.difference)
        ));
        if smallest_p > 0.05 {
            finding.caveats.push(format!(
                "with so few groups no p can be under {}",
                words::number(smallest_p)
            ));
        }
        if !attribute.moved_by.is_empty() {
            finding.caveats.push(format!(
                "whether it carries a harm: shift.carries[{}]",
                attribute.moved_by
            ));
        }
        let significant = test.p_adjusted <= 0.05;
        finding.verdict = verdict_of_effect(&e, significant);
        lines.push((
            e.estimate.abs(),
            Line {
                note: if significant {
                    String::new()
                } else {
                    words::p_value(test.p_adjusted)
                },
                ..line(attribute.words, &e)
            },
        ));
        if significant {
            shifted.push(Shifted {
                attribute: a,
                effect: e.estimate,
            });
            drawn.push((e.estimate.abs(), a));
        }
        opinion.drafts.push(finding.into());
    }
    lines.sort_by(|x, y| y.0.total_cmp(&x.0));
    if !lines.is_empty() {
        opinion.figures.push(Figure {
            id: "shift.attributes".to_owned(),
            mode: "shift".to_owned(),
            title: "In what the images differ".to_owned(),
            caption: format!(
                "Size of the difference of each attribute between target and reference (Cliff's delta: 1 when every target image has more of it, −1 when every one has less), largest first, with 95% intervals. {ATTRIBUTE_EFFECT} is a medium effect."
            ),
            drawing: Drawing::Forest {
                x: "Cliff's delta".to_owned(),
                rows: lines.into_iter().map(|(_, line)| line).collect(),
                marks: vec![(-ATTRIBUTE_EFFECT, "medium".to_owned()), (0.0, "none".to_owned()), (ATTRIBUTE_EFFECT, "medium".to_owned())],
            },
        });
    }
    drawn.sort_by(|x, y| y.0.total_cmp(&x.0).then(x.1.cmp(&y.1)));
    let percents: Vec<f64> = (0..=100).map(|q| f64::from(q) / 100.0).collect();
    for &(_, a) in drawn.iter().take(DRAWN) {
        let of = |rows: &[usize]| -> Result<Vec<f64>> {
            let values: Vec<f64> = column(study, rows, a).into_iter().flatten().collect();
            quantiles(&values, &percents)
        };
        let attribute = &ATTRIBUTES[a];
        let unit = words::unit_in_brackets(attribute.unit);
        opinion.figures.push(Figure {
            id: format!("shift.attribute.{}", attribute.name),
            mode: "shift".to_owned(),
            title: crate::performance::capital(attribute.words),
            caption: "Its distribution over the images of each side, as quantiles.".to_owned(),
            drawing: Drawing::Distribution {
                x: format!("{}{unit}", attribute.words),
                series: vec![
                    ("reference".to_owned(), of(reference)?),
                    ("target".to_owned(), of(target)?),
                ],
            },
        });
    }
    shifted.sort_by(|x, y| {
        y.effect
            .abs()
            .total_cmp(&x.effect.abs())
            .then(x.attribute.cmp(&y.attribute))
    });
    Ok(shifted)
}

/// Verdict of an effect without regard to its sign: never worse than a warning.
fn verdict_of_effect(e: &transect_stats::Estimate, significant: bool) -> Verdict {
    let smallest = if e.low > 0.0 {
        e.low
    } else if e.high < 0.0 {
        -e.high
    } else {
        0.0
    };
    let largest = e.low.abs().max(e.high.abs());
    if !e.enough {
        Verdict::Undecided
    } else if smallest > ATTRIBUTE_EFFECT && significant {
        Verdict::Warn
    } else if largest < ATTRIBUTE_EFFECT {
        Verdict::Pass
    } else {
        Verdict::Undecided
    }
}
