//! Is the domain in the embedding, and do domain and class go together? Neither shows that the model uses it.

use transect_core::{Better, Finding, Result, Status, Threshold, Verdict};
use transect_stats::{Matrix, Settings, Units, cramers_v, decodability, jackknife};

use super::Sides;
use crate::embedded::{Embedded, layer};
use crate::evidence;
use crate::opinion::{Draft, Ground, Opinion, not_assessable, with_estimate};
use crate::study::{Study, Truth};
use crate::words::{self, Form};

/// Balanced accuracy of reading the domain, above chance and as a share of what is left above it, from which on it warns. Never
/// worse than a warning: decodable is not used.
pub const DECODABLE: Threshold = Threshold {
    warn: 0.20,
    fail: 0.50,
};
/// Bias-corrected Cramér's V of class and domain above which it warns. Never worse than a warning.
pub const ASSOCIATION: Threshold = Threshold {
    warn: 0.20,
    fail: 0.50,
};
/// Permutations behind a p.
const PERMUTATIONS: usize = 1_999;
/// Most rows that the domain is read from: a seeded choice beyond.
const MOST_ROWS: usize = 500;
/// Fewest rows of a side.
const FEWEST: usize = 10;

pub(super) fn judge(study: &Study<'_>, sides: &Sides, opinion: &mut Opinion) -> Result<()> {
    decoded(study, sides, opinion)?;
    associated(study, sides, opinion)
}

/// Readable rows of sides with enough of them, the class of each side without gaps, and the sides' names.
fn of_sides(
    study: &Study<'_>,
    sides: &Sides,
    has: &dyn Fn(usize) -> bool,
) -> (Vec<usize>, Vec<u32>, Vec<String>) {
    let rows: Vec<usize> = (0..study.rows.len())
        .filter(|&i| sides.of_row[i].is_some() && has(i))
        .collect();
    let count = |side: usize| {
        rows.iter()
            .filter(|&&i| sides.of_row[i] == Some(side))
            .count()
    };
    let kept: Vec<usize> = (0..sides.names.len())
        .filter(|&s| count(s) >= FEWEST)
        .collect();
    let (rows, labels) = rows
        .into_iter()
        .filter_map(|i| {
            let side = kept.iter().position(|&k| sides.of_row[i] == Some(k))?;
            Some((i, side as u32))
        })
        .unzip();
    (
        rows,
        labels,
        kept.iter().map(|&s| sides.names[s].clone()).collect(),
    )
}

/// A seeded choice of whole groups with about [`MOST_ROWS`] rows, in the order of rows.
fn choice(study: &Study<'_>, rows: Vec<usize>, labels: Vec<u32>) -> (Vec<usize>, Vec<u32>) {
    if rows.len() <= MOST_ROWS {
        return (rows, labels);
    }
    let mut groups: Vec<usize> = rows.iter().map(|&i| study.rows[i].group).collect();
    groups.sort_unstable();
    groups.dedup();
    transect_core::Stream::new(study.context.seed, "anatomy/shortcut/choice", &[])
        .shuffle(&mut groups);
    let mut left = MOST_ROWS;
    let mut chosen = std::collections::BTreeSet::new();
    for group in groups {
        if left == 0 {
            break;
        }
        let size = rows
            .iter()
            .filter(|&&i| study.rows[i].group == group)
            .count();
        left = left.saturating_sub(size);
        chosen.insert(group);
    }
    rows.into_iter()
        .zip(labels)
        .filter(|(i, _)| chosen.contains(&study.rows[*i].group))
        .unzip()
}

/// As many rows of each side from every class that all sides have, a seeded choice, in the order of rows: what goes with the
/// class alone tells nothing of the side then. Rows without a class are a class.
fn matched(
    study: &Study<'_>,
    rows: &[usize],
    labels: &[u32],
    sides: usize,
) -> (Vec<usize>, Vec<u32>) {
    let mut cells: std::collections::BTreeMap<Option<u32>, Vec<Vec<usize>>> =
        std::collections::BTreeMap::new();
    for (&row, &side) in rows.iter().zip(labels) {
        cells
            .entry(study.rows[row].truth_class)
            .or_insert_with(|| vec![Vec::new(); sides])[side as usize]
            .push(row);
    }
    let mut chosen: Vec<(usize, u32)> = Vec::new();
    for (class, of_sides) in cells {
        let n = of_sides.iter().map(Vec::len).min().unwrap_or(0);
        for (side, mut rows) in of_sides.into_iter().enumerate() {
            let key = class.map_or(0, |c| c + 1);
            transect_core::Stream::new(
                study.context.seed,
                "anatomy/shortcut/matched",
                &[&key.to_le_bytes(), &(side as u64).to_le_bytes()],
            )
            .shuffle(&mut rows);
            chosen.extend(rows.into_iter().take(n).map(|row| (row, side as u32)));
        }
    }
    chosen.sort_unstable();
    chosen.into_iter().unzip()
}

/// Units within classes as well as strata, so that the class that goes with the domain does not count for it.
fn within_classes(study: &Study<'_>, rows: &[usize]) -> Result<Units> {
    let groups: Vec<usize> = rows.iter().map(|&i| study.rows[i].group).collect();
    let cells: Vec<usize> = rows
        .iter()
        .map(|&i| {
            let class = study.rows[i].truth_class.map_or(0, |c| c as usize + 1);
            study.rows[i].stratum * (study.context.classes.len() + 2) + class
        })
        .collect();
    Units::new(
        rows.len(),
        study.grouped().then_some(groups.as_slice()),
        Some(cells.as_slice()),
    )
}

/// Takes the mean of each class off its rows (rows without a class are a class), columns that do not vary left out.
fn centred(study: &Study<'_>, rows: &[usize], found: &Embedded) -> Result<Option<Matrix>> {
    let width = found.width();
    let mut data: Vec<f64> = Vec::with_capacity(rows.len() * width);
    for &row in rows {
        let Some(values) = found.row(row) else {
            return Ok(None);
        };
        if values.iter().any(|v| !v.is_finite()) {
            return Ok(None);
        }
        data.extend(values.iter().map(|&v| f64::from(v)));
    }
    let mut classes: std::collections::BTreeMap<Option<u32>, Vec<usize>> =
        std::collections::BTreeMap::new();
    for (at, &row) in rows.iter().enumerate() {
        classes
            .entry(study.rows[row].truth_class)
            .or_default()
            .push(at);
    }
    for of in classes.values() {
        for j in 0..width {
            let mean = of.iter().map(|at| data[at * width + j]).sum::<f64>() / of.len() as f64;
            for at in of {
                data[at * width + j] -= mean;
            }
        }
    }
    Matrix::new(rows.len(), width, data).map(Some)
}

fn decoded(study: &Study<'_>, sides: &Sides, opinion: &mut Opinion) -> Result<()> {
    let id = "shortcut.domain_decodable";
    let noun = sides.noun();
    let refuse = |opinion: &mut Opinion, why: String, missing: &str| {
        opinion.drafts.push(
            not_assessable(
                id,
                format!("Whether the embedding holds the {noun} was not assessed: {why}."),
                missing,
            )
            .into(),
        );
        Ok(())
    };
    let (Some(layer), Some(model)) = (layer(study), study.model.as_deref()) else {
        return refuse(
            opinion,
            "there is no embedding".to_owned(),
            "a model with an embedding (an ONNX graph whose layers can be read)",
        );
    };
    let Some(found) = Embedded::read(study, model, &layer, "identity")? else {
        return refuse(
            opinion,
            "there is no embedding of the images themselves".to_owned(),
            "a model with an embedding",
        );
    };
    let (rows, labels, names) = of_sides(study, sides, &|i| found.has(i));
    if names.len() < 2 {
        return refuse(
            opinion,
            format!("fewer than two {noun}s have {FEWEST} images"),
            "images of two domains, or reference images",
        );
    }
    let (rows, labels) = matched(study, &rows, &labels, names.len());
    let (rows, labels) = choice(study, rows, labels);
    if rows.len() < FEWEST * names.len() {
        return refuse(
            opinion,
            format!(
                "class and {noun} go together so closely that too few images of one class come from every {noun}"
            ),
            "images of the same classes from every domain",
        );
    }
    let units = within_classes(study, &rows)?;
    let Some(features) = centred(study, &rows, &found)? else {
        return refuse(
            opinion,
            "the embedding has numbers that are not finite".to_owned(),
            "a model whose embedding is finite",
        );
    };
    let settings = Settings {
        key: format!("anatomy/{id}"),
        ..study.settings(id)
    };
    let Ok(made) = decodability(
        &features,
        &labels,
        names.len(),
        &units,
        PERMUTATIONS,
        &settings,
    ) else {
        return refuse(
            opinion,
            format!("a {noun} lies in one group"),
            "at least two groups of every domain",
        );
    };
    let chance = made.chance;
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "Within a class, the {noun} ({}) of an image is read from the embedding `{layer}` with a balanced accuracy of {}; {} is chance, {} over {} permutations of whole groups.",
        words::list(&names),
        Form::Percent.estimate(&made.balanced_accuracy),
        Form::Percent.one(chance),
        words::p_value(made.p),
        made.permutations
    );
    finding.unit = String::from("fraction");
    finding.evidence = evidence::embeddings(study, &layer, "i.domain, i.role");
    let mut finding = with_estimate(finding, &made.balanced_accuracy, study);
    finding.better = Better::Lower;
    finding.p = Some(made.p);
    finding.caveats.push(
        "decodable is not used: a model may hold the domain and not act on it, so this is never more than a warning; see shortcut.style_swap_flip_rate".to_owned(),
    );
    finding.caveats.push(format!(
        "{} images, as many of each class from every {noun}, with each class's mean taken off; under the permutations 95% are under {}",
        rows.len(),
        Form::Percent.one(made.null_upper)
    ));
    if made.smallest_p > 0.05 {
        finding.verdict = Verdict::Undecided;
        finding.caveats.push(format!(
            "with so few groups no p can be under {}",
            words::number(made.smallest_p)
        ));
        opinion.drafts.push(finding.into());
        return Ok(());
    }
    let threshold = Threshold {
        warn: chance + DECODABLE.warn * (1.0 - chance),
        fail: chance + DECODABLE.fail * (1.0 - chance),
    };
    finding.threshold = Some(threshold);
    opinion.drafts.push(Draft {
        finding,
        ground: Ground::Bounds {
            low: made.balanced_accuracy.low,
            high: made.balanced_accuracy.high,
            enough: made.balanced_accuracy.enough,
            may_warn: made.p <= 0.05,
        },
    });
    Ok(())
}

fn associated(study: &Study<'_>, sides: &Sides, opinion: &mut Opinion) -> Result<()> {
    let id = "shortcut.label_domain_association";
    let noun = sides.noun();
    let items = study.tables.items();
    let (rows, labels, names) = of_sides(study, sides, &|i| {
        study.rows[i].truth == Truth::Known
            && study.rows[i].truth_class.is_some()
            && items[i].status == Status::Ok
    });
    let classes: Vec<u32> = rows
        .iter()
        .filter_map(|&i| study.rows[i].truth_class)
        .collect();
    let found = if names.len() < 2 {
        None
    } else {
        cramers_v(&classes, &labels)?
    };
    let Some(found) = found else {
        opinion.drafts.push(
            not_assessable(
                id,
                format!("Whether class and {noun} go together was not assessed: it needs two classes and two {noun}s."),
                "the class of images of two domains, at least ten of each",
            )
            .into(),
        );
        return Ok(());
    };
    // p by permuting whole groups: how well the class tells the domain.
    let k = study.context.classes.len();
    let mut data = vec![0.0; rows.len() * k];
    for (at, &class) in classes.iter().enumerate() {
        data[at * k + class as usize] = 1.0;
    }
    let mut kept: (Vec<usize>, Vec<u32>) = choice(study, rows.clone(), labels.clone());
    let p = {
        let at: Vec<usize> = kept
            .0
            .iter()
            .map(|row| rows.partition_point(|r| r < row))
            .collect();
        let data: Vec<f64> = at
            .iter()
            .flat_map(|&a| data[a * k..(a + 1) * k].iter().copied())
            .collect();
        let features = Matrix::new(at.len(), k, data)?;
        decodability(
            &features,
            &std::mem::take(&mut kept.1),
            names.len(),
            &study.units_over_strata(&kept.0)?,
            PERMUTATIONS,
            &study.settings(id),
        )
        .ok()
    };
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "Class and {noun} ({}) go together with Cramér's V {} on {}; 0 is no association, 1 a complete one{}.",
        words::list(&names),
        words::number(found.v),
        words::images(rows.len()),
        p.as_ref().map_or_else(String::new, |d| format!(
            " ({}, whole groups permuted)",
            words::p_value(d.p)
        ))
    );
    // V is no mean, and what a bootstrap repeats makes it larger: groups are left out.
    let units = study.units_over_strata(&rows)?;
    let settings = study.settings(id).range(0.0, 1.0);
    let mut e = jackknife(&units, &settings, &mut |at| {
        let of = |from: &[u32]| -> Vec<u32> { at.iter().map(|&a| from[a]).collect() };
        let v = cramers_v(&of(&classes), &of(&labels))
            .ok()?
            .map_or(0.0, |a| a.v);
        Some(vec![v])
    })?;
    let e = e.swap_remove(0);
    let mut finding = with_estimate(finding, &e, study);
    finding.better = Better::Lower;
    finding.n = rows.len() as u64;
    finding.p = p.as_ref().map(|d| d.p);
    finding.evidence.sql = Some(
        "SELECT truth_class, domain, role, count(*) FROM 'items.parquet' WHERE truth_class IS NOT NULL GROUP BY ALL"
            .to_owned(),
    );
    finding.caveats.push(
        "corrected for bias (Bergsma 2013); an association offers a shortcut and does not show that it is taken: never more than a warning".to_owned(),
    );
    finding.remedy = Some(format!(
        "Take images of every class from every {noun}; or report scores within each {noun}."
    ));
    finding.threshold = Some(ASSOCIATION);
    let significant = p
        .as_ref()
        .is_some_and(|d| d.smallest_p <= 0.05 && d.p <= 0.05);
    if !e.enough || finding.interval.is_none() {
        // At 0 nothing varies, so there is no interval and no verdict.
        finding.interval = None;
        finding.threshold = None;
        opinion.drafts.push(finding.into());
        return Ok(());
    }
    opinion.drafts.push(Draft {
        finding,
        ground: Ground::Bounds {
            low: e.low,
            high: e.high,
            enough: true,
            may_warn: significant,
        },
    });
    Ok(())
}
