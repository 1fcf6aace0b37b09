//! Number, size and arrangement of the truth's objects: what a count or a map of the cells tells without their looks.

use std::collections::BTreeMap;

use transect_core::LabelImage;

use crate::describe;

/// Radii of Ripley's K, in mean diameters.
const RADII: [f64; 3] = [1.0, 2.0, 4.0];

/// Objects that are looked at for their arrangement: the first of more, in the order of labels.
const MOST: usize = 2000;

/// Features of the layout: number of objects; objects per 10⁴ px; mean, standard deviation, 10th, 50th and 90th percentile of the
/// diameter of the disc of equal area (px); share of foreground; mean, standard deviation and median distance to the nearest
/// neighbour over √(area/n) (the mean is half the Clark–Evans ratio); Ripley's K at 1, 2 and 4 mean diameters over πr², without
/// edge correction; mean and standard deviation of the number of neighbours within two mean diameters. Each label is one object.
/// Without objects all are 0; with one, what needs a pair is 0.
pub(super) fn of(truth: &LabelImage) -> Vec<f32> {
    let columns = truth.columns();
    let mut sums: BTreeMap<u32, (f64, f64, f64)> = BTreeMap::new();
    for (at, &label) in truth.labels().iter().enumerate() {
        if label != 0 {
            let sum = sums.entry(label).or_default();
            sum.0 += 1.0;
            sum.1 += (at / columns) as f64;
            sum.2 += (at % columns) as f64;
        }
    }
    let area = truth.labels().len() as f64;
    let n = sums.len();
    let mut values = vec![0.0; 16];
    if n == 0 {
        return values.into_iter().map(|v: f64| v as f32).collect();
    }
    let mut diameters: Vec<f64> = sums
        .values()
        .map(|s| 2.0 * (s.0 / std::f64::consts::PI).sqrt())
        .collect();
    diameters.sort_unstable_by(f64::total_cmp);
    let (mean, sd) = mean_sd(&diameters);
    let foreground = sums.values().map(|s| s.0).sum::<f64>() / area;
    values[..8].copy_from_slice(&[
        n as f64,
        1e4 * n as f64 / area,
        mean,
        sd,
        at_share(&diameters, 0.1),
        at_share(&diameters, 0.5),
        at_share(&diameters, 0.9),
        foreground,
    ]);
    if n > 1 {
        let centres: Vec<(f64, f64)> = sums
            .values()
            .take(MOST)
            .map(|s| (s.1 / s.0, s.2 / s.0))
            .collect();
        let m = centres.len() as f64;
        let mut nearest = vec![f64::INFINITY; centres.len()];
        let mut degree = vec![0.0; centres.len()];
        let mut within = [0.0; RADII.len()];
        for i in 0..centres.len() {
            for j in 0..i {
                let (r, c) = (centres[i].0 - centres[j].0, centres[i].1 - centres[j].1);
                let distance = (r * r + c * c).sqrt();
                nearest[i] = nearest[i].min(distance);
                nearest[j] = nearest[j].min(distance);
                for (count, radius) in within.iter_mut().zip(RADII) {
                    *count += 2.0 * f64::from(u8::from(distance <= radius * mean));
                }
                if distance <= 2.0 * mean {
                    degree[i] += 1.0;
                    degree[j] += 1.0;
                }
            }
        }
        nearest.sort_unstable_by(f64::total_cmp);
        let spacing = (area / m).sqrt();
        let (near, near_sd) = mean_sd(&nearest);
        let (neighbours, neighbours_sd) = mean_sd(&degree);
        values[8] = near / spacing;
        values[9] = near_sd / spacing;
        values[10] = at_share(&nearest, 0.5) / spacing;
        for (k, radius) in RADII.iter().enumerate() {
            let disc = std::f64::consts::PI * (radius * mean).powi(2);
            values[11 + k] = area * within[k] / (m * (m - 1.0)) / disc;
        }
        values[14] = neighbours;
        values[15] = neighbours_sd;
    }
    values.into_iter().map(|v| v as f32).collect()
}

/// Mean and spread of what there is one of at least.
fn mean_sd(values: &[f64]) -> (f64, f64) {
    describe::mean_sd(values.iter().copied()).unwrap_or_default()
}

/// The sorted value at this share of the way.
fn at_share(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}
