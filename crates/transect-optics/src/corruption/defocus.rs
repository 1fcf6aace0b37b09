//! Defocus: in micrometres where the microscope is known, else a Gaussian blur in pixels.

use std::cell::RefCell;
use std::f64::consts::PI;
use std::rc::Rc;

use transect_core::context::{Ladder, Optics};
use transect_core::{Error, Image, LabelImage, Modality, Result, View, codes};

use super::pupil::{Pupil, pass, pixel_size, relative_transfer, two_digits};
use super::{ALL, Corruption, changed};
use crate::blur::gaussian;
use crate::view::{Made, MakeContext, unsupported};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "defocus",
    words: "defocus",
    parameter: "blur",
    unit: "px",
    identity: 0.0,
    ladder: [0.5, 1.0, 2.0, 4.0, 8.0],
    range: (0.0, 1000.0),
    modalities: ALL,
    standard: ALL,
    random: false,
    moves_geometry: false,
    note: "Gaussian blur, standard deviation in pixels, because numerical aperture, wavelength, refractive index and pixel size are not all declared",
    in_units: ladder,
    run,
};

/// The ladder in µm where the microscope allows.
pub(super) fn ladder(pixels: Ladder, modality: Modality, optics: &Optics) -> Ladder {
    let Some(pupil) = Pupil::of(optics).filter(|_| optics.pixel_size_um.is_some_and(|p| p > 0.0))
    else {
        return pixels;
    };
    if !matches!(modality, Modality::Fluorescence | Modality::Brightfield) {
        return Ladder {
            note: "Gaussian blur, standard deviation in pixels: defocus in µm is computed for fluorescence and bright field only"
                .to_owned(),
            ..pixels
        };
    }
    let depth = pupil.depth_of_field();
    Ladder {
        parameter: "defocus".to_owned(),
        unit: "um".to_owned(),
        values: [0.5, 1.0, 2.0, 4.0, 8.0].map(|steps| two_digits(steps * depth)),
        note: format!(
            "incoherent image of a plane out of focus, from the pupil: NA {}, wavelength {} µm, index {}; steps of the depth of field {} µm; the image itself counts as in focus",
            pupil.aperture,
            pupil.wavelength,
            pupil.index,
            two_digits(depth)
        ),
        ..pixels
    }
}

fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let (rows, columns) = (image.rows(), image.columns());
    match view.unit.as_str() {
        "px" => Ok(changed(image, truth, |_, samples| {
            for plane in samples.chunks_exact_mut(rows * columns) {
                gaussian(plane, rows, columns, view.value, view.value);
            }
        })),
        "um" => {
            let pupil = Pupil::of(&context.optics).ok_or_else(|| {
                Error::new(
                    &codes::optics::OPTICS_UNKNOWN,
                    "defocus in µm needs the numerical aperture, the wavelength and the refractive index, with 0 < NA < index",
                )
            })?;
            let size = pixel_size(image, context).ok_or_else(|| {
                Error::new(
                    &codes::optics::OPTICS_UNKNOWN,
                    "defocus in µm needs the pixel size",
                )
            })?;
            let transfer = transfer(pupil, view.value);
            // The geometric disc of confusion, plus room for its diffraction rings.
            let tangent = pupil.aperture / (pupil.index.powi(2) - pupil.aperture.powi(2)).sqrt();
            let reach = 1.5 * view.value * tangent + 2.0 * pupil.wavelength / pupil.aperture;
            Ok(pass(image, truth, &transfer, pupil.cutoff(), size, reach))
        }
        other => Err(unsupported(format!(
            "`defocus` is in `um` or `px`, got `{other}`"
        ))),
    }
}

/// A transfer function with what it was computed for.
type Computed = (Pupil, f64, Rc<Vec<f64>>);

/// The transfer function of a defocused microscope over that of a focused one: φ = 2π·z/λ·√(n² − NA²ρ²).
fn transfer(pupil: Pupil, defocus_um: f64) -> Rc<Vec<f64>> {
    thread_local! {
        static LAST: RefCell<Option<Computed>> = const { RefCell::new(None) };
    }
    LAST.with(|last| {
        if let Some((p, z, transfer)) = &*last.borrow()
            && *p == pupil
            && *z == defocus_um
        {
            return Rc::clone(transfer);
        }
        let scale = 2.0 * PI * defocus_um / pupil.wavelength;
        let phase = |rho2: f64| {
            scale * (pupil.index.powi(2) - pupil.aperture.powi(2) * rho2.min(1.0)).sqrt()
        };
        let largest = (phase(0.0) - phase(1.0)).abs();
        let transfer = Rc::new(relative_transfer(largest, phase));
        *last.borrow_mut() = Some((pupil, defocus_um, Rc::clone(&transfer)));
        transfer
    })
}
