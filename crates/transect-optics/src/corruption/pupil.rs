//! The pupil of a microscope, and what an aberration of it takes from the image.

use transect_core::context::{Ladder, Optics};
use transect_core::{Error, Image, LabelImage, Modality, Result, View, codes};

use super::changed;
use crate::fourier::filter;
use crate::view::{Made, MakeContext, unsupported};

/// The microscope as far as its pupil needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pupil {
    /// Numerical aperture.
    pub(super) aperture: f64,
    /// Wavelength, µm.
    pub(super) wavelength: f64,
    /// Refractive index.
    pub(super) index: f64,
}

impl Pupil {
    /// `None` unless everything is declared and physical (0 < NA < n).
    pub(super) fn of(optics: &Optics) -> Option<Self> {
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
    pub(super) fn depth_of_field(self) -> f64 {
        self.index * self.wavelength / (self.aperture * self.aperture)
    }

    /// Highest spatial frequency that passes, cycles/µm.
    pub(super) fn cutoff(self) -> f64 {
        2.0 * self.aperture / self.wavelength
    }
}

/// Size of a pixel (row, column) in µm: the image's own, else the one that is declared for all.
pub(super) fn pixel_size(image: &Image, context: &MakeContext<'_>) -> Option<(f64, f64)> {
    image
        .pixel_size
        .map(|p| (p.row_um, p.column_um))
        .or(context.optics.pixel_size_um.map(|p| (p, p)))
        .filter(|&(r, c)| r > 0.0 && c > 0.0)
}

/// Lengths of a ladder in µm where the pixel size is declared for all images.
pub(super) fn lengths(pixels: Ladder, _: Modality, optics: &Optics) -> Ladder {
    let Some(size) = optics.pixel_size_um.filter(|&p| p > 0.0) else {
        return Ladder {
            note: format!(
                "{}; in pixels, because the pixel size is not declared",
                pixels.note
            ),
            ..pixels
        };
    };
    Ladder {
        unit: "um".to_owned(),
        values: pixels.values.map(|v| two_digits(v * size)),
        ..pixels
    }
}

/// The view's length in pixels (along rows, along columns).
pub(super) fn in_pixels(
    image: &Image,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<(f64, f64)> {
    match view.unit.as_str() {
        "px" => Ok((view.value, view.value)),
        "um" => {
            let (row, column) = pixel_size(image, context).ok_or_else(|| {
                Error::new(
                    &codes::optics::OPTICS_UNKNOWN,
                    format!("`{}` in µm needs the pixel size", view.name),
                )
            })?;
            Ok((view.value / row, view.value / column))
        }
        other => Err(unsupported(format!(
            "`{}` is in `um` or `px`, got `{other}`",
            view.name
        ))),
    }
}

/// Rounded to two significant digits.
pub(super) fn two_digits(value: f64) -> f64 {
    let unit = 10_f64.powf(value.log10().floor() - 1.0);
    // Through text, so that 0.7200000000000001 is 0.72.
    format!("{:.12}", (value / unit).round() * unit)
        .parse()
        .unwrap_or(value)
}

/// The transfer function of an aberrated pupil over that of a perfect one, at equal steps of frequency from 0 to the cut-off:
/// the autocorrelation of exp(i·φ(ρ²)) over that with φ = 0. It is 1 at 0 and tends to 1 at the cut-off, where nothing is left
/// to lose. `largest` is how far the phase turns over the pupil, radians.
pub(super) fn relative_transfer(largest: f64, phase: impl Fn(f64) -> f64) -> Vec<f64> {
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

/// The image after a transfer function (see [`relative_transfer`]) whose cut-off is in cycles per unit of `size`, the pixel (row,
/// column) in that unit. `reach`: how far light spreads, in the same unit.
pub(super) fn pass(
    image: &Image,
    truth: Option<&LabelImage>,
    transfer: &[f64],
    cutoff: f64,
    size: (f64, f64),
    reach: f64,
) -> Made {
    let (rows, columns) = (image.rows(), image.columns());
    let margin = |um: f64, n: usize| ((reach / um).ceil() as usize).clamp(4, n.max(64));
    let step = cutoff / (transfer.len() - 1) as f64;
    let gain = |row: f64, column: f64| {
        let (down, across) = (row / size.0, column / size.1);
        let at = (down * down + across * across).sqrt() / step;
        let low = at as usize;
        if low + 1 >= transfer.len() {
            return 1.0;
        }
        (transfer[low] + (at - low as f64) * (transfer[low + 1] - transfer[low])) as f32
    };
    changed(image, truth, |_, samples| {
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
    })
}
