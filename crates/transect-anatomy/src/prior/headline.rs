//! The first screen where there is no model: what the images and their truth say by themselves.

use transect_core::{Answer, Finding, Headline, Verdict};

use crate::study::Study;
use crate::words;

/// Claims that an answer repeats at most.
const CLAIMS: usize = 4;

/// The three answers of images alone; see [`transect_core::headline::questions`].
pub(crate) fn headline(study: &Study<'_>, findings: &[Finding]) -> Headline {
    Headline {
        works: relied(findings),
        wrong: look(findings),
        label: known(study, findings),
    }
}

fn relied(findings: &[Finding]) -> Answer {
    let of = |verdict: Verdict| findings.iter().filter(move |f| f.verdict == verdict);
    let against: Vec<&Finding> = of(Verdict::Fail)
        .chain(of(Verdict::Warn).filter(|f| !f.id.starts_with("shift.attribute[")))
        .take(CLAIMS)
        .collect();
    let (verdict, lead) = if of(Verdict::Fail).next().is_some() {
        (Verdict::Fail, "Not as they are.")
    } else if !against.is_empty() {
        (Verdict::Warn, "With care.")
    } else if of(Verdict::Undecided).any(|f| f.primary) {
        (
            Verdict::Undecided,
            "Not settled: nothing was shown against them, and too little for them.",
        )
    } else {
        (
            Verdict::Described,
            "Nothing was found against them, as far as images alone tell; of any model this says nothing.",
        )
    };
    let mut text = vec![lead.to_owned()];
    text.extend(against.iter().map(|f| f.claim.clone()));
    Answer {
        verdict,
        text: text.join(" "),
        findings: against.iter().map(|f| f.id.clone()).collect(),
    }
}

/// Findings that name images to be looked at, and what they are named for.
const LOOK: [(&str, &str); 4] = [
    ("prior.duplicate_labels", "pairs with different truth"),
    ("prior.suspicious_labels", "doubtful labels"),
    ("prior.leakage", "images on both sides of the split"),
    (
        "shift.outside_envelope",
        "images outside of what the reference spans",
    ),
];

fn look(findings: &[Finding]) -> Answer {
    let named: Vec<(&Finding, &str)> = LOOK
        .iter()
        .filter_map(|(id, what)| {
            findings
                .iter()
                .find(|f| f.id == *id && !f.images.is_empty())
                .map(|f| (f, *what))
        })
        .collect();
    let parts: Vec<String> = named
        .iter()
        .map(|(f, what)| {
            let shown: Vec<String> = f.images.iter().take(2).cloned().collect();
            format!("{what}, such as {}", words::list(&shown))
        })
        .collect();
    let (verdict, text) = if parts.is_empty() {
        (Verdict::Described, "None stands out by itself.".to_owned())
    } else {
        let text = parts.join("; ");
        (
            Verdict::Described,
            format!("{}.", crate::performance::capital(&text)),
        )
    };
    Answer {
        verdict,
        text,
        findings: named.iter().map(|(f, _)| f.id.clone()).collect(),
    }
}

fn known(study: &Study<'_>, findings: &[Finding]) -> Answer {
    let mut missing: Vec<String> = Vec::new();
    let mut ids = Vec::new();
    for f in findings {
        if let (Verdict::NotAssessable, Some(what)) = (f.verdict, &f.missing) {
            ids.push(f.id.clone());
            if !missing.contains(what) {
                missing.push(what.clone());
            }
        }
    }
    ids.truncate(CLAIMS);
    let mut text = "A model, for everything that is said of one: transect audit.".to_owned();
    if study.context.group.is_none() {
        text.push_str(" What was sampled (--group): without it images are taken for independent.");
    }
    missing.retain(|m| !m.starts_with("nothing"));
    missing.truncate(CLAIMS);
    if !missing.is_empty() {
        text = format!("{text} Beside that: {}.", missing.join("; "));
    }
    Answer {
        verdict: Verdict::Described,
        text,
        findings: ids,
    }
}
