//! Writes a made-up report to look at: `cargo run -p transect-report --example fixture -- OUT.html [realistic|large|empty]`.

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
    match std::fs::write(out, transect_report::html(&report)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
