//! Every corruption at every severity, on a scene that fits it, for the page `corruptions/gallery` of the book.
//!
//! `cargo run -p transect-optics --release --example gallery` writes `docs/src/corruptions/gallery/<name>.jpg`: from left to right
//! the image and severities 1 to 5. The page itself is written with the other generated pages (see CONTRIBUTING).

use std::error::Error;
use std::fs;
use std::path::Path;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use transect_core::context::{Optics, PlanLevel};
use transect_core::{Digest, Dtype, Fits, Image, LabelImage, Modality, Severity, View};
use transect_optics::scene::site::{Site, visit};
use transect_optics::scene::{Laboratory, render, section};
use transect_optics::{MakeContext, corruptions, fit_ladders, ladders, make_view};

/// Pixels a side of a panel, and between panels.
const PANEL: usize = 128;
const GAP: usize = 4;

/// A picture in red, green and blue, 8 bits.
struct Picture {
    rows: usize,
    columns: usize,
    bytes: Vec<u8>,
}

/// What is shown, and how it is turned into colours.
struct Scene {
    image: Image,
    modality: Modality,
    shown: Shown,
}

#[derive(Clone, Copy, PartialEq)]
enum Shown {
    /// Grey or red-green-blue, as the samples are.
    AsItIs,
    /// Two channels: magenta and green.
    TwoDyes,
    /// Three bands in red, green and blue over the spectrum of one pixel.
    Spectrum,
}

fn main() -> Result<(), Box<dyn Error>> {
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/corruptions/gallery");
    fs::create_dir_all(&out)?;
    let fluorescence = laboratory(Laboratory::a(), 3);
    let tissue = laboratory(Laboratory::tissue_a(), 5);
    let dyes = two_dyes()?;
    let animals = photograph();
    let cube = section::section(&section::Sectioning::default(), 4, 1).cube;
    let scene = |image: &Image, modality, shown| Scene {
        image: image.clone(),
        modality,
        shown,
    };
    for corruption in corruptions() {
        let applies = |m| corruption.modalities.contains(&m);
        let scenes = match corruption.name {
            "cross_talk" | "chromatic_shift" => {
                vec![scene(&dyes, Modality::Fluorescence, Shown::TwoDyes)]
            }
            _ if applies(Modality::Fluorescence) && applies(Modality::Brightfield) => vec![
                scene(&fluorescence, Modality::Fluorescence, Shown::AsItIs),
                scene(&tissue, Modality::Brightfield, Shown::AsItIs),
            ],
            _ if applies(Modality::Fluorescence) => {
                vec![scene(&fluorescence, Modality::Fluorescence, Shown::AsItIs)]
            }
            "perspective" => vec![scene(&animals, Modality::Photo, Shown::AsItIs)],
            _ if applies(Modality::Brightfield) => {
                vec![scene(&tissue, Modality::Brightfield, Shown::AsItIs)]
            }
            _ if applies(Modality::Photo) => vec![scene(&animals, Modality::Photo, Shown::AsItIs)],
            _ => vec![scene(&cube, Modality::Spectral, Shown::Spectrum)],
        };
        let strips = scenes
            .iter()
            .map(|scene| strip(scene, corruption.name))
            .collect::<Result<Vec<_>, _>>()?;
        let picture = stacked(&strips);
        let file = out.join(format!("{}.jpg", corruption.name));
        let mut encoder = Encoder::new_file(&file, 74)?;
        encoder.set_sampling_factor(SamplingFactor::F_1_1);
        encoder.encode(
            &picture.bytes,
            u16::try_from(picture.columns)?,
            u16::try_from(picture.rows)?,
            ColorType::Rgb,
        )?;
    }
    Ok(())
}

fn laboratory(laboratory: Laboratory, index: u64) -> Image {
    let laboratory = Laboratory {
        rows: PANEL,
        columns: PANEL,
        ..laboratory
    };
    render(&laboratory, 7, index).image
}

/// A picture of a camera site with an animal that is well in view.
fn photograph() -> Image {
    let site = Site {
        number: 2,
        rows: PANEL,
        columns: PANEL,
        more: 1.0,
        empty: 0.0,
    };
    let area = |labels: &LabelImage| labels.labels().iter().filter(|&&l| l > 0).count();
    let mut best = visit(&site, 7, 0);
    for index in 1..12 {
        let other = visit(&site, 7, index);
        if area(&other.labels) > area(&best.labels) {
            best = other;
        }
    }
    best.image
}

/// Nuclei, and as a second dye what is around them in the cell.
fn two_dyes() -> Result<Image, Box<dyn Error>> {
    let scene = render(
        &Laboratory {
            rows: PANEL,
            columns: PANEL,
            ..Laboratory::a()
        },
        7,
        3,
    );
    let body: Vec<f32> = scene
        .cells
        .labels()
        .iter()
        .zip(scene.labels.labels())
        .map(|(&cell, &nucleus)| match (cell, nucleus) {
            (0, _) => 12.0,
            (_, 0) => 120.0,
            _ => 40.0,
        })
        .collect();
    let body = Image::new([1, 1, PANEL, PANEL], body, Dtype::Uint8)?;
    let blurred = made(&body, Modality::Unknown, &step("defocus", 1, 1.2, "px"))?;
    let noisy = made(
        &blurred,
        Modality::Unknown,
        &step("shot_noise", 1, 200.0, "photons"),
    )?;
    let mut samples = scene.image.samples().to_vec();
    samples.extend(noisy.samples());
    Ok(Image::new([2, 1, PANEL, PANEL], samples, Dtype::Uint8)?)
}

fn step(name: &str, level: u8, value: f64, unit: &str) -> View {
    let severity = Severity::new(level).unwrap_or_default();
    View::corruption(name, severity, "", value, unit)
}

fn made(image: &Image, modality: Modality, view: &View) -> transect_core::Result<Image> {
    let fits = Fits::default();
    let context = MakeContext {
        modality,
        optics: Optics::default(),
        seed: 1,
        image_sha256: Digest::of(b"gallery"),
        fits: &fits,
        profile: None,
        cameras: None,
    };
    Ok(make_view(image, None, view, &context)?.image)
}

/// The image and five severities, side by side.
fn strip(scene: &Scene, name: &str) -> Result<Picture, Box<dyn Error>> {
    let mut ladders = ladders(&scene.modality, &Optics::default(), PlanLevel::Full);
    fit_ladders(&mut ladders, &scene.image);
    let ladder = ladders
        .iter()
        .find(|l| l.name == name)
        .ok_or(format!("no ladder of {name}"))?;
    let mut images = vec![scene.image.clone()];
    for (level, value) in (1..).zip(ladder.values) {
        let view = step(name, level, value, &ladder.unit);
        images.push(made(&scene.image, scene.modality, &view)?);
    }
    let panels: Vec<Picture> = images.iter().map(|i| panel(i, scene)).collect();
    let rows = panels.iter().map(|p| p.rows).max().unwrap_or(1);
    let columns = panels.len() * (PANEL + GAP) - GAP;
    let mut strip = blank(rows, columns);
    for (i, panel) in panels.iter().enumerate() {
        paste(
            &mut strip,
            panel,
            (rows - panel.rows) / 2,
            i * (PANEL + GAP) + (PANEL - panel.columns) / 2,
        );
    }
    Ok(strip)
}

fn blank(rows: usize, columns: usize) -> Picture {
    Picture {
        rows,
        columns,
        bytes: vec![255; 3 * rows * columns],
    }
}

fn paste(onto: &mut Picture, picture: &Picture, top: usize, left: usize) {
    for row in 0..picture.rows {
        let from = &picture.bytes[3 * row * picture.columns..][..3 * picture.columns];
        let at = 3 * ((top + row) * onto.columns + left);
        onto.bytes[at..at + from.len()].copy_from_slice(from);
    }
}

fn stacked(strips: &[Picture]) -> Picture {
    let rows = strips.iter().map(|s| s.rows + GAP).sum::<usize>() - GAP;
    let mut all = blank(rows, strips.iter().map(|s| s.columns).max().unwrap_or(1));
    let mut top = 0;
    for strip in strips {
        paste(&mut all, strip, top, 0);
        top += strip.rows + GAP;
    }
    all
}

/// One image in colours. Brightness is that of the scene, never stretched anew.
fn panel(image: &Image, scene: &Scene) -> Picture {
    let (rows, columns) = (image.rows(), image.columns());
    let byte = |v: f32| v.round().clamp(0.0, 255.0) as u8;
    match scene.shown {
        Shown::AsItIs => {
            let mut picture = blank(rows, columns);
            // Fluorescence uses the lower half of the range.
            let bright = if image.rgb { 1.0 } else { 1.4 };
            for (i, pixel) in picture.bytes.chunks_exact_mut(3).enumerate() {
                for (c, out) in pixel.iter_mut().enumerate() {
                    *out = byte(bright * image.plane(c.min(image.channels() - 1), 0)[i]);
                }
            }
            picture
        }
        Shown::TwoDyes => {
            let mut picture = blank(rows, columns);
            for (i, pixel) in picture.bytes.chunks_exact_mut(3).enumerate() {
                let (nuclei, body) = (1.4 * image.plane(0, 0)[i], 1.4 * image.plane(1, 0)[i]);
                pixel.copy_from_slice(&[byte(nuclei), byte(body), byte(nuclei)]);
            }
            picture
        }
        Shown::Spectrum => spectrum(image, &scene.image),
    }
}

/// Bands at 1655, 1545 and 1080 cm⁻¹ in red, green and blue, over the spectrum of one pixel (black) and what it was (grey).
fn spectrum(image: &Image, clean: &Image) -> Picture {
    const PLOT: usize = 96;
    let (rows, columns) = (image.rows(), image.columns());
    let wavenumbers = section::wavenumbers();
    let band = |at: f64| {
        (0..section::BANDS)
            .min_by(|&a, &b| {
                (wavenumbers[a] - at)
                    .abs()
                    .total_cmp(&(wavenumbers[b] - at).abs())
            })
            .unwrap_or(0)
    };
    let mut picture = blank(PANEL + GAP + PLOT, PANEL);
    for (c, at) in [1655.0, 1545.0, 1080.0].map(band).into_iter().enumerate() {
        let highest = clean.plane(at, 0).iter().copied().fold(0.0, f32::max);
        for row in 0..PANEL {
            for column in 0..PANEL {
                let v = image.plane(at, 0)[row * rows / PANEL * columns + column * columns / PANEL];
                let out = (220.0 * v / highest).round().clamp(0.0, 255.0) as u8;
                picture.bytes[3 * (row * PANEL + column) + c] = out;
            }
        }
    }
    let pixel = rows / 2 * columns + columns / 2;
    let of = |image: &Image| -> Vec<f32> {
        (0..section::BANDS)
            .map(|b| image.plane(b, 0)[pixel.min(image.rows() * image.columns() - 1)])
            .collect()
    };
    let highest = 1.6 * of(clean).iter().copied().fold(0.0, f32::max);
    let mut line = |values: &[f32], grey: u8| {
        let height = |x: usize| {
            let at = x as f32 / (PANEL - 1) as f32 * (section::BANDS - 1) as f32;
            let low = (at.floor() as usize).min(section::BANDS - 2);
            let v = values[low] + (at - low as f32) * (values[low + 1] - values[low]);
            ((1.0 - v / highest) * (PLOT - 1) as f32)
                .round()
                .clamp(0.0, (PLOT - 1) as f32) as usize
        };
        for x in 0..PANEL {
            let (a, b) = (height(x), height((x + 1).min(PANEL - 1)));
            for y in a.min(b)..=a.max(b) {
                let at = 3 * ((PANEL + GAP + y) * PANEL + x);
                picture.bytes[at..at + 3].fill(grey);
            }
        }
    };
    line(&of(clean), 190);
    line(&of(image), 0);
    picture
}
