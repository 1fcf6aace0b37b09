//! The page `corruptions` of the book is made from the register; `TRANSECT_WRITE_DOCS=1` writes it again.

use std::fmt::Write as _;
use std::path::Path;

use transect_core::Modality;
use transect_core::context::{Optics, PlanLevel};
use transect_optics::{corruptions, ladders};

/// What a corruption does, as a formula of a sample x.
fn formula(name: &str) -> &'static str {
    match name {
        "shot_noise" => {
            "x → Poisson(x·k)/k, k = photons/q, q the channel's 99.9th percentile (over all three channels of a colour image); x ≤ 0 stays"
        }
        "read_noise" => "x → x + N(0, σ), σ = electrons/1000·q, q as for shot noise",
        "defocus" => {
            "in px: convolution with a Gaussian, edges reflected, cut at four σ. In µm: the spectrum is multiplied by H(defocus)/H(0), H the autocorrelation of the pupil exp(2πi·z/λ·√(n² − NA²ρ²)); frequencies beyond the cut-off 2·NA/λ stay"
        }
        "gain" => "x → gain·x",
        "offset" => "x → x + offset·q, q as for shot noise",
        "magnification" => {
            "linear interpolation between pixel centres on round(factor·size) pixels; an axis that shrinks is first blurred by σ = (1/factor − 1)/2 px; the pixel size is divided by the factor"
        }
        "jpeg_quality" => {
            "saved as baseline JPEG (standard tables, 4:2:0, colour averaged) and read back"
        }
        "uneven_illumination" => {
            "x → x·(1 − falloff·r²), r the distance from the centre over that of the corner pixel"
        }
        "stain_shift" => {
            "D = −ln((x + ε)/(I₀ + ε)), ε = I₀/510, I₀ full scale (99.9th percentile for floats); D turned by the angle about (1, 1, 1); back"
        }
        "colour_shift" => "red → red·2^(v/2), blue → blue·2^(−v/2)",
        "gaussian_noise" => {
            "x → x + N(0, σ), σ = value·(q − l), l and q the channel's 0.1th and 99.9th percentiles (over all three channels of a colour image)"
        }
        "motion_blur" => {
            "the mean along a straight way of this length through each pixel, by linear interpolation, edges reflected"
        }
        "gamma" => "x → q·(x/q)^γ for x > 0, q as for shot noise",
        "saturation" => "x → min(2^v·x, max(x, q)) for x > 0, q as for shot noise",
        "haze" => {
            "x → (1 − v)·x + v·B, B the mean over squares of 2·r + 1 pixels a side three times over, r a tenth of the shorter side, edges reflected (close to a Gaussian of σ = √(r·(r + 1)))"
        }
        "bit_depth" => {
            "x → l + s·round((x − l)/s), s = (q − l)/(2^bits − 1), l the smaller of 0 and the 0.1th percentile, q the 99.9th"
        }
        "rotation" => "turned counter-clockwise about the centre by linear interpolation",
        "perspective" => {
            "the homography that keeps the upper edge and brings the middle 1 − v of the lower edge to its whole width, by linear interpolation: at a height t (0 upper, 1 lower) widths shrink by 1/(1 + k·t), heights come from t·(1 + k)/(1 + k·t), k = v/(1 − v)"
        }
        "occlusion" => "x → 0 within a rectangle of round(√v·rows) × round(√v·columns) pixels",
        "stain_balance" => {
            "D as for stain_shift; D = h·H + e·E + r·(H × E) with H = (0.65, 0.70, 0.29), E = (0.07, 0.99, 0.11); h → 2^(v/2)·h, e → 2^(−v/2)·e; back"
        }
        "cross_talk" => "x_c → x_c + v·x_(c−1)·q_c/q_(c−1), q as for shot noise",
        "hot_pixels" => {
            "round(ppm·pixels/10⁶) pixels, at least one, are set to the largest sample of their channel"
        }
        "dust" => "x → x·Π(1 − 0.6·exp(−(d/r)⁴)) over spots of radius r at distance d",
        "spherical_aberration" => {
            "the spectrum is multiplied by H(W)/H(0), H the autocorrelation of the pupil exp(2πi·W·(ρ⁴ − ρ²)); frequencies beyond the cut-off 2·NA/λ stay"
        }
        "bleaching" => {
            "x → b + (x − b)·(1 − v)^((p + 1)/P) for x > b in plane p (from 0) of P, b the channel's 5th percentile"
        }
        "chromatic_shift" => {
            "channel c of C is moved by v·(c/(C − 1) − ½) along one direction, by cubic convolution (Catmull and Rom), edges reflected"
        }
        "baseline_tilt" => {
            "x → x + v·q·t, t from 0 at the lowest to 1 at the highest wavenumber, q the 99.9th percentile of the whole cube"
        }
        "baseline_curvature" => "x → x + v·q·4·t·(1 − t), t and q as for baseline_tilt",
        "wavenumber_shift" => {
            "x(ν) → x(ν − shift), by cubic convolution (Catmull and Rom) along the bands"
        }
        "band_loss" => "round(v·bands) bands, at least one, are set to 0",
        "scatter" => {
            "x → x + v·m·(ν/ν_max)^1.5, m the mean of the pixel's spectrum (0 where it is less)"
        }
        "water_vapour" => {
            "x → x + v·q·w(ν), w the sum of Gaussian lines, 1 at its highest band, q as for baseline_tilt"
        }
        "detector_noise" => "A → −log₁₀(max(10^−A + N(0, v), m)), m the smaller of 10⁻⁴ and 10^−A",
        "dusk" => {
            "x → 2^(−v/2)·c·(x + N(0, √(n + 9))·q/p), p = 2000·2^−v photons at q, n = p·x/q photons at x, c = 2^(−v/10), 1, 2^(v/10) for red, green, blue; q as for shot noise"
        }
        "infrared_flash" => {
            "x → (1 − v)·x + v·1.25·m/(1 + 2·r²), m the mean of the channels, r the distance from the centre over that of the corner"
        }
        "rain" => {
            "x → x + m·max(q − x, 0), m the strongest streak at that place, at most 0.6; q as for shot noise"
        }
        "lens_dirt" => {
            "x → (1 − m)·x + m·(½·B + ½·d·c·q), m = 0.95·exp(−(distance/radius)⁸) of the patch that covers most, B the mean over squares of 2·r + 1 pixels three times over, r a 24th of the shorter side, d the patch's brightness from 0.2 to 0.5, c = 1.15, 1, 0.8 for red, green, blue; q as for shot noise"
        }
        other => panic!("the page does not say what `{other}` does"),
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Corruptions\n\n<!-- Made by crates/transect-optics/tests/it/page.rs; do not edit. -->\n\nEach takes its strength from a \
         physical value; severities 1 to 5 are a ladder over it, severity 0 is the image to the bit. After each the samples \
         are rounded (ties to even) and clipped to the image's type; floats stay. A sample that is not finite stays so, and \
         spreads as far as a filter reaches (over the plane for defocus in µm and spherical aberration). Places and directions that are drawn at \
         random are the same at every severity of an image. [The gallery](gallery.md) shows them all.\n",
    );
    for c in corruptions() {
        let of = |modalities: &[Modality]| -> String {
            let names: Vec<String> = modalities
                .iter()
                .map(|m| format!("{m:?}").to_lowercase())
                .collect();
            names.join(", ")
        };
        let plans = if c.standard == c.modalities {
            format!("In every plan: {}", of(c.standard))
        } else if c.standard.is_empty() {
            format!("In a full plan: {}", of(c.modalities))
        } else {
            format!(
                "In every plan: {}; in a full plan: {}",
                of(c.standard),
                of(c.modalities)
            )
        };
        let values: Vec<String> = c.ladder.iter().map(ToString::to_string).collect();
        let (low, high) = c.range;
        write!(
            page,
            "\n## {}\n\n{}: {}.\n\n- {}, {}: {} leaves the image as it is; severities 1 to 5 are {}; {low} to {high} can be asked \
             for.\n- {}.\n- {}; {}.\n- {}.\n",
            c.name,
            c.words,
            formula(c.name),
            c.parameter,
            c.unit,
            c.identity,
            values.join(", "),
            plans,
            if c.random { "Draws random numbers" } else { "Draws no random number" },
            if c.moves_geometry { "moves the labels, by nearest neighbour" } else { "leaves the labels" },
            c.note,
        )
        .unwrap();
    }
    let known = Optics {
        numerical_aperture: Some(0.75),
        wavelength_um: Some(0.52),
        refractive_index: Some(1.0),
        pixel_size_um: Some(0.325),
    };
    let ladder = ladders(&Modality::Fluorescence, &known, PlanLevel::Standard)
        .into_iter()
        .find(|l| l.name == "defocus")
        .unwrap();
    write!(
        page,
        "\n## defocus in µm\n\nWith NA 0.75, 0.52 µm, air and a declared pixel size the severities 1 to 5 are {:?} {}: {}.\n",
        ladder.values, ladder.unit, ladder.note
    )
    .unwrap();
    page
}

/// The page that shows the pictures of `examples/gallery.rs`.
fn gallery() -> String {
    let mut page = String::from(
        "# Gallery of corruptions\n\n<!-- Made by crates/transect-optics/tests/it/page.rs; do not edit. -->\n\nEvery corruption on a \
         [scene](../scenes.md) that fits it: from left to right the image and severities 1 to 5. Brightness is never stretched \
         anew. Fluorescence stands over stained tissue where a corruption is of both; two dyes are magenta and green; of a cube of \
         infrared absorbance three bands (1655, 1545, 1080 cm⁻¹) are shown in red, green and blue, and below them the spectrum of \
         the middle pixel (black; grey: before), 960 cm⁻¹ on the left. What each does, and in what unit, is on the page \
         [corruptions](index.md).\n\n`cargo run -p transect-optics --release --example gallery` draws the pictures again.\n",
    );
    for title in [
        "Every instrument",
        "Cameras and microscopes",
        "Fluorescence and stained specimens",
        "Spectra",
        "Photographs",
    ] {
        writeln!(page, "\n## {title}").unwrap();
        for c in corruptions() {
            let all = |of: &[Modality]| of.iter().all(|m| c.modalities.contains(m));
            let section = if all(&[Modality::Spectral, Modality::Fluorescence]) {
                "Every instrument"
            } else if all(&[
                Modality::Fluorescence,
                Modality::Brightfield,
                Modality::Photo,
            ]) {
                "Cameras and microscopes"
            } else if all(&[Modality::Spectral]) {
                "Spectra"
            } else if all(&[Modality::Fluorescence]) || all(&[Modality::Brightfield]) {
                "Fluorescence and stained specimens"
            } else {
                "Photographs"
            };
            if section != title {
                continue;
            }
            let values: Vec<String> = c.ladder.iter().map(ToString::to_string).collect();
            write!(
                page,
                "\n### {}\n\n{}: {} {} ({})\n\n![{} at severities 0 to 5](gallery/{}.jpg)\n",
                c.name,
                c.words,
                values.join(", "),
                c.unit,
                c.parameter,
                c.name,
                c.name
            )
            .unwrap();
        }
    }
    page
}

#[test]
fn the_pages_of_corruptions_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/corruptions");
    for (file, made) in [("index.md", page()), ("gallery.md", gallery())] {
        let path = folder.join(file);
        if std::env::var_os("TRANSECT_WRITE_DOCS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let stands = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stands == made,
            "docs/src/corruptions/{file} is stale: run this test with TRANSECT_WRITE_DOCS=1"
        );
    }
    for c in corruptions() {
        assert!(
            folder.join(format!("gallery/{}.jpg", c.name)).exists(),
            "no picture of {}: cargo run -p transect-optics --release --example gallery",
            c.name
        );
    }
}
