//! Milliseconds for each corruption of an 8-bit image of 512 × 512 pixels (those of spectra: of a cube of 40 bands of 128 × 128
//! pixels in floating point), one thread.
//!
//! `cargo run -p transect-optics --release --example corruptions` prints CSV: corruption, channels, value, milliseconds
//! of processor time, which other work on the machine hardly changes.
//! `benches/peer/corruptions.py` does the same work in Python and prints the ratios.

use std::io::Write as _;
use std::time::Instant;

use transect_core::axis::{SpectralUnit, Wavelengths};
use transect_core::context::Optics;
use transect_core::{Digest, Dtype, Fits, Image, Modality, PixelSize, Severity, Stream, View};
use transect_optics::{MakeContext, corruptions, describe, make_view};

const SIDE: usize = 512;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "corruption,channels,value,ms")?;
    for channels in [1, 3] {
        let image = picture(channels)?;
        let fits = Fits::default();
        let context = MakeContext {
            modality: Modality::Brightfield,
            optics: Optics {
                numerical_aperture: Some(0.75),
                wavelength_um: Some(0.52),
                refractive_index: Some(1.0),
                pixel_size_um: Some(0.325),
            },
            seed: 1,
            image_sha256: Digest::of(b"bench"),
            fits: &fits,
            profile: None,
            cameras: None,
        };
        let severity = Severity::new(3).unwrap_or_default();
        for corruption in corruptions() {
            let spectral = corruption.modalities == [Modality::Spectral];
            let colour = matches!(
                corruption.name,
                "stain_shift" | "stain_balance" | "colour_shift" | "cross_talk" | "chromatic_shift"
            );
            if spectral || channels == 1 && colour {
                continue;
            }
            let value = corruption.ladder[2];
            let view = View::corruption(
                corruption.name,
                severity,
                corruption.parameter,
                value,
                corruption.unit,
            );
            let ms = time(|| make_view(&image, None, &view, &context).is_ok())?;
            writeln!(out, "{},{channels},{value},{ms:.3}", corruption.name)?;
        }
        let view = View::corruption("defocus", severity, "defocus", 3.7, "um");
        let ms = time(|| make_view(&image, None, &view, &context).is_ok())?;
        writeln!(out, "defocus_um,{channels},3.7,{ms:.3}")?;
        let ms = time(|| {
            describe(&image, None, Modality::Brightfield)
                .thumbnail
                .len()
                > 1
        })?;
        writeln!(out, "describe,{channels},,{ms:.3}")?;
    }
    let cube = cube()?;
    for corruption in corruptions() {
        if corruption.modalities != [Modality::Spectral] {
            continue;
        }
        let fits = Fits::default();
        let context = MakeContext {
            modality: Modality::Spectral,
            optics: Optics::default(),
            seed: 1,
            image_sha256: Digest::of(b"bench"),
            fits: &fits,
            profile: None,
            cameras: None,
        };
        let value = corruption.ladder[2];
        let view = View::corruption(
            corruption.name,
            Severity::new(3).unwrap_or_default(),
            corruption.parameter,
            value,
            corruption.unit,
        );
        let ms = time(|| make_view(&cube, None, &view, &context).is_ok())?;
        writeln!(out, "{},{BANDS},{value},{ms:.3}", corruption.name)?;
    }
    Ok(())
}

/// Bands of the cube, and its side.
const BANDS: usize = 40;
const CUBE: usize = 128;

/// Absorbance with slopes, bands and noise.
fn cube() -> transect_core::Result<Image> {
    let mut stream = Stream::new(2, "bench", &[]);
    let samples = (0..BANDS * CUBE * CUBE)
        .map(|i| {
            let (b, x) = ((i / (CUBE * CUBE)) as f64, (i % CUBE) as f64);
            (0.6 + 0.3 * (b / 5.0).sin() + 0.1 * (x / 17.0).cos() + 0.01 * stream.normal()) as f32
        })
        .collect();
    let mut cube = Image::new([BANDS, 1, CUBE, CUBE], samples, Dtype::Float32)?;
    cube.wavelengths = Some(Wavelengths {
        values: (0..BANDS).map(|b| 1000.0 + 20.0 * b as f64).collect(),
        unit: SpectralUnit::Wavenumber,
    });
    Ok(cube)
}

/// Nanoseconds that this thread has had a processor, as Linux counts them; elsewhere those on the clock.
fn processor_ns(begun: Instant) -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .unwrap_or_else(|| begun.elapsed().as_secs_f64() * 1e9)
}

/// Mean milliseconds of processor time of as many runs as take a fifth of a second, at least five, after one that warms up. Linux counts
/// in steps of a few milliseconds, so single runs cannot be told.
fn time(mut run: impl FnMut() -> bool) -> Result<f64, String> {
    if !run() {
        return Err("a view was refused".to_owned());
    }
    let begun = Instant::now();
    let start = processor_ns(begun);
    let mut runs = 0;
    let mut taken = 0.0;
    while runs < 5 || runs < 2000 && taken < 2e8 {
        std::hint::black_box(run());
        runs += 1;
        taken = processor_ns(begun) - start;
    }
    Ok(taken / 1e6 / f64::from(runs))
}

/// Slopes and noise.
fn picture(channels: usize) -> transect_core::Result<Image> {
    let mut stream = Stream::new(1, "bench", &[]);
    let samples = (0..channels * SIDE * SIDE)
        .map(|i| {
            let (y, x) = ((i / SIDE % SIDE) as f64, (i % SIDE) as f64);
            let level =
                128.0 + 60.0 * (x / 37.0).sin() + 50.0 * (y / 23.0).cos() + 4.0 * stream.normal();
            level.round().clamp(0.0, 255.0) as f32
        })
        .collect();
    let mut image = Image::new([channels, 1, SIDE, SIDE], samples, Dtype::Uint8)?;
    image.rgb = channels == 3;
    image.pixel_size = Some(PixelSize::square(0.325));
    Ok(image)
}
