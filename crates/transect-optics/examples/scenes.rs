//! Writes scenes as PNG images with 16-bit label images and a manifest.
//!
//! `cargo run -p transect-optics --release --example scenes -- OUT_DIR --lab A --n 200 --seed 1`

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::BufWriter;
use std::path::Path;

use transect_core::{Image, LabelImage};
use transect_optics::scene::{Laboratory, render};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut out, mut lab, mut count, mut seed) = (None, "A".to_owned(), 10_u64, 1_u64);
    let (mut size, mut bits) = (None, None);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--lab" => lab = value()?,
            "--n" => count = value()?.parse()?,
            "--seed" => seed = value()?.parse()?,
            "--size" => size = Some(value()?.parse::<usize>()?),
            "--bits" => bits = Some(value()?.parse::<u8>()?),
            _ if out.is_none() && !argument.starts_with("--") => out = Some(argument),
            _ => return Err(format!("unknown argument {argument}").into()),
        }
    }
    let out = out.ok_or("usage: scenes OUT_DIR [--lab A|B|\"tissue A\"|…] [--n N] [--seed S] [--size PX] [--bits 8|16]")?;
    let mut laboratory = Laboratory::named(&lab).ok_or(format!("no laboratory {lab}"))?;
    if let Some(size) = size {
        (laboratory.rows, laboratory.columns) = (size, size);
    }
    if let Some(bits) = bits {
        laboratory.bits = bits;
    }
    let out = Path::new(&out);
    fs::create_dir_all(out.join("images"))?;
    fs::create_dir_all(out.join("labels"))?;
    let stem = laboratory.name.to_lowercase().replace(' ', "_");
    let mut manifest = String::from("image,mask,lab,pixel_size_um,objects\n");
    for index in 0..count {
        let scene = render(&laboratory, seed, index);
        let name = format!("{stem}_{index:04}.png");
        write_image(&out.join("images").join(&name), &scene.image)?;
        write_labels(&out.join("labels").join(&name), &scene.labels)?;
        let objects = scene.labels.labels().iter().max().copied().unwrap_or(0);
        writeln!(
            manifest,
            "images/{name},labels/{name},{},{},{objects}",
            laboratory.name, laboratory.pixel_size_um
        )?;
    }
    fs::write(out.join("manifest.csv"), manifest)?;
    Ok(())
}

fn write_png(
    path: &Path,
    columns: usize,
    rows: usize,
    colour: png::ColorType,
    depth: png::BitDepth,
    bytes: &[u8],
) -> Result<(), Box<dyn Error>> {
    let mut encoder = png::Encoder::new(
        BufWriter::new(fs::File::create(path)?),
        columns as u32,
        rows as u32,
    );
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder.write_header()?.write_image_data(bytes)?;
    Ok(())
}

fn write_image(path: &Path, image: &Image) -> Result<(), Box<dyn Error>> {
    let (channels, size) = (image.channels(), image.rows() * image.columns());
    let colour = if channels == 3 {
        png::ColorType::Rgb
    } else {
        png::ColorType::Grayscale
    };
    let sixteen = image.dtype == transect_core::Dtype::Uint16;
    let mut bytes = Vec::new();
    for pixel in 0..size {
        for channel in 0..channels {
            let level = image.plane(channel, 0)[pixel];
            if sixteen {
                bytes.extend((level as u16).to_be_bytes());
            } else {
                bytes.push(level as u8);
            }
        }
    }
    let depth = if sixteen {
        png::BitDepth::Sixteen
    } else {
        png::BitDepth::Eight
    };
    write_png(path, image.columns(), image.rows(), colour, depth, &bytes)
}

fn write_labels(path: &Path, labels: &LabelImage) -> Result<(), Box<dyn Error>> {
    let mut bytes = Vec::new();
    for &label in labels.labels() {
        bytes.extend(u16::try_from(label)?.to_be_bytes());
    }
    write_png(
        path,
        labels.columns(),
        labels.rows(),
        png::ColorType::Grayscale,
        png::BitDepth::Sixteen,
        &bytes,
    )
}
