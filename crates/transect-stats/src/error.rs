//! The one error of this crate.

use transect_core::codes::anatomy::STATISTIC_INPUT;
use transect_core::{Error, Result};

/// `T701` with what is wrong.
pub(crate) fn refused(message: impl Into<String>) -> Error {
    Error::new(&STATISTIC_INPUT, message)
}

/// Errors unless every value is finite and there is at least one.
pub(crate) fn finite(name: &str, values: &[f64]) -> Result<()> {
    if values.is_empty() {
        return Err(refused(format!("{name} is empty")));
    }
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(refused(format!(
            "{name} has {} at index {index}",
            values[index]
        ))),
        None => Ok(()),
    }
}

/// Errors unless two lengths agree.
pub(crate) fn same_length(a: &str, n: usize, b: &str, m: usize) -> Result<()> {
    if n == m {
        Ok(())
    } else {
        Err(refused(format!("{a} has {n} values and {b} has {m}")))
    }
}
