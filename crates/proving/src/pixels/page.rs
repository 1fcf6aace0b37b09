//! The results as CSV and as a page of the book.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use super::Row;
use super::cases::{Case, Sign};
use crate::runs::{fields, read_csv, verdicts, write_csv};

/// Audits of a case and variant that are asked for.
const ENOUGH: usize = 10;

const HEADER: &str =
    "case,variant,finding,audits,found,fail,warn,pass,undecided,other,estimates,sum,seconds,failed";

/// Rows of a CSV that [`write`] wrote; none where there is no file.
pub(super) fn read(path: &Path) -> io::Result<Vec<Row>> {
    let row = |of: &Vec<String>| {
        let failed = of[13].split("; ").filter(|f| !f.is_empty());
        Some(Row {
            case: of[0].clone(),
            variant: of[1].clone(),
            finding: of[2].clone(),
            audits: of[3].parse().ok()?,
            found: of[4].parse().ok()?,
            verdicts: verdicts(&of[5..])?,
            estimates: of[10].parse().ok()?,
            sum: of[11].parse().ok()?,
            seconds: of[12].parse().ok()?,
            failed: failed
                .map(|f| {
                    let (id, n) = f.rsplit_once(' ')?;
                    Some((id.to_owned(), n.parse().ok()?))
                })
                .collect::<Option<_>>()?,
        })
    };
    Ok(read_csv(path, HEADER)?.iter().filter_map(row).collect())
}

/// Writes rows.
pub(super) fn write(path: &Path, rows: &[Row]) -> io::Result<()> {
    let line = |row: &Row| {
        format!(
            "{},{},{},{},{},{},{},{:.4},{:.2},{}",
            row.case,
            row.variant,
            row.finding,
            row.audits,
            row.found,
            fields(row.verdicts),
            row.estimates,
            row.sum,
            row.seconds,
            row.failed_words()
        )
    };
    write_csv(path, HEADER, rows.iter().map(line))
}

/// Audits of all rows and their seconds: each case and variant counts once.
fn audits(rows: &[Row]) -> (usize, f64) {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    let mut sum = (0, 0.0);
    for row in rows {
        let key = (row.case.as_str(), row.variant.as_str());
        if !seen.contains(&key) {
            seen.push(key);
            sum.0 += row.audits;
            sum.1 += row.seconds;
        }
    }
    sum
}

/// The page.
pub(super) fn markdown(rows: &[Row], cases: &[Case]) -> io::Result<String> {
    let mut text = String::from(
        "# Audits from pixels\n\n\
         Simulated tables (`proving audits`) say how often a verdict is wrong. Here the whole way is run on a few: images with known \
         truth are drawn, a model is written whose weights set what it reads, and the standard plan measures and judges it with \
         all modes, 120 reference and 120 target images of 32 × 32 pixels (60 and 60 scenes of 48 × 48 with objects). The class \
         is a shape of four squares, an S or a Z, which no brightness, colour or texture tells. Each flaw has its control: the \
         same images with the good model, so that only the flaw differs.\n\n\
         Asked for: with the flaw the finding is there in at least 95% of audits, without it in at most 5%; where nothing at all \
         is wrong, any primary finding fails in at most 5%. A row misses where the 99% interval (Clopper–Pearson) of its share \
         excludes that: with ten audits, from 3 that do not find a flaw, or 4 false alarms, on. This is a check that the tables \
         are as simulated, and no measurement of small rates.\n\n\
         Made by `cargo run --release -p proving -- pixels --out docs/src/statistics`; this page is written by it.\n\n",
    );
    let mut missed = 0;
    for row in rows {
        missed += usize::from(!row.met()?);
    }
    let clean: Vec<&Row> = rows.iter().filter(|r| r.finding == "any").collect();
    let (alarms, of) = clean
        .iter()
        .fold((0, 0), |(a, n), r| (a + r.found, n + r.audits));
    let (all, seconds) = audits(rows);
    let _ = writeln!(
        text,
        "{all} audits; {missed} of {} rows missed. Any primary finding failed in {alarms} of {of} clean audits. {:.1} s an audit, \
         on a busy machine of two cores.\n",
        rows.len(),
        seconds / all.max(1) as f64
    );
    let fewer = rows.iter().filter(|r| r.audits < ENOUGH).count();
    if fewer > 0 {
        let _ = writeln!(text, "**{fewer} rows have fewer than {ENOUGH} audits.**\n");
    }
    text.push_str(
        "| case | | finding | found in | fail | warn | pass | undecided | other | mean estimate | |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let sign = cases
            .iter()
            .find(|c| c.id == row.case)
            .and_then(|c| c.expected.iter().find(|e| e.finding == row.finding))
            .map(|e| match e.sign {
                Sign::Fails => " fails".to_owned(),
                Sign::Warns => " warns".to_owned(),
                Sign::AtMost(most) => format!(" is at most {most}"),
            });
        let finding = match sign {
            Some(sign) => format!("`{}`{sign}", row.finding),
            None => "any primary fails".to_owned(),
        };
        let [fail, warn, pass, undecided, other] = row.verdicts;
        let _ = writeln!(
            text,
            "| `{}` | {} | {finding} | {} of {} | {fail} | {warn} | {pass} | {undecided} | {other} | {} | {} |",
            row.case,
            row.variant,
            row.found,
            row.audits,
            row.estimate().map_or(String::new(), |e| format!("{e:.3}")),
            if row.met()? { "" } else { "**missed**" }
        );
    }
    text.push_str("\nThe cases:\n\n");
    for case in cases {
        let _ = writeln!(text, "- `{}`: {}.", case.id, case.words);
    }
    text.push_str("\nEvery primary finding that failed, and in how many audits:\n\n| case | | failed |\n|---|---|---|\n");
    let mut last = (String::new(), String::new());
    for row in rows {
        let key = (row.case.clone(), row.variant.clone());
        if key != last {
            let _ = writeln!(
                text,
                "| `{}` | {} | {} |",
                row.case,
                row.variant,
                if row.failed.is_empty() {
                    "none".to_owned()
                } else {
                    row.failed_words()
                }
            );
            last = key;
        }
    }
    Ok(text)
}
