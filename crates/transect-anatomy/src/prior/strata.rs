//! Hidden strata: attributes of the images that fall into two separate parts, told by nobody.

use std::collections::BTreeMap;

use transect_core::attribute::ATTRIBUTES;
use transect_core::figure::Drawing;
use transect_core::{Better, Figure, Finding, Result, Role, Status, Threshold, Verdict};
use transect_stats::{
    HiddenStratum, adjusted_rand, auroc, cramers_v, hidden_strata, jackknife, median, quantiles,
};

use super::lazy::places;
use crate::attributes::{OF_TRUTH, value};
use crate::opinion::{Opinion, judged, not_assessable};
use crate::study::Study;
use crate::words;

/// Bias-corrected Cramér's V of a stratum with the label above which it warns; it never fails.
pub const LABEL_ASSOCIATION: Threshold = Threshold {
    warn: 0.2,
    fail: 1.0,
};
/// Strata that get a finding of their own.
const TOLD: usize = 6;
/// Fewest images.
const FEWEST: usize = 20;
/// Adjusted Rand index from which on a column of the manifest says what a stratum says.
const SAME: f64 = 0.8;
/// Different values that a column may have to be taken for one that tells parts apart.
const VALUES: usize = 20;
/// Names that a finding holds.
const NAMED: usize = 2_000;

/// Attributes that are a grey level of the file: in steps of one level.
const IN_LEVELS: [&str; 4] = [
    "intensity_q01",
    "intensity_q50",
    "intensity_q99",
    "background",
];
/// Levels by which two parts of such an attribute must differ at least: one or two are what rounding makes of one part.
const LEVELS: f64 = 3.0;

/// Whether two parts differ by no more than the steps in which the file counts.
fn a_step_of_grey(study: &Study<'_>, attribute: usize, parts: &[(usize, bool)]) -> Result<bool> {
    if !IN_LEVELS.contains(&ATTRIBUTES[attribute].name) {
        return Ok(false);
    }
    let items = study.tables.items();
    let side = |upper: bool| -> Vec<f64> {
        parts
            .iter()
            .filter(|(_, up)| *up == upper)
            .filter_map(|&(i, _)| items[i].attributes.get(attribute).copied().flatten())
            .collect()
    };
    let bits = parts
        .iter()
        .filter_map(|&(i, _)| items[i].attribute("bits"))
        .fold(0.0, f64::max);
    let (upper, lower) = (side(true), side(false));
    if upper.is_empty() || lower.is_empty() || !(1.0..=16.0).contains(&bits) {
        return Ok(false);
    }
    let level = 1.0 / (bits.exp2() - 1.0);
    Ok(median(&upper)? - median(&lower)? < LEVELS * level)
}

/// Looks for strata among the target's images.
pub(super) fn judge(study: &Study<'_>, opinion: &mut Opinion) -> Result<()> {
    let id = "prior.strata";
    let items = study.tables.items();
    let rows: Vec<usize> = study
        .side(Role::Target)
        .into_iter()
        .filter(|&i| items[i].status == Status::Ok)
        .collect();
    let attributes: Vec<usize> = (0..ATTRIBUTES.len())
        .filter(|&a| !OF_TRUTH.contains(&ATTRIBUTES[a].name))
        .collect();
    // What was sampled is the unit: a group is one value, its median.
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &i in &rows {
        groups.entry(study.rows[i].group).or_default().push(i);
    }
    if groups.len() < FEWEST {
        let noun = if study.context.group.is_some() {
            "groups"
        } else {
            "images"
        };
        opinion.drafts.push(
            not_assessable(
                id,
                "Whether the images hide strata was not assessed: they are too few.",
                format!("at least {FEWEST} {noun}"),
            )
            .into(),
        );
        return Ok(());
    }
    let mut columns = Vec::with_capacity(attributes.len());
    for &a in &attributes {
        let mut column = Vec::with_capacity(groups.len());
        for members in groups.values() {
            let there: Vec<f64> = members.iter().filter_map(|&i| value(study, i, a)).collect();
            column.push(if there.is_empty() {
                None
            } else {
                Some(median(&there)?)
            });
        }
        columns.push(column);
    }
    let parts_of = |stratum: &HiddenStratum| -> Vec<(usize, bool)> {
        let (first, at) = (attributes[stratum.attributes[0]], stratum.splits[0].at);
        rows.iter()
            .filter_map(|&i| value(study, i, first).map(|v| (i, v > at)))
            .collect()
    };
    let mut strata = Vec::new();
    for stratum in hidden_strata(&columns, &study.settings(id))? {
        let first = attributes[stratum.attributes[0]];
        if !a_step_of_grey(study, first, &parts_of(&stratum))? {
            strata.push(stratum);
        }
    }
    let mut names = Vec::new();
    let mut unknown = 0;
    let mut before: Vec<(&str, Vec<(usize, bool)>)> = Vec::new();
    for (place, stratum) in strata.iter().enumerate() {
        let first = attributes[stratum.attributes[0]];
        let parts = parts_of(stratum);
        let within = before
            .iter()
            .find(|(_, outer)| inside(&parts, outer))
            .map(|(name, _)| *name);
        before.push((ATTRIBUTES[first].words, parts.clone()));
        // A part of a part is told with a finding of its own, and is no further way.
        if let Some(outer) = within {
            if place < TOLD {
                one(
                    study,
                    stratum,
                    &attributes,
                    &parts,
                    None,
                    Some(outer),
                    opinion,
                )?;
            }
            continue;
        }
        let known = known(study, &parts)?;
        if known.as_ref().is_none_or(|k| !k.told) {
            unknown += 1;
        }
        names.push(ATTRIBUTES[first].words.to_owned());
        if place < TOLD {
            one(
                study,
                stratum,
                &attributes,
                &parts,
                known.as_ref(),
                None,
                opinion,
            )?;
        }
    }
    let ways = names.len();
    names.truncate(TOLD);
    let mut finding = Finding::new(id);
    finding.estimate = Some(ways as f64);
    "ways".clone_into(&mut finding.unit);
    finding.better = Better::Neither;
    finding.n = rows.len() as u64;
    if strata.is_empty() {
        finding.claim = format!(
            "No attribute of {} falls into two separate parts.",
            words::images(rows.len())
        );
    } else {
        finding.verdict = if unknown > 0 {
            Verdict::Warn
        } else {
            Verdict::Described
        };
        finding.claim = format!(
            "{} fall into separate parts in {}: by {}{}. {}",
            words::images(rows.len()),
            words::counted(ways, "way", "ways"),
            words::list(&names),
            if ways > names.len() { ", …" } else { "" },
            if unknown > 0 {
                "Nobody told of it: they may be of more than one acquisition."
            } else {
                "Columns that were named say the same."
            }
        );
        finding.remedy = Some(
            "Look at images of both parts (see `prior.stratum[…]`). If they were acquired apart, name it with --stratum or --domain, and split within it.".to_owned(),
        );
    }
    finding.caveats.push(format!(
        "each of {} attributes by itself: two parts of a tenth or more, Ashman's D of at least 2, and the dip test against one mode at 5% over all attributes (Holm){}",
        attributes.len(),
        if study.context.group.is_some() { ", each group by its median" } else { "" }
    ));
    finding.caveats.push(
        "parts that overlap, and strata seen only in several attributes at once, are not found; content, such as the class, may part an attribute as an acquisition does".to_owned(),
    );
    finding.evidence.sql = Some(
        "SELECT image, COLUMNS('attr_.*') FROM 'items.parquet' WHERE status = 'ok' AND role = 'target'".to_owned(),
    );
    opinion.drafts.push(finding.into());
    Ok(())
}

/// Whether one part of a split lies within one part of another, but for one image in twenty.
fn inside(parts: &[(usize, bool)], outer: &[(usize, bool)]) -> bool {
    let outer: BTreeMap<usize, bool> = outer.iter().copied().collect();
    [false, true].into_iter().any(|part| {
        let here: Vec<bool> = parts
            .iter()
            .filter(|p| p.1 == part)
            .filter_map(|p| outer.get(&p.0).copied())
            .collect();
        let upper = here.iter().filter(|o| **o).count();
        !here.is_empty() && 20 * upper.min(here.len() - upper) <= here.len()
    })
}

/// A column of the manifest that says what a stratum says.
struct Known {
    column: String,
    rand: f64,
    /// Whether it is the domain, the group or the stratum of the run.
    told: bool,
}

/// A column's value of a row.
type Of<'a> = &'a dyn Fn(usize) -> Option<&'a str>;

/// The column that agrees best with the parts, if one does well.
fn known(study: &Study<'_>, parts: &[(usize, bool)]) -> Result<Option<Known>> {
    let items = study.tables.items();
    let upper: Vec<u32> = parts.iter().map(|p| u32::from(p.1)).collect();
    let mut best: Option<Known> = None;
    let mut consider = |column: &str, told: bool, of: Vec<Option<&str>>| -> Result<()> {
        let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
        let mut labels = Vec::with_capacity(of.len());
        for value in of {
            let Some(value) = value else { return Ok(()) };
            let next = numbers.len() as u32;
            labels.push(*numbers.entry(value).or_insert(next));
        }
        if numbers.len() < 2 || numbers.len() > VALUES {
            return Ok(());
        }
        let rand = adjusted_rand(&labels, &upper)?;
        if rand >= SAME && best.as_ref().is_none_or(|b| rand > b.rand) {
            best = Some(Known {
                column: column.to_owned(),
                rand,
                told,
            });
        }
        Ok(())
    };
    let named: [(&Option<String>, Of<'_>); 3] = [
        (&study.context.domain, &|i| items[i].item.domain.as_deref()),
        (&study.context.stratum, &|i| {
            items[i].item.stratum.as_deref()
        }),
        (&study.context.group, &|i| items[i].item.group.as_deref()),
    ];
    for (name, of) in named {
        if let Some(name) = name {
            consider(name, true, parts.iter().map(|p| of(p.0)).collect())?;
        }
    }
    if let Some(&(first, _)) = parts.first() {
        for column in items[first].item.columns.keys() {
            let of = parts
                .iter()
                .map(|p| items[p.0].item.columns.get(column).map(String::as_str))
                .collect();
            consider(column, false, of)?;
        }
    }
    Ok(best)
}

fn one(
    study: &Study<'_>,
    stratum: &HiddenStratum,
    attributes: &[usize],
    parts: &[(usize, bool)],
    known: Option<&Known>,
    within: Option<&str>,
    opinion: &mut Opinion,
) -> Result<()> {
    let items = study.tables.items();
    let first = &ATTRIBUTES[attributes[stratum.attributes[0]]];
    let split = &stratum.splits[0];
    let id = format!("prior.stratum[{}]", first.name);
    let upper = parts.iter().filter(|p| p.1).count();
    let mut finding = Finding::new(&id);
    let further: Vec<String> = stratum.attributes[1..]
        .iter()
        .take(3)
        .map(|&a| ATTRIBUTES[attributes[a]].words.to_owned())
        .collect();
    let unit = words::unit(first.unit);
    let mut claim = format!(
        "{} falls into two parts: {} above {}{unit}, {} below (Ashman's D {}){}.",
        crate::performance::capital(first.words),
        words::images(upper),
        words::number(split.at),
        parts.len() - upper,
        words::number(split.separation),
        if further.is_empty() {
            String::new()
        } else {
            format!("; {} alike", words::list(&further))
        }
    );
    match stratum.p_adjusted {
        Some(p) => finding.caveats.push(format!(
            "dip test against one mode, over all attributes: {}",
            words::p_value(p)
        )),
        None => finding
            .caveats
            .push("two values only, so two parts by nature".to_owned()),
    }
    if let Some(outer) = within {
        finding.caveats.push(format!(
            "one of its parts lies within a part by {outer}: a part of that stratum rather than a further one"
        ));
    }
    if let Some(known) = known {
        finding.caveats.push(format!(
            "the manifest's column `{}` says the same (adjusted Rand index {})",
            known.column,
            words::number(known.rand)
        ));
    }
    let names: Vec<&str> = parts
        .iter()
        .map(|p| items[p.0].item.image.as_str())
        .collect();
    let flags: Vec<bool> = parts.iter().map(|p| p.1).collect();
    if let Some(auc) = auroc(&places(&names), &flags)?
        && !(0.1..=0.9).contains(&auc)
    {
        finding.caveats.push(format!(
            "it follows the order of the files' names (AUC {})",
            words::number(auc.max(1.0 - auc))
        ));
    }
    // The smaller part is what a reader has to look at.
    let smaller = 2 * upper <= parts.len();
    finding.images = parts
        .iter()
        .filter(|p| p.1 == smaller)
        .take(NAMED)
        .map(|p| study.image(p.0))
        .collect();
    finding.evidence.rows = Some(format!("attr_{} > {}", first.name, split.at));
    finding.evidence.sql = Some(format!(
        "SELECT image, attr_{0}, attr_{0} > {1} AS upper FROM 'items.parquet' WHERE status = 'ok' AND role = 'target'",
        first.name, split.at
    ));
    "Cramér's V".clone_into(&mut finding.unit);
    finding.n = parts.len() as u64;
    let labelled: Vec<(usize, u32, u32)> = parts
        .iter()
        .filter_map(|p| {
            study.rows[p.0]
                .truth_class
                .map(|c| (p.0, u32::from(p.1), c))
        })
        .collect();
    let (a, b): (Vec<u32>, Vec<u32>) = labelled.iter().map(|l| (l.1, l.2)).unzip();
    let association = if a.len() < FEWEST {
        None
    } else {
        cramers_v(&a, &b)?
    };
    figure(
        study,
        attributes[stratum.attributes[0]],
        split.at,
        parts,
        opinion,
    )?;
    let Some(association) = association else {
        finding.claim = claim;
        finding.better = Better::Neither;
        finding
            .caveats
            .push("whether it goes with the label is not known: no image has a class".to_owned());
        opinion.drafts.push(finding.into());
        return Ok(());
    };
    let rows: Vec<usize> = labelled.iter().map(|l| l.0).collect();
    let units = study.units(&rows)?;
    let e = jackknife(&units, &study.settings(&id).range(0.0, 1.0), &mut |kept| {
        let (x, y): (Vec<u32>, Vec<u32>) = kept.iter().map(|&k| (a[k], b[k])).unzip();
        // A part or a class that is gone is no association.
        Some(vec![cramers_v(&x, &y).ok()?.map_or(0.0, |v| v.v)])
    })?
    .into_iter()
    .next();
    let lead = crosses(study, &labelled);
    let lead = format!(
        " Its association with the class is {} (Cramér's V, 0 to 1){lead}.",
        words::number(association.v)
    );
    claim.push_str(&lead);
    finding.claim = claim;
    match e {
        Some(e) => {
            finding.caveats.push("associated, not shown to be used: whether a model reads it is for `shortcut`; a class that looks different parts an attribute, too".to_owned());
            opinion.drafts.push(judged(
                finding,
                e,
                LABEL_ASSOCIATION,
                Better::Lower,
                false,
                study,
            ));
        }
        None => opinion.drafts.push(finding.into()),
    }
    Ok(())
}

/// The class whose shares of the two parts differ most, in words.
fn crosses(study: &Study<'_>, labelled: &[(usize, u32, u32)]) -> String {
    let n = [0, 1].map(|part| labelled.iter().filter(|l| l.1 == part).count());
    if n.contains(&0) {
        return String::new();
    }
    let share = |class: u32, part: u32| {
        let hits = labelled.iter().filter(|l| l.1 == part && l.2 == class);
        hits.count() as f64 / n[part as usize] as f64
    };
    let classes: std::collections::BTreeSet<u32> = labelled.iter().map(|l| l.2).collect();
    let most = classes.into_iter().max_by(|&a, &b| {
        let gap = |c: u32| (share(c, 1) - share(c, 0)).abs();
        gap(a).total_cmp(&gap(b)).then(b.cmp(&a))
    });
    most.map_or_else(String::new, |class| {
        let name = study
            .context
            .classes
            .get(class as usize)
            .map_or("—", String::as_str);
        format!(
            ": {name} is {} of the upper part and {} of the lower",
            words::percent(share(class, 1)),
            words::percent(share(class, 0))
        )
    })
}

/// The attribute's quantiles in each part.
fn figure(
    study: &Study<'_>,
    attribute: usize,
    at: f64,
    parts: &[(usize, bool)],
    opinion: &mut Opinion,
) -> Result<()> {
    let items = study.tables.items();
    let percents: Vec<f64> = (0..=100).map(|q| f64::from(q) / 100.0).collect();
    let of = |part: bool| -> Result<Vec<f64>> {
        let values: Vec<f64> = parts
            .iter()
            .filter(|p| p.1 == part)
            .filter_map(|p| items[p.0].attributes[attribute])
            .collect();
        quantiles(&values, &percents)
    };
    if parts.iter().all(|p| p.1) || !parts.iter().any(|p| p.1) {
        return Ok(());
    }
    let described = &ATTRIBUTES[attribute];
    let unit = words::unit_in_brackets(described.unit);
    opinion.figures.push(Figure {
        id: format!("prior.stratum.{}", described.name),
        mode: "prior".to_owned(),
        title: format!(
            "{}: two parts",
            crate::performance::capital(described.words)
        ),
        caption: format!(
            "Its distribution in the two parts, as quantiles, cut at {}.",
            words::number(at)
        ),
        drawing: Drawing::Distribution {
            x: format!("{}{unit}", described.words),
            series: vec![
                ("lower part".to_owned(), of(false)?),
                ("upper part".to_owned(), of(true)?),
            ],
        },
    });
    Ok(())
}
