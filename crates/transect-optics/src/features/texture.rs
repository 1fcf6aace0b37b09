//! Texture of the grey image.

use crate::describe::Plane;
use crate::quantile::quantile;

/// Levels of grey.
const LEVELS: usize = 16;

/// Distances of pairs, px.
const DISTANCES: [usize; 3] = [1, 2, 4];

/// Texture features: for each distance of 1, 2 and 4 px the contrast, correlation, energy (Σp²), homogeneity
/// (Σp/(1 + (i − j)²)) and entropy (nats) of the
/// symmetric grey co-occurrence matrix over four directions (Haralick, Shanmugam and Dinstein 1973), grey cut into 16 equal
/// levels between its 1st and 99th percentile; the shares of the ten rotation-invariant uniform local binary patterns of eight
/// neighbours (Ojala, Pietikäinen and Mäenpää 2002); mean, standard deviation and 90th percentile of the gradient's size over
/// the spread of grey. A constant image: correlation 0, energy and homogeneity 1, entropy and gradients 0.
pub(super) fn of(grey: &Plane) -> Vec<f32> {
    let mut values = Vec::with_capacity(DISTANCES.len() * 5 + 13);
    let low = quantile(&grey.samples, 0.01).unwrap_or(0.0);
    let high = quantile(&grey.samples, 0.99).unwrap_or(0.0);
    let span = high - low;
    let levels: Vec<u8> = grey
        .samples
        .iter()
        .map(|&v| {
            if span > 0.0 {
                let level = (f64::from(v) - low) / span * LEVELS as f64;
                level.clamp(0.0, LEVELS as f64 - 1.0) as u8
            } else {
                0
            }
        })
        .collect();
    for distance in DISTANCES {
        values.extend(co_occurrence(&levels, grey.rows, grey.columns, distance));
    }
    values.extend(patterns(grey));
    values.extend(gradients(grey, span));
    values.into_iter().map(|v| v as f32).collect()
}

/// Contrast, correlation, energy, homogeneity, entropy.
fn co_occurrence(levels: &[u8], rows: usize, columns: usize, distance: usize) -> [f64; 5] {
    let mut counts = [[0_u32; LEVELS]; LEVELS];
    let mut pairs = |down: usize, left: usize, right: usize| {
        for r in 0..rows.saturating_sub(down) {
            let here = &levels[r * columns + left..(r + 1) * columns - right];
            let there = &levels[(r + down) * columns + right..(r + 1 + down) * columns - left];
            for (&a, &b) in here.iter().zip(there) {
                counts[usize::from(a)][usize::from(b)] += 1;
            }
        }
    };
    // East, south, south-east, south-west.
    if columns > distance {
        pairs(0, 0, distance);
        pairs(distance, 0, distance);
        pairs(distance, distance, 0);
    }
    pairs(distance, 0, 0);
    let total = f64::from(counts.iter().flatten().sum::<u32>());
    if total == 0.0 {
        return [0.0, 0.0, 1.0, 1.0, 0.0];
    }
    let share = |i: usize, j: usize| f64::from(counts[i][j] + counts[j][i]) / (2.0 * total);
    let mut mean = 0.0;
    for i in 0..LEVELS {
        for j in 0..LEVELS {
            mean += i as f64 * share(i, j);
        }
    }
    let (mut contrast, mut covariance, mut variance) = (0.0, 0.0, 0.0);
    let (mut energy, mut homogeneity, mut entropy) = (0.0, 0.0, 0.0);
    for i in 0..LEVELS {
        for j in 0..LEVELS {
            let p = share(i, j);
            if p == 0.0 {
                continue;
            }
            let (a, b) = (i as f64, j as f64);
            contrast += p * (a - b) * (a - b);
            covariance += p * (a - mean) * (b - mean);
            variance += p * (a - mean) * (a - mean);
            energy += p * p;
            homogeneity += p / (1.0 + (a - b) * (a - b));
            entropy -= p * p.ln();
        }
    }
    let correlation = if variance > 0.0 {
        covariance / variance
    } else {
        0.0
    };
    [contrast, correlation, energy, homogeneity, entropy]
}

/// Shares of the rotation-invariant uniform patterns: 0 to 8 neighbours at least as bright in one run, and all others.
fn patterns(grey: &Plane) -> [f64; 10] {
    let (rows, columns) = (grey.rows, grey.columns);
    let mut counts = [0_u32; 10];
    if rows < 3 || columns < 3 {
        return [0.0; 10];
    }
    let mut class_of = [0_u8; 256];
    for (pattern, class) in class_of.iter_mut().enumerate() {
        let pattern = pattern as u8;
        let turns = (pattern ^ pattern.rotate_left(1)).count_ones();
        *class = if turns <= 2 {
            pattern.count_ones() as u8
        } else {
            9
        };
    }
    let at = |r: usize, c: usize| grey.samples[r * columns + c];
    for r in 1..rows - 1 {
        for c in 1..columns - 1 {
            let centre = at(r, c);
            let ring = [
                at(r - 1, c - 1),
                at(r - 1, c),
                at(r - 1, c + 1),
                at(r, c + 1),
                at(r + 1, c + 1),
                at(r + 1, c),
                at(r + 1, c - 1),
                at(r, c - 1),
            ];
            let mut pattern = 0_usize;
            for (bit, v) in ring.into_iter().enumerate() {
                pattern |= usize::from(v >= centre) << bit;
            }
            counts[usize::from(class_of[pattern])] += 1;
        }
    }
    let total = f64::from(counts.iter().sum::<u32>());
    counts.map(|c| f64::from(c) / total)
}

/// Mean, standard deviation and 90th percentile of the size of the central differences, over the spread of grey.
fn gradients(grey: &Plane, span: f64) -> [f64; 3] {
    let (rows, columns) = (grey.rows, grey.columns);
    if rows < 3 || columns < 3 || span <= 0.0 {
        return [0.0; 3];
    }
    let mut sizes = Vec::with_capacity((rows - 2) * (columns - 2));
    for r in 1..rows - 1 {
        for c in 1..columns - 1 {
            let at = r * columns + c;
            let down = grey.samples[at + columns] - grey.samples[at - columns];
            let across = grey.samples[at + 1] - grey.samples[at - 1];
            sizes.push((down * down + across * across).sqrt() / 2.0);
        }
    }
    let n = sizes.len() as f64;
    let mean = sizes.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let sd = (sizes
        .iter()
        .map(|&v| (f64::from(v) - mean).powi(2))
        .sum::<f64>()
        / n)
        .sqrt();
    let high = quantile(&sizes, 0.9).unwrap_or(0.0);
    [mean / span, sd / span, high / span]
}
