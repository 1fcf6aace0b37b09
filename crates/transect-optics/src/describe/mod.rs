//! What an image says of itself, without any model.

mod colour;
mod focus;
mod noise;
mod objects;
mod picture;
mod texture;

use transect_core::attribute::ATTRIBUTES;
use transect_core::{Image, LabelImage, Modality, Profile};

use self::noise::Noise;
use crate::quantile::Ranks;

/// What an image says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// One value for each of [`ATTRIBUTES`], in their order; `None` where one has no value here.
    pub attributes: Vec<Option<f64>>,
    /// The traits that swaps move.
    pub profile: Profile,
    /// What makes noise in each channel.
    pub cameras: Cameras,
    /// Difference hash: bit 8·r + c, from the lowest, is set where cell (r, c) of a 9 × 8 grid of mean grey is darker than
    /// its right neighbour.
    pub perceptual_hash: u64,
    /// 64 × 64 × 3 bytes, red, green, blue, row by row.
    pub thumbnail: Vec<u8>,
}

/// One plane of intensities with its size.
#[derive(Debug, Clone)]
pub(crate) struct Plane {
    pub(crate) samples: Vec<f32>,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

/// What the estimators share: the middle plane, in the units of the attributes.
struct Field {
    /// Each channel.
    channels: Vec<Plane>,
    /// Mean over the channels.
    grey: Plane,
    /// Whether every sample of the middle plane is finite.
    finite: bool,
    /// Size of one level in these units: 1/full scale for integer types, 0 for floating types.
    level: f64,
}

impl Field {
    fn of(image: &Image) -> Self {
        let (rows, columns) = (image.rows(), image.columns());
        let middle = image.planes() / 2;
        let level = image
            .dtype
            .range()
            .map_or(0.0, |(_, high)| 1.0 / f64::from(high));
        let unit = if level > 0.0 { level } else { 1.0 };
        let channels: Vec<Plane> = (0..image.channels())
            .map(|c| Plane {
                samples: image
                    .plane(c, middle)
                    .iter()
                    .map(|&s| (f64::from(s) * unit) as f32)
                    .collect(),
                rows,
                columns,
            })
            .collect();
        let grey = if let [only] = channels.as_slice() {
            only.clone()
        } else {
            let mut sum = vec![0.0_f32; rows * columns];
            for channel in &channels {
                for (s, v) in sum.iter_mut().zip(&channel.samples) {
                    *s += v;
                }
            }
            let share = 1.0 / channels.len() as f32;
            for s in &mut sum {
                *s *= share;
            }
            Plane {
                samples: sum,
                rows,
                columns,
            }
        };
        let finite = channels
            .iter()
            .all(|c| c.samples.iter().all(|s| s.is_finite()));
        Self {
            channels,
            grey,
            finite,
            level,
        }
    }

    /// The samples' own units in one of these.
    fn scale(&self) -> f64 {
        if self.level > 0.0 {
            1.0 / self.level
        } else {
            1.0
        }
    }

    /// The noise of each channel.
    fn noise(&self) -> Vec<Noise> {
        self.channels
            .iter()
            .map(|plane| Noise::of(plane, self.level))
            .collect()
    }
}

/// Mean and standard deviation (of the population) of the finite values; `None` where there are none.
pub(crate) fn mean_sd(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64)> {
    let finite = values.filter(|v| v.is_finite());
    let (mut sum, mut n) = (0.0, 0_u64);
    for v in finite.clone() {
        sum += v;
        n += 1;
    }
    if n == 0 {
        return None;
    }
    let mean = sum / n as f64;
    let squares: f64 = finite.map(|v| (v - mean).powi(2)).sum();
    Some((mean, (squares / n as f64).sqrt()))
}

/// What makes noise in one channel, in the samples' own units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Camera {
    /// Variance for each unit of signal, and standard deviation at zero signal, where photon transfer gives them.
    transfer: Option<(f64, f64)>,
    /// Standard deviation of the noise at the typical pixel.
    typical: f64,
}

impl Camera {
    /// Standard deviation of the noise at a level of signal: √(gain · level + read²), or the typical noise where photon
    /// transfer gives nothing.
    pub(crate) fn noise(&self, level: f64) -> f64 {
        self.transfer.map_or(self.typical, |(gain, read)| {
            (gain * level.max(0.0) + read * read).sqrt()
        })
    }
}

/// The camera of each channel of an image, as far as the image tells: what [`describe`] found, so that surrogates of the image
/// need not look for it again.
#[derive(Debug, Clone, PartialEq)]
pub struct Cameras(Vec<Camera>);

impl Cameras {
    /// Estimated from the image.
    pub(crate) fn of(image: &Image) -> Self {
        let field = Field::of(image);
        Self::from(&field, &field.noise())
    }

    fn from(field: &Field, noise: &[Noise]) -> Self {
        let scale = field.scale();
        Self(
            noise
                .iter()
                .map(|n| Camera {
                    transfer: n.transfer.map(|(gain, read)| (gain * scale, read * scale)),
                    typical: n.sd.unwrap_or(0.0) * scale,
                })
                .collect(),
        )
    }

    /// One for each channel.
    pub(crate) fn channels(&self) -> &[Camera] {
        &self.0
    }
}

/// Background level of each channel, in the samples' own units.
pub(crate) fn backgrounds(image: &Image, modality: Modality) -> Vec<Option<f64>> {
    let field = Field::of(image);
    field
        .channels
        .iter()
        .map(|plane| {
            let ends = Ranks::of(&plane.samples).quantiles([0.001, 0.5, 0.999])?;
            noise::background(plane, ends, field.level, modality).map(|b| b * field.scale())
        })
        .collect()
}

/// The traits that swaps move. See [`describe`].
pub(crate) fn profile(image: &Image, truth: Option<&LabelImage>, modality: Modality) -> Profile {
    let field = Field::of(image);
    // What only attributes need is left out.
    let noise: Vec<Noise> = field
        .channels
        .iter()
        .map(|plane| Noise {
            sd: noise::sd(plane, field.level),
            transfer: None,
        })
        .collect();
    let estimates = Estimates::of(&field, &noise, None, modality);
    let objects = truth.and_then(objects::measure);
    profile_of(image, truth, modality, &estimates, objects.as_ref())
}

fn profile_of(
    image: &Image,
    truth: Option<&LabelImage>,
    modality: Modality,
    estimates: &Estimates,
    objects: Option<&objects::Objects>,
) -> Profile {
    let density = crate::swap::in_density(image, modality)
        .then(|| crate::density::white(image))
        .flatten()
        .map(|white| crate::density::Density::new(white).table());
    let unit = image
        .dtype
        .range()
        .map_or(1.0, |(_, high)| 1.0 / f64::from(high));
    let size = image.samples().len() / image.channels();
    let (mut mean, mut sd) = (Vec::new(), Vec::new());
    for samples in image.samples().chunks_exact(size) {
        let values: Vec<f64> = match &density {
            Some(d) => samples
                .iter()
                .filter(|s| s.is_finite())
                .map(|&s| d.of(s))
                .collect(),
            None => samples.iter().map(|&s| f64::from(s) * unit).collect(),
        };
        let statistics = mean_sd(values.iter().copied());
        let (m, s) = statistics.unwrap_or((0.0, 0.0));
        mean.push(m);
        sd.push(s);
    }
    let scale_of_objects = truth.is_some();
    Profile {
        mean,
        sd,
        optical_density: density.is_some(),
        psf_sigma_px: estimates.psf_sigma,
        noise_sd: estimates.noise_sd,
        illumination: estimates.surface.map_or_else(Vec::new, |s| s.to_vec()),
        scale_px: if scale_of_objects {
            objects.map(|o| o.diameter)
        } else {
            estimates.texture_scale
        },
        scale_of_objects,
        size: [image.rows() as u32, image.columns() as u32],
    }
}

/// What takes work to estimate.
#[derive(Debug, Clone, Default)]
struct Estimates {
    noise_sd: Option<f64>,
    noise_gain: Option<f64>,
    read_noise: Option<f64>,
    background: Option<f64>,
    psf_sigma: Option<f64>,
    spectrum_slope: Option<f64>,
    high_share: Option<f64>,
    surface: Option<crate::surface::Surface>,
    texture_scale: Option<f64>,
}

impl Estimates {
    /// From the noise of each channel and the quantiles of grey (0.001, 0.5, 0.999) for the background, which only attributes
    /// need.
    fn of(field: &Field, noise: &[Noise], ends: Option<[f64; 3]>, modality: Modality) -> Self {
        let background =
            ends.and_then(|e| noise::background(&field.grey, e, field.level, modality));
        if !field.finite {
            return Self {
                background,
                ..Self::default()
            };
        }
        let spectrum = texture::Spectrum::of(&field.grey);
        let grey_noise = noise::sd(&field.grey, 0.0).unwrap_or(0.0);
        let mean = |of: &dyn Fn(&Noise) -> Option<f64>| {
            let values: Vec<f64> = noise.iter().filter_map(of).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        Self {
            noise_sd: mean(&|n| n.sd),
            noise_gain: mean(&|n| n.transfer.map(|t| t.0)),
            read_noise: mean(&|n| n.transfer.map(|t| t.1)),
            background,
            psf_sigma: focus::psf_sigma(&field.grey, grey_noise),
            spectrum_slope: spectrum.as_ref().and_then(texture::Spectrum::slope),
            high_share: spectrum.as_ref().and_then(texture::Spectrum::high_share),
            surface: focus::illumination(&field.grey, modality),
            texture_scale: spectrum.and_then(|s| s.correlation_length(grey_noise)),
        }
    }
}

/// Estimates every attribute of [`ATTRIBUTES`], the profile, the perceptual hash and the thumbnail of an image.
///
/// Intensities are fractions of full scale for integer types and the file's numbers for floating types; with several
/// planes the middle one is looked at (mean and spread of the profile take all). The formula of each attribute, its unit
/// and its measured error are on the page `optics` of the book. Truth is a label image of objects (or a mask); an object
/// is a connected piece (eight neighbours) of one label that is not 0.
///
/// Constant images, images of one pixel and values that are not finite give `None` where nothing can be said, and never
/// panic: attributes of a distribution leave out what is not finite, attributes of structure are `None` where a sample of
/// the plane is not finite.
pub fn describe(image: &Image, truth: Option<&LabelImage>, modality: Modality) -> Described {
    let field = Field::of(image);
    let quantiles = Ranks::of(&field.grey.samples).quantiles([0.001, 0.01, 0.5, 0.99, 0.999]);
    let ends = quantiles.map(|[low, _, median, _, high]| [low, median, high]);
    let noise = field.noise();
    let estimates = Estimates::of(&field, &noise, ends, modality);
    let objects = truth.and_then(objects::measure);
    let profile = profile_of(image, truth, modality, &estimates, objects.as_ref());
    let [q01, q50, q99] = quantiles.map_or([None; 3], |[_, low, median, high, _]| {
        [Some(low), Some(median), Some(high)]
    });
    let moments = mean_sd(field.grey.samples.iter().map(|&s| f64::from(s)));
    let signal = if modality == Modality::Brightfield {
        q01
    } else {
        q99
    };
    let colour = if image.rgb && image.channels() == 3 {
        colour::of(&field.channels)
    } else {
        None
    };
    let stains = if crate::swap::in_density(image, modality) {
        colour::stains(image)
    } else {
        None
    };
    let high = image.dtype.range().map_or(f32::INFINITY, |(_, high)| high);
    let pixels = (image.rows() * image.columns()) as f64;
    let value = |name: &str| -> Option<f64> {
        match name {
            "rows_px" => Some(image.rows() as f64),
            "columns_px" => Some(image.columns() as f64),
            "channels" => Some(image.channels() as f64),
            "bits" => Some(f64::from(image.dtype.bits())),
            "pixel_size_um" => image
                .pixel_size
                .map(|p| (p.row_um * p.column_um).sqrt())
                .filter(|p| p.is_finite()),
            "intensity_mean" => moments.map(|m| m.0),
            "intensity_sd" => moments.map(|m| m.1),
            "intensity_q01" => q01,
            "intensity_q50" => q50,
            "intensity_q99" => q99,
            "background" => estimates.background,
            "contrast" => {
                let (s, b) = (signal?, estimates.background?);
                (s + b > 0.0).then(|| (s - b).abs() / (s + b))
            }
            "snr" => {
                let (s, b, n) = (signal?, estimates.background?, estimates.noise_sd?);
                (n > 0.0).then(|| (s - b).abs() / n)
            }
            "noise_sd" => estimates.noise_sd,
            "noise_gain" => estimates.noise_gain,
            "read_noise" => estimates.read_noise,
            "spectrum_slope" => estimates.spectrum_slope,
            "high_frequency_share" => estimates.high_share,
            "psf_sigma_px" => estimates.psf_sigma,
            "saturated_share" => share(image, |s| s >= high),
            "clipped_share" => share(image, |s| s == 0.0),
            "unevenness" => estimates.surface.map(|s| focus::unevenness(&s)),
            "texture_scale_px" => estimates.texture_scale,
            "red_mean" => colour.map(|c| c.means[0]),
            "green_mean" => colour.map(|c| c.means[1]),
            "blue_mean" => colour.map(|c| c.means[2]),
            "saturation_mean" => colour.map(|c| c.saturation),
            "hue_cos" => colour.and_then(|c| c.hue).map(|h| h.0),
            "hue_sin" => colour.and_then(|c| c.hue).map(|h| h.1),
            "stain_h_angle_deg" => stains.map(|s| s.0),
            "stain_e_angle_deg" => stains.map(|s| s.1),
            "objects" => truth.map(|_| objects.as_ref().map_or(0.0, |o| o.count as f64)),
            "object_density" => {
                truth.map(|_| objects.as_ref().map_or(0.0, |o| o.count as f64 / pixels))
            }
            "object_diameter_px" => objects.as_ref().map(|o| o.diameter),
            "foreground_share" => truth.map(|_| {
                objects
                    .as_ref()
                    .map_or(0.0, |o| o.foreground as f64 / pixels)
            }),
            _ => None,
        }
    };
    let attributes = ATTRIBUTES
        .iter()
        .map(|a| value(a.name).filter(|v| v.is_finite()))
        .collect();
    Described {
        attributes,
        profile,
        cameras: Cameras::from(&field, &noise),
        perceptual_hash: picture::difference_hash(&field.grey),
        thumbnail: picture::thumbnail(image, &field.grey),
    }
}

/// Share of the samples of the middle plane for which something holds; `None` for floating types.
fn share(image: &Image, hit: impl Fn(f32) -> bool) -> Option<f64> {
    image.dtype.range()?;
    let middle = image.planes() / 2;
    let n = image.rows() * image.columns() * image.channels();
    let hits: usize = (0..image.channels())
        .map(|c| image.plane(c, middle).iter().filter(|&&s| hit(s)).count())
        .sum();
    Some(hits as f64 / n as f64)
}
