//! Tissue sections seen twice: stained, in red, green and blue; and unstained, as a cube of infrared absorbance.
//!
//! Both pictures show the same tissue at the same pixels. What tells the two classes apart is in the tissue: nuclei are denser,
//! and epithelium holds more nucleic acid, less glycogen and a little more lipid. What varies most in the cube is none of that:
//! the thickness of the section scales every band alike, and scatter adds a smooth slope. Both go with the class in part, as far
//! as [`Sectioning::association`] says.

use transect_core::axis::{SpectralUnit, Wavelengths};
use transect_core::{Dtype, Image, PixelSize, Stream};

use crate::blur::gaussian;

/// Pixels a side.
pub const SIDE: usize = 64;

/// Bands of the cube.
pub const BANDS: usize = 40;

/// Side of a pixel in the specimen, micrometres.
const PIXEL_UM: f64 = 2.0;

/// How sections are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sectioning {
    /// How far thickness and scatter go with the class: the difference of their class means in standard deviations of what
    /// varies within a class. 0: not at all; below 0: the other way round.
    pub association: f64,
    /// How far the tissue of the two classes differs: 1 is as described in the module's page, 0 not at all.
    pub contrast: f64,
    /// Sections that come from one slide, and share a part of its thickness, scatter and stain.
    pub slide: u64,
}

impl Default for Sectioning {
    fn default() -> Self {
        Self {
            association: 0.0,
            contrast: 1.0,
            slide: 10,
        }
    }
}

/// One section and its two pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// 0 normal, 1 altered.
    pub class: u32,
    /// The slide that it is on.
    pub slide: u64,
    /// Thickness, relative to the mean.
    pub thickness: f64,
    /// Strength of scatter, in absorbance at 1000 cm⁻¹.
    pub scatter: f64,
    /// Stained with haematoxylin and eosin: 8 bits, red, green, blue.
    pub stained: Image,
    /// Absorbance, one channel for each of [`wavenumbers`].
    pub cube: Image,
}

/// Wavenumbers of the bands, cm⁻¹: evenly from 960 to 1760.
pub fn wavenumbers() -> [f64; BANDS] {
    std::array::from_fn(|b| 960.0 + 800.0 * b as f64 / (BANDS - 1) as f64)
}

/// Bands of one constituent: centre and standard deviation in cm⁻¹, height in absorbance. Places as in tissue spectroscopy (amide
/// I to III, phosphate, glycogen, ester carbonyl); heights are ours.
type Peaks = &'static [(f64, f64, f64)];

const PROTEIN: Peaks = &[
    (1655.0, 25.0, 1.0),
    (1545.0, 25.0, 0.65),
    (1452.0, 15.0, 0.2),
    (1396.0, 15.0, 0.18),
    (1240.0, 25.0, 0.2),
];
const COLLAGEN: Peaks = &[
    (1655.0, 25.0, 0.85),
    (1550.0, 25.0, 0.55),
    (1452.0, 15.0, 0.22),
    (1338.0, 14.0, 0.12),
    (1282.0, 14.0, 0.12),
    (1240.0, 20.0, 0.25),
    (1204.0, 14.0, 0.1),
    (1080.0, 18.0, 0.12),
    (1032.0, 18.0, 0.15),
];
const NUCLEIC: Peaks = &[
    (1705.0, 20.0, 0.15),
    (1655.0, 25.0, 0.25),
    (1235.0, 20.0, 0.5),
    (1085.0, 18.0, 0.6),
    (965.0, 14.0, 0.25),
];
const LIPID: Peaks = &[
    (1740.0, 14.0, 0.5),
    (1465.0, 12.0, 0.3),
    (1170.0, 18.0, 0.2),
    (1080.0, 16.0, 0.1),
];
const GLYCOGEN: Peaks = &[
    (1150.0, 14.0, 0.35),
    (1080.0, 15.0, 0.45),
    (1030.0, 16.0, 0.7),
];

fn spectrum(peaks: Peaks) -> [f64; BANDS] {
    wavenumbers().map(|at| {
        peaks
            .iter()
            .map(|(centre, sd, height)| height * (-0.5 * ((at - centre) / sd).powi(2)).exp())
            .sum()
    })
}

/// A field of correlated normal values with mean 0 and standard deviation 1.
fn field(stream: &mut Stream, sigma: f64) -> Vec<f32> {
    let mut plane: Vec<f32> = (0..SIDE * SIDE).map(|_| stream.normal() as f32).collect();
    gaussian(&mut plane, SIDE, SIDE, sigma, sigma);
    let n = plane.len() as f32;
    let mean = plane.iter().sum::<f32>() / n;
    let sd = (plane.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n).sqrt();
    plane.iter().map(|v| (v - mean) / sd).collect()
}

/// Section `index` under a seed. Classes take turns, so both are on every slide. The same arguments give the same bits.
///
/// # Panics
/// Never: the sizes are fixed.
pub fn section(sectioning: &Sectioning, seed: u64, index: u64) -> Section {
    let stream = |purpose: &str, key: u64| {
        Stream::new(
            seed,
            &format!("optics/section/{purpose}"),
            &[&key.to_le_bytes()],
        )
    };
    let class = (index % 2) as u32;
    let altered = f64::from(class) * sectioning.contrast;
    let slide = index / sectioning.slide.max(1);
    let mut of_slide = stream("slide", slide);
    let mut own = stream("own", index);
    // Half of the variance is the slide's, half the section's own.
    let mut varies = || (of_slide.normal() + own.normal()) / 2.0_f64.sqrt();
    let shift = sectioning.association * (f64::from(class) - 0.5);
    let thickness = (0.3 * (varies() + shift)).exp();
    let scatter = 0.25 * (0.5 * (varies() + shift)).exp();
    let (haematoxylin, eosin) = ((0.12 * varies()).exp(), (0.12 * varies()).exp());

    // Tissue: epithelium in smooth islands, nuclei in both, more of them in epithelium.
    let mut tissue = stream("tissue", index);
    let islands = field(&mut tissue, 7.0);
    let texture = field(&mut tissue, 1.5);
    let glands = field(&mut tissue, 3.0);
    let epithelium: Vec<f64> = islands
        .iter()
        .map(|&v| 1.0 / (1.0 + f64::from(-6.0 * (v + 0.1)).exp()))
        .collect();
    let mut nuclei = vec![0.0_f64; SIDE * SIDE];
    let tries = 330.0 * (1.0 + 0.25 * altered);
    for _ in 0..tries as usize {
        let (r, c) = (
            tissue.uniform() * SIDE as f64,
            tissue.uniform() * SIDE as f64,
        );
        let here = epithelium[r as usize * SIDE + c as usize];
        if tissue.uniform() > 0.15 + 0.5 * here {
            continue;
        }
        let radius = 1.6 * (1.0 + 0.08 * altered * here) * (0.15 * tissue.normal()).exp();
        let reach = (radius + 2.0).ceil() as usize;
        let span = |at: f64| {
            let at = at as usize;
            at.saturating_sub(reach)..(at + reach + 1).min(SIDE)
        };
        for y in span(r) {
            for x in span(c) {
                let distance = ((y as f64 + 0.5 - r).powi(2) + (x as f64 + 0.5 - c).powi(2)).sqrt();
                let inside = 1.0 / (1.0 + (3.0 * (distance - radius)).exp());
                let at = y * SIDE + x;
                nuclei[at] = nuclei[at].max(inside);
            }
        }
    }
    let amounts: Vec<[f64; 5]> = (0..SIDE * SIDE)
        .map(|i| {
            let (e, n) = (epithelium[i], nuclei[i]);
            let grain = 1.0 + 0.08 * f64::from(texture[i]);
            let protein = (0.35 + 0.4 * e) * (1.0 - 0.3 * n) * grain;
            let collagen = 0.7 * (1.0 - e) * (1.0 - 0.5 * n) * grain;
            let nucleic = 0.55 * n * (1.0 + 0.25 * altered * e) + 0.05 * e;
            let lipid = 0.12 * (1.0 + 0.1 * f64::from(glands[i])) * (1.0 + 0.12 * altered * e);
            let glycogen = 0.2 * e * (1.0 - n) * (1.0 - 0.35 * altered);
            [protein, collagen, nucleic, lipid, glycogen]
        })
        .collect();
    Section {
        class,
        slide,
        thickness,
        scatter,
        stained: stained(
            &amounts,
            thickness,
            haematoxylin,
            eosin,
            &mut stream("camera", index),
        ),
        cube: cube(
            &amounts,
            thickness,
            scatter,
            &islands,
            &mut stream("detector", index),
        ),
    }
}

/// Haematoxylin goes with nucleic acid, eosin with protein and collagen; their colours are those of Ruifrok and Johnston 2001.
fn stained(
    amounts: &[[f64; 5]],
    thickness: f64,
    haematoxylin: f64,
    eosin: f64,
    stream: &mut Stream,
) -> Image {
    const H: [f64; 3] = [0.65, 0.70, 0.29];
    const E: [f64; 3] = [0.07, 0.99, 0.11];
    let mut samples = Vec::with_capacity(3 * SIDE * SIDE);
    for c in 0..3 {
        let mut light: Vec<f32> = amounts
            .iter()
            .map(|[protein, collagen, nucleic, ..]| {
                let h = 2.2 * haematoxylin * nucleic;
                let e = 0.55 * eosin * (protein + 0.8 * collagen);
                (-thickness * (h * H[c] + e * E[c])).exp() as f32
            })
            .collect();
        gaussian(&mut light, SIDE, SIDE, 0.6, 0.6);
        samples.extend(light.iter().map(|&v| {
            (230.0 * f64::from(v) + 2.0 * stream.normal())
                .round_ties_even()
                .clamp(0.0, 255.0) as f32
        }));
    }
    let mut image = image([3, 1, SIDE, SIDE], samples, Dtype::Uint8);
    image.rgb = true;
    image
}

/// Absorbance: thickness times the constituents' spectra, blurred as infrared light is, plus scatter and the detector's noise.
fn cube(
    amounts: &[[f64; 5]],
    thickness: f64,
    scatter: f64,
    islands: &[f32],
    stream: &mut Stream,
) -> Image {
    let spectra = [PROTEIN, COLLAGEN, NUCLEIC, LIPID, GLYCOGEN].map(spectrum);
    // Scatter is stronger where the tissue's edges are, and falls with the wavelength.
    let edges: Vec<f64> = islands
        .iter()
        .map(|&v| 0.7 + 0.6 * (-f64::from(v * v)).exp())
        .collect();
    let mut samples = Vec::with_capacity(BANDS * SIDE * SIDE);
    for (b, wavenumber) in wavenumbers().into_iter().enumerate() {
        let mut plane: Vec<f32> = amounts
            .iter()
            .map(|a| {
                let absorbed: f64 = a.iter().zip(&spectra).map(|(a, s)| a * s[b]).sum();
                (thickness * absorbed) as f32
            })
            .collect();
        // Resolution goes with the wavelength: 10⁴/ν µm.
        let sigma = 0.3 * 1e4 / wavenumber / PIXEL_UM;
        gaussian(&mut plane, SIDE, SIDE, sigma, sigma);
        let slope = (wavenumber / 1000.0).powf(1.5);
        samples.extend(
            plane.iter().zip(&edges).map(|(&v, e)| {
                (f64::from(v) + scatter * e * slope + 0.01 * stream.normal()) as f32
            }),
        );
    }
    let mut image = image([BANDS, 1, SIDE, SIDE], samples, Dtype::Float32);
    image.wavelengths = Some(Wavelengths {
        values: wavenumbers().to_vec(),
        unit: SpectralUnit::Wavenumber,
    });
    image.channel_names = wavenumbers().iter().map(|w| format!("{w:.0}")).collect();
    image
}

fn image(shape: [usize; 4], samples: Vec<f32>, dtype: Dtype) -> Image {
    let mut image = match Image::new(shape, samples, dtype) {
        Ok(image) => image,
        Err(error) => panic!("the sizes are fixed: {error}"),
    };
    image.pixel_size = Some(PixelSize::square(PIXEL_UM));
    image
}
