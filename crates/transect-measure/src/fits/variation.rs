//! How far the images vary by themselves: the yardstick of natural searches.

use transect_core::ItemRecord;
use transect_core::fit::Variation;
use transect_stats::robust_scale;

/// One standard deviation of each quantity over these rows, taken as 1.4826 times the median absolute deviation (so that a few
/// odd images do not widen the box); where more than half of the values are equal, the standard deviation over n − 1. A
/// quantity that is missing for a row is left out; 0 with fewer than two values.
///
/// - `log_gain`: ln of `intensity_sd`.
/// - `offset`: `intensity_mean`.
/// - `blur_px`: `psf_sigma_px`.
/// - `noise`: `noise_sd`.
/// - `log_colour`: for each channel ln (its mean / mean of all channels), the root mean square of the deviations over the
///   channels: of red, green and blue where the image has them, otherwise of the channels of the profile, where all are above 0.
pub(super) fn variation(rows: &[&ItemRecord]) -> Variation {
    let of = |name: &str| -> Vec<f64> {
        rows.iter()
            .filter_map(|r| r.attribute(name))
            .filter(|v| v.is_finite())
            .collect()
    };
    let log_sd: Vec<f64> = of("intensity_sd")
        .into_iter()
        .filter(|v| *v > 0.0)
        .map(f64::ln)
        .collect();
    Variation {
        log_gain: spread(&log_sd),
        offset: spread(&of("intensity_mean")),
        blur_px: spread(&of("psf_sigma_px")),
        noise: spread(&of("noise_sd")),
        log_colour: colour(rows),
    }
}

fn spread(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    robust_scale(values).map_or(0.0, |s| s.scale)
}

fn colour(rows: &[&ItemRecord]) -> f64 {
    let ratios: Vec<Vec<f64>> = rows.iter().filter_map(|r| log_ratios(r)).collect();
    let channels = ratios.iter().map(Vec::len).max().unwrap_or(0);
    if channels < 2 {
        return 0.0;
    }
    let squares: f64 = (0..channels)
        .map(|c| {
            let values: Vec<f64> = ratios.iter().filter_map(|r| r.get(c).copied()).collect();
            spread(&values).powi(2)
        })
        .sum();
    (squares / channels as f64).sqrt()
}

/// ln (mean of a channel / mean of all) of every channel; `None` for one channel, and where a mean is not above 0.
fn log_ratios(record: &ItemRecord) -> Option<Vec<f64>> {
    let colours: Option<Vec<f64>> = ["red_mean", "green_mean", "blue_mean"]
        .iter()
        .map(|name| record.attribute(name))
        .collect();
    let means = colours.or_else(|| {
        let profile = record.profile.as_ref()?;
        (!profile.optical_density).then(|| profile.mean.clone())
    })?;
    if means.len() < 2 || means.iter().any(|m| !m.is_finite() || *m <= 0.0) {
        return None;
    }
    let all = means.iter().sum::<f64>() / means.len() as f64;
    Some(means.iter().map(|m| (m / all).ln()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fits::tests::record;
    use transect_core::attribute::ATTRIBUTES;

    #[test]
    fn the_variation_is_the_robust_spread_of_each_attribute() {
        let mut records: Vec<ItemRecord> = (0..5).map(record).collect();
        for (i, r) in records.iter_mut().enumerate() {
            let mut set = |name: &str, value: f64| {
                let place = ATTRIBUTES.iter().position(|a| a.name == name).unwrap();
                r.attributes[place] = Some(value);
            };
            let x = i as f64;
            // The last row is far out and must not widen the box.
            set("intensity_sd", if i == 4 { 1e6 } else { (0.1 * x).exp() });
            set("intensity_mean", 0.2 + 0.01 * x);
            set("red_mean", 0.5 * (0.1 * x).exp());
            set("green_mean", 0.5);
            set("blue_mean", 0.5);
            if i < 4 {
                set("psf_sigma_px", 2.0);
            }
        }
        let rows: Vec<&ItemRecord> = records.iter().collect();
        let v = variation(&rows);
        // ln sd: 0, 0.1, 0.2, 0.3 and 13.8: median 0.2, deviations 0.2, 0.1, 0, 0.1, 13.6: their median 0.1.
        assert!((v.log_gain - 0.148_26).abs() < 1e-9, "{v:?}");
        assert!((v.offset - 0.014_826).abs() < 1e-9, "{v:?}");
        assert_eq!((v.blur_px, v.noise), (0.0, 0.0));
        // Red against the mean of all moves by less than red alone, green and blue the other way.
        assert!(v.log_colour > 0.05 && v.log_colour < 0.148, "{v:?}");
    }
}
