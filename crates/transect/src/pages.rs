//! The pages of the book that `explain` reads from.

// `MODES`: the page of each failure mode, by name; `build.rs` writes it.
include!(concat!(env!("OUT_DIR"), "/modes.rs"));

/// The page of a mode.
pub(crate) fn mode(name: &str) -> Option<&'static str> {
    MODES
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, page)| *page)
}

/// The page of all findings.
pub(crate) fn findings() -> &'static str {
    include_str!("../../../docs/src/findings.md")
}

/// The page of all corruptions.
pub(crate) fn corruptions() -> &'static str {
    include_str!("../../../docs/src/corruptions/index.md")
}

/// A row of a table that names a finding.
pub(crate) struct Row<'a> {
    /// What it is about, as the table says, such as `role=reference`.
    pub(crate) about: Option<&'a str>,
    /// Cells.
    pub(crate) cells: Vec<&'a str>,
}

/// Rows of a page's tables whose first cell names a finding; its id without what stands in brackets.
pub(crate) fn rows_of<'a>(page: &'a str, id: &str) -> Vec<Row<'a>> {
    let Some((mode, metric)) = id.split_once('.') else {
        return Vec::new();
    };
    page.lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| {
            let cells: Vec<&str> = line
                .trim_matches(|c| c == '|' || c == ' ')
                .split(" | ")
                .map(str::trim)
                .collect();
            let mut names = cells.first()?.split('`').skip(1).step_by(2);
            let mut of_mode = false;
            let name = names.find(|name| {
                let name = name.split('[').next().unwrap_or(name);
                // `performance.accuracy`, `.balanced_accuracy`: the mode is said once.
                let name = match name.split_once('.') {
                    Some((before, rest)) if !before.is_empty() => {
                        of_mode = before == mode;
                        rest
                    }
                    _ => name.trim_start_matches('.'),
                };
                of_mode && fits(name, metric)
            })?;
            let about = name
                .split_once('[')
                .map(|(_, about)| about.trim_end_matches(']'));
            Some(Row { about, cells })
        })
        .collect()
}

/// Whether a name of the table, such as `<corruption>.tolerance` or `_75`, is that of a metric.
fn fits(name: &str, metric: &str) -> bool {
    match (name.split_once('<'), name.split_once('>')) {
        (Some((before, _)), Some((_, after))) => {
            metric.len() > before.len() + after.len()
                && metric.starts_with(before)
                && metric.ends_with(after)
        }
        _ if name.starts_with('_') => metric.ends_with(name),
        _ => name == metric,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_its_page() {
        for mode in transect_anatomy::modes() {
            let page = super::mode(mode.name).unwrap_or("");
            let heading = format!("# {}: ", mode.name);
            assert!(
                page.starts_with(&heading),
                "docs/src/modes/{}.md begins with `{heading}`",
                mode.name
            );
        }
    }

    #[test]
    fn every_primary_finding_is_on_the_page_of_findings() {
        for mode in transect_anatomy::modes() {
            for id in mode.primaries {
                let id = id.replace("<corruption>", "defocus");
                if id.contains('<') {
                    continue;
                }
                assert!(!rows_of(findings(), &id).is_empty(), "{id}");
            }
        }
    }

    #[test]
    fn names_of_the_table_are_understood() {
        for (name, metric, is) in [
            ("<corruption>.tolerance", "defocus.tolerance", true),
            ("<corruption>.tolerance", "tolerance", false),
            ("_75", "average_precision_75", true),
            ("harm", "harm_along", false),
        ] {
            assert_eq!(fits(name, metric), is, "{name} {metric}");
        }
        assert_eq!(rows_of(findings(), "shift.harm").len(), 1);
        // The metric itself, and the same of a part of the rows.
        let mcc = rows_of(findings(), "performance.mcc");
        assert_eq!(mcc.iter().filter(|r| r.about.is_none()).count(), 1);
        assert!(mcc.iter().any(|r| r.about == Some("role=reference")));
        assert!(rows_of(findings(), "shift.nothing").is_empty());
    }
}
