//! `transect explain`.

use std::fmt::Write;

use transect_core::attribute::ATTRIBUTES;
use transect_core::view::TRAITS;
use transect_core::{Error, Modality, codes};

use crate::Outcome;
use crate::args::ExplainArgs;
use crate::console;
use crate::pages;

/// What can be listed.
const LISTS: [&str; 6] = [
    "codes",
    "modes",
    "findings",
    "corruptions",
    "attributes",
    "traits",
];

pub(crate) fn run(args: &ExplainArgs) -> Outcome {
    let what = args.what.trim();
    let text = match what {
        "codes" => codes::all().fold(String::new(), |mut text, code| {
            let _ = writeln!(text, "{}  {}", code.id, code.title);
            text
        }),
        "modes" => modes(),
        "findings" => pages::findings().to_owned(),
        "corruptions" => transect_optics::corruptions()
            .iter()
            .map(|c| corruption(c.name))
            .collect(),
        "attributes" => ATTRIBUTES.iter().fold(String::new(), |mut text, a| {
            let _ = writeln!(text, "{:<22} {:<12} {}", a.name, a.unit, a.words);
            text
        }),
        "traits" => TRAITS
            .iter()
            .fold(String::new(), |mut text, (name, words)| {
                let _ = writeln!(text, "{name:<14} {words}");
                text
            }),
        name => match named(name) {
            Some(text) => text,
            None => return Err(unknown(name).into()),
        },
    };
    console::result(text.trim_end());
    Ok(0)
}

fn modes() -> String {
    let mut text = String::new();
    for mode in transect_anatomy::modes() {
        let _ = writeln!(text, "{:<14} {}", mode.name, mode.question);
    }
    text
}

/// One thing by its name. A name may stand for several: `noise` is an attribute's and a trait's.
fn named(name: &str) -> Option<String> {
    if let Some(code) = codes::find(name) {
        return Some(format!("{}: {}\n\n{}", code.id, code.title, code.explain));
    }
    if let Some(text) = finding(name) {
        return Some(text);
    }
    let mut parts = Vec::new();
    if let Some(page) = pages::mode(name) {
        parts.push(page.to_owned());
    }
    if transect_optics::corruptions()
        .iter()
        .any(|c| c.name == name)
    {
        parts.push(corruption_page(name));
    }
    if let Some((_, words)) = TRAITS.iter().find(|(t, _)| *t == name) {
        parts.push(format!(
            "Trait {name}: {words}.\nMoved from one image to another by swaps: `transect explain shift.carries`."
        ));
    }
    if let Some(a) = ATTRIBUTES.iter().find(|a| a.name == name) {
        let unit = if a.unit.is_empty() { "no unit" } else { a.unit };
        parts.push(format!(
            "Attribute {name} ({unit}): {}.\nCompared by `shift.attribute[{name}]`; the column attr_{name} of items.parquet.",
            a.words
        ));
    }
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// What the book says of a finding; what stands in brackets does not matter.
fn finding(id: &str) -> Option<String> {
    let base = id.split('[').next()?.trim();
    let (mode, _) = base.split_once('.')?;
    let page = pages::mode(mode)?;
    let mut text = String::new();
    let rows = pages::rows_of(pages::findings(), base);
    // Of `performance.iou` and `performance.iou[domain=…]` the one that was asked for, where it is told apart.
    let asked = id.contains('[');
    let apart = rows.iter().any(|row| row.about.is_some() == asked);
    for row in rows
        .iter()
        .filter(|row| !apart || row.about.is_some() == asked)
    {
        let cell = |at: usize| row.cells.get(at).copied().filter(|c| !c.is_empty());
        let _ = writeln!(
            text,
            "{base}{}\n  primary: {}\n  unit: {}\n  verdict: {}",
            row.about.map_or_else(String::new, |a| format!("[{a}]")),
            cell(1).unwrap_or("no"),
            cell(2).unwrap_or("none"),
            cell(3).unwrap_or("none"),
        );
    }
    for row in pages::rows_of(page, base) {
        if let Some(last) = row.cells.last() {
            let _ = writeln!(text, "  {last}");
        }
    }
    if text.is_empty() {
        return None;
    }
    if base.starts_with("robustness.")
        && let Some(name) = base.split('.').nth(1)
        && transect_optics::corruptions()
            .iter()
            .any(|c| c.name == name)
    {
        text.push('\n');
        text.push_str(&corruption(name));
    }
    let _ = write!(text, "\nMore: transect explain {mode}");
    Some(text)
}

/// A line on a corruption: its parameter and its ladder.
fn corruption(name: &str) -> String {
    let all = [
        Modality::Fluorescence,
        Modality::Brightfield,
        Modality::Phase,
        Modality::Spectral,
        Modality::Photo,
        Modality::Unknown,
    ];
    let ladder = all.iter().find_map(|m| {
        transect_optics::ladders(
            m,
            &transect_core::context::Optics::default(),
            transect_core::context::PlanLevel::Full,
        )
        .into_iter()
        .find(|l| l.name == name)
    });
    let mut text = format!("{name:<20}");
    if let Some(ladder) = ladder {
        let values = ladder.values.map(|v| format!("{v}")).join(", ");
        let _ = write!(text, " {}: {} {}", ladder.parameter, values, ladder.unit);
    }
    text.push('\n');
    text
}

/// What the book says of a corruption.
fn corruption_page(name: &str) -> String {
    let page = pages::corruptions();
    let heading = format!("## {name}\n");
    page.split_once(&heading).map_or_else(
        || corruption(name),
        |(_, rest)| {
            let end = rest.find("\n## ").unwrap_or(rest.len());
            format!("Corruption {name}\n{}", rest[..end].trim_end())
        },
    )
}

fn unknown(name: &str) -> Error {
    let mut known: Vec<&str> = LISTS.to_vec();
    known.extend(transect_anatomy::modes().iter().map(|m| m.name));
    known.extend(transect_optics::corruptions().iter().map(|c| c.name));
    known.extend(TRAITS.iter().map(|(name, _)| *name));
    known.extend(ATTRIBUTES.iter().map(|a| a.name));
    let near = known
        .into_iter()
        .map(|k| (distance(k, name), k))
        .min()
        .filter(|(d, k)| *d <= 1 + k.len() / 4);
    let error = Error::new(
        &codes::program::BAD_OPTION,
        format!("there is no code, finding, mode, corruption, trait or attribute `{name}`"),
    );
    match near {
        Some((_, near)) => error.help(format!("did you mean `{near}`?")),
        None => error.help(
            "`transect explain codes`, `findings`, `modes`, `corruptions`, `attributes` and `traits` list them",
        ),
    }
}

/// Letters to put in, take out or exchange until the words are the same.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let exchanged = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = exchanged.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
