//! Prints what the estimators find in scenes whose physics is known: the table of the page `optics` of the book.
//!
//! `cargo run -p transect-optics --release --example recovery`

use std::io::Write as _;

use transect_core::attribute::ATTRIBUTES;
use transect_optics::describe;
use transect_optics::scene::{Laboratory, render};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let change = |f: &dyn Fn(&mut Laboratory)| {
        let mut laboratory = Laboratory::a();
        (laboratory.rows, laboratory.columns) = (256, 256);
        f(&mut laboratory);
        laboratory
    };
    let mut laboratories = vec![
        ("A".to_owned(), change(&|_| {})),
        ("B".to_owned(), Laboratory::b()),
    ];
    for blur in [0.3, 0.45, 0.7, 1.0, 1.5, 2.0] {
        laboratories.push((format!("blur {blur}"), change(&|l| l.blur_um = blur)));
    }
    for photons in [1000.0, 200.0, 100.0, 50.0, 20.0] {
        laboratories.push((
            format!("photons {photons}"),
            change(&|l| l.photons = photons),
        ));
    }
    for read in [0.0, 8.0, 16.0] {
        laboratories.push((
            format!("read {read}"),
            change(&|l| l.read_noise_electrons = read),
        ));
    }
    for background in [0.1, 0.3, 0.6] {
        laboratories.push((
            format!("background {background}"),
            change(&|l| l.background = background),
        ));
    }
    for falloff in [0.2, 0.4, 0.6] {
        laboratories.push((
            format!("falloff {falloff}"),
            change(&|l| {
                l.falloff = falloff;
                l.black_level = 0.0;
                l.background = 0.2;
            }),
        ));
    }
    for pixel in [0.3, 0.6, 0.9] {
        laboratories.push((
            format!("pixel {pixel}"),
            change(&|l| l.pixel_size_um = pixel),
        ));
    }
    for bits in [8, 16] {
        laboratories.push((format!("bits {bits}"), change(&|l| l.bits = bits)));
    }
    laboratories.push(("tissue A".to_owned(), Laboratory::tissue_a()));
    laboratories.push(("tissue B".to_owned(), Laboratory::tissue_b()));
    laboratories.push(("smear A".to_owned(), Laboratory::smear_a()));
    laboratories.push(("smear B".to_owned(), Laboratory::smear_b()));
    let names = [
        "psf_sigma_px",
        "noise_gain",
        "read_noise",
        "noise_sd",
        "background",
        "unevenness",
        "texture_scale_px",
        "object_diameter_px",
        "spectrum_slope",
        "high_frequency_share",
        "stain_h_angle_deg",
        "stain_e_angle_deg",
    ];
    for (name, laboratory) in laboratories {
        let mut values = vec![Vec::new(); names.len()];
        let n = 24;
        for index in 0..n {
            let scene = render(&laboratory, 7, index);
            let described = describe(&scene.image, Some(&scene.labels), laboratory.modality());
            for (list, name) in values.iter_mut().zip(names) {
                let at = ATTRIBUTES.iter().position(|a| a.name == name).unwrap_or(0);
                list.extend(described.attributes[at]);
            }
        }
        writeln!(out, "\n{name}")?;
        for (list, name) in values.iter().zip(names) {
            let truth = match name {
                "psf_sigma_px" => laboratory.psf_sigma_px(),
                "noise_gain" => laboratory.noise_gain(),
                "read_noise" => laboratory.read_noise(),
                "background" => laboratory.background_level(),
                _ => f64::NAN,
            };
            let k = list.len() as f64;
            let mean = list.iter().sum::<f64>() / k;
            let sd = (list.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / k).sqrt();
            writeln!(
                out,
                "  {name:22} truth {truth:9.5}  found {mean:9.5} ± {sd:8.5}  ratio {:6.3}  n {}",
                mean / truth,
                list.len()
            )?;
        }
    }
    Ok(())
}
