//! Dimensions that embedding and logits use, beside re-initialised copies and the input.

use transect_core::figure::{Drawing, Row as Line};
use transect_core::{Better, Figure, Finding, Result, Role, Task};
use transect_stats::{EffectiveRank, Estimate, Matrix, effective_rank_of, jackknife};

use super::FEWEST;
use crate::copies;
use crate::embedded::{Embedded, layer};
use crate::opinion::{Opinion, not_assessable, with_estimate};
use crate::study::Study;
use crate::words::{self, Form};

/// Images whose ranks are taken, at most: time grows with their third power, once for each block that is left out.
const MOST: usize = 200;
/// Smallest probability of a logit.
const FLOOR: f64 = 1e-12;
/// Families that stand for the input, the first that there is.
const INPUT: [(&str, &str); 2] = [
    ("random_conv", "random convolutional features of the image"),
    ("moments", "intensity moments of the image"),
];

/// A table of vectors with its name.
struct Table {
    words: String,
    matrix: Matrix,
}

fn table(words: String, embedded: &Embedded, rows: &[usize]) -> Result<Option<Table>> {
    let mut data = Vec::with_capacity(rows.len() * embedded.width());
    for &row in rows {
        data.extend(
            embedded
                .row(row)
                .unwrap_or_default()
                .iter()
                .map(|&v| f64::from(v)),
        );
    }
    if data.len() != rows.len() * embedded.width() || data.iter().any(|v| !v.is_finite()) {
        return Ok(None);
    }
    Ok(Some(Table {
        words,
        matrix: Matrix::new(rows.len(), embedded.width(), data)?,
    }))
}

/// The four ranks of some rows of a table.
fn of(matrix: &Matrix, rows: &[usize]) -> Option<EffectiveRank> {
    effective_rank_of(matrix, rows).ok()?
}

pub(super) fn judge(study: &Study<'_>, opinion: &mut Opinion) -> Result<()> {
    embedding(study, opinion)?;
    logits(study, opinion)
}

/// At most so many rows, chosen by content.
fn thinned(study: &Study<'_>, mut rows: Vec<usize>) -> Vec<usize> {
    let items = study.tables.items();
    rows.sort_by_key(|&i| (items[i].image_sha256, i));
    rows.truncate(MOST);
    rows.sort_unstable();
    rows
}

fn embedding(study: &Study<'_>, opinion: &mut Opinion) -> Result<()> {
    let id = "collapse.effective_rank[of=embedding]";
    let refuse = |opinion: &mut Opinion, why: &str| {
        opinion.drafts.push(
            not_assessable(
                id,
                format!("How many dimensions the embedding uses was not assessed: {why}."),
                "a model that gives embeddings (an ONNX file, not predictions) and at least 20 target images",
            )
            .into(),
        );
    };
    let (Some(model), Some(layer)) = (&study.model, layer(study)) else {
        refuse(opinion, "there is no embedding of the model");
        return Ok(());
    };
    let Some(given) = Embedded::read(study, model, &layer, "identity")? else {
        refuse(opinion, "there is no embedding of the model");
        return Ok(());
    };
    let mut rows = given.rows_among(&study.side(Role::Target));
    let mut untrained = Vec::new();
    for copy in 0..copies::MOST {
        untrained.extend(Embedded::read(
            study,
            &copies::name(copy),
            &layer,
            "identity",
        )?);
    }
    for copy in &untrained {
        rows = copy.rows_among(&rows);
    }
    let mut input = None;
    for (family, in_words) in INPUT {
        if input.is_none()
            && let Some(e) = Embedded::family(study, family)?
        {
            rows = e.rows_among(&rows);
            input = Some((in_words, e));
        }
    }
    let rows = thinned(study, rows);
    if rows.len() < FEWEST {
        refuse(
            opinion,
            &format!("{} have embeddings", words::images(rows.len())),
        );
        return Ok(());
    }
    let Some(own) = table("embedding of the model".to_owned(), &given, &rows)? else {
        refuse(opinion, "a number of an embedding is not finite");
        return Ok(());
    };
    let mut copies = Vec::new();
    for (place, copy) in untrained.iter().enumerate() {
        copies.extend(table(format!("re-initialised copy {place}"), copy, &rows)?);
    }
    let input = match &input {
        Some((in_words, e)) => table((*in_words).to_owned(), e, &rows)?,
        None => None,
    };
    let all: Vec<usize> = (0..rows.len()).collect();
    let Some(whole) = of(&own.matrix, &all) else {
        refuse(opinion, "every image has the same embedding");
        return Ok(());
    };
    let units = study.units(&rows)?;
    let settings = study.settings(id);
    // All at the same rows: the ranks, and their ratio to the copies' mean.
    let made = jackknife(&units, &settings, &mut |rows| {
        let own = of(&own.matrix, rows)?;
        let mut out = vec![own.effective_rank, own.participation_ratio];
        if !copies.is_empty() {
            let theirs: Option<Vec<f64>> = copies
                .iter()
                .map(|c| of(&c.matrix, rows).map(|r| r.effective_rank))
                .collect();
            let theirs = theirs?;
            out.push(own.effective_rank * theirs.len() as f64 / theirs.iter().sum::<f64>());
        }
        Some(out)
    })?;
    let shape = (rows.len(), own.matrix.columns());
    let rank = made[0].clone().within(1.0, whole.most());
    let finding = ranked(
        study,
        id,
        &format!("The embedding (layer {layer})"),
        &whole,
        &rank,
        shape,
    );
    opinion.drafts.push(finding.into());
    let mut lines = vec![line("embedding of the model", &whole, Some(&rank))];
    if let Some(ratio) = made.get(2).map(|r| r.clone().within(0.0, f64::INFINITY)) {
        let id = "collapse.rank_ratio[of=embedding]";
        let ranks: Vec<f64> = copies
            .iter()
            .filter_map(|c| of(&c.matrix, &all).map(|r| r.effective_rank))
            .collect();
        let mean = ranks.iter().sum::<f64>() / ranks.len().max(1) as f64;
        let mut finding = Finding::new(id);
        finding.claim = format!(
            "The embedding uses {} effective dimensions where {} use {} on the same {}: a ratio of {}.",
            words::number(whole.effective_rank),
            words::counted(ranks.len(), "re-initialised copy", "re-initialised copies"),
            words::number(mean),
            words::images(rows.len()),
            Form::Plain.estimate(&ratio)
        );
        finding.evidence.model.clone_from(&study.model);
        let mut finding = with_estimate(finding, &ratio, study);
        finding.better = Better::Neither;
        finding.caveats.push(shape_words(shape.0, shape.1));
        finding.caveats.push("described: training makes embeddings narrower as a rule; what matters is whether the truth needs more, which `collapse.one_dimensional` asks".to_owned());
        opinion.drafts.push(finding.into());
        for copy in &copies {
            if let Some(r) = of(&copy.matrix, &all) {
                lines.push(line(&copy.words, &r, None));
            }
        }
    }
    if let Some(input) = &input
        && let Some(r) = of(&input.matrix, &all)
    {
        lines.push(line(&input.words, &r, None));
    }
    opinion.figures.push(Figure {
        id: "collapse.effective_rank".to_owned(),
        mode: "collapse".to_owned(),
        title: "Dimensions that are used".to_owned(),
        caption: format!(
            "Effective rank (exponential of the entropy of the covariance's eigenvalues) on the same {}; {}. Ranks grow with the number of images: compare them here only.",
            words::images(rows.len()),
            shape_words(shape.0, shape.1)
        ),
        drawing: Drawing::Bars {
            x: "effective dimensions".to_owned(),
            rows: lines,
        },
    });
    Ok(())
}

fn shape_words(n: usize, d: usize) -> String {
    let ratio = n as f64 / d as f64;
    format!(
        "n = {n} images, d = {d} numbers, n/d = {}{}",
        words::number(ratio),
        if ratio < 5.0 {
            "; under 5 images a number, so the ranks say what these images show and no more"
        } else {
            ""
        }
    )
}

fn line(label: &str, r: &EffectiveRank, e: Option<&Estimate>) -> Line {
    Line {
        label: label.to_owned(),
        value: Some(r.effective_rank),
        low: e.and_then(|e| words::bound(e.low)),
        high: e.and_then(|e| words::bound(e.high)),
        n: r.n as u64,
        note: format!(
            "participation ratio {}, top share {}",
            words::number(r.participation_ratio),
            words::percent(r.top_share)
        ),
    }
}

/// The finding about one table.
fn ranked(
    study: &Study<'_>,
    id: &str,
    what: &str,
    r: &EffectiveRank,
    e: &Estimate,
    (n, d): (usize, usize),
) -> Finding {
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "{what} uses {} effective dimensions of {d} on {}; participation ratio {}, RankMe {}, {} of the variance in one direction{}.",
        Form::Plain.estimate(e),
        words::images(n),
        words::number(r.participation_ratio),
        words::number(r.rank_me),
        words::percent(r.top_share),
        r.alpha.map_or(String::new(), |a| format!(
            ", eigenvalues fall as rank to the −{}",
            words::number(a)
        ))
    );
    finding.unit = String::from("dimensions");
    finding.evidence.model.clone_from(&study.model);
    finding.evidence.view = Some("identity".to_owned());
    let mut finding = with_estimate(finding, e, study);
    finding.better = Better::Neither;
    finding.caveats.push(shape_words(n, d));
    finding
}

/// Centred logits: log probabilities less their mean over the classes. K classes allow K − 1 dimensions.
fn logits(study: &Study<'_>, opinion: &mut Opinion) -> Result<()> {
    let id = "collapse.effective_rank[of=logits]";
    let k = study.context.classes.len();
    if study.context.task != Task::Classification || k < 2 {
        return Ok(());
    }
    let outputs = |i: usize| {
        let seen = study.rows[i].seen.as_ref()?;
        (seen.outputs.len() == k && seen.outputs.iter().all(|p| p.is_finite()))
            .then_some(&seen.outputs)
    };
    let rows = thinned(
        study,
        study
            .side(Role::Target)
            .into_iter()
            .filter(|&i| outputs(i).is_some())
            .collect(),
    );
    let refuse = |opinion: &mut Opinion, why: &str| {
        opinion.drafts.push(
            not_assessable(
                id,
                format!("How many dimensions the logits use was not assessed: {why}."),
                "class probabilities of at least 20 target images and at least three classes",
            )
            .into(),
        );
    };
    if k == 2 {
        refuse(
            opinion,
            "two classes have one dimension, whatever the model",
        );
        return Ok(());
    }
    if rows.len() < FEWEST {
        refuse(
            opinion,
            &format!("{} have class probabilities", words::images(rows.len())),
        );
        return Ok(());
    }
    let mut data = Vec::with_capacity(rows.len() * k);
    for &i in &rows {
        let logs: Vec<f64> = outputs(i)
            .into_iter()
            .flatten()
            .map(|&p| f64::from(p).max(FLOOR).ln())
            .collect();
        let mean = logs.iter().sum::<f64>() / k as f64;
        data.extend(logs.iter().map(|l| l - mean));
    }
    let matrix = Matrix::new(rows.len(), k, data)?;
    let all: Vec<usize> = (0..rows.len()).collect();
    let Some(whole) = of(&matrix, &all) else {
        refuse(opinion, "every image gets the same probabilities");
        return Ok(());
    };
    let units = study.units(&rows)?;
    let made = jackknife(&units, &study.settings(id), &mut |rows| {
        Some(vec![of(&matrix, rows)?.effective_rank])
    })?;
    let mut finding = ranked(
        study,
        id,
        "What the model says of the classes (centred log probabilities)",
        &whole,
        &made[0].clone().within(1.0, whole.most()),
        (rows.len(), k),
    );
    finding.caveats.push(format!(
        "{k} classes allow {} dimensions at most, so that is the cap to compare with",
        k - 1
    ));
    opinion.drafts.push(finding.into());
    Ok(())
}
