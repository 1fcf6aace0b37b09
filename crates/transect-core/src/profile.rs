//! What a style swap or an intervention needs to know of an image.

use serde::{Deserialize, Serialize};

/// The traits of one image that can be moved to another image's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Profile {
    /// Mean of each channel (in optical density for bright-field colour, in the file's values otherwise).
    pub mean: Vec<f64>,
    /// Standard deviation of each channel, likewise.
    pub sd: Vec<f64>,
    /// Whether `mean` and `sd` are of optical density.
    pub optical_density: bool,
    /// Estimated blur, standard deviation in pixels.
    pub psf_sigma_px: Option<f64>,
    /// Standard deviation of the noise, in the file's values.
    pub noise_sd: Option<f64>,
    /// Even–uneven illumination: coefficients of a second-order surface of the log intensity over rows and columns in
    /// [-1, 1], without the constant: row, column, row², row·column, column².
    pub illumination: Vec<f64>,
    /// Scale in pixels: the texture's correlation length, or the objects' diameter where truth gives it.
    pub scale_px: Option<f64>,
    /// (rows, columns) of the image.
    pub size: [u32; 2],
}
