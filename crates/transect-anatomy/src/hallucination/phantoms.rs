//! What is seen where nothing is: images without objects, made from these images or found among them.

use std::collections::BTreeMap;

use transect_core::figure::Drawing;
use transect_core::finding::Evidence;
use transect_core::view::SURROGATES;
use transect_core::{
    Better, Context, Figure, Finding, Measurement, Result, Role, Status, Task, Threshold, ViewKind,
};
use transect_stats::{holm, mean, median, rate, ratio};
use transect_table::Filter;

use super::{AS_SURE, FEWEST, Sure};
use crate::drawn::line;
use crate::evidence::Query;
use crate::opinion::{Ground, Opinion, judged, not_assessable, with_estimate};
use crate::study::{Study, Truth};
use crate::words::{self, Form};

/// Share of images without an object on which one is seen, above which the finding warns and fails.
pub const PHANTOMS: Threshold = Threshold {
    warn: 0.05,
    fail: 0.10,
};
/// Share of pixels called foreground from which on something is seen, where areas are outlined and not objects.
pub const FOREGROUND: f64 = 0.01;

const ID: &str = "hallucination.phantom_objects";
/// Images of the data in which the truth has no object.
const EMPTY: &str = "empty_images";
/// What nobody can take for an image with objects: these count for the primary finding.
const PHYSICAL: [&str; 3] = ["empty_field", "noise_only", EMPTY];

/// One image without objects, and what was made of it.
struct Nothing {
    row: usize,
    /// Objects, or 1 where enough foreground was seen.
    objects: f64,
    confidence: Option<f64>,
    pred_class: Option<u32>,
}

pub(super) fn judge(study: &Study<'_>, sure: &mut Sure, opinion: &mut Opinion) -> Result<()> {
    let found = scan(study)?;
    if study.context.task == Task::Classification {
        return classes(study, &found, sure, opinion);
    }
    objects(study, &found, sure, opinion)
}

/// Images without objects, by how they came about.
fn scan(study: &Study<'_>) -> Result<BTreeMap<String, Vec<Nothing>>> {
    let mut found: BTreeMap<String, Vec<Nothing>> = BTreeMap::new();
    let column = |name: &str| {
        study
            .context
            .score_columns
            .iter()
            .position(|c| c.name == name)
    };
    let truly = if study.context.task == Task::Classification {
        None
    } else {
        column("n_true")
    };
    for kind in [ViewKind::Identity, ViewKind::Surrogate] {
        let filter = Filter {
            model: study.model.clone(),
            kind: Some(kind),
            name: None,
        };
        study.tables.scan(&filter, &mut |m| {
            let row = m.row as usize;
            let Some(known) = study.rows.get(row).filter(|r| r.role == Role::Target) else {
                return Ok(());
            };
            if m.status != Status::Ok {
                return Ok(());
            }
            let name = if kind == ViewKind::Surrogate {
                m.view.name.as_str()
            } else {
                let empty = known.truth == Truth::Known
                    && truly
                        .and_then(|c| m.scores.get(c).copied().flatten())
                        .is_some_and(|n| n == 0.0);
                if !empty {
                    return Ok(());
                }
                EMPTY
            };
            let seen = match study.context.task {
                Task::Classification => Some(0.0),
                Task::Instance => m.pred_count,
                Task::Semantic => {
                    foreground(study.context, m).map(|s| f64::from(u8::from(s > FOREGROUND)))
                }
            };
            if let Some(objects) = seen {
                found.entry(name.to_owned()).or_default().push(Nothing {
                    row,
                    objects,
                    confidence: m.confidence.filter(|c| (0.0..=1.001).contains(c)),
                    pred_class: m.pred_class,
                });
            }
            Ok(())
        })?;
    }
    Ok(found)
}

/// Share of pixels that are called something else than class 0.
fn foreground(context: &Context, m: &Measurement) -> Option<f64> {
    let (mut area, mut all, mut first) = (0.0, None, true);
    for (column, score) in context.score_columns.iter().zip(&m.scores) {
        if column.name == "n_pixels" {
            all = *score;
        } else if column.name == "n_pred" {
            area += (*score)?;
            first = false;
        } else if column.name.starts_with("n_pred_") {
            // Of every class, the first of which is the background.
            if !first {
                area += score.unwrap_or(0.0);
            }
            first = false;
        }
    }
    all.filter(|n| *n > 0.0 && !first).map(|n| area / n)
}

fn source_words(name: &str) -> String {
    if name == EMPTY {
        return "images of the data in which the truth has no object".to_owned();
    }
    let words = SURROGATES
        .iter()
        .find(|(n, _)| *n == name)
        .map_or(name, |(_, words)| words);
    format!(
        "images made without objects ({}: {words})",
        name.replace('_', " ")
    )
}

fn missing(study: &Study<'_>, what: &str) -> (String, String) {
    if study.context.predictions_only {
        (
            format!(
                "{what} was not assessed: predictions were given, so images without objects could not be shown to the model, and too few images of the data are empty."
            ),
            format!("the model (--model), or at least {FEWEST} images without objects"),
        )
    } else {
        (
            format!(
                "{what} was not assessed: fewer than {FEWEST} images without objects were measured."
            ),
            format!(
                "the standard plan (--plan standard), or at least {FEWEST} images without objects and their truth"
            ),
        )
    }
}

fn objects(
    study: &Study<'_>,
    found: &BTreeMap<String, Vec<Nothing>>,
    sure: &mut Sure,
    opinion: &mut Opinion,
) -> Result<()> {
    let Some(worst) = worst_source(study, found)? else {
        let (claim, missing) = missing(study, "Whether it sees objects where there are none");
        let mut finding = not_assessable(ID, claim, missing);
        finding.primary = true;
        opinion.drafts.push(finding.into());
        return Ok(());
    };
    let something = if study.context.task == Task::Instance {
        "an object".to_owned()
    } else {
        format!(
            "foreground on more than {} of the pixels",
            words::percent(FOREGROUND)
        )
    };
    let e = worst.estimate;
    let mut finding = Finding::new(ID);
    finding.claim = format!(
        "On {} {} it sees {something} in {}{}{}.",
        worst.images.len(),
        source_words(worst.name),
        Form::Percent.estimate(&e),
        density(study, &worst.images)?,
        if worst.judged > 1 {
            ", the most of the sorts of images without an object"
        } else {
            ""
        }
    );
    finding.unit = String::from("fraction");
    finding.evidence = evidence(study);
    let mut seen: Vec<&&Nothing> = worst.images.iter().filter(|n| n.objects > 0.0).collect();
    seen.sort_by(|a, b| b.objects.total_cmp(&a.objects).then(a.row.cmp(&b.row)));
    let mut named: Vec<usize> = seen.iter().map(|n| n.row).collect();
    named.dedup();
    finding.images = named.iter().take(10).map(|&row| study.image(row)).collect();
    finding.caveats.push("images without objects are made from the noise, background and illumination that were measured in these images; phase-scrambled and blurred ones are told apart, since they keep structure".to_owned());
    finding.remedy = Some(
        "Train with empty fields; raise the threshold, or ask for a smallest area, and measure what that costs in missed objects.".to_owned(),
    );
    finding.caveats.push(format!(
        "each sort of at least {FEWEST} images is judged by itself, p times their number ({}), and each must be low to pass{}",
        worst.judged,
        if worst.few.is_empty() {
            String::new()
        } else {
            format!("; too few images for that: {}", words::list(&worst.few))
        }
    ));
    let mut draft = judged(finding, e, PHANTOMS, Better::Lower, true, study);
    draft.finding.p = Some(worst.p);
    draft.ground = Ground::Bounds {
        low: worst.low,
        high: worst.high,
        enough: worst.enough,
        may_warn: true,
    };
    opinion.drafts.push(draft);
    let confidences = phantom_confidences(study)?;
    let mut lines = Vec::new();
    for (name, of) in found {
        if of.len() < FEWEST {
            continue;
        }
        let of: Vec<&Nothing> = of.iter().collect();
        let id = format!("hallucination.phantoms[{name}]");
        let e = share(study, &of, &id)?;
        let of_view: &[f64] = confidences.get(name).map_or(&[], Vec::as_slice);
        let how_sure = if of_view.is_empty() {
            String::new()
        } else {
            format!(
                "; the median confidence of such an object is {}",
                words::number(median(of_view)?)
            )
        };
        let mut finding = Finding::new(&id);
        finding.claim = format!(
            "On {} {} it sees {something} in {}{}{how_sure}.",
            of.len(),
            source_words(name),
            Form::Percent.estimate(&e),
            density(study, &of)?
        );
        finding.unit = String::from("fraction");
        finding.better = Better::Lower;
        finding.evidence = evidence(study);
        lines.push(line(name.replace('_', " "), &e));
        sure.draw(&format!("{}, phantoms", name.replace('_', " ")), of_view);
        opinion
            .drafts
            .push(with_estimate(finding, &e, study).into());
    }
    opinion.figures.push(Figure {
        id: "hallucination.phantoms".to_owned(),
        mode: "hallucination".to_owned(),
        title: "Does it see what is not there?".to_owned(),
        caption: format!(
            "Share of images without an object in which it sees {something}, with 95% intervals."
        ),
        drawing: Drawing::Forest {
            x: "share of images".to_owned(),
            rows: lines,
            marks: vec![(PHANTOMS.fail, "too many".to_owned())],
        },
    });
    Ok(())
}

/// The sort of images without objects on which most is seen, and the bounds over all sorts.
struct Worst<'a> {
    name: &'static str,
    images: Vec<&'a Nothing>,
    estimate: transect_stats::Estimate,
    /// Largest lower bound over the sorts, which hold together (Bonferroni).
    low: f64,
    /// Largest upper bound over the sorts; infinite where one has too few images.
    high: f64,
    /// Smallest p of H₀: the share is at most the threshold to fail, times the number of sorts.
    p: f64,
    enough: bool,
    /// Sorts that are judged.
    judged: usize,
    /// Sorts with too few images.
    few: Vec<String>,
}

/// `None` where no sort has images enough.
fn worst_source<'a>(
    study: &Study<'_>,
    found: &'a BTreeMap<String, Vec<Nothing>>,
) -> Result<Option<Worst<'a>>> {
    let (mut made, mut few) = (Vec::new(), Vec::new());
    for name in PHYSICAL {
        let Some(of) = found.get(name) else { continue };
        if of.len() < FEWEST {
            few.push(name.replace('_', " "));
            continue;
        }
        let images: Vec<&Nothing> = of.iter().collect();
        let estimate = share(study, &images, &format!("{ID}/{name}"))?;
        made.push((name, images, estimate));
    }
    let judged = made.len();
    let of_all = judged.max(1) as f64;
    let over = |of: &dyn Fn(&transect_stats::Estimate) -> f64| {
        made.iter()
            .map(|m| of(&m.2))
            .fold(f64::NEG_INFINITY, f64::max)
    };
    let low = over(&|e| e.lower(1.0 - 0.025 / of_all));
    let high = if few.is_empty() {
        over(&|e| e.high)
    } else {
        f64::INFINITY
    };
    let raw: Vec<f64> = made.iter().map(|m| m.2.p_above(PHANTOMS.fail)).collect();
    let p = holm(&raw)?.into_iter().fold(1.0, f64::min);
    let enough = made.iter().all(|m| m.2.enough);
    // Of equal shares the first.
    let first = made.into_iter().reduce(|best, next| {
        if next.2.estimate > best.2.estimate {
            next
        } else {
            best
        }
    });
    Ok(first.map(|(name, images, estimate)| Worst {
        name,
        images,
        estimate,
        low,
        high,
        p,
        enough,
        judged,
        few,
    }))
}

/// Share of images in which something is seen.
fn share(study: &Study<'_>, of: &[&Nothing], id: &str) -> Result<transect_stats::Estimate> {
    let rows: Vec<usize> = of.iter().map(|n| n.row).collect();
    let hits: Vec<bool> = of.iter().map(|n| n.objects > 0.0).collect();
    rate(
        &hits,
        &study.units_of_parts(&rows)?,
        &study.settings(id).tails(),
    )
}

/// `: 0.4 objects an image, 12 per mm²`.
fn density(study: &Study<'_>, of: &[&Nothing]) -> Result<String> {
    if study.context.task != Task::Instance {
        return Ok(String::new());
    }
    let items = study.tables.items();
    let rows: Vec<usize> = of.iter().map(|n| n.row).collect();
    let counts: Vec<f64> = of.iter().map(|n| n.objects).collect();
    let settings = study.settings("hallucination.density");
    let each = mean(&counts, &study.units_of_parts(&rows)?, &settings)?;
    let mut text = format!(": {} an image", words::number(each.estimate));
    let area = |row: usize| {
        let of = |name: &str| items[row].attribute(name);
        Some(of("rows_px")? * of("columns_px")? * of("pixel_size_um")?.powi(2) / 1e6)
    };
    let with: Vec<usize> = (0..of.len())
        .filter(|&at| area(rows[at]).is_some_and(|a| a > 0.0))
        .collect();
    if !with.is_empty() {
        let at: Vec<usize> = with.iter().map(|&w| rows[w]).collect();
        let numerator: Vec<f64> = with.iter().map(|&w| counts[w]).collect();
        let areas: Vec<f64> = at.iter().filter_map(|&row| area(row)).collect();
        let e = ratio(
            &numerator,
            &areas,
            &study.units_of_parts(&at)?,
            &settings.range(0.0, f64::INFINITY),
        )?;
        text = format!("{text}, {} per mm²", Form::Plain.short(&e));
    }
    Ok(text)
}

/// Confidences of predicted objects on images without objects, by how these came about.
fn phantom_confidences(study: &Study<'_>) -> Result<BTreeMap<String, Vec<f64>>> {
    let mut made: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    if study.context.task != Task::Instance {
        return Ok(made);
    }
    let Some(model) = &study.model else {
        return Ok(made);
    };
    study.tables.scan_elements(model, &mut |e| {
        let target = study
            .rows
            .get(e.row as usize)
            .is_some_and(|r| r.role == Role::Target);
        if let (Some(name), Some(_), Some(c), true) = (
            e.view_id.strip_prefix("surrogate:"),
            e.pred,
            e.confidence.filter(|c| (0.0..=1.001).contains(c)),
            target,
        ) {
            made.entry(name.to_owned()).or_default().push(f64::from(c));
        }
        Ok(())
    })?;
    Ok(made)
}

fn evidence(study: &Study<'_>) -> Evidence {
    Query::views(
        study,
        ViewKind::Surrogate,
        None,
        "count(*), avg(CAST(m.pred_count > 0 AS DOUBLE)), avg(m.pred_count), avg(m.confidence)",
    )
    .by("m.view_id")
    .of_target()
    .into()
}

/// Classes have no objects: how sure is it of images without any?
fn classes(
    study: &Study<'_>,
    found: &BTreeMap<String, Vec<Nothing>>,
    sure: &mut Sure,
    opinion: &mut Opinion,
) -> Result<()> {
    let id = "hallucination.surrogate_confidence";
    let Some(yardstick) = sure.median_of_right else {
        opinion.drafts.push(
            not_assessable(
                id,
                "How sure it is of images without objects was not assessed: too few right answers have a confidence to compare with.",
                format!("class probabilities, and at least {FEWEST} target images that it gets right"),
            )
            .into(),
        );
        return Ok(());
    };
    let mut any = false;
    let mut lines = Vec::new();
    for (name, of) in found {
        let with: Vec<&Nothing> = of.iter().filter(|n| n.confidence.is_some()).collect();
        if with.len() < FEWEST {
            continue;
        }
        any = true;
        let rows: Vec<usize> = with.iter().map(|n| n.row).collect();
        let confidences: Vec<f64> = with.iter().filter_map(|n| n.confidence).collect();
        let hits: Vec<bool> = confidences.iter().map(|&c| c >= yardstick).collect();
        let id = format!("{id}[{name}]");
        let e = rate(&hits, &study.units(&rows)?, &study.settings(&id))?;
        let mut finding = Finding::new(&id);
        finding.claim = format!(
            "On {} {} it is as sure as of the surer half of its right answers (confidence {} or more) in {}; the median confidence is {}{}.",
            with.len(),
            source_words(name),
            words::number(yardstick),
            Form::Percent.estimate(&e),
            words::number(median(&confidences)?),
            favourite(study, &with)
        );
        finding.unit = String::from("fraction");
        finding.evidence = evidence(study);
        finding.caveats.push("a confidence that tells nothing gives 50%, more where answers share one confidence; a model with a class for empty images may be sure with reason, so this is never more than a warning".to_owned());
        finding.remedy = Some(
            "Train with images of nothing, or refuse images by their attributes first (`shift`)."
                .to_owned(),
        );
        lines.push(line(name.replace('_', " "), &e));
        sure.draw(&name.replace('_', " "), &confidences);
        opinion
            .drafts
            .push(judged(finding, e, AS_SURE, Better::Lower, false, study));
    }
    if !any {
        let (claim, missing) = missing(study, "How sure it is of images without objects");
        opinion
            .drafts
            .push(not_assessable(id, claim, missing).into());
        return Ok(());
    }
    opinion.figures.push(Figure {
        id: "hallucination.surrogates".to_owned(),
        mode: "hallucination".to_owned(),
        title: "How sure is it of images of nothing?".to_owned(),
        caption: "Share of images without objects of which it is as sure as of the surer half of its right answers, with 95% intervals.".to_owned(),
        drawing: Drawing::Forest {
            x: "share of images".to_owned(),
            rows: lines,
            marks: vec![(AS_SURE.warn, "too sure".to_owned()), (0.5, "tells nothing".to_owned())],
        },
    });
    Ok(())
}

/// The class that most of them are called, where one is.
fn favourite(study: &Study<'_>, of: &[&Nothing]) -> String {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for class in of.iter().filter_map(|n| n.pred_class) {
        *counts.entry(class).or_default() += 1;
    }
    let most = counts
        .iter()
        .max_by_key(|&(class, n)| (*n, std::cmp::Reverse(*class)));
    match most {
        Some((&class, &n)) if 2 * n > of.len() => format!(
            ", and {} of them are called {}",
            words::percent(n as f64 / of.len() as f64),
            study
                .context
                .classes
                .get(class as usize)
                .map_or("", String::as_str)
        ),
        _ => String::new(),
    }
}
