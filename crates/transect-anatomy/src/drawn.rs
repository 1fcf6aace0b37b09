//! Lines of figures.

use transect_core::figure::Row;
use transect_stats::Estimate;

use crate::words::bound;

/// An estimate with its interval and its number of images.
pub(crate) fn line(label: impl Into<String>, e: &Estimate) -> Row {
    bounded(label, e.estimate, (e.low, e.high), e.n)
}

/// A value with bounds of its own making; bounds that are not finite are left out.
pub(crate) fn bounded(
    label: impl Into<String>,
    value: f64,
    (low, high): (f64, f64),
    n: usize,
) -> Row {
    Row {
        low: bound(low),
        high: bound(high),
        ..bar(label, value, n)
    }
}

/// A value without an interval.
pub(crate) fn bar(label: impl Into<String>, value: f64, n: usize) -> Row {
    Row {
        label: label.into(),
        value: Some(value),
        low: None,
        high: None,
        n: n as u64,
        note: String::new(),
    }
}
