//! The first screen: three questions and their answers, from findings alone.

use std::collections::BTreeMap;

use transect_core::{Answer, Finding, Headline, Role, Verdict};
use transect_score::metric;
use transect_stats::{Estimate, difference_of_means, difference_of_rates};

use crate::performance;
use crate::study::Study;
use crate::words::{self, Form};

/// Images that give a rate to ± 5 points in the worst case (a rate of one half): 1.96² · 0.25 / 0.05².
const WORST_CASE: u64 = 385;
/// Half width of an interval that is held to be narrow enough.
const WIDTH: f64 = 0.05;

/// The three answers. Undecided is never said to be well; robustness tells of images that were changed, so it never colours
/// whether the model works on the images as they are.
pub(crate) fn answer(study: &Study<'_>, findings: &[Finding]) -> Headline {
    if study.context.images_alone {
        return crate::prior::headline(study, findings);
    }
    let find = |id: &str| findings.iter().find(|f| f.id == id);
    let primary = format!(
        "performance.{}",
        performance::primary_metric(study.context).name
    );
    let score = find(&primary);
    let harm = find("shift.harm");
    let shift = find("shift.classifier_auc");
    Headline {
        works: works(study, score, harm, shift),
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

/// Share of the target's images that may be without a score before a pass is no longer said: the margin of harm.
const UNSCORED: f64 = 0.05;

fn works(
    study: &Study<'_>,
    score: Option<&Finding>,
    harm: Option<&Finding>,
    shift: Option<&Finding>,
) -> Answer {
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
    let unclaimed = score.is_some_and(|f| f.verdict == Verdict::Described);
    if scored {
        // What is in no metric is not known to be right.
        let counts = study.counts(Role::Target);
        let share = |n: u64| n as f64 / counts.rows.max(1) as f64;
        if share(counts.outside) > UNSCORED {
            verdicts.push(Verdict::Warn);
            texts.push(format!(
                "{} of {} are of classes that it does not have: it gets each of them wrong, and the score leaves them out.",
                counts.outside,
                words::images(counts.rows as usize)
            ));
            findings.push("performance.outside_classes".to_owned());
        }
        let lost = counts.failed + counts.skipped;
        if share(lost) > UNSCORED {
            verdicts.push(Verdict::Undecided);
            texts.push(format!(
                "{lost} of {} could not be scored, and nothing is known of them.",
                words::images(counts.rows as usize)
            ));
        }
    }
    // Not to be worse than on the reference is no answer where nothing was claimed.
    let verdict = match worst(&verdicts) {
        Verdict::Pass if unclaimed => Verdict::Described,
        verdict => verdict,
    };
    let only_harm = harm.is_some_and(|f| f.verdict == verdict)
        && score.is_some_and(|f| matches!(f.verdict, Verdict::Pass | Verdict::Described));
    let as_well = harm.is_some_and(|f| f.verdict == Verdict::Pass);
    let lead = match verdict {
        Verdict::Pass => "Yes, as far as these images tell.",
        Verdict::Fail | Verdict::Warn if only_harm => "Worse than on the reference.",
        Verdict::Warn => "Doubtful.",
        Verdict::Fail => "No.",
        Verdict::Undecided => "Not settled.",
        Verdict::NotAssessable => "Cannot be told.",
        Verdict::Described if as_well => {
            "No worse than on the reference, by more than the margin; nothing was claimed to hold it against."
        }
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
    for (noun, id, name) in weakest(study) {
        let Some(f) = findings.iter().find(|f| f.id == id) else {
            continue;
        };
        let value = f.estimate.unwrap_or_default();
        let images = words::images(f.n as usize);
        let score = if f.unit == "fraction" {
            format!("right on {} of {images}", words::percent(value))
        } else {
            format!("{} on {images}", words::number(value))
        };
        add(f, format!("Above all {noun} {name}: {score}."));
    }
    // The least sure fifth says something only where it holds more of the errors than a fifth.
    if let Some(f) = findings
        .iter()
        .find(|f| f.id == "calibration.errors_in_least_sure")
        .filter(|f| {
            f.interval
                .is_some_and(|[low, _]| low > 0.2 + 0.5 / study.scored(Role::Target).len() as f64)
        })
    {
        add(f, f.claim.clone());
    }
    carried(findings, &mut add);
    associated(findings, &mut add);
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

/// A share of `whole` with its bounds: `19% (13–26%)`, `more than all of it (112%, 80–140%)`.
fn share(f: &Finding, whole: &str) -> String {
    let value = words::percent(f.estimate.unwrap_or_default());
    let range = f.interval.map(|[low, high]| Form::Percent.range(low, high));
    match (f.estimate.is_some_and(|e| e > 1.0), range) {
        (true, Some(range)) => format!("more than all of {whole} ({value}, {range})"),
        (true, None) => format!("more than all of {whole} ({value})"),
        (false, Some(range)) if whole == "it" => format!("{value} ({range})"),
        (false, Some(range)) => format!("{value} ({range}) of {whole}"),
        (false, None) => value,
    }
}

/// What is about in brackets: `noise` of `shift.carries[noise]`.
fn about(f: &Finding) -> &str {
    f.id.split_once('[')
        .map_or("", |(_, name)| name.trim_end_matches(']'))
}

/// Traits that were moved and brought a part of the loss back: named with their share as soon as it is shown to be over 0.
fn carried(findings: &[Finding], add: &mut dyn FnMut(&Finding, String)) {
    let shown = |f: &&Finding| {
        f.id.starts_with("shift.carries[")
            && f.verdict != Verdict::NotAssessable
            && f.groups.is_none_or(|g| g >= 5.5)
            && f.interval.is_some_and(|[low, _]| low > 0.0)
    };
    for f in findings.iter().filter(shown).filter(|f| about(f) != "all") {
        let part = if f.verdict == Verdict::Warn {
            "the loss is carried by it"
        } else {
            "a part of the loss is carried by it"
        };
        add(
            f,
            format!(
                "Images with the {} of the target: {part}, {}.",
                about(f),
                share(f, "it")
            ),
        );
    }
    if let Some(f) = findings
        .iter()
        .filter(shown)
        .find(|f| about(f) == "all" && f.verdict == Verdict::Warn)
    {
        add(
            f,
            format!(
                "Images that look like the target in all that was moved together: {}.",
                share(f, "the loss")
            ),
        );
    }
}

/// Most associations that are named.
const ASSOCIATED: usize = 3;

/// Attributes along which the risk rises or falls within the target: strongest first, and only associated.
fn associated(findings: &[Finding], add: &mut dyn FnMut(&Finding, String)) {
    let mut along: Vec<&Finding> = findings
        .iter()
        .filter(|f| {
            f.id.starts_with("shift.harm_along[")
                && f.groups.is_none_or(|g| g >= 5.5)
                && f.interval
                    .is_some_and(|[low, high]| low > 0.0 || high < 0.0)
        })
        .collect();
    along.sort_by(|a, b| {
        let of = |f: &Finding| f.estimate.unwrap_or_default().abs();
        of(b).total_cmp(&of(a)).then_with(|| a.id.cmp(&b.id))
    });
    for (place, f) in along.iter().take(ASSOCIATED).enumerate() {
        let name = about(f);
        let name = transect_core::attribute::ATTRIBUTES
            .iter()
            .find(|a| a.name == name)
            .map_or(name, |a| a.words);
        let r = f.estimate.unwrap_or_default();
        let text = format!(
            "{} {name} (rank correlation {})",
            if r > 0.0 { "more" } else { "less" },
            words::number(r)
        );
        let last = place + 1 == along.len().min(ASSOCIATED);
        let (lead, end) = (
            if place == 0 {
                "Within the target errors go with "
            } else {
                "and "
            },
            if last {
                ": associated, not shown to cause them."
            } else {
                ","
            },
        );
        add(f, format!("{lead}{text}{end}"));
    }
}

/// Fewest scored images of a part, and of the rest, that are compared.
const FEWEST: usize = 6;

/// A way to part the images: noun, names of the parts, the part of a row.
type Sort<'a> = (
    &'static str,
    &'a [String],
    &'a dyn Fn(usize) -> Option<usize>,
);

/// One part of the scored target images, and the rest.
struct Part {
    noun: &'static str,
    id: String,
    name: String,
    members: Vec<usize>,
    rest: Vec<usize>,
}

/// The class, the domain and the stratum with the lowest score that is shown to lie under the score of the rest, all parts
/// taken together (Bonferroni over every part looked at, 95%): noun, id of its finding and name.
fn weakest(study: &Study<'_>) -> Vec<(&'static str, String, String)> {
    let target = study.scored(Role::Target);
    let primary = performance::primary_metric(study.context).name;
    let by_class = |i: usize| study.rows[i].truth_class.map(|c| c as usize);
    let by_domain = |i: usize| study.rows[i].domain;
    let by_stratum = |i: usize| (!study.strata.is_empty()).then(|| study.rows[i].stratum);
    let sorts: [Sort<'_>; 3] = [
        ("class", &study.context.classes, &by_class),
        ("domain", &study.domains, &by_domain),
        ("stratum", &study.strata, &by_stratum),
    ];
    let mut parts: Vec<Part> = Vec::new();
    for (noun, names, part_of) in sorts {
        for (part, name) in names.iter().enumerate() {
            let (members, rest): (Vec<usize>, Vec<usize>) = target
                .iter()
                .copied()
                .partition(|&i| part_of(i) == Some(part));
            if members.len() >= FEWEST && rest.len() >= FEWEST {
                let id = if noun == "class" {
                    format!("performance.recall[class={name}]")
                } else {
                    format!("performance.{primary}[{noun}={name}]")
                };
                parts.push(Part {
                    noun,
                    id,
                    name: name.clone(),
                    members,
                    rest,
                });
            }
        }
    }
    let looked_at = parts.len() as f64;
    let score =
        |rows: &[usize]| -> Vec<f64> { rows.iter().filter_map(|&i| study.rows[i].score).collect() };
    let mut lowest: BTreeMap<&'static str, (f64, String, String)> = BTreeMap::new();
    for Part {
        noun,
        id,
        name,
        members,
        rest,
    } in parts
    {
        let Some(e) = under_the_rest(study, &id, &members, &rest, looked_at) else {
            continue;
        };
        if !(e.enough && e.high < 0.0) {
            continue;
        }
        let mean = score(&members).iter().sum::<f64>() / members.len() as f64;
        if lowest.get(noun).is_none_or(|known| mean < known.0) {
            lowest.insert(noun, (mean, id, name));
        }
    }
    lowest
        .into_iter()
        .map(|(noun, (_, id, name))| (noun, id, name))
        .collect()
}

/// Score of a part less that of the rest, at the level that holds for all parts looked at together.
fn under_the_rest(
    study: &Study<'_>,
    id: &str,
    members: &[usize],
    rest: &[usize],
    looked_at: f64,
) -> Option<Estimate> {
    let score =
        |rows: &[usize]| -> Vec<f64> { rows.iter().filter_map(|&i| study.rows[i].score).collect() };
    let (a, b) = (score(members), score(rest));
    let (ua, ub) = (study.units(members).ok()?, study.units(rest).ok()?);
    let mut settings = study.settings(&format!("{id}/rest")).range(-1.0, 1.0);
    settings.level = 1.0 - 0.05 / looked_at;
    if a.iter().chain(&b).all(|&s| s == 0.0 || s == 1.0) {
        let right = |scores: &[f64]| -> Vec<bool> { scores.iter().map(|&s| s == 1.0).collect() };
        difference_of_rates(&right(&a), &ua, &right(&b), &ub, &settings).ok()
    } else {
        settings.resamples = (4_000_000 / (a.len() + b.len())).clamp(400, 10_000);
        difference_of_means(&a, &ua, &b, &ub, &settings).ok()
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
    if groups && score.groups.is_some_and(|g| g < 5.5) {
        return Answer {
            verdict: Verdict::Described,
            text: "More groups first: the score is known for these few groups only.".to_owned(),
            findings,
        };
    }
    let half = score.interval.map(|[low, high]| (high - low) / 2.0);
    // ± 0.05 means something for what lies between 0 and 1.
    let unit = metric::metric(
        study.context.task,
        performance::primary_metric(study.context).name,
    )
    .is_some_and(|m| m.range == (0.0, 1.0));
    let needed = half
        .filter(|_| unit)
        .map(|half| ((score.n as f64) * (half / WIDTH).powi(2)).ceil() as u64);
    let text = match (half, needed) {
        (Some(half), Some(_)) if half <= WIDTH => {
            format!(
                "None more: {} give the score to ± {}.",
                words::images(score.n as usize),
                words::number(half)
            )
        }
        (Some(half), Some(n)) => format!(
            "{}{} images in all would give the score to ± {WIDTH}; with the {} at hand it is known to ± {}.",
            if settled(score) {
                "None more to settle the claim. About "
            } else {
                "About "
            },
            n,
            score.n,
            words::number(half)
        ),
        (Some(half), None) => format!(
            "{} give the score to ± {}.",
            words::images(score.n as usize),
            words::number(half)
        ),
        _ => "One image gives no interval: label more, drawn at random.".to_owned(),
    };
    // A number of images is nothing good or bad; green only where nothing about the score is.
    let verdict = if score.verdict == Verdict::Pass
        && harm.is_none_or(|f| matches!(f.verdict, Verdict::Pass | Verdict::NotAssessable))
    {
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
