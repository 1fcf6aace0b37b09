//! Power and false alarms of every failure mode, from simulated tables with planted flaws of graded strength.

mod cases;
mod page;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use transect_anatomy::judge_only;
use transect_core::{Digest, Verdict};
use transect_stats::clopper_pearson;
use transect_table::MemoryTables;

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Simulated audits a case.
    pub audits: usize,
    /// Only cases whose id begins so; empty for all.
    pub only: String,
    /// Folder of `audits.csv` and `audits.md`.
    pub out: PathBuf,
    /// Threads.
    pub jobs: usize,
}

/// What a case must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// A flaw of material strength: at least 95% fail, at most 5% pass.
    Power,
    /// A flaw below material strength, for the curve: at most 5% pass where it is beyond the threshold to warn; no share of
    /// failures is asked for.
    Curve,
    /// The least favourable null, θ at the threshold to fail, or a clean control: at most 5% fail.
    FalseAlarm,
}

impl Aim {
    fn word(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Curve => "curve",
            Self::FalseAlarm => "false alarm",
        }
    }
}

/// One case: a way to make tables, and the finding that is looked at.
pub struct Case {
    /// Such as `shift.harm/delta=0.20/n=200`.
    pub id: String,
    /// The finding; `any` for any primary finding of the whole audit.
    pub finding: &'static str,
    /// The modes that are judged, and whose primaries are the family; all of them for none.
    pub modes: &'static [&'static str],
    /// What it must show.
    pub aim: Aim,
    /// Tables of one simulated run.
    pub tables: Box<dyn Fn(u64) -> MemoryTables + Sync>,
}

/// Verdicts of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Case.
    pub id: String,
    /// Finding.
    pub finding: String,
    /// What it must show.
    pub aim: String,
    /// Simulated audits.
    pub audits: usize,
    /// Counts of fail, warn, pass, undecided, and all others.
    pub verdicts: [usize; 5],
    /// Whether the 99% Monte Carlo interval of what is asked for meets it.
    pub met: bool,
}

/// The seed of one audit of a case: it hangs on the case's id and the audit's number.
fn seed(id: &str, audit: usize) -> u64 {
    let digest = Digest::of_parts([
        b"proving/audits",
        id.as_bytes(),
        &(audit as u64).to_le_bytes(),
    ]);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest.0[..8]);
    // Seeds of simulations are kept small enough to be written as plain numbers.
    u64::from_le_bytes(bytes) >> 16
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

/// The verdict of one simulated audit.
fn audit(case: &Case, number: usize) -> transect_core::Result<usize> {
    let tables = (case.tables)(seed(&case.id, number));
    let judged = judge_only(&tables, case.modes)?;
    if case.finding == "any" {
        let failed = judged.findings.iter().any(|f| f.verdict == Verdict::Fail);
        return Ok(if failed { 0 } else { 3 });
    }
    Ok(judged
        .findings
        .iter()
        .find(|f| f.id == case.finding)
        .map_or(4, |f| place(f.verdict)))
}

fn measure(case: &Case, options: &Options) -> transect_core::Result<Row> {
    let next = AtomicUsize::new(0);
    let verdicts = Mutex::new([0_usize; 5]);
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= options.audits {
                        return;
                    }
                    match audit(case, number) {
                        Ok(place) => {
                            if let Ok(mut verdicts) = verdicts.lock() {
                                verdicts[place] += 1;
                            }
                        }
                        Err(error) => {
                            if let Ok(mut failure) = failure.lock() {
                                failure.get_or_insert(error);
                            }
                            return;
                        }
                    }
                }
            });
        }
    });
    if let Some(error) = failure.into_inner().unwrap_or(None) {
        return Err(error);
    }
    let verdicts = verdicts.into_inner().unwrap_or_default();
    let n = options.audits as f64;
    let (fail_low, fail_high) = clopper_pearson(verdicts[0] as f64, n, 0.99)?;
    let (pass_low, _) = clopper_pearson(verdicts[2] as f64, n, 0.99)?;
    let met = match case.aim {
        Aim::Power => fail_high >= 0.95 && pass_low <= 0.05,
        Aim::Curve => pass_low <= 0.05,
        Aim::FalseAlarm => fail_low <= 0.05,
    };
    Ok(Row {
        id: case.id.clone(),
        finding: case.finding.to_owned(),
        aim: case.aim.word().to_owned(),
        audits: options.audits,
        verdicts,
        met,
    })
}

/// Runs every case that is not in the CSV with as many audits yet, and writes both files after each. Gives the number of
/// cases that missed their aim.
///
/// # Errors
/// When a file cannot be written, or a simulated run cannot be judged.
pub fn run(options: &Options, say: &mut dyn FnMut(&str)) -> io::Result<usize> {
    fs::create_dir_all(&options.out)?;
    let csv = options.out.join("audits.csv");
    let mut known: BTreeMap<String, Row> = page::read(&csv)?
        .into_iter()
        .map(|row| (row.id.clone(), row))
        .collect();
    let mut rows = Vec::new();
    for case in cases::all() {
        let kept = known
            .remove(&case.id)
            .filter(|row| row.audits >= options.audits || !case.id.starts_with(&options.only));
        let row = match kept {
            Some(row) => row,
            None if case.id.starts_with(&options.only) => {
                let began = std::time::Instant::now();
                let row = measure(&case, options)
                    .map_err(|e| io::Error::other(format!("{}: {e}", case.id)))?;
                say(&format!(
                    "{:60} fail {:4} warn {:4} pass {:4} of {}  {:.1} s{}",
                    row.id,
                    row.verdicts[0],
                    row.verdicts[1],
                    row.verdicts[2],
                    row.audits,
                    began.elapsed().as_secs_f64(),
                    if row.met { "" } else { "  MISSED" }
                ));
                row
            }
            None => continue,
        };
        rows.push(row);
        page::write(&csv, &rows, &known)?;
    }
    page::write(&csv, &rows, &BTreeMap::new())?;
    fs::write(options.out.join("audits.md"), page::markdown(&rows))?;
    Ok(rows.iter().filter(|row| !row.met).count())
}
