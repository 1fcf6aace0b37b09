//! Defocus: in micrometres where the microscope is known, else a Gaussian blur in pixels.

use std::cell::RefCell;
use std::f64::consts::PI;
use std::rc::Rc;

use transect_core::context::{Ladder, Optics};
use transect_core::{Error, Image, LabelImage, Modality, Result, View, codes};

use super::{ALL, Corruption, changed};
use crate::blur::gaussian;
use crate::fourier::filter;
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
    random: false,
    moves_geometry: false,
    note: "Gaussian blur, standard deviation in pixels, because numerical aperture, wavelength, refractive index and pixel size are not all declared",
    run,
};

/// The microscope as far as defocus needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pupil {
    /// Numerical aperture.
    aperture: f64,
    /// Wavelength, µm.
    wavelength: f64,
    /// Refractive index.
    index: f64,
}

impl Pupil {
    /// `None` unless everything is declared and physical (0 < NA < n).
    fn of(optics: &Optics) -> Option<Self> {
        let (aperture, wavelength, index) = (
            optics.numerical_aperture?,
            optics.wavelength_um?,
            optics.refractive_index?,
        );
        let physical = aperture > 0.0 && wavelength > 0.0 && aperture < index && index.is_finite();
        physical.then_some(Self {
            aperture,
            wavelength,
            index,
        })
    }

    /// n·λ/NA², µm.
    fn depth_of_field(self) -> f64 {
        self.index * self.wavelength / (self.aperture * self.aperture)
    }

    /// Highest spatial frequency that passes, cycles/µm.
    fn cutoff(self) -> f64 {
        2.0 * self.aperture / self.wavelength
    }
}

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

/// Rounded to two significant digits.
fn two_digits(value: f64) -> f64 {
    let unit = 10_f64.powf(value.log10().floor() - 1.0);
    // Through text, so that 0.7200000000000001 is 0.72.
    format!("{:.12}", (value / unit).round() * unit)
        .parse()
        .unwrap_or(value)
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
            let size = image
                .pixel_size
                .map(|p| (p.row_um, p.column_um))
                .or(context.optics.pixel_size_um.map(|p| (p, p)))
                .filter(|&(r, c)| r > 0.0 && c > 0.0)
                .ok_or_else(|| {
                    Error::new(
                        &codes::optics::OPTICS_UNKNOWN,
                        "defocus in µm needs the pixel size",
                    )
                })?;
            let transfer = relative_transfer(pupil, view.value);
            // The geometric disc of confusion, plus room for its diffraction rings.
            let tangent = pupil.aperture / (pupil.index.powi(2) - pupil.aperture.powi(2)).sqrt();
            let reach = 1.5 * view.value * tangent + 2.0 * pupil.wavelength / pupil.aperture;
            let margin = |um: f64, n: usize| ((reach / um).ceil() as usize).clamp(4, n.max(64));
            let step = pupil.cutoff() / (transfer.len() - 1) as f64;
            let gain = |row: f64, column: f64| {
                let at = (row / size.0).hypot(column / size.1) / step;
                let low = at.floor() as usize;
                if low + 1 >= transfer.len() {
                    return 1.0;
                }
                (transfer[low] + (at - low as f64) * (transfer[low + 1] - transfer[low])) as f32
            };
            Ok(changed(image, truth, |_, samples| {
                for plane in samples.chunks_exact_mut(rows * columns) {
                    filter(
                        plane,
                        rows,
                        columns,
                        margin(size.0, rows),
                        margin(size.1, columns),
                        gain,
                    );
                }
            }))
        }
        other => Err(unsupported(format!(
            "`defocus` is in `um` or `px`, got `{other}`"
        ))),
    }
}

/// A transfer function with what it was computed for.
type Computed = (Pupil, f64, Rc<Vec<f64>>);

/// The transfer function of a defocused microscope over that of a focused one, at equal steps of frequency from 0 to the
/// cut-off: the autocorrelation of the pupil exp(i·φ(ρ)), φ = 2π·z/λ·√(n² − NA²ρ²), over that with φ = 0. It is 1 at 0 and
/// tends to 1 at the cut-off, where nothing is left to lose.
fn relative_transfer(pupil: Pupil, defocus_um: f64) -> Rc<Vec<f64>> {
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
        let transfer = Rc::new(compute_transfer(pupil, defocus_um));
        *last.borrow_mut() = Some((pupil, defocus_um, Rc::clone(&transfer)));
        transfer
    })
}

fn compute_transfer(pupil: Pupil, defocus_um: f64) -> Vec<f64> {
    let scale = 2.0 * PI * defocus_um / pupil.wavelength;
    let phase =
        |rho2: f64| scale * (pupil.index.powi(2) - pupil.aperture.powi(2) * rho2.min(1.0)).sqrt();
    let largest = (phase(0.0) - phase(1.0)).abs();
    // Enough nodes that the phase turns by under half a radian between them, and steps that follow the rings.
    let nodes = (48.0 + 4.0 * largest).min(512.0) as usize;
    let steps = (256.0 + 16.0 * largest).min(4096.0) as usize;
    let mut transfer = vec![1.0; steps + 1];
    for (i, value) in transfer.iter_mut().enumerate().skip(1).take(steps - 1) {
        // Shift of the two pupils against each other, in radii: they overlap for |x| + s/2 < 1 at y = 0.
        let half = i as f64 / steps as f64;
        // One quadrant of the lens of overlap: y in (0, √(1 − half²)), x in (0, √(1 − y²) − half).
        let (mut sum, mut area) = (0.0, 0.0);
        let top = (1.0 - half * half).sqrt();
        let lines = nodes / 2;
        for j in 0..lines {
            let y = (j as f64 + 0.5) / lines as f64 * top;
            let width = (1.0 - y * y).sqrt() - half;
            let mut line = 0.0;
            for k in 0..nodes {
                let x = (k as f64 + 0.5) / nodes as f64 * width;
                let y2 = y * y;
                line += (phase((x + half).powi(2) + y2) - phase((x - half).powi(2) + y2)).cos();
            }
            sum += line / nodes as f64 * width;
            area += width;
        }
        *value = sum / area;
    }
    transfer
}
