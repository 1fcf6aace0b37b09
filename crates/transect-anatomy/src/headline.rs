//! The first screen: three questions and their answers, from findings alone.

use transect_core::{Answer, Finding, Headline, Role, Verdict};

use crate::performance;
use crate::study::Study;
use crate::words;

/// Images that give a rate to ± 5 points in the worst case (a rate of one half): 1.96² · 0.25 / 0.05².
const WORST_CASE: u64 = 385;
/// Half width of an interval that is held to be narrow enough.
const WIDTH: f64 = 0.05;

/// The three answers. Undecided is never said to be well; robustness tells of images that were changed, so it never colours
/// whether the model works on the images as they are.
pub(crate) fn answer(study: &Study<'_>, findings: &[Finding]) -> Headline {
    let find = |id: &str| findings.iter().find(|f| f.id == id);
    let primary = format!(
        "performance.{}",
        performance::primary_metric(study.context).name
    );
    let score = find(&primary);
    let harm = find("shift.harm");
    let shift = find("shift.classifier_auc");
    Headline {
        works: works(score, harm, shift),
        wrong: wrong(study, findings),
        label: label(study, score, harm),
    }
}

/// The worst of some verdicts: fail, warn, undecided, not assessable; pass only where one passes and no other is worse.
fn worst(verdicts: &[Verdict]) -> Verdict {
    for verdict in [
        Verdict::Fail,
        Verdict::Warn,
        Verdict::Undecided,
        Verdict::Pass,
    ] {
        if verdicts.contains(&verdict) {
            return verdict;
        }
    }
    if verdicts.contains(&Verdict::Described) {
        Verdict::Described
    } else {
        Verdict::NotAssessable
    }
}

fn works(score: Option<&Finding>, harm: Option<&Finding>, shift: Option<&Finding>) -> Answer {
    let mut texts = Vec::new();
    let mut findings = Vec::new();
    let mut verdicts = Vec::new();
    let scored = score.is_some_and(|f| f.verdict != Verdict::NotAssessable);
    if let Some(f) = score {
        findings.push(f.id.clone());
        texts.push(f.claim.clone());
        verdicts.push(f.verdict);
    }
    if let Some(f) = harm.filter(|f| f.verdict != Verdict::NotAssessable) {
        findings.push(f.id.clone());
        verdicts.push(f.verdict);
        texts.push(match f.verdict {
            Verdict::Fail | Verdict::Warn => {
                "It is worse here than on the reference, by more than the margin.".to_owned()
            }
            Verdict::Pass => {
                "It is not worse here than on the reference, by more than the margin.".to_owned()
            }
            _ => "Whether it is worse here than on the reference is not settled.".to_owned(),
        });
    }
    if !scored {
        // Without truth, a shift is a reason to doubt and its absence is none to trust.
        match shift.map(|f| f.verdict) {
            Some(Verdict::Fail | Verdict::Warn) => {
                texts.push(
                    "The images differ from the reference, so its score says little about them."
                        .to_owned(),
                );
                findings.extend(shift.map(|f| f.id.clone()));
                verdicts = vec![Verdict::Warn];
            }
            Some(Verdict::Pass) => {
                texts.push("The images do not differ much from the reference: no known reason to doubt, and no proof.".to_owned());
                findings.extend(shift.map(|f| f.id.clone()));
                verdicts = vec![Verdict::Undecided];
            }
            _ => verdicts = vec![Verdict::NotAssessable],
        }
    }
    let verdict = worst(&verdicts);
    let unclaimed = score.is_some_and(|f| f.verdict == Verdict::Described);
    let lead = match verdict {
        Verdict::Pass if unclaimed => "As well as on the reference, as far as these images tell.",
        Verdict::Pass => "Yes, as far as these images tell.",
        Verdict::Warn => "Doubtful.",
        Verdict::Fail => "No.",
        Verdict::Undecided => "Not settled.",
        Verdict::NotAssessable => "Cannot be told.",
        Verdict::Described => "There is nothing to hold it against.",
    };
    texts.insert(0, lead.to_owned());
    Answer {
        verdict,
        text: texts.join(" "),
        findings,
    }
}

fn wrong(study: &Study<'_>, findings: &[Finding]) -> Answer {
    let mut texts = Vec::new();
    let mut ids = Vec::new();
    let mut add = |f: &Finding, text: String| {
        ids.push(f.id.clone());
        texts.push(text);
    };
    let overall = findings
        .iter()
        .find(|f| {
            f.id == format!(
                "performance.{}",
                transect_score::metric::primary(study.context.task).name
            )
        })
        .and_then(|f| f.estimate);
    // The weakest class, domain or stratum whose whole interval is under the score of all images.
    for (prefix, noun) in [
        ("performance.recall[class=", "class"),
        ("[domain=", "domain"),
        ("[stratum=", "stratum"),
    ] {
        let weakest = findings
            .iter()
            .filter(|f| {
                f.mode == "performance" && f.id.contains(prefix) && !f.id.contains("role=reference")
            })
            .filter(|f| f.interval.zip(overall).is_some_and(|(i, all)| i[1] < all))
            .min_by(|a, b| {
                a.estimate
                    .unwrap_or(1.0)
                    .total_cmp(&b.estimate.unwrap_or(1.0))
                    .then_with(|| a.id.cmp(&b.id))
            });
        if let Some(f) = weakest {
            let name =
                f.id.rsplit_once('=')
                    .map_or("", |(_, name)| name)
                    .trim_end_matches(']');
            let value = f.estimate.unwrap_or_default();
            let images = words::images(f.n as usize);
            let score = if f.unit == "fraction" {
                format!("right on {} of {images}", words::percent(value))
            } else {
                format!("{} on {images}", words::number(value))
            };
            add(f, format!("Above all {noun} {name}: {score}."));
        }
    }
    if let Some(f) = findings
        .iter()
        .find(|f| f.id == "calibration.errors_in_least_sure")
    {
        add(f, f.claim.clone());
    }
    let carries: Vec<&Finding> = findings
        .iter()
        .filter(|f| {
            f.id.starts_with("shift.carries[")
                && f.verdict == Verdict::Warn
                && !f.id.contains("[all]")
        })
        .collect();
    if !carries.is_empty() {
        let names: Vec<String> = carries
            .iter()
            .filter_map(|f| {
                f.id.split_once('[')
                    .map(|(_, name)| name.trim_end_matches(']').to_owned())
            })
            .collect();
        for f in &carries[1..] {
            ids.push(f.id.clone());
        }
        let text = format!(
            "Images whose {} is as in the target: it carries the loss.",
            words::list(&names)
        );
        ids.push(carries[0].id.clone());
        texts.push(text);
    }
    if let Some(f) = findings
        .iter()
        .find(|f| f.id == "performance.outside_classes")
    {
        ids.push(f.id.clone());
        texts.push(format!(
            "Every image of a class that it does not have ({} of {}).",
            (f.estimate.unwrap_or_default() * f.n as f64).round(),
            f.n
        ));
    }
    if texts.is_empty() {
        let scored = study.scored(Role::Target);
        let errors = scored
            .iter()
            .filter(|&&i| study.rows[i].score.is_some_and(|s| s < 1.0))
            .count();
        let (verdict, text) = if scored.is_empty() {
            (
                Verdict::NotAssessable,
                "Cannot be told without truth for some images.".to_owned(),
            )
        } else if errors == 0 {
            (
                Verdict::Described,
                format!("It got none of {} wrong.", words::images(scored.len())),
            )
        } else {
            let lowest = findings
                .iter()
                .filter(|f| f.id.starts_with("performance.recall[class=") && f.n >= 5)
                .filter(|f| f.estimate.zip(overall).is_some_and(|(e, all)| e < all))
                .min_by(|a, b| {
                    let of = |f: &Finding| f.estimate.unwrap_or(1.0);
                    of(a).total_cmp(&of(b)).then_with(|| a.id.cmp(&b.id))
                });
            let so_far = lowest.map_or_else(String::new, |f| {
                ids.push(f.id.clone());
                let name =
                    f.id.rsplit_once('=')
                        .map_or("", |(_, name)| name)
                        .trim_end_matches(']');
                format!(
                    " Lowest so far, and not settled: class {name}, right on {} of {}.",
                    words::percent(f.estimate.unwrap_or_default()),
                    words::images(f.n as usize)
                )
            });
            (
                Verdict::Undecided,
                format!(
                    "No class, domain, trait or confidence was shown to mark them.{so_far} The worst images are in the gallery."
                ),
            )
        };
        return Answer {
            verdict,
            text,
            findings: ids,
        };
    }
    Answer {
        verdict: Verdict::Described,
        text: texts.join(" "),
        findings: ids,
    }
}

fn label(study: &Study<'_>, score: Option<&Finding>, harm: Option<&Finding>) -> Answer {
    let groups = study.context.group.is_some();
    let Some(score) = score.filter(|f| f.verdict != Verdict::NotAssessable && f.n > 0) else {
        return Answer {
            verdict: Verdict::NotAssessable,
            text: format!(
                "About {WORST_CASE} images drawn at random give the score to ± 5 points, whatever it is (95%, images independent); fewer where it is far from one half."
            ),
            findings: Vec::new(),
        };
    };
    let mut findings = vec![score.id.clone()];
    let settled = |f: &Finding| matches!(f.verdict, Verdict::Pass | Verdict::Warn | Verdict::Fail);
    let open: Vec<&Finding> = [Some(score), harm]
        .into_iter()
        .flatten()
        .filter(|f| f.verdict == Verdict::Undecided)
        .collect();
    if let Some(f) = open.first() {
        if f.id != score.id {
            findings.push(f.id.clone());
        }
        let more = if groups {
            ", drawn at random and from as many groups again"
        } else {
            ", drawn at random"
        };
        let text = match (f.n_needed, f.id == score.id) {
            (Some(n), true) => format!(
                "About {n} images in all (there are {}){more}, would settle it if the score stays as it is.",
                f.n
            ),
            (Some(n), false) => format!(
                "About {n} images, target and reference together (there are {}){more}, would settle whether it is worse here, if the scores stay as they are.",
                f.n
            ),
            (None, _) if f.groups.is_some_and(|g| g < 6.0) => {
                "More groups first: no number of further images of the same few groups settles it."
                    .to_owned()
            }
            (None, _) => {
                "No number of images can be named: what was measured lies on the threshold itself."
                    .to_owned()
            }
        };
        return Answer {
            verdict: Verdict::Undecided,
            text,
            findings,
        };
    }
    let half = score.interval.map(|[low, high]| (high - low) / 2.0);
    let needed = half.map(|half| ((score.n as f64) * (half / WIDTH).powi(2)).ceil() as u64);
    let text = match (half, needed) {
        (Some(half), Some(_)) if half <= WIDTH => {
            format!(
                "None more: {} give the score to ± {}.",
                words::images(score.n as usize),
                words::number(half)
            )
        }
        (Some(half), Some(n)) => format!(
            "{}{} images in all would give the score to ± {WIDTH}; the {} there are give it to ± {}.",
            if settled(score) {
                "None more to settle the claim. About "
            } else {
                "About "
            },
            n,
            score.n,
            words::number(half)
        ),
        _ => "The width of the interval is not known.".to_owned(),
    };
    let verdict = if settled(score) {
        Verdict::Pass
    } else {
        Verdict::Described
    };
    Answer {
        verdict,
        text,
        findings,
    }
}
