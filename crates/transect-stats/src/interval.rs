//! Estimates with intervals that respect groups and strata.

use std::sync::Arc;

use transect_core::Result;

use crate::error::{finite, refused, same_length};
use crate::resample::{ENOUGH, Given, Sums, replicate, settle, short};
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
    /// Every unit gave this value: the bound is that of a share of units that would differ, none of `units` seen.
    Constant {
        value: f64,
        low: f64,
        high: f64,
        units: f64,
    },
    /// A Beta distribution.
    Beta { a: f64, b: f64 },
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
    fn lower(&self, alpha: f64) -> f64 {
        match self {
            Self::Student { centre, se, df } => centre + t_quantile(alpha, *df) * se,
            Self::Logit { centre, se, df } => expit(centre + t_quantile(alpha, *df) * se),
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
            Self::Constant {
                value, low, units, ..
            } => value - (value - low) * (1.0 - alpha.powf(1.0 / units)),
            Self::Beta { a, b } => beta_quantile(alpha, *a, *b),
            Self::Difference(pair) => {
                let (a, b) = (&pair.0, &pair.1);
                a.estimate
                    - b.estimate
                    - (a.estimate - a.lower(1.0 - alpha)).hypot(b.upper(1.0 - alpha) - b.estimate)
            }
        }
    }

    /// The upper bound that is passed above with chance `alpha`.
    fn upper(&self, alpha: f64) -> f64 {
        match self {
            Self::Student { centre, se, df } => centre - t_quantile(alpha, *df) * se,
            Self::Logit { centre, se, df } => expit(centre - t_quantile(alpha, *df) * se),
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
            Self::Constant {
                value, high, units, ..
            } => value + (high - value) * (1.0 - alpha.powf(1.0 / units)),
            Self::Beta { a, b } => 1.0 - beta_quantile(alpha, *b, *a),
            Self::Difference(pair) => {
                let (a, b) = (&pair.0, &pair.1);
                a.estimate - b.estimate
                    + (a.upper(1.0 - alpha) - a.estimate).hypot(b.estimate - b.lower(1.0 - alpha))
            }
        }
    }

    /// p of H₀: θ ≤ tau.
    fn p_above(&self, tau: f64) -> f64 {
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
            Self::Constant {
                value, low, units, ..
            } => constant_p(value - tau, value - low, *units),
            Self::Beta { a, b } => beta_cdf(tau, *a, *b),
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
    fn p_below(&self, tau: f64) -> f64 {
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
            Self::Constant {
                value, high, units, ..
            } => constant_p(tau - value, high - value, *units),
            Self::Beta { a, b } => beta_cdf(1.0 - tau, *b, *a),
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
    /// Lower bound of the two-sided interval; −∞ where nothing bounds it (a single image without a range).
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
        if n < 2 && made.range.is_none() {
            return made;
        }
        let one_sided = 0.5 + 0.5 * settings.level;
        (made.low, made.high) = (made.lower(one_sided), made.upper(one_sided));
        made
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
/// than none would.
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
    let method = label(format!("logit cluster-t over {over}"));
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
/// given: at most 1 − α^(1/G) of the units differ, by the whole range (Clopper–Pearson).
///
/// # Errors
/// `T701` for no rows, different lengths, a value that is not finite.
pub fn mean(values: &[f64], units: &Units, settings: &Settings) -> Result<Estimate> {
    finite("values", values)?;
    same_length("values", values.len(), "units", units.rows())?;
    pooled(units, settings, &|row| (values[row], 1.0))
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
    let made = replicate(&sides, 1, settings, &mut |counts, out| {
        spread(&t.units, &counts[0], &mut weights_t);
        spread(&r.units, &counts[1], &mut weights_r);
        out[0] = f(&weights_t, &weights_r).unwrap_or(f64::NAN);
    })?;
    made.estimate(settings, &|s| s[0])
}
