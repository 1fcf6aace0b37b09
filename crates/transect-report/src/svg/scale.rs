//! Axes: from numbers to places, and round ticks.

use maud::{Markup, html};

use super::{Anchor, line, text, width};
use crate::number;

/// An axis between two places.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    log: bool,
    from: f64,
    to: f64,
    step: f64,
    /// Place of the values that a logarithmic axis cannot reach on the low side (zero and below), and their name.
    before: Option<f64>,
    /// Place of infinity.
    after: Option<f64>,
}

/// Room of a slot for what the axis itself cannot reach.
const SLOT: f64 = 30.0;

impl Axis {
    /// A linear axis over these numbers, from a round number to a round number; `unit_interval` takes 0 to 1 where all
    /// numbers lie in it and fill a fair part of it.
    pub(super) fn linear(
        values: impl IntoIterator<Item = f64>,
        from: f64,
        to: f64,
        ticks: usize,
    ) -> Self {
        let (mut low, mut high) = range(values);
        if low >= 0.0 && high <= 1.0 && high - low > 0.35 {
            (low, high) = (0.0, 1.0);
        }
        if high - low < 1e-9 * low.abs().max(high.abs()).max(1e-9) {
            let pad = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
            low -= pad;
            high += pad;
        }
        let step = round_step((high - low) / ticks.max(1) as f64);
        Self {
            low: (low / step + 1e-9).floor() * step,
            high: (high / step - 1e-9).ceil() * step,
            log: false,
            from,
            to,
            step,
            before: None,
            after: None,
        }
    }

    /// A horizontal axis over these numbers, logarithmic if asked and possible. Infinity, and zero and below on a
    /// logarithmic axis, get slots of their own at the ends.
    pub(super) fn horizontal(values: &[f64], log: bool, from: f64, to: f64) -> Self {
        let log = log && values.iter().any(|v| v.is_finite() && *v > 0.0);
        let (mut left, mut right) = (from, to);
        let before = (log && values.iter().any(|v| *v <= 0.0)).then(|| {
            left += SLOT;
            from + 6.0
        });
        let after = values.contains(&f64::INFINITY).then(|| {
            right -= SLOT;
            to - 6.0
        });
        let finite = values
            .iter()
            .copied()
            .filter(|v| v.is_finite() && (!log || *v > 0.0));
        let mut axis = if log {
            let (low, high) = range(finite);
            let (low, high) = if high / low < 1.0 + 1e-9 {
                (low / 2.0, high * 2.0)
            } else {
                (low, high)
            };
            Self {
                low,
                high,
                log: true,
                from: left,
                to: right,
                step: 0.0,
                before: None,
                after: None,
            }
        } else {
            Self::linear(finite, left, right, 5)
        };
        axis.before = before;
        axis.after = after;
        axis
    }

    /// The place of a number; beyond the ends it stays at the ends.
    pub(super) fn place(&self, value: f64) -> f64 {
        if value == f64::INFINITY {
            return self.after.unwrap_or(self.to);
        }
        if self.log && value <= 0.0 {
            return self.before.unwrap_or(self.from);
        }
        let share = if self.log {
            (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            (value - self.low) / (self.high - self.low)
        };
        if share.is_nan() {
            self.from
        } else {
            self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
        }
    }

    /// Whether a number lies in a slot, apart from the axis.
    pub(super) fn apart(&self, value: f64) -> bool {
        (value == f64::INFINITY && self.after.is_some())
            || (self.log && value <= 0.0 && self.before.is_some())
    }

    /// Smallest number of the axis.
    pub(super) fn low(&self) -> f64 {
        self.low
    }

    /// Largest number of the axis.
    pub(super) fn high(&self) -> f64 {
        self.high
    }

    /// Round numbers with their names.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        if self.log {
            self.log_ticks()
        } else {
            self.linear_ticks()
        }
    }

    fn linear_ticks(&self) -> Vec<(f64, String)> {
        let places = (-self.step.log10().floor()).clamp(0.0, 9.0) as usize;
        let count = ((self.high - self.low) / self.step)
            .round()
            .clamp(0.0, 50.0) as usize;
        (0..=count)
            .map(|i| {
                let value = self.low + i as f64 * self.step;
                let large = value.abs() >= 1e5 || (self.step < 1e-4 && value != 0.0);
                (
                    value,
                    if large {
                        number::number(value)
                    } else {
                        number::decimals(value, places)
                    },
                )
            })
            .collect()
    }

    fn log_ticks(&self) -> Vec<(f64, String)> {
        let (first, last) = (
            self.low.log10().floor() as i32,
            self.high.log10().ceil() as i32,
        );
        let decades = self.high.log10() - self.low.log10();
        let parts: &[f64] = if decades > 2.5 {
            &[1.0]
        } else if decades > 0.8 {
            &[1.0, 2.0, 5.0]
        } else {
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0]
        };
        let every = if decades > 8.0 { 3 } else { 1 };
        let mut ticks = Vec::new();
        for exponent in (first..=last).step_by(every) {
            for part in parts {
                let value = part * 10_f64.powi(exponent);
                if value >= self.low * (1.0 - 1e-9) && value <= self.high * (1.0 + 1e-9) {
                    ticks.push((value, plain(value)));
                }
            }
        }
        ticks
    }

    /// The axis below a plot whose bottom is at `bottom`, with its label; 34 units high.
    pub(super) fn below(&self, top: f64, bottom: f64, label: &str, edges: (f64, f64)) -> Markup {
        let mut named: Vec<(f64, String)> = self
            .ticks()
            .into_iter()
            .map(|(v, t)| (self.place(v), t))
            .collect();
        if let Some(x) = self.before {
            named.insert(0, (x, "0".to_owned()));
        }
        if let Some(x) = self.after {
            named.push((x, "∞".to_owned()));
        }
        let mut end = f64::NEG_INFINITY;
        let mut free = Vec::new();
        for (x, name) in &named {
            let half = width(name) / 2.0;
            if x - half > end + 5.0 {
                end = x + half;
                free.push((*x, name));
            }
        }
        html! {
            @for (x, _) in &named { (line(*x, top, *x, bottom, "grid")) }
            @for (x, name) in free { (text(x, bottom + 14.0, "tick", Anchor::Middle, name)) }
            (line(self.from, bottom, self.to, bottom, "axis"))
            @if self.before.is_some() { (broken(self.from - SLOT / 2.0, bottom)) }
            @if self.after.is_some() { (broken(self.to + SLOT / 2.0, bottom)) }
            (text(f64::midpoint(edges.0, edges.1), bottom + 30.0, "axis-name", Anchor::Middle,
                &super::fit(label, edges.1 - edges.0 + 40.0)))
        }
    }
}

/// Two strokes that say that an axis does not go on evenly.
fn broken(x: f64, y: f64) -> Markup {
    html! {
        (line(x - 5.0, y + 4.0, x - 1.0, y - 4.0, "axis"))
        (line(x + 1.0, y + 4.0, x + 5.0, y - 4.0, "axis"))
    }
}

/// Smallest and largest of the finite numbers; 0 and 1 where there is none.
pub(super) fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.into_iter().filter(|v| v.is_finite()) {
        low = low.min(value);
        high = high.max(value);
    }
    if low > high { (0.0, 1.0) } else { (low, high) }
}

/// 1, 2 or 5 times a power of ten, at least this large.
fn round_step(rough: f64) -> f64 {
    if !(rough.is_finite() && rough > 1e-300) {
        return 1.0;
    }
    let power = 10_f64.powi(rough.log10().floor() as i32);
    for part in [1.0, 2.0, 5.0] {
        if part * power >= rough * (1.0 - 1e-9) {
            return part * power;
        }
    }
    10.0 * power
}

/// A round number without trailing zeros.
fn plain(value: f64) -> String {
    if !(1e-3..1e5).contains(&value) {
        return number::number(value);
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|t| t.1).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            names(&Axis::linear([0.1, 0.9], 0.0, 100.0, 5)),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(
            names(&Axis::linear([0.81, 0.93], 0.0, 100.0, 4)),
            ["0.80", "0.85", "0.90", "0.95"]
        );
        assert_eq!(
            names(&Axis::linear([-3.0, 12.0], 0.0, 100.0, 4)),
            ["−5", "0", "5", "10", "15"]
        );
        assert_eq!(
            names(&Axis::horizontal(&[1.0, 300.0], true, 0.0, 100.0)),
            ["1", "2", "5", "10", "20", "50", "100", "200"]
        );
        assert_eq!(
            names(&Axis::horizontal(&[1.0, 30_000.0], true, 0.0, 100.0)),
            ["1", "10", "100", "1000", "10000"]
        );
    }

    #[test]
    fn a_single_number_has_an_axis() {
        for value in [0.0, 3.0, -2.0, 1e-12, 1e12] {
            let axis = Axis::linear([value], 0.0, 100.0, 4);
            assert!(
                axis.low() <= value && value <= axis.high() && axis.low() < axis.high(),
                "{value}: {axis:?}"
            );
            assert!(axis.ticks().len() >= 2, "{value}");
        }
    }

    #[test]
    fn zero_and_infinity_have_slots_on_a_logarithmic_axis() {
        let axis = Axis::horizontal(&[0.0, 1.0, 100.0, f64::INFINITY], true, 0.0, 200.0);
        assert!(axis.place(0.0) < axis.place(1.0) && axis.place(100.0) < axis.place(f64::INFINITY));
        assert!(
            (axis.place(10.0) - f64::midpoint(axis.place(1.0), axis.place(100.0))).abs() < 1e-9
        );
        assert!(axis.apart(0.0) && axis.apart(f64::INFINITY) && !axis.apart(1.0));
    }

    #[test]
    fn places_stay_between_the_ends() {
        let axis = Axis::linear([0.0, 10.0], 20.0, 120.0, 5);
        for value in [
            -1e300,
            5.0,
            1e300,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            let place = axis.place(value);
            assert!((20.0..=120.0).contains(&place), "{value}: {place}");
        }
    }
}
