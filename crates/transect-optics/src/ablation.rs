//! Ablations: something is taken away from the image, the truth stays.

use transect_core::view::ABLATIONS;
use transect_core::{Error, Image, LabelImage, Result, View, codes};

use crate::view::{Made, MakeContext};

/// Makes the ablation that the view names.
///
/// # Errors
/// `T501` for a name that there is not.
pub(crate) fn make(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _context: &MakeContext<'_>,
) -> Result<Made> {
    let mut out = image.clone();
    match view.name.as_str() {
        "blank" => blank(&mut out),
        _ => return Err(unknown(&view.name)),
    }
    out.quantise();
    Ok(Made {
        image: out,
        truth: truth.cloned(),
        donor_row: None,
    })
}

fn unknown(name: &str) -> Error {
    let names: Vec<_> = ABLATIONS.iter().map(|(name, _)| *name).collect();
    Error::new(
        &codes::optics::UNKNOWN_VIEW,
        format!("unknown ablation `{name}`"),
    )
    .note(format!("ablations: {}", names.join(", ")))
}

/// Every channel set to its own mean.
fn blank(image: &mut Image) {
    for channel in 0..image.channels() {
        for plane in 0..image.planes() {
            let samples = image.plane_mut(channel, plane);
            let mean =
                samples.iter().map(|&v| f64::from(v)).sum::<f64>() / samples.len().max(1) as f64;
            samples.fill(mean as f32);
        }
    }
}
