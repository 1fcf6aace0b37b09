//! Trivial separability: with many channels, does what holds no chemistry separate as well as the label?

use std::collections::BTreeMap;

use transect_core::{Better, Finding, Result, Threshold};
use transect_stats::{Estimate, Folds, Matrix, Units, statistic};

use super::lazy::places;
use super::question::{Asked, Question, Said};
use crate::embedded::{Embedded, side_by_side};
use crate::opinion::{Draft, Ground, Opinion, not_assessable, with_estimate};
use crate::study::Study;
use crate::words::{self, Form};

/// How much further from chance to all right the label must get than what holds no chemistry: under it, accuracy proves none.
pub const LEAD: Threshold = Threshold {
    warn: 0.10,
    fail: 0.0,
};
/// Rows of a session that is told apart.
const SESSION: usize = 10;
/// Sessions told apart at most, the largest.
const SESSIONS: usize = 10;
/// Correlation of neighbouring channels of the residual above which it holds structure: noise of the detector has none, and taking
/// a smooth part away leaves it a little below 0.
const STRUCTURE: f64 = 0.3;
/// Standard deviation of the smoothing kernel, as a share of the number of channels.
const SMOOTH: f64 = 0.05;

/// Compares the label with pseudo-labels that follow the acquisition, and with what is left of the spectra without their smooth
/// part. Only where there are spectra (8 channels or more).
pub(super) fn judge(study: &Study<'_>, question: &Question, opinion: &mut Opinion) -> Result<()> {
    let Some(spectrum) = Embedded::family(study, "spectrum")? else {
        return Ok(());
    };
    let Asked::Class(labels, _) = &question.asked else {
        return Ok(());
    };
    let Some((matrix, _)) = side_by_side(&[&spectrum], &question.rows)? else {
        return Ok(());
    };
    let label = question.probe(&matrix)?;
    let reached = question.estimate(study, "prior.separable", &label, true)?;
    if reached.low <= 0.0 {
        let mut finding = with_estimate(Finding::new("prior.separable"), &reached, study);
        finding.claim = format!(
            "The mean spectrum was not shown to tell the label: {} of the way from chance to all right. So nothing can be said of what it separates by.",
            Form::Percent.estimate(&reached)
        );
        "fraction".clone_into(&mut finding.unit);
        opinion.drafts.push(finding.into());
        return Ok(());
    }
    let n = question.rows.len();
    // Halves within each class, so that no pseudo-label goes with the label.
    let items = study.tables.items();
    let by_row: Vec<f64> = (0..n).map(|i| i as f64).collect();
    let files: Vec<&str> = question
        .rows
        .iter()
        .map(|&i| items[i].item.image.as_str())
        .collect();
    let by_name = places(&files);
    let mut halved = vec![(
        "order",
        "the order of the manifest",
        halves(labels, &by_row),
    )];
    let names_halved = halves(labels, &by_name);
    if names_halved != halved[0].2 {
        halved.push(("names", "the order of the files' names", names_halved));
    }
    for (what, words_of, pseudo) in halved {
        let id = format!("prior.separable[{what}]");
        let Ok(folds) = Folds::of_classes(&pseudo, 2, &question.units, &study.settings(&id)) else {
            opinion.drafts.push(
                not_assessable(
                    &id,
                    format!("Whether {words_of} separates as well as the label was not assessed: too few groups."),
                    "at least five groups in each half",
                )
                .into(),
            );
            continue;
        };
        let other = Question {
            asked: Asked::Class(pseudo, vec!["first".to_owned(), "second".to_owned()]),
            folds,
            ..question.clone()
        };
        let said = other.probe(&matrix)?;
        compare(
            study,
            &id,
            &format!("the first half of {words_of} from the second, within each class"),
            (question, &label),
            (&other, &said),
            opinion,
        )?;
    }
    sessions(study, question, &matrix, opinion)?;
    let (smooth, residual) = parted(&spectrum, question)?;
    let together = neighbours(&residual);
    for (what, words_of, part) in [
        (
            "residual",
            "the label from what is left of each spectrum without its smooth part",
            residual,
        ),
        (
            "smooth",
            "the label from the smooth part of each spectrum alone",
            smooth,
        ),
    ] {
        let said = question.probe(&part)?;
        let id = format!("prior.separable[{what}]");
        if what == "residual" && together <= STRUCTURE {
            compare(
                study,
                &id,
                words_of,
                (question, &label),
                (question, &said),
                opinion,
            )?;
        } else {
            let e = question.estimate(study, &id, &said, true)?;
            let mut finding = with_estimate(Finding::new(&id), &e, study);
            "fraction".clone_into(&mut finding.unit);
            finding.claim = format!(
                "The same probe tells {words_of} to {} of the way from chance to all right; from whole spectra to {}.",
                Form::Percent.estimate(&e),
                words::percent(reached.estimate)
            );
            if what == "residual" {
                finding.caveats.push(format!(
                    "described: neighbouring channels of the residual go together (correlation {}), so it holds structure and not only noise, and may be chemistry in narrow bands",
                    words::number(together)
                ));
            }
            opinion.drafts.push(finding.into());
        }
    }
    Ok(())
}

/// 0 for the first half of each class in the order of `by`, 1 for the second. Equal places stay on one side.
fn halves(labels: &[u32], by: &[f64]) -> Vec<u32> {
    let mut members: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for (&label, &v) in labels.iter().zip(by) {
        members.entry(label).or_default().push(v);
    }
    let middle: BTreeMap<u32, f64> = members
        .into_iter()
        .map(|(label, mut values)| {
            values.sort_unstable_by(f64::total_cmp);
            (label, values[values.len() / 2])
        })
        .collect();
    labels
        .iter()
        .zip(by)
        .map(|(label, v)| u32::from(*v >= middle[label]))
        .collect()
}

/// Groups, else domains, told apart; images of one session are in training and in test, as they must be.
fn sessions(
    study: &Study<'_>,
    question: &Question,
    matrix: &Matrix,
    opinion: &mut Opinion,
) -> Result<()> {
    let id = "prior.separable[session]";
    let items = study.tables.items();
    let of = |i: usize| {
        let item = &items[i].item;
        item.group.as_deref().or(item.domain.as_deref())
    };
    let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, &i) in question.rows.iter().enumerate() {
        if let Some(session) = of(i) {
            members.entry(session).or_default().push(at);
        }
    }
    let mut large: Vec<(&str, Vec<usize>)> = members
        .into_iter()
        .filter(|(_, m)| m.len() >= SESSION)
        .collect();
    large.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(b.0)));
    large.truncate(SESSIONS);
    if large.len() < 2 {
        opinion.drafts.push(
            not_assessable(
                id,
                "Whether sessions separate as well as the label was not assessed: fewer than two are known with enough images.",
                format!("--group or --domain, with at least {SESSION} images in each of two"),
            )
            .into(),
        );
        return Ok(());
    }
    let mut chosen: Vec<(usize, u32)> = large
        .iter()
        .enumerate()
        .flat_map(|(session, (_, m))| m.iter().map(move |&at| (at, session as u32)))
        .collect();
    chosen.sort_unstable();
    let Asked::Class(labels, _) = &question.asked else {
        return Ok(());
    };
    let rows: Vec<usize> = chosen.iter().map(|c| question.rows[c.0]).collect();
    let units = Units::independent(rows.len());
    let data: Vec<f64> = chosen
        .iter()
        .flat_map(|c| matrix.row(c.0).iter().copied())
        .collect();
    let part = Matrix::new(rows.len(), matrix.columns(), data)?;
    let asked = |numbers: Vec<u32>| -> Option<Question> {
        let mut kinds = numbers.clone();
        kinds.sort_unstable();
        kinds.dedup();
        let numbers: Vec<u32> = numbers
            .iter()
            .map(|v| kinds.partition_point(|k| k < v) as u32)
            .collect();
        let names: Vec<String> = kinds.iter().map(ToString::to_string).collect();
        let folds = Folds::of_classes(&numbers, names.len(), &units, &study.settings(id)).ok()?;
        Some(Question {
            rows: rows.clone(),
            asked: Asked::Class(numbers, names),
            units: units.clone(),
            folds,
            caveats: Vec::new(),
        })
    };
    let session = asked(chosen.iter().map(|c| c.1).collect());
    let label = asked(chosen.iter().map(|c| labels[c.0]).collect());
    let (Some(session), Some(label)) = (session, label) else {
        opinion.drafts.push(
            not_assessable(
                id,
                "Whether sessions separate as well as the label was not assessed: the sessions known hold one class only, or too few images of another.",
                "sessions that hold images of two classes",
            )
            .into(),
        );
        return Ok(());
    };
    let (said, label_said) = (session.probe(&part)?, label.probe(&part)?);
    compare(
        study,
        id,
        &format!(
            "{} from one another, image by image",
            words::counted(large.len(), "session", "sessions")
        ),
        (&label, &label_said),
        (&session, &said),
        opinion,
    )
}

/// Weights of a smooth curve at each channel: a parabola fitted to the channels around by weighted least squares, the weights a
/// Gaussian. Parabolas pass unchanged, at the ends too.
fn smoother(channels: usize) -> Vec<Vec<f64>> {
    let sigma = (SMOOTH * channels as f64).max(1.5);
    (0..channels)
        .map(|c| {
            let at = |other: usize| (other as f64 - c as f64) / sigma;
            let weight = |other: usize| (-0.5 * at(other).powi(2)).exp();
            // Normal equations of 1, t, t²: moments of t under the weights.
            let m = [0, 1, 2, 3, 4]
                .map(|power| -> f64 { (0..channels).map(|o| weight(o) * at(o).powi(power)).sum() });
            // First row of the inverse of [[m0, m1, m2], [m1, m2, m3], [m2, m3, m4]], up to the determinant.
            let a = m[2] * m[4] - m[3] * m[3];
            let b = m[2] * m[3] - m[1] * m[4];
            let d = m[1] * m[3] - m[2] * m[2];
            let determinant = m[0] * a + m[1] * b + m[2] * d;
            (0..channels)
                .map(|o| weight(o) * (a + b * at(o) + d * at(o).powi(2)) / determinant)
                .collect()
        })
        .collect()
}

/// Smooth part and residual of each spectrum.
fn parted(spectrum: &Embedded, question: &Question) -> Result<(Matrix, Matrix)> {
    let channels = spectrum.width();
    let smoother = smoother(channels);
    let (mut smooth, mut residual) = (Vec::new(), Vec::new());
    for &row in &question.rows {
        let values = spectrum.row(row).unwrap_or(&[]);
        for (value, weights) in values.iter().zip(&smoother) {
            let fitted: f64 = values
                .iter()
                .zip(weights)
                .map(|(v, w)| f64::from(*v) * w)
                .sum();
            smooth.push(fitted);
            residual.push(f64::from(*value) - fitted);
        }
    }
    let n = question.rows.len();
    Ok((
        Matrix::new(n, channels, smooth)?,
        Matrix::new(n, channels, residual)?,
    ))
}

/// Correlation of neighbouring channels over all rows, each channel less its mean: Σ d(c)·d(c+1) over Σ of their mean squares; 0
/// where nothing varies.
fn neighbours(residual: &Matrix) -> f64 {
    let (n, channels) = (residual.rows(), residual.columns());
    let means: Vec<f64> = (0..channels)
        .map(|c| (0..n).map(|r| residual.row(r)[c]).sum::<f64>() / n.max(1) as f64)
        .collect();
    let (mut together, mut alone) = (0.0, 0.0);
    for r in 0..n {
        let row = residual.row(r);
        for c in 0..channels.saturating_sub(1) {
            let (a, b) = (row[c] - means[c], row[c + 1] - means[c + 1]);
            together += a * b;
            alone += 0.5 * (a * a + b * b);
        }
    }
    if alone > 0.0 { together / alone } else { 0.0 }
}

/// One comparison: how far the label gets beyond what holds no chemistry, on the same images.
fn compare(
    study: &Study<'_>,
    id: &str,
    what: &str,
    label: (&Question, &Said),
    other: (&Question, &Said),
    opinion: &mut Opinion,
) -> Result<()> {
    let ones = vec![1.0; label.0.rows.len()];
    let skill = |(question, said): (&Question, &Said), w: &[f64]| {
        question.score(said, w).map(|s| question.skill(s))
    };
    let settings = study.settings(id).range(-2.0, 2.0);
    let lead: Estimate = statistic(&label.0.units, &settings, &mut |w| {
        Some(skill(label, w)? - skill(other, w)?)
    })?;
    let alone = other
        .0
        .estimate(study, &format!("{id}/alone"), other.1, true)?;
    let of_label = skill(label, &ones).unwrap_or(0.0);
    let mut finding = Finding::new(id);
    finding.claim = format!(
        "The same probe of mean spectra tells {what}: {} of the way from chance to all right; for the label it is {}.{}",
        Form::Percent.estimate(&alone),
        words::percent(of_label),
        if alone.low > 0.0 && lead.high < LEAD.warn {
            " It separates as well as the label does, so accuracy on these data does not prove that chemistry was read."
        } else if alone.low > 0.0 {
            ""
        } else {
            " It was not shown to separate at all."
        }
    );
    "fraction".clone_into(&mut finding.unit);
    finding.caveats.clone_from(&label.0.caveats);
    finding.caveats.push(format!(
        "judged: how much further the label gets, {}; it warns where that is under {} and the other is shown to separate",
        Form::Points.short(&lead),
        words::percent(LEAD.warn)
    ));
    if id.ends_with("[residual]") {
        finding.caveats.push(
            "narrow bands are chemistry, too, and stay in the residual: look at which bands it is"
                .to_owned(),
        );
    }
    finding.remedy = Some(
        "Test on another session, instrument and day; a claim of chemistry needs bands that are known beforehand.".to_owned(),
    );
    finding.evidence.sql = Some(
        "SELECT i.image, i.truth, i.group_id, f.* FROM 'embeddings/features/spectrum.parquet' f JOIN 'items.parquet' i USING (row)".to_owned(),
    );
    // Sessions are few, and images of one are not independent of each other: it says something of these sessions and no others.
    let these_only = id.ends_with("[session]");
    if these_only {
        finding.caveats.push(
            "these sessions only: the interval is over images within them, so this never passes"
                .to_owned(),
        );
    }
    let mut finding = with_estimate(finding, &lead, study);
    finding.threshold = Some(LEAD);
    finding.better = Better::Higher;
    opinion.drafts.push(Draft {
        finding,
        ground: Ground::Bounds {
            low: if these_only {
                f64::NEG_INFINITY
            } else {
                lead.low
            },
            high: lead.high,
            enough: lead.enough,
            may_warn: alone.low > 0.0,
        },
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parabolas_are_smooth_and_ripples_are_not() {
        for channels in [8, 40, 234] {
            let apply = |f: &dyn Fn(f64) -> f64| -> Vec<f64> {
                smoother(channels)
                    .iter()
                    .map(|w| w.iter().enumerate().map(|(c, w)| w * f(c as f64)).sum())
                    .collect()
            };
            let parabola = |c: f64| 2.0 - 0.3 * c + 0.01 * c * c;
            for (c, v) in apply(&parabola).iter().enumerate() {
                assert!((v - parabola(c as f64)).abs() < 1e-8, "{channels} {c}");
            }
            let ripple = apply(&|c| {
                if (c as usize).is_multiple_of(2) {
                    1.0
                } else {
                    -1.0
                }
            });
            let middle = ripple[channels / 2].abs();
            assert!(middle < 0.2, "{channels}: {middle}");
        }
    }

    #[test]
    fn noise_has_no_neighbours_and_bands_have() {
        let mut stream = transect_core::Stream::new(3, "prior/neighbours", &[]);
        let noise: Vec<f64> = (0..50 * 40).map(|_| stream.normal()).collect();
        let noise = Matrix::new(50, 40, noise).expect("a matrix");
        assert!(neighbours(&noise).abs() < 0.1);
        let bands: Vec<f64> = (0..50)
            .flat_map(|_| {
                let height = stream.normal();
                (0..40).map(move |c| height * (-0.5 * ((f64::from(c) - 20.0) / 2.0).powi(2)).exp())
            })
            .collect();
        let bands = Matrix::new(50, 40, bands).expect("a matrix");
        assert!(neighbours(&bands) > 0.6);
    }

    #[test]
    fn halves_do_not_go_with_the_label() {
        let labels: Vec<u32> = (0..40).map(|i| u32::from(i >= 25)).collect();
        let by: Vec<f64> = (0..40).map(f64::from).collect();
        let pseudo = halves(&labels, &by);
        for class in 0..2 {
            let second = (0..40)
                .filter(|&i| labels[i] == class && pseudo[i] == 1)
                .count();
            let all = labels.iter().filter(|l| **l == class).count();
            assert!(second == all / 2 || second == all.div_ceil(2));
        }
    }
}
