//! Equalised odds: within a true class, is the share that it gets right the same in every subgroup?

use transect_core::{Better, Finding, Result, Task};
use transect_stats::{Settings, Simultaneous};

use super::parts::{FEWEST_ROWS, Part, of_columns};
use super::subgroups::{compare, evidence};
use super::{GAP, risks};
use crate::opinion::{Draft, Ground, Opinion, not_assessable, with_estimate};
use crate::study::Study;
use crate::words::{self, Form};

const ID: &str = "bias.equalised_odds";

/// A class with the parts of its rows.
struct OfClass {
    name: String,
    rows: Vec<usize>,
    parts: Vec<Part>,
    found: Simultaneous,
}

pub(super) fn judge(study: &Study<'_>, rows: &[usize], opinion: &mut Opinion) -> Result<()> {
    if study.context.task != Task::Classification {
        return Ok(());
    }
    let mut classes = Vec::new();
    let mut by_class: Vec<Vec<usize>> = vec![Vec::new(); study.context.classes.len()];
    for &i in rows {
        if let Some(of) = study.rows[i]
            .truth_class
            .and_then(|c| by_class.get_mut(c as usize))
        {
            of.push(i);
        }
    }
    let kept: Vec<(String, Vec<usize>, Vec<Part>)> = study
        .context
        .classes
        .iter()
        .zip(by_class)
        .filter_map(|(name, rows)| {
            let parts = of_columns(study, &rows, FEWEST_ROWS);
            (!parts.is_empty()).then(|| (name.clone(), rows, parts))
        })
        .collect();
    if kept.is_empty() {
        opinion.drafts.push(
            not_assessable(
                ID,
                format!("Whether each class is recognised alike in all subgroups was not assessed: no column of few values has {FEWEST_ROWS} images of one class in two subgroups."),
                "columns with few values in the manifest, and more images of each class",
            )
            .into(),
        );
        return Ok(());
    }
    // Bounds hold within a class, and over classes by their number (Bonferroni).
    let level = 1.0 - 0.05 / kept.len() as f64;
    for (name, rows, parts) in kept {
        let settings = Settings {
            level,
            ..study.settings(&format!("{ID}/{name}")).range(-1.0, 1.0)
        };
        let found = compare(
            &risks(study, &rows),
            &parts,
            &study.units(&rows)?,
            &settings,
        )?;
        classes.push(OfClass {
            name,
            rows,
            parts,
            found,
        });
    }
    // Either sign: a subgroup that is recognised better is as unequal as one that is recognised worse.
    let distance = |i: &(f64, f64)| if i.0 > 0.0 { i.0 } else { (-i.1).max(0.0) };
    let all: Vec<(usize, usize)> = classes
        .iter()
        .enumerate()
        .flat_map(|(c, of)| (0..of.parts.len()).map(move |j| (c, j)))
        .collect();
    let leading = all.iter().copied().max_by(|a, b| {
        let of = |x: &(usize, usize)| &classes[x.0].found;
        distance(&of(a).intervals[a.1])
            .total_cmp(&distance(&of(b).intervals[b.1]))
            .then(
                of(a).estimates[a.1]
                    .estimate
                    .abs()
                    .total_cmp(&of(b).estimates[b.1].estimate.abs()),
            )
            .then(b.cmp(a))
    });
    let Some((c, j)) = leading else { return Ok(()) };
    let (of, part) = (&classes[c], &classes[c].parts[j]);
    let e = &of.found.estimates[j];
    let (low, high) = of.found.intervals[j];
    let mut finding = Finding::new(ID);
    finding.claim = format!(
        "Within one class, the share of errors differs most for {} where {} ({} of {}): by {} (interval over all classes and subgroups {}) from the rest of the class.",
        of.name,
        part.words,
        part.size(),
        words::images(of.rows.len()),
        Form::Points.one(e.estimate),
        Form::Points.range(low, high)
    );
    finding.unit = String::from("fraction");
    finding.evidence = evidence(study, &part.sql);
    let mut finding = with_estimate(finding, e, study);
    finding.interval = (low.is_finite() && high.is_finite()).then_some([low, high]);
    finding.interval_method = Some(of.found.method.clone());
    finding.n = of.rows.len() as u64;
    finding.better = Better::Lower;
    finding.threshold = Some(GAP);
    finding.caveats.push(
        "equalised odds by class; either direction counts, the verdict is that of the size; never more than a warning"
            .to_owned(),
    );
    let largest = all
        .iter()
        .map(|&(c, j)| {
            let i = classes[c].found.intervals[j];
            i.0.abs().max(i.1.abs())
        })
        .fold(0.0, f64::max);
    opinion.drafts.push(Draft {
        finding,
        ground: Ground::Bounds {
            low: distance(&(low, high)),
            high: largest,
            enough: e.enough,
            may_warn: true,
        },
    });
    Ok(())
}
