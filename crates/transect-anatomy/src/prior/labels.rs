//! Labels that what is plain to see contradicts: images to look at.

use transect_core::{Better, Finding, Result};
use transect_stats::{label_doubts, probe_classes};

use super::question::{Asked, Question};
use crate::embedded::{Embedded, side_by_side};
use crate::opinion::{Opinion, not_assessable};
use crate::study::Study;
use crate::words;

/// Families that are put side by side.
const FAMILIES: [&str; 5] = ["moments", "colour", "spectrum", "texture", "granulometry"];
/// Names that the finding holds.
const NAMED: usize = 200;
/// Share of the way to all right under which the features know too little of the classes to doubt a label.
const KNOWS: f64 = 0.2;

/// Doubts labels by the held-out probabilities of a linear probe of features.
pub(super) fn judge(study: &Study<'_>, question: &Question, opinion: &mut Opinion) -> Result<()> {
    let id = "prior.suspicious_labels";
    let Asked::Class(labels, names) = &question.asked else {
        opinion.drafts.push(
            not_assessable(
                id,
                "Whether labels are doubtful was not assessed: the truth is no class.",
                "--truth with a class for each image",
            )
            .into(),
        );
        return Ok(());
    };
    let mut tables = Vec::new();
    for family in FAMILIES {
        tables.extend(Embedded::family(study, family)?);
    }
    let together: Vec<&Embedded> = tables.iter().collect();
    let Some((matrix, _)) = side_by_side(&together, &question.rows)? else {
        opinion.drafts.push(
            not_assessable(
                id,
                "Whether labels are doubtful was not assessed: there are no features of the images.",
                "features of the images",
            )
            .into(),
        );
        return Ok(());
    };
    let probe = probe_classes(&matrix, labels, names.len(), &question.folds)?;
    let ones = vec![1.0; labels.len()];
    let reached =
        super::question::balanced(labels, &probe.balanced, names.len(), &ones).unwrap_or(0.0);
    if question.skill(reached) < KNOWS {
        opinion.drafts.push(
            not_assessable(
                id,
                format!(
                    "Whether labels are doubtful was not assessed: what is plain to see tells too little of the class (balanced accuracy {}, chance {}).",
                    words::percent(reached),
                    words::percent(question.chance())
                ),
                "a model that knows the classes",
            )
            .into(),
        );
        return Ok(());
    }
    let found = label_doubts(&probe.probabilities, labels)?;
    let n = labels.len();
    let mut finding = Finding::new(id);
    finding.estimate = Some(found.doubts.len() as f64 / n as f64);
    "fraction".clone_into(&mut finding.unit);
    finding.better = Better::Neither;
    finding.n = n as u64;
    let first: Vec<String> = found
        .doubts
        .iter()
        .take(3)
        .map(|d| {
            format!(
                "{} ({}, rather {})",
                study.image(question.rows[d.row]),
                names[labels[d.row] as usize],
                names[d.likelier as usize]
            )
        })
        .collect();
    finding.claim = if found.doubts.is_empty() {
        format!(
            "No label of {} is contradicted by what is plain to see.",
            words::images(n)
        )
    } else {
        format!(
            "{} of {} have a label that what is plain to see contradicts, first of all {}: look at them.",
            found.doubts.len(),
            words::images(n),
            words::list(&first)
        )
    };
    finding.caveats.clone_from(&question.caveats);
    finding.caveats.push(format!(
        "confident learning on the held-out probabilities of a linear probe of {} numbers (balanced accuracy {}): it is wrong often, so a doubt is a reason to look and no proof; most suspicious first",
        matrix.columns(),
        words::percent(reached)
    ));
    finding.images = found
        .doubts
        .iter()
        .take(NAMED)
        .map(|d| study.image(question.rows[d.row]))
        .collect();
    finding.evidence.sql = Some(
        "SELECT i.image, i.truth, f.* FROM 'embeddings/features/moments.parquet' f JOIN 'items.parquet' i USING (row)".to_owned(),
    );
    opinion.drafts.push(finding.into());
    Ok(())
}
