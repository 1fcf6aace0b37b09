//! Coverage of every interval and type-I error of every test of `transect-stats`, against the bands of the rules of
//! evidence.

mod cells;
mod draw;
mod joint;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use transect_core::Stream;
use transect_stats::clopper_pearson;

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Simulations a cell.
    pub simulations: usize,
    /// Only cells whose id begins so; empty for all.
    pub only: String,
    /// Folder of `calibration.csv` and `calibration.md`.
    pub out: PathBuf,
}

/// What a cell must reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    /// Coverage of a 95% interval within 93 to 97%: approximate, n ≥ 50, five expected events on each side.
    Approximate,
    /// Coverage of at least 95%: exact.
    Exact,
    /// Coverage of at least 90%: elsewhere, published.
    Elsewhere,
    /// Rejections at 5% in at most 5% under the null.
    TypeOne,
}

impl Band {
    /// The band and its name.
    pub fn limits(self) -> (f64, f64, &'static str) {
        match self {
            Self::Approximate => (0.93, 0.97, "93–97%"),
            Self::Exact => (0.95, 1.0, "≥ 95%"),
            Self::Elsewhere => (0.90, 1.0, "≥ 90%"),
            Self::TypeOne => (0.0, 0.05, "≤ 5%"),
        }
    }
}

/// What one simulation gave.
pub enum Outcome {
    /// An interval and the truth, or `None` where the truth is the mean of the estimates over all simulations.
    Interval {
        /// Estimate.
        estimate: f64,
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
        /// Truth.
        truth: Option<f64>,
    },
    /// A test's decision at 5%, under the null.
    Rejected(bool),
}

/// One simulation.
pub type Simulation = dyn Fn(&mut Stream) -> transect_core::Result<Outcome>;

/// One cell of the calibration.
pub struct Cell {
    /// Such as `rate/groups=10/icc=0.1/p=0.2`.
    pub id: String,
    /// What it must reach.
    pub band: Band,
    /// Runs one simulation.
    pub run: Box<Simulation>,
}

/// The result of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Cell.
    pub id: String,
    /// Band.
    pub band: String,
    /// Simulations.
    pub simulations: usize,
    /// Share covered, or rejected.
    pub share: f64,
    /// Share of intervals wholly above the truth.
    pub above: f64,
    /// Share of intervals wholly below the truth.
    pub below: f64,
    /// Mean width.
    pub width: f64,
    /// Whether the 99% Monte Carlo interval meets the band.
    pub met: bool,
}

fn measure(cell: &Cell, simulations: usize) -> transect_core::Result<Row> {
    let mut intervals: Vec<(f64, f64, f64, Option<f64>)> = Vec::new();
    let mut rejected = 0_usize;
    for simulation in 0..simulations as u64 {
        let mut stream = Stream::new(
            2024,
            "proving/calibrate",
            &[cell.id.as_bytes(), &simulation.to_le_bytes()],
        );
        match (cell.run)(&mut stream)? {
            Outcome::Interval {
                estimate,
                low,
                high,
                truth,
            } => intervals.push((estimate, low, high, truth)),
            Outcome::Rejected(yes) => rejected += usize::from(yes),
        }
    }
    let n = simulations as f64;
    let mean = intervals.iter().map(|i| i.0).sum::<f64>() / n;
    let (mut hits, mut above, mut below, mut width) = (rejected as f64, 0.0, 0.0, 0.0);
    for (_, low, high, truth) in &intervals {
        let truth = truth.unwrap_or(mean);
        hits += f64::from(u8::from(*low <= truth && truth <= *high));
        above += f64::from(u8::from(*low > truth));
        below += f64::from(u8::from(*high < truth));
        width += high - low;
    }
    let (low, high, name) = cell.band.limits();
    let monte_carlo = clopper_pearson(hits, n, 0.99)?;
    Ok(Row {
        id: cell.id.clone(),
        band: name.to_owned(),
        simulations,
        share: hits / n,
        above: above / n,
        below: below / n,
        width: width / n,
        met: monte_carlo.1 >= low && monte_carlo.0 <= high,
    })
}

/// Runs every cell that is not in the CSV yet and writes both files. Gives the number of cells that missed their band.
///
/// # Errors
/// When a file cannot be written, or a statistic refused a simulated sample.
pub fn run(options: &Options, say: &mut dyn FnMut(&str)) -> io::Result<usize> {
    fs::create_dir_all(&options.out)?;
    let csv = options.out.join("calibration.csv");
    let mut known: BTreeMap<String, Row> = table::read(&csv)?
        .into_iter()
        .map(|row| (row.id.clone(), row))
        .collect();
    let mut rows = Vec::new();
    let cells = cells::all();
    for cell in &cells {
        let kept = known
            .remove(&cell.id)
            .filter(|row| row.simulations >= options.simulations);
        let wanted = cell.id.starts_with(&options.only);
        let row = match kept {
            Some(row) => row,
            None if wanted => {
                let row = measure(cell, options.simulations)
                    .map_err(|e| io::Error::other(format!("{}: {e}", cell.id)))?;
                say(&format!(
                    "{:60} {:.4} {} {}",
                    row.id,
                    row.share,
                    row.band,
                    if row.met { "" } else { "MISSED" }
                ));
                row
            }
            None => continue,
        };
        rows.push(row);
        // After each cell, so that a stopped run goes on where it was.
        table::write(&csv, &rows, &known)?;
    }
    table::write(&csv, &rows, &BTreeMap::new())?;
    fs::write(
        options.out.join("calibration.md"),
        table::markdown(&rows, &today()),
    )?;
    Ok(rows.iter().filter(|row| !row.met).count())
}

/// Today's date, UTC, as year-month-day (days since 1970 to the civil calendar, Hinnant's algorithm).
fn today() -> String {
    let seconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    let days = (seconds / 86_400).cast_signed() + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}
