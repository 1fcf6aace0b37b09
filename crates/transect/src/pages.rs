//! The pages of the book that `explain` reads from.

/// Page of each failure mode.
const MODES: [(&str, &str); 5] = [
    (
        "performance",
        include_str!("../../../docs/src/modes/performance.md"),
    ),
    ("shift", include_str!("../../../docs/src/modes/shift.md")),
    (
        "robustness",
        include_str!("../../../docs/src/modes/robustness.md"),
    ),
    (
        "calibration",
        include_str!("../../../docs/src/modes/calibration.md"),
    ),
    ("cost", include_str!("../../../docs/src/modes/cost.md")),
];

/// The page of a mode.
pub(crate) fn mode(name: &str) -> Option<&'static str> {
    MODES
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, page)| *page)
}

/// The heading of a mode's page, without its name.
pub(crate) fn title(name: &str) -> &'static str {
    let first = mode(name)
        .and_then(|page| page.lines().next())
        .unwrap_or("");
    first.split_once(": ").map_or("", |(_, title)| title)
}

/// The page of all findings.
pub(crate) fn findings() -> &'static str {
    include_str!("../../../docs/src/findings.md")
}

/// The page of all corruptions.
pub(crate) fn corruptions() -> &'static str {
    include_str!("../../../docs/src/corruptions/index.md")
}

/// Rows of a page's tables whose first cell names a finding, as cells.
pub(crate) fn rows_of<'a>(page: &'a str, id: &str) -> Vec<Vec<&'a str>> {
    let Some((mode, metric)) = id.split_once('.') else {
        return Vec::new();
    };
    page.lines()
        .filter(|line| line.starts_with("| `"))
        .filter(|line| {
            let first = line.trim_start_matches("| ").split(" | ").next();
            let mut names = first.unwrap_or("").split('`').skip(1).step_by(2);
            let mut of_mode = false;
            names.any(|name| {
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
            })
        })
        .map(|line| {
            line.trim_matches(|c| c == '|' || c == ' ')
                .split(" | ")
                .map(str::trim)
                .collect()
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
            let page = super::mode(mode.name);
            assert!(
                page.is_some(),
                "add docs/src/modes/{}.md to MODES",
                mode.name
            );
            assert!(!title(mode.name).is_empty(), "{} has no title", mode.name);
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
        assert_eq!(rows_of(findings(), "performance.mcc").len(), 1);
        assert!(rows_of(findings(), "shift.nothing").is_empty());
    }
}
