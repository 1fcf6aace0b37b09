//! How numbers are written for people, in sentences and on the page: about three significant digits. The exact ones are in
//! the tables and in `findings.json`.

/// A number in about three significant digits, without zeros at the end: `0.412`, `12.3`, `4096`, `12 346`, `4.2×10⁻⁴`,
/// `∞`; `–` where it is not a number.
///
/// ```
/// use transect_core::number::number;
/// assert_eq!(number(0.41234), "0.412");
/// assert_eq!(number(-2.50), "−2.5");
/// ```
pub fn number(value: f64) -> String {
    if value.is_nan() {
        return "–".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    let size = value.abs();
    let text = if size == 0.0 {
        "0".to_owned()
    } else if !(0.000_999_5..9_999_999.5).contains(&size) {
        scientific(size)
    } else if size >= 999.5 {
        count(size.round() as u64)
    } else {
        let digits = (2 - size.log10().floor() as i32).clamp(0, 5) as usize;
        // 9.996 with two digits is 10.00: one digit too many, but never a wrong one.
        trimmed(format!("{size:.digits$}"))
    };
    signed(value < 0.0, text)
}

/// A number with this many decimals, for the ticks of an axis.
pub fn decimals(value: f64, places: usize) -> String {
    let text = format!("{:.places$}", value.abs());
    let zero = text.chars().all(|c| c == '0' || c == '.');
    signed(value < 0.0 && !zero, text)
}

/// A share as a percentage without its sign, to whole points or, where `fine`, to tenths (hundredths below one point);
/// without zeros at the end. What is not finite is written as by [`number`].
pub fn points(share: f64, fine: bool) -> String {
    let value = 100.0 * share;
    if !value.is_finite() {
        return number(value);
    }
    let places = match (fine, value.abs() < 0.95) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => 2,
    };
    let text = trimmed(format!("{:.places$}", value.abs()));
    signed(value < 0.0 && text != "0", text)
}

/// A share as a percentage, finer below 10 and above 90 points, where that tells more: `41%`, `96.1%`, `0.42%`.
///
/// ```
/// use transect_core::number::percent;
/// assert_eq!(percent(0.4146), "41%");
/// assert_eq!(percent(0.961), "96.1%");
/// ```
pub fn percent(share: f64) -> String {
    let value = (100.0 * share).abs();
    if !value.is_finite() {
        return number(share);
    }
    let fine = !(10.0..=90.0).contains(&value) && value < 99.95;
    format!("{}%", points(share, fine))
}

/// Whether the bounds of an interval of shares are told apart only in tenths of points.
pub fn narrow(low: f64, high: f64) -> bool {
    high - low < 0.1
}

/// A probability: `0.034`, `0.5`, `< 0.0001`; `–` for what is none.
pub fn probability(p: f64) -> String {
    if !(0.0..=1.0).contains(&p) {
        "–".to_owned()
    } else if p < 1e-4 {
        "< 0.0001".to_owned()
    } else {
        let places = match p {
            p if p < 0.001 => 4,
            p if p < 0.1 => 3,
            _ => 2,
        };
        trimmed(format!("{p:.places$}"))
    }
}

/// A whole number with its thousands apart: `12 345`.
pub fn count(value: u64) -> String {
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

fn signed(negative: bool, text: String) -> String {
    if negative { format!("−{text}") } else { text }
}

fn trimmed(text: String) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
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
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (0.412_34, "0.412"),
            (0.9996, "1"),
            (9.999, "10"),
            (0.0041, "0.0041"),
            (0.0121, "0.0121"),
            (5.25, "5.25"),
            (12.345, "12.3"),
            (99.97, "100"),
            (456.7, "457"),
            (1234.6, "1235"),
            (12_345.6, "12\u{202f}346"),
            (0.000_42, "4.2×10⁻⁴"),
            (1e-9, "10⁻⁹"),
            (1e9, "10⁹"),
            (-0.25, "−0.25"),
            (f64::INFINITY, "∞"),
            (f64::NEG_INFINITY, "−∞"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn shares_are_percentages() {
        for (value, text) in [
            (0.4146, "41%"),
            (0.961, "96.1%"),
            (1.0, "100%"),
            (0.9996, "100%"),
            (0.0, "0%"),
            (0.04, "4%"),
            (0.0042, "0.42%"),
            (-0.02, "−2%"),
            (1.12, "112%"),
            (f64::INFINITY, "∞"),
        ] {
            assert_eq!(percent(value), text, "{value}");
        }
        assert_eq!(points(-0.000_01, true), "0");
    }

    #[test]
    fn probabilities_do_not_reach_zero() {
        assert_eq!(probability(0.000_01), "< 0.0001");
        assert_eq!(probability(0.0005), "0.0005");
        assert_eq!(probability(0.0312), "0.031");
        assert_eq!(probability(0.5), "0.5");
        assert_eq!(probability(2.0), "–");
    }
}
