//! What `audits` and `pixels` share: how much is run, seeds, counts of verdicts, results as CSV.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use transect_core::{Digest, Verdict};
use transect_stats::clopper_pearson;

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Audits of each case; those that the CSV has already count.
    pub audits: usize,
    /// Seconds after which no further audit of a case is begun.
    pub seconds: f64,
    /// Only cases whose id begins so; empty for all.
    pub only: String,
    /// Whether what the CSV has of these cases is thrown away.
    pub anew: bool,
    /// Folder of the CSV and the page.
    pub out: PathBuf,
    /// Threads.
    pub jobs: usize,
}

impl Options {
    /// Whether a case is asked for.
    pub(crate) fn wanted(&self, id: &str) -> bool {
        id.starts_with(&self.only)
    }
}

/// Counts of fail, warn, pass, undecided, and all others.
pub type Verdicts = [usize; 5];

/// The place of a verdict among [`Verdicts`].
pub(crate) fn place(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Fail => 0,
        Verdict::Warn => 1,
        Verdict::Pass => 2,
        Verdict::Undecided => 3,
        Verdict::NotAssessable | Verdict::Described => 4,
    }
}

/// The seed of one audit of a case: it hangs on the command, the case's id and the audit's number.
pub(crate) fn seed(command: &str, id: &str, number: usize) -> u64 {
    let digest = Digest::of_parts([
        command.as_bytes(),
        id.as_bytes(),
        &(number as u64).to_le_bytes(),
    ]);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest.0[..8]);
    // Kept small enough to be written as a plain number.
    u64::from_le_bytes(bytes) >> 16
}

/// The 99% interval (Clopper–Pearson) of a share.
pub(crate) fn within(count: usize, audits: usize) -> io::Result<(f64, f64)> {
    clopper_pearson(count as f64, audits as f64, 0.99).map_err(io::Error::other)
}

/// Lines of a CSV that [`write_csv`] wrote, each by its fields; none where there is no file, or one with other columns.
pub(crate) fn read_csv(path: &Path, header: &str) -> io::Result<Vec<Vec<String>>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut lines = text.lines();
    if lines.next() != Some(header) {
        return Ok(Vec::new());
    }
    let columns = header.split(',').count();
    Ok(lines
        .map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>())
        .filter(|fields| fields.len() == columns)
        .collect())
}

/// Counts of verdicts from the fields of a line.
pub(crate) fn verdicts(fields: &[String]) -> Option<Verdicts> {
    let mut verdicts = [0; 5];
    for (count, field) in verdicts.iter_mut().zip(fields) {
        *count = field.parse().ok()?;
    }
    Some(verdicts)
}

/// Counts of verdicts as fields of a line.
pub(crate) fn fields(verdicts: Verdicts) -> String {
    verdicts.map(|count| count.to_string()).join(",")
}

/// Writes a CSV whole, or not at all.
pub(crate) fn write_csv(
    path: &Path,
    header: &str,
    lines: impl Iterator<Item = String>,
) -> io::Result<()> {
    let mut text = format!("{header}\n");
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    let temporary = path.with_extension("csv.tmp");
    fs::write(&temporary, text)?;
    fs::rename(temporary, path)
}
