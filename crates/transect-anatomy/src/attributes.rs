//! Attributes of the study's images, which were measured without any model.

use crate::study::Study;

/// Attributes that come from the truth, not from the acquisition: what they say is known only where the truth is.
pub(crate) const OF_TRUTH: [&str; 4] = [
    "objects",
    "object_density",
    "object_diameter_px",
    "foreground_share",
];

/// The attribute at this place of an image, where it has one.
pub(crate) fn value(study: &Study<'_>, row: usize, attribute: usize) -> Option<f64> {
    study.tables.items()[row]
        .attributes
        .get(attribute)
        .copied()
        .flatten()
        .filter(|v| v.is_finite())
}

/// The same of several images.
pub(crate) fn column(study: &Study<'_>, rows: &[usize], attribute: usize) -> Vec<Option<f64>> {
    rows.iter()
        .map(|&row| value(study, row, attribute))
        .collect()
}
