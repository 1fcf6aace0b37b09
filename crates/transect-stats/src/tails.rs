//! Tails and quantiles of the distributions used, through `statrs`; quantiles are solved on its distribution functions.

use statrs::distribution::{Beta, ContinuousCDF, Normal, StudentsT};

/// Φ(z).
pub(crate) fn normal_cdf(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

/// Φ⁻¹(p); ∓∞ at 0 and 1.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        f64::NEG_INFINITY
    } else if p >= 1.0 {
        f64::INFINITY
    } else {
        Normal::standard().inverse_cdf(p)
    }
}

/// P(T ≤ x) for Student's t; the normal when the degrees of freedom are not usable as such (infinite).
pub(crate) fn t_cdf(x: f64, df: f64) -> f64 {
    if x.is_infinite() {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    match StudentsT::new(0.0, 1.0, df) {
        Ok(t) if df.is_finite() => t.cdf(x),
        _ => normal_cdf(x),
    }
}

/// Quantile of Student's t, by bisection on its lower tail, so that far tails keep their precision.
pub(crate) fn t_quantile(p: f64, df: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    if p > 0.5 {
        return -t_quantile(1.0 - p, df);
    }
    if p == 0.5 {
        return 0.0;
    }
    let mut low = -1.0;
    while t_cdf(low, df) > p {
        low *= 2.0;
        if low < -1e300 {
            return f64::NEG_INFINITY;
        }
    }
    bisect(low, 0.0, |x| t_cdf(x, df) < p)
}

/// Distribution function of Beta(a, b) at x.
pub(crate) fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    Beta::new(a, b).map_or(f64::NAN, |beta| beta.cdf(x))
}

/// Quantile of Beta(a, b), by bisection.
pub(crate) fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    bisect(0.0, 1.0, |x| beta_cdf(x, a, b) < p)
}

/// Where `below` turns from true to false between two ends, to the last bit or 200 halvings.
pub(crate) fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..200 {
        let middle = low + 0.5 * (high - low);
        if middle <= low || middle >= high {
            break;
        }
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Quantile of chi-squared with `df` degrees of freedom, by bisection.
pub(crate) fn chi_squared_quantile(p: f64, df: f64) -> f64 {
    let Ok(chi) = statrs::distribution::ChiSquared::new(df) else {
        return 0.0;
    };
    let mut high = df.max(1.0);
    while chi.cdf(high) < p {
        high *= 2.0;
    }
    bisect(0.0, high, |x| chi.cdf(x) < p)
}
