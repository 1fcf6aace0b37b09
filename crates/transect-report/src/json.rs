//! `findings.json`.

use serde::Serialize;
use transect_core::{Digest, Finding, Headline};

use crate::Report;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    generated_by: &'a str,
    model: Model<'a>,
    data: Data,
    headline: &'a Headline,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Model<'a> {
    sha256: Option<Digest>,
    name: &'a str,
}

#[derive(Serialize)]
struct Data {
    sha256: Digest,
    images: u64,
    reference: u64,
    target: u64,
    measured: u64,
    failed: u64,
    skipped: u64,
    outside_classes: u64,
}

/// A finding without numbers that JSON cannot hold. `null` takes their place where one number is meant; a threshold
/// needs both its numbers.
fn sound(finding: &Finding) -> Finding {
    let mut finding = finding.clone();
    finding.estimate = finding.estimate.filter(|v| v.is_finite());
    finding.interval = finding.interval.filter(|i| i.iter().any(|v| v.is_finite()));
    finding.groups = finding.groups.filter(|v| v.is_finite());
    finding.threshold = finding
        .threshold
        .filter(|t| t.warn.is_finite() && t.fail.is_finite());
    finding.p = finding.p.filter(|v| v.is_finite());
    finding.p_adjusted = finding.p_adjusted.filter(|v| v.is_finite());
    finding
}

pub(crate) fn render(report: &Report) -> String {
    let counts = report.counts;
    let document = Document {
        schema: "transect/findings/1",
        generated_by: &report.generated_by,
        model: Model {
            sha256: report.run.model_sha256,
            name: &report.run.model_name,
        },
        data: Data {
            sha256: report.run.data_sha256,
            images: counts.reference + counts.target,
            reference: counts.reference,
            target: counts.target,
            measured: counts.measured,
            failed: counts.failed,
            skipped: counts.skipped,
            outside_classes: counts.outside_classes,
        },
        headline: &report.headline,
        findings: report.findings.iter().map(sound).collect(),
    };
    // A struct of strings and numbers always serialises.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}
