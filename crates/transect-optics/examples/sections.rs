//! Writes tissue sections twice, as stained pictures (PNG) and infrared cubes (NPY), with one manifest for each.
//!
//! `cargo run -p transect-optics --release --example sections -- OUT_DIR --n 200 --seed 1 [--association 0.8] [--contrast 1]`

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use transect_core::Image;
use transect_optics::scene::section::{BANDS, SIDE, Sectioning, section};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (mut out, mut count, mut seed) = (None, 10_u64, 1_u64);
    let mut how = Sectioning::default();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--n" => count = value()?.parse()?,
            "--seed" => seed = value()?.parse()?,
            "--association" => how.association = value()?.parse()?,
            "--contrast" => how.contrast = value()?.parse()?,
            "--slide" => how.slide = value()?.parse()?,
            _ if out.is_none() && !argument.starts_with("--") => out = Some(argument),
            _ => return Err(format!("unknown argument {argument}").into()),
        }
    }
    let out = out.ok_or(
        "usage: sections OUT_DIR [--n N] [--seed S] [--association A] [--contrast C] [--slide N]",
    )?;
    let out = Path::new(&out);
    for folder in ["stained", "infrared"] {
        fs::create_dir_all(out.join(folder))?;
    }
    let header = "image,class_name,slide,pair_id,thickness,scatter\n";
    let (mut stained, mut infrared) = (header.to_owned(), header.to_owned());
    for index in 0..count {
        let s = section(&how, seed, index);
        let class = ["normal", "altered"][s.class as usize];
        let name = format!("{index:05}");
        write_png(&out.join("stained").join(format!("{name}.png")), &s.stained)?;
        write_npy(&out.join("infrared").join(format!("{name}.npy")), &s.cube)?;
        let facts = format!(
            "{class},slide {},{name},{:.4},{:.4}",
            s.slide, s.thickness, s.scatter
        );
        writeln!(stained, "stained/{name}.png,{facts}")?;
        writeln!(infrared, "infrared/{name}.npy,{facts}")?;
    }
    fs::write(out.join("stained.csv"), stained)?;
    fs::write(out.join("infrared.csv"), infrared)?;
    Ok(())
}

fn write_png(path: &Path, image: &Image) -> Result<(), Box<dyn Error>> {
    let mut encoder = png::Encoder::new(
        BufWriter::new(fs::File::create(path)?),
        SIDE as u32,
        SIDE as u32,
    );
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let bytes: Vec<u8> = (0..SIDE * SIDE)
        .flat_map(|i| [0, 1, 2].map(|c| image.plane(c, 0)[i] as u8))
        .collect();
    encoder.write_header()?.write_image_data(&bytes)?;
    Ok(())
}

/// Version 1.0, little-endian 32-bit floats, channel first.
fn write_npy(path: &Path, image: &Image) -> Result<(), Box<dyn Error>> {
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({BANDS}, {SIDE}, {SIDE}), }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = BufWriter::new(fs::File::create(path)?);
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&(header.len() as u16).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    for v in image.samples() {
        file.write_all(&v.to_le_bytes())?;
    }
    file.flush()?;
    Ok(())
}
