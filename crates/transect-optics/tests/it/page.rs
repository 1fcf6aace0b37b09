//! The page `corruptions` of the book is made from the register; `TRANSECT_WRITE_DOCS=1` writes it again.

use std::fmt::Write as _;
use std::path::Path;

use transect_core::Modality;
use transect_core::context::Optics;
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
        other => panic!("the page does not say what `{other}` does"),
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Corruptions\n\n<!-- Made by crates/transect-optics/tests/it/page.rs; do not edit. -->\n\nEach takes its strength from a \
         physical value; severities 1 to 5 are a ladder over it, severity 0 is the image to the bit. After each the samples \
         are rounded (ties to even) and clipped to the image's type; floats stay. A sample that is not finite stays so, and \
         spreads as far as a filter reaches (over the plane for defocus in µm).\n",
    );
    for c in corruptions() {
        let modalities: Vec<String> = c
            .modalities
            .iter()
            .map(|m| format!("{m:?}").to_lowercase())
            .collect();
        let values: Vec<String> = c.ladder.iter().map(ToString::to_string).collect();
        let (low, high) = c.range;
        write!(
            page,
            "\n## {}\n\n{}: {}.\n\n- {}, {}: {} leaves the image as it is; severities 1 to 5 are {}; {low} to {high} can be asked \
             for.\n- Modalities: {}.\n- {}; {}.\n- {}.\n",
            c.name,
            c.words,
            formula(c.name),
            c.parameter,
            c.unit,
            c.identity,
            values.join(", "),
            modalities.join(", "),
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
    let ladder = ladders(&Modality::Fluorescence, &known)
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

#[test]
fn the_page_of_corruptions_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/corruptions/index.md");
    if std::env::var_os("TRANSECT_WRITE_DOCS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stands == page(),
        "docs/src/corruptions/index.md is stale: run this test with TRANSECT_WRITE_DOCS=1"
    );
}
