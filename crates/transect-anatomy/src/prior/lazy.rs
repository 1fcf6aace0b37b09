//! Lazy learners: what single numbers and simple tables of an image reach on its truth.

use std::collections::BTreeMap;

use transect_core::attribute::ATTRIBUTES;
use transect_core::figure::{Drawing, Row as Line};
use transect_core::{Better, Figure, Finding, Result, Threshold, Verdict};
use transect_stats::Matrix;

use super::question::{Asked, Question, Said};
use crate::embedded::{Embedded, side_by_side};
use crate::opinion::{Ground, Opinion, judged, not_assessable, with_estimate};
use crate::study::Study;
use crate::words::{self, Form};

/// Share of the way from chance to all right that the format of the files alone may go before it warns and fails.
pub const LAZY_LEARNER: Threshold = Threshold {
    warn: 0.2,
    fail: 0.5,
};
/// Attributes that a single intensity statistic is chosen from, beside the moments of the channels.
const INTENSITIES: [&str; 16] = [
    "intensity_mean",
    "intensity_sd",
    "intensity_q01",
    "intensity_q50",
    "intensity_q99",
    "background",
    "contrast",
    "snr",
    "noise_sd",
    "saturated_share",
    "clipped_share",
    "red_mean",
    "green_mean",
    "blue_mean",
    "saturation_mean",
    "hue_sin",
];
/// Names of what the family `file` holds.
const FILE: [&str; 11] = [
    "bytes",
    "bytes for each sample",
    "height",
    "width",
    "channels",
    "bits",
    "files",
    "PNG",
    "JPEG",
    "TIFF",
    "NPY",
];
/// The first of them that says nothing of what is in the image.
const FORMAT: usize = 2;
/// The height among them; the width follows.
const HEIGHT: usize = 2;
/// More sizes than this are no formats in which images are stored: images were cut to their objects.
const STORED_SIZES: usize = 20;
/// Steps of the power iteration for the first principal component.
const STEPS: usize = 200;

/// A table that a learner sees.
struct Table {
    matrix: Matrix,
    /// Names of its columns, where one may be named.
    names: Vec<String>,
    /// The family of features that it is made from; empty where it is none.
    family: &'static str,
}

impl Table {
    fn of(self, family: &'static str) -> Self {
        Self { family, ..self }
    }
}

/// What one learner reached.
struct Reached {
    id: String,
    label: String,
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
    n: u64,
}

/// How a learner learns.
enum Way {
    /// The best function of one column.
    Single,
    /// A linear probe of all.
    All,
}

/// Asks every learner.
pub(super) fn judge(study: &Study<'_>, question: &Question, opinion: &mut Opinion) -> Result<()> {
    let mut reached = Vec::new();
    let spectrum = Embedded::family(study, "spectrum")?;
    let many = spectrum.is_some();
    let channels = match spectrum {
        Some(table) => Some(table),
        None => Embedded::family(study, "colour")?,
    };
    let moments = Embedded::family(study, "moments")?;
    let file = Embedded::family(study, "file")?;

    let statistics = statistics(study, question, moments.as_ref().filter(|_| !many))?;
    ask(
        study,
        question,
        "prior.single_statistic",
        "the best single intensity statistic",
        "an intensity of each image",
        statistics.as_ref(),
        &Way::Single,
        &mut reached,
        opinion,
    )?;
    let means = match &channels {
        Some(table) => means(question, table, many)?,
        None => None,
    };
    let (one, mean) = if many {
        (
            ("prior.single_band", "the best single band"),
            ("prior.mean_spectrum", "the mean spectrum"),
        )
    } else {
        (
            ("prior.single_channel", "the best single channel"),
            ("prior.mean_colour", "the mean colour"),
        )
    };
    let more = "images of more than one channel";
    ask(
        study,
        question,
        one.0,
        one.1,
        more,
        means.as_ref(),
        &Way::Single,
        &mut reached,
        opinion,
    )?;
    ask(
        study,
        question,
        mean.0,
        mean.1,
        more,
        means.as_ref(),
        &Way::All,
        &mut reached,
        opinion,
    )?;
    let first = match (&means, &moments) {
        (Some(table), _) => Some(component(&table.matrix, false)?.of(table.family)),
        (None, Some(moments)) => match side_by_side(&[moments], &question.rows)? {
            Some((matrix, _)) => Some(component(&matrix, true)?.of("moments")),
            None => None,
        },
        (None, None) => None,
    };
    ask(
        study,
        question,
        "prior.principal_component",
        if means.is_some() && many {
            "the first principal component of the mean spectra"
        } else if means.is_some() {
            "the first principal component of the mean colours"
        } else {
            "the first principal component of the intensity moments"
        },
        "features of the images",
        first.as_ref(),
        &Way::Single,
        &mut reached,
        opinion,
    )?;
    for (family, id, what, missing) in [
        (
            "border",
            "prior.border",
            "the outer frame alone (a twentieth of the side)",
            "features of the images",
        ),
        (
            "background",
            "prior.background",
            "the background alone, without the objects",
            "the outlines of the objects: a run with --truth that names them",
        ),
        (
            "moments",
            "prior.moments",
            "intensity moments of the channels",
            "features of the images",
        ),
        (
            "texture",
            "prior.texture",
            "texture",
            "features of the images",
        ),
        (
            "granulometry",
            "prior.granulometry",
            "sizes of bright and dark structures",
            "features of the images",
        ),
    ] {
        let table = family_table(study, question, family)?;
        ask(
            study,
            question,
            id,
            what,
            missing,
            table.as_ref(),
            &Way::All,
            &mut reached,
            opinion,
        )?;
    }
    let order = name_order(study, question)?;
    ask(
        study,
        question,
        "prior.name_order",
        "the order of the files' names",
        "names that differ",
        order.as_ref(),
        &Way::Single,
        &mut reached,
        opinion,
    )?;
    let metadata = file_table(question, file.as_ref(), order.as_ref())?.map(|t| t.of("file"));
    ask(
        study,
        question,
        "prior.metadata",
        "file metadata alone (size, type, bytes, order of names)",
        "files that differ",
        metadata.as_ref(),
        &Way::All,
        &mut reached,
        opinion,
    )?;
    best(question, &reached, opinion);
    figure(question, reached, opinion);
    format_alone(study, question, file.as_ref(), opinion)
}

/// Asks one learner, and tells what it reached.
#[expect(clippy::too_many_arguments, reason = "one learner, in one call")]
fn ask(
    study: &Study<'_>,
    question: &Question,
    id: &str,
    what: &str,
    missing: &str,
    table: Option<&Table>,
    way: &Way,
    reached: &mut Vec<Reached>,
    opinion: &mut Opinion,
) -> Result<()> {
    let Some(table) = table else {
        opinion.drafts.push(
            not_assessable(
                id,
                format!("What {what} reaches was not assessed: nothing of it varies, or it does not apply."),
                missing,
            )
            .into(),
        );
        return Ok(());
    };
    let (said, chosen) = match way {
        Way::All => (question.probe(&table.matrix)?, Vec::new()),
        Way::Single => question.single(&table.matrix)?,
    };
    let e = question.estimate(study, id, &said, false)?;
    let mut finding = Finding::new(id);
    let named = named(table, &chosen);
    finding.claim = sentence(question, &format!("A learner that sees {what}{named}"), &e);
    finding.better = Better::Neither;
    "fraction".clone_into(&mut finding.unit);
    finding.caveats.clone_from(&question.caveats);
    match way {
        Way::Single => finding.caveats.push(format!(
            "a function of one number in 4, 8 or 16 steps; number and steps chosen within the training folds, among {}",
            words::counted(table.matrix.columns(), "number", "numbers")
        )),
        Way::All => finding.caveats.push(format!(
            "a linear probe of {}, its ridge chosen within the training folds",
            words::counted(table.matrix.columns(), "number", "numbers")
        )),
    }
    finding.caveats.push(
        "held out by whole groups in five folds; the interval takes the predictions as they are"
            .to_owned(),
    );
    if id == "prior.border" {
        finding
            .caveats
            .push("where objects or tissue reach the frame this is no shortcut".to_owned());
    }
    if id == "prior.name_order" {
        finding.caveats.push("a model does not see names; but what was acquired or sorted in this order, it may see (see `prior.strata`)".to_owned());
    }
    finding.evidence.sql = Some(match id {
        "prior.single_statistic" => {
            "SELECT row, image, truth, COLUMNS('attr_.*') FROM 'items.parquet' WHERE status = 'ok'"
                .to_owned()
        }
        "prior.name_order" => {
            "SELECT row, image, truth FROM 'items.parquet' ORDER BY image".to_owned()
        }
        _ => format!(
            "SELECT i.image, i.truth, f.* FROM 'embeddings/features/{}.parquet' f JOIN 'items.parquet' i USING (row)",
            table.family
        ),
    });
    let finding = with_estimate(finding, &e, study);
    reached.push(Reached {
        id: id.to_owned(),
        label: what.to_owned(),
        value: e.estimate,
        low: words::bound(e.low),
        high: words::bound(e.high),
        n: e.n as u64,
    });
    opinion.drafts.push(finding.into());
    Ok(())
}

fn sentence(question: &Question, what: &str, e: &transect_stats::Estimate) -> String {
    match &question.asked {
        Asked::Class(..) => format!(
            "{what} reaches a balanced accuracy of {} on {}; chance is {}.",
            Form::Percent.estimate(e),
            question.about(),
            words::percent(question.chance())
        ),
        Asked::Value(..) => format!(
            "{what} explains {} of the variance of {}; 0 is no better than its mean.",
            Form::Percent.estimate(e),
            question.about()
        ),
    }
}

/// Which column was chosen, if the table names them: ` (blue mean, in 4 of 5 folds)`.
fn named(table: &Table, chosen: &[usize]) -> String {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for &column in chosen {
        *counts.entry(column).or_default() += 1;
    }
    let most = counts
        .iter()
        .max_by_key(|(column, n)| (**n, std::cmp::Reverse(**column)));
    match most.and_then(|(column, n)| table.names.get(*column).map(|name| (name, n))) {
        Some((name, n)) if table.names.len() > 1 => {
            format!(" ({name}, chosen in {n} of {} folds)", chosen.len())
        }
        _ => String::new(),
    }
}

/// Attributes of intensity and the moments of the channels.
fn statistics(
    study: &Study<'_>,
    question: &Question,
    moments: Option<&Embedded>,
) -> Result<Option<Table>> {
    let items = study.tables.items();
    let mut columns: Vec<Vec<Option<f64>>> = Vec::new();
    let mut names = Vec::new();
    for attribute in ATTRIBUTES.iter().filter(|a| INTENSITIES.contains(&a.name)) {
        columns.push(
            question
                .rows
                .iter()
                .map(|&i| items[i].attribute(attribute.name).filter(|v| v.is_finite()))
                .collect(),
        );
        names.push(attribute.words.to_owned());
    }
    if let Some(moments) = moments {
        let parts = ["mean", "spread", "skewness", "kurtosis"];
        for j in 0..moments.width() {
            columns.push(
                question
                    .rows
                    .iter()
                    .map(|&i| {
                        moments
                            .row(i)
                            .map(|v| f64::from(v[j]))
                            .filter(|v| v.is_finite())
                    })
                    .collect(),
            );
            names.push(format!("{} of channel {}", parts[j % 4], j / 4));
        }
    }
    table(&columns, &names)
}

/// A table of columns with missing values; `None` where none varies.
fn table(columns: &[Vec<Option<f64>>], names: &[String]) -> Result<Option<Table>> {
    let varies = columns.iter().any(|column| {
        let mut there = column.iter().flatten();
        there.next().is_some_and(|first| there.any(|v| v != first))
    });
    if !varies {
        return Ok(None);
    }
    let (matrix, kept) = Matrix::from_columns(columns)?;
    Ok(Some(Table {
        matrix,
        names: kept.iter().map(|&j| names[j].clone()).collect(),
        family: "",
    }))
}

/// Columns of a family of features, from `from` up to `to`.
fn part(
    question: &Question,
    family: &Embedded,
    from: usize,
    to: usize,
    name: &dyn Fn(usize) -> String,
) -> Result<Option<Table>> {
    let columns: Vec<Vec<Option<f64>>> = (from..to)
        .map(|j| {
            question
                .rows
                .iter()
                .map(|&i| {
                    family
                        .row(i)
                        .map(|v| f64::from(v[j]))
                        .filter(|v| v.is_finite())
                })
                .collect()
        })
        .collect();
    let names: Vec<String> = (from..to).map(name).collect();
    table(&columns, &names)
}

/// Means of the channels: all of a spectrum; of a colour the first half, its log ratios follow (n means, n − 1 ratios).
fn means(question: &Question, family: &Embedded, many: bool) -> Result<Option<Table>> {
    let channels = if many {
        family.width()
    } else {
        family.width().div_ceil(2)
    };
    let noun = if many { "band" } else { "channel" };
    let made = part(question, family, 0, channels, &|j| format!("{noun} {j}"))?;
    Ok(made.map(|t| t.of(if many { "spectrum" } else { "colour" })))
}

fn family_table(
    study: &Study<'_>,
    question: &Question,
    family: &'static str,
) -> Result<Option<Table>> {
    let Some(found) = Embedded::family(study, family)? else {
        return Ok(None);
    };
    Ok(
        side_by_side(&[&found], &question.rows)?.map(|(matrix, _)| Table {
            matrix,
            names: Vec::new(),
            family,
        }),
    )
}

/// What the files say, with the order of their names.
fn file_table(
    question: &Question,
    file: Option<&Embedded>,
    order: Option<&Table>,
) -> Result<Option<Table>> {
    let mut columns: Vec<Vec<Option<f64>>> = Vec::new();
    let mut names = Vec::new();
    if let Some(file) = file {
        for j in 0..file.width() {
            columns.push(
                question
                    .rows
                    .iter()
                    .map(|&i| file.row(i).map(|v| f64::from(v[j])))
                    .collect(),
            );
            names.push(FILE.get(j).map_or_else(String::new, |n| (*n).to_owned()));
        }
    }
    if let Some(order) = order {
        columns.push(order.matrix.data().iter().copied().map(Some).collect());
        names.push("order of names".to_owned());
    }
    table(&columns, &names)
}

/// The place of each image's name in the natural order of the names without their folders, from 0 to 1; equal names share one.
pub(super) fn places(names: &[&str]) -> Vec<f64> {
    let keys: Vec<Vec<Part>> = names
        .iter()
        .map(|name| natural(name.rsplit(['/', '\\']).next().unwrap_or(name)))
        .collect();
    let mut sorted: Vec<&Vec<Part>> = keys.iter().collect();
    sorted.sort();
    sorted.dedup();
    let most = sorted.len().saturating_sub(1).max(1) as f64;
    keys.iter()
        .map(|key| sorted.partition_point(|k| *k < key) as f64 / most)
        .collect()
}

/// A run of digits, by its number, or of anything else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(usize, String),
    Text(String),
}

fn natural(name: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut run = String::new();
    let mut digits = false;
    let mut end = |run: &mut String, digits: bool| {
        if !run.is_empty() {
            let text = std::mem::take(run);
            parts.push(if digits {
                // Without leading zeros, the longer number is the larger.
                let number = text.trim_start_matches('0').to_owned();
                Part::Number(number.len(), number)
            } else {
                Part::Text(text)
            });
        }
    };
    for c in name.chars() {
        if c.is_ascii_digit() != digits {
            end(&mut run, digits);
            digits = c.is_ascii_digit();
        }
        run.push(c);
    }
    end(&mut run, digits);
    parts
}

fn name_order(study: &Study<'_>, question: &Question) -> Result<Option<Table>> {
    let items = study.tables.items();
    let names: Vec<&str> = question
        .rows
        .iter()
        .map(|&i| items[i].item.image.as_str())
        .collect();
    let column: Vec<Option<f64>> = places(&names).into_iter().map(Some).collect();
    table(&[column], &["order of names".to_owned()])
}

/// Scores on the first principal component, by power iteration from a fixed start. Truth plays no part.
fn component(matrix: &Matrix, standardise: bool) -> Result<Table> {
    let (n, d) = (matrix.rows(), matrix.columns());
    let mut mean = vec![0.0; d];
    for i in 0..n {
        for (m, v) in mean.iter_mut().zip(matrix.row(i)) {
            *m += v / n as f64;
        }
    }
    let mut scale = vec![1.0; d];
    if standardise {
        for (j, s) in scale.iter_mut().enumerate() {
            let v = (0..n)
                .map(|i| (matrix.row(i)[j] - mean[j]).powi(2))
                .sum::<f64>()
                / n as f64;
            *s = if v > 0.0 { 1.0 / v.sqrt() } else { 0.0 };
        }
    }
    let project = |direction: &[f64]| -> Vec<f64> {
        (0..n)
            .map(|i| {
                matrix
                    .row(i)
                    .iter()
                    .enumerate()
                    .map(|(j, v)| (v - mean[j]) * scale[j] * direction[j])
                    .sum()
            })
            .collect()
    };
    let mut direction: Vec<f64> = (0..d).map(|j| 1.0 + 0.1 * ((j * 37 % 11) as f64)).collect();
    for _ in 0..STEPS {
        let scores = project(&direction);
        let mut next = vec![0.0; d];
        for (i, score) in scores.iter().enumerate() {
            for (j, v) in matrix.row(i).iter().enumerate() {
                next[j] += score * (v - mean[j]) * scale[j];
            }
        }
        let length = next.iter().map(|v| v * v).sum::<f64>().sqrt();
        if length <= 0.0 {
            break;
        }
        direction = next.into_iter().map(|v| v / length).collect();
    }
    Ok(Table {
        matrix: Matrix::new(n, 1, project(&direction))?,
        names: Vec::new(),
        family: "",
    })
}

/// The learner that reached most, described: it is chosen after the fact.
fn best(question: &Question, reached: &[Reached], opinion: &mut Opinion) {
    let Some(best) = reached
        .iter()
        .filter(|r| r.id != "prior.name_order" && r.id != "prior.metadata")
        .max_by(|a, b| a.value.total_cmp(&b.value).then(b.id.cmp(&a.id)))
    else {
        return;
    };
    let mut finding = Finding::new("prior.best");
    finding.claim = match &question.asked {
        Asked::Class(..) => format!(
            "Of the lazy learners that look at pixels, the one that sees {} reaches most: a balanced accuracy of {} on {}. A model has to beat this.",
            best.label,
            words::percent(best.value),
            question.about()
        ),
        Asked::Value(..) => format!(
            "Of the lazy learners that look at pixels, the one that sees {} reaches most: it explains {} of the variance of {}. A model has to beat this.",
            best.label,
            words::percent(best.value),
            question.about()
        ),
    };
    finding.estimate = Some(best.value);
    "fraction".clone_into(&mut finding.unit);
    finding.n = best.n;
    finding.caveats.push(format!(
        "chosen after the fact among {}, so a little too good; the comparison with a model is that of `baseline`",
        reached.len()
    ));
    finding.evidence.rows = Some(best.id.clone());
    opinion.drafts.push(finding.into());
}

fn figure(question: &Question, mut reached: Vec<Reached>, opinion: &mut Opinion) {
    if reached.is_empty() {
        return;
    }
    reached.sort_by(|a, b| b.value.total_cmp(&a.value).then(a.id.cmp(&b.id)));
    let (x, title) = match &question.asked {
        Asked::Class(..) => ("balanced accuracy", "What a lazy learner reaches"),
        Asked::Value(..) => (
            "share of the variance explained",
            "What a lazy learner reaches",
        ),
    };
    opinion.figures.push(Figure {
        id: "prior.lazy_learners".to_owned(),
        mode: "prior".to_owned(),
        title: title.to_owned(),
        caption: format!(
            "Simple learners on {}, each on images of groups that it did not see, with 95% intervals. None looks for objects. What lies far to the right can be had without them.",
            question.about()
        ),
        drawing: Drawing::Forest {
            x: x.to_owned(),
            rows: reached
                .into_iter()
                .map(|r| Line {
                    label: r.label,
                    value: Some(r.value),
                    low: r.low,
                    high: r.high,
                    n: r.n,
                    note: String::new(),
                })
                .collect(),
            marks: vec![(question.chance(), "chance".to_owned())],
        },
    });
}

/// The primary question: can the class be told from the format of the files, which holds nothing of any object?
fn format_alone(
    study: &Study<'_>,
    question: &Question,
    file: Option<&Embedded>,
    opinion: &mut Opinion,
) -> Result<()> {
    let id = "prior.lazy_learner";
    let refuse = |claim: &str, missing: &str| {
        let mut finding = not_assessable(id, claim, missing);
        finding.primary = true;
        finding
    };
    if !matches!(question.asked, Asked::Class(..)) {
        opinion.drafts.push(refuse(
            "Whether the truth can be told without looking at any object was not assessed: outlines are not told from a format.",
            "--truth with a class for each image",
        ).into());
        return Ok(());
    }
    let Some(file) = file.filter(|f| f.width() > FORMAT) else {
        opinion.drafts.push(
            refuse(
                "Whether the class can be told without looking at any object was not assessed: nothing is known of the files.",
                "image files",
            )
            .into(),
        );
        return Ok(());
    };
    let Some(table) = part(question, file, FORMAT, file.width(), &|j| {
        FILE.get(j).map_or_else(String::new, |n| (*n).to_owned())
    })?
    else {
        let mut finding = Finding::new(id);
        finding.verdict = Verdict::Pass;
        finding.primary = true;
        finding.better = Better::Lower;
        finding.threshold = None;
        finding.n = question.rows.len() as u64;
        "All files are of one size, depth, format and number of channels: the class cannot be told from them.".clone_into(&mut finding.claim);
        finding
            .caveats
            .push("nothing varies, so nothing was estimated".to_owned());
        opinion.drafts.push(finding.into());
        return Ok(());
    };
    let said = question.probe(&table.matrix)?;
    let single = question.single(&table.matrix)?;
    // Which of the two ways is better must not be chosen on the same folds: the linear probe is the one that is judged.
    let e = question.estimate(study, id, &said, true)?;
    let of_single = question.estimate(study, "prior.lazy_learner/single", &single.0, true)?;
    let sizes = sizes(question, file);
    let cut = sizes > STORED_SIZES;
    let plain = |said: &Said| {
        question
            .score(said, &vec![1.0; question.rows.len()])
            .unwrap_or(0.0)
    };
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "From the format of the files alone ({}) the class is told with a balanced accuracy of {}; chance is {}: {} of the way from chance to all right.",
        words::list(&table.names),
        words::percent(plain(&said)),
        words::percent(question.chance()),
        Form::Percent.estimate(&e)
    );
    "fraction".clone_into(&mut finding.unit);
    finding.caveats.clone_from(&question.caveats);
    let which = named(&table, &single.1);
    finding.caveats.push(format!(
        "a linear probe, held out by whole groups in five folds, is what may fail; the best function of one of these numbers{which} reaches {}, and both must be low to pass",
        words::percent(plain(&single.0))
    ));
    finding.caveats.push(
        "bytes and names are left out: bytes follow the content, and no model sees a name"
            .to_owned(),
    );
    if cut {
        finding.caveats.push(format!(
            "{sizes} sizes: the images seem cut to the size of their objects, where size belongs to the class, so this is never more than a warning"
        ));
    }
    finding.evidence.sql = Some(
        "SELECT i.image, i.truth, f.* FROM 'embeddings/features/file.parquet' f JOIN 'items.parquet' i USING (row)".to_owned(),
    );
    finding.remedy = Some(
        "Cut and store all classes alike (size, depth, format), then measure again; a model that was trained on these files may have read their format.".to_owned(),
    );
    let mut draft = judged(finding, e.clone(), LAZY_LEARNER, Better::Lower, true, study);
    if cut {
        draft.finding.p = Some(1.0);
    }
    draft.ground = Ground::Bounds {
        low: e.low,
        high: e.high.max(of_single.high),
        enough: e.enough,
        may_warn: true,
    };
    opinion.drafts.push(draft);
    Ok(())
}

/// Number of different sizes of the images.
fn sizes(question: &Question, file: &Embedded) -> usize {
    let sizes: std::collections::BTreeSet<[u32; 2]> = question
        .rows
        .iter()
        .filter_map(|&row| {
            let values = file.row(row)?;
            Some([
                values.get(HEIGHT)?.to_bits(),
                values.get(HEIGHT + 1)?.to_bits(),
            ])
        })
        .collect();
    sizes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_as_a_reader_would() {
        let names = ["b/im10.png", "a/im2.png", "z/im1.png", "im002.png", "x.png"];
        assert_eq!(places(&names), [2.0 / 3.0, 1.0 / 3.0, 0.0, 1.0 / 3.0, 1.0]);
        assert_eq!(places(&["a.png", "a.png"]), [0.0, 0.0]);
    }

    #[test]
    fn the_first_component_is_the_direction_of_most_variance() {
        let mut data = Vec::new();
        for i in 0..50 {
            let t = f64::from(i) - 24.5;
            let wiggle = f64::from(i % 2) - 0.5;
            data.extend([3.0 * t + 5.0, -4.0 * t + 0.1 * wiggle, 0.2 * wiggle]);
        }
        let matrix = Matrix::new(50, 3, data).unwrap();
        let scores = component(&matrix, false).unwrap().matrix;
        for i in 0..50 {
            let expected = 5.0 * (i as f64 - 24.5);
            assert!((scores.row(i)[0].abs() - expected.abs()).abs() < 0.1);
        }
    }
}
