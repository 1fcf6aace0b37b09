//! What the model gains over several rivals at once: better than all, no better than one, or undecided.

use transect_core::{Better, Finding, Result, Threshold};
use transect_stats::{Estimate, Settings, Units, mean, n_needed, simultaneous};

use crate::opinion::{Draft, Ground};
use crate::study::Study;

/// Gain under which the model is no better than a rival, in the unit of the score (0 to 1).
pub const MARGIN: f64 = 0.02;
/// Level of each of the two one-sided questions.
const ONE_SIDED: f64 = 0.95;
/// Level of the interval that its two bounds make.
const LEVEL: f64 = 0.90;

/// The model's gain over one rival.
#[derive(Debug, Clone)]
pub(crate) struct Gain {
    /// Name in ids, such as `moments`.
    pub(crate) name: String,
    /// Name in sentences.
    pub(crate) words: String,
    /// Score of the model less that of the rival, on the same images.
    pub(crate) estimate: Estimate,
    /// What each of the images looked at adds to the gain; 0 for those that this rival has no answer for.
    influence: Vec<f64>,
}

impl Gain {
    /// The gain over a rival, of scores from 0 to 1; see [`Gain::within`].
    ///
    /// # Errors
    /// `T701` for lists of different lengths or without images.
    pub(crate) fn new(
        study: &Study<'_>,
        id: &str,
        names: (&str, &str),
        of: &[usize],
        rows: &[usize],
        by_seed: &[Vec<f64>],
    ) -> Result<Self> {
        Self::within(study, id, names, of, rows, by_seed, 1.0)
    }

    /// The gain of one probe over another, both cross-validated on these images, of scores from 0 to 1: as [`Gain::new`], with what
    /// another draw of the training rows would change. The variance of images is multiplied by 1 + f/(f − 1) · min(1, 40/G), f = 5
    /// folds, G effective groups: Nadeau and Bengio's factor (2003) where groups are few, nothing where they are many. Without it a gain
    /// of nothing passed in 13% at 30 images, 11% at 40, 6% at 60 (5% meant).
    ///
    /// # Errors
    /// `T701` for lists of different lengths or without images.
    pub(crate) fn of_probes(
        study: &Study<'_>,
        id: &str,
        (name, words): (&str, &str),
        of: &[usize],
        rows: &[usize],
        by_seed: &[Vec<f64>],
    ) -> Result<Self> {
        let mut gain = Self::new(study, id, (name, words), of, rows, by_seed)?;
        let units = study.units(rows)?;
        let settings = study
            .settings(&format!("{id}[over={name}]"))
            .tails()
            .range(-1.0, 1.0);
        let weight = (FEW_TRAINING / units.effective()).min(1.0);
        gain.estimate = gain
            .estimate
            .with_training(FOLDS, weight, &units, &settings)?;
        Ok(gain)
    }

    /// The gain over a rival from the differences on the images `rows`, which are among the images `of`, both ascending: one
    /// list for each seed of the rival, one list where it has none. No difference is larger than `wide`.
    ///
    /// # Errors
    /// `T701` for lists of different lengths or without images.
    pub(crate) fn within(
        study: &Study<'_>,
        id: &str,
        (name, words): (&str, &str),
        of: &[usize],
        rows: &[usize],
        by_seed: &[Vec<f64>],
        wide: f64,
    ) -> Result<Self> {
        let mut settings = study.settings(&format!("{id}[over={name}]")).tails();
        if wide.is_finite() {
            settings = settings.range(-wide, wide);
        }
        let units = study.units(rows)?;
        let averaged = average(by_seed);
        let images = mean(&averaged, &units, &settings)?;
        let means: Vec<f64> = by_seed
            .iter()
            .map(|d| d.iter().sum::<f64>() / d.len().max(1) as f64)
            .collect();
        let estimate = over_seeds(images, &means, &units, &settings)?;
        let centre = estimate.estimate;
        let mut places = rows.iter().zip(&averaged).peekable();
        let influence = of
            .iter()
            .map(|row| match places.peek() {
                Some((here, v)) if *here == row => {
                    let v = **v - centre;
                    places.next();
                    v
                }
                _ => 0.0,
            })
            .collect();
        Ok(Self {
            name: name.to_owned(),
            words: words.to_owned(),
            estimate,
            influence,
        })
    }

    /// The gain over a rival in a statistic that is no mean over images: `images` is its estimate for the seeds on average,
    /// `by_seed` its value for each. It counts as independent of other gains, which is the wider choice; `of` is the number
    /// of images looked at.
    ///
    /// # Errors
    /// `T701` for a number that is not finite.
    pub(crate) fn of_statistic(
        (name, words): (&str, &str),
        images: Estimate,
        by_seed: &[f64],
        units: &Units,
        of: usize,
        settings: &Settings,
    ) -> Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            words: words.to_owned(),
            estimate: over_seeds(images, by_seed, units, settings)?,
            influence: vec![0.0; of],
        })
    }
}

/// Mean over seeds, image by image.
fn average(by_seed: &[Vec<f64>]) -> Vec<f64> {
    let n = by_seed.first().map_or(0, Vec::len);
    (0..n)
        .map(|i| by_seed.iter().map(|d| d[i]).sum::<f64>() / by_seed.len() as f64)
        .collect()
}

/// All gains, weighed together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weighed {
    /// Place of the rival over which the model gains least.
    pub(crate) best_rival: usize,
    /// The least gain.
    pub(crate) least: f64,
    /// One-sided 95% lower bound of the least gain: the smallest over the rivals, without a further correction
    /// (intersection–union, Berger 1982).
    pub(crate) low: f64,
    /// One-sided 95% upper bound of the least gain: the smallest of the bounds that hold together (max-T).
    pub(crate) high: f64,
    /// Better than every rival: `low` is above 0.
    pub(crate) good: bool,
    /// No better than one of them: `high` is under the margin.
    pub(crate) bad: bool,
    /// Whether there are units enough.
    pub(crate) enough: bool,
    /// One-sided p of H₀: the gain over every rival is at least the margin; 1 where the model is shown to be better than all.
    pub(crate) p: f64,
    /// Images that would settle it if the gain stayed.
    pub(crate) n_needed: Option<u64>,
    /// How the bounds were made.
    pub(crate) method: String,
}

/// Weighs gains over rivals on the images that `units` are of. `None` where there is no rival.
///
/// Better than all: the smallest one-sided 95% lower bound is above 0. No better than one: the smallest of the upper bounds
/// that hold together at 95% is under the margin; its p is the smallest adjusted p of "the gain is at least the margin".
/// Where both hold the gain is real and too small: that is no failure.
///
/// # Errors
/// `T701` when gains and units are not of the same images.
pub(crate) fn weigh(
    gains: &[Gain],
    margin: f64,
    units: &Units,
    settings: &Settings,
) -> Result<Option<Weighed>> {
    let Some(best_rival) = (0..gains.len()).min_by(|&a, &b| {
        let of = |g: usize| gains[g].estimate.estimate;
        of(a).total_cmp(&of(b))
    }) else {
        return Ok(None);
    };
    let closest = &gains[best_rival].estimate;
    let influence: Vec<Vec<f64>> = gains.iter().map(|g| g.influence.clone()).collect();
    let together = simultaneous(
        gains.iter().map(|g| g.estimate.clone()).collect(),
        &influence,
        units,
        settings,
    )?;
    let enough = gains.iter().all(|g| g.estimate.enough);
    let low = together.all_above(ONE_SIDED);
    let high = together.upper.iter().copied().fold(f64::INFINITY, f64::min);
    let good = enough && low > 0.0;
    let bad = enough && high < margin;
    let p = if good || !enough {
        1.0
    } else {
        (0..gains.len())
            .map(|g| together.p_below(g, margin))
            .fold(1.0, f64::min)
    };
    // Which of the two questions the present gain would answer.
    let against = if closest.estimate > 0.5 * margin {
        0.0
    } else {
        margin
    };
    let n_needed = (!good && !bad)
        .then(|| n_needed(closest, against))
        .flatten()
        .map(|n| n.images.max(closest.n as u64));
    Ok(Some(Weighed {
        best_rival,
        least: closest.estimate,
        low,
        high,
        good,
        bad,
        enough,
        p,
        n_needed,
        method: format!(
            "one-sided 95% bounds of the least gain: the smallest lower bound, and the smallest upper bound of {}",
            together.method
        ),
    }))
}

/// Puts gains that were weighed into a primary finding: the least gain with its two one-sided 95% bounds, which are a 90%
/// interval.
pub(crate) fn primary(
    mut finding: Finding,
    gains: &[Gain],
    weighed: &Weighed,
    margin: f64,
    study: &Study<'_>,
) -> Draft {
    let closest = &gains[weighed.best_rival].estimate;
    finding = crate::opinion::with_estimate(finding, closest, study);
    finding.estimate = Some(weighed.least);
    finding.interval = (weighed.low.is_finite() && weighed.high.is_finite())
        .then_some([weighed.low, weighed.high]);
    finding.level = LEVEL;
    finding.interval_method = finding.interval.map(|_| weighed.method.clone());
    finding.better = Better::Higher;
    finding.primary = true;
    finding.threshold = Some(Threshold {
        warn: margin,
        fail: margin,
    });
    finding.p = Some(weighed.p);
    finding.n_needed = (weighed.enough || study.context.group.is_none())
        .then_some(weighed.n_needed)
        .flatten();
    Draft {
        finding,
        ground: Ground::Shown {
            good: weighed.good,
            bad: weighed.bad,
            enough: weighed.enough,
        },
    }
}

/// Folds of the probes.
const FOLDS: usize = 5;
/// Effective groups up to which the training rows' share of chance counts in full.
const FEW_TRAINING: f64 = 40.0;

/// An estimate for the mean over seeds of a rival, with their variance: `images` is that of the mean over the seeds with the
/// variance of images only, `means` the value for each seed.
///
/// The variance of the seeds' values over their number S is added to that of images; Student's t with Welch and
/// Satterthwaite's degrees of freedom (G − 1 and S − 1). What images and seeds share is counted twice, which widens the
/// interval. Where images do not vary, or fewer than two seeds are there, the estimate stays as it is.
///
/// # Errors
/// `T701` for a number that is not finite.
fn over_seeds(
    images: Estimate,
    means: &[f64],
    units: &Units,
    settings: &Settings,
) -> Result<Estimate> {
    if means.len() < 2 || images.rests_on_few() || images.is_open() || images.se <= 0.0 {
        return Ok(images);
    }
    let seeds = means.len() as f64;
    let centre = means.iter().sum::<f64>() / seeds;
    let of_seeds = means.iter().map(|m| (m - centre).powi(2)).sum::<f64>() / (seeds - 1.0) / seeds;
    let of_images = images.se.powi(2);
    let variance = of_images + of_seeds;
    let df = variance.powi(2)
        / (of_images.powi(2) / (units.effective() - 1.0).max(1.0)
            + of_seeds.powi(2) / (seeds - 1.0));
    let mut made = Estimate::from_standard_error(
        images.estimate,
        variance.sqrt(),
        df,
        images.n,
        units.effective(),
        format!(
            "t with the variance of images ({}) and of {} re-initialisations",
            images.method,
            means.len()
        ),
        settings,
    )?;
    made.enough &= images.enough;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gain(values: &[f64]) -> Gain {
        let units = Units::independent(values.len());
        let settings = Settings::new(1, "g").tails().range(-1.0, 1.0);
        let estimate = mean(values, &units, &settings).unwrap();
        Gain {
            name: "moments".to_owned(),
            words: "moments".to_owned(),
            influence: values.iter().map(|v| v - estimate.estimate).collect(),
            estimate,
        }
    }

    fn weighed(gains: &[Gain]) -> Weighed {
        let n = gains[0].influence.len();
        let settings = Settings::new(1, "w");
        weigh(gains, MARGIN, &Units::independent(n), &settings)
            .unwrap()
            .unwrap()
    }

    /// So many images won and lost of 400.
    fn of(won: usize, lost: usize) -> Gain {
        let values: Vec<f64> = (0..400)
            .map(|i| {
                if i < won {
                    1.0
                } else if i < won + lost {
                    -1.0
                } else {
                    0.0
                }
            })
            .collect();
        gain(&values)
    }

    #[test]
    fn better_than_all_needs_every_rival_and_worse_needs_one() {
        let all = weighed(&[of(60, 10), of(80, 10)]);
        assert!(all.good && !all.bad && all.p == 1.0 && all.best_rival == 0);
        assert!((all.least - 0.125).abs() < 1e-12);
        let one = weighed(&[of(60, 10), of(10, 60)]);
        assert!(!one.good && one.bad && one.p < 0.001 && one.best_rival == 1);
        let open = weighed(&[of(60, 10), of(30, 24)]);
        assert!(!open.good && !open.bad && open.p > 0.05);
        assert!(open.n_needed.is_some_and(|n| n > 400));
        let none = weigh(&[], MARGIN, &Units::independent(2), &Settings::new(1, "w"));
        assert!(none.unwrap().is_none());
    }

    /// A real gain of half a point is no failure, and no proof of worth either.
    #[test]
    fn a_gain_that_is_real_and_too_small_is_both() {
        let values: Vec<f64> = (0..400).map(|i| 0.005 + 0.001 * f64::from(i % 5)).collect();
        let w = weighed(&[gain(&values)]);
        assert!(w.good && w.bad && w.p == 1.0);
    }

    /// Rivals that are wrong on other images are three chances; the same rival three times is one.
    #[test]
    fn more_rivals_widen_the_upper_bound_only() {
        let turned = |by: usize| {
            let mut values: Vec<f64> = (0..400)
                .map(|i| {
                    if i < 30 {
                        1.0
                    } else if i < 70 {
                        -1.0
                    } else {
                        0.0
                    }
                })
                .collect();
            values.rotate_right(by);
            gain(&values)
        };
        let one = weighed(&[turned(0)]);
        let three = weighed(&[turned(0), turned(130), turned(260)]);
        assert!(three.high > one.high + 0.005, "{} {}", three.high, one.high);
        assert!((three.low - one.low).abs() < 1e-3 && three.p > 1.5 * one.p);
        let same = weighed(&[turned(0), turned(0), turned(0)]);
        assert!((same.high - one.high).abs() < 1e-3);
    }

    #[test]
    fn seeds_that_differ_widen_the_interval() {
        let units = Units::independent(100);
        let settings = Settings::new(1, "s").range(-1.0, 1.0);
        let values: Vec<f64> = (0..100).map(|i| f64::from(i % 7) / 10.0 - 0.3).collect();
        let images = mean(&values, &units, &settings).unwrap();
        let centre = images.estimate;
        let of = |by: f64| {
            let means = [centre - by, centre, centre + by];
            over_seeds(images.clone(), &means, &units, &settings).unwrap()
        };
        let (alike, apart) = (of(0.0), of(0.2));
        assert!((alike.estimate - apart.estimate).abs() < 1e-12);
        // Variance of the seeds' means: 0.04, over 3 seeds.
        let wanted = (images.se.powi(2) + 0.04 / 3.0).sqrt();
        assert!(
            (apart.se - wanted).abs() < 1e-9,
            "{} and {wanted}",
            apart.se
        );
        assert!((alike.se - images.se).abs() < 1e-12);
        assert!(apart.high - apart.low > 4.0 * (alike.high - alike.low));
    }
}
