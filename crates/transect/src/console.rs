//! The terminal: results on stdout, all else on stderr; progress on a terminal only.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use transect_core::{Errors, Stage};
use transect_measure::Progress;

/// Writes a result.
pub(crate) fn result(text: &str) {
    let mut out = std::io::stdout().lock();
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        say(&format!("the result could not be written: {error}"));
        std::process::exit(2);
    }
}

/// Tells the user something.
pub(crate) fn say(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = err
        .write_all(text.as_bytes())
        .and_then(|()| err.write_all(b"\n"));
}

/// Writes all errors, and how to learn more.
pub(crate) fn errors(errors: &Errors) {
    say(&errors.to_string());
    let mut codes: Vec<&str> = errors.0.iter().map(|e| e.code.id).collect();
    codes.sort_unstable();
    codes.dedup();
    if let Some(first) = codes.first() {
        say(&format!("\nMore: transect explain {first}"));
    }
}

/// Set by Ctrl-C or a polite kill.
pub(crate) static STOP: AtomicBool = AtomicBool::new(false);

/// Makes Ctrl-C stop the run after what is being measured; a second one ends the program at once.
pub(crate) fn stop_politely() {
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        say("\nStopping after what is being measured; a second Ctrl-C stops at once.");
    });
}

/// Progress with time left.
pub(crate) struct Bars {
    bar: Mutex<Option<ProgressBar>>,
}

impl Bars {
    /// No bar yet.
    pub(crate) fn new() -> Self {
        Self {
            bar: Mutex::new(None),
        }
    }
}

impl Progress for Bars {
    fn begin(&self, stage: Stage, units: usize, finished: usize) {
        let name = match stage {
            Stage::Items => "reading images",
            Stage::Own => "measuring",
            Stage::Partner => "measuring swaps",
        };
        if finished > 0 {
            say(&format!(
                "{name}: {finished} of {units} were finished before"
            ));
        }
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(8)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some((units - finished) as u64), target);
        if let Ok(style) = ProgressStyle::with_template(
            "{prefix:>15} {wide_bar} {pos}/{len}  {elapsed} gone, {eta} left",
        ) {
            bar.set_style(style);
        }
        bar.set_prefix(name);
        bar.enable_steady_tick(Duration::from_millis(250));
        if let Ok(mut slot) = self.bar.lock() {
            *slot = Some(bar);
        }
    }

    fn advance(&self, units: usize) {
        if let Ok(slot) = self.bar.lock()
            && let Some(bar) = slot.as_ref()
        {
            bar.inc(units as u64);
        }
    }

    fn end(&self) {
        if let Ok(mut slot) = self.bar.lock()
            && let Some(bar) = slot.take()
        {
            bar.finish_and_clear();
        }
    }
}

/// Seconds in words: `3 s`, `4 min`, `2.5 h`.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.5 => "1 s".to_owned(),
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// Bytes in words.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes as f64 {
        b if b < 1e6 => format!("{:.0} kB", (b / 1e3).max(1.0)),
        b if b < 1e9 => format!("{:.0} MB", b / 1e6),
        b => format!("{:.1} GB", b / 1e9),
    }
}
