//! Embeddings and features that tell the class as well as is asked, so that the gain of one over the other is known.

use std::collections::BTreeMap;

use transect_core::{Stream, Task};
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
    }
}
