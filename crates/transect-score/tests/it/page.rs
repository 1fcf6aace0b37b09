//! The page on metrics lists what there is.

use std::fmt::Write as _;
use std::path::Path;

use transect_core::{Better, Task};
use transect_score::metric::metrics;

const BEGIN: &str =
    "<!-- table: made by `TRANSECT_WRITE_DOCS=1 cargo test -p transect-score page` -->\n";
const END: &str = "<!-- end of table -->";

fn table() -> String {
    let mut table = String::new();
    for (task, title) in [
        (Task::Classification, "Classification"),
        (Task::Semantic, "Semantic segmentation"),
        (Task::Instance, "Instance segmentation"),
    ] {
        let _ = write!(
            table,
            "\n### {title}\n\n| metric | better | what it is |\n|---|---|---|\n"
        );
        for metric in metrics(task) {
            let better = match metric.better {
                Better::Higher => "higher",
                Better::Lower => "lower",
                Better::Neither => "0",
            };
            let unit = if metric.unit.is_empty() {
                String::new()
            } else {
                format!(" ({})", metric.unit)
            };
            let _ = writeln!(
                table,
                "| `{}`{unit} | {better} | {} |",
                metric.name, metric.definition
            );
        }
    }
    table + "\n"
}

#[test]
fn the_page_lists_every_metric_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/metrics.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let start = page
        .find(BEGIN)
        .expect("the page has a place for the table")
        + BEGIN.len();
    let end = page.find(END).expect("the table has an end");
    if std::env::var_os("TRANSECT_WRITE_DOCS").is_some() {
        std::fs::write(
            &path,
            format!("{}{}{}", &page[..start], table(), &page[end..]),
        )
        .unwrap();
        return;
    }
    assert_eq!(
        &page[start..end],
        table(),
        "the table is stale: TRANSECT_WRITE_DOCS=1 cargo test -p transect-score page"
    );
}
