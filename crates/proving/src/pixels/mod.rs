//! Whole audits from pixels: planted models on images with known truth, and the same with the flaw turned off.
//!
//! The simulated tables of [`crate::audits`] say how often a mode is wrong; these say that what it is fed is what such tables
//! stand for.

mod audit;
mod cases;
mod images;
#[expect(clippy::cast_possible_wrap, reason = "sizes of small tensors")]
mod models;
mod page;

use std::collections::BTreeMap;
use std::io;
use std::time::Instant;

use transect_anatomy::Judged;
use transect_core::{Finding, Verdict};

use crate::runs::{Options, Verdicts, place, seed, within};

pub use audit::{Told, audit};
pub use cases::{Case, Expected, Model, Setup, Sign, all};
pub use images::{Scenario, write as write_images, write_scenes};
pub use models::{Reader, Region, Segmenter, logit};

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
    /// What they say.
    pub verdicts: Verdicts,
    /// Audits with an estimate.
    pub estimates: usize,
    /// Sum of the estimates.
    pub sum: f64,
    /// Seconds of all audits, images and models written, measured and judged.
    pub seconds: f64,
    /// Primary findings that failed, of whatever id, and in how many audits.
    pub failed: BTreeMap<String, usize>,
}

impl Row {
    /// Whether this is asked for: found in a share of at least 0.95 with the flaw, at most 0.05 without, as far as the 99%
    /// Clopper–Pearson interval tells.
    ///
    /// # Errors
    /// When there were no audits.
    pub fn met(&self) -> io::Result<bool> {
        let (low, high) = within(self.found, self.audits)?;
        Ok(if self.variant == "planted" {
            high >= 0.95
        } else {
            low <= 0.05
        })
    }

    /// Mean estimate, where there is one.
    pub fn estimate(&self) -> Option<f64> {
        (self.estimates > 0).then(|| self.sum / self.estimates as f64)
    }

    /// The primary findings that failed in words, such as `bias.worst_slice 1; metric.separation 2`.
    pub fn failed_words(&self) -> String {
        let failed: Vec<String> = self
            .failed
            .iter()
            .map(|(id, n)| format!("{id} {n}"))
            .collect();
        failed.join("; ")
    }
}

/// One audit of a setup. Its seed is the same with the flaw and without: what differs is the flaw.
///
/// # Errors
/// When a file cannot be written, or the audit cannot be made.
pub fn one(id: &str, setup: &Setup, number: usize, jobs: usize) -> io::Result<Judged> {
    let seed = seed("proving/pixels", id, number);
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

/// Whether a finding says what a flaw must bring.
pub fn says(finding: &Finding, sign: Sign) -> bool {
    match sign {
        Sign::Fails => finding.verdict == Verdict::Fail,
        Sign::Warns => matches!(finding.verdict, Verdict::Fail | Verdict::Warn),
        Sign::AtMost(most) => finding.estimate.is_some_and(|e| e <= most),
    }
}

/// The rows of a variant that has not been audited yet: one for each finding, and one for any primary where nothing is wrong.
fn empty(case: &Case, variant: &str) -> Vec<Row> {
    let any = (variant == "control" && case.clean).then_some("any");
    let findings = case.expected.iter().map(|e| e.finding).chain(any);
    findings
        .map(|finding| Row {
            case: case.id.to_owned(),
            variant: variant.to_owned(),
            finding: finding.to_owned(),
            audits: 0,
            found: 0,
            verdicts: [0; 5],
            estimates: 0,
            sum: 0.0,
            seconds: 0.0,
            failed: BTreeMap::new(),
        })
        .collect()
}

/// Counts one more audit.
fn count(row: &mut Row, case: &Case, judged: &Judged, seconds: f64) {
    row.audits += 1;
    row.seconds += seconds;
    let failing = judged.findings.iter();
    for finding in failing.filter(|f| f.verdict == Verdict::Fail) {
        *row.failed.entry(finding.id.clone()).or_default() += 1;
    }
    let Some(expected) = case.expected.iter().find(|e| e.finding == row.finding) else {
        let any = judged.findings.iter().any(|f| f.verdict == Verdict::Fail);
        row.verdicts[if any { 0 } else { 4 }] += 1;
        row.found += usize::from(any);
        return;
    };
    let finding = judged.findings.iter().find(|f| f.id == row.finding);
    row.verdicts[finding.map_or(4, |f| place(f.verdict))] += 1;
    row.found += usize::from(finding.is_some_and(|f| says(f, expected.sign)));
    if let Some(estimate) = finding.and_then(|f| f.estimate) {
        row.estimates += 1;
        row.sum += estimate;
    }
}

/// Goes on with every case and variant that does not have as many audits yet, and writes both files after each audit. Gives the
/// number of rows that miss what is asked for.
///
/// # Errors
/// When a file cannot be written, or an audit cannot be made.
pub fn run(options: &Options, say: &mut dyn FnMut(&str)) -> io::Result<usize> {
    std::fs::create_dir_all(&options.out)?;
    let csv = options.out.join("pixels.csv");
    let before = page::read(&csv)?;
    let cases = all();
    let mut work = Vec::new();
    for case in &cases {
        let variants = [
            ("planted", case.planted.as_ref()),
            ("control", Some(&case.control)),
        ];
        for (variant, setup) in variants {
            let Some(setup) = setup else { continue };
            let mut rows = empty(case, variant);
            let known: Vec<Option<&Row>> = rows
                .iter()
                .map(|row| {
                    before.iter().find(|r| {
                        (&r.case, &r.variant, &r.finding) == (&row.case, &row.variant, &row.finding)
                    })
                })
                .collect();
            let audits = known.first().and_then(|r| r.map(|r| r.audits));
            let kept = !(options.anew && options.wanted(case.id));
            let alike = known.iter().all(|r| r.map(|r| r.audits) == audits);
            if kept && alike && audits.is_some() {
                rows = known.into_iter().flatten().cloned().collect();
            }
            work.push((case, variant, setup, rows));
        }
    }
    for place in 0..work.len() {
        let (case, variant, setup) = (work[place].0, work[place].1, work[place].2);
        let began = Instant::now();
        while options.wanted(case.id) && began.elapsed().as_secs_f64() < options.seconds {
            let number = work[place].3.first().map_or(options.audits, |r| r.audits);
            if number >= options.audits {
                break;
            }
            let one_began = Instant::now();
            let judged = one(case.id, setup, number, options.jobs)?;
            let seconds = one_began.elapsed().as_secs_f64();
            for row in &mut work[place].3 {
                count(row, case, &judged, seconds);
                say(&format!(
                    "{:14} {variant:8} {:38} found {:3} of {}  {seconds:.1} s; failed: {}",
                    row.case,
                    row.finding,
                    row.found,
                    row.audits,
                    row.failed_words()
                ));
            }
            write(options, &there(&work), &cases)?;
        }
    }
    let rows = there(&work);
    write(options, &rows, &cases)?;
    let mut missed = 0;
    for row in &rows {
        missed += usize::from(!row.met()?);
    }
    Ok(missed)
}

/// The rows that were audited.
fn there(work: &[(&Case, &str, &Setup, Vec<Row>)]) -> Vec<Row> {
    let rows = work.iter().flat_map(|w| &w.3);
    rows.filter(|row| row.audits > 0).cloned().collect()
}

fn write(options: &Options, rows: &[Row], cases: &[Case]) -> io::Result<()> {
    page::write(&options.out.join("pixels.csv"), rows)?;
    std::fs::write(options.out.join("pixels.md"), page::markdown(rows, cases)?)
}
