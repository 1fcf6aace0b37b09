//! Laboratories: how a specimen is prepared, imaged and recorded.

use transect_core::Modality;

/// How the specimen is made visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staining {
    /// Nuclei glow on a dark ground; one channel.
    Fluorescence,
    /// Tissue with blue-purple nuclei in pink surroundings, as haematoxylin and eosin give; red, green, blue.
    Tissue,
    /// Blood smear with purple lobed nuclei among pale red cells, as Giemsa gives; red, green, blue.
    Smear,
}

/// A laboratory: everything by which its images differ from another's, in physical units.
#[derive(Debug, Clone, PartialEq)]
pub struct Laboratory {
    /// Name, such as `A`.
    pub name: String,
    /// How the specimen is made visible.
    pub staining: Staining,
    /// Height of an image, pixels.
    pub rows: usize,
    /// Width of an image, pixels.
    pub columns: usize,
    /// 8 or 16 bits per sample.
    pub bits: u8,
    /// Size of a pixel in the specimen, µm.
    pub pixel_size_um: f64,
    /// Blur of the microscope, standard deviation of a Gaussian, µm.
    pub blur_um: f64,
    /// Photons (electrons) in a pixel of signal 1: a typical nucleus in fluorescence, clear glass in bright field.
    pub photons: f64,
    /// Read noise, electrons rms.
    pub read_noise_electrons: f64,
    /// Background light, as a fraction of signal 1 (fluorescence only).
    pub background: f64,
    /// The camera's level at no light, as a fraction of full scale.
    pub black_level: f64,
    /// Level of signal 1 above the black level, as a fraction of full scale.
    pub exposure: f64,
    /// Fraction of the light that is lost at the corner.
    pub falloff: f64,
    /// Turn of the stains' hue in optical density, degrees (stained specimens only).
    pub stain_hue_deg: f64,
    /// Amount of stain, as a factor.
    pub stain_strength: f64,
    /// Nuclei per square millimetre, typical.
    pub nuclei_per_mm2: f64,
    /// Diameter of a nucleus, typical, µm.
    pub nucleus_um: f64,
    /// Share of nuclei that touch another.
    pub touching: f64,
    /// Specks and out-of-focus blobs per square millimetre.
    pub debris_per_mm2: f64,
}

impl Laboratory {
    /// Laboratory A, fluorescence: sharp, bright, even.
    pub fn a() -> Self {
        Self {
            name: "A".to_owned(),
            staining: Staining::Fluorescence,
            rows: 192,
            columns: 192,
            bits: 8,
            pixel_size_um: 0.45,
            blur_um: 0.45,
            photons: 400.0,
            read_noise_electrons: 3.0,
            background: 0.05,
            black_level: 0.02,
            exposure: 0.5,
            falloff: 0.05,
            stain_hue_deg: 0.0,
            stain_strength: 1.0,
            nuclei_per_mm2: 1500.0,
            nucleus_um: 10.5,
            touching: 0.35,
            debris_per_mm2: 250.0,
        }
    }

    /// Laboratory B, fluorescence: larger pixels, more blur, a tenth of the photons, brighter background, uneven light.
    pub fn b() -> Self {
        Self {
            name: "B".to_owned(),
            pixel_size_um: 0.65,
            blur_um: 1.1,
            photons: 40.0,
            read_noise_electrons: 5.0,
            background: 0.35,
            black_level: 0.05,
            exposure: 0.3,
            falloff: 0.45,
            debris_per_mm2: 500.0,
            ..Self::a()
        }
    }

    /// Laboratory A, stained tissue in bright field.
    pub fn tissue_a() -> Self {
        Self {
            name: "tissue A".to_owned(),
            staining: Staining::Tissue,
            rows: 256,
            columns: 256,
            blur_um: 0.4,
            photons: 8000.0,
            read_noise_electrons: 10.0,
            background: 0.0,
            black_level: 0.0,
            exposure: 0.94,
            falloff: 0.04,
            nuclei_per_mm2: 2600.0,
            nucleus_um: 8.5,
            touching: 0.25,
            debris_per_mm2: 60.0,
            ..Self::a()
        }
    }

    /// Laboratory B, stained tissue: redder and paler stain, larger pixels, more blur, fewer photons, uneven light.
    pub fn tissue_b() -> Self {
        Self {
            name: "tissue B".to_owned(),
            pixel_size_um: 0.6,
            blur_um: 0.8,
            photons: 1500.0,
            exposure: 0.82,
            falloff: 0.2,
            stain_hue_deg: 16.0,
            stain_strength: 0.75,
            ..Self::tissue_a()
        }
    }

    /// Laboratory A, blood smear in bright field.
    pub fn smear_a() -> Self {
        Self {
            name: "smear A".to_owned(),
            staining: Staining::Smear,
            pixel_size_um: 0.25,
            blur_um: 0.22,
            nuclei_per_mm2: 900.0,
            nucleus_um: 9.0,
            touching: 0.0,
            ..Self::tissue_a()
        }
    }

    /// Laboratory B, blood smear: bluer and stronger stain, larger pixels, more blur, uneven light.
    pub fn smear_b() -> Self {
        Self {
            name: "smear B".to_owned(),
            pixel_size_um: 0.4,
            blur_um: 0.5,
            photons: 1500.0,
            exposure: 0.85,
            falloff: 0.25,
            stain_hue_deg: -14.0,
            stain_strength: 1.3,
            ..Self::smear_a()
        }
    }

    /// The laboratory of a name, whatever the case of its letters: `A`, `B`, `tissue A`, `tissue B`, `smear A`, `smear B`.
    pub fn named(name: &str) -> Option<Self> {
        [
            Self::a(),
            Self::b(),
            Self::tissue_a(),
            Self::tissue_b(),
            Self::smear_a(),
            Self::smear_b(),
        ]
        .into_iter()
        .find(|laboratory| laboratory.name.eq_ignore_ascii_case(name))
    }

    /// What made its images.
    pub fn modality(&self) -> Modality {
        match self.staining {
            Staining::Fluorescence => Modality::Fluorescence,
            Staining::Tissue | Staining::Smear => Modality::Brightfield,
        }
    }

    /// Full scale of its samples.
    pub(super) fn full_scale(&self) -> f64 {
        if self.bits > 8 { 65_535.0 } else { 255.0 }
    }

    /// Levels for one photon (electron).
    pub fn levels_per_photon(&self) -> f64 {
        self.exposure * self.full_scale() / self.photons
    }

    /// What the attribute `noise_gain` should find: variance per unit of signal, in fractions of full scale.
    pub fn noise_gain(&self) -> f64 {
        self.exposure / self.photons
    }

    /// Standard deviation of the noise at no light, as a fraction of full scale (rounding left out).
    pub fn read_noise(&self) -> f64 {
        self.read_noise_electrons * self.exposure / self.photons
    }

    /// Blur in pixels: the microscope's and that of the pixel's own area (1/12 px²).
    pub fn psf_sigma_px(&self) -> f64 {
        ((self.blur_um / self.pixel_size_um).powi(2) + 1.0 / 12.0).sqrt()
    }

    /// Level of the background in the middle of the field, as a fraction of full scale (fluorescence).
    pub fn background_level(&self) -> f64 {
        self.black_level + self.background * self.exposure
    }
}
