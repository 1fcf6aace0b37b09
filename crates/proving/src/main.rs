//! `cargo run --release -p proving -- calibrate|audits|pixels …`

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use proving::runs::Options;

const USAGE: &str = "usage: proving calibrate [--quick] [--only PREFIX] --out DIR
         coverage of every interval and type-I error of every test, into DIR/calibration.csv and DIR/calibration.md;
         cells already in the CSV with as many simulations are kept; --quick: 400 simulations a cell instead of 2,000
       proving audits [--audits N] [--seconds S] [--only PREFIX] [--anew] [--jobs N] --out DIR
         power and false alarms of every failure mode from simulated tables with planted flaws, into DIR/audits.csv and
         DIR/audits.md; 2,000 audits a case, those in the CSV counted, or as many as are begun in S seconds; --anew: those in
         the CSV are thrown away; 2 threads
       proving pixels [--audits N] [--seconds S] [--only PREFIX] [--anew] [--jobs N] --out DIR
         whole audits of planted models on drawn images, each with its control, into DIR/pixels.csv and DIR/pixels.md, in the
         same way; 10 audits a case and variant";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let mut simulations = 2_000;
    let mut options = Options {
        audits: if command == "pixels" { 10 } else { 2_000 },
        seconds: f64::INFINITY,
        only: String::new(),
        anew: false,
        out: PathBuf::new(),
        jobs: 2,
    };
    let mut known = matches!(command.as_str(), "calibrate" | "audits" | "pixels");
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_default();
        let read = match argument.as_str() {
            "--quick" => {
                simulations = 400;
                true
            }
            "--anew" => {
                options.anew = true;
                true
            }
            "--audits" => value().parse().map(|n| options.audits = n).is_ok(),
            "--seconds" => value().parse().map(|s| options.seconds = s).is_ok(),
            "--jobs" => value().parse().map(|n| options.jobs = n).is_ok(),
            "--only" => {
                options.only = value();
                true
            }
            "--out" => {
                options.out = PathBuf::from(value());
                true
            }
            _ => false,
        };
        known &= read;
    }
    let mut stderr = std::io::stderr();
    if !known || options.out.as_os_str().is_empty() {
        let _ = writeln!(stderr, "{USAGE}");
        return ExitCode::from(2);
    }
    let mut say = |line: &str| {
        let _ = writeln!(std::io::stderr(), "{line}");
    };
    let outcome = match command.as_str() {
        "calibrate" => proving::calibrate::run(
            &proving::calibrate::Options {
                simulations,
                only: options.only,
                out: options.out,
            },
            &mut say,
        ),
        "pixels" => proving::pixels::run(&options, &mut say),
        _ => proving::audits::run(&options, &mut say),
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
