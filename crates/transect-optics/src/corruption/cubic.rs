//! Cubic convolution (Catmull and Rom; Keys with a = −½).

/// Weights of the four neighbours (two on each side) of a place that lies `t` in [0, 1) behind the second. They add up to 1,
/// and give back any quadratic.
pub(super) fn weights(t: f64) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        -0.5 * t + t2 - 0.5 * t3,
        1.0 - 2.5 * t2 + 1.5 * t3,
        0.5 * t + 2.0 * t2 - 1.5 * t3,
        0.5 * (t3 - t2),
    ]
    .map(|w| w as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quadratics_come_back() {
        for t in [0.0, 0.1, 0.5, 0.99] {
            let of = |x: f64| 2.0 - 3.0 * x + 0.5 * x * x;
            let sum: f64 = weights(t)
                .iter()
                .zip([-1.0, 0.0, 1.0, 2.0])
                .map(|(&w, x)| f64::from(w) * of(x))
                .sum();
            assert!((sum - of(t)).abs() < 1e-6, "{t}: {sum}");
        }
    }
}
