//! Judge, draw, write: tables to findings.json, figures.json, cost.json and report.html.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use transect_core::{
    AUDITED, Finding, Fits, ModelId, Result, Role, Status, TruthRef, Verdict, View,
};
use transect_measure::{Job, render, write_atomically};
use transect_report::{Counts, Failure, Picture, Report};
use transect_table::{Filter, FolderTables, Tables};

use crate::Outcome;
use crate::args::EndArgs;
use crate::console;

/// Pictures of the worst and of typical images.
const PICTURES: usize = 6;

/// Failures that the page lists; the tables hold all.
const FAILURES: usize = 500;

/// `log.jsonl`: what happened when, outside the contract.
pub(crate) struct Log(Option<std::fs::File>);

impl Log {
    pub(crate) fn open(folder: &Path) -> Self {
        Self(
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(folder.join("log.jsonl"))
                .ok(),
        )
    }

    pub(crate) fn note(&self, event: &str, detail: &str) {
        let Some(mut file) = self.0.as_ref() else {
            return;
        };
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_secs());
        let line = serde_json::json!({"unix_s": seconds, "event": event, "detail": detail});
        let _ = writeln!(file, "{line}");
    }
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Judges a run's tables and writes everything that people and machines read.
pub(crate) fn publish(job: &Job, fits: &Fits, out: &Path, end: &EndArgs) -> Outcome {
    let tables = FolderTables::open(out)?;
    let judged = transect_anatomy::judge(&tables)?;
    let (counts, failures) = count(&tables)?;
    let gallery = if job.context.images_alone {
        named(job, fits, &tables, &judged.findings)
    } else {
        gallery(job, fits, &tables)?
    };
    let report = Report {
        title: if job.context.images_alone {
            format!("{} images, without a model", counts.target)
        } else {
            format!("{} on {} images", job.model_name, counts.target)
        },
        generated_by: format!("transect {}", env!("CARGO_PKG_VERSION")),
        run: tables.run().clone(),
        counts,
        headline: judged.headline,
        findings: judged.findings,
        figures: judged.figures,
        gallery,
        failures,
    };
    let findings = transect_report::findings_json(&report);
    write_atomically(&out.join("findings.json"), findings.as_bytes())?;
    write_atomically(&out.join("figures.json"), &json(&report.figures))?;
    // Clocks never say the same twice, and the page is one of the files that do: cost goes to a file of its own.
    write_atomically(&out.join("cost.json"), &json(&judged.outside))?;
    write_atomically(
        &out.join("report.html"),
        transect_report::html(&report).as_bytes(),
    )?;
    if end.json {
        console::result(&findings);
    } else {
        console::result(&summary(&report, &judged.outside, &out.join("report.html")));
    }
    let failed = report.findings.iter().any(|f| {
        end.fail_on.iter().any(|word| {
            matches!(
                (word.as_str(), f.verdict),
                ("fail", Verdict::Fail)
                    | ("warn", Verdict::Warn | Verdict::Fail)
                    | ("undecided", Verdict::Undecided)
            )
        })
    });
    Ok(u8::from(failed))
}

fn summary(report: &Report, outside: &[Finding], page: &Path) -> String {
    let mut lines = Vec::new();
    let headline = &report.headline;
    let answers = [&headline.works, &headline.wrong, &headline.label];
    let questions = transect_core::headline::questions(report.run.context.images_alone);
    for (question, answer) in questions.iter().zip(answers) {
        lines.push(format!("{question}\n  {}", answer.text));
    }
    lines.extend(outside.first().map(|cost| cost.claim.clone()));
    if let Some(first) = report.failures.first() {
        lines.push(format!(
            "Not measured, for example {}: [{}] {}",
            first.image, first.code, first.message
        ));
    }
    lines.push(format!(
        "{} measured, {} failed, {} skipped. Report: {}",
        report.counts.measured,
        report.counts.failed,
        report.counts.skipped,
        page.display()
    ));
    lines.join("\n")
}

/// The audited model's name in the tables: baselines and other variants are no part of what is counted and shown.
fn audited(tables: &FolderTables) -> ModelId {
    let name = if tables.run().context.predictions_only {
        "predictions"
    } else {
        AUDITED
    };
    name.to_owned()
}

fn count(tables: &FolderTables) -> Result<(Counts, Vec<Failure>)> {
    let mut counts = Counts::default();
    let mut failures = Vec::new();
    let mut told: BTreeSet<(u32, String)> = BTreeSet::new();
    for record in tables.items() {
        match record.item.role {
            Role::Reference => counts.reference += 1,
            Role::Target => counts.target += 1,
        }
        if matches!(record.item.truth, TruthRef::Class(_)) && record.truth_class.is_none() {
            counts.outside_classes += 1;
        }
    }
    if tables.run().context.images_alone {
        for record in tables.items() {
            if record.status == Status::Ok {
                counts.measured += 1;
            } else {
                counts.failed += 1;
                if failures.len() < FAILURES {
                    failures.push(Failure {
                        image: record.item.image.clone(),
                        code: record.error_code.clone().unwrap_or_default(),
                        message: record.error.clone().unwrap_or_default(),
                    });
                }
            }
        }
    }
    let filter = Filter {
        model: Some(audited(tables)),
        ..Filter::default()
    };
    tables.scan(&filter, &mut |m| {
        let item = &tables.items()[m.row as usize].item;
        let identity = m.view.kind == transect_core::ViewKind::Identity;
        match m.status {
            Status::Ok if identity => counts.measured += 1,
            Status::Failed if identity => counts.failed += 1,
            Status::Skipped if identity => counts.skipped += 1,
            _ => {}
        }
        if m.status == Status::Failed
            && let Some(code) = &m.error_code
            && failures.len() < FAILURES
            && told.insert((m.row, code.clone()))
        {
            failures.push(Failure {
                image: item.image.clone(),
                code: code.clone(),
                message: m.error.clone().unwrap_or_default(),
            });
        }
        Ok(())
    })?;
    Ok((counts, failures))
}

/// Findings whose images are shown where there is no model, what is written over them, and how many.
const NAMED: [(&str, &str, usize); 5] = [
    ("prior.duplicate_labels", "Duplicates, different truth", 6),
    ("prior.leakage", "On both sides of the split", 6),
    ("prior.suspicious_labels", "Label in doubt", 6),
    ("prior.duplicates", "Duplicates", 4),
    (
        "shift.outside_envelope",
        "Outside of the reference's range",
        4,
    ),
];

/// Images that findings name, each once; of the first stratum two of each part.
fn named(job: &Job, fits: &Fits, tables: &FolderTables, findings: &[Finding]) -> Vec<Picture> {
    let rows: std::collections::BTreeMap<&str, u32> = tables
        .items()
        .iter()
        .map(|i| (i.item.image.as_str(), i.item.row))
        .collect();
    let mut wanted: Vec<(u32, String)> = Vec::new();
    for (id, title, most) in NAMED {
        let of = findings.iter().filter(|f| f.id == id);
        for image in of.flat_map(|f| f.images.iter().take(most)) {
            wanted.extend(rows.get(image.as_str()).map(|row| (*row, title.to_owned())));
        }
    }
    if let Some(stratum) = findings.iter().find(|f| f.id.starts_with("prior.stratum[")) {
        let other = tables
            .items()
            .iter()
            .filter(|i| i.item.role == Role::Target && i.status == Status::Ok)
            .map(|i| &i.item.image)
            .filter(|image| !stratum.images.contains(image));
        for (images, title) in [
            (
                stratum.images.iter().take(2).collect::<Vec<_>>(),
                "Smaller part of a stratum",
            ),
            (other.take(2).collect(), "Larger part of a stratum"),
        ] {
            for image in images {
                wanted.extend(rows.get(image.as_str()).map(|row| (*row, title.to_owned())));
            }
        }
    }
    let mut told = BTreeSet::new();
    let mut pictures = Vec::new();
    for (row, title) in wanted {
        let item = &tables.items()[row as usize].item;
        if !told.insert(row) {
            continue;
        }
        // A picture that cannot be made again is left out; its row is in the tables.
        let Ok(picture) = render(job, row, &View::identity(), fits) else {
            continue;
        };
        let truth = match &item.truth {
            TruthRef::Class(name) => format!("truth {name}"),
            TruthRef::Path(_) => "truth outlined".to_owned(),
            TruthRef::None => String::new(),
        };
        pictures.push(Picture {
            title,
            alt: format!("{} {truth}", item.image),
            caption: truth,
            row,
            image: item.image.clone(),
            png: picture.png,
            note: String::new(),
        });
    }
    pictures
}

/// The worst images of the target and typical ones, by the task's primary metric.
fn gallery(job: &Job, fits: &Fits, tables: &FolderTables) -> Result<Vec<Picture>> {
    let metric = transect_score::metric::primary(job.context.task);
    let column = transect_anatomy::primary_score(&job.context);
    let mut scored: Vec<(f64, f64, u32)> = Vec::new();
    let filter = Filter {
        model: Some(audited(tables)),
        ..Filter::identity()
    };
    tables.scan(&filter, &mut |m| {
        if let Some(score) = column.and_then(|c| m.scores.get(c).copied().flatten())
            && tables.items()[m.row as usize].item.role == Role::Target
        {
            scored.push((score, -m.confidence.unwrap_or(0.0), m.row));
        }
        Ok(())
    })?;
    // Worst first; among equals the most confident, then the manifest's order.
    scored.sort_by(|a, b| {
        a.0.total_cmp(&b.0)
            .then(a.1.total_cmp(&b.1))
            .then(a.2.cmp(&b.2))
    });
    let middle = scored.len() / 2;
    let typical = middle
        .saturating_sub(PICTURES / 2)
        .max(PICTURES.min(scored.len()));
    let wrong = scored.iter().take(PICTURES).filter(|s| s.0 < 1.0);
    let chosen = wrong.map(|s| (s, "Worst")).chain(
        scored
            .iter()
            .skip(typical)
            .take(PICTURES)
            .map(|s| (s, "Typical")),
    );
    let mut pictures = Vec::new();
    for (&(score, _, row), title) in chosen {
        let item = &tables.items()[row as usize].item;
        // A picture that cannot be made again is left out; its row is in the tables.
        let Ok(picture) = render(job, row, &View::identity(), fits) else {
            continue;
        };
        let truth = match &item.truth {
            TruthRef::Class(name) => format!("truth {name}, "),
            _ => String::new(),
        };
        pictures.push(Picture {
            title: title.to_owned(),
            caption: format!("{truth}{}; {} {score:.2}", picture.said, metric.title),
            row,
            image: item.image.clone(),
            png: picture.png,
            note: String::new(),
            alt: format!("{}: {truth}{}", item.image, picture.said),
        });
    }
    Ok(pictures)
}
