//! Images with known truth, drawn by code.
//!
//! The class is a shape: four squares as an S or as a Z, upright or lying, anywhere in the inner part. S and Z are mirror images,
//! so brightness, colour, texture and orientation say nothing of the class unless a case puts it there.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use transect_core::{Dtype, Image, Stream};

/// Rows and columns of an image with a class.
pub(super) const SIDE: usize = 32;
/// Pixels of one of the four squares.
pub(super) const CELL: usize = 4;
/// Pixels of the frame that stays free of the shape, and that holds the mark.
pub(super) const FRAME: usize = 2;
/// Columns of the mark in the upper left corner.
pub(super) const MARK: usize = 8;
/// Rows and columns of a scene with objects.
pub(super) const SCENE: usize = 48;
/// Names of the two classes.
pub(super) const CLASSES: [&str; 2] = ["s", "z"];

/// Squares of the shapes, as (row, column): S lying, S upright, Z lying, Z upright.
pub(super) const SHAPES: [[(usize, usize); 4]; 4] = [
    [(0, 1), (0, 2), (1, 0), (1, 1)],
    [(0, 0), (1, 0), (1, 1), (2, 1)],
    [(0, 0), (0, 1), (1, 1), (1, 2)],
    [(0, 1), (1, 0), (1, 1), (2, 0)],
];

/// How images are drawn.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Reference images, and as many target images.
    pub images: usize,
    /// 1 or 3; of three, one at random holds the shape.
    pub channels: usize,
    /// Level of the background: lowest and highest, each image at random between.
    pub level: (f64, f64),
    /// Added to the level where an image is of the bright sort.
    pub brighter: f64,
    /// Share of the images of class 1 that are bright, and of those of class 0 that are not.
    pub bright_goes_with_class: f64,
    /// Whether the bright sort is a domain that the manifest names.
    pub domains: bool,
    /// Added to the frame of class 1.
    pub frame: f64,
    /// Added to the corner of class 1.
    pub mark: f64,
    /// Share of labels that are of the other class than what is drawn.
    pub label_noise: f64,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            images: 120,
            channels: 1,
            level: (0.25, 0.55),
            brighter: 0.0,
            bright_goes_with_class: 0.5,
            domains: false,
            frame: 0.0,
            mark: 0.0,
            label_noise: 0.03,
        }
    }
}

/// A slow pattern of small amplitude over a square plane.
fn texture(stream: &mut Stream, side: usize, amplitude: f64) -> Vec<f64> {
    let waves: Vec<[f64; 4]> = (0..4)
        .map(|_| {
            [
                (stream.uniform() - 0.5) * 0.8,
                (stream.uniform() - 0.5) * 0.8,
                stream.uniform() * std::f64::consts::TAU,
                amplitude * stream.normal(),
            ]
        })
        .collect();
    (0..side * side)
        .map(|i| {
            let (row, column) = ((i / side) as f64, (i % side) as f64);
            waves
                .iter()
                .map(|w| w[3] * (w[0] * row + w[1] * column + w[2]).cos())
                .sum()
        })
        .collect()
}

fn png(channels: usize, side: usize, values: &[f64]) -> io::Result<Vec<u8>> {
    let samples = values
        .iter()
        .map(|v| (v * 255.0).round().clamp(0.0, 255.0) as f32)
        .collect();
    let image =
        Image::new([channels, 1, side, side], samples, Dtype::Uint8).map_err(io::Error::other)?;
    transect_image::encode_png(&image).map_err(io::Error::other)
}

/// One image: its samples, channel by channel.
fn draw(scenario: &Scenario, stream: &mut Stream, class: usize, bright: bool) -> Vec<f64> {
    let plane = SIDE * SIDE;
    let level = scenario.level.0
        + stream.uniform() * (scenario.level.1 - scenario.level.0)
        + if bright { scenario.brighter } else { 0.0 };
    let shape = SHAPES[2 * class + stream.below(2)];
    let height = (1 + shape.iter().map(|c| c.0).max().unwrap_or(0)) * CELL;
    let width = (1 + shape.iter().map(|c| c.1).max().unwrap_or(0)) * CELL;
    let top = FRAME + stream.below(SIDE - 2 * FRAME - height + 1);
    let left = FRAME + stream.below(SIDE - 2 * FRAME - width + 1);
    let contrast = 0.2 + 0.1 * stream.uniform();
    let holds = stream.below(scenario.channels);
    let mut values = Vec::with_capacity(scenario.channels * plane);
    for channel in 0..scenario.channels {
        let mut of: Vec<f64> = texture(stream, SIDE, 0.015)
            .into_iter()
            .map(|t| level + t + 0.02 * stream.normal())
            .collect();
        if channel == holds {
            for (row, column) in shape {
                for i in 0..CELL * CELL {
                    let (r, c) = (top + row * CELL + i / CELL, left + column * CELL + i % CELL);
                    of[r * SIDE + c] += contrast;
                }
            }
        }
        if class == 1 {
            for (i, value) in of.iter_mut().enumerate() {
                let (row, column) = (i / SIDE, i % SIDE);
                if in_frame(row, column) {
                    *value += scenario.frame;
                }
                if in_mark(row, column) {
                    *value += scenario.mark;
                }
            }
        }
        values.extend(of);
    }
    values
}

/// Whether a pixel is of the frame.
pub(super) fn in_frame(row: usize, column: usize) -> bool {
    let inner = FRAME..SIDE - FRAME;
    !(inner.contains(&row) && inner.contains(&column))
}

/// Whether a pixel is of the mark.
pub(super) fn in_mark(row: usize, column: usize) -> bool {
    row < FRAME && column < MARK
}

/// Writes images and `manifest.csv` with the columns `image`, `class`, `role` and, where domains are named, `domain`.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path, scenario: &Scenario, seed: u64) -> io::Result<()> {
    let mut manifest = String::from(if scenario.domains {
        "image,class,role,domain\n"
    } else {
        "image,class,role\n"
    });
    for index in 0..2 * scenario.images {
        let mut stream = Stream::new(
            seed,
            "proving/pixels/image",
            &[&(index as u64).to_le_bytes()],
        );
        // Classes are balanced within a role.
        let class = index % 2;
        let goes = stream.uniform() < scenario.bright_goes_with_class;
        let bright = (class == 1) == goes;
        let named = if stream.uniform() < scenario.label_noise {
            1 - class
        } else {
            class
        };
        let values = draw(scenario, &mut stream, class, bright);
        let name = format!("{index:04}.png");
        std::fs::write(folder.join(&name), png(scenario.channels, SIDE, &values)?)?;
        let role = if index < scenario.images {
            "reference"
        } else {
            "target"
        };
        let _ = write!(manifest, "{name},{},{role}", CLASSES[named]);
        if scenario.domains {
            manifest.push_str(if bright { ",bright" } else { ",dark" });
        }
        manifest.push('\n');
    }
    std::fs::write(folder.join("manifest.csv"), manifest)
}

/// Writes scenes of discs on a dark ground, label images of them, and `manifest.csv` with `image`, `mask`, `role`.
///
/// # Errors
/// When a file cannot be written.
pub fn write_scenes(folder: &Path, images: usize, seed: u64) -> io::Result<()> {
    let mut manifest = String::from("image,mask,role\n");
    for index in 0..2 * images {
        let mut stream = Stream::new(
            seed,
            "proving/pixels/scene",
            &[&(index as u64).to_le_bytes()],
        );
        let level = 0.15 + 0.1 * stream.uniform();
        let mut values: Vec<f64> = texture(&mut stream, SCENE, 0.008)
            .into_iter()
            .map(|t| level + t + 0.03 * stream.normal())
            .collect();
        let mut labels = vec![0.0; SCENE * SCENE];
        let mut discs: Vec<[f64; 3]> = Vec::new();
        let wanted = 4 + stream.below(4);
        for _ in 0..200 {
            if discs.len() == wanted {
                break;
            }
            let radius = 3.5 + 1.5 * stream.uniform();
            let mut place = || radius + stream.uniform() * (SCENE as f64 - 2.0 * radius);
            let (row, column) = (place(), place());
            let free = discs
                .iter()
                .all(|d| (d[0] - row).hypot(d[1] - column) > d[2] + radius + 3.0);
            if free {
                discs.push([row, column, radius]);
            }
        }
        for (number, disc) in discs.iter().enumerate() {
            let contrast = 0.35 + 0.1 * stream.uniform();
            for i in 0..SCENE * SCENE {
                let (row, column) = ((i / SCENE) as f64 + 0.5, (i % SCENE) as f64 + 0.5);
                if (row - disc[0]).hypot(column - disc[1]) <= disc[2] {
                    values[i] += contrast;
                    labels[i] = (number + 1) as f64 / 255.0;
                }
            }
        }
        let (name, mask) = (format!("{index:04}.png"), format!("{index:04}_mask.png"));
        std::fs::write(folder.join(&name), png(1, SCENE, &values)?)?;
        std::fs::write(folder.join(&mask), png(1, SCENE, &labels)?)?;
        let role = if index < images {
            "reference"
        } else {
            "target"
        };
        let _ = writeln!(manifest, "{name},{mask},{role}");
    }
    std::fs::write(folder.join("manifest.csv"), manifest)
}
