//! Numbers in sentences.

use transect_stats::Estimate;

/// Three significant digits, without an exponent between 0.001 and a million.
pub(crate) fn number(x: f64) -> String {
    if x.is_nan() {
        return "undefined".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    let sign = if x < 0.0 { "−" } else { "" };
    let a = x.abs();
    if !(0.000_999_5..999_999.5).contains(&a) {
        return format!("{sign}{a:.2e}");
    }
    let digits = (2 - a.log10().floor() as i32).clamp(0, 6) as usize;
    let mut text = format!("{a:.digits$}");
    // 9.996 with two digits is 10.00: one digit too many, but never a wrong one.
    if text.contains('.') {
        text = text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    format!("{sign}{text}")
}

/// A share as a percentage without its sign, to whole points, or to tenths below 10 and above 90 where that tells more.
fn points(x: f64, fine: bool) -> String {
    let p = 100.0 * x;
    let digits = usize::from(fine);
    let text = format!("{:.digits$}", p.abs());
    let text = if fine {
        text.trim_end_matches(".0").to_owned()
    } else {
        text
    };
    if p < 0.0 && text != "0" {
        format!("−{text}")
    } else {
        text
    }
}

/// A share as a percentage: `41%`, `96.1%`.
pub(crate) fn percent(x: f64) -> String {
    if !x.is_finite() {
        return number(x);
    }
    let p = (100.0 * x).abs();
    let fine = p > 0.0 && !(10.0..=90.0).contains(&p) && p < 100.0;
    format!("{}%", points(x, fine))
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As a percentage.
    Percent,
    /// As a difference of percentages, in points.
    Points,
    /// As a plain number.
    Plain,
}

impl Form {
    /// One number.
    pub(crate) fn one(self, x: f64) -> String {
        match self {
            Self::Percent => percent(x),
            Self::Points if !x.is_finite() => number(x),
            Self::Points => {
                let fine = (100.0 * x).abs() < 10.0;
                format!("{} points", points(x, fine))
            }
            Self::Plain => number(x),
        }
    }

    /// Two bounds: `22–64%`, `−3 to 5 points`, `0.4–0.6`.
    pub(crate) fn range(self, low: f64, high: f64) -> String {
        let fine = (high - low) < 0.1;
        match self {
            _ if !low.is_finite() || !high.is_finite() => {
                format!("{} to {}", self.one(low), self.one(high))
            }
            Self::Percent if low >= 0.0 => format!("{}–{}%", points(low, fine), points(high, fine)),
            Self::Percent => format!("{} to {}%", points(low, fine), points(high, fine)),
            Self::Points => format!("{} to {} points", points(low, fine), points(high, fine)),
            Self::Plain if low >= 0.0 => format!("{}–{}", number(low), number(high)),
            Self::Plain => format!("{} to {}", number(low), number(high)),
        }
    }

    /// An estimate with its interval: `41% (95% interval 22–64%)`.
    pub(crate) fn estimate(self, e: &Estimate) -> String {
        if e.is_open() {
            return format!("{} (one image, so no interval)", self.one(e.estimate));
        }
        format!(
            "{} ({} interval {})",
            self.one(e.estimate),
            percent(e.level),
            self.range(e.low, e.high)
        )
    }

    /// The same with the bounds only in brackets.
    pub(crate) fn short(self, e: &Estimate) -> String {
        if e.is_open() {
            return format!("{} (one image, so no interval)", self.one(e.estimate));
        }
        format!("{} ({})", self.one(e.estimate), self.range(e.low, e.high))
    }
}

/// A bound for a figure; `None` where nothing bounds.
pub(crate) fn bound(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

/// `1 image`, `17 images`.
pub(crate) fn images(n: usize) -> String {
    counted(n, "image", "images")
}

/// A number with its noun.
pub(crate) fn counted(n: usize, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {many}")
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Text in single quotes for SQL.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A p value: `p = 0.03`, `p < 0.001`.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p = {}", number((p * 1000.0).round() / 1000.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        for (x, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.123_456, "0.123"),
            (-2.5, "−2.5"),
            (1234.6, "1235"),
            (0.000_5, "5.00e-4"),
            (9.999, "10"),
            (f64::INFINITY, "∞"),
        ] {
            assert_eq!(number(x), text);
        }
    }

    #[test]
    fn shares_are_percentages() {
        for (x, text) in [
            (0.412, "41%"),
            (0.961, "96.1%"),
            (1.0, "100%"),
            (0.0, "0%"),
            (0.04, "4%"),
            (0.999, "99.9%"),
        ] {
            assert_eq!(percent(x), text);
        }
        assert_eq!(Form::Percent.range(0.22, 0.64), "22–64%");
        assert_eq!(Form::Points.one(-0.04), "−4 points");
        assert_eq!(Form::Points.range(-0.01, 0.52), "−1 to 52 points");
    }
}
