//! Corruptions: seeded changes of an image, each with a physical parameter.

mod colour_shift;
mod defocus;
mod gain;
mod jpeg_quality;
mod magnification;
mod offset;
mod read_noise;
mod shot_noise;
mod stain_shift;
mod uneven_illumination;

use transect_core::context::{Ladder, Optics};
use transect_core::{Error, Image, LabelImage, Modality, Result, View, codes};

pub(crate) use magnification::scaled;

use crate::quantile::quantile;
use crate::view::{Made, MakeContext};

/// Every modality.
const ALL: &[Modality] = &[
    Modality::Fluorescence,
    Modality::Brightfield,
    Modality::Phase,
    Modality::Spectral,
    Modality::Photo,
    Modality::Unknown,
];

/// Every modality whose images are pictures, one plane of light on one camera.
const PICTURES: &[Modality] = &[
    Modality::Fluorescence,
    Modality::Brightfield,
    Modality::Phase,
    Modality::Photo,
    Modality::Unknown,
];

/// The signal of a channel is measured against this quantile of it.
pub(crate) const BRIGHT: f64 = 0.999;

type Run = fn(&Image, Option<&LabelImage>, &View, &MakeContext<'_>) -> Result<Made>;

/// A corruption: a named, seeded change of an image with a physical parameter.
#[derive(Debug, Clone, Copy)]
pub struct Corruption {
    /// Name in snake case, such as `shot_noise`.
    pub name: &'static str,
    /// A few words for the reader of a report.
    pub words: &'static str,
    /// Physical parameter, such as `photons`.
    pub parameter: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Its value where nothing is changed.
    pub identity: f64,
    /// Its values at severities 1 to 5, ever further from `identity`. Defocus in µm has a ladder of its own, from the
    /// depth of field (see [`ladders`]).
    pub ladder: [f64; 5],
    /// Smallest and largest value that can be asked for.
    pub range: (f64, f64),
    /// The modalities that it applies to.
    pub modalities: &'static [Modality],
    /// Whether it draws random numbers.
    pub random: bool,
    /// Whether it moves the geometry, and the labels with it.
    pub moves_geometry: bool,
    /// What a reader must know.
    pub note: &'static str,
    run: Run,
}

impl Corruption {
    /// Whether a value can be asked for.
    pub(crate) fn check(&self, value: f64) -> Result<()> {
        let (low, high) = self.range;
        if value.is_nan() || value < low || value > high {
            return Err(Error::new(
                &codes::optics::VIEW_VALUE,
                format!(
                    "`{}` takes {} from {low} to {high} {}, got {value}",
                    self.name, self.parameter, self.unit
                ),
            ));
        }
        Ok(())
    }

    pub(crate) fn run(
        &self,
        image: &Image,
        truth: Option<&LabelImage>,
        view: &View,
        context: &MakeContext<'_>,
    ) -> Result<Made> {
        (self.run)(image, truth, view, context)
    }
}

static CORRUPTIONS: [Corruption; 10] = [
    shot_noise::CORRUPTION,
    read_noise::CORRUPTION,
    defocus::CORRUPTION,
    gain::CORRUPTION,
    offset::CORRUPTION,
    magnification::CORRUPTION,
    jpeg_quality::CORRUPTION,
    uneven_illumination::CORRUPTION,
    stain_shift::CORRUPTION,
    colour_shift::CORRUPTION,
];

/// Every corruption, in the order of reports.
pub fn corruptions() -> &'static [Corruption] {
    &CORRUPTIONS
}

/// The corruption of this name.
pub(crate) fn find(name: &str) -> Result<&'static Corruption> {
    CORRUPTIONS.iter().find(|c| c.name == name).ok_or_else(|| {
        let names: Vec<_> = CORRUPTIONS.iter().map(|c| c.name).collect();
        Error::new(
            &codes::optics::UNKNOWN_VIEW,
            format!("unknown corruption `{name}`"),
        )
        .note(format!("corruptions: {}", names.join(", ")))
    })
}

/// The ladders of the corruptions that apply to a modality, in the units that the microscope allows.
///
/// Defocus is in µm where the modality is fluorescence or bright field and the numerical aperture, wavelength, refractive
/// index and a pixel size are declared: its steps are 0.5, 1, 2, 4 and 8 times the depth of field n·λ/NA². Otherwise it is
/// a Gaussian blur in pixels, and the note says so.
pub fn ladders(modality: &Modality, optics: &Optics) -> Vec<Ladder> {
    CORRUPTIONS
        .iter()
        .filter(|c| c.modalities.contains(modality))
        .map(|c| {
            let ladder = Ladder {
                name: c.name.to_owned(),
                words: c.words.to_owned(),
                parameter: c.parameter.to_owned(),
                unit: c.unit.to_owned(),
                identity: c.identity,
                values: c.ladder,
                random: c.random,
                note: c.note.to_owned(),
            };
            if c.name == defocus::CORRUPTION.name {
                defocus::ladder(ladder, *modality, optics)
            } else {
                ladder
            }
        })
        .collect()
}

/// For each channel the level of its brightest signal: the 99.9th percentile over its planes; over all channels together
/// for a colour image, whose channels share one exposure. `None` where that is not positive (the black level is 0).
pub(crate) fn bright_levels(image: &Image) -> Vec<Option<f64>> {
    let positive = |samples: &[f32]| quantile(samples, BRIGHT).filter(|&q| q > 0.0);
    if image.rgb {
        return vec![positive(image.samples()); image.channels()];
    }
    image
        .samples()
        .chunks_exact(image.samples().len() / image.channels())
        .map(positive)
        .collect()
}

/// The image after a change of its samples, channel by channel: rounded and clipped as a file of its type.
pub(crate) fn changed(
    image: &Image,
    truth: Option<&LabelImage>,
    mut change: impl FnMut(usize, &mut [f32]),
) -> Made {
    let mut result = image.clone();
    let size = result.samples().len() / result.channels();
    for (channel, samples) in result.samples_mut().chunks_exact_mut(size).enumerate() {
        change(channel, samples);
    }
    result.quantise();
    Made {
        image: result,
        truth: truth.cloned(),
        donor_row: None,
    }
}
