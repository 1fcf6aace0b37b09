//! Power and false alarms of every failure mode, from simulated tables with planted flaws of graded strength.

mod cases;
mod page;

use std::fs;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use transect_anatomy::judge_only;
use transect_core::Verdict;
use transect_table::MemoryTables;

use crate::runs::{Options, Verdicts, place, seed, within};

/// What a case must show of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// A flaw of material strength: at least 95% fail, at most 5% pass.
    Power,
    /// A flaw beyond the threshold to warn: at most 5% pass; no share of failures is asked for.
    Curve,
    /// θ from the threshold to warn to that to fail, both included: at most 5% fail, at most 5% pass.
    Between,
    /// What is no flaw, whatever it looks like: at most 5% fail.
    FalseAlarm,
}

impl Aim {
    fn word(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Curve => "curve",
            Self::Between => "between",
            Self::FalseAlarm => "false alarm",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        [Self::Power, Self::Curve, Self::Between, Self::FalseAlarm]
            .into_iter()
            .find(|aim| aim.word() == word)
    }
}

/// One case: a way to make tables, and the findings that are looked at.
pub struct Case {
    /// Such as `shift/harm=0.20/n=200`.
    pub id: String,
    /// Findings and what each must show; `any` for any primary finding of the audit.
    pub looks: Vec<(&'static str, Aim)>,
    /// The modes that are judged, and whose primaries are the family; all of them for none.
    pub modes: &'static [&'static str],
    /// Tables of one simulated run.
    pub tables: Box<dyn Fn(u64) -> MemoryTables + Sync>,
}

/// What the audits of a case say of one finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Case.
    pub id: String,
    /// Finding.
    pub finding: String,
    /// What it must show.
    pub aim: Aim,
    /// Simulated audits.
    pub audits: usize,
    /// What they say.
    pub verdicts: Verdicts,
}

impl Row {
    /// Whether the 99% Monte Carlo interval of each share meets what is asked for.
    ///
    /// # Errors
    /// When there were no audits.
    pub fn met(&self) -> io::Result<bool> {
        let (fail_low, fail_high) = within(self.verdicts[0], self.audits)?;
        let (pass_low, _) = within(self.verdicts[2], self.audits)?;
        let passes_rarely = pass_low <= 0.05;
        let fails_rarely = fail_low <= 0.05;
        Ok(match self.aim {
            Aim::Power => fail_high >= 0.95 && passes_rarely,
            Aim::Curve => passes_rarely,
            Aim::Between => fails_rarely && passes_rarely,
            Aim::FalseAlarm => fails_rarely,
        })
    }
}

/// The verdict of each look in one simulated audit.
fn audit(case: &Case, number: usize) -> transect_core::Result<Vec<usize>> {
    let tables = (case.tables)(seed("proving/audits", &case.id, number));
    let judged = judge_only(&tables, case.modes)?;
    let of = |finding: &str| {
        if finding == "any" {
            let failed = judged.findings.iter().any(|f| f.verdict == Verdict::Fail);
            return if failed { 0 } else { 3 };
        }
        let found = judged.findings.iter().find(|f| f.id == finding);
        found.map_or(4, |f| place(f.verdict))
    };
    Ok(case.looks.iter().map(|(finding, _)| of(finding)).collect())
}

/// What the CSV has of a case; rows with no audits where it has another number of them for each look.
fn known(case: &Case, rows: &[Row]) -> Vec<Row> {
    let mut of_case: Vec<Row> = case
        .looks
        .iter()
        .map(|&(finding, aim)| {
            let before = rows
                .iter()
                .find(|r| r.id == case.id && r.finding == finding);
            Row {
                id: case.id.clone(),
                finding: finding.to_owned(),
                aim,
                audits: before.map_or(0, |r| r.audits),
                verdicts: before.map_or([0; 5], |r| r.verdicts),
            }
        })
        .collect();
    let audits = of_case.first().map_or(0, |r| r.audits);
    if of_case.iter().any(|r| r.audits != audits) {
        for row in &mut of_case {
            (row.audits, row.verdicts) = (0, [0; 5]);
        }
    }
    of_case
}

/// Goes on with a case: audits are numbered, so that ten now and ten later are the twenty that would have been run at once.
fn measure(case: &Case, options: &Options, mut rows: Vec<Row>) -> transect_core::Result<Vec<Row>> {
    let first = rows.first().map_or(0, |r| r.audits);
    let next = AtomicUsize::new(first);
    let said = Mutex::new(Vec::new());
    let failure = Mutex::new(None);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                while began.elapsed().as_secs_f64() < options.seconds {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= options.audits {
                        return;
                    }
                    match audit(case, number) {
                        Ok(places) => {
                            if let Ok(mut said) = said.lock() {
                                said.push(places);
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
    for places in said.into_inner().unwrap_or_default() {
        for (row, place) in rows.iter_mut().zip(places) {
            row.audits += 1;
            row.verdicts[place] += 1;
        }
    }
    Ok(rows)
}

/// Goes on with every case that does not have as many audits yet, and writes both files after each. Gives the number of rows
/// that miss their aim.
///
/// # Errors
/// When a file cannot be written, or a simulated run cannot be judged.
pub fn run(options: &Options, say: &mut dyn FnMut(&str)) -> io::Result<usize> {
    fs::create_dir_all(&options.out)?;
    let csv = options.out.join("audits.csv");
    let before = page::read(&csv)?;
    let cases = cases::all();
    let mut rows: Vec<Vec<Row>> = cases.iter().map(|case| known(case, &before)).collect();
    for (case, rows) in cases.iter().zip(&mut rows) {
        if options.anew && options.wanted(&case.id) {
            for row in rows {
                (row.audits, row.verdicts) = (0, [0; 5]);
            }
        }
    }
    let there = |rows: &[Vec<Row>]| -> Vec<Row> {
        let rows = rows.iter().flatten();
        rows.filter(|row| row.audits > 0).cloned().collect()
    };
    for (place, case) in cases.iter().enumerate() {
        let enough = rows[place].iter().all(|r| r.audits >= options.audits);
        if enough || !options.wanted(&case.id) {
            continue;
        }
        let began = Instant::now();
        let of_case = measure(case, options, rows[place].clone())
            .map_err(|e| io::Error::other(format!("{}: {e}", case.id)))?;
        for row in of_case.iter().filter(|row| row.audits > 0) {
            say(&format!(
                "{:52} {:32} fail {:4} warn {:4} pass {:4} of {}  {:.1} s{}",
                row.id,
                row.finding,
                row.verdicts[0],
                row.verdicts[1],
                row.verdicts[2],
                row.audits,
                began.elapsed().as_secs_f64(),
                if row.met()? { "" } else { "  MISSED" }
            ));
        }
        rows[place] = of_case;
        page::write(&csv, &there(&rows))?;
    }
    let rows = there(&rows);
    page::write(&csv, &rows)?;
    fs::write(options.out.join("audits.md"), page::markdown(&rows)?)?;
    let mut missed = 0;
    for row in &rows {
        missed += usize::from(!row.met()?);
    }
    Ok(missed)
}
