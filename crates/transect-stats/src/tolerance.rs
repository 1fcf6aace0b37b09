//! How far a corruption bends the score.

use transect_core::Result;

use crate::error::{finite, refused, same_length};
use crate::interval::{Estimate, Settings, share_upper, spread};
use crate::resample::{Given, Replicates, Settled, Sums, replicate, settle};
use crate::units::Units;

/// The value of a corruption at which the score above chance has lost a share of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerance {
    /// The value on the physical axis; `None`: not reached, "> largest tested".
    pub value: Option<f64>,
    /// Bound nearer to the identity; `None`: beyond the largest tested (then the whole interval is).
    pub near: Option<f64>,
    /// Bound farther from the identity; `None`: beyond the largest tested (censored).
    pub far: Option<f64>,
    /// Score at severity 0 minus chance.
    pub baseline: Estimate,
    /// Whether the baseline is above chance (its lower bound is); if not, `not_assessable`: `value`, `near`, `far` are
    /// `None` and mean nothing.
    pub assessable: bool,
    /// Score at each severity, 0 first, with intervals.
    pub scores: Vec<Estimate>,
    /// Relative loss at each severity as measured, 0 first (0 there); before the isotonic fit; negative for a gain.
    pub losses: Vec<f64>,
    /// Interval method, in words.
    pub method: String,
    /// Whether there are units enough for the interval.
    pub enough: bool,
}

/// The isotonic regression of least squares: the non-decreasing sequence nearest to `values`, by pooling adjacent
/// violators, with weights.
///
/// # Errors
/// `T701` for no values, lengths that differ, values that are not finite, weights that are not positive.
pub fn isotonic(values: &[f64], weights: &[f64]) -> Result<Vec<f64>> {
    finite("values", values)?;
    finite("weights", weights)?;
    same_length("values", values.len(), "weights", weights.len())?;
    if weights.iter().any(|w| *w <= 0.0) {
        return Err(refused("a weight is not positive"));
    }
    let mut out = values.to_vec();
    pool(&mut out, weights);
    Ok(out)
}

/// Pools adjacent violators in place.
fn pool(values: &mut [f64], weights: &[f64]) {
    let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(values.len());
    for (&value, &weight) in values.iter().zip(weights) {
        let mut block = (value, weight, 1);
        while let Some(&(v, w, n)) = blocks.last() {
            if v <= block.0 {
                break;
            }
            block = (
                (v * w + block.0 * block.1) / (w + block.1),
                w + block.1,
                n + block.2,
            );
            blocks.pop();
        }
        blocks.push(block);
    }
    let mut at = 0;
    for (value, _, n) in blocks {
        values[at..at + n].fill(value);
        at += n;
    }
}

/// The axis: distance from the identity, growing with severity.
struct Axis {
    identity: f64,
    sign: f64,
    /// Distances of severities 0 ….
    places: Vec<f64>,
}

impl Axis {
    fn new(identity: f64, values: &[f64]) -> Result<Self> {
        finite("the axis", values)?;
        if identity.is_nan() {
            return Err(refused("the identity of the axis is not a number"));
        }
        let mut places = vec![0.0];
        let sign;
        if identity.is_infinite() {
            sign = 1.0;
            places.extend(values.iter().map(|v| 1.0 / v));
        } else {
            sign = (values[0] - identity).signum();
            places.extend(values.iter().map(|v| sign * (v - identity)));
        }
        if places
            .windows(2)
            .any(|pair| !pair[1].is_finite() || pair[1] <= pair[0])
        {
            return Err(refused(
                "the axis does not move away from its identity step by step",
            ));
        }
        Ok(Self {
            identity,
            sign,
            places,
        })
    }

    fn value(&self, place: f64) -> f64 {
        if self.identity.is_infinite() {
            1.0 / place
        } else {
            self.identity + self.sign * place
        }
    }
}

/// What is left above the allowed loss at each severity, D = (score − chance) − (1 − loss)(score₀ − chance): isotonic over
/// the severities, never above its value at 0.
fn margins(scores: &[f64], chance: f64, loss: f64) -> Vec<f64> {
    let kept = (1.0 - loss) * (scores[0] - chance);
    let at_zero = scores[0] - chance - kept;
    // Losses grow, so their negatives are pooled as non-decreasing.
    let mut out: Vec<f64> = scores.iter().map(|s| kept - (s - chance)).collect();
    let weights = vec![1.0; out.len() - 1];
    pool(&mut out[1..], &weights);
    for v in &mut out {
        *v = (-*v).min(at_zero);
    }
    out[0] = at_zero;
    out
}

/// Linear interpolation of the margins at a place on the axis.
fn margin(margins: &[f64], axis: &Axis, place: f64) -> f64 {
    let segment = axis.places[1..]
        .partition_point(|p| *p < place)
        .min(margins.len() - 2);
    let (from, to) = (axis.places[segment], axis.places[segment + 1]);
    let part = ((place - from) / (to - from)).clamp(0.0, 1.0);
    margins[segment] * (1.0 - part) + margins[segment + 1] * part
}

/// Where a falling function leaves the positive side; `None` when it never does.
fn crossing(axis: &Axis, positive: &dyn Fn(f64) -> Result<bool>) -> Result<Option<f64>> {
    let last = axis.places[axis.places.len() - 1];
    if positive(last)? {
        return Ok(None);
    }
    let (mut low, mut high) = (0.0, last);
    for _ in 0..24 {
        let middle = 0.5 * (low + high);
        if positive(middle)? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(Some(axis.value(0.5 * (low + high))))
}

fn finish(
    made: &Replicates,
    axis: &Axis,
    chance: f64,
    loss: f64,
    settings: &Settings,
    score: &dyn Fn(&[f64], &mut [f64]),
    few: &dyn Fn(usize) -> Option<f64>,
) -> Result<Tolerance> {
    let k = axis.places.len();
    let all = |out: &[f64]| {
        let mut scores = vec![0.0; k];
        score(out, &mut scores);
        scores
    };
    let scores = (0..k)
        .map(|s| made.estimate(settings, &|out| all(out)[s]))
        .collect::<Result<Vec<_>>>()?;
    let shifted = Settings {
        range: settings.range.map(|(a, b)| (a - chance, b - chance)),
        ..settings.clone()
    };
    let baseline = made.estimate(&shifted, &|out| all(out)[0] - chance)?;
    let assessable = baseline.estimate > 0.0 && baseline.low > 0.0;
    let observed = all(&made.observed);
    let above = observed[0] - chance;
    let losses = observed
        .iter()
        .map(|s| {
            if above > 0.0 {
                (observed[0] - s) / above
            } else {
                0.0
            }
        })
        .collect();
    let kept = 1.0 - loss;
    let spread = Settings {
        range: settings.range.map(|(a, b)| {
            (
                a - chance - kept * (b - chance),
                b - chance - kept * (a - chance),
            )
        }),
        ..settings.clone()
    };
    let curves = made.map(&|out| margins(&all(out), chance, loss));
    let at = |place: f64| curves.estimate(&spread, &|curve| margin(curve, axis, place));
    let last = at(axis.places[k - 1])?;
    let (mut value, mut near, mut far) = (None, None, None);
    if assessable {
        value = crossing(axis, &|place| {
            Ok(margin(&curves.observed, axis, place) > 0.0)
        })?;
        // Where fewer than five units lost anything, their spread says little of how many more would.
        let mut caps = curves.observed.clone();
        for (s, cap) in caps.iter_mut().enumerate().skip(1) {
            if let Some(most) = few(s) {
                let lost = observed[0] - observed[s];
                let clean = loss * (scores[0].estimate - scores[0].low);
                *cap = cap.min(loss * above - lost - clean.hypot((most - lost).max(0.0)));
            }
        }
        // What holds at a stronger severity holds at a weaker one.
        for s in (1..k - 1).rev() {
            caps[s] = caps[s].max(caps[s + 1]);
        }
        near = crossing(axis, &|place| {
            Ok(margin(&caps, axis, place) > 0.0 && at(place)?.low > 0.0)
        })?;
        far = crossing(axis, &|place| Ok(at(place)?.high > 0.0))?;
    }
    Ok(Tolerance {
        value,
        near,
        far,
        assessable,
        scores,
        losses,
        method: format!(
            "isotonic curve, where its pointwise interval holds the allowed loss ({})",
            last.method
        ),
        enough: baseline.enough,
        baseline,
    })
}

fn check(values: &[f64], loss: f64, chance: f64) -> Result<()> {
    finite("chance", &[chance])?;
    if values.is_empty() || !(loss > 0.0 && loss < 1.0) {
        return Err(refused(format!(
            "{} severities and a loss of {loss}",
            values.len()
        )));
    }
    Ok(())
}

/// Tolerance of any score. `identity` and `values`: the physical axis (`identity` may be infinite, such as photons: then
/// interpolation is linear in 1/x; else in x). `f(severity, weights)` gives the score of severity 0 … `values.len()` over
/// rows with these weights, so that all severities are paired. `loss` is 0.1 for "lost 10%". The score must be better when
/// higher; [`Settings::range`] is the score's.
///
/// Relative loss at a severity is 1 − (score − chance)/(score₀ − chance). The losses are made non-decreasing by isotonic
/// regression, not below 0, and interpolated linearly; the tolerance is where they reach `loss`, or "not reached".
///
/// **Interval.** Whole curves are resampled by groups. As the curve falls, "the tolerance is beyond t" and "the loss at t is
/// under `loss`" are the same statement, so the bounds are the places where the pointwise interval of
/// D(t) = (score(t) − chance) − (1 − loss)(score₀ − chance) begins and ceases to hold 0: it covers wherever the interval of
/// D at the true tolerance does, and is censored by itself where D stays above 0 to the end.
///
/// # Errors
/// `T701` when the axis does not move away from `identity` step by step, `loss` is outside (0, 1), or a score has no value
/// with all weights 1.
pub fn tolerance(
    identity: f64,
    values: &[f64],
    chance: f64,
    loss: f64,
    units: &Units,
    settings: &Settings,
    f: &mut dyn FnMut(usize, &[f64]) -> Option<f64>,
) -> Result<Tolerance> {
    check(values, loss, chance)?;
    let axis = Axis::new(identity, values)?;
    let settled: Settled = settle(units);
    let mut weights = vec![1.0; units.rows()];
    let given = Given {
        original: units,
        settled: &settled,
    };
    let made = replicate(&[given], values.len() + 1, settings, &mut |counts, out| {
        spread(&settled.units, &counts[0], &mut weights);
        for (severity, o) in out.iter_mut().enumerate() {
            *o = f(severity, &weights).unwrap_or(f64::NAN);
        }
    })?;
    let scores = |out: &[f64], scores: &mut [f64]| scores.copy_from_slice(out);
    finish(&made, &axis, chance, loss, settings, &scores, &|_| None)
}

/// The same for a score that is a mean over rows (accuracy, mean IoU): `scores[severity][row]`, severity 0 first. Faster.
///
/// Where fewer than five units lost anything at a severity and [`Settings::range`] is given, `near` is not beyond the place
/// where Clopper–Pearson's bound for the share of units that lose, each by the whole range, reaches the allowed loss: that
/// none of ten images lost anything does not show that fewer than a tenth would.
///
/// # Errors
/// As [`tolerance`], and for lengths that differ.
pub fn tolerance_of_means(
    identity: f64,
    values: &[f64],
    chance: f64,
    loss: f64,
    scores: &[Vec<f64>],
    units: &Units,
    settings: &Settings,
) -> Result<Tolerance> {
    check(values, loss, chance)?;
    let axis = Axis::new(identity, values)?;
    same_length(
        "scores",
        scores.len(),
        "severities with 0",
        values.len() + 1,
    )?;
    for column in scores {
        finite("scores", column)?;
        same_length("scores", column.len(), "units", units.rows())?;
    }
    let settled = settle(units);
    let k = scores.len();
    let sums = Sums::new(&settled.units, k + 1, |row, out| {
        out.iter_mut()
            .zip(scores)
            .for_each(|(o, column)| *o += column[row]);
        out[k] += 1.0;
    });
    let given = Given {
        original: units,
        settled: &settled,
    };
    let made = replicate(&[given], k + 1, settings, &mut |counts, out| {
        sums.total(&counts[0], out);
    })?;
    let means = |out: &[f64], means: &mut [f64]| {
        for (mean, sum) in means.iter_mut().zip(out) {
            *mean = sum / out[k];
        }
    };
    let groups = settled.units.rows_by_group();
    let effective = settled.units.effective();
    let few = |s: usize| -> Option<f64> {
        let (low, high) = settings.range?;
        let losers = groups
            .iter()
            .filter(|rows| rows.iter().any(|&row| scores[s][row] < scores[0][row]))
            .count() as f64;
        (losers < 5.0 && high > low)
            .then(|| (high - low) * share_upper(losers, effective, 0.5 - 0.5 * settings.level))
    };
    finish(&made, &axis, chance, loss, settings, &means, &few)
}

#[cfg(test)]
mod tests {
    use super::*;
    use transect_core::Stream;

    fn columns(means: &[f64], n: usize) -> Vec<Vec<f64>> {
        let mut stream = Stream::new(4, "test", &[]);
        let base: Vec<f64> = (0..n).map(|_| 0.02 * stream.normal()).collect();
        means
            .iter()
            .map(|m| {
                base.iter()
                    .map(|b| m + b + 0.01 * stream.normal())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn the_crossing_is_found_on_any_axis() {
        let settings = Settings::new(1, "t").range(0.0, 1.0);
        let units = Units::independent(100);
        // Loses 10% of 0.8 between the second and third value, half way.
        let scores = columns(&[0.8, 0.8, 0.76, 0.68, 0.5, 0.3], 100);
        let made = tolerance_of_means(
            0.0,
            &[1.0, 2.0, 3.0, 4.0, 5.0],
            0.0,
            0.1,
            &scores,
            &units,
            &settings,
        )
        .unwrap();
        let value = made.value.unwrap();
        assert!((value - 2.5).abs() < 0.1, "{value}");
        assert!(made.near.unwrap() <= value && value <= made.far.unwrap());
        let falling = tolerance_of_means(
            1.0,
            &[0.9, 0.8, 0.7, 0.6, 0.5],
            0.0,
            0.1,
            &scores,
            &units,
            &settings,
        )
        .unwrap();
        assert!(
            (falling.value.unwrap() - 0.75).abs() < 0.01
                && falling.far.unwrap() < falling.near.unwrap()
        );
        let photons = tolerance_of_means(
            f64::INFINITY,
            &[100.0, 50.0, 25.0, 10.0, 5.0],
            0.0,
            0.1,
            &scores,
            &units,
            &settings,
        )
        .unwrap();
        // Half way between 1/50 and 1/25.
        assert!(
            (photons.value.unwrap() - 1.0 / 0.03).abs() < 1.5,
            "{:?}",
            photons.value
        );
    }

    #[test]
    fn not_reached_is_censored_and_chance_is_not_assessable() {
        let settings = Settings::new(1, "t").range(0.0, 1.0);
        let units = Units::independent(60);
        let flat = columns(&[0.8, 0.8, 0.79], 60);
        let made =
            tolerance_of_means(0.0, &[1.0, 2.0], 0.0, 0.1, &flat, &units, &settings).unwrap();
        assert!(
            made.assessable && made.value.is_none() && made.near.is_none() && made.far.is_none()
        );
        let made =
            tolerance_of_means(0.0, &[1.0, 2.0], 0.8, 0.1, &flat, &units, &settings).unwrap();
        assert!(!made.assessable);
        let axis = tolerance_of_means(0.0, &[2.0, 1.0], 0.0, 0.1, &flat, &units, &settings);
        assert_eq!(axis.unwrap_err().code.id, "T701");
    }

    /// Ten images, nine right, none lost at any severity: with a true loss of a fifth that happens in 13% of samples.
    #[test]
    fn few_images_without_a_loss_do_not_show_that_none_would_lose() {
        let settings = Settings::new(1, "t").range(0.0, 1.0);
        let nine =
            |n: usize| -> Vec<f64> { (0..n).map(|i| f64::from(u8::from(i % 10 != 0))).collect() };
        let found = |n: usize| {
            let units = Units::independent(n);
            let scores = vec![nine(n); 3];
            tolerance_of_means(0.0, &[1.0, 2.0], 0.0, 0.1, &scores, &units, &settings).unwrap()
        };
        let few = found(10);
        assert!(few.assessable && few.value.is_none() && few.far.is_none());
        assert!(
            few.near.is_some(),
            "not shown to be beyond the largest: {few:?}"
        );
        assert!(found(100).near.is_none(), "none of a hundred shows it");
    }

    #[test]
    fn means_and_closures_agree() {
        let settings = Settings::new(1, "t").range(0.0, 1.0);
        let scores = columns(&[0.8, 0.75, 0.6], 50);
        let units = Units::independent(50);
        let by_means =
            tolerance_of_means(0.0, &[1.0, 2.0], 0.2, 0.1, &scores, &units, &settings).unwrap();
        let by_closure = tolerance(
            0.0,
            &[1.0, 2.0],
            0.2,
            0.1,
            &units,
            &settings,
            &mut |s, w| {
                Some(
                    scores[s].iter().zip(w).map(|(v, w)| v * w).sum::<f64>()
                        / w.iter().sum::<f64>(),
                )
            },
        )
        .unwrap();
        assert!((by_means.value.unwrap() - by_closure.value.unwrap()).abs() < 1e-6);
        assert!((by_means.near.unwrap() - by_closure.near.unwrap()).abs() < 1e-6);
    }

    #[test]
    fn violators_are_pooled() {
        assert_eq!(
            isotonic(&[1.0, 3.0, 2.0, 4.0], &[1.0; 4]).unwrap(),
            vec![1.0, 2.5, 2.5, 4.0]
        );
        assert_eq!(
            isotonic(&[3.0, 2.0, 1.0], &[1.0, 1.0, 2.0]).unwrap(),
            vec![1.75; 3]
        );
    }
}
