//! Planted models: what each one reads is set by its weights.

use std::io;
use std::path::Path;

use prost::Message as _;
use transect_core::Stream;
use transect_model::onnx::build::{int, integers, ints, model, node, port, weights};
use transect_model::onnx::proto::ModelProto;

use super::images::{CELL, CLASSES, SHAPES, SIDE, in_frame, in_mark};

/// Rows and columns of a template: the longer side of a shape.
const KERNEL: usize = 3 * CELL;
/// Columns of the features: S, Z, and three readings.
const FEATURES: usize = 5;

/// What a classifier reads. Every one is the same graph with other weights.
///
/// Templates of the four shapes are correlated with the image, the largest response of each counts, S and Z are the larger of
/// two. Three further readings are means of the image over parts of it, less an offset, at least 0. A linear layer of these
/// five features gives the logits, which are cut off at `sure`.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Channels of the image.
    pub channels: usize,
    /// How much the shape counts in each channel: logits for one unit of difference in contrast.
    pub shape: Vec<f64>,
    /// Logits of class 1 for one unit of the mean of a region above an offset: region, offset, weight. At most three.
    pub readings: Vec<(Region, f64, f64)>,
    /// Added to the logit of class 1.
    pub bias: f64,
    /// The largest difference of logits.
    pub sure: f64,
    /// Seed of weights at random in place of all of these.
    pub untrained: Option<u64>,
}

/// What a reading is the mean of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// The whole image.
    All,
    /// The frame.
    Frame,
    /// The mark in the corner.
    Mark,
}

/// The difference of logits of a probability for one of two classes.
pub fn logit(probability: f64) -> f64 {
    (probability / (1.0 - probability)).ln()
}

impl Reader {
    /// Reads the shape and nothing else, and is as sure as it is right where this share of the labels is.
    pub fn good(channels: usize, label_noise: f64) -> Self {
        Self {
            channels,
            shape: vec![100.0; channels],
            readings: Vec::new(),
            bias: 0.0,
            sure: logit(1.0 - label_noise.max(0.01)),
            untrained: None,
        }
    }

    /// Reads the mean of a region and nothing else: class 1 above `offset`.
    pub fn of_region(region: Region, offset: f64, label_noise: f64) -> Self {
        Self {
            shape: vec![0.0],
            // The reading begins far below the offset, so that it is not cut off.
            readings: vec![(region, offset - 1.0, 60.0)],
            bias: -60.0,
            ..Self::good(1, label_noise)
        }
    }

    fn weights(&self) -> [Vec<f32>; 5] {
        let plane = SIDE * SIDE;
        let mut templates = Vec::with_capacity(4 * self.channels * KERNEL * KERNEL);
        for shape in SHAPES {
            let mut drawn = vec![0.0_f64; KERNEL * KERNEL];
            let high = 1 + shape.iter().map(|c| c.0).max().unwrap_or(0);
            let wide = 1 + shape.iter().map(|c| c.1).max().unwrap_or(0);
            let (top, left) = ((KERNEL - high * CELL) / 2, (KERNEL - wide * CELL) / 2);
            for (row, column) in shape {
                for i in 0..CELL * CELL {
                    let (r, c) = (top + row * CELL + i / CELL, left + column * CELL + i % CELL);
                    drawn[r * KERNEL + c] = 1.0;
                }
            }
            // Of mean 0, and 1 for a shape of contrast 1.
            let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
            let norm: f64 = drawn.iter().map(|v| (v - mean) * v).sum();
            for weight in &self.shape {
                let on = f64::from(u8::from(*weight != 0.0));
                templates.extend(drawn.iter().map(|v| (on * (v - mean) / norm) as f32));
            }
        }
        let mut regions = Vec::with_capacity(3 * self.channels * plane);
        let mut offsets = Vec::with_capacity(3);
        for place in 0..3 {
            let reading = self.readings.get(place);
            let inside: Vec<bool> = (0..plane)
                .map(|i| {
                    reading.is_some_and(|r| match r.0 {
                        Region::All => true,
                        Region::Frame => in_frame(i / SIDE, i % SIDE),
                        Region::Mark => in_mark(i / SIDE, i % SIDE),
                    })
                })
                .collect();
            let n = inside.iter().filter(|i| **i).count().max(1) * self.channels;
            for _ in 0..self.channels {
                regions.extend(inside.iter().map(|&i| if i { 1.0 / n as f32 } else { 0.0 }));
            }
            offsets.push(reading.map_or(0.0, |r| -r.1 as f32));
        }
        let shape = self.shape.iter().copied().fold(0.0, f64::max) / 2.0;
        let mut head = vec![0.0_f32; FEATURES * 2];
        head[0..4].copy_from_slice(&[shape as f32, -shape as f32, -shape as f32, shape as f32]);
        for (place, reading) in self.readings.iter().enumerate().take(3) {
            head[2 * (2 + place)] = (-reading.2 / 2.0) as f32;
            head[2 * (2 + place) + 1] = (reading.2 / 2.0) as f32;
        }
        let bias = vec![(-self.bias / 2.0) as f32, (self.bias / 2.0) as f32];
        let mut all = [templates, regions, offsets, head, bias];
        if let Some(seed) = self.untrained {
            let mut stream = Stream::new(seed, "proving/pixels/untrained", &[]);
            let fan_in = [
                KERNEL * KERNEL * self.channels,
                plane * self.channels,
                0,
                FEATURES,
            ];
            for (weights, &fan_in) in all.iter_mut().zip(&fan_in) {
                let sd = if fan_in == 0 {
                    0.0
                } else {
                    (2.0 / fan_in as f64).sqrt()
                };
                for weight in weights.iter_mut() {
                    *weight = (sd * stream.normal()) as f32;
                }
            }
            all[4].fill(0.0);
        }
        all
    }

    /// Writes `weights.onnx` and `model.toml`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let [templates, regions, offsets, head, bias] = self.weights();
        let (channels, side, kernel) = (self.channels as i64, SIDE as i64, KERNEL as i64);
        let cut = (self.sure / 2.0) as f32;
        let nodes = vec![
            node("Conv", &["image", "templates"], "responses", vec![]),
            node("GlobalMaxPool", &["responses"], "best", vec![]),
            node("Reshape", &["best", "pairs"], "paired", vec![]),
            node(
                "ReduceMax",
                &["paired"],
                "shapes",
                vec![ints("axes", &[2]), int("keepdims", 0)],
            ),
            node("Conv", &["image", "regions", "offsets"], "means", vec![]),
            node("Relu", &["means"], "above", vec![]),
            node("Flatten", &["above"], "readings", vec![int("axis", 1)]),
            node(
                "Concat",
                &["shapes", "readings"],
                "features",
                vec![int("axis", 1)],
            ),
            node("Gemm", &["features", "head", "bias"], "logits", vec![]),
            node("Clip", &["logits", "least", "most"], "scores", vec![]),
        ];
        let tensors = vec![
            weights("templates", &[4, channels, kernel, kernel], templates),
            integers("pairs", &[-1, 2, 2]),
            weights("regions", &[3, channels, side, side], regions),
            weights("offsets", &[3], offsets),
            weights("head", &[FEATURES as i64, 2], head),
            weights("bias", &[2], bias),
            weights("least", &[], vec![-cut]),
            weights("most", &[], vec![cut]),
        ];
        let names = if self.channels == 1 {
            "[\"grey\"]"
        } else {
            "[\"red\", \"green\", \"blue\"]"
        };
        let toml = format!(
            "name = \"planted\"\ntask = \"classification\"\nvalues = \"full-scale\"\n[input]\naxes = \"bcyx\"\nchannels = {names}\n\
             [output]\naxes = \"bc\"\nchannels = [\"{}\", \"{}\"]\nactivation = \"softmax\"\n",
            CLASSES[0], CLASSES[1]
        );
        let graph = model(
            nodes,
            tensors,
            port("image", &[0, channels, side, side]),
            port("scores", &[0, 2]),
        );
        write(folder, &graph, &toml)
    }
}

/// Calls foreground what is above a level: of the image as it is, or of the image brought to mean 0 and deviation 1, where
/// noise without objects is brought to that too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segmenter {
    /// Above a fixed level.
    Level,
    /// Above a level of deviations of the image itself.
    Deviations,
}

impl Segmenter {
    /// Writes `weights.onnx` and `model.toml`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(self, folder: &Path) -> io::Result<()> {
        // The pixel and a little of its neighbours, less the level, made steep.
        let (level, steep) = match self {
            Self::Level => (0.37, 60.0),
            Self::Deviations => (1.2, 8.0),
        };
        let mut kernel = vec![0.05 * steep as f32; 9];
        kernel[4] = 0.6 * steep as f32;
        let nodes = vec![
            node(
                "Conv",
                &["image", "kernel", "bias"],
                "logits",
                vec![ints("pads", &[1, 1, 1, 1])],
            ),
            node("Sigmoid", &["logits"], "maps", vec![]),
        ];
        let tensors = vec![
            weights("kernel", &[1, 1, 3, 3], kernel),
            weights("bias", &[1], vec![(-level * steep) as f32]),
        ];
        let preprocessing = match self {
            Self::Level => "",
            Self::Deviations => {
                "preprocessing = [{ id = \"zero_mean_unit_variance\", axes = [\"y\", \"x\"] }]\n"
            }
        };
        let toml = format!(
            "name = \"planted\"\ntask = \"instance\"\ndecode = \"foreground\"\nthresholds = {{ foreground = 0.5 }}\nvalues = \"full-scale\"\n\
             [input]\naxes = \"bcyx\"\nchannels = [\"grey\"]\nsize = {{ y = {{ min = 8, step = 1 }}, x = {{ min = 8, step = 1 }} }}\n{preprocessing}\
             [output]\naxes = \"bcyx\"\nchannels = [\"foreground\"]\nhalo = 1\n"
        );
        let graph = model(
            nodes,
            tensors,
            port("image", &[1, 1, 0, 0]),
            port("maps", &[1, 1, 0, 0]),
        );
        write(folder, &graph, &toml)
    }
}

/// Writes a model and its description into a folder that there is.
fn write(folder: &Path, model: &ModelProto, toml: &str) -> io::Result<()> {
    std::fs::write(folder.join("weights.onnx"), model.encode_to_vec())?;
    std::fs::write(folder.join("model.toml"), toml)
}
