//! The classical segmentation that a network must beat: Otsu's threshold, then a watershed on the distance to the background.

use transect_core::{Image, Instances, LabelImage, Result, Semantic};
use transect_model::decode::{Connectivity, components, distance_squared, watershed};

/// Bins of the histogram.
const BINS: usize = 256;
/// Components smaller than this are specks, px.
const SPECK_PX: usize = 16;
/// Components smaller than one part in this many of the image are specks.
const SPECK_PART: usize = 10_000;

/// Otsu's threshold over a histogram of 256 equal bins from the smallest to the largest value: the centre of the bin that,
/// with all below it, maximises n₀·n₁·(m₀ − m₁)² of the two sides; the first of equals. As `skimage.filters.threshold_otsu`
/// for floating images. `None` where no value differs, or one is not finite.
pub(crate) fn threshold(values: &[f32]) -> Option<f64> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &v in values {
        let v = f64::from(v);
        if !v.is_finite() {
            return None;
        }
        (low, high) = (low.min(v), high.max(v));
    }
    if low >= high {
        return None;
    }
    let width = high - low;
    let edge = |i: usize| {
        if i == BINS {
            high
        } else {
            low + i as f64 * (width / BINS as f64)
        }
    };
    let mut counts = [0.0_f64; BINS];
    for &v in values {
        let v = f64::from(v);
        let mut bin = (((v - low) / width * BINS as f64) as usize).min(BINS - 1);
        // Rounding may put a value on the wrong side of an edge.
        if v < edge(bin) {
            bin -= 1;
        } else if bin + 1 < BINS && v >= edge(bin + 1) {
            bin += 1;
        }
        counts[bin] += 1.0;
    }
    let centre = |i: usize| f64::midpoint(edge(i), edge(i + 1));
    let total: f64 = counts.iter().sum();
    let sum: f64 = (0..BINS).map(|i| counts[i] * centre(i)).sum();
    let (mut below, mut sum_below) = (0.0, 0.0);
    let mut best = (f64::NEG_INFINITY, 0);
    for (i, &count) in counts.iter().enumerate().take(BINS - 1) {
        below += count;
        sum_below += count * centre(i);
        let above = total - below;
        if below > 0.0 && above > 0.0 {
            let gap = sum_below / below - (sum - sum_below) / above;
            let between = below * above * gap * gap;
            if between > best.0 {
                best = (between, i);
            }
        }
    }
    Some(centre(best.1))
}

/// The foreground of an image. Grey is the mean over channels and planes. Of the two sides of Otsu's threshold ("greater" and
/// the rest) the one that holds more of the image's outermost pixels is the background (the darker one, if equal). Then specks
/// of the foreground, and holes in it, of fewer than max(16 px, a ten-thousandth of the image) pixels are removed.
fn foreground(image: &Image) -> Vec<bool> {
    let [channels, planes, rows, columns] = image.shape();
    let size = rows * columns;
    let mut grey = vec![0.0_f64; size];
    for plane in image.samples().chunks(size.max(1)) {
        for (g, v) in grey.iter_mut().zip(plane) {
            *g += f64::from(*v);
        }
    }
    let count = (channels * planes) as f64;
    let grey: Vec<f32> = grey.into_iter().map(|g| (g / count) as f32).collect();
    let Some(threshold) = threshold(&grey) else {
        return vec![false; size];
    };
    let mut mask: Vec<bool> = grey.iter().map(|&v| f64::from(v) > threshold).collect();
    let (mut bright, mut outer) = (0, 0);
    for (index, &on) in mask.iter().enumerate() {
        let (row, column) = (index / columns, index % columns);
        if row == 0 || column == 0 || row + 1 == rows || column + 1 == columns {
            outer += 1;
            bright += usize::from(on);
        }
    }
    if 2 * bright > outer {
        for on in &mut mask {
            *on = !*on;
        }
    }
    let least = SPECK_PX.max(size / SPECK_PART);
    for on in [true, false] {
        let side: Vec<bool> = mask.iter().map(|&m| m == on).collect();
        let labels = components(&side, [rows, columns], Connectivity::Four);
        let mut sizes = vec![0_usize; labels.iter().copied().max().unwrap_or(0) as usize + 1];
        for &label in &labels {
            sizes[label as usize] += 1;
        }
        for (m, &label) in mask.iter_mut().zip(&labels) {
            if label > 0 && sizes[label as usize] < least {
                *m = !on;
            }
        }
    }
    mask
}

/// Class 1 on the foreground, 0 elsewhere.
///
/// # Errors
/// None but that of an impossible shape.
pub(crate) fn semantic(image: &Image) -> Result<Semantic> {
    let mask = foreground(image);
    Ok(Semantic {
        mask: LabelImage::new(
            image.rows(),
            image.columns(),
            mask.into_iter().map(u32::from).collect(),
        )?,
        confidence: None,
        confidences: Vec::new(),
    })
}

/// The foreground's objects: seeds are the peaks of the distance to the background that stand at least h above the pass to a
/// higher one, with h a tenth of the median depth of the components, 1 px at least; a watershed on the distance grows
/// them over the foreground. Every component has a peak.
///
/// # Errors
/// None but that of an impossible shape.
pub(crate) fn instances(image: &Image) -> Result<Instances> {
    let shape = [image.rows(), image.columns()];
    let [rows, columns] = shape;
    let mask = foreground(image);
    let parts = components(&mask, shape, Connectivity::Four);
    let depth: Vec<f64> = distance_squared(&mask, shape)
        .into_iter()
        .map(|d| d.sqrt().min((rows + columns) as f64))
        .collect();
    let mut deepest = vec![0.0_f64; parts.iter().copied().max().unwrap_or(0) as usize + 1];
    for (&part, &d) in parts.iter().zip(&depth) {
        let slot = &mut deepest[part as usize];
        *slot = slot.max(d);
    }
    let mut sorted = deepest[1..].to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    let peaks = peaks(&depth, &mask, shape, (median / 10.0).max(1.0));
    let mut markers = vec![0_u32; mask.len()];
    for (number, &peak) in peaks.iter().enumerate() {
        markers[peak] = number as u32 + 1;
    }
    let next = peaks.len();
    let height: Vec<f32> = depth.iter().map(|&d| -(d as f32)).collect();
    let labels = watershed(&height, &markers, &mask, shape);
    // Numbered in the order of their first pixels.
    let mut numbers = vec![0_u32; next + 1];
    let mut count = 0;
    let labels = labels
        .into_iter()
        .map(|label| {
            if label == 0 {
                return 0;
            }
            let number = &mut numbers[label as usize];
            if *number == 0 {
                count += 1;
                *number = count;
            }
            *number
        })
        .collect();
    Ok(Instances {
        labels: LabelImage::new(rows, columns, labels)?,
        confidences: Vec::new(),
    })
}

/// The pixels from which one must go down by at least `h` to reach a higher one, over sides, within the mask: pixels are added
/// from the deepest on, and where two hills meet the lower one is lost unless it stands `h` above the meeting. Of
/// equally deep pixels the first comes first.
fn peaks(depth: &[f64], mask: &[bool], [rows, columns]: [usize; 2], h: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..mask.len()).filter(|&i| mask[i]).collect();
    order.sort_by(|&a, &b| depth[b].total_cmp(&depth[a]).then(a.cmp(&b)));
    // Hill of each pixel; hills point to the one that they were joined to; the peak of each hill.
    let mut hill = vec![usize::MAX; mask.len()];
    let mut joined: Vec<usize> = Vec::new();
    let mut peak: Vec<usize> = Vec::new();
    for (rank, &index) in order.iter().enumerate() {
        let (row, column) = (index / columns, index % columns);
        let neighbours = [
            (row > 0).then(|| index - columns),
            (column > 0).then(|| index - 1),
            (column + 1 < columns).then(|| index + 1),
            (row + 1 < rows).then(|| index + columns),
        ];
        // The first hill in order is the highest.
        let mut met: Vec<usize> = neighbours
            .into_iter()
            .flatten()
            .filter(|&n| hill[n] != usize::MAX)
            .map(|n| root(&mut joined, hill[n]))
            .collect();
        met.sort_unstable();
        met.dedup();
        let Some(&highest) = met.first() else {
            hill[index] = peak.len();
            joined.push(peak.len());
            peak.push(order[rank]);
            continue;
        };
        hill[index] = highest;
        for &lower in &met[1..] {
            if depth[peak[lower]] - depth[index] < h {
                joined[lower] = highest;
            }
        }
    }
    (0..peak.len())
        .filter(|&i| joined[i] == i)
        .map(|i| peak[i])
        .collect()
}

fn root(joined: &mut [usize], hill: usize) -> usize {
    let mut top = hill;
    while joined[top] != top {
        top = joined[top];
    }
    let mut next = hill;
    while joined[next] != top {
        next = std::mem::replace(&mut joined[next], top);
    }
    top
}

#[cfg(test)]
mod tests {
    use super::*;
    use transect_core::{Dtype, Stream};

    /// Discs of (row, column, radius, brightness) on a dim ground with noise.
    fn discs(size: usize, discs: &[(f64, f64, f64)], bright: bool) -> Image {
        let mut stream = Stream::new(5, "discs", &[]);
        let samples = (0..size * size)
            .map(|i| {
                let (row, column) = ((i / size) as f64, (i % size) as f64);
                let inside = discs
                    .iter()
                    .any(|(r, c, radius)| (row - r).hypot(column - c) <= *radius);
                let level = if inside == bright { 0.8 } else { 0.2 };
                (level + 0.03 * stream.normal()) as f32
            })
            .collect();
        Image::new([1, 1, size, size], samples, Dtype::Float32).unwrap()
    }

    #[test]
    fn touching_discs_come_apart_and_a_rod_stays_whole() {
        // Two that overlap, one alone, a speck, and a rod made of many discs.
        let mut all = vec![
            (30.0, 30.0, 12.0),
            (30.0, 50.0, 12.0),
            (90.0, 30.0, 10.0),
            (60.0, 60.0, 1.0),
        ];
        all.extend((0..30).map(|i| (100.0, 65.0 + f64::from(i), 7.0)));
        for bright in [true, false] {
            let image = discs(128, &all, bright);
            let found = instances(&image).unwrap();
            assert_eq!(
                found.labels.labels().iter().max(),
                Some(&4),
                "bright: {bright}"
            );
            let at = |r: usize, c: usize| found.labels.labels()[r * 128 + c];
            assert_ne!(at(30, 25), at(30, 55));
            assert_eq!(at(100, 62), at(100, 97));
            assert_eq!(at(60, 60), 0);
            let area = semantic(&image)
                .unwrap()
                .mask
                .labels()
                .iter()
                .filter(|&&v| v == 1)
                .count();
            let truth = (0..128 * 128)
                .filter(|i| {
                    all.iter().any(|(r, c, radius)| {
                        *radius > 1.0
                            && ((i / 128) as f64 - r).hypot((i % 128) as f64 - c) <= *radius
                    })
                })
                .count();
            assert_eq!(area, truth);
        }
    }

    #[test]
    fn a_flat_image_has_no_foreground() {
        let flat = Image::new([2, 1, 8, 8], vec![0.5; 128], Dtype::Float32).unwrap();
        assert!(
            semantic(&flat)
                .unwrap()
                .mask
                .labels()
                .iter()
                .all(|&v| v == 0)
        );
        assert_eq!(
            instances(&flat).unwrap().labels.labels().iter().max(),
            Some(&0)
        );
    }

    #[test]
    fn the_threshold_is_that_of_scikit_image() {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/otsu/values.json");
        let values: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for case in values["cases"].as_array().unwrap() {
            let image: Vec<f32> = case["image"]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| v.as_f64().unwrap() as f32)
                .collect();
            let expected = case["threshold"].as_f64().unwrap();
            let got = threshold(&image).unwrap();
            let (low, high) = image
                .iter()
                .fold((f32::MAX, f32::MIN), |(l, h), &v| (l.min(v), h.max(v)));
            assert!(
                (got - expected).abs() <= 1e-6 * f64::from(high - low),
                "{}: {got}, scikit-image {expected}",
                case["name"]
            );
        }
    }
}
