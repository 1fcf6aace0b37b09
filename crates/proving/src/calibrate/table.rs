//! The results as CSV and as a page of the book.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use super::Row;

const HEAD: &str = "cell,band,simulations,share,above,below,width,met";

/// Rows of a CSV written before; none when there is no such file.
pub(super) fn read(path: &Path) -> io::Result<Vec<Row>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let row = |line: &str| -> Option<Row> {
        let fields: Vec<&str> = line.split(',').collect();
        Some(Row {
            id: (*fields.first()?).to_owned(),
            band: (*fields.get(1)?).to_owned(),
            simulations: fields.get(2)?.parse().ok()?,
            share: fields.get(3)?.parse().ok()?,
            above: fields.get(4)?.parse().ok()?,
            below: fields.get(5)?.parse().ok()?,
            width: fields.get(6)?.parse().ok()?,
            met: *fields.get(7)? == "yes",
        })
    };
    Ok(text.lines().skip(1).filter_map(row).collect())
}

/// Writes rows done, then rows known from before that are still to come.
pub(super) fn write(path: &Path, rows: &[Row], rest: &BTreeMap<String, Row>) -> io::Result<()> {
    let mut text = format!("{HEAD}\n");
    for row in rows.iter().chain(rest.values()) {
        let met = if row.met { "yes" } else { "no" };
        let _ = writeln!(
            text,
            "{},{},{},{:.5},{:.5},{:.5},{:.5},{met}",
            row.id, row.band, row.simulations, row.share, row.above, row.below, row.width
        );
    }
    fs::write(path, text)
}

/// The page.
pub(super) fn markdown(rows: &[Row], date: &str) -> String {
    let mut sections: Vec<(&str, Vec<&Row>)> = Vec::new();
    for row in rows {
        let section = row.id.split('/').next().unwrap_or_default();
        match sections.iter_mut().find(|(name, _)| *name == section) {
            Some((_, rows)) => rows.push(row),
            None => sections.push((section, vec![row])),
        }
    }
    let mut text = super::cells::INTRODUCTION.to_owned();
    let missed = rows.iter().filter(|row| !row.met).count();
    let _ = writeln!(
        text,
        "\nWritten on {date}. Cells: {}; missed their band: {missed}.",
        rows.len()
    );
    for (name, rows) in sections {
        let _ = writeln!(text, "\n## {name}\n\n{}\n", super::cells::about(name));
        let tests = rows.iter().all(|row| row.band == "≤ 5%");
        if tests {
            text.push_str(
                "| cell | simulations | rejected | band | met |\n|---|---|---|---|---|\n",
            );
        } else {
            text.push_str("| cell | simulations | covered | above the truth | below | mean width | band | met |\n");
            text.push_str("|---|---|---|---|---|---|---|---|\n");
        }
        for row in rows {
            let cell = row.id.split_once('/').map_or("", |(_, rest)| rest);
            let met = if row.met { "yes" } else { "**no**" };
            let share = 100.0 * row.share;
            let _ = if tests {
                writeln!(
                    text,
                    "| {cell} | {} | {share:.1}% | {} | {met} |",
                    row.simulations, row.band
                )
            } else {
                writeln!(
                    text,
                    "| {cell} | {} | {share:.1}% | {:.1}% | {:.1}% | {:.3} | {} | {met} |",
                    row.simulations,
                    100.0 * row.above,
                    100.0 * row.below,
                    row.width,
                    row.band
                )
            };
        }
    }
    text
}
