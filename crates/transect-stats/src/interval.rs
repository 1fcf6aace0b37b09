//! Estimates with intervals that respect groups and strata.

use std::sync::Arc;

use transect_core::Result;

use crate::error::{finite, refused, same_length};
use crate::resample::{ENOUGH, Given, Replicates, Sums, replicate, settle, short};
use crate::tails::{
    beta_cdf, beta_quantile, bisect, normal_cdf, normal_quantile, t_cdf, t_quantile,
};
use crate::units::Units;

/// How an interval is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Two-sided level, 0.95.
    pub level: f64,
    /// Bootstrap resamples where the bootstrap is used (40 effective groups or more). 2,000 do for an interval; 10,000
    /// where a tail feeds a p.
    pub resamples: usize,
    /// The run's seed.
    pub seed: u64,
    /// What the numbers are for, such as the finding's id: it keys the random stream.
    pub key: String,
    /// Values that the quantity can take at most, such as (0, 1) for IoU: bounds are cut to it, and it gives an interval
    /// where no variation was seen. A rate has (0, 1) by itself.
    pub range: Option<(f64, f64)>,
    /// Number of units that carry an estimate at the end of its range (1.0 for AUROC or balanced accuracy), where all
    /// resamples agree and Clopper–Pearson takes over: for instance the images of the rarest class. `None`: all groups.
    pub extreme_units: Option<f64>,
}

impl Settings {
    /// Level 0.95, 2,000 resamples.
    pub fn new(seed: u64, key: impl Into<String>) -> Self {
        Self {
            level: 0.95,
            resamples: 2_000,
            seed,
            key: key.into(),
            range: None,
            extreme_units: None,
        }
    }

    /// 10,000 resamples, for a p from the tails.
    #[must_use]
    pub fn tails(mut self) -> Self {
        self.resamples = 10_000;
        self
    }

    /// Cuts bounds to a range.
    #[must_use]
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// Sets [`Settings::extreme_units`].
    #[must_use]
    pub fn extreme_units(mut self, units: f64) -> Self {
        self.extreme_units = Some(units);
        self
    }
}

/// Where an estimate's tails come from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tail {
    /// Student's t about the estimate.
    Student { centre: f64, se: f64, df: f64 },
    /// Student's t on the logit scale.
    Logit { centre: f64, se: f64, df: f64 },
    /// The logit tail for fewer than five events of one kind (`hits`, or misses): more events cannot bound their share lower
    /// than none would, which is Clopper–Pearson's bound for none of `units`.
    Rare {
        logit: Box<Tail>,
        none: Box<Tail>,
        hits: bool,
    },
    /// BCa: sorted draws, bias correction, acceleration.
    Bootstrap {
        draws: Arc<[f64]>,
        z0: f64,
        acceleration: f64,
    },
    /// Fewer than five units differ from one common value: their spread says little, so the bounds are at least as far out as
    /// Clopper–Pearson's for the share of units above (below) that value, each by the whole range.
    Few {
        inner: Box<Tail>,
        value: f64,
        low: f64,
        high: f64,
        below: f64,
        above: f64,
        units: f64,
    },
    /// Every unit gave this value: the bound is that of a share of units that would differ, none of `units` seen.
    Constant {
        value: f64,
        low: f64,
        high: f64,
        units: f64,
    },
    /// Half a curvature times the square of a quantity with a Student's t about it: bounds follow from its own.
    Square {
        centre: f64,
        se: f64,
        df: f64,
        half_curvature: f64,
    },
    /// The wider of two on each side.
    Wider(Box<(Tail, Tail)>),
    /// A Beta distribution.
    Beta { a: f64, b: f64 },
    /// So many of so many independent rows: the binomial's own tails (Clopper–Pearson). Neither none nor all.
    Exact { hits: f64, rows: f64 },
    /// Difference of two independent estimates.
    Difference(Box<(Estimate, Estimate)>),
}

fn expit(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

impl Tail {
    /// The lower bound that is passed below with chance `alpha`, at most one half.
    pub(crate) fn lower(&self, alpha: f64) -> f64 {
        match self {
            Self::Student { centre, se, df } => centre + t_quantile(alpha, *df) * se,
            Self::Logit { centre, se, df } => expit(centre + t_quantile(alpha, *df) * se),
            Self::Square {
                centre,
                se,
                df,
                half_curvature,
            } => {
                let reach = -t_quantile(alpha, *df) * se;
                half_curvature * (centre.abs() - reach).max(0.0).powi(2)
            }
            Self::Wider(pair) => pair.0.lower(alpha).min(pair.1.lower(alpha)),
            Self::Rare { logit, none, hits } => {
                let bound = logit.lower(alpha);
                if *hits {
                    bound
                } else {
                    bound.min(none.lower(alpha))
                }
            }
            Self::Bootstrap {
                draws,
                z0,
                acceleration,
            } => {
                let w = z0 + normal_quantile(alpha);
                at(draws, normal_cdf(z0 + stretch(w, *acceleration)))
            }
            Self::Few {
                inner,
                value,
                low,
                below,
                units,
                ..
            } => inner
                .lower(alpha)
                .min(value - (value - low) * share_upper(*below, *units, alpha)),
            Self::Constant {
                value, low, units, ..
            } => value - (value - low) * (1.0 - alpha.powf(1.0 / units)),
            Self::Beta { a, b } => beta_quantile(alpha, *a, *b),
            Self::Exact { hits, rows } => beta_quantile(alpha, *hits, rows - hits + 1.0),
            Self::Difference(pair) => {
                let (a, b) = (&pair.0, &pair.1);
                a.estimate
                    - b.estimate
                    - (a.estimate - a.lower(1.0 - alpha)).hypot(b.upper(1.0 - alpha) - b.estimate)
            }
        }
    }

    /// The upper bound that is passed above with chance `alpha`.
    pub(crate) fn upper(&self, alpha: f64) -> f64 {
        match self {
            Self::Student { centre, se, df } => centre - t_quantile(alpha, *df) * se,
            Self::Logit { centre, se, df } => expit(centre - t_quantile(alpha, *df) * se),
            Self::Square {
                centre,
                se,
                df,
                half_curvature,
            } => {
                let reach = -t_quantile(alpha, *df) * se;
                half_curvature * (centre.abs() + reach).powi(2)
            }
            Self::Wider(pair) => pair.0.upper(alpha).max(pair.1.upper(alpha)),
            Self::Rare { logit, none, hits } => {
                let bound = logit.upper(alpha);
                if *hits {
                    bound.max(none.upper(alpha))
                } else {
                    bound
                }
            }
            Self::Bootstrap {
                draws,
                z0,
                acceleration,
            } => {
                let w = z0 - normal_quantile(alpha);
                at(draws, normal_cdf(z0 + stretch(w, *acceleration)))
            }
            Self::Few {
                inner,
                value,
                high,
                above,
                units,
                ..
            } => inner
                .upper(alpha)
                .max(value + (high - value) * share_upper(*above, *units, alpha)),
            Self::Constant {
                value, high, units, ..
            } => value + (high - value) * (1.0 - alpha.powf(1.0 / units)),
            Self::Beta { a, b } => 1.0 - beta_quantile(alpha, *b, *a),
            Self::Exact { hits, rows } => 1.0 - beta_quantile(alpha, rows - hits, hits + 1.0),
            Self::Difference(pair) => {
                let (a, b) = (&pair.0, &pair.1);
                a.estimate - b.estimate
                    + (a.upper(1.0 - alpha) - a.estimate).hypot(b.estimate - b.lower(1.0 - alpha))
            }
        }
    }

    /// p of H₀: θ ≤ tau.
    pub(crate) fn p_above(&self, tau: f64) -> f64 {
        match self {
            Self::Student { centre, se, df } => t_cdf((tau - centre) / se, *df),
            Self::Logit { centre, se, df } => {
                if tau <= 0.0 {
                    0.0
                } else if tau >= 1.0 {
                    1.0
                } else {
                    t_cdf((logit(tau) - centre) / se, *df)
                }
            }
            Self::Square {
                centre,
                se,
                df,
                half_curvature,
            } => {
                if tau < 0.0 {
                    0.0
                } else {
                    t_cdf(((tau / half_curvature).sqrt() - centre.abs()) / se, *df)
                }
            }
            Self::Wider(pair) => pair.0.p_above(tau).max(pair.1.p_above(tau)),
            Self::Rare { logit, none, hits } => {
                let p = logit.p_above(tau);
                if *hits { p } else { p.max(none.p_above(tau)) }
            }
            Self::Bootstrap {
                draws,
                z0,
                acceleration,
            } => bca_tail(position_above(draws, tau), *z0, *acceleration)
                .max(1.0 / (draws.len() + 1) as f64),
            Self::Few {
                inner,
                value,
                low,
                below,
                units,
                ..
            } => inner
                .p_above(tau)
                .max(few_p(value - tau, value - low, *below, *units)),
            Self::Constant {
                value, low, units, ..
            } => constant_p(value - tau, value - low, *units),
            Self::Beta { a, b } => beta_cdf(tau, *a, *b),
            Self::Exact { hits, rows } => beta_cdf(tau.clamp(0.0, 1.0), *hits, rows - hits + 1.0),
            Self::Difference(_) => solve(
                tau,
                self.lower(0.5),
                self.floor(),
                |alpha| self.lower(alpha) < tau,
                |alpha| self.upper(alpha) > tau,
            ),
        }
    }

    /// p of H₀: θ ≥ tau.
    pub(crate) fn p_below(&self, tau: f64) -> f64 {
        match self {
            Self::Student { centre, se, df } => t_cdf((centre - tau) / se, *df),
            Self::Logit { centre, se, df } => {
                if tau <= 0.0 {
                    1.0
                } else if tau >= 1.0 {
                    0.0
                } else {
                    t_cdf((centre - logit(tau)) / se, *df)
                }
            }
            Self::Square {
                centre,
                se,
                df,
                half_curvature,
            } => {
                if tau <= 0.0 {
                    1.0
                } else {
                    t_cdf((centre.abs() - (tau / half_curvature).sqrt()) / se, *df)
                }
            }
            Self::Wider(pair) => pair.0.p_below(tau).max(pair.1.p_below(tau)),
            Self::Rare { logit, none, hits } => {
                let p = logit.p_below(tau);
                if *hits { p.max(none.p_below(tau)) } else { p }
            }
            Self::Bootstrap {
                draws,
                z0,
                acceleration,
            } => (1.0 - bca_tail(position_below(draws, tau), *z0, *acceleration))
                .max(1.0 / (draws.len() + 1) as f64),
            Self::Few {
                inner,
                value,
                high,
                above,
                units,
                ..
            } => inner
                .p_below(tau)
                .max(few_p(tau - value, high - value, *above, *units)),
            Self::Constant {
                value, high, units, ..
            } => constant_p(tau - value, high - value, *units),
            Self::Beta { a, b } => beta_cdf(1.0 - tau, *b, *a),
            Self::Exact { hits, rows } => {
                beta_cdf((1.0 - tau).clamp(0.0, 1.0), rows - hits, hits + 1.0)
            }
            Self::Difference(_) => solve(
                -tau,
                -self.upper(0.5),
                self.floor(),
                |alpha| self.upper(alpha) > tau,
                |alpha| self.lower(alpha) < tau,
            ),
        }
    }

    /// The smallest p that it can resolve.
    fn floor(&self) -> f64 {
        match self {
            Self::Bootstrap { draws, .. } => 1.0 / (draws.len() + 1) as f64,
            Self::Difference(pair) => pair.0.tail.floor().max(pair.1.tail.floor()),
            Self::Wider(pair) => pair.0.floor().max(pair.1.floor()),
            _ => 1e-12,
        }
    }
}

/// w/(1 − a·w), monotone over all w: its pole stands for the end of the draws.
fn stretch(w: f64, a: f64) -> f64 {
    let divisor = 1.0 - a * w;
    if divisor > 0.0 {
        w / divisor
    } else {
        w.signum() * f64::INFINITY
    }
}

/// Quantile of sorted draws at position u(B + 1), interpolated, cut at both ends.
fn at(draws: &[f64], u: f64) -> f64 {
    let b = draws.len();
    let position = u * (b + 1) as f64 - 1.0;
    if position <= 0.0 {
        return draws[0];
    }
    if position >= (b - 1) as f64 {
        return draws[b - 1];
    }
    let below = position.floor() as usize;
    draws[below] + (position - below as f64) * (draws[below + 1] - draws[below])
}

/// The largest u with `at(draws, u) ≤ tau`: ties count in full against "above".
fn position_above(draws: &[f64], tau: f64) -> f64 {
    let b = (draws.len() + 1) as f64;
    let k = draws.partition_point(|&v| v <= tau);
    if k == 0 {
        return 1.0 / b;
    }
    if k == draws.len() {
        return 1.0;
    }
    (k as f64 + (tau - draws[k - 1]) / (draws[k] - draws[k - 1])) / b
}

/// The smallest u with `at(draws, u) ≥ tau`.
fn position_below(draws: &[f64], tau: f64) -> f64 {
    let b = (draws.len() + 1) as f64;
    let k = draws.partition_point(|&v| v < tau);
    if k == 0 {
        return 0.0;
    }
    if k == draws.len() {
        return 1.0 - 1.0 / b;
    }
    (k as f64 + (tau - draws[k - 1]) / (draws[k] - draws[k - 1])) / b
}

/// The α whose BCa bound lies at position u.
fn bca_tail(u: f64, z0: f64, a: f64) -> f64 {
    if u <= 0.0 {
        return 0.0;
    }
    if u >= 1.0 {
        return 1.0;
    }
    let w = normal_quantile(u) - z0;
    let divisor = 1.0 + a * w;
    if divisor <= 0.0 {
        return if w > 0.0 { 1.0 } else { 0.0 };
    }
    normal_cdf(w / divisor - z0)
}

/// Upper one-sided Clopper–Pearson bound of a share: `count` of `units`.
pub(crate) fn share_upper(count: f64, units: f64, alpha: f64) -> f64 {
    1.0 - crate::exact::clopper_pearson_lower((units - count).max(0.0), units, alpha)
}

/// Chance that at most `count` of `units` differ when the share that differs is distance/room.
fn few_p(distance: f64, room: f64, count: f64, units: f64) -> f64 {
    if distance <= 0.0 || room <= 0.0 || count >= units {
        1.0
    } else {
        let share = (distance / room).min(1.0);
        beta_cdf(1.0 - share, units - count, count + 1.0)
    }
}

/// Chance that none of `units` differs when the share that differs is distance/room.
fn constant_p(distance: f64, room: f64, units: f64) -> f64 {
    if distance <= 0.0 {
        1.0
    } else if room <= 0.0 {
        // No range was given: nothing is known beyond the value itself.
        1.0
    } else {
        (1.0 - (distance / room).min(1.0)).powf(units)
    }
}

/// Solves a p from bounds. `inside(alpha)`: the bound at alpha does not exclude tau (mirrored so that tau is low).
fn solve(
    tau: f64,
    middle: f64,
    floor: f64,
    inside: impl Fn(f64) -> bool,
    inside_other: impl Fn(f64) -> bool,
) -> f64 {
    // On a logarithmic scale; the bound moves out as alpha falls.
    let search = |inside: &dyn Fn(f64) -> bool| {
        bisect(1e-12_f64.ln(), 0.5_f64.ln(), |l| inside(l.exp())).exp()
    };
    if tau < middle {
        search(&inside).max(floor)
    } else {
        1.0 - search(&inside_other)
    }
}

/// A number with its interval, and tails that agree with the interval: `p_above(tau) <= alpha` exactly when
/// `lower(1 - alpha) >= tau` (up to the resolution of the resamples).
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub estimate: f64,
    /// Lower bound of the two-sided interval; −∞ where nothing bounds it: one image, or a difference with one on a side
    /// ([`Estimate::is_open`]).
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Level of the interval.
    pub level: f64,
    /// How the interval was made, in words for a reader, such as `logit cluster-t over 12 groups`.
    pub method: String,
    /// Standard error; 0 where no variation was seen.
    pub se: f64,
    /// Rows, of both sides for a difference.
    pub n: usize,
    /// Effective number of groups; of the smaller side for a difference.
    pub groups: f64,
    /// Whether the units suffice for a verdict. `false` under 6 effective groups: the interval is then over images, holds
    /// for "these groups only", and [`crate::judge`] gives `undecided`. `false` too where nothing varied and no range was
    /// given.
    pub enough: bool,
    pub(crate) range: Option<(f64, f64)>,
    pub(crate) tail: Tail,
}

impl Estimate {
    /// The same, cut to a range that the quantity cannot leave, for what was made without [`Settings::range`]. A bound that
    /// is infinite stays so.
    #[must_use]
    pub fn within(mut self, low: f64, high: f64) -> Self {
        for value in [&mut self.estimate, &mut self.low, &mut self.high] {
            if value.is_finite() {
                *value = value.clamp(low, high);
            }
        }
        self.range = Some((low, high));
        self
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the one place where an estimate is put together"
    )]
    pub(crate) fn build(
        estimate: f64,
        se: f64,
        settings: &Settings,
        tail: Tail,
        method: String,
        n: usize,
        groups: f64,
        enough: bool,
    ) -> Self {
        let mut made = Self {
            estimate,
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
            level: settings.level,
            method,
            se,
            n,
            groups,
            enough,
            range: settings.range,
            tail,
        };
        // One image bounds nothing, whatever its value can be; nor does a difference with one image on a side.
        let open = match &made.tail {
            Tail::Difference(pair) => pair.0.is_open() || pair.1.is_open(),
            _ => n < 2,
        };
        if open {
            made.enough = false;
            return made;
        }
        let one_sided = 0.5 + 0.5 * settings.level;
        (made.low, made.high) = (made.lower(one_sided), made.upper(one_sided));
        made
    }

    /// Whether there is no interval at all, since it would rest on one image.
    pub fn is_open(&self) -> bool {
        self.low == f64::NEG_INFINITY && self.high == f64::INFINITY
    }

    /// Takes the interval away: one image on a side.
    pub(crate) fn opened(mut self) -> Self {
        (self.low, self.high) = (f64::NEG_INFINITY, f64::INFINITY);
        self.enough = false;
        self
    }

    /// Whether the bounds rest on how few units differ from the rest (none, or fewer than five), and not on their spread.
    pub fn rests_on_few(&self) -> bool {
        matches!(self.tail, Tail::Constant { .. } | Tail::Few { .. })
    }

    /// The same of a cross-validated quantity with what another draw of the training rows would change, which is not in held-out rows:
    /// the variance times 1 + `weight` · folds/(folds − 1) (Nadeau and Bengio 2003; `weight` 1 counts it in full), Student's t with
    /// the effective groups less the strata. Unchanged where the estimate has no spread of its own.
    ///
    /// # Errors
    /// As [`Estimate::from_standard_error`].
    pub fn with_training(
        self,
        folds: usize,
        weight: f64,
        units: &Units,
        settings: &Settings,
    ) -> Result<Self> {
        if self.is_open() || self.rests_on_few() || self.se <= 0.0 {
            return Ok(self);
        }
        let factor = 1.0 + folds as f64 / (folds as f64 - 1.0) * weight;
        let mut made = Self::from_standard_error(
            self.estimate,
            self.se * factor.sqrt(),
            (units.effective() - units.strata() as f64).max(1.0),
            units.rows(),
            units.effective(),
            format!(
                "t, {factor:.2} times the variance of {}, for the training rows",
                self.method
            ),
            settings,
        )?;
        made.enough &= self.enough;
        Ok(made)
    }

    /// An estimate from its standard error and degrees of freedom (infinite for a normal), for quantities whose standard
    /// error has its own formula. `groups` under 6 give [`enough`](Self::enough) = false.
    ///
    /// # Errors
    /// `T701` for numbers that are not finite, a standard error that is not positive, or degrees of freedom that are not.
    pub fn from_standard_error(
        estimate: f64,
        se: f64,
        df: f64,
        n: usize,
        groups: f64,
        method: impl Into<String>,
        settings: &Settings,
    ) -> Result<Self> {
        finite("estimate and standard error", &[estimate, se, groups])?;
        if se <= 0.0 || df.is_nan() || df <= 0.0 {
            return Err(refused(format!(
                "a standard error of {se} with {df} degrees of freedom"
            )));
        }
        let tail = Tail::Student {
            centre: estimate,
            se,
            df,
        };
        Ok(Self::build(
            estimate,
            se,
            settings,
            tail,
            method.into(),
            n,
            groups,
            groups >= ENOUGH,
        ))
    }

    /// An estimate that no resample moved, without a range to bound it: an interval of no width, not `enough`.
    pub(crate) fn without_variation(estimate: f64, units: &Units, settings: &Settings) -> Self {
        let effective = units.effective();
        let (low, high) = settings.range.unwrap_or((estimate, estimate));
        let tail = Tail::Constant {
            value: estimate,
            low,
            high,
            units: effective,
        };
        let method = format!(
            "no variation seen over {} {}",
            short(effective),
            units.noun()
        );
        Self::build(
            estimate,
            0.0,
            settings,
            tail,
            method,
            units.rows(),
            effective,
            false,
        )
    }

    /// One-sided p of H₀: θ ≤ `tau` (small when the quantity is above `tau`). 1 when there are not [`enough`] units. From
    /// a bootstrap it is never under 1/(resamples + 1).
    ///
    /// [`enough`]: Estimate::enough
    pub fn p_above(&self, tau: f64) -> f64 {
        if self.enough {
            self.tail.p_above(tau).clamp(0.0, 1.0)
        } else {
            1.0
        }
    }

    /// One-sided p of H₀: θ ≥ `tau` (small when the quantity is below `tau`). 1 when there are not enough units.
    pub fn p_below(&self, tau: f64) -> f64 {
        if self.enough {
            self.tail.p_below(tau).clamp(0.0, 1.0)
        } else {
            1.0
        }
    }

    /// One-sided lower bound at a level of one half or more: `lower(0.975)` is `low` of a 95% interval.
    pub fn lower(&self, level: f64) -> f64 {
        let bound = self.tail.lower(1.0 - level);
        self.range
            .map_or(bound, |(low, high)| bound.clamp(low, high))
    }

    /// One-sided upper bound at a level of one half or more.
    pub fn upper(&self, level: f64) -> f64 {
        let bound = self.tail.upper(1.0 - level);
        self.range
            .map_or(bound, |(low, high)| bound.clamp(low, high))
    }

    /// Difference of two independent estimates, self minus other, from the distances of each one's own bounds (MOVER, Zou
    /// and Donner 2008; for two Wilson intervals it is Newcombe's): d − √((a − l_a)² + (u_b − b)²). It keeps what is right
    /// about each side (Clopper–Pearson when all are right, the logit for rates). `enough` when both are.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let settings = Settings {
            level: self.level,
            resamples: 0,
            seed: 0,
            key: String::new(),
            range: self
                .range
                .zip(other.range)
                .map(|(a, b)| (a.0 - b.1, a.1 - b.0)),
            extreme_units: None,
        };
        let method = if self.method == other.method {
            format!("difference of two, each {}", self.method)
        } else {
            format!("difference of {} and {}", self.method, other.method)
        };
        Self::build(
            self.estimate - other.estimate,
            self.se.hypot(other.se),
            &settings,
            Tail::Difference(Box::new((self.clone(), other.clone()))),
            method,
            self.n + other.n,
            self.groups.min(other.groups),
            self.enough && other.enough,
        )
    }
}

/// Fewer events than this of one kind do not show how alike the images of a group are.
const RARE: f64 = 5.0;

/// A share of rows: `hits[i]` says whether row i counts.
///
/// p̂ = Σx/Σm. The interval is Student's t with G − 1 degrees of freedom on the logit scale, with the cluster-robust variance
/// G/(G−1) Σ(x_g − p̂m_g)²/n² (deviations from their mean within strata), G the effective number of groups less the strata
/// beyond the first. A variance below what independent images would give with chance 0.005 is lifted to that (as many
/// groups of one share do not prove that there is no chance in it). None or all: Clopper–Pearson with n = G; with one to
/// four events of a kind the bound away from it is at least that far out, since more events cannot bound a share lower
/// than none would. Where each row is a group of its own every bound is at least as far out as Clopper–Pearson's, and every p at least
/// the binomial's.
///
/// # Errors
/// `T701` for no rows, or when `hits` and `units` differ in length.
pub fn rate(hits: &[bool], units: &Units, settings: &Settings) -> Result<Estimate> {
    if hits.is_empty() {
        return Err(refused("hits is empty"));
    }
    same_length("hits", hits.len(), "units", units.rows())?;
    let settled = settle(units);
    let used = &settled.units;
    let n = hits.len() as f64;
    let settings = Settings {
        range: Some((0.0, 1.0)),
        ..settings.clone()
    };
    let count = hits.iter().filter(|&&h| h).count() as f64;
    let p = count / n;
    let effective = used.effective();
    let label = |text: String| {
        if settled.few {
            format!("these groups only: {text}")
        } else {
            text
        }
    };
    let over = format!("{} {}", short(effective), used.noun());
    if count == 0.0 || count == n {
        let units_n = settings.extreme_units.unwrap_or(effective).min(effective);
        let tail = Tail::Constant {
            value: p,
            low: 0.0,
            high: 1.0,
            units: units_n,
        };
        let method = label(format!("Clopper–Pearson over {over}"));
        return Ok(Estimate::build(
            p,
            0.0,
            &settings,
            tail,
            method,
            hits.len(),
            units.effective(),
            !settled.few,
        ));
    }
    let mut deviation = vec![0.0; used.groups()];
    for (&hit, &group) in hits.iter().zip(&used.group_of) {
        deviation[group as usize] += f64::from(u8::from(hit)) - p;
    }
    // What independent images would give within strata; half a hit and half a miss added, so that it is never 0.
    let (mut variance, mut independent) = (0.0, 0.0);
    for groups in used.groups_by_stratum() {
        let g = groups.len() as f64;
        let m: f64 = groups.iter().map(|&i| used.sizes[i] as f64).sum();
        let x: f64 = m * p + groups.iter().map(|&i| deviation[i]).sum::<f64>();
        let smooth = (x + 0.5) / (m + 1.0);
        independent += m * smooth * (1.0 - smooth);
        if groups.len() < 2 {
            continue;
        }
        let mean = groups.iter().map(|&i| deviation[i]).sum::<f64>() / g;
        variance += g / (g - 1.0)
            * groups
                .iter()
                .map(|&i| (deviation[i] - mean).powi(2))
                .sum::<f64>();
    }
    variance /= n * n;
    let df = (effective - used.strata() as f64).max(1.0);
    let floor = independent / (n * n) * crate::tails::chi_squared_quantile(0.005, df) / df;
    let se = variance.max(floor).sqrt();
    let logit_tail = Tail::Logit {
        centre: logit(p),
        se: se / (p * (1.0 - p)),
        df,
    };
    let hits_rare = count < RARE;
    let tail = if hits_rare || n - count < RARE {
        let value = if hits_rare { 0.0 } else { 1.0 };
        let none = Tail::Constant {
            value,
            low: 0.0,
            high: 1.0,
            units: effective,
        };
        Tail::Rare {
            logit: Box::new(logit_tail),
            none: Box::new(none),
            hits: hits_rare,
        }
    } else {
        logit_tail
    };
    // Rows that are groups of their own are a binomial's trials, whose tails are known; the logit's are a little too short for
    // some numbers of them.
    let (tail, name) = if used.groups() == hits.len() {
        let exact = Tail::Exact {
            hits: count,
            rows: n,
        };
        (
            Tail::Wider(Box::new((tail, exact))),
            "logit t or Clopper–Pearson, the wider,",
        )
    } else {
        (tail, "logit cluster-t")
    };
    let method = label(format!("{name} over {over}"));
    Ok(Estimate::build(
        p,
        se,
        &settings,
        tail,
        method,
        hits.len(),
        units.effective(),
        !settled.few,
    ))
}

/// The mean of one value for each row. Also for **paired differences**: give the differences.
///
/// 40 effective groups or more: BCa bootstrap of groups within strata (Efron 1987). 6 to 39: delete-one-group jackknife with
/// Student's t, G − 1 degrees of freedom. Fewer: over images, "these groups only". Where nothing varies and a range was
/// given: at most 1 − α^(1/G) of the units differ, by the whole range (Clopper–Pearson). Where fewer than five groups, and
/// fewer than half, differ from one common value, their spread says little: the bounds are then at least as far out as
/// Clopper–Pearson's for the share of groups above (below) that value, each by the whole range.
///
/// # Errors
/// `T701` for no rows, different lengths, a value that is not finite.
pub fn mean(values: &[f64], units: &Units, settings: &Settings) -> Result<Estimate> {
    finite("values", values)?;
    same_length("values", values.len(), "units", units.rows())?;
    let made = pooled(units, settings, &|row| (values[row], 1.0))?;
    Ok(few_differ(made, values, units, settings))
}

/// Guards a mean against a spread that rests on fewer than five groups; see [`mean`].
fn few_differ(made: Estimate, values: &[f64], units: &Units, settings: &Settings) -> Estimate {
    let Some((low, high)) = settings
        .range
        .filter(|(low, high)| low.is_finite() && high.is_finite())
    else {
        return made;
    };
    if made.is_open() || matches!(made.tail, Tail::Constant { .. }) {
        return made;
    }
    let settled = settle(units);
    let groups = settled.units.rows_by_group();
    // The value of each group that has one only.
    let mut alike: Vec<f64> = groups
        .iter()
        .filter(|rows| rows.iter().all(|&row| values[row] == values[rows[0]]))
        .map(|rows| values[rows[0]])
        .collect();
    alike.sort_unstable_by(f64::total_cmp);
    let Some(common) = alike
        .chunk_by(|a, b| a == b)
        .max_by_key(|run| run.len())
        .filter(|run| {
            let differing = groups.len() - run.len();
            (differing as f64) < RARE && 2 * differing < groups.len()
        })
        .map(|run| run[0])
    else {
        return made;
    };
    let count = |beyond: &dyn Fn(f64) -> bool| {
        groups
            .iter()
            .filter(|rows| rows.iter().any(|&row| beyond(values[row])))
            .count() as f64
    };
    let tail = Tail::Few {
        inner: Box::new(made.tail.clone()),
        value: common,
        low,
        high,
        below: count(&|v| v < common),
        above: count(&|v| v > common),
        units: settled.units.effective(),
    };
    let method = format!(
        "{}, not nearer than Clopper–Pearson for the few that differ",
        made.method
    );
    Estimate::build(
        made.estimate,
        made.se,
        settings,
        tail,
        method,
        made.n,
        made.groups,
        made.enough,
    )
}

/// A pooled ratio Σ numerator / Σ denominator, such as pooled Dice, precision or recall over objects. Intervals as for
/// [`mean`].
///
/// # Errors
/// `T701` as for [`mean`], for a negative denominator, and when the denominators sum to 0.
pub fn ratio(
    numerator: &[f64],
    denominator: &[f64],
    units: &Units,
    settings: &Settings,
) -> Result<Estimate> {
    finite("numerator", numerator)?;
    finite("denominator", denominator)?;
    same_length(
        "numerator",
        numerator.len(),
        "denominator",
        denominator.len(),
    )?;
    same_length("numerator", numerator.len(), "units", units.rows())?;
    if let Some(v) = denominator.iter().find(|v| **v < 0.0) {
        return Err(refused(format!("a denominator of {v}")));
    }
    if denominator.iter().sum::<f64>() <= 0.0 {
        return Err(refused("the denominators sum to 0"));
    }
    pooled(units, settings, &|row| (numerator[row], denominator[row]))
}

fn pooled(
    units: &Units,
    settings: &Settings,
    row: &dyn Fn(usize) -> (f64, f64),
) -> Result<Estimate> {
    let settled = settle(units);
    let sums = Sums::new(&settled.units, 2, |i, out| {
        let (a, b) = row(i);
        out[0] += a;
        out[1] += b;
    });
    let given = Given {
        original: units,
        settled: &settled,
    };
    let made = replicate(&[given], 2, settings, &mut |counts, out| {
        sums.total(&counts[0], out);
    })?;
    made.estimate(settings, &|s| {
        if s[1] > 0.0 { s[0] / s[1] } else { f64::NAN }
    })
}

/// Spreads multiplicities of groups over rows.
pub(crate) fn spread(units: &Units, counts: &[f64], weights: &mut [f64]) {
    for (weight, &group) in weights.iter_mut().zip(&units.group_of) {
        *weight = counts[group as usize];
    }
}

/// Any statistic over rows (balanced accuracy, AUROC, a paired difference of two such …), given as a function of the
/// rows' weights (0, 1, 2, … as often as a row was drawn). `None` says that it has no value for these weights. Intervals as
/// for [`mean`]; when more than one draw in twenty has no value the jackknife stands in for the bootstrap, and when the
/// statistic lives on a single group, [`Estimate::enough`] is false. Give [`Settings::range`].
///
/// The function must be smooth in the weights, as means, ratios and U-statistics are. Ranks, chosen maxima and distances
/// at zero are not: they have no interval here.
///
/// # Errors
/// `T701` for no rows, or when the statistic has no value, or one that is not finite, with all weights 1.
pub fn statistic(
    units: &Units,
    settings: &Settings,
    f: &mut dyn FnMut(&[f64]) -> Option<f64>,
) -> Result<Estimate> {
    let settled = settle(units);
    let mut weights = vec![1.0; units.rows()];
    let given = Given {
        original: units,
        settled: &settled,
    };
    let made = replicate(&[given], 1, settings, &mut |counts, out| {
        spread(&settled.units, &counts[0], &mut weights);
        out[0] = f(&weights).unwrap_or(f64::NAN);
    })?;
    made.estimate(settings, &|s| s[0])
}

/// The same as [`statistic`] for a function of a multiset of row indices, ascending.
///
/// # Errors
/// As [`statistic`].
pub fn statistic_of_rows(
    units: &Units,
    settings: &Settings,
    f: &mut dyn FnMut(&[usize]) -> Option<f64>,
) -> Result<Estimate> {
    let mut rows: Vec<usize> = Vec::with_capacity(units.rows());
    statistic(units, settings, &mut |weights| {
        rows.clear();
        for (row, &weight) in weights.iter().enumerate() {
            rows.extend(std::iter::repeat_n(row, weight as usize));
        }
        f(&rows)
    })
}

/// Difference of two shares, target minus reference, of independent samples: [`Estimate::minus`] of two [`rate`]s.
///
/// # Errors
/// `T701` as for [`rate`], on either side.
pub fn difference_of_rates(
    target: &[bool],
    target_units: &Units,
    reference: &[bool],
    reference_units: &Units,
    settings: &Settings,
) -> Result<Estimate> {
    Ok(rate(target, target_units, settings)?.minus(&rate(reference, reference_units, settings)?))
}

/// Difference of two means, target minus reference, of independent samples: both sides are resampled. 40 effective groups
/// or more on both: BCa. Else the jackknife's variances added, Student's t with Welch and Satterthwaite's degrees of freedom.
/// [`Settings::range`] is that of the difference.
///
/// # Errors
/// `T701` as for [`mean`], on either side.
pub fn difference_of_means(
    target: &[f64],
    target_units: &Units,
    reference: &[f64],
    reference_units: &Units,
    settings: &Settings,
) -> Result<Estimate> {
    finite("target", target)?;
    finite("reference", reference)?;
    same_length("target", target.len(), "its units", target_units.rows())?;
    same_length(
        "reference",
        reference.len(),
        "its units",
        reference_units.rows(),
    )?;
    let (t, r) = (settle(target_units), settle(reference_units));
    let sums = |values: &[f64], units: &Units| {
        Sums::new(units, 2, |i, out| {
            out[0] += values[i];
            out[1] += 1.0;
        })
    };
    let (sums_t, sums_r) = (sums(target, &t.units), sums(reference, &r.units));
    let sides = [
        Given {
            original: target_units,
            settled: &t,
        },
        Given {
            original: reference_units,
            settled: &r,
        },
    ];
    let made = replicate(&sides, 4, settings, &mut |counts, out| {
        sums_t.total(&counts[0], &mut out[..2]);
        sums_r.total(&counts[1], &mut out[2..]);
    })?;
    made.estimate(settings, &|s| {
        if s[1] > 0.0 && s[3] > 0.0 {
            s[0] / s[1] - s[2] / s[3]
        } else {
            f64::NAN
        }
    })
}

/// A statistic of the weights of the target's rows and of the reference's rows.
pub type TwoSided<'a> = dyn FnMut(&[f64], &[f64]) -> Option<f64> + 'a;

/// Several statistics of the weights of the target's rows and of the reference's rows, written to the last argument.
type Several<'a> = dyn FnMut(&[f64], &[f64], &mut [f64]) + 'a;

/// Replicates of `k` numbers that are functions of the weights of the rows of two independent samples.
fn replicate_rows(
    target_units: &Units,
    reference_units: &Units,
    k: usize,
    settings: &Settings,
    f: &mut Several<'_>,
) -> Result<Replicates> {
    let (t, r) = (settle(target_units), settle(reference_units));
    let (mut weights_t, mut weights_r) = (
        vec![1.0; target_units.rows()],
        vec![1.0; reference_units.rows()],
    );
    let sides = [
        Given {
            original: target_units,
            settled: &t,
        },
        Given {
            original: reference_units,
            settled: &r,
        },
    ];
    replicate(&sides, k, settings, &mut |counts, out| {
        spread(&t.units, &counts[0], &mut weights_t);
        spread(&r.units, &counts[1], &mut weights_r);
        f(&weights_t, &weights_r, out);
    })
}

/// Any statistic of two independent samples, such as a difference of balanced accuracies: a function of the weights of
/// the target's rows and of the reference's rows. Intervals as for [`difference_of_means`].
///
/// # Errors
/// `T701` as for [`statistic`].
pub fn difference_of_statistics(
    target_units: &Units,
    reference_units: &Units,
    settings: &Settings,
    f: &mut TwoSided<'_>,
) -> Result<Estimate> {
    let made = replicate_rows(
        target_units,
        reference_units,
        1,
        settings,
        &mut |target, reference, out| out[0] = f(target, reference).unwrap_or(f64::NAN),
    )?;
    made.estimate(settings, &|s| s[0])
}

/// Numerator and denominator from the weights of the target's rows and of the reference's rows.
pub type TwoSidedPair<'a> = dyn FnMut(&[f64], &[f64]) -> Option<(f64, f64)> + 'a;

/// A ratio of two statistics of two independent samples, with bounds by inversion.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioInterval {
    /// Numerator over denominator.
    pub estimate: f64,
    /// Lower bound; −∞ where none is found.
    pub low: f64,
    /// Upper bound; ∞ where none is found, as when the denominator may be next to 0.
    pub high: f64,
    /// How the bounds were made.
    pub method: String,
    /// Whether there are units enough for a verdict.
    pub enough: bool,
}

/// Ratio of two statistics of two independent samples, such as the share of a difference in risk that a change reproduces.
/// `f` gives numerator and denominator from the weights of the target's and of the reference's rows.
///
/// The bounds are the ratios c at which the interval of numerator − c · denominator begins and ceases to hold 0 (Fieller 1954,
/// with resampled intervals instead of normal ones): a denominator that may be next to 0 gives wide or open bounds, where
/// quantiles of resampled ratios would leave out the draws that matter. Bounds farther than a million from the estimate are
/// open. `None` when the denominator is not positive.
///
/// # Errors
/// `T701` as for [`statistic`].
pub fn ratio_of_statistics(
    target_units: &Units,
    reference_units: &Units,
    settings: &Settings,
    f: &mut TwoSidedPair<'_>,
) -> Result<Option<RatioInterval>> {
    let made = replicate_rows(
        target_units,
        reference_units,
        2,
        settings,
        &mut |target, reference, out| {
            (out[0], out[1]) = f(target, reference).unwrap_or((f64::NAN, f64::NAN));
        },
    )?;
    let [numerator, denominator] = [made.observed[0], made.observed[1]];
    if !(denominator > 0.0 && numerator.is_finite() && denominator.is_finite()) {
        return Ok(None);
    }
    let settings = Settings {
        range: None,
        ..settings.clone()
    };
    let at = |c: f64| made.estimate(&settings, &|s| s[0] - c * s[1]);
    let estimate = numerator / denominator;
    let centre = at(estimate)?;
    let bound = |sign: f64, holds: &dyn Fn(&Estimate) -> bool| -> Result<f64> {
        let (mut near, mut step) = (0.0, 0.125);
        while holds(&at(estimate + sign * step)?) {
            near = step;
            step *= 2.0;
            if step > 1e6 {
                return Ok(sign * f64::INFINITY);
            }
        }
        let mut far = step;
        for _ in 0..20 {
            let middle = 0.5 * (near + far);
            if holds(&at(estimate + sign * middle)?) {
                near = middle;
            } else {
                far = middle;
            }
        }
        Ok(estimate + sign * far)
    };
    let low = bound(-1.0, &|e| e.low <= 0.0)?;
    let high = bound(1.0, &|e| e.high >= 0.0)?;
    Ok(Some(RatioInterval {
        estimate,
        low,
        high,
        method: format!("ratio by inversion (Fieller) of {}", centre.method),
        enough: centre.enough,
    }))
}

#[cfg(test)]
mod few_tests {
    use super::*;
    use transect_core::Stream;

    #[test]
    fn one_image_has_no_interval_and_neither_has_a_difference_with_one() {
        let settings = Settings::new(1, "one").range(0.0, 1.0);
        let one = Units::independent(1);
        let many = Units::independent(30);
        let values: Vec<f64> = (0..30).map(|i| 0.5 + 0.01 * f64::from(i)).collect();
        let single = mean(&[0.09], &one, &settings).unwrap();
        let share = rate(&[true], &one, &settings).unwrap();
        let others = rate(&[true; 30], &many, &settings).unwrap();
        let difference = difference_of_means(
            &[0.09],
            &one,
            &values,
            &many,
            &settings.clone().range(-1.0, 1.0),
        )
        .unwrap();
        for e in [&single, &share, &share.minus(&others), &difference] {
            assert!(e.is_open() && !e.enough, "{e:?}");
            assert_eq!(e.p_below(1.0), 1.0);
        }
    }

    /// The chance of a p of at most 5% for a share at the threshold is at most 5% whatever the number of rows.
    #[test]
    fn a_share_of_independent_rows_fails_no_more_often_than_it_may() {
        for n in 20..=60_usize {
            for tau in [0.05, 0.10, 0.30] {
                let mut log = n as f64 * f64::ln_1p(-tau);
                let (mut size, mut from) = (0.0, None);
                for k in 0..=n {
                    let hits: Vec<bool> = (0..n).map(|i| i < k).collect();
                    let settings = Settings::new(1, "size").range(0.0, 1.0);
                    if from.is_none()
                        && rate(&hits, &Units::independent(n), &settings)
                            .unwrap()
                            .p_above(tau)
                            <= 0.05
                    {
                        from = Some(k);
                    }
                    if from.is_some() {
                        size += log.exp();
                    }
                    log += ((n - k) as f64 / (k + 1) as f64).ln() + (tau / (1.0 - tau)).ln();
                }
                assert!(size <= 0.05 + 1e-9, "{size} at n = {n}, {tau}");
            }
        }
    }

    /// One of 30 paired differences is 1: the spread alone gives at most 0.10, and a mean of 0.1 gives one or none in 18%.
    #[test]
    fn a_mean_that_rests_on_one_row_is_bounded_as_a_share() {
        let mut values = vec![0.0; 30];
        values[7] = 1.0;
        let units = Units::independent(30);
        let e = mean(&values, &units, &Settings::new(1, "few").range(-1.0, 1.0)).unwrap();
        let (_, high) = crate::clopper_pearson(1.0, 30.0, 0.95).unwrap();
        assert!((e.high - high).abs() < 1e-9, "{} and {high}", e.high);
        let none = 1.0 - 0.025_f64.powf(1.0 / 30.0);
        assert!((e.low + none).abs() < 1e-9, "{} and {none}", e.low);
        assert!(e.rests_on_few());
        // Bounds and tails agree.
        assert!(
            (e.p_below(e.high) - 0.025).abs() < 1e-6,
            "{}",
            e.p_below(e.high)
        );
        let spread: Vec<f64> = (0..30).map(f64::from).collect();
        let settings = Settings::new(1, "few").range(0.0, 50.0);
        assert!(!mean(&spread, &units, &settings).unwrap().rests_on_few());
    }

    /// Numerator 0.3, denominator 1, sd of the means 0.1: Fieller's bounds in closed form (independent parts).
    #[test]
    fn a_ratio_has_the_bounds_of_fieller_and_opens_where_the_denominator_may_be_none() {
        let mut stream = Stream::new(5, "test", &[]);
        let mut drawn = |mean: f64| -> Vec<f64> {
            let raw: Vec<f64> = (0..100).map(|_| stream.normal()).collect();
            let m = raw.iter().sum::<f64>() / 100.0;
            let sd = (raw.iter().map(|v| (v - m).powi(2)).sum::<f64>() / 99.0).sqrt();
            raw.iter().map(|v| mean + (v - m) / sd).collect()
        };
        let (x, y, near) = (drawn(0.3), drawn(1.0), drawn(0.15));
        let units = Units::independent(100);
        let weighted = |w: &[f64], v: &[f64]| -> f64 {
            w.iter().zip(v).map(|(w, v)| w * v).sum::<f64>() / w.iter().sum::<f64>()
        };
        let ratio = |of: &[f64]| {
            ratio_of_statistics(&units, &units, &Settings::new(1, "r"), &mut |wt, wr| {
                Some((weighted(wr, &x), weighted(wt, of)))
            })
            .unwrap()
            .unwrap()
        };
        let made = ratio(&y);
        // (0.3 − c)² = z² (0.01 + 0.01 c²).
        let (z2, v) = (1.96_f64.powi(2), 0.01);
        let a = 1.0 - z2 * v;
        let root = (0.09 - a * (0.09 - z2 * v)).sqrt();
        let (low, high) = ((0.3 - root) / a, (0.3 + root) / a);
        assert!(
            (made.low - low).abs() < 0.03 && (made.high - high).abs() < 0.03,
            "{made:?} and {low} {high}"
        );
        assert_eq!(ratio(&near).high, f64::INFINITY);
    }
}
