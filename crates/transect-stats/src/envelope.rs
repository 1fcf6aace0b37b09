//! The joint conformal envelope.

use transect_core::{Result, Stream};

use crate::error::{finite, refused, same_length};
use crate::interval::{Estimate, Settings, Tail, rate};
use crate::quantile::{RobustScale, quantiles, robust_scale};
use crate::units::Units;

/// Share that is outside by construction.
const ALPHA: f64 = 0.05;
/// Calibration units from which a conformal p can be 0.05.
const LEAST_UNITS: usize = 19;

/// One target image against the envelope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outside {
    /// Largest robust standardised distance over the attributes.
    pub score: f64,
    /// The attribute (index) that attains it, the first of equals; `None` when the image has no attribute.
    pub attribute: Option<usize>,
    /// Conformal p.
    pub p: f64,
    /// Outside: p ≤ 0.05.
    pub outside: bool,
}

/// Target images against the reference's joint 95% envelope.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// Each target image.
    pub images: Vec<Outside>,
    /// Share of target images outside, given this envelope (its interval knows the target's sampling only).
    pub share: Estimate,
    /// Share of further reference images expected outside of this envelope, k/(m+1) with k = ⌊0.05(m+1)⌋, and its 95%
    /// range over calibration samples, Beta(k, m+1−k): a share within it is what the reference itself may show.
    pub expected: (f64, f64, f64),
    /// Share outside minus the expected, with the uncertainty of both sides ([`Estimate::minus`]). Judge this against 0.
    pub excess: Estimate,
    /// Calibration units (groups of the held-out half). Under 19: undecided, since no p can be ≤ 0.05.
    pub calibration_units: usize,
    /// Whether there are at least 19; if not, `share` and `excess` are not `enough` either.
    pub enough: bool,
    /// Fit units.
    pub fit_units: usize,
}

/// Centre and scale of one attribute in the fit half: the median, and the larger of 1.4826 × MAD and the central 95% range
/// over 2 × 1.96 (both are σ for normal values; the second keeps heavy tails and discrete values, such as an image's
/// height, from making every other reference image look extreme).
///
/// An attribute that the fit half never varied gets a thousandth of its value (1e-9 where that is 0), so that changes of it
/// stay ordered: with infinite distances a reference image of 118 rows among images of 120 would tie with one of 300.
fn spread(values: &[f64]) -> Result<RobustScale> {
    let robust = robust_scale(values)?;
    let tails = quantiles(values, &[0.025, 0.975])?;
    let floor = if robust.centre == 0.0 {
        1e-9
    } else {
        1e-3 * robust.centre.abs()
    };
    let scale = robust.scale.max((tails[1] - tails[0]) / (2.0 * 1.959_964));
    Ok(RobustScale {
        centre: robust.centre,
        scale: if scale > 0.0 { scale } else { floor },
    })
}

/// Joint score of one image and the attribute that attains it.
fn score(
    attributes: &[Vec<Option<f64>>],
    row: usize,
    scales: &[Option<RobustScale>],
) -> (f64, Option<usize>) {
    let mut best = (0.0, None);
    for (index, (column, scale)) in attributes.iter().zip(scales).enumerate() {
        if let (Some(v), Some(scale)) = (column[row], scale) {
            let distance = (v - scale.centre).abs();
            let distance = if distance == 0.0 {
                0.0
            } else {
                distance / scale.scale
            };
            if best.1.is_none() || distance > best.0 {
                best = (distance, Some(index));
            }
        }
    }
    best
}

fn check(name: &str, attributes: &[Vec<Option<f64>>], rows: usize) -> Result<()> {
    for column in attributes {
        same_length(name, column.len(), "units", rows)?;
        let present: Vec<f64> = column.iter().copied().flatten().collect();
        if !present.is_empty() {
            finite(name, &present)?;
        }
    }
    Ok(())
}

/// The joint envelope. `reference[a][i]`, `target[a][i]`: attribute a of image i, `None` where missing (left out of the
/// maximum).
///
/// Half of the reference groups (seeded, within strata) give median and robust scale of each attribute; the score of an image
/// is its largest |value − median| / scale; the other half calibrate its rank. With m calibration groups the conformal p of
/// an image is (1 + Σ_g share of group g's images with a score at least as large)/(1 + m): without groups the usual
/// one, exact for an image that is exchangeable with the reference (Vovk et al. 2005); with groups each group counts once
/// (Dunn, Wasserman, Ramdas 2022, pooling). Ties count against "outside".
///
/// # Errors
/// `T701` for no attribute, lengths that differ, values that are not finite, fewer than two reference groups, no target.
pub fn envelope(
    reference: &[Vec<Option<f64>>],
    reference_units: &Units,
    target: &[Vec<Option<f64>>],
    target_units: &Units,
    settings: &Settings,
) -> Result<Envelope> {
    if reference.is_empty() || reference.len() != target.len() {
        return Err(refused(format!(
            "{} attributes of the reference, {} of the target",
            reference.len(),
            target.len()
        )));
    }
    check("reference", reference, reference_units.rows())?;
    check("target", target, target_units.rows())?;
    if reference_units.groups() < 2 || target_units.rows() == 0 {
        return Err(refused("fewer than two reference groups, or no target"));
    }
    let mut stream = Stream::new(settings.seed, "stats/envelope", &[settings.key.as_bytes()]);
    let mut fits = vec![false; reference_units.groups()];
    let mut next = 0_usize;
    for mut groups in reference_units.groups_by_stratum() {
        stream.shuffle(&mut groups);
        for group in groups {
            fits[group] = next % 2 == 1;
            next += 1;
        }
    }
    let rows = reference_units.rows_by_group();
    let fit_rows: Vec<usize> = (0..fits.len())
        .filter(|&g| fits[g])
        .flat_map(|g| rows[g].iter().copied())
        .collect();
    let scales = reference
        .iter()
        .map(|column| {
            let values: Vec<f64> = fit_rows.iter().filter_map(|&row| column[row]).collect();
            if values.is_empty() {
                Ok(None)
            } else {
                spread(&values).map(Some)
            }
        })
        .collect::<Result<Vec<_>>>()?;
    // Calibration scores, each with the weight of its row within its group.
    let mut calibration: Vec<(f64, f64)> = Vec::new();
    for (group, rows) in rows.iter().enumerate().filter(|(group, _)| !fits[*group]) {
        let weight = 1.0 / reference_units.sizes[group] as f64;
        calibration.extend(
            rows.iter()
                .map(|&row| (score(reference, row, &scales).0, weight)),
        );
    }
    calibration.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let mut at_least: Vec<f64> = Vec::with_capacity(calibration.len());
    let mut sum = 0.0;
    for (_, weight) in &calibration {
        sum += weight;
        at_least.push(sum);
    }
    let calibration_units = fits.iter().filter(|&&f| !f).count();
    let m = calibration_units as f64;
    let images: Vec<Outside> = (0..target_units.rows())
        .map(|row| {
            let (score, attribute) = score(target, row, &scales);
            let above = calibration.partition_point(|(s, _)| *s >= score);
            let weight = if above == 0 { 0.0 } else { at_least[above - 1] };
            let p = (1.0 + weight) / (1.0 + m);
            Outside {
                score,
                attribute,
                p,
                outside: p <= ALPHA + 1e-12,
            }
        })
        .collect();
    let enough = calibration_units >= LEAST_UNITS;
    let mut share = rate(
        &images.iter().map(|i| i.outside).collect::<Vec<_>>(),
        target_units,
        settings,
    )?;
    share.enough &= enough;
    let k = (ALPHA * (m + 1.0) + 1e-9).floor();
    let mean = k / (m + 1.0);
    let range = Settings {
        range: Some((0.0, 1.0)),
        ..settings.clone()
    };
    let tail = if k > 0.0 {
        Tail::Beta {
            a: k,
            b: m + 1.0 - k,
        }
    } else {
        Tail::Constant {
            value: 0.0,
            low: 0.0,
            high: 1.0,
            units: m,
        }
    };
    let expected = Estimate::build(
        mean,
        (mean * (1.0 - mean) / (m + 2.0)).sqrt(),
        &range,
        tail,
        format!("Beta from {calibration_units} calibration units"),
        calibration.len(),
        m,
        enough,
    );
    Ok(Envelope {
        images,
        excess: share.minus(&expected),
        share,
        expected: (expected.estimate, expected.low, expected.high),
        calibration_units,
        enough,
        fit_units: fits.len() - calibration_units,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normals(n: usize, attributes: usize, seed: u64) -> Vec<Vec<Option<f64>>> {
        let mut stream = Stream::new(seed, "test", &[]);
        (0..attributes)
            .map(|_| (0..n).map(|_| Some(stream.normal())).collect())
            .collect()
    }

    #[test]
    fn the_moved_attribute_is_named_and_missing_ones_are_left_out() {
        let reference = normals(100, 3, 1);
        let mut target = normals(5, 3, 2);
        for (i, v) in target[1].iter_mut().enumerate() {
            *v = Some(40.0 + i as f64);
        }
        target[1][4] = None;
        target[0][4] = Some(0.0);
        target[2][4] = Some(0.0);
        let made = envelope(
            &reference,
            &Units::independent(100),
            &target,
            &Units::independent(5),
            &Settings::new(1, "e"),
        )
        .unwrap();
        assert!(
            made.images[..4]
                .iter()
                .all(|i| i.outside && i.attribute == Some(1))
        );
        assert!(!made.images[4].outside);
        assert_eq!((made.calibration_units, made.fit_units), (50, 50));
        assert!((made.images[0].p - 1.0 / 51.0).abs() < 1e-12);
        assert!((made.expected.0 - 2.0 / 51.0).abs() < 1e-12);
    }

    #[test]
    fn eighteen_calibration_units_are_not_enough() {
        let reference = normals(36, 2, 1);
        let target = vec![vec![Some(99.0); 30]; 2];
        let units = Units::independent(30);
        let made = envelope(
            &reference,
            &Units::independent(36),
            &target,
            &units,
            &Settings::new(1, "e"),
        )
        .unwrap();
        assert_eq!(made.calibration_units, 18);
        assert!(!made.enough && !made.share.enough && !made.excess.enough);
        assert!(made.images.iter().all(|i| !i.outside));
    }

    #[test]
    fn a_constant_attribute_that_changes_is_far_beyond_all_others() {
        let mut reference = normals(80, 1, 1);
        reference.push(vec![Some(256.0); 80]);
        let target = vec![vec![Some(0.0), Some(0.0)], vec![Some(256.0), Some(512.0)]];
        let made = envelope(
            &reference,
            &Units::independent(80),
            &target,
            &Units::independent(2),
            &Settings::new(1, "e"),
        )
        .unwrap();
        assert!(made.images[0].score < 1.0 && made.images[1].score > 900.0);
        assert!(made.images[1].outside && made.images[1].attribute == Some(1));
    }

    /// Cropped cells: nearly all images have 120 rows, a few have less; the target's have 300. In the draw where the fit
    /// half holds only 120s, an infinite distance would tie every other height and nothing could ever be outside.
    #[test]
    fn a_nearly_constant_attribute_of_the_reference_does_not_hide_the_target() {
        for seed in 0..20 {
            let mut reference = normals(51, 1, seed);
            reference.push(
                (0..51)
                    .map(|i| Some(if i % 16 == 3 { 112.0 } else { 120.0 }))
                    .collect(),
            );
            let target = vec![vec![Some(0.0); 30], vec![Some(300.0); 30]];
            let made = envelope(
                &reference,
                &Units::independent(51),
                &target,
                &Units::independent(30),
                &Settings::new(seed, "e"),
            )
            .unwrap();
            assert!(
                made.images.iter().all(|i| i.outside),
                "seed {seed}: {:?}",
                made.images[0]
            );
        }
    }
}
