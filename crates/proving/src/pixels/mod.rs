//! Whole audits from pixels: planted models on images with known truth, and the same with the flaw turned off.
//!
//! The simulated tables of [`crate::audits`] say how often a mode is wrong; these say that what it is fed is what such tables
//! stand for.

mod audit;
mod cases;
mod images;
#[expect(clippy::cast_possible_wrap, reason = "sizes of small tensors")]
mod models;
#[expect(clippy::cast_possible_wrap, reason = "sizes of small tensors")]
mod onnx;
mod page;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use transect_anatomy::Judged;
use transect_core::{Digest, Finding, Verdict};
use transect_stats::clopper_pearson;

pub use audit::{Told, audit};
pub use cases::{Case, Expected, Model, Setup, Sign, all};
pub use images::{Scenario, write as write_images, write_scenes};
pub use models::{Reader, Region, Segmenter, logit};

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Audits with the flaw, and as many without it, for each case.
    pub audits: usize,
    /// Only cases whose id begins so; empty for all.
    pub only: String,
    /// Folder of `pixels.csv` and `pixels.md`.
    pub out: PathBuf,
    /// Threads of an audit.
    pub jobs: usize,
}

/// What the audits of a case say of one finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Case.
    pub case: String,
    /// `planted` or `control`.
    pub variant: String,
    /// Finding; `any` for any primary finding of a clean audit.
    pub finding: String,
    /// Audits.
    pub audits: usize,
    /// Audits that say what a flaw must bring.
    pub found: usize,
    /// Counts of fail, warn, pass, undecided, and all others.
    pub verdicts: [usize; 5],
    /// Mean estimate, where there is one.
    pub estimate: Option<f64>,
    /// Mean seconds of an audit, images and models written, measured and judged.
    pub seconds: f64,
    /// Primary findings that failed, and in how many audits, of whatever id: `bias.worst_slice 1; metric.separation 2`.
    pub failed: String,
}

impl Row {
    /// Whether this is asked for: found in a share of at least 0.95 with the flaw, at most 0.05 without, as far as the 99%
    /// Clopper–Pearson interval tells.
    ///
    /// # Errors
    /// When there were no audits.
    pub fn met(&self) -> io::Result<bool> {
        let (low, high) = clopper_pearson(self.found as f64, self.audits as f64, 0.99)
            .map_err(io::Error::other)?;
        Ok(if self.variant == "planted" {
            high >= 0.95
        } else {
            low <= 0.05
        })
    }
}

/// The seed of one audit of a case, the same with the flaw and without: what differs is the flaw.
fn seed(id: &str, number: usize) -> u64 {
    let digest = Digest::of_parts([
        b"proving/pixels",
        id.as_bytes(),
        &(number as u64).to_le_bytes(),
    ]);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest.0[..8]);
    // Kept small enough to be written as a plain number.
    u64::from_le_bytes(bytes) >> 16
}

/// One audit of a setup.
///
/// # Errors
/// When a file cannot be written, or the audit cannot be made.
pub fn one(id: &str, setup: &Setup, number: usize, jobs: usize) -> io::Result<Judged> {
    let seed = seed(id, number);
    let folder = tempfile::tempdir()?;
    let (data, model) = (folder.path().join("data"), folder.path().join("model"));
    std::fs::create_dir(&data)?;
    std::fs::create_dir(&model)?;
    let mut claims = BTreeMap::new();
    match &setup.model {
        Model::Segmenter(segmenter) => {
            write_scenes(&data, setup.scenario.images, seed)?;
            segmenter.write(&model)?;
        }
        Model::Reader(reader) | Model::Untrained(reader) => {
            write_images(&data, &setup.scenario, seed)?;
            let untrained = matches!(setup.model, Model::Untrained(_)).then_some(seed);
            Reader {
                untrained,
                ..reader.clone()
            }
            .write(&model)?;
            claims.insert("accuracy".to_owned(), 1.0 - setup.scenario.label_noise);
        }
    }
    let told = Told {
        domain: setup.scenario.domains.then(|| "domain".to_owned()),
        claims,
        seed,
        jobs,
    };
    audit(&data, &model, &folder.path().join("out"), &told)
}

fn place(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Fail => 0,
        Verdict::Warn => 1,
        Verdict::Pass => 2,
        Verdict::Undecided => 3,
        Verdict::NotAssessable | Verdict::Described => 4,
    }
}

/// Whether a finding says what a flaw must bring.
pub fn says(finding: &Finding, sign: Sign) -> bool {
    match sign {
        Sign::Fails => finding.verdict == Verdict::Fail,
        Sign::Warns => matches!(finding.verdict, Verdict::Fail | Verdict::Warn),
        Sign::AtMost(most) => finding.estimate.is_some_and(|e| e <= most),
    }
}

/// The rows of a setup: one for each finding, and one for any primary where nothing is wrong.
fn measure(
    case: &Case,
    variant: &str,
    setup: &Setup,
    options: &Options,
    say: &mut dyn FnMut(&str),
) -> io::Result<Vec<Row>> {
    let clean = variant == "control" && case.clean;
    let mut judged = Vec::with_capacity(options.audits);
    let began = Instant::now();
    for number in 0..options.audits {
        judged.push(one(case.id, setup, number, options.jobs)?);
    }
    let seconds = began.elapsed().as_secs_f64() / options.audits.max(1) as f64;
    let mut failed: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in judged.iter().flat_map(|j| &j.findings) {
        if finding.verdict == Verdict::Fail {
            *failed.entry(&finding.id).or_default() += 1;
        }
    }
    let failed: Vec<String> = failed.iter().map(|(id, n)| format!("{id} {n}")).collect();
    let mut rows = Vec::new();
    let row = |finding: &str, found, verdicts, estimate| Row {
        case: case.id.to_owned(),
        variant: variant.to_owned(),
        finding: finding.to_owned(),
        audits: judged.len(),
        found,
        verdicts,
        estimate,
        seconds,
        failed: failed.join("; "),
    };
    for expected in &case.expected {
        let mut verdicts = [0; 5];
        let mut found = 0;
        let mut estimates = Vec::new();
        for of in &judged {
            let finding = of.findings.iter().find(|f| f.id == expected.finding);
            verdicts[finding.map_or(4, |f| place(f.verdict))] += 1;
            found += usize::from(finding.is_some_and(|f| says(f, expected.sign)));
            estimates.extend(finding.and_then(|f| f.estimate));
        }
        let mean =
            (!estimates.is_empty()).then(|| estimates.iter().sum::<f64>() / estimates.len() as f64);
        rows.push(row(expected.finding, found, verdicts, mean));
    }
    if clean {
        let mut verdicts = [0; 5];
        for of in &judged {
            let any = of.findings.iter().any(|f| f.verdict == Verdict::Fail);
            verdicts[if any { 0 } else { 4 }] += 1;
        }
        rows.push(row("any", verdicts[0], verdicts, None));
    }
    for row in &rows {
        say(&format!(
            "{:14} {:8} {:38} found {:3} of {}  estimate {}  {:.1} s an audit; failed: {}",
            row.case,
            row.variant,
            row.finding,
            row.found,
            row.audits,
            row.estimate.map_or("-".to_owned(), |e| format!("{e:.3}")),
            row.seconds,
            row.failed
        ));
    }
    Ok(rows)
}

/// Runs every case that is not in the CSV with as many audits yet, and writes both files after each. Gives the number of rows
/// that miss what is asked for.
///
/// # Errors
/// When a file cannot be written, or an audit cannot be made.
pub fn run(options: &Options, say: &mut dyn FnMut(&str)) -> io::Result<usize> {
    std::fs::create_dir_all(&options.out)?;
    let csv = options.out.join("pixels.csv");
    let mut known = page::read(&csv)?;
    let mut rows: Vec<Row> = Vec::new();
    let cases = all();
    for case in &cases {
        for (variant, setup) in [
            ("planted", case.planted.as_ref()),
            ("control", Some(&case.control)),
        ] {
            let Some(setup) = setup else { continue };
            let (kept, others): (Vec<Row>, Vec<Row>) = known
                .into_iter()
                .partition(|r| r.case == case.id && r.variant == variant);
            known = others;
            let wanted = case.id.starts_with(&options.only);
            let enough = !kept.is_empty() && kept.iter().all(|r| r.audits >= options.audits);
            if !wanted || enough {
                rows.extend(kept);
                continue;
            }
            rows.extend(measure(case, variant, setup, options, say)?);
            let all: Vec<Row> = rows.iter().chain(&known).cloned().collect();
            page::write(&csv, &all)?;
            std::fs::write(
                options.out.join("pixels.md"),
                page::markdown(&rows, &cases)?,
            )?;
        }
    }
    page::write(&csv, &rows)?;
    std::fs::write(
        options.out.join("pixels.md"),
        page::markdown(&rows, &cases)?,
    )?;
    let mut missed = 0;
    for row in &rows {
        missed += usize::from(!row.met()?);
    }
    Ok(missed)
}
