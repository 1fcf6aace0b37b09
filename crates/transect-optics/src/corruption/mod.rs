//! Corruptions: seeded changes of an image, each with a physical parameter.

mod band_loss;
mod bands;
mod baseline_curvature;
mod baseline_tilt;
mod bit_depth;
mod bleaching;
mod chromatic_shift;
mod colour_shift;
mod cross_talk;
mod cubic;
mod defocus;
mod detector_noise;
mod dusk;
mod dust;
mod gain;
mod gamma;
mod gaussian_noise;
mod haze;
mod hot_pixels;
mod infrared_flash;
mod jpeg_quality;
mod lens_dirt;
mod magnification;
mod motion_blur;
mod occlusion;
mod offset;
mod perspective;
mod pupil;
mod rain;
mod read_noise;
mod rotation;
mod saturation;
mod scatter;
mod shot_noise;
mod spherical_aberration;
mod spots;
mod stain;
mod stain_balance;
mod stain_shift;
mod uneven_illumination;
mod warp;
mod water_vapour;
mod wavenumber_shift;

use transect_core::context::{Ladder, Optics, PlanLevel};
use transect_core::{Error, Image, LabelImage, Modality, Result, Stream, View, codes};

pub use bands::fit_ladders;
pub(crate) use magnification::scaled;

use crate::quantile::{Ranks, quantile};
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

/// Many channels, each a band of a spectrum.
const SPECTRA: &[Modality] = &[Modality::Spectral];

/// The signal of a channel is measured against this quantile of it.
pub(crate) const BRIGHT: f64 = 0.999;

type InUnits = fn(Ladder, Modality, &Optics) -> Ladder;

/// The ladder as it stands: the unit asks for nothing that a file or a user would have to declare.
fn as_declared(ladder: Ladder, _: Modality, _: &Optics) -> Ladder {
    ladder
}

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
    /// The modalities that it applies to: a full plan has it there.
    pub modalities: &'static [Modality],
    /// Those of them where every plan has it.
    pub standard: &'static [Modality],
    /// Whether it draws random numbers.
    pub random: bool,
    /// Whether it moves the geometry, and the labels with it.
    pub moves_geometry: bool,
    /// What a reader must know.
    pub note: &'static str,
    /// The ladder in the units that what is declared allows.
    in_units: InUnits,
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

static CORRUPTIONS: [Corruption; 37] = [
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
    gaussian_noise::CORRUPTION,
    motion_blur::CORRUPTION,
    gamma::CORRUPTION,
    saturation::CORRUPTION,
    haze::CORRUPTION,
    bit_depth::CORRUPTION,
    rotation::CORRUPTION,
    perspective::CORRUPTION,
    occlusion::CORRUPTION,
    stain_balance::CORRUPTION,
    cross_talk::CORRUPTION,
    hot_pixels::CORRUPTION,
    dust::CORRUPTION,
    spherical_aberration::CORRUPTION,
    bleaching::CORRUPTION,
    chromatic_shift::CORRUPTION,
    baseline_tilt::CORRUPTION,
    baseline_curvature::CORRUPTION,
    wavenumber_shift::CORRUPTION,
    band_loss::CORRUPTION,
    scatter::CORRUPTION,
    water_vapour::CORRUPTION,
    detector_noise::CORRUPTION,
    dusk::CORRUPTION,
    infrared_flash::CORRUPTION,
    rain::CORRUPTION,
    lens_dirt::CORRUPTION,
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

/// The ladders of the corruptions that apply to a modality and belong to a plan, in the units that the microscope allows.
///
/// A full plan has every corruption of the modality, the others those that are [`Corruption::standard`] there. Defocus is in
/// µm where the modality is fluorescence or bright field and the numerical aperture, wavelength, refractive index and a pixel
/// size are declared: its steps are 0.5, 1, 2, 4 and 8 times the depth of field n·λ/NA². Otherwise it is a Gaussian blur in
/// pixels, and the note says so. Lengths are in µm where the pixel size is declared. What needs to see an image is
/// fitted to it by [`fit_ladders`].
pub fn ladders(modality: &Modality, optics: &Optics, plan: PlanLevel) -> Vec<Ladder> {
    CORRUPTIONS
        .iter()
        .filter(|c| {
            c.standard.contains(modality)
                || plan == PlanLevel::Full && c.modalities.contains(modality)
        })
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
            (c.in_units)(ladder, *modality, optics)
        })
        .collect()
}

/// The random stream of a view's places and directions: the same at every severity, so that what is hidden at one step of the ladder
/// is hidden at the next.
fn places(name: &str, view: &View, context: &MakeContext<'_>) -> Stream {
    Stream::new(
        context.seed,
        &format!("optics/{name}"),
        &[&context.image_sha256.0, &view.replicate.to_le_bytes()],
    )
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

/// For each channel its 0.1th and 99.9th percentile over its planes; over all channels together for a colour image. `None` where
/// there is no finite sample, or the two are the same.
pub(crate) fn contrasts(image: &Image) -> Vec<Option<(f64, f64)>> {
    let ends = |samples: &[f32]| -> Option<(f64, f64)> {
        let [low, high] = Ranks::of(samples).quantiles([1.0 - BRIGHT, BRIGHT])?;
        (high > low).then_some((low, high))
    };
    if image.rgb {
        return vec![ends(image.samples()); image.channels()];
    }
    image
        .samples()
        .chunks_exact(image.samples().len() / image.channels())
        .map(ends)
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

/// The image after a change of each sample that depends on nothing but the sample and its channel. Where the file's type has no
/// more values than a channel has samples, each value is changed once.
pub(crate) fn mapped(
    image: &Image,
    truth: Option<&LabelImage>,
    change: impl Fn(usize, f64) -> f64,
) -> Made {
    let size = image.samples().len() / image.channels();
    let few = image
        .dtype
        .range()
        .map(|(low, high)| (low, high, (f64::from(high) - f64::from(low)) as usize + 1))
        .filter(|&(.., count)| count <= size.min(1 << 16));
    let Some((low, high, count)) = few else {
        return changed(image, truth, |channel, samples| {
            for sample in samples {
                *sample = change(channel, f64::from(*sample)) as f32;
            }
        });
    };
    let mut result = image.clone();
    let mut table = Vec::new();
    for (channel, samples) in result.samples_mut().chunks_exact_mut(size).enumerate() {
        table.clear();
        table.extend((0..count).map(|i| change(channel, f64::from(low) + i as f64) as f32));
        for value in &mut table {
            *value = value.clamp(low, high).round_ties_even();
        }
        for sample in samples {
            if !sample.is_nan() {
                *sample = table[((*sample - low) as usize).min(count - 1)];
            }
        }
    }
    Made {
        image: result,
        truth: truth.cloned(),
        donor_row: None,
    }
}
