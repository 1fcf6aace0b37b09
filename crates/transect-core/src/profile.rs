//! What a style swap or an intervention needs to know of an image.

use serde::{Deserialize, Serialize};

/// The traits of one image that can be moved to another image's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Profile {
    /// Mean of each channel: in optical density for bright-field colour; otherwise as a fraction of the type's full scale
    /// for integer types and in the file's own numbers for floating types.
    pub mean: Vec<f64>,
    /// Standard deviation of each channel, likewise.
    pub sd: Vec<f64>,
    /// Whether `mean` and `sd` are of optical density.
    pub optical_density: bool,
    /// Estimated blur, standard deviation in pixels.
    pub psf_sigma_px: Option<f64>,
    /// Standard deviation of the noise: a fraction of the type's full scale for integer types, the file's own numbers for
    /// floating types.
    pub noise_sd: Option<f64>,
    /// Even–uneven illumination: coefficients of a second-order surface of the log intensity over rows and columns in
    /// [-1, 1], without the constant: row, column, row², row·column, column².
    pub illumination: Vec<f64>,
    /// Scale in pixels: the texture's correlation length, or the objects' diameter where truth gives it.
    pub scale_px: Option<f64>,
    /// Whether `scale_px` is the diameter of objects: it is only compared with another image's of the same sort.
    #[serde(default)]
    pub scale_of_objects: bool,
    /// (rows, columns) of the image.
    pub size: [u32; 2],
}
