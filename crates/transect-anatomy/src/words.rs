//! Numbers in sentences.

use transect_core::number::{narrow, points, probability};
use transect_stats::Estimate;

pub(crate) use transect_core::number::{number, percent};

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
        let fine = narrow(low, high);
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

/// ` px` behind a number; nothing for a number without a unit.
pub(crate) fn unit(unit: &str) -> String {
    if unit.is_empty() {
        String::new()
    } else {
        format!(" {unit}")
    }
}

/// ` (px)` behind the name of an axis; nothing for a quantity without a unit.
pub(crate) fn unit_in_brackets(unit: &str) -> String {
    if unit.is_empty() {
        String::new()
    } else {
        format!(" ({unit})")
    }
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

/// A p value: `p = 0.03`, `p < 0.0001`.
pub(crate) fn p_value(p: f64) -> String {
    let text = probability(p);
    if text.starts_with('<') {
        format!("p {text}")
    } else {
        format!("p = {text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_in_their_unit() {
        assert_eq!(Form::Percent.range(0.22, 0.64), "22–64%");
        assert_eq!(Form::Points.one(-0.04), "−4 points");
        assert_eq!(Form::Points.range(-0.01, 0.52), "−1 to 52 points");
        assert_eq!(p_value(0.000_01), "p < 0.0001");
        assert_eq!(p_value(0.034), "p = 0.034");
    }
}
