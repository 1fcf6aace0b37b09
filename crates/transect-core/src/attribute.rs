//! Attributes of an image that need no model: the columns of `items.parquet`.

/// One attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Column name, with its unit.
    pub name: &'static str,
    /// Unit, as printed; empty for a plain number.
    pub unit: &'static str,
    /// A few words for the reader of a report.
    pub words: &'static str,
    /// Name of the trait that an intervention moves to change it; empty where none does (see [`crate::view::TRAITS`]).
    pub moved_by: &'static str,
}

const fn a(
    name: &'static str,
    unit: &'static str,
    words: &'static str,
    moved_by: &'static str,
) -> Attribute {
    Attribute {
        name,
        unit,
        words,
        moved_by,
    }
}

/// Every attribute, in the order of the columns. Intensities are fractions of the type's full scale for integer types and
/// the file's own numbers for floating types. "Grey" is the mean over the channels.
pub const ATTRIBUTES: &[Attribute] = &[
    a("rows_px", "px", "image height", "magnification"),
    a("columns_px", "px", "image width", "magnification"),
    a("channels", "", "number of channels", ""),
    a("bits", "bit", "bits per sample", ""),
    a("pixel_size_um", "µm/px", "pixel size", "magnification"),
    a("intensity_mean", "", "mean intensity", "style"),
    a("intensity_sd", "", "spread of intensity", "style"),
    a("intensity_q01", "", "1st percentile of intensity", "style"),
    a("intensity_q50", "", "median intensity", "style"),
    a("intensity_q99", "", "99th percentile of intensity", "style"),
    a("background", "", "background level", "style"),
    a("contrast", "", "contrast of signal to background", "style"),
    a("snr", "", "signal-to-noise ratio", "noise"),
    a("noise_sd", "", "noise", "noise"),
    a(
        "noise_gain",
        "1/electron",
        "noise gain: variance per unit of signal",
        "noise",
    ),
    a("read_noise", "", "noise at zero signal", "noise"),
    a(
        "spectrum_slope",
        "",
        "slope of the power spectrum (focus)",
        "focus",
    ),
    a(
        "high_frequency_share",
        "",
        "share of fine detail (focus)",
        "focus",
    ),
    a("psf_sigma_px", "px", "estimated blur", "focus"),
    a("saturated_share", "", "share of saturated pixels", "style"),
    a("clipped_share", "", "share of pixels at zero", "style"),
    a(
        "unevenness",
        "",
        "unevenness of illumination",
        "illumination",
    ),
    a(
        "texture_scale_px",
        "px",
        "size of the texture (correlation length)",
        "magnification",
    ),
    a("red_mean", "", "mean of the red channel", "style"),
    a("green_mean", "", "mean of the green channel", "style"),
    a("blue_mean", "", "mean of the blue channel", "style"),
    a("saturation_mean", "", "colour saturation", "style"),
    a("hue_cos", "", "hue, cosine", "style"),
    a("hue_sin", "", "hue, sine", "style"),
    a(
        "stain_h_angle_deg",
        "deg",
        "hue angle of the first stain",
        "style",
    ),
    a(
        "stain_e_angle_deg",
        "deg",
        "hue angle of the second stain",
        "style",
    ),
    a("objects", "", "objects in the truth", ""),
    a(
        "object_density",
        "1/px²",
        "objects per pixel in the truth",
        "",
    ),
    a(
        "object_diameter_px",
        "px",
        "diameter of objects in the truth",
        "magnification",
    ),
    a(
        "foreground_share",
        "",
        "share of foreground in the truth",
        "",
    ),
];
