//! Data with a flaw of their own: leaks, formats that tell the class, hidden strata, wrong labels, sessions in spectra.

use transect_core::attribute::ATTRIBUTES;
use transect_core::{Stream, TruthRef};
use transect_table::{EmbeddingRow, MemoryTables};

/// What is planted. The default plants nothing: pictures of different things, features that tell the class as `informative`
/// says, files of one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flaw {
    /// Share of the images of the split `test` that are images of the split `train`, turned and with noise. Every fourth image is
    /// of the split `test`.
    pub leaked: f64,
    /// Whether they have the same bytes.
    pub exact: bool,
    /// Share of those copies whose class is another one than the original's.
    pub relabelled: f64,
    /// Share of images whose width is that of their class, the others' is drawn.
    pub format: f64,
    /// Distance between two acquisitions in three attributes, in their standard deviations; 0 for one acquisition.
    pub strata: f64,
    /// Share of images whose acquisition is that of their class, the others' is drawn.
    pub association: f64,
    /// Distance of the classes in each of twelve moments, in standard deviations.
    pub informative: f64,
    /// Share of labels that are exchanged for another class's after everything else was made.
    pub wrong: f64,
    /// Channels of the spectra; 0 for none.
    pub bands: usize,
    /// Distance of the classes in the spectra's broad bands, in standard deviations.
    pub chemistry: f64,
    /// Distance of the first half of the images from the second in every band, in standard deviations.
    pub drift: f64,
    /// Distance of the classes in the noise of each band: alternating signs from band to band.
    pub ripple: f64,
}

impl Default for Flaw {
    fn default() -> Self {
        Self {
            leaked: 0.0,
            exact: false,
            relabelled: 0.0,
            format: 0.0,
            strata: 0.0,
            association: 0.0,
            informative: 0.6,
            wrong: 0.0,
            bands: 0,
            chemistry: 0.0,
            drift: 0.0,
            ripple: 0.0,
        }
    }
}

/// Side of a thumbnail.
const SIDE: usize = 64;
/// Knots of a side of a simulated picture.
const KNOTS: usize = 7;
/// Attributes in which acquisitions differ, with the mean and the standard deviation of one acquisition.
const PARTED: [(&str, f64, f64); 3] = [
    ("hue_sin", 0.2, 0.05),
    ("blue_mean", 0.5, 0.04),
    ("saturation_mean", 0.3, 0.03),
];

/// Plants a flaw. Rows whose copies leak, and rows whose label is wrong.
pub fn plant(tables: &mut MemoryTables, flaw: &Flaw) -> Planted {
    let seed = tables.run.context.seed;
    let n = tables.items.len();
    let classes = tables.run.context.classes.clone();
    let stream = |row: usize, what: &str| {
        Stream::new(
            seed,
            "anatomy/simulate/prior",
            &[&(row as u64).to_le_bytes(), what.as_bytes()],
        )
    };
    let test = |row: usize| row % 4 == 3;
    let mut planted = Planted::default();
    // Which training image, if any, each test image is a copy of.
    let original: Vec<Option<usize>> = (0..n)
        .map(|row| {
            let mut s = stream(row, "leak");
            (test(row) && s.uniform() < flaw.leaked).then(|| {
                let at = s.below(n);
                at - usize::from(test(at))
            })
        })
        .collect();
    for (row, &original) in original.iter().enumerate() {
        let split = if test(row) { "test" } else { "train" };
        tables.items[row]
            .item
            .columns
            .insert("split".to_owned(), split.to_owned());
        let mut picture = picture(&mut stream(original.unwrap_or(row), "picture"));
        if let Some(original) = original {
            planted.leaked.push(row);
            let class = tables.items[original].truth_class;
            let mut s = stream(row, "copy");
            let other = class.map(|c| {
                if s.uniform() < flaw.relabelled {
                    (c + 1) % classes.len().max(1) as u32
                } else {
                    c
                }
            });
            label(tables, row, other, &classes);
            if flaw.exact {
                tables.items[row].image_sha256 = tables.items[original].image_sha256;
            } else {
                picture = copied(&picture, s.below(8), &mut s);
            }
        }
        tables.items[row].thumbnail = picture;
    }
    features(tables, flaw, &stream);
    for row in 0..n {
        let mut s = stream(row, "wrong");
        if let Some(class) = tables.items[row].truth_class
            && classes.len() > 1
            && s.uniform() < flaw.wrong
        {
            planted.wrong.push(row);
            let other = (class as usize + 1 + s.below(classes.len() - 1)) % classes.len();
            label(tables, row, Some(other as u32), &classes);
        }
    }
    planted
}

/// Rows that carry what was planted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planted {
    /// Copies.
    pub leaked: Vec<usize>,
    /// Wrong labels.
    pub wrong: Vec<usize>,
}

fn label(tables: &mut MemoryTables, row: usize, class: Option<u32>, classes: &[String]) {
    let item = &mut tables.items[row];
    item.truth_class = class;
    if let Some(class) = class {
        item.item.truth = TruthRef::Class(classes[class as usize].clone());
    }
}

/// Attributes and families of features of every row.
fn features(tables: &mut MemoryTables, flaw: &Flaw, stream: &dyn Fn(usize, &str) -> Stream) {
    let n = tables.items.len();
    let k = tables.run.context.classes.len().max(1);
    let (mut moments, mut file, mut spectra) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..n {
        let class = tables.items[row].truth_class.unwrap_or(0) as usize;
        let sign = |j: usize| {
            if (class + j).is_multiple_of(k) {
                1.0
            } else {
                0.0
            }
        };
        let mut s = stream(row, "moments");
        moments.push(
            (0..12)
                .map(|j| (s.normal() + flaw.informative * sign(j)) as f32)
                .collect::<Vec<f32>>(),
        );
        let mut s = stream(row, "file");
        let follows = s.uniform() < flaw.format;
        let width = if follows { class } else { s.below(k) };
        let width = if flaw.format > 0.0 { width } else { 0 };
        file.push(vec![
            17.0 + s.normal() as f32,
            1.0 + 0.1 * s.normal() as f32,
            8.0,
            8.0 + width as f32,
            3.0,
            8.0,
            1.0,
            1.0,
            0.0,
            0.0,
            0.0,
        ]);
        let mut s = stream(row, "strata");
        let upper = if s.uniform() < flaw.association {
            class.is_multiple_of(2)
        } else {
            s.uniform() < 0.5
        };
        for (name, mean, sd) in PARTED {
            if let Some(at) = ATTRIBUTES.iter().position(|a| a.name == name) {
                let apart = if upper { flaw.strata } else { 0.0 };
                tables.items[row].attributes[at] = Some(mean + sd * (s.normal() + apart));
            }
        }
        if flaw.bands > 0 {
            let mut s = stream(row, "spectrum");
            let thickness = s.normal();
            let later = f64::from(u8::from(2 * row >= n));
            spectra.push(
                (0..flaw.bands)
                    .map(|b| {
                        let x = b as f64 / flaw.bands as f64;
                        let broad = (6.0 * x).sin();
                        let ripple = if b % 2 == 0 { 1.0 } else { -1.0 };
                        let v = thickness * broad
                            + sign(0) * (flaw.chemistry * (3.0 * x).cos() + flaw.ripple * ripple)
                            + later * flaw.drift * (5.0 * x).cos()
                            + s.normal();
                        v as f32
                    })
                    .collect::<Vec<f32>>(),
            );
        }
    }
    let mut put = |family: &str, values: Vec<Vec<f32>>| {
        if values.is_empty() {
            return;
        }
        let rows = values
            .into_iter()
            .zip(&tables.items)
            .map(|(values, record)| EmbeddingRow {
                row: record.item.row,
                image_sha256: record.image_sha256,
                view_id: "identity".to_owned(),
                values,
            })
            .collect();
        tables
            .embeddings
            .insert(("features".to_owned(), family.to_owned()), rows);
    };
    put("moments", moments);
    put("file", file);
    put("spectrum", spectra);
}

/// A grey picture as smooth noise between knots.
fn picture(stream: &mut Stream) -> Vec<u8> {
    let knots: Vec<f64> = (0..KNOTS * KNOTS).map(|_| stream.normal()).collect();
    let at = |i: usize| {
        let x = i as f64 / (SIDE - 1) as f64 * (KNOTS - 1) as f64;
        let k = (x as usize).min(KNOTS - 2);
        (k, x - k as f64)
    };
    let mut bytes = Vec::with_capacity(SIDE * SIDE * 3);
    for r in 0..SIDE {
        for c in 0..SIDE {
            let ((kr, fr), (kc, fc)) = (at(r), at(c));
            let knot = |dr: usize, dc: usize| knots[(kr + dr) * KNOTS + kc + dc];
            let v = (1.0 - fr) * ((1.0 - fc) * knot(0, 0) + fc * knot(0, 1))
                + fr * ((1.0 - fc) * knot(1, 0) + fc * knot(1, 1));
            let byte = (128.0 + 35.0 * v).clamp(0.0, 255.0) as u8;
            bytes.extend([byte; 3]);
        }
    }
    bytes
}

/// The same picture turned, a little darker or brighter, with noise.
fn copied(picture: &[u8], turn: usize, stream: &mut Stream) -> Vec<u8> {
    let last = SIDE - 1;
    let gain = 0.85 + 0.3 * stream.uniform();
    let mut bytes = Vec::with_capacity(picture.len());
    for r in 0..SIDE {
        for c in 0..SIDE {
            let (mut y, mut x) = (r, c);
            if turn & 1 != 0 {
                x = last - x;
            }
            if turn & 2 != 0 {
                y = last - y;
            }
            if turn & 4 != 0 {
                std::mem::swap(&mut y, &mut x);
            }
            let v = f64::from(picture[3 * (y * SIDE + x)]);
            let v = (gain * (v - 128.0) + 128.0 + 4.0 * stream.normal()).clamp(0.0, 255.0) as u8;
            bytes.extend([v; 3]);
        }
    }
    bytes
}
