//! The same image twice: across splits, domains, groups; with other labels or outlines.

use std::collections::{BTreeMap, BTreeSet};

use transect_core::{Better, Digest, Finding, Result, Role, Status, Threshold, TruthRef, Verdict};
use transect_stats::rate;

use super::near::{EXPECTED, FLOOR, Greys, Near, Pair, SAMPLES, SIDE, compare, turned};
use crate::opinion::{Opinion, judged, not_assessable};
use crate::study::Study;
use crate::words;

/// Share of images with a duplicate on the other side of a split above which leakage warns and fails.
pub const LEAKAGE: Threshold = Threshold {
    warn: 0.02,
    fail: 0.05,
};
/// Images compared at most: the pairs of more are too many.
const MOST: usize = 20_000;
/// Names that a finding holds.
const NAMED: usize = 4_000;
/// Overlap of two outlines of one image under which they are not the same, and under which that warns: two people who outline
/// one object agree to about this.
const OVERLAP: (f64, f64) = (0.99, 0.90);
/// The family of features with the outlines as a map of 24 × 24 shares.
const MAP: &str = "truth_map";

/// What parts the rows into sides that must not share an image.
struct Sides {
    /// In words.
    what: String,
    names: Vec<String>,
    of: Vec<Option<usize>>,
    /// The side that is learned from, where one is.
    learned: Option<usize>,
}

/// Reference and target; else the manifest's column `split`.
fn sides(study: &Study<'_>) -> Option<Sides> {
    let items = study.tables.items();
    let roles = |role: Role| items.iter().any(|i| i.item.role == role);
    if roles(Role::Reference) && roles(Role::Target) {
        return Some(Sides {
            what: "reference and target".to_owned(),
            names: vec!["reference".to_owned(), "target".to_owned()],
            of: items
                .iter()
                .map(|i| Some(usize::from(i.item.role == Role::Target)))
                .collect(),
            learned: Some(0),
        });
    }
    let split = |i: &transect_core::ItemRecord| {
        i.item
            .columns
            .get("split")
            .filter(|name| !name.trim().is_empty())
            .cloned()
    };
    let names: Vec<String> = items
        .iter()
        .filter_map(split)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    (names.len() > 1).then(|| Sides {
        what: "the splits of the column `split`".to_owned(),
        of: items
            .iter()
            .map(|i| split(i).and_then(|s| names.iter().position(|n| *n == s)))
            .collect(),
        learned: names
            .iter()
            .position(|n| matches!(n.to_lowercase().as_str(), "train" | "training")),
        names,
    })
}

/// Finds the pairs, and says what they spoil.
pub(super) fn judge(study: &Study<'_>, opinion: &mut Opinion) -> Result<()> {
    let items = study.tables.items();
    let readable: Vec<usize> = (0..items.len())
        .filter(|&i| items[i].status == Status::Ok)
        .collect();
    let exact = exact(study, &readable);
    let wanted = chosen(study, &readable);
    let left_out = readable.len() - wanted.iter().filter(|w| **w).count();
    let greys = Greys::new(study.tables, &wanted)?;
    let near = if greys.rows.len() > 1 {
        Some(compare(&greys, &|row| study.rows[row].domain))
    } else {
        None
    };
    let mut pairs = exact.clone();
    if let Some(near) = &near {
        pairs.extend(
            near.pairs
                .iter()
                .filter(|p| items[p.first].image_sha256 != items[p.second].image_sha256),
        );
    }
    found(
        study,
        &readable,
        &exact,
        &pairs,
        &greys,
        near.as_ref(),
        left_out,
        opinion,
    );
    let sides = sides(study);
    leakage(
        study,
        &readable,
        &pairs,
        near.as_ref(),
        sides.as_ref(),
        opinion,
    )?;
    across(study, &pairs, opinion);
    straddling(study, sides.as_ref(), opinion);
    conflicts(study, &pairs, opinion)
}

/// Rows of one content, each paired with the first of them.
fn exact(study: &Study<'_>, readable: &[usize]) -> Vec<Pair> {
    let mut first: BTreeMap<Digest, usize> = BTreeMap::new();
    let mut pairs = Vec::new();
    for &row in readable {
        let hash = study.tables.items()[row].image_sha256;
        match first.get(&hash) {
            Some(&first) => pairs.push(Pair {
                first,
                second: row,
                correlation: 1.0,
                turn: 0,
            }),
            None => {
                first.insert(hash, row);
            }
        }
    }
    pairs
}

/// Rows whose thumbnails are compared: all, or as many as can be, drawn by hash.
fn chosen(study: &Study<'_>, readable: &[usize]) -> Vec<bool> {
    let items = study.tables.items();
    let mut order = readable.to_vec();
    if order.len() > MOST {
        order.sort_by_key(|&i| {
            Digest::of_parts([
                &study.context.seed.to_le_bytes()[..],
                b"prior/near",
                &items[i].image_sha256.0,
                &items[i].item.row.to_le_bytes(),
            ])
        });
        order.truncate(MOST);
    }
    let mut wanted = vec![false; items.len()];
    for row in order {
        wanted[row] = true;
    }
    wanted
}

/// Names of pairs, two by two.
fn names<'p>(study: &Study<'_>, pairs: impl Iterator<Item = &'p Pair>) -> Vec<String> {
    pairs
        .flat_map(|p| [study.image(p.first), study.image(p.second)])
        .take(NAMED)
        .collect()
}

/// Rows that have a partner.
fn members<'p>(pairs: impl Iterator<Item = &'p Pair>) -> BTreeSet<usize> {
    pairs.flat_map(|p| [p.first, p.second]).collect()
}

/// A counted share of images, with no interval: these images are all there are.
fn counted(id: &str, hits: usize, n: usize) -> Finding {
    let mut finding = Finding::new(id);
    finding.estimate = Some(hits as f64 / n.max(1) as f64);
    "fraction".clone_into(&mut finding.unit);
    finding.better = Better::Lower;
    finding.n = n as u64;
    finding
        .caveats
        .push("counted among these images, not estimated: there is no interval".to_owned());
    finding
}

#[expect(clippy::too_many_arguments, reason = "one call, all of it told")]
fn found(
    study: &Study<'_>,
    readable: &[usize],
    exact: &[Pair],
    pairs: &[Pair],
    greys: &Greys,
    near: Option<&Near>,
    left_out: usize,
    opinion: &mut Opinion,
) {
    let id = "prior.duplicates";
    if readable.is_empty() {
        opinion.drafts.push(
            not_assessable(
                id,
                "Whether images are there twice was not assessed: none could be read.",
                "images that can be read",
            )
            .into(),
        );
        return;
    }
    let members = members(pairs.iter());
    let mut finding = counted(id, members.len(), readable.len());
    let near_words = match near.and_then(|n| n.threshold) {
        Some(threshold) => format!(
            "{} (correlation of at least {})",
            words::counted(
                pairs.len() - exact.len(),
                "near-duplicate",
                "near-duplicates"
            ),
            words::number(threshold)
        ),
        None => "near-duplicates were not looked for".to_owned(),
    };
    finding.claim = format!(
        "Among {} there are {} of the same bytes and {near_words}: {} of the images are not alone.",
        words::images(readable.len()),
        words::counted(exact.len(), "pair", "pairs"),
        words::percent(finding.estimate.unwrap_or_default())
    );
    match near {
        Some(n) if n.threshold.is_some() => finding.caveats.push(format!(
            "near: greys of {SIDE} × {SIDE} under the eight flips and turns; {} pairs compared; the threshold leaves {EXPECTED} false pairs expected in this data set, from the correlations of all pairs alone ({}), and is at least {FLOOR}; no label was looked at",
            n.compared,
            words::counted(n.kinds, "kind of pairs, each with its own law", "kinds of pairs, each with its own law"),
        )),
        _ => finding.caveats.push(
            "near-duplicates: too few thumbnails that show something (about 20 are needed)".to_owned(),
        ),
    }
    if !greys.flat.is_empty() {
        finding.caveats.push(format!(
            "{} without contrast, such as {}, could only be compared by their bytes",
            words::images(greys.flat.len()),
            study.image(greys.flat[0])
        ));
    }
    if left_out > 0 {
        finding.caveats.push(format!(
            "{} were compared by their bytes only: all pairs of more than {MOST} images are too many",
            words::images(left_out)
        ));
    }
    finding.caveats.push(
        "images that were cropped, stretched or sheared may correlate less: there may be more"
            .to_owned(),
    );
    finding.images = names(study, pairs.iter());
    finding.evidence.sql = Some(
        "SELECT image_sha256, list(image) AS images FROM 'items.parquet' WHERE status = 'ok' GROUP BY image_sha256 HAVING count(*) > 1"
            .to_owned(),
    );
    if !pairs.is_empty() {
        finding.remedy =
            Some("Keep one of each, or keep them in one group and one split (--group).".to_owned());
    }
    opinion.drafts.push(finding.into());
}

fn leakage(
    study: &Study<'_>,
    readable: &[usize],
    pairs: &[Pair],
    near: Option<&Near>,
    sides: Option<&Sides>,
    opinion: &mut Opinion,
) -> Result<()> {
    let id = "prior.leakage";
    let tested: Vec<usize> = sides.map_or_else(Vec::new, |s| {
        readable
            .iter()
            .copied()
            .filter(|&i| s.of[i].is_some() && s.of[i] != s.learned)
            .collect()
    });
    let (Some(sides), false) = (sides, tested.is_empty()) else {
        let mut finding = not_assessable(
            id,
            "Whether images leak from one split to another was not assessed: no split is known.",
            "--reference with the images that the model was made on, or a column `split`",
        );
        finding.primary = true;
        opinion.drafts.push(finding.into());
        return Ok(());
    };
    let crossing: Vec<&Pair> = pairs
        .iter()
        .filter(|p| matches!((sides.of[p.first], sides.of[p.second]), (Some(a), Some(b)) if a != b))
        .collect();
    let members = members(crossing.iter().copied());
    let hits: Vec<bool> = tested.iter().map(|i| members.contains(i)).collect();
    let count = hits.iter().filter(|h| **h).count();
    let e = rate(&hits, &study.units(&tested)?, &study.settings(id).tails())?;
    let mut finding = Finding::new(id);
    "fraction".clone_into(&mut finding.unit);
    let learned = sides.learned.map_or_else(
        || "another split".to_owned(),
        |l| {
            if sides.what.starts_with("reference") {
                "the reference".to_owned()
            } else {
                format!("another split (such as `{}`)", sides.names[l])
            }
        },
    );
    finding.claim = format!(
        "In {learned} too, or nearly the same image: {count} of {}, {}.",
        words::images(tested.len()),
        words::Form::Percent.estimate(&e)
    );
    finding.caveats.push(format!("between {}", sides.what));
    if near.is_none_or(|n| n.threshold.is_none()) {
        finding
            .caveats
            .push("by their bytes only: near-duplicates were not looked for".to_owned());
    }
    finding.images = names(study, crossing.iter().copied());
    finding.evidence.sql = Some(
        "SELECT a.image, b.image FROM 'items.parquet' a JOIN 'items.parquet' b USING (image_sha256) WHERE a.row < b.row"
            .to_owned(),
    );
    if count > 0 {
        finding.remedy = Some(
            "Take these images out of the test, or split anew with each pair on one side."
                .to_owned(),
        );
    }
    opinion
        .drafts
        .push(judged(finding, e, LEAKAGE, Better::Lower, true, study));
    Ok(())
}

/// The name of what a row belongs to, where it has one.
type Part<'a> = &'a dyn Fn(usize) -> Option<&'a str>;

/// Duplicates across domains and across groups: what was taken for independent is not.
fn across(study: &Study<'_>, pairs: &[Pair], opinion: &mut Opinion) {
    let items = study.tables.items();
    let domain = |i: usize| items[i].item.domain.as_deref();
    let group = |i: usize| items[i].item.group.as_deref();
    let parts: [(&str, bool, Part<'_>, &str); 2] = [
        (
            "domain",
            study.context.domain.is_some(),
            &domain,
            "a domain held out is not new to a model that saw the other",
        ),
        (
            "group",
            study.context.group.is_some(),
            &group,
            "the groups are not independent, so intervals over them are too narrow",
        ),
    ];
    for (what, named, part, harm) in parts {
        if !named {
            continue;
        }
        let crossing: Vec<&Pair> = pairs
            .iter()
            .filter(|p| matches!((part(p.first), part(p.second)), (Some(a), Some(b)) if a != b))
            .collect();
        let n = (0..items.len())
            .filter(|&i| items[i].status == Status::Ok && part(i).is_some())
            .count();
        // With one domain or group there is nothing that an image could be in twice.
        let mut present: Vec<&str> = (0..items.len())
            .filter(|&i| items[i].status == Status::Ok)
            .filter_map(part)
            .collect();
        present.sort_unstable();
        present.dedup();
        if present.len() < 2 {
            continue;
        }
        let members = members(crossing.iter().copied());
        let mut finding = counted(
            &format!("prior.duplicates[across={what}]"),
            members.len(),
            n,
        );
        if crossing.is_empty() {
            // That none was found is no proof that there is none: described, never passed.
            finding.claim = format!("No image was found in two {what}s.");
        } else {
            finding.verdict = Verdict::Warn;
            finding.claim = format!(
                "In two {what}s at once: {} ({} of the images); {harm}.",
                words::counted(crossing.len(), "pair of duplicates", "pairs of duplicates"),
                words::percent(members.len() as f64 / n as f64)
            );
            let mut between: BTreeMap<(&str, &str), usize> = BTreeMap::new();
            for p in &crossing {
                if let (Some(a), Some(b)) = (part(p.first), part(p.second)) {
                    *between.entry((a.min(b), a.max(b))).or_default() += 1;
                }
            }
            let mut between: Vec<((&str, &str), usize)> = between.into_iter().collect();
            between.sort_by_key(|&(names, n)| (std::cmp::Reverse(n), names));
            let most: Vec<String> = between
                .iter()
                .take(3)
                .map(|((a, b), n)| format!("{n} between {a} and {b}"))
                .collect();
            finding.caveats.push(words::list(&most));
            finding.remedy = Some(format!(
                "Give both of a pair the same {what}, or keep one of them."
            ));
        }
        finding.images = names(study, crossing.into_iter());
        opinion.drafts.push(finding.into());
    }
}

/// Groups with images on more than one side.
fn straddling(study: &Study<'_>, sides: Option<&Sides>, opinion: &mut Opinion) {
    let id = "prior.straddling_groups";
    let items = study.tables.items();
    let (Some(sides), true) = (sides, study.context.group.is_some()) else {
        opinion.drafts.push(
            not_assessable(
                id,
                "Whether a group lies on both sides of a split was not assessed.",
                "--group, and a split: --reference, or a column `split`",
            )
            .into(),
        );
        return;
    };
    let mut of: BTreeMap<&str, BTreeMap<usize, usize>> = BTreeMap::new();
    for (i, record) in items.iter().enumerate() {
        if let (Some(group), Some(side)) = (&record.item.group, sides.of[i]) {
            of.entry(group).or_default().entry(side).or_insert(i);
        }
    }
    let straddling: Vec<(&str, &BTreeMap<usize, usize>)> = of
        .iter()
        .filter(|(_, sides)| sides.len() > 1)
        .map(|(g, s)| (*g, s))
        .collect();
    let mut finding = counted(id, straddling.len(), of.len());
    let column = study.context.group.as_deref().unwrap_or("group");
    if straddling.is_empty() {
        finding.verdict = Verdict::Pass;
        finding.claim = format!(
            "No group of the column `{column}` lies on two sides ({}).",
            sides.what
        );
    } else {
        finding.verdict = Verdict::Warn;
        let named: Vec<String> = straddling
            .iter()
            .take(4)
            .map(|(g, _)| format!("`{g}`"))
            .collect();
        finding.claim = format!(
            "{} of {} of the column `{column}` have images on more than one side ({}), such as {}: a model may know them again.",
            straddling.len(),
            words::counted(of.len(), "group", "groups"),
            sides.what,
            words::list(&named)
        );
        finding.remedy = Some("Split by groups, so that each is on one side.".to_owned());
    }
    finding.images = straddling
        .iter()
        .flat_map(|(_, sides)| sides.values())
        .take(NAMED)
        .map(|&i| study.image(i))
        .collect();
    "fraction".clone_into(&mut finding.unit);
    opinion.drafts.push(finding.into());
}

/// Duplicates that carry other classes or other outlines.
fn conflicts(study: &Study<'_>, pairs: &[Pair], opinion: &mut Opinion) -> Result<()> {
    let id = "prior.duplicate_labels";
    let items = study.tables.items();
    let maps = maps(study, &members(pairs.iter()))?;
    let mut compared = 0;
    let mut differing: Vec<(f64, String, &Pair)> = Vec::new();
    for pair in pairs {
        let (a, b) = (&items[pair.first].item, &items[pair.second].item);
        match (&a.truth, &b.truth) {
            (TruthRef::Class(x), TruthRef::Class(y)) => {
                compared += 1;
                if x != y {
                    let said = format!("{} ({x}) and {} ({y})", a.image, b.image);
                    differing.push((0.0, said, pair));
                }
            }
            (TruthRef::Path(_), TruthRef::Path(_)) => {
                let (Some(x), Some(y)) = (maps.get(&pair.first), maps.get(&pair.second)) else {
                    continue;
                };
                compared += 1;
                let overlap = overlap(x, y, pair.turn);
                if overlap < OVERLAP.0 {
                    let said = format!(
                        "{} and {} (overlap {})",
                        a.image,
                        b.image,
                        words::number(overlap)
                    );
                    differing.push((overlap, said, pair));
                }
            }
            _ => {}
        }
    }
    if compared == 0 {
        let (claim, missing) = if pairs.is_empty() {
            (
                "Whether duplicates carry the same truth was not assessed: there are no duplicates.",
                "nothing: no image was found twice",
            )
        } else {
            (
                "Whether duplicates carry the same truth was not assessed: they have none.",
                "--truth, for both images of a pair",
            )
        };
        opinion
            .drafts
            .push(not_assessable(id, claim, missing).into());
        return Ok(());
    }
    differing.sort_by(|x, y| {
        x.0.total_cmp(&y.0)
            .then((x.2.first, x.2.second).cmp(&(y.2.first, y.2.second)))
    });
    let mut finding = counted(id, differing.len(), compared);
    "counted among these pairs: there is no interval, and n counts pairs"
        .clone_into(&mut finding.caveats[0]);
    if differing.is_empty() {
        finding.verdict = Verdict::Pass;
        finding.claim = format!(
            "The same truth in {}.",
            if compared == 1 {
                "the one pair of duplicates".to_owned()
            } else {
                format!("all {compared} pairs of duplicates")
            }
        );
    } else {
        if differing[0].0 < OVERLAP.1 {
            finding.verdict = Verdict::Warn;
        }
        let said: Vec<String> = differing.iter().take(3).map(|d| d.1.clone()).collect();
        finding.claim = format!(
            "Different truth in {} of {}: {}{}. No model can be right on both of a pair.",
            differing.len(),
            words::counted(compared, "pair of duplicates", "pairs of duplicates"),
            words::list(&said),
            if differing.len() > 3 { ", …" } else { "" }
        );
        finding.remedy = Some("Look at these pairs and settle their truth.".to_owned());
    }
    if !maps.is_empty() {
        finding.caveats.push(format!(
            "outlines are compared as maps of {SIDE} × {SIDE} cells, turned as the images are; they are named under an overlap (Σ min / Σ max) of {} and warn under {}; finer differences are not seen",
            OVERLAP.0, OVERLAP.1
        ));
    }
    finding.images = names(study, differing.iter().map(|d| d.2));
    opinion.drafts.push(finding.into());
    Ok(())
}

/// Maps of the truth's foreground, of some rows.
fn maps(study: &Study<'_>, wanted: &BTreeSet<usize>) -> Result<BTreeMap<usize, Vec<f32>>> {
    let mut maps = BTreeMap::new();
    if wanted.is_empty() {
        return Ok(maps);
    }
    study.tables.scan_embeddings("features", MAP, &mut |e| {
        if wanted.contains(&(e.row as usize)) && e.values.len() == SAMPLES {
            maps.insert(e.row as usize, e.values.clone());
        }
        Ok(())
    })?;
    Ok(maps)
}

/// Σ min / Σ max of two maps, the second turned; 1 where both are empty.
fn overlap(a: &[f32], b: &[f32], turn: usize) -> f64 {
    let (mut both, mut either) = (0.0, 0.0);
    for (at, &x) in a.iter().enumerate() {
        let y = b[turned(turn, at / SIDE, at % SIDE)];
        both += f64::from(x.min(y));
        either += f64::from(x.max(y));
    }
    if either > 0.0 { both / either } else { 1.0 }
}
