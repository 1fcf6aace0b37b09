//! `cargo run --release -p proving -- calibrate [--quick] [--only PREFIX] --out DIR`

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: proving calibrate [--quick] [--only PREFIX] --out DIR
  coverage of every interval and type-I error of every test, into DIR/calibration.csv and DIR/calibration.md;
  cells already in the CSV with as many simulations are kept; --quick: 400 simulations a cell instead of 2,000";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut options = proving::calibrate::Options {
        simulations: 2_000,
        only: String::new(),
        out: PathBuf::new(),
    };
    let mut known = arguments.next().as_deref() == Some("calibrate");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => options.simulations = 400,
            "--only" => options.only = arguments.next().unwrap_or_default(),
            "--out" => options.out = arguments.next().map(PathBuf::from).unwrap_or_default(),
            _ => known = false,
        }
    }
    let mut stderr = std::io::stderr();
    if !known || options.out.as_os_str().is_empty() {
        let _ = writeln!(stderr, "{USAGE}");
        return ExitCode::from(2);
    }
    match proving::calibrate::run(&options, &mut |line| {
        let _ = writeln!(stderr, "{line}");
    }) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(stderr, "{error}");
            ExitCode::from(2)
        }
    }
}
