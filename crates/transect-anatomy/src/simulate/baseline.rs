//! Embeddings and features that tell the class, of images or of single pixels, as well as is asked, so that the gain of one over the
//! other is known.

use std::collections::BTreeMap;

use transect_core::{Role, Stream, Task};
use transect_table::{EmbeddingRow, MemoryTables};

/// Numbers of a family of features beside those that tell the class.
const IDLE: usize = 4;
/// Copies with other weights.
const COPIES: u32 = 5;

/// How much embedding and features tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planted {
    /// Share of images that the best possible probe on the best baseline (moments) gets right.
    pub base: f64,
    /// The same of the model's embedding, less `base`: the gain. 0 is a network that learned nothing.
    pub gain: f64,
    /// Whether every family tells as much as the best one: the least favourable null.
    pub level: bool,
    /// Share of labels that are turned to another class after features are drawn.
    pub label_noise: f64,
}

impl Default for Planted {
    /// A model that learned something.
    fn default() -> Self {
        Self {
            base: 0.65,
            gain: 0.25,
            level: false,
            label_noise: 0.0,
        }
    }
}

/// Standard normal density and distribution on a grid, for the chance that the right one of K independent normals is largest.
fn right(separation: f64, classes: usize) -> f64 {
    let step = 0.02;
    let (mut below, mut cdf, mut grid) = (-8.0_f64, 0.0, Vec::new());
    while below < 12.0 {
        let density = (-0.5 * below * below).exp() / (2.0 * std::f64::consts::PI).sqrt();
        cdf += density * step;
        grid.push((below, density, cdf.min(1.0)));
        below += step;
    }
    let shift = (separation / step).round() as usize;
    grid.iter()
        .enumerate()
        .map(|(i, (_, density, _))| {
            let of = grid.get(i + shift).map_or(1.0, |g| g.2);
            density * step * of.powf(classes as f64 - 1.0)
        })
        .sum()
}

/// Distance of the classes at which this share is right.
fn separation(share: f64, classes: usize) -> f64 {
    let (mut low, mut high) = (0.0, 8.0);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if right(middle, classes) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Vectors of all images: class c is `separation` along axis c, all axes with noise of 1, some idle axes behind.
fn draw(
    tables: &MemoryTables,
    classes: &[usize],
    k: usize,
    separation: f64,
    name: &str,
) -> Vec<EmbeddingRow> {
    tables
        .items
        .iter()
        .filter(|i| i.status == transect_core::Status::Ok)
        .map(|item| {
            let row = item.item.row;
            let mut own = Stream::new(
                tables.run.context.seed,
                "anatomy/simulate/baseline",
                &[name.as_bytes(), &row.to_le_bytes()],
            );
            EmbeddingRow {
                row,
                image_sha256: item.image_sha256,
                view_id: "identity".to_owned(),
                values: (0..k + IDLE)
                    .map(|axis| {
                        let centre = if axis == classes[row as usize] {
                            separation
                        } else {
                            0.0
                        };
                        (centre + own.normal()) as f32
                    })
                    .collect(),
            }
        })
        .collect()
}

/// Plants embeddings of the model and of five re-initialised copies and the families of features. The predictions stay as
/// they are: their score is the scenario's.
pub fn plant(tables: &mut MemoryTables, planted: &Planted) {
    if tables.run.context.task != Task::Classification {
        return;
    }
    let k = tables.run.context.classes.len();
    let classes: Vec<usize> = tables
        .items
        .iter()
        .map(|i| i.truth_class.unwrap_or(0) as usize)
        .collect();
    let chance = 1.0 / k as f64;
    let share = |of: f64| separation(of.clamp(chance, 0.999), k);
    let weaker = |by: f64| {
        if planted.level {
            planted.base
        } else {
            planted.base - by
        }
    };
    let mut made: BTreeMap<(String, String), Vec<EmbeddingRow>> = BTreeMap::new();
    for (family, tells) in [
        ("moments", planted.base),
        ("colour", weaker(0.05)),
        ("texture", weaker(0.05)),
        ("random_conv", weaker(0.1)),
    ] {
        made.insert(
            ("features".to_owned(), family.to_owned()),
            draw(tables, &classes, k, share(tells), family),
        );
    }
    // Granulometry adds nothing to texture.
    made.insert(
        ("features".to_owned(), "granulometry".to_owned()),
        draw(tables, &classes, k, 0.0, "granulometry"),
    );
    let layer = "pooled".to_owned();
    made.insert(
        ("given".to_owned(), layer.clone()),
        draw(
            tables,
            &classes,
            k,
            share(planted.base + planted.gain),
            "given",
        ),
    );
    for copy in 0..COPIES {
        let name = format!("reinit:{copy}");
        // Some draws of the weights are luckier than others.
        let luck = 0.02 * (f64::from(copy) - 2.0);
        made.insert(
            (name.clone(), layer.clone()),
            draw(tables, &classes, k, share(weaker(0.1) + luck), &name),
        );
    }
    tables.embeddings.append(&mut made);
    relabel(tables, planted.label_noise, k);
}

/// Turns labels to another class at random, and scores the predictions anew.
fn relabel(tables: &mut MemoryTables, noise: f64, k: usize) {
    if noise <= 0.0 {
        return;
    }
    for item in &mut tables.items {
        let mut own = Stream::new(
            tables.run.context.seed,
            "anatomy/simulate/label_noise",
            &[&item.item.row.to_le_bytes()],
        );
        if own.uniform() < noise
            && let Some(class) = item.truth_class
        {
            let other = (class as usize + 1 + own.below(k - 1)) % k;
            item.truth_class = Some(other as u32);
            item.item.truth =
                transect_core::TruthRef::Class(tables.run.context.classes[other].clone());
        }
    }
    for m in &mut tables.measurements {
        let truth = tables.items[m.row as usize].truth_class;
        if let (Some(score), Some(truth)) = (m.scores.first_mut(), truth)
            && score.is_some()
        {
            *score = Some(f64::from(u8::from(m.pred_class == Some(truth))));
        }
    }
}

/// Numbers of each pixel.
const PIXEL_NUMBERS: usize = 6;
/// Layer that the simulated decoder's features are of.
const DENSE: &str = "decoder";

/// How much the features of single pixels tell whether they are foreground.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pixels {
    /// Share of pixels that the best possible probe on the untrained decoders gets right, on average over images.
    pub base: f64,
    /// The same of the trained decoder, less `base`: the gain. 0 is a decoder that learned nothing.
    pub gain: f64,
    /// Whether every baseline tells as much as the untrained decoders: the least favourable null.
    pub level: bool,
    /// Spread of the untrained decoders around `base`, as a share of pixels.
    pub luck: f64,
    /// Spread of how hard images are: the standard deviation of the logarithm of the distance of the classes, shared by
    /// everything that is looked at, and by the images of a group.
    pub hardness: f64,
    /// Pixels of an image, half of them foreground.
    pub pixels: usize,
}

impl Default for Pixels {
    /// A decoder that learned something.
    fn default() -> Self {
        Self {
            base: 0.85,
            gain: 0.06,
            level: false,
            luck: 0.01,
            hardness: 0.3,
            pixels: 12,
        }
    }
}

/// Step of the grid of the standard normal distribution, and where it begins.
const STEP: f64 = 0.01;
const FIRST: f64 = -8.0;

/// The standard normal distribution function on a grid, by the midpoint rule.
fn normal_distribution() -> Vec<f64> {
    let mut sum = 0.0;
    (0..=1600_u32)
        .map(|i| {
            let below = sum;
            let middle = FIRST + (f64::from(i) + 0.5) * STEP;
            sum += STEP * (-0.5 * middle * middle).exp() / (2.0 * std::f64::consts::PI).sqrt();
            below
        })
        .collect()
}

/// Share of pixels of two classes that are right, Φ(d/√2), on average over images whose distance d is `separation` times e^(hz)
/// with z normal.
fn right_over_images(normal: &[f64], separation: f64, hardness: f64) -> f64 {
    let (mut sum, mut all) = (0.0, 0.0);
    for i in -40..=40_i32 {
        let z = 0.1 * f64::from(i);
        let weight = (-0.5 * z * z).exp();
        let x = separation * (hardness * z).exp() / std::f64::consts::SQRT_2;
        let place = ((x - FIRST) / STEP).round() as usize;
        sum += weight * normal[place.min(normal.len() - 1)];
        all += weight;
    }
    sum / all
}

/// Distance of the classes at which this share is right.
fn separation_over_images(normal: &[f64], share: f64, hardness: f64) -> f64 {
    let (mut low, mut high) = (0.0, 10.0);
    for _ in 0..30 {
        let middle = 0.5 * (low + high);
        if right_over_images(normal, middle, hardness) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Plants what is known of single pixels of target images: their truth, what the image says of them, and the last features of the
/// model's decoder and of five untrained ones. For outlines.
pub fn plant_pixels(tables: &mut MemoryTables, planted: &Pixels) {
    let context = &mut tables.run.context;
    if context.task == Task::Classification {
        return;
    }
    context.dense_layer = Some(DENSE.to_owned());
    context.can_reinitialise = true;
    let layer = context.pixel_layer().unwrap_or_default();
    let seed = context.seed;
    let weaker = if planted.level { 0.0 } else { 0.03 };
    let normal = normal_distribution();
    let distance =
        |share: f64| separation_over_images(&normal, share.clamp(0.5, 0.995), planted.hardness);
    // Probes on the surroundings see the intensities as well: together they tell what they are to tell.
    let intensity = distance(planted.base - 2.0 * weaker);
    let around = distance(planted.base - weaker);
    let beside = (around * around - intensity * intensity).max(0.0).sqrt();
    let mut asked: Vec<(String, String, f64)> = vec![
        (
            "given".to_owned(),
            layer.clone(),
            distance(planted.base + planted.gain),
        ),
        (
            "features".to_owned(),
            "pixel_intensity".to_owned(),
            intensity,
        ),
        (
            "features".to_owned(),
            "pixel_surroundings".to_owned(),
            beside,
        ),
    ];
    let mut lucky = Stream::new(seed, "anatomy/simulate/luck", &[]);
    for copy in 0..COPIES {
        let tells = distance(planted.base + planted.luck * lucky.normal());
        asked.push((format!("reinit:{copy}"), layer.clone(), tells));
    }
    for (model, layer, tells) in asked {
        let rows = pixels_of(tables, planted, tells, &format!("{model} {layer}"));
        tables.embeddings.insert((model, layer), rows);
    }
    let truth = tables
        .items
        .iter()
        .map(|item| EmbeddingRow {
            row: item.item.row,
            image_sha256: item.image_sha256,
            view_id: "identity".to_owned(),
            values: std::iter::once(planted.pixels as f32)
                .chain((0..planted.pixels).map(|p| (p % 2) as f32))
                .collect(),
        })
        .collect();
    tables
        .embeddings
        .insert(("features".to_owned(), "pixel_truth".to_owned()), truth);
}

/// The rows of a table: half of the pixels of each image are foreground, each `distance` along the axis of its class, with noise
/// of 1 on every axis.
fn pixels_of(
    tables: &MemoryTables,
    planted: &Pixels,
    distance: f64,
    name: &str,
) -> Vec<EmbeddingRow> {
    let seed = tables.run.context.seed;
    tables
        .items
        .iter()
        .filter(|i| i.item.role == Role::Target && i.status == transect_core::Status::Ok)
        .map(|item| {
            let row = item.item.row;
            let hard = |of: &[u8]| Stream::new(seed, "anatomy/simulate/hardness", &[of]).normal();
            let mut z = hard(&row.to_le_bytes());
            if let Some(group) = &item.item.group {
                z = (z + hard(group.as_bytes())) / std::f64::consts::SQRT_2;
            }
            let distance = distance * (planted.hardness * z).exp();
            let mut own = Stream::new(
                seed,
                "anatomy/simulate/pixels",
                &[name.as_bytes(), &row.to_le_bytes()],
            );
            let mut values = vec![planted.pixels as f32];
            for pixel in 0..planted.pixels {
                for axis in 0..PIXEL_NUMBERS {
                    let centre = if axis == pixel % 2 { distance } else { 0.0 };
                    values.push((centre + own.normal()) as f32);
                }
            }
            EmbeddingRow {
                row,
                image_sha256: item.image_sha256,
                view_id: "identity".to_owned(),
                values,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two normals 1 apart on either axis: Φ(1/√2) = 0.76025; four alike: a quarter.
    #[test]
    fn the_share_that_is_right_has_its_closed_form() {
        assert!((right(1.0, 2) - 0.760_25).abs() < 0.01, "{}", right(1.0, 2));
        assert!((right(0.0, 4) - 0.25).abs() < 0.01);
        let s = separation(0.9, 4);
        assert!((right(s, 4) - 0.9).abs() < 1e-2);
        let normal = normal_distribution();
        assert!((normal[800] - 0.5).abs() < 1e-6);
        assert!((right_over_images(&normal, 1.0, 0.0) - 0.760_25).abs() < 0.003);
        let s = separation_over_images(&normal, 0.85, 0.3);
        assert!((right_over_images(&normal, s, 0.3) - 0.85).abs() < 3e-3);
    }
}
