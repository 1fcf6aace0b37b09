//! Writes a made-up report to look at: `cargo run -p transect-report --example fixture -- OUT.html|OUT.json [realistic|large|empty]`.

#[path = "../tests/it/fixture.rs"]
mod fixture;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(out) = arguments.next() else {
        return ExitCode::from(2);
    };
    let report = match arguments.next().as_deref() {
        Some("large") => fixture::large(5000, 200, 30),
        Some("empty") => fixture::empty(),
        _ => fixture::realistic(),
    };
    let json = std::path::Path::new(&out)
        .extension()
        .is_some_and(|e| e == "json");
    let text = if json {
        transect_report::findings_json(&report)
    } else {
        transect_report::html(&report)
    };
    match std::fs::write(out, text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
