//! Quantiles of samples.

/// The quantile `q` in [0, 1] by linear interpolation between order statistics (type 7, NumPy's default). Values that are
/// not finite are left out; `None` where none is finite. `values` is reordered.
pub(crate) fn quantile_in_place(values: &mut Vec<f32>, q: f64) -> Option<f64> {
    values.retain(|v| v.is_finite());
    if values.is_empty() {
        return None;
    }
    let position = q.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let below = position.floor() as usize;
    let share = position - below as f64;
    let (_, &mut low, above) = values.select_nth_unstable_by(below, f32::total_cmp);
    let low = f64::from(low);
    if share == 0.0 {
        return Some(low);
    }
    let high = above
        .iter()
        .copied()
        .min_by(f32::total_cmp)
        .map_or(low, f64::from);
    Some(low + share * (high - low))
}

/// The quantile of a copy of the samples.
pub(crate) fn quantile(values: &[f32], q: f64) -> Option<f64> {
    let mut copy = Vec::with_capacity(values.len());
    copy.extend_from_slice(values);
    quantile_in_place(&mut copy, q)
}

/// The median of 64-bit values; `None` where none is finite.
pub(crate) fn median(values: &mut Vec<f64>) -> Option<f64> {
    values.retain(|v| v.is_finite());
    if values.is_empty() {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    Some(if n % 2 == 1 {
        values[n / 2]
    } else {
        0.5 * (values[n / 2 - 1] + values[n / 2])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_leave_out_what_is_not_finite() {
        let values = [4.0, f32::NAN, 1.0, 3.0, f32::INFINITY, 2.0];
        assert_eq!(quantile(&values, 0.0), Some(1.0));
        assert_eq!(quantile(&values, 0.5), Some(2.5));
        assert_eq!(quantile(&values, 1.0), Some(4.0));
        assert_eq!(quantile(&[f32::NAN], 0.5), None);
        assert_eq!(median(&mut vec![3.0, 1.0, f64::NAN, 2.0]), Some(2.0));
    }
}
