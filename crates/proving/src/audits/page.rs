//! The results as CSV and as a page of the book.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use super::Row;

/// Audits a case that the rules of evidence ask for.
const ENOUGH: usize = 2_000;

const HEADER: &str = "case,finding,aim,audits,fail,warn,pass,undecided,other,met";

/// Rows of a CSV that [`write`] wrote; none where there is no file.
pub(super) fn read(path: &Path) -> io::Result<Vec<Row>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(text
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let [
                id,
                finding,
                aim,
                audits,
                fail,
                warn,
                pass,
                undecided,
                other,
                met,
            ] = fields.as_slice()
            else {
                return None;
            };
            let mut verdicts = [0; 5];
            for (count, field) in verdicts
                .iter_mut()
                .zip([fail, warn, pass, undecided, other])
            {
                *count = field.parse().ok()?;
            }
            Some(Row {
                id: (*id).to_owned(),
                finding: (*finding).to_owned(),
                aim: (*aim).to_owned(),
                audits: audits.parse().ok()?,
                verdicts,
                met: *met == "yes",
            })
        })
        .collect())
}

/// Writes rows, and those known from before that are not among them yet.
pub(super) fn write(path: &Path, rows: &[Row], known: &BTreeMap<String, Row>) -> io::Result<()> {
    let mut text = String::from(HEADER);
    text.push('\n');
    for row in rows.iter().chain(known.values()) {
        let [fail, warn, pass, undecided, other] = row.verdicts;
        let _ = writeln!(
            text,
            "{},{},{},{},{fail},{warn},{pass},{undecided},{other},{}",
            row.id,
            row.finding,
            row.aim,
            row.audits,
            if row.met { "yes" } else { "no" }
        );
    }
    let temporary = path.with_extension("csv.tmp");
    fs::write(&temporary, text)?;
    fs::rename(temporary, path)
}

/// The page: what is asked for, and every case.
pub(super) fn markdown(rows: &[Row]) -> String {
    let mut text = String::from(
        "# Power and false alarms\n\n\
         Every case is a simulated run with a planted flaw (or none), judged as a real one is: the tables are drawn, the modes \
         named are judged, and their primary findings are the family of Holm's adjustment. Asked for: a flaw of material strength \
         fails in at least 95% of audits and passes in at most 5%; at the threshold to fail, and where nothing is wrong, at most \
         5% fail. A case misses where the 99% Monte Carlo interval of its share excludes what is asked for.\n\n\
         Made by `cargo run --release -p proving -- audits --out docs/src/statistics`; this page is written by it.\n\n",
    );
    let least = rows.iter().map(|r| r.audits).min().unwrap_or(0);
    if least < ENOUGH {
        let _ = writeln!(
            text,
            "**So far {least} audits a case, where {ENOUGH} are asked for**: a case that is not missed here may still miss then.\n"
        );
    }
    let missed = rows.iter().filter(|r| !r.met).count();
    let _ = writeln!(
        text,
        "{} cases, {missed} of them missed.\n\n| case | finding | asked for | audits | fail | warn | pass | undecided | |\n|---|---|---|---|---|---|---|---|---|",
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
            row.aim,
            row.audits,
            share(row.verdicts[0]),
            share(row.verdicts[1]),
            share(row.verdicts[2]),
            share(row.verdicts[3] + row.verdicts[4]),
            if row.met { "" } else { "**missed**" }
        );
    }
    text
}
