//! Predictions that follow one quantity of the image, embeddings that use few dimensions, channels that are used or not.

use transect_core::{AUDITED, Measurement, Role, Status, Stream, Task, View, ViewKind};
use transect_table::{EmbeddingRow, MemoryTables};

/// What is planted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planted {
    /// Share of images whose truth the mean intensity tells (κ of the best function of it with the truth).
    pub known: f64,
    /// Share of images whose prediction is what the mean intensity says; the others are predicted as before.
    pub follows: f64,
    /// Share of labels that are turned to another class after that.
    pub label_noise: f64,
    /// Spread of the embedding's other directions beside the first: 1 uses all alike, 0.05 is one-dimensional.
    pub width: f64,
    /// How the predictions hang on each of as many channels: share that change without it. None for one channel.
    pub channels: [f64; 8],
}

impl Default for Planted {
    /// Truth and prediction that no single quantity tells, an embedding that uses all its directions, eight channels used alike.
    fn default() -> Self {
        Self {
            known: 0.3,
            follows: 0.0,
            label_noise: 0.0,
            width: 1.0,
            channels: [0.2; 8],
        }
    }
}

/// Numbers of an embedding.
const D: usize = 16;
/// Copies with other weights.
const COPIES: u32 = 5;
/// Target images that are shown with something taken away.
const SHOWN: usize = 100;

/// Plants the world that the mode looks for.
pub fn plant(tables: &mut MemoryTables, planted: &Planted) {
    let seed = tables.run.context.seed;
    let k = tables.run.context.classes.len();
    let classification = tables.run.context.task == Task::Classification;
    let own = |what: &str, row: u32| {
        Stream::new(
            seed,
            "anatomy/simulate/collapse",
            &[what.as_bytes(), &row.to_le_bytes()],
        )
    };
    // What the mean intensity says of each image, and the intensity.
    let told: Vec<(usize, f64)> = tables
        .items
        .iter()
        .map(|item| {
            let mut s = own("intensity", item.item.row);
            let classes = k.max(2);
            let truth = item.truth_class.unwrap_or(0) as usize;
            let class = if s.uniform() < planted.known {
                truth
            } else {
                s.below(classes)
            };
            (class, (class as f64 + s.uniform()) / classes as f64)
        })
        .collect();
    for m in &mut tables.measurements {
        if m.model_id == AUDITED && classification && m.status == Status::Ok {
            follow(m, planted, &told, own("follow", m.row));
        }
    }
    if classification {
        relabel(tables, planted, k, &own);
    }
    rescore(tables);
    features(tables, &told, &own);
    embeddings(tables, planted, &own);
    if tables.run.context.channels == 0 {
        tables.run.context.channels = planted.channels.len() as u32;
    }
    channels(tables, planted, &own);
    swaps(tables, planted, &own);
}

fn follow(m: &mut Measurement, planted: &Planted, told: &[(usize, f64)], mut s: Stream) {
    if s.uniform() < planted.follows {
        let class = told[m.row as usize].0;
        let rest = 0.1 / (m.outputs.len().max(2) - 1) as f32;
        for (c, p) in m.outputs.iter_mut().enumerate() {
            *p = if c == class { 0.9 } else { rest };
        }
        m.pred_class = Some(class as u32);
    }
}

fn relabel(
    tables: &mut MemoryTables,
    planted: &Planted,
    k: usize,
    own: &dyn Fn(&str, u32) -> Stream,
) {
    for item in &mut tables.items {
        let mut s = own("label", item.item.row);
        if s.uniform() < planted.label_noise
            && let Some(class) = item.truth_class
        {
            let other = (class as usize + 1 + s.below(k - 1)) % k;
            item.truth_class = Some(other as u32);
            item.item.truth =
                transect_core::TruthRef::Class(tables.run.context.classes[other].clone());
        }
    }
}

fn rescore(tables: &mut MemoryTables) {
    if tables.run.context.task != Task::Classification {
        return;
    }
    for m in &mut tables.measurements {
        let truth = tables.items[m.row as usize].truth_class;
        if let (Some(Some(score)), Some(truth)) = (m.scores.first_mut(), truth) {
            *score = f64::from(u8::from(m.pred_class == Some(truth)));
        }
    }
}

fn rows(tables: &MemoryTables, mut values: impl FnMut(u32) -> Vec<f32>) -> Vec<EmbeddingRow> {
    tables
        .items
        .iter()
        .filter(|i| i.status == Status::Ok)
        .map(|i| EmbeddingRow {
            row: i.item.row,
            image_sha256: i.image_sha256,
            view_id: "identity".to_owned(),
            values: values(i.item.row),
        })
        .collect()
}

/// Moments whose first column is the intensity, and families that tell nothing.
fn features(tables: &mut MemoryTables, told: &[(usize, f64)], own: &dyn Fn(&str, u32) -> Stream) {
    for family in ["moments", "colour", "texture"] {
        let made = rows(tables, |row| {
            let mut s = own(family, row);
            let first = if family == "moments" {
                told[row as usize].1
            } else {
                s.normal()
            };
            std::iter::once(first as f32)
                .chain((0..3).map(|_| s.normal() as f32))
                .collect()
        });
        tables
            .embeddings
            .insert(("features".to_owned(), family.to_owned()), made);
    }
}

fn embeddings(tables: &mut MemoryTables, planted: &Planted, own: &dyn Fn(&str, u32) -> Stream) {
    let models = std::iter::once((AUDITED.to_owned(), planted.width))
        .chain((0..COPIES).map(|c| (format!("reinit:{c}"), 1.0)));
    for (model, width) in models {
        let made = rows(tables, |row| {
            let mut s = own(&model, row);
            (0..D)
                .map(|j| (s.normal() * if j == 0 { 1.0 } else { width }) as f32)
                .collect()
        });
        tables.embeddings.insert((model, "pooled".to_owned()), made);
    }
}

/// The target's measurements of the images themselves that are also shown changed.
fn shown(tables: &MemoryTables) -> Vec<Measurement> {
    tables
        .measurements
        .iter()
        .filter(|m| {
            m.model_id == AUDITED
                && m.view.kind == ViewKind::Identity
                && m.status == Status::Ok
                && tables.items[m.row as usize].item.role == Role::Target
        })
        .take(SHOWN)
        .cloned()
        .collect()
}

/// The same measurement of another view, with another class where it changed.
fn changed(m: &Measurement, view: View, change: bool, k: usize) -> Measurement {
    let mut m = Measurement { view, ..m.clone() };
    if change {
        m.pred_class = m.pred_class.map(|c| (c + 1) % k as u32);
    }
    m
}

fn channels(tables: &mut MemoryTables, planted: &Planted, own: &dyn Fn(&str, u32) -> Stream) {
    let k = tables.run.context.classes.len();
    let groups = crate::collapse::groups(&tables.run.context);
    if k < 2 || groups < 2 {
        return;
    }
    let mut order: Vec<usize> = (0..groups as usize).collect();
    order.sort_by(|&a, &b| {
        planted.channels[b]
            .total_cmp(&planted.channels[a])
            .then(a.cmp(&b))
    });
    let mut made = Vec::new();
    for m in shown(tables) {
        // One draw of luck for each image, so that what is kept in more channels is kept.
        let luck = own("channels", m.row).uniform();
        for g in 0..groups {
            let view =
                View::of(ViewKind::Ablation, "channels_mean").with("group", f64::from(g), "");
            let mut own = own("channel", m.row * 8 + g);
            made.push(changed(
                &m,
                view,
                own.uniform() < planted.channels[g as usize],
                k,
            ));
        }
        for kept in 1..groups {
            let view =
                View::of(ViewKind::Ablation, "channels_kept").with("groups", f64::from(kept), "");
            let lost: f64 = order[kept as usize..]
                .iter()
                .map(|&g| planted.channels[g])
                .sum();
            made.push(changed(&m, view, luck < lost, k));
        }
        for (name, share) in [("pixel_shuffled", 0.6), ("channel_shuffled", 0.2)] {
            let mut own = own(name, m.row);
            let view = View::of(ViewKind::Ablation, name);
            made.push(changed(&m, view, own.uniform() < share, k));
        }
    }
    tables.measurements.extend(made);
}

/// Parts of the embedding exchanged: the prediction stays with the kept directions as often as the embedding is narrow.
fn swaps(tables: &mut MemoryTables, planted: &Planted, own: &dyn Fn(&str, u32) -> Stream) {
    let shown = shown(tables);
    let mut made = Vec::new();
    for (place, m) in shown.iter().enumerate() {
        let donor = &shown[(place + 1) % shown.len()];
        for (name, stays) in [
            ("top", 1.0 - 0.7 * planted.width),
            ("random:0", 0.3),
            ("random:1", 0.3),
        ] {
            let mut s = own(name, m.row);
            let mut view = View::of(ViewKind::Subspace, name).with("rank", 1.0, "");
            view.pool = Some("target".to_owned());
            let mut m = Measurement {
                view,
                donor_row: Some(donor.row),
                ..m.clone()
            };
            if s.uniform() >= stays {
                m.pred_class = donor.pred_class;
            }
            made.push(m);
        }
    }
    tables.measurements.extend(made);
}
