//! How numbers are written for people. Three significant digits are enough to read; the exact ones are in
//! `findings.json`.

pub(crate) use transect_core::number::{count, decimals, number, probability};
use transect_core::number::{narrow, percent, points};

/// Whether numbers of this unit are written as percentages, as in the claims of findings.
fn is_share(unit: &str) -> bool {
    unit == "fraction" || unit == "frac"
}

/// A number in its unit: `41%`, `1.9 px`.
pub(crate) fn in_unit(value: f64, unit: &str) -> String {
    if is_share(unit) {
        return percent(value);
    }
    let unit = unit_words(unit);
    if unit.is_empty() {
        number(value)
    } else {
        format!("{} {unit}", number(value))
    }
}

/// `41% [31, 53]`, `1.9 [1.5, 2.4] px`.
pub(crate) fn with_interval(
    estimate: Option<f64>,
    interval: Option<[f64; 2]>,
    unit: &str,
) -> String {
    let share = is_share(unit);
    let mut text = match estimate {
        None => "–".to_owned(),
        Some(v) if share => percent(v),
        Some(v) => number(v),
    };
    if let Some([low, high]) = interval {
        let fine = narrow(low, high);
        let end = |v: f64, is_low: bool| {
            if v.is_nan() || !share {
                bound(v, is_low)
            } else {
                points(v, fine)
            }
        };
        text = format!("{text} [{}, {}]", end(low, true), end(high, false));
    }
    let unit = unit_words(unit);
    if !unit.is_empty() && estimate.is_some() {
        text = format!("{text} {unit}");
    }
    text
}

/// An end of an interval; one that is not a number is one that the data do not set.
pub(crate) fn bound(value: f64, low: bool) -> String {
    if value.is_nan() {
        if low { "−∞" } else { "∞" }.to_owned()
    } else {
        number(value)
    }
}

/// An end of an interval in its unit.
pub(crate) fn end(value: f64, low: bool, unit: &str) -> String {
    if value.is_nan() {
        bound(value, low)
    } else {
        in_unit(value, unit)
    }
}

/// A unit as printed: nothing for a share, `µm` for `um`.
pub(crate) fn unit_words(unit: &str) -> String {
    match unit {
        "fraction" | "frac" | "" => String::new(),
        "um" => "µm".to_owned(),
        "um/px" => "µm/px".to_owned(),
        "deg" => "°".to_owned(),
        other => other.to_owned(),
    }
}

/// A coordinate of a drawing: at most one decimal, never anything but a number.
pub(crate) fn px(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let tenths = (value * 10.0).round();
    if tenths == 0.0 {
        "0".to_owned()
    } else if tenths % 10.0 == 0.0 {
        format!("{:.0}", tenths / 10.0)
    } else {
        format!("{:.1}", tenths / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_always_numbers() {
        for (value, text) in [
            (1.0, "1"),
            (1.25, "1.3"),
            (-0.01, "0"),
            (f64::NAN, "0"),
            (f64::INFINITY, "0"),
        ] {
            assert_eq!(px(value), text);
        }
    }

    #[test]
    fn intervals_show_open_ends() {
        assert_eq!(
            with_interval(Some(0.5), Some([0.4, f64::INFINITY]), "um"),
            "0.5 [0.4, ∞] µm"
        );
        assert_eq!(with_interval(None, None, "um"), "–");
        assert_eq!(
            with_interval(Some(0.4146), Some([0.31, 0.528]), "fraction"),
            "41% [31, 53]"
        );
        assert_eq!(
            with_interval(Some(0.961), Some([0.951, 0.971]), "fraction"),
            "96.1% [95.1, 97.1]"
        );
        assert_eq!(
            with_interval(Some(0.5), Some([f64::NAN, 0.6]), "fraction"),
            "50% [−∞, 60]"
        );
    }
}
