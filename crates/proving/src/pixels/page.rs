//! The results as CSV and as a page of the book.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use super::Row;
use super::cases::{Case, Sign};

const HEADER: &str =
    "case,variant,finding,audits,found,fail,warn,pass,undecided,other,estimate,seconds,failed";

/// Rows of a CSV that [`write`] wrote; none where there is no file.
pub(super) fn read(path: &Path) -> io::Result<Vec<Row>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(text.lines().skip(1).filter_map(parsed).collect())
}

fn parsed(line: &str) -> Option<Row> {
    let fields: Vec<&str> = line.split(',').collect();
    if fields.len() != HEADER.split(',').count() {
        return None;
    }
    let mut verdicts = [0; 5];
    for (count, field) in verdicts.iter_mut().zip(&fields[5..10]) {
        *count = field.parse().ok()?;
    }
    Some(Row {
        case: fields[0].to_owned(),
        variant: fields[1].to_owned(),
        finding: fields[2].to_owned(),
        audits: fields[3].parse().ok()?,
        found: fields[4].parse().ok()?,
        verdicts,
        estimate: fields[10].parse().ok(),
        seconds: fields[11].parse().ok()?,
        failed: fields[12].to_owned(),
    })
}

/// Writes rows.
pub(super) fn write(path: &Path, rows: &[Row]) -> io::Result<()> {
    let mut text = String::from(HEADER);
    text.push('\n');
    for row in rows {
        let [fail, warn, pass, undecided, other] = row.verdicts;
        let _ = writeln!(
            text,
            "{},{},{},{},{},{fail},{warn},{pass},{undecided},{other},{},{:.2},{}",
            row.case,
            row.variant,
            row.finding,
            row.audits,
            row.found,
            row.estimate.map_or(String::new(), |e| format!("{e:.4}")),
            row.seconds,
            row.failed
        );
    }
    let temporary = path.with_extension("csv.tmp");
    fs::write(&temporary, text)?;
    fs::rename(temporary, path)
}

/// Audits of all rows: each case and variant counts once.
fn audits(rows: &[Row]) -> usize {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    let mut sum = 0;
    for row in rows {
        let key = (row.case.as_str(), row.variant.as_str());
        if !seen.contains(&key) {
            seen.push(key);
            sum += row.audits;
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
    let seconds: f64 = rows.iter().map(|r| r.seconds).sum::<f64>() / rows.len().max(1) as f64;
    let _ = writeln!(
        text,
        "{} audits; {missed} of {} rows missed. Any primary finding failed in {alarms} of {of} clean audits. {seconds:.1} s an \
         audit, on a busy machine of two cores.\n",
        audits(rows),
        rows.len()
    );
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
            row.estimate.map_or(String::new(), |e| format!("{e:.3}")),
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
                    "none"
                } else {
                    &row.failed
                }
            );
            last = key;
        }
    }
    Ok(text)
}
