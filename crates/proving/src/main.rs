//! `cargo run --release -p proving -- calibrate|audits|pixels …`

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: proving calibrate [--quick] [--only PREFIX] --out DIR
         coverage of every interval and type-I error of every test, into DIR/calibration.csv and DIR/calibration.md;
         cells already in the CSV with as many simulations are kept; --quick: 400 simulations a cell instead of 2,000
       proving audits [--audits N] [--only PREFIX] [--jobs N] --out DIR
         power and false alarms of every failure mode from simulated tables with planted flaws, into DIR/audits.csv and
         DIR/audits.md; cases already in the CSV with as many audits are kept; 2,000 audits a case, 2 threads
       proving pixels [--audits N] [--only PREFIX] [--jobs N] --out DIR
         whole audits of planted models on drawn images, each with its control, into DIR/pixels.csv and DIR/pixels.md;
         cases already in the CSV with as many audits are kept; 10 audits a case and variant, 2 threads";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let (mut only, mut out) = (String::new(), PathBuf::new());
    let (mut simulations, mut jobs) = (2_000, 2);
    let mut audits = if command == "pixels" { 10 } else { 2_000 };
    let mut known = matches!(command.as_str(), "calibrate" | "audits" | "pixels");
    while let Some(argument) = arguments.next() {
        let mut number = |value: &mut usize| {
            if let Some(n) = arguments.next().and_then(|n| n.parse().ok()) {
                *value = n;
            }
        };
        match argument.as_str() {
            "--quick" => simulations = 400,
            "--audits" => number(&mut audits),
            "--jobs" => number(&mut jobs),
            "--only" => only = arguments.next().unwrap_or_default(),
            "--out" => out = arguments.next().map(PathBuf::from).unwrap_or_default(),
            _ => known = false,
        }
    }
    let mut stderr = std::io::stderr();
    if !known || out.as_os_str().is_empty() {
        let _ = writeln!(stderr, "{USAGE}");
        return ExitCode::from(2);
    }
    let mut say = |line: &str| {
        let _ = writeln!(std::io::stderr(), "{line}");
    };
    let outcome = if command == "calibrate" {
        proving::calibrate::run(
            &proving::calibrate::Options {
                simulations,
                only,
                out,
            },
            &mut say,
        )
    } else if command == "pixels" {
        proving::pixels::run(
            &proving::pixels::Options {
                audits,
                only,
                out,
                jobs,
            },
            &mut say,
        )
    } else {
        proving::audits::run(
            &proving::audits::Options {
                audits,
                only,
                out,
                jobs,
            },
            &mut say,
        )
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(stderr, "{error}");
            ExitCode::from(2)
        }
    }
}
