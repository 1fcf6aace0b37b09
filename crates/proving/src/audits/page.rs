//! The results as CSV and as a page of the book.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use super::{Aim, Row};
use crate::runs::{fields, read_csv, verdicts, write_csv};

/// Audits a case that the rules of evidence ask for.
const ENOUGH: usize = 2_000;

const HEADER: &str = "case,finding,aim,audits,fail,warn,pass,undecided,other";

/// Rows of a CSV that [`write`] wrote; none where there is no file.
pub(super) fn read(path: &Path) -> io::Result<Vec<Row>> {
    let row = |of: &Vec<String>| {
        Some(Row {
            id: of[0].clone(),
            finding: of[1].clone(),
            aim: Aim::of_word(&of[2])?,
            audits: of[3].parse().ok()?,
            verdicts: verdicts(&of[4..])?,
        })
    };
    Ok(read_csv(path, HEADER)?.iter().filter_map(row).collect())
}

pub(super) fn write(path: &Path, rows: &[Row]) -> io::Result<()> {
    let line = |row: &Row| {
        format!(
            "{},{},{},{},{}",
            row.id,
            row.finding,
            row.aim.word(),
            row.audits,
            fields(row.verdicts)
        )
    };
    write_csv(path, HEADER, rows.iter().map(line))
}

/// The page: what is asked for, and every case.
pub(super) fn markdown(rows: &[Row]) -> io::Result<String> {
    let mut text = String::from(
        "# Power and false alarms\n\n\
         Every case is a simulated run with a planted flaw (or none), judged as a real one is: the tables are drawn, the modes \
         named are judged, and their primary findings are the family of Holm's adjustment. A row misses where the 99% Monte Carlo \
         interval of a share excludes what is asked for:\n\n\
         | asked for | what is planted | fail | pass |\n|---|---|---|---|\n\
         | power | a flaw of material strength | 95% or more | 5% or less |\n\
         | curve | a flaw beyond the threshold to warn, where no power is promised | | 5% or less |\n\
         | between | a flaw from the threshold to warn to that to fail, both included | 5% or less | 5% or less |\n\
         | false alarm | what is no flaw, whatever it looks like | 5% or less | |\n\n\
         Made by `cargo run --release -p proving -- audits --out docs/src/statistics`, which writes this page. It goes on where it \
         stopped: after some seconds a case it takes the next one, so that cheap cases have more audits than dear ones.\n\n",
    );
    let least = rows.iter().map(|r| r.audits).min().unwrap_or(0);
    let fewer = rows.iter().filter(|r| r.audits < ENOUGH).count();
    if fewer > 0 {
        let _ = writeln!(
            text,
            "**{fewer} of {} rows have fewer than the {ENOUGH} audits that are asked for, the least {least}**: a row that is not missed \
             here may still miss then.\n",
            rows.len()
        );
    }
    let mut missed = 0;
    for row in rows {
        missed += usize::from(!row.met()?);
    }
    let _ = writeln!(
        text,
        "{} rows, {missed} of them missed.\n\n| case | finding | asked for | audits | fail | warn | pass | undecided | |\n|---|---|---|---|---|---|---|---|---|",
        rows.len()
    );
    for row in rows {
        let share =
            |count: usize| format!("{:.1}%", 100.0 * count as f64 / row.audits.max(1) as f64);
        let _ = writeln!(
            text,
            "| `{}` | `{}` | {} | {} | {} | {} | {} | {} | {} |",
            row.id,
            row.finding,
            row.aim.word(),
            row.audits,
            share(row.verdicts[0]),
            share(row.verdicts[1]),
            share(row.verdicts[2]),
            share(row.verdicts[3] + row.verdicts[4]),
            if row.met()? { "" } else { "**missed**" }
        );
    }
    Ok(text)
}
