//! How numbers are written for people. Three significant digits are enough to read; the exact ones are in
//! `findings.json`.

/// A number in about three significant digits: `0.412`, `12.3`, `4 096`, `4.2×10⁻⁴`, `∞`; `–` where it is not a number.
pub(crate) fn short(value: f64) -> String {
    if value.is_nan() {
        return "–".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    let size = value.abs();
    let text = if size == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e7).contains(&size) {
        scientific(size)
    } else if size >= 999.5 {
        grouped(size.round() as u64)
    } else if size.fract() == 0.0 || size >= 99.95 {
        format!("{size:.0}")
    } else if size >= 9.995 {
        format!("{size:.1}")
    } else if size >= 0.9995 {
        format!("{size:.2}")
    } else if size >= 0.009_95 {
        format!("{size:.3}")
    } else {
        format!("{size:.4}")
    };
    signed(value < 0.0, text)
}

/// The same without zeros at the end, for numbers that somebody chose: `0.95`.
pub(crate) fn chosen(value: f64) -> String {
    let text = short(value);
    if text.contains('.') && !text.contains('×') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A number with this many decimals, for the ticks of an axis.
pub(crate) fn decimals(value: f64, places: usize) -> String {
    let text = format!("{:.places$}", value.abs());
    let zero = text.chars().all(|c| c == '0' || c == '.');
    signed(value < 0.0 && !zero, text)
}

/// A probability: `0.034`, `< 0.0001`.
pub(crate) fn probability(p: f64) -> String {
    if !(0.0..=1.0).contains(&p) {
        "–".to_owned()
    } else if p < 1e-4 {
        "< 0.0001".to_owned()
    } else if p < 0.1 {
        let places = if p < 0.001 { 4 } else { 3 };
        format!("{p:.places$}")
    } else {
        format!("{p:.2}")
    }
}

/// A whole number with its thousands apart: `12 345`.
pub(crate) fn count(value: u64) -> String {
    grouped(value)
}

/// Whether numbers of this unit are written as percentages, as in the claims of findings.
fn is_share(unit: &str) -> bool {
    unit == "fraction" || unit == "frac"
}

/// A share as a percentage without its sign: `41.5`, `100`, `0.42`.
fn points(share: f64) -> String {
    let value = share * 100.0;
    if !value.is_finite() {
        return short(value);
    }
    let places = if value.abs() >= 99.95 || value == 0.0 {
        0
    } else {
        1 + usize::from(value.abs() < 0.95)
    };
    decimals(value, places)
}

/// A number in its unit: `41.5%`, `1.90 px`.
pub(crate) fn in_unit(value: f64, unit: &str) -> String {
    if is_share(unit) {
        return if value.is_finite() {
            format!("{}%", points(value))
        } else {
            short(value)
        };
    }
    let unit = unit_words(unit);
    if unit.is_empty() {
        short(value)
    } else {
        format!("{} {unit}", short(value))
    }
}

/// A number that somebody chose, in its unit and without zeros at the end: `95%`, `1.2 px`.
pub(crate) fn chosen_in_unit(value: f64, unit: &str) -> String {
    if is_share(unit) && value.is_finite() {
        let text = points(value);
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        return format!("{text}%");
    }
    let unit = unit_words(unit);
    if unit.is_empty() || is_share(&unit) {
        chosen(value)
    } else {
        format!("{} {unit}", chosen(value))
    }
}

/// `41.5% [31.0, 52.8]`, `1.90 [1.50, 2.40] px`.
pub(crate) fn with_interval(
    estimate: Option<f64>,
    interval: Option<[f64; 2]>,
    unit: &str,
) -> String {
    let share = is_share(unit);
    let write = |v: f64| if share { points(v) } else { short(v) };
    let mut text = match estimate {
        None => "–".to_owned(),
        Some(v) if share => in_unit(v, unit),
        Some(v) => short(v),
    };
    if let Some([low, high]) = interval {
        let low = if low.is_nan() {
            bound(low, true)
        } else {
            write(low)
        };
        let high = if high.is_nan() {
            bound(high, false)
        } else {
            write(high)
        };
        text = format!("{text} [{low}, {high}]");
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
        short(value)
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

fn signed(negative: bool, text: String) -> String {
    if negative { format!("−{text}") } else { text }
}

fn grouped(value: u64) -> String {
    let digits = value.to_string();
    if digits.len() <= 4 {
        return digits;
    }
    let mut text = String::with_capacity(digits.len() + 4);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

fn scientific(size: f64) -> String {
    let plain = format!("{size:.1e}");
    let (mantissa, exponent) = plain.split_once('e').unwrap_or((&plain, "0"));
    let mantissa = mantissa.strip_suffix(".0").unwrap_or(mantissa);
    let raised: String = exponent.chars().map(superscript).collect();
    if mantissa == "1" {
        format!("10{raised}")
    } else {
        format!("{mantissa}×10{raised}")
    }
}

fn superscript(c: char) -> char {
    match c {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_about_three_digits() {
        let pairs = [
            (0.0, "0"),
            (-0.0, "0"),
            (0.412_34, "0.412"),
            (0.9996, "1.00"),
            (0.0041, "0.0041"),
            (0.0121, "0.012"),
            (5.0, "5"),
            (5.25, "5.25"),
            (12.345, "12.3"),
            (99.97, "100"),
            (456.7, "457"),
            (4096.0, "4096"),
            (12_345.6, "12\u{202f}346"),
            (0.000_42, "4.2×10⁻⁴"),
            (1e-9, "10⁻⁹"),
            (1e9, "10⁹"),
            (-0.25, "−0.250"),
            (f64::INFINITY, "∞"),
            (f64::NAN, "–"),
        ];
        for (value, text) in pairs {
            assert_eq!(short(value), text, "{value}");
        }
    }

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
    fn probabilities_do_not_reach_zero() {
        assert_eq!(probability(0.000_01), "< 0.0001");
        assert_eq!(probability(0.0005), "0.0005");
        assert_eq!(probability(0.0312), "0.031");
        assert_eq!(probability(0.5), "0.50");
    }

    #[test]
    fn intervals_show_open_ends() {
        assert_eq!(
            with_interval(Some(0.5), Some([0.4, f64::INFINITY]), "um"),
            "0.500 [0.400, ∞] µm"
        );
        assert_eq!(with_interval(None, None, "um"), "–");
        assert_eq!(
            with_interval(Some(0.5), Some([f64::NAN, 0.6]), "fraction"),
            "50.0% [−∞, 60.0]"
        );
    }

    #[test]
    fn shares_are_percentages() {
        for (value, text) in [
            (0.4146, "41.5%"),
            (1.0, "100%"),
            (0.9996, "100%"),
            (0.0, "0%"),
            (0.0042, "0.42%"),
            (-0.02, "−2.0%"),
            (f64::INFINITY, "∞"),
        ] {
            assert_eq!(in_unit(value, "fraction"), text, "{value}");
        }
        assert_eq!(chosen_in_unit(0.95, "fraction"), "95%");
        assert_eq!(chosen_in_unit(1.0, "fraction"), "100%");
        assert_eq!(chosen_in_unit(1.5, "um"), "1.5 µm");
    }
}
