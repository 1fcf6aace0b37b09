//! Spherical aberration: a cover glass or a medium that the objective was not made for.

use std::cell::RefCell;
use std::f64::consts::PI;
use std::rc::Rc;

use transect_core::context::{Ladder, Optics};
use transect_core::{Image, LabelImage, Modality, Result, View};

use super::Corruption;
use super::pupil::{Pupil, pass, pixel_size, relative_transfer};
use crate::view::{Made, MakeContext};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "spherical_aberration",
    words: "spherical aberration",
    parameter: "aberration",
    unit: "waves",
    identity: 0.0,
    ladder: [0.5, 1.0, 2.0, 3.0, 5.0],
    range: (0.0, 50.0),
    modalities: &[Modality::Fluorescence, Modality::Brightfield],
    standard: &[],
    random: false,
    moves_geometry: false,
    note: "waves at the edge of the pupil against paraxial rays, refocused to where it blurs least; in the plane only",
    in_units: said,
    run,
};

/// Says what the blur is computed for.
fn said(ladder: Ladder, _: Modality, optics: &Optics) -> Ladder {
    let known = Pupil::of(optics).filter(|_| optics.pixel_size_um.is_some_and(|p| p > 0.0));
    let how = match known {
        Some(pupil) => format!("NA {}, wavelength {} µm", pupil.aperture, pupil.wavelength),
        None => "numerical aperture, wavelength, refractive index and pixel size are not all declared, so the camera is taken to have just as many pixels as the objective resolves (cut-off at half a cycle per pixel)".to_owned(),
    };
    Ladder {
        note: format!("{}; {how}", ladder.note),
        ..ladder
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every corruption has this signature"
)]
fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    let known = Pupil::of(&context.optics).zip(pixel_size(image, context));
    let (cutoff, size) = match known {
        Some((pupil, size)) => (pupil.cutoff(), size),
        None => (0.5, (1.0, 1.0)),
    };
    // A ray from the edge of the refocused pupil lands 2·W·λ/NA from the axis, and λ/NA is 2/cut-off.
    let reach = (1.5 * 2.0 * view.value + 2.0) * 2.0 / cutoff;
    Ok(pass(
        image,
        truth,
        &transfer(view.value),
        cutoff,
        size,
        reach,
    ))
}

/// Transfer functions that are kept: those of a ladder.
const KEPT: usize = 5;

/// The relative transfer function of the pupil exp(2πi·W·(ρ⁴ − ρ²)).
fn transfer(waves: f64) -> Rc<Vec<f64>> {
    type Kept = Vec<(f64, Rc<Vec<f64>>)>;
    thread_local! {
        static LAST: RefCell<Kept> = const { RefCell::new(Vec::new()) };
    }
    LAST.with(|last| {
        let mut last = last.borrow_mut();
        if let Some((_, transfer)) = last.iter().find(|(w, _)| *w == waves) {
            return Rc::clone(transfer);
        }
        let scale = 2.0 * PI * waves;
        let transfer = Rc::new(relative_transfer(scale, |rho2| {
            scale * (rho2 * rho2 - rho2)
        }));
        if last.len() == KEPT {
            last.remove(0);
        }
        last.push((waves, Rc::clone(&transfer)));
        transfer
    })
}
